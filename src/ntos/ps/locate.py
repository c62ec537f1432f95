"""`module+0x123` for an address, from the loader lists in the process's own memory.

What user mode wrote there may be garbage: every step is bounded, and a bad pointer only ends the walk.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ntos.abi.layout.peb import PEB
from ntos.abi.layout.user import LDR_DATA_TABLE_ENTRY, PEB_LDR_DATA
from ntos.abi.status import GuestFault

if TYPE_CHECKING:
    from ntos.abi.memory import Memory
    from ntos.ke.process import Process
    from ntos.ke.thread import Thread

MAXIMUM_MODULES = 1024
LONGEST_NAME = 520
LOAD_ORDER = PEB_LDR_DATA.offset("InLoadOrderModuleList")
LDR = PEB.offset("Ldr")
BASE = LDR_DATA_TABLE_ENTRY.offset("DllBase")
SIZE = LDR_DATA_TABLE_ENTRY.offset("SizeOfImage")
NAME = LDR_DATA_TABLE_ENTRY.offset("BaseDllName")
HEAD_SIZE = NAME + 0x10


class Modules:
    """What was found in one process, good until the ends of its list have changed."""

    def __init__(self) -> None:
        self.known: list[tuple[int, int, str]] = []
        """(first, end, name)."""
        self.ends = b""

    def find(self, process: Process, address: int) -> str:
        """`name+offset`, or the address in hexadecimal."""
        self._refresh(process)
        for first, end, name in self.known:
            if first <= address < end:
                return f"{name}+0x{address - first:X}"
        return f"0x{address:X}"

    def _refresh(self, process: Process) -> None:
        """Loading and unloading change the last link of the list; nothing else needs another walk."""
        peb = int(process.eprocess.Peb)
        if not peb:
            return
        memory = process.memory
        try:
            head = _pointer(memory, peb + LDR) + LOAD_ORDER
            ends = memory.read(head, 16)
        except GuestFault:
            return
        if ends != self.ends:
            self.ends = ends
            self.known = _walk(memory, head)


def _pointer(memory: Memory, address: int) -> int:
    return int.from_bytes(memory.read(address, 8), "little")


def _walk(memory: Memory, head: int) -> list[tuple[int, int, str]]:
    found: list[tuple[int, int, str]] = []
    try:
        entry = _pointer(memory, head)
        while entry != head and len(found) < MAXIMUM_MODULES:
            data = memory.read(entry, HEAD_SIZE)
            base, size = struct.unpack_from("<Q", data, BASE)[0], struct.unpack_from("<I", data, SIZE)[0]
            length, buffer = struct.unpack_from("<H6xQ", data, NAME)
            name = memory.read(buffer, min(length, LONGEST_NAME)).decode("utf-16-le", "replace")
            found.append((base, base + size, name or f"0x{base:X}"))
            entry = struct.unpack_from("<Q", data)[0]
    except GuestFault:
        return found
    return found


def locate(thread: Thread, address: int) -> str:
    """Where an address lies, in words (`ke.exception.Dispatcher.locate`)."""
    return thread.process.part(Modules).find(thread.process, address)

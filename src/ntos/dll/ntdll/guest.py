"""What the other modules of ntdll need of the process they run in: its routines, its heap, strings,
arguments.
"""

from __future__ import annotations

import inspect
import struct
from typing import TYPE_CHECKING, Any

from ntos.abi.status import STATUS, NtError
from ntos.dll.ntdll.ldr.image import ExportTable, export_table

if TYPE_CHECKING:
    from ntos.abi.memory import Memory
    from ntos.um.thread import Frame, UserThread

CURRENT_PROCESS = 0xFFFF_FFFF_FFFF_FFFF
CURRENT_THREAD = 0xFFFF_FFFF_FFFF_FFFE
HEAP_ZERO_MEMORY = 8
OBJ_CASE_INSENSITIVE = 0x40
SHARED_DATA = 0x7FFE_0000
NT_SYSTEM_ROOT = SHARED_DATA + 0x30
PROCESS_HEAP = 0x30


class Routines:
    """Where ntdll's own exports lie in this process."""

    def __init__(self) -> None:
        self.base = 0
        self.table: ExportTable | None = None
        self._known: dict[str, int] = {}

    def place(self, memory: Memory, base: int) -> None:
        """Say where ntdll lies."""
        self.base = base
        self.table = export_table(memory, base)
        self._known.clear()

    def address(self, name: str) -> int:
        """The address of an export; PROCEDURE_NOT_FOUND when the image has none of that name."""
        known = self._known.get(name)
        if known is None:
            slot = self.table.find(name) if self.table else None
            if slot is None or self.table is None:
                raise NtError(STATUS.PROCEDURE_NOT_FOUND)
            known = self._known[name] = self.base + self.table.functions[slot]
        return known


def routine(thread: UserThread, name: str) -> int:
    """The address of an ntdll export in the thread's process."""
    return thread.state(Routines).address(name)


async def settle(result: Any) -> Any:
    """A service's status, whether or not that service can block."""
    return await result if inspect.isawaitable(result) else result


async def allocate(thread: UserThread, size: int) -> int:
    """`size` zeroed bytes of the process heap."""
    heap = process_heap(thread)
    address = await thread.call(routine(thread, "RtlAllocateHeap"), heap, HEAP_ZERO_MEMORY, size)
    if not address:
        raise NtError(STATUS.NO_MEMORY)
    return address


async def allocate_bytes(thread: UserThread, data: bytes) -> int:
    """A copy of `data` in the process heap."""
    address = await allocate(thread, len(data))
    thread.memory.write(address, data)
    return address


async def free(thread: UserThread, address: int) -> None:
    """Give a block of the process heap back."""
    if address:
        await thread.call(routine(thread, "RtlFreeHeap"), process_heap(thread), 0, address)


def process_heap(thread: UserThread) -> int:
    """PEB.ProcessHeap."""
    return int.from_bytes(thread.memory.read(thread.peb.address + PROCESS_HEAP, 8), "little")


def object_attributes(frame: Frame, name: str, root: int = 0, attributes: int = OBJ_CASE_INSENSITIVE) -> int:
    """The address of OBJECT_ATTRIBUTES that name an object."""
    return frame.bytes(struct.pack("<I4xQQI4xQQ", 0x30, root, frame.unicode_string(name), attributes, 0, 0))


def unicode_header(address: int, size: int, room: int = 2) -> bytes:
    """A UNICODE_STRING of `size` bytes at `address`, with `room` bytes more behind it."""
    return struct.pack("<HH4xQ", size, size + room, address)


def u64(memory: Memory, address: int) -> int:
    """The 64-bit word at `address`."""
    return int.from_bytes(memory.read(address, 8), "little")


def u32(memory: Memory, address: int) -> int:
    """The 32-bit word at `address`."""
    return int.from_bytes(memory.read(address, 4), "little")


def put64(memory: Memory, address: int, value: int) -> None:
    """Store a 64-bit word."""
    memory.write(address, (value & 0xFFFF_FFFF_FFFF_FFFF).to_bytes(8, "little"))


def put32(memory: Memory, address: int, value: int) -> None:
    """Store a 32-bit word."""
    memory.write(address, (value & 0xFFFF_FFFF).to_bytes(4, "little"))

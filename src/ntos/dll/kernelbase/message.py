"""FormatMessage: texts of the system, of a module's message table, of the caller's own (winbase.h)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from ntos.abi.errors import ERROR
from ntos.abi.memory import Memory, read_string, read_wide
from ntos.abi.pe.resources import ResourceType
from ntos.abi.pointer import Ptr
from ntos.abi.status import NtError
from ntos.abi.types import DWORD, PVOID, WCHAR
from ntos.dll.kernelbase.resource_tree import find, tree_of
from ntos.dll.kernelbase.services import allocate_bytes
from ntos.dll.kernelbase.text import encoded, export_both, is_narrow, text_of
from ntos.rtl.format_message import format_message
from ntos.rtl.message import system_message
from ntos.rtl.nls.codepage import ansi
from ntos.rtl.text import from_utf16
from ntos.um.export import WinError
from ntos.um.thread import UserThread

ALLOCATE_BUFFER, IGNORE_INSERTS, FROM_STRING, FROM_HMODULE, FROM_SYSTEM, ARGUMENT_ARRAY = (
    0x100, 0x200, 0x400, 0x800, 0x1000, 0x2000,
)  # fmt: skip
MR_MID_NOT_FOUND = 317
UNICODE_ENTRY = 1
NEUTRAL_LANGUAGES = (0, 0x400, 0x409, 0x800)
FACILITY_WIN32, FACILITY_NT = 0x8007_0000, 0x1000_0000


@dataclass(frozen=True, slots=True)
class Words:
    """The inserts: 64-bit words one after the other, whether an array or a va_list."""

    memory: Memory
    address: int

    def value(self, index: int) -> int:
        """The argument's 64 bits."""
        return int.from_bytes(self.memory.read(self.address + 8 * index, 8), "little")

    def read_string(self, address: int, limit: int) -> bytes:
        """The bytes at an address."""
        return read_string(self.memory, address, limit if limit >= 0 else 0x10000)

    def read_wide(self, address: int, limit: int) -> str:
        """The text at an address."""
        return read_wide(self.memory, address, limit if limit >= 0 else 0x10000)


def table_message(table: bytes, number: int) -> str | None:
    """The text of a number in a message table resource (MESSAGE_RESOURCE_DATA); None where it has none."""
    (blocks,) = struct.unpack_from("<I", table)
    for index in range(blocks):
        low, high, offset = struct.unpack_from("<III", table, 4 + 12 * index)
        if not low <= number <= high:
            continue
        for _ in range(number - low):
            offset += struct.unpack_from("<H", table, offset)[0]
        size, flags = struct.unpack_from("<HH", table, offset)
        text = table[offset + 4 : offset + size]
        return (from_utf16(text) if flags & UNICODE_ENTRY else ansi(text)).rstrip("\0")
    return None


def _from_module(thread: UserThread, module: int, number: int) -> str | None:
    try:
        leaf = find(tree_of(thread, module), ResourceType.MESSAGETABLE, 1)
    except NtError:
        return None
    return table_message(thread.memory.read(leaf.address, leaf.resource.size), number)


def _from_system(number: int) -> str | None:
    text = system_message(number)
    if text is None and number & 0xFFFF_0000 == FACILITY_WIN32:
        text = system_message(number & 0xFFFF)
    return None if text is None else text + "\r\n"


def _template(thread: UserThread, flags: int, source: Ptr[WCHAR], number: int, language: int) -> str:
    if flags & FROM_STRING:
        if not source:
            raise WinError(ERROR.INVALID_PARAMETER)
        return text_of(source, 0x10000)
    if not flags & (FROM_HMODULE | FROM_SYSTEM):
        raise WinError(ERROR.INVALID_PARAMETER)
    text = _from_module(thread, source.address, number) if flags & FROM_HMODULE else None
    if text is None and flags & FROM_SYSTEM:
        if language not in NEUTRAL_LANGUAGES:
            raise WinError(ERROR.RESOURCE_LANG_NOT_FOUND)
        text = _from_system(number)
    if text is None:
        raise WinError(MR_MID_NOT_FOUND)
    return text


@export_both()
async def FormatMessageW(
    thread: UserThread,
    dwFlags: DWORD,
    lpSource: Ptr[WCHAR],
    dwMessageId: DWORD,
    dwLanguageId: DWORD,
    lpBuffer: Ptr[WCHAR],
    nSize: DWORD,
    Arguments: PVOID,
) -> DWORD:
    """A message with its inserts in place; the number of characters without the NUL."""
    if not lpBuffer:
        raise WinError(ERROR.INVALID_PARAMETER)
    template = _template(thread, dwFlags, lpSource, dwMessageId, dwLanguageId)
    inserts = None
    if Arguments:
        start = Arguments if dwFlags & ARGUMENT_ARRAY else int.from_bytes(thread.memory.read(Arguments, 8), "little")
        inserts = Words(thread.memory, start)
    narrow = is_narrow(lpBuffer)
    text = format_message(
        template, inserts, ignore_inserts=bool(dwFlags & IGNORE_INSERTS), width=dwFlags & 0xFF, ansi=narrow
    )
    unit = 1 if narrow else 2
    data = encoded(lpBuffer, text)
    count = len(data) // unit
    if dwFlags & ALLOCATE_BUFFER:
        block = await allocate_bytes(thread, (data + bytes(unit)).ljust(int(nSize) * unit, b"\0"))
        lpBuffer.write_bytes(block.to_bytes(8, "little"))
        return DWORD(count)
    if count + 1 > nSize:
        raise WinError(ERROR.INSUFFICIENT_BUFFER)
    lpBuffer.write_bytes(data + bytes(unit))
    return DWORD(count)

"""BSTR: UTF-16 text with its length in bytes before it (oleauto.h)."""

from __future__ import annotations

import struct

from ntos.abi.pointer import Ptr
from ntos.abi.types import CHAR, INT, PVOID, UINT, WCHAR
from ntos.dll.kernelbase.services import rtl
from ntos.um.export import export
from ntos.um.thread import UserThread

HEADER = 8
"""The block begins here before the text: four bytes of nothing, four of length."""
LONGEST = 0x7FFF_FFF0


def byte_length(thread: UserThread, text: int) -> int:
    """The length of a BSTR in bytes; a NULL one is empty."""
    return int.from_bytes(thread.memory.read(text - 4, 4), "little") if text else 0


async def make(thread: UserThread, data: bytes | None, size: int) -> int:
    """A BSTR of `size` bytes, filled with `data` if there is any; 0 where memory is short."""
    if size > LONGEST:
        return 0
    block = await rtl(thread, "RtlAllocateHeap", int(thread.peb.ProcessHeap), 0, HEADER + (size + 3 & ~1))
    if not block:
        return 0
    thread.memory.write(block, struct.pack("<II", 0, size) + (data or b""))
    if data is None:
        thread.memory.write(block + HEADER + (size & ~1), b"\0\0")
    else:
        thread.memory.write(block + HEADER + size, bytes(2 if size % 2 == 0 else 1))
    return block + HEADER


async def duplicate(thread: UserThread, text: int) -> int:
    """A copy of a BSTR."""
    size = byte_length(thread, text)
    return await make(thread, thread.memory.read(text, size) if text else b"", size)


async def release(thread: UserThread, text: int) -> None:
    """Give a BSTR back."""
    if text:
        await rtl(thread, "RtlFreeHeap", int(thread.peb.ProcessHeap), 0, text - HEADER)


@export
async def SysAllocString(thread: UserThread, psz: Ptr[WCHAR] | None) -> PVOID:
    """A BSTR of a string; NULL for NULL."""
    if psz is None:
        return PVOID(0)
    data = psz.text(LONGEST).encode("utf-16-le", "surrogatepass")
    return PVOID(await make(thread, data, len(data)))


@export
async def SysAllocStringLen(thread: UserThread, strIn: Ptr[WCHAR] | None, ui: UINT) -> PVOID:
    """A BSTR of so many characters; uninitialised for NULL."""
    return PVOID(await make(thread, strIn.read_bytes(2 * ui) if strIn is not None else None, 2 * ui))


@export
async def SysAllocStringByteLen(thread: UserThread, psz: Ptr[CHAR] | None, len: UINT) -> PVOID:
    """A BSTR of so many bytes; uninitialised for NULL."""
    return PVOID(await make(thread, psz.read_bytes(len) if psz is not None else None, len))


@export
async def SysReAllocString(thread: UserThread, pbstr: Ptr[PVOID], psz: Ptr[WCHAR] | None) -> INT:
    """Put a new string in an old one's place."""
    old, new = int(pbstr.read()), await SysAllocString(thread, psz)
    if psz is not None and not new:
        return INT(0)
    pbstr.write(new)
    await release(thread, old)
    return INT(1)


@export
async def SysReAllocStringLen(thread: UserThread, pbstr: Ptr[PVOID], psz: Ptr[WCHAR] | None, len: UINT) -> INT:
    """Put a new string of so many characters in an old one's place; the old text is kept for NULL."""
    old = int(pbstr.read())
    if psz is None:
        kept = thread.memory.read(old, min(byte_length(thread, old), 2 * len)) if old else b""
        new = await make(thread, kept.ljust(2 * len, b"\0"), 2 * len)
    else:
        new = await make(thread, psz.read_bytes(2 * len), 2 * len)
    if not new:
        return INT(0)
    pbstr.write(new)
    await release(thread, old)
    return INT(1)


@export
async def SysFreeString(thread: UserThread, bstrString: PVOID) -> None:
    """Give a BSTR back; NULL is allowed."""
    await release(thread, bstrString)


@export
def SysStringLen(thread: UserThread, pbstr: PVOID) -> UINT:
    """The length of a BSTR in characters."""
    return UINT(byte_length(thread, pbstr) // 2)


@export
def SysStringByteLen(thread: UserThread, bstr: PVOID) -> UINT:
    """The length of a BSTR in bytes."""
    return UINT(byte_length(thread, bstr))

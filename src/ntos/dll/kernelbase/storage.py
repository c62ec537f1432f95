"""Thread-local and fiber-local storage (TlsAlloc, FlsAlloc). TLS bitmaps live in the PEB; FLS is ntdll's."""

from __future__ import annotations

from ntos.abi.errors import ERROR
from ntos.abi.pointer import Code, Ptr
from ntos.abi.types import BOOL, DWORD, ULONG
from ntos.abi.win32 import (
    TLS_EXPANSION_SLOTS,
    TLS_MINIMUM_AVAILABLE,
    TLS_OUT_OF_INDEXES,
)
from ntos.dll.kernelbase.services import rtl_status
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread


@export(fails=TLS_OUT_OF_INDEXES)
def TlsAlloc(thread: UserThread) -> DWORD:
    """A free index of thread-local storage, cleared in this thread."""
    peb, teb = thread.peb, thread.teb
    for index in range(TLS_MINIMUM_AVAILABLE):
        word = int(peb.TlsBitmapBits[index >> 5])
        if not word >> (index & 31) & 1:
            peb.TlsBitmapBits[index >> 5] = ULONG(word | 1 << (index & 31))
            teb.TlsSlots[index] = 0
            return DWORD(index)
    for index in range(TLS_EXPANSION_SLOTS):
        word = int(peb.TlsExpansionBitmapBits[index >> 5])
        if not word >> (index & 31) & 1:
            peb.TlsExpansionBitmapBits[index >> 5] = ULONG(word | 1 << (index & 31))
            slots = int(teb.TlsExpansionSlots)
            if slots:
                thread.memory.write(slots + 8 * index, bytes(8))
            return DWORD(TLS_MINIMUM_AVAILABLE + index)
    raise WinError(ERROR.NO_MORE_ITEMS)


@export
def TlsFree(thread: UserThread, dwTlsIndex: DWORD) -> BOOL:
    """Give an index back."""
    peb = thread.peb
    expansion = dwTlsIndex >= TLS_MINIMUM_AVAILABLE
    index = dwTlsIndex - TLS_MINIMUM_AVAILABLE if expansion else dwTlsIndex
    if expansion and index >= TLS_EXPANSION_SLOTS:
        raise WinError(ERROR.INVALID_PARAMETER)
    words = peb.TlsExpansionBitmapBits if expansion else peb.TlsBitmapBits
    word = int(words[index >> 5])
    if not word >> (index & 31) & 1:
        raise WinError(ERROR.INVALID_PARAMETER)
    words[index >> 5] = ULONG(word & ~(1 << (index & 31)))
    if not expansion:
        thread.teb.TlsSlots[index] = 0
    elif thread.teb.TlsExpansionSlots:
        thread.memory.write(int(thread.teb.TlsExpansionSlots) + 8 * index, bytes(8))
    return BOOL(1)


@export(fails=TLS_OUT_OF_INDEXES)
async def FlsAlloc(thread: UserThread, lpCallback: Code) -> DWORD:
    """A free index of fiber-local storage; the callback hears of values that die."""
    with thread.frame() as frame:
        index: Ptr[ULONG] = frame.new(ULONG)
        await rtl_status(thread, "RtlFlsAlloc", lpCallback, index.address)
        return DWORD(index.read())


@export
async def FlsFree(thread: UserThread, dwFlsIndex: DWORD) -> BOOL:
    """Give an index back; the callback gets every thread's value that is left."""
    await rtl_status(thread, "RtlFlsFree", dwFlsIndex)
    return BOOL(1)

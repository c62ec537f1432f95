"""Thread-local and fiber-local storage (TlsAlloc, FlsAlloc).

TLS bitmaps live in the PEB and slots in the TEB. FLS: `TEB.FlsData` points to `{count, values[4080]}`
as the leaf
routines expect; callbacks and the bitmap of indices are the process's own.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ntos.abi.errors import ERROR
from ntos.abi.pointer import Code
from ntos.abi.types import BOOL, DWORD, ULONG
from ntos.abi.win32 import (
    FLS_MAXIMUM_AVAILABLE,
    TLS_EXPANSION_SLOTS,
    TLS_MINIMUM_AVAILABLE,
    TLS_OUT_OF_INDEXES,
)
from ntos.dll.kernelbase.services import allocate, free
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread

FLS_DATA = 0x17C8
FLS_SIZE = 8 + 8 * FLS_MAXIMUM_AVAILABLE
HEAP_ZERO_MEMORY = 8


@dataclass
class FlsIndices:
    """Which indices are given out, their callbacks, and every thread's block."""

    callbacks: dict[int, int] = field(default_factory=dict)
    blocks: dict[int, int] = field(default_factory=dict)
    """Block by TEB (or by itself, for a fiber's): where FlsFree finds values to hand to callbacks."""
    highest: int = 0


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


def _read_word(thread: UserThread, address: int) -> int:
    return int.from_bytes(thread.memory.read(address, 8), "little")


async def fls_block(thread: UserThread) -> int:
    """The thread's block of fiber-local values, made on first need."""
    place = thread.teb.address + FLS_DATA
    block = _read_word(thread, place)
    indices = thread.state(FlsIndices)
    if not block:
        block = await new_fls_block(thread)
        thread.memory.write(place, block.to_bytes(8, "little"))
        indices.blocks[thread.teb.address] = block
    return block


async def new_fls_block(thread: UserThread) -> int:
    """A fresh block, in which all indices given out so far may be used."""
    block = await allocate(thread, FLS_SIZE, HEAP_ZERO_MEMORY)
    thread.memory.write(block, (thread.state(FlsIndices).highest + 1).to_bytes(8, "little"))
    return block


@export(fails=TLS_OUT_OF_INDEXES)
async def FlsAlloc(thread: UserThread, lpCallback: Code) -> DWORD:
    """A free index of fiber-local storage; the callback hears of values that die."""
    indices = thread.state(FlsIndices)
    for index in range(1, FLS_MAXIMUM_AVAILABLE):
        if index not in indices.callbacks:
            indices.callbacks[index] = int(lpCallback)
            break
    else:
        raise WinError(ERROR.NO_MORE_ITEMS)
    indices.highest = max(indices.highest, index)
    await fls_block(thread)
    for block in indices.blocks.values():
        thread.memory.write(block, (indices.highest + 1).to_bytes(8, "little"))
        thread.memory.write(block + 8 + 8 * index, bytes(8))
    return DWORD(index)


@export
async def FlsFree(thread: UserThread, dwFlsIndex: DWORD) -> BOOL:
    """Give an index back; the callback gets every thread's value that is left."""
    indices = thread.state(FlsIndices)
    if dwFlsIndex not in indices.callbacks:
        raise WinError(ERROR.INVALID_PARAMETER)
    callback = indices.callbacks[dwFlsIndex]
    for block in list(indices.blocks.values()):
        value = _read_word(thread, block + 8 + 8 * dwFlsIndex)
        thread.memory.write(block + 8 + 8 * dwFlsIndex, bytes(8))
        if value and callback:
            await thread.call(callback, value)
    del indices.callbacks[dwFlsIndex]
    return BOOL(1)


async def release_fls(thread: UserThread, block: int) -> None:
    """A thread or fiber ends: its values go to their callbacks, its block to the heap."""
    indices = thread.state(FlsIndices)
    for index, callback in list(indices.callbacks.items()):
        value = _read_word(thread, block + 8 + 8 * index)
        if value and callback:
            thread.memory.write(block + 8 + 8 * index, bytes(8))
            await thread.call(callback, value)
    for owner in [owner for owner, known in indices.blocks.items() if known == block]:
        del indices.blocks[owner]
    await free(thread, block)


async def end_thread(thread: UserThread) -> None:
    """DLL_THREAD_DETACH: the thread's own block goes."""
    place = thread.teb.address + FLS_DATA
    block = _read_word(thread, place)
    if block:
        await release_fls(thread, block)
        thread.memory.write(place, bytes(8))


async def end_process(thread: UserThread) -> None:
    """DLL_PROCESS_DETACH: the callbacks hear of this thread's values."""
    await end_thread(thread)

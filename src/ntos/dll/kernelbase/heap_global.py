"""LocalAlloc and GlobalAlloc: fixed blocks are heap blocks, movable ones stand behind handles.

A movable block's handle is the address of a small entry of ours, four bytes off the heap's alignment as on Windows
(bit 3 set tells handle from pointer); the entry holds the address, and the lock count is the process's own state.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ntos.abi.errors import ERROR
from ntos.abi.mm import HEAP_ZERO_MEMORY
from ntos.abi.types import BOOL, HANDLE, PVOID, SIZE_T, UINT
from ntos.abi.win32 import GMEM_MOVEABLE, GMEM_ZEROINIT
from ntos.dll.kernelbase.services import allocate, free, rtl
from ntos.um.export import WinError, export, set_last_error
from ntos.um.thread import UserThread

HANDLE_OFFSET = 8
ENTRY_SIZE = 0x10
GMEM_MODIFY = 0x80
GMEM_DISCARDED = 0x4000
INVALID_FLAGS = 0x8000


@dataclass
class Movable:
    """One movable block."""

    block: int
    locks: int = 0


@dataclass
class MovableBlocks:
    """The movable blocks of the process by handle."""

    known: dict[int, Movable] = field(default_factory=dict)


async def _allocate(thread: UserThread, flags: int, size: int) -> int:
    zero = HEAP_ZERO_MEMORY if flags & GMEM_ZEROINIT else 0
    if not flags & GMEM_MOVEABLE:
        return await allocate(thread, size, zero)
    block = await allocate(thread, size, zero) if size else 0
    handle = await allocate(thread, ENTRY_SIZE, HEAP_ZERO_MEMORY) + HANDLE_OFFSET
    thread.memory.write(handle, block.to_bytes(8, "little"))
    thread.state(MovableBlocks).known[handle] = Movable(block)
    return handle


def _movable(thread: UserThread, handle: int) -> Movable | None:
    if not handle & HANDLE_OFFSET:
        return None
    found = thread.state(MovableBlocks).known.get(handle)
    if found is None:
        raise WinError(ERROR.INVALID_HANDLE)
    return found


async def _size(thread: UserThread, memory: int) -> int:
    entry = _movable(thread, memory)
    block = entry.block if entry else memory
    if not block:
        return 0
    size = await rtl(thread, "RtlSizeHeap", int(thread.peb.ProcessHeap), 0, block)
    if size >> 63:
        raise WinError(ERROR.INVALID_HANDLE)
    return size


async def _free(thread: UserThread, memory: int) -> int:
    if not memory:
        return 0
    entry = _movable(thread, memory)
    if entry is not None:
        del thread.state(MovableBlocks).known[memory]
        if entry.block:
            await free(thread, entry.block)
        memory -= HANDLE_OFFSET
    if not await free(thread, memory):
        raise WinError(ERROR.INVALID_HANDLE)
    return 0


async def _reallocate(thread: UserThread, memory: int, size: int, flags: int) -> int:
    entry = _movable(thread, memory)
    if flags & GMEM_MODIFY:
        if flags & GMEM_MOVEABLE and entry is None:
            raise WinError(ERROR.NOT_SUPPORTED)
        return memory
    zero = HEAP_ZERO_MEMORY if flags & GMEM_ZEROINIT else 0
    heap = int(thread.peb.ProcessHeap)
    block = entry.block if entry else memory
    if not block:
        block = await allocate(thread, size, zero)
    else:
        in_place = 0 if entry or flags & GMEM_MOVEABLE else 0x10
        block = await rtl(thread, "RtlReAllocateHeap", heap, zero | in_place, block, size)
    if not block:
        raise WinError(ERROR.NOT_ENOUGH_MEMORY)
    if entry is None:
        return block
    entry.block = block
    thread.memory.write(memory, block.to_bytes(8, "little"))
    return memory


def _lock(thread: UserThread, memory: int) -> int:
    entry = _movable(thread, memory)
    if entry is None:
        return memory
    entry.locks += 1
    return entry.block


def _unlock(thread: UserThread, memory: int) -> int:
    entry = _movable(thread, memory)
    if entry is None or entry.locks == 0:
        raise WinError(ERROR.NOT_LOCKED)
    entry.locks -= 1
    if entry.locks == 0:
        set_last_error(thread, ERROR.SUCCESS)
    return int(entry.locks > 0)


@export
async def LocalAlloc(thread: UserThread, uFlags: UINT, uBytes: SIZE_T) -> HANDLE:
    """A block of local memory."""
    return HANDLE(await _allocate(thread, uFlags, uBytes))


@export
async def GlobalAlloc(thread: UserThread, uFlags: UINT, dwBytes: SIZE_T) -> HANDLE:
    """A block of global memory."""
    return HANDLE(await _allocate(thread, uFlags, dwBytes))


@export
async def LocalFree(thread: UserThread, hMem: HANDLE) -> HANDLE:
    """Give a block back; NULL when that went well."""
    try:
        return HANDLE(await _free(thread, hMem))
    except WinError as error:
        set_last_error(thread, error.code)
        return hMem


@export
async def GlobalFree(thread: UserThread, hMem: HANDLE) -> HANDLE:
    """Give a block back; NULL when that went well."""
    return await LocalFree(thread, hMem)


@export
async def LocalReAlloc(thread: UserThread, hMem: HANDLE, uBytes: SIZE_T, uFlags: UINT) -> HANDLE:
    """Another size for a block."""
    return HANDLE(await _reallocate(thread, hMem, uBytes, uFlags))


@export
async def GlobalReAlloc(thread: UserThread, hMem: HANDLE, dwBytes: SIZE_T, uFlags: UINT) -> HANDLE:
    """Another size for a block."""
    return HANDLE(await _reallocate(thread, hMem, dwBytes, uFlags))


@export
def LocalLock(thread: UserThread, hMem: HANDLE) -> PVOID:
    """Where a block is, as long as it is locked."""
    return PVOID(_lock(thread, hMem))


@export
def GlobalLock(thread: UserThread, hMem: HANDLE) -> PVOID:
    """Where a block is, as long as it is locked."""
    return PVOID(_lock(thread, hMem))


@export
def LocalUnlock(thread: UserThread, hMem: HANDLE) -> BOOL:
    """Take one lock back; whether others are left."""
    return BOOL(_unlock(thread, hMem))


@export
def GlobalUnlock(thread: UserThread, hMem: HANDLE) -> BOOL:
    """Take one lock back; whether others are left."""
    return BOOL(_unlock(thread, hMem))


@export
async def LocalSize(thread: UserThread, hMem: HANDLE) -> SIZE_T:
    """A block's size."""
    return SIZE_T(await _size(thread, hMem))


@export
async def GlobalSize(thread: UserThread, hMem: HANDLE) -> SIZE_T:
    """A block's size."""
    return SIZE_T(await _size(thread, hMem))


@export(fails=INVALID_FLAGS)
def LocalFlags(thread: UserThread, hMem: HANDLE) -> UINT:
    """A block's lock count, and whether it was discarded."""
    entry = _movable(thread, hMem)
    return UINT(0 if entry is None else entry.locks | (0 if entry.block else GMEM_DISCARDED))


@export(fails=INVALID_FLAGS)
def GlobalFlags(thread: UserThread, hMem: HANDLE) -> UINT:
    """A block's lock count, and whether it was discarded."""
    return LocalFlags(thread, hMem)


def _handle_of(thread: UserThread, memory: int) -> int:
    for handle, entry in thread.state(MovableBlocks).known.items():
        if entry.block == memory:
            return handle
    return memory


@export
def GlobalHandle(thread: UserThread, pMem: PVOID) -> HANDLE:
    """The handle of a locked block."""
    return HANDLE(_handle_of(thread, pMem))


@export
def LocalHandle(thread: UserThread, pMem: PVOID) -> HANDLE:
    """The handle of a locked block."""
    return HANDLE(_handle_of(thread, pMem))

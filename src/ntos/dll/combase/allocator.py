"""CoTaskMemAlloc and its two sisters."""

from __future__ import annotations

from ntos.abi.types import PVOID, SIZE_T
from ntos.dll.kernelbase.services import rtl
from ntos.um.export import export
from ntos.um.thread import UserThread


@export
async def CoTaskMemAlloc(thread: UserThread, cb: SIZE_T) -> PVOID:
    """A block of task memory; NULL where there is none."""
    return PVOID(await rtl(thread, "RtlAllocateHeap", int(thread.peb.ProcessHeap), 0, cb))


@export
async def CoTaskMemRealloc(thread: UserThread, pv: PVOID, cb: SIZE_T) -> PVOID:
    """Another size for a block; a new block for NULL, none for size 0."""
    heap = int(thread.peb.ProcessHeap)
    if not pv:
        return PVOID(await rtl(thread, "RtlAllocateHeap", heap, 0, cb))
    if not cb:
        await rtl(thread, "RtlFreeHeap", heap, 0, pv)
        return PVOID(0)
    return PVOID(await rtl(thread, "RtlReAllocateHeap", heap, 0, pv, cb))


@export
async def CoTaskMemFree(thread: UserThread, pv: PVOID) -> None:
    """Give a block back; NULL is allowed."""
    if pv:
        await rtl(thread, "RtlFreeHeap", int(thread.peb.ProcessHeap), 0, pv)

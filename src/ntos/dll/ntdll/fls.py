"""Fiber-local storage: TEB.FlsData leads to `{ count; values[4080] }`, one block a thread (see the leaf's
README).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ntos.abi.pointer import Code, Out
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import NTSTATUS, PVOID, ULONG
from ntos.dll.ntdll import guest
from ntos.dll.ntdll.ldr.state import Loader
from ntos.um.export import export

if TYPE_CHECKING:
    from ntos.um.thread import UserThread

FLS_DATA = 0x17C8
MAXIMUM = 4080
BLOCK_SIZE = 8 + 8 * MAXIMUM
CALLBACKS, RELEASE = 1, 2


class FlsState:
    """Indices in use and their callbacks (0 for none)."""

    def __init__(self) -> None:
        self.callbacks: dict[int, int] = {}

    @property
    def count(self) -> int:
        """One more than the highest index given out."""
        return max(self.callbacks, default=-1) + 1


def _data(thread: UserThread, teb: int) -> int:
    return guest.u64(thread.memory, teb + FLS_DATA)


async def prepare_thread(thread: UserThread, teb: int) -> None:
    """Give a thread its block, if any index is in use, and say how many indices count."""
    state = thread.state(FlsState)
    if not state.callbacks:
        return
    block = _data(thread, teb)
    if not block:
        block = await guest.allocate(thread, BLOCK_SIZE)
        guest.put64(thread.memory, teb + FLS_DATA, block)
    guest.put64(thread.memory, block, max(state.count, guest.u64(thread.memory, block)))


@export
async def RtlFlsAlloc(thread: UserThread, Callback: Code, FlsIndex: Out[ULONG]) -> NTSTATUS:
    """Allocate an index; the callback runs when a thread or fiber with a value ends."""
    state = thread.state(FlsState)
    index = next((index for index in range(1, MAXIMUM) if index not in state.callbacks), None)
    if index is None:
        raise NtError(STATUS.NO_MEMORY)
    state.callbacks[index] = int(Callback)
    for teb in [thread.context.gs_base, *thread.state(Loader).tls.threads]:
        await prepare_thread(thread, teb)
    FlsIndex.write(index)
    return STATUS.SUCCESS


@export
async def RtlFlsFree(thread: UserThread, FlsIndex: ULONG) -> NTSTATUS:
    """Free an index; the callback runs for every thread that has a value."""
    state = thread.state(FlsState)
    callback = state.callbacks.pop(FlsIndex, None)
    if callback is None:
        raise NtError(STATUS.INVALID_PARAMETER)
    for teb in list(thread.state(Loader).tls.threads):
        block = _data(thread, teb)
        if not block:
            continue
        place = block + 8 + 8 * FlsIndex
        value = guest.u64(thread.memory, place)
        guest.put64(thread.memory, place, 0)
        if callback and value:
            await thread.call(callback, value)
    return STATUS.SUCCESS


@export
async def RtlFlsSetValue(thread: UserThread, FlsIndex: ULONG, FlsData: PVOID) -> NTSTATUS:
    """Store the current thread's value."""
    if FlsIndex not in thread.state(FlsState).callbacks:
        raise NtError(STATUS.INVALID_PARAMETER)
    await prepare_thread(thread, thread.context.gs_base)
    guest.put64(thread.memory, _data(thread, thread.context.gs_base) + 8 + 8 * FlsIndex, FlsData)
    return STATUS.SUCCESS


@export
def RtlFlsGetValue(thread: UserThread, FlsIndex: ULONG, FlsData: Out[PVOID]) -> NTSTATUS:
    """The current thread's value."""
    block = _data(thread, thread.context.gs_base)
    if FlsIndex not in thread.state(FlsState).callbacks:
        raise NtError(STATUS.INVALID_PARAMETER)
    FlsData.write(guest.u64(thread.memory, block + 8 + 8 * FlsIndex) if block else 0)
    return STATUS.SUCCESS


@export
async def RtlProcessFlsData(thread: UserThread, FlsData: PVOID, Flags: ULONG) -> None:
    """Run the callbacks of a block (1), free it (2): what fibers use."""
    if Flags & CALLBACKS:
        await run_callbacks(thread, FlsData)
    if Flags & RELEASE:
        await guest.free(thread, FlsData)


async def run_callbacks_of_thread(thread: UserThread) -> None:
    """Run the current thread's callbacks."""
    await run_callbacks(thread, _data(thread, thread.context.gs_base))


async def run_callbacks(thread: UserThread, block: int) -> None:
    """Call each index's callback with its value, if it has one, in slot order."""
    state = thread.state(FlsState)
    if not block or not state.callbacks:
        return
    values = struct.unpack(f"<{state.count}Q", thread.memory.read(block + 8, 8 * state.count))
    for index, callback in sorted(state.callbacks.items()):
        if index < len(values) and values[index]:
            guest.put64(thread.memory, block + 8 + 8 * index, 0)
            if callback:
                await thread.call(callback, values[index])


async def release_thread(thread: UserThread) -> None:
    """Free the current thread's block."""
    teb = thread.context.gs_base
    block = _data(thread, teb)
    guest.put64(thread.memory, teb + FLS_DATA, 0)
    await guest.free(thread, block)

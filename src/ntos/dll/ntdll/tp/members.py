"""Pools and cleanup groups."""

from __future__ import annotations

from ntos.abi.pointer import Out
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import NTSTATUS, PVOID, ULONG
from ntos.dll.ntdll import guest
from ntos.dll.ntdll.guest import settle
from ntos.dll.ntdll.tp.pool import (
    BLOCK_SIZE,
    MAXIMUM_THREADS,
    Group,
    Pool,
    Pools,
    cancel,
    create_pool,
    drain,
    release,
    start_thread,
)
from ntos.dll.ntdll.tp.watch import end
from ntos.um import nt
from ntos.um.export import export
from ntos.um.thread import UserThread


def pool_at(thread: UserThread, address: int) -> Pool:
    """The pool of an address; INVALID_PARAMETER for none."""
    pool = thread.state(Pools).pools.get(address)
    if pool is None:
        raise NtError(STATUS.INVALID_PARAMETER)
    return pool


@export
async def TpAllocPool(thread: UserThread, PoolReturn: Out[PVOID], Reserved: PVOID) -> NTSTATUS:
    """A pool of one's own."""
    PoolReturn.write((await create_pool(thread)).address)
    return STATUS.SUCCESS


@export
async def TpReleasePool(thread: UserThread, Pool: PVOID) -> None:
    """Let a pool go: its idle threads end, the others when their queue is empty."""
    pool = pool_at(thread, Pool)
    pool.closing = True
    for _ in range(pool.idle):
        await settle(nt.NtSetIoCompletion(thread, pool.port, 0, 0, 0, 0))


@export
def TpSetPoolMaxThreads(thread: UserThread, Pool: PVOID, MaxThreads: ULONG) -> None:
    """The most threads a pool may have."""
    pool_at(thread, Pool).maximum = max(MaxThreads, 1) if MaxThreads else MAXIMUM_THREADS


@export
async def TpSetPoolMinThreads(thread: UserThread, Pool: PVOID, MinThreads: ULONG) -> NTSTATUS:
    """How many threads a pool keeps; they are made at once."""
    pool = pool_at(thread, Pool)
    pool.minimum = int(MinThreads)
    while pool.threads < pool.minimum:
        pool.threads += 1
        pool.idle += 1
        await start_thread(thread, "ntos_pool_worker", pool.address)
    return STATUS.SUCCESS


@export
async def TpAllocCleanupGroup(thread: UserThread, CleanupGroupReturn: Out[PVOID]) -> NTSTATUS:
    """A group of objects that go together."""
    group = Group(await guest.allocate(thread, BLOCK_SIZE))
    thread.state(Pools).groups[group.address] = group
    CleanupGroupReturn.write(group.address)
    return STATUS.SUCCESS


@export
async def TpReleaseCleanupGroup(thread: UserThread, CleanupGroup: PVOID) -> None:
    """Let a group go."""
    if thread.state(Pools).groups.pop(int(CleanupGroup), None) is None:
        raise NtError(STATUS.INVALID_PARAMETER)
    await guest.free(thread, CleanupGroup)


@export
async def TpReleaseCleanupGroupMembers(
    thread: UserThread, CleanupGroup: PVOID, CancelPendingCallbacks: ULONG, CleanupParameter: PVOID
) -> None:
    """Let all members go, after their calls; those not begun are cancelled if asked for."""
    group = thread.state(Pools).groups.get(int(CleanupGroup))
    if group is None:
        raise NtError(STATUS.INVALID_PARAMETER)
    for member in list(group.members):
        await end(thread, member)
        dropped = await cancel(thread, member) if CancelPendingCallbacks else 0
        await drain(thread, member)
        if dropped and member.cancelled:
            await thread.call(member.cancelled, member.context, CleanupParameter)
        await release(thread, member)

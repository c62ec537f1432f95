"""Pools, the objects that post to them, and the worker threads."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ntos.abi.status import STATUS, NtError
from ntos.abi.types import HANDLE, NTSTATUS, PVOID
from ntos.dll.ntdll import guest
from ntos.dll.ntdll.guest import settle
from ntos.um import nt
from ntos.um.export import export

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ntos.um.thread import UserThread

MAXIMUM_THREADS = 500
IDLE_TIME = -20 * 10_000_000
ALL_ACCESS = 0x1F_0003
THREAD_ALL_ACCESS = 0x1F_FFFF
BLOCK_SIZE = 0x40
INSTANCE_SIZE = 0x60
ENVIRONMENT_POOL, ENVIRONMENT_GROUP, ENVIRONMENT_CANCEL, ENVIRONMENT_FINALIZATION = 0x08, 0x10, 0x18, 0x30
NOTIFICATION_EVENT, SYNCHRONIZATION_EVENT = 0, 1


@dataclass(eq=False)
class Pool:
    """One pool: its port, its workers, and what waits for one."""

    address: int
    port: int
    items: deque[Item] = field(default_factory=deque)
    threads: int = 0
    idle: int = 0
    minimum: int = 0
    maximum: int = MAXIMUM_THREADS
    closing: bool = False


@dataclass(eq=False)
class Group:
    """A cleanup group: objects that go together."""

    address: int
    members: list[Member] = field(default_factory=list)


@dataclass(eq=False)
class Member:
    """A work, timer or wait object, or one call without an object."""

    pool: Pool
    code: int
    context: int
    address: int = 0
    plain: bool = False
    """Called as Rtl functions call: without a TP_CALLBACK_INSTANCE."""
    finalization: int = 0
    group: Group | None = None
    cancelled: int = 0
    """The group's routine for members that go with calls still to come."""
    outstanding: int = 0
    """Calls queued or under way."""
    released: bool = False
    waiters: list[int] = field(default_factory=list)
    """Events to set when no call is outstanding."""
    handle: int = 0
    """What a repeated wait waits for; closed with the object."""


@dataclass(eq=False)
class Item:
    """One call to be made: `code(instance, context, *extra)`."""

    member: Member
    extra: tuple[int, ...] = ()
    after: Callable[[UserThread], Awaitable[None]] | None = None


@dataclass(eq=False)
class Instance:
    """A call under way, and what is to be done when it has returned."""

    item: Item
    actions: list[tuple[int, ...]] = field(default_factory=list)


class Pools:
    """The process's pools and objects by address, and calls under way."""

    def __init__(self) -> None:
        self.default: Pool | None = None
        self.pools: dict[int, Pool] = {}
        self.groups: dict[int, Group] = {}
        self.members: dict[int, Member] = {}
        self.instances: dict[int, Instance] = {}


async def create_event(thread: UserThread, kind: int) -> int:
    """An event object of the process's own."""
    with thread.frame() as frame:
        place = frame.new(HANDLE)
        await settle(nt.NtCreateEvent(thread, place.address, ALL_ACCESS, 0, kind, 0))
        return int(place.read())


async def start_thread(thread: UserThread, entry: str, parameter: int) -> None:
    """A thread of this process that runs one of ntdll's own routines."""
    with thread.frame() as frame:
        place = frame.new(HANDLE)
        await settle(
            nt.NtCreateThreadEx(
                thread, place.address, THREAD_ALL_ACCESS, 0, guest.CURRENT_PROCESS, thread.entry("ntdll", entry),
                parameter, 0, 0, 0, 0, 0,
            )
        )  # fmt: skip
        await settle(nt.NtClose(thread, int(place.read())))


async def create_pool(thread: UserThread) -> Pool:
    """A new pool without threads."""
    with thread.frame() as frame:
        port = frame.new(HANDLE)
        await settle(nt.NtCreateIoCompletion(thread, port.address, ALL_ACCESS, 0, 0))
        handle = int(port.read())
    pool = Pool(await guest.allocate(thread, BLOCK_SIZE), handle)
    thread.state(Pools).pools[pool.address] = pool
    return pool


async def default_pool(thread: UserThread) -> Pool:
    """The process's pool."""
    pools = thread.state(Pools)
    if pools.default is None:
        pools.default = await create_pool(thread)
    return pools.default


async def make(thread: UserThread, code: int, context: int, environment: int) -> Member:
    """What an object's environment (TP_CALLBACK_ENVIRON, may be NULL) and callback make."""
    pools, memory = thread.state(Pools), thread.memory
    if not environment:
        return Member(await default_pool(thread), code, context)
    wanted = guest.u64(memory, environment + ENVIRONMENT_POOL)
    pool = pools.pools.get(wanted) if wanted else await default_pool(thread)
    group = guest.u64(memory, environment + ENVIRONMENT_GROUP)
    if pool is None or (group and group not in pools.groups):
        raise NtError(STATUS.INVALID_PARAMETER)
    member = Member(pool, code, context, group=pools.groups.get(group))
    member.finalization = guest.u64(memory, environment + ENVIRONMENT_FINALIZATION)
    member.cancelled = guest.u64(memory, environment + ENVIRONMENT_CANCEL)
    if member.group is not None:
        member.group.members.append(member)
    return member


async def enter(thread: UserThread, member: Member) -> int:
    """Give an object the address the program knows it by."""
    member.address = await guest.allocate(thread, BLOCK_SIZE)
    thread.state(Pools).members[member.address] = member
    return member.address


def member_at(thread: UserThread, address: int) -> Member:
    """The object of an address; INVALID_PARAMETER for none."""
    member = thread.state(Pools).members.get(address)
    if member is None or member.released:
        raise NtError(STATUS.INVALID_PARAMETER)
    return member


async def post(thread: UserThread, item: Item) -> None:
    """Have a worker make a call; one more thread where none is idle."""
    pool = item.member.pool
    item.member.outstanding += 1
    pool.items.append(item)
    await settle(nt.NtSetIoCompletion(thread, pool.port, 0, 0, 0, 0))
    if len(pool.items) > pool.idle and pool.threads < pool.maximum:
        pool.threads += 1
        pool.idle += 1
        await start_thread(thread, "ntos_pool_worker", pool.address)


@export(name="ntos_pool_worker")
async def worker(thread: UserThread, parameter: PVOID) -> NTSTATUS:
    """The life of a pool's thread (TppWorkerThread)."""
    pool = thread.state(Pools).pools[int(parameter)]
    counted = True
    try:
        while True:
            if not counted:
                pool.idle += 1
            counted = True
            signalled = await _next(thread, pool)
            pool.idle -= 1
            counted = False
            if pool.items:
                await run(thread, pool.items.popleft())
            elif pool.closing or (not signalled and pool.threads > pool.minimum):
                return STATUS.SUCCESS
    finally:
        pool.threads -= 1
        pool.idle -= counted


async def _next(thread: UserThread, pool: Pool) -> bool:
    with thread.frame() as frame:
        key, context, status = frame.allocate(8), frame.allocate(8), frame.allocate(16)
        timeout = frame.bytes(IDLE_TIME.to_bytes(8, "little", signed=True))
        result = await settle(nt.NtRemoveIoCompletion(thread, pool.port, key, context, status, timeout))
    return bool(result == STATUS.SUCCESS)


async def run(thread: UserThread, item: Item) -> None:
    """Make a call on this thread, and do what it left to be done afterwards."""
    member = item.member
    if member.plain:
        await thread.call(member.code, member.context, *item.extra)
    else:
        await _run_instance(thread, item)
    if item.after is not None:
        await item.after(thread)
    await finished(thread, member)


async def _run_instance(thread: UserThread, item: Item) -> None:
    pools, member = thread.state(Pools), item.member
    with thread.frame() as frame:
        address = frame.allocate(INSTANCE_SIZE)
        instance = pools.instances[address] = Instance(item)
        try:
            await thread.call(member.code, address, member.context, *item.extra)
            if member.finalization:
                await thread.call(member.finalization, address, member.context)
        finally:
            del pools.instances[address]
    for routine, *arguments in instance.actions:
        await thread.call(routine, *arguments)


async def finished(thread: UserThread, member: Member, calls: int = 1) -> None:
    """Calls are over, or will not come: who waits for the last one is told, and a released object goes."""
    member.outstanding -= calls
    if member.outstanding > 0:
        return
    waiters, member.waiters = member.waiters, []
    for event in waiters:
        await settle(nt.NtSetEvent(thread, event, 0))
    if member.released:
        await forget(thread, member)


async def forget(thread: UserThread, member: Member) -> None:
    """Give an object's block back."""
    if member.address and thread.state(Pools).members.pop(member.address, None) is not None:
        if member.handle:
            await settle(nt.NtClose(thread, member.handle))
        await guest.free(thread, member.address)


async def cancel(thread: UserThread, member: Member) -> int:
    """Take calls out of the queue that have not begun; how many there were."""
    items = [item for item in member.pool.items if item.member is member]
    for item in items:
        member.pool.items.remove(item)
    if items:
        await finished(thread, member, len(items))
    return len(items)


async def drain(thread: UserThread, member: Member) -> None:
    """Wait until no call is queued or under way."""
    if member.outstanding <= 0:
        return
    event = await create_event(thread, NOTIFICATION_EVENT)
    member.waiters.append(event)
    await settle(nt.NtWaitForSingleObject(thread, event, 0, 0))
    await settle(nt.NtClose(thread, event))


async def release(thread: UserThread, member: Member) -> None:
    """The program lets an object go; it stays until its last call has returned."""
    member.released = True
    if member.group is not None and member in member.group.members:
        member.group.members.remove(member)
    if member.outstanding <= 0:
        await forget(thread, member)

"""Threads that wait for objects and times on behalf of pools."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ntos.abi.status import STATUS
from ntos.abi.types import HANDLE, NTSTATUS, PVOID
from ntos.dll.ntdll import guest
from ntos.dll.ntdll.guest import settle
from ntos.dll.ntdll.tp.pool import SYNCHRONIZATION_EVENT, Item, Member, create_event, post, run, start_thread
from ntos.um import nt
from ntos.um.export import export

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ntos.um.thread import UserThread

SYNCHRONIZE = 0x10_0000
MOST_OBJECTS = 63
"""NtWaitForMultipleObjects takes 64; one is the thread's own event."""
SYSTEM_TIME = guest.SHARED_DATA + 0x14
TICKS_PER_MILLISECOND = 10_000
FIRED, TIMED_OUT = 0, 0x102


@dataclass(eq=False)
class Watch:
    """What one timer or wait object is waiting for now."""

    member: Member
    handle: int = 0
    """A handle of our own to the object; 0 for a timer."""
    due: int | None = None
    """The system time at which the time is up."""
    period: int = 0
    again: Callable[[UserThread], Awaitable[None]] | None = None
    """What sets the wait again once the call has returned."""
    in_place: bool = False
    """The watching thread makes the call itself (WT_EXECUTEINWAITTHREAD)."""
    is_timer: bool = False


@dataclass(eq=False)
class Watcher:
    """A thread that waits, and what for."""

    number: int
    event: int
    watches: list[Watch] = field(default_factory=list)


class Watchers:
    """The process's waiting threads."""

    def __init__(self) -> None:
        self.threads: list[Watcher] = []


def system_time(thread: UserThread) -> int:
    """The time as user mode reads it."""
    return guest.u64(thread.memory, SYSTEM_TIME)


def due_time(thread: UserThread, value: int) -> int:
    """The moment a time-out stands for: relative where negative."""
    return value if value >= 0 else system_time(thread) - value


async def duplicate(thread: UserThread, handle: int) -> int:
    """A handle of our own, so that the program may close its."""
    with thread.frame() as frame:
        place = frame.new(HANDLE)
        await settle(
            nt.NtDuplicateObject(
                thread, guest.CURRENT_PROCESS, handle, guest.CURRENT_PROCESS, place.address, SYNCHRONIZE, 0, 0
            )
        )
        return int(place.read())


async def begin(thread: UserThread, watch: Watch) -> None:
    """Have a thread watch."""
    watchers = thread.state(Watchers).threads
    for watcher in watchers:
        if not watch.handle or sum(1 for other in watcher.watches if other.handle) < MOST_OBJECTS:
            break
    else:
        watcher = Watcher(len(watchers), await create_event(thread, SYNCHRONIZATION_EVENT))
        watchers.append(watcher)
        await start_thread(thread, "ntos_pool_watcher", watcher.number)
    watcher.watches.append(watch)
    await settle(nt.NtSetEvent(thread, watcher.event, 0))


async def end(thread: UserThread, member: Member) -> bool:
    """Watch no longer for an object; whether it was watched for."""
    for watcher in thread.state(Watchers).threads:
        for watch in watcher.watches:
            if watch.member is member:
                await _remove(thread, watcher, watch)
                await settle(nt.NtSetEvent(thread, watcher.event, 0))
                return True
    return False


def is_set(thread: UserThread, member: Member) -> bool:
    """Whether an object is watched for."""
    return any(watch.member is member for watcher in thread.state(Watchers).threads for watch in watcher.watches)


async def _remove(thread: UserThread, watcher: Watcher, watch: Watch) -> None:
    watcher.watches.remove(watch)
    if watch.handle:
        await settle(nt.NtClose(thread, watch.handle))
        watch.handle = 0


@export(name="ntos_pool_watcher")
async def watcher_thread(thread: UserThread, parameter: PVOID) -> NTSTATUS:
    """The life of a waiting thread."""
    watcher = thread.state(Watchers).threads[int(parameter)]
    while True:
        waited = [watch for watch in watcher.watches if watch.handle]
        fired = await _wait(thread, watcher, waited)
        if fired is not None:
            await _fire(thread, watcher, fired, FIRED)
        now = system_time(thread)
        for watch in [watch for watch in watcher.watches if watch.due is not None and watch.due <= now]:
            if watch in watcher.watches:
                await _fire(thread, watcher, watch, TIMED_OUT)


async def _wait(thread: UserThread, watcher: Watcher, waited: list[Watch]) -> Watch | None:
    """Wait until something happens; the object that was signalled, if one was."""
    handles = [watcher.event, *(watch.handle for watch in waited)]
    due = min((watch.due for watch in watcher.watches if watch.due is not None), default=None)
    with thread.frame() as frame:
        array = frame.bytes(struct.pack(f"<{len(handles)}Q", *handles))
        timeout = 0
        if due is not None:
            # Relative: an absolute time that has passed already is the same, a relative 0 returns at once.
            left = min(system_time(thread) - due, 0)
            timeout = frame.bytes(left.to_bytes(8, "little", signed=True))
        result = await settle(nt.NtWaitForMultipleObjects(thread, len(handles), array, 1, 0, timeout))
    index = int(result) - 1
    if result == STATUS.TIMEOUT or not 0 <= index < len(waited):
        return None
    return waited[index] if waited[index] in watcher.watches else None


async def _fire(thread: UserThread, watcher: Watcher, watch: Watch, result: int) -> None:
    """One object's moment has come: periodic timers stay, all else is watched no more."""
    if watch.period:
        watch.due = (watch.due or system_time(thread)) + watch.period * TICKS_PER_MILLISECOND
    else:
        await _remove(thread, watcher, watch)
    member = watch.member
    item = Item(member, _told(watch, result), watch.again)
    if watch.in_place:
        member.outstanding += 1
        await run(thread, item)
    else:
        await post(thread, item)


def _told(watch: Watch, result: int) -> tuple[int, ...]:
    if watch.member.plain:
        return (int(result == TIMED_OUT),)
    return (watch.member.address,) if watch.is_timer else (watch.member.address, result)

"""The older functions: RtlQueueWorkItem, RtlRegisterWait, timer queues (what kernel32 had before Vista)."""

from __future__ import annotations

from dataclasses import dataclass, field

from ntos.abi.pointer import Code, Out
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import HANDLE, NTSTATUS, PVOID, ULONG
from ntos.dll.ntdll import guest
from ntos.dll.ntdll.guest import settle
from ntos.dll.ntdll.tp.pool import (
    BLOCK_SIZE,
    Item,
    Member,
    cancel,
    default_pool,
    drain,
    enter,
    member_at,
    post,
    release,
)
from ntos.dll.ntdll.tp.watch import TICKS_PER_MILLISECOND, Watch, begin, due_time, duplicate, end
from ntos.um import nt
from ntos.um.export import export
from ntos.um.thread import UserThread

INFINITE = 0xFFFF_FFFF
WT_EXECUTEINWAITTHREAD, WT_EXECUTEONLYONCE, WT_EXECUTEINTIMERTHREAD = 4, 8, 0x20
WAIT_FOR_CALLS = 0xFFFF_FFFF_FFFF_FFFF
"""INVALID_HANDLE_VALUE for a completion event: return when the last call has returned."""


@export(partial="the caller's token is not passed on (WT_TRANSFER_IMPERSONATION)")
async def RtlQueueWorkItem(thread: UserThread, Function: Code, Context: PVOID, Flags: ULONG) -> NTSTATUS:
    """Have a worker call a routine once."""
    member = Member(await default_pool(thread), Function, Context, plain=True, released=True)
    await post(thread, Item(member))
    return STATUS.SUCCESS


# ---------------------------------------------------------------- waits


@export(partial="the caller's token is not passed on (WT_TRANSFER_IMPERSONATION)")
async def RtlRegisterWait(
    thread: UserThread,
    WaitHandle: Out[HANDLE],
    Handle: HANDLE,
    Function: Code,
    Context: PVOID,
    Milliseconds: ULONG,
    Flags: ULONG,
) -> NTSTATUS:
    """Have a routine called when an object is signalled or the time is up, each time anew or once."""
    member = Member(await default_pool(thread), Function, Context, plain=True)
    own = await duplicate(thread, Handle)
    WaitHandle.write(await enter(thread, member))
    due = None if Milliseconds == INFINITE else due_time(thread, -Milliseconds * TICKS_PER_MILLISECOND)
    in_place = bool(Flags & WT_EXECUTEINWAITTHREAD)
    watch = Watch(member, own, due, in_place=in_place)
    if not Flags & WT_EXECUTEONLYONCE:
        member.handle = await duplicate(thread, Handle)
        _repeat(watch, None if Milliseconds == INFINITE else Milliseconds)
    await begin(thread, watch)
    return STATUS.SUCCESS


def _repeat(watch: Watch, milliseconds: int | None) -> None:
    """Set the wait again each time its call has returned."""
    member = watch.member

    async def again(thread: UserThread) -> None:
        if member.released:
            return
        due = None if milliseconds is None else due_time(thread, -milliseconds * TICKS_PER_MILLISECOND)
        handle = await duplicate(thread, member.handle)
        await begin(thread, Watch(member, handle, due, again=again, in_place=watch.in_place))

    watch.again = again


async def _dismiss(thread: UserThread, member: Member, event: int) -> NTSTATUS:
    """No more calls; what becomes of one under way as `event` says (NULL: PENDING is told)."""
    await end(thread, member)
    await cancel(thread, member)
    busy = member.outstanding > 0
    if event == WAIT_FOR_CALLS:
        await drain(thread, member)
    elif event and busy:
        member.waiters.append(event)
    elif event:
        await settle(nt.NtSetEvent(thread, event, 0))
    await release(thread, member)
    return STATUS.PENDING if busy and event != WAIT_FOR_CALLS else STATUS.SUCCESS


@export
async def RtlDeregisterWaitEx(thread: UserThread, WaitHandle: HANDLE, Event: HANDLE) -> NTSTATUS:
    """No more calls; the event is set, or the function returns (-1), when the last one has returned."""
    return await _dismiss(thread, member_at(thread, WaitHandle), Event)


@export
async def RtlDeregisterWait(thread: UserThread, WaitHandle: HANDLE) -> NTSTATUS:
    """No more calls."""
    return await _dismiss(thread, member_at(thread, WaitHandle), 0)


# ---------------------------------------------------------------- timer queues


@dataclass(eq=False)
class Queue:
    """A timer queue: its timers by address."""

    address: int
    timers: dict[int, Member] = field(default_factory=dict)


class Queues:
    """The process's timer queues; address 0 is the process's own."""

    def __init__(self) -> None:
        self.queues: dict[int, Queue] = {0: Queue(0)}


def queue_at(thread: UserThread, address: int) -> Queue:
    """The queue of an address (0: the process's own); INVALID_HANDLE for none."""
    queue = thread.state(Queues).queues.get(address)
    if queue is None:
        raise NtError(STATUS.INVALID_HANDLE)
    return queue


@export
async def RtlCreateTimerQueue(thread: UserThread, TimerQueueHandle: Out[HANDLE]) -> NTSTATUS:
    """A queue of timers."""
    queue = Queue(await guest.allocate(thread, BLOCK_SIZE))
    thread.state(Queues).queues[queue.address] = queue
    TimerQueueHandle.write(queue.address)
    return STATUS.SUCCESS


async def _start(thread: UserThread, member: Member, due: int, period: int, *, in_place: bool) -> None:
    when = due_time(thread, -due * TICKS_PER_MILLISECOND) if due else due_time(thread, 0)
    await begin(thread, Watch(member, due=when, period=period, in_place=in_place, is_timer=True))


@export(partial="the caller's token is not passed on (WT_TRANSFER_IMPERSONATION)")
async def RtlCreateTimer(
    thread: UserThread,
    TimerQueueHandle: HANDLE,
    Handle: Out[HANDLE],
    Function: Code,
    Context: PVOID,
    DueTime: ULONG,
    Period: ULONG,
    Flags: ULONG,
) -> NTSTATUS:
    """Have a routine called in so many milliseconds, and then again every so many."""
    queue = queue_at(thread, TimerQueueHandle)
    member = Member(await default_pool(thread), Function, Context, plain=True)
    Handle.write(await enter(thread, member))
    queue.timers[member.address] = member
    if DueTime != INFINITE:
        period = 0 if Flags & WT_EXECUTEONLYONCE else Period
        await _start(thread, member, DueTime, period, in_place=bool(Flags & WT_EXECUTEINTIMERTHREAD))
    return STATUS.SUCCESS


@export
async def RtlUpdateTimer(
    thread: UserThread, TimerQueueHandle: HANDLE, Timer: HANDLE, DueTime: ULONG, Period: ULONG
) -> NTSTATUS:
    """Another time for a timer."""
    member = member_at(thread, Timer)
    await end(thread, member)
    if DueTime != INFINITE:
        await _start(thread, member, DueTime, Period, in_place=False)
    return STATUS.SUCCESS


@export
async def RtlDeleteTimer(
    thread: UserThread, TimerQueueHandle: HANDLE, Timer: HANDLE, CompletionEvent: HANDLE
) -> NTSTATUS:
    """No more calls; the event is set, or the function returns (-1), when the last one has returned."""
    queue_at(thread, TimerQueueHandle).timers.pop(int(Timer), None)
    return await _dismiss(thread, member_at(thread, Timer), CompletionEvent)


@export
async def RtlDeleteTimerQueueEx(thread: UserThread, TimerQueueHandle: HANDLE, CompletionEvent: HANDLE) -> NTSTATUS:
    """Delete a queue with its timers."""
    queue = queue_at(thread, TimerQueueHandle)
    if not queue.address:
        raise NtError(STATUS.INVALID_HANDLE)
    del thread.state(Queues).queues[queue.address]
    waited = WAIT_FOR_CALLS if CompletionEvent else 0
    results = [await _dismiss(thread, member, waited) for member in queue.timers.values()]
    if CompletionEvent not in (0, WAIT_FOR_CALLS):
        await settle(nt.NtSetEvent(thread, CompletionEvent, 0))
    await guest.free(thread, queue.address)
    return STATUS.PENDING if STATUS.PENDING in results else STATUS.SUCCESS


@export
async def RtlDeleteTimerQueue(thread: UserThread, TimerQueueHandle: HANDLE) -> NTSTATUS:
    """Delete a queue with its timers."""
    return await RtlDeleteTimerQueueEx(thread, TimerQueueHandle, HANDLE(0))

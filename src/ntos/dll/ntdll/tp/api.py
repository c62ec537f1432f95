"""Work, timers and waits (what threadpoolapiset.h's functions become)."""

from __future__ import annotations

from ntos.abi.pointer import Code, Out, Ptr
from ntos.abi.status import STATUS
from ntos.abi.types import HANDLE, LARGE_INTEGER, NTSTATUS, PVOID, ULONG
from ntos.dll.ntdll.tp.pool import Item, Member, cancel, drain, enter, make, member_at, post, release
from ntos.dll.ntdll.tp.watch import Watch, begin, due_time, duplicate, end, is_set
from ntos.um.export import export
from ntos.um.thread import UserThread


async def _make(thread: UserThread, place: Out[PVOID], code: int, context: int, environment: int) -> NTSTATUS:
    place.write(await enter(thread, await make(thread, code, context, environment)))
    return STATUS.SUCCESS


async def _release(thread: UserThread, address: int) -> None:
    member = member_at(thread, address)
    await end(thread, member)
    await release(thread, member)


async def _wait_for(thread: UserThread, address: int, drop: int) -> None:
    member = member_at(thread, address)
    if drop:
        await cancel(thread, member)
    await drain(thread, member)


# ---------------------------------------------------------------- work


@export
async def TpSimpleTryPost(thread: UserThread, Callback: Code, Context: PVOID, CallbackEnviron: PVOID) -> NTSTATUS:
    """Have a worker call a routine once."""
    member = await make(thread, Callback, Context, CallbackEnviron)
    member.released = True
    await post(thread, Item(member))
    return STATUS.SUCCESS


@export
async def TpAllocWork(
    thread: UserThread, WorkReturn: Out[PVOID], Callback: Code, Context: PVOID, CallbackEnviron: PVOID
) -> NTSTATUS:
    """Something that can be posted to a pool again and again."""
    return await _make(thread, WorkReturn, Callback, Context, CallbackEnviron)


@export
async def TpPostWork(thread: UserThread, Work: PVOID) -> None:
    """Have a worker call a work object's routine once more."""
    await post(thread, Item(member_at(thread, Work), (int(Work),)))


@export
async def TpReleaseWork(thread: UserThread, Work: PVOID) -> None:
    """Let a work object go; calls that are queued are still made."""
    await _release(thread, Work)


@export
async def TpWaitForWork(thread: UserThread, Work: PVOID, CancelPendingCallbacks: ULONG) -> None:
    """Wait until no call is queued or under way; those not begun are cancelled if asked for."""
    await _wait_for(thread, Work, CancelPendingCallbacks)


# ---------------------------------------------------------------- timers


@export
async def TpAllocTimer(
    thread: UserThread, Timer: Out[PVOID], Callback: Code, Context: PVOID, CallbackEnviron: PVOID
) -> NTSTATUS:
    """Something to be called at times."""
    return await _make(thread, Timer, Callback, Context, CallbackEnviron)


async def set_timer(thread: UserThread, member: Member, due: int, period: int) -> None:
    """Set a timer anew."""
    await begin(thread, Watch(member, due=due_time(thread, due), period=period, is_timer=True))


@export(partial="WindowLength: calls are never made late to save power")
async def TpSetTimer(
    thread: UserThread, Timer: PVOID, DueTime: Ptr[LARGE_INTEGER] | None, Period: ULONG, WindowLength: ULONG
) -> None:
    """Set a timer, or stop it (NULL)."""
    member = member_at(thread, Timer)
    await end(thread, member)
    if DueTime is not None:
        await set_timer(thread, member, int(DueTime.read()), Period)


@export(partial="WindowLength: calls are never made late to save power")
async def TpSetTimerEx(
    thread: UserThread, Timer: PVOID, DueTime: Ptr[LARGE_INTEGER] | None, Period: ULONG, WindowLength: ULONG
) -> ULONG:
    """The same; whether the timer was set before."""
    member = member_at(thread, Timer)
    was_set = await end(thread, member)
    if DueTime is not None:
        await set_timer(thread, member, int(DueTime.read()), Period)
    return ULONG(was_set)


@export
def TpIsTimerSet(thread: UserThread, Timer: PVOID) -> ULONG:
    """Whether a timer is set."""
    return ULONG(is_set(thread, member_at(thread, Timer)))


@export
async def TpReleaseTimer(thread: UserThread, Timer: PVOID) -> None:
    """Stop a timer and let it go."""
    await _release(thread, Timer)


@export
async def TpWaitForTimer(thread: UserThread, Timer: PVOID, CancelPendingCallbacks: ULONG) -> None:
    """Wait until no call is queued or under way."""
    await _wait_for(thread, Timer, CancelPendingCallbacks)


# ---------------------------------------------------------------- waits


@export
async def TpAllocWait(
    thread: UserThread, WaitReturn: Out[PVOID], Callback: Code, Context: PVOID, CallbackEnviron: PVOID
) -> NTSTATUS:
    """Something to be called when an object is signalled."""
    return await _make(thread, WaitReturn, Callback, Context, CallbackEnviron)


async def set_wait(thread: UserThread, address: int, handle: int, timeout: int | None) -> bool:
    """Set a wait anew, or stop it (no handle); whether it was set before."""
    member = member_at(thread, address)
    was_set = await end(thread, member)
    if handle:
        due = None if timeout is None else due_time(thread, timeout)
        await begin(thread, Watch(member, await duplicate(thread, handle), due))
    return was_set


@export
async def TpSetWait(thread: UserThread, Wait: PVOID, Handle: HANDLE, Timeout: Ptr[LARGE_INTEGER] | None) -> None:
    """Wait for an object once, for so long."""
    await set_wait(thread, Wait, Handle, int(Timeout.read()) if Timeout is not None else None)


@export
async def TpSetWaitEx(
    thread: UserThread, Wait: PVOID, Handle: HANDLE, Timeout: Ptr[LARGE_INTEGER] | None, Reserved: PVOID
) -> ULONG:
    """The same; whether the wait was set before."""
    return ULONG(await set_wait(thread, Wait, Handle, int(Timeout.read()) if Timeout is not None else None))


@export
async def TpReleaseWait(thread: UserThread, Wait: PVOID) -> None:
    """Wait no longer and let the object go."""
    await _release(thread, Wait)


@export
async def TpWaitForWait(thread: UserThread, Wait: PVOID, CancelPendingCallbacks: ULONG) -> None:
    """Wait until no call is queued or under way."""
    await _wait_for(thread, Wait, CancelPendingCallbacks)

"""Timers with an APC and a period. When a timer is due is `ke.timer`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi import access as rights
from ntos.abi.layout.api import TIMER_BASIC_INFORMATION, TIMER_SET_COALESCABLE_TIMER_INFO
from ntos.abi.layout.object import OBJECT_ATTRIBUTES
from ntos.abi.pointer import In, Out
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import ACCESS_MASK, BOOLEAN, HANDLE, LARGE_INTEGER, LONG, NTSTATUS, PVOID, ULONG
from ntos.ke import apc
from ntos.ke.apc import UserApc
from ntos.ke.service import service
from ntos.ke.timer import Timer
from ntos.ob import answer
from ntos.ob.handle import by_handle
from ntos.ob.insert import create_or_open, open_by_name
from ntos.ob.object import create
from ntos.ob.types import ObjectType

if TYPE_CHECKING:
    from ntos.ke.kernel import Kernel
    from ntos.ke.thread import Thread

ETIMER_SIZE = 0x138
"""A KTIMER, a KAPC, a KDPC and links; only the KTIMER is filled here."""
NOTIFICATION, SYNCHRONIZATION = 0, 1


class ExecutiveTimer(Timer):
    """ETIMER: a timer that can also queue a user APC to the thread that set it."""

    def __init__(self, kernel: Kernel, address: int) -> None:
        super().__init__(kernel, address)
        self._apc: UserApc | None = None
        self._apc_thread: Thread | None = None
        self.on_expiry = self._queue_apc

    def start(self, thread: Thread, due: int, routine: int, context: int, period: int) -> bool:
        """NtSetTimer; whether it was signalled before."""
        former = int(self.header.SignalState) > 0
        self.stop()
        if routine:
            self._apc = UserApc(routine, (context, 0, 0))
            self._apc_thread = thread
        self.set(due, period)
        # A time that has passed already is answered at once, not at the next kernel entry.
        self.kernel.scheduler.timers.expire()
        return former

    def stop(self) -> None:
        """NtCancelTimer: also an APC that has not been delivered yet is taken back."""
        self.cancel()
        if self._apc is not None and self._apc_thread is not None and self._apc in self._apc_thread.user_apcs:
            self._apc_thread.user_apcs.remove(self._apc)
        self._apc = self._apc_thread = None

    @property
    def is_set(self) -> bool:
        """Whether it will still expire."""
        return self._alarm is not None

    def _queue_apc(self) -> None:
        queued, thread = self._apc, self._apc_thread
        if queued is None or thread is None or any(each is queued for each in thread.user_apcs):
            return  # one KAPC: while it is queued a further expiry adds nothing
        now = self.kernel.clock.system_time
        queued.arguments = (queued.arguments[0], now & 0xFFFF_FFFF, now >> 32)
        apc.queue_user(thread, queued)


TIMER: ObjectType[ExecutiveTimer] = ObjectType(
    "Timer",
    ETIMER_SIZE,
    ExecutiveTimer,
    valid_access=rights.TIMER_ALL_ACCESS,
    generic_mapping=(0x20001, 0x20002, 0x120000, rights.TIMER_ALL_ACCESS),
    default_dispatcher=0,
    tag=b"Time",
    invalid_attributes=0x100,
)
TIMER.delete = ExecutiveTimer.stop


@service
def NtCreateTimer(
    thread: Thread,
    TimerHandle: Out[HANDLE],
    DesiredAccess: ACCESS_MASK,
    ObjectAttributes: In[OBJECT_ATTRIBUTES] | None,
    TimerType: ULONG,
) -> NTSTATUS:
    """Create a notification (0) or synchronisation (1) timer, or open the one that already bears the name."""
    if TimerType > SYNCHRONIZATION:
        raise NtError(STATUS.INVALID_PARAMETER_4)

    def make() -> ExecutiveTimer:
        made = create(thread.kernel, TIMER)
        made.initialize(synchronization=TimerType == SYNCHRONIZATION)
        return made

    handle, status = create_or_open(thread, TIMER, ObjectAttributes, DesiredAccess, make)
    TimerHandle.write(handle)
    return status


@service
def NtOpenTimer(
    thread: Thread,
    TimerHandle: Out[HANDLE],
    DesiredAccess: ACCESS_MASK,
    ObjectAttributes: In[OBJECT_ATTRIBUTES] | None,
) -> NTSTATUS:
    """Open a timer by name."""
    TimerHandle.write(open_by_name(thread, TIMER, ObjectAttributes, DesiredAccess))
    return STATUS.SUCCESS


@service
def NtSetTimer(
    thread: Thread,
    TimerHandle: HANDLE,
    DueTime: In[LARGE_INTEGER],
    TimerApcRoutine: PVOID,
    TimerContext: PVOID,
    ResumeTimer: BOOLEAN,
    Period: LONG,
    PreviousState: Out[BOOLEAN] | None,
) -> NTSTATUS:
    """Let a timer be signalled at a time (negative: after an interval), once or every Period milliseconds."""
    timer = by_handle(thread, TimerHandle, rights.TIMER_MODIFY_STATE, TIMER)
    if Period < 0:
        raise NtError(STATUS.INVALID_PARAMETER_6)
    former = timer.start(thread, DueTime, TimerApcRoutine, TimerContext, Period)
    if PreviousState is not None:
        PreviousState.write(int(former))
    # Nothing sleeps here, so nothing can be woken: that is what Windows answers where wake-up is impossible.
    return STATUS.TIMER_RESUME_IGNORED if ResumeTimer else STATUS.SUCCESS


@service
def NtSetTimerEx(
    thread: Thread,
    TimerHandle: HANDLE,
    TimerSetInformationClass: ULONG,
    TimerSetInformation: PVOID,
    TimerSetInformationLength: ULONG,
) -> NTSTATUS:
    """As NtSetTimer, with a tolerable delay (TimerSetCoalescableTimer, 0); the delay is never used up."""
    if TimerSetInformationClass:
        raise NtError(STATUS.INVALID_INFO_CLASS)
    if TimerSetInformationLength != TIMER_SET_COALESCABLE_TIMER_INFO.size:
        raise NtError(STATUS.INFO_LENGTH_MISMATCH)
    memory = thread.memory
    data = memory.read(TimerSetInformation, TimerSetInformationLength)
    asked = TIMER_SET_COALESCABLE_TIMER_INFO.parse(data)
    timer = by_handle(thread, TimerHandle, rights.TIMER_MODIFY_STATE, TIMER)
    if asked.TimerPeriod > 0x7FFF_FFFF:
        raise NtError(STATUS.INVALID_PARAMETER)
    former = timer.start(
        thread, asked.DueTime, int(asked.TimerApcRoutine), int(asked.TimerContext), int(asked.TimerPeriod)
    )
    if asked.PreviousState:
        BOOLEAN.store(memory, int(asked.PreviousState), int(former))
    return STATUS.SUCCESS


@service
def NtCancelTimer(thread: Thread, TimerHandle: HANDLE, CurrentState: Out[BOOLEAN] | None) -> NTSTATUS:
    """Let a timer not be signalled after all; its state stays."""
    timer = by_handle(thread, TimerHandle, rights.TIMER_MODIFY_STATE, TIMER)
    timer.stop()
    if CurrentState is not None:
        CurrentState.write(int(timer.header.SignalState > 0))
    return STATUS.SUCCESS


@service
def NtQueryTimer(
    thread: Thread,
    TimerHandle: HANDLE,
    TimerInformationClass: ULONG,
    TimerInformation: PVOID,
    TimerInformationLength: ULONG,
    ReturnLength: Out[ULONG] | None,
) -> NTSTATUS:
    """How long until a timer is due, and whether it is signalled."""
    if TimerInformationClass:
        raise NtError(STATUS.INVALID_INFO_CLASS)
    timer = by_handle(thread, TimerHandle, rights.TIMER_QUERY_STATE, TIMER)
    information = TIMER_BASIC_INFORMATION.new()
    information.RemainingTime = timer.remaining()
    information.TimerState = int(timer.header.SignalState > 0)
    return answer.exact(thread, TimerInformation, TimerInformationLength, information, ReturnLength)

"""Timers and time-outs: one heap of moments, looked at on each kernel entry."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

from ntos.abi.layout.dispatcher import KTIMER
from ntos.ke.dispatcher import DispatcherObject

if TYPE_CHECKING:
    from collections.abc import Callable

    from ntos.hal.clock import Clock
    from ntos.ke.kernel import Kernel
    from ntos.ke.thread import Thread

TIMER_NOTIFICATION_OBJECT = 8
TIMER_SYNCHRONIZATION_OBJECT = 9
NEVER = 1 << 63
UNITS_PER_MILLISECOND = 10_000


class Alarm:
    """Something to be done at a moment; `cancel` makes it nothing."""

    __slots__ = ("action", "due")

    def __init__(self, due: int, action: Callable[[], None]) -> None:
        self.due = due
        self.action: Callable[[], None] | None = action

    def cancel(self) -> None:
        """Do nothing at the moment after all."""
        self.action = None


class TimerQueue:
    """All pending alarms of a kernel, by interrupt time."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.next = NEVER
        """When the earliest alarm is due; compared on every kernel entry."""
        self._heap: list[tuple[int, int, Alarm]] = []
        self._serial = 0

    def set(self, due: int, action: Callable[[], None]) -> Alarm:
        """Call `action` once the interrupt time reaches `due`; alarms of one moment go in the order they were set."""
        alarm = Alarm(due, action)
        self._serial += 1
        heapq.heappush(self._heap, (due, self._serial, alarm))
        self.next = self._heap[0][0]
        return alarm

    def expire(self) -> None:
        """Do what is due."""
        while self._heap and self._heap[0][0] <= self.clock.now:
            action = heapq.heappop(self._heap)[2].action
            if action is not None:
                action()
        self._trim()

    def pending(self) -> bool:
        """Whether any alarm is still set; forgets cancelled ones."""
        self._trim()
        return bool(self._heap)

    def _trim(self) -> None:
        while self._heap and self._heap[0][2].action is None:
            heapq.heappop(self._heap)
        self.next = self._heap[0][0] if self._heap else NEVER


def due_time(clock: Clock, timeout: int) -> int:
    """The interrupt time a LARGE_INTEGER time-out means: negative is relative, positive a system time."""
    return clock.now - timeout if timeout < 0 else timeout - clock.boot_time


class Timer(DispatcherObject):
    """KTIMER: signalled when its time comes, once or periodically."""

    def __init__(self, kernel: Kernel, address: int) -> None:
        super().__init__(kernel, address)
        self._alarm: Alarm | None = None
        self.on_expiry: Callable[[], None] | None = None
        """What else happens then (an APC); set by the owner."""

    @property
    def view(self) -> KTIMER:
        """The structure."""
        return KTIMER(self.kernel.memory, self.address)

    def initialize(self, *, synchronization: bool) -> None:
        """KeInitializeTimerEx."""
        kind = TIMER_SYNCHRONIZATION_OBJECT if synchronization else TIMER_NOTIFICATION_OBJECT
        self.initialize_header(kind, KTIMER.size, 0)
        self.view.Period = 0

    def satisfy(self, thread: Thread) -> int:
        if self.header.Type == TIMER_SYNCHRONIZATION_OBJECT:
            self.header.SignalState = 0
        return 0

    def set(self, timeout: int, period: int = 0) -> bool:
        """KeSetTimerEx: `timeout` in 100 ns (negative relative), `period` in ms; whether it was set before."""
        was_set = self.cancel()
        self.header.SignalState = 0
        due = due_time(self.kernel.clock, timeout)
        view = self.view
        view.DueTime = due
        view.Period = period
        self._alarm = self.kernel.scheduler.timers.set(due, self._expire)
        return was_set

    def cancel(self) -> bool:
        """KeCancelTimer; whether it was set."""
        if self._alarm is None:
            return False
        self._alarm.cancel()
        self._alarm = None
        return True

    def remaining(self) -> int:
        """100 ns until it is due (negative when past)."""
        return int(self.view.DueTime) - self.kernel.clock.now

    def _expire(self) -> None:
        period = int(self.view.Period)
        self._alarm = None
        if period:
            due = int(self.view.DueTime) + period * UNITS_PER_MILLISECOND
            self.view.DueTime = due
            self._alarm = self.kernel.scheduler.timers.set(due, self._expire)
        self.signal(1)
        if self.on_expiry is not None:
            self.on_expiry()

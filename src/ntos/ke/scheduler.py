"""Who runs next: thirty-two ready queues, the highest priority first, round robin within one.

One host thread runs everything, so the order of events is a function of the inputs. When nobody is ready, time
jumps to the next timer; if the host still owes us something (a read from the terminal), we wait for it really.
"""

from __future__ import annotations

import queue
import time
from collections import deque
from typing import TYPE_CHECKING

from ntos.abi.layout.enums import KTHREAD_STATE
from ntos.abi.layout.thread import KTHREAD
from ntos.hal.clock import CLOCK_INCREMENT, CYCLES_PER_UNIT, TICKS_PER_SECOND
from ntos.ke import runtime
from ntos.ke.thread import ThreadTerminated
from ntos.ke.timer import NEVER, TimerQueue

if TYPE_CHECKING:
    from collections.abc import Callable

    from ntos.abi.layout.processor import KPRCB
    from ntos.ke.kernel import Kernel
    from ntos.ke.thread import Thread

PRIORITIES = 32
TRAPS_PER_QUANTUM = 4000
"""Kernel entries a thread may make before others of its priority get their turn."""
PATIENCE = 500_000
"""Virtual 100 ns units that others wait for a thread that spins before it is stopped."""
TRAP_COST = 10
"""Virtual 100 ns units per kernel entry."""


class Scheduler:
    """The dispatcher of one kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.clock = kernel.clock
        self.timers = TimerQueue(kernel.clock)
        self.current: Thread | None = None
        self.queues: list[deque[Thread]] = [deque() for _ in range(PRIORITIES)]
        self.ready_summary = 0
        """Bit n is set when queue n is not empty (KPRCB.ReadySummary)."""
        self.host_events: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self.host_pending = 0
        """Operations the host has not finished; while any is under way an idle machine waits in real time."""
        self.keyboard = False
        """Somebody at a terminal may still press Ctrl-C: an idle machine then waits instead of giving up."""
        self.stop_requested = ""
        """Why the machine must stop, once it must; set from anywhere, also from a signal handler."""
        self.on_tick: Callable[[], None] = lambda: None
        """Called when the clock has crossed a tick: whoever keeps KUSER_SHARED_DATA sets it."""
        self.processor: KPRCB | None = None
        """Whose KernelTime and UserTime count all ticks."""
        self.overdue: Callable[[Thread], bool] | None = None
        """While somebody limits the time of processes: whether the running thread has used up what it may."""
        self.settle: Callable[[], None] = lambda: None
        """Deals with whoever is overdue."""
        self.on_switch: Callable[[Thread | None], None] | None = None
        """Told who gets the processor, and (None) when he gives it up: whoever measures sets it."""
        self._next_tick = 0
        self._ticks = kernel.clock.tick_count
        self._since = 0
        """When the running thread got the processor."""
        self._spun = 0
        self.switches = 0

    def ready(self, thread: Thread, *, first: bool = False) -> None:
        """Put a thread into its ready queue (KiReadyThread)."""
        tcb = thread.tcb
        tcb.State = KTHREAD_STATE.Ready
        priority = int(tcb.Priority) & 31
        ready = self.queues[priority]
        if first:
            ready.appendleft(thread)
        else:
            ready.append(thread)
        self.ready_summary |= 1 << priority

    def others_ready(self, thread: Thread) -> bool:
        """Whether a thread of at least this one's priority could run now."""
        return self.ready_summary >> (int(thread.tcb.Priority) & 31) != 0

    def entered(self, units: int = TRAP_COST) -> None:
        """A kernel entry: let its time pass, do what has become due."""
        clock = self.clock
        clock.now += units
        if clock.now >= self.timers.next:
            self.timers.expire()
        if clock.now >= self._next_tick:
            self._tick()
            if self.overdue is not None:
                self.settle()

    def spinning(self, seconds: float) -> bool:
        """The running thread has not entered the kernel for `seconds` more: whether somebody needs the processor.

        Called by the backend's watchdog while guest code runs. Time goes on for a thread that watches the clock.
        """
        clock = self.clock
        units = int(seconds * TICKS_PER_SECOND)
        clock.now += units
        if clock.now >= self._next_tick:
            self._tick(spinning=True)
            overdue, current = self.overdue, self.current
            if overdue is not None and current is not None and overdue(current):
                self._next_tick = 0  # the kernel entry that follows deals with it
                return True
        if self.stop_requested or not self.host_events.empty() or clock.now >= self.timers.next:
            return True
        self._spun = self._spun + units if self.ready_summary else 0
        return self._spun >= PATIENCE

    def begin_host_operation(self) -> None:
        """The host starts something that will be posted to `host_events` when done."""
        self.host_pending += 1

    def end_host_operation(self) -> None:
        """It is done (called by the posted function)."""
        self.host_pending -= 1

    def run(self, finished: Callable[[], bool]) -> str:
        """Run threads until `finished()`, a stop request, or nothing can ever happen again; gives the reason."""
        while not self.stop_requested:
            if not self.host_events.empty():
                self.host_events.get()()
                continue
            thread = self._next()
            if thread is not None:
                self._run(thread)
                continue
            if finished():
                return "finished"
            if not self._idle():
                return "deadlock"
        return self.stop_requested

    def _next(self) -> Thread | None:
        summary = self.ready_summary
        if not summary:
            return None
        priority = summary.bit_length() - 1
        ready = self.queues[priority]
        thread = ready.popleft()
        if not ready:
            self.ready_summary = summary & ~(1 << priority)
        return thread

    def _run(self, thread: Thread) -> None:
        coroutine = thread.coroutine
        if coroutine is None:
            return
        self.current = thread
        self.switches += 1
        thread.tcb.State = KTHREAD_STATE.Running
        thread.traps_left = TRAPS_PER_QUANTUM
        self._spun = 0
        self._since = self.clock.now
        if self.on_switch is not None:
            self.on_switch(thread)
        try:
            if thread.terminating is not None and not thread.ending and thread.started:
                thread.ending = True
                coroutine.throw(ThreadTerminated(thread.terminating))
            else:
                thread.started = True
                coroutine.send(None)
        except StopIteration:
            thread.coroutine = None
        finally:
            if self.on_switch is not None:
                self.on_switch(None)
            self.current = None
            if thread.coroutine is not None:
                runtime.switched_out(thread, self.clock.now - self._since)

    def running_for(self, thread: Thread) -> int:
        """How long (100 ns) a thread has had the processor since it last got it."""
        return self.clock.now - self._since if thread is self.current else 0

    def _idle(self) -> bool:
        """Let time pass until something can happen; False when nothing ever will."""
        if self.host_pending:
            due = self.timers.next if self.timers.pending() else NEVER
            seconds = None if due == NEVER else max(0.0, (due - self.clock.now) / TICKS_PER_SECOND)
            self._wait_for_host(seconds)
            return True
        if not self.timers.pending():
            if self.keyboard:
                self._wait_for_host(None)
            return self.keyboard
        self.clock.advance_to(self.timers.next)
        self.entered(0)
        return True

    def _wait_for_host(self, seconds: float | None) -> None:
        started = time.monotonic()
        # Short waits, so that a stop request made by a signal handler is seen.
        wait = 0.1 if seconds is None else min(0.1, seconds)
        try:
            action = self.host_events.get(timeout=wait) if wait else None
        except queue.Empty:
            action = None
        self.entered(int((time.monotonic() - started) * TICKS_PER_SECOND))
        if action is not None:
            action()

    def _tick(self, *, spinning: bool = False) -> None:
        # The watchdog's thread comes here while the kernel's own goes on: each value is read once, and no tick is
        # charged twice or taken back if the other has been faster.
        count, last, current = self.clock.tick_count, self._ticks, self.current
        ticks = max(count - last, 0)
        self._ticks = max(count, last)
        self._next_tick = (count + 1) * CLOCK_INCREMENT
        if current is not None:
            runtime.charge_ticks(current, ticks, spinning=spinning)
        elif self.processor is not None:
            self._charge_idle(self.processor, ticks)
        self.on_tick()

    def _charge_idle(self, processor: KPRCB, ticks: int) -> None:
        """Nobody runs: the processor's idle thread does, in kernel mode."""
        idle = KTHREAD(self.kernel.memory, int(processor.IdleThread))
        idle.KernelTime = int(idle.KernelTime) + ticks
        idle.CycleTime = int(idle.CycleTime) + ticks * CLOCK_INCREMENT * CYCLES_PER_UNIT
        processor.KernelTime = int(processor.KernelTime) + ticks

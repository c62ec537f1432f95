"""Timers: a moment makes one ready, and the thread's next look at its queue makes a WM_TIMER of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.winuser import QS_TIMER, USER_TIMER_MAXIMUM, USER_TIMER_MINIMUM, WM
from ntos.win32k.clock import UNITS
from ntos.win32k.queue import wake

if TYPE_CHECKING:
    from ntos.ke.timer import Alarm
    from ntos.win32k.process import ThreadInfo
    from ntos.win32k.window import Window


class WindowTimer:
    """One SetTimer."""

    def __init__(self, info: ThreadInfo, window: Window | None, identifier: int) -> None:
        self.info = info
        self.window = window
        self.id = identifier
        self.message = int(WM.TIMER)
        self.procedure = 0
        self.ready = False
        self.period = 0
        self._due = 0
        self._alarm: Alarm | None = None
        info.timers.append(self)

    @property
    def hwnd(self) -> int:
        """The window's handle, or 0."""
        return self.window.handle if self.window is not None else 0

    def start(self, elapse: int, procedure: int) -> None:
        """Count anew."""
        self.stop()
        self.procedure = procedure
        if elapse > USER_TIMER_MAXIMUM:
            elapse = 1
        self.period = max(elapse, USER_TIMER_MINIMUM) * UNITS
        self._set(self.info.thread.kernel.clock.now + self.period)

    def _set(self, due: int) -> None:
        self._due = due
        self._alarm = self.info.thread.kernel.scheduler.timers.set(due, self._expire)

    def _expire(self) -> None:
        self._alarm = None
        self.ready = True
        self.info.view.cTimersReady = int(self.info.view.cTimersReady) + 1
        wake(self.info, QS_TIMER)

    def taken(self) -> None:
        """Its message is on its way; the next is due at the next multiple of its period.

        On Windows it goes on counting meanwhile, with no more effect: a ready timer stays one message.
        """
        self._not_ready()
        now = self.info.thread.kernel.clock.now
        self._set(self._due + ((now - self._due) // self.period + 1) * self.period)

    def _not_ready(self) -> None:
        if self.ready:
            self.ready = False
            self.info.view.cTimersReady = int(self.info.view.cTimersReady) - 1

    def stop(self) -> None:
        """Count no more."""
        self._not_ready()
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def kill(self) -> None:
        """KillTimer."""
        self.stop()
        if self in self.info.timers:
            self.info.timers.remove(self)


def find_timer(info: ThreadInfo, window: Window | None, identifier: int) -> WindowTimer | None:
    """The thread's timer of that window and number."""
    return next((each for each in info.timers if each.window is window and each.id == identifier), None)

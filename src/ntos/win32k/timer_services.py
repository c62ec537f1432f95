"""Services on timers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.errors import ERROR
from ntos.abi.types import BOOL, HANDLE, PVOID, UINT, ULONG, ULONG_PTR
from ntos.ke.win32_service import UserError, user_service
from ntos.win32k.process import current
from ntos.win32k.timer import WindowTimer, find_timer
from ntos.win32k.window import find_window

if TYPE_CHECKING:
    from ntos.ke.thread import Thread
    from ntos.win32k.process import ThreadInfo


@user_service(partial="the tolerance says nothing")
def NtUserSetTimer(
    thread: Thread, hwnd: HANDLE, nIDEvent: ULONG_PTR, dwElapse: UINT, pTimerFunc: PVOID, TimerTolerance: ULONG
) -> ULONG_PTR:
    """Let WM_TIMER come every so many milliseconds; gives the timer's number."""
    info = current(thread)
    if not hwnd:
        timer = find_timer(info, None, nIDEvent) or WindowTimer(info, None, _free_id(info))
        timer.start(dwElapse, pTimerFunc)
        return ULONG_PTR(timer.id)
    window = find_window(thread, hwnd)
    owner = window.owner_thread
    if owner is None or owner.owner is not info.owner:
        raise UserError(ERROR.ACCESS_DENIED)
    timer = find_timer(owner, window, nIDEvent) or WindowTimer(owner, window, nIDEvent)
    timer.start(dwElapse, pTimerFunc)
    return ULONG_PTR(nIDEvent or 1)


def _free_id(info: ThreadInfo) -> int:
    """A number for a timer without window: from 0x7FFF downward, one no such timer of the thread has."""
    session = info.session
    while True:
        session.timer_id = session.timer_id - 1 or 0x7FFF
        if find_timer(info, None, session.timer_id) is None:
            return session.timer_id


@user_service()
def NtUserKillTimer(thread: Thread, hwnd: HANDLE, nIDEvent: ULONG_PTR) -> BOOL:
    """End a timer."""
    info = current(thread)
    window = find_window(thread, hwnd) if hwnd else None
    owner = window.owner_thread if window is not None else info
    timer = find_timer(owner, window, nIDEvent) if owner is not None and owner.owner is info.owner else None
    if timer is None:
        raise UserError(ERROR.INVALID_PARAMETER)
    timer.kill()
    return BOOL(1)


@user_service()
def NtUserValidateTimerCallback(thread: Thread, lParam: PVOID) -> BOOL:
    """Whether a timer of this thread has that function."""
    return BOOL(any(timer.procedure == lParam for timer in current(thread).timers))

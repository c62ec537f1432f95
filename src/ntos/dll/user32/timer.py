"""Timers."""

from __future__ import annotations

from ntos.abi.types import BOOL, HANDLE, PVOID, UINT, ULONG, ULONG_PTR
from ntos.um import nt
from ntos.um.export import export
from ntos.um.thread import UserThread


@export
def SetTimer(thread: UserThread, hWnd: HANDLE, nIDEvent: ULONG_PTR, uElapse: UINT, lpTimerFunc: PVOID) -> ULONG_PTR:
    """Let WM_TIMER come every so many milliseconds."""
    return ULONG_PTR(int(nt.NtUserSetTimer(thread, hWnd, nIDEvent, uElapse, lpTimerFunc, 0)))


@export(partial="the tolerance says nothing")
def SetCoalescableTimer(
    thread: UserThread, hWnd: HANDLE, nIDEvent: ULONG_PTR, uElapse: UINT, lpTimerFunc: PVOID, uToleranceDelay: ULONG
) -> ULONG_PTR:
    """SetTimer with a tolerance."""
    return ULONG_PTR(int(nt.NtUserSetTimer(thread, hWnd, nIDEvent, uElapse, lpTimerFunc, uToleranceDelay)))


@export
def KillTimer(thread: UserThread, hWnd: HANDLE, uIDEvent: ULONG_PTR) -> BOOL:
    """End a timer."""
    return BOOL(int(nt.NtUserKillTimer(thread, hWnd, uIDEvent)))

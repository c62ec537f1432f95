"""Services on focus, activation and what a queue knows of itself; keys, of which none is ever down."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos import ob
from ntos.abi import access as rights
from ntos.abi.errors import ERROR
from ntos.abi.layout.win32k import RECT
from ntos.abi.pointer import In
from ntos.abi.types import BOOL, DWORD, HANDLE, INT, SHORT, UINT, ULONG_PTR
from ntos.abi.winuser import ThreadState as State
from ntos.ke.win32_service import UserError, user_service
from ntos.ps.manager import PROCESS
from ntos.win32k import focus
from ntos.win32k.process import ProcessInfo, current
from ntos.win32k.window import find_window

if TYPE_CHECKING:
    from ntos.ke.thread import Thread
    from ntos.win32k.window import Window

GR_GDIOBJECTS, GR_USEROBJECTS, GR_GDIOBJECTS_PEAK, GR_USEROBJECTS_PEAK = 0, 1, 2, 4
GUI_COUNTS = {
    GR_GDIOBJECTS: "GDIHandleCount", GR_USEROBJECTS: "UserHandleCount", GR_GDIOBJECTS_PEAK: "GDIHandleCountPeak",
    GR_USEROBJECTS_PEAK: "UserHandleCountPeak",
}  # fmt: skip
WINDOWS = {State.FOCUS_WINDOW: focus.FOCUS, State.ACTIVE_WINDOW: focus.ACTIVE, State.CAPTURE_WINDOW: focus.CAPTURE}


def _of_queue(thread: Thread, handle: int) -> Window | None:
    """A window of the calling thread's queue; None for NULL."""
    if not handle:
        return None
    window = find_window(thread, handle)
    if window.owner_thread is not current(thread):
        raise UserError(ERROR.ACCESS_DENIED)
    return window


@user_service()
async def NtUserSetFocus(thread: Thread, hwnd: HANDLE) -> HANDLE:
    """Give a window of this thread the focus; gives the one that had it."""
    return HANDLE(await focus.set_focus(current(thread), _of_queue(thread, hwnd)))


@user_service()
async def NtUserSetActiveWindow(thread: Thread, hwnd: HANDLE) -> HANDLE:
    """Make a top-level window of this thread active; gives the one that was."""
    info, window = current(thread), _of_queue(thread, hwnd)
    former = focus.handle_in(info, focus.ACTIVE)
    if window is not None:
        await focus.activate(info, window.top_level())
    return HANDLE(former)


@user_service()
def NtUserSetCapture(thread: Thread, hwnd: HANDLE) -> HANDLE:
    """Let a window of this thread have the mouse; gives the one that had it."""
    return HANDLE(focus.set_capture(current(thread), _of_queue(thread, hwnd)))


@user_service()
def NtUserGetForegroundWindow(thread: Thread) -> HANDLE:
    """The active window of the program in front."""
    info = current(thread)
    address = int(info.desktop.view.spwndForeground)
    return HANDLE(info.session.objects.by_address[address].handle if address else 0)


@user_service(partial="focus, active and capture window, input, extra information, sender and time of the message")
def NtUserGetThreadState(thread: Thread, ThreadState: UINT) -> ULONG_PTR:
    """A fact about the calling thread's queue by number."""
    info = current(thread)
    if ThreadState in WINDOWS:
        return ULONG_PTR(focus.handle_in(info, WINDOWS[ThreadState]))
    if ThreadState in (State.INPUT_STATE, State.EXTRA_INFORMATION):
        return ULONG_PTR(0)
    if ThreadState == State.IN_SEND_MESSAGE:
        return ULONG_PTR(info.serving[-1].state if info.serving else 0)
    if ThreadState == State.MESSAGE_TIME:
        return ULONG_PTR(int(info.view.timeLast) & 0xFFFF_FFFF)
    raise UserError(ERROR.INVALID_PARAMETER)


@user_service()
def NtUserGetKeyState(thread: Thread, nVirtKey: INT) -> SHORT:
    """Whether a key was down when the last message came: there is no keyboard."""
    return SHORT(0)


@user_service()
def NtUserGetAsyncKeyState(thread: Thread, vKey: INT) -> SHORT:
    """Whether a key is down: there is no keyboard."""
    return SHORT(0)


@user_service()
def NtUserInvalidateRect(thread: Thread, hWnd: HANDLE, lpRect: In[RECT] | None, bErase: BOOL) -> BOOL:
    """Have a part of a window painted anew: none is on a display, so nothing is to be painted."""
    if hWnd:
        find_window(thread, hWnd)
    return BOOL(1)


@user_service()
def NtUserValidateRect(thread: Thread, hWnd: HANDLE, lpRect: In[RECT] | None) -> BOOL:
    """Nothing is to be painted there: that is so."""
    if hWnd:
        find_window(thread, hWnd)
    return BOOL(1)


@user_service()
def NtUserGetGuiResources(thread: Thread, hProcess: HANDLE, uiFlags: UINT) -> DWORD:
    """How many GDI (0) or USER (1) handles a process has; the most it had (2, 4)."""
    if uiFlags not in GUI_COUNTS:
        raise UserError(ERROR.INVALID_PARAMETER)
    process = ob.by_handle(thread, hProcess, rights.PROCESS_QUERY_INFORMATION, PROCESS)
    if not process.has(ProcessInfo):
        return DWORD(0)
    return DWORD(int(getattr(process[ProcessInfo].view.W32, GUI_COUNTS[uiFlags])))

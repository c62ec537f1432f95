"""Focus, activation, keys, and painting that never is due."""

from __future__ import annotations

from ntos.abi.layout.win32k import RECT
from ntos.abi.pointer import Ptr
from ntos.abi.types import BOOL, DWORD, HANDLE, INT, SHORT, UINT
from ntos.abi.winuser import Simple, ThreadState
from ntos.um import nt
from ntos.um.export import export
from ntos.um.thread import UserThread


@export
async def SetFocus(thread: UserThread, hWnd: HANDLE) -> HANDLE:
    """Give a window of this thread the focus; gives the one that had it."""
    return HANDLE(int(await nt.NtUserSetFocus(thread, hWnd)))


@export
def GetFocus(thread: UserThread) -> HANDLE:
    """The window of this thread that has the focus."""
    return HANDLE(int(nt.NtUserGetThreadState(thread, ThreadState.FOCUS_WINDOW)))


@export
async def SetActiveWindow(thread: UserThread, hWnd: HANDLE) -> HANDLE:
    """Make a top-level window of this thread active; gives the one that was."""
    return HANDLE(int(await nt.NtUserSetActiveWindow(thread, hWnd)))


@export
def GetActiveWindow(thread: UserThread) -> HANDLE:
    """The active window of this thread."""
    return HANDLE(int(nt.NtUserGetThreadState(thread, ThreadState.ACTIVE_WINDOW)))


@export
def SetCapture(thread: UserThread, hWnd: HANDLE) -> HANDLE:
    """Let a window have the mouse; gives the one that had it."""
    return HANDLE(int(nt.NtUserSetCapture(thread, hWnd)))


@export
def GetCapture(thread: UserThread) -> HANDLE:
    """The window of this thread that has the mouse."""
    return HANDLE(int(nt.NtUserGetThreadState(thread, ThreadState.CAPTURE_WINDOW)))


@export
def ReleaseCapture(thread: UserThread) -> BOOL:
    """Let the mouse go."""
    return BOOL(int(nt.NtUserCallNoParam(thread, Simple.RELEASE_CAPTURE)))


@export
def GetForegroundWindow(thread: UserThread) -> HANDLE:
    """The active window of the program in front."""
    return HANDLE(int(nt.NtUserGetForegroundWindow(thread)))


@export(partial="only a window of this thread, when no other program is in front")
async def SetForegroundWindow(thread: UserThread, hWnd: HANDLE) -> BOOL:
    """Bring a window and its program to the front."""
    return BOOL(int(await nt.NtUserCallHwndParamLock(thread, hWnd, 0, Simple.SET_FOREGROUND)))


@export
def GetKeyState(thread: UserThread, nVirtKey: INT) -> SHORT:
    """Whether a key was down when the last message came."""
    return SHORT(int(nt.NtUserGetKeyState(thread, nVirtKey)))


@export
def GetAsyncKeyState(thread: UserThread, vKey: INT) -> SHORT:
    """Whether a key is down."""
    return SHORT(int(nt.NtUserGetAsyncKeyState(thread, vKey)))


@export
def InvalidateRect(thread: UserThread, hWnd: HANDLE, lpRect: Ptr[RECT] | None, bErase: BOOL) -> BOOL:
    """Have a part of a window painted anew: nothing is on a display."""
    return BOOL(int(nt.NtUserInvalidateRect(thread, hWnd, lpRect.address if lpRect is not None else 0, bErase)))


@export
def ValidateRect(thread: UserThread, hWnd: HANDLE, lpRect: Ptr[RECT] | None) -> BOOL:
    """Nothing is to be painted there."""
    return BOOL(int(nt.NtUserValidateRect(thread, hWnd, lpRect.address if lpRect is not None else 0)))


@export
def GetGuiResources(thread: UserThread, hProcess: HANDLE, uiFlags: DWORD) -> DWORD:
    """How many GDI (0) or USER (1) handles a process has."""
    return DWORD(int(nt.NtUserGetGuiResources(thread, hProcess, UINT(uiFlags))))

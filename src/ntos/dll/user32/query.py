"""What is known of a window: its place in the tree, its thread, its values."""

from __future__ import annotations

from ntos.abi.errors import ERROR
from ntos.abi.layout.win32k import DESKTOPINFO, WND
from ntos.abi.pointer import Ptr
from ntos.abi.types import BOOL, DWORD, HANDLE, INT, LONG, LONG_PTR, PVOID, UINT
from ntos.abi.winuser import (
    GWL_EXSTYLE,
    GWL_STYLE,
    GWLP_HINSTANCE,
    GWLP_HWNDPARENT,
    GWLP_ID,
    GWLP_USERDATA,
    GWLP_WNDPROC,
    WINDOW_IS_HUNG,
    WINDOW_PROCESS,
    WINDOW_THREAD,
    WS_CHILD,
    WS_DISABLED,
    WS_MAXIMIZE,
    WS_MINIMIZE,
    WS_POPUP,
    ThreadState,
)
from ntos.dll.user32.shared import at, handle_of, is_own, window, window_of
from ntos.um import nt
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread

GW_HWNDFIRST, GW_HWNDLAST, GW_HWNDNEXT, GW_HWNDPREV, GW_OWNER, GW_CHILD = range(6)
FIELDS = {
    GWL_STYLE: "style", GWL_EXSTYLE: "ExStyle", GWLP_HINSTANCE: "hModule", GWLP_ID: "spmenu",
    GWLP_USERDATA: "dwUserData",
}  # fmt: skip
CLIENT_INFO, DESKTOP_INFO = 0x800, 0x20
"""TEB.Win32ClientInfo, and pDeskInfo in it."""


@export
def IsWindow(thread: UserThread, hWnd: HANDLE) -> BOOL:
    """Whether a handle means a window."""
    if window_of(thread, hWnd) is None:
        raise WinError(ERROR.INVALID_WINDOW_HANDLE)
    return BOOL(1)


@export
def IsWindowUnicode(thread: UserThread, hWnd: HANDLE) -> BOOL:
    """Whether its procedure expects wide texts."""
    return BOOL(window(thread, hWnd).bUnicode)


@export
def IsWindowEnabled(thread: UserThread, hWnd: HANDLE) -> BOOL:
    """Whether it may have input."""
    return BOOL(not int(window(thread, hWnd).style) & WS_DISABLED)


@export
def IsIconic(thread: UserThread, hWnd: HANDLE) -> BOOL:
    """Whether it is minimised."""
    return BOOL(bool(int(window(thread, hWnd).style) & WS_MINIMIZE))


@export
def IsZoomed(thread: UserThread, hWnd: HANDLE) -> BOOL:
    """Whether it is maximised."""
    return BOOL(bool(int(window(thread, hWnd).style) & WS_MAXIMIZE))


@export
def IsHungAppWindow(thread: UserThread, hWnd: HANDLE) -> BOOL:
    """Whether its thread has not looked for messages for five seconds."""
    return BOOL(int(nt.NtUserQueryWindow(thread, hWnd, WINDOW_IS_HUNG)))


@export
def GetWindowThreadProcessId(thread: UserThread, hWnd: HANDLE, lpdwProcessId: Ptr[DWORD] | None) -> DWORD:
    """Whose window it is: the thread, and the process where wanted."""
    window(thread, hWnd)
    if lpdwProcessId is not None:
        lpdwProcessId.write(int(nt.NtUserQueryWindow(thread, hWnd, WINDOW_PROCESS)))
    return DWORD(int(nt.NtUserQueryWindow(thread, hWnd, WINDOW_THREAD)))


# ------------------------------------------------------------------ the tree


@export
def GetDesktopWindow(thread: UserThread) -> HANDLE:
    """The window all top-level ones lie in."""
    return HANDLE(desktop_window(thread))


def desktop_window(thread: UserThread) -> int:
    """The desktop's own window, the top of every tree (CLIENTINFO.pDeskInfo leads to it)."""
    place = int(thread.teb.address) + CLIENT_INFO + DESKTOP_INFO
    if not PVOID.load(thread.memory, place):
        nt.NtUserGetThreadState(thread, ThreadState.INPUT_STATE)  # this thread's first call
    information = PVOID.load(thread.memory, place)
    return handle_of(thread, int(DESKTOPINFO(thread.memory, information).spwnd)) if information else 0


@export
def GetParent(thread: UserThread, hWnd: HANDLE) -> HANDLE:
    """The parent of a child, the owner of a popup."""
    view = window(thread, hWnd)
    style = int(view.style)
    if style & WS_CHILD:
        return HANDLE(handle_of(thread, int(view.spwndParent)))
    return HANDLE(handle_of(thread, int(view.spwndOwner)) if style & WS_POPUP else 0)


@export
def GetAncestor(thread: UserThread, hwnd: HANDLE, gaFlags: UINT) -> HANDLE:
    """A window's parent (1), root (2), or root owner (3)."""
    return HANDLE(int(nt.NtUserGetAncestor(thread, hwnd, gaFlags)))


@export
def IsChild(thread: UserThread, hWndParent: HANDLE, hWnd: HANDLE) -> BOOL:
    """Whether a window lies in another, at whatever depth."""
    above, view = window(thread, hWndParent), window(thread, hWnd)
    while int(view.style) & WS_CHILD:
        parent = at(thread, int(view.spwndParent))
        if parent is None:
            break
        if parent.address == above.address:
            return BOOL(1)
        view = parent
    return BOOL(0)


@export
def GetWindow(thread: UserThread, hWnd: HANDLE, uCmd: UINT) -> HANDLE:
    """A relative of a window."""
    view = window(thread, hWnd)
    if uCmd in (GW_HWNDFIRST, GW_HWNDLAST):
        field = "spwndPrev" if uCmd == GW_HWNDFIRST else "spwndNext"
        while (other := at(thread, int(getattr(view, field)))) is not None:
            view = other
        return HANDLE(int(view.head.h))
    fields = {GW_HWNDNEXT: "spwndNext", GW_HWNDPREV: "spwndPrev", GW_OWNER: "spwndOwner", GW_CHILD: "spwndChild"}
    if uCmd not in fields:
        raise WinError(ERROR.INVALID_GW_COMMAND)
    return HANDLE(handle_of(thread, int(getattr(view, fields[uCmd]))))


@export
def GetTopWindow(thread: UserThread, hWnd: HANDLE) -> HANDLE:
    """The topmost window in a window; NULL means the desktop."""
    return HANDLE(handle_of(thread, int(window(thread, hWnd or desktop_window(thread)).spwndChild)))


# ------------------------------------------------------------------ values


def _value(thread: UserThread, handle: int, index: int, *, narrow: bool, size: int) -> int:
    view = window(thread, handle)
    if index == GWLP_WNDPROC:
        return _procedure(thread, handle, view, narrow=narrow)
    if index == GWLP_HWNDPARENT:
        child = int(view.style) & WS_CHILD
        return handle_of(thread, int(view.spwndParent if child else view.spwndOwner))
    if index in FIELDS:
        return int(getattr(view, FIELDS[index]))
    if index < 0 or index + size > int(view.cbwndExtra):
        raise WinError(ERROR.INVALID_INDEX)
    return int.from_bytes(thread.memory.read(view.address + WND.size + index, size), "little")


def _procedure(thread: UserThread, handle: int, view: WND, *, narrow: bool) -> int:
    if not is_own(thread, handle):
        raise WinError(ERROR.ACCESS_DENIED)
    if bool(view.bUnicode) != narrow:
        return int(view.lpfnWndProc)
    return int(nt.NtUserGetCPD(thread, handle, int(narrow), int(view.lpfnWndProc)))


@export
def GetWindowLongPtrW(thread: UserThread, hWnd: HANDLE, nIndex: INT) -> LONG_PTR:
    """One of a window's values."""
    return LONG_PTR(_value(thread, hWnd, nIndex, narrow=False, size=8))


@export
def GetWindowLongPtrA(thread: UserThread, hWnd: HANDLE, nIndex: INT) -> LONG_PTR:
    """One of a window's values."""
    return LONG_PTR(_value(thread, hWnd, nIndex, narrow=True, size=8))


@export
def GetWindowLongW(thread: UserThread, hWnd: HANDLE, nIndex: INT) -> LONG:
    """The same, 32 bits of it."""
    return LONG(_value(thread, hWnd, nIndex, narrow=False, size=4))


@export
def GetWindowLongA(thread: UserThread, hWnd: HANDLE, nIndex: INT) -> LONG:
    """The same, 32 bits of it."""
    return LONG(_value(thread, hWnd, nIndex, narrow=True, size=4))


@export
async def SetWindowLongPtrW(thread: UserThread, hWnd: HANDLE, nIndex: INT, dwNewLong: LONG_PTR) -> LONG_PTR:
    """Change a value; gives the former one."""
    return LONG_PTR(int(await nt.NtUserSetWindowLongPtr(thread, hWnd, nIndex, dwNewLong, 0)))


@export
async def SetWindowLongPtrA(thread: UserThread, hWnd: HANDLE, nIndex: INT, dwNewLong: LONG_PTR) -> LONG_PTR:
    """Change a value; gives the former one."""
    return LONG_PTR(int(await nt.NtUserSetWindowLongPtr(thread, hWnd, nIndex, dwNewLong, 1)))


@export
async def SetWindowLongW(thread: UserThread, hWnd: HANDLE, nIndex: INT, dwNewLong: LONG) -> LONG:
    """Change a value of 32 bits."""
    return LONG(int(await nt.NtUserSetWindowLong(thread, hWnd, nIndex, dwNewLong, 0)))


@export
async def SetWindowLongA(thread: UserThread, hWnd: HANDLE, nIndex: INT, dwNewLong: LONG) -> LONG:
    """Change a value of 32 bits."""
    return LONG(int(await nt.NtUserSetWindowLong(thread, hWnd, nIndex, dwNewLong, 1)))

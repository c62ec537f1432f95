"""Making, ending, showing and moving windows."""

from __future__ import annotations

from ntos.abi.layout.win32k import RECT
from ntos.abi.pointer import Ptr
from ntos.abi.types import BOOL, DWORD, HANDLE, INT, PVOID, UINT, WCHAR
from ntos.abi.winuser import WS_CHILD, Simple
from ntos.dll.kernelbase.text import export_both, optional_text
from ntos.dll.user32.shared import at, window
from ntos.dll.user32.string import large_name, large_string
from ntos.um import nt
from ntos.um.export import export
from ntos.um.thread import UserThread


@export_both()
async def CreateWindowExW(
    thread: UserThread, dwExStyle: DWORD, lpClassName: Ptr[WCHAR] | None, lpWindowName: Ptr[WCHAR] | None,
    dwStyle: DWORD, X: INT, Y: INT, nWidth: INT, nHeight: INT, hWndParent: HANDLE, hMenu: HANDLE, hInstance: HANDLE,
    lpParam: PVOID,
) -> HANDLE:  # fmt: skip
    """Create a window; its procedure sees WM_NCCREATE and WM_CREATE first."""
    with thread.frame() as frame:
        name, title = large_name(frame, lpClassName), large_string(frame, optional_text(lpWindowName))
        made = await nt.NtUserCreateWindowEx(
            thread, dwExStyle, name, 0, title, dwStyle, X, Y, nWidth, nHeight, hWndParent, hMenu, hInstance, lpParam,
            0, 0,
        )  # fmt: skip
        return HANDLE(int(made))


@export
async def DestroyWindow(thread: UserThread, hWnd: HANDLE) -> BOOL:
    """Destroy a window of this thread."""
    return BOOL(int(await nt.NtUserDestroyWindow(thread, hWnd)))


@export(partial="style bits, messages, activation; nothing is painted")
async def ShowWindow(thread: UserThread, hWnd: HANDLE, nCmdShow: INT) -> BOOL:
    """Show or hide a window; whether it was visible."""
    return BOOL(int(await nt.NtUserShowWindow(thread, hWnd, nCmdShow)))


@export
async def SetWindowPos(
    thread: UserThread, hWnd: HANDLE, hWndInsertAfter: HANDLE, X: INT, Y: INT, cx: INT, cy: INT, uFlags: UINT
) -> BOOL:
    """Move, size, show, hide or reorder a window."""
    return BOOL(int(await nt.NtUserSetWindowPos(thread, hWnd, hWndInsertAfter, X, Y, cx, cy, uFlags)))


@export
async def MoveWindow(
    thread: UserThread, hWnd: HANDLE, X: INT, Y: INT, nWidth: INT, nHeight: INT, bRepaint: BOOL
) -> BOOL:
    """Move and size a window."""
    return BOOL(int(await nt.NtUserMoveWindow(thread, hWnd, X, Y, nWidth, nHeight, bRepaint)))


@export
async def EnableWindow(thread: UserThread, hWnd: HANDLE, bEnable: BOOL) -> BOOL:
    """Let a window have input or not; whether it was disabled."""
    return BOOL(int(await nt.NtUserCallHwndParamLock(thread, hWnd, bEnable, Simple.ENABLE_WINDOW)))


@export
def SetParent(thread: UserThread, hWndChild: HANDLE, hWndNewParent: HANDLE) -> HANDLE:
    """Let a window lie in another."""
    return HANDLE(int(nt.NtUserSetParent(thread, hWndChild, hWndNewParent)))


@export
def ChangeWindowMessageFilterEx(
    thread: UserThread, hwnd: HANDLE, message: UINT, action: DWORD, pChangeFilterStruct: PVOID
) -> BOOL:
    """Let a message of processes of lower integrity pass to a window."""
    return BOOL(int(nt.NtUserChangeWindowMessageFilterEx(thread, hwnd, message, action, pChangeFilterStruct)))


@export
def UpdateWindow(thread: UserThread, hWnd: HANDLE) -> BOOL:
    """Paint at once what is to be painted: nothing is ever, for want of a display."""
    window(thread, hWnd)
    return BOOL(1)


@export
def GetWindowRect(thread: UserThread, hWnd: HANDLE, lpRect: Ptr[RECT]) -> BOOL:
    """Where a window is on the desktop."""
    lpRect.write_bytes(bytes(window(thread, hWnd).rcWindow))
    return BOOL(1)


@export
def GetClientRect(thread: UserThread, hWnd: HANDLE, lpRect: Ptr[RECT]) -> BOOL:
    """How large a window's client area is."""
    area, size = window(thread, hWnd).rcClient, RECT.new()
    size.right, size.bottom = int(area.right) - int(area.left), int(area.bottom) - int(area.top)
    lpRect.write_bytes(bytes(size))
    return BOOL(1)


def visible(thread: UserThread, handle: int) -> bool:
    """Whether a window and all it lies in have WS_VISIBLE."""
    view = window(thread, handle)
    while int(view.style) & 0x1000_0000:
        parent = at(thread, int(view.spwndParent))
        if not int(view.style) & WS_CHILD or parent is None:
            return True
        view = parent
    return False


@export
def IsWindowVisible(thread: UserThread, hWnd: HANDLE) -> BOOL:
    """Whether a window would be seen."""
    return BOOL(visible(thread, hWnd))

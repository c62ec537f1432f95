"""Points and rectangles of windows. A client area is all of its window: there are no borders to draw."""

from __future__ import annotations

from ntos.abi.layout.win32k import RECT
from ntos.abi.pointer import Ptr
from ntos.abi.types import BOOL, DWORD, HANDLE, INT, LONG, UINT
from ntos.dll.user32.shared import window
from ntos.um import nt
from ntos.um.export import export
from ntos.um.thread import UserThread

HWND_TOP, SWP_NOSIZE, SWP_NOMOVE = 0, 1, 2


def _origin(thread: UserThread, handle: int) -> tuple[int, int]:
    """Where a window's client area begins on the desktop; NULL is the desktop itself."""
    if not handle:
        return 0, 0
    area = window(thread, handle).rcClient
    return int(area.left), int(area.top)


def _shift(points: Ptr[LONG], count: int, by: tuple[int, int]) -> None:
    for index in range(count):
        points[2 * index] = LONG.wrap(points[2 * index] + by[0])
        points[2 * index + 1] = LONG.wrap(points[2 * index + 1] + by[1])


@export
def ClientToScreen(thread: UserThread, hWnd: HANDLE, lpPoint: Ptr[LONG]) -> BOOL:
    """A point of a window's client area, on the desktop."""
    window(thread, hWnd)
    _shift(lpPoint, 1, _origin(thread, hWnd))
    return BOOL(1)


@export
def ScreenToClient(thread: UserThread, hWnd: HANDLE, lpPoint: Ptr[LONG]) -> BOOL:
    """A point of the desktop, in a window's client area."""
    window(thread, hWnd)
    x, y = _origin(thread, hWnd)
    _shift(lpPoint, 1, (-x, -y))
    return BOOL(1)


@export
def MapWindowPoints(
    thread: UserThread, hWndFrom: HANDLE, hWndTo: HANDLE, lpPoints: Ptr[LONG], cPoints: UINT
) -> INT:
    """Points of one window's client area, in another's; gives how far they moved."""
    before, after = _origin(thread, hWndFrom), _origin(thread, hWndTo)
    x, y = before[0] - after[0], before[1] - after[1]
    _shift(lpPoints, cPoints, (x, y))
    return INT((y & 0xFFFF) << 16 | x & 0xFFFF)


@export
def AdjustWindowRectEx(
    thread: UserThread, lpRect: Ptr[RECT], dwStyle: DWORD, bMenu: BOOL, dwExStyle: DWORD
) -> BOOL:
    """How large a window is whose client area is a rectangle: as large."""
    lpRect.write_bytes(lpRect.read_bytes(RECT.size))
    return BOOL(1)


@export
def AdjustWindowRect(thread: UserThread, lpRect: Ptr[RECT], dwStyle: DWORD, bMenu: BOOL) -> BOOL:
    """The same without extended styles."""
    lpRect.write_bytes(lpRect.read_bytes(RECT.size))
    return BOOL(1)


@export
async def BringWindowToTop(thread: UserThread, hWnd: HANDLE) -> BOOL:
    """Put a window before its siblings."""
    flags = SWP_NOSIZE | SWP_NOMOVE
    return BOOL(int(await nt.NtUserSetWindowPos(thread, hWnd, HWND_TOP, 0, 0, 0, 0, flags)))

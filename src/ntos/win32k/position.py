"""SetWindowPos: where a window is, how large, in which order, and whether it is visible."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.layout.win32k import WINDOWPOS
from ntos.abi.winuser import WM, WS_CHILD, WS_VISIBLE
from ntos.win32k import message

if TYPE_CHECKING:
    from ntos.abi.layout.win32k import RECT
    from ntos.win32k.process import ThreadInfo
    from ntos.win32k.window import Window

SWP_NOSIZE, SWP_NOMOVE, SWP_NOZORDER, SWP_SHOWWINDOW, SWP_HIDEWINDOW = 1, 2, 4, 0x40, 0x80
SWP_NOSENDCHANGING = 0x400
HWND_TOP, HWND_BOTTOM = 0, 1


async def set_position(
    info: ThreadInfo, window: Window, after: int, place: tuple[int, int, int, int], flags: int
) -> None:
    """SetWindowPos: WM_WINDOWPOSCHANGING may change the wish, WM_WINDOWPOSCHANGED tells the outcome."""
    thread = info.thread
    with thread.frame() as frame:
        wish = frame.new(WINDOWPOS)
        wish.hwnd, wish.hwndInsertAfter, wish.flags = window.handle, after, flags
        wish.x, wish.y, wish.cx, wish.cy = place
        if not flags & SWP_NOSENDCHANGING:
            await message.send(info, window, WM.WINDOWPOSCHANGING, 0, wish.address)
        if not window.alive:
            return
        _apply(window, wish)
        await message.send(info, window, WM.WINDOWPOSCHANGED, 0, wish.address)


def _apply(window: Window, wish: WINDOWPOS) -> None:
    view, flags = window.view, int(wish.flags)
    old = view.rcWindow
    x, y = int(old.left), int(old.top)
    width, height = int(old.right) - x, int(old.bottom) - y
    if not flags & SWP_NOMOVE:
        x, y = int(wish.x), int(wish.y)
        parent = window.parent
        if window.style & WS_CHILD and parent is not None:
            x, y = x + int(parent.view.rcClient.left), y + int(parent.view.rcClient.top)
    if not flags & SWP_NOSIZE:
        width, height = max(int(wish.cx), 0), max(int(wish.cy), 0)
    for area in (view.rcWindow, view.rcClient):
        set_rectangle(area, x, y, x + width, y + height)
    if flags & SWP_SHOWWINDOW:
        view.style = window.style | WS_VISIBLE
    if flags & SWP_HIDEWINDOW:
        view.style = window.style & ~WS_VISIBLE
    if not flags & SWP_NOZORDER:
        _reorder(window, int(wish.hwndInsertAfter))


def set_rectangle(area: RECT, left: int, top: int, right: int, bottom: int) -> None:
    """Write a rectangle."""
    area.left, area.top, area.right, area.bottom = left, top, right, bottom


def _reorder(window: Window, after: int) -> None:
    parent = window.parent
    if parent is None:
        return
    siblings = [each for each in parent.children() if each is not window]
    if after == HWND_BOTTOM:
        siblings.append(window)
    else:
        before = next((index for index, each in enumerate(siblings) if each.handle == after), -1)
        siblings.insert(before + 1, window)
    parent.order(siblings)

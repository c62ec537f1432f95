"""Showing and enabling windows: style bits, and the messages about them.

No display: nothing is painted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.winuser import WM, WS_CHILD, WS_DISABLED, WS_MAXIMIZE, WS_MINIMIZE, WS_VISIBLE
from ntos.win32k import focus, message
from ntos.win32k.default import place_of, size_of
from ntos.win32k.position import (
    HWND_TOP,
    SWP_HIDEWINDOW,
    SWP_NOMOVE,
    SWP_NOSIZE,
    SWP_NOZORDER,
    SWP_SHOWWINDOW,
    set_position,
)

if TYPE_CHECKING:
    from ntos.win32k.process import ThreadInfo
    from ntos.win32k.window import Window

SW_HIDE = 0
MINIMIZING, MAXIMIZING, RESTORING = frozenset({2, 6, 7, 11}), frozenset({3}), frozenset({1, 9, 10})
WITHOUT_ACTIVATION = frozenset({4, 6, 7, 8, 11})
"""SW_SHOWNOACTIVATE, SW_MINIMIZE, SW_SHOWMINNOACTIVE, SW_SHOWNA, SW_FORCEMINIMIZE."""
SIZE_RESTORED = 0


async def show_window(info: ThreadInfo, window: Window, command: int) -> bool:
    """ShowWindow; whether it was visible before."""
    was_visible = bool(window.style & WS_VISIBLE)
    style = window.style
    if command in MINIMIZING:
        style |= WS_MINIMIZE
    elif command in MAXIMIZING:
        style = style & ~WS_MINIMIZE | WS_MAXIMIZE
    elif command in RESTORING:
        style &= ~(WS_MINIMIZE | WS_MAXIMIZE)
    window.view.style = style
    visible = command != SW_HIDE
    if visible == was_visible:
        return was_visible
    await message.send(info, window, WM.SHOWWINDOW, int(visible), 0)
    if not window.alive:
        return was_visible
    await _set_visible(info, window, visible=visible)
    if window.alive:
        await _activation(info, window, command)
    if visible and window.alive and window.view.bSendSizeMoveMsgs:
        window.view.bSendSizeMoveMsgs = 0
        await message.send(info, window, WM.SIZE, SIZE_RESTORED, size_of(window))
        if window.alive:
            await message.send(info, window, WM.MOVE, 0, place_of(window))
    return was_visible


async def _activation(info: ThreadInfo, window: Window, command: int) -> None:
    """A top-level window that is shown becomes active, unless the command says otherwise; a hidden one no longer is."""
    if command == SW_HIDE:
        await focus.deactivate(info, window)
    elif command not in WITHOUT_ACTIVATION and not window.style & WS_CHILD and window.owner_thread is info:
        await focus.activate(info, window)


async def _set_visible(info: ThreadInfo, window: Window, *, visible: bool) -> None:
    flags = SWP_NOSIZE | SWP_NOMOVE | (SWP_SHOWWINDOW if visible else SWP_HIDEWINDOW)
    if window.style & WS_CHILD:
        flags |= SWP_NOZORDER
    await set_position(info, window, HWND_TOP, (0, 0, 0, 0), flags)


async def enable_window(info: ThreadInfo, window: Window, *, enable: bool) -> bool:
    """EnableWindow; whether it was disabled before."""
    was_disabled = bool(window.style & WS_DISABLED)
    if was_disabled == enable:
        window.view.style = window.style & ~WS_DISABLED if enable else window.style | WS_DISABLED
        await message.send(info, window, WM.ENABLE, int(enable), 0)
    return was_disabled

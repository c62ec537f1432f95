"""What a window does when its program says nothing: DefWindowProc, as far as it needs no drawing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from ntos.abi.layout.win32k import CREATESTRUCTW, WINDOWPOS
from ntos.abi.winuser import WM, WS_MINIMIZE
from ntos.win32k import destroy, focus, message
from ntos.win32k.payload import encoded, read_text

if TYPE_CHECKING:
    from ntos.win32k.process import ThreadInfo
    from ntos.win32k.window import Window

Handler = Callable[["ThreadInfo", "Window", int, int, bool], Awaitable[int]]
WM_SYSCOMMAND, SC_CLOSE = 0x112, 0xF060
SWP_NOSIZE, SWP_NOMOVE = 1, 2
ALWAYS = {WM.QUERYENDSESSION: 1, WM.QUERYOPEN: 1, WM.NCACTIVATE: 1, 0x21: 1, 0x84: 1, 0x2E: 0xFFFF_FFFF_FFFF_FFFF}
"""Answers that never change: yes, you may end; WM_MOUSEACTIVATE (MA_ACTIVATE), WM_NCHITTEST (HTCLIENT),
WM_VKEYTOITEM (do the usual).
"""


async def default_procedure(
    info: ThreadInfo, window: Window, number: int, parameter: int, long_parameter: int, *, narrow: bool
) -> int:
    """The answer to a message (xxxDefWindowProc)."""
    handler = HANDLERS.get(number)
    if handler is None:
        return ALWAYS.get(number, 0)
    return await handler(info, window, parameter, long_parameter, narrow)


async def _non_client_create(info: ThreadInfo, window: Window, parameter: int, place: int, narrow: bool) -> int:
    if place:
        created = CREATESTRUCTW(info.thread.memory, place)
        window.text = read_text(info.thread, int(created.lpszName), narrow)
    return 1


async def _set_text(info: ThreadInfo, window: Window, parameter: int, place: int, narrow: bool) -> int:
    window.text = read_text(info.thread, place, narrow)
    return 1


async def _get_text(info: ThreadInfo, window: Window, room: int, place: int, narrow: bool) -> int:
    if not room or not place:
        return 0
    unit = 1 if narrow else 2
    data = encoded(window.text, narrow)[:-unit][: (room - 1) * unit]
    info.thread.memory.write(place, data + bytes(unit))
    return len(data) // unit


async def _text_length(info: ThreadInfo, window: Window, parameter: int, place: int, narrow: bool) -> int:
    unit = 1 if narrow else 2
    return len(encoded(window.text, narrow)) // unit - 1


async def _close(info: ThreadInfo, window: Window, parameter: int, place: int, narrow: bool) -> int:
    await destroy.destroy_window(info, window)
    return 0


async def _system_command(info: ThreadInfo, window: Window, command: int, place: int, narrow: bool) -> int:
    if command & 0xFFF0 == SC_CLOSE:
        await message.send(info, window, WM.CLOSE, 0, 0)
    return 0


async def _position_changed(info: ThreadInfo, window: Window, parameter: int, place: int, narrow: bool) -> int:
    """WM_WINDOWPOSCHANGED becomes WM_MOVE and WM_SIZE."""
    position = WINDOWPOS.parse(info.thread.memory.read(place, WINDOWPOS.size))
    if not int(position.flags) & SWP_NOMOVE:
        await message.send(info, window, WM.MOVE, 0, place_of(window))
    if window.alive and not int(position.flags) & SWP_NOSIZE:
        await message.send(info, window, WM.SIZE, 0, size_of(window))
    return 0


def place_of(window: Window) -> int:
    """The client area's corner, as WM_MOVE's lParam says it."""
    area = window.view.rcClient
    return (int(area.top) & 0xFFFF) << 16 | int(area.left) & 0xFFFF


def size_of(window: Window) -> int:
    """The client area's size, as WM_SIZE's lParam says it."""
    area = window.view.rcClient
    return (int(area.bottom) - int(area.top) & 0xFFFF) << 16 | int(area.right) - int(area.left) & 0xFFFF


async def _activated(info: ThreadInfo, window: Window, how: int, place: int, narrow: bool) -> int:
    """An active window takes the focus, unless it is minimised."""
    if how & 0xFFFF and not window.style & WS_MINIMIZE:
        await focus.set_focus(info, window)
    return 0


HANDLERS: dict[int, Handler] = {
    WM.NCCREATE: _non_client_create, WM.SETTEXT: _set_text, WM.GETTEXT: _get_text, WM.GETTEXTLENGTH: _text_length,
    WM.CLOSE: _close, WM.ACTIVATE: _activated, WM_SYSCOMMAND: _system_command, WM.WINDOWPOSCHANGED: _position_changed,
}  # fmt: skip
message.BuiltIn.procedure = staticmethod(default_procedure)

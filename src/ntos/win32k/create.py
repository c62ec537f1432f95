"""CreateWindowEx: the window, and the messages with which it comes to life (xxxCreateWindowEx)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ntos.abi.errors import ERROR
from ntos.abi.layout.win32k import CREATESTRUCTW, MINMAXINFO
from ntos.abi.winuser import (
    HWND_MESSAGE,
    WM,
    WS_CAPTION,
    WS_CHILD,
    WS_CLIPSIBLINGS,
    WS_POPUP,
    WS_THICKFRAME,
    WS_VISIBLE,
)
from ntos.etw.event import WindowCreated
from ntos.ke.win32_service import UserError
from ntos.win32k import destroy, message
from ntos.win32k.default import place_of, size_of
from ntos.win32k.payload import encoded
from ntos.win32k.position import set_rectangle
from ntos.win32k.show import show_window
from ntos.win32k.window import Window, find_window

if TYPE_CHECKING:
    from ntos.win32k.classes import WindowClass
    from ntos.win32k.process import ThreadInfo

USE_DEFAULT = -0x8000_0000
FAILED = 0xFFFF_FFFF
SW_SHOWNORMAL = 1


@dataclass(slots=True)
class Wish:
    """What CreateWindowEx was asked for."""

    kind: WindowClass
    class_text: str
    title: str | None
    style: int
    extended_style: int
    place: tuple[int, int, int, int]
    parent: int
    menu: int
    instance: int
    parameter: int


def _relatives(info: ThreadInfo, wish: Wish) -> tuple[Window, Window | None]:
    """(parent, owner) of the new window."""
    desktop = info.desktop
    assert desktop.root is not None
    assert desktop.messages is not None
    if wish.parent == HWND_MESSAGE:
        return desktop.messages, None
    given = find_window(info.thread, wish.parent) if wish.parent else None
    if given is desktop.messages:
        return desktop.messages, None
    if wish.style & WS_CHILD:
        if given is None:
            raise UserError(ERROR.TLW_WITH_WSCHILD)
        return given, None
    return desktop.root, given.top_level() if given is not None and given is not desktop.root else None


def _final_style(style: int) -> int:
    if not style & (WS_CHILD | WS_POPUP):
        style |= WS_CAPTION
    return style if style & WS_CHILD else style | WS_CLIPSIBLINGS


def _rectangles(window: Window, wish: Wish, parent: Window) -> None:
    """Where it is: with no display, default place and size are 0; a client area is all of the window."""
    x, y, width, height = (0 if value == USE_DEFAULT else value for value in wish.place)
    if wish.style & WS_CHILD:
        x, y = x + int(parent.view.rcClient.left), y + int(parent.view.rcClient.top)
    for area in (window.view.rcWindow, window.view.rcClient):
        set_rectangle(area, x, y, x + max(width, 0), y + max(height, 0))


async def create_window(info: ThreadInfo, wish: Wish) -> Window:
    """A window of this thread; UserError where its procedure refused it (no error is set then)."""
    parent, owner = _relatives(info, wish)
    window = Window(info.session, wish.kind, info, info.desktop)
    view = window.view
    view.style = _final_style(wish.style) & ~WS_VISIBLE
    view.ExStyle, view.hModule, view.spmenu = wish.extended_style, wish.instance, wish.menu
    view.spwndOwner = owner.view.address if owner is not None else 0
    overlapped = not wish.style & (WS_CHILD | WS_POPUP)
    view.bSendSizeMoveMsgs = int(overlapped)
    _rectangles(window, wish, parent)
    window.link(parent, top=not wish.style & WS_CHILD)
    if info.thread.kernel.log.wants(WindowCreated):
        _announce(window, wish)
    if not await _come_to_life(info, window, wish):
        raise UserError(0)
    if not overlapped:
        await message.send(info, window, WM.SIZE, 0, size_of(window))
        if window.alive:
            await message.send(info, window, WM.MOVE, 0, place_of(window))
    if window.alive:
        await message.notify_parents(info, window, int(WM.CREATE) | (wish.menu & 0xFFFF) << 16)
    if window.alive and wish.style & WS_VISIBLE:
        await show_window(info, window, SW_SHOWNORMAL)
    if not window.alive:
        raise UserError(0)
    return window


def _announce(window: Window, wish: Wish) -> None:
    window.session.kernel.log.emit(
        WindowCreated(
            handle=window.handle, window_class=wish.class_text, title=wish.title or "", style=wish.style & 0xFFFF_FFFF,
            desktop=f"{window.desktop.station.name}\\{window.desktop.name}",
        )
    )  # fmt: skip


async def _come_to_life(info: ThreadInfo, window: Window, wish: Wish) -> bool:
    """WM_GETMINMAXINFO, WM_NCCREATE, WM_NCCALCSIZE, WM_CREATE; False when the procedure will not have it."""
    thread = info.thread
    with thread.frame() as frame:
        if wish.style & WS_THICKFRAME or not wish.style & (WS_CHILD | WS_POPUP):
            await _send(info, window, WM.GETMINMAXINFO, 0, frame.new(MINMAXINFO).address)
        created = frame.new(CREATESTRUCTW)
        created.lpCreateParams, created.hInstance, created.hMenu = wish.parameter, wish.instance, wish.menu
        created.hwndParent, created.style, created.dwExStyle = wish.parent, wish.style, wish.extended_style
        created.x, created.y, created.cx, created.cy = wish.place
        if wish.title is not None:
            created.lpszName = frame.bytes(encoded(wish.title, window.ansi))
        atom = not wish.class_text or wish.class_text.startswith("#")
        created.lpszClass = wish.kind.atom if atom else frame.bytes(encoded(wish.class_text, window.ansi))
        place = created.address
        if not await _send(info, window, WM.NCCREATE, 0, place):
            await destroy.free_window(info, window)
            return False
        await _send(info, window, WM.NCCALCSIZE, 0, frame.bytes(bytes(window.view.rcWindow)))
        if await _send(info, window, WM.CREATE, 0, place) & FAILED == FAILED:
            if window.alive:
                await destroy.destroy_window(info, window)
            return False
    return window.alive


async def _send(info: ThreadInfo, window: Window, number: int, parameter: int, place: int) -> int:
    """To the new window, in its own character set."""
    if not window.alive:
        return 0
    return await message.send_own(info, window, number, parameter, place, narrow=window.ansi)

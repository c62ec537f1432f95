"""Which of a thread's windows is active, has the focus, has the mouse; and which window of the desktop is in front.

All of it is state of the queue (tagQ) and the desktop: it needs no display, and no user changes it here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.winuser import WM, WS_CHILD, WS_DISABLED
from ntos.win32k import message

if TYPE_CHECKING:
    from ntos.win32k.process import ThreadInfo
    from ntos.win32k.window import Window

WA_INACTIVE, WA_ACTIVE = 0, 1
CAPTURE, FOCUS, ACTIVE = "spwndCapture", "spwndFocus", "spwndActive"


def held(info: ThreadInfo, field: str) -> Window | None:
    """The window a field of the queue leads to."""
    address = int(getattr(info.queue, field))
    return info.session.objects.by_address.get(address) if address else None


def handle_in(info: ThreadInfo, field: str) -> int:
    """Its handle, or 0."""
    found = held(info, field)
    return found.handle if found is not None else 0


def _put(info: ThreadInfo, field: str, window: Window | None) -> None:
    setattr(info.queue, field, window.view.address if window is not None else 0)


async def set_focus(info: ThreadInfo, window: Window | None) -> int:
    """SetFocus: WM_KILLFOCUS to the one that had it, WM_SETFOCUS to the one that gets it; the former's handle."""
    former, former_handle = held(info, FOCUS), handle_in(info, FOCUS)
    if former is window:
        return former_handle
    if window is not None:
        top = window.top_level()
        if held(info, ACTIVE) is not top:
            await activate(info, top)
            if not window.alive:
                return 0
        former = held(info, FOCUS)
        if former is window:
            return former_handle  # being activated has given it the focus
    _put(info, FOCUS, window)
    if former is not None and former.alive:
        await message.send(info, former, WM.KILLFOCUS, window.handle if window is not None else 0, 0)
    if window is not None and held(info, FOCUS) is window:
        await message.send(info, window, WM.SETFOCUS, former_handle, 0)
    return former_handle


async def activate(info: ThreadInfo, window: Window) -> None:
    """Make a top-level window of the thread the active one (xxxActivateThisWindow)."""
    former = held(info, ACTIVE)
    if former is window or window.style & (WS_CHILD | WS_DISABLED):
        return
    if former is not None:
        await _say_inactive(info, former, window.handle)
    _put(info, ACTIVE, window)
    _bring_to_front(info, window)
    if former is None:
        await message.send(info, window, WM.ACTIVATEAPP, 1, 0)
    if window.alive:
        await message.send(info, window, WM.NCACTIVATE, 1, 0)
    if window.alive:
        await message.send(info, window, WM.ACTIVATE, WA_ACTIVE, former.handle if former is not None else 0)


async def deactivate(info: ThreadInfo, window: Window) -> None:
    """The active window is hidden or destroyed: nothing is active then."""
    if held(info, ACTIVE) is not window:
        return
    await _say_inactive(info, window, 0)
    if window.alive:
        await message.send(info, window, WM.ACTIVATEAPP, 0, 0)
    _put(info, ACTIVE, None)
    if int(window.desktop.view.spwndForeground) == window.view.address:
        window.desktop.view.spwndForeground = 0
    await set_focus(info, None)


async def _say_inactive(info: ThreadInfo, window: Window, following: int) -> None:
    await message.send(info, window, WM.NCACTIVATE, 0, 0)
    if window.alive:
        await message.send(info, window, WM.ACTIVATE, WA_INACTIVE, following)


def _bring_to_front(info: ThreadInfo, window: Window) -> None:
    """In front of the desktop, if nobody is or the one who is belongs to the same program."""
    desktop = window.desktop
    front = window.at(int(desktop.view.spwndForeground))
    if front is None or (front.owner_thread is not None and front.owner_thread.owner is info.owner):
        desktop.view.spwndForeground = window.view.address


def set_capture(info: ThreadInfo, window: Window | None) -> int:
    """SetCapture: the former's handle."""
    former = handle_in(info, CAPTURE)
    _put(info, CAPTURE, window)
    return former

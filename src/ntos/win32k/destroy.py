"""DestroyWindow: the window and all that belongs to it, in the order Windows tells them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.errors import ERROR
from ntos.abi.winuser import WM, WS_VISIBLE
from ntos.etw.event import WindowDestroyed
from ntos.ke.win32_service import UserError
from ntos.win32k import focus, message
from ntos.win32k.position import (
    HWND_TOP,
    SWP_HIDEWINDOW,
    SWP_NOMOVE,
    SWP_NOSIZE,
    SWP_NOZORDER,
    set_position,
)
from ntos.win32k.queue import drop_messages

if TYPE_CHECKING:
    from ntos.win32k.process import ThreadInfo
    from ntos.win32k.window import Window

HIDE = SWP_HIDEWINDOW | SWP_NOSIZE | SWP_NOMOVE | SWP_NOZORDER


async def destroy_window(info: ThreadInfo, window: Window) -> None:
    """xxxDestroyWindow: refused for a window of another thread."""
    if window.owner_thread is not info:
        raise UserError(ERROR.ACCESS_DENIED)
    if window.destroying:
        return
    window.destroying = True
    await message.notify_parents(info, window, int(WM.DESTROY) | (int(window.view.spmenu) & 0xFFFF) << 16)
    await _destroy_owned(info, window)
    if window.alive and window.style & WS_VISIBLE:
        await set_position(info, window, HWND_TOP, (0, 0, 0, 0), HIDE)
    if window.alive:
        await focus.deactivate(info, window)
    await _say_destroy(info, window)
    await free_window(info, window)


async def _destroy_owned(info: ThreadInfo, window: Window) -> None:
    root = window.desktop.root
    for other in root.children() if root is not None else ():
        if other.alive and other.owner is window and other.owner_thread is info:
            await destroy_window(info, other)


async def _say_destroy(info: ThreadInfo, window: Window) -> None:
    """WM_DESTROY, first to the window, then to what lies in it."""
    if not window.alive:
        return
    await message.send(info, window, WM.DESTROY, 0, 0)
    for child in window.children() if window.alive else ():
        if child.alive and child.parent is window:
            await _say_destroy(info, child)


async def free_window(info: ThreadInfo, window: Window) -> None:
    """WM_NCDESTROY, first to what lies in the window, then to itself; then it is gone."""
    if not window.alive:
        return
    window.destroying = True
    for child in window.children():
        if child.alive and child.owner_thread is info:
            await free_window(info, child)
    await message.send(info, window, WM.NCDESTROY, 0, 0)
    if window in info.windows:
        drop_messages(info, window.handle)
        kernel = info.thread.kernel
        if kernel.log.wants(WindowDestroyed):
            kernel.log.emit(WindowDestroyed(handle=window.handle))
        window.release()

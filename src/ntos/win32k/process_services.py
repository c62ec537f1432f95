"""Services a process begins with, and the many small ones that share four doors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos import ob
from ntos.abi.errors import ERROR
from ntos.abi.layout.win32k import HANDLEENTRY, USERCONNECT
from ntos.abi.pointer import Out
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import DWORD, HANDLE, LONG_PTR, NTSTATUS, ULONG, ULONG_PTR
from ntos.abi.winuser import HANDLE_TABLE_OFFSET, ISMEX_SEND, Simple
from ntos.ke.win32_service import UserError, user_service
from ntos.ps.manager import PROCESS
from ntos.win32k.focus import activate, set_capture
from ntos.win32k.process import current
from ntos.win32k.queue import post_quit
from ntos.win32k.show import enable_window
from ntos.win32k.window import find_window

if TYPE_CHECKING:
    from ntos.ke.thread import Thread
    from ntos.win32k.process import ThreadInfo

VERSION = 0x5_0000


@user_service()
def NtUserProcessConnect(
    thread: Thread, hProcess: HANDLE, cbConnect: ULONG, pUserConnect: Out[USERCONNECT]
) -> NTSTATUS:
    """Where the process sees the shared heap: the handle table, and how far kernel addresses are away."""
    if ob.by_handle(thread, hProcess, 0, PROCESS) is not thread.process or cbConnect != USERCONNECT.size:
        raise NtError(STATUS.INVALID_PARAMETER)
    owner = current(thread).owner
    base = owner.map_heap()
    told = USERCONNECT.new()
    told.ulVersion = VERSION
    told.siClient.psi, told.siClient.aheList = base, base + HANDLE_TABLE_OFFSET
    told.siClient.HeEntrySize = HANDLEENTRY.size
    told.siClient.ulSharedDelta = owner.session.heap.base - base & 0xFFFF_FFFF_FFFF_FFFF
    pUserConnect.write(told)
    return STATUS.SUCCESS


# ------------------------------------------------------------------ simple calls


def _position(info: ThreadInfo) -> int:
    return (int(info.view.ptLastY) & 0xFFFF) << 16 | int(info.view.ptLastX) & 0xFFFF


@user_service(partial="the last message's place, and ReleaseCapture")
def NtUserCallNoParam(thread: Thread, Routine: DWORD) -> ULONG_PTR:
    """A simple call without arguments."""
    info = current(thread)
    if Routine == Simple.MESSAGE_POSITION:
        return ULONG_PTR(_position(info))
    if Routine == Simple.RELEASE_CAPTURE:
        set_capture(info, None)
        return ULONG_PTR(1)
    raise UserError(ERROR.INVALID_PARAMETER)


@user_service(partial="PostQuitMessage and ReplyMessage")
def NtUserCallOneParam(thread: Thread, Param: ULONG_PTR, Routine: DWORD) -> ULONG_PTR:
    """A simple call with one argument."""
    info = current(thread)
    if Routine == Simple.POST_QUIT_MESSAGE:
        post_quit(info, int.from_bytes((Param & 0xFFFF_FFFF).to_bytes(4, "little"), "little", signed=True))
        return ULONG_PTR(1)
    if Routine == Simple.REPLY_MESSAGE:
        sent = info.serving[-1] if info.serving else None
        if sent is None or sent.done or not sent.kind & ISMEX_SEND:
            return ULONG_PTR(0)
        sent.answer(Param)
        return ULONG_PTR(1)
    raise UserError(ERROR.INVALID_PARAMETER)


@user_service(partial="EnableWindow and SetForegroundWindow")
async def NtUserCallHwndParamLock(thread: Thread, hwnd: HANDLE, Param: ULONG_PTR, Routine: DWORD) -> LONG_PTR:
    """A simple call on a window, with one argument."""
    info, window = current(thread), find_window(thread, hwnd)
    if Routine == Simple.ENABLE_WINDOW:
        return LONG_PTR(await enable_window(info, window, enable=bool(Param)))
    if Routine != Simple.SET_FOREGROUND:
        raise UserError(ERROR.INVALID_PARAMETER)
    if window.owner_thread is not info:
        raise UserError(ERROR.ACCESS_DENIED)
    await activate(info, window.top_level())
    return LONG_PTR(int(info.desktop.view.spwndForeground) == window.top_level().view.address)

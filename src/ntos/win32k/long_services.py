"""SetWindowLongPtr: style, procedure, owner and the bytes a program keeps with a window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.errors import ERROR
from ntos.abi.layout.win32k import WND
from ntos.abi.types import BOOL, DWORD, HANDLE, INT, LONG, LONG_PTR, ULONG_PTR
from ntos.abi.winuser import (
    CPD_HIGH,
    GWL_EXSTYLE,
    GWL_STYLE,
    GWLP_HINSTANCE,
    GWLP_HWNDPARENT,
    GWLP_ID,
    GWLP_USERDATA,
    GWLP_WNDPROC,
    WM,
    WS_CHILD,
)
from ntos.ke.win32_service import UserError, user_service
from ntos.win32k import message
from ntos.win32k.process import current
from ntos.win32k.window import find_window

if TYPE_CHECKING:
    from ntos.ke.thread import Thread
    from ntos.win32k.process import ProcessInfo, ThreadInfo
    from ntos.win32k.window import Window

FIELDS = {GWLP_HINSTANCE: "hModule", GWLP_ID: "spmenu", GWLP_USERDATA: "dwUserData"}
STYLES = {GWL_STYLE: "style", GWL_EXSTYLE: "ExStyle"}
QWORD, DOUBLE_WORD = 0xFFFF_FFFF_FFFF_FFFF, 0xFFFF_FFFF


@user_service()
async def NtUserSetWindowLongPtr(
    thread: Thread, hWnd: HANDLE, nIndex: INT, dwNewLong: LONG_PTR, bAnsi: BOOL
) -> LONG_PTR:
    """Change one of a window's values; gives the former one."""
    info, window = current(thread), _own(thread, hWnd)
    if nIndex == GWLP_WNDPROC:
        return LONG_PTR(_set_procedure(info.owner, window, dwNewLong & QWORD, narrow=bool(bAnsi)))
    if nIndex in STYLES:
        return LONG_PTR(await _set_style(info, window, nIndex, dwNewLong & DOUBLE_WORD))
    if nIndex == GWLP_HWNDPARENT:
        return LONG_PTR(_set_owner(thread, window, dwNewLong & QWORD))
    if nIndex in FIELDS:
        former = int(getattr(window.view, FIELDS[nIndex]))
        setattr(window.view, FIELDS[nIndex], dwNewLong & QWORD)
        return LONG_PTR(former)
    return LONG_PTR(_set_extra(window, nIndex, dwNewLong & QWORD, 8))


@user_service()
async def NtUserSetWindowLong(thread: Thread, hWnd: HANDLE, nIndex: INT, dwNewLong: LONG, bAnsi: BOOL) -> LONG:
    """The same for values of 32 bits."""
    info, window = current(thread), _own(thread, hWnd)
    if nIndex in STYLES:
        return LONG(await _set_style(info, window, nIndex, dwNewLong & DOUBLE_WORD))
    if nIndex in (GWLP_ID, GWLP_USERDATA):
        former = int(getattr(window.view, FIELDS[nIndex]))
        setattr(window.view, FIELDS[nIndex], dwNewLong & QWORD)
        return LONG(former)
    if nIndex < 0:
        raise UserError(ERROR.INVALID_INDEX)  # pointers do not fit
    return LONG(_set_extra(window, nIndex, dwNewLong & DOUBLE_WORD, 4))


@user_service()
def NtUserGetCPD(thread: Thread, hWnd: HANDLE, Flags: DWORD, Proc: ULONG_PTR) -> ULONG_PTR:
    """The window's procedure as a caller of the other character set may call it: a handle for CallWindowProc.

    Flags: 1 where the caller is ANSI.
    """
    info = current(thread)
    return ULONG_PTR(procedure_value(info.owner, _own(thread, hWnd), narrow=bool(Flags & 1)))


CLASS_FIELDS = {
    -8: "lpszMenuName", -10: "hbrBackground", -12: "spcur", -14: "spicn", -16: "hModule", -24: "lpfnWndProc",
    -26: "style", -34: "spicnSm",
}  # fmt: skip
"""GCLP_* that can be changed."""


@user_service(partial="no bytes of the program's own")
def NtUserSetClassLongPtr(
    thread: Thread, hWnd: HANDLE, nIndex: INT, dwNewLong: ULONG_PTR, bAnsi: BOOL
) -> ULONG_PTR:
    """Change one of the values of a window's class; gives the former one."""
    view = _own(thread, hWnd).kind.view
    if nIndex not in CLASS_FIELDS:
        raise UserError(ERROR.INVALID_INDEX)
    former = int(getattr(view, CLASS_FIELDS[nIndex]))
    setattr(view, CLASS_FIELDS[nIndex], dwNewLong)
    return ULONG_PTR(former)


def _own(thread: Thread, handle: int) -> Window:
    """A window of this process: those of others are not changed."""
    window = find_window(thread, handle)
    if window.owner_thread is None or window.owner_thread.thread.process is not thread.process:
        raise UserError(ERROR.ACCESS_DENIED)
    return window


def _set_extra(window: Window, index: int, value: int, size: int) -> int:
    if index < 0 or index + size > int(window.view.cbwndExtra):
        raise UserError(ERROR.INVALID_INDEX)
    memory, place = window.session.kernel.memory, window.view.address + WND.size + index
    former = int.from_bytes(memory.read(place, size), "little")
    memory.write(place, value.to_bytes(size, "little"))
    return former


def _set_procedure(owner: ProcessInfo, window: Window, code: int, *, narrow: bool) -> int:
    """Subclassing: what is given back can be called through CallWindowProc, whatever its character set."""
    former = procedure_value(owner, window, narrow=narrow)
    if code & CPD_HIGH == CPD_HIGH and code & 0xFFFF < len(owner.foreign_procedures):
        code, narrow = owner.foreign_procedures[code & 0xFFFF]
    window.view.lpfnWndProc, window.view.bUnicode = code, int(not narrow)
    return former


def procedure_value(owner: ProcessInfo, window: Window, *, narrow: bool) -> int:
    """The window's procedure as a caller of that character set sees it: itself, or a CPD handle."""
    code = int(window.view.lpfnWndProc)
    if window.ansi == narrow or not code:
        return code
    entry = (code, window.ansi)
    if entry not in owner.foreign_procedures:
        owner.foreign_procedures.append(entry)
    return CPD_HIGH | owner.foreign_procedures.index(entry)


async def _set_style(info: ThreadInfo, window: Window, index: int, style: int) -> int:
    former = int(getattr(window.view, STYLES[index]))
    which = index & QWORD
    with info.thread.frame() as frame:
        place = frame.bytes(former.to_bytes(4, "little") + style.to_bytes(4, "little"))
        await message.send(info, window, WM.STYLECHANGING, which, place)
        style = int.from_bytes(info.thread.memory.read(place + 4, 4), "little")
        if window.alive:
            setattr(window.view, STYLES[index], style)
            await message.send(info, window, WM.STYLECHANGED, which, place)
    return former


def _set_owner(thread: Thread, window: Window, handle: int) -> int:
    """GWLP_HWNDPARENT: the owner of a top-level window, the parent of a child."""
    other = find_window(thread, handle) if handle else None
    child = bool(window.style & WS_CHILD)
    former = window.parent if child else window.owner
    if child and other is not None:
        window.unlink()
        window.link(other, top=True)
    elif not child:
        window.view.spwndOwner = other.view.address if other is not None else 0
    return former.handle if former is not None else 0

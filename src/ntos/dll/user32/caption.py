"""Texts of windows, and values kept with them by name."""

from __future__ import annotations

from ntos.abi.memory import read_wide
from ntos.abi.pointer import Ptr
from ntos.abi.types import BOOL, HANDLE, INT, WCHAR
from ntos.abi.winuser import WM
from ntos.dll.kernelbase.text import export_both, is_narrow, put_cut, text_of
from ntos.dll.user32.message import send
from ntos.dll.user32.shared import is_own, window
from ntos.dll.user32.string import ATOM_LIMIT, large_string
from ntos.um import nt
from ntos.um.export import export
from ntos.um.thread import UserThread

LONGEST = 0x2000


def kept_text(thread: UserThread, handle: int) -> str:
    """A window's text as win32k keeps it."""
    with thread.frame() as frame:
        place = frame.allocate(LONGEST)
        length = int(nt.NtUserInternalGetWindowText(thread, handle, place, LONGEST // 2))
        return read_wide(thread.memory, place, length) if length else ""


@export_both()
async def GetWindowTextW(thread: UserThread, hWnd: HANDLE, lpString: Ptr[WCHAR], nMaxCount: INT) -> INT:
    """A window's text: its procedure's answer, or for another process's window what win32k keeps."""
    window(thread, hWnd)
    if nMaxCount <= 0:
        return INT(0)
    if is_own(thread, hWnd):
        answer = await send(thread, hWnd, WM.GETTEXT, nMaxCount, lpString.address, narrow=is_narrow(lpString))
        return INT(answer)
    return INT(put_cut(lpString, nMaxCount, kept_text(thread, hWnd)))


@export
async def GetWindowTextLengthW(thread: UserThread, hWnd: HANDLE) -> INT:
    """How long that text is."""
    return await _length(thread, hWnd, narrow=False)


@export
async def GetWindowTextLengthA(thread: UserThread, hWnd: HANDLE) -> INT:
    """How long that text is in the ANSI page."""
    return await _length(thread, hWnd, narrow=True)


async def _length(thread: UserThread, handle: int, *, narrow: bool) -> INT:
    window(thread, handle)
    if is_own(thread, handle):
        return INT(await send(thread, handle, WM.GETTEXTLENGTH, 0, 0, narrow=narrow))
    return INT(len(kept_text(thread, handle)))


@export_both()
async def SetWindowTextW(thread: UserThread, hWnd: HANDLE, lpString: Ptr[WCHAR] | None) -> BOOL:
    """Change a window's text; of another process's window only what win32k keeps."""
    window(thread, hWnd)
    if is_own(thread, hWnd):
        address = lpString.address if lpString is not None else 0
        return BOOL(bool(await send(thread, hWnd, WM.SETTEXT, 0, address, narrow=is_narrow(lpString))))
    with thread.frame() as frame:
        return BOOL(int(nt.NtUserDefSetText(thread, hWnd, large_string(frame, text_of(lpString)))))


@export
def InternalGetWindowText(thread: UserThread, hWnd: HANDLE, pString: Ptr[WCHAR], cchMaxCount: INT) -> INT:
    """A window's text as win32k keeps it."""
    return INT(int(nt.NtUserInternalGetWindowText(thread, hWnd, pString.address, cchMaxCount)))


# ------------------------------------------------------------------ properties


def _atom(thread: UserThread, name: Ptr[WCHAR]) -> int:
    if name.address < ATOM_LIMIT:
        return name.address
    with thread.frame() as frame:
        return int(nt.NtUserRegisterWindowMessage(thread, frame.unicode_string(text_of(name))))


@export_both()
def SetPropW(thread: UserThread, hWnd: HANDLE, lpString: Ptr[WCHAR], hData: HANDLE) -> BOOL:
    """Keep a value with a window."""
    return BOOL(int(nt.NtUserSetProp(thread, hWnd, _atom(thread, lpString), hData)))


@export_both()
def GetPropW(thread: UserThread, hWnd: HANDLE, lpString: Ptr[WCHAR]) -> HANDLE:
    """The value kept under a name."""
    return HANDLE(int(nt.NtUserGetProp(thread, hWnd, _atom(thread, lpString))))


@export_both()
def RemovePropW(thread: UserThread, hWnd: HANDLE, lpString: Ptr[WCHAR]) -> HANDLE:
    """Forget the value kept under a name, and give it."""
    return HANDLE(int(nt.NtUserRemoveProp(thread, hWnd, _atom(thread, lpString))))

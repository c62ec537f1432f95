"""Message boxes nobody sees: an event tells what they said, and a rule chooses the button.

The answer is the default button's (MB_DEFBUTTON1 to 4 of the style): what somebody who only presses Enter gives.
"""

from __future__ import annotations

from ntos.abi.errors import ERROR
from ntos.abi.pointer import Ptr
from ntos.abi.struct import Struct, at
from ntos.abi.types import DWORD, HANDLE, INT, PVOID, UINT, WCHAR, WORD
from ntos.dll.kernelbase.text import export_both, text_of
from ntos.etw.event import MessageBox
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread

IDOK, IDCANCEL, IDABORT, IDRETRY, IDIGNORE, IDYES, IDNO, IDTRYAGAIN, IDCONTINUE = 1, 2, 3, 4, 5, 6, 7, 10, 11
BUTTONS = (
    (IDOK,), (IDOK, IDCANCEL), (IDABORT, IDRETRY, IDIGNORE), (IDYES, IDNO, IDCANCEL), (IDYES, IDNO),
    (IDRETRY, IDCANCEL), (IDCANCEL, IDTRYAGAIN, IDCONTINUE),
)  # fmt: skip
"""By MB_OK, MB_OKCANCEL … of the style's low four bits (winuser.h)."""


class MSGBOXPARAMSW(Struct, size=0x50):
    """What MessageBoxIndirect shows."""

    cbSize = at(0x00, UINT)
    lpszText = at(0x18, PVOID)
    lpszCaption = at(0x20, PVOID)
    dwStyle = at(0x28, DWORD)


def answer(style: int) -> int:
    """The default button of a box; 0, failure, for a style there is none of."""
    if style & 0xF >= len(BUTTONS):
        return 0
    buttons = BUTTONS[style & 0xF]
    return buttons[min(style >> 8 & 3, len(buttons) - 1)]


def show(thread: UserThread, text: str, caption: str, style: int) -> INT:
    """Tell of a box, and answer it."""
    chosen = answer(style)
    thread.log.emit(MessageBox(caption=caption, text=text, style=style, answer=chosen))
    return INT(chosen)


@export_both()
def MessageBoxW(
    thread: UserThread, hWnd: HANDLE, lpText: Ptr[WCHAR] | None, lpCaption: Ptr[WCHAR] | None, uType: UINT
) -> INT:
    """A box with a text and buttons; gives the button."""
    return show(thread, text_of(lpText), text_of(lpCaption) or "Error", uType)


@export_both()
def MessageBoxExW(
    thread: UserThread, hWnd: HANDLE, lpText: Ptr[WCHAR] | None, lpCaption: Ptr[WCHAR] | None, uType: UINT,
    wLanguageId: WORD,
) -> INT:  # fmt: skip
    """MessageBox in a language."""
    return show(thread, text_of(lpText), text_of(lpCaption) or "Error", uType)


@export_both()
def MessageBoxTimeoutW(
    thread: UserThread, hWnd: HANDLE, lpText: Ptr[WCHAR] | None, lpCaption: Ptr[WCHAR] | None, uType: UINT,
    wLanguageId: WORD, dwMilliseconds: DWORD,
) -> INT:  # fmt: skip
    """MessageBox that would close itself after a time; it is answered before."""
    return show(thread, text_of(lpText), text_of(lpCaption) or "Error", uType)


@export(partial="texts by address, none from resources; no icon, no help")
def MessageBoxIndirectW(thread: UserThread, lpmbp: Ptr[MSGBOXPARAMSW]) -> INT:
    """MessageBox described by a structure."""
    box = lpmbp.read()
    if box.cbSize != MSGBOXPARAMSW.size:
        raise WinError(ERROR.INVALID_PARAMETER)
    places = int(box.lpszText), int(box.lpszCaption)
    if any(0 < place < 0x10000 for place in places):
        raise WinError(ERROR.CALL_NOT_IMPLEMENTED)
    text, caption = (Ptr[WCHAR](thread.memory, place).text() if place else "" for place in places)
    return show(thread, text, caption or "Error", int(box.dwStyle))

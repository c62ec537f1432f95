"""Message boxes nobody sees: an event tells what they said, and a rule chooses the button.

The answer is the default button's (MB_DEFBUTTON1 to 4 of the style): what somebody who only presses Enter gives.
"""

from __future__ import annotations

from ntos.abi.pointer import Ptr
from ntos.abi.types import DWORD, HANDLE, INT, UINT, WCHAR, WORD
from ntos.dll.kernelbase.text import export_both, text_of
from ntos.etw.event import MessageBox
from ntos.um.thread import UserThread

IDOK, IDCANCEL, IDABORT, IDRETRY, IDIGNORE, IDYES, IDNO, IDTRYAGAIN, IDCONTINUE = 1, 2, 3, 4, 5, 6, 7, 10, 11
BUTTONS = (
    (IDOK,), (IDOK, IDCANCEL), (IDABORT, IDRETRY, IDIGNORE), (IDYES, IDNO, IDCANCEL), (IDYES, IDNO),
    (IDRETRY, IDCANCEL), (IDCANCEL, IDTRYAGAIN, IDCONTINUE),
)  # fmt: skip
"""By MB_OK, MB_OKCANCEL … of the style's low four bits (winuser.h)."""


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

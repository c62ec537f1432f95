"""User interface privilege isolation: a process sends no messages to one of higher integrity, save a few.

Which pass anyway, and how a window lets others pass, is in Microsoft's documentation of ChangeWindowMessageFilterEx.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.status import STATUS, Denied, NtError
from ntos.se.token import primary_token

if TYPE_CHECKING:
    from ntos.win32k.process import ThreadInfo
    from ntos.win32k.window import Window

PASSES = frozenset({0x0, 0x3, 0x5, 0xD, 0xE, 0x33, 0x7F, 0x305, 0x308, 0x30D, 0x31A})
"""WM_NULL, MOVE, SIZE, GETTEXT, GETTEXTLENGTH, GETHOTKEY, GETICON, RENDERFORMAT, DRAWCLIPBOARD, CHANGECBCHAIN,
THEMECHANGED.
"""


def check(info: ThreadInfo, target: ThreadInfo, window: Window | None, message: int) -> None:
    """ACCESS_DENIED where the message may not go up."""
    if info.owner is target.owner or message in PASSES or (window is not None and message in window.admitted):
        return
    own, other = (primary_token(each.thread.process).claims.level for each in (info, target))
    if own >= other:
        return
    raise NtError(
        STATUS.ACCESS_DENIED,
        because=Denied(
            "messages do not go to a process of higher integrity",
            {"message": f"0x{message:X}", "sender": f"0x{own:X}", "receiver": f"0x{other:X}"},
            "the receiver lets it pass with ChangeWindowMessageFilterEx, or the sender runs at its level",
        ),
    )


def may(info: ThreadInfo, target: ThreadInfo, window: Window, message: int) -> bool:
    """Whether it may: broadcasts leave out whom they may not reach."""
    try:
        check(info, target, window, message)
    except NtError:
        return False
    return True

r"""The console driver's control codes, between kernelbase and \Device\ConDrv. They are ntos' own.

Windows' kernelbase talks to conhost through one code (IOCTL_CONDRV_ISSUE_USER_IO) whose messages are private
to the two. Ours is one code a service, METHOD_BUFFERED, any access, on a handle to an input or output object.
"""

from __future__ import annotations

from typing import Final

from ntos.abi.io import FILE_DEVICE_CONSOLE
from ntos.abi.layout.console import COORD, SMALL_RECT
from ntos.abi.struct import Struct, at
from ntos.abi.types import ULONG, WORD


def _code(function: int) -> int:
    return FILE_DEVICE_CONSOLE << 16 | (0x800 + function) << 2


IOCTL_CONSOLE_GET_MODE: Final = _code(0)
"""out ULONG: the mode of this input or output."""
IOCTL_CONSOLE_SET_MODE: Final = _code(1)
"""in ULONG."""
IOCTL_CONSOLE_WRITE: Final = _code(2)
"""in UTF-16 text; Information is how many bytes of it were taken."""
IOCTL_CONSOLE_READ: Final = _code(3)
"""out UTF-16 text, as much as there is and fits; pends until there is some. Nothing at the end of input."""
IOCTL_CONSOLE_GET_SCREEN_BUFFER_INFO: Final = _code(4)
"""out CONSOLE_SCREEN_BUFFER_INFO."""
IOCTL_CONSOLE_SET_CURSOR_POSITION: Final = _code(5)
"""in COORD."""
IOCTL_CONSOLE_SET_TEXT_ATTRIBUTE: Final = _code(6)
"""in WORD."""
IOCTL_CONSOLE_GET_CURSOR_INFO: Final = _code(7)
"""out CONSOLE_CURSOR_INFO."""
IOCTL_CONSOLE_SET_CURSOR_INFO: Final = _code(8)
"""in CONSOLE_CURSOR_INFO."""
IOCTL_CONSOLE_SET_SCREEN_BUFFER_SIZE: Final = _code(9)
"""in COORD."""
IOCTL_CONSOLE_FILL: Final = _code(10)
"""in CONSOLE_FILL; out ULONG: how many cells were filled."""
IOCTL_CONSOLE_WRITE_OUTPUT: Final = _code(11)
"""in CONSOLE_REGION and its CHAR_INFO cells, row by row; out SMALL_RECT: what was written."""
IOCTL_CONSOLE_READ_OUTPUT: Final = _code(12)
"""in CONSOLE_REGION; out the CHAR_INFO cells, row by row."""
IOCTL_CONSOLE_GET_CODE_PAGES: Final = _code(13)
"""out CONSOLE_CODE_PAGES."""
IOCTL_CONSOLE_SET_CODE_PAGES: Final = _code(14)
"""in CONSOLE_CODE_PAGES; 0 leaves one as it is."""
IOCTL_CONSOLE_GET_TITLE: Final = _code(15)
"""out UTF-16 text."""
IOCTL_CONSOLE_SET_TITLE: Final = _code(16)
"""in UTF-16 text."""
IOCTL_CONSOLE_READ_INPUT: Final = _code(17)
"""in ULONG flags (CONSOLE_READ_…); out INPUT_RECORDs."""
IOCTL_CONSOLE_WRITE_INPUT: Final = _code(18)
"""in INPUT_RECORDs."""
IOCTL_CONSOLE_COUNT_INPUT: Final = _code(19)
"""out ULONG: how many INPUT_RECORDs wait."""
IOCTL_CONSOLE_FLUSH_INPUT: Final = _code(20)
"""Forget what waits."""
IOCTL_CONSOLE_GET_PROCESSES: Final = _code(21)
"""out ULONGs: ids of the attached processes, the last attached first."""
IOCTL_CONSOLE_CONTROL_EVENT: Final = _code(22)
"""in CONSOLE_CONTROL_EVENT: as GenerateConsoleCtrlEvent."""
IOCTL_CONSOLE_ATTACH: Final = _code(23)
"""in ULONG: a process whose console the caller wants, 0 for a new one, all ones for its parent's."""
IOCTL_CONSOLE_DETACH: Final = _code(24)
"""The calling process leaves the console."""

IOCTL_CONSOLE_START_PSEUDO: Final = _code(25)
"""in PSEUDO_CONSOLE_START, on a server handle: let two pipes be the console's screen and keyboard."""
IOCTL_CONSOLE_RESIZE_PSEUDO: Final = _code(26)
"""in COORD, on a server handle."""

CONSOLE_READ_PEEK: Final = 1
CONSOLE_READ_NO_WAIT: Final = 2


class CONSOLE_FILL(Struct, size=0x0C):
    """A run of cells to be filled: Kind 0 with a character, 1 with an attribute."""

    Kind    = at(0x00, WORD)
    Element = at(0x02, WORD)
    Length  = at(0x04, ULONG)
    Start   = at(0x08, COORD)


class CONSOLE_REGION(Struct, size=0x08):
    """A rectangle of cells; their CHAR_INFO follow where they are sent."""

    Region = at(0x00, SMALL_RECT)


class CONSOLE_CODE_PAGES(Struct, size=0x08):
    """What bytes mean that ReadFile and WriteFile carry."""

    Input  = at(0x00, ULONG)
    Output = at(0x04, ULONG)


class CONSOLE_CONTROL_EVENT(Struct, size=0x08):
    """A CTRL_…_EVENT for a process group, 0 for all attached."""

    Event = at(0x00, ULONG)
    Group = at(0x04, ULONG)

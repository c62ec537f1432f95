"""Structures of the console API."""

from __future__ import annotations

from ntos.abi.struct import Struct, at
from ntos.abi.types import BOOL, CHAR, DWORD, SHORT, WCHAR, WORD


class COORD(Struct, size=0x04):
    """Character cell of a console."""

    X = at(0x00, SHORT)
    Y = at(0x02, SHORT)


class SMALL_RECT(Struct, size=0x08):
    """Rectangle of character cells."""

    Left   = at(0x00, SHORT)
    Top    = at(0x02, SHORT)
    Right  = at(0x04, SHORT)
    Bottom = at(0x06, SHORT)


class CONSOLE_SCREEN_BUFFER_INFO(Struct, size=0x16):
    """Size, cursor and window of a screen buffer."""

    dwSize              = at(0x00, COORD)
    dwCursorPosition    = at(0x04, COORD)
    wAttributes         = at(0x08, WORD)
    srWindow            = at(0x0A, SMALL_RECT)
    dwMaximumWindowSize = at(0x12, COORD)


class CONSOLE_CURSOR_INFO(Struct, size=0x08):
    """Size and visibility of a cursor."""

    dwSize   = at(0x00, DWORD)
    bVisible = at(0x04, BOOL)


class CHAR_INFO(Struct, size=0x04):
    """One character cell."""

    UnicodeChar = at(0x00, WCHAR)
    AsciiChar   = at(0x00, CHAR)
    Attributes  = at(0x02, WORD)


class KEY_EVENT_RECORD(Struct, size=0x10):
    """One key."""

    bKeyDown          = at(0x00, BOOL)
    wRepeatCount      = at(0x04, WORD)
    wVirtualKeyCode   = at(0x06, WORD)
    wVirtualScanCode  = at(0x08, WORD)
    UnicodeChar       = at(0x0A, WCHAR)
    AsciiChar         = at(0x0A, CHAR)
    dwControlKeyState = at(0x0C, DWORD)


class INPUT_RECORD(Struct, size=0x14):
    """One console event; the key form is the common one."""

    EventType = at(0x00, WORD)
    KeyEvent  = at(0x04, KEY_EVENT_RECORD)

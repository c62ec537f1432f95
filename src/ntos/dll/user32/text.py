"""Text functions that live in user32 itself: wsprintf, and characters of the ANSI and OEM pages (winuser.h)."""

from __future__ import annotations

from ntos.abi.pointer import Ptr
from ntos.abi.signature import Variadic
from ntos.abi.types import BOOL, CHAR, DWORD, INT, PVOID, WCHAR, WORD
from ntos.dll.ntdll.formatting import CallArguments, ListArguments, MemoryArguments
from ntos.rtl.format.printf import format_printf
from ntos.rtl.format.specification import WSPRINTF
from ntos.rtl.nls import codepage
from ntos.rtl.nls.codepage import ansi, to_ansi
from ntos.rtl.text import downcase, to_utf16, upcase
from ntos.um.export import export
from ntos.um.thread import UserThread

WIDE_POINTER_LIMIT = 0x1_0000


def _put_narrow(buffer: Ptr[CHAR], format: Ptr[CHAR], arguments: MemoryArguments) -> INT:
    data = format_printf(format.string(), arguments, WSPRINTF)
    buffer.write_bytes(data + b"\0")
    return INT(len(data))


def _put_wide(buffer: Ptr[WCHAR], format: Ptr[WCHAR], arguments: MemoryArguments) -> INT:
    data = to_utf16(format_printf(format.text(), arguments, WSPRINTF))
    buffer.write_bytes(data + b"\0\0")
    return INT(len(data) // 2)


@export
def wsprintfA(thread: UserThread, buffer: Ptr[CHAR], format: Ptr[CHAR], arguments: Variadic) -> INT:
    """Formatted text of at most 1023 characters."""
    return _put_narrow(buffer, format, CallArguments(thread, arguments))


@export
def wsprintfW(thread: UserThread, buffer: Ptr[WCHAR], format: Ptr[WCHAR], arguments: Variadic) -> INT:
    """Formatted text of at most 1023 characters."""
    return _put_wide(buffer, format, CallArguments(thread, arguments))


@export
def wvsprintfA(thread: UserThread, buffer: Ptr[CHAR], format: Ptr[CHAR], arglist: PVOID) -> INT:
    """Wsprintf with a va_list."""
    return _put_narrow(buffer, format, ListArguments(thread, arglist))


@export
def wvsprintfW(thread: UserThread, buffer: Ptr[WCHAR], format: Ptr[WCHAR], arglist: PVOID) -> INT:
    """Wsprintf with a va_list."""
    return _put_wide(buffer, format, ListArguments(thread, arglist))


# ------------------------------------------------------------------------------ case


def _folded(thread: UserThread, value: int, *, upper: bool) -> PVOID:
    """A character in the pointer's place, or a string in place."""
    change = upcase if upper else downcase
    if value < WIDE_POINTER_LIMIT:
        return PVOID(to_ansi(change(ansi(bytes([value & 0xFF]))))[0])
    text = Ptr[CHAR](thread.memory, value)
    text.write_bytes(to_ansi(change(ansi(text.string()))))
    return PVOID(value)


@export
def CharUpperA(thread: UserThread, lpsz: PVOID) -> PVOID:
    """Upper case, of a character or a string."""
    return _folded(thread, lpsz, upper=True)


@export
def CharLowerA(thread: UserThread, lpsz: PVOID) -> PVOID:
    """Lower case, of a character or a string."""
    return _folded(thread, lpsz, upper=False)


@export
def CharUpperBuffA(thread: UserThread, lpsz: Ptr[CHAR], cchLength: DWORD) -> DWORD:
    """Upper case of so many characters."""
    lpsz.write_bytes(to_ansi(upcase(ansi(lpsz.read_bytes(cchLength)))))
    return DWORD(cchLength)


@export
def CharLowerBuffA(thread: UserThread, lpsz: Ptr[CHAR], cchLength: DWORD) -> DWORD:
    """Lower case of so many characters."""
    lpsz.write_bytes(to_ansi(downcase(ansi(lpsz.read_bytes(cchLength)))))
    return DWORD(cchLength)


# ------------------------------------------------------------------------------ steps


def _next(thread: UserThread, page: int, place: int) -> PVOID:
    data = thread.memory.read(place, 1)
    if data == b"\0":
        return PVOID(place)
    double = codepage.is_lead_byte(data[0], page) and thread.memory.read(place + 1, 1) != b"\0"
    return PVOID(place + 2 if double else place + 1)


def _previous(thread: UserThread, page: int, start: int, current: int) -> PVOID:
    """The character before `current`: from the start on, for a trail byte looks like any other."""
    place = start
    while place < current:
        following = int(_next(thread, page, place))
        if following >= current or following == place:
            return PVOID(place)
        place = following
    return PVOID(start)


@export
def CharNextA(thread: UserThread, lpsz: PVOID) -> PVOID:
    """The following character."""
    return _next(thread, codepage.CP_ACP, lpsz)


@export
def CharNextExA(thread: UserThread, CodePage: WORD, lpCurrentChar: PVOID, dwFlags: DWORD) -> PVOID:
    """The following character in a code page."""
    return _next(thread, CodePage, lpCurrentChar)


@export
def CharPrevA(thread: UserThread, lpszStart: PVOID, lpszCurrent: PVOID) -> PVOID:
    """The preceding character."""
    return _previous(thread, codepage.CP_ACP, lpszStart, lpszCurrent)


@export
def CharPrevExA(thread: UserThread, CodePage: WORD, lpStart: PVOID, lpCurrentChar: PVOID, dwFlags: DWORD) -> PVOID:
    """The preceding character in a code page."""
    return _previous(thread, CodePage, lpStart, lpCurrentChar)


# ------------------------------------------------------------------------------ OEM


@export
def CharToOemA(thread: UserThread, pSrc: Ptr[CHAR], pDst: Ptr[CHAR]) -> BOOL:
    """ANSI text in the OEM page."""
    pDst.write_bytes(codepage.to_oem(ansi(pSrc.string())) + b"\0")
    return BOOL(1)


@export
def CharToOemW(thread: UserThread, pSrc: Ptr[WCHAR], pDst: Ptr[CHAR]) -> BOOL:
    """Wide text in the OEM page."""
    pDst.write_bytes(codepage.to_oem(pSrc.text()) + b"\0")
    return BOOL(1)


@export
def OemToCharA(thread: UserThread, pSrc: Ptr[CHAR], pDst: Ptr[CHAR]) -> BOOL:
    """OEM text in the ANSI page."""
    pDst.write_bytes(to_ansi(codepage.oem(pSrc.string())) + b"\0")
    return BOOL(1)


@export
def OemToCharW(thread: UserThread, pSrc: Ptr[CHAR], pDst: Ptr[WCHAR]) -> BOOL:
    """OEM text, wide."""
    pDst.write_bytes(to_utf16(codepage.oem(pSrc.string())) + b"\0\0")
    return BOOL(1)

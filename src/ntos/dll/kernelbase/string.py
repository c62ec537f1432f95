"""Strings: copy and compare, case, collation, mapping (stringapiset.h, winbase.h lstr…)."""

from __future__ import annotations

from ntos.abi.errors import ERROR
from ntos.abi.pointer import Ptr
from ntos.abi.status import GuestFault
from ntos.abi.types import BOOL, CHAR, DWORD, INT, LCID, LONG_PTR, PVOID, WCHAR
from ntos.dll.kernelbase.text import encoded, export_both, is_narrow, text_of
from ntos.rtl.nls import codepage, locale
from ntos.rtl.nls.characters import Type1, type1
from ntos.rtl.nls.collation import compare_ordinal, compare_string, find_string
from ntos.rtl.nls.mapping import map_string
from ntos.rtl.text import downcase, from_utf16, to_utf16, upcase
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread

FIND_STARTSWITH, FIND_ENDSWITH, FIND_FROMEND = 0x100000, 0x200000, 0x800000


@export_both()
def lstrcpyW(thread: UserThread, lpString1: Ptr[WCHAR], lpString2: Ptr[WCHAR]) -> PVOID:
    """Copy a string; NULL where memory says no."""
    return _store(lpString1, 0, text_of(lpString2))


def _store(target: Ptr[WCHAR], skip: int, text: str) -> PVOID:
    unit = 1 if is_narrow(target) else 2
    try:
        target.memory.write(target.address + skip, encoded(target, text) + bytes(unit))
    except GuestFault:
        return PVOID(0)
    return PVOID(target.address)


@export_both()
def lstrcatW(thread: UserThread, lpString1: Ptr[WCHAR], lpString2: Ptr[WCHAR]) -> PVOID:
    """Add a string to another."""
    return _store(lpString1, len(encoded(lpString1, text_of(lpString1))), text_of(lpString2))


@export_both()
def lstrcpynW(thread: UserThread, lpString1: Ptr[WCHAR], lpString2: Ptr[WCHAR], iMaxLength: INT) -> PVOID:
    """Copy at most so many characters, the NUL among them."""
    unit = 1 if is_narrow(lpString1) else 2
    data = encoded(lpString2, text_of(lpString2))[: max(iMaxLength - 1, 0) * unit]
    if iMaxLength > 0:
        lpString1.write_bytes(data + bytes(unit))
    return PVOID(lpString1.address)


def _compare(left: Ptr[WCHAR], right: Ptr[WCHAR], flags: int) -> INT:
    if not left or not right:
        return INT(bool(left) - bool(right))
    return INT(compare_string(text_of(left), text_of(right), flags) - 2)


@export_both()
def lstrcmpW(thread: UserThread, lpString1: Ptr[WCHAR], lpString2: Ptr[WCHAR]) -> INT:
    """Compare as a dictionary would: negative, 0, positive."""
    return _compare(lpString1, lpString2, 0)


@export_both()
def lstrcmpiW(thread: UserThread, lpString1: Ptr[WCHAR], lpString2: Ptr[WCHAR]) -> INT:
    """The same without regard to case."""
    return _compare(lpString1, lpString2, 1)


def counted(place: Ptr[WCHAR], count: int) -> str:
    """So many characters, or a terminated string where the count is negative."""
    if count < 0:
        return text_of(place)
    data = place.read_bytes(count * (1 if is_narrow(place) else 2))
    return codepage.ansi(data) if is_narrow(place) else from_utf16(data)


def _compare_counted(flags: int, left: Ptr[WCHAR], first: int, right: Ptr[WCHAR], second: int) -> INT:
    if not left or not right:
        raise WinError(ERROR.INVALID_PARAMETER)
    return INT(compare_string(counted(left, first), counted(right, second), flags))


@export_both()
def CompareStringW(
    thread: UserThread,
    Locale: LCID,
    dwCmpFlags: DWORD,
    lpString1: Ptr[WCHAR],
    cchCount1: INT,
    lpString2: Ptr[WCHAR],
    cchCount2: INT,
) -> INT:
    """Compare as the locale's dictionary would: 1, 2 or 3."""
    locale.name_of_lcid(Locale)
    return _compare_counted(dwCmpFlags, lpString1, cchCount1, lpString2, cchCount2)


@export
def CompareStringEx(
    thread: UserThread,
    lpLocaleName: Ptr[WCHAR] | None,
    dwCmpFlags: DWORD,
    lpString1: Ptr[WCHAR],
    cchCount1: INT,
    lpString2: Ptr[WCHAR],
    cchCount2: INT,
    lpVersionInformation: PVOID,
    lpReserved: PVOID,
    lParam: LONG_PTR,
) -> INT:
    """The same with a locale's name."""
    locale.resolve_name(text_of(lpLocaleName) if lpLocaleName else None)
    return _compare_counted(dwCmpFlags, lpString1, cchCount1, lpString2, cchCount2)


@export
def CompareStringOrdinal(
    thread: UserThread,
    lpString1: Ptr[WCHAR],
    cchCount1: INT,
    lpString2: Ptr[WCHAR],
    cchCount2: INT,
    bIgnoreCase: BOOL,
) -> INT:
    """Compare unit by unit: 1, 2 or 3."""
    if not lpString1 or not lpString2:
        raise WinError(ERROR.INVALID_PARAMETER)
    left, right = counted(lpString1, cchCount1), counted(lpString2, cchCount2)
    return INT(compare_ordinal(left, right, ignore_case=bool(bIgnoreCase)))


@export(fails=0xFFFF_FFFF)
def FindStringOrdinal(
    thread: UserThread,
    dwFindStringOrdinalFlags: DWORD,
    lpStringSource: Ptr[WCHAR],
    cchSource: INT,
    lpStringValue: Ptr[WCHAR],
    cchValue: INT,
    bIgnoreCase: BOOL,
) -> INT:
    """Where a value stands in a text, unit by unit."""
    text, value = counted(lpStringSource, cchSource), counted(lpStringValue, cchValue)
    if bIgnoreCase:
        text, value = upcase(text), upcase(value)
    if dwFindStringOrdinalFlags & FIND_STARTSWITH:
        return INT(0 if text.startswith(value) else -1)
    if dwFindStringOrdinalFlags & FIND_ENDSWITH:
        return INT(len(text) - len(value) if text.endswith(value) else -1)
    return INT(text.rfind(value) if dwFindStringOrdinalFlags & FIND_FROMEND else text.find(value))


@export(fails=0xFFFF_FFFF)
def FindNLSStringEx(
    thread: UserThread,
    lpLocaleName: Ptr[WCHAR] | None,
    dwFindNLSStringFlags: DWORD,
    lpStringSource: Ptr[WCHAR],
    cchSource: INT,
    lpStringValue: Ptr[WCHAR],
    cchValue: INT,
    pcchFound: Ptr[INT] | None,
    lpVersionInformation: PVOID,
    lpReserved: PVOID,
    sortHandle: LONG_PTR,
) -> INT:
    """Where a value stands in a text, by the locale's dictionary."""
    text, value = counted(lpStringSource, cchSource), counted(lpStringValue, cchValue)
    at, length = find_string(text, value, dwFindNLSStringFlags & 0xF803103F & ~0xF00000)
    if at >= 0 and pcchFound is not None:
        pcchFound.write(length)
    return INT(at)


def put_mapped(target: Ptr[WCHAR], room: int, data: bytes, unit: int) -> INT:
    """Store mapped characters (or say how many), ERROR_INSUFFICIENT_BUFFER where they do not fit."""
    count = len(data) // unit
    if room == 0:
        return INT(count)
    if count > room:
        raise WinError(ERROR.INSUFFICIENT_BUFFER)
    target.write_bytes(data)
    return INT(count)


def _map(flags: int, source: Ptr[WCHAR], count: int, target: Ptr[WCHAR], room: int) -> INT:
    if not source or count == 0 or room < 0:
        raise WinError(ERROR.INVALID_PARAMETER)
    text = counted(source, count)
    mapped = map_string(text, flags)
    if isinstance(mapped, bytes):
        return put_mapped(target, room, mapped, 1)
    if count < 0:
        mapped += "\0"
    return put_mapped(target, room, encoded(source, mapped), 1 if is_narrow(source) else 2)


@export_both()
def LCMapStringW(
    thread: UserThread,
    Locale: LCID,
    dwMapFlags: DWORD,
    lpSrcStr: Ptr[WCHAR],
    cchSrc: INT,
    lpDestStr: Ptr[WCHAR],
    cchDest: INT,
) -> INT:
    """Change case or width of a string, or make its sort key."""
    locale.name_of_lcid(Locale)
    return _map(dwMapFlags, lpSrcStr, cchSrc, lpDestStr, cchDest)


@export
def LCMapStringEx(
    thread: UserThread,
    lpLocaleName: Ptr[WCHAR] | None,
    dwMapFlags: DWORD,
    lpSrcStr: Ptr[WCHAR],
    cchSrc: INT,
    lpDestStr: Ptr[WCHAR],
    cchDest: INT,
    lpVersionInformation: PVOID,
    lpReserved: PVOID,
    sortHandle: LONG_PTR,
) -> INT:
    """The same with a locale's name."""
    locale.resolve_name(text_of(lpLocaleName) if lpLocaleName else None)
    return _map(dwMapFlags, lpSrcStr, cchSrc, lpDestStr, cchDest)


def _change_case(place: Ptr[WCHAR], text: str) -> None:
    place.write_bytes(encoded(place, text))


@export
def CharUpperW(thread: UserThread, lpsz: Ptr[WCHAR]) -> PVOID:
    """A string in upper case where it stands; or one character in the pointer's low word."""
    if lpsz.address >> 16 == 0:
        return PVOID(ord(upcase(chr(lpsz.address))))
    _change_case(lpsz, upcase(text_of(lpsz)))
    return PVOID(lpsz.address)


@export
def CharLowerW(thread: UserThread, lpsz: Ptr[WCHAR]) -> PVOID:
    """A string in lower case where it stands; or one character in the pointer's low word."""
    if lpsz.address >> 16 == 0:
        return PVOID(ord(downcase(chr(lpsz.address))))
    _change_case(lpsz, downcase(text_of(lpsz)))
    return PVOID(lpsz.address)


@export
def CharUpperBuffW(thread: UserThread, lpsz: Ptr[WCHAR], cchLength: DWORD) -> DWORD:
    """So many characters in upper case."""
    lpsz.write_bytes(to_utf16(upcase(counted(lpsz, cchLength))))
    return cchLength


@export
def CharLowerBuffW(thread: UserThread, lpsz: Ptr[WCHAR], cchLength: DWORD) -> DWORD:
    """So many characters in lower case."""
    lpsz.write_bytes(to_utf16(downcase(counted(lpsz, cchLength))))
    return cchLength


@export
def CharNextW(thread: UserThread, lpsz: Ptr[WCHAR]) -> PVOID:
    """The next character, or the NUL."""
    return PVOID(lpsz.address + (2 if lpsz.read() else 0))


@export
def CharNextA(thread: UserThread, lpsz: Ptr[CHAR]) -> PVOID:
    """The next character of the ANSI code page, or the NUL."""
    return PVOID(lpsz.address + (1 if lpsz.read() else 0))


@export
def CharPrevW(thread: UserThread, lpszStart: Ptr[WCHAR], lpszCurrent: Ptr[WCHAR]) -> PVOID:
    """The character before, or the first."""
    return PVOID(max(lpszStart.address, lpszCurrent.address - 2))


def _has(character: int, kind: Type1) -> BOOL:
    return BOOL(type1(chr(character & 0xFFFF)) & kind != 0)


@export
def IsCharAlphaW(thread: UserThread, ch: WCHAR) -> BOOL:
    """Whether a character is a letter."""
    return _has(ch, Type1.ALPHA)


@export
def IsCharAlphaNumericW(thread: UserThread, ch: WCHAR) -> BOOL:
    """Whether a character is a letter or digit."""
    return _has(ch, Type1.ALPHA | Type1.DIGIT)


@export
def IsCharSpaceW(thread: UserThread, wch: WCHAR) -> BOOL:
    """Whether a character is a blank."""
    return _has(wch, Type1.SPACE)


@export
def IsCharUpperW(thread: UserThread, ch: WCHAR) -> BOOL:
    """Whether a character is an upper-case letter."""
    return _has(ch, Type1.UPPER)


@export
def IsCharLowerW(thread: UserThread, ch: WCHAR) -> BOOL:
    """Whether a character is a lower-case letter."""
    return _has(ch, Type1.LOWER)

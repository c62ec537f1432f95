"""What a locale prefers, and dates, times and numbers in its form (winnls.h, datetimeapi.h)."""

from __future__ import annotations

import unicodedata
from typing import Literal

from ntos.abi.errors import ERROR
from ntos.abi.layout.win32 import SYSTEMTIME
from ntos.abi.pointer import Ptr
from ntos.abi.types import BOOL, DWORD, INT, LCID, PVOID, WCHAR
from ntos.dll.kernelbase.string import counted, put_mapped
from ntos.dll.kernelbase.text import encoded, export_both, is_narrow, optional_text, text_of
from ntos.dll.kernelbase.time import bias, now
from ntos.rtl import time as calendar
from ntos.rtl.nls import locale, pictures
from ntos.rtl.nls.collation import find_string
from ntos.rtl.text import to_utf16
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread

MAP_FOLDCZONE, MAP_PRECOMPOSED, MAP_COMPOSITE, MAP_FOLDDIGITS, MAP_EXPAND_LIGATURES = 0x10, 0x20, 0x40, 0x80, 0x2000
FORMS: dict[int, Literal["NFC", "NFD", "NFKC", "NFKD"]] = {1: "NFC", 2: "NFD", 5: "NFKC", 6: "NFKD"}


def _name(pointer: Ptr[WCHAR] | None) -> str:
    return locale.resolve_name(optional_text(pointer))


def put(place: Ptr[WCHAR] | None, room: int, text: str) -> INT:
    """Store a text with its NUL and say how many characters; with no room, only say it."""
    if place is None or room < 0:
        raise WinError(ERROR.INVALID_PARAMETER)
    unit = 1 if is_narrow(place) else 2
    return put_mapped(place, room, encoded(place, text) + bytes(unit), unit)


def _information(name: str, kind: int, place: Ptr[WCHAR], room: int) -> INT:
    if kind & locale.LOCALE_RETURN_NUMBER:
        if room == 0:
            return INT(4 if is_narrow(place) else 2)
        if room * (1 if is_narrow(place) else 2) < 4:
            raise WinError(ERROR.INSUFFICIENT_BUFFER)
        place.write_bytes(locale.locale_number(name, kind).to_bytes(4, "little"))
        return INT(4 if is_narrow(place) else 2)
    return put(place, room, locale.locale_text(name, kind))


@export
def GetLocaleInfoEx(
    thread: UserThread, lpLocaleName: Ptr[WCHAR] | None, LCType: DWORD, lpLCData: Ptr[WCHAR], cchData: INT
) -> INT:
    """One preference of a named locale, as text or as a number."""
    return _information(_name(lpLocaleName), LCType, lpLCData, cchData)


@export_both()
def GetLocaleInfoW(thread: UserThread, Locale: LCID, LCType: DWORD, lpLCData: Ptr[WCHAR], cchData: INT) -> INT:
    """The same of a numbered locale."""
    return _information(locale.name_of_lcid(Locale), LCType, lpLCData, cchData)


def _fields(thread: UserThread, given: Ptr[SYSTEMTIME] | None) -> calendar.Fields:
    if given is None:
        return calendar.to_fields(now(thread) - bias(thread))
    view = given.read()
    return calendar.Fields(
        view.wYear, view.wMonth, view.wDay, view.wHour, view.wMinute, view.wSecond, view.wMilliseconds, view.wDayOfWeek
    )


@export
def GetDateFormatEx(
    thread: UserThread,
    lpLocaleName: Ptr[WCHAR] | None,
    dwFlags: DWORD,
    lpDate: Ptr[SYSTEMTIME] | None,
    lpFormat: Ptr[WCHAR] | None,
    lpDateStr: Ptr[WCHAR],
    cchDate: INT,
    lpCalendar: PVOID,
) -> INT:
    """A date in a locale's form, or by a picture."""
    return _date(thread, _name(lpLocaleName), dwFlags, lpDate, lpFormat, lpDateStr, cchDate)


@export_both()
def GetDateFormatW(
    thread: UserThread,
    Locale: LCID,
    dwFlags: DWORD,
    lpDate: Ptr[SYSTEMTIME] | None,
    lpFormat: Ptr[WCHAR] | None,
    lpDateStr: Ptr[WCHAR],
    cchDate: INT,
) -> INT:
    """The same by the locale's number."""
    return _date(thread, locale.name_of_lcid(Locale), dwFlags, lpDate, lpFormat, lpDateStr, cchDate)


def _date(
    thread: UserThread,
    name: str,
    flags: int,
    date: Ptr[SYSTEMTIME] | None,
    picture: Ptr[WCHAR] | None,
    place: Ptr[WCHAR],
    room: int,
) -> INT:
    if picture is not None and flags & ~locale.LOCALE_NOUSEROVERRIDE & 0xBFFF_FFFF:
        raise WinError(ERROR.INVALID_FLAGS)
    text = pictures.format_date(_fields(thread, date), optional_text(picture), flags=flags, locale=name)
    return put(place, room, text)


@export
def GetTimeFormatEx(
    thread: UserThread,
    lpLocaleName: Ptr[WCHAR] | None,
    dwFlags: DWORD,
    lpTime: Ptr[SYSTEMTIME] | None,
    lpFormat: Ptr[WCHAR] | None,
    lpTimeStr: Ptr[WCHAR],
    cchTime: INT,
) -> INT:
    """A time of day in a locale's form, or by a picture."""
    return _time(thread, _name(lpLocaleName), dwFlags, lpTime, lpFormat, lpTimeStr, cchTime)


@export_both()
def GetTimeFormatW(
    thread: UserThread,
    Locale: LCID,
    dwFlags: DWORD,
    lpTime: Ptr[SYSTEMTIME] | None,
    lpFormat: Ptr[WCHAR] | None,
    lpTimeStr: Ptr[WCHAR],
    cchTime: INT,
) -> INT:
    """The same by the locale's number."""
    return _time(thread, locale.name_of_lcid(Locale), dwFlags, lpTime, lpFormat, lpTimeStr, cchTime)


def _time(
    thread: UserThread,
    name: str,
    flags: int,
    time: Ptr[SYSTEMTIME] | None,
    picture: Ptr[WCHAR] | None,
    place: Ptr[WCHAR],
    room: int,
) -> INT:
    text = pictures.format_time(_fields(thread, time), optional_text(picture), flags=flags, locale=name)
    return put(place, room, text)


def _number_format(address: int, thread: UserThread, *, currency: bool) -> pictures.NumberFormat | None:
    """NUMBERFMTW or CURRENCYFMTW at an address; None for NULL."""
    if not address:
        return None
    memory = thread.memory

    def word(offset: int) -> int:
        return int.from_bytes(memory.read(address + offset, 4), "little")

    def text(offset: int) -> str:
        pointer: Ptr[WCHAR] = Ptr[WCHAR](memory, int.from_bytes(memory.read(address + offset, 8), "little"))
        return text_of(pointer)

    return pictures.NumberFormat(
        digits=word(0),
        leading_zero=word(4) != 0,
        grouping=word(8),
        decimal=text(0x10),
        thousand=text(0x18),
        negative_order=word(0x20),
        positive_order=word(0x24) if currency else 0,
        symbol=text(0x28) if currency else "",
    )


@export
def GetNumberFormatEx(
    thread: UserThread,
    lpLocaleName: Ptr[WCHAR] | None,
    dwFlags: DWORD,
    lpValue: Ptr[WCHAR],
    lpFormat: PVOID,
    lpNumberStr: Ptr[WCHAR],
    cchNumber: INT,
) -> INT:
    """A number in a locale's form."""
    _name(lpLocaleName)
    form = _number_format(lpFormat, thread, currency=False)
    return put(lpNumberStr, cchNumber, pictures.format_number(text_of(lpValue), form))


@export
def GetNumberFormatW(
    thread: UserThread,
    Locale: LCID,
    dwFlags: DWORD,
    lpValue: Ptr[WCHAR],
    lpFormat: PVOID,
    lpNumberStr: Ptr[WCHAR],
    cchNumber: INT,
) -> INT:
    """The same by the locale's number."""
    locale.name_of_lcid(Locale)
    form = _number_format(lpFormat, thread, currency=False)
    return put(lpNumberStr, cchNumber, pictures.format_number(text_of(lpValue), form))


@export
def GetCurrencyFormatEx(
    thread: UserThread,
    lpLocaleName: Ptr[WCHAR] | None,
    dwFlags: DWORD,
    lpValue: Ptr[WCHAR],
    lpFormat: PVOID,
    lpCurrencyStr: Ptr[WCHAR],
    cchCurrency: INT,
) -> INT:
    """An amount of money in a locale's form."""
    _name(lpLocaleName)
    form = _number_format(lpFormat, thread, currency=True)
    return put(lpCurrencyStr, cchCurrency, pictures.format_currency(text_of(lpValue), form))


@export
def GetCurrencyFormatW(
    thread: UserThread,
    Locale: LCID,
    dwFlags: DWORD,
    lpValue: Ptr[WCHAR],
    lpFormat: PVOID,
    lpCurrencyStr: Ptr[WCHAR],
    cchCurrency: INT,
) -> INT:
    """The same by the locale's number."""
    locale.name_of_lcid(Locale)
    form = _number_format(lpFormat, thread, currency=True)
    return put(lpCurrencyStr, cchCurrency, pictures.format_currency(text_of(lpValue), form))


def fold(text: str, flags: int) -> str:
    """A text with compatibility forms, digits and composed characters folded (FoldString)."""
    if flags & MAP_FOLDCZONE:
        text = unicodedata.normalize("NFKC", text)
    if flags & MAP_FOLDDIGITS:
        text = "".join(str(unicodedata.digit(c)) if unicodedata.digit(c, None) is not None else c for c in text)
    if flags & MAP_COMPOSITE:
        return unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFC", text) if flags & MAP_PRECOMPOSED else text


@export
def FoldStringW(
    thread: UserThread, dwMapFlags: DWORD, lpSrcStr: Ptr[WCHAR], cchSrc: INT, lpDestStr: Ptr[WCHAR], cchDest: INT
) -> INT:
    """A text with its variants folded together."""
    both = MAP_COMPOSITE | MAP_PRECOMPOSED
    if not lpSrcStr or cchSrc == 0 or cchDest < 0:
        raise WinError(ERROR.INVALID_PARAMETER)
    if dwMapFlags & both == both:
        raise WinError(ERROR.INVALID_FLAGS)
    text = fold(counted(lpSrcStr, cchSrc), dwMapFlags) + ("\0" if cchSrc < 0 else "")
    return put_mapped(lpDestStr, cchDest, to_utf16(text), 2)


@export
def NormalizeString(
    thread: UserThread,
    NormForm: INT,
    lpSrcString: Ptr[WCHAR],
    cwSrcLength: INT,
    lpDstString: Ptr[WCHAR],
    cwDstLength: INT,
) -> INT:
    """A text in one of Unicode's normal forms."""
    if NormForm not in FORMS or not lpSrcString or cwSrcLength == 0:
        raise WinError(ERROR.INVALID_PARAMETER)
    text = unicodedata.normalize(FORMS[NormForm], counted(lpSrcString, cwSrcLength))
    return put_mapped(lpDstString, cwDstLength, to_utf16(text + ("\0" if cwSrcLength < 0 else "")), 2)


@export
def IsNormalizedString(thread: UserThread, NormForm: INT, lpString: Ptr[WCHAR], cwLength: INT) -> BOOL:
    """Whether a text is in one of Unicode's normal forms."""
    if NormForm not in FORMS or not lpString or cwLength == 0:
        raise WinError(ERROR.INVALID_PARAMETER)
    return BOOL(unicodedata.is_normalized(FORMS[NormForm], counted(lpString, cwLength)))


def _idn(source: Ptr[WCHAR], count: int, place: Ptr[WCHAR], room: int, *, to_ascii: bool) -> INT:
    text = counted(source, count)
    try:
        labels = text.split(".")
        changed = [_to_ascii(label) if to_ascii else _to_unicode(label) for label in labels]
    except UnicodeError:
        raise WinError(ERROR.INVALID_NAME) from None
    result = ".".join(changed) + ("\0" if count < 0 else "")
    return put_mapped(place, room, to_utf16(result), 2)


def _to_ascii(label: str) -> str:
    return label if label.isascii() else label.encode("idna").decode("ascii")


def _to_unicode(label: str) -> str:
    return label.encode("ascii").decode("idna") if label.lower().startswith("xn--") else label


@export(partial="IDNA 2003 as Python's codec knows it; flags have no effect")
def IdnToAscii(
    thread: UserThread,
    dwFlags: DWORD,
    lpUnicodeCharStr: Ptr[WCHAR],
    cchUnicodeChar: INT,
    lpASCIICharStr: Ptr[WCHAR],
    cchASCIIChar: INT,
) -> INT:
    """A host name in the form the domain name system takes."""
    return _idn(lpUnicodeCharStr, cchUnicodeChar, lpASCIICharStr, cchASCIIChar, to_ascii=True)


@export(partial="IDNA 2003 as Python's codec knows it; flags have no effect")
def IdnToUnicode(
    thread: UserThread,
    dwFlags: DWORD,
    lpASCIICharStr: Ptr[WCHAR],
    cchASCIIChar: INT,
    lpUnicodeCharStr: Ptr[WCHAR],
    cchUnicodeChar: INT,
) -> INT:
    """A host name in the form people read."""
    return _idn(lpASCIICharStr, cchASCIIChar, lpUnicodeCharStr, cchUnicodeChar, to_ascii=False)


@export
def GetCalendarInfoEx(
    thread: UserThread,
    lpLocaleName: Ptr[WCHAR] | None,
    Calendar: DWORD,
    lpReserved: PVOID,
    CalType: DWORD,
    lpCalData: Ptr[WCHAR],
    cchData: INT,
    lpValue: Ptr[DWORD] | None,
) -> INT:
    """One fact about the Gregorian calendar: its names of days and months."""
    return _calendar(_name(lpLocaleName), Calendar, CalType, lpCalData, cchData, lpValue)


@export
def GetCalendarInfoW(
    thread: UserThread,
    Locale: LCID,
    Calendar: DWORD,
    CalType: DWORD,
    lpCalData: Ptr[WCHAR],
    cchData: INT,
    lpValue: Ptr[DWORD] | None,
) -> INT:
    """The same by the locale's number."""
    return _calendar(locale.name_of_lcid(Locale), Calendar, CalType, lpCalData, cchData, lpValue)


CALENDAR_TEXTS = {5: 0x1F, 6: 0x20, 0x2F: 0x1006, 0x38: 0x78} | {
    **{7 + index: 0x2A + index for index in range(7)},
    **{0x0E + index: 0x31 + index for index in range(7)},
    **{0x15 + index: 0x38 + index for index in range(12)},
    **{0x22 + index: 0x44 + index for index in range(12)},
}
"""CAL_S… by the LCTYPE of the same text."""
CAL_ITWODIGITYEARMAX, TWO_DIGIT_YEAR_MAX = 0x30, 2049


def _calendar(name: str, number: int, kind: int, place: Ptr[WCHAR], room: int, value: Ptr[DWORD] | None) -> INT:
    if number not in (1, 2):
        raise WinError(ERROR.INVALID_PARAMETER)
    wanted = kind & 0xFFFF
    if kind & locale.LOCALE_RETURN_NUMBER:
        if wanted not in (1, CAL_ITWODIGITYEARMAX) or value is None:
            raise WinError(ERROR.INVALID_FLAGS)
        value.write(1 if wanted == 1 else TWO_DIGIT_YEAR_MAX)
        return INT(2)
    if wanted not in CALENDAR_TEXTS:
        raise WinError(ERROR.INVALID_FLAGS)
    return put(place, room, locale.locale_text(name, CALENDAR_TEXTS[wanted]))


@export(fails=0xFFFF_FFFF)
def FindNLSString(
    thread: UserThread,
    Locale: LCID,
    dwFindNLSStringFlags: DWORD,
    lpStringSource: Ptr[WCHAR],
    cchSource: INT,
    lpStringValue: Ptr[WCHAR],
    cchValue: INT,
    pcchFound: Ptr[INT] | None,
) -> INT:
    """Where a value stands in a text, by the dictionary of a numbered locale."""
    from_end = 0x0080_0000
    text, value = counted(lpStringSource, cchSource), counted(lpStringValue, cchValue)
    locale.name_of_lcid(Locale)
    if dwFindNLSStringFlags & from_end:
        raise WinError(ERROR.NOT_SUPPORTED)
    at, length = find_string(text, value, dwFindNLSStringFlags & 0x803_103F)
    if at >= 0 and pcchFound is not None:
        pcchFound.write(length)
    return INT(at)


@export
def IsNLSDefinedString(
    thread: UserThread, Function: DWORD, dwFlags: DWORD, lpVersionInformation: PVOID, lpString: Ptr[WCHAR], cchStr: INT
) -> BOOL:
    """Whether every character of a text is one the tables know."""
    return BOOL(all(unicodedata.category(c) not in ("Cn", "Cs") for c in counted(lpString, cchStr)))


@export
def VerLanguageNameW(thread: UserThread, wLang: DWORD, szLang: Ptr[WCHAR], cchLang: DWORD) -> DWORD:
    """A language's name in English, cut where the buffer is short."""
    known = {locale.LCID_ENGLISH: "English (United States)", 0: "Language Neutral"}
    text = known.get(wLang & 0xFFFF, "Language Neutral")
    if not cchLang:
        return DWORD(len(text))
    szLang.write_bytes(to_utf16(text[: cchLang - 1] + "\0"))
    return DWORD(min(len(text), cchLang - 1))

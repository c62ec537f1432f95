"""What a locale prefers: the answers of GetLocaleInfo for `en-US` and the invariant locale."""

from __future__ import annotations

from collections.abc import Mapping

from ntos.abi.errors import ERROR
from ntos.rtl.nls.codepage import win32_error
from ntos.rtl.strftime import DAYS, MONTHS

INVARIANT = ""
ENGLISH = "en-US"
"""The machine's locale: system, user and thread."""
LCID_INVARIANT = 0x007F
LCID_ENGLISH = 0x0409
LOCALE_NOUSEROVERRIDE = 0x80000000
LOCALE_USE_CP_ACP = 0x40000000
LOCALE_RETURN_NUMBER = 0x20000000
LOCALE_RETURN_GENITIVE_NAMES = 0x10000000

_LCIDS = {LCID_INVARIANT: INVARIANT, LCID_ENGLISH: ENGLISH, 0x0009: ENGLISH} | dict.fromkeys(
    (0x0000, 0x0400, 0x0800, 0x0C00, 0x1000), ENGLISH
)
_DEFAULTS = frozenset({"!x-sys-default-locale", "en", "en-us"})


def resolve_name(name: str | None) -> str:
    """`en-US` or the invariant name for what a caller calls a locale; None is the user's default."""
    if name is None or name.lower() in _DEFAULTS:
        return ENGLISH
    if name == INVARIANT:
        return INVARIANT
    raise win32_error(ERROR.INVALID_PARAMETER)


def name_of_lcid(lcid: int) -> str:
    """The locale an LCID names (LCIDToLocaleName); its sort order does not matter."""
    name = _LCIDS.get(lcid & 0xFFFF)
    if name is None:
        raise win32_error(ERROR.INVALID_PARAMETER)
    return name


def lcid_of_name(name: str | None) -> int:
    """The LCID of a locale (LocaleNameToLCID)."""
    return LCID_ENGLISH if resolve_name(name) == ENGLISH else LCID_INVARIANT


def locale_text(name: str | None, kind: int) -> str:
    """One preference as text (GetLocaleInfoEx); the high bits of an LCTYPE are not looked at."""
    wanted = kind & 0x0FFFFFFF
    own = _INVARIANT if resolve_name(name) == INVARIANT else _ENGLISH
    text = own.get(wanted, _COMMON.get(wanted))
    if text is None:
        raise win32_error(ERROR.INVALID_FLAGS)
    return text


def locale_number(name: str | None, kind: int) -> int:
    """One preference as a number (LOCALE_RETURN_NUMBER); a text that is none is ERROR_INVALID_FLAGS."""
    text = locale_text(name, kind)
    base = 16 if kind & 0xFFFF in _HEXADECIMAL else 10
    try:
        return int(text, base)
    except ValueError:
        raise win32_error(ERROR.INVALID_FLAGS) from None


_HEXADECIMAL = frozenset({0x01, 0x09})

_COMMON: dict[int, str] = {
    0x000B: "1252",  # LOCALE_IDEFAULTCODEPAGE is the OEM page; overridden below
    0x000C: ",",  # LOCALE_SLIST
    0x000E: ".",  # LOCALE_SDECIMAL
    0x000F: ",",  # LOCALE_STHOUSAND
    0x0010: "3;0",  # LOCALE_SGROUPING
    0x0011: "2",  # LOCALE_IDIGITS
    0x0012: "1",  # LOCALE_ILZERO
    0x0013: "0123456789",  # LOCALE_SNATIVEDIGITS
    0x0016: ".",  # LOCALE_SMONDECIMALSEP
    0x0017: ",",  # LOCALE_SMONTHOUSANDSEP
    0x0018: "3;0",  # LOCALE_SMONGROUPING
    0x0019: "2",  # LOCALE_ICURRDIGITS
    0x001A: "2",  # LOCALE_IINTLCURRDIGITS
    0x001B: "0",  # LOCALE_ICURRENCY
    0x001C: "0",  # LOCALE_INEGCURR
    0x001D: "/",  # LOCALE_SDATE
    0x001E: ":",  # LOCALE_STIME
    0x0021: "0",  # LOCALE_IDATE
    0x0022: "1",  # LOCALE_ILDATE
    0x0024: "1",  # LOCALE_ICENTURY
    0x0028: "AM",  # LOCALE_S1159
    0x0029: "PM",  # LOCALE_S2359
    0x0050: "",  # LOCALE_SPOSITIVESIGN
    0x0051: "-",  # LOCALE_SNEGATIVESIGN
    0x0052: "3",  # LOCALE_IPOSSIGNPOSN
    0x0053: "0",  # LOCALE_INEGSIGNPOSN
    0x0054: "1",  # LOCALE_IPOSSYMPRECEDES
    0x0055: "0",  # LOCALE_IPOSSEPBYSPACE
    0x0056: "1",  # LOCALE_INEGSYMPRECEDES
    0x0057: "0",  # LOCALE_INEGSEPBYSPACE
    0x0059: "en",  # LOCALE_SISO639LANGNAME
    0x0067: "eng",  # LOCALE_SISO639LANGNAME2
    0x0069: "NaN",  # LOCALE_SNAN
    0x006A: "\u221e",  # LOCALE_SPOSINFINITY
    0x006B: "-\u221e",  # LOCALE_SNEGINFINITY
    0x0070: "0",  # LOCALE_IREADINGLAYOUT
    0x0071: "0",  # LOCALE_INEUTRAL
    0x0074: "0",  # LOCALE_INEGATIVEPERCENT
    0x0075: "0",  # LOCALE_IPOSITIVEPERCENT
    0x0076: "%",  # LOCALE_SPERCENT
    0x0077: "\u2030",  # LOCALE_SPERMILLE
    0x1004: "1252",  # LOCALE_IDEFAULTANSICODEPAGE
    0x1009: "1",  # LOCALE_ICALENDARTYPE
    0x100B: "0",  # LOCALE_IOPTIONALCALENDAR
    0x100C: "0",  # LOCALE_IFIRSTDAYOFWEEK is 6 (Sunday) for en-US, below
    0x100D: "0",  # LOCALE_IFIRSTWEEKOFYEAR
    0x1010: "1",  # LOCALE_INEGNUMBER
    0x1011: "10000",  # LOCALE_IDEFAULTMACCODEPAGE
    0x1012: "037",  # LOCALE_IDEFAULTEBCDICCODEPAGE
    0x1013: "",  # LOCALE_SSORTNAME
    0x1014: "1",  # LOCALE_IDIGITSUBSTITUTION
    **{0x002A + index: DAYS[(index + 1) % 7] for index in range(7)},  # LOCALE_SDAYNAME1 is Monday
    **{0x0031 + index: DAYS[(index + 1) % 7][:3] for index in range(7)},
    **{0x0060 + index: DAYS[(index + 1) % 7][:2] for index in range(7)},
    **{0x0038 + index: MONTHS[index] for index in range(12)},
    **{0x0044 + index: MONTHS[index][:3] for index in range(12)},
    0x100E: "",  # LOCALE_SMONTHNAME13
    0x100F: "",  # LOCALE_SABBREVMONTHNAME13
}

_ENGLISH: Mapping[int, str] = {
    0x0001: "0409",  # LOCALE_ILANGUAGE
    0x0002: "English (United States)",  # LOCALE_SLOCALIZEDDISPLAYNAME
    0x0003: "ENU",  # LOCALE_SABBREVLANGNAME
    0x0004: "English",  # LOCALE_SNATIVELANGNAME
    0x0005: "1",  # LOCALE_ICOUNTRY
    0x0006: "United States",  # LOCALE_SLOCALIZEDCOUNTRYNAME
    0x0007: "USA",  # LOCALE_SABBREVCTRYNAME
    0x0008: "United States",  # LOCALE_SNATIVECOUNTRYNAME
    0x0009: "0409",  # LOCALE_IDEFAULTLANGUAGE
    0x000A: "1",  # LOCALE_IDEFAULTCOUNTRY
    0x000B: "437",  # LOCALE_IDEFAULTCODEPAGE
    0x000D: "1",  # LOCALE_IMEASURE
    0x0014: "$",  # LOCALE_SCURRENCY
    0x0015: "USD",  # LOCALE_SINTLSYMBOL
    0x001F: "M/d/yyyy",  # LOCALE_SSHORTDATE
    0x0020: "dddd, MMMM d, yyyy",  # LOCALE_SLONGDATE
    0x0023: "0",  # LOCALE_ITIME
    0x0025: "0",  # LOCALE_ITLZERO
    0x0026: "0",  # LOCALE_IDAYLZERO
    0x0027: "0",  # LOCALE_IMONLZERO
    0x005A: "US",  # LOCALE_SISO3166CTRYNAME
    0x005B: "244",  # LOCALE_IGEOID
    0x005C: "en-US",  # LOCALE_SNAME
    0x0068: "USA",  # LOCALE_SISO3166CTRYNAME2
    0x006D: "en",  # LOCALE_SPARENT
    0x006F: "English",  # LOCALE_SLOCALIZEDLANGUAGENAME
    0x0072: "English (United States)",  # LOCALE_SENGLISHDISPLAYNAME
    0x0073: "English (United States)",  # LOCALE_SNATIVEDISPLAYNAME
    0x0078: "MMMM d",  # LOCALE_SMONTHDAY
    0x0079: "h:mm tt",  # LOCALE_SSHORTTIME
    0x1001: "English",  # LOCALE_SENGLANGUAGE
    0x1002: "United States",  # LOCALE_SENGCOUNTRY
    0x1003: "h:mm:ss tt",  # LOCALE_STIMEFORMAT
    0x1006: "MMMM yyyy",  # LOCALE_SYEARMONTH
    0x1007: "US Dollar",  # LOCALE_SENGCURRNAME
    0x1008: "US Dollar",  # LOCALE_SNATIVECURRNAME
    0x100A: "1",  # LOCALE_IPAPERSIZE: Letter
    0x100C: "6",  # LOCALE_IFIRSTDAYOFWEEK: Sunday
}

_INVARIANT: Mapping[int, str] = {
    0x0001: "007F",
    0x0002: "Invariant Language (Invariant Country)",
    0x0003: "IVL",
    0x0004: "Invariant Language",
    0x0005: "1",
    0x0006: "Invariant Country",
    0x0007: "IVC",
    0x0008: "Invariant Country",
    0x0009: "0409",
    0x000A: "1",
    0x000B: "437",
    0x000D: "0",
    0x0014: "\u00a4",
    0x0015: "XDR",
    0x001F: "MM/dd/yyyy",
    0x0020: "dddd, dd MMMM yyyy",
    0x0023: "1",
    0x0025: "1",
    0x0026: "1",
    0x0027: "1",
    0x0059: "iv",
    0x005A: "IV",
    0x005B: "244",
    0x005C: "",
    0x0067: "ivl",
    0x0068: "ivc",
    0x006D: "",
    0x006F: "Invariant Language",
    0x0072: "Invariant Language (Invariant Country)",
    0x0073: "Invariant Language (Invariant Country)",
    0x0078: "MMMM dd",
    0x0079: "HH:mm",
    0x1001: "Invariant Language",
    0x1002: "Invariant Country",
    0x1003: "HH:mm:ss",
    0x1006: "yyyy MMMM",
    0x1007: "International Monetary Fund",
    0x1008: "International Monetary Fund",
    0x100A: "9",
    0x100C: "6",
}

"""Locales: which one, by name and by number; languages of the user interface (winnls.h).

The machine speaks one language, en-US; the invariant locale is the only other one.
"""

from __future__ import annotations

from ntos.abi.errors import ERROR
from ntos.abi.pointer import Code, Out, Ptr
from ntos.abi.status import NtError
from ntos.abi.types import BOOL, CHAR, DWORD, INT, LCID, LONG_PTR, ULONG, ULONGLONG, USHORT, WCHAR
from ntos.dll.kernelbase.text import put_text, text_of
from ntos.rtl.nls import codepage, locale
from ntos.rtl.text import to_utf16
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread

LCID_INSTALLED, LCID_SUPPORTED = 1, 2
LOCALE_ALL = 0
LOCALE_WINDOWS = 1
LOCALE_INFORMATION_FLAGS = LOCALE_WINDOWS | 0x20
MUI_LANGUAGE_ID, MUI_LANGUAGE_NAME = 4, 8
NLS_VERSION = 0x0006_0305
ENGLISH_GEO_ID = 244
LANGID_ENGLISH = USHORT(locale.LCID_ENGLISH)


@export(aliases=("GetSystemDefaultLCID",))
def GetUserDefaultLCID(thread: UserThread) -> LCID:
    """The number of en-US."""
    return LCID(locale.LCID_ENGLISH)


@export(aliases=("GetSystemDefaultLangID", "GetUserDefaultUILanguage", "GetSystemDefaultUILanguage"))
def GetUserDefaultLangID(thread: UserThread) -> USHORT:
    """The language of en-US."""
    return LANGID_ENGLISH


@export
def GetThreadUILanguage(thread: UserThread) -> USHORT:
    """The language resources are looked for in first."""
    return LANGID_ENGLISH


@export
def SetThreadUILanguage(thread: UserThread, LangId: USHORT) -> USHORT:
    """The language in effect: the one there is."""
    return LANGID_ENGLISH


@export
def GetThreadLocale(thread: UserThread) -> LCID:
    """The thread's locale (TEB.CurrentLocale)."""
    return LCID(int(thread.teb.CurrentLocale) or locale.LCID_ENGLISH)


@export
def SetThreadLocale(thread: UserThread, Locale: LCID) -> BOOL:
    """Choose the thread's locale."""
    thread.teb.CurrentLocale = ULONG(locale.lcid_of_name(locale.name_of_lcid(Locale)))
    return BOOL(1)


def _put_name(place: Ptr[WCHAR], count: int, name: str) -> INT:
    if not count:
        return INT(len(name) + 1)
    if put_text(place, count, name) > len(name):
        raise WinError(ERROR.INSUFFICIENT_BUFFER)
    return INT(len(name) + 1)


@export(aliases=("GetSystemDefaultLocaleName",))
def GetUserDefaultLocaleName(thread: UserThread, lpLocaleName: Ptr[WCHAR], cchLocaleName: INT) -> INT:
    """The name of the machine's locale, and its length with the NUL."""
    if not lpLocaleName or cchLocaleName <= 0:
        raise WinError(ERROR.INVALID_PARAMETER)
    return _put_name(lpLocaleName, cchLocaleName, locale.ENGLISH)


@export
def LocaleNameToLCID(thread: UserThread, lpName: Ptr[WCHAR] | None, dwFlags: DWORD) -> LCID:
    """The number of a named locale."""
    if dwFlags & ~0x0800_0000:
        raise WinError(ERROR.INVALID_PARAMETER)
    return LCID(locale.lcid_of_name(text_of(lpName) if lpName else None))


@export
def LCIDToLocaleName(thread: UserThread, Locale: LCID, lpName: Ptr[WCHAR], cchName: INT, dwFlags: DWORD) -> INT:
    """The name of a numbered locale, and its length with the NUL."""
    if cchName < 0 or (cchName and not lpName):
        raise WinError(ERROR.INVALID_PARAMETER)
    return _put_name(lpName, cchName, locale.name_of_lcid(Locale))


@export
def ResolveLocaleName(
    thread: UserThread, lpNameToResolve: Ptr[WCHAR] | None, lpLocaleName: Ptr[WCHAR], cchLocaleName: INT
) -> INT:
    """The nearest locale there is; nothing near is the empty name."""
    try:
        name = locale.resolve_name(text_of(lpNameToResolve) if lpNameToResolve else None)
    except NtError:
        wanted = text_of(lpNameToResolve).lower()
        name = locale.ENGLISH if wanted.split("-")[0] == "en" else locale.INVARIANT
    return _put_name(lpLocaleName, cchLocaleName, name)


def is_known(lcid: int) -> bool:
    """Whether a number names a locale there is."""
    try:
        locale.name_of_lcid(lcid)
    except NtError:
        return False
    return True


@export
def IsValidLocale(thread: UserThread, Locale: LCID, dwFlags: DWORD) -> BOOL:
    """Whether a locale is installed."""
    return BOOL(dwFlags & (LCID_INSTALLED | LCID_SUPPORTED) != 0 and is_known(Locale))


@export
def IsValidLocaleName(thread: UserThread, lpLocaleName: Ptr[WCHAR] | None) -> BOOL:
    """Whether a name is a locale's."""
    try:
        locale.resolve_name(text_of(lpLocaleName) if lpLocaleName else None)
    except NtError:
        return BOOL(0)
    return BOOL(1)


@export
def ConvertDefaultLocale(thread: UserThread, Locale: LCID) -> LCID:
    """What LOCALE_USER_DEFAULT and its like stand for; other numbers stay."""
    return LCID(locale.lcid_of_name(locale.name_of_lcid(Locale))) if is_known(Locale) else Locale


@export
async def EnumSystemLocalesEx(
    thread: UserThread, lpLocaleEnumProcEx: Code, dwFlags: DWORD, lParam: LONG_PTR, lpReserved: LONG_PTR
) -> BOOL:
    """Call back with each locale's name, flags and the parameter."""
    if lpReserved:
        raise WinError(ERROR.INVALID_PARAMETER)
    for name in (locale.INVARIANT, locale.ENGLISH):
        with thread.frame() as frame:
            parameter = lParam & 0xFFFF_FFFF_FFFF_FFFF
            if not await thread.call(lpLocaleEnumProcEx, frame.wide(name), LOCALE_INFORMATION_FLAGS, parameter):
                break
    return BOOL(1)


async def _enumerate(thread: UserThread, callback: int, *, narrow: bool) -> BOOL:
    with thread.frame() as frame:
        text = f"{locale.LCID_ENGLISH:08X}"
        await thread.call(callback, frame.bytes(text.encode() + b"\0") if narrow else frame.wide(text))
    return BOOL(1)


@export
async def EnumSystemLocalesW(thread: UserThread, lpLocaleEnumProc: Code, dwFlags: DWORD) -> BOOL:
    """Call back with each locale's number as eight hexadecimal digits."""
    return await _enumerate(thread, lpLocaleEnumProc, narrow=False)


@export
async def EnumSystemLocalesA(thread: UserThread, lpLocaleEnumProc: Code, dwFlags: DWORD) -> BOOL:
    """The same in 8-bit characters."""
    return await _enumerate(thread, lpLocaleEnumProc, narrow=True)


@export
async def EnumSystemCodePagesW(thread: UserThread, lpCodePageEnumProc: Code, dwFlags: DWORD) -> BOOL:
    """Call back with each code page's number as decimal digits."""
    for page in filter(codepage.is_valid, range(0x10000)):
        with thread.frame() as frame:
            if not await thread.call(lpCodePageEnumProc, frame.wide(str(page))):
                break
    return BOOL(1)


def _languages(flags: int, count: Out[ULONG], place: Ptr[WCHAR] | None, size: Ptr[ULONG]) -> BOOL:
    """A list of one language, by name or as four hexadecimal digits."""
    if flags & MUI_LANGUAGE_ID and flags & MUI_LANGUAGE_NAME:
        raise WinError(ERROR.INVALID_PARAMETER)
    text = (f"{locale.LCID_ENGLISH:04X}" if flags & MUI_LANGUAGE_ID else locale.ENGLISH) + "\0\0"
    room = int(size.read())
    count.write(1)
    size.write(len(text))
    if place is None:
        return BOOL(1)
    if room < len(text):
        raise WinError(ERROR.INSUFFICIENT_BUFFER)
    place.write_bytes(to_utf16(text))
    return BOOL(1)


@export(aliases=("GetSystemPreferredUILanguages", "GetThreadPreferredUILanguages", "GetUserPreferredUILanguages"))
def GetProcessPreferredUILanguages(
    thread: UserThread,
    dwFlags: DWORD,
    pulNumLanguages: Out[ULONG],
    pwszLanguagesBuffer: Ptr[WCHAR] | None,
    pcchLanguagesBuffer: Ptr[ULONG],
) -> BOOL:
    """The languages of the user interface in order: en-US alone."""
    return _languages(dwFlags, pulNumLanguages, pwszLanguagesBuffer, pcchLanguagesBuffer)


@export(aliases=("SetThreadPreferredUILanguages",), partial="the choice has no effect: there is one language")
def SetProcessPreferredUILanguages(
    thread: UserThread, dwFlags: DWORD, pwszLanguagesBuffer: Ptr[WCHAR] | None, pulNumLanguages: Out[ULONG] | None
) -> BOOL:
    """Accept a list of languages; the number of those there are."""
    wanted = pwszLanguagesBuffer is not None and pwszLanguagesBuffer.read() != 0
    if pulNumLanguages is not None:
        pulNumLanguages.write(int(wanted))
    return BOOL(1)


@export
async def EnumUILanguagesW(thread: UserThread, lpUILanguageEnumProc: Code, dwFlags: DWORD, lParam: LONG_PTR) -> BOOL:
    """Call back with each language of the user interface."""
    text = locale.ENGLISH if dwFlags & MUI_LANGUAGE_NAME else f"{locale.LCID_ENGLISH:04X}"
    with thread.frame() as frame:
        await thread.call(lpUILanguageEnumProc, frame.wide(text), lParam & 0xFFFF_FFFF_FFFF_FFFF)
    return BOOL(1)


@export
def GetNLSVersion(thread: UserThread, Function: DWORD, Locale: LCID, lpVersionInformation: Ptr[DWORD]) -> BOOL:
    """The version of the collation tables (NLSVERSIONINFO)."""
    locale.name_of_lcid(Locale)
    return _nls_version(Function, lpVersionInformation)


@export
def GetNLSVersionEx(
    thread: UserThread, function: DWORD, lpLocaleName: Ptr[WCHAR] | None, lpVersionInformation: Ptr[DWORD]
) -> BOOL:
    """The same for a named locale."""
    locale.resolve_name(text_of(lpLocaleName) if lpLocaleName else None)
    return _nls_version(function, lpVersionInformation)


def _nls_version(function: int, place: Ptr[DWORD]) -> BOOL:
    """`dwNLSVersionInfoSize`, `dwNLSVersion`, `dwDefinedVersion`, and in the larger form a sort's id, here none."""
    size = int(place.read())
    if function != 1 or size < 12:
        raise WinError(ERROR.INVALID_PARAMETER)
    place[1], place[2] = NLS_VERSION, NLS_VERSION
    if size >= 32:
        (place + 3).write_bytes(bytes(20))
    return BOOL(1)


@export
def GetUserGeoID(thread: UserThread, GeoClass: DWORD) -> INT:
    """The user's country: the United States (GEOID 244)."""
    return INT(ENGLISH_GEO_ID)


@export
def GetUserDefaultGeoName(thread: UserThread, geoName: Ptr[WCHAR], geoNameCount: INT) -> INT:
    """The user's country by its ISO code."""
    return _put_name(geoName, geoNameCount, "US")


@export
def GetCPInfoExA(thread: UserThread, CodePage: DWORD, dwFlags: DWORD, lpCPInfoEx: Ptr[CHAR]) -> BOOL:
    """CPINFOEXA: sizes, lead bytes and the code page's name in 8-bit characters."""
    information = codepage.information(CodePage)
    head = information.maximum_size.to_bytes(4, "little") + information.default[:2].ljust(2, b"\0")
    head += information.lead_bytes[:12].ljust(12, b"\0") + to_utf16(information.unicode_default)
    head += information.code_page.to_bytes(4, "little") + information.name.encode("ascii", "replace").ljust(260, b"\0")
    lpCPInfoEx.write_bytes(head)
    return BOOL(1)


@export
def NlsUpdateLocale(thread: UserThread, Locale: LCID, Flags: DWORD) -> ULONGLONG:
    """ERROR_NOT_SUPPORTED: the machine's locale stays."""
    raise WinError(ERROR.NOT_SUPPORTED)

"""Code pages and character conversion (stringapiset.h, winnls.h)."""

from __future__ import annotations

from ntos.abi.errors import ERROR
from ntos.abi.layout.toolhelp import CPINFO, CPINFOEXW
from ntos.abi.pointer import Out, Ptr
from ntos.abi.types import BOOL, BYTE, CHAR, DWORD, INT, LCID, UINT, USHORT, WCHAR
from ntos.rtl.nls import codepage
from ntos.rtl.nls.characters import string_type
from ntos.rtl.text import from_utf16, to_utf16
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread


@export
def GetACP(thread: UserThread) -> UINT:
    """The ANSI code page."""
    return UINT(codepage.ANSI)


@export
def GetOEMCP(thread: UserThread) -> UINT:
    """The OEM code page."""
    return UINT(codepage.OEM)


@export
def IsValidCodePage(thread: UserThread, CodePage: UINT) -> BOOL:
    """Whether conversions know a code page."""
    return BOOL(codepage.is_valid(CodePage))


@export
def GetCPInfo(thread: UserThread, CodePage: UINT, lpCPInfo: Ptr[CPINFO]) -> BOOL:
    """Sizes and lead bytes of a code page."""
    _fill(lpCPInfo.read(), codepage.information(CodePage))
    return BOOL(1)


def _fill(view: CPINFO | CPINFOEXW, information: codepage.CodePageInfo) -> None:
    view.MaxCharSize = UINT(information.maximum_size)
    view.DefaultChar = information.default[:2].ljust(2, b"\0")
    view.LeadByte = information.lead_bytes[:12].ljust(12, b"\0")


@export
def GetCPInfoExW(thread: UserThread, CodePage: UINT, dwFlags: DWORD, lpCPInfoEx: Ptr[CPINFOEXW]) -> BOOL:
    """The same, with the code page's name."""
    view, information = lpCPInfoEx.read(), codepage.information(CodePage)
    _fill(view, information)
    view.UnicodeDefaultChar = WCHAR(ord(information.unicode_default))
    view.CodePage, view.CodePageName = UINT(information.code_page), information.name
    return BOOL(1)


@export
def IsDBCSLeadByte(thread: UserThread, TestChar: BYTE) -> BOOL:
    """Whether a byte begins a double-byte character of the ANSI code page."""
    return BOOL(codepage.is_lead_byte(TestChar))


@export
def IsDBCSLeadByteEx(thread: UserThread, CodePage: UINT, TestChar: BYTE) -> BOOL:
    """Whether a byte begins a double-byte character of a code page."""
    return BOOL(codepage.is_lead_byte(TestChar, CodePage))


@export
def MultiByteToWideChar(
    thread: UserThread,
    CodePage: UINT,
    dwFlags: DWORD,
    lpMultiByteStr: Ptr[CHAR],
    cbMultiByte: INT,
    lpWideCharStr: Ptr[WCHAR],
    cchWideChar: INT,
) -> INT:
    """Text of a code page in UTF-16: the units stored, or needed where the buffer has none."""
    if cbMultiByte == 0 or not lpMultiByteStr or cchWideChar < 0 or (cchWideChar and not lpWideCharStr):
        raise WinError(ERROR.INVALID_PARAMETER)
    data = lpMultiByteStr.string(2147483647) + b"\x00" if cbMultiByte < 0 else lpMultiByteStr.read_bytes(cbMultiByte)
    wide = to_utf16(codepage.to_wide(data, CodePage, dwFlags))
    count = len(wide) // 2
    if cchWideChar == 0:
        return INT(count)
    if count > cchWideChar:
        lpWideCharStr.write_bytes(wide[: 2 * cchWideChar])
        raise WinError(ERROR.INSUFFICIENT_BUFFER)
    lpWideCharStr.write_bytes(wide)
    return INT(count)


@export
def WideCharToMultiByte(
    thread: UserThread,
    CodePage: UINT,
    dwFlags: DWORD,
    lpWideCharStr: Ptr[WCHAR],
    cchWideChar: INT,
    lpMultiByteStr: Ptr[CHAR],
    cbMultiByte: INT,
    lpDefaultChar: Ptr[CHAR] | None,
    lpUsedDefaultChar: Out[BOOL] | None,
) -> INT:
    """UTF-16 text in a code page: the bytes stored, or needed where the buffer has none."""
    if cchWideChar == 0 or not lpWideCharStr or cbMultiByte < 0 or (cbMultiByte and not lpMultiByteStr):
        raise WinError(ERROR.INVALID_PARAMETER)
    if cchWideChar < 0:
        text = lpWideCharStr.text(0x4000_0000) + "\0"
    else:
        text = from_utf16(lpWideCharStr.read_bytes(2 * cchWideChar))
    default = lpDefaultChar.string(2) if lpDefaultChar is not None else None
    unicode_page = codepage.resolve(CodePage) in (codepage.CP_UTF7, codepage.CP_UTF8)
    if unicode_page and lpUsedDefaultChar is not None:
        raise WinError(ERROR.INVALID_PARAMETER)
    result = codepage.to_multi(text, CodePage, dwFlags, default)
    if lpUsedDefaultChar is not None:
        lpUsedDefaultChar.write(int(result.used_default))
    count = len(result.data)
    if cbMultiByte == 0:
        return INT(count)
    if count > cbMultiByte:
        lpMultiByteStr.write_bytes(result.data[:cbMultiByte])
        raise WinError(ERROR.INSUFFICIENT_BUFFER)
    lpMultiByteStr.write_bytes(result.data)
    return INT(count)


def _types(kind: int, text: str, place: Ptr[USHORT]) -> BOOL:
    words = string_type(kind, text)
    place.write_bytes(b"".join(word.to_bytes(2, "little") for word in words))
    return BOOL(1)


@export
def GetStringTypeW(
    thread: UserThread, dwInfoType: DWORD, lpSrcStr: Ptr[WCHAR], cchSrc: INT, lpCharType: Ptr[USHORT]
) -> BOOL:
    """One word of character type for each unit; the NUL too, where the length is found by it."""
    if not lpSrcStr or cchSrc == 0:
        raise WinError(ERROR.INVALID_PARAMETER)
    text = lpSrcStr.text() + "\0" if cchSrc < 0 else from_utf16(lpSrcStr.read_bytes(2 * cchSrc))
    return _types(dwInfoType, text, lpCharType)


@export
def GetStringTypeExW(
    thread: UserThread,
    Locale: LCID,
    dwInfoType: DWORD,
    lpSrcStr: Ptr[WCHAR],
    cchSrc: INT,
    lpCharType: Ptr[USHORT],
) -> BOOL:
    """GetStringTypeW with a locale, which does not matter."""
    return GetStringTypeW(thread, dwInfoType, lpSrcStr, cchSrc, lpCharType)


@export(aliases=("GetStringTypeExA",))
def GetStringTypeA(
    thread: UserThread,
    Locale: LCID,
    dwInfoType: DWORD,
    lpSrcStr: Ptr[CHAR],
    cchSrc: INT,
    lpCharType: Ptr[USHORT],
) -> BOOL:
    """The same for text of the ANSI code page."""
    if not lpSrcStr or cchSrc == 0:
        raise WinError(ERROR.INVALID_PARAMETER)
    data = lpSrcStr.string() + b"\0" if cchSrc < 0 else lpSrcStr.read_bytes(cchSrc)
    return _types(dwInfoType, codepage.ansi(data), lpCharType)

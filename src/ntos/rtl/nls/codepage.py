"""Code pages: MultiByteToWideChar and WideCharToMultiByte over bytes and text.

Failures that only Win32 has a number for are raised as statuses of the Win32 facility.
"""

from __future__ import annotations

import codecs
import functools
from importlib.resources import files
from typing import NamedTuple

from ntos.abi.errors import ERROR
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import NTSTATUS
from ntos.rtl.text import unit_count

CP_ACP = 0
CP_OEMCP = 1
CP_MACCP = 2
CP_THREAD_ACP = 3
CP_UTF7 = 65000
CP_UTF8 = 65001
ANSI = 1252
"""The machine's ANSI code page."""
OEM = 437
"""The machine's OEM code page, which consoles begin with."""

MB_PRECOMPOSED = 0x1
MB_COMPOSITE = 0x2
MB_USEGLYPHCHARS = 0x4
MB_ERR_INVALID_CHARS = 0x8
WC_ERR_INVALID_CHARS = 0x80
WC_NO_BEST_FIT_CHARS = 0x400
_WC_KNOWN = 0x6F0

_SINGLE = {
    20127: "ascii", 28591: "latin-1", 28592: "iso8859-2", 28593: "iso8859-3", 28594: "iso8859-4",
    28595: "iso8859-5", 28596: "iso8859-6", 28597: "iso8859-7", 28598: "iso8859-8", 28599: "iso8859-9",
    28603: "iso8859-13", 28605: "iso8859-15", 20866: "koi8-r", 21866: "koi8-u", 10000: "mac-roman",
    37: "cp037", 500: "cp500", 1026: "cp1026",
    **{page: f"cp{page}" for page in (437, 720, 737, 775, 850, 852, 855, 857, 858, 860, 861, 862, 863, 864)},
    **{page: f"cp{page}" for page in (865, 866, 869, 874, *range(1250, 1259))},
}  # fmt: skip
_DOUBLE = {932: "cp932", 936: "gbk", 949: "cp949", 950: "cp950"}
_LEAD_RANGES = {
    932: ((0x81, 0x9F), (0xE0, 0xFC)),
    936: ((0x81, 0xFE),),
    949: ((0x81, 0xFE),),
    950: ((0x81, 0xFE),),
}
_NAMES = {
    1252: "1252  (ANSI - Latin I)",
    437: "437   (OEM - United States)",
    932: "932   (ANSI/OEM - Japanese Shift-JIS)",
    936: "936   (ANSI/OEM - Simplified Chinese GBK)",
    949: "949   (ANSI/OEM - Korean)",
    950: "950   (ANSI/OEM - Traditional Chinese Big5)",
    20127: "20127 (US-ASCII)",
    28591: "28591 (ISO 8859-1 Latin I)",
    CP_UTF7: "65000 (UTF-7)",
    CP_UTF8: "65001 (UTF-8)",
}
_GLYPHS = str.maketrans(dict(zip(range(1, 32), "☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼", strict=True)) | {127: "⌂"})


class CodePageInfo(NamedTuple):
    """What GetCPInfoEx tells."""

    code_page: int
    maximum_size: int
    default: bytes
    lead_bytes: bytes
    unicode_default: str
    name: str


class Encoded(NamedTuple):
    """Bytes, and whether the default character stands in them."""

    data: bytes
    used_default: bool


def win32_error(error: int) -> NtError:
    """An error that has no status of its own: the door gives the program just this number."""
    return NtError(NTSTATUS(0xC0070000 | error))


def resolve(code_page: int) -> int:
    """The code page that CP_ACP and its like stand for."""
    return {CP_ACP: ANSI, CP_OEMCP: OEM, CP_MACCP: 10000, CP_THREAD_ACP: ANSI}.get(code_page, code_page)


def is_valid(code_page: int) -> bool:
    """Whether conversions know the code page (IsValidCodePage); UTF-16 is none to Windows."""
    return code_page in _SINGLE or code_page in _DOUBLE or code_page in {CP_UTF7, CP_UTF8}


def information(code_page: int) -> CodePageInfo:
    """Sizes, defaults and lead bytes of a code page (GetCPInfoEx)."""
    page = _checked(code_page)
    lead = b"".join(bytes(pair) for pair in _LEAD_RANGES.get(page, ()))
    size = {CP_UTF7: 5, CP_UTF8: 4}.get(page, 2 if page in _DOUBLE else 1)
    default = "\ufffd" if page in {CP_UTF7, CP_UTF8} else "\u30fb" if page == 932 else "?"
    return CodePageInfo(page, size, b"?", lead, default, _NAMES.get(page, str(page)))


def is_lead_byte(byte: int, code_page: int = CP_ACP) -> bool:
    """Whether a byte begins a double-byte character (IsDBCSLeadByteEx)."""
    return any(low <= byte <= high for low, high in _LEAD_RANGES.get(resolve(code_page), ()))


def to_wide(data: bytes, code_page: int = CP_ACP, flags: int = 0) -> str:
    """The text of bytes in a code page (MultiByteToWideChar)."""
    page = _checked(code_page)
    if page in {CP_UTF7, CP_UTF8}:
        if flags & ~(MB_ERR_INVALID_CHARS if page == CP_UTF8 else 0):
            raise win32_error(ERROR.INVALID_FLAGS)
        return _from_utf(data, "utf-8" if page == CP_UTF8 else "utf-7", strict=bool(flags))
    if flags & ~0xF:
        raise win32_error(ERROR.INVALID_FLAGS)
    strict = bool(flags & MB_ERR_INVALID_CHARS)
    if page in _DOUBLE:
        text = _from_double(data, page, strict=strict)
    else:
        table = _decoding_table(page)
        text = "".join([table[byte] for byte in data])
        if strict and "\ufffd" in text:
            raise NtError(STATUS.UNMAPPABLE_CHARACTER)
    return text.translate(_GLYPHS) if flags & MB_USEGLYPHCHARS else text


def to_multi(text: str, code_page: int = CP_ACP, flags: int = 0, default: bytes | None = None) -> Encoded:
    """The bytes of a text in a code page, and whether it had to use the default (WideCharToMultiByte)."""
    page = _checked(code_page)
    if page in {CP_UTF7, CP_UTF8}:
        return Encoded(_to_utf(text, page, flags, default), used_default=False)
    if flags & ~(_WC_KNOWN | WC_ERR_INVALID_CHARS):
        raise win32_error(ERROR.INVALID_FLAGS)
    codec = _DOUBLE.get(page) or _SINGLE[page]
    try:
        return Encoded(text.encode(codec), used_default=False)
    except UnicodeEncodeError:
        return _substituted(text, page, flags, b"?" if default is None else default)


def ansi(data: bytes) -> str:
    """The text of bytes in the ANSI code page, as every `…A` function reads its strings."""
    return to_wide(data, ANSI)


def to_ansi(text: str) -> bytes:
    """The bytes of a text in the ANSI code page, best fit included."""
    return to_multi(text, ANSI).data


def oem(data: bytes) -> str:
    """The text of bytes in the OEM code page (OemToChar)."""
    return to_wide(data, OEM)


def to_oem(text: str) -> bytes:
    """The bytes of a text in the OEM code page (CharToOem)."""
    return to_multi(text, OEM).data


def _checked(code_page: int) -> int:
    page = resolve(code_page)
    if not is_valid(page):
        raise win32_error(ERROR.INVALID_PARAMETER)
    return page


def _from_utf(data: bytes, codec: str, *, strict: bool) -> str:
    """Each ill-formed sequence becomes one U+FFFD, as Unicode recommends and Windows does since Vista."""
    try:
        return data.decode(codec, "strict" if strict else "replace")
    except UnicodeDecodeError:
        raise NtError(STATUS.UNMAPPABLE_CHARACTER) from None


def _to_utf(text: str, page: int, flags: int, default: bytes | None) -> bytes:
    if default is not None:
        raise win32_error(ERROR.INVALID_PARAMETER)
    if flags & ~(WC_ERR_INVALID_CHARS if page == CP_UTF8 else 0):
        raise win32_error(ERROR.INVALID_FLAGS)
    if page == CP_UTF7:
        return text.encode("utf-7", "surrogatepass")
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        if flags & WC_ERR_INVALID_CHARS:
            raise NtError(STATUS.UNMAPPABLE_CHARACTER) from None
    return "".join("\ufffd" if "\ud800" <= unit <= "\udfff" else unit for unit in text).encode()


@functools.cache
def _decoding_table(page: int) -> tuple[str, ...]:
    """The character of each byte: a hole among the C1 controls is that control, any other U+FFFD."""
    codec = _SINGLE[page]
    if page == 20127:
        return tuple(chr(byte & 0x7F) for byte in range(256))  # the eighth bit is not looked at
    table: list[str] = []
    for byte in range(256):
        text = bytes([byte]).decode(codec, "replace")
        table.append(chr(byte) if text == "\ufffd" and 0x80 <= byte < 0xA0 else text)
    return tuple(table)


def _from_double(data: bytes, page: int, *, strict: bool) -> str:
    codec = _DOUBLE[page]
    try:
        return data.decode(codec)
    except UnicodeDecodeError:
        if strict:
            raise NtError(STATUS.UNMAPPABLE_CHARACTER) from None
    default = information(page).unicode_default
    pieces: list[str] = []
    position = 0
    while position < len(data):
        width = 2 if is_lead_byte(data[position], page) and position + 1 < len(data) else 1
        pieces.append(_character(data[position : position + width], codec, default))
        position += width
    return "".join(pieces)


def _character(data: bytes, codec: str, default: str) -> str:
    try:
        return data.decode(codec)
    except UnicodeDecodeError:
        if data == b"\x80":
            return "\u20ac" if codec == "gbk" else "\x80"
        return default


@functools.cache
def _best_fit(page: int) -> dict[str, int]:
    """Substitutes by character; code pages not in the file have none."""
    for line in (files("ntos.rtl.nls") / "best_fit.txt").read_text("ascii").splitlines():
        number, _, pairs = line.partition(" ")
        if number == str(page):
            split = (pair.split(":") for pair in pairs.split())
            return {chr(int(source, 16)): int(target, 16) for source, target in split}
    return {}


def _substituted(text: str, page: int, flags: int, default: bytes) -> Encoded:
    codec = _DOUBLE.get(page) or _SINGLE[page]
    fit = {} if flags & WC_NO_BEST_FIT_CHARS else _best_fit(page)
    pieces: list[bytes] = []
    used = False
    for character in text:
        try:
            pieces.append(character.encode(codec))
        except UnicodeEncodeError:
            substitute = _hole(character, page) or _fitted(character, fit, codec)
            used = used or substitute is None
            # A character of two units takes two defaults.
            pieces.append(default * unit_count(character) if substitute is None else substitute)
    if used and flags & WC_ERR_INVALID_CHARS:
        raise NtError(STATUS.UNMAPPABLE_CHARACTER)
    return Encoded(b"".join(pieces), used)


def _hole(character: str, page: int) -> bytes | None:
    """The byte that decodes to this C1 control because the code page has nothing there."""
    if page in _SINGLE and page != 20127 and "\x80" <= character <= "\x9f":
        return bytes([ord(character)]) if _decoding_table(page)[ord(character)] == character else None
    return None


def _fitted(character: str, fit: dict[str, int], codec: str) -> bytes | None:
    return codecs.encode(chr(fit[character]), codec) if character in fit else None

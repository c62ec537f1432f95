"""Strings mapped as a whole: case, width, kana, byte order, sort keys."""

from __future__ import annotations

import enum
import unicodedata

from ntos.abi.errors import ERROR
from ntos.rtl.nls.codepage import win32_error
from ntos.rtl.nls.collation import CompareFlags, sort_key
from ntos.rtl.text import downcase, from_utf16, to_utf16, upcase


class MapFlags(enum.IntFlag):
    """What LCMapString does (LCMAP_…)."""

    LOWERCASE = 0x100
    UPPERCASE = 0x200
    TITLECASE = 0x300
    SORTKEY = 0x400
    BYTEREV = 0x800
    HASH = 0x40000
    HIRAGANA = 0x100000
    KATAKANA = 0x200000
    HALFWIDTH = 0x400000
    FULLWIDTH = 0x800000
    LINGUISTIC_CASING = 0x1000000
    SIMPLIFIED_CHINESE = 0x2000000
    TRADITIONAL_CHINESE = 0x4000000


_KANA = {code: code + 0x60 for code in range(0x3041, 0x3097)}
_TO_FULL = {0x20: 0x3000} | {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
_TO_HALF = {full: half for half, full in _TO_FULL.items()}


def map_string(text: str, flags: int) -> str | bytes:
    """The mapped text, or the bytes of its sort key (LCMapStringEx)."""
    if flags & MapFlags.SORTKEY:
        if flags & (MapFlags.TITLECASE | MapFlags.HIRAGANA | MapFlags.KATAKANA | 0xC00000):
            raise win32_error(ERROR.INVALID_FLAGS)
        key = sort_key(text, flags & 0x803103F)
        return _swapped(key) if flags & MapFlags.BYTEREV else key
    _check(flags)
    text = _without(text, flags)
    text = _width_and_kana(_case(text, flags), flags)
    return from_utf16(_swapped(to_utf16(text))) if flags & MapFlags.BYTEREV else text


def title_case(text: str) -> str:
    """Each word with an upper-case initial and the rest in lower case."""
    result: list[str] = []
    inside = False
    for character in text:
        result.append(downcase(character) if inside else upcase(character))
        inside = character.isalnum() or (inside and character == "'")
    return "".join(result)


def _check(flags: int) -> None:
    """Opposites exclude each other, and a call that asks for nothing is refused."""
    opposite = (0x300000, 0xC00000, 0x6000000)
    nothing = not flags & (0x6F00B00 | CompareFlags.IGNORE_NONSPACE | CompareFlags.IGNORE_SYMBOLS)
    if nothing or any(flags & pair == pair for pair in opposite):
        raise win32_error(ERROR.INVALID_FLAGS)


def _without(text: str, flags: int) -> str:
    if flags & CompareFlags.IGNORE_NONSPACE:
        parts = unicodedata.normalize("NFD", text)
        text = unicodedata.normalize(
            "NFC", "".join(part for part in parts if not unicodedata.combining(part))
        )
    if flags & CompareFlags.IGNORE_SYMBOLS:
        text = "".join(unit for unit in text if unicodedata.category(unit)[0] not in "PSZ")
    return text


def _case(text: str, flags: int) -> str:
    kind = flags & MapFlags.TITLECASE
    if kind == MapFlags.TITLECASE:
        return title_case(text)
    return upcase(text) if kind == MapFlags.UPPERCASE else downcase(text) if kind else text


def _width_and_kana(text: str, flags: int) -> str:
    if flags & MapFlags.KATAKANA:
        text = text.translate(_KANA)
    elif flags & MapFlags.HIRAGANA:
        text = text.translate({kata: hira for hira, kata in _KANA.items()})
    if flags & MapFlags.FULLWIDTH:
        halves = "".join(unicodedata.normalize("NFKC", c) if "\uff61" <= c <= "\uffdc" else c for c in text)
        return halves.translate(_TO_FULL)
    return text.translate(_TO_HALF | _half_kana()) if flags & MapFlags.HALFWIDTH else text


def _half_kana() -> dict[int, int]:
    """Half-width katakana by their full forms."""
    return {ord(unicodedata.normalize("NFKC", chr(code))): code for code in range(0xFF61, 0xFF9E)}


def _swapped(data: bytes) -> bytes:
    swapped = bytearray(data)
    even = len(data) & ~1
    swapped[0:even:2], swapped[1:even:2] = data[1:even:2], data[0:even:2]
    return bytes(swapped)

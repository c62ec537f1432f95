"""Character types: what GetStringTypeW says of each unit."""

from __future__ import annotations

import enum
import functools
import unicodedata

from ntos.abi.errors import ERROR
from ntos.rtl.nls.codepage import win32_error
from ntos.rtl.text import to_utf16

CT_CTYPE1 = 1
CT_CTYPE2 = 2
CT_CTYPE3 = 4


class Type1(enum.IntFlag):
    """CT_CTYPE1: what the C library's isupper and its like ask."""

    UPPER = 0x001
    LOWER = 0x002
    DIGIT = 0x004
    SPACE = 0x008
    PUNCT = 0x010
    CNTRL = 0x020
    BLANK = 0x040
    XDIGIT = 0x080
    ALPHA = 0x100
    DEFINED = 0x200


_BY_CATEGORY = {
    "Lu": Type1.ALPHA | Type1.UPPER,
    "Ll": Type1.ALPHA | Type1.LOWER,
    "Lt": Type1.ALPHA | Type1.UPPER | Type1.LOWER,
    "Lm": Type1.ALPHA,
    "Lo": Type1.ALPHA,
    "Nl": Type1.ALPHA,
    "Nd": Type1.DIGIT,
    "Zs": Type1.SPACE | Type1.BLANK,
    "Zl": Type1.SPACE,
    "Zp": Type1.SPACE,
    "Cc": Type1.CNTRL,
    "Cf": Type1.CNTRL,
}
_BIDI = {
    "L": 1, "R": 2, "AL": 2, "EN": 3, "ES": 4, "ET": 5, "AN": 6, "CS": 7, "B": 8, "S": 9, "WS": 10, "ON": 11,
    "NSM": 11,
}  # fmt: skip


def string_type(kind: int, text: str) -> list[int]:
    """One word for each UTF-16 unit (GetStringTypeW)."""
    classify = {CT_CTYPE1: type1, CT_CTYPE2: type2, CT_CTYPE3: type3}.get(kind)
    if classify is None:
        raise win32_error(ERROR.INVALID_PARAMETER)
    return [classify(chr(unit)) for unit in memoryview(to_utf16(text)).cast("H")]


@functools.lru_cache(maxsize=4096)
def type1(unit: str) -> int:
    """Upper, lower, digit, space… of one unit."""
    category = unicodedata.category(unit)
    if category == "Cn":
        return 0
    result = Type1.DEFINED | _BY_CATEGORY.get(category, Type1(0))
    if category[0] in "PS":
        result |= Type1.PUNCT
    if "\t" <= unit <= "\r" or unit == "\x85":
        result |= Type1.SPACE
    if unit == "\t":
        result |= Type1.BLANK
    if unit in "0123456789abcdefABCDEF":
        result |= Type1.XDIGIT
    return int(result)


@functools.lru_cache(maxsize=4096)
def type2(unit: str) -> int:
    """The direction of one unit for bidirectional layout."""
    return _BIDI.get(unicodedata.bidirectional(unit), 0)


@functools.lru_cache(maxsize=4096)
def type3(unit: str) -> int:
    """What text processing asks: marks, symbols, kana, width, ideographs, surrogates."""
    if "\ud800" <= unit <= "\udfff":
        return 0x800 if unit <= "\udbff" else 0x1000
    category, name = unicodedata.category(unit), unicodedata.name(unit, "")
    rules = (
        (category == "Mn", 0x0001),
        (category == "Sk" or (category == "Mn" and unicodedata.combining(unit) > 199), 0x0002),
        (category[0] in "SP", 0x0008),
        ("KATAKANA" in name, 0x0010),
        ("HIRAGANA" in name, 0x0020),
        (unicodedata.east_asian_width(unit) == "H", 0x0040),
        (unicodedata.east_asian_width(unit) in "FW", 0x0080),
        (name.startswith("CJK UNIFIED"), 0x0100),
        (unit == "\u0640", 0x0200),
        (category[0] == "P" and unit in "'-", 0x0400),
        (category[0] == "L", 0x8000),
    )
    return sum(bit for holds, bit in rules if holds)

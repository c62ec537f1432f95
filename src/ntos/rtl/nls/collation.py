"""The order of strings: ordinal, and linguistic for en-US and the invariant locale.

A sort key has levels, as on Windows: letters, then diacritics, then case, then hyphens and apostrophes. The
weights are our own; their order follows Windows' for what English text holds.
"""

from __future__ import annotations

import enum
import functools
import itertools
import unicodedata

from ntos.rtl.text import compare

CSTR_LESS_THAN = 1
CSTR_EQUAL = 2
CSTR_GREATER_THAN = 3


class CompareFlags(enum.IntFlag):
    """What a comparison leaves out (NORM_…, LINGUISTIC_…, SORT_…)."""

    IGNORE_CASE = 0x1
    IGNORE_NONSPACE = 0x2
    IGNORE_SYMBOLS = 0x4
    DIGITS_AS_NUMBERS = 0x8
    LINGUISTIC_IGNORE_CASE = 0x10
    LINGUISTIC_IGNORE_DIACRITIC = 0x20
    STRING_SORT = 0x1000
    IGNORE_KANA_TYPE = 0x10000
    IGNORE_WIDTH = 0x20000
    LINGUISTIC_CASING = 0x8000000


_NO_CASE = CompareFlags.IGNORE_CASE | CompareFlags.LINGUISTIC_IGNORE_CASE
_NO_MARKS = CompareFlags.IGNORE_NONSPACE | CompareFlags.LINGUISTIC_IGNORE_DIACRITIC
_PUNCTUATION = " \t\n\v\f\r_-'" + '!"#$%&()*,./:;?@[\\]^`{|}~' + "+<=>"
_EXPANSIONS = {
    "ß": "ss",
    "æ": "ae",
    "Æ": "AE",
    "œ": "oe",
    "Œ": "OE",
    "þ": "th",
    "Þ": "TH",
    "ĳ": "ij",
    "Ĳ": "IJ",
}
_MINOR = frozenset("-'\u00ad\u2010\u2011")
"""In a word sort these stand behind everything else: `co-op` is next to `coop`."""


def compare_string(left: str, right: str, flags: int = 0) -> int:
    """CSTR_LESS_THAN, CSTR_EQUAL or CSTR_GREATER_THAN (CompareStringEx)."""
    if left == right:
        return CSTR_EQUAL
    first, second = sort_key(left, flags), sort_key(right, flags)
    return CSTR_EQUAL + (first > second) - (first < second)


def compare_ordinal(left: str, right: str, *, ignore_case: bool = False) -> int:
    """The same by code units (CompareStringOrdinal)."""
    difference = compare(left, right, ignore_case=ignore_case)
    return CSTR_EQUAL + (difference > 0) - (difference < 0)


def find_string(text: str, value: str, flags: int = 0) -> tuple[int, int]:
    """Where a value first stands in a text and how long it is there, or (-1, 0) (FindNLSString)."""
    wanted = sort_key(value, flags)
    for start in range(len(text) + 1):
        for end in range(start, min(len(text), start + 2 * len(value)) + 1):
            if sort_key(text[start:end], flags) == wanted:
                return start, end - start
    return -1, 0


@functools.lru_cache(maxsize=2048)
def sort_key(text: str, flags: int = 0) -> bytes:
    """Bytes that compare as the texts do (LCMapString with LCMAP_SORTKEY)."""
    options = CompareFlags(flags & 0x803103F)
    primary: list[bytes] = []
    marks: list[int] = []
    cases: list[int] = []
    minor: list[bytes] = []
    for run in _runs(text, options):
        if run[0] in _MINOR and not options & CompareFlags.STRING_SORT:
            if not options & CompareFlags.IGNORE_SYMBOLS:
                minor.append(_weight(len(primary), 2) + _primary(run))
        elif unicodedata.combining(run[0]):
            if marks:
                marks[-1] = (marks[-1] * 7 + ord(run[0]) - 0x2FE) % 64516
        elif not (options & CompareFlags.IGNORE_SYMBOLS and unicodedata.category(run[0])[0] in "PSZ"):
            primary.append(_primary(run))
            marks.append(2)
            cases.append(18 if run.lower() != run else 2)
    levels = [
        b"".join(primary),
        b"" if options & _NO_MARKS else _level(marks),
        b"" if options & _NO_CASE else _level(cases),
        b"",
        b"".join(minor),
    ]
    return b"\x01".join(levels) + b"\0"


def _level(weights: list[int]) -> bytes:
    """A level without the lowest weights at its end, which every text has."""
    kept = list(weights)
    while kept and kept[-1] == 2:
        kept.pop()
    return b"".join(_weight(weight, 2) for weight in kept)


def _weight(value: int, size: int) -> bytes:
    """A number in bytes above 1, which ends a level, and 0, which ends the key: keys compare as C strings."""
    digits: list[int] = []
    for _ in range(size):
        value, digit = divmod(value, 254)
        digits.insert(0, digit + 2)
    return bytes(digits)


def _runs(text: str, options: CompareFlags) -> list[str]:
    """Letters and marks one by one; digits stay together where they count as numbers."""
    plain = text
    if not text.isascii():
        expanded = "".join(_EXPANSIONS.get(character, character) for character in text)
        plain = unicodedata.normalize("NFKD" if options & CompareFlags.IGNORE_WIDTH else "NFD", expanded)
    if not options & CompareFlags.DIGITS_AS_NUMBERS:
        return list(plain.replace("\0", ""))
    groups = itertools.groupby(plain.replace("\0", ""), key=str.isdecimal)
    return [run for digits, group in groups for run in (["".join(group)] if digits else list(group))]


@functools.lru_cache(maxsize=8192)
def _primary(run: str) -> bytes:
    """The weight without case and marks: punctuation, symbols, digits, letters by alphabet."""
    character = run[0].lower()
    if character in _PUNCTUATION:
        return bytes([7, 2 + _PUNCTUATION.index(character)])
    if character.isdecimal():
        value = str(int(run))
        return bytes([12, 2 + len(value)]) + value.encode()
    category = unicodedata.category(character)[0]
    if category == "L":
        kana = (
            unicodedata.name(character, "").startswith("KATAKANA LETTER")
            and "\u30a1" <= character <= "\u30f6"
        )
        code = ord(character) - 0x60 if kana else ord(character)
        return bytes([14]) + _weight(code, 3)
    return bytes([8 if category in "PZ" else 10]) + _weight(ord(character), 3)

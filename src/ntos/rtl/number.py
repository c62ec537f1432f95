"""Numbers in text: strtol and strtod with their ends, overflows and bases."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

SPACES = " \t\n\v\f\r"
"""What isspace accepts in the "C" locale."""
WIDE_SPACES = (
    SPACES + "\x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"
)
"""What iswspace accepts."""


class Integer(NamedTuple):
    """The value, the index behind its last character (0 when there is none), and whether it overflowed."""

    value: int
    end: int
    overflow: bool


class Real(NamedTuple):
    """The value, the index behind its last character (0 when there is none), and whether to set ERANGE."""

    value: float
    end: int
    out_of_range: bool


def parse_integer(
    text: str, base: int, *, bits: int = 32, signed: bool = True, spaces: str = SPACES
) -> Integer:
    """What strtol, strtoul, strtoll, strtoull, wcstol… make of a text.

    The caller refuses a base that is neither 0 nor 2 to 36 (EINVAL).
    """
    position = len(text) - len(text.lstrip(spaces))
    negative = text[position : position + 1] == "-"
    if text[position : position + 1] in {"+", "-"}:
        position += 1
    marked = text[position : position + 2] in {"0x", "0X"}
    if base == 0:
        base = 16 if marked else 8 if text[position : position + 1] == "0" else 10
    if base == 16 and marked:
        position += 2
    value, start = 0, position
    while position < len(text) and (digit := digit_value(text[position])) < base:
        value = value * base + digit
        position += 1
    if position == start:
        return Integer(0, 0, overflow=False)
    return _clamped(-value if negative else value, position, bits, signed=signed)


def digit_value(character: str) -> int:
    """0 to 35 for a digit or letter, 99 for anything else; decimal digits of other scripts count."""
    if "0" <= character <= "9":
        return ord(character) - 48
    if "a" <= character <= "z" or "A" <= character <= "Z":
        return ord(character.lower()) - 87
    return int(character) if character.isdecimal() else 99


def _clamped(value: int, end: int, bits: int, *, signed: bool) -> Integer:
    if signed:
        low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
        return Integer(min(max(value, low), high), end, overflow=not low <= value <= high)
    mask = (1 << bits) - 1
    return (
        Integer(mask, end, overflow=True) if abs(value) > mask else Integer(value & mask, end, overflow=False)
    )


_DECIMAL = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_LEGACY = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eEdD][-+]?[0-9]+)?")
_HEXADECIMAL = re.compile(r"[-+]?0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)(?:[pP][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"([-+]?)(inf(?:inity)?|nan(?:\(([0-9a-z_]*)\))?)", re.IGNORECASE)


def parse_double(
    text: str, *, legacy: bool = False, spaces: str = SPACES, decimal_point: str = ".", single: bool = False
) -> Real:
    """What strtod makes of a text (strtof with `single`); `legacy` knows no hexadecimal, `inf` or `nan`."""
    start = len(text) - len(text.lstrip(spaces))
    plain = text.replace(decimal_point, ".") if decimal_point != "." else text
    if not legacy:
        if match := _HEXADECIMAL.match(plain, start):
            return _ranged(_hexadecimal(match.group()), match.group(), match.end(), single=single)
        if match := _SPECIAL.match(plain, start):
            return Real(_special(match), match.end(), out_of_range=False)
    match = (_LEGACY if legacy else _DECIMAL).match(plain, start)
    if match is None:
        return Real(0.0, 0, out_of_range=False)
    value = float(match.group().lower().replace("d", "e"))
    return _ranged(value, match.group(), match.end(), single=single)


def _hexadecimal(text: str) -> float:
    try:
        return float.fromhex(text)
    except OverflowError:
        return -math.inf if text.startswith("-") else math.inf


def _special(match: re.Match[str]) -> float:
    name = match.group(2).lower()
    value = math.inf if name.startswith("inf") else math.nan
    return math.copysign(value, -1.0 if match.group(1) == "-" else 1.0)


def _ranged(value: float, text: str, end: int, *, single: bool) -> Real:
    """ERANGE is for infinity, and for a zero or denormal that the digits do not say."""
    smallest, largest = (2.0**-126, (2 - 2.0**-24) * 2.0**127) if single else (2.0**-1022, math.inf)
    if abs(value) >= largest:
        return Real(math.copysign(math.inf, value), end, out_of_range=True)
    mantissa = re.split(r"[pP]" if "x" in text.lower() else r"[eEdD]", text)[0]
    nonzero = any(character not in "+-0.xX" for character in mantissa)
    return Real(value, end, out_of_range=nonzero and abs(value) < smallest)

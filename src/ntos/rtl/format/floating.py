"""Doubles in decimal and hexadecimal, digit for digit as the Windows runtimes print them."""

from __future__ import annotations

import math
import struct
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal

from ntos.rtl.format.specification import Rules, Specification

_EXACT = 1100
"""More digits than any double has."""
_LEGACY_DIGITS = 17
"""msvcrt.dll rounds every double to 17 significant digits first, then pads with zeros."""


def format_double(value: float, specification: Specification, rules: Rules) -> tuple[str, str]:
    """The sign or radix prefix of a number and its digits, not padded."""
    sign = _sign(value, specification)
    if not math.isfinite(value):
        return sign, _special(value, specification, rules)
    if specification.letter in "aA":
        prefix, digits = _hexadecimal(abs(value), specification, rules)
        return sign + prefix, digits
    precision = specification.precision if specification.precision >= 0 else 6
    style = specification.letter.lower()
    number = _decimal(abs(value), rules)
    if style == "f":
        text = _fixed(number, precision, specification, rules)
    elif style == "e":
        text = _scientific(number, precision, specification, rules)
    else:
        text = _general(number, precision or 1, specification, rules)
    return sign, text.replace(".", rules.decimal_point)


def is_negative(value: float) -> bool:
    """Whether the sign bit is set."""
    return math.copysign(1.0, value) < 0


def bits_of(value: float) -> int:
    """The 64 bits of a double."""
    return int.from_bytes(struct.pack("<d", value), "little")


def _sign(value: float, specification: Specification) -> str:
    if is_negative(value):
        return "-"
    if "+" in specification.flags:
        return "+"
    return " " if " " in specification.flags else ""


def _decimal(value: float, rules: Rules) -> Decimal:
    exact = Decimal(value)
    return Context(prec=_LEGACY_DIGITS, rounding=ROUND_HALF_EVEN).plus(exact) if rules.legacy else exact


def _context(rules: Rules, digits: int = _EXACT) -> Context:
    return Context(prec=digits, rounding=ROUND_HALF_EVEN if rules.ties_to_even else ROUND_HALF_UP)


def _fixed(number: Decimal, precision: int, specification: Specification, rules: Rules) -> str:
    context = _context(rules, _EXACT + precision)
    text = f"{number.quantize(Decimal(1).scaleb(-precision), context=context):f}"
    return text + "." if precision == 0 and specification.alternate else text


def _mantissa(number: Decimal, digits: int, rules: Rules) -> tuple[str, int]:
    """So many significant digits, and the exponent of the first."""
    if not number:
        return "0" * digits, 0
    rounded = _context(rules, digits).plus(number)
    text = "".join(map(str, rounded.as_tuple().digits))
    return text.ljust(digits, "0")[:digits], rounded.adjusted()


def _exponent(exponent: int, specification: Specification, rules: Rules) -> str:
    mark = "E" if specification.upper else "e"
    return f"{mark}{'-' if exponent < 0 else '+'}{abs(exponent):0{rules.exponent_digits}d}"


def _scientific(number: Decimal, precision: int, specification: Specification, rules: Rules) -> str:
    digits, exponent = _mantissa(number, precision + 1, rules)
    point = "." if precision or specification.alternate else ""
    return digits[0] + point + digits[1:] + _exponent(exponent, specification, rules)


def _general(number: Decimal, precision: int, specification: Specification, rules: Rules) -> str:
    digits, exponent = _mantissa(number, precision, rules)
    if exponent < -4 or exponent >= precision:
        fraction = digits[1:] if specification.alternate else digits[1:].rstrip("0")
        point = "." if fraction or specification.alternate else ""
        return digits[0] + point + fraction + _exponent(exponent, specification, rules)
    if exponent < 0:
        whole, fraction = "0", "0" * (-exponent - 1) + digits
    else:
        whole, fraction = digits[: exponent + 1], digits[exponent + 1 :]
    if specification.alternate:
        return f"{whole}.{fraction}"
    fraction = fraction.rstrip("0")
    return f"{whole}.{fraction}" if fraction else whole


def _hexadecimal(value: float, specification: Specification, rules: Rules) -> tuple[str, str]:
    """`0x1.8000000000000p+0`: all 13 digits unless a precision asks for fewer."""
    bits = bits_of(value)
    exponent, fraction = bits >> 52, bits & ((1 << 52) - 1)
    significand = fraction | (1 << 52 if exponent else 0)
    power = (exponent or 1) - 1023 if bits else 0
    precision = specification.precision if specification.precision >= 0 else 13
    if precision < 13:
        shift = 4 * (13 - precision)
        kept, lost, half = significand >> shift, significand & ((1 << shift) - 1), 1 << (shift - 1)
        up = lost > half or (lost == half and (not rules.ties_to_even or bool(kept & 1)))
        significand = (kept + up) << shift
    whole, rest = significand >> 52, significand & ((1 << 52) - 1)
    digits = f"{rest:013x}"[:precision].ljust(precision, "0")
    point = rules.decimal_point if precision or specification.alternate else ""
    text = f"{whole}{point}{digits}p{power:+d}"
    return ("0X", text.upper()) if specification.upper else ("0x", text)


def _special(value: float, specification: Specification, rules: Rules) -> str:
    if not rules.legacy:
        text = "inf" if math.isinf(value) else _nan_name(value)
        return text.upper() if specification.upper else text
    name = "#INF" if math.isinf(value) else _legacy_nan(value)
    style = specification.letter.lower()
    precision = specification.precision if specification.precision >= 0 else 6
    if style in "ga":
        kept = _legacy_round("1" + name, precision or 1)
        fraction = kept[1:].rstrip("0") if not specification.alternate else kept[1:]
        return kept[0] + ("." + fraction if fraction else "")
    kept = _legacy_round("1" + name, precision + 1)
    text = kept[0] + ("." if precision or specification.alternate else "") + kept[1:]
    return text + _exponent(0, specification, rules) if style == "e" else text


def _legacy_round(text: str, length: int) -> str:
    """The old runtime rounds the letters as if they were digits: `%.2f` of infinity is `1.#J`."""
    if length >= len(text):
        return text.ljust(length, "0")
    kept = text[:length]
    return kept[:-1] + chr(ord(kept[-1]) + 1) if text[length] >= "5" else kept


def _nan_name(value: float) -> str:
    bits = bits_of(value)
    if not bits & (1 << 51):
        return "nan(snan)"
    return "nan(ind)" if bits == 0xFFF8000000000000 else "nan"


def _legacy_nan(value: float) -> str:
    bits = bits_of(value)
    if not bits & (1 << 51):
        return "#SNAN"
    return "#IND" if bits == 0xFFF8000000000000 else "#QNAN"

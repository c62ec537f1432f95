"""Dates, times and numbers in a locale's form: pictures such as `dddd, MMMM d, yyyy` and `h:mm tt`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal

from ntos.abi.errors import ERROR
from ntos.rtl.nls.codepage import win32_error
from ntos.rtl.nls.locale import locale_text
from ntos.rtl.time import Fields, days_from_civil, days_in_month

DATE_SHORTDATE = 0x01
DATE_LONGDATE = 0x02
DATE_YEARMONTH = 0x08
DATE_MONTHDAY = 0x80
TIME_NOMINUTESORSECONDS = 0x1
TIME_NOSECONDS = 0x2
TIME_NOTIMEMARKER = 0x4
TIME_FORCE24HOURFORMAT = 0x8

_SHORT_DATE, _LONG_DATE, _TIME, _SHORT_TIME = 0x1F, 0x20, 0x1003, 0x79
_YEAR_MONTH, _MONTH_DAY = 0x1006, 0x78
_TOKEN = re.compile(r"'(?:[^']|'')*'?|([dMygHhmst])\1*|[^'dMygHhmst]+")
_NUMBER = re.compile(r"-?\d*(?:\.\d*)?")


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """NUMBERFMT and CURRENCYFMT: digits, separators, grouping (3 for 1,234,567; 32 for 12,34,567), orders."""

    digits: int = 2
    leading_zero: bool = True
    grouping: int = 3
    decimal: str = "."
    thousand: str = ","
    negative_order: int = 1
    positive_order: int = 0
    symbol: str = ""


def format_date(
    fields: Fields, picture: str | None = None, *, flags: int = 0, locale: str | None = None
) -> str:
    """The date by a picture, or by the locale's own that the flags choose (GetDateFormatEx)."""
    if picture is None:
        chosen = {DATE_LONGDATE: _LONG_DATE, DATE_YEARMONTH: _YEAR_MONTH, DATE_MONTHDAY: _MONTH_DAY}
        picture = locale_text(locale, chosen.get(flags & 0x8B, _SHORT_DATE))
    if not (1 <= fields.month <= 12 and 1 <= fields.day <= days_in_month(fields.year, fields.month)):
        raise win32_error(ERROR.INVALID_PARAMETER)
    weekday = (days_from_civil(fields.year, fields.month, fields.day) + 1) % 7
    return _filled(picture, lambda letter, count: _date_part(letter, count, fields, weekday, locale))


def format_time(
    fields: Fields, picture: str | None = None, *, flags: int = 0, locale: str | None = None
) -> str:
    """The time by a picture, or by the locale's own (GetTimeFormatEx)."""
    if picture is None:
        picture = locale_text(locale, _TIME)
    if not (0 <= fields.hour < 24 and 0 <= fields.minute < 60 and 0 <= fields.second < 60):
        raise win32_error(ERROR.INVALID_PARAMETER)
    picture = _trimmed(picture, flags)
    return _filled(picture, lambda letter, count: _time_part(letter, count, fields, locale))


def format_number(text: str, form: NumberFormat | None = None) -> str:
    """A number in the locale's form (GetNumberFormatEx); digits, one `.` and a leading `-`."""
    form = form or NumberFormat()
    negative, whole, fraction = _rounded(text, form.digits)
    body = _grouped(whole, form) + (form.decimal + fraction if fraction else "")
    return ("({})", "-{}", "- {}", "{}-", "{} -")[form.negative_order].format(body) if negative else body


def format_currency(text: str, form: NumberFormat | None = None) -> str:
    """An amount in the locale's form (GetCurrencyFormatEx)."""
    form = form or NumberFormat(symbol="$", negative_order=0)
    negative, whole, fraction = _rounded(text, form.digits)
    body = _grouped(whole, form) + (form.decimal + fraction if fraction else "")
    orders = _NEGATIVE_ORDERS if negative else _POSITIVE_ORDERS
    pattern = orders[form.negative_order if negative else form.positive_order]
    return pattern.replace("n", "\0").replace("$", form.symbol).replace("\0", body)


_POSITIVE_ORDERS = ("$n", "n$", "$ n", "n $")
_NEGATIVE_ORDERS = (
    "($n)", "-$n", "$-n", "$n-", "(n$)", "-n$", "n-$", "n$-", "-n $", "-$ n", "n $-", "$ n-", "$ -n", "n- $",
    "($ n)", "(n $)",
)  # fmt: skip


def _filled(picture: str, part: Callable[[str, int], str]) -> str:
    result: list[str] = []
    for match in _TOKEN.finditer(picture):
        token = match.group()
        if token.startswith("'"):
            result.append(token[1:].removesuffix("'").replace("''", "'"))
        elif match.group(1):
            result.append(part(token[0], len(token)))
        else:
            result.append(token)
    return "".join(result)


def _date_part(letter: str, count: int, fields: Fields, weekday: int, locale: str | None) -> str:
    if letter == "d":
        if count < 3:
            return f"{fields.day:0{count}d}"
        return locale_text(locale, (0x31 if count == 3 else 0x2A) + (weekday + 6) % 7)
    if letter == "M":
        if count < 3:
            return f"{fields.month:0{count}d}"
        return locale_text(locale, (0x44 if count == 3 else 0x38) + fields.month - 1)
    if letter == "y":
        return f"{fields.year:04d}" if count > 2 else f"{fields.year % 100:0{count}d}"
    return "A.D." if letter == "g" else letter * count


def _time_part(letter: str, count: int, fields: Fields, locale: str | None) -> str:
    values = {"h": fields.hour % 12 or 12, "H": fields.hour, "m": fields.minute, "s": fields.second}
    if letter in values:
        return f"{values[letter]:0{min(count, 2)}d}"
    if letter == "t":
        marker = locale_text(locale, 0x29 if fields.hour >= 12 else 0x28)
        return marker[:1] if count == 1 else marker
    return letter * count


def _trimmed(picture: str, flags: int) -> str:
    """The picture without what the flags leave out, and the separators that led there."""
    if flags & TIME_NOMINUTESORSECONDS:
        picture = re.sub(r"[^hHmst']*m+", "", picture)
    if flags & (TIME_NOSECONDS | TIME_NOMINUTESORSECONDS):
        picture = re.sub(r"[^hHmst']*s+", "", picture)
    if flags & (TIME_NOTIMEMARKER | TIME_FORCE24HOURFORMAT):
        picture = re.sub(r"\s*t+", "", picture).strip()
    return picture.replace("h", "H") if flags & TIME_FORCE24HOURFORMAT else picture


def _rounded(text: str, digits: int) -> tuple[bool, str, str]:
    """Sign, whole and fraction of a number text, rounded half away from zero."""
    if not _NUMBER.fullmatch(text) or not any(map(str.isdigit, text)):
        raise win32_error(ERROR.INVALID_PARAMETER)
    context = Context(prec=len(text) + digits + 2, rounding=ROUND_HALF_UP)
    number = Decimal(text).quantize(Decimal(1).scaleb(-digits), context=context)
    whole, _, fraction = f"{abs(number):f}".partition(".")
    return number < 0, whole, fraction


def _grouped(whole: str, form: NumberFormat) -> str:
    if whole == "0" and not form.leading_zero:
        return ""
    sizes = [int(digit) for digit in str(form.grouping)] if form.grouping else []
    repeat = not sizes or sizes[-1] != 0
    groups: list[str] = []
    while whole:
        size = sizes.pop(0) if len(sizes) > 1 else sizes[0] if sizes and repeat else 0
        cut = len(whole) - size if size else 0
        groups.insert(0, whole[max(cut, 0) :])
        whole = whole[: max(cut, 0)]
    return form.thousand.join(groups)

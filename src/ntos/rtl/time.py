"""Time: 100-nanosecond units since 1601, and the calendars around them."""

from __future__ import annotations

from typing import NamedTuple

TICKS_PER_SECOND = 10_000_000
TICKS_PER_MILLISECOND = 10_000
UNIX_EPOCH = 116_444_736_000_000_000
"""1 January 1970 in NT time."""
_TICKS_PER_DAY = 864_000_000_000
_MAXIMUM_DOS_YEAR = 2107


class Fields(NamedTuple):
    """A moment as a calendar shows it (TIME_FIELDS, SYSTEMTIME); Sunday is 0."""

    year: int
    month: int
    day: int
    hour: int = 0
    minute: int = 0
    second: int = 0
    millisecond: int = 0
    weekday: int = 0


class BrokenTime(NamedTuple):
    """C's `struct tm`: the year since 1900, the month from 0."""

    second: int
    minute: int
    hour: int
    day: int
    month: int
    year: int
    weekday: int
    year_day: int
    is_dst: int = 0


def is_leap_year(year: int) -> bool:
    """Whether a Gregorian year has 366 days."""
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def days_in_month(year: int, month: int) -> int:
    """How many days a month (from 1) has."""
    return (
        29
        if month == 2 and is_leap_year(year)
        else (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[month - 1]
    )


def days_from_civil(year: int, month: int, day: int) -> int:
    """Days since 1 January 1601 of a Gregorian date."""
    shifted = year - (month <= 2)
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return shifted * 365 + shifted // 4 - shifted // 100 + shifted // 400 + of_year - 584_694


def civil_from_days(days: int) -> tuple[int, int, int]:
    """Year, month and day of a number of days since 1 January 1601."""
    era, of_era = divmod(days + 584_694, 146_097)
    year = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    shifted = (5 * of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    return year + era * 400 + (month <= 2), month, of_year - (153 * shifted + 2) // 5 + 1


def to_fields(time: int) -> Fields:
    """The calendar fields of an NT time (RtlTimeToTimeFields)."""
    days, ticks = divmod(time, _TICKS_PER_DAY)
    milliseconds = ticks // TICKS_PER_MILLISECOND
    seconds, millisecond = divmod(milliseconds, 1000)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return Fields(*civil_from_days(days), hour, minute, second, millisecond, (days + 1) % 7)


def from_fields(fields: Fields) -> int | None:
    """The NT time of calendar fields, or None when they are no date (RtlTimeFieldsToTime)."""
    if not (1601 <= fields.year <= 30827 and 1 <= fields.month <= 12):
        return None
    if not 1 <= fields.day <= days_in_month(fields.year, fields.month):
        return None
    if not (0 <= fields.hour < 24 and 0 <= fields.minute < 60 and 0 <= fields.second < 60):
        return None
    if not 0 <= fields.millisecond < 1000:
        return None
    days = days_from_civil(fields.year, fields.month, fields.day)
    seconds = (fields.hour * 60 + fields.minute) * 60 + fields.second
    return days * _TICKS_PER_DAY + seconds * TICKS_PER_SECOND + fields.millisecond * TICKS_PER_MILLISECOND


def from_unix(seconds: float) -> int:
    """NT time of seconds since 1970 (RtlSecondsSince1970ToTime); whole seconds stay exact."""
    return UNIX_EPOCH + int(seconds * TICKS_PER_SECOND)


def to_unix(time: int) -> int:
    """Whole seconds since 1970 (RtlTimeToSecondsSince1970, without its 32-bit limit)."""
    return (time - UNIX_EPOCH) // TICKS_PER_SECOND


def from_unix_nanoseconds(nanoseconds: int) -> int:
    """NT time of a host's `st_mtime_ns` or `time_ns()`."""
    return UNIX_EPOCH + nanoseconds // 100


def to_unix_nanoseconds(time: int) -> int:
    """Nanoseconds since 1970, as the host counts."""
    return (time - UNIX_EPOCH) * 100


def to_dos(time: int) -> tuple[int, int] | None:
    """DOS date and time words, rounded up to two seconds, or None outside 1980 to 2107."""
    fields = to_fields(time + 2 * TICKS_PER_SECOND - 1)
    if not 1980 <= fields.year <= _MAXIMUM_DOS_YEAR:
        return None
    date = (fields.year - 1980) << 9 | fields.month << 5 | fields.day
    return date, fields.hour << 11 | fields.minute << 5 | fields.second // 2


def from_dos(date: int, time: int) -> int | None:
    """NT time of DOS date and time words, or None when they are no date (DosDateTimeToFileTime)."""
    day = (1980 + (date >> 9), date >> 5 & 15, date & 31)
    return from_fields(Fields(*day, time >> 11, time >> 5 & 63, (time & 31) * 2))


def to_broken(seconds: int) -> BrokenTime | None:
    """C's gmtime: None before 1970 (less half a day) and after the year 3000."""
    if not -43_200 <= seconds <= 32_536_850_399:
        return None
    fields = to_fields(from_unix(seconds))
    return BrokenTime(
        fields.second, fields.minute, fields.hour, fields.day, fields.month - 1, fields.year - 1900,
        fields.weekday, days_from_civil(*fields[:3]) - days_from_civil(fields.year, 1, 1),
    )  # fmt: skip


def from_broken(broken: BrokenTime, *, bias_minutes: int = 0) -> tuple[int, BrokenTime] | None:
    """C's mktime: seconds since 1970 and the fields put in order, or None where mktime returns -1.

    `bias_minutes` is what TIME_ZONE_INFORMATION.Bias says: UTC less local time.
    """
    years, month = divmod(broken.month, 12)
    days = days_from_civil(1900 + broken.year + years, month + 1, 1) + broken.day - 1
    seconds = ((days * 24 + broken.hour) * 60 + broken.minute) * 60 + broken.second
    local = seconds - UNIX_EPOCH // TICKS_PER_SECOND
    settled = to_broken(local)
    result = local + bias_minutes * 60
    if settled is None or result < 0:
        return None
    return result, settled

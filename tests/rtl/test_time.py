from __future__ import annotations

import datetime

from hypothesis import given
from hypothesis import strategies as st

from ntos.rtl import strftime, time
from ntos.rtl.time import BrokenTime, Fields

MOMENTS = st.datetimes(datetime.datetime(1970, 1, 1), datetime.datetime(2999, 12, 31), timezones=st.just(datetime.UTC))  # noqa: DTZ001  # fmt: skip


def test_epochs() -> None:
    """NT counts from 1601, and 1 January 1601 was a Monday."""
    assert time.to_fields(0) == Fields(1601, 1, 1, 0, 0, 0, 0, 1)
    assert time.to_fields(time.UNIX_EPOCH)[:3] == (1970, 1, 1)
    assert time.to_unix(time.from_unix(1_700_000_000)) == 1_700_000_000


def test_fields_that_are_no_date() -> None:
    """RtlTimeFieldsToTime refuses 30 February, and knows leap years by the Gregorian rule."""
    assert time.from_fields(Fields(2023, 2, 29)) is None
    assert time.from_fields(Fields(1900, 2, 29)) is None
    assert time.from_fields(Fields(2000, 2, 29)) is not None
    assert time.from_fields(Fields(2000, 1, 1, 24)) is None


@given(st.integers(0, (1 << 63) - 1 - time.TICKS_PER_SECOND))
def test_fields_round_trip(value: int) -> None:
    """Fields and back lose only what is below a millisecond."""
    fields = time.to_fields(value)
    if fields.year <= 30827:
        assert time.from_fields(fields) == value - value % time.TICKS_PER_MILLISECOND


def test_dos_times() -> None:
    """DOS times count two seconds and begin in 1980."""
    moment = time.from_fields(Fields(1998, 7, 9, 12, 34, 56))
    assert moment is not None
    words = time.to_dos(moment)
    assert words == (18 << 9 | 7 << 5 | 9, 12 << 11 | 34 << 5 | 28)
    assert time.from_dos(*words) == moment
    assert time.to_dos(0) is None


@given(MOMENTS)
def test_gmtime_and_strftime_as_the_host(moment: datetime.datetime) -> None:
    """Broken-down time, week numbers and names agree with any C library."""
    seconds = int(moment.timestamp())
    broken = time.to_broken(seconds)
    assert broken is not None
    template = "%Y-%m-%d %H:%M:%S %a %A %b %B %j %U %W %G %V %u %w %y %I %p %C"
    whole = moment.replace(microsecond=0)
    assert strftime.strftime(template, broken) == whole.strftime(template)
    assert time.from_broken(broken) == (seconds, broken)


def test_mktime_settles_fields() -> None:
    """Mktime accepts fields out of range and brings them in order."""
    result = time.from_broken(BrokenTime(70, 59, 23, 31, 11, 123, 0, 0))
    assert result is not None
    assert result[1][:6] == (10, 0, 0, 1, 0, 124)


def test_strftime_of_windows() -> None:
    """`%#` drops zeros and makes dates long; an unknown letter is EINVAL."""
    broken = time.to_broken(1_704_067_205)
    assert broken is not None
    assert strftime.strftime("%#d %#x|%c|%x %X %z %%", broken) == (
        "1 Monday, January 01, 2024|Mon Jan  1 00:00:05 2024|01/01/24 00:00:05 +0000 %"
    )
    assert strftime.strftime("%Q", broken) is None
    assert strftime.asctime(broken) == "Mon Jan  1 00:00:05 2024\n"

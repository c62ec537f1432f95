from __future__ import annotations

import ctypes
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntos.rtl.number import parse_double, parse_integer

LIBC = ctypes.CDLL(None)
LIBC.strtoll.restype = ctypes.c_longlong
LIBC.strtod.restype = ctypes.c_double


@pytest.mark.parametrize(
    ("text", "base", "value", "end", "overflow"),
    [
        ("  -12x", 10, -12, 5, False),
        ("0x1F", 0, 31, 4, False),
        ("017", 0, 15, 3, False),
        ("zz", 36, 1295, 2, False),
        ("2147483648", 10, 2147483647, 10, True),
        ("-2147483649", 10, -2147483648, 11, True),
        ("abc", 10, 0, 0, False),
        ("", 10, 0, 0, False),
        ("0x", 16, 0, 0, False),
    ],
)
def test_strtol(text: str, base: int, value: int, end: int, overflow: bool) -> None:
    """Windows' strtol is 32 bits wide and saturates."""
    assert parse_integer(text, base) == (value, end, overflow)


def test_strtoul_wraps_a_minus() -> None:
    """Strtoul negates modulo 2**32, and saturates only by magnitude."""
    assert parse_integer("-1", 10, signed=False) == (0xFFFFFFFF, 2, False)
    assert parse_integer("4294967296", 10, signed=False) == (0xFFFFFFFF, 10, True)


@given(st.text(alphabet=" +-019afzx", max_size=22), st.sampled_from([0, 2, 8, 10, 16, 36]))
def test_integers_as_the_host(text: str, base: int) -> None:
    """The 64-bit forms agree with any C library, but for a bare `0x`."""
    buffer = ctypes.create_string_buffer(text.encode())
    end = ctypes.c_char_p()
    expected = LIBC.strtoll(buffer, ctypes.byref(end), base)
    got = parse_integer(text, base, bits=64)
    if got.end:
        assert (got.value, got.end) == (expected, len(text) - len(end.value or b""))


@given(st.one_of(st.text(alphabet=" +-.019eExpinfa", max_size=12), st.floats().map(str)))
def test_doubles_as_the_host(text: str) -> None:
    """Strtod is exact and stops where the number does."""
    buffer = ctypes.create_string_buffer(text.encode())
    end = ctypes.c_char_p()
    expected = LIBC.strtod(buffer, ctypes.byref(end))
    got = parse_double(text)
    assert got.end == len(text) - len(end.value or b"")
    assert got.value == expected or (math.isnan(got.value) and math.isnan(expected))


def test_range_errors() -> None:
    """Overflow gives infinity, underflow what is left; both set ERANGE."""
    assert parse_double("1e400") == (math.inf, 5, True)
    assert parse_double("-1e400").value == -math.inf
    assert parse_double("1e-310").out_of_range
    assert parse_double("1e-400") == (0.0, 6, True)
    assert not parse_double("0e-400").out_of_range
    assert parse_double("1e39", single=True).value == math.inf


def test_legacy_spellings() -> None:
    """Msvcrt.dll reads `1d5` but neither `inf` nor hexadecimal."""
    assert parse_double("1d2", legacy=True) == (100.0, 3, False)
    assert parse_double("inf", legacy=True).end == 0
    assert parse_double("0x10", legacy=True).end == 1

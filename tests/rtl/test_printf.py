from __future__ import annotations

import ctypes
import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntos.rtl.format.printf import FormatError, format_printf
from ntos.rtl.format.specification import MSVCRT, UCRT, WSPRINTF, Rules, crt_rules

type_of_value = int | float | bytes | str | None


class Values:
    """Arguments from a Python list; the address of a text is its number in the list."""

    def __init__(self, *values: type_of_value) -> None:
        self.values = values
        self.next = 0
        self.stored: list[tuple[int, int, int]] = []

    def take(self) -> type_of_value:
        self.next += 1
        return self.values[self.next - 1]

    def next_integer(self, size: int) -> int:
        value = self.take()
        assert isinstance(value, int)
        return value & ((1 << 8 * size) - 1)

    def next_double(self) -> float:
        value = self.take()
        assert isinstance(value, (int, float))
        return float(value)

    def next_pointer(self) -> int:
        value = self.take()
        if isinstance(value, int):
            return value
        return 0 if value is None else self.next

    def read_string(self, address: int, limit: int) -> bytes:
        value = self.values[address - 1]
        assert isinstance(value, bytes)
        return value if limit < 0 else value[:limit]

    def read_wide(self, address: int, limit: int) -> str:
        value = self.values[address - 1]
        assert isinstance(value, str)
        return value if limit < 0 else value[:limit]

    def read_counted(self, address: int) -> bytes:
        value = self.values[address - 1]
        return value if isinstance(value, bytes) else str(value).encode("utf-16-le")

    def write_integer(self, address: int, size: int, value: int) -> None:
        self.stored.append((address, size, value))


def narrow(template: str, *values: type_of_value, rules: Rules = UCRT) -> str:
    return format_printf(template.encode(), Values(*values), rules).decode("latin-1")


def wide(template: str, *values: type_of_value, rules: Rules = UCRT) -> str:
    return format_printf(template, Values(*values), rules)


@pytest.mark.parametrize(
    ("template", "values", "text"),
    [
        ("%d|%5d|%-5d|%05d", (1, 2, 3, 4), "1|    2|3    |00004"),
        ("%+d % d %+u", (1, 2, 3), "+1  2 3"),
        ("%ld %lu", (-1, -1), "-1 4294967295"),
        ("%I64d %lld %I32d %Id", (-1, -2, -3, -4), "-1 -2 -3 -4"),
        ("%hd %hhd", (0x18000, 0x1FF), "-32768 -1"),
        ("%zu %ju %td", (1 << 40, 1 << 41, -5), "1099511627776 2199023255552 -5"),
        ("%x %X %#x %#o %#x", (255, 255, 255, 8, 0), "ff FF 0xff 010 0"),
        ("%.0d|%.3d|%08.3d", (0, 5, 5), "|005|     005"),
        ("%p", (0x7FF612340000,), "00007FF612340000"),
        ("%*d|%-*d|%*d", (4, 1, 4, 2, -4, 3), "   1|2   |3   "),
        ("%.*s|%.*s", (2, b"abc", -1, b"abc"), "ab|abc"),
        ("%c%c", (65, 0x142), "AB"),
        ("%s %S %ls %hs", (b"a", "b", "c", b"d"), "a b c d"),
        ("%05s|%-5s|%5.1s", (b"ab", b"ab", b"ab"), "000ab|ab   |    a"),
        ("%s %.3s", (None, None), "(null) (nu"),
        ("%Z %wZ", (b"ansi", "wide"), "ansi wide"),
        ("%y %% %", (), "y % "),
        ("%a %.2a %A", (1.5, 1.999, 0.0), "0x1.8000000000000p+0 0x2.00p+0 0X0.0000000000000P+0"),
        ("%e %E", (12345.678, 1e100), "1.234568e+04 1.000000E+100"),
        ("%g %g %g %#g %G", (1e-5, 100000, 1e6, 1.5, 1e-10), "1e-05 100000 1e+06 1.50000 1E-10"),
        ("%f %.0f %#.0f %.0f", (0.1, 0.5, 2, 1.5), "0.100000 0 2. 2"),
        ("%f %F %g %8.3e", (math.inf, -math.inf, math.inf, -math.inf), "inf -INF inf     -inf"),
        ("%010f|%-6f|", (math.inf, math.inf), "       inf|inf   |"),
        ("%Lf", (1.5,), "1.500000"),
    ],
)
def test_ucrt(template: str, values: tuple[type_of_value, ...], text: str) -> None:
    """The UCRT formats as C does, with Windows' sizes, `%S`, `%Z` and zero-padded strings."""
    assert narrow(template, *values) == text


def test_nan_names() -> None:
    """The UCRT tells an indeterminate and a signalling NaN from others."""
    indeterminate = struct.unpack("<d", bytes.fromhex("000000000000f8ff"))[0]
    assert narrow("%f %F", indeterminate, math.nan) == "-nan(ind) NAN"


@pytest.mark.parametrize(
    ("template", "value", "text"),
    [
        ("%e", 1.5, "1.500000e+000"),
        ("%g", 1e-5, "1e-005"),
        ("%f", math.inf, "1.#INF00"),
        ("%.2f", math.inf, "1.#J"),
        ("%g", -math.inf, "-1.#INF"),
        ("%e", math.inf, "1.#INF00e+000"),
        ("%.20f", 0.1, "0.10000000000000001000"),
        ("%.0f", 0.5, "1"),
    ],
)
def test_msvcrt_numbers(template: str, value: float, text: str) -> None:
    """msvcrt.dll writes three exponent digits, 1.#INF, and 17 significant digits."""
    assert narrow(template, value, rules=MSVCRT) == text


def test_wide_functions_swap_the_two_s() -> None:
    """In a wide function `%s` is wide by Windows' habit, narrow by the C standard's."""
    assert wide("%s %S %hs %ls", "a", b"b", b"c", "d") == "a b c d"
    assert wide("%s %S", b"a", "b", rules=crt_rules(0)) == "a b"
    assert wide("%c%C", 0x20AC, 0x41) == "\u20acA"


def test_surrogate_pairs_count_as_two_units() -> None:
    """Width and precision of wide text count UTF-16 units."""
    assert wide("%4s|", "\U0001f600") == "  \U0001f600|"
    assert wide("%.1s", "\U0001f600") == "\ud83d"


def test_unencodable_character_fails_the_call() -> None:
    """A narrow function returns -1 with EILSEQ where the locale has no such character."""
    with pytest.raises(FormatError) as caught:
        narrow("ab%ls", "\u20ac")
    assert (caught.value.errno, caught.value.written) == (42, "ab")


def test_count_is_disabled() -> None:
    """%n fails unless _set_printf_count_output allowed it."""
    with pytest.raises(FormatError):
        narrow("a%n", 0x1000)
    values = Values(0x1000)
    assert format_printf(b"ab%n", values, Rules(count_enabled=True)) == b"ab"
    assert values.stored == [(0x1000, 4, 2)]


def test_rounding_of_exact_halves() -> None:
    """Since Windows 10 2004 an exact half goes to the even digit; the legacy option rounds it up."""
    assert narrow("%.0f %.1f", 2.5, 0.25) == "2 0.2"
    assert narrow("%.0f %.1f", 2.5, 0.25, rules=crt_rules(0)) == "3 0.3"
    assert narrow("%.3e", 1e1, rules=crt_rules(0x10)) == "1.000e+001"


def test_wsprintf() -> None:
    """User32 knows in wsprintf no floating point and at most 1023 characters."""
    assert narrow("%d %s %#x %f", 1, b"a", 16, rules=WSPRINTF) == "1 a 0x10 f"
    assert len(wide("%s", "x" * 3000, rules=WSPRINTF)) == 1023


LIBC = ctypes.CDLL(None)


def libc(template: str, value: float) -> str:
    buffer = ctypes.create_string_buffer(4096)
    argument = ctypes.c_double(value) if isinstance(value, float) else ctypes.c_longlong(value)
    LIBC.snprintf(buffer, ctypes.c_size_t(4096), template.encode(), argument)
    return buffer.value.decode()


FLAGS = st.lists(st.sampled_from("-+ #0"), max_size=3).map("".join)
SIZES = st.one_of(st.just(""), st.integers(1, 40).map(str))


@given(
    FLAGS, SIZES, st.one_of(st.just(""), st.integers(0, 40).map(".{}".format)), st.sampled_from("eEfFgG"),
    st.floats(allow_nan=False, allow_infinity=False),
)  # fmt: skip
def test_doubles_as_the_host(flags: str, width: str, precision: str, letter: str, value: float) -> None:
    """Finite doubles are exact, as in any correct C library."""
    template = f"%{flags}{width}{precision}{letter}"
    assert narrow(template, value) == libc(template, value)


@given(
    FLAGS, SIZES, st.one_of(st.just(""), st.integers(0, 40).map(".{}".format)), st.sampled_from("diouxX"),
    st.integers(-(1 << 63), (1 << 63) - 1),
)  # fmt: skip
def test_integers_as_the_host(flags: str, width: str, precision: str, letter: str, value: int) -> None:
    """Integers agree with any C library in all flags."""
    template = f"%{flags}{width}{precision}ll{letter}"
    assert narrow(template, value) == libc(template, value)

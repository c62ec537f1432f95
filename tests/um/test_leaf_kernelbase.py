"""What kernelbase answers out of the TEB, the PEB and the shared page."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.um.leaf_guest import KUSER, PEB, SECOND, Guest

INVALID_PARAMETER = 87
integers = st.integers(-(2**31), 2**31 - 1)


@pytest.fixture(scope="module")
def guest() -> Guest:
    return Guest("kernelbase")


def test_thread_and_process(guest: Guest) -> None:
    """Identifiers come from the TEB, the heap and the debugger flag from the PEB, handles are constants."""
    guest.write(PEB + 0x30, struct.pack("<Q", 0xABCD0000))
    guest.write(PEB + 0x02, b"\1")
    assert guest.call("GetCurrentThreadId") == 4
    assert guest.call("GetCurrentProcessId") == 0x1234
    assert guest.call("GetCurrentProcess") == 2**64 - 1
    assert guest.call("GetCurrentThread") == 2**64 - 2
    assert guest.call("GetProcessHeap") == 0xABCD0000
    assert guest.call("IsDebuggerPresent") == 1
    guest.call("SetLastError", 1234)
    assert guest.call("GetLastError") == guest.last_error() == 1234


@pytest.mark.parametrize("index", [0, 63, 64, 65, 1087])
def test_tls(index: int) -> None:
    """A slot gives back what was put in and clears the last error; the expansion table is made once."""
    guest = Guest("kernelbase")
    assert guest.call("TlsGetValue", index) == 0
    assert guest.call("TlsSetValue", index, 0x123456789) == 1
    guest.call("SetLastError", 5)
    assert guest.call("TlsGetValue", index) == 0x123456789
    assert guest.last_error() == 0
    assert guest.call("TlsSetValue", index, 7) == 1
    assert guest.services == (index >= 64)


def test_tls_out_of_range(guest: Guest) -> None:
    """Index 1088 and TLS_OUT_OF_INDEXES are ERROR_INVALID_PARAMETER."""
    for index in (1088, 0xFFFFFFFF):
        guest.call("SetLastError", 0)
        assert guest.call("TlsGetValue", index) == 0
        assert guest.last_error() == INVALID_PARAMETER
        assert guest.call32("TlsSetValue", index, 1) == 0


def test_tls_expansion_without_memory() -> None:
    """TlsSetValue fails with ERROR_NOT_ENOUGH_MEMORY when the table cannot be made."""
    guest = Guest("kernelbase", limit=0)
    assert guest.call32("TlsSetValue", 64, 1) == 0
    assert guest.last_error() == 8


def test_fls(guest: Guest) -> None:
    """TEB.FlsData points to a count and the values; index 0, no table and an index too high are refused."""
    assert guest.call32("FlsSetValue", 1, 5) == 0
    assert guest.last_error() == INVALID_PARAMETER
    table = guest.place(struct.pack("<Q", 3) + bytes(8 * 3))
    guest.write(guest.teb + 0x17C8, struct.pack("<Q", table))
    assert guest.call32("FlsSetValue", 2, 0x77) == 1
    assert guest.call("FlsGetValue", 2) == guest.u64(table + 8 + 16) == 0x77
    assert guest.call("FlsGetValue", 0) == guest.call("FlsGetValue", 3) == 0
    assert guest.last_error() == INVALID_PARAMETER


def test_time(guest: Guest) -> None:
    """Ticks are scaled by the multiplier; times are KSYSTEM_TIMEs; the counter is the kernel's."""
    ticks, result = 0x1_2345_6789, guest.place(bytes(8))
    guest.write(KUSER + 0x04, struct.pack("<I", 0x0FA00000))
    guest.write(KUSER + 0x320, struct.pack("<Q", ticks))
    assert guest.call("GetTickCount64") == ticks * 0x0FA00000 >> 24
    assert guest.call("GetTickCount") == (ticks * 0x0FA00000 >> 24) & 0xFFFFFFFF
    guest.call("GetSystemTimeAsFileTime", result)
    assert guest.u64(result) == guest.now
    guest.write(KUSER + 0x3B0, struct.pack("<Q", SECOND))
    assert guest.call32("QueryUnbiasedInterruptTime", result) == 1
    assert guest.u64(result) == guest.now - SECOND
    assert guest.call32("QueryPerformanceCounter", result) == 1
    assert guest.u64(result) == 0x1122334455667788


def test_processor_features(guest: Guest) -> None:
    """A feature is a byte of the shared page; numbers beyond the table are absent."""
    guest.write(KUSER + 0x274 + 10, b"\1")
    assert [guest.call32("IsProcessorFeaturePresent", number) for number in (10, 11, 64, 2**32 - 1)] == [
        1,
        0,
        0,
        0,
    ]


def test_lengths(guest: Guest) -> None:
    """The length of NULL is 0."""
    assert guest.call32("lstrlenA", guest.place(b"abc\0")) == 3
    assert guest.call32("lstrlenW", guest.place("abcd\0".encode("utf-16-le"))) == 4
    assert guest.call32("lstrlenA", 0) == guest.call32("lstrlenW", 0) == 0


@settings(max_examples=300, deadline=None)
@given(number=integers, numerator=integers, denominator=integers | st.integers(-5, 5))
def test_mul_div(number: int, numerator: int, denominator: int) -> None:
    """MulDiv rounds half away from zero, and is -1 when the divisor is zero or the result does not fit."""
    expected = -1
    if denominator:
        product = number * numerator
        size = (abs(product) + abs(denominator) // 2) // abs(denominator)
        result = -size if (product < 0) != (denominator < 0) else size
        expected = result if -(2**31) < result < 2**31 else -1
    assert _shared().call32("MulDiv", number, numerator, denominator) == expected


_guests: list[Guest] = []


def _shared() -> Guest:
    if not _guests:
        _guests.append(Guest("kernelbase"))
    return _guests[0]

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntos.abi.status import NtError
from ntos.rtl import crc, guid, random, version
from ntos.rtl.bitmap import NOT_FOUND, Bitmap
from ntos.rtl.version import Condition, Version, VersionType


def test_guid_text() -> None:
    """The first three groups of a GUID are little-endian in memory."""
    data = bytes(range(16))
    text = "{03020100-0504-0706-0809-0A0B0C0D0E0F}"
    assert guid.to_text(data) == text
    assert guid.from_text(text.lower()) == data
    with pytest.raises(NtError):
        guid.from_text(text[1:-1])


def test_crc() -> None:
    """RtlComputeCrc32 is the CRC-32 of ZIP and goes on from a partial result."""
    assert crc.compute_crc32(b"123456789") == 0xCBF43926
    assert crc.compute_crc32(b"6789", crc.compute_crc32(b"12345")) == 0xCBF43926


def test_uniform() -> None:
    """RtlUniform(0) is 0x7FFFFFC3, and the result is the next seed."""
    assert random.uniform(0) == 0x7FFFFFC3
    assert random.uniform(1) == 0x7FFFFFB1
    assert random.crt_rand(1)[0] == 41


def test_bitmap_find_and_set() -> None:
    """A run is searched from the hint and then from the start."""
    bitmap = Bitmap(bytearray(4), 30)
    bitmap.set(0, 5)
    assert bitmap.find_clear_and_set(3, hint=2) == 5
    assert bitmap.find_clear(22, hint=20) == 8
    assert bitmap.find_clear(23) == NOT_FOUND
    assert bitmap.longest_clear_run() == (8, 22)
    assert bitmap.count_set() == 8


@given(st.binary(min_size=1, max_size=8), st.integers(1, 9), st.integers(0, 70))
def test_bitmap_runs_as_naive(data: bytes, count: int, hint: int) -> None:
    """Every search finds what a loop over the bits finds."""
    size = len(data) * 8 - 3
    bits = [data[index // 8] >> (index % 8) & 1 for index in range(size)]
    starts = [at for at in range(size - count + 1) if not any(bits[at : at + count])]
    ahead = [at for at in starts if at >= (hint if hint < size else 0)]
    expected = (ahead or starts or [NOT_FOUND])[0]
    bitmap = Bitmap(bytearray(data), size)
    assert bitmap.find_clear(count, hint) == expected
    assert sum(length for _, length in bitmap.clear_runs()) == bits.count(0)


def test_version_conditions() -> None:
    """Major, minor and service pack compare as one number; the build by itself."""
    mask = version.set_condition_mask(0, VersionType.MAJOR, Condition.GREATER_EQUAL)
    mask = version.set_condition_mask(mask, VersionType.MINOR, Condition.GREATER_EQUAL)
    mask = version.set_condition_mask(mask, VersionType.BUILD, Condition.EQUAL)
    ten = Version(major=10, minor=0, build=19041)
    both = VersionType.MAJOR | VersionType.MINOR
    assert version.verify(ten, Version(major=6, minor=3), both, mask)
    assert not version.verify(ten, Version(major=10, minor=1), both, mask)
    assert version.verify(ten, Version(build=19041), VersionType.BUILD, mask)
    assert not version.verify(ten, Version(build=19042), VersionType.BUILD, mask)
    with pytest.raises(NtError):
        version.verify(ten, ten, 0, mask)

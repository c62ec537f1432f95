"""Checksums."""

from __future__ import annotations

import zlib


def compute_crc32(data: bytes, partial: int = 0) -> int:
    """The CRC-32 of bytes that follow those of the partial result (RtlComputeCrc32, RtlCrc32)."""
    return zlib.crc32(data, partial)


def image_checksum(data: bytes, partial: int = 0) -> int:
    """The 16-bit ones' complement sum that PE checksums are made of (imagehlp's ChkSum)."""
    padded = data + b"\0" if len(data) % 2 else data
    total = partial + sum(memoryview(padded).cast("H"))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total

"""Base relocations: move an image to another address (LdrRelocateImage)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from ntos.abi.pe.headers import Directory, ImageHeaders
from ntos.abi.pe.reader import Read, bad_image

if TYPE_CHECKING:
    from collections.abc import Iterator

ABSOLUTE: Final = 0
HIGH: Final = 1
LOW: Final = 2
HIGHLOW: Final = 3
HIGHADJ: Final = 4
DIR64: Final = 10
BULK: Final = 0x4_0000
"""Tables of more bytes than this are applied by `bulk_relocations`."""
_WIDTHS: Final = {HIGHLOW: 4, DIR64: 8}
_BLOCK: Final = struct.Struct("<II")
_QWORD: Final = struct.Struct("<Q")


def relocation_table(read: Read, headers: ImageHeaders) -> bytes:
    """The raw base relocation directory, empty when the image has none."""
    rva, size = headers.directory(Directory.BASERELOC)
    return read(rva, size) if rva and size else b""


def apply(image: bytearray, table: bytes, delta: int) -> None:
    """Add ``delta`` to every address that ``table`` names in the mapped ``image``."""
    if not table or delta == 0:
        return
    blocks = list(_blocks(table))
    if len(table) > BULK and blocks:
        from ntos.abi.pe import bulk_relocations  # noqa: PLC0415 - loads numpy

        if bulk_relocations.apply(image, blocks, delta):
            return
    for page, data in blocks:
        _apply_block(image, page, struct.unpack(f"<{len(data) // 2}H", data), delta)


def targets(table: bytes) -> list[tuple[int, int]]:
    """Every relocation of ``table`` as (type, rva), padding left out."""
    return [
        (entry >> 12, page + (entry & 0xFFF))
        for page, data in _blocks(table)
        for (entry,) in struct.iter_unpack("<H", data)
        if entry >> 12 != ABSOLUTE
    ]


def _blocks(table: bytes) -> Iterator[tuple[int, bytes]]:
    """(page, entries) of each block."""
    position = 0
    while position + _BLOCK.size <= len(table):
        page, size = _BLOCK.unpack_from(table, position)
        if size == 0:
            break
        if size < _BLOCK.size or position + size > len(table):
            bad_image()
        count = (size - _BLOCK.size) // 2
        yield page, table[position + _BLOCK.size : position + _BLOCK.size + 2 * count]
        position += size


def _apply_block(image: bytearray, page: int, entries: tuple[int, ...], delta: int) -> None:
    limit = len(image) - 8
    rest = iter(range(len(entries)))
    for index in rest:
        entry = entries[index]
        kind, place = entry >> 12, page + (entry & 0xFFF)
        if kind == DIR64 and place <= limit:
            _QWORD.pack_into(image, place, (_QWORD.unpack_from(image, place)[0] + delta) & 0xFFFF_FFFF_FFFF_FFFF)
        elif kind in _WIDTHS:
            _add_at(image, place, _WIDTHS[kind], delta)
        elif kind == HIGHADJ and index + 1 < len(entries):
            _adjust_high(image, place, entries[index + 1], delta)
            next(rest)
        elif kind in (HIGH, LOW):
            _add_at(image, place, 2, (delta >> 16 if kind == HIGH else delta) & 0xFFFF)
        elif kind not in (ABSOLUTE, HIGHADJ):
            bad_image()


def _add_at(image: bytearray, place: int, width: int, delta: int) -> None:
    if place + width > len(image):
        bad_image()
    value = int.from_bytes(image[place : place + width], "little") + delta
    image[place : place + width] = (value & ((1 << 8 * width) - 1)).to_bytes(width, "little")


def _adjust_high(image: bytearray, place: int, low: int, delta: int) -> None:
    """A high half whose low half stands, signed, in the next entry."""
    if place + 2 > len(image):
        bad_image()
    high = int.from_bytes(image[place : place + 2], "little") << 16
    signed_low = low - 0x10000 if low & 0x8000 else low
    value = (high + signed_low + delta + 0x8000) >> 16
    image[place : place + 2] = (value & 0xFFFF).to_bytes(2, "little")

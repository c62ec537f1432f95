"""Base relocations: move an image to another address (LdrRelocateImage)."""

from __future__ import annotations

import struct
from typing import Final

import numpy
import numpy.typing

from ntos.abi.pe.headers import Directory, ImageHeaders
from ntos.abi.pe.reader import Read, bad_image

ABSOLUTE: Final = 0
HIGH: Final = 1
LOW: Final = 2
HIGHLOW: Final = 3
HIGHADJ: Final = 4
DIR64: Final = 10
_WIDTHS: Final = {HIGHLOW: 4, DIR64: 8}
_BLOCK: Final = struct.Struct("<II")

_Entries = numpy.typing.NDArray[numpy.integer]
_Targets = numpy.typing.NDArray[numpy.int64]


def relocation_table(read: Read, headers: ImageHeaders) -> bytes:
    """The raw base relocation directory, empty when the image has none."""
    rva, size = headers.directory(Directory.BASERELOC)
    return read(rva, size) if rva and size else b""


def apply(image: bytearray, table: bytes, delta: int) -> None:
    """Add ``delta`` to every address that ``table`` names in the mapped ``image``."""
    if not table or delta == 0:
        return
    entries, pages = _flatten(table)
    types = entries >> 12
    targets = pages + (entries & 0xFFF)
    if not numpy.isin(types, (ABSOLUTE, HIGHLOW, DIR64)).all():
        _apply_one_by_one(image, types, targets, entries, delta)
        return
    for kind, width in _WIDTHS.items():
        chosen = targets[types == kind]
        if len(chosen):
            _add(image, chosen, width, delta)


def targets(table: bytes) -> list[tuple[int, int]]:
    """Every relocation of ``table`` as (type, rva), padding left out."""
    entries, pages = _flatten(table)
    kinds = entries >> 12
    rows = zip(kinds.tolist(), (pages + (entries & 0xFFF)).tolist(), strict=True)
    return [row for row in rows if row[0] != ABSOLUTE]


def _flatten(table: bytes) -> tuple[_Entries, _Targets]:
    """All entries of all blocks, and the page that each belongs to."""
    parts: list[_Entries] = []
    bases: list[int] = []
    counts: list[int] = []
    position = 0
    while position + _BLOCK.size <= len(table):
        page, size = _BLOCK.unpack_from(table, position)
        if size == 0:
            break
        if size < _BLOCK.size or position + size > len(table):
            bad_image()
        count = (size - _BLOCK.size) // 2
        parts.append(numpy.frombuffer(table, dtype="<u2", count=count, offset=position + _BLOCK.size))
        bases.append(page)
        counts.append(count)
        position += size
    if not parts:
        return numpy.empty(0, dtype=numpy.uint16), numpy.empty(0, dtype=numpy.int64)
    pages = numpy.repeat(numpy.array(bases, dtype=numpy.int64), counts)
    return numpy.concatenate(parts), pages


def _add(image: bytearray, places: _Targets, width: int, delta: int) -> None:
    """Add to many little-endian fields at once; overlapping fields fall back to one after the other."""
    if int(places.max()) + width > len(image):
        bad_image()
    ordered = numpy.sort(places)
    if len(ordered) > 1 and int(numpy.diff(ordered).min()) < width:
        for place in places.tolist():
            _add_at(image, place, width, delta)
        return
    bits = 8 * width
    kind = f"<u{width}"
    field_bytes = numpy.frombuffer(image, dtype=numpy.uint8)
    index = places[:, None] + numpy.arange(width)
    amount = numpy.array(delta & ((1 << bits) - 1), dtype=kind)
    values = field_bytes[index].view(kind) + amount
    field_bytes[index] = values.view(numpy.uint8)


def _add_at(image: bytearray, place: int, width: int, delta: int) -> None:
    if place + width > len(image):
        bad_image()
    value = int.from_bytes(image[place : place + width], "little") + delta
    image[place : place + width] = (value & ((1 << 8 * width) - 1)).to_bytes(width, "little")


def _apply_one_by_one(
    image: bytearray, types: _Entries, places: _Targets, entries: _Entries, delta: int
) -> None:
    """The 16-bit kinds, which only old 32-bit images have."""
    lows = entries.tolist()[1:]
    skip = False
    for index, (kind, place) in enumerate(zip(types.tolist(), places.tolist(), strict=True)):
        if skip:
            skip = False
        elif kind in _WIDTHS:
            _add_at(image, place, _WIDTHS[kind], delta)
        elif kind == HIGH:
            _add_at(image, place, 2, (delta >> 16) & 0xFFFF)
        elif kind == LOW:
            _add_at(image, place, 2, delta & 0xFFFF)
        elif kind == HIGHADJ and index < len(lows):
            _adjust_high(image, place, lows[index], delta)
            skip = True
        elif kind != ABSOLUTE:
            bad_image()


def _adjust_high(image: bytearray, place: int, low: int, delta: int) -> None:
    """A high half whose low half stands, signed, in the next entry."""
    if place + 2 > len(image):
        bad_image()
    high = int.from_bytes(image[place : place + 2], "little") << 16
    signed_low = low - 0x10000 if low & 0x8000 else low
    value = (high + signed_low + delta + 0x8000) >> 16
    image[place : place + 2] = (value & 0xFFFF).to_bytes(2, "little")

"""Bounded reading of an image by RVA: the one way the directory readers touch bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NoReturn, TypeAlias

from ntos.abi.status import STATUS, NtError

Read: TypeAlias = Callable[[int, int], bytes]
"""``read(rva, size)`` gives exactly ``size`` bytes or raises."""

MAXIMUM_STRING: Final = 0x1000
_CHUNK: Final = 64


def bad_image() -> NoReturn:
    """Refuse a malformed directory."""
    raise NtError(STATUS.INVALID_IMAGE_FORMAT)


def reader_of(image: bytes | bytearray | memoryview) -> Read:
    """A reader over an image that lies mapped in a buffer (``image.map_image``)."""
    view = memoryview(image)

    def read(rva: int, size: int) -> bytes:
        if rva < 0 or size < 0 or rva + size > len(view):
            bad_image()
        return bytes(view[rva : rva + size])

    return read


def read_string(read: Read, rva: int) -> str:
    """The NUL-terminated ANSI string at ``rva``; reads never cross a chunk that the string does not reach."""
    parts: list[bytes] = []
    length = 0
    while length <= MAXIMUM_STRING:
        size = _CHUNK - (rva + length) % _CHUNK
        head, terminator, _ = read(rva + length, size).partition(b"\0")
        parts.append(head)
        if terminator:
            return b"".join(parts).decode("latin-1")
        length += size
    bad_image()

"""Texts for win32k: UNICODE_STRINGs and LARGE_STRINGs on the stack, and names that may be atoms."""

from __future__ import annotations

import struct

from ntos.abi.pointer import Ptr
from ntos.abi.types import WCHAR
from ntos.dll.kernelbase.text import text_of
from ntos.rtl.text import to_utf16
from ntos.um.thread import Frame

ATOM_LIMIT = 0x1_0000


def name_string(frame: Frame, name: Ptr[WCHAR] | None) -> int:
    """A UNICODE_STRING for a name; an atom stands where the buffer's address would be."""
    address = name.address if name is not None else 0
    if address < ATOM_LIMIT:
        return frame.bytes(struct.pack("<HHIQ", 0, 0, 0, address))
    return frame.unicode_string(text_of(name))


def large_string(frame: Frame, text: str | None) -> int:
    """A LARGE_STRING for a text; 0 for none."""
    if text is None:
        return 0
    data = to_utf16(text)
    buffer = frame.bytes(data + b"\0\0")
    return frame.bytes(struct.pack("<IIQ", len(data), len(data) + 2, buffer))


def large_name(frame: Frame, name: Ptr[WCHAR] | None) -> int:
    """A class's name for CreateWindowEx: the atom itself, or a LARGE_STRING."""
    address = name.address if name is not None else 0
    return address if address < ATOM_LIMIT else large_string(frame, text_of(name))


def room(frame: Frame, size: int) -> tuple[int, int]:
    """(UNICODE_STRING with room for `size` bytes, where its text is)."""
    buffer = frame.allocate(size)
    return frame.bytes(struct.pack("<HHIQ", 0, size, 0, buffer)), buffer

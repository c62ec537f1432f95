"""Registry data between its bytes and Python's values."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from ntos.abi import registry as types
from ntos.rtl.text import from_utf16, to_utf16

Data = str | int | bytes | list[str]
"""What Python code may put into a value."""
STRING_TYPES = frozenset({types.REG_SZ, types.REG_EXPAND_SZ, types.REG_LINK})


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a key: its name as it was written, its type, its bytes."""

    name: str
    type: int
    data: bytes

    @property
    def content(self) -> Data:
        """The data as Python holds it; bytes where the type has no better reading."""
        return decode(self.type, self.data)


def encode(data: Data, kind: int | None = None) -> tuple[int, bytes]:
    """Type and bytes of a Python value; `kind` where the value alone does not say the type."""
    if isinstance(data, str):
        kind = types.REG_SZ if kind is None else kind
        return kind, to_utf16(data) + (b"" if kind == types.REG_LINK else b"\0\0")
    if isinstance(data, int):
        kind = types.REG_DWORD if kind is None else kind
        return kind, struct.pack("<Q" if kind == types.REG_QWORD else "<I", data)
    if isinstance(data, list):
        text = "".join(f"{item}\0" for item in data) + "\0"
        return types.REG_MULTI_SZ if kind is None else kind, to_utf16(text)
    return types.REG_BINARY if kind is None else kind, bytes(data)


def decode(kind: int, data: bytes) -> Data:
    """A value's bytes as Python holds them."""
    if kind in STRING_TYPES:
        return from_utf16(data).split("\0", 1)[0] if kind != types.REG_LINK else from_utf16(data)
    if (kind == types.REG_DWORD and len(data) == 4) or (kind == types.REG_QWORD and len(data) == 8):
        return int.from_bytes(data, "little")
    if kind == types.REG_DWORD_BIG_ENDIAN and len(data) == 4:
        return int.from_bytes(data, "big")
    if kind == types.REG_MULTI_SZ:
        return from_utf16(data).rstrip("\0").split("\0") if data.strip(b"\0") else []
    return data

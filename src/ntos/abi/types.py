"""Integers with a size, under Windows' names. A type is what has `size`, `load` and `store`."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ntos.abi.memory import Memory


class Scalar(int):
    """An integer of `size` bytes, little-endian. Loads give plain ints; the class says how wide and which sign."""

    size: ClassVar[int] = 0
    code: ClassVar[str] = ""
    signed: ClassVar[bool] = False
    mask: ClassVar[int] = 0
    last: ClassVar[int] = 0
    """The highest offset in a page where a value still lies in that page whole."""
    unpack: ClassVar[Callable[..., tuple[Any, ...]]]
    unpack_from: ClassVar[Callable[..., tuple[Any, ...]]]
    pack: ClassVar[Callable[..., bytes]]
    pack_into: ClassVar[Callable[..., None]]

    def __init_subclass__(cls, code: str = "") -> None:
        if not code:
            return
        layout = struct.Struct("<" + code)
        cls.code = code
        cls.size = layout.size
        cls.signed = code.islower() and code not in "fd"
        cls.mask = (1 << layout.size * 8) - 1
        cls.last = 0x1000 - layout.size
        cls.unpack, cls.unpack_from = layout.unpack, layout.unpack_from
        cls.pack, cls.pack_into = layout.pack, layout.pack_into

    @classmethod
    def load(cls, memory: Memory, address: int) -> int:
        """The value at `address`."""
        if address & 0xFFF > cls.last:
            return int(cls.unpack(memory.read(address, cls.size))[0])
        value: int = cls.unpack_from(memory.buffer, memory.locate(address))[0]
        return value

    @classmethod
    def store(cls, memory: Memory, address: int, value: int) -> None:
        """Put `value`, reduced to the type's width, at `address`."""
        value &= cls.mask
        if cls.signed and value > cls.mask >> 1:
            value -= cls.mask + 1
        if address & 0xFFF > cls.last:
            memory.write(address, cls.pack(value))
        else:
            cls.pack_into(memory.buffer, memory.locate_for_write(address), value)

    @classmethod
    def wrap(cls, value: int) -> int:
        """`value` as a register's low bits would be read by code that takes this type."""
        value &= cls.mask
        if cls.signed and value > cls.mask >> 1:
            value -= cls.mask + 1
        return value


class CHAR(Scalar, code="b"): ...
class UCHAR(Scalar, code="B"): ...
class SHORT(Scalar, code="h"): ...
class USHORT(Scalar, code="H"): ...
class LONG(Scalar, code="i"): ...
class ULONG(Scalar, code="I"): ...
class LONGLONG(Scalar, code="q"): ...
class ULONGLONG(Scalar, code="Q"): ...


class BOOLEAN(UCHAR): ...
class BYTE(UCHAR): ...
class WCHAR(USHORT): ...
class WORD(USHORT): ...
class DWORD(ULONG): ...
class BOOL(LONG): ...
class INT(LONG): ...
class UINT(ULONG): ...
class LCID(ULONG): ...
class HRESULT(LONG): ...
class LSTATUS(LONG): ...
class ACCESS_MASK(ULONG): ...
class LARGE_INTEGER(LONGLONG): ...
class ULARGE_INTEGER(ULONGLONG): ...
class SIZE_T(ULONGLONG): ...
class ULONG_PTR(ULONGLONG): ...
class LONG_PTR(LONGLONG): ...
class HANDLE(ULONGLONG): ...
class PVOID(ULONGLONG):
    """A guest address the callee does not look through, or whose target has no fixed type."""


class NTSTATUS(ULONG):
    """A status code: severity in the top two bits (0 success, 1 informational, 2 warning, 3 error)."""

    names: ClassVar[dict[int, str]] = {}

    @property
    def name(self) -> str:
        """`STATUS_…` as ntstatus.h spells it, or the number in hexadecimal."""
        return NTSTATUS.names.get(int(self)) or f"0x{int(self):08X}"

    @property
    def is_error(self) -> bool:
        return int(self) >> 30 == 3

    @property
    def is_success(self) -> bool:
        """NT_SUCCESS: success or informational."""
        return int(self) >> 31 == 0

    def __repr__(self) -> str:
        return self.name

    __str__ = __repr__


class DOUBLE(float):
    """A double in an XMM register or eight bytes of memory."""

    size: ClassVar[int] = 8

    @classmethod
    def load(cls, memory: Memory, address: int) -> float:
        value: float = struct.unpack("<d", memory.read(address, 8))[0]
        return value

    @classmethod
    def store(cls, memory: Memory, address: int, value: float) -> None:
        memory.write(address, struct.pack("<d", value))


class FLOAT(float):
    """A single-precision number in an XMM register or four bytes of memory."""

    size: ClassVar[int] = 4

    @classmethod
    def load(cls, memory: Memory, address: int) -> float:
        value: float = struct.unpack("<f", memory.read(address, 4))[0]
        return value

    @classmethod
    def store(cls, memory: Memory, address: int, value: float) -> None:
        memory.write(address, struct.pack("<f", value))


TRUE = BOOL(1)
FALSE = BOOL(0)

"""Structures as typed views on guest bytes: `at(offset, TYPE)` is the line WinDbg's `dt` prints.

Offsets are explicit, so no alignment rule of the host is trusted. A structure is two words (memory, address);
reading an attribute reads the guest, assigning writes it. `X.new()` and `X.parse(data)` are detached: they stand
on a little buffer of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Generic, Protocol, TypeVar, overload

from ntos.abi.memory import BufferMemory
from ntos.abi.types import Scalar

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

    from ntos.abi.memory import Memory
    from ntos.abi.pointer import Ptr

S = TypeVar("S", bound=Scalar)
T = TypeVar("T")
R = TypeVar("R", bound="Struct")


class Struct:
    """A structure at an address of a memory. Subclasses say `size=` and list their fields."""

    size: ClassVar[int] = 0

    def __init_subclass__(cls, size: int | None = None) -> None:
        if size is not None:
            cls.size = size

    def __init__(self, memory: Memory, address: int) -> None:
        self.memory = memory
        self.address = address

    @classmethod
    def new(cls) -> Self:
        """A zeroed structure on a buffer of its own, at address 0."""
        return cls(BufferMemory(bytearray(cls.size)), 0)

    @classmethod
    def parse(cls, data: bytes | bytearray | memoryview, base: int = 0, origin: Memory | None = None) -> Self:
        """A detached copy of `data`, which stood at `base` of `origin` (where its pointers lead)."""
        copy = bytearray(data)
        if len(copy) < cls.size:
            copy.extend(bytes(cls.size - len(copy)))
        return cls(BufferMemory(copy, base, origin), base)

    @classmethod
    def load(cls, memory: Memory, address: int) -> Self:
        return cls(memory, address)

    @classmethod
    def store(cls, memory: Memory, address: int, value: Struct) -> None:
        memory.write(address, bytes(value))

    @classmethod
    def offset(cls, field: str) -> int:
        """Where a field begins, in bytes."""
        offset: int = vars(cls)[field].offset if field in vars(cls) else getattr(cls, field).offset
        return offset

    def __bytes__(self) -> bytes:
        return self.memory.read(self.address, self.size)

    def clear(self) -> None:
        """Zero the whole structure."""
        self.memory.write(self.address, bytes(self.size))

    def assign(self, other: Struct) -> None:
        """Copy the bytes of `other` over this one."""
        self.memory.write(self.address, bytes(other)[: self.size])

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and isinstance(other, Struct) and self.address == other.address

    def __hash__(self) -> int:
        return self.address

    def __repr__(self) -> str:
        return f"{type(self).__name__} at 0x{self.address:X}"


class Field(Generic[T]):
    """What every kind of field shares: where it is and of what type."""

    __slots__ = ("kind", "offset")

    def __init__(self, offset: int, kind: object) -> None:
        self.offset = offset
        self.kind = kind


class ScalarField(Field[S]):
    """An integer inside a structure; plain ints in and out."""

    __slots__ = ("_last", "_mask", "_pack_into", "_signed", "_unpack_from")
    kind: type[S]

    def __init__(self, offset: int, kind: type[S]) -> None:
        super().__init__(offset, kind)
        self._last = kind.last
        self._mask = kind.mask
        self._signed = kind.signed
        self._unpack_from = kind.unpack_from
        self._pack_into = kind.pack_into

    @overload
    def __get__(self, view: None, owner: object) -> ScalarField[S]: ...
    @overload
    def __get__(self, view: Struct, owner: object) -> S: ...
    def __get__(self, view: Struct | None, owner: object) -> ScalarField[S] | S:
        if view is None:
            return self
        memory = view.memory
        address = view.address + self.offset
        if address & 0xFFF > self._last:
            return self.kind.load(memory, address)  # type: ignore[return-value]
        value: S = self._unpack_from(memory.buffer, memory.locate(address))[0]
        return value

    def __set__(self, view: Struct, value: int) -> None:
        memory = view.memory
        address = view.address + self.offset
        if address & 0xFFF > self._last:
            self.kind.store(memory, address, value)
            return
        value &= self._mask
        if self._signed and value > self._mask >> 1:
            value -= self._mask + 1
        self._pack_into(memory.buffer, memory.locate_for_write(address), value)


class BitField(Field[int]):
    """`width` bits of an integer, from bit `first` on."""

    __slots__ = ("_storage", "first", "width")

    def __init__(self, offset: int, storage: type[Scalar], first: int, width: int) -> None:
        super().__init__(offset, storage)
        self._storage = storage
        self.first = first
        self.width = width

    @overload
    def __get__(self, view: None, owner: object) -> BitField: ...
    @overload
    def __get__(self, view: Struct, owner: object) -> int: ...
    def __get__(self, view: Struct | None, owner: object) -> BitField | int:
        if view is None:
            return self
        word = self._storage.load(view.memory, view.address + self.offset) & self._storage.mask
        return word >> self.first & (1 << self.width) - 1

    def __set__(self, view: Struct, value: int) -> None:
        address = view.address + self.offset
        mask = ((1 << self.width) - 1) << self.first
        word = self._storage.load(view.memory, address)
        self._storage.store(view.memory, address, word & ~mask | value << self.first & mask)


class StructField(Field[R]):
    """A structure inside a structure: reading gives a view, assigning copies bytes."""

    __slots__ = ()
    kind: type[R]

    @overload
    def __get__(self, view: None, owner: object) -> StructField[R]: ...
    @overload
    def __get__(self, view: Struct, owner: object) -> R: ...
    def __get__(self, view: Struct | None, owner: object) -> StructField[R] | R:
        if view is None:
            return self
        return self.kind(view.memory, view.address + self.offset)

    def __set__(self, view: Struct, value: Struct) -> None:
        view.memory.write(view.address + self.offset, bytes(value))


class PointerField(Field[T]):
    """A typed pointer inside a structure."""

    __slots__ = ()
    kind: type[Ptr[T]]

    @overload
    def __get__(self, view: None, owner: object) -> PointerField[T]: ...
    @overload
    def __get__(self, view: Struct, owner: object) -> Ptr[T]: ...
    def __get__(self, view: Struct | None, owner: object) -> PointerField[T] | Ptr[T]:
        if view is None:
            return self
        return self.kind.load(view.memory, view.address + self.offset)

    def __set__(self, view: Struct, value: Ptr[T] | int) -> None:
        self.kind.store(view.memory, view.address + self.offset, value)


class ElementType(Protocol[T]):
    """What an array may hold."""

    @property
    def size(self) -> int: ...
    def load(self, memory: Memory, address: int) -> T: ...
    def store(self, memory: Memory, address: int, value: T) -> None: ...


class Array(Generic[T]):
    """A view on `count` elements in a row."""

    __slots__ = ("address", "count", "element", "memory")

    def __init__(self, element: ElementType[T], count: int, memory: Memory, address: int) -> None:
        self.element = element
        self.count = count
        self.memory = memory
        self.address = address

    def _at(self, index: int) -> int:
        if not -self.count <= index < self.count:
            raise IndexError(index)
        return self.address + index % self.count * self.element.size

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> T:
        return self.element.load(self.memory, self._at(index))

    def __setitem__(self, index: int, value: T | int) -> None:
        self.element.store(self.memory, self._at(index), value)  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[T]:
        return (self[index] for index in range(self.count))

    def __bytes__(self) -> bytes:
        return self.memory.read(self.address, self.count * self.element.size)


class ArrayType(Generic[T]):
    """The type `element[count]`."""

    __slots__ = ("count", "element", "size")

    def __init__(self, element: ElementType[T], count: int) -> None:
        self.element = element
        self.count = count
        self.size = element.size * count

    def load(self, memory: Memory, address: int) -> Array[T]:
        return Array(self.element, self.count, memory, address)

    def store(self, memory: Memory, address: int, value: Array[T] | bytes) -> None:
        memory.write(address, bytes(value)[: self.size])


class ArrayField(Field[T]):
    """An array inside a structure."""

    __slots__ = ()
    kind: ArrayType[T]

    @overload
    def __get__(self, view: None, owner: object) -> ArrayField[T]: ...
    @overload
    def __get__(self, view: Struct, owner: object) -> Array[T]: ...
    def __get__(self, view: Struct | None, owner: object) -> ArrayField[T] | Array[T]:
        if view is None:
            return self
        return self.kind.load(view.memory, view.address + self.offset)

    def __set__(self, view: Struct, value: Array[T] | bytes) -> None:
        self.kind.store(view.memory, view.address + self.offset, value)


class CharsType:
    """A fixed room for bytes, read up to the first NUL, written NUL-padded."""

    __slots__ = ("size",)

    def __init__(self, size: int) -> None:
        self.size = size


class CharsField(Field[bytes]):
    """A `char name[n]` inside a structure."""

    __slots__ = ()
    kind: CharsType

    @overload
    def __get__(self, view: None, owner: object) -> CharsField: ...
    @overload
    def __get__(self, view: Struct, owner: object) -> bytes: ...
    def __get__(self, view: Struct | None, owner: object) -> CharsField | bytes:
        if view is None:
            return self
        return view.memory.read(view.address + self.offset, self.kind.size).split(b"\0", 1)[0]

    def __set__(self, view: Struct, value: bytes) -> None:
        size = self.kind.size
        view.memory.write(view.address + self.offset, value[:size].ljust(size, b"\0"))


class WideType:
    """A fixed room for UTF-16 units, read up to the first NUL, written NUL-padded."""

    __slots__ = ("size",)

    def __init__(self, count: int) -> None:
        self.size = count * 2


class WideField(Field[str]):
    """A `WCHAR name[n]` inside a structure."""

    __slots__ = ()
    kind: WideType

    @overload
    def __get__(self, view: None, owner: object) -> WideField: ...
    @overload
    def __get__(self, view: Struct, owner: object) -> str: ...
    def __get__(self, view: Struct | None, owner: object) -> WideField | str:
        if view is None:
            return self
        data = view.memory.read(view.address + self.offset, self.kind.size)
        return data.decode("utf-16-le", "surrogatepass").split("\0", 1)[0]

    def __set__(self, view: Struct, value: str) -> None:
        data = value.encode("utf-16-le", "surrogatepass")[: self.kind.size]
        view.memory.write(view.address + self.offset, data.ljust(self.kind.size, b"\0"))


@overload
def at(offset: int, kind: type[S]) -> ScalarField[S]: ...
@overload
def at(offset: int, kind: type[Ptr[T]]) -> PointerField[T]: ...
@overload
def at(offset: int, kind: type[R]) -> StructField[R]: ...
@overload
def at(offset: int, kind: ArrayType[T]) -> ArrayField[T]: ...
@overload
def at(offset: int, kind: CharsType) -> CharsField: ...
@overload
def at(offset: int, kind: WideType) -> WideField: ...
def at(offset: int, kind: object) -> object:
    """A field of type `kind` at `offset` bytes from the structure's start."""
    if isinstance(kind, type):
        if issubclass(kind, Scalar):
            return ScalarField(offset, kind)
        if issubclass(kind, Struct):
            return StructField(offset, kind)
        return PointerField(offset, kind)
    if isinstance(kind, CharsType):
        return CharsField(offset, kind)
    return WideField(offset, kind) if isinstance(kind, WideType) else ArrayField(offset, kind)


def bits(offset: int, storage: type[Scalar], first: int, width: int) -> BitField:
    """A bit field: `width` bits from bit `first` of the `storage` integer at `offset`."""
    return BitField(offset, storage, first, width)


def array(element: type[S | R] | ArrayType[T], count: int) -> ArrayType[S | R | T]:
    """The type of `count` elements in a row."""
    return ArrayType(element, count)  # type: ignore[arg-type]


def chars(size: int) -> CharsType:
    """The type `char[size]`."""
    return CharsType(size)


def wchars(count: int) -> WideType:
    """The type `WCHAR[count]`."""
    return WideType(count)

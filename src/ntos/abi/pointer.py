"""Guest pointers: `In[T]` is captured at the door, `Out[T]` can only be written, `Ptr[T]` is raw.

None of them can be dereferenced by accident: a handler that wants the bytes must ask, and a bad address raises
`GuestFault`, which only a door handles.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Generic, TypeVar

from ntos.abi.memory import read_string, read_wide
from ntos.abi.types import PVOID, Scalar

if TYPE_CHECKING:
    from typing import Any, Self

    from ntos.abi.memory import Memory

T = TypeVar("T")


class _Typed(Generic[T]):
    """A pointer class made once per target type: `Ptr[PEB]` is a class of its own."""

    __slots__ = ("address", "memory")
    target: ClassVar[Any] = None
    _made: ClassVar[dict[tuple[type, object], type]] = {}
    size: ClassVar[int] = 8

    if not TYPE_CHECKING:

        def __class_getitem__(cls, target: object) -> type:
            if isinstance(target, TypeVar):
                return cls
            made = _Typed._made.get((cls, target))
            if made is None:
                name = f"{cls.__name__}[{getattr(target, '__name__', target)}]"
                made = type(name, (cls,), {"target": target, "__slots__": ()})
                _Typed._made[cls, target] = made
            return made

    def __init__(self, memory: Memory, address: int) -> None:
        self.memory = memory
        self.address = address

    def __bool__(self) -> bool:
        return self.address != 0

    def __int__(self) -> int:
        return self.address

    __index__ = __int__

    def __repr__(self) -> str:
        return f"{type(self).__name__}(0x{self.address:X})"

    def write(self, value: T | int) -> None:
        """Store `value` where this points."""
        self.target.store(self.memory, self.address, value)


class Out(_Typed[T]):
    """A place the caller gave for a result."""

    __slots__ = ()


class Ptr(_Typed[T]):
    """A raw guest pointer."""

    __slots__ = ()

    @classmethod
    def load(cls, memory: Memory, address: int) -> Self:
        """The pointer stored at `address`; it leads into the memory that one was captured from."""
        return cls(memory.origin, PVOID.load(memory, address))

    @classmethod
    def store(cls, memory: Memory, address: int, value: _Typed[T] | int) -> None:
        PVOID.store(memory, address, value if isinstance(value, int) else value.address)

    def read(self) -> T:
        """What it points at: an int for scalars, a view for structures."""
        value: T = self.target.load(self.memory, self.address)
        return value

    def __getitem__(self, index: int) -> T:
        value: T = self.target.load(self.memory, self.address + index * self.target.size)
        return value

    def __setitem__(self, index: int, value: T | int) -> None:
        self.target.store(self.memory, self.address + index * self.target.size, value)

    def __add__(self, count: int) -> Self:
        return type(self)(self.memory, self.address + count * self.target.size)

    def read_bytes(self, size: int) -> bytes:
        """`size` bytes from here on."""
        return self.memory.read(self.address, size)

    def write_bytes(self, data: bytes | bytearray | memoryview) -> None:
        self.memory.write(self.address, data)

    def text(self, limit: int = 0x8000) -> str:
        """NUL-terminated text: UTF-16 where the target is two bytes wide, Latin-1 where it is one."""
        if self.target is not None and issubclass(self.target, Scalar) and self.target.size == 2:
            return read_wide(self.memory, self.address, limit)
        return read_string(self.memory, self.address, limit).decode("latin-1")

    def string(self, limit: int = 0x10000) -> bytes:
        """The bytes up to a NUL."""
        return read_string(self.memory, self.address, limit)


class Code(int):
    """The address of guest code: only `thread.call` goes there."""

    size: ClassVar[int] = 8


class Captured:
    """Marks `In[T]`: the door copies the bytes before the handler runs."""


In = Annotated[T, Captured]

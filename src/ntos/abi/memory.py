"""The way from an address to bytes, as structures and doors see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import mmap

    Buffer = mmap.mmap | bytearray | memoryview

PAGE_SIZE = 0x1000
PAGE_MASK = 0xFFF


class Memory(Protocol):
    """An address space somebody can look through: kernel, one process's user half, a dump, a buffer.

    `buffer` is host memory; `locate` turns an address into an offset in it, good up to the end of that page.
    Both raise `GuestFault` where the address is not accessible that way.
    """

    buffer: Buffer

    @property
    def origin(self) -> Memory:
        """Where pointers found in this memory lead: itself, except for a captured copy."""

    def locate(self, address: int) -> int: ...
    def locate_for_write(self, address: int) -> int: ...
    def read(self, address: int, size: int) -> bytes: ...
    def write(self, address: int, data: bytes | bytearray | memoryview) -> None: ...


class PagedMemory:
    """`read` and `write` for any memory that can `locate` one page at a time."""

    __slots__ = ()
    buffer: Buffer

    @property
    def origin(self) -> Memory:
        return self

    def locate(self, address: int) -> int:
        raise NotImplementedError

    def locate_for_write(self, address: int) -> int:
        raise NotImplementedError

    def read(self, address: int, size: int) -> bytes:
        """`size` bytes from `address` on; `GuestFault` at the first byte that cannot be read."""
        if size <= PAGE_SIZE - (address & PAGE_MASK):
            if size == 0:
                return b""
            offset = self.locate(address)
            return bytes(self.buffer[offset : offset + size])
        pieces = []
        while size:
            piece = min(size, PAGE_SIZE - (address & PAGE_MASK))
            offset = self.locate(address)
            pieces.append(self.buffer[offset : offset + piece])
            address += piece
            size -= piece
        return b"".join(pieces)

    def write(self, address: int, data: bytes | bytearray | memoryview) -> None:
        """Put `data` at `address`; what lies before a page that cannot be written has been written."""
        size = len(data)
        if size <= PAGE_SIZE - (address & PAGE_MASK):
            if size:
                offset = self.locate_for_write(address)
                self.buffer[offset : offset + size] = data
            return
        done = 0
        while done < size:
            piece = min(size - done, PAGE_SIZE - ((address + done) & PAGE_MASK))
            offset = self.locate_for_write(address + done)
            self.buffer[offset : offset + piece] = data[done : done + piece]
            done += piece


class BufferMemory(PagedMemory):
    """A plain buffer that stands at `base`: detached structures, and copies captured from a guest.

    Pointers found in a captured copy lead to `origin`, the memory it was captured from.
    """

    __slots__ = ("_origin", "base", "buffer")

    def __init__(self, buffer: bytearray, base: int = 0, origin: Memory | None = None) -> None:
        self.buffer: Buffer = buffer
        self.base = base
        self._origin = origin

    @property
    def origin(self) -> Memory:
        return self if self._origin is None else self._origin

    def locate(self, address: int) -> int:
        return address - self.base

    locate_for_write = locate

    def read(self, address: int, size: int) -> bytes:
        start = address - self.base
        return bytes(self.buffer[start : start + size])

    def write(self, address: int, data: bytes | bytearray | memoryview) -> None:
        start = address - self.base
        self.buffer[start : start + len(data)] = data


def read_string(memory: Memory, address: int, limit: int = 0x10000) -> bytes:
    """The bytes up to a NUL (excluded), at most `limit`."""
    pieces = []
    while limit > 0:
        size = min(limit, PAGE_SIZE - (address & PAGE_MASK))
        piece = memory.read(address, size)
        end = piece.find(0)
        if end >= 0:
            pieces.append(piece[:end])
            break
        pieces.append(piece)
        address += size
        limit -= size
    return b"".join(pieces)


def read_wide(memory: Memory, address: int, limit: int = 0x8000) -> str:
    """The UTF-16 text up to a NUL (excluded), at most `limit` units; lone surrogates survive."""
    pieces: list[bytes] = []
    size = limit * 2
    while size > 0:
        # A unit may straddle two pages when the string is misaligned; two-byte steps at page ends keep it exact.
        piece_size = min(size, (PAGE_SIZE - (address & PAGE_MASK)) & ~1) or 2
        piece = memory.read(address, piece_size)
        end = _find_wide_nul(piece)
        if end >= 0:
            pieces.append(piece[:end])
            break
        pieces.append(piece)
        address += piece_size
        size -= piece_size
    return b"".join(pieces).decode("utf-16-le", "surrogatepass")


def _find_wide_nul(piece: bytes) -> int:
    start = 0
    while True:
        found = piece.find(b"\0\0", start)
        if found < 0 or not found & 1:
            return found
        start = found + 1

"""What a section is made of: `io` gives files this shape, tests give bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Hashable

    from ntos.ob.types import KernelObject


@runtime_checkable
class Backing(Protocol):
    """The bytes behind a section. An I/O failure is raised as NtError and becomes an in-page error."""

    @property
    def size(self) -> int:
        """Bytes the file has now."""

    @property
    def identity(self) -> Hashable:
        """Equal for the same file, whoever opened it: all sections of one file share one control area."""

    @property
    def path(self) -> str:
        """The NT name of the file, as NtQueryVirtualMemory tells it."""

    def read(self, offset: int, size: int) -> bytes:
        """At most `size` bytes from `offset` on; fewer at the end of the file."""

    def write(self, offset: int, data: bytes | memoryview) -> None:
        """Put `data` at `offset`; the file grows where it ends."""


@runtime_checkable
class OfFile(Protocol):
    """A backing that knows its FILE_OBJECT: control areas keep it alive and lead to it."""

    @property
    def file(self) -> KernelObject:
        """The file object."""


@runtime_checkable
class Versioned(Protocol):
    """A backing that can tell whether its content is still what it was; an image nobody uses is then kept."""

    @property
    def version(self) -> Hashable:
        """Changes whenever the bytes do."""


@runtime_checkable
class Signed(Protocol):
    """A backing that knows how well its content is signed."""

    @property
    def signing_level(self) -> int:
        """SE_SIGNING_LEVEL; 0 where nobody has verified anything."""


@runtime_checkable
class Unmade(Protocol):
    """A backing whose bytes may not have been made yet, by whoever vouches that they are an image."""

    @property
    def unmade(self) -> bool:
        """Whether reading would have to make them."""


class MappedPages(Protocol):
    """A data section of a file, to whoever reads and writes the file by other means."""

    def collect(self, offset: int, size: int) -> None:
        """Write modified pages in that range to the file."""

    def changed(self, offset: int, data: bytes) -> None:
        """Show what was written."""


@runtime_checkable
class Coherent(Protocol):
    """A backing whose file wants to agree with the pages mapped from it."""

    def show_mapped(self, pages: MappedPages | None) -> None:
        """These pages are now mapped; None: none any more."""


@runtime_checkable
class Mappable(Protocol):
    """A file object that sections can be made of."""

    @property
    def backing(self) -> Backing:
        """Its bytes; INVALID_FILE_FOR_SECTION raised where it has none (pipes, directories)."""


class BytesBacking:
    """A backing that lives in host memory: synthesised images, and files nobody keeps elsewhere."""

    def __init__(self, data: bytes | bytearray, path: str = "", identity: Hashable = None) -> None:
        self.data = bytearray(data)
        self._path = path
        self._identity: Hashable = self if identity is None else identity
        self.version = 0

    @property
    def size(self) -> int:
        return len(self.data)

    @property
    def identity(self) -> Hashable:
        return self._identity

    @property
    def path(self) -> str:
        return self._path

    def read(self, offset: int, size: int) -> bytes:
        """A piece of the bytes."""
        return bytes(self.data[offset : offset + size])

    def write(self, offset: int, data: bytes | memoryview) -> None:
        """Change the bytes, growing where they end."""
        self.version += 1
        if offset > len(self.data):
            self.data.extend(bytes(offset - len(self.data)))
        self.data[offset : offset + len(data)] = data

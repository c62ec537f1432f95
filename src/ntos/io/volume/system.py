r"""A read-only tree of files whose bytes are made when somebody asks: the machine's own C:\Windows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.io import FILE_ATTRIBUTE_ARCHIVE, FILE_ATTRIBUTE_DIRECTORY
from ntos.hal.clock import BOOT_TIME
from ntos.io.volume.node import Entry, Facts, Listed, Node, Volume, clusters
from ntos.rtl.text import case_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

FIRST_NUMBER = 0x0001_7000_0000_0000
"""Numbers of system files lie above those any volume below gives."""


class SystemFile(Node):
    """A file whose bytes a provider makes, once."""

    protected = True

    def __init__(
        self, volume: Volume, number: int, provider: Callable[[], bytes], size: int | None, *, image: bool = False
    ) -> None:
        super().__init__(volume, number)
        self.unmade = image
        self._provider = provider
        self._known_size = size
        self._data: bytes | None = None

    @property
    def data(self) -> bytes:
        """The bytes, made on first use."""
        if self._data is None:
            self._data = self._provider()
            self.unmade = False
        return self._data

    def facts(self) -> Facts:
        size = len(self.data) if self._data is not None or self._known_size is None else self._known_size
        return _facts(FILE_ATTRIBUTE_ARCHIVE, size, self.number)

    def read(self, offset: int, size: int) -> bytes:
        return self.data[offset : offset + size]


class SystemDirectory(Node):
    """A directory of the tree; `overlay` shows it together with what the volume below has there."""

    protected = True
    is_directory = True

    def __init__(self, volume: Volume, number: int) -> None:
        super().__init__(volume, number)
        self.entries: dict[str, tuple[str, SystemFile | SystemDirectory]] = {}

    def facts(self) -> Facts:
        return _facts(FILE_ATTRIBUTE_DIRECTORY, 0, self.number)

    def find(self, name: str) -> Entry | None:
        found = self.entries.get(case_key(name))
        return None if found is None else Entry(*found)

    def listing(self) -> Iterable[Listed]:
        return [Listed(name, node.facts()) for _, (name, node) in sorted(self.entries.items())]


class SystemTree(Volume):
    r"""Files by path from the root of the volume, such as `Windows\System32\ntdll.dll`."""

    read_only = True

    def __init__(self) -> None:
        super().__init__()
        self._next = FIRST_NUMBER
        self.top = SystemDirectory(self, self._number())
        self.root = self.top

    def _number(self) -> int:
        self._next += 1
        return self._next - 1

    def add_directory(self, path: str) -> SystemDirectory:
        """The directory of that path, made with those above it if need be."""
        here = self.top
        for part in _parts(path):
            found = here.entries.get(case_key(part))
            if found is None:
                made = SystemDirectory(self, self._number())
                made.belongs_to_windows = case_key(part) != case_key("Temp") and (
                    here.belongs_to_windows or (here is self.top and case_key(part) == case_key("Windows"))
                )
                found = here.entries[case_key(part)] = part, made
            node = found[1]
            if not isinstance(node, SystemDirectory):
                raise NotADirectoryError(f"{path}: {part} is a file")
            here = node
        return here

    def add_file(
        self, path: str, provider: Callable[[], bytes], size: int | None = None, *, image: bool = False
    ) -> SystemFile:
        """A file whose bytes `provider` makes when first read; a known `size` saves making them to list
        it. That it is an `image` saves making them for a section that nobody maps.
        """
        parts = _parts(path)
        directory = self.add_directory("\\".join(parts[:-1]))
        node = SystemFile(self, self._number(), provider, size, image=image)
        node.belongs_to_windows = True
        directory.entries[case_key(parts[-1])] = parts[-1], node
        return node

    def files(self) -> Iterator[tuple[str, SystemFile]]:
        """Every file with its path."""
        pending = [("", self.top)]
        while pending:
            prefix, directory = pending.pop()
            for name, node in directory.entries.values():
                if isinstance(node, SystemDirectory):
                    pending.append((f"{prefix}{name}\\", node))
                else:
                    yield prefix + name, node

    def space(self) -> tuple[int, int]:
        return 0, 0


def _facts(attributes: int, size: int, number: int) -> Facts:
    moment = BOOT_TIME
    return Facts(attributes, moment, moment, moment, moment, size, clusters(size), 1, number)


def _parts(path: str) -> list[str]:
    if path[1:2] == ":":
        path = path[2:]
    return [part for part in path.replace("/", "\\").split("\\") if part]

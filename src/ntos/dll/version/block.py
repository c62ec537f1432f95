"""The tree of a version resource: lengths, a key, a value, children (Microsoft Learn, VS_VERSIONINFO)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

HEADER = struct.Struct("<HHH")


@dataclass(frozen=True, slots=True)
class Block:
    """One node: where it stands in the resource."""

    data: bytes
    start: int

    @property
    def _head(self) -> tuple[int, int, int]:
        head: tuple[int, int, int] = HEADER.unpack_from(self.data, self.start)
        return head

    @property
    def end(self) -> int:
        """Behind the node."""
        return min(self.start + self._head[0], len(self.data))

    @property
    def is_text(self) -> bool:
        """Whether the value is a string, its length counted in characters."""
        return self._head[2] == 1

    @property
    def key(self) -> str:
        """The node's name."""
        return self.data[self.start + HEADER.size : self._key_end].decode("utf-16-le", "replace")

    @property
    def _key_end(self) -> int:
        place = self.start + HEADER.size
        while place + 1 < self.end and self.data[place : place + 2] != b"\0\0":
            place += 2
        return place

    @property
    def value(self) -> tuple[int, int]:
        """Where the value begins, and its length in the node's own count."""
        return (self._key_end + 2 + 3) & ~3, self._head[1]

    def children(self) -> Iterator[Block]:
        """The nodes inside."""
        place, length = self.value
        place = (place + length * (2 if self.is_text else 1) + 3) & ~3
        while place + HEADER.size <= self.end:
            child = Block(self.data, place)
            if child.end <= place:
                break
            yield child
            place = (child.end + 3) & ~3

    def find(self, path: list[str]) -> Block | None:
        """A node below this one by its path of keys, whatever their case."""
        if not path:
            return self
        for child in self.children():
            if child.key.lower() == path[0].lower():
                return child.find(path[1:])
        return None

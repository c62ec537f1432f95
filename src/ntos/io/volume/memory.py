"""A volume in memory: files leave nothing on the host, and time is the machine's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.io import (
    FILE_ATTRIBUTE_ARCHIVE,
    FILE_ATTRIBUTE_DIRECTORY,
    FILE_ATTRIBUTE_NORMAL,
    FILE_ATTRIBUTE_VALID_FLAGS,
)
from ntos.abi.status import STATUS, NtError
from ntos.io.volume.node import Basic, Entry, Facts, Listed, Node, Volume, clusters
from ntos.rtl.text import case_key

if TYPE_CHECKING:
    from collections.abc import Iterable

CHUNK = 0x1_0000
DEFAULT_CAPACITY = 4 << 30
"""What the volume says it holds; only what is written takes host memory."""


class MemoryVolume(Volume):
    """A volume that is gone with the machine."""

    def __init__(self, label: str = "", capacity: int = DEFAULT_CAPACITY) -> None:
        super().__init__(label)
        self.capacity = capacity
        self.used = 0
        self._next = 0x0001_0000_0000_0005
        """NTFS numbers its root 5, with sequence number 1 above."""
        self.root = MemoryDirectory(self, self.take_number(), FILE_ATTRIBUTE_DIRECTORY)

    def take_number(self) -> int:
        """A number no file has had."""
        number = self._next
        self._next += 1
        return number

    def charge(self, size: int) -> None:
        """Take room, or DISK_FULL."""
        if self.used + size > self.capacity:
            raise NtError(STATUS.DISK_FULL)
        self.used += size

    def space(self) -> tuple[int, int]:
        return self.capacity, max(self.capacity - self.used, 0)


class _MemoryNode(Node):
    """Times and attributes in memory."""

    volume: MemoryVolume

    def __init__(self, volume: MemoryVolume, number: int, attributes: int) -> None:
        super().__init__(volume, number)
        now = volume.now()
        self.attributes = attributes
        self.times = [now, now, now, now]
        self.link_count = 1

    def facts(self) -> Facts:
        size = self.size
        creation, access, write, change = self.times
        return Facts(
            self.attributes,
            creation,
            access,
            write,
            change,
            size,
            clusters(size),
            self.link_count,
            self.number,
        )

    def set_basic(self, basic: Basic) -> None:
        for index, time in enumerate(basic[:4]):
            if time is not None:
                self.times[index] = time
        if basic.attributes is not None:
            kept = (
                basic.attributes
                & FILE_ATTRIBUTE_VALID_FLAGS
                & ~(FILE_ATTRIBUTE_NORMAL | FILE_ATTRIBUTE_DIRECTORY)
            )
            self.attributes = kept | self.attributes & FILE_ATTRIBUTE_DIRECTORY
        if basic.change is None:
            self.times[3] = self.volume.now()

    def touch(self) -> None:
        """Contents changed."""
        self.times[2] = self.times[3] = self.volume.now()


class MemoryFile(_MemoryNode):
    """A file's bytes in chunks; a chunk never written is not there and reads as zeros."""

    def __init__(self, volume: MemoryVolume, number: int, attributes: int) -> None:
        super().__init__(volume, number, attributes)
        self._size = 0
        self._chunks: dict[int, bytearray] = {}

    @property
    def size(self) -> int:
        return self._size

    def read(self, offset: int, size: int) -> bytes:
        end = min(offset + size, self._size)
        pieces = []
        while offset < end:
            index, start = divmod(offset, CHUNK)
            stop = min(CHUNK, start + end - offset)
            chunk = self._chunks.get(index)
            pieces.append(bytes(stop - start) if chunk is None else bytes(chunk[start:stop]))
            offset += stop - start
        return b"".join(pieces)

    def write(self, offset: int, data: bytes) -> None:
        done, size = 0, len(data)
        while done < size:
            index, start = divmod(offset + done, CHUNK)
            piece = min(CHUNK - start, size - done)
            chunk = self._chunks.get(index)
            if chunk is None:
                self.volume.charge(CHUNK)
                chunk = self._chunks[index] = bytearray(CHUNK)
            chunk[start : start + piece] = data[done : done + piece]
            done += piece
        self._size = max(self._size, offset + size)
        self.touch()

    def resize(self, size: int) -> None:
        if size < self._size:
            first = -(-size // CHUNK)
            for index in [index for index in self._chunks if index >= first]:
                del self._chunks[index]
                self.volume.used -= CHUNK
            tail = self._chunks.get(size // CHUNK)
            if tail is not None:
                tail[size % CHUNK :] = bytes(CHUNK - size % CHUNK)
        elif size > self.volume.capacity:
            raise NtError(STATUS.DISK_FULL)
        self._size = size
        self.touch()

    def release(self) -> None:
        if not self.link_count:
            self.volume.used -= CHUNK * len(self._chunks)
            self._chunks.clear()


class MemoryDirectory(_MemoryNode):
    """A directory in memory: entries by upper-case name."""

    is_directory = True

    def __init__(self, volume: MemoryVolume, number: int, attributes: int) -> None:
        super().__init__(volume, number, attributes)
        self.entries: dict[str, tuple[str, _MemoryNode]] = {}

    @property
    def size(self) -> int:
        return 0

    def find(self, name: str) -> Entry | None:
        found = self.entries.get(case_key(name))
        return None if found is None else Entry(*found)

    def listing(self) -> Iterable[Listed]:
        return [Listed(name, node.facts()) for _, (name, node) in sorted(self.entries.items())]

    def create(self, name: str, attributes: int) -> Entry:
        key = case_key(name)
        if key in self.entries:
            raise NtError(STATUS.OBJECT_NAME_COLLISION)
        node: _MemoryNode
        number = self.volume.take_number()
        if attributes & FILE_ATTRIBUTE_DIRECTORY:
            node = MemoryDirectory(self.volume, number, attributes & ~FILE_ATTRIBUTE_NORMAL)
        else:
            kept = attributes & ~FILE_ATTRIBUTE_NORMAL | FILE_ATTRIBUTE_ARCHIVE
            node = MemoryFile(self.volume, number, kept)
        self.entries[key] = name, node
        self.touch()
        return Entry(name, node)

    def remove(self, name: str) -> None:
        key = case_key(name)
        if key not in self.entries:
            raise NtError(STATUS.OBJECT_NAME_NOT_FOUND)
        _, node = self.entries[key]
        if isinstance(node, MemoryDirectory) and node.entries:
            raise NtError(STATUS.DIRECTORY_NOT_EMPTY)
        del self.entries[key]
        node.link_count -= 1
        if not node.users:
            node.release()
        self.touch()

    def move(self, name: str, target: Node, new_name: str) -> None:
        if not isinstance(target, MemoryDirectory) or target.volume is not self.volume:
            raise NtError(STATUS.NOT_SAME_DEVICE)
        key, new_key = case_key(name), case_key(new_name)
        if key not in self.entries:
            raise NtError(STATUS.OBJECT_NAME_NOT_FOUND)
        if new_key in target.entries and (target is not self or new_key != key):
            raise NtError(STATUS.OBJECT_NAME_COLLISION)
        _, node = self.entries.pop(key)
        target.entries[new_key] = new_name, node
        node.times[3] = self.volume.now()
        self.touch()
        target.touch()

    def link(self, name: str, node: Node) -> None:
        if not isinstance(node, MemoryFile) or node.volume is not self.volume:
            raise NtError(STATUS.NOT_SAME_DEVICE)
        if case_key(name) in self.entries:
            raise NtError(STATUS.OBJECT_NAME_COLLISION)
        self.entries[case_key(name)] = name, node
        node.link_count += 1
        self.touch()

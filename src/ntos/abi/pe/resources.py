"""The resource tree: type, name, language (LdrFindResource_U, LdrEnumResources)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, TypeAlias

from ntos.abi.pe.headers import Directory, ImageHeaders
from ntos.abi.pe.reader import Read, bad_image

ResourceId: TypeAlias = int | str
_HIGH_BIT: Final = 0x8000_0000
_MAXIMUM_ENTRIES: Final = 0x10000
_LEVELS: Final = 3


class ResourceType(IntEnum):
    """``RT_*``."""

    CURSOR = 1
    BITMAP = 2
    ICON = 3
    MENU = 4
    DIALOG = 5
    STRING = 6
    RCDATA = 10
    MESSAGETABLE = 11
    GROUP_ICON = 14
    VERSION = 16
    MANIFEST = 24


@dataclass(frozen=True, slots=True)
class Resource:
    """One leaf: an ``IMAGE_RESOURCE_DATA_ENTRY`` and the path that leads to it."""

    type: ResourceId
    name: ResourceId
    language: ResourceId
    rva: int
    size: int
    code_page: int


def resources(read: Read, headers: ImageHeaders) -> Iterator[Resource]:
    """Every resource of the image, in the order of the tree."""
    rva, size = headers.directory(Directory.RESOURCE)
    if not rva or not size:
        return
    for path, leaf in _Tree(read, rva).walk(0, ()):
        data, length, code_page, _ = struct.unpack("<IIII", read(rva + leaf, 16))
        yield Resource(path[0], path[1], path[2], data, length, code_page)


def find_resource(
    read: Read, headers: ImageHeaders, kind: ResourceId, name: ResourceId, language: ResourceId | None = None
) -> Resource | None:
    """The first resource of that type and name, in that language when one is given."""
    for resource in resources(read, headers):
        if resource.type == kind and resource.name == name and language in (None, resource.language):
            return resource
    return None


class _Tree:
    """One walk over the tree, with a budget that a malicious tree cannot exceed."""

    def __init__(self, read: Read, root: int) -> None:
        self._read = read
        self._root = root
        self._budget = _MAXIMUM_ENTRIES

    def walk(self, offset: int, path: tuple[ResourceId, ...]) -> Iterator[tuple[tuple[ResourceId, ...], int]]:
        """Each leaf below the directory at ``offset``: its path, and the offset of its data entry."""
        named, numbered = struct.unpack("<HH", self._read(self._root + offset + 12, 4))
        table = self._read(self._root + offset + 16, 8 * (named + numbered))
        for identifier, target in struct.iter_unpack("<II", table):
            self._budget -= 1
            step = (*path, self._identifier(identifier))
            is_directory = bool(target & _HIGH_BIT)
            # Windows looks exactly three levels deep; anything else is a malformed tree.
            if self._budget < 0 or is_directory != (len(step) < _LEVELS):
                bad_image()
            if is_directory:
                yield from self.walk(target & ~_HIGH_BIT, step)
            else:
                yield step, target

    def _identifier(self, value: int) -> ResourceId:
        if not value & _HIGH_BIT:
            return value
        place = self._root + (value & ~_HIGH_BIT)
        (length,) = struct.unpack("<H", self._read(place, 2))
        return self._read(place + 2, 2 * length).decode("utf-16-le", "surrogatepass")

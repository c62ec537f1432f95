"""The resource tree of a module in memory, loaded or mapped as data (LdrFindResource_U)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from ntos.abi.errors import ERROR
from ntos.abi.memory import Memory
from ntos.abi.pe.headers import Directory, ImageHeaders, parse_headers
from ntos.abi.pe.resources import Resource, ResourceId, resources
from ntos.abi.status import STATUS, NtError
from ntos.dll.kernelbase.datafile import DATAFILE
from ntos.rtl.text import upcase
from ntos.um.export import WinError
from ntos.um.thread import UserThread

HEADER_ROOM = 0x1000
ANY_SIZE = 1 << 40
"""What is mapped has no file size to hold its section table against; the kernel has done so."""
DATA_ENTRY_SIZE = 16
NEUTRAL, ENGLISH = 0, 0x409
Names: TypeAlias = dict[ResourceId, "dict[ResourceId, dict[ResourceId, Leaf]]"]


@dataclass(frozen=True, slots=True)
class Leaf:
    """One resource: where its data lies and how much there is."""

    resource: Resource
    address: int
    entry: int
    """The address of the IMAGE_RESOURCE_DATA_ENTRY, which is what an HRSRC is."""


@dataclass(frozen=True)
class Module:
    """A module as its resources see it."""

    memory: Memory
    base: int
    headers: ImageHeaders
    is_flat: bool
    """Mapped as a file, not as an image."""

    def address(self, rva: int) -> int:
        """Where an RVA lies."""
        if not self.is_flat:
            return self.base + rva
        for section in self.headers.sections:
            if section.virtual_address <= rva < section.virtual_address + max(section.raw_size, section.virtual_size):
                return self.base + section.raw_offset + rva - section.virtual_address
        return self.base + rva

    def read(self, rva: int, size: int) -> bytes:
        """Bytes at an RVA."""
        return self.memory.read(self.address(rva), size)


def module_at(thread: UserThread, handle: int) -> Module:
    """The module behind an HMODULE; NULL means the program."""
    base = handle & ~3 or int(thread.peb.ImageBaseAddress)
    memory = thread.memory
    return Module(memory, base, parse_headers(memory.read(base, HEADER_ROOM), ANY_SIZE), bool(handle & DATAFILE))


def leaves(module: Module) -> Iterator[Leaf]:
    """Every resource, in the order of the tree."""
    root = module.headers.directory(Directory.RESOURCE)[0]
    entries = _entries(module, root, 0, 0) if root else iter(())
    for resource, entry in zip(resources(module.read, module.headers), entries, strict=True):
        yield Leaf(resource, module.address(resource.rva), module.address(root + entry))


def _entries(module: Module, root: int, offset: int, level: int) -> Iterator[int]:
    """The offsets of the data entries, in the same order."""
    named, numbered = struct.unpack("<HH", module.read(root + offset + 12, 4))
    table = module.read(root + offset + 16, 8 * (named + numbered))
    for _, target in struct.iter_unpack("<II", table):
        if target >> 31:
            yield from _entries(module, root, target & 0x7FFF_FFFF, level + 1)
        else:
            yield target


@dataclass
class Trees:
    """Trees already walked, by module base; a module that is unloaded may leave one behind."""

    known: dict[tuple[int, int], Names]

    def __init__(self) -> None:
        self.known = {}


def tree_of(thread: UserThread, handle: int) -> Names:
    """Type -> name -> language -> leaf; names in upper case."""
    module = module_at(thread, handle)
    if not module.headers.directory(Directory.RESOURCE)[0]:
        raise NtError(STATUS.RESOURCE_DATA_NOT_FOUND)
    key = (module.base, module.headers.time_date_stamp)
    known = thread.state(Trees).known
    if key not in known:
        tree: Names = {}
        for leaf in leaves(module):
            kind, name = folded(leaf.resource.type), folded(leaf.resource.name)
            tree.setdefault(kind, {}).setdefault(name, {})[leaf.resource.language] = leaf
        known[key] = tree
    return known[key]


def folded(identifier: ResourceId) -> ResourceId:
    """An identifier as it compares: names without regard to case, `#12` as a number."""
    if isinstance(identifier, int):
        return identifier
    if identifier.startswith("#") and identifier[1:].isdigit():
        return int(identifier[1:])
    return upcase(identifier)


def find(tree: Names, kind: ResourceId, name: ResourceId, language: int = NEUTRAL) -> Leaf:
    """The resource of that type and name, in the language asked or the nearest one there is."""
    names = tree.get(folded(kind))
    if names is None:
        raise NtError(STATUS.RESOURCE_TYPE_NOT_FOUND)
    languages = names.get(folded(name))
    if languages is None:
        raise NtError(STATUS.RESOURCE_NAME_NOT_FOUND)
    for wanted in languages_to_try(language):
        if wanted in languages:
            return languages[wanted]
    # A caller that names no language takes what there is; one that does takes that or nothing.
    if language & 0x3FF == NEUTRAL:
        return next(iter(languages.values()))
    raise WinError(ERROR.RESOURCE_LANG_NOT_FOUND)


def languages_to_try(language: int) -> tuple[int, ...]:
    """The order in which languages are looked for (Microsoft Learn, FindResourceEx)."""
    if language & 0x3FF == NEUTRAL:
        return (NEUTRAL, ENGLISH, 9)
    return (language, language & 0x3FF, NEUTRAL)


def string_of(block: bytes, index: int) -> bytes:
    """The UTF-16 bytes of one of the sixteen strings of a string table's block; empty where it is not there."""
    position = 0
    for number in range(16):
        if position + 2 > len(block):
            return b""
        size = 2 * int.from_bytes(block[position : position + 2], "little")
        if number == index:
            return block[position + 2 : position + 2 + size]
        position += 2 + size
    return b""

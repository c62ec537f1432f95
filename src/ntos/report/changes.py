"""Structures before and after: which declared fields differ, from the `Struct` classes alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ntos.abi.layout.list import LIST_ENTRY
from ntos.abi.layout.string import UNICODE_STRING
from ntos.abi.status import GuestFault
from ntos.abi.struct import (
    ArrayField,
    BitField,
    CharsField,
    Field,
    PointerField,
    ScalarField,
    Struct,
    StructField,
    WideField,
)
from ntos.abi.types import Scalar
from ntos.report.account import Change

if TYPE_CHECKING:
    from ntos.abi.memory import Memory

LONGEST_TEXT = 300
ADDRESS_SIZE = 8


@dataclass(frozen=True, slots=True)
class Leaf:
    """A field that holds a value of its own, by its whole name."""

    name: str
    offset: int
    size: int
    type: str
    form: str
    """`signed`, `unsigned`, `text`, `wide`, `string`, `list`."""
    bits: tuple[tuple[str, int, int], ...] = ()
    """(name, first bit, width) of the bit fields in it."""


_known: dict[str, tuple[Leaf, ...]] = {}


def leaves(kind: type[Struct]) -> tuple[Leaf, ...]:
    """All fields of a structure, nested ones included; of fields that share bytes the largest."""
    found = _known.get(kind.__qualname__)
    if found is None:
        walk = _Walk()
        walk.structure(kind, 0, "")
        found = _known[kind.__qualname__] = walk.leaves()
    return found


class _Walk:
    """The declared fields of a structure, gathered."""

    def __init__(self) -> None:
        self.found: list[Leaf] = []
        self.bits: dict[tuple[int, int], list[tuple[str, int, int]]] = {}

    def structure(self, kind: type[Struct], base: int, prefix: str) -> None:
        for name, field in _fields(kind):
            self._field(field, prefix + name, base + field.offset, name)

    def _field(self, field: Field[object], whole: str, offset: int, name: str) -> None:
        match field:
            case BitField():
                storage = field.kind
                assert isinstance(storage, type)
                assert issubclass(storage, Scalar)
                self.bits.setdefault((offset, storage.size), []).append((name, field.first, field.width))
            case ScalarField():
                self._add(whole, offset, field.kind.size, field.kind.__name__, _form(field.kind))
            case PointerField():
                self._add(whole, offset, ADDRESS_SIZE, "pointer", "unsigned")
            case StructField() if field.kind is UNICODE_STRING:
                self._add(whole, offset, UNICODE_STRING.size, "UNICODE_STRING", "string")
            case StructField() if field.kind is LIST_ENTRY:
                self._add(whole, offset, LIST_ENTRY.size, "LIST_ENTRY", "list")
            case StructField():
                self.structure(field.kind, offset, whole + ".")
            case CharsField() | WideField():
                self._add(whole, offset, field.kind.size, "text", "text" if isinstance(field, CharsField) else "wide")
            case ArrayField():
                self._array(field, offset, whole)

    def _array(self, field: ArrayField[object], offset: int, whole: str) -> None:
        element, size = field.kind.element, field.kind.element.size
        for index in range(field.kind.count):
            name, place = f"{whole}[{index}]", offset + index * size
            if isinstance(element, type) and element.__name__ == "LIST_ENTRY":
                self._add(name, place, size, "LIST_ENTRY", "list")
            elif isinstance(element, type) and issubclass(element, Struct):
                self.structure(element, place, name + ".")
            elif isinstance(element, type) and issubclass(element, Scalar):
                self._add(name, place, size, element.__name__, _form(element))

    def _add(self, name: str, offset: int, size: int, kind: str, form: str) -> None:
        self.found.append(Leaf(name, offset, size, kind, form))

    def leaves(self) -> tuple[Leaf, ...]:
        """What was found, in the order of offsets."""
        taken: set[int] = set()
        kept = []
        for leaf in sorted(self.found, key=lambda leaf: -leaf.size):
            if leaf.offset not in taken:
                taken.update(range(leaf.offset, leaf.offset + leaf.size))
                named = self.bits.pop((leaf.offset, leaf.size), ())
                kept.append(Leaf(leaf.name, leaf.offset, leaf.size, leaf.type, leaf.form, tuple(named)))
        for (offset, size), alone in self.bits.items():
            if offset not in taken:
                taken.update(range(offset, offset + size))
                kept.append(Leaf(alone[0][0] + "…", offset, size, "bits", "unsigned", tuple(alone)))
        return tuple(sorted(kept, key=lambda leaf: leaf.offset))


def _form(kind: type[Scalar]) -> str:
    return "signed" if kind.signed else "unsigned"


def _fields(kind: type[Struct]) -> list[tuple[str, Field[object]]]:
    found: dict[str, Field[object]] = {}
    for owner in reversed(kind.__mro__):
        found.update((name, value) for name, value in vars(owner).items() if isinstance(value, Field))
    return list(found.items())


class Watched:
    """A structure at an address, and what was last seen of it: at first nothing but zeros."""

    def __init__(self, kind: type[Struct], address: int, owner: int) -> None:
        self.kind = kind
        self.address = address
        self.owner = owner
        self.is_new = True
        self._bytes = bytes(kind.size)
        self._texts: dict[int, str] = {}

    def changes(self, memory: Memory) -> list[Change]:
        """What differs now from the last look; nothing where it cannot be read any more."""
        try:
            now = memory.read(self.address, self.kind.size)
        except GuestFault:
            return []
        before, self._bytes = self._bytes, now
        if before == now:
            return []
        return [
            self._change(leaf, before[leaf.offset : leaf.offset + leaf.size], piece, memory)
            for leaf in leaves(self.kind)
            if (piece := now[leaf.offset : leaf.offset + leaf.size]) != before[leaf.offset : leaf.offset + leaf.size]
        ]

    def _change(self, leaf: Leaf, before: bytes, after: bytes, memory: Memory) -> Change:
        if leaf.form == "string":
            was, text = self._texts.get(leaf.offset, ""), _string(after, memory)
            self._texts[leaf.offset] = text
            return Change(leaf.name, leaf.offset, leaf.type, was, text)
        place = self.address + leaf.offset
        values = _value(leaf.form, before, place), _value(leaf.form, after, place)
        return Change(leaf.name, leaf.offset, leaf.type, *values, _bits(leaf, before, after))


def _value(form: str, data: bytes, address: int) -> int | str:
    if form == "text":
        return data.split(b"\0", 1)[0].decode("latin-1")
    if form == "wide":
        return data.decode("utf-16-le", "replace").split("\0", 1)[0]
    if form == "list":
        links = int.from_bytes(data[:8], "little"), int.from_bytes(data[8:], "little")
        if links == (address, address):
            return "empty"
        return "0" if links == (0, 0) else f"Flink 0x{links[0]:X}, Blink 0x{links[1]:X}"
    return int.from_bytes(data, "little", signed=form == "signed")


def _string(data: bytes, memory: Memory) -> str:
    length, buffer = int.from_bytes(data[:2], "little"), int.from_bytes(data[8:16], "little")
    try:
        return memory.read(buffer, min(length, LONGEST_TEXT * 2)).decode("utf-16-le", "replace") if length else ""
    except GuestFault:
        return f"{length} bytes at 0x{buffer:X}"


def _bits(leaf: Leaf, before: bytes, after: bytes) -> str:
    was, now = int.from_bytes(before, "little"), int.from_bytes(after, "little")
    named = []
    for name, first, width in leaf.bits:
        mask = (1 << width) - 1
        old, new = was >> first & mask, now >> first & mask
        if old != new:
            named.append(name if new == 1 and width == 1 else f"{name}={new}")
    return ", ".join(named)

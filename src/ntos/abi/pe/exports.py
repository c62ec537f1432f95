"""The export directory: functions by name, by hint, by ordinal, and forwarders."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ntos.abi.pe.headers import Directory, ImageHeaders
from ntos.abi.pe.reader import Read, bad_image, read_string

_DIRECTORY: Final = struct.Struct("<IIHHIIIIIII")
_MAXIMUM_ENTRIES: Final = 0x10000


@dataclass(frozen=True, slots=True)
class Export:
    """One export; ``forwarder`` is ``Module.Function`` or ``Module.#ordinal`` if it lies elsewhere."""

    ordinal: int
    rva: int
    name: str | None = None
    forwarder: str | None = None


class Exports:
    """An image's export table, read once and searched many times (LdrpFindExportByName)."""

    def __init__(self, read: Read, rva: int, size: int) -> None:
        self._read = read
        self._rva = rva
        self._size = size
        header = _DIRECTORY.unpack(read(rva, _DIRECTORY.size))
        (
            _,
            self.time_date_stamp,
            _,
            _,
            name,
            self.base,
            functions,
            names,
            function_table,
            name_table,
            ordinals,
        ) = header
        if functions > _MAXIMUM_ENTRIES or names > _MAXIMUM_ENTRIES:
            bad_image()
        self.module_name = read_string(read, name) if name else ""
        self._functions = struct.unpack(
            f"<{functions}I", read(function_table, 4 * functions) if functions else b""
        )
        self._names = struct.unpack(f"<{names}I", read(name_table, 4 * names) if names else b"")
        self._ordinals = struct.unpack(f"<{names}H", read(ordinals, 2 * names) if names else b"")
        self._known: dict[int, str] = {}

    def __len__(self) -> int:
        return sum(1 for rva in self._functions if rva)

    def __iter__(self) -> Iterator[Export]:
        """Every export: the named ones in name order, then those that have only an ordinal."""
        named: set[int] = set()
        for index, slot in enumerate(self._ordinals):
            named.add(slot)
            yield self._export(slot, self._name(index))
        for slot, rva in enumerate(self._functions):
            if rva and slot not in named:
                yield self._export(slot, None)

    def find(self, name: str, hint: int = 0) -> Export | None:
        """The export called ``name``: first where ``hint`` points, then by binary search, bytewise."""
        if hint < len(self._names) and self._name(hint) == name:
            return self._export(self._ordinals[hint], name)
        low, high = 0, len(self._names)
        while low < high:
            middle = (low + high) // 2
            candidate = self._name(middle)
            if candidate == name:
                return self._export(self._ordinals[middle], name)
            if candidate < name:
                low = middle + 1
            else:
                high = middle
        return None

    def by_ordinal(self, ordinal: int) -> Export | None:
        """The export with this (biased) ordinal."""
        slot = ordinal - self.base
        if not 0 <= slot < len(self._functions) or not self._functions[slot]:
            return None
        return self._export(slot, None)

    def _name(self, index: int) -> str:
        name = self._known.get(index)
        if name is None:
            name = self._known[index] = read_string(self._read, self._names[index])
        return name

    def _export(self, slot: int, name: str | None) -> Export:
        if slot >= len(self._functions):
            bad_image()
        rva = self._functions[slot]
        # An address inside the directory itself is the text of a forwarder (PE specification, 6.3.2).
        forwarder = read_string(self._read, rva) if self._rva <= rva < self._rva + self._size else None
        return Export(slot + self.base, rva, name, forwarder)


def exports(read: Read, headers: ImageHeaders) -> Exports | None:
    """The image's exports, or None when it has no export directory."""
    rva, size = headers.directory(Directory.EXPORT)
    return Exports(read, rva, size) if rva and size else None


def split_forwarder(forwarder: str) -> tuple[str, str | int]:
    """Module (without extension) and function name or ordinal of a forwarder, split at the last dot."""
    module, _, function = forwarder.rpartition(".")
    if not module or not function:
        bad_image()
    if not function.startswith("#"):
        return module, function
    digits = function[1:]
    if not (digits.isascii() and digits.isdigit()):
        bad_image()
    return module, int(digits)

"""Mapped images as the loader reads them: headers, export tables and imports, each parsed once a machine.

A DLL stands at the same base in every process and its headers and directories do not change, so what was
parsed for one process serves the next: the key is the bytes themselves.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import TYPE_CHECKING

from ntos.abi.memory import read_string
from ntos.abi.pe import directories
from ntos.abi.pe.headers import Directory, ImageHeaders, parse_headers
from ntos.abi.status import STATUS, NtError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ntos.abi.memory import Memory
    from ntos.abi.pe.directories import ImportedModule

HEADER_PAGE = 0x1000
ANY_SIZE = 1 << 40
"""A mapped image has no file size to hold its section table against; the kernel has done so."""
_MAXIMUM_ENTRIES = 0x10000


def headers_of(memory: Memory, base: int) -> ImageHeaders:
    """The headers of the image mapped at `base`."""
    return _parse(memory.read(base, HEADER_PAGE))


@lru_cache(maxsize=512)
def _parse(page: bytes) -> ImageHeaders:
    return parse_headers(page, ANY_SIZE)


def reader(memory: Memory, base: int) -> Callable[[int, int], bytes]:
    """A reader by RVA, as the directory parsers want it."""
    return lambda rva, size: memory.read(base + rva, size)


class ExportTable:
    """An image's exports: RVAs by slot, slots by name."""

    __slots__ = ("_data", "_names", "_outside", "_slots", "base", "functions", "rva", "size")

    def __init__(self, data: bytes, rva: int, outside: Callable[[int, int], bytes]) -> None:
        self._data = data
        self._outside = outside
        self.rva = rva
        self.size = len(data)
        _, _, _, _, _, self.base, functions, names, table, name_table, ordinals = struct.unpack_from(
            "<IIHHIIIIIII", data
        )
        if functions > _MAXIMUM_ENTRIES or names > _MAXIMUM_ENTRIES:
            raise NtError(STATUS.INVALID_IMAGE_FORMAT)
        self.functions: tuple[int, ...] = struct.unpack(f"<{functions}I", self._read(table, 4 * functions))
        self._names: tuple[int, ...] = struct.unpack(f"<{names}I", self._read(name_table, 4 * names))
        slots: tuple[int, ...] = struct.unpack(f"<{names}H", self._read(ordinals, 2 * names))
        self._slots = {self._text(name): slot for name, slot in zip(self._names, slots, strict=True)}

    def find(self, name: str) -> int | None:
        """The slot of a named export (LdrpNameToOrdinal)."""
        slot = self._slots.get(name)
        return slot if slot is not None and slot < len(self.functions) else None

    def by_ordinal(self, ordinal: int) -> int | None:
        """The slot of an ordinal."""
        slot = ordinal - self.base
        return slot if 0 <= slot < len(self.functions) and self.functions[slot] else None

    def forwarder(self, slot: int) -> str | None:
        """`Module.Function` where the export lies elsewhere: its RVA is inside the directory itself."""
        rva = self.functions[slot]
        return self._text(rva) if self.rva <= rva < self.rva + self.size else None

    def names(self) -> dict[str, int]:
        """Slots by name."""
        return self._slots

    def _read(self, rva: int, size: int) -> bytes:
        start = rva - self.rva
        if size == 0:
            return b""
        if start >= 0 and start + size <= len(self._data):
            return self._data[start : start + size]
        return self._outside(rva, size)

    def _text(self, rva: int) -> str:
        start = rva - self.rva
        if 0 <= start < len(self._data):
            end = self._data.find(0, start)
            if end >= 0:
                return self._data[start:end].decode("latin-1")
        pieces = b""
        while b"\0" not in pieces and len(pieces) < HEADER_PAGE:
            pieces += self._outside(rva + len(pieces), 1)
        return pieces.partition(b"\0")[0].decode("latin-1")


_tables: dict[tuple[int, bytes], ExportTable] = {}


def export_table(memory: Memory, base: int) -> ExportTable | None:
    """The exports of the image at `base`, or None when it has no export directory."""
    rva, size = headers_of(memory, base).directory(Directory.EXPORT)
    if not rva or size < 40:
        return None
    data = memory.read(base + rva, size)
    table = _tables.get((rva, data))
    if table is None:
        touched: list[int] = []

        def outside(at: int, count: int) -> bytes:
            touched.append(at)
            return memory.read(base + at, count)

        table = ExportTable(data, rva, outside)
        if not touched:  # all of it stands in the directory: the same bytes give the same table anywhere
            _tables[rva, data] = table
    return table


_imports: dict[tuple[str, bytes, bytes], tuple[ImportedModule, ...]] = {}


def imports_of(memory: Memory, base: int, path: str) -> tuple[ImportedModule, ...]:
    """What the image at `base` imports, descriptor by descriptor."""
    headers = headers_of(memory, base)
    rva, size = headers.directory(Directory.IMPORT)
    if not rva or not size:
        return ()
    key = (path, memory.read(base, HEADER_PAGE), memory.read(base + rva, size))
    found = _imports.get(key)
    if found is None:
        found = _imports[key] = directories.imports(reader(memory, base), headers)
    return found


def text_at(memory: Memory, address: int) -> str:
    """The ANSI string at `address`."""
    return read_string(memory, address, HEADER_PAGE).decode("latin-1")

"""Write PE32+ images: the files that Python DLLs and test programs live in."""

from __future__ import annotations

import struct
import uuid
from bisect import insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from ntos.abi.pe.headers import (
    DIRECTORY_COUNT,
    MAXIMUM_SECTIONS,
    PAGE_SIZE,
    PE32_PLUS_MAGIC,
    SECTOR,
    Directory,
    DllFlag,
    FileFlag,
    Machine,
    SectionFlag,
    Subsystem,
    align_up,
)
from ntos.abi.pe.parts import (
    ExportEntry,
    VersionInfo,
    export_directory,
    import_directory,
    relocation_directory,
    resource_directory,
    rsds_record,
    version_resource,
)
from ntos.abi.pe.resources import ResourceType

CODE: Final = SectionFlag.CODE | SectionFlag.EXECUTE | SectionFlag.READ
READ_ONLY: Final = SectionFlag.INITIALIZED_DATA | SectionFlag.READ
READ_WRITE: Final = READ_ONLY | SectionFlag.WRITE
DISCARDABLE: Final = READ_ONLY | SectionFlag.DISCARDABLE
DEFAULT_DLL_FLAGS: Final = DllFlag.HIGH_ENTROPY_VA | DllFlag.DYNAMIC_BASE | DllFlag.NX_COMPAT
FIRST_RVA: Final = PAGE_SIZE

_NT_OFFSET: Final = 0x80
_OPTIONAL_SIZE: Final = 112 + 8 * DIRECTORY_COUNT
_CHECKSUM_OFFSET: Final = _NT_OFFSET + 4 + 20 + 64
_DOS_HEADER: Final = struct.pack("<2s58xI", b"MZ", _NT_OFFSET)
_ENGLISH_US: Final = 0x409


@dataclass(order=True, slots=True)
class _Part:
    """A section to write."""

    rva: int
    name: str
    content: bytes
    characteristics: int
    virtual_size: int


class ImageBuilder:
    """Collects sections and directories; ``build`` gives the file, the same bytes for the same calls.

    A section asked for without an RVA goes to the next free page (``next_rva``). Imports and TLS are placed
    at once, because callers need their addresses; the other directories are placed by ``build``.
    """

    def __init__(
        self,
        *,
        base: int = 0x1_8000_0000,
        dll: bool = True,
        flat: bool = False,
        entry_point: int = 0,
        subsystem: int = Subsystem.WINDOWS_CUI,
        dll_characteristics: int = DEFAULT_DLL_FLAGS,
        time_date_stamp: int = 0,
        version: tuple[int, int] = (10, 0),
    ) -> None:
        self.base = base
        self.entry_point = entry_point
        self.dll_characteristics = dll_characteristics
        self.stack = (0x4_0000, 0x1000) if dll else (0x10_0000, 0x1000)
        self._dll = dll
        self._file_alignment = PAGE_SIZE if flat else SECTOR
        self._flat = flat
        self._subsystem = subsystem
        self._stamp = time_date_stamp
        self._version = version
        self._parts: list[_Part] = []
        self._directories: dict[int, tuple[int, int]] = {}
        self._relocations: list[int] = []
        self._resources: list[tuple[int, int, int, bytes]] = []
        self._exports: tuple[str, Sequence[ExportEntry], int] | None = None
        self._debug: bytes = b""
        self._load_config = bytearray()
        self._load_config_pointers: tuple[int, ...] = ()
        self._functions: list[tuple[int, int, int]] = []

    @property
    def next_rva(self) -> int:
        """The first page after everything placed so far."""
        if not self._parts:
            return FIRST_RVA
        last = self._parts[-1]
        return align_up(last.rva + last.virtual_size, PAGE_SIZE)

    def section(
        self,
        name: str,
        content: bytes,
        characteristics: int,
        *,
        rva: int | None = None,
        virtual_size: int = 0,
    ) -> int:
        """Place a section and return its RVA; memory past ``content`` up to ``virtual_size`` is zero."""
        place = self.next_rva if rva is None else rva
        size = max(len(content), virtual_size, 1)
        part = _Part(place, name, content, characteristics, size)
        if place % PAGE_SIZE or place < FIRST_RVA or len(name) > 8 or self._overlaps(part):
            raise ValueError(f"section {name!r} cannot lie at {place:#x}")
        insort(self._parts, part)
        return place

    def directory(self, index: Directory, rva: int, size: int) -> None:
        """Point a data directory at bytes that a section already holds."""
        self._directories[index] = (rva, size)

    def exports(self, module: str, entries: Sequence[ExportEntry], *, ordinal_base: int = 1) -> None:
        """Export ``entries`` under the internal name ``module``."""
        self._exports = (module, entries, ordinal_base)

    def imports(self, modules: Sequence[tuple[str, Sequence[str | int]]]) -> dict[tuple[str, str | int], int]:
        """Import functions by name or ordinal; the RVA of each IAT slot, keyed by (module, function)."""
        rva = self.next_rva
        table = import_directory(rva, modules)
        self.section(".idata", table.data, READ_WRITE, rva=rva)
        self._directories[Directory.IMPORT] = table.descriptors
        self._directories[Directory.IAT] = table.address_table
        return table.slots

    def relocate(self, rvas: Iterable[int]) -> None:
        """Declare that 64-bit pointers lie at ``rvas``."""
        self._relocations.extend(rvas)

    def function_table(self, functions: Iterable[tuple[int, int, int]]) -> None:
        """Add ``RUNTIME_FUNCTION`` rows (begin, end, unwind information)."""
        self._functions.extend(functions)

    def tls(self, template: bytes, *, zero_fill: int = 0, callbacks: Sequence[int] = ()) -> int:
        """Give the image thread-local storage; returns the RVA of the index variable."""
        rva = self.next_rva
        index, array_at = 40, 48
        template_at = array_at + 8 * (len(callbacks) + 1)
        template_rva = rva + template_at
        pointers = (template_rva, template_rva + len(template), rva + index, rva + array_at)
        directory = struct.pack("<4QII", *(self.base + pointer for pointer in pointers), zero_fill, 0)
        rows = b"".join(struct.pack("<Q", self.base + callback) for callback in callbacks) + bytes(8)
        self.section(".tls", directory + bytes(8) + rows + template, READ_WRITE, rva=rva)
        self._directories[Directory.TLS] = (rva, 40)
        self.relocate(rva + 8 * slot for slot in range(4))
        self.relocate(rva + array_at + 8 * slot for slot in range(len(callbacks)))
        return rva + index

    def load_config(self, data: bytes, *, pointers: Iterable[int] = ()) -> None:
        """Give the image a load configuration; at the ``pointers`` offsets stand RVAs."""
        self._load_config = bytearray(data)
        self._load_config_pointers = tuple(pointers)

    def debug(self, guid: uuid.UUID, path: str, *, age: int = 1) -> None:
        """Name the symbol file that belongs to the image."""
        self._debug = rsds_record(guid, age, path)

    def resource(self, kind: int, name: int, data: bytes, *, language: int = _ENGLISH_US) -> None:
        """Add a resource with numeric identifiers."""
        self._resources.append((kind, name, language, data))

    def version_info(self, info: VersionInfo) -> None:
        """Add a VERSIONINFO resource."""
        self.resource(ResourceType.VERSION, 1, version_resource(info))

    def manifest(self, xml: bytes) -> None:
        """Add a side-by-side manifest: resource 2 in a DLL, 1 in a program."""
        self.resource(ResourceType.MANIFEST, 2 if self._dll else 1, xml)

    def build(self) -> bytes:
        """The finished file. A builder builds once: generated sections are placed now."""
        self._place_read_only_data()
        self._place_generated()
        parts = self._contiguous()
        header_size = _NT_OFFSET + 24 + _OPTIONAL_SIZE + 40 * len(parts)
        size_of_headers = align_up(header_size, self._file_alignment)
        if len(parts) > MAXIMUM_SECTIONS or size_of_headers > FIRST_RVA:
            raise ValueError("too many sections")
        rows, contents = self._lay_out(parts, size_of_headers)
        headers = self._headers(parts, size_of_headers) + b"".join(rows)
        image = bytearray().join((headers, bytes(size_of_headers - len(headers)), *contents))
        struct.pack_into("<I", image, _CHECKSUM_OFFSET, checksum(image))
        return bytes(image)

    def _overlaps(self, part: _Part) -> bool:
        end = part.rva + part.virtual_size
        return any(other.rva < end and part.rva < other.rva + other.virtual_size for other in self._parts)

    def _place_read_only_data(self) -> None:
        """Exports, load configuration and debug record share ``.rdata``."""
        rva = self.next_rva
        data = bytearray()
        if self._load_config:
            for offset in self._load_config_pointers:
                (target,) = struct.unpack_from("<Q", self._load_config, offset)
                struct.pack_into("<Q", self._load_config, offset, self.base + target)
                self._relocations.append(rva + offset)
            self._directories[Directory.LOAD_CONFIG] = (rva, len(self._load_config))
            data += self._load_config
        if self._debug:
            record = rva + len(data) + 28
            self._directories[Directory.DEBUG] = (rva + len(data), 28)
            data += (
                struct.pack("<IIHHIIII", 0, self._stamp, 0, 0, 2, len(self._debug), record, 0) + self._debug
            )
            data += bytes(-len(data) % 8)
        if self._exports:
            module, entries, base = self._exports
            directory = export_directory(
                rva + len(data), module, entries, base=base, time_date_stamp=self._stamp
            )
            self._directories[Directory.EXPORT] = (rva + len(data), len(directory))
            data += directory
        if data:
            self.section(".rdata", bytes(data), READ_ONLY, rva=rva)

    def _place_generated(self) -> None:
        """``.pdata``, ``.rsrc`` and ``.reloc``, in the order that Microsoft's linker gives them."""
        if self._functions:
            rows = b"".join(struct.pack("<III", *row) for row in sorted(self._functions))
            self._directories[Directory.EXCEPTION] = (self.section(".pdata", rows, READ_ONLY), len(rows))
        if self._resources:
            data = resource_directory(self.next_rva, self._resources)
            self._directories[Directory.RESOURCE] = (self.section(".rsrc", data, READ_ONLY), len(data))
        if self._relocations:
            data = relocation_directory(self._relocations)
            self._directories[Directory.BASERELOC] = (self.section(".reloc", data, DISCARDABLE), len(data))

    def _contiguous(self) -> list[_Part]:
        """The sections in order; each grows over the gap behind it, because NT allows none."""
        expected = FIRST_RVA
        for index, part in enumerate(self._parts):
            if index == 0 and part.rva != expected:
                raise ValueError("the first section must follow the headers")
            if index and part.rva != expected:
                previous = self._parts[index - 1]
                previous.virtual_size = part.rva - previous.rva
            expected = align_up(part.rva + part.virtual_size, PAGE_SIZE)
        return self._parts

    def _lay_out(self, parts: Sequence[_Part], offset: int) -> tuple[list[bytes], list[bytes]]:
        """Section table rows and the padded contents that follow the headers."""
        rows: list[bytes] = []
        contents: list[bytes] = []
        for part in parts:
            # In a flat file every section is as long as in memory, so that offset and RVA are the same.
            wanted = part.virtual_size if self._flat else len(part.content)
            raw_size = align_up(wanted, self._file_alignment)
            content = part.content + bytes(raw_size - len(part.content))
            if part.name == ".rdata" and self._debug:
                content = self._with_debug_offset(content, part.rva, offset)
            row = (
                part.name.encode("ascii"),
                part.virtual_size,
                part.rva,
                raw_size,
                offset if raw_size else 0,
            )
            rows.append(struct.pack("<8sIIII12xI", *row, part.characteristics))
            contents.append(content)
            offset += raw_size
        return rows, contents

    def _with_debug_offset(self, content: bytes, rva: int, offset: int) -> bytes:
        """``content`` of ``.rdata`` with the debug entry's ``PointerToRawData`` filled in."""
        entry = self._directories[Directory.DEBUG][0] - rva
        if not 0 <= entry < len(content):
            return content
        pointer = struct.pack("<I", offset + entry + 28)
        return content[: entry + 24] + pointer + content[entry + 28 :]

    def _headers(self, parts: Sequence[_Part], size_of_headers: int) -> bytes:
        characteristics = FileFlag.EXECUTABLE_IMAGE | FileFlag.LARGE_ADDRESS_AWARE
        if self._dll:
            characteristics |= FileFlag.DLL
        if not self._relocations and not self.dll_characteristics & DllFlag.DYNAMIC_BASE:
            characteristics |= FileFlag.RELOCS_STRIPPED
        code = sum(
            align_up(len(part.content), SECTOR) for part in parts if part.characteristics & SectionFlag.CODE
        )
        data = sum(
            align_up(len(part.content), SECTOR)
            for part in parts
            if not part.characteristics & SectionFlag.CODE
        )
        last = parts[-1] if parts else None
        size_of_image = align_up(last.rva + last.virtual_size, PAGE_SIZE) if last else FIRST_RVA
        file_header = struct.pack(
            "<4sHHIIIHH",
            b"PE\0\0", Machine.AMD64, len(parts), self._stamp, 0, 0, _OPTIONAL_SIZE, characteristics,
        )  # fmt: skip
        optional = struct.pack(
            "<HBBIIIIIQIIHHHHHHIIIIHHQQQQII",
            PE32_PLUS_MAGIC, 14, 20, code, data, 0, self.entry_point, FIRST_RVA, self.base,
            PAGE_SIZE, self._file_alignment, *self._version, *self._version, *self._version, 0,
            size_of_image, size_of_headers, 0, self._subsystem, self.dll_characteristics,
            *self.stack, 0x10_0000, 0x1000, 0, DIRECTORY_COUNT,
        )  # fmt: skip
        rows = (self._directories.get(index, (0, 0)) for index in range(DIRECTORY_COUNT))
        directories = b"".join(struct.pack("<II", *row) for row in rows)
        return _DOS_HEADER + bytes(_NT_OFFSET - len(_DOS_HEADER)) + file_header + optional + directories


def checksum(image: bytes | bytearray) -> int:
    """The PE checksum of a file whose checksum field is zero (CheckSumMappedFile)."""
    words = memoryview(image)[: len(image) & ~1].cast("H")
    total = sum(words) + (image[-1] if len(image) % 2 else 0)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total + len(image)

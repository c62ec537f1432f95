"""Readers of the smaller directories: imports, TLS, load configuration, exception table, debug records."""

from __future__ import annotations

import struct
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Final

from ntos.abi.pe.headers import PAGE_SIZE, Directory, ImageHeaders
from ntos.abi.pe.reader import Read, bad_image, read_string

_MAXIMUM_MODULES: Final = 0x1000
_MAXIMUM_THUNKS: Final = 0x20000
_MAXIMUM_CALLBACKS: Final = 0x1000
_MAXIMUM_DEBUG_ENTRIES: Final = 64
_DEBUG_CODEVIEW: Final = 2


@dataclass(frozen=True, slots=True)
class ImportedFunction:
    """One thunk: what is wanted (``name`` and ``hint``, or ``ordinal``) and the IAT slot that receives it."""

    name: str | None
    ordinal: int | None
    hint: int
    slot_rva: int


@dataclass(frozen=True, slots=True)
class ImportedModule:
    """One import descriptor."""

    name: str
    lookup_table: int
    address_table: int
    time_date_stamp: int
    functions: tuple[ImportedFunction, ...]


@dataclass(frozen=True, slots=True)
class DelayImport:
    """One ``IMAGE_DELAYLOAD_DESCRIPTOR``; all addresses are RVAs."""

    name: str
    attributes: int
    module_handle: int
    address_table: int
    name_table: int
    bound_table: int
    unload_table: int
    time_date_stamp: int
    functions: tuple[ImportedFunction, ...]


@dataclass(frozen=True, slots=True)
class BoundImport:
    """A module that the image was bound to, with the stamp that it had then."""

    name: str
    time_date_stamp: int


@dataclass(frozen=True, slots=True)
class TlsDirectory:
    """``IMAGE_TLS_DIRECTORY``; the first four are virtual addresses, already relocated in a mapped image."""

    raw_data_start: int
    raw_data_end: int
    address_of_index: int
    address_of_callbacks: int
    size_of_zero_fill: int
    characteristics: int


@dataclass(frozen=True, slots=True)
class LoadConfig:
    """``IMAGE_LOAD_CONFIG_DIRECTORY``: fields beyond its own ``size`` are zero; pointers are addresses."""

    size: int
    time_date_stamp: int = 0
    global_flags_clear: int = 0
    global_flags_set: int = 0
    critical_section_default_timeout: int = 0
    process_heap_flags: int = 0
    process_affinity_mask: int = 0
    csd_version: int = 0
    dependent_load_flags: int = 0
    security_cookie: int = 0
    se_handler_table: int = 0
    se_handler_count: int = 0
    guard_cf_check_function_pointer: int = 0
    guard_cf_dispatch_function_pointer: int = 0
    guard_cf_function_table: int = 0
    guard_cf_function_count: int = 0
    guard_flags: int = 0
    chpe_metadata: int = 0
    enclave_configuration: int = 0
    volatile_metadata: int = 0
    guard_eh_continuation_table: int = 0
    guard_eh_continuation_count: int = 0
    guard_xfg_check_function_pointer: int = 0
    guard_xfg_dispatch_function_pointer: int = 0
    guard_xfg_table_dispatch_function_pointer: int = 0


@dataclass(frozen=True, slots=True)
class DebugRecord:
    """A CodeView ``RSDS`` record: which symbol file belongs to the image."""

    guid: uuid.UUID
    age: int
    path: str


# (offset, width) of each LoadConfig field after Size, in the order of the class, for PE32+ and PE32.
_LOAD_CONFIG_64: Final = (
    (0x04, 4), (0x0C, 4), (0x10, 4), (0x14, 4), (0x48, 4), (0x40, 8), (0x4C, 2), (0x4E, 2),
    (0x58, 8), (0x60, 8), (0x68, 8), (0x70, 8), (0x78, 8), (0x80, 8), (0x88, 8), (0x90, 4),
    (0xC8, 8), (0xF8, 8), (0x100, 8), (0x108, 8), (0x110, 8), (0x118, 8), (0x120, 8), (0x128, 8),
)  # fmt: skip
_LOAD_CONFIG_32: Final = (
    (0x04, 4), (0x0C, 4), (0x10, 4), (0x14, 4), (0x2C, 4), (0x30, 4), (0x34, 2), (0x36, 2),
    (0x3C, 4), (0x40, 4), (0x44, 4), (0x48, 4), (0x4C, 4), (0x50, 4), (0x54, 4), (0x58, 4),
    (0x7C, 4), (0x98, 4), (0x9C, 4), (0xA0, 4), (0xA4, 4), (0xA8, 4), (0xAC, 4), (0xB0, 4),
)  # fmt: skip


def imports(read: Read, headers: ImageHeaders) -> tuple[ImportedModule, ...]:
    """The modules and functions that the image imports, in link order."""
    found: list[ImportedModule] = []
    budget = _MAXIMUM_THUNKS
    for lookup, stamp, _, name, address in _descriptors(
        read, headers.directory(Directory.IMPORT), "<5I", (3, 4)
    ):
        # Old linkers leave the lookup table out; then the unsnapped IAT is the lookup table.
        functions = _functions(read, lookup or address, address, _width(headers), budget)
        budget -= len(functions)
        found.append(ImportedModule(read_string(read, name), lookup, address, stamp, functions))
    return tuple(found)


def delay_imports(read: Read, headers: ImageHeaders) -> tuple[DelayImport, ...]:
    """The delay-load descriptors of the image."""
    found: list[DelayImport] = []
    budget = _MAXIMUM_THUNKS
    for row in _descriptors(read, headers.directory(Directory.DELAY_IMPORT), "<8I", (1,)):
        attributes, name, handle, address, names, bound, unload, stamp = row
        if not attributes & 1:  # before 2000 the fields were virtual addresses; NT's resolver refuses those
            bad_image()
        functions = _functions(read, names, address, _width(headers), budget)
        budget -= len(functions)
        module = read_string(read, name)
        found.append(DelayImport(module, attributes, handle, address, names, bound, unload, stamp, functions))
    return tuple(found)


def bound_imports(read: Read, headers: ImageHeaders) -> tuple[BoundImport, ...]:
    """The modules of the bound import directory, forwarder references included."""
    rva, size = headers.directory(Directory.BOUND_IMPORT)
    found: list[BoundImport] = []
    position = 0
    while rva and position + 8 <= min(size, 8 * _MAXIMUM_MODULES):
        stamp, name, _ = struct.unpack("<IHH", read(rva + position, 8))
        if not stamp and not name:
            break
        found.append(BoundImport(read_string(read, rva + name), stamp))
        position += 8
    return tuple(found)


def _descriptors(
    read: Read, directory: tuple[int, int], layout: str, required: tuple[int, ...]
) -> Iterator[tuple[int, ...]]:
    """Rows of a descriptor array up to the first whose ``required`` fields are not all set."""
    rva, size = directory
    if not rva or not size:
        return
    row_size = struct.calcsize(layout)
    for index in range(_MAXIMUM_MODULES):
        row = struct.unpack(layout, read(rva + index * row_size, row_size))
        if not all(row[field] for field in required):
            return
        yield row
    bad_image()


def _width(headers: ImageHeaders) -> int:
    return 8 if headers.is_pe32_plus else 4


def _functions(
    read: Read, lookup: int, address: int, width: int, budget: int
) -> tuple[ImportedFunction, ...]:
    by_ordinal = 1 << (8 * width - 1)
    found: list[ImportedFunction] = []
    for index, thunk in enumerate(_thunks(read, lookup, width)):
        if index >= budget:
            bad_image()
        slot = address + index * width
        if thunk & by_ordinal:
            found.append(ImportedFunction(None, thunk & 0xFFFF, 0, slot))
        else:
            rva = thunk & 0x7FFF_FFFF
            (hint,) = struct.unpack("<H", read(rva, 2))
            found.append(ImportedFunction(read_string(read, rva + 2), None, hint, slot))
    return tuple(found)


def _thunks(read: Read, rva: int, width: int) -> Iterator[int]:
    """The thunks at ``rva`` up to the zero that ends them, read a page at a time."""
    layout = "<Q" if width == 8 else "<I"
    for _ in range(_MAXIMUM_THUNKS):
        size = (PAGE_SIZE - rva % PAGE_SIZE) // width * width or width
        for (thunk,) in struct.iter_unpack(layout, read(rva, size)):
            if not thunk:
                return
            yield thunk
        rva += size


def tls_directory(read: Read, headers: ImageHeaders) -> TlsDirectory | None:
    """The TLS directory, or None."""
    rva, size = headers.directory(Directory.TLS)
    if not rva or not size:
        return None
    layout = "<QQQQII" if headers.is_pe32_plus else "<IIIIII"
    return TlsDirectory(*struct.unpack(layout, read(rva, struct.calcsize(layout))))


def tls_callbacks(read: Read, headers: ImageHeaders, tls: TlsDirectory, base: int) -> tuple[int, ...]:
    """RVAs of the TLS callbacks of an image whose pointers are relocated for ``base``."""
    if not tls.address_of_callbacks:
        return ()
    width = _width(headers)
    found: list[int] = []
    for pointer in _thunks(read, tls.address_of_callbacks - base, width):
        if len(found) >= _MAXIMUM_CALLBACKS:
            bad_image()
        found.append(pointer - base)
    return tuple(found)


def load_config(read: Read, headers: ImageHeaders) -> LoadConfig | None:
    """The load configuration, as much of it as its own ``Size`` covers."""
    rva, directory_size = headers.directory(Directory.LOAD_CONFIG)
    if not rva or not directory_size:
        return None
    (size,) = struct.unpack("<I", read(rva, 4))
    places = _LOAD_CONFIG_64 if headers.is_pe32_plus else _LOAD_CONFIG_32
    data = read(rva, min(size, 0x400))
    names = [field.name for field in fields(LoadConfig)][1:]
    values = {
        name: int.from_bytes(data[offset : offset + width], "little")
        for name, (offset, width) in zip(names, places, strict=True)
        if offset + width <= len(data)
    }
    return LoadConfig(size, **values)


def exception_table(headers: ImageHeaders) -> tuple[int, int]:
    """RVA and entry count of the ``RUNTIME_FUNCTION`` table (``RtlLookupFunctionTable``)."""
    rva, size = headers.directory(Directory.EXCEPTION)
    return rva, size // 12 if rva else 0


def debug_record(read: Read, headers: ImageHeaders) -> DebugRecord | None:
    """The first ``RSDS`` record of the debug directory, or None."""
    rva, size = headers.directory(Directory.DEBUG)
    entries = min(size // 28, _MAXIMUM_DEBUG_ENTRIES) if rva else 0
    for index in range(entries):
        _, _, _, _, kind, length, address, _ = struct.unpack("<IIHHIIII", read(rva + 28 * index, 28))
        if kind != _DEBUG_CODEVIEW or length < 24 or not address:
            continue
        head = read(address, 24)
        if head[:4] == b"RSDS":
            (age,) = struct.unpack_from("<I", head, 20)
            return DebugRecord(uuid.UUID(bytes_le=head[4:20]), age, read_string(read, address + 24))
    return None

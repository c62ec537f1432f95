"""The headers of an image file, parsed and checked as NT does before it makes a section of them."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Final, NoReturn

from ntos.abi.status import STATUS, NtError
from ntos.abi.types import NTSTATUS

PAGE_SIZE: Final = 0x1000
SECTOR: Final = 0x200
DIRECTORY_COUNT: Final = 16
MAXIMUM_SECTIONS: Final = 96
MAXIMUM_IMAGE_SIZE: Final = 0x7700_0000
PE32_MAGIC: Final = 0x10B
PE32_PLUS_MAGIC: Final = 0x20B


class Machine(IntEnum):
    """``IMAGE_FILE_MACHINE_*``."""

    UNKNOWN = 0
    I386 = 0x14C
    ARMNT = 0x1C4
    IA64 = 0x200
    AMD64 = 0x8664
    ARM64 = 0xAA64


class FileFlag(IntFlag):
    """``IMAGE_FILE_*`` characteristics."""

    RELOCS_STRIPPED = 0x0001
    EXECUTABLE_IMAGE = 0x0002
    LARGE_ADDRESS_AWARE = 0x0020
    MACHINE_32BIT = 0x0100
    DEBUG_STRIPPED = 0x0200
    SYSTEM = 0x1000
    DLL = 0x2000


class DllFlag(IntFlag):
    """``IMAGE_DLLCHARACTERISTICS_*``."""

    HIGH_ENTROPY_VA = 0x0020
    DYNAMIC_BASE = 0x0040
    FORCE_INTEGRITY = 0x0080
    NX_COMPAT = 0x0100
    NO_ISOLATION = 0x0200
    NO_SEH = 0x0400
    NO_BIND = 0x0800
    APPCONTAINER = 0x1000
    WDM_DRIVER = 0x2000
    GUARD_CF = 0x4000
    TERMINAL_SERVER_AWARE = 0x8000


class SectionFlag(IntFlag):
    """``IMAGE_SCN_*`` characteristics."""

    CODE = 0x0000_0020
    INITIALIZED_DATA = 0x0000_0040
    UNINITIALIZED_DATA = 0x0000_0080
    DISCARDABLE = 0x0200_0000
    NOT_PAGED = 0x0800_0000
    SHARED = 0x1000_0000
    EXECUTE = 0x2000_0000
    READ = 0x4000_0000
    WRITE = 0x8000_0000


class Subsystem(IntEnum):
    """``IMAGE_SUBSYSTEM_*``."""

    UNKNOWN = 0
    NATIVE = 1
    WINDOWS_GUI = 2
    WINDOWS_CUI = 3
    OS2_CUI = 5
    POSIX_CUI = 7
    NATIVE_WINDOWS = 8
    WINDOWS_CE_GUI = 9
    EFI_APPLICATION = 10
    EFI_BOOT_SERVICE_DRIVER = 11
    EFI_RUNTIME_DRIVER = 12
    EFI_ROM = 13
    XBOX = 14
    WINDOWS_BOOT_APPLICATION = 16


class Directory(IntEnum):
    """``IMAGE_DIRECTORY_ENTRY_*``: indices into the data directories."""

    EXPORT = 0
    IMPORT = 1
    RESOURCE = 2
    EXCEPTION = 3
    SECURITY = 4
    BASERELOC = 5
    DEBUG = 6
    ARCHITECTURE = 7
    GLOBALPTR = 8
    TLS = 9
    LOAD_CONFIG = 10
    BOUND_IMPORT = 11
    IAT = 12
    DELAY_IMPORT = 13
    COM_DESCRIPTOR = 14


@dataclass(frozen=True, slots=True)
class Section:
    """One row of the section table."""

    name: str
    virtual_address: int
    virtual_size: int
    raw_offset: int
    raw_size: int
    characteristics: int

    @property
    def mapped_size(self) -> int:
        """Bytes the section occupies in memory: ``VirtualSize``, or ``SizeOfRawData`` where that is zero."""
        return self.virtual_size or self.raw_size


@dataclass(frozen=True, slots=True)
class ImageHeaders:
    """Everything that the DOS, NT and section headers of a valid image say."""

    nt_offset: int
    machine: int
    characteristics: int
    dll_characteristics: int
    subsystem: int
    linker_version: tuple[int, int]
    operating_system_version: tuple[int, int]
    image_version: tuple[int, int]
    subsystem_version: tuple[int, int]
    image_base: int
    entry_point: int
    size_of_code: int
    size_of_image: int
    size_of_headers: int
    section_alignment: int
    file_alignment: int
    stack_reserve: int
    stack_commit: int
    heap_reserve: int
    heap_commit: int
    checksum: int
    time_date_stamp: int
    loader_flags: int
    is_pe32_plus: bool
    sections: tuple[Section, ...]
    directories: tuple[tuple[int, int], ...]

    @property
    def is_dll(self) -> bool:
        """Whether ``IMAGE_FILE_DLL`` is set."""
        return bool(self.characteristics & FileFlag.DLL)

    @property
    def has_com_descriptor(self) -> bool:
        """Whether the image is a .NET assembly (``IMAGE_COR20_HEADER`` is present)."""
        return all(self.directories[Directory.COM_DESCRIPTOR])

    @property
    def is_low_alignment(self) -> bool:
        """Whether sections are smaller than a page, so that the file is mapped as one region."""
        return self.section_alignment < PAGE_SIZE

    def directory(self, index: Directory) -> tuple[int, int]:
        """RVA and size of a data directory, zeroes where it is absent."""
        return self.directories[index]


# IMAGE_FILE_HEADER; IMAGE_OPTIONAL_HEADER from Magic to NumberOfRvaAndSizes; IMAGE_SECTION_HEADER.
_FILE_HEADER: Final = struct.Struct("<HHIIIHH")
_OPTIONAL_32: Final = struct.Struct("<HBBIIIIIIIIIHHHHHHIIIIHHIIIIII")
_OPTIONAL_64: Final = struct.Struct("<HBBIIIIIQIIHHHHHHIIIIHHQQQQII")
_SECTION: Final = struct.Struct("<8sIIIIIIHHI")
_MAGIC_OF_MACHINE: Final = {
    Machine.I386: PE32_MAGIC,
    Machine.ARMNT: PE32_MAGIC,
    Machine.IA64: PE32_PLUS_MAGIC,
    Machine.AMD64: PE32_PLUS_MAGIC,
    Machine.ARM64: PE32_PLUS_MAGIC,
}


def align_up(value: int, alignment: int) -> int:
    """``value`` rounded up to a power of two."""
    return (value + alignment - 1) & ~(alignment - 1)


def parse_headers(data: bytes | memoryview, file_size: int) -> ImageHeaders:
    """Parse and validate an image's headers; ``data`` is the beginning of a file of ``file_size`` bytes.

    MiCreateImageFileMap, MiVerifyImageHeader. Raises the status that creating an image section would return.
    """
    nt_offset = _find_nt_headers(data, file_size)
    headers = _parse_nt_headers(data, nt_offset)
    _check_optional_header(headers, file_size)
    _check_sections(headers, file_size)
    return headers


def _bad_format() -> NoReturn:
    raise NtError(STATUS.INVALID_IMAGE_FORMAT)


def _find_nt_headers(data: bytes | memoryview, file_size: int) -> int:
    """Offset of the ``PE`` signature; older executable formats have statuses of their own."""
    if file_size == 0:
        raise NtError(STATUS.INVALID_FILE_FOR_SECTION)
    if bytes(data[:2]) != b"MZ":
        raise NtError(STATUS.INVALID_IMAGE_NOT_MZ)
    if len(data) < 0x40:
        raise NtError(STATUS.INVALID_IMAGE_PROTECT)
    (nt_offset,) = struct.unpack_from("<I", data, 0x3C)
    signature = bytes(data[nt_offset : nt_offset + 4])
    if signature == b"PE\0\0":
        return int(nt_offset)
    raise NtError(_status_of_old_format(signature[:2], bytes(data[nt_offset : nt_offset + 0x40])))


def _status_of_old_format(signature: bytes, header: bytes) -> NTSTATUS:
    """The status for an MZ file without a PE header."""
    if signature == b"NE" and len(header) > 0x36:
        # ne_exetyp: 2 is Windows, 1 OS/2, 0 unknown (taken for OS/2).
        return STATUS.INVALID_IMAGE_WIN_16 if header[0x36] == 2 else STATUS.INVALID_IMAGE_NE_FORMAT
    if signature in (b"LE", b"LX"):
        return STATUS.INVALID_IMAGE_LE_FORMAT
    return STATUS.INVALID_IMAGE_PROTECT


def _parse_nt_headers(data: bytes | memoryview, nt_offset: int) -> ImageHeaders:
    try:
        machine, section_count, stamp, _, _, optional_size, characteristics = _FILE_HEADER.unpack_from(
            data, nt_offset + 4
        )
        optional_offset = nt_offset + 4 + _FILE_HEADER.size
        (magic,) = struct.unpack_from("<H", data, optional_offset)
        is_pe32_plus = magic == PE32_PLUS_MAGIC
        if _MAGIC_OF_MACHINE.get(machine) != magic or section_count > MAXIMUM_SECTIONS:
            _bad_format()
        layout = _OPTIONAL_64 if is_pe32_plus else _OPTIONAL_32
        optional = layout.unpack_from(data, optional_offset)
        directories = _parse_directories(data, optional_offset + layout.size, optional[-1])
        sections = _parse_sections(data, optional_offset + optional_size, section_count)
    except struct.error:
        _bad_format()
    if not is_pe32_plus:
        optional = optional[:8] + optional[9:]  # BaseOfData exists only in PE32
    return ImageHeaders(
        nt_offset=nt_offset,
        machine=machine,
        characteristics=characteristics,
        time_date_stamp=stamp,
        is_pe32_plus=is_pe32_plus,
        linker_version=optional[1:3],
        size_of_code=optional[3],
        entry_point=optional[6],
        image_base=optional[8],
        section_alignment=optional[9],
        file_alignment=optional[10],
        operating_system_version=optional[11:13],
        image_version=optional[13:15],
        subsystem_version=optional[15:17],
        size_of_image=optional[18],
        size_of_headers=optional[19],
        checksum=optional[20],
        subsystem=optional[21],
        dll_characteristics=optional[22],
        stack_reserve=optional[23],
        stack_commit=optional[24],
        heap_reserve=optional[25],
        heap_commit=optional[26],
        loader_flags=optional[27],
        sections=sections,
        directories=directories,
    )


def _parse_directories(data: bytes | memoryview, offset: int, count: int) -> tuple[tuple[int, int], ...]:
    """The sixteen directories; those past ``NumberOfRvaAndSizes`` are absent."""
    present = min(count, DIRECTORY_COUNT)
    values = struct.unpack_from(f"<{2 * present}I", data, offset)
    rows = tuple(zip(values[::2], values[1::2], strict=True))
    return rows + ((0, 0),) * (DIRECTORY_COUNT - present)


def _parse_sections(data: bytes | memoryview, offset: int, count: int) -> tuple[Section, ...]:
    rows = []
    for index in range(count):
        name, virtual_size, address, raw_size, raw_offset, _, _, _, _, flags = _SECTION.unpack_from(
            data, offset + index * _SECTION.size
        )
        text = name.partition(b"\0")[0].decode("latin-1")
        rows.append(Section(text, address, virtual_size, raw_offset, raw_size, flags))
    return tuple(rows)


def _is_power_of_two(value: int) -> bool:
    return value > 0 and value & (value - 1) == 0


def _check_optional_header(headers: ImageHeaders, file_size: int) -> None:
    """Alignments, sizes and base as the memory manager demands them."""
    section, file = headers.section_alignment, headers.file_alignment
    well_formed = (
        headers.nt_offset % 4 == 0
        and headers.characteristics & FileFlag.EXECUTABLE_IMAGE
        and _is_power_of_two(file)
        and _is_power_of_two(section)
        and section >= file
        and (file % SECTOR == 0 or file == section)
        and (section >= PAGE_SIZE or file == section)
        and headers.image_base % 0x10000 == 0
        and 0 < headers.size_of_image <= MAXIMUM_IMAGE_SIZE
        and 0 < headers.size_of_headers <= min(headers.size_of_image, file_size)
        and headers.entry_point < headers.size_of_image
    )
    if not well_formed:
        _bad_format()


def _check_sections(headers: ImageHeaders, file_size: int) -> None:
    """Sections ascend without gap or overlap and lie inside the file and the image."""
    limit = align_up(headers.size_of_image, PAGE_SIZE)
    if headers.is_low_alignment:
        for section in headers.sections:
            if section.raw_size and section.raw_offset != section.virtual_address:
                _bad_format()
            if section.virtual_address + section.mapped_size > limit:
                _bad_format()
    else:
        following = align_up(headers.size_of_headers, headers.section_alignment)
        for section in headers.sections:
            if section.virtual_address != following or section.mapped_size == 0:
                _bad_format()
            following = align_up(section.virtual_address + section.mapped_size, headers.section_alignment)
            if section.virtual_address + section.mapped_size > limit:
                _bad_format()
    for section in headers.sections:
        if section.raw_size and section.raw_offset and section.raw_offset + section.raw_size > file_size:
            _bad_format()

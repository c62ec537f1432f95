"""PE image headers.

Offsets are those of the reference build's public symbols (ntoskrnl 10.0.19041); a comment `*X` says what a
pointer points to, a bare `X` which enumeration or structure a word holds.
"""

from __future__ import annotations

from ntos.abi.struct import Struct, array, at
from ntos.abi.types import LONG, UCHAR, ULONG, ULONGLONG, USHORT


class IMAGE_DOS_HEADER(Struct, size=0x40):
    """The MZ header."""

    e_magic    = at(0x00, USHORT)
    e_cblp     = at(0x02, USHORT)
    e_cp       = at(0x04, USHORT)
    e_crlc     = at(0x06, USHORT)
    e_cparhdr  = at(0x08, USHORT)
    e_minalloc = at(0x0A, USHORT)
    e_maxalloc = at(0x0C, USHORT)
    e_ss       = at(0x0E, USHORT)
    e_sp       = at(0x10, USHORT)
    e_csum     = at(0x12, USHORT)
    e_ip       = at(0x14, USHORT)
    e_cs       = at(0x16, USHORT)
    e_lfarlc   = at(0x18, USHORT)
    e_ovno     = at(0x1A, USHORT)
    e_res      = at(0x1C, array(USHORT, 4))
    e_oemid    = at(0x24, USHORT)
    e_oeminfo  = at(0x26, USHORT)
    e_res2     = at(0x28, array(USHORT, 10))
    e_lfanew   = at(0x3C, LONG)


class IMAGE_FILE_HEADER(Struct, size=0x14):
    """Machine, sections, characteristics."""

    Machine              = at(0x00, USHORT)
    NumberOfSections     = at(0x02, USHORT)
    TimeDateStamp        = at(0x04, ULONG)
    PointerToSymbolTable = at(0x08, ULONG)
    NumberOfSymbols      = at(0x0C, ULONG)
    SizeOfOptionalHeader = at(0x10, USHORT)
    Characteristics      = at(0x12, USHORT)


class IMAGE_DATA_DIRECTORY(Struct, size=0x08):
    """Where one directory lies."""

    VirtualAddress = at(0x00, ULONG)
    Size           = at(0x04, ULONG)


class IMAGE_OPTIONAL_HEADER64(Struct, size=0xF0):
    """Entry point, base, sizes and directories of a PE32+ image."""

    Magic                       = at(0x00, USHORT)
    MajorLinkerVersion          = at(0x02, UCHAR)
    MinorLinkerVersion          = at(0x03, UCHAR)
    SizeOfCode                  = at(0x04, ULONG)
    SizeOfInitializedData       = at(0x08, ULONG)
    SizeOfUninitializedData     = at(0x0C, ULONG)
    AddressOfEntryPoint         = at(0x10, ULONG)
    BaseOfCode                  = at(0x14, ULONG)
    ImageBase                   = at(0x18, ULONGLONG)
    SectionAlignment            = at(0x20, ULONG)
    FileAlignment               = at(0x24, ULONG)
    MajorOperatingSystemVersion = at(0x28, USHORT)
    MinorOperatingSystemVersion = at(0x2A, USHORT)
    MajorImageVersion           = at(0x2C, USHORT)
    MinorImageVersion           = at(0x2E, USHORT)
    MajorSubsystemVersion       = at(0x30, USHORT)
    MinorSubsystemVersion       = at(0x32, USHORT)
    Win32VersionValue           = at(0x34, ULONG)
    SizeOfImage                 = at(0x38, ULONG)
    SizeOfHeaders               = at(0x3C, ULONG)
    CheckSum                    = at(0x40, ULONG)
    Subsystem                   = at(0x44, USHORT)
    DllCharacteristics          = at(0x46, USHORT)
    SizeOfStackReserve          = at(0x48, ULONGLONG)
    SizeOfStackCommit           = at(0x50, ULONGLONG)
    SizeOfHeapReserve           = at(0x58, ULONGLONG)
    SizeOfHeapCommit            = at(0x60, ULONGLONG)
    LoaderFlags                 = at(0x68, ULONG)
    NumberOfRvaAndSizes         = at(0x6C, ULONG)
    DataDirectory               = at(0x70, array(IMAGE_DATA_DIRECTORY, 16))


class IMAGE_NT_HEADERS64(Struct, size=0x108):
    """The PE headers of a 64-bit image."""

    Signature      = at(0x00, ULONG)
    FileHeader     = at(0x04, IMAGE_FILE_HEADER)
    OptionalHeader = at(0x18, IMAGE_OPTIONAL_HEADER64)


class IMAGE_SECTION_HEADER_Misc(Struct, size=0x04):
    """Virtual size of a section."""

    PhysicalAddress = at(0x00, ULONG)
    VirtualSize     = at(0x00, ULONG)


class IMAGE_SECTION_HEADER(Struct, size=0x28):
    """One section of an image."""

    Name                 = at(0x00, array(UCHAR, 8))
    Misc                 = at(0x08, IMAGE_SECTION_HEADER_Misc)
    VirtualAddress       = at(0x0C, ULONG)
    SizeOfRawData        = at(0x10, ULONG)
    PointerToRawData     = at(0x14, ULONG)
    PointerToRelocations = at(0x18, ULONG)
    PointerToLinenumbers = at(0x1C, ULONG)
    NumberOfRelocations  = at(0x20, USHORT)
    NumberOfLinenumbers  = at(0x22, USHORT)
    Characteristics      = at(0x24, ULONG)


class IMAGE_RUNTIME_FUNCTION_ENTRY(Struct, size=0x0C):
    """Where a function lies and how to unwind it."""

    BeginAddress      = at(0x00, ULONG)
    EndAddress        = at(0x04, ULONG)
    UnwindData        = at(0x08, ULONG)
    UnwindInfoAddress = at(0x08, ULONG)


class IMAGE_DEBUG_DIRECTORY(Struct, size=0x1C):
    """Where debug information lies."""

    Characteristics  = at(0x00, ULONG)
    TimeDateStamp    = at(0x04, ULONG)
    MajorVersion     = at(0x08, USHORT)
    MinorVersion     = at(0x0A, USHORT)
    Type             = at(0x0C, ULONG)
    SizeOfData       = at(0x10, ULONG)
    AddressOfRawData = at(0x14, ULONG)
    PointerToRawData = at(0x18, ULONG)

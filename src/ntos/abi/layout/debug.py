"""What a debugger looks for: version block, loaded module list.

Offsets are those of the reference build's public symbols (ntoskrnl 10.0.19041); a comment `*X` says what a
pointer points to, a bare `X` which enumeration or structure a word holds.
"""

from __future__ import annotations

from ntos.abi.layout.list import LIST_ENTRY
from ntos.abi.layout.string import UNICODE_STRING
from ntos.abi.struct import Struct, array, at, bits
from ntos.abi.types import PVOID, UCHAR, ULONG, ULONGLONG, USHORT


class DBGKD_GET_VERSION64(Struct, size=0x28):
    """The kernel's version and addresses, for a debugger."""

    MajorVersion       = at(0x00, USHORT)
    MinorVersion       = at(0x02, USHORT)
    ProtocolVersion    = at(0x04, UCHAR)
    KdSecondaryVersion = at(0x05, UCHAR)
    Flags              = at(0x06, USHORT)
    MachineType        = at(0x08, USHORT)
    MaxPacketType      = at(0x0A, UCHAR)
    MaxStateChange     = at(0x0B, UCHAR)
    MaxManipulate      = at(0x0C, UCHAR)
    Simulation         = at(0x0D, UCHAR)
    Unused             = at(0x0E, array(USHORT, 1))
    KernBase           = at(0x10, ULONGLONG)
    PsLoadedModuleList = at(0x18, ULONGLONG)
    DebuggerDataList   = at(0x20, ULONGLONG)


class KLDR_DATA_TABLE_ENTRY_u1(Struct, size=0x02):
    """Signing level and type of a module."""

    EntireField    = at(0x00, USHORT)
    SignatureLevel = bits(0x00, USHORT, 0, 4)
    SignatureType  = bits(0x00, USHORT, 4, 3)
    Unused         = bits(0x00, USHORT, 7, 9)


class KLDR_DATA_TABLE_ENTRY(Struct, size=0xA0):
    """Loaded kernel module."""

    InLoadOrderLinks      = at(0x00, LIST_ENTRY)
    ExceptionTable        = at(0x10, PVOID)
    ExceptionTableSize    = at(0x18, ULONG)
    GpValue               = at(0x20, PVOID)
    NonPagedDebugInfo     = at(0x28, PVOID)  # *NON_PAGED_DEBUG_INFO
    DllBase               = at(0x30, PVOID)
    EntryPoint            = at(0x38, PVOID)
    SizeOfImage           = at(0x40, ULONG)
    FullDllName           = at(0x48, UNICODE_STRING)
    BaseDllName           = at(0x58, UNICODE_STRING)
    Flags                 = at(0x68, ULONG)
    LoadCount             = at(0x6C, USHORT)
    u1                    = at(0x6E, KLDR_DATA_TABLE_ENTRY_u1)
    SectionPointer        = at(0x70, PVOID)
    CheckSum              = at(0x78, ULONG)
    CoverageSectionSize   = at(0x7C, ULONG)
    CoverageSection       = at(0x80, PVOID)
    LoadedImports         = at(0x88, PVOID)
    Spare                 = at(0x90, PVOID)
    SizeOfImageNotRounded = at(0x98, ULONG)
    TimeDateStamp         = at(0x9C, ULONG)

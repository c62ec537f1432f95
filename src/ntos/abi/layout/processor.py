"""Processor control region, descriptor tables, special registers.

Offsets are those of the reference build's public symbols (ntoskrnl 10.0.19041); a comment `*X` says what a
pointer points to, a bare `X` which enumeration or structure a word holds.
"""

from __future__ import annotations

from ntos.abi.layout.context import CONTEXT
from ntos.abi.layout.dispatcher import KDPC_DATA
from ntos.abi.layout.list import LIST_ENTRY
from ntos.abi.layout.user import NT_TIB
from ntos.abi.struct import Struct, array, at, bits, chars
from ntos.abi.types import CHAR, LARGE_INTEGER, LONG, LONGLONG, PVOID, UCHAR, ULONG, ULONGLONG, USHORT


class KDESCRIPTOR(Struct, size=0x10):
    """Limit and base of a descriptor table."""

    Pad   = at(0x00, array(USHORT, 3))
    Limit = at(0x06, USHORT)
    Base  = at(0x08, PVOID)


class KGDTENTRY64_Bits(Struct, size=0x04):
    """The bits of a segment descriptor."""

    BaseMiddle  = bits(0x00, ULONG, 0, 8)
    Type        = bits(0x00, ULONG, 8, 5)
    Dpl         = bits(0x00, ULONG, 13, 2)
    Present     = bits(0x00, ULONG, 15, 1)
    LimitHigh   = bits(0x00, ULONG, 16, 4)
    System      = bits(0x00, ULONG, 20, 1)
    LongMode    = bits(0x00, ULONG, 21, 1)
    DefaultBig  = bits(0x00, ULONG, 22, 1)
    Granularity = bits(0x00, ULONG, 23, 1)
    BaseHigh    = bits(0x00, ULONG, 24, 8)


class KGDTENTRY64_Bytes(Struct, size=0x04):
    """The middle bytes of a segment descriptor."""

    BaseMiddle = at(0x00, UCHAR)
    Flags1     = at(0x01, UCHAR)
    Flags2     = at(0x02, UCHAR)
    BaseHigh   = at(0x03, UCHAR)


class KGDTENTRY64(Struct, size=0x10):
    """Segment descriptor."""

    DataLow    = at(0x00, LONGLONG)
    LimitLow   = at(0x00, USHORT)
    BaseLow    = at(0x02, USHORT)
    Bits       = at(0x04, KGDTENTRY64_Bits)
    Bytes      = at(0x04, KGDTENTRY64_Bytes)
    BaseUpper  = at(0x08, ULONG)
    DataHigh   = at(0x08, LONGLONG)
    MustBeZero = at(0x0C, ULONG)


class KIDTENTRY64(Struct, size=0x10):
    """Interrupt gate."""

    Alignment    = at(0x00, ULONGLONG)
    OffsetLow    = at(0x00, USHORT)
    Selector     = at(0x02, USHORT)
    IstIndex     = bits(0x04, USHORT, 0, 3)
    Reserved0    = bits(0x04, USHORT, 3, 5)
    Type         = bits(0x04, USHORT, 8, 5)
    Dpl          = bits(0x04, USHORT, 13, 2)
    Present      = bits(0x04, USHORT, 15, 1)
    OffsetMiddle = at(0x06, USHORT)
    OffsetHigh   = at(0x08, ULONG)
    Reserved1    = at(0x0C, ULONG)


class KTSS64(Struct, size=0x68):
    """Task state segment."""

    Reserved0 = at(0x00, ULONG)
    Rsp0      = at(0x04, ULONGLONG)
    Rsp1      = at(0x0C, ULONGLONG)
    Rsp2      = at(0x14, ULONGLONG)
    Ist       = at(0x1C, array(ULONGLONG, 8))
    Reserved1 = at(0x5C, ULONGLONG)
    Reserved2 = at(0x64, USHORT)
    IoMapBase = at(0x66, USHORT)


class KSPECIAL_REGISTERS(Struct, size=0xF0):
    """Control and model-specific registers."""

    Cr0                  = at(0x00, ULONGLONG)
    Cr2                  = at(0x08, ULONGLONG)
    Cr3                  = at(0x10, ULONGLONG)
    Cr4                  = at(0x18, ULONGLONG)
    KernelDr0            = at(0x20, ULONGLONG)
    KernelDr1            = at(0x28, ULONGLONG)
    KernelDr2            = at(0x30, ULONGLONG)
    KernelDr3            = at(0x38, ULONGLONG)
    KernelDr6            = at(0x40, ULONGLONG)
    KernelDr7            = at(0x48, ULONGLONG)
    Gdtr                 = at(0x50, KDESCRIPTOR)
    Idtr                 = at(0x60, KDESCRIPTOR)
    Tr                   = at(0x70, USHORT)
    Ldtr                 = at(0x72, USHORT)
    MxCsr                = at(0x74, ULONG)
    DebugControl         = at(0x78, ULONGLONG)
    LastBranchToRip      = at(0x80, ULONGLONG)
    LastBranchFromRip    = at(0x88, ULONGLONG)
    LastExceptionToRip   = at(0x90, ULONGLONG)
    LastExceptionFromRip = at(0x98, ULONGLONG)
    Cr8                  = at(0xA0, ULONGLONG)
    MsrGsBase            = at(0xA8, ULONGLONG)
    MsrGsSwap            = at(0xB0, ULONGLONG)
    MsrStar              = at(0xB8, ULONGLONG)
    MsrLStar             = at(0xC0, ULONGLONG)
    MsrCStar             = at(0xC8, ULONGLONG)
    MsrSyscallMask       = at(0xD0, ULONGLONG)
    Xcr0                 = at(0xD8, ULONGLONG)
    MsrFsBase            = at(0xE0, ULONGLONG)
    SpecialPadding0      = at(0xE8, ULONGLONG)


class KPROCESSOR_STATE(Struct, size=0x5C0):
    """Full state of a stopped processor."""

    SpecialRegisters = at(0x00, KSPECIAL_REGISTERS)
    ContextFrame     = at(0xF0, CONTEXT)


class KPRCB(Struct, size=0xAF00):
    """Processor control block: current thread, ready queues, counters (the main fields)."""

    MxCsr                    = at(0x0000, ULONG)
    IdleHalt                 = at(0x0007, UCHAR)
    CurrentThread            = at(0x0008, PVOID)  # *KTHREAD
    NextThread               = at(0x0010, PVOID)  # *KTHREAD
    IdleThread               = at(0x0018, PVOID)  # *KTHREAD
    NestingLevel             = at(0x0020, UCHAR)
    Number                   = at(0x0024, ULONG)
    RspBase                  = at(0x0028, ULONGLONG)
    CpuType                  = at(0x0040, CHAR)
    CpuID                    = at(0x0041, CHAR)
    MHz                      = at(0x0044, ULONG)
    MinorVersion             = at(0x0088, USHORT)
    MajorVersion             = at(0x008A, USHORT)
    BuildType                = at(0x008C, UCHAR)
    TscFrequency             = at(0x0090, ULONGLONG)
    GroupSetMember           = at(0x00C8, ULONGLONG)
    Group                    = at(0x00D0, UCHAR)
    GroupIndex               = at(0x00D1, UCHAR)
    InitialApicId            = at(0x00D4, ULONG)
    ProcessorState           = at(0x0100, KPROCESSOR_STATE)
    MmPageFaultCount         = at(0x2D10, LONG)
    KeSystemCalls            = at(0x2D38, ULONG)
    DpcData                  = at(0x30C0, array(KDPC_DATA, 2))
    QuantumEnd               = at(0x3129, UCHAR)
    DpcRoutineActive         = at(0x312A, UCHAR)
    ReadySummary             = at(0x7C18, ULONG)
    DispatcherReadyListHead  = at(0x7C80, array(LIST_ENTRY, 32))
    InterruptCount           = at(0x7E80, ULONG)
    KernelTime               = at(0x7E84, ULONG)
    UserTime                 = at(0x7E88, ULONG)
    DpcTime                  = at(0x7E8C, ULONG)
    InterruptTime            = at(0x7E90, ULONG)
    DebuggerSavedIRQL        = at(0x7E98, UCHAR)
    HyperPte                 = at(0x8200, PVOID)
    VendorString             = at(0x8590, chars(13))
    FeatureBits              = at(0x85A0, ULONGLONG)
    UpdateSignature          = at(0x85A8, LARGE_INTEGER)
    Context                  = at(0x85C0, PVOID)  # *CONTEXT
    ContextFlagsInit         = at(0x85C8, ULONG)
    ExtendedState            = at(0x85D0, PVOID)  # *XSAVE_AREA
    KernelDirectoryTableBase = at(0x8E80, ULONGLONG)
    RspBaseShadow            = at(0x8E88, ULONGLONG)
    UserRspShadow            = at(0x8E90, ULONGLONG)
    ShadowFlags              = at(0x8E98, ULONG)


class KPCR(Struct, size=0xB080):
    """Processor control region, at GS in kernel mode."""

    GdtBase                       = at(0x000, PVOID)  # *KGDTENTRY64
    NtTib                         = at(0x000, NT_TIB)
    TssBase                       = at(0x008, PVOID)  # *KTSS64
    UserRsp                       = at(0x010, ULONGLONG)
    Self                          = at(0x018, PVOID)  # *KPCR
    CurrentPrcb                   = at(0x020, PVOID)  # *KPRCB
    LockArray                     = at(0x028, PVOID)  # *KSPIN_LOCK_QUEUE
    Used_Self                     = at(0x030, PVOID)
    IdtBase                       = at(0x038, PVOID)  # *KIDTENTRY64
    Unused                        = at(0x040, array(ULONGLONG, 2))
    Irql                          = at(0x050, UCHAR)
    SecondLevelCacheAssociativity = at(0x051, UCHAR)
    ObsoleteNumber                = at(0x052, UCHAR)
    Fill0                         = at(0x053, UCHAR)
    Unused0                       = at(0x054, array(ULONG, 3))
    MajorVersion                  = at(0x060, USHORT)
    MinorVersion                  = at(0x062, USHORT)
    StallScaleFactor              = at(0x064, ULONG)
    Unused1                       = at(0x068, array(PVOID, 3))
    KernelReserved                = at(0x080, array(ULONG, 15))
    SecondLevelCacheSize          = at(0x0BC, ULONG)
    HalReserved                   = at(0x0C0, array(ULONG, 16))
    Unused2                       = at(0x100, ULONG)
    KdVersionBlock                = at(0x108, PVOID)
    Unused3                       = at(0x110, PVOID)
    PcrAlign1                     = at(0x118, array(ULONG, 24))
    Prcb                          = at(0x180, KPRCB)

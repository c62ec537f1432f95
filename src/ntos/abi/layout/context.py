"""Processor state: user contexts, traps and exceptions.

Offsets are those of the reference build's public symbols (ntoskrnl 10.0.19041); a comment `*X` says what a
pointer points to, a bare `X` which enumeration or structure a word holds.
"""

from __future__ import annotations

from ntos.abi.struct import Struct, array, at, bits
from ntos.abi.types import CHAR, LONGLONG, NTSTATUS, PVOID, UCHAR, ULONG, ULONGLONG, USHORT


class M128A(Struct, size=0x10):
    """128-bit value: an XMM register."""

    Low  = at(0x00, ULONGLONG)
    High = at(0x08, LONGLONG)


class XSAVE_FORMAT(Struct, size=0x200):
    """The legacy area of FXSAVE (XMM_SAVE_AREA32)."""

    ControlWord    = at(0x000, USHORT)
    StatusWord     = at(0x002, USHORT)
    TagWord        = at(0x004, UCHAR)
    Reserved1      = at(0x005, UCHAR)
    ErrorOpcode    = at(0x006, USHORT)
    ErrorOffset    = at(0x008, ULONG)
    ErrorSelector  = at(0x00C, USHORT)
    Reserved2      = at(0x00E, USHORT)
    DataOffset     = at(0x010, ULONG)
    DataSelector   = at(0x014, USHORT)
    Reserved3      = at(0x016, USHORT)
    MxCsr          = at(0x018, ULONG)
    MxCsr_Mask     = at(0x01C, ULONG)
    FloatRegisters = at(0x020, array(M128A, 8))
    XmmRegisters   = at(0x0A0, array(M128A, 16))
    Reserved4      = at(0x1A0, array(UCHAR, 96))


class XSAVE_AREA_HEADER(Struct, size=0x40):
    """Which components an XSAVE area holds."""

    Mask           = at(0x00, ULONGLONG)
    CompactionMask = at(0x08, ULONGLONG)
    Reserved2      = at(0x10, array(ULONGLONG, 6))


class XSAVE_AREA(Struct, size=0x240):
    """An XSAVE area: legacy part and header."""

    LegacyState = at(0x000, XSAVE_FORMAT)
    Header      = at(0x200, XSAVE_AREA_HEADER)


class CONTEXT(Struct, size=0x4D0):
    """A thread's registers, as user mode sees them."""

    P1Home               = at(0x000, ULONGLONG)
    P2Home               = at(0x008, ULONGLONG)
    P3Home               = at(0x010, ULONGLONG)
    P4Home               = at(0x018, ULONGLONG)
    P5Home               = at(0x020, ULONGLONG)
    P6Home               = at(0x028, ULONGLONG)
    ContextFlags         = at(0x030, ULONG)
    MxCsr                = at(0x034, ULONG)
    SegCs                = at(0x038, USHORT)
    SegDs                = at(0x03A, USHORT)
    SegEs                = at(0x03C, USHORT)
    SegFs                = at(0x03E, USHORT)
    SegGs                = at(0x040, USHORT)
    SegSs                = at(0x042, USHORT)
    EFlags               = at(0x044, ULONG)
    Dr0                  = at(0x048, ULONGLONG)
    Dr1                  = at(0x050, ULONGLONG)
    Dr2                  = at(0x058, ULONGLONG)
    Dr3                  = at(0x060, ULONGLONG)
    Dr6                  = at(0x068, ULONGLONG)
    Dr7                  = at(0x070, ULONGLONG)
    Rax                  = at(0x078, ULONGLONG)
    Rcx                  = at(0x080, ULONGLONG)
    Rdx                  = at(0x088, ULONGLONG)
    Rbx                  = at(0x090, ULONGLONG)
    Rsp                  = at(0x098, ULONGLONG)
    Rbp                  = at(0x0A0, ULONGLONG)
    Rsi                  = at(0x0A8, ULONGLONG)
    Rdi                  = at(0x0B0, ULONGLONG)
    R8                   = at(0x0B8, ULONGLONG)
    R9                   = at(0x0C0, ULONGLONG)
    R10                  = at(0x0C8, ULONGLONG)
    R11                  = at(0x0D0, ULONGLONG)
    R12                  = at(0x0D8, ULONGLONG)
    R13                  = at(0x0E0, ULONGLONG)
    R14                  = at(0x0E8, ULONGLONG)
    R15                  = at(0x0F0, ULONGLONG)
    Rip                  = at(0x0F8, ULONGLONG)
    FltSave              = at(0x100, XSAVE_FORMAT)
    Header               = at(0x100, array(M128A, 2))
    Legacy               = at(0x120, array(M128A, 8))
    Xmm0                 = at(0x1A0, M128A)
    Xmm1                 = at(0x1B0, M128A)
    Xmm2                 = at(0x1C0, M128A)
    Xmm3                 = at(0x1D0, M128A)
    Xmm4                 = at(0x1E0, M128A)
    Xmm5                 = at(0x1F0, M128A)
    Xmm6                 = at(0x200, M128A)
    Xmm7                 = at(0x210, M128A)
    Xmm8                 = at(0x220, M128A)
    Xmm9                 = at(0x230, M128A)
    Xmm10                = at(0x240, M128A)
    Xmm11                = at(0x250, M128A)
    Xmm12                = at(0x260, M128A)
    Xmm13                = at(0x270, M128A)
    Xmm14                = at(0x280, M128A)
    Xmm15                = at(0x290, M128A)
    VectorRegister       = at(0x300, array(M128A, 26))
    VectorControl        = at(0x4A0, ULONGLONG)
    DebugControl         = at(0x4A8, ULONGLONG)
    LastBranchToRip      = at(0x4B0, ULONGLONG)
    LastBranchFromRip    = at(0x4B8, ULONGLONG)
    LastExceptionToRip   = at(0x4C0, ULONGLONG)
    LastExceptionFromRip = at(0x4C8, ULONGLONG)


class EXCEPTION_RECORD(Struct, size=0x98):
    """What was raised, where, and with which parameters."""

    ExceptionCode        = at(0x00, NTSTATUS)
    ExceptionFlags       = at(0x04, ULONG)
    ExceptionRecord      = at(0x08, PVOID)  # *EXCEPTION_RECORD
    ExceptionAddress     = at(0x10, PVOID)
    NumberParameters     = at(0x18, ULONG)
    ExceptionInformation = at(0x20, array(ULONGLONG, 15))


class EXCEPTION_REGISTRATION_RECORD(Struct, size=0x10):
    """Frame of the x86 exception handler chain."""

    Next    = at(0x00, PVOID)  # *EXCEPTION_REGISTRATION_RECORD
    Handler = at(0x08, PVOID)


class KEXCEPTION_FRAME(Struct, size=0x140):
    """Nonvolatile registers saved by the kernel below a trap frame."""

    P1Home       = at(0x000, ULONGLONG)
    P2Home       = at(0x008, ULONGLONG)
    P3Home       = at(0x010, ULONGLONG)
    P4Home       = at(0x018, ULONGLONG)
    P5           = at(0x020, ULONGLONG)
    Spare1       = at(0x028, ULONGLONG)
    Xmm6         = at(0x030, M128A)
    Xmm7         = at(0x040, M128A)
    Xmm8         = at(0x050, M128A)
    Xmm9         = at(0x060, M128A)
    Xmm10        = at(0x070, M128A)
    Xmm11        = at(0x080, M128A)
    Xmm12        = at(0x090, M128A)
    Xmm13        = at(0x0A0, M128A)
    Xmm14        = at(0x0B0, M128A)
    Xmm15        = at(0x0C0, M128A)
    TrapFrame    = at(0x0D0, ULONGLONG)
    OutputBuffer = at(0x0D8, ULONGLONG)
    OutputLength = at(0x0E0, ULONGLONG)
    Spare2       = at(0x0E8, ULONGLONG)
    MxCsr        = at(0x0F0, ULONGLONG)
    Rbp          = at(0x0F8, ULONGLONG)
    Rbx          = at(0x100, ULONGLONG)
    Rdi          = at(0x108, ULONGLONG)
    Rsi          = at(0x110, ULONGLONG)
    R12          = at(0x118, ULONGLONG)
    R13          = at(0x120, ULONGLONG)
    R14          = at(0x128, ULONGLONG)
    R15          = at(0x130, ULONGLONG)
    Return       = at(0x138, ULONGLONG)


class KTRAP_FRAME(Struct, size=0x190):
    """Volatile registers saved at a trap, an interrupt or a system call."""

    P1Home                  = at(0x000, ULONGLONG)
    P2Home                  = at(0x008, ULONGLONG)
    P3Home                  = at(0x010, ULONGLONG)
    P4Home                  = at(0x018, ULONGLONG)
    P5                      = at(0x020, ULONGLONG)
    InterruptRetpolineState = at(0x028, UCHAR)
    PreviousMode            = at(0x028, CHAR)
    PreviousIrql            = at(0x029, UCHAR)
    FaultIndicator          = at(0x02A, UCHAR)
    NmiMsrIbrs              = at(0x02A, UCHAR)
    ExceptionActive         = at(0x02B, UCHAR)
    MxCsr                   = at(0x02C, ULONG)
    Rax                     = at(0x030, ULONGLONG)
    Rcx                     = at(0x038, ULONGLONG)
    Rdx                     = at(0x040, ULONGLONG)
    R8                      = at(0x048, ULONGLONG)
    R9                      = at(0x050, ULONGLONG)
    R10                     = at(0x058, ULONGLONG)
    R11                     = at(0x060, ULONGLONG)
    GsBase                  = at(0x068, ULONGLONG)
    GsSwap                  = at(0x068, ULONGLONG)
    Xmm0                    = at(0x070, M128A)
    Xmm1                    = at(0x080, M128A)
    Xmm2                    = at(0x090, M128A)
    Xmm3                    = at(0x0A0, M128A)
    Xmm4                    = at(0x0B0, M128A)
    Xmm5                    = at(0x0C0, M128A)
    ContextRecord           = at(0x0D0, ULONGLONG)
    FaultAddress            = at(0x0D0, ULONGLONG)
    Dr0                     = at(0x0D8, ULONGLONG)
    Dr1                     = at(0x0E0, ULONGLONG)
    Dr2                     = at(0x0E8, ULONGLONG)
    Dr3                     = at(0x0F0, ULONGLONG)
    Dr6                     = at(0x0F8, ULONGLONG)
    Dr7                     = at(0x100, ULONGLONG)
    DebugControl            = at(0x108, ULONGLONG)
    LastBranchToRip         = at(0x110, ULONGLONG)
    LastBranchFromRip       = at(0x118, ULONGLONG)
    LastExceptionToRip      = at(0x120, ULONGLONG)
    LastExceptionFromRip    = at(0x128, ULONGLONG)
    SegDs                   = at(0x130, USHORT)
    SegEs                   = at(0x132, USHORT)
    SegFs                   = at(0x134, USHORT)
    SegGs                   = at(0x136, USHORT)
    TrapFrame               = at(0x138, ULONGLONG)
    Rbx                     = at(0x140, ULONGLONG)
    Rdi                     = at(0x148, ULONGLONG)
    Rsi                     = at(0x150, ULONGLONG)
    Rbp                     = at(0x158, ULONGLONG)
    ErrorCode               = at(0x160, ULONGLONG)
    ExceptionFrame          = at(0x160, ULONGLONG)
    Rip                     = at(0x168, ULONGLONG)
    SegCs                   = at(0x170, USHORT)
    Fill0                   = at(0x172, UCHAR)
    Logging                 = at(0x173, UCHAR)
    Fill1                   = at(0x174, array(USHORT, 2))
    EFlags                  = at(0x178, ULONG)
    Fill2                   = at(0x17C, ULONG)
    Rsp                     = at(0x180, ULONGLONG)
    SegSs                   = at(0x188, USHORT)
    Fill3                   = at(0x18A, USHORT)
    Fill4                   = at(0x18C, ULONG)


class XSTATE_FEATURE(Struct, size=0x08):
    """Where one extended-state component lies."""

    Offset = at(0x00, ULONG)
    Size   = at(0x04, ULONG)


class XSTATE_CONFIGURATION(Struct, size=0x338):
    """Extended-state components the machine has enabled."""

    EnabledFeatures                      = at(0x000, ULONGLONG)
    EnabledVolatileFeatures              = at(0x008, ULONGLONG)
    Size                                 = at(0x010, ULONG)
    ControlFlags                         = at(0x014, ULONG)
    OptimizedSave                        = bits(0x014, ULONG, 0, 1)
    CompactionEnabled                    = bits(0x014, ULONG, 1, 1)
    Features                             = at(0x018, array(XSTATE_FEATURE, 64))
    EnabledSupervisorFeatures            = at(0x218, ULONGLONG)
    AlignedFeatures                      = at(0x220, ULONGLONG)
    AllFeatureSize                       = at(0x228, ULONG)
    AllFeatures                          = at(0x22C, array(ULONG, 64))
    EnabledUserVisibleSupervisorFeatures = at(0x330, ULONGLONG)


class XSTATE_CONTEXT(Struct, size=0x20):
    """Extended state kept for a thread."""

    Mask      = at(0x00, ULONGLONG)
    Length    = at(0x08, ULONG)
    Reserved1 = at(0x0C, ULONG)
    Area      = at(0x10, PVOID)  # *XSAVE_AREA
    Buffer    = at(0x18, PVOID)


class XSTATE_SAVE(Struct, size=0x38):
    """Saved extended state, chained per thread."""

    Prev          = at(0x00, PVOID)  # *XSTATE_SAVE
    Thread        = at(0x08, PVOID)  # *KTHREAD
    Level         = at(0x10, UCHAR)
    XStateContext = at(0x18, XSTATE_CONTEXT)


class COUNTER_READING(Struct, size=0x18):
    """One hardware counter's delta and total."""

    Type  = at(0x00, ULONG)  # HARDWARE_COUNTER_TYPE
    Index = at(0x04, ULONG)
    Start = at(0x08, ULONGLONG)
    Total = at(0x10, ULONGLONG)


XMM_SAVE_AREA32 = XSAVE_FORMAT


class EXCEPTION_POINTERS(Struct, size=0x10):
    """What an exception filter is given."""

    ExceptionRecord = at(0x00, PVOID)  # *EXCEPTION_RECORD
    ContextRecord   = at(0x08, PVOID)  # *CONTEXT

"""The NT heap, as far as its blocks and segments go.

Offsets are those of the reference build's public symbols (ntoskrnl 10.0.19041); a comment `*X` says what a
pointer points to, a bare `X` which enumeration or structure a word holds.
"""

from __future__ import annotations

from ntos.abi.layout.executive import RTL_RUN_ONCE
from ntos.abi.layout.list import LIST_ENTRY
from ntos.abi.struct import Struct, array, at
from ntos.abi.types import PVOID, UCHAR, ULONG, ULONGLONG, USHORT


class HEAP_EXTENDED_ENTRY(Struct, size=0x10):
    """Extra word of a heap block."""

    Reserved               = at(0x00, PVOID)
    FunctionIndex          = at(0x08, USHORT)
    InterceptorValue       = at(0x08, ULONG)
    ContextValue           = at(0x0A, USHORT)
    UnusedBytesLength      = at(0x0C, USHORT)
    EntryOffset            = at(0x0E, UCHAR)
    ExtendedBlockSignature = at(0x0F, UCHAR)


class HEAP_UNPACKED_ENTRY(Struct, size=0x10):
    """Heap block header in its decoded form."""

    PreviousBlockPrivateData = at(0x00, PVOID)
    CompactHeader            = at(0x08, ULONGLONG)
    Size                     = at(0x08, USHORT)
    SubSegmentCode           = at(0x08, ULONG)
    Flags                    = at(0x0A, UCHAR)
    SmallTagIndex            = at(0x0B, UCHAR)
    PreviousSize             = at(0x0C, USHORT)
    LFHFlags                 = at(0x0E, UCHAR)
    SegmentOffset            = at(0x0E, UCHAR)
    UnusedBytes              = at(0x0F, UCHAR)


class HEAP_ENTRY(Struct, size=0x10):
    """What lies before every heap block."""

    ExtendedEntry            = at(0x00, HEAP_EXTENDED_ENTRY)
    PreviousBlockPrivateData = at(0x00, PVOID)
    Reserved                 = at(0x00, PVOID)
    ReservedForAlignment     = at(0x00, PVOID)
    UnpackedEntry            = at(0x00, HEAP_UNPACKED_ENTRY)
    AgregateCode             = at(0x08, ULONGLONG)
    Code1                    = at(0x08, ULONG)
    CompactHeader            = at(0x08, ULONGLONG)
    FunctionIndex            = at(0x08, USHORT)
    InterceptorValue         = at(0x08, ULONG)
    Size                     = at(0x08, USHORT)
    SubSegmentCode           = at(0x08, ULONG)
    ContextValue             = at(0x0A, USHORT)
    Flags                    = at(0x0A, UCHAR)
    SmallTagIndex            = at(0x0B, UCHAR)
    Code2                    = at(0x0C, USHORT)
    Code234                  = at(0x0C, ULONG)
    PreviousSize             = at(0x0C, USHORT)
    UnusedBytesLength        = at(0x0C, USHORT)
    Code3                    = at(0x0E, UCHAR)
    EntryOffset              = at(0x0E, UCHAR)
    LFHFlags                 = at(0x0E, UCHAR)
    SegmentOffset            = at(0x0E, UCHAR)
    Code4                    = at(0x0F, UCHAR)
    ExtendedBlockSignature   = at(0x0F, UCHAR)
    UnusedBytes              = at(0x0F, UCHAR)


class HEAP_SEGMENT(Struct, size=0x70):
    """One reserved region of a heap."""

    Entry                          = at(0x00, HEAP_ENTRY)
    SegmentSignature               = at(0x10, ULONG)
    SegmentFlags                   = at(0x14, ULONG)
    SegmentListEntry               = at(0x18, LIST_ENTRY)
    Heap                           = at(0x28, PVOID)  # *HEAP
    BaseAddress                    = at(0x30, PVOID)
    NumberOfPages                  = at(0x38, ULONG)
    FirstEntry                     = at(0x40, PVOID)  # *HEAP_ENTRY
    LastValidEntry                 = at(0x48, PVOID)  # *HEAP_ENTRY
    NumberOfUnCommittedPages       = at(0x50, ULONG)
    NumberOfUnCommittedRanges      = at(0x54, ULONG)
    SegmentAllocatorBackTraceIndex = at(0x58, USHORT)
    Reserved                       = at(0x5A, USHORT)
    UCRSegmentList                 = at(0x60, LIST_ENTRY)


class HEAP_COUNTERS(Struct, size=0x78):
    """Sizes and counts of a heap."""

    TotalMemoryReserved      = at(0x00, ULONGLONG)
    TotalMemoryCommitted     = at(0x08, ULONGLONG)
    TotalMemoryLargeUCR      = at(0x10, ULONGLONG)
    TotalSizeInVirtualBlocks = at(0x18, ULONGLONG)
    TotalSegments            = at(0x20, ULONG)
    TotalUCRs                = at(0x24, ULONG)
    CommittOps               = at(0x28, ULONG)
    DeCommitOps              = at(0x2C, ULONG)
    LockAcquires             = at(0x30, ULONG)
    LockCollisions           = at(0x34, ULONG)
    CommitRate               = at(0x38, ULONG)
    DecommittRate            = at(0x3C, ULONG)
    CommitFailures           = at(0x40, ULONG)
    InBlockCommitFailures    = at(0x44, ULONG)
    PollIntervalCounter      = at(0x48, ULONG)
    DecommitsSinceLastCheck  = at(0x4C, ULONG)
    HeapPollInterval         = at(0x50, ULONG)
    AllocAndFreeOps          = at(0x54, ULONG)
    AllocationIndicesActive  = at(0x58, ULONG)
    InBlockDeccommits        = at(0x5C, ULONG)
    InBlockDeccomitSize      = at(0x60, ULONGLONG)
    HighWatermarkSize        = at(0x68, ULONGLONG)
    LastPolledSize           = at(0x70, ULONGLONG)


class HEAP_TUNING_PARAMETERS(Struct, size=0x10):
    """Commit thresholds of a heap."""

    CommittThresholdShift  = at(0x00, ULONG)
    MaxPreCommittThreshold = at(0x08, ULONGLONG)


class RTL_HEAP_MEMORY_LIMIT_DATA(Struct, size=0x20):
    """Commit limits of a heap."""

    CommitLimitBytes           = at(0x00, ULONGLONG)
    CommitLimitFailureCode     = at(0x08, ULONGLONG)
    MaxAllocationSizeBytes     = at(0x10, ULONGLONG)
    AllocationLimitFailureCode = at(0x18, ULONGLONG)


class HEAP(Struct, size=0x2C0):
    """NT heap."""

    Entry                          = at(0x000, HEAP_ENTRY)
    Segment                        = at(0x000, HEAP_SEGMENT)
    SegmentSignature               = at(0x010, ULONG)
    SegmentFlags                   = at(0x014, ULONG)
    SegmentListEntry               = at(0x018, LIST_ENTRY)
    Heap                           = at(0x028, PVOID)  # *HEAP
    BaseAddress                    = at(0x030, PVOID)
    NumberOfPages                  = at(0x038, ULONG)
    FirstEntry                     = at(0x040, PVOID)  # *HEAP_ENTRY
    LastValidEntry                 = at(0x048, PVOID)  # *HEAP_ENTRY
    NumberOfUnCommittedPages       = at(0x050, ULONG)
    NumberOfUnCommittedRanges      = at(0x054, ULONG)
    SegmentAllocatorBackTraceIndex = at(0x058, USHORT)
    Reserved                       = at(0x05A, USHORT)
    UCRSegmentList                 = at(0x060, LIST_ENTRY)
    Flags                          = at(0x070, ULONG)
    ForceFlags                     = at(0x074, ULONG)
    CompatibilityFlags             = at(0x078, ULONG)
    EncodeFlagMask                 = at(0x07C, ULONG)
    Encoding                       = at(0x080, HEAP_ENTRY)
    Interceptor                    = at(0x090, ULONG)
    VirtualMemoryThreshold         = at(0x094, ULONG)
    Signature                      = at(0x098, ULONG)
    SegmentReserve                 = at(0x0A0, ULONGLONG)
    SegmentCommit                  = at(0x0A8, ULONGLONG)
    DeCommitFreeBlockThreshold     = at(0x0B0, ULONGLONG)
    DeCommitTotalFreeThreshold     = at(0x0B8, ULONGLONG)
    TotalFreeSize                  = at(0x0C0, ULONGLONG)
    MaximumAllocationSize          = at(0x0C8, ULONGLONG)
    ProcessHeapsListIndex          = at(0x0D0, USHORT)
    HeaderValidateLength           = at(0x0D2, USHORT)
    HeaderValidateCopy             = at(0x0D8, PVOID)
    NextAvailableTagIndex          = at(0x0E0, USHORT)
    MaximumTagIndex                = at(0x0E2, USHORT)
    TagEntries                     = at(0x0E8, PVOID)  # *HEAP_TAG_ENTRY
    UCRList                        = at(0x0F0, LIST_ENTRY)
    AlignRound                     = at(0x100, ULONGLONG)
    AlignMask                      = at(0x108, ULONGLONG)
    VirtualAllocdBlocks            = at(0x110, LIST_ENTRY)
    SegmentList                    = at(0x120, LIST_ENTRY)
    AllocatorBackTraceIndex        = at(0x130, USHORT)
    NonDedicatedListLength         = at(0x134, ULONG)
    BlocksIndex                    = at(0x138, PVOID)
    UCRIndex                       = at(0x140, PVOID)
    PseudoTagEntries               = at(0x148, PVOID)  # *HEAP_PSEUDO_TAG_ENTRY
    FreeLists                      = at(0x150, LIST_ENTRY)
    LockVariable                   = at(0x160, PVOID)  # *HEAP_LOCK
    CommitRoutine                  = at(0x168, PVOID)
    StackTraceInitVar              = at(0x170, RTL_RUN_ONCE)
    CommitLimitData                = at(0x178, RTL_HEAP_MEMORY_LIMIT_DATA)
    FrontEndHeap                   = at(0x198, PVOID)
    FrontHeapLockCount             = at(0x1A0, USHORT)
    FrontEndHeapType               = at(0x1A2, UCHAR)
    RequestedFrontEndHeapType      = at(0x1A3, UCHAR)
    FrontEndHeapUsageData          = at(0x1A8, PVOID)
    FrontEndHeapMaximumIndex       = at(0x1B0, USHORT)
    FrontEndHeapStatusBitmap       = at(0x1B2, array(UCHAR, 129))
    Counters                       = at(0x238, HEAP_COUNTERS)
    TuningParameters               = at(0x2B0, HEAP_TUNING_PARAMETERS)

"""Page table entries and the page frame database.

Offsets are those of the reference build's public symbols (ntoskrnl 10.0.19041); a comment `*X` says what a
pointer points to, a bare `X` which enumeration or structure a word holds.
"""

from __future__ import annotations

from ntos.abi.layout.list import LIST_ENTRY, RTL_BALANCED_NODE, SINGLE_LIST_ENTRY
from ntos.abi.struct import Struct, at, bits
from ntos.abi.types import LONGLONG, PVOID, UCHAR, ULONG, ULONGLONG, USHORT


class HARDWARE_PTE(Struct, size=0x08):
    """Page table entry as the processor reads it."""

    Valid           = bits(0x00, ULONGLONG, 0, 1)
    Write           = bits(0x00, ULONGLONG, 1, 1)
    Owner           = bits(0x00, ULONGLONG, 2, 1)
    WriteThrough    = bits(0x00, ULONGLONG, 3, 1)
    CacheDisable    = bits(0x00, ULONGLONG, 4, 1)
    Accessed        = bits(0x00, ULONGLONG, 5, 1)
    Dirty           = bits(0x00, ULONGLONG, 6, 1)
    LargePage       = bits(0x00, ULONGLONG, 7, 1)
    Global          = bits(0x00, ULONGLONG, 8, 1)
    CopyOnWrite     = bits(0x00, ULONGLONG, 9, 1)
    Prototype       = bits(0x00, ULONGLONG, 10, 1)
    reserved0       = bits(0x00, ULONGLONG, 11, 1)
    PageFrameNumber = bits(0x00, ULONGLONG, 12, 36)
    reserved1       = bits(0x00, ULONGLONG, 48, 4)
    SoftwareWsIndex = bits(0x00, ULONGLONG, 52, 11)
    NoExecute       = bits(0x00, ULONGLONG, 63, 1)


class MMPTE_HARDWARE(Struct, size=0x08):
    """Valid page table entry."""

    Valid               = bits(0x00, ULONGLONG, 0, 1)
    Dirty1              = bits(0x00, ULONGLONG, 1, 1)
    Owner               = bits(0x00, ULONGLONG, 2, 1)
    WriteThrough        = bits(0x00, ULONGLONG, 3, 1)
    CacheDisable        = bits(0x00, ULONGLONG, 4, 1)
    Accessed            = bits(0x00, ULONGLONG, 5, 1)
    Dirty               = bits(0x00, ULONGLONG, 6, 1)
    LargePage           = bits(0x00, ULONGLONG, 7, 1)
    Global              = bits(0x00, ULONGLONG, 8, 1)
    CopyOnWrite         = bits(0x00, ULONGLONG, 9, 1)
    Unused              = bits(0x00, ULONGLONG, 10, 1)
    Write               = bits(0x00, ULONGLONG, 11, 1)
    PageFrameNumber     = bits(0x00, ULONGLONG, 12, 36)
    ReservedForHardware = bits(0x00, ULONGLONG, 48, 4)
    ReservedForSoftware = bits(0x00, ULONGLONG, 52, 4)
    WsleAge             = bits(0x00, ULONGLONG, 56, 4)
    WsleProtection      = bits(0x00, ULONGLONG, 60, 3)
    NoExecute           = bits(0x00, ULONGLONG, 63, 1)


class MMPTE_PROTOTYPE(Struct, size=0x08):
    """Page table entry that refers to a prototype entry."""

    Valid                = bits(0x00, ULONGLONG, 0, 1)
    DemandFillProto      = bits(0x00, ULONGLONG, 1, 1)
    HiberVerifyConverted = bits(0x00, ULONGLONG, 2, 1)
    ReadOnly             = bits(0x00, ULONGLONG, 3, 1)
    SwizzleBit           = bits(0x00, ULONGLONG, 4, 1)
    Protection           = bits(0x00, ULONGLONG, 5, 5)
    Prototype            = bits(0x00, ULONGLONG, 10, 1)
    Combined             = bits(0x00, ULONGLONG, 11, 1)
    Unused1              = bits(0x00, ULONGLONG, 12, 4)
    ProtoAddress         = bits(0x00, LONGLONG, 16, 48)


class MMPTE_SOFTWARE(Struct, size=0x08):
    """Page table entry of a page in a paging file, or demand zero."""

    Valid                = bits(0x00, ULONGLONG, 0, 1)
    PageFileReserved     = bits(0x00, ULONGLONG, 1, 1)
    PageFileAllocated    = bits(0x00, ULONGLONG, 2, 1)
    ColdPage             = bits(0x00, ULONGLONG, 3, 1)
    SwizzleBit           = bits(0x00, ULONGLONG, 4, 1)
    Protection           = bits(0x00, ULONGLONG, 5, 5)
    Prototype            = bits(0x00, ULONGLONG, 10, 1)
    Transition           = bits(0x00, ULONGLONG, 11, 1)
    PageFileLow          = bits(0x00, ULONGLONG, 12, 4)
    UsedPageTableEntries = bits(0x00, ULONGLONG, 16, 10)
    ShadowStack          = bits(0x00, ULONGLONG, 26, 1)
    Unused               = bits(0x00, ULONGLONG, 27, 5)
    PageFileHigh         = bits(0x00, ULONGLONG, 32, 32)


class MMPTE_TIMESTAMP(Struct, size=0x08):
    """Page table entry of a page whose paging-file space was reclaimed."""

    MustBeZero      = bits(0x00, ULONGLONG, 0, 1)
    Unused          = bits(0x00, ULONGLONG, 1, 3)
    SwizzleBit      = bits(0x00, ULONGLONG, 4, 1)
    Protection      = bits(0x00, ULONGLONG, 5, 5)
    Prototype       = bits(0x00, ULONGLONG, 10, 1)
    Transition      = bits(0x00, ULONGLONG, 11, 1)
    PageFileLow     = bits(0x00, ULONGLONG, 12, 4)
    Reserved        = bits(0x00, ULONGLONG, 16, 16)
    GlobalTimeStamp = bits(0x00, ULONGLONG, 32, 32)


class MMPTE_TRANSITION(Struct, size=0x08):
    """Page table entry of a page on the standby or modified list."""

    Valid           = bits(0x00, ULONGLONG, 0, 1)
    Write           = bits(0x00, ULONGLONG, 1, 1)
    Spare           = bits(0x00, ULONGLONG, 2, 1)
    IoTracker       = bits(0x00, ULONGLONG, 3, 1)
    SwizzleBit      = bits(0x00, ULONGLONG, 4, 1)
    Protection      = bits(0x00, ULONGLONG, 5, 5)
    Prototype       = bits(0x00, ULONGLONG, 10, 1)
    Transition      = bits(0x00, ULONGLONG, 11, 1)
    PageFrameNumber = bits(0x00, ULONGLONG, 12, 36)
    Unused          = bits(0x00, ULONGLONG, 48, 16)


class MMPTE_SUBSECTION(Struct, size=0x08):
    """Prototype entry of a page in a mapped file."""

    Valid             = bits(0x00, ULONGLONG, 0, 1)
    Unused0           = bits(0x00, ULONGLONG, 1, 3)
    SwizzleBit        = bits(0x00, ULONGLONG, 4, 1)
    Protection        = bits(0x00, ULONGLONG, 5, 5)
    Prototype         = bits(0x00, ULONGLONG, 10, 1)
    ColdPage          = bits(0x00, ULONGLONG, 11, 1)
    Unused1           = bits(0x00, ULONGLONG, 12, 3)
    ExecutePrivilege  = bits(0x00, ULONGLONG, 15, 1)
    SubsectionAddress = bits(0x00, LONGLONG, 16, 48)


class MMPTE_LIST(Struct, size=0x08):
    """Page table entry in a free list."""

    Valid      = bits(0x00, ULONGLONG, 0, 1)
    OneEntry   = bits(0x00, ULONGLONG, 1, 1)
    filler0    = bits(0x00, ULONGLONG, 2, 2)
    SwizzleBit = bits(0x00, ULONGLONG, 4, 1)
    Protection = bits(0x00, ULONGLONG, 5, 5)
    Prototype  = bits(0x00, ULONGLONG, 10, 1)
    Transition = bits(0x00, ULONGLONG, 11, 1)
    filler1    = bits(0x00, ULONGLONG, 12, 16)
    NextEntry  = bits(0x00, ULONGLONG, 28, 36)


class MMPTE_u(Struct, size=0x08):
    """The forms of a page table entry."""

    Hard         = at(0x00, MMPTE_HARDWARE)
    List         = at(0x00, MMPTE_LIST)
    Long         = at(0x00, ULONGLONG)
    Proto        = at(0x00, MMPTE_PROTOTYPE)
    Soft         = at(0x00, MMPTE_SOFTWARE)
    Subsect      = at(0x00, MMPTE_SUBSECTION)
    TimeStamp    = at(0x00, MMPTE_TIMESTAMP)
    Trans        = at(0x00, MMPTE_TRANSITION)
    VolatileLong = at(0x00, ULONGLONG)


class MMPTE(Struct, size=0x08):
    """Page table entry."""

    u = at(0x00, MMPTE_u)


class MMPFNENTRY1(Struct, size=0x01):
    """State of a physical page: location, modification, cache attribute."""

    PageLocation    = bits(0x00, UCHAR, 0, 3)
    WriteInProgress = bits(0x00, UCHAR, 3, 1)
    Modified        = bits(0x00, UCHAR, 4, 1)
    ReadInProgress  = bits(0x00, UCHAR, 5, 1)
    CacheAttribute  = bits(0x00, UCHAR, 6, 2)


class MMPFNENTRY3(Struct, size=0x01):
    """State of a physical page: priority and errors."""

    Priority           = bits(0x00, UCHAR, 0, 3)
    OnProtectedStandby = bits(0x00, UCHAR, 3, 1)
    InPageError        = bits(0x00, UCHAR, 4, 1)
    SystemChargedPage  = bits(0x00, UCHAR, 5, 1)
    RemovalRequested   = bits(0x00, UCHAR, 6, 1)
    ParityError        = bits(0x00, UCHAR, 7, 1)


class MIPFNBLINK(Struct, size=0x08):
    """Backward link of a page list, or share count."""

    EntireField             = at(0x00, ULONGLONG)
    Lock                    = at(0x00, LONGLONG)
    Blink                   = bits(0x00, ULONGLONG, 0, 36)
    LockNotUsed             = bits(0x00, ULONGLONG, 0, 62)
    ShareCount              = bits(0x00, ULONGLONG, 0, 62)
    NodeBlinkHigh           = bits(0x00, ULONGLONG, 36, 20)
    TbFlushStamp            = bits(0x00, ULONGLONG, 56, 4)
    Unused                  = bits(0x00, ULONGLONG, 60, 2)
    DeleteBit               = bits(0x00, ULONGLONG, 62, 1)
    PageBlinkDeleteBit      = bits(0x00, ULONGLONG, 62, 1)
    PageShareCountDeleteBit = bits(0x00, ULONGLONG, 62, 1)
    LockBit                 = bits(0x00, ULONGLONG, 63, 1)
    PageBlinkLockBit        = bits(0x00, ULONGLONG, 63, 1)
    PageShareCountLockBit   = bits(0x00, ULONGLONG, 63, 1)


class MI_ACTIVE_PFN_Leaf(Struct, size=0x08):
    """A valid page's counts."""

    Tradable      = bits(0x00, ULONGLONG, 0, 1)
    NonPagedBuddy = bits(0x00, ULONGLONG, 1, 43)


class MI_ACTIVE_PFN_PageTable(Struct, size=0x08):
    """A page table page's counts."""

    Tradable              = bits(0x00, ULONGLONG, 0, 1)
    WsleAge               = bits(0x00, ULONGLONG, 1, 3)
    OldestWsleLeafEntries = bits(0x00, ULONGLONG, 4, 10)
    OldestWsleLeafAge     = bits(0x00, ULONGLONG, 14, 3)
    NonPagedBuddy         = bits(0x00, ULONGLONG, 17, 43)


class MI_ACTIVE_PFN(Struct, size=0x08):
    """What the database keeps for a page in use."""

    EntireActiveField = at(0x00, ULONGLONG)
    Leaf              = at(0x00, MI_ACTIVE_PFN_Leaf)
    PageTable         = at(0x00, MI_ACTIVE_PFN_PageTable)


class MMPFN_u1(Struct, size=0x08):
    """Forward link, event, or process."""

    Active        = at(0x00, MI_ACTIVE_PFN)
    Next          = at(0x00, PVOID)
    NextSlistPfn  = at(0x00, SINGLE_LIST_ENTRY)
    Flink         = bits(0x00, ULONGLONG, 0, 36)
    NodeFlinkHigh = bits(0x00, ULONGLONG, 36, 28)


class MMPFN_u3_e2(Struct, size=0x02):
    """Reference count."""

    ReferenceCount = at(0x00, USHORT)


class MMPFN_u3_e4(Struct, size=0x04):
    """State in one word."""

    EntireField = at(0x00, ULONG)


class MMPFN_u3(Struct, size=0x04):
    """Reference count and state."""

    ReferenceCount = at(0x00, USHORT)
    e2             = at(0x00, MMPFN_u3_e2)
    e4             = at(0x00, MMPFN_u3_e4)
    e1             = at(0x02, MMPFNENTRY1)
    e3             = at(0x03, MMPFNENTRY3)


class MMPFN_u4(Struct, size=0x08):
    """Page of the containing table, and page size bits."""

    EntireField  = at(0x00, ULONGLONG)
    PteFrame     = bits(0x00, ULONGLONG, 0, 36)
    ResidentPage = bits(0x00, ULONGLONG, 36, 1)
    Unused1      = bits(0x00, ULONGLONG, 37, 1)
    Unused2      = bits(0x00, ULONGLONG, 38, 1)
    Partition    = bits(0x00, ULONGLONG, 39, 10)
    FileOnly     = bits(0x00, ULONGLONG, 49, 1)
    PfnExists    = bits(0x00, ULONGLONG, 50, 1)
    Spare        = bits(0x00, ULONGLONG, 51, 9)
    PageIdentity = bits(0x00, ULONGLONG, 60, 3)
    PrototypePte = bits(0x00, ULONGLONG, 63, 1)


class MMPFN(Struct, size=0x30):
    """Page frame database entry."""

    ListEntry               = at(0x00, LIST_ENTRY)
    TreeNode                = at(0x00, RTL_BALANCED_NODE)
    u1                      = at(0x00, MMPFN_u1)
    PteAddress              = at(0x08, PVOID)  # *MMPTE
    PteLong                 = at(0x08, ULONGLONG)
    OriginalPte             = at(0x10, MMPTE)
    u2                      = at(0x18, MIPFNBLINK)
    u3                      = at(0x20, MMPFN_u3)
    NodeBlinkLow            = at(0x24, USHORT)
    Unused                  = bits(0x26, UCHAR, 0, 4)
    Unused2                 = bits(0x26, UCHAR, 4, 4)
    NodeFlinkLow            = at(0x27, UCHAR)
    ViewCount               = at(0x27, UCHAR)
    AnchorLargePageSize     = bits(0x27, UCHAR, 0, 2)
    ModifiedListBucketIndex = bits(0x27, UCHAR, 0, 4)
    u4                      = at(0x28, MMPFN_u4)

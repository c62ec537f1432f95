"""Session space and the regions of system space.

Offsets are those of the reference build's public symbols (ntoskrnl 10.0.19041); a comment `*X` says what a
pointer points to, a bare `X` which enumeration or structure a word holds.
"""

from __future__ import annotations

from ntos.abi.layout.dispatcher import KEVENT
from ntos.abi.layout.executive import EX_PUSH_LOCK
from ntos.abi.layout.list import LIST_ENTRY, RTL_AVL_TREE, RTL_BALANCED_NODE
from ntos.abi.layout.memory import MMWSL_INSTANCE
from ntos.abi.layout.pfn import MMPTE
from ntos.abi.layout.process_parts import MMSUPPORT_FULL, MMSUPPORT_SHARED
from ntos.abi.layout.resource import KGATE
from ntos.abi.layout.string import RTL_BITMAP_EX
from ntos.abi.struct import Struct, array, at, bits
from ntos.abi.types import LONG, PVOID, UCHAR, ULONG, ULONGLONG


class MM_PAGED_POOL_INFO(Struct, size=0x18):
    """Paged pool of a session."""

    Lock               = at(0x00, EX_PUSH_LOCK)
    MaximumSize        = at(0x08, ULONGLONG)
    AllocatedPagedPool = at(0x10, ULONGLONG)


class MM_SESSION_SPACE_FLAGS(Struct, size=0x04):
    """State of a session space."""

    Initialized            = bits(0x00, ULONG, 0, 1)
    DeletePending          = bits(0x00, ULONG, 1, 1)
    PoolInitialized        = bits(0x00, ULONG, 2, 1)
    DynamicVaInitialized   = bits(0x00, ULONG, 3, 1)
    WsInitialized          = bits(0x00, ULONG, 4, 1)
    PoolDestroyed          = bits(0x00, ULONG, 5, 1)
    ObjectInitialized      = bits(0x00, ULONG, 6, 1)
    SessionHeapInitialized = bits(0x00, ULONG, 7, 1)
    SessionHeapDestroyed   = bits(0x00, ULONG, 8, 1)
    LeakedPoolDeliberately = bits(0x00, ULONG, 9, 1)
    Filler                 = bits(0x00, ULONG, 10, 22)


class MM_SESSION_SPACE_u(Struct, size=0x04):
    """Flags word of a session space."""

    Flags     = at(0x00, MM_SESSION_SPACE_FLAGS)
    LongFlags = at(0x00, ULONG)


class MMSESSION(Struct, size=0x20):
    """System view space of a session."""

    SystemSpaceViewLock        = at(0x00, EX_PUSH_LOCK)
    SystemSpaceViewLockPointer = at(0x08, PVOID)  # *EX_PUSH_LOCK
    ViewRoot                   = at(0x10, RTL_AVL_TREE)
    ViewCount                  = at(0x18, ULONG)
    BitmapFailures             = at(0x1C, ULONG)


class MMSUPPORT_AGGREGATION(Struct, size=0x20):
    """Working set list totals of several instances."""

    PageFaultCount     = at(0x00, ULONG)
    WorkingSetSize     = at(0x08, ULONGLONG)
    WorkingSetLeafSize = at(0x10, ULONGLONG)
    PeakWorkingSetSize = at(0x18, ULONGLONG)


class MI_SESSION_DRIVER_UNLOAD(Struct, size=0x08):
    """Session driver to be unloaded."""

    Function      = at(0x00, PVOID)
    FunctionValue = at(0x00, ULONGLONG)


class MI_SYSTEM_PTE_TYPE(Struct, size=0x60):
    """Pool of system page table entries."""

    Bitmap                 = at(0x00, RTL_BITMAP_EX)
    BasePte                = at(0x10, PVOID)  # *MMPTE
    Flags                  = at(0x18, ULONG)
    VaType                 = at(0x1C, ULONG)  # MI_SYSTEM_VA_TYPE
    FailureCount           = at(0x20, PVOID)
    PteFailures            = at(0x28, ULONG)
    GlobalPushLock         = at(0x30, PVOID)  # *EX_PUSH_LOCK
    SpinLock               = at(0x30, ULONGLONG)
    TotalSystemPtes        = at(0x38, ULONGLONG)
    Hint                   = at(0x40, ULONGLONG)
    LowestBitEverAllocated = at(0x48, ULONGLONG)
    CachedPtes             = at(0x50, PVOID)  # *MI_CACHED_PTES
    TotalFreeSystemPtes    = at(0x58, ULONGLONG)


class MM_SESSION_SPACE(Struct, size=0x5000):
    """Kernel memory of one session."""

    ReferenceCount              = at(0x0000, LONG)
    u                           = at(0x0004, MM_SESSION_SPACE_u)
    SessionId                   = at(0x0008, ULONG)
    ProcessReferenceToSession   = at(0x000C, LONG)
    ProcessList                 = at(0x0010, LIST_ENTRY)
    SessionPageDirectoryIndex   = at(0x0020, ULONGLONG)
    NonPagablePages             = at(0x0028, ULONGLONG)
    CommittedPages              = at(0x0030, ULONGLONG)
    PagedPoolStart              = at(0x0038, PVOID)
    PagedPoolEnd                = at(0x0040, PVOID)
    SessionObject               = at(0x0048, PVOID)
    SessionObjectHandle         = at(0x0050, PVOID)
    ImageTree                   = at(0x0058, RTL_AVL_TREE)
    LocaleId                    = at(0x0060, ULONG)
    AttachCount                 = at(0x0064, ULONG)
    AttachGate                  = at(0x0068, KGATE)
    WsListEntry                 = at(0x0080, LIST_ENTRY)
    WsTreeEntry                 = at(0x0090, RTL_BALANCED_NODE)
    PagedPoolInfo               = at(0x00A8, MM_PAGED_POOL_INFO)
    Session                     = at(0x00C0, MMSESSION)
    CombineDomain               = at(0x00E0, ULONGLONG)
    Vm                          = at(0x0100, MMSUPPORT_FULL)
    WorkingSetList              = at(0x0240, MMWSL_INSTANCE)
    AggregateSessionWs          = at(0x0280, MMSUPPORT_AGGREGATION)
    HeapState                   = at(0x02A0, PVOID)
    DriverUnload                = at(0x02A8, MI_SESSION_DRIVER_UNLOAD)
    TopLevelPteLockBits         = at(0x02B0, array(ULONG, 32))
    PageDirectory               = at(0x0330, MMPTE)
    SessionVaLock               = at(0x0338, EX_PUSH_LOCK)
    DynamicVaBitMap             = at(0x0340, RTL_BITMAP_EX)
    DynamicVaHint               = at(0x0350, ULONGLONG)
    SessionPteLock              = at(0x0358, EX_PUSH_LOCK)
    PoolBigEntriesInUse         = at(0x0360, LONG)
    PagedPoolPdeCount           = at(0x0364, LONG)
    DynamicSessionPdeCount      = at(0x0368, ULONG)
    SystemPteInfo               = at(0x0370, MI_SYSTEM_PTE_TYPE)
    PoolTrackTableExpansion     = at(0x03D0, PVOID)
    PoolTrackTableExpansionSize = at(0x03D8, ULONGLONG)
    PoolTrackBigPages           = at(0x03E0, PVOID)
    PoolTrackBigPagesSize       = at(0x03E8, ULONGLONG)
    PermittedFaultsTree         = at(0x03F0, RTL_AVL_TREE)
    IoState                     = at(0x03F8, ULONG)  # IO_SESSION_STATE
    IoStateSequence             = at(0x03FC, ULONG)
    IoNotificationEvent         = at(0x0400, KEVENT)
    ServerSilo                  = at(0x0418, PVOID)  # *EJOB
    CreateTime                  = at(0x0420, ULONGLONG)
    PoolTags                    = at(0x1000, array(UCHAR, 16384))


class MI_SYSTEM_VA_ASSIGNMENT(Struct, size=0x10):
    """One region of system space."""

    BaseAddress   = at(0x00, PVOID)
    NumberOfBytes = at(0x08, ULONGLONG)


class SYSPTES_HEADER(Struct, size=0x118):
    """Head of a free list of system page table entries."""

    ListHead            = at(0x000, array(LIST_ENTRY, 16))
    Count               = at(0x100, ULONGLONG)
    NumberOfEntries     = at(0x108, ULONGLONG)
    NumberOfEntriesPeak = at(0x110, ULONGLONG)


class MI_VISIBLE_STATE(Struct, size=0xCC0):
    """The memory manager's state that debuggers look for."""

    SessionWsList              = at(0x000, LIST_ENTRY)
    SessionIdBitmap            = at(0x010, PVOID)  # *RTL_BITMAP
    PagedPoolInfo              = at(0x018, MM_PAGED_POOL_INFO)
    MaximumNonPagedPoolInPages = at(0x030, ULONGLONG)
    SizeOfPagedPoolInPages     = at(0x038, ULONGLONG)
    SystemPteInfo              = at(0x040, MI_SYSTEM_PTE_TYPE)
    NonPagedPoolCommit         = at(0x0A0, ULONGLONG)
    SmallNonPagedPtesCommit    = at(0x0A8, ULONGLONG)
    BootCommit                 = at(0x0B0, ULONGLONG)
    MdlPagesAllocated          = at(0x0B8, ULONGLONG)
    SystemPageTableCommit      = at(0x0C0, ULONGLONG)
    ProcessCommit              = at(0x0C8, ULONGLONG)
    DriverCommit               = at(0x0D0, LONG)
    PagingLevels               = at(0x0D4, UCHAR)
    PfnDatabaseCommit          = at(0x0D8, ULONGLONG)
    SystemWs                   = at(0x100, array(MMSUPPORT_FULL, 6))
    SystemCacheShared          = at(0x880, MMSUPPORT_SHARED)
    AggregateSystemWs          = at(0x900, array(MMSUPPORT_AGGREGATION, 1))
    MapCacheFailures           = at(0x920, ULONG)
    PagefileHashPages          = at(0x928, ULONGLONG)
    PteHeader                  = at(0x930, SYSPTES_HEADER)
    SystemVaTypeCount          = at(0xA48, array(ULONGLONG, 16))
    SystemVaType               = at(0xAC8, array(UCHAR, 256))
    SystemVaRegions            = at(0xBC8, array(MI_SYSTEM_VA_ASSIGNMENT, 13))

"""The configuration manager: hives, key control blocks, key bodies.

Offsets are those of the reference build's public symbols (ntoskrnl 10.0.19041); a comment `*X` says what a
pointer points to, a bare `X` which enumeration or structure a word holds.
"""

from __future__ import annotations

from ntos.abi.layout.executive import EX_PUSH_LOCK, EX_RUNDOWN_REF
from ntos.abi.layout.list import LIST_ENTRY, RTL_RB_TREE
from ntos.abi.layout.string import GUID, RTL_BITMAP, UNICODE_STRING
from ntos.abi.struct import Struct, array, at, bits, wchars
from ntos.abi.types import LARGE_INTEGER, LONG, LONGLONG, PVOID, SHORT, UCHAR, ULONG, ULONGLONG, USHORT


class CM_PATH_HASH(Struct, size=0x04):
    """Hash of a key's full path."""

    Hash = at(0x00, ULONG)


class CM_KEY_HASH(Struct, size=0x20):
    """Key control block's hash and link."""

    ConvKey  = at(0x00, CM_PATH_HASH)
    NextHash = at(0x08, PVOID)  # *CM_KEY_HASH
    KeyHive  = at(0x10, PVOID)  # *HHIVE
    KeyCell  = at(0x18, ULONG)


class CHILD_LIST(Struct, size=0x08):
    """Number of values and their list."""

    Count = at(0x00, ULONG)
    List  = at(0x04, ULONG)


class CM_INTENT_LOCK(Struct, size=0x10):
    """Transactional lock of a key."""

    OwnerCount = at(0x00, ULONG)
    OwnerTable = at(0x08, PVOID)  # **_CM_KCB_UOW


class CM_KEY_CONTROL_BLOCK(Struct, size=0x138):
    """An open or cached key."""

    RefCount            = at(0x000, ULONGLONG)
    ExtFlags            = bits(0x008, ULONG, 0, 16)
    Freed               = bits(0x008, ULONG, 16, 1)
    Discarded           = bits(0x008, ULONG, 17, 1)
    HiveUnloaded        = bits(0x008, ULONG, 18, 1)
    Decommissioned      = bits(0x008, ULONG, 19, 1)
    SpareExtFlag        = bits(0x008, ULONG, 20, 1)
    TotalLevels         = bits(0x008, ULONG, 21, 10)
    ConvKey             = at(0x010, CM_PATH_HASH)
    KeyHash             = at(0x010, CM_KEY_HASH)
    NextHash            = at(0x018, PVOID)  # *CM_KEY_HASH
    KeyHive             = at(0x020, PVOID)  # *HHIVE
    KeyCell             = at(0x028, ULONG)
    KcbPushlock         = at(0x030, EX_PUSH_LOCK)
    Owner               = at(0x038, PVOID)  # *KTHREAD
    SharedCount         = at(0x038, LONG)
    DelayedDeref        = bits(0x040, UCHAR, 0, 1)
    DelayedClose        = bits(0x040, UCHAR, 1, 1)
    Parking             = bits(0x040, UCHAR, 2, 1)
    LayerSemantics      = at(0x041, UCHAR)
    LayerHeight         = at(0x042, SHORT)
    Spare1              = at(0x044, ULONG)
    ParentKcb           = at(0x048, PVOID)  # *CM_KEY_CONTROL_BLOCK
    NameBlock           = at(0x050, PVOID)  # *CM_NAME_CONTROL_BLOCK
    CachedSecurity      = at(0x058, PVOID)  # *CM_KEY_SECURITY_CACHE
    ValueList           = at(0x060, CHILD_LIST)
    LinkTarget          = at(0x068, PVOID)  # *CM_KEY_CONTROL_BLOCK
    HashKey             = at(0x070, ULONG)
    IndexHint           = at(0x070, PVOID)  # *CM_INDEX_HINT_BLOCK
    SubKeyCount         = at(0x070, ULONG)
    ClonedListEntry     = at(0x078, LIST_ENTRY)
    KeyBodyListHead     = at(0x078, LIST_ENTRY)
    KeyBodyArray        = at(0x088, array(PVOID, 4))  # *CM_KEY_BODY
    KcbLastWriteTime    = at(0x0A8, LARGE_INTEGER)
    KcbMaxNameLen       = at(0x0B0, USHORT)
    KcbMaxValueNameLen  = at(0x0B2, USHORT)
    KcbMaxValueDataLen  = at(0x0B4, ULONG)
    KcbUserFlags        = bits(0x0B8, ULONG, 0, 4)
    KcbVirtControlFlags = bits(0x0B8, ULONG, 4, 4)
    KcbDebug            = bits(0x0B8, ULONG, 8, 8)
    Flags               = bits(0x0B8, ULONG, 16, 16)
    Spare3              = at(0x0BC, ULONG)
    LayerInfo           = at(0x0C0, PVOID)  # *CM_KCB_LAYER_INFO
    RealKeyName         = at(0x0C8, PVOID)
    KCBUoWListHead      = at(0x0D0, LIST_ENTRY)
    DelayQueueEntry     = at(0x0E0, LIST_ENTRY)
    Stolen              = at(0x0E0, PVOID)
    TransKCBOwner       = at(0x0F0, PVOID)  # *CM_TRANS
    KCBLock             = at(0x0F8, CM_INTENT_LOCK)
    KeyLock             = at(0x108, CM_INTENT_LOCK)
    TransValueCache     = at(0x118, CHILD_LIST)
    TransValueListOwner = at(0x120, PVOID)  # *CM_TRANS
    FullKCBName         = at(0x128, PVOID)  # *UNICODE_STRING
    FullKCBNameStale    = bits(0x128, ULONGLONG, 0, 1)
    Reserved            = bits(0x128, ULONGLONG, 1, 63)
    SequenceNumber      = at(0x130, ULONGLONG)


class CM_TRANS_PTR(Struct, size=0x08):
    """Transaction pointer with flags."""

    TransPtr    = at(0x00, PVOID)
    LightWeight = bits(0x00, ULONGLONG, 0, 1)


class CM_KEY_BODY(Struct, size=0x68):
    """Key object: one open of a key."""

    Type                     = at(0x00, ULONG)
    KeyControlBlock          = at(0x08, PVOID)  # *CM_KEY_CONTROL_BLOCK
    NotifyBlock              = at(0x10, PVOID)  # *CM_NOTIFY_BLOCK
    ProcessID                = at(0x18, PVOID)
    KeyBodyList              = at(0x20, LIST_ENTRY)
    Flags                    = bits(0x30, ULONG, 0, 16)
    HandleTags               = bits(0x30, ULONG, 16, 16)
    Trans                    = at(0x38, CM_TRANS_PTR)
    KtmUow                   = at(0x40, PVOID)  # *GUID
    ContextListHead          = at(0x48, LIST_ENTRY)
    EnumerationResumeContext = at(0x58, PVOID)
    RestrictedAccessMask     = at(0x60, ULONG)


class CM_COMPONENT_HASH(Struct, size=0x04):
    """Hash of one component of a path."""

    Hash = at(0x00, ULONG)


class CM_NAME_HASH(Struct, size=0x18):
    """Name by hash."""

    ConvKey    = at(0x00, CM_COMPONENT_HASH)
    NextHash   = at(0x08, PVOID)  # *CM_NAME_HASH
    NameLength = at(0x10, USHORT)
    Name       = at(0x12, wchars(1))


class CM_NAME_CONTROL_BLOCK(Struct, size=0x20):
    """Key name shared by key control blocks."""

    Compressed = bits(0x00, ULONG, 0, 1)
    RefCount   = bits(0x00, ULONG, 1, 31)
    ConvKey    = at(0x08, CM_COMPONENT_HASH)
    NameHash   = at(0x08, CM_NAME_HASH)
    NextHash   = at(0x10, PVOID)  # *CM_KEY_HASH
    NameLength = at(0x18, USHORT)
    Name       = at(0x1A, wchars(1))


class HBASE_BLOCK(Struct, size=0x1000):
    """First block of a hive file."""

    Signature          = at(0x000, ULONG)
    Sequence1          = at(0x004, ULONG)
    Sequence2          = at(0x008, ULONG)
    TimeStamp          = at(0x00C, LARGE_INTEGER)
    Major              = at(0x014, ULONG)
    Minor              = at(0x018, ULONG)
    Type               = at(0x01C, ULONG)
    Format             = at(0x020, ULONG)
    RootCell           = at(0x024, ULONG)
    Length             = at(0x028, ULONG)
    Cluster            = at(0x02C, ULONG)
    FileName           = at(0x030, array(UCHAR, 64))
    RmId               = at(0x070, GUID)
    LogId              = at(0x080, GUID)
    Flags              = at(0x090, ULONG)
    TmId               = at(0x094, GUID)
    GuidSignature      = at(0x0A4, ULONG)
    LastReorganizeTime = at(0x0A8, ULONGLONG)
    Reserved1          = at(0x0B0, array(ULONG, 83))
    CheckSum           = at(0x1FC, ULONG)
    Reserved2          = at(0x200, array(ULONG, 882))
    ThawTmId           = at(0xFC8, GUID)
    ThawRmId           = at(0xFD8, GUID)
    ThawLogId          = at(0xFE8, GUID)
    BootType           = at(0xFF8, ULONG)
    BootRecover        = at(0xFFC, ULONG)


class FREE_DISPLAY(Struct, size=0x18):
    """Bitmap of free cells of one size."""

    RealVectorSize = at(0x00, ULONG)
    Hint           = at(0x04, ULONG)
    Display        = at(0x08, RTL_BITMAP)


class DUAL(Struct, size=0x278):
    """Stable or volatile storage of a hive."""

    Length      = at(0x000, ULONG)
    Map         = at(0x008, PVOID)  # *HMAP_DIRECTORY
    SmallDir    = at(0x010, PVOID)  # *HMAP_TABLE
    Guard       = at(0x018, ULONG)
    FreeDisplay = at(0x020, array(FREE_DISPLAY, 24))
    FreeBins    = at(0x260, LIST_ENTRY)
    FreeSummary = at(0x270, ULONG)


class HMAP_ENTRY(Struct, size=0x18):
    """Where one block of a hive lies in memory."""

    BlockOffset         = at(0x00, ULONGLONG)
    PermanentBinAddress = at(0x08, ULONGLONG)
    MemAlloc            = at(0x10, ULONG)


class HMAP_TABLE(Struct, size=0x3000):
    """512 block entries."""

    Table = at(0x00, array(HMAP_ENTRY, 512))


class HMAP_DIRECTORY(Struct, size=0x2000):
    """1024 tables."""

    Directory = at(0x00, array(PVOID, 1024))  # *HMAP_TABLE


class CMSI_RW_LOCK(Struct, size=0x08):
    """Reader-writer lock of the configuration manager."""

    Reserved = at(0x00, PVOID)


class HVP_VIEW_MAP(Struct, size=0x38):
    """File views of a hive."""

    SectionReference     = at(0x00, PVOID)
    StorageEndFileOffset = at(0x08, LONGLONG)
    SectionEndFileOffset = at(0x10, LONGLONG)
    ProcessTuple         = at(0x18, PVOID)  # *CMSI_PROCESS_TUPLE
    Flags                = at(0x20, ULONG)
    ViewTree             = at(0x28, RTL_RB_TREE)


class HHIVE(Struct, size=0x600):
    """Hive: cells in blocks of 4 KB."""

    Signature                   = at(0x000, ULONG)
    GetCellRoutine              = at(0x008, PVOID)
    ReleaseCellRoutine          = at(0x010, PVOID)
    Allocate                    = at(0x018, PVOID)
    Free                        = at(0x020, PVOID)
    FileWrite                   = at(0x028, PVOID)
    FileRead                    = at(0x030, PVOID)
    HiveLoadFailure             = at(0x038, PVOID)
    BaseBlock                   = at(0x040, PVOID)  # *HBASE_BLOCK
    FlusherLock                 = at(0x048, CMSI_RW_LOCK)
    WriterLock                  = at(0x050, CMSI_RW_LOCK)
    DirtyVector                 = at(0x058, RTL_BITMAP)
    DirtyCount                  = at(0x068, ULONG)
    DirtyAlloc                  = at(0x06C, ULONG)
    UnreconciledVector          = at(0x070, RTL_BITMAP)
    UnreconciledCount           = at(0x080, ULONG)
    BaseBlockAlloc              = at(0x084, ULONG)
    Cluster                     = at(0x088, ULONG)
    Flat                        = bits(0x08C, UCHAR, 0, 1)
    ReadOnly                    = bits(0x08C, UCHAR, 1, 1)
    Reserved                    = bits(0x08C, UCHAR, 2, 6)
    DirtyFlag                   = at(0x08D, UCHAR)
    HvBinHeadersUse             = at(0x090, ULONG)
    HvFreeCellsUse              = at(0x094, ULONG)
    HvUsedCellsUse              = at(0x098, ULONG)
    CmUsedCellsUse              = at(0x09C, ULONG)
    HiveFlags                   = at(0x0A0, ULONG)
    CurrentLog                  = at(0x0A4, ULONG)
    CurrentLogSequence          = at(0x0A8, ULONG)
    CurrentLogMinimumSequence   = at(0x0AC, ULONG)
    CurrentLogOffset            = at(0x0B0, ULONG)
    MinimumLogSequence          = at(0x0B4, ULONG)
    LogFileSizeCap              = at(0x0B8, ULONG)
    LogDataPresent              = at(0x0BC, array(UCHAR, 2))
    PrimaryFileValid            = at(0x0BE, UCHAR)
    BaseBlockDirty              = at(0x0BF, UCHAR)
    LastLogSwapTime             = at(0x0C0, LARGE_INTEGER)
    RecoveryInformation         = at(0x0C8, USHORT)
    FirstLogFile                = bits(0x0C8, USHORT, 0, 3)
    SecondLogFile               = bits(0x0C8, USHORT, 3, 3)
    HeaderRecovered             = bits(0x0C8, USHORT, 6, 1)
    LegacyRecoveryIndicated     = bits(0x0C8, USHORT, 7, 1)
    RecoveryInformationReserved = bits(0x0C8, USHORT, 8, 8)
    LogEntriesRecovered         = at(0x0CA, array(UCHAR, 2))
    RefreshCount                = at(0x0CC, ULONG)
    StorageTypeCount            = at(0x0D0, ULONG)
    Version                     = at(0x0D4, ULONG)
    ViewMap                     = at(0x0D8, HVP_VIEW_MAP)
    Storage                     = at(0x110, array(DUAL, 2))


class CM_WORKITEM(Struct, size=0x28):
    """Deferred work of the configuration manager."""

    ListEntry     = at(0x00, LIST_ENTRY)
    Private       = at(0x10, ULONG)
    WorkerRoutine = at(0x18, PVOID)
    Parameter     = at(0x20, PVOID)


class HIVE_WRITE_WAIT_QUEUE(Struct, size=0x10):
    """Threads waiting for a hive's write."""

    ActiveThread = at(0x00, PVOID)  # *ETHREAD
    WaitList     = at(0x08, PVOID)  # *HIVE_WAIT_PACKET


class CMHIVE(Struct, size=0x12E8):
    """Hive as the configuration manager keeps it."""

    Hive                           = at(0x0000, HHIVE)
    FileHandles                    = at(0x0600, array(PVOID, 6))
    NotifyList                     = at(0x0630, LIST_ENTRY)
    HiveList                       = at(0x0640, LIST_ENTRY)
    PreloadedHiveList              = at(0x0650, LIST_ENTRY)
    HiveRundown                    = at(0x0660, EX_RUNDOWN_REF)
    KcbCacheTable                  = at(0x0668, PVOID)  # *CM_KEY_HASH_TABLE_ENTRY
    KcbCacheTableSize              = at(0x0670, ULONG)
    DeletedKcbTable                = at(0x0678, PVOID)  # *CM_KEY_HASH_TABLE_ENTRY
    DeletedKcbTableSize            = at(0x0680, ULONG)
    Identity                       = at(0x0684, ULONG)
    HiveLock                       = at(0x0688, CMSI_RW_LOCK)
    FlushDirtyVector               = at(0x0690, RTL_BITMAP)
    FlushDirtyVectorSize           = at(0x06A0, ULONG)
    FlushLogEntryOffsetArray       = at(0x06A8, PVOID)  # *CMP_OFFSET_ARRAY
    FlushLogEntryOffsetArrayCount  = at(0x06B0, ULONG)
    FlushLogEntrySize              = at(0x06B4, ULONG)
    FlushHiveTruncated             = at(0x06B8, ULONG)
    FlushBaseBlockDirty            = at(0x06BC, UCHAR)
    CapturedUnreconciledVector     = at(0x06C0, RTL_BITMAP)
    CapturedUnreconciledVectorSize = at(0x06D0, ULONG)
    UnreconciledOffsetArray        = at(0x06D8, PVOID)  # *CMP_OFFSET_ARRAY
    UnreconciledOffsetArrayCount   = at(0x06E0, ULONG)
    UnreconciledBaseBlock          = at(0x06E8, PVOID)  # *HBASE_BLOCK
    SecurityLock                   = at(0x06F0, EX_PUSH_LOCK)
    LastShrinkHiveSize             = at(0x06F8, ULONG)
    ActualFileSize                 = at(0x0700, LARGE_INTEGER)
    LogFileSizes                   = at(0x0708, array(LARGE_INTEGER, 2))
    FileFullPath                   = at(0x0718, UNICODE_STRING)
    FileUserName                   = at(0x0728, UNICODE_STRING)
    HiveRootPath                   = at(0x0738, UNICODE_STRING)
    SecurityCount                  = at(0x0748, ULONG)
    SecurityCacheSize              = at(0x074C, ULONG)
    SecurityHitHint                = at(0x0750, LONG)
    SecurityCache                  = at(0x0758, PVOID)  # *CM_KEY_SECURITY_CACHE_ENTRY
    SecurityHash                   = at(0x0760, array(LIST_ENTRY, 64))
    UnloadEventCount               = at(0x0B60, ULONG)
    UnloadEventArray               = at(0x0B68, PVOID)  # **_KEVENT
    RootKcb                        = at(0x0B70, PVOID)  # *CM_KEY_CONTROL_BLOCK
    Frozen                         = at(0x0B78, UCHAR)
    UnloadWorkItem                 = at(0x0B80, PVOID)  # *CM_WORKITEM
    UnloadWorkItemHolder           = at(0x0B88, CM_WORKITEM)
    DirtyVectorLog                 = at(0x0BB0, array(UCHAR, 1160))  # CM_DIRTY_VECTOR_LOG
    Flags                          = at(0x1038, ULONG)
    TrustClassEntry                = at(0x1040, LIST_ENTRY)
    DirtyTime                      = at(0x1050, ULONGLONG)
    UnreconciledTime               = at(0x1058, ULONGLONG)
    CmRm                           = at(0x1060, PVOID)  # *CM_RM
    CmRmInitFailPoint              = at(0x1068, ULONG)
    CmRmInitFailStatus             = at(0x106C, LONG)
    CreatorOwner                   = at(0x1070, PVOID)  # *KTHREAD
    RundownThread                  = at(0x1078, PVOID)  # *KTHREAD
    LastWriteTime                  = at(0x1080, LARGE_INTEGER)
    FlushQueue                     = at(0x1088, HIVE_WRITE_WAIT_QUEUE)
    ReconcileQueue                 = at(0x1098, HIVE_WRITE_WAIT_QUEUE)
    FlushFlags                     = at(0x10A8, ULONG)
    PrimaryFilePurged              = bits(0x10A8, ULONG, 0, 1)
    DiskFileBad                    = bits(0x10A8, ULONG, 1, 1)
    PrimaryFileSizeBeforeLastFlush = at(0x10AC, ULONG)
    ReferenceCount                 = at(0x10B0, LONG)
    UnloadHistoryIndex             = at(0x10B4, LONG)
    UnloadHistory                  = at(0x10B8, array(ULONG, 128))
    BootStart                      = at(0x12B8, ULONG)
    UnaccessedStart                = at(0x12BC, ULONG)
    UnaccessedEnd                  = at(0x12C0, ULONG)
    LoadedKeyCount                 = at(0x12C4, ULONG)
    HandleClosePending             = at(0x12C8, ULONG)
    HandleClosePendingEvent        = at(0x12D0, EX_PUSH_LOCK)
    FinalFlushSucceeded            = at(0x12D8, UCHAR)
    VolumeContext                  = at(0x12E0, PVOID)  # *CMP_VOLUME_CONTEXT

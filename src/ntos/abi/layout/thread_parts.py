"""The structures that KTHREAD and ETHREAD hold or point to.

Offsets are those of the reference build's public symbols (ntoskrnl 10.0.19041); a comment `*X` says what a
pointer points to, a bare `X` which enumeration or structure a word holds.
"""

from __future__ import annotations

from ntos.abi.layout.context import COUNTER_READING
from ntos.abi.layout.dispatcher import KEVENT, KQUEUE
from ntos.abi.layout.list import LIST_ENTRY, RTL_BALANCED_NODE, RTL_RB_TREE, SINGLE_LIST_ENTRY
from ntos.abi.layout.process_parts import TIMELINE_BITMAP
from ntos.abi.struct import Struct, array, at, bits
from ntos.abi.types import CHAR, LONGLONG, PVOID, UCHAR, ULONG, ULONGLONG, USHORT


class KLOCK_ENTRY_LOCK_STATE(Struct, size=0x10):
    """Lock tracked for priority boosting."""

    LockState             = at(0x00, PVOID)
    CrossThreadReleasable = bits(0x00, ULONGLONG, 0, 1)
    Busy                  = bits(0x00, ULONGLONG, 1, 1)
    Reserved              = bits(0x00, ULONGLONG, 2, 61)
    InTree                = bits(0x00, ULONGLONG, 63, 1)
    SessionId             = at(0x08, ULONG)
    SessionState          = at(0x08, PVOID)
    SessionPad            = at(0x0C, ULONG)


class KLOCK_ENTRY_BOOST_BITMAP(Struct, size=0x04):
    """Priorities boosted for a lock's owner."""

    AllFields                   = at(0x00, ULONG)
    AllBoosts                   = bits(0x00, ULONG, 0, 17)
    CpuBoostsBitmap             = bits(0x00, USHORT, 0, 15)
    IoBoost                     = bits(0x00, USHORT, 15, 1)
    Reserved                    = bits(0x00, ULONG, 17, 15)
    IoQoSBoost                  = bits(0x02, USHORT, 0, 1)
    IoNormalPriorityWaiterCount = bits(0x02, USHORT, 1, 8)
    IoQoSWaiterCount            = bits(0x02, USHORT, 9, 7)


class KLOCK_ENTRY(Struct, size=0x60):
    """One AutoBoost lock a thread holds or waits for."""

    FreeListEntry                    = at(0x00, SINGLE_LIST_ENTRY)
    TreeNode                         = at(0x00, RTL_BALANCED_NODE)
    EntryFlags                       = at(0x18, ULONG)
    EntryOffset                      = at(0x18, UCHAR)
    StaticState                      = bits(0x18, ULONG, 0, 8)
    AllFlags                         = bits(0x18, ULONG, 8, 24)
    ThreadLocalFlags                 = at(0x19, UCHAR)
    WaitingBit                       = bits(0x19, UCHAR, 0, 1)
    Spare0                           = bits(0x19, UCHAR, 1, 7)
    AcquiredByte                     = at(0x1A, UCHAR)
    AcquiredBit                      = bits(0x1A, UCHAR, 0, 1)
    CrossThreadFlags                 = at(0x1B, UCHAR)
    HeadNodeBit                      = bits(0x1B, UCHAR, 0, 1)
    IoPriorityBit                    = bits(0x1B, UCHAR, 1, 1)
    IoQoSWaiter                      = bits(0x1B, UCHAR, 2, 1)
    Spare1                           = bits(0x1B, UCHAR, 3, 5)
    SpareFlags                       = at(0x1C, ULONG)
    CrossThreadReleasableAndBusyByte = at(0x20, UCHAR)
    LockState                        = at(0x20, KLOCK_ENTRY_LOCK_STATE)
    LockUnsafe                       = at(0x20, PVOID)
    Reserved                         = at(0x21, array(UCHAR, 6))
    InTreeByte                       = at(0x27, UCHAR)
    SessionId                        = at(0x28, ULONG)
    SessionState                     = at(0x28, PVOID)
    SessionPad                       = at(0x2C, ULONG)
    CpuPriorityKey                   = at(0x30, CHAR)
    OwnerTree                        = at(0x30, RTL_RB_TREE)
    WaiterTree                       = at(0x40, RTL_RB_TREE)
    EntryLock                        = at(0x50, ULONGLONG)
    BoostBitmap                      = at(0x58, KLOCK_ENTRY_BOOST_BITMAP)
    SparePad                         = at(0x5C, ULONG)


class KERNEL_STACK_SEGMENT(Struct, size=0x20):
    """One segment of an expandable kernel stack."""

    StackBase    = at(0x00, ULONGLONG)
    StackLimit   = at(0x08, ULONGLONG)
    KernelStack  = at(0x10, ULONGLONG)
    InitialStack = at(0x18, ULONGLONG)


class KSTACK_CONTROL(Struct, size=0x30):
    """Control block at the top of a kernel stack."""

    StackBase      = at(0x00, ULONGLONG)
    ActualLimit    = at(0x08, ULONGLONG)
    StackExpansion = bits(0x08, ULONGLONG, 0, 1)
    Previous       = at(0x10, KERNEL_STACK_SEGMENT)


class KSCHEDULING_GROUP_POLICY(Struct, size=0x08):
    """CPU rate policy of a scheduling group."""

    MinRate  = at(0x00, USHORT)
    Value    = at(0x00, ULONG)
    Weight   = at(0x00, USHORT)
    MaxRate  = at(0x02, USHORT)
    AllFlags = at(0x04, ULONG)
    Type     = bits(0x04, ULONG, 0, 1)
    Disabled = bits(0x04, ULONG, 1, 1)
    RankBias = bits(0x04, ULONG, 2, 1)
    Spare1   = bits(0x04, ULONG, 3, 29)


class KSCB(Struct, size=0x1A8):
    """Scheduling control block: a group's state on one processor."""

    GenerationCycles    = at(0x000, ULONGLONG)
    MinQuotaCycleTarget = at(0x008, ULONGLONG)
    MaxQuotaCycleTarget = at(0x010, ULONGLONG)
    RankCycleTarget     = at(0x018, ULONGLONG)
    LongTermCycles      = at(0x020, ULONGLONG)
    LastReportedCycles  = at(0x028, ULONGLONG)
    OverQuotaHistory    = at(0x030, ULONGLONG)
    ReadyTime           = at(0x038, ULONGLONG)
    InsertTime          = at(0x040, ULONGLONG)
    PerProcessorList    = at(0x048, LIST_ENTRY)
    QueueNode           = at(0x058, RTL_BALANCED_NODE)
    Inserted            = bits(0x070, UCHAR, 0, 1)
    MaxOverQuota        = bits(0x070, UCHAR, 1, 1)
    MinOverQuota        = bits(0x070, UCHAR, 2, 1)
    RankBias            = bits(0x070, UCHAR, 3, 1)
    SoftCap             = bits(0x070, UCHAR, 4, 1)
    ShareRankOwner      = bits(0x070, UCHAR, 5, 1)
    Spare1              = bits(0x070, UCHAR, 6, 2)
    Depth               = at(0x071, UCHAR)
    ReadySummary        = at(0x072, USHORT)
    Rank                = at(0x074, ULONG)
    ShareRank           = at(0x078, PVOID)
    OwnerShareRank      = at(0x080, ULONG)
    ReadyListHead       = at(0x088, array(LIST_ENTRY, 16))
    ChildScbQueue       = at(0x188, RTL_RB_TREE)
    Parent              = at(0x198, PVOID)  # *KSCB
    Root                = at(0x1A0, PVOID)  # *KSCB


class KSCHEDULING_GROUP(Struct, size=0x240):
    """Threads scheduled as one for CPU rate control."""

    Policy                  = at(0x00, KSCHEDULING_GROUP_POLICY)
    RelativeWeight          = at(0x08, ULONG)
    ChildMinRate            = at(0x0C, ULONG)
    ChildMinWeight          = at(0x10, ULONG)
    ChildTotalWeight        = at(0x14, ULONG)
    QueryHistoryTimeStamp   = at(0x18, ULONGLONG)
    NotificationCycles      = at(0x20, LONGLONG)
    MaxQuotaLimitCycles     = at(0x28, LONGLONG)
    MaxQuotaCyclesRemaining = at(0x30, LONGLONG)
    SchedulingGroupList     = at(0x38, LIST_ENTRY)
    Sibling                 = at(0x38, LIST_ENTRY)
    NotificationDpc         = at(0x48, PVOID)  # *KDPC
    ChildList               = at(0x50, LIST_ENTRY)
    Parent                  = at(0x60, PVOID)  # *KSCHEDULING_GROUP
    PerProcessor            = at(0x80, array(KSCB, 1))


class KTHREAD_COUNTERS(Struct, size=0x1A8):
    """Profiling counters of a thread."""

    WaitReasonBitMap = at(0x00, ULONGLONG)
    UserData         = at(0x08, PVOID)  # *THREAD_PERFORMANCE_DATA
    Flags            = at(0x10, ULONG)
    ContextSwitches  = at(0x14, ULONG)
    CycleTimeBias    = at(0x18, ULONGLONG)
    HardwareCounters = at(0x20, ULONGLONG)
    HwCounter        = at(0x28, array(COUNTER_READING, 16))


class PS_CLIENT_SECURITY_CONTEXT(Struct, size=0x08):
    """Impersonation token of a thread, with its level in the low bits."""

    ImpersonationData  = at(0x00, ULONGLONG)
    ImpersonationToken = at(0x00, PVOID)
    ImpersonationLevel = bits(0x00, ULONGLONG, 0, 2)
    EffectiveOnly      = bits(0x00, ULONGLONG, 2, 1)


class TERMINATION_PORT(Struct, size=0x10):
    """Port to be told when the thread ends."""

    Next = at(0x00, PVOID)  # *TERMINATION_PORT
    Port = at(0x08, PVOID)


class THREAD_ENERGY_VALUES(Struct, size=0xC8):
    """Energy estimation counters of a thread."""

    Cycles             = at(0x00, array(array(ULONGLONG, 2), 4))
    AttributedCycles   = at(0x40, array(array(ULONGLONG, 2), 4))
    WorkOnBehalfCycles = at(0x80, array(array(ULONGLONG, 2), 4))
    CpuTimeline        = at(0xC0, TIMELINE_BITMAP)


class UMS_CONTROL_BLOCK(Struct, size=0x88):
    """State of a user-mode scheduled thread."""

    UmsContext                 = at(0x00, PVOID)  # *RTL_UMS_CONTEXT
    CompletionListEntry        = at(0x08, PVOID)  # *SINGLE_LIST_ENTRY
    CompletionListEvent        = at(0x10, PVOID)  # *KEVENT
    ServiceSequenceNumber      = at(0x18, ULONG)
    UmsAssociatedQueue         = at(0x20, PVOID)  # *KQUEUE
    UmsQueue                   = at(0x20, KQUEUE)
    UmsQueueListEntry          = at(0x28, PVOID)  # *LIST_ENTRY
    UmsWaitEvent               = at(0x30, KEVENT)
    StagingArea                = at(0x48, PVOID)
    UmsFlags                   = at(0x50, ULONG)
    UmsPrimaryDeliveredContext = bits(0x50, ULONG, 0, 1)
    UmsAssociatedQueueUsed     = bits(0x50, ULONG, 1, 1)
    UmsThreadParked            = bits(0x50, ULONG, 2, 1)
    QueueEntry                 = at(0x60, LIST_ENTRY)
    YieldingUmsContext         = at(0x70, PVOID)  # *RTL_UMS_CONTEXT
    YieldingParam              = at(0x78, PVOID)
    UmsTeb                     = at(0x80, PVOID)

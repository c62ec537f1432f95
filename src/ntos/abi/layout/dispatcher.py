"""Dispatcher objects, waits and APCs.

Offsets are those of the reference build's public symbols (ntoskrnl 10.0.19041); a comment `*X` says what a
pointer points to, a bare `X` which enumeration or structure a word holds.
"""

from __future__ import annotations

from ntos.abi.layout.list import LIST_ENTRY, SINGLE_LIST_ENTRY
from ntos.abi.struct import Struct, array, at, bits
from ntos.abi.types import CHAR, LONG, LONGLONG, PVOID, SHORT, UCHAR, ULONG, ULONGLONG, USHORT


class DISPATCHER_HEADER(Struct, size=0x18):
    """What every waitable object begins with."""

    Lock                       = at(0x00, LONG)
    LockNV                     = at(0x00, LONG)
    MutantType                 = at(0x00, UCHAR)
    QueueType                  = at(0x00, UCHAR)
    ThreadType                 = at(0x00, UCHAR)
    Timer2Type                 = at(0x00, UCHAR)
    TimerType                  = at(0x00, UCHAR)
    Type                       = at(0x00, UCHAR)
    MutantSize                 = at(0x01, UCHAR)
    QueueControlFlags          = at(0x01, UCHAR)
    Signalling                 = at(0x01, UCHAR)
    ThreadReserved             = at(0x01, UCHAR)
    Timer2Flags                = at(0x01, UCHAR)
    TimerControlFlags          = at(0x01, UCHAR)
    Abandoned                  = bits(0x01, UCHAR, 0, 1)
    Absolute                   = bits(0x01, UCHAR, 0, 1)
    Timer2Inserted             = bits(0x01, UCHAR, 0, 1)
    DisableIncrement           = bits(0x01, UCHAR, 1, 1)
    Timer2Expiring             = bits(0x01, UCHAR, 1, 1)
    Wake                       = bits(0x01, UCHAR, 1, 1)
    EncodedTolerableDelay      = bits(0x01, UCHAR, 2, 6)
    QueueReservedControlFlags  = bits(0x01, UCHAR, 2, 6)
    Timer2CancelPending        = bits(0x01, UCHAR, 2, 1)
    Timer2SetPending           = bits(0x01, UCHAR, 3, 1)
    Timer2Running              = bits(0x01, UCHAR, 4, 1)
    Timer2Disabled             = bits(0x01, UCHAR, 5, 1)
    Timer2ReservedFlags        = bits(0x01, UCHAR, 6, 2)
    DpcActive                  = at(0x02, UCHAR)
    Hand                       = at(0x02, UCHAR)
    QueueSize                  = at(0x02, UCHAR)
    Size                       = at(0x02, UCHAR)
    ThreadControlFlags         = at(0x02, UCHAR)
    Timer2ComponentId          = at(0x02, UCHAR)
    CycleProfiling             = bits(0x02, UCHAR, 0, 1)
    CounterProfiling           = bits(0x02, UCHAR, 1, 1)
    GroupScheduling            = bits(0x02, UCHAR, 2, 1)
    AffinitySet                = bits(0x02, UCHAR, 3, 1)
    Tagged                     = bits(0x02, UCHAR, 4, 1)
    EnergyProfiling            = bits(0x02, UCHAR, 5, 1)
    SchedulerAssist            = bits(0x02, UCHAR, 6, 1)
    ThreadReservedControlFlags = bits(0x02, UCHAR, 7, 1)
    DebugActive                = at(0x03, UCHAR)
    MutantReserved             = at(0x03, UCHAR)
    QueueReserved              = at(0x03, UCHAR)
    Reserved1                  = at(0x03, UCHAR)
    Timer2RelativeId           = at(0x03, UCHAR)
    TimerMiscFlags             = at(0x03, UCHAR)
    ActiveDR7                  = bits(0x03, UCHAR, 0, 1)
    Index                      = bits(0x03, UCHAR, 0, 6)
    Instrumented               = bits(0x03, UCHAR, 1, 1)
    Minimal                    = bits(0x03, UCHAR, 2, 1)
    Reserved4                  = bits(0x03, UCHAR, 3, 2)
    AltSyscall                 = bits(0x03, UCHAR, 5, 1)
    Inserted                   = bits(0x03, UCHAR, 6, 1)
    UmsScheduled               = bits(0x03, UCHAR, 6, 1)
    Expired                    = bits(0x03, UCHAR, 7, 1)
    UmsPrimary                 = bits(0x03, UCHAR, 7, 1)
    SignalState                = at(0x04, LONG)
    WaitListHead               = at(0x08, LIST_ENTRY)


class KEVENT(Struct, size=0x18):
    """Notification or synchronisation event."""

    Header = at(0x00, DISPATCHER_HEADER)


class KSEMAPHORE(Struct, size=0x20):
    """Counting semaphore."""

    Header = at(0x00, DISPATCHER_HEADER)
    Limit  = at(0x18, LONG)


class KMUTANT(Struct, size=0x38):
    """Mutex: an owner thread, a recursion count in SignalState."""

    Header          = at(0x00, DISPATCHER_HEADER)
    MutantListEntry = at(0x18, LIST_ENTRY)
    OwnerThread     = at(0x28, PVOID)  # *KTHREAD
    MutantFlags     = at(0x30, UCHAR)
    Abandoned       = bits(0x30, UCHAR, 0, 1)
    Abandoned2      = bits(0x30, UCHAR, 0, 1)
    AbEnabled       = bits(0x30, UCHAR, 1, 1)
    Spare1          = bits(0x30, UCHAR, 1, 7)
    Spare2          = bits(0x30, UCHAR, 2, 6)
    ApcDisable      = at(0x31, UCHAR)


class KTIMER(Struct, size=0x40):
    """Timer: a due time, and a DPC or a period."""

    Header         = at(0x00, DISPATCHER_HEADER)
    DueTime        = at(0x18, ULONGLONG)
    TimerListEntry = at(0x20, LIST_ENTRY)
    Dpc            = at(0x30, PVOID)  # *KDPC
    Processor      = at(0x38, USHORT)
    TimerType      = at(0x3A, USHORT)
    Period         = at(0x3C, ULONG)


class KQUEUE(Struct, size=0x40):
    """Queue with a concurrency limit; the heart of a completion port."""

    Header         = at(0x00, DISPATCHER_HEADER)
    EntryListHead  = at(0x18, LIST_ENTRY)
    CurrentCount   = at(0x28, ULONG)
    MaximumCount   = at(0x2C, ULONG)
    ThreadListHead = at(0x30, LIST_ENTRY)


class KWAIT_STATUS_REGISTER(Struct, size=0x01):
    """How a wait ends or was entered, packed in a byte."""

    Flags    = at(0x00, UCHAR)
    State    = bits(0x00, UCHAR, 0, 3)
    Affinity = bits(0x00, UCHAR, 3, 1)
    Priority = bits(0x00, UCHAR, 4, 1)
    Apc      = bits(0x00, UCHAR, 5, 1)
    UserApc  = bits(0x00, UCHAR, 6, 1)
    Alert    = bits(0x00, UCHAR, 7, 1)


class KWAIT_BLOCK(Struct, size=0x30):
    """One thread waiting for one object."""

    WaitListEntry     = at(0x00, LIST_ENTRY)
    WaitType          = at(0x10, UCHAR)
    BlockState        = at(0x11, UCHAR)
    WaitKey           = at(0x12, USHORT)
    SpareLong         = at(0x14, LONG)
    NotificationQueue = at(0x18, PVOID)  # *KQUEUE
    Thread            = at(0x18, PVOID)  # *KTHREAD
    Object            = at(0x20, PVOID)
    SparePtr          = at(0x28, PVOID)


class KDPC(Struct, size=0x40):
    """Deferred procedure call."""

    TargetInfoAsUlong = at(0x00, ULONG)
    Type              = at(0x00, UCHAR)
    Importance        = at(0x01, UCHAR)
    Number            = at(0x02, USHORT)
    DpcListEntry      = at(0x08, SINGLE_LIST_ENTRY)
    ProcessorHistory  = at(0x10, ULONGLONG)
    DeferredRoutine   = at(0x18, PVOID)
    DeferredContext   = at(0x20, PVOID)
    SystemArgument1   = at(0x28, PVOID)
    SystemArgument2   = at(0x30, PVOID)
    DpcData           = at(0x38, PVOID)


class KDPC_LIST(Struct, size=0x10):
    """List of deferred procedure calls."""

    ListHead  = at(0x00, SINGLE_LIST_ENTRY)
    LastEntry = at(0x08, PVOID)  # *SINGLE_LIST_ENTRY


class KDPC_DATA(Struct, size=0x28):
    """One processor's queue of deferred procedure calls."""

    DpcList       = at(0x00, KDPC_LIST)
    DpcLock       = at(0x10, ULONGLONG)
    DpcQueueDepth = at(0x18, LONG)
    DpcCount      = at(0x1C, ULONG)
    ActiveDpc     = at(0x20, PVOID)  # *KDPC


class KAPC(Struct, size=0x58):
    """Asynchronous procedure call queued to a thread."""

    Type            = at(0x00, UCHAR)
    SpareByte0      = at(0x01, UCHAR)
    Size            = at(0x02, UCHAR)
    SpareByte1      = at(0x03, UCHAR)
    SpareLong0      = at(0x04, ULONG)
    Thread          = at(0x08, PVOID)  # *KTHREAD
    ApcListEntry    = at(0x10, LIST_ENTRY)
    KernelRoutine   = at(0x20, PVOID)
    Reserved        = at(0x20, array(PVOID, 3))
    RundownRoutine  = at(0x28, PVOID)
    NormalRoutine   = at(0x30, PVOID)
    NormalContext   = at(0x38, PVOID)
    SystemArgument1 = at(0x40, PVOID)
    SystemArgument2 = at(0x48, PVOID)
    ApcStateIndex   = at(0x50, CHAR)
    ApcMode         = at(0x51, CHAR)
    Inserted        = at(0x52, UCHAR)


class KAPC_STATE(Struct, size=0x30):
    """A thread's APC queues in one address space."""

    ApcListHead           = at(0x00, array(LIST_ENTRY, 2))
    Process               = at(0x20, PVOID)  # *KPROCESS
    InProgressFlags       = at(0x28, UCHAR)
    KernelApcInProgress   = bits(0x28, UCHAR, 0, 1)
    SpecialApcInProgress  = bits(0x28, UCHAR, 1, 1)
    KernelApcPending      = at(0x29, UCHAR)
    UserApcPendingAll     = at(0x2A, UCHAR)
    SpecialUserApcPending = bits(0x2A, UCHAR, 0, 1)
    UserApcPending        = bits(0x2A, UCHAR, 1, 1)


class KDEVICE_QUEUE(Struct, size=0x28):
    """Queue of requests for a busy device."""

    Type           = at(0x00, SHORT)
    Size           = at(0x02, SHORT)
    DeviceListHead = at(0x08, LIST_ENTRY)
    Lock           = at(0x18, ULONGLONG)
    Busy           = at(0x20, UCHAR)
    Reserved       = bits(0x20, LONGLONG, 0, 8)
    Hint           = bits(0x20, LONGLONG, 8, 56)


class KDEVICE_QUEUE_ENTRY(Struct, size=0x18):
    """One request in a device queue."""

    DeviceListEntry = at(0x00, LIST_ENTRY)
    SortKey         = at(0x10, ULONG)
    Inserted        = at(0x14, UCHAR)


class KALPC_DIRECT_EVENT(Struct, size=0x08):
    """Event that ALPC signals without a lock."""

    Value           = at(0x00, ULONGLONG)
    DirectType      = bits(0x00, ULONGLONG, 0, 1)
    EventReferenced = bits(0x00, ULONGLONG, 1, 1)
    EventObjectBits = bits(0x00, ULONGLONG, 2, 62)

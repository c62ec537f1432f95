"""The job object.

Offsets are those of the reference build's public symbols (ntoskrnl 10.0.19041); a comment `*X` says what a
pointer points to, a bare `X` which enumeration or structure a word holds.
"""

from __future__ import annotations

from ntos.abi.layout.dispatcher import KEVENT
from ntos.abi.layout.executive import EX_PUSH_LOCK, KAFFINITY_EX, WNF_STATE_NAME
from ntos.abi.layout.job_parts import (
    JOB_RATE_CONTROL_HEADER,
    JOBOBJECT_ENERGY_TRACKING_STATE,
    PS_IO_CONTROL_ENTRY,
    PS_JOB_WAKE_INFORMATION,
)
from ntos.abi.layout.list import LIST_ENTRY, RTL_RB_TREE
from ntos.abi.layout.process_parts import (
    EPROCESS_VALUES,
    JOBOBJECT_WAKE_FILTER,
    PROCESS_DISK_COUNTERS,
    PS_PROPERTY_SET,
)
from ntos.abi.layout.resource import ERESOURCE, WORK_QUEUE_ITEM
from ntos.abi.layout.string import GUID
from ntos.abi.struct import Struct, array, at, bits
from ntos.abi.types import LARGE_INTEGER, LONG, LONGLONG, PVOID, UCHAR, ULONG, ULONGLONG


class EJOB(Struct, size=0x640):
    """Job object; with a silo's state when it is one."""

    Event                                = at(0x000, KEVENT)
    JobLinks                             = at(0x018, LIST_ENTRY)
    ProcessListHead                      = at(0x028, LIST_ENTRY)
    JobLock                              = at(0x038, ERESOURCE)
    TotalUserTime                        = at(0x0A0, LARGE_INTEGER)
    TotalKernelTime                      = at(0x0A8, LARGE_INTEGER)
    TotalCycleTime                       = at(0x0B0, LARGE_INTEGER)
    ThisPeriodTotalUserTime              = at(0x0B8, LARGE_INTEGER)
    ThisPeriodTotalKernelTime            = at(0x0C0, LARGE_INTEGER)
    TotalContextSwitches                 = at(0x0C8, ULONGLONG)
    TotalPageFaultCount                  = at(0x0D0, ULONG)
    TotalProcesses                       = at(0x0D4, ULONG)
    ActiveProcesses                      = at(0x0D8, ULONG)
    TotalTerminatedProcesses             = at(0x0DC, ULONG)
    PerProcessUserTimeLimit              = at(0x0E0, LARGE_INTEGER)
    PerJobUserTimeLimit                  = at(0x0E8, LARGE_INTEGER)
    MinimumWorkingSetSize                = at(0x0F0, ULONGLONG)
    MaximumWorkingSetSize                = at(0x0F8, ULONGLONG)
    LimitFlags                           = at(0x100, ULONG)
    ActiveProcessLimit                   = at(0x104, ULONG)
    Affinity                             = at(0x108, KAFFINITY_EX)
    AccessState                          = at(0x1B0, PVOID)  # *JOB_ACCESS_STATE
    AccessStateQuotaReference            = at(0x1B8, PVOID)
    UIRestrictionsClass                  = at(0x1C0, ULONG)
    EndOfJobTimeAction                   = at(0x1C4, ULONG)
    CompletionPort                       = at(0x1C8, PVOID)
    CompletionKey                        = at(0x1D0, PVOID)
    CompletionCount                      = at(0x1D8, ULONGLONG)
    SessionId                            = at(0x1E0, ULONG)
    SchedulingClass                      = at(0x1E4, ULONG)
    ReadOperationCount                   = at(0x1E8, ULONGLONG)
    WriteOperationCount                  = at(0x1F0, ULONGLONG)
    OtherOperationCount                  = at(0x1F8, ULONGLONG)
    ReadTransferCount                    = at(0x200, ULONGLONG)
    WriteTransferCount                   = at(0x208, ULONGLONG)
    OtherTransferCount                   = at(0x210, ULONGLONG)
    DiskIoInfo                           = at(0x218, PROCESS_DISK_COUNTERS)
    ProcessMemoryLimit                   = at(0x240, ULONGLONG)
    JobMemoryLimit                       = at(0x248, ULONGLONG)
    JobTotalMemoryLimit                  = at(0x250, ULONGLONG)
    PeakProcessMemoryUsed                = at(0x258, ULONGLONG)
    PeakJobMemoryUsed                    = at(0x260, ULONGLONG)
    EffectiveAffinity                    = at(0x268, KAFFINITY_EX)
    EffectivePerProcessUserTimeLimit     = at(0x310, LARGE_INTEGER)
    EffectiveMinimumWorkingSetSize       = at(0x318, ULONGLONG)
    EffectiveMaximumWorkingSetSize       = at(0x320, ULONGLONG)
    EffectiveProcessMemoryLimit          = at(0x328, ULONGLONG)
    EffectiveProcessMemoryLimitJob       = at(0x330, PVOID)  # *EJOB
    EffectivePerProcessUserTimeLimitJob  = at(0x338, PVOID)  # *EJOB
    EffectiveNetIoRateLimitJob           = at(0x340, PVOID)  # *EJOB
    EffectiveHeapAttributionJob          = at(0x348, PVOID)  # *EJOB
    EffectiveLimitFlags                  = at(0x350, ULONG)
    EffectiveSchedulingClass             = at(0x354, ULONG)
    EffectiveFreezeCount                 = at(0x358, ULONG)
    EffectiveBackgroundCount             = at(0x35C, ULONG)
    EffectiveSwapCount                   = at(0x360, ULONG)
    EffectiveNotificationLimitCount      = at(0x364, ULONG)
    EffectivePriorityClass               = at(0x368, UCHAR)
    PriorityClass                        = at(0x369, UCHAR)
    NestingDepth                         = at(0x36A, UCHAR)
    Reserved1                            = at(0x36B, array(UCHAR, 1))
    CompletionFilter                     = at(0x36C, ULONG)
    WakeChannel                          = at(0x370, WNF_STATE_NAME)
    WakeInfo                             = at(0x370, PS_JOB_WAKE_INFORMATION)
    WakeFilter                           = at(0x3B8, JOBOBJECT_WAKE_FILTER)
    LowEdgeLatchFilter                   = at(0x3C0, ULONG)
    NotificationLink                     = at(0x3C8, PVOID)  # *EJOB
    CurrentJobMemoryUsed                 = at(0x3D0, ULONGLONG)
    NotificationInfo                     = at(0x3D8, PVOID)  # *JOB_NOTIFICATION_INFORMATION
    NotificationInfoQuotaReference       = at(0x3E0, PVOID)
    NotificationPacket                   = at(0x3E8, PVOID)  # *IO_MINI_COMPLETION_PACKET_USER
    CpuRateControl                       = at(0x3F0, PVOID)  # *JOB_CPU_RATE_CONTROL
    EffectiveSchedulingGroup             = at(0x3F8, PVOID)
    ReadyTime                            = at(0x400, ULONGLONG)
    MemoryLimitsLock                     = at(0x408, EX_PUSH_LOCK)
    SiblingJobLinks                      = at(0x410, LIST_ENTRY)
    ChildJobListHead                     = at(0x420, LIST_ENTRY)
    ParentJob                            = at(0x430, PVOID)  # *EJOB
    RootJob                              = at(0x438, PVOID)  # *EJOB
    IteratorListHead                     = at(0x440, LIST_ENTRY)
    AncestorCount                        = at(0x450, ULONGLONG)
    Ancestors                            = at(0x458, PVOID)  # **_EJOB
    SessionObject                        = at(0x458, PVOID)
    Accounting                           = at(0x460, EPROCESS_VALUES)
    ShadowActiveProcessCount             = at(0x4C8, ULONG)
    ActiveAuxiliaryProcessCount          = at(0x4CC, ULONG)
    SequenceNumber                       = at(0x4D0, ULONG)
    JobId                                = at(0x4D4, ULONG)
    ContainerId                          = at(0x4D8, GUID)
    ContainerTelemetryId                 = at(0x4E8, GUID)
    ServerSiloGlobals                    = at(0x4F8, PVOID)  # *ESERVERSILO_GLOBALS
    PropertySet                          = at(0x500, PS_PROPERTY_SET)
    Storage                              = at(0x518, PVOID)  # *PSP_STORAGE
    NetRateControl                       = at(0x520, PVOID)  # *JOB_NET_RATE_CONTROL
    JobFlags                             = at(0x528, ULONG)
    CloseDone                            = bits(0x528, ULONG, 0, 1)
    MultiGroup                           = bits(0x528, ULONG, 1, 1)
    OutstandingNotification              = bits(0x528, ULONG, 2, 1)
    NotificationInProgress               = bits(0x528, ULONG, 3, 1)
    UILimits                             = bits(0x528, ULONG, 4, 1)
    CpuRateControlActive                 = bits(0x528, ULONG, 5, 1)
    OwnCpuRateControl                    = bits(0x528, ULONG, 6, 1)
    Terminating                          = bits(0x528, ULONG, 7, 1)
    WorkingSetLock                       = bits(0x528, ULONG, 8, 1)
    JobFrozen                            = bits(0x528, ULONG, 9, 1)
    Background                           = bits(0x528, ULONG, 10, 1)
    WakeNotificationAllocated            = bits(0x528, ULONG, 11, 1)
    WakeNotificationEnabled              = bits(0x528, ULONG, 12, 1)
    WakeNotificationPending              = bits(0x528, ULONG, 13, 1)
    LimitNotificationRequired            = bits(0x528, ULONG, 14, 1)
    ZeroCountNotificationRequired        = bits(0x528, ULONG, 15, 1)
    CycleTimeNotificationRequired        = bits(0x528, ULONG, 16, 1)
    CycleTimeNotificationPending         = bits(0x528, ULONG, 17, 1)
    TimersVirtualized                    = bits(0x528, ULONG, 18, 1)
    JobSwapped                           = bits(0x528, ULONG, 19, 1)
    ViolationDetected                    = bits(0x528, ULONG, 20, 1)
    EmptyJobNotified                     = bits(0x528, ULONG, 21, 1)
    NoSystemCharge                       = bits(0x528, ULONG, 22, 1)
    DropNoWakeCharges                    = bits(0x528, ULONG, 23, 1)
    NoWakeChargePolicyDecided            = bits(0x528, ULONG, 24, 1)
    NetRateControlActive                 = bits(0x528, ULONG, 25, 1)
    OwnNetRateControl                    = bits(0x528, ULONG, 26, 1)
    IoRateControlActive                  = bits(0x528, ULONG, 27, 1)
    OwnIoRateControl                     = bits(0x528, ULONG, 28, 1)
    DisallowNewProcesses                 = bits(0x528, ULONG, 29, 1)
    Silo                                 = bits(0x528, ULONG, 30, 1)
    ContainerTelemetryIdSet              = bits(0x528, ULONG, 31, 1)
    JobFlags2                            = at(0x52C, ULONG)
    ParentLocked                         = bits(0x52C, ULONG, 0, 1)
    EnableUsermodeSiloThreadImpersonation = bits(0x52C, ULONG, 1, 1)
    DisallowUsermodeSiloThreadImpersonation = bits(0x52C, ULONG, 2, 1)
    EnergyValues                         = at(0x530, PVOID)  # *PROCESS_EXTENDED_ENERGY_VALUES
    SharedCommitCharge                   = at(0x538, ULONGLONG)
    DiskIoAttributionUserRefCount        = at(0x540, ULONG)
    DiskIoAttributionRefCount            = at(0x544, ULONG)
    DiskIoAttributionContext             = at(0x548, PVOID)
    DiskIoAttributionOwnerJob            = at(0x548, PVOID)  # *EJOB
    IoRateControlHeader                  = at(0x550, JOB_RATE_CONTROL_HEADER)
    GlobalIoControl                      = at(0x578, PS_IO_CONTROL_ENTRY)
    IoControlStateLock                   = at(0x5B0, LONG)
    VolumeIoControlTree                  = at(0x5B8, RTL_RB_TREE)
    IoRateOverQuotaHistory               = at(0x5C8, ULONGLONG)
    IoRateCurrentGeneration              = at(0x5D0, ULONG)
    IoRateLastQueryGeneration            = at(0x5D4, ULONG)
    IoRateGenerationLength               = at(0x5D8, ULONG)
    IoRateOverQuotaNotifySequenceId      = at(0x5DC, ULONG)
    LastThrottledIoTime                  = at(0x5E0, ULONGLONG)
    IoControlLock                        = at(0x5E8, EX_PUSH_LOCK)
    SiloHardReferenceCount               = at(0x5F0, LONGLONG)
    RundownWorkItem                      = at(0x5F8, WORK_QUEUE_ITEM)
    PartitionObject                      = at(0x618, PVOID)
    PartitionOwnerJob                    = at(0x620, PVOID)  # *EJOB
    EnergyTrackingState                  = at(0x628, JOBOBJECT_ENERGY_TRACKING_STATE)
    KernelWaitTime                       = at(0x630, ULONGLONG)
    UserWaitTime                         = at(0x638, ULONGLONG)

"""Answers about processes and threads."""

from __future__ import annotations

from ntos.abi.layout.string import CLIENT_ID, UNICODE_STRING
from ntos.abi.struct import Struct, array, at
from ntos.abi.types import (
    BOOLEAN,
    HANDLE,
    LARGE_INTEGER,
    LONG,
    NTSTATUS,
    PVOID,
    SIZE_T,
    UCHAR,
    ULONG,
    ULONG_PTR,
    ULONGLONG,
    USHORT,
)


class PROCESS_BASIC_INFORMATION(Struct, size=0x30):
    """Exit status, PEB and ids of a process."""

    ExitStatus                   = at(0x00, NTSTATUS)
    PebBaseAddress               = at(0x08, PVOID)
    AffinityMask                 = at(0x10, ULONG_PTR)
    BasePriority                 = at(0x18, LONG)
    UniqueProcessId              = at(0x20, HANDLE)
    InheritedFromUniqueProcessId = at(0x28, HANDLE)


class PROCESS_EXTENDED_BASIC_INFORMATION(Struct, size=0x40):
    """Basic information with flags; Size comes in."""

    Size      = at(0x00, SIZE_T)
    BasicInfo = at(0x08, PROCESS_BASIC_INFORMATION)
    Flags     = at(0x38, ULONG)


class QUOTA_LIMITS(Struct, size=0x30):
    """Pool, working set and time limits."""

    PagedPoolLimit        = at(0x00, SIZE_T)
    NonPagedPoolLimit     = at(0x08, SIZE_T)
    MinimumWorkingSetSize = at(0x10, SIZE_T)
    MaximumWorkingSetSize = at(0x18, SIZE_T)
    PagefileLimit         = at(0x20, SIZE_T)
    TimeLimit             = at(0x28, LARGE_INTEGER)


class QUOTA_LIMITS_EX(Struct, size=0x58):
    """Limits with working set flags."""

    PagedPoolLimit        = at(0x00, SIZE_T)
    NonPagedPoolLimit     = at(0x08, SIZE_T)
    MinimumWorkingSetSize = at(0x10, SIZE_T)
    MaximumWorkingSetSize = at(0x18, SIZE_T)
    PagefileLimit         = at(0x20, SIZE_T)
    TimeLimit             = at(0x28, LARGE_INTEGER)
    WorkingSetLimit       = at(0x30, SIZE_T)
    Reserved2             = at(0x38, SIZE_T)
    Reserved3             = at(0x40, SIZE_T)
    Reserved4             = at(0x48, SIZE_T)
    Flags                 = at(0x50, ULONG)
    CpuRateLimit          = at(0x54, ULONG)


class IO_COUNTERS(Struct, size=0x30):
    """Operations and bytes transferred."""

    ReadOperationCount  = at(0x00, ULONGLONG)
    WriteOperationCount = at(0x08, ULONGLONG)
    OtherOperationCount = at(0x10, ULONGLONG)
    ReadTransferCount   = at(0x18, ULONGLONG)
    WriteTransferCount  = at(0x20, ULONGLONG)
    OtherTransferCount  = at(0x28, ULONGLONG)


class VM_COUNTERS(Struct, size=0x58):
    """Memory use of a process."""

    PeakVirtualSize            = at(0x00, SIZE_T)
    VirtualSize                = at(0x08, SIZE_T)
    PageFaultCount             = at(0x10, ULONG)
    PeakWorkingSetSize         = at(0x18, SIZE_T)
    WorkingSetSize             = at(0x20, SIZE_T)
    QuotaPeakPagedPoolUsage    = at(0x28, SIZE_T)
    QuotaPagedPoolUsage        = at(0x30, SIZE_T)
    QuotaPeakNonPagedPoolUsage = at(0x38, SIZE_T)
    QuotaNonPagedPoolUsage     = at(0x40, SIZE_T)
    PagefileUsage              = at(0x48, SIZE_T)
    PeakPagefileUsage          = at(0x50, SIZE_T)


class VM_COUNTERS_EX(Struct, size=0x60):
    """Memory use of a process, with private bytes."""

    PeakVirtualSize            = at(0x00, SIZE_T)
    VirtualSize                = at(0x08, SIZE_T)
    PageFaultCount             = at(0x10, ULONG)
    PeakWorkingSetSize         = at(0x18, SIZE_T)
    WorkingSetSize             = at(0x20, SIZE_T)
    QuotaPeakPagedPoolUsage    = at(0x28, SIZE_T)
    QuotaPagedPoolUsage        = at(0x30, SIZE_T)
    QuotaPeakNonPagedPoolUsage = at(0x38, SIZE_T)
    QuotaNonPagedPoolUsage     = at(0x40, SIZE_T)
    PagefileUsage              = at(0x48, SIZE_T)
    PeakPagefileUsage          = at(0x50, SIZE_T)
    PrivateUsage               = at(0x58, SIZE_T)


class VM_COUNTERS_EX2(Struct, size=0x70):
    """Memory use of a process, with private and shared commit."""

    CountersEx            = at(0x00, VM_COUNTERS_EX)
    PrivateWorkingSetSize = at(0x60, SIZE_T)
    SharedCommitUsage     = at(0x68, SIZE_T)


class KERNEL_USER_TIMES(Struct, size=0x20):
    """Times of a process or thread."""

    CreateTime = at(0x00, LARGE_INTEGER)
    ExitTime   = at(0x08, LARGE_INTEGER)
    KernelTime = at(0x10, LARGE_INTEGER)
    UserTime   = at(0x18, LARGE_INTEGER)


class PROCESS_ACCESS_TOKEN(Struct, size=0x10):
    """Primary token to be set before the first thread runs."""

    Token  = at(0x00, HANDLE)
    Thread = at(0x08, HANDLE)


class PROCESS_PRIORITY_CLASS(Struct, size=0x02):
    """Priority class of a process."""

    Foreground    = at(0x00, BOOLEAN)
    PriorityClass = at(0x01, UCHAR)


class PROCESS_FOREGROUND_BACKGROUND(Struct, size=0x01):
    """Whether a process is in the foreground."""

    Foreground = at(0x00, BOOLEAN)


class PROCESS_SESSION_INFORMATION(Struct, size=0x04):
    """Session of a process."""

    SessionId = at(0x00, ULONG)


class PROCESS_DEVICEMAP_INFORMATION(Struct, size=0x24):
    """Drives a process sees."""

    DriveMap  = at(0x00, ULONG)
    DriveType = at(0x04, array(UCHAR, 32))


class PROCESS_HANDLE_INFORMATION(Struct, size=0x08):
    """Handle count of a process and its peak."""

    HandleCount              = at(0x00, ULONG)
    HandleCountHighWatermark = at(0x04, ULONG)


class PROCESS_CYCLE_TIME_INFORMATION(Struct, size=0x10):
    """Cycles a process has used."""

    AccumulatedCycles = at(0x00, ULONGLONG)
    CurrentCycleCount = at(0x08, ULONGLONG)


class PROCESS_MITIGATION_POLICY_INFORMATION(Struct, size=0x08):
    """One mitigation policy: which, and its flags."""

    Policy = at(0x00, ULONG)
    Flags  = at(0x04, ULONG)


class PROCESS_HANDLE_TABLE_ENTRY_INFO(Struct, size=0x28):
    """One handle in a process snapshot."""

    HandleValue      = at(0x00, HANDLE)
    HandleCount      = at(0x08, SIZE_T)
    PointerCount     = at(0x10, SIZE_T)
    GrantedAccess    = at(0x18, ULONG)
    ObjectTypeIndex  = at(0x1C, ULONG)
    HandleAttributes = at(0x20, ULONG)
    Reserved         = at(0x24, ULONG)


class PROCESS_HANDLE_SNAPSHOT_INFORMATION(Struct, size=0x38):
    """Handles of a process, with the first."""

    NumberOfHandles = at(0x00, SIZE_T)
    Reserved        = at(0x08, SIZE_T)
    Handles         = at(0x10, array(PROCESS_HANDLE_TABLE_ENTRY_INFO, 1))


class PROCESS_INSTRUMENTATION_CALLBACK_INFORMATION(Struct, size=0x10):
    """Routine that each return from the kernel passes through."""

    Version  = at(0x00, ULONG)
    Reserved = at(0x04, ULONG)
    Callback = at(0x08, PVOID)


class THREAD_BASIC_INFORMATION(Struct, size=0x30):
    """Exit status, TEB and priorities of a thread."""

    ExitStatus     = at(0x00, NTSTATUS)
    TebBaseAddress = at(0x08, PVOID)
    ClientId       = at(0x10, CLIENT_ID)
    AffinityMask   = at(0x20, ULONG_PTR)
    Priority       = at(0x28, LONG)
    BasePriority   = at(0x2C, LONG)


class THREAD_CYCLE_TIME_INFORMATION(Struct, size=0x10):
    """Cycles a thread has used."""

    AccumulatedCycles = at(0x00, ULONGLONG)
    CurrentCycleCount = at(0x08, ULONGLONG)


class THREAD_LAST_SYSCALL_INFORMATION(Struct, size=0x18):
    """The service a thread waits in."""

    FirstArgument    = at(0x00, PVOID)
    SystemCallNumber = at(0x08, USHORT)
    WaitTime         = at(0x10, ULONGLONG)


class THREAD_NAME_INFORMATION(Struct, size=0x10):
    """Description of a thread."""

    ThreadName = at(0x00, UNICODE_STRING)


class THREAD_TEB_INFORMATION(Struct, size=0x10):
    """Part of a TEB to be read."""

    TebInformation = at(0x00, PVOID)
    TebOffset      = at(0x08, ULONG)
    BytesToRead    = at(0x0C, ULONG)

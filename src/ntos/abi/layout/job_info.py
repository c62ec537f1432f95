"""Answers about jobs, and their limits."""

from __future__ import annotations

from ntos.abi.layout.process_info import IO_COUNTERS
from ntos.abi.struct import Struct, array, at
from ntos.abi.types import HANDLE, LARGE_INTEGER, PVOID, SIZE_T, ULONG, ULONG_PTR


class JOBOBJECT_BASIC_ACCOUNTING_INFORMATION(Struct, size=0x30):
    """Times and counts of a job."""

    TotalUserTime             = at(0x00, LARGE_INTEGER)
    TotalKernelTime           = at(0x08, LARGE_INTEGER)
    ThisPeriodTotalUserTime   = at(0x10, LARGE_INTEGER)
    ThisPeriodTotalKernelTime = at(0x18, LARGE_INTEGER)
    TotalPageFaultCount       = at(0x20, ULONG)
    TotalProcesses            = at(0x24, ULONG)
    ActiveProcesses           = at(0x28, ULONG)
    TotalTerminatedProcesses  = at(0x2C, ULONG)


class JOBOBJECT_BASIC_LIMIT_INFORMATION(Struct, size=0x40):
    """Limits of a job."""

    PerProcessUserTimeLimit = at(0x00, LARGE_INTEGER)
    PerJobUserTimeLimit     = at(0x08, LARGE_INTEGER)
    LimitFlags              = at(0x10, ULONG)
    MinimumWorkingSetSize   = at(0x18, SIZE_T)
    MaximumWorkingSetSize   = at(0x20, SIZE_T)
    ActiveProcessLimit      = at(0x28, ULONG)
    Affinity                = at(0x30, ULONG_PTR)
    PriorityClass           = at(0x38, ULONG)
    SchedulingClass         = at(0x3C, ULONG)


class JOBOBJECT_EXTENDED_LIMIT_INFORMATION(Struct, size=0x90):
    """Limits of a job, with memory."""

    BasicLimitInformation = at(0x00, JOBOBJECT_BASIC_LIMIT_INFORMATION)
    IoInfo                = at(0x40, IO_COUNTERS)
    ProcessMemoryLimit    = at(0x70, SIZE_T)
    JobMemoryLimit        = at(0x78, SIZE_T)
    PeakProcessMemoryUsed = at(0x80, SIZE_T)
    PeakJobMemoryUsed     = at(0x88, SIZE_T)


class JOBOBJECT_BASIC_AND_IO_ACCOUNTING_INFORMATION(Struct, size=0x60):
    """Times and transfers of a job."""

    BasicInfo = at(0x00, JOBOBJECT_BASIC_ACCOUNTING_INFORMATION)
    IoInfo    = at(0x30, IO_COUNTERS)


class JOBOBJECT_BASIC_PROCESS_ID_LIST(Struct, size=0x10):
    """Processes of a job, with the first."""

    NumberOfAssignedProcesses = at(0x00, ULONG)
    NumberOfProcessIdsInList  = at(0x04, ULONG)
    ProcessIdList             = at(0x08, array(ULONG_PTR, 1))


class JOBOBJECT_ASSOCIATE_COMPLETION_PORT(Struct, size=0x10):
    """Where a job's messages go."""

    CompletionKey  = at(0x00, PVOID)
    CompletionPort = at(0x08, HANDLE)


class JOBOBJECT_CPU_RATE_CONTROL_INFORMATION(Struct, size=0x08):
    """CPU rate of a job."""

    ControlFlags = at(0x00, ULONG)
    CpuRate      = at(0x04, ULONG)

"""Answers about the system: NtQuerySystemInformation."""

from __future__ import annotations

from ntos.abi.layout.string import CLIENT_ID, UNICODE_STRING
from ntos.abi.struct import Struct, array, at, chars
from ntos.abi.types import (
    BOOLEAN,
    CHAR,
    HANDLE,
    LARGE_INTEGER,
    LONG,
    PVOID,
    SIZE_T,
    UCHAR,
    ULONG,
    ULONG_PTR,
    ULONGLONG,
    USHORT,
)


class SYSTEM_BASIC_INFORMATION(Struct, size=0x40):
    """Pages, granularity and processors of the machine."""

    Reserved                     = at(0x00, ULONG)
    TimerResolution              = at(0x04, ULONG)
    PageSize                     = at(0x08, ULONG)
    NumberOfPhysicalPages        = at(0x0C, ULONG)
    LowestPhysicalPageNumber     = at(0x10, ULONG)
    HighestPhysicalPageNumber    = at(0x14, ULONG)
    AllocationGranularity        = at(0x18, ULONG)
    MinimumUserModeAddress       = at(0x20, ULONG_PTR)
    MaximumUserModeAddress       = at(0x28, ULONG_PTR)
    ActiveProcessorsAffinityMask = at(0x30, ULONG_PTR)
    NumberOfProcessors           = at(0x38, CHAR)


class SYSTEM_PROCESSOR_INFORMATION(Struct, size=0x0C):
    """Architecture and model of the processors."""

    ProcessorArchitecture = at(0x00, USHORT)
    ProcessorLevel        = at(0x02, USHORT)
    ProcessorRevision     = at(0x04, USHORT)
    MaximumProcessors     = at(0x06, USHORT)
    ProcessorFeatureBits  = at(0x08, ULONG)


class SYSTEM_TIMEOFDAY_INFORMATION(Struct, size=0x30):
    """Boot time, current time and bias."""

    BootTime      = at(0x00, LARGE_INTEGER)
    CurrentTime   = at(0x08, LARGE_INTEGER)
    TimeZoneBias  = at(0x10, LARGE_INTEGER)
    TimeZoneId    = at(0x18, ULONG)
    Reserved      = at(0x1C, ULONG)
    BootTimeBias  = at(0x20, ULONGLONG)
    SleepTimeBias = at(0x28, ULONGLONG)


class SYSTEM_PROCESSOR_PERFORMANCE_INFORMATION(Struct, size=0x30):
    """Times of one processor."""

    IdleTime       = at(0x00, LARGE_INTEGER)
    KernelTime     = at(0x08, LARGE_INTEGER)
    UserTime       = at(0x10, LARGE_INTEGER)
    DpcTime        = at(0x18, LARGE_INTEGER)
    InterruptTime  = at(0x20, LARGE_INTEGER)
    InterruptCount = at(0x28, ULONG)


class SYSTEM_THREAD_INFORMATION(Struct, size=0x50):
    """One thread in a system listing."""

    KernelTime      = at(0x00, LARGE_INTEGER)
    UserTime        = at(0x08, LARGE_INTEGER)
    CreateTime      = at(0x10, LARGE_INTEGER)
    WaitTime        = at(0x18, ULONG)
    StartAddress    = at(0x20, PVOID)
    ClientId        = at(0x28, CLIENT_ID)
    Priority        = at(0x38, LONG)
    BasePriority    = at(0x3C, LONG)
    ContextSwitches = at(0x40, ULONG)
    ThreadState     = at(0x44, ULONG)  # KTHREAD_STATE
    WaitReason      = at(0x48, ULONG)  # KWAIT_REASON


class SYSTEM_EXTENDED_THREAD_INFORMATION(Struct, size=0x88):
    """One thread in an extended system listing."""

    ThreadInfo        = at(0x00, SYSTEM_THREAD_INFORMATION)
    StackBase         = at(0x50, PVOID)
    StackLimit        = at(0x58, PVOID)
    Win32StartAddress = at(0x60, PVOID)
    TebBase           = at(0x68, PVOID)
    Reserved2         = at(0x70, ULONG_PTR)
    Reserved3         = at(0x78, ULONG_PTR)
    Reserved4         = at(0x80, ULONG_PTR)


class SYSTEM_PROCESS_INFORMATION(Struct, size=0x100):
    """One process in a system listing; its threads follow."""

    NextEntryOffset              = at(0x000, ULONG)
    NumberOfThreads              = at(0x004, ULONG)
    WorkingSetPrivateSize        = at(0x008, LARGE_INTEGER)
    HardFaultCount               = at(0x010, ULONG)
    NumberOfThreadsHighWatermark = at(0x014, ULONG)
    CycleTime                    = at(0x018, ULONGLONG)
    CreateTime                   = at(0x020, LARGE_INTEGER)
    UserTime                     = at(0x028, LARGE_INTEGER)
    KernelTime                   = at(0x030, LARGE_INTEGER)
    ImageName                    = at(0x038, UNICODE_STRING)
    BasePriority                 = at(0x048, LONG)
    UniqueProcessId              = at(0x050, HANDLE)
    InheritedFromUniqueProcessId = at(0x058, HANDLE)
    HandleCount                  = at(0x060, ULONG)
    SessionId                    = at(0x064, ULONG)
    UniqueProcessKey             = at(0x068, ULONG_PTR)
    PeakVirtualSize              = at(0x070, SIZE_T)
    VirtualSize                  = at(0x078, SIZE_T)
    PageFaultCount               = at(0x080, ULONG)
    PeakWorkingSetSize           = at(0x088, SIZE_T)
    WorkingSetSize               = at(0x090, SIZE_T)
    QuotaPeakPagedPoolUsage      = at(0x098, SIZE_T)
    QuotaPagedPoolUsage          = at(0x0A0, SIZE_T)
    QuotaPeakNonPagedPoolUsage   = at(0x0A8, SIZE_T)
    QuotaNonPagedPoolUsage       = at(0x0B0, SIZE_T)
    PagefileUsage                = at(0x0B8, SIZE_T)
    PeakPagefileUsage            = at(0x0C0, SIZE_T)
    PrivatePageCount             = at(0x0C8, SIZE_T)
    ReadOperationCount           = at(0x0D0, ULONGLONG)
    WriteOperationCount          = at(0x0D8, ULONGLONG)
    OtherOperationCount          = at(0x0E0, ULONGLONG)
    ReadTransferCount            = at(0x0E8, ULONGLONG)
    WriteTransferCount           = at(0x0F0, ULONGLONG)
    OtherTransferCount           = at(0x0F8, ULONGLONG)


class SYSTEM_HANDLE_TABLE_ENTRY_INFO(Struct, size=0x18):
    """One handle in a system listing."""

    UniqueProcessId       = at(0x00, USHORT)
    CreatorBackTraceIndex = at(0x02, USHORT)
    ObjectTypeIndex       = at(0x04, UCHAR)
    HandleAttributes      = at(0x05, UCHAR)
    HandleValue           = at(0x06, USHORT)
    Object                = at(0x08, PVOID)
    GrantedAccess         = at(0x10, ULONG)


class SYSTEM_HANDLE_INFORMATION(Struct, size=0x20):
    """Handles of the system, with the first."""

    NumberOfHandles = at(0x00, ULONG)
    Handles         = at(0x08, array(SYSTEM_HANDLE_TABLE_ENTRY_INFO, 1))


class SYSTEM_HANDLE_TABLE_ENTRY_INFO_EX(Struct, size=0x28):
    """One handle in an extended system listing."""

    Object                = at(0x00, PVOID)
    UniqueProcessId       = at(0x08, HANDLE)
    HandleValue           = at(0x10, HANDLE)
    GrantedAccess         = at(0x18, ULONG)
    CreatorBackTraceIndex = at(0x1C, USHORT)
    ObjectTypeIndex       = at(0x1E, USHORT)
    HandleAttributes      = at(0x20, ULONG)
    Reserved              = at(0x24, ULONG)


class SYSTEM_HANDLE_INFORMATION_EX(Struct, size=0x38):
    """Handles of the system, extended, with the first."""

    NumberOfHandles = at(0x00, ULONG_PTR)
    Reserved        = at(0x08, ULONG_PTR)
    Handles         = at(0x10, array(SYSTEM_HANDLE_TABLE_ENTRY_INFO_EX, 1))


class RTL_PROCESS_MODULE_INFORMATION(Struct, size=0x128):
    """One loaded driver."""

    Section          = at(0x000, HANDLE)
    MappedBase       = at(0x008, PVOID)
    ImageBase        = at(0x010, PVOID)
    ImageSize        = at(0x018, ULONG)
    Flags            = at(0x01C, ULONG)
    LoadOrderIndex   = at(0x020, USHORT)
    InitOrderIndex   = at(0x022, USHORT)
    LoadCount        = at(0x024, USHORT)
    OffsetToFileName = at(0x026, USHORT)
    FullPathName     = at(0x028, chars(256))


class RTL_PROCESS_MODULES(Struct, size=0x130):
    """Loaded drivers, with the first."""

    NumberOfModules = at(0x000, ULONG)
    Modules         = at(0x008, array(RTL_PROCESS_MODULE_INFORMATION, 1))


class SYSTEM_KERNEL_DEBUGGER_INFORMATION(Struct, size=0x02):
    """Whether a kernel debugger is there."""

    KernelDebuggerEnabled    = at(0x00, BOOLEAN)
    KernelDebuggerNotPresent = at(0x01, BOOLEAN)


class SYSTEM_CODEINTEGRITY_INFORMATION(Struct, size=0x08):
    """Code integrity options; Length comes in."""

    Length               = at(0x00, ULONG)
    CodeIntegrityOptions = at(0x04, ULONG)


class SYSTEM_PROCESS_ID_INFORMATION(Struct, size=0x18):
    """Image name by process id."""

    ProcessId = at(0x00, HANDLE)
    ImageName = at(0x08, UNICODE_STRING)


class SYSTEM_EXCEPTION_INFORMATION(Struct, size=0x10):
    """Exception counts."""

    AlignmentFixupCount    = at(0x00, ULONG)
    ExceptionDispatchCount = at(0x04, ULONG)
    FloatingEmulationCount = at(0x08, ULONG)
    ByteWordEmulationCount = at(0x0C, ULONG)


class SYSTEM_FILECACHE_INFORMATION(Struct, size=0x40):
    """Sizes of the file cache."""

    CurrentSize                           = at(0x00, SIZE_T)
    PeakSize                              = at(0x08, SIZE_T)
    PageFaultCount                        = at(0x10, ULONG)
    MinimumWorkingSet                     = at(0x18, SIZE_T)
    MaximumWorkingSet                     = at(0x20, SIZE_T)
    CurrentSizeIncludingTransitionInPages = at(0x28, SIZE_T)
    PeakSizeIncludingTransitionInPages    = at(0x30, SIZE_T)
    TransitionRePurposeCount              = at(0x38, ULONG)
    Flags                                 = at(0x3C, ULONG)


class SYSTEM_REGISTRY_QUOTA_INFORMATION(Struct, size=0x10):
    """How much the registry may hold, and holds."""

    RegistryQuotaAllowed = at(0x00, ULONG)
    RegistryQuotaUsed    = at(0x04, ULONG)
    PagedPoolSize        = at(0x08, SIZE_T)


class SYSTEM_CPU_SET_INFORMATION(Struct, size=0x20):
    """One set of one logical processor."""

    Size                  = at(0x00, ULONG)
    Type                  = at(0x04, ULONG)
    Id                    = at(0x08, ULONG)
    Group                 = at(0x0C, USHORT)
    LogicalProcessorIndex = at(0x0E, UCHAR)
    CoreIndex             = at(0x0F, UCHAR)
    LastLevelCacheIndex   = at(0x10, UCHAR)
    NumaNodeIndex         = at(0x11, UCHAR)
    EfficiencyClass       = at(0x12, UCHAR)
    AllFlags              = at(0x13, UCHAR)
    Reserved              = at(0x14, ULONG)
    AllocationTag         = at(0x18, ULONGLONG)

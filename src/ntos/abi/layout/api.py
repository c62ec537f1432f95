"""Arguments of services: what user mode hands to NtCreateProcess, NtQueryVirtualMemory and their like."""

from __future__ import annotations

from ntos.abi.layout.executive import GENERIC_MAPPING
from ntos.abi.layout.io import IO_STATUS_BLOCK
from ntos.abi.layout.section import SECTION_IMAGE_INFORMATION
from ntos.abi.layout.string import CLIENT_ID, UNICODE_STRING
from ntos.abi.struct import Struct, array, at
from ntos.abi.types import (
    ACCESS_MASK,
    BOOLEAN,
    CHAR,
    HANDLE,
    LARGE_INTEGER,
    LONG,
    LONGLONG,
    NTSTATUS,
    PVOID,
    SIZE_T,
    UCHAR,
    ULONG,
    ULONG_PTR,
    ULONGLONG,
    USHORT,
    WCHAR,
)


class RTL_USER_PROCESS_INFORMATION(Struct, size=0x68):
    """What RtlCreateUserProcess gives back."""

    Length           = at(0x00, ULONG)
    ProcessHandle    = at(0x08, HANDLE)
    ThreadHandle     = at(0x10, HANDLE)
    ClientId         = at(0x18, CLIENT_ID)
    ImageInformation = at(0x28, SECTION_IMAGE_INFORMATION)


class INITIAL_TEB(Struct, size=0x28):
    """Stack of a new thread."""

    OldStackBase        = at(0x00, PVOID)
    OldStackLimit       = at(0x08, PVOID)
    StackBase           = at(0x10, PVOID)
    StackLimit          = at(0x18, PVOID)
    StackAllocationBase = at(0x20, PVOID)


class PS_ATTRIBUTE(Struct, size=0x20):
    """One attribute of a process or thread to be created."""

    Attribute    = at(0x00, ULONG_PTR)
    Size         = at(0x08, SIZE_T)
    Value        = at(0x10, ULONG_PTR)
    ReturnLength = at(0x18, PVOID)


class PS_ATTRIBUTE_LIST(Struct, size=0x28):
    """Attributes of a process or thread to be created, with the first."""

    TotalLength = at(0x00, SIZE_T)
    Attributes  = at(0x08, array(PS_ATTRIBUTE, 1))


class PS_CREATE_INFO_InitState(Struct, size=0x08):
    """What NtCreateUserProcess is asked."""

    InitFlags            = at(0x00, ULONG)
    AdditionalFileAccess = at(0x04, ACCESS_MASK)


class PS_CREATE_INFO_SuccessState(Struct, size=0x48):
    """What NtCreateUserProcess made."""

    OutputFlags                 = at(0x00, ULONG)
    FileHandle                  = at(0x08, HANDLE)
    SectionHandle               = at(0x10, HANDLE)
    UserProcessParametersNative = at(0x18, ULONGLONG)
    UserProcessParametersWow64  = at(0x20, ULONG)
    CurrentParameterFlags       = at(0x24, ULONG)
    PebAddressNative            = at(0x28, ULONGLONG)
    PebAddressWow64             = at(0x30, ULONG)
    ManifestAddress             = at(0x38, ULONGLONG)
    ManifestSize                = at(0x40, ULONG)


class PS_CREATE_INFO(Struct, size=0x58):
    """State of a process creation: a request, then how far it came."""

    Size               = at(0x00, SIZE_T)
    State              = at(0x08, ULONG)  # PS_CREATE_STATE
    InitState          = at(0x10, PS_CREATE_INFO_InitState)
    FileHandle         = at(0x10, HANDLE)
    DllCharacteristics = at(0x10, USHORT)
    IFEOKey            = at(0x10, HANDLE)
    SuccessState       = at(0x10, PS_CREATE_INFO_SuccessState)


class PS_STD_HANDLE_INFO(Struct, size=0x08):
    """How standard handles reach the new process."""

    Flags                  = at(0x00, ULONG)
    StdHandleSubsystemType = at(0x04, ULONG)


class PS_MEMORY_RESERVE(Struct, size=0x18):
    """Range to be kept free in the new process."""

    ReserveAddress      = at(0x00, PVOID)
    ReserveSize         = at(0x08, SIZE_T)
    CommitAndPageAccess = at(0x10, ULONG_PTR)


class MEMORY_BASIC_INFORMATION(Struct, size=0x30):
    """Range of pages alike (MEMORY_BASIC_INFORMATION64)."""

    BaseAddress       = at(0x00, PVOID)
    AllocationBase    = at(0x08, PVOID)
    AllocationProtect = at(0x10, ULONG)
    PartitionId       = at(0x14, USHORT)
    RegionSize        = at(0x18, SIZE_T)
    State             = at(0x20, ULONG)
    Protect           = at(0x24, ULONG)
    Type              = at(0x28, ULONG)


class MEMORY_REGION_INFORMATION(Struct, size=0x30):
    """A whole allocation."""

    AllocationBase    = at(0x00, PVOID)
    AllocationProtect = at(0x08, ULONG)
    RegionType        = at(0x0C, ULONG)
    RegionSize        = at(0x10, SIZE_T)
    CommitSize        = at(0x18, SIZE_T)
    PartitionId       = at(0x20, ULONG_PTR)
    NodePreference    = at(0x28, ULONG_PTR)


class MEMORY_IMAGE_INFORMATION(Struct, size=0x18):
    """The image an address belongs to."""

    ImageBase   = at(0x00, PVOID)
    SizeOfImage = at(0x08, SIZE_T)
    ImageFlags  = at(0x10, ULONG)


class MEMORY_WORKING_SET_EX_INFORMATION(Struct, size=0x10):
    """Whether one page is in the working set, and how."""

    VirtualAddress    = at(0x00, PVOID)
    VirtualAttributes = at(0x08, ULONG_PTR)


class MEMORY_RANGE_ENTRY(Struct, size=0x10):
    """Range for NtSetInformationVirtualMemory."""

    VirtualAddress = at(0x00, PVOID)
    NumberOfBytes  = at(0x08, SIZE_T)


class SECTION_BASIC_INFORMATION(Struct, size=0x18):
    """Attributes and size of a section."""

    BaseAddress          = at(0x00, PVOID)
    AllocationAttributes = at(0x08, ULONG)
    MaximumSize          = at(0x10, LARGE_INTEGER)


class EVENT_BASIC_INFORMATION(Struct, size=0x08):
    """Type and state of an event."""

    EventType  = at(0x00, ULONG)  # EVENT_TYPE
    EventState = at(0x04, LONG)


class MUTANT_BASIC_INFORMATION(Struct, size=0x08):
    """State of a mutex."""

    CurrentCount   = at(0x00, LONG)
    OwnedByCaller  = at(0x04, BOOLEAN)
    AbandonedState = at(0x05, BOOLEAN)


class MUTANT_OWNER_INFORMATION(Struct, size=0x10):
    """Owner of a mutex."""

    ClientId = at(0x00, CLIENT_ID)


class SEMAPHORE_BASIC_INFORMATION(Struct, size=0x08):
    """Count of a semaphore."""

    CurrentCount = at(0x00, LONG)
    MaximumCount = at(0x04, LONG)


class TIMER_BASIC_INFORMATION(Struct, size=0x10):
    """What is left of a timer's time."""

    RemainingTime = at(0x00, LARGE_INTEGER)
    TimerState    = at(0x08, BOOLEAN)


class TIMER_SET_COALESCABLE_TIMER_INFO(Struct, size=0x30):
    """How NtSetTimerEx sets a timer."""

    DueTime         = at(0x00, LARGE_INTEGER)
    TimerApcRoutine = at(0x08, PVOID)
    TimerContext    = at(0x10, PVOID)
    WakeContext     = at(0x18, PVOID)
    TimerPeriod     = at(0x20, ULONG)
    TolerableDelay  = at(0x24, ULONG)
    PreviousState   = at(0x28, PVOID)


class IO_COMPLETION_BASIC_INFORMATION(Struct, size=0x04):
    """Depth of a completion port."""

    Depth = at(0x00, LONG)


class FILE_IO_COMPLETION_INFORMATION(Struct, size=0x20):
    """One packet taken from a completion port."""

    KeyContext    = at(0x00, PVOID)
    ApcContext    = at(0x08, PVOID)
    IoStatusBlock = at(0x10, IO_STATUS_BLOCK)


class WORKER_FACTORY_BASIC_INFORMATION(Struct, size=0x78):
    """State of a worker factory."""

    Timeout                  = at(0x00, LARGE_INTEGER)
    RetryTimeout             = at(0x08, LARGE_INTEGER)
    IdleTimeout              = at(0x10, LARGE_INTEGER)
    Paused                   = at(0x18, BOOLEAN)
    TimerSet                 = at(0x19, BOOLEAN)
    QueuedToExWorker         = at(0x1A, BOOLEAN)
    MayCreate                = at(0x1B, BOOLEAN)
    CreateInProgress         = at(0x1C, BOOLEAN)
    InsertedIntoQueue        = at(0x1D, BOOLEAN)
    Shutdown                 = at(0x1E, BOOLEAN)
    BindingCount             = at(0x20, ULONG)
    ThreadMinimum            = at(0x24, ULONG)
    ThreadMaximum            = at(0x28, ULONG)
    PendingWorkerCount       = at(0x2C, ULONG)
    WaitingWorkerCount       = at(0x30, ULONG)
    TotalWorkerCount         = at(0x34, ULONG)
    ReleaseCount             = at(0x38, ULONG)
    InfiniteWaitGoal         = at(0x40, LONGLONG)
    StartRoutine             = at(0x48, PVOID)
    StartParameter           = at(0x50, PVOID)
    ProcessId                = at(0x58, HANDLE)
    StackReserve             = at(0x60, SIZE_T)
    StackCommit              = at(0x68, SIZE_T)
    LastThreadCreationStatus = at(0x70, NTSTATUS)


class OBJECT_BASIC_INFORMATION(Struct, size=0x38):
    """Counts, access and sizes of an object."""

    Attributes             = at(0x00, ULONG)
    GrantedAccess          = at(0x04, ACCESS_MASK)
    HandleCount            = at(0x08, ULONG)
    PointerCount           = at(0x0C, ULONG)
    PagedPoolCharge        = at(0x10, ULONG)
    NonPagedPoolCharge     = at(0x14, ULONG)
    Reserved               = at(0x18, array(ULONG, 3))
    NameInfoSize           = at(0x24, ULONG)
    TypeInfoSize           = at(0x28, ULONG)
    SecurityDescriptorSize = at(0x2C, ULONG)
    CreationTime           = at(0x30, LARGE_INTEGER)


class OBJECT_TYPE_INFORMATION(Struct, size=0x68):
    """Name and counts of an object's type."""

    TypeName                   = at(0x00, UNICODE_STRING)
    TotalNumberOfObjects       = at(0x10, ULONG)
    TotalNumberOfHandles       = at(0x14, ULONG)
    TotalPagedPoolUsage        = at(0x18, ULONG)
    TotalNonPagedPoolUsage     = at(0x1C, ULONG)
    TotalNamePoolUsage         = at(0x20, ULONG)
    TotalHandleTableUsage      = at(0x24, ULONG)
    HighWaterNumberOfObjects   = at(0x28, ULONG)
    HighWaterNumberOfHandles   = at(0x2C, ULONG)
    HighWaterPagedPoolUsage    = at(0x30, ULONG)
    HighWaterNonPagedPoolUsage = at(0x34, ULONG)
    HighWaterNamePoolUsage     = at(0x38, ULONG)
    HighWaterHandleTableUsage  = at(0x3C, ULONG)
    InvalidAttributes          = at(0x40, ULONG)
    GenericMapping             = at(0x44, GENERIC_MAPPING)
    ValidAccessMask            = at(0x54, ULONG)
    SecurityRequired           = at(0x58, BOOLEAN)
    MaintainHandleCount        = at(0x59, BOOLEAN)
    TypeIndex                  = at(0x5A, UCHAR)
    ReservedByte               = at(0x5B, CHAR)
    PoolType                   = at(0x5C, ULONG)
    DefaultPagedPoolCharge     = at(0x60, ULONG)
    DefaultNonPagedPoolCharge  = at(0x64, ULONG)


class OBJECT_TYPES_INFORMATION(Struct, size=0x04):
    """Head of the list of object types."""

    NumberOfTypes = at(0x00, ULONG)


class OBJECT_HANDLE_FLAG_INFORMATION(Struct, size=0x02):
    """Flags of one handle."""

    Inherit          = at(0x00, BOOLEAN)
    ProtectFromClose = at(0x01, BOOLEAN)


class OBJECT_DIRECTORY_INFORMATION(Struct, size=0x20):
    """One name in a directory."""

    Name     = at(0x00, UNICODE_STRING)
    TypeName = at(0x10, UNICODE_STRING)


class OBJECT_BOUNDARY_DESCRIPTOR(Struct, size=0x10):
    """Boundary of a private namespace."""

    Version   = at(0x00, ULONG)
    Items     = at(0x04, ULONG)
    TotalSize = at(0x08, ULONG)
    Flags     = at(0x0C, ULONG)


class KEY_WRITE_TIME_INFORMATION(Struct, size=0x08):
    """New last-write time of a key."""

    LastWriteTime = at(0x00, LARGE_INTEGER)


class KEY_BASIC_INFORMATION(Struct, size=0x18):
    """Name and time of a key; the name follows at 0x10."""

    LastWriteTime = at(0x00, LARGE_INTEGER)
    TitleIndex    = at(0x08, ULONG)
    NameLength    = at(0x0C, ULONG)
    Name          = at(0x10, array(WCHAR, 1))


class KEY_NODE_INFORMATION(Struct, size=0x20):
    """Name, class and time of a key; the name follows at 0x18."""

    LastWriteTime = at(0x00, LARGE_INTEGER)
    TitleIndex    = at(0x08, ULONG)
    ClassOffset   = at(0x0C, ULONG)
    ClassLength   = at(0x10, ULONG)
    NameLength    = at(0x14, ULONG)
    Name          = at(0x18, array(WCHAR, 1))


class KEY_FULL_INFORMATION(Struct, size=0x30):
    """Counts and largest lengths of a key; the class follows at 0x2C."""

    LastWriteTime   = at(0x00, LARGE_INTEGER)
    TitleIndex      = at(0x08, ULONG)
    ClassOffset     = at(0x0C, ULONG)
    ClassLength     = at(0x10, ULONG)
    SubKeys         = at(0x14, ULONG)
    MaxNameLen      = at(0x18, ULONG)
    MaxClassLen     = at(0x1C, ULONG)
    Values          = at(0x20, ULONG)
    MaxValueNameLen = at(0x24, ULONG)
    MaxValueDataLen = at(0x28, ULONG)
    Class           = at(0x2C, array(WCHAR, 1))


class KEY_NAME_INFORMATION(Struct, size=0x08):
    """Full name of a key; the name follows at 4."""

    NameLength = at(0x00, ULONG)
    Name       = at(0x04, array(WCHAR, 1))


class KEY_CACHED_INFORMATION(Struct, size=0x28):
    """Counts of a key as the cache has them."""

    LastWriteTime   = at(0x00, LARGE_INTEGER)
    TitleIndex      = at(0x08, ULONG)
    SubKeys         = at(0x0C, ULONG)
    MaxNameLen      = at(0x10, ULONG)
    Values          = at(0x14, ULONG)
    MaxValueNameLen = at(0x18, ULONG)
    MaxValueDataLen = at(0x1C, ULONG)
    NameLength      = at(0x20, ULONG)


class KEY_HANDLE_TAGS_INFORMATION(Struct, size=0x04):
    """WOW64 tags of a key handle."""

    HandleTags = at(0x00, ULONG)


class KEY_VALUE_BASIC_INFORMATION(Struct, size=0x10):
    """Name and type of a value; the name follows at 0xC."""

    TitleIndex = at(0x00, ULONG)
    Type       = at(0x04, ULONG)
    NameLength = at(0x08, ULONG)
    Name       = at(0x0C, array(WCHAR, 1))


class KEY_VALUE_FULL_INFORMATION(Struct, size=0x18):
    """Name, type and data of a value; the name follows at 0x14."""

    TitleIndex = at(0x00, ULONG)
    Type       = at(0x04, ULONG)
    DataOffset = at(0x08, ULONG)
    DataLength = at(0x0C, ULONG)
    NameLength = at(0x10, ULONG)
    Name       = at(0x14, array(WCHAR, 1))


class KEY_VALUE_PARTIAL_INFORMATION(Struct, size=0x10):
    """Type and data of a value; the data follows at 0xC."""

    TitleIndex = at(0x00, ULONG)
    Type       = at(0x04, ULONG)
    DataLength = at(0x08, ULONG)
    Data       = at(0x0C, array(UCHAR, 1))


class KEY_VALUE_PARTIAL_INFORMATION_ALIGN64(Struct, size=0x0C):
    """Type and data of a value, the data at 8."""

    Type       = at(0x00, ULONG)
    DataLength = at(0x04, ULONG)
    Data       = at(0x08, array(UCHAR, 1))


class KEY_VALUE_ENTRY(Struct, size=0x18):
    """One value to be read by NtQueryMultipleValueKey."""

    ValueName  = at(0x00, PVOID)
    DataLength = at(0x08, ULONG)
    DataOffset = at(0x0C, ULONG)
    Type       = at(0x10, ULONG)

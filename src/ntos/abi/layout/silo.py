"""Server silos: the kernel state each container has of its own.

Offsets are those of the reference build's public symbols (ntoskrnl 10.0.19041); a comment `*X` says what a
pointer points to, a bare `X` which enumeration or structure a word holds.
"""

from __future__ import annotations

from ntos.abi.layout.dispatcher import KDPC, KMUTANT, KTIMER
from ntos.abi.layout.executive import EX_PUSH_LOCK, WNF_LOCK
from ntos.abi.layout.list import LIST_ENTRY, RTL_RB_TREE
from ntos.abi.layout.object import OBJECT_NAMESPACE_LOOKUPTABLE
from ntos.abi.layout.resource import WORK_QUEUE_ITEM
from ntos.abi.layout.string import GUID, TIME_FIELDS, UNICODE_STRING
from ntos.abi.struct import Struct, array, at, bits, wchars
from ntos.abi.types import (
    LARGE_INTEGER,
    LONG,
    LONGLONG,
    NTSTATUS,
    PVOID,
    SHORT,
    UCHAR,
    ULONG,
    ULONGLONG,
    USHORT,
)


class OBP_SYSTEM_DOS_DEVICE_STATE(Struct, size=0x6C):
    """System DOS devices of a silo."""

    GlobalDeviceMap  = at(0x00, ULONG)
    LocalDeviceCount = at(0x04, array(ULONG, 26))


class OBP_SILODRIVERSTATE(Struct, size=0x2E0):
    """The object manager's state of a silo."""

    SystemDeviceMap             = at(0x00, PVOID)  # *DEVICE_MAP
    SystemDosDeviceState        = at(0x08, OBP_SYSTEM_DOS_DEVICE_STATE)
    DeviceMapLock               = at(0x78, EX_PUSH_LOCK)
    PrivateNamespaceLookupTable = at(0x80, OBJECT_NAMESPACE_LOOKUPTABLE)


class SEP_RM_LSA_CONNECTION_STATE(Struct, size=0x50):
    """Connection of the reference monitor with LSA."""

    LsaProcessHandle            = at(0x00, PVOID)
    LsaCommandPortHandle        = at(0x08, PVOID)
    SepRmThreadHandle           = at(0x10, PVOID)
    RmCommandPortHandle         = at(0x18, PVOID)
    RmCommandServerPortHandle   = at(0x20, PVOID)
    LsaCommandPortSectionHandle = at(0x28, PVOID)
    LsaCommandPortSectionSize   = at(0x30, LARGE_INTEGER)
    LsaViewPortMemory           = at(0x38, PVOID)
    RmViewPortMemory            = at(0x40, PVOID)
    LsaCommandPortMemoryDelta   = at(0x48, LONG)
    LsaCommandPortActive        = at(0x4C, UCHAR)


class SEP_SILOSTATE(Struct, size=0x30):
    """The security monitor's state of a silo."""

    SystemLogonSession            = at(0x00, PVOID)  # *SEP_LOGON_SESSION_REFERENCES
    AnonymousLogonSession         = at(0x08, PVOID)  # *SEP_LOGON_SESSION_REFERENCES
    AnonymousLogonToken           = at(0x10, PVOID)
    AnonymousLogonTokenNoEveryone = at(0x18, PVOID)
    UncSystemPaths                = at(0x20, PVOID)  # *UNICODE_STRING
    NgenPaths                     = at(0x28, PVOID)  # *CI_NGEN_PATHS


class WNF_SILODRIVERSTATE(Struct, size=0x38):
    """Notification-facility state of a silo."""

    ScopeMap                        = at(0x00, PVOID)  # *WNF_SCOPE_MAP
    PermanentNameStoreRootKey       = at(0x08, PVOID)
    PersistentNameStoreRootKey      = at(0x10, PVOID)
    PermanentNameSequenceNumber     = at(0x18, LONGLONG)
    PermanentNameSequenceNumberLock = at(0x20, WNF_LOCK)
    PermanentNameSequenceNumberPool = at(0x28, LONGLONG)
    RuntimeNameSequenceNumber       = at(0x30, LONGLONG)


class DBGK_SILOSTATE(Struct, size=0x20):
    """Error port state of a silo."""

    ErrorPortLock            = at(0x00, EX_PUSH_LOCK)
    ErrorPort                = at(0x08, PVOID)  # *DBGKP_ERROR_PORT
    ErrorProcess             = at(0x10, PVOID)  # *EPROCESS
    ErrorPortRegisteredEvent = at(0x18, PVOID)  # *KEVENT


class ETW_LAST_ENABLE_INFO(Struct, size=0x10):
    """How a provider was last enabled."""

    EnableFlags  = at(0x00, LARGE_INTEGER)
    LoggerId     = at(0x08, USHORT)
    Level        = at(0x0A, UCHAR)
    Enabled      = bits(0x0B, UCHAR, 0, 1)
    InternalFlag = bits(0x0B, UCHAR, 1, 7)


class TRACE_ENABLE_INFO(Struct, size=0x20):
    """How a provider is enabled by one session."""

    IsEnabled       = at(0x00, ULONG)
    Level           = at(0x04, UCHAR)
    Reserved1       = at(0x05, UCHAR)
    LoggerId        = at(0x06, USHORT)
    EnableProperty  = at(0x08, ULONG)
    Reserved2       = at(0x0C, ULONG)
    MatchAnyKeyword = at(0x10, ULONGLONG)
    MatchAllKeyword = at(0x18, ULONGLONG)


class ETW_GUID_ENTRY(Struct, size=0x1A8):
    """Provider or trace session known by GUID."""

    GuidList           = at(0x000, LIST_ENTRY)
    SiloGuidList       = at(0x010, LIST_ENTRY)
    RefCount           = at(0x020, LONGLONG)
    Guid               = at(0x028, GUID)
    RegListHead        = at(0x038, LIST_ENTRY)
    SecurityDescriptor = at(0x048, PVOID)
    LastEnable         = at(0x050, ETW_LAST_ENABLE_INFO)
    MatchId            = at(0x050, ULONGLONG)
    ProviderEnableInfo = at(0x060, TRACE_ENABLE_INFO)
    EnableInfo         = at(0x080, array(TRACE_ENABLE_INFO, 8))
    FilterData         = at(0x180, PVOID)  # *ETW_FILTER_HEADER
    SiloState          = at(0x188, PVOID)  # *ETW_SILODRIVERSTATE
    HostEntry          = at(0x190, PVOID)  # *ETW_GUID_ENTRY
    Lock               = at(0x198, EX_PUSH_LOCK)
    LockOwner          = at(0x1A0, PVOID)  # *ETHREAD


class ETW_HASH_BUCKET(Struct, size=0x38):
    """Event providers of one hash value."""

    ListHead   = at(0x00, array(LIST_ENTRY, 3))
    BucketLock = at(0x30, EX_PUSH_LOCK)


class ETW_PRIV_HANDLE_DEMUX_TABLE(Struct, size=0x20):
    """Private trace handles of a silo."""

    Tree           = at(0x00, RTL_RB_TREE)
    Lock           = at(0x10, EX_PUSH_LOCK)
    SequenceNumber = at(0x18, USHORT)


class ETW_COUNTERS(Struct, size=0x10):
    """How many sessions and providers exist."""

    GuidCount    = at(0x00, LONG)
    PoolUsage    = at(0x04, array(LONG, 2))
    SessionCount = at(0x0C, LONG)


class ETW_SYSTEM_LOGGER(Struct, size=0x02):
    """One session that receives kernel events."""

    LoggerId  = at(0x00, UCHAR)
    ClockType = at(0x01, UCHAR)


class PERFINFO_GROUPMASK(Struct, size=0x20):
    """Kernel event groups enabled."""

    Masks = at(0x00, array(ULONG, 8))


class ETW_SYSTEM_LOGGER_SETTINGS(Struct, size=0x174):
    """Sessions that receive kernel events."""

    EtwpSystemLogger        = at(0x00, array(ETW_SYSTEM_LOGGER, 8))
    EtwpActiveSystemLoggers = at(0x10, ULONG)
    SiloGlobalGroupMask     = at(0x14, PERFINFO_GROUPMASK)
    EtwpGroupMasks          = at(0x34, array(PERFINFO_GROUPMASK, 10))


class ETW_SILODRIVERSTATE(Struct, size=0x1220):
    """Event tracing state of a silo."""

    Silo                            = at(0x0000, PVOID)  # *EJOB
    SiloGlobals                     = at(0x0008, PVOID)  # *ESERVERSILO_GLOBALS
    MaxLoggers                      = at(0x0010, ULONG)
    EtwpSecurityProviderGuidEntry   = at(0x0018, ETW_GUID_ENTRY)
    EtwpLoggerRundown               = at(0x01C0, PVOID)  # **_EX_RUNDOWN_REF_CACHE_AWARE
    EtwpLoggerContext               = at(0x01C8, PVOID)  # **_WMI_LOGGER_CONTEXT
    EtwpGuidHashTable               = at(0x01D0, array(ETW_HASH_BUCKET, 64))
    EtwpSecurityLoggers             = at(0x0FD0, array(USHORT, 8))
    EtwpSecurityProviderEnableMask  = at(0x0FE0, UCHAR)
    EtwpShutdownInProgress          = at(0x0FE4, LONG)
    EtwpSecurityProviderPID         = at(0x0FE8, ULONG)
    PrivHandleDemuxTable            = at(0x0FF0, ETW_PRIV_HANDLE_DEMUX_TABLE)
    EtwpCounters                    = at(0x1010, ETW_COUNTERS)
    LogfileBytesWritten             = at(0x1020, LARGE_INTEGER)
    ProcessorBlocks                 = at(0x1028, PVOID)  # *ETW_SILO_TRACING_BLOCK
    ContainerRestoreWnfSubscription = at(0x1030, PVOID)  # *EX_WNF_SUBSCRIPTION
    PartitionId                     = at(0x1038, GUID)
    ParentId                        = at(0x1048, GUID)
    QpcOffsetFromRoot               = at(0x1058, LARGE_INTEGER)
    PartitionName                   = at(0x1060, PVOID)
    PartitionNameSize               = at(0x1068, USHORT)
    UnusedPadding                   = at(0x106A, USHORT)
    PartitionType                   = at(0x106C, ULONG)
    SystemLoggerSettings            = at(0x1070, ETW_SYSTEM_LOGGER_SETTINGS)
    EtwpStartTraceMutex             = at(0x11E8, KMUTANT)


class RTL_TIME_ZONE_INFORMATION(Struct, size=0xAC):
    """Time zone: bias, names and changes."""

    Bias          = at(0x00, LONG)
    StandardName  = at(0x04, wchars(32))
    StandardStart = at(0x44, TIME_FIELDS)
    StandardBias  = at(0x54, LONG)
    DaylightName  = at(0x58, wchars(32))
    DaylightStart = at(0x98, TIME_FIELDS)
    DaylightBias  = at(0xA8, LONG)


class RTL_DYNAMIC_TIME_ZONE_INFORMATION(Struct, size=0x1B0):
    """Time zone with its registry key."""

    tzi                         = at(0x000, RTL_TIME_ZONE_INFORMATION)
    TimeZoneKeyName             = at(0x0AC, wchars(128))
    DynamicDaylightTimeDisabled = at(0x1AC, UCHAR)


class TIMEZONE_CHANGE_EVENT(Struct, size=0xA0):
    """Timer of a change of time."""

    Dpc      = at(0x00, KDPC)
    Timer    = at(0x40, KTIMER)
    WorkItem = at(0x80, WORK_QUEUE_ITEM)


class EX_TIMEZONE_STATE(Struct, size=0x3F0):
    """Time zone state of a silo."""

    TimeZoneInformation              = at(0x000, RTL_DYNAMIC_TIME_ZONE_INFORMATION)
    CurrentTimeZoneId                = at(0x1B0, ULONG)
    LastTimeZoneBias                 = at(0x1B4, LONG)
    TimeZoneBias                     = at(0x1B8, LARGE_INTEGER)
    TimeZone                         = at(0x1C0, TIMEZONE_CHANGE_EVENT)
    Century                          = at(0x260, TIMEZONE_CHANGE_EVENT)
    NextYear                         = at(0x300, TIMEZONE_CHANGE_EVENT)
    OkToTimeZoneRefresh              = at(0x3A0, LONG)
    NextCenturyTimeInUTC             = at(0x3A8, LARGE_INTEGER)
    NextCenturyTimeFieldsInLocalTime = at(0x3B0, TIME_FIELDS)
    NextYearTimeInUTC                = at(0x3C0, LARGE_INTEGER)
    NextYearTimeFieldsInLocalTime    = at(0x3C8, TIME_FIELDS)
    LastDynamicTimeZoneYear          = at(0x3D8, SHORT)
    NextSystemCutoverInUTC           = at(0x3E0, LARGE_INTEGER)
    RefreshFailures                  = at(0x3E8, ULONG)


class ESERVERSILO_GLOBALS(Struct, size=0x4A0):
    """Kernel globals of one silo."""

    ObSiloState                 = at(0x000, OBP_SILODRIVERSTATE)
    SeSiloState                 = at(0x2E0, SEP_SILOSTATE)
    SeRmSiloState               = at(0x310, SEP_RM_LSA_CONNECTION_STATE)
    EtwSiloState                = at(0x360, PVOID)  # *ETW_SILODRIVERSTATE
    MiSessionLeaderProcess      = at(0x368, PVOID)  # *EPROCESS
    ExpDefaultErrorPortProcess  = at(0x370, PVOID)  # *EPROCESS
    ExpDefaultErrorPort         = at(0x378, PVOID)
    HardErrorState              = at(0x380, ULONG)
    ExpLicenseState             = at(0x388, PVOID)  # *EXP_LICENSE_STATE
    WnfSiloState                = at(0x390, WNF_SILODRIVERSTATE)
    DbgkSiloState               = at(0x3C8, DBGK_SILOSTATE)
    PsProtectedCurrentDirectory = at(0x3E8, UNICODE_STRING)
    PsProtectedEnvironment      = at(0x3F8, UNICODE_STRING)
    ApiSetSection               = at(0x408, PVOID)
    ApiSetSchema                = at(0x410, PVOID)
    OneCoreForwardersEnabled    = at(0x418, UCHAR)
    TzVirtualizationSupported   = at(0x419, UCHAR)
    ImgFileExecOptions          = at(0x420, PVOID)
    ExTimeZoneState             = at(0x428, PVOID)  # *EX_TIMEZONE_STATE
    NtSystemRoot                = at(0x430, UNICODE_STRING)
    SiloRootDirectoryName       = at(0x440, UNICODE_STRING)
    Storage                     = at(0x450, PVOID)  # *PSP_STORAGE
    State                       = at(0x458, ULONG)  # SERVERSILO_STATE
    ExitStatus                  = at(0x45C, NTSTATUS)
    DeleteEvent                 = at(0x460, PVOID)  # *KEVENT
    UserSharedData              = at(0x468, PVOID)  # *SILO_USER_SHARED_DATA
    UserSharedSection           = at(0x470, PVOID)
    TerminateWorkItem           = at(0x478, WORK_QUEUE_ITEM)
    IsDownlevelContainer        = at(0x498, UCHAR)

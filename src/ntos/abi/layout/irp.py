"""I/O request packets.

Offsets are those of the reference build's public symbols (ntoskrnl 10.0.19041); a comment `*X` says what a
pointer points to, a bare `X` which enumeration or structure a word holds.
"""

from __future__ import annotations

from ntos.abi.layout.dispatcher import KAPC, KDEVICE_QUEUE_ENTRY
from ntos.abi.layout.io import IO_STATUS_BLOCK
from ntos.abi.layout.list import LIST_ENTRY
from ntos.abi.struct import Struct, array, at, bits
from ntos.abi.types import CHAR, LARGE_INTEGER, LONG, PVOID, SHORT, UCHAR, ULONG, ULONGLONG, USHORT


class POWER_STATE(Struct, size=0x04):
    """System or device power state."""

    DeviceState = at(0x00, ULONG)  # DEVICE_POWER_STATE
    SystemState = at(0x00, ULONG)  # SYSTEM_POWER_STATE


class SYSTEM_POWER_STATE_CONTEXT(Struct, size=0x04):
    """Why and how a power transition happens."""

    ContextAsUlong          = at(0x00, ULONG)
    Reserved1               = bits(0x00, ULONG, 0, 8)
    TargetSystemState       = bits(0x00, ULONG, 8, 4)
    EffectiveSystemState    = bits(0x00, ULONG, 12, 4)
    CurrentSystemState      = bits(0x00, ULONG, 16, 4)
    IgnoreHibernationPath   = bits(0x00, ULONG, 20, 1)
    PseudoTransition        = bits(0x00, ULONG, 21, 1)
    KernelSoftReboot        = bits(0x00, ULONG, 22, 1)
    DirectedDripsTransition = bits(0x00, ULONG, 23, 1)
    Reserved2               = bits(0x00, ULONG, 24, 8)


class IO_STACK_LOCATION_Parameters_Create(Struct, size=0x20):
    """Parameters of a request: Create."""

    SecurityContext = at(0x00, PVOID)  # *IO_SECURITY_CONTEXT
    Options         = at(0x08, ULONG)
    FileAttributes  = at(0x10, USHORT)
    ShareAccess     = at(0x12, USHORT)
    EaLength        = at(0x18, ULONG)


class IO_STACK_LOCATION_Parameters_CreateMailslot(Struct, size=0x20):
    """Parameters of a request: CreateMailslot."""

    SecurityContext = at(0x00, PVOID)  # *IO_SECURITY_CONTEXT
    Options         = at(0x08, ULONG)
    Reserved        = at(0x10, USHORT)
    ShareAccess     = at(0x12, USHORT)
    Parameters      = at(0x18, PVOID)  # *MAILSLOT_CREATE_PARAMETERS


class IO_STACK_LOCATION_Parameters_CreatePipe(Struct, size=0x20):
    """Parameters of a request: CreatePipe."""

    SecurityContext = at(0x00, PVOID)  # *IO_SECURITY_CONTEXT
    Options         = at(0x08, ULONG)
    Reserved        = at(0x10, USHORT)
    ShareAccess     = at(0x12, USHORT)
    Parameters      = at(0x18, PVOID)  # *NAMED_PIPE_CREATE_PARAMETERS


class IO_STACK_LOCATION_Parameters_DeviceCapabilities(Struct, size=0x08):
    """Parameters of a request: DeviceCapabilities."""

    Capabilities = at(0x00, PVOID)  # *DEVICE_CAPABILITIES


class IO_STACK_LOCATION_Parameters_DeviceIoControl(Struct, size=0x20):
    """Parameters of a request: DeviceIoControl."""

    OutputBufferLength = at(0x00, ULONG)
    InputBufferLength  = at(0x08, ULONG)
    IoControlCode      = at(0x10, ULONG)
    Type3InputBuffer   = at(0x18, PVOID)


class IO_STACK_LOCATION_Parameters_FileSystemControl(Struct, size=0x20):
    """Parameters of a request: FileSystemControl."""

    OutputBufferLength = at(0x00, ULONG)
    InputBufferLength  = at(0x08, ULONG)
    FsControlCode      = at(0x10, ULONG)
    Type3InputBuffer   = at(0x18, PVOID)


class IO_STACK_LOCATION_Parameters_FilterResourceRequirements(Struct, size=0x08):
    """Parameters of a request: FilterResourceRequirements."""

    IoResourceRequirementList = at(0x00, PVOID)  # *IO_RESOURCE_REQUIREMENTS_LIST


class IO_STACK_LOCATION_Parameters_LockControl(Struct, size=0x18):
    """Parameters of a request: LockControl."""

    Length     = at(0x00, PVOID)  # *LARGE_INTEGER
    Key        = at(0x08, ULONG)
    ByteOffset = at(0x10, LARGE_INTEGER)


class IO_STACK_LOCATION_Parameters_MountVolume(Struct, size=0x10):
    """Parameters of a request: MountVolume."""

    Vpb          = at(0x00, PVOID)  # *VPB
    DeviceObject = at(0x08, PVOID)  # *DEVICE_OBJECT


class IO_STACK_LOCATION_Parameters_NotifyDirectory(Struct, size=0x10):
    """Parameters of a request: NotifyDirectory."""

    Length           = at(0x00, ULONG)
    CompletionFilter = at(0x08, ULONG)


class IO_STACK_LOCATION_Parameters_NotifyDirectoryEx(Struct, size=0x18):
    """Parameters of a request: NotifyDirectoryEx."""

    Length                          = at(0x00, ULONG)
    CompletionFilter                = at(0x08, ULONG)
    DirectoryNotifyInformationClass = at(0x10, ULONG)  # DIRECTORY_NOTIFY_INFORMATION_CLASS


class IO_STACK_LOCATION_Parameters_Others(Struct, size=0x20):
    """Parameters of a request: Others."""

    Argument1 = at(0x00, PVOID)
    Argument2 = at(0x08, PVOID)
    Argument3 = at(0x10, PVOID)
    Argument4 = at(0x18, PVOID)


class IO_STACK_LOCATION_Parameters_Power(Struct, size=0x20):
    """Parameters of a request: Power."""

    SystemContext           = at(0x00, ULONG)
    SystemPowerStateContext = at(0x00, SYSTEM_POWER_STATE_CONTEXT)
    Type                    = at(0x08, ULONG)  # POWER_STATE_TYPE
    State                   = at(0x10, POWER_STATE)
    ShutdownType            = at(0x18, ULONG)  # POWER_ACTION


class IO_STACK_LOCATION_Parameters_PowerSequence(Struct, size=0x08):
    """Parameters of a request: PowerSequence."""

    PowerSequence = at(0x00, PVOID)  # *POWER_SEQUENCE


class IO_STACK_LOCATION_Parameters_QueryDeviceRelations(Struct, size=0x04):
    """Parameters of a request: QueryDeviceRelations."""

    Type = at(0x00, ULONG)  # DEVICE_RELATION_TYPE


class IO_STACK_LOCATION_Parameters_QueryDeviceText(Struct, size=0x10):
    """Parameters of a request: QueryDeviceText."""

    DeviceTextType = at(0x00, ULONG)  # DEVICE_TEXT_TYPE
    LocaleId       = at(0x08, ULONG)


class IO_STACK_LOCATION_Parameters_QueryDirectory(Struct, size=0x20):
    """Parameters of a request: QueryDirectory."""

    Length               = at(0x00, ULONG)
    FileName             = at(0x08, PVOID)  # *UNICODE_STRING
    FileInformationClass = at(0x10, ULONG)  # FILE_INFORMATION_CLASS
    FileIndex            = at(0x18, ULONG)


class IO_STACK_LOCATION_Parameters_QueryEa(Struct, size=0x20):
    """Parameters of a request: QueryEa."""

    Length       = at(0x00, ULONG)
    EaList       = at(0x08, PVOID)
    EaListLength = at(0x10, ULONG)
    EaIndex      = at(0x18, ULONG)


class IO_STACK_LOCATION_Parameters_QueryFile(Struct, size=0x10):
    """Parameters of a request: QueryFile."""

    Length               = at(0x00, ULONG)
    FileInformationClass = at(0x08, ULONG)  # FILE_INFORMATION_CLASS


class IO_STACK_LOCATION_Parameters_QueryId(Struct, size=0x04):
    """Parameters of a request: QueryId."""

    IdType = at(0x00, ULONG)  # BUS_QUERY_ID_TYPE


class IO_STACK_LOCATION_Parameters_QueryInterface(Struct, size=0x20):
    """Parameters of a request: QueryInterface."""

    InterfaceType         = at(0x00, PVOID)  # *GUID
    Size                  = at(0x08, USHORT)
    Version               = at(0x0A, USHORT)
    Interface             = at(0x10, PVOID)  # *INTERFACE
    InterfaceSpecificData = at(0x18, PVOID)


class IO_STACK_LOCATION_Parameters_QueryQuota(Struct, size=0x20):
    """Parameters of a request: QueryQuota."""

    Length        = at(0x00, ULONG)
    StartSid      = at(0x08, PVOID)
    SidList       = at(0x10, PVOID)  # *FILE_GET_QUOTA_INFORMATION
    SidListLength = at(0x18, ULONG)


class IO_STACK_LOCATION_Parameters_QuerySecurity(Struct, size=0x10):
    """Parameters of a request: QuerySecurity."""

    SecurityInformation = at(0x00, ULONG)
    Length              = at(0x08, ULONG)


class IO_STACK_LOCATION_Parameters_QueryVolume(Struct, size=0x10):
    """Parameters of a request: QueryVolume."""

    Length             = at(0x00, ULONG)
    FsInformationClass = at(0x08, ULONG)  # FSINFOCLASS


class IO_STACK_LOCATION_Parameters_Read(Struct, size=0x18):
    """Parameters of a request: Read."""

    Length     = at(0x00, ULONG)
    Key        = at(0x08, ULONG)
    Flags      = at(0x0C, ULONG)
    ByteOffset = at(0x10, LARGE_INTEGER)


class IO_STACK_LOCATION_Parameters_ReadWriteConfig(Struct, size=0x20):
    """Parameters of a request: ReadWriteConfig."""

    WhichSpace = at(0x00, ULONG)
    Buffer     = at(0x08, PVOID)
    Offset     = at(0x10, ULONG)
    Length     = at(0x18, ULONG)


class IO_STACK_LOCATION_Parameters_Scsi(Struct, size=0x08):
    """Parameters of a request: Scsi."""

    Srb = at(0x00, PVOID)  # *SCSI_REQUEST_BLOCK


class IO_STACK_LOCATION_Parameters_SetEa(Struct, size=0x04):
    """Parameters of a request: SetEa."""

    Length = at(0x00, ULONG)


class IO_STACK_LOCATION_Parameters_SetFile(Struct, size=0x20):
    """Parameters of a request: SetFile."""

    Length               = at(0x00, ULONG)
    FileInformationClass = at(0x08, ULONG)  # FILE_INFORMATION_CLASS
    FileObject           = at(0x10, PVOID)  # *FILE_OBJECT
    ClusterCount         = at(0x18, ULONG)
    DeleteHandle         = at(0x18, PVOID)
    ReplaceIfExists      = at(0x18, UCHAR)
    AdvanceOnly          = at(0x19, UCHAR)


class IO_STACK_LOCATION_Parameters_SetLock(Struct, size=0x01):
    """Parameters of a request: SetLock."""

    Lock = at(0x00, UCHAR)


class IO_STACK_LOCATION_Parameters_SetSecurity(Struct, size=0x10):
    """Parameters of a request: SetSecurity."""

    SecurityInformation = at(0x00, ULONG)
    SecurityDescriptor  = at(0x08, PVOID)


class IO_STACK_LOCATION_Parameters_StartDevice(Struct, size=0x10):
    """Parameters of a request: StartDevice."""

    AllocatedResources           = at(0x00, PVOID)  # *CM_RESOURCE_LIST
    AllocatedResourcesTranslated = at(0x08, PVOID)  # *CM_RESOURCE_LIST


class IO_STACK_LOCATION_Parameters_UsageNotification(Struct, size=0x10):
    """Parameters of a request: UsageNotification."""

    InPath   = at(0x00, UCHAR)
    Reserved = at(0x01, array(UCHAR, 3))
    Type     = at(0x08, ULONG)  # DEVICE_USAGE_NOTIFICATION_TYPE


class IO_STACK_LOCATION_Parameters_WMI(Struct, size=0x20):
    """Parameters of a request: WMI."""

    ProviderId = at(0x00, ULONGLONG)
    DataPath   = at(0x08, PVOID)
    BufferSize = at(0x10, ULONG)
    Buffer     = at(0x18, PVOID)


class IO_STACK_LOCATION_Parameters_WaitWake(Struct, size=0x04):
    """Parameters of a request: WaitWake."""

    PowerState = at(0x00, ULONG)  # SYSTEM_POWER_STATE


class IO_STACK_LOCATION_Parameters(Struct, size=0x20):
    """Parameters by major function."""

    Create                     = at(0x00, IO_STACK_LOCATION_Parameters_Create)
    CreateMailslot             = at(0x00, IO_STACK_LOCATION_Parameters_CreateMailslot)
    CreatePipe                 = at(0x00, IO_STACK_LOCATION_Parameters_CreatePipe)
    DeviceCapabilities         = at(0x00, IO_STACK_LOCATION_Parameters_DeviceCapabilities)
    DeviceIoControl            = at(0x00, IO_STACK_LOCATION_Parameters_DeviceIoControl)
    FileSystemControl          = at(0x00, IO_STACK_LOCATION_Parameters_FileSystemControl)
    FilterResourceRequirements = at(0x00, IO_STACK_LOCATION_Parameters_FilterResourceRequirements)
    LockControl                = at(0x00, IO_STACK_LOCATION_Parameters_LockControl)
    MountVolume                = at(0x00, IO_STACK_LOCATION_Parameters_MountVolume)
    NotifyDirectory            = at(0x00, IO_STACK_LOCATION_Parameters_NotifyDirectory)
    NotifyDirectoryEx          = at(0x00, IO_STACK_LOCATION_Parameters_NotifyDirectoryEx)
    Others                     = at(0x00, IO_STACK_LOCATION_Parameters_Others)
    Power                      = at(0x00, IO_STACK_LOCATION_Parameters_Power)
    PowerSequence              = at(0x00, IO_STACK_LOCATION_Parameters_PowerSequence)
    QueryDeviceRelations       = at(0x00, IO_STACK_LOCATION_Parameters_QueryDeviceRelations)
    QueryDeviceText            = at(0x00, IO_STACK_LOCATION_Parameters_QueryDeviceText)
    QueryDirectory             = at(0x00, IO_STACK_LOCATION_Parameters_QueryDirectory)
    QueryEa                    = at(0x00, IO_STACK_LOCATION_Parameters_QueryEa)
    QueryFile                  = at(0x00, IO_STACK_LOCATION_Parameters_QueryFile)
    QueryId                    = at(0x00, IO_STACK_LOCATION_Parameters_QueryId)
    QueryInterface             = at(0x00, IO_STACK_LOCATION_Parameters_QueryInterface)
    QueryQuota                 = at(0x00, IO_STACK_LOCATION_Parameters_QueryQuota)
    QuerySecurity              = at(0x00, IO_STACK_LOCATION_Parameters_QuerySecurity)
    QueryVolume                = at(0x00, IO_STACK_LOCATION_Parameters_QueryVolume)
    Read                       = at(0x00, IO_STACK_LOCATION_Parameters_Read)
    ReadWriteConfig            = at(0x00, IO_STACK_LOCATION_Parameters_ReadWriteConfig)
    Scsi                       = at(0x00, IO_STACK_LOCATION_Parameters_Scsi)
    SetEa                      = at(0x00, IO_STACK_LOCATION_Parameters_SetEa)
    SetFile                    = at(0x00, IO_STACK_LOCATION_Parameters_SetFile)
    SetLock                    = at(0x00, IO_STACK_LOCATION_Parameters_SetLock)
    SetQuota                   = at(0x00, IO_STACK_LOCATION_Parameters_SetEa)
    SetSecurity                = at(0x00, IO_STACK_LOCATION_Parameters_SetSecurity)
    SetVolume                  = at(0x00, IO_STACK_LOCATION_Parameters_QueryVolume)
    StartDevice                = at(0x00, IO_STACK_LOCATION_Parameters_StartDevice)
    UsageNotification          = at(0x00, IO_STACK_LOCATION_Parameters_UsageNotification)
    VerifyVolume               = at(0x00, IO_STACK_LOCATION_Parameters_MountVolume)
    WMI                        = at(0x00, IO_STACK_LOCATION_Parameters_WMI)
    WaitWake                   = at(0x00, IO_STACK_LOCATION_Parameters_WaitWake)
    Write                      = at(0x00, IO_STACK_LOCATION_Parameters_Read)


class IO_STACK_LOCATION(Struct, size=0x48):
    """One driver's parameters in a request."""

    MajorFunction     = at(0x00, UCHAR)
    MinorFunction     = at(0x01, UCHAR)
    Flags             = at(0x02, UCHAR)
    Control           = at(0x03, UCHAR)
    Parameters        = at(0x08, IO_STACK_LOCATION_Parameters)
    DeviceObject      = at(0x28, PVOID)  # *DEVICE_OBJECT
    FileObject        = at(0x30, PVOID)  # *FILE_OBJECT
    CompletionRoutine = at(0x38, PVOID)
    Context           = at(0x40, PVOID)


class IRP_AssociatedIrp(Struct, size=0x08):
    """Master request, count, or system buffer."""

    IrpCount     = at(0x00, LONG)
    MasterIrp    = at(0x00, PVOID)  # *IRP
    SystemBuffer = at(0x00, PVOID)


class IRP_Overlay_AsynchronousParameters(Struct, size=0x10):
    """APC of an asynchronous request."""

    IssuingProcess = at(0x00, PVOID)
    UserApcRoutine = at(0x00, PVOID)
    UserApcContext = at(0x08, PVOID)


class IRP_Overlay(Struct, size=0x10):
    """Asynchronous completion, or allocation size."""

    AllocationSize         = at(0x00, LARGE_INTEGER)
    AsynchronousParameters = at(0x00, IRP_Overlay_AsynchronousParameters)


class IRP_Tail_Overlay(Struct, size=0x58):
    """Driver's part while the request is under way."""

    DeviceQueueEntry     = at(0x00, KDEVICE_QUEUE_ENTRY)
    DriverContext        = at(0x00, array(PVOID, 4))
    Thread               = at(0x20, PVOID)  # *ETHREAD
    AuxiliaryBuffer      = at(0x28, PVOID)
    ListEntry            = at(0x30, LIST_ENTRY)
    CurrentStackLocation = at(0x40, PVOID)  # *IO_STACK_LOCATION
    PacketType           = at(0x40, ULONG)
    OriginalFileObject   = at(0x48, PVOID)  # *FILE_OBJECT
    IrpExtension         = at(0x50, PVOID)


class IRP_Tail(Struct, size=0x58):
    """Driver's part, APC or completion key."""

    Apc           = at(0x00, KAPC)
    CompletionKey = at(0x00, PVOID)
    Overlay       = at(0x00, IRP_Tail_Overlay)


class IRP(Struct, size=0xD0):
    """I/O request packet."""

    Type                      = at(0x00, SHORT)
    Size                      = at(0x02, USHORT)
    AllocationProcessorNumber = at(0x04, USHORT)
    Reserved                  = at(0x06, USHORT)
    MdlAddress                = at(0x08, PVOID)  # *MDL
    Flags                     = at(0x10, ULONG)
    AssociatedIrp             = at(0x18, IRP_AssociatedIrp)
    ThreadListEntry           = at(0x20, LIST_ENTRY)
    IoStatus                  = at(0x30, IO_STATUS_BLOCK)
    RequestorMode             = at(0x40, CHAR)
    PendingReturned           = at(0x41, UCHAR)
    StackCount                = at(0x42, CHAR)
    CurrentLocation           = at(0x43, CHAR)
    Cancel                    = at(0x44, UCHAR)
    CancelIrql                = at(0x45, UCHAR)
    ApcEnvironment            = at(0x46, CHAR)
    AllocationFlags           = at(0x47, UCHAR)
    UserIosb                  = at(0x48, PVOID)  # *IO_STATUS_BLOCK
    UserEvent                 = at(0x50, PVOID)  # *KEVENT
    Overlay                   = at(0x58, IRP_Overlay)
    CancelRoutine             = at(0x68, PVOID)
    UserBuffer                = at(0x70, PVOID)
    Tail                      = at(0x78, IRP_Tail)

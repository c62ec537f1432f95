"""Files, devices, drivers.

Offsets are those of the reference build's public symbols (ntoskrnl 10.0.19041); a comment `*X` says what a
pointer points to, a bare `X` which enumeration or structure a word holds.
"""

from __future__ import annotations

from ntos.abi.layout.dispatcher import KDEVICE_QUEUE, KDEVICE_QUEUE_ENTRY, KDPC, KEVENT
from ntos.abi.layout.list import LIST_ENTRY
from ntos.abi.layout.string import UNICODE_STRING
from ntos.abi.struct import Struct, array, at, bits, wchars
from ntos.abi.types import CHAR, LARGE_INTEGER, LONG, LONGLONG, NTSTATUS, PVOID, SHORT, UCHAR, ULONG, ULONGLONG, USHORT


class IO_STATUS_BLOCK(Struct, size=0x10):
    """How an I/O request ended: status and a count."""

    Pointer     = at(0x00, PVOID)
    Status      = at(0x00, NTSTATUS)
    Information = at(0x08, ULONGLONG)


class FILE_OBJECT(Struct, size=0xD8):
    """File object: one open of a file or device."""

    Type                 = at(0x00, SHORT)
    Size                 = at(0x02, SHORT)
    DeviceObject         = at(0x08, PVOID)  # *DEVICE_OBJECT
    Vpb                  = at(0x10, PVOID)  # *VPB
    FsContext            = at(0x18, PVOID)
    FsContext2           = at(0x20, PVOID)
    SectionObjectPointer = at(0x28, PVOID)  # *SECTION_OBJECT_POINTERS
    PrivateCacheMap      = at(0x30, PVOID)
    FinalStatus          = at(0x38, LONG)
    RelatedFileObject    = at(0x40, PVOID)  # *FILE_OBJECT
    LockOperation        = at(0x48, UCHAR)
    DeletePending        = at(0x49, UCHAR)
    ReadAccess           = at(0x4A, UCHAR)
    WriteAccess          = at(0x4B, UCHAR)
    DeleteAccess         = at(0x4C, UCHAR)
    SharedRead           = at(0x4D, UCHAR)
    SharedWrite          = at(0x4E, UCHAR)
    SharedDelete         = at(0x4F, UCHAR)
    Flags                = at(0x50, ULONG)
    FileName             = at(0x58, UNICODE_STRING)
    CurrentByteOffset    = at(0x68, LARGE_INTEGER)
    Waiters              = at(0x70, ULONG)
    Busy                 = at(0x74, ULONG)
    LastLock             = at(0x78, PVOID)
    Lock                 = at(0x80, KEVENT)
    Event                = at(0x98, KEVENT)
    CompletionContext    = at(0xB0, PVOID)  # *IO_COMPLETION_CONTEXT
    IrpListLock          = at(0xB8, ULONGLONG)
    IrpList              = at(0xC0, LIST_ENTRY)
    FileObjectExtension  = at(0xD0, PVOID)


class VPB(Struct, size=0x60):
    """Volume parameter block: what mounts a file system on a device."""

    Type              = at(0x00, SHORT)
    Size              = at(0x02, SHORT)
    Flags             = at(0x04, USHORT)
    VolumeLabelLength = at(0x06, USHORT)
    DeviceObject      = at(0x08, PVOID)  # *DEVICE_OBJECT
    RealDevice        = at(0x10, PVOID)  # *DEVICE_OBJECT
    SerialNumber      = at(0x18, ULONG)
    ReferenceCount    = at(0x1C, ULONG)
    VolumeLabel       = at(0x20, wchars(32))


class WAIT_CONTEXT_BLOCK(Struct, size=0x48):
    """Request for a shared adapter."""

    DmaWaitEntry         = at(0x00, LIST_ENTRY)
    WaitQueueEntry       = at(0x00, KDEVICE_QUEUE_ENTRY)
    NumberOfChannels     = at(0x10, ULONG)
    SyncCallback         = bits(0x14, ULONG, 0, 1)
    DmaContext           = bits(0x14, ULONG, 1, 1)
    ZeroMapRegisters     = bits(0x14, ULONG, 2, 1)
    Reserved             = bits(0x14, ULONG, 3, 9)
    NumberOfRemapPages   = bits(0x14, ULONG, 12, 20)
    DeviceRoutine        = at(0x18, PVOID)
    DeviceContext        = at(0x20, PVOID)
    NumberOfMapRegisters = at(0x28, ULONG)
    DeviceObject         = at(0x30, PVOID)
    CurrentIrp           = at(0x38, PVOID)
    BufferChainingDpc    = at(0x40, PVOID)  # *KDPC


class DEVICE_OBJECT_Queue(Struct, size=0x48):
    """Queue entry of a device, or its adapter wait."""

    ListEntry = at(0x00, LIST_ENTRY)
    Wcb       = at(0x00, WAIT_CONTEXT_BLOCK)


class DEVICE_OBJECT(Struct, size=0x150):
    """Device object."""

    Type                  = at(0x000, SHORT)
    Size                  = at(0x002, USHORT)
    ReferenceCount        = at(0x004, LONG)
    DriverObject          = at(0x008, PVOID)  # *DRIVER_OBJECT
    NextDevice            = at(0x010, PVOID)  # *DEVICE_OBJECT
    AttachedDevice        = at(0x018, PVOID)  # *DEVICE_OBJECT
    CurrentIrp            = at(0x020, PVOID)  # *IRP
    Timer                 = at(0x028, PVOID)  # *IO_TIMER
    Flags                 = at(0x030, ULONG)
    Characteristics       = at(0x034, ULONG)
    Vpb                   = at(0x038, PVOID)  # *VPB
    DeviceExtension       = at(0x040, PVOID)
    DeviceType            = at(0x048, ULONG)
    StackSize             = at(0x04C, CHAR)
    Queue                 = at(0x050, DEVICE_OBJECT_Queue)
    AlignmentRequirement  = at(0x098, ULONG)
    DeviceQueue           = at(0x0A0, KDEVICE_QUEUE)
    Dpc                   = at(0x0C8, KDPC)
    ActiveThreadCount     = at(0x108, ULONG)
    SecurityDescriptor    = at(0x110, PVOID)
    DeviceLock            = at(0x118, KEVENT)
    SectorSize            = at(0x130, USHORT)
    Spare1                = at(0x132, USHORT)
    DeviceObjectExtension = at(0x138, PVOID)  # *DEVOBJ_EXTENSION
    Reserved              = at(0x140, PVOID)


class DEVOBJ_EXTENSION(Struct, size=0x70):
    """The I/O manager's part of a device."""

    Type             = at(0x00, SHORT)
    Size             = at(0x02, USHORT)
    DeviceObject     = at(0x08, PVOID)  # *DEVICE_OBJECT
    PowerFlags       = at(0x10, ULONG)
    Dope             = at(0x18, PVOID)  # *DEVICE_OBJECT_POWER_EXTENSION
    ExtensionFlags   = at(0x20, ULONG)
    DeviceNode       = at(0x28, PVOID)
    AttachedTo       = at(0x30, PVOID)  # *DEVICE_OBJECT
    StartIoCount     = at(0x38, LONG)
    StartIoKey       = at(0x3C, LONG)
    StartIoFlags     = at(0x40, ULONG)
    Vpb              = at(0x48, PVOID)  # *VPB
    DependencyNode   = at(0x50, PVOID)
    InterruptContext = at(0x58, PVOID)
    InterruptCount   = at(0x60, LONG)
    VerifierContext  = at(0x68, PVOID)


class DRIVER_EXTENSION(Struct, size=0x50):
    """The I/O manager's part of a driver."""

    DriverObject          = at(0x00, PVOID)  # *DRIVER_OBJECT
    AddDevice             = at(0x08, PVOID)
    Count                 = at(0x10, ULONG)
    ServiceKeyName        = at(0x18, UNICODE_STRING)
    ClientDriverExtension = at(0x28, PVOID)  # *IO_CLIENT_EXTENSION
    FsFilterCallbacks     = at(0x30, PVOID)  # *FS_FILTER_CALLBACKS
    KseCallbacks          = at(0x38, PVOID)
    DvCallbacks           = at(0x40, PVOID)
    VerifierContext       = at(0x48, PVOID)


class DRIVER_OBJECT(Struct, size=0x150):
    """Driver object."""

    Type             = at(0x00, SHORT)
    Size             = at(0x02, SHORT)
    DeviceObject     = at(0x08, PVOID)  # *DEVICE_OBJECT
    Flags            = at(0x10, ULONG)
    DriverStart      = at(0x18, PVOID)
    DriverSize       = at(0x20, ULONG)
    DriverSection    = at(0x28, PVOID)
    DriverExtension  = at(0x30, PVOID)  # *DRIVER_EXTENSION
    DriverName       = at(0x38, UNICODE_STRING)
    HardwareDatabase = at(0x48, PVOID)  # *UNICODE_STRING
    FastIoDispatch   = at(0x50, PVOID)  # *FAST_IO_DISPATCH
    DriverInit       = at(0x58, PVOID)
    DriverStartIo    = at(0x60, PVOID)
    DriverUnload     = at(0x68, PVOID)
    MajorFunction    = at(0x70, array(PVOID, 28))


class IO_COMPLETION_CONTEXT(Struct, size=0x18):
    """The completion port a file is bound to, and its key."""

    Port       = at(0x00, PVOID)
    Key        = at(0x08, PVOID)
    UsageCount = at(0x10, LONGLONG)

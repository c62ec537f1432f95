"""The object manager: headers, types, directories, symbolic links.

Offsets are those of the reference build's public symbols (ntoskrnl 10.0.19041); a comment `*X` says what a
pointer points to, a bare `X` which enumeration or structure a word holds.
"""

from __future__ import annotations

from ntos.abi.layout.executive import EX_PUSH_LOCK, GENERIC_MAPPING
from ntos.abi.layout.list import LIST_ENTRY
from ntos.abi.layout.string import QUAD, UNICODE_STRING
from ntos.abi.layout.token import SECURITY_QUALITY_OF_SERVICE
from ntos.abi.struct import Struct, array, at, bits
from ntos.abi.types import CHAR, LARGE_INTEGER, LONG, LONGLONG, PVOID, UCHAR, ULONG, ULONGLONG, USHORT


class OBJECT_HEADER(Struct, size=0x38):
    """What lies before every object's body."""

    PointerCount         = at(0x00, LONGLONG)
    HandleCount          = at(0x08, LONGLONG)
    NextToFree           = at(0x08, PVOID)
    Lock                 = at(0x10, EX_PUSH_LOCK)
    TypeIndex            = at(0x18, UCHAR)
    TraceFlags           = at(0x19, UCHAR)
    DbgRefTrace          = bits(0x19, UCHAR, 0, 1)
    DbgTracePermanent    = bits(0x19, UCHAR, 1, 1)
    InfoMask             = at(0x1A, UCHAR)
    Flags                = at(0x1B, UCHAR)
    NewObject            = bits(0x1B, UCHAR, 0, 1)
    KernelObject         = bits(0x1B, UCHAR, 1, 1)
    KernelOnlyAccess     = bits(0x1B, UCHAR, 2, 1)
    ExclusiveObject      = bits(0x1B, UCHAR, 3, 1)
    PermanentObject      = bits(0x1B, UCHAR, 4, 1)
    DefaultSecurityQuota = bits(0x1B, UCHAR, 5, 1)
    SingleHandleEntry    = bits(0x1B, UCHAR, 6, 1)
    DeletedInline        = bits(0x1B, UCHAR, 7, 1)
    Reserved             = at(0x1C, ULONG)
    ObjectCreateInfo     = at(0x20, PVOID)  # *OBJECT_CREATE_INFORMATION
    QuotaBlockCharged    = at(0x20, PVOID)
    SecurityDescriptor   = at(0x28, PVOID)
    Body                 = at(0x30, QUAD)


class OBJECT_HEADER_AUDIT_INFO(Struct, size=0x10):
    """Optional header: audit descriptor."""

    SecurityDescriptor = at(0x00, PVOID)
    Reserved           = at(0x08, ULONGLONG)


class OBJECT_HEADER_CREATOR_INFO(Struct, size=0x20):
    """Optional header: link in the type's list, and who created the object."""

    TypeList              = at(0x00, LIST_ENTRY)
    CreatorUniqueProcess  = at(0x10, PVOID)
    CreatorBackTraceIndex = at(0x18, USHORT)
    Reserved1             = at(0x1A, USHORT)
    Reserved2             = at(0x1C, ULONG)


class OBJECT_HEADER_EXTENDED_INFO(Struct, size=0x10):
    """Optional header: footer and extension."""

    Footer   = at(0x00, PVOID)  # *OBJECT_FOOTER
    Reserved = at(0x08, ULONGLONG)


class OBJECT_HANDLE_COUNT_ENTRY(Struct, size=0x10):
    """How many handles one process holds on the object."""

    Process     = at(0x00, PVOID)  # *EPROCESS
    HandleCount = bits(0x08, ULONG, 0, 24)
    LockCount   = bits(0x08, ULONG, 24, 8)


class OBJECT_HANDLE_COUNT_DATABASE(Struct, size=0x18):
    """Handle counts by process."""

    CountEntries       = at(0x00, ULONG)
    HandleCountEntries = at(0x08, array(OBJECT_HANDLE_COUNT_ENTRY, 1))


class OBJECT_HEADER_HANDLE_INFO(Struct, size=0x10):
    """Optional header: handle counts by process."""

    HandleCountDataBase = at(0x00, PVOID)  # *OBJECT_HANDLE_COUNT_DATABASE
    SingleEntry         = at(0x00, OBJECT_HANDLE_COUNT_ENTRY)


class OBJECT_HEADER_NAME_INFO(Struct, size=0x20):
    """Optional header: directory and name."""

    Directory      = at(0x00, PVOID)  # *OBJECT_DIRECTORY
    Name           = at(0x08, UNICODE_STRING)
    ReferenceCount = at(0x18, LONG)
    Reserved       = at(0x1C, ULONG)


class OBJECT_HEADER_PADDING_INFO(Struct, size=0x04):
    """Optional header: padding before the object."""

    PaddingAmount = at(0x00, ULONG)


class OBJECT_HEADER_PROCESS_INFO(Struct, size=0x10):
    """Optional header: process with exclusive access."""

    ExclusiveProcess = at(0x00, PVOID)  # *EPROCESS
    Reserved         = at(0x08, ULONGLONG)


class OBJECT_HEADER_QUOTA_INFO(Struct, size=0x20):
    """Optional header: charges, and the quota block's security part."""

    PagedPoolCharge              = at(0x00, ULONG)
    NonPagedPoolCharge           = at(0x04, ULONG)
    SecurityDescriptorCharge     = at(0x08, ULONG)
    Reserved1                    = at(0x0C, ULONG)
    SecurityDescriptorQuotaBlock = at(0x10, PVOID)
    Reserved2                    = at(0x18, ULONGLONG)


class HANDLE_REVOCATION_INFO(Struct, size=0x20):
    """Handles to be revoked with the object."""

    ListEntry             = at(0x00, LIST_ENTRY)
    RevocationBlock       = at(0x10, PVOID)  # *OB_HANDLE_REVOCATION_BLOCK
    AllowHandleRevocation = at(0x18, UCHAR)
    Padding1              = at(0x19, array(UCHAR, 3))
    Padding2              = at(0x1C, array(UCHAR, 4))


class OB_EXTENDED_USER_INFO(Struct, size=0x10):
    """User context kept with an object."""

    Context1 = at(0x00, PVOID)
    Context2 = at(0x08, PVOID)


class OBJECT_FOOTER(Struct, size=0x30):
    """What follows an object that has an extended header."""

    HandleRevocationInfo = at(0x00, HANDLE_REVOCATION_INFO)
    ExtendedUserInfo     = at(0x20, OB_EXTENDED_USER_INFO)


class OBJECT_CREATE_INFORMATION(Struct, size=0x40):
    """Captured attributes while an object is being created."""

    Attributes               = at(0x00, ULONG)
    RootDirectory            = at(0x08, PVOID)
    ProbeMode                = at(0x10, CHAR)
    PagedPoolCharge          = at(0x14, ULONG)
    NonPagedPoolCharge       = at(0x18, ULONG)
    SecurityDescriptorCharge = at(0x1C, ULONG)
    SecurityDescriptor       = at(0x20, PVOID)
    SecurityQos              = at(0x28, PVOID)  # *SECURITY_QUALITY_OF_SERVICE
    SecurityQualityOfService = at(0x30, SECURITY_QUALITY_OF_SERVICE)


class OBJECT_TYPE_INITIALIZER(Struct, size=0x78):
    """What a type's owner promised: procedures, rights, charges."""

    Length                    = at(0x00, USHORT)
    ObjectTypeFlags           = at(0x02, USHORT)
    CaseInsensitive           = bits(0x02, UCHAR, 0, 1)
    UnnamedObjectsOnly        = bits(0x02, UCHAR, 1, 1)
    UseDefaultObject          = bits(0x02, UCHAR, 2, 1)
    SecurityRequired          = bits(0x02, UCHAR, 3, 1)
    MaintainHandleCount       = bits(0x02, UCHAR, 4, 1)
    MaintainTypeList          = bits(0x02, UCHAR, 5, 1)
    SupportsObjectCallbacks   = bits(0x02, UCHAR, 6, 1)
    CacheAligned              = bits(0x02, UCHAR, 7, 1)
    UseExtendedParameters     = bits(0x03, UCHAR, 0, 1)
    Reserved                  = bits(0x03, UCHAR, 1, 7)
    ObjectTypeCode            = at(0x04, ULONG)
    InvalidAttributes         = at(0x08, ULONG)
    GenericMapping            = at(0x0C, GENERIC_MAPPING)
    ValidAccessMask           = at(0x1C, ULONG)
    RetainAccess              = at(0x20, ULONG)
    PoolType                  = at(0x24, ULONG)  # POOL_TYPE
    DefaultPagedPoolCharge    = at(0x28, ULONG)
    DefaultNonPagedPoolCharge = at(0x2C, ULONG)
    DumpProcedure             = at(0x30, PVOID)
    OpenProcedure             = at(0x38, PVOID)
    CloseProcedure            = at(0x40, PVOID)
    DeleteProcedure           = at(0x48, PVOID)
    ParseProcedure            = at(0x50, PVOID)
    ParseProcedureEx          = at(0x50, PVOID)
    SecurityProcedure         = at(0x58, PVOID)
    QueryNameProcedure        = at(0x60, PVOID)
    OkayToCloseProcedure      = at(0x68, PVOID)
    WaitObjectFlagMask        = at(0x70, ULONG)
    WaitObjectFlagOffset      = at(0x74, USHORT)
    WaitObjectPointerOffset   = at(0x76, USHORT)


class OBJECT_TYPE(Struct, size=0xD8):
    """Type object."""

    TypeList                 = at(0x00, LIST_ENTRY)
    Name                     = at(0x10, UNICODE_STRING)
    DefaultObject            = at(0x20, PVOID)
    Index                    = at(0x28, UCHAR)
    TotalNumberOfObjects     = at(0x2C, ULONG)
    TotalNumberOfHandles     = at(0x30, ULONG)
    HighWaterNumberOfObjects = at(0x34, ULONG)
    HighWaterNumberOfHandles = at(0x38, ULONG)
    TypeInfo                 = at(0x40, OBJECT_TYPE_INITIALIZER)
    TypeLock                 = at(0xB8, EX_PUSH_LOCK)
    Key                      = at(0xC0, ULONG)
    CallbackList             = at(0xC8, LIST_ENTRY)


class OBJECT_DUMP_CONTROL(Struct, size=0x10):
    """How a type dumps its objects."""

    Stream = at(0x00, PVOID)
    Detail = at(0x08, ULONG)


class OBJECT_DIRECTORY_ENTRY(Struct, size=0x18):
    """Name bucket entry of a directory."""

    ChainLink = at(0x00, PVOID)  # *OBJECT_DIRECTORY_ENTRY
    Object    = at(0x08, PVOID)
    HashValue = at(0x10, ULONG)


class OBJECT_DIRECTORY(Struct, size=0x158):
    """Directory object: 37 hash buckets."""

    HashBuckets     = at(0x000, array(PVOID, 37))  # *OBJECT_DIRECTORY_ENTRY
    Lock            = at(0x128, EX_PUSH_LOCK)
    DeviceMap       = at(0x130, PVOID)  # *DEVICE_MAP
    ShadowDirectory = at(0x138, PVOID)  # *OBJECT_DIRECTORY
    NamespaceEntry  = at(0x140, PVOID)
    SessionObject   = at(0x148, PVOID)
    Flags           = at(0x150, ULONG)
    SessionId       = at(0x154, ULONG)


class OBJECT_SYMBOLIC_LINK(Struct, size=0x28):
    """Symbolic link object."""

    CreationTime        = at(0x00, LARGE_INTEGER)
    Callback            = at(0x08, PVOID)
    LinkTarget          = at(0x08, UNICODE_STRING)
    CallbackContext     = at(0x10, PVOID)
    DosDeviceDriveIndex = at(0x18, ULONG)
    Flags               = at(0x1C, ULONG)
    AccessMask          = at(0x20, ULONG)


class OBJECT_NAMESPACE_LOOKUPTABLE(Struct, size=0x260):
    """Private namespaces by boundary descriptor."""

    HashBuckets           = at(0x000, array(LIST_ENTRY, 37))
    Lock                  = at(0x250, EX_PUSH_LOCK)
    NumberOfPrivateSpaces = at(0x258, ULONG)


class DEVICE_MAP(Struct, size=0x48):
    """DOS device names of a logon session."""

    DosDevicesDirectory       = at(0x00, PVOID)  # *OBJECT_DIRECTORY
    GlobalDosDevicesDirectory = at(0x08, PVOID)  # *OBJECT_DIRECTORY
    DosDevicesDirectoryHandle = at(0x10, PVOID)
    ReferenceCount            = at(0x18, LONG)
    DriveMap                  = at(0x1C, ULONG)
    DriveType                 = at(0x20, array(UCHAR, 32))
    ServerSilo                = at(0x40, PVOID)  # *EJOB


class OBJECT_ATTRIBUTES(Struct, size=0x30):
    """What an open or create call names: root, name, attributes, security."""

    Length                   = at(0x00, ULONG)
    RootDirectory            = at(0x08, PVOID)
    ObjectName               = at(0x10, PVOID)  # *UNICODE_STRING
    Attributes               = at(0x18, ULONG)
    SecurityDescriptor       = at(0x20, PVOID)
    SecurityQualityOfService = at(0x28, PVOID)


class OBJECT_NAME_INFORMATION(Struct, size=0x10):
    """Full name of an object."""

    Name = at(0x00, UNICODE_STRING)


class POOL_HEADER(Struct, size=0x10):
    """What lies before every pool block."""

    Ulong1                  = at(0x00, ULONG)
    PreviousSize            = bits(0x00, USHORT, 0, 8)
    PoolIndex               = bits(0x00, USHORT, 8, 8)
    BlockSize               = bits(0x02, USHORT, 0, 8)
    PoolType                = bits(0x02, USHORT, 8, 8)
    PoolTag                 = at(0x04, ULONG)
    AllocatorBackTraceIndex = at(0x08, USHORT)
    ProcessBilled           = at(0x08, PVOID)  # *EPROCESS
    PoolTagHash             = at(0x0A, USHORT)


class POOL_TRACKER_BIG_PAGES(Struct, size=0x18):
    """A pool block of a page or more."""

    Va            = at(0x00, ULONGLONG)
    Key           = at(0x08, ULONG)
    Pattern       = bits(0x0C, ULONG, 0, 8)
    PoolType      = bits(0x0C, ULONG, 8, 12)
    SlushSize     = bits(0x0C, ULONG, 20, 12)
    NumberOfBytes = at(0x10, ULONGLONG)

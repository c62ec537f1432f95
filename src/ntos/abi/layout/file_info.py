"""Answers about files, directories, pipes and volumes."""

from __future__ import annotations

from ntos.abi.struct import Struct, array, at
from ntos.abi.types import (
    ACCESS_MASK,
    BOOLEAN,
    CHAR,
    HANDLE,
    LARGE_INTEGER,
    LONG,
    PVOID,
    UCHAR,
    ULONG,
    ULONGLONG,
    USHORT,
    WCHAR,
)


class FILE_BASIC_INFORMATION(Struct, size=0x28):
    """Times and attributes."""

    CreationTime   = at(0x00, LARGE_INTEGER)
    LastAccessTime = at(0x08, LARGE_INTEGER)
    LastWriteTime  = at(0x10, LARGE_INTEGER)
    ChangeTime     = at(0x18, LARGE_INTEGER)
    FileAttributes = at(0x20, ULONG)


class FILE_STANDARD_INFORMATION(Struct, size=0x18):
    """Size, links and deletion."""

    AllocationSize = at(0x00, LARGE_INTEGER)
    EndOfFile      = at(0x08, LARGE_INTEGER)
    NumberOfLinks  = at(0x10, ULONG)
    DeletePending  = at(0x14, BOOLEAN)
    Directory      = at(0x15, BOOLEAN)


class FILE_INTERNAL_INFORMATION(Struct, size=0x08):
    """File number."""

    IndexNumber = at(0x00, LARGE_INTEGER)


class FILE_EA_INFORMATION(Struct, size=0x04):
    """Size of the extended attributes."""

    EaSize = at(0x00, ULONG)


class FILE_ACCESS_INFORMATION(Struct, size=0x04):
    """Access the handle was granted."""

    AccessFlags = at(0x00, ACCESS_MASK)


class FILE_POSITION_INFORMATION(Struct, size=0x08):
    """Current byte offset."""

    CurrentByteOffset = at(0x00, LARGE_INTEGER)


class FILE_MODE_INFORMATION(Struct, size=0x04):
    """How the file was opened."""

    Mode = at(0x00, ULONG)


class FILE_ALIGNMENT_INFORMATION(Struct, size=0x04):
    """Buffer alignment the device asks for."""

    AlignmentRequirement = at(0x00, ULONG)


class FILE_NAME_INFORMATION(Struct, size=0x08):
    """Name; it follows at 4."""

    FileNameLength = at(0x00, ULONG)
    FileName       = at(0x04, array(WCHAR, 1))


class FILE_ALL_INFORMATION(Struct, size=0x68):
    """Everything at once; the name ends it."""

    BasicInformation     = at(0x00, FILE_BASIC_INFORMATION)
    StandardInformation  = at(0x28, FILE_STANDARD_INFORMATION)
    InternalInformation  = at(0x40, FILE_INTERNAL_INFORMATION)
    EaInformation        = at(0x48, FILE_EA_INFORMATION)
    AccessInformation    = at(0x4C, FILE_ACCESS_INFORMATION)
    PositionInformation  = at(0x50, FILE_POSITION_INFORMATION)
    ModeInformation      = at(0x58, FILE_MODE_INFORMATION)
    AlignmentInformation = at(0x5C, FILE_ALIGNMENT_INFORMATION)
    NameInformation      = at(0x60, FILE_NAME_INFORMATION)


class FILE_NETWORK_OPEN_INFORMATION(Struct, size=0x38):
    """Times, size and attributes (NtQueryFullAttributesFile)."""

    CreationTime   = at(0x00, LARGE_INTEGER)
    LastAccessTime = at(0x08, LARGE_INTEGER)
    LastWriteTime  = at(0x10, LARGE_INTEGER)
    ChangeTime     = at(0x18, LARGE_INTEGER)
    AllocationSize = at(0x20, LARGE_INTEGER)
    EndOfFile      = at(0x28, LARGE_INTEGER)
    FileAttributes = at(0x30, ULONG)


class FILE_ATTRIBUTE_TAG_INFORMATION(Struct, size=0x08):
    """Attributes and reparse tag."""

    FileAttributes = at(0x00, ULONG)
    ReparseTag     = at(0x04, ULONG)


class FILE_ALLOCATION_INFORMATION(Struct, size=0x08):
    """New allocation size."""

    AllocationSize = at(0x00, LARGE_INTEGER)


class FILE_END_OF_FILE_INFORMATION(Struct, size=0x08):
    """New end of file."""

    EndOfFile = at(0x00, LARGE_INTEGER)


class FILE_VALID_DATA_LENGTH_INFORMATION(Struct, size=0x08):
    """New valid data length."""

    ValidDataLength = at(0x00, LARGE_INTEGER)


class FILE_DISPOSITION_INFORMATION(Struct, size=0x01):
    """Whether the file goes with its last handle."""

    DeleteFile = at(0x00, BOOLEAN)


class FILE_DISPOSITION_INFORMATION_EX(Struct, size=0x04):
    """How the file is deleted."""

    Flags = at(0x00, ULONG)


class FILE_RENAME_INFORMATION(Struct, size=0x18):
    """New name; it begins at 0x14. Flags overlap ReplaceIfExists in the Ex form."""

    ReplaceIfExists = at(0x00, BOOLEAN)
    Flags           = at(0x00, ULONG)
    RootDirectory   = at(0x08, HANDLE)
    FileNameLength  = at(0x10, ULONG)
    FileName        = at(0x14, array(WCHAR, 1))


class FILE_LINK_INFORMATION(Struct, size=0x18):
    """Name of a new hard link; it begins at 0x14."""

    ReplaceIfExists = at(0x00, BOOLEAN)
    Flags           = at(0x00, ULONG)
    RootDirectory   = at(0x08, HANDLE)
    FileNameLength  = at(0x10, ULONG)
    FileName        = at(0x14, array(WCHAR, 1))


class FILE_COMPLETION_INFORMATION(Struct, size=0x10):
    """Completion port of a file, and its key."""

    Port = at(0x00, HANDLE)
    Key  = at(0x08, PVOID)


class FILE_IO_COMPLETION_NOTIFICATION_INFORMATION(Struct, size=0x04):
    """When completion is not told."""

    Flags = at(0x00, ULONG)


class FILE_IO_PRIORITY_HINT_INFORMATION(Struct, size=0x04):
    """I/O priority of a handle."""

    PriorityHint = at(0x00, ULONG)


class FILE_IS_REMOTE_DEVICE_INFORMATION(Struct, size=0x01):
    """Whether the file is across a network."""

    IsRemote = at(0x00, BOOLEAN)


class FILE_CASE_SENSITIVE_INFORMATION(Struct, size=0x04):
    """Whether a directory minds case."""

    Flags = at(0x00, ULONG)


class FILE_ID_INFORMATION(Struct, size=0x18):
    """Volume and 128-bit file id."""

    VolumeSerialNumber = at(0x00, ULONGLONG)
    FileId             = at(0x08, array(UCHAR, 16))


class FILE_STAT_INFORMATION(Struct, size=0x48):
    """Times, size, access and links at once."""

    FileId          = at(0x00, LARGE_INTEGER)
    CreationTime    = at(0x08, LARGE_INTEGER)
    LastAccessTime  = at(0x10, LARGE_INTEGER)
    LastWriteTime   = at(0x18, LARGE_INTEGER)
    ChangeTime      = at(0x20, LARGE_INTEGER)
    AllocationSize  = at(0x28, LARGE_INTEGER)
    EndOfFile       = at(0x30, LARGE_INTEGER)
    FileAttributes  = at(0x38, ULONG)
    ReparseTag      = at(0x3C, ULONG)
    NumberOfLinks   = at(0x40, ULONG)
    EffectiveAccess = at(0x44, ACCESS_MASK)


class FILE_STREAM_INFORMATION(Struct, size=0x20):
    """One stream; its name begins at 0x18."""

    NextEntryOffset      = at(0x00, ULONG)
    StreamNameLength     = at(0x04, ULONG)
    StreamSize           = at(0x08, LARGE_INTEGER)
    StreamAllocationSize = at(0x10, LARGE_INTEGER)
    StreamName           = at(0x18, array(WCHAR, 1))


class FILE_COMPRESSION_INFORMATION(Struct, size=0x10):
    """Compressed size and format."""

    CompressedFileSize   = at(0x00, LARGE_INTEGER)
    CompressionFormat    = at(0x08, USHORT)
    CompressionUnitShift = at(0x0A, UCHAR)
    ChunkShift           = at(0x0B, UCHAR)
    ClusterShift         = at(0x0C, UCHAR)
    Reserved             = at(0x0D, array(UCHAR, 3))


class FILE_DIRECTORY_INFORMATION(Struct, size=0x48):
    """One name in a directory; it begins at 0x40."""

    NextEntryOffset = at(0x00, ULONG)
    FileIndex       = at(0x04, ULONG)
    CreationTime    = at(0x08, LARGE_INTEGER)
    LastAccessTime  = at(0x10, LARGE_INTEGER)
    LastWriteTime   = at(0x18, LARGE_INTEGER)
    ChangeTime      = at(0x20, LARGE_INTEGER)
    EndOfFile       = at(0x28, LARGE_INTEGER)
    AllocationSize  = at(0x30, LARGE_INTEGER)
    FileAttributes  = at(0x38, ULONG)
    FileNameLength  = at(0x3C, ULONG)
    FileName        = at(0x40, array(WCHAR, 1))


class FILE_FULL_DIR_INFORMATION(Struct, size=0x48):
    """One name with extended attributes' size; it begins at 0x44."""

    NextEntryOffset = at(0x00, ULONG)
    FileIndex       = at(0x04, ULONG)
    CreationTime    = at(0x08, LARGE_INTEGER)
    LastAccessTime  = at(0x10, LARGE_INTEGER)
    LastWriteTime   = at(0x18, LARGE_INTEGER)
    ChangeTime      = at(0x20, LARGE_INTEGER)
    EndOfFile       = at(0x28, LARGE_INTEGER)
    AllocationSize  = at(0x30, LARGE_INTEGER)
    FileAttributes  = at(0x38, ULONG)
    FileNameLength  = at(0x3C, ULONG)
    EaSize          = at(0x40, ULONG)
    FileName        = at(0x44, array(WCHAR, 1))


class FILE_BOTH_DIR_INFORMATION(Struct, size=0x60):
    """One name with its short name; it begins at 0x5E."""

    NextEntryOffset = at(0x00, ULONG)
    FileIndex       = at(0x04, ULONG)
    CreationTime    = at(0x08, LARGE_INTEGER)
    LastAccessTime  = at(0x10, LARGE_INTEGER)
    LastWriteTime   = at(0x18, LARGE_INTEGER)
    ChangeTime      = at(0x20, LARGE_INTEGER)
    EndOfFile       = at(0x28, LARGE_INTEGER)
    AllocationSize  = at(0x30, LARGE_INTEGER)
    FileAttributes  = at(0x38, ULONG)
    FileNameLength  = at(0x3C, ULONG)
    EaSize          = at(0x40, ULONG)
    ShortNameLength = at(0x44, CHAR)
    ShortName       = at(0x46, array(WCHAR, 12))
    FileName        = at(0x5E, array(WCHAR, 1))


class FILE_ID_FULL_DIR_INFORMATION(Struct, size=0x58):
    """One name with its file id; it begins at 0x50."""

    NextEntryOffset = at(0x00, ULONG)
    FileIndex       = at(0x04, ULONG)
    CreationTime    = at(0x08, LARGE_INTEGER)
    LastAccessTime  = at(0x10, LARGE_INTEGER)
    LastWriteTime   = at(0x18, LARGE_INTEGER)
    ChangeTime      = at(0x20, LARGE_INTEGER)
    EndOfFile       = at(0x28, LARGE_INTEGER)
    AllocationSize  = at(0x30, LARGE_INTEGER)
    FileAttributes  = at(0x38, ULONG)
    FileNameLength  = at(0x3C, ULONG)
    EaSize          = at(0x40, ULONG)
    FileId          = at(0x48, LARGE_INTEGER)
    FileName        = at(0x50, array(WCHAR, 1))


class FILE_ID_BOTH_DIR_INFORMATION(Struct, size=0x70):
    """One name with its short name and file id; it begins at 0x68."""

    NextEntryOffset = at(0x00, ULONG)
    FileIndex       = at(0x04, ULONG)
    CreationTime    = at(0x08, LARGE_INTEGER)
    LastAccessTime  = at(0x10, LARGE_INTEGER)
    LastWriteTime   = at(0x18, LARGE_INTEGER)
    ChangeTime      = at(0x20, LARGE_INTEGER)
    EndOfFile       = at(0x28, LARGE_INTEGER)
    AllocationSize  = at(0x30, LARGE_INTEGER)
    FileAttributes  = at(0x38, ULONG)
    FileNameLength  = at(0x3C, ULONG)
    EaSize          = at(0x40, ULONG)
    ShortNameLength = at(0x44, CHAR)
    ShortName       = at(0x46, array(WCHAR, 12))
    FileId          = at(0x60, LARGE_INTEGER)
    FileName        = at(0x68, array(WCHAR, 1))


class FILE_ID_EXTD_DIR_INFORMATION(Struct, size=0x60):
    """One name with its 128-bit file id; it begins at 0x58."""

    NextEntryOffset = at(0x00, ULONG)
    FileIndex       = at(0x04, ULONG)
    CreationTime    = at(0x08, LARGE_INTEGER)
    LastAccessTime  = at(0x10, LARGE_INTEGER)
    LastWriteTime   = at(0x18, LARGE_INTEGER)
    ChangeTime      = at(0x20, LARGE_INTEGER)
    EndOfFile       = at(0x28, LARGE_INTEGER)
    AllocationSize  = at(0x30, LARGE_INTEGER)
    FileAttributes  = at(0x38, ULONG)
    FileNameLength  = at(0x3C, ULONG)
    EaSize          = at(0x40, ULONG)
    ReparsePointTag = at(0x44, ULONG)
    FileId          = at(0x48, array(UCHAR, 16))
    FileName        = at(0x58, array(WCHAR, 1))


class FILE_NAMES_INFORMATION(Struct, size=0x10):
    """One name alone; it begins at 0xC."""

    NextEntryOffset = at(0x00, ULONG)
    FileIndex       = at(0x04, ULONG)
    FileNameLength  = at(0x08, ULONG)
    FileName        = at(0x0C, array(WCHAR, 1))


class FILE_NOTIFY_INFORMATION(Struct, size=0x10):
    """One change in a directory; the name begins at 0xC."""

    NextEntryOffset = at(0x00, ULONG)
    Action          = at(0x04, ULONG)
    FileNameLength  = at(0x08, ULONG)
    FileName        = at(0x0C, array(WCHAR, 1))


class FILE_FULL_EA_INFORMATION(Struct, size=0x0C):
    """One extended attribute; its name begins at 8."""

    NextEntryOffset = at(0x00, ULONG)
    Flags           = at(0x04, UCHAR)
    EaNameLength    = at(0x05, UCHAR)
    EaValueLength   = at(0x06, USHORT)
    EaName          = at(0x08, array(CHAR, 1))


class FILE_PIPE_INFORMATION(Struct, size=0x08):
    """Modes of a pipe end."""

    ReadMode       = at(0x00, ULONG)
    CompletionMode = at(0x04, ULONG)


class FILE_PIPE_LOCAL_INFORMATION(Struct, size=0x28):
    """Configuration and state of a pipe end."""

    NamedPipeType          = at(0x00, ULONG)
    NamedPipeConfiguration = at(0x04, ULONG)
    MaximumInstances       = at(0x08, ULONG)
    CurrentInstances       = at(0x0C, ULONG)
    InboundQuota           = at(0x10, ULONG)
    ReadDataAvailable      = at(0x14, ULONG)
    OutboundQuota          = at(0x18, ULONG)
    WriteQuotaAvailable    = at(0x1C, ULONG)
    NamedPipeState         = at(0x20, ULONG)
    NamedPipeEnd           = at(0x24, ULONG)


class FILE_PIPE_PEEK_BUFFER(Struct, size=0x14):
    """What lies in a pipe; the data begins at 0x10."""

    NamedPipeState    = at(0x00, ULONG)
    ReadDataAvailable = at(0x04, ULONG)
    NumberOfMessages  = at(0x08, ULONG)
    MessageLength     = at(0x0C, ULONG)
    Data              = at(0x10, array(CHAR, 1))


class FILE_PIPE_WAIT_FOR_BUFFER(Struct, size=0x10):
    """Pipe to wait for; the name begins at 0xE."""

    Timeout          = at(0x00, LARGE_INTEGER)
    NameLength       = at(0x08, ULONG)
    TimeoutSpecified = at(0x0C, BOOLEAN)
    Name             = at(0x0E, array(WCHAR, 1))


class FILE_FS_VOLUME_INFORMATION(Struct, size=0x18):
    """Label and serial number of a volume; the label begins at 0x12."""

    VolumeCreationTime = at(0x00, LARGE_INTEGER)
    VolumeSerialNumber = at(0x08, ULONG)
    VolumeLabelLength  = at(0x0C, ULONG)
    SupportsObjects    = at(0x10, BOOLEAN)
    VolumeLabel        = at(0x12, array(WCHAR, 1))


class FILE_FS_SIZE_INFORMATION(Struct, size=0x18):
    """Size of a volume in units."""

    TotalAllocationUnits     = at(0x00, LARGE_INTEGER)
    AvailableAllocationUnits = at(0x08, LARGE_INTEGER)
    SectorsPerAllocationUnit = at(0x10, ULONG)
    BytesPerSector           = at(0x14, ULONG)


class FILE_FS_FULL_SIZE_INFORMATION(Struct, size=0x20):
    """Size of a volume in units, for the caller and in all."""

    TotalAllocationUnits           = at(0x00, LARGE_INTEGER)
    CallerAvailableAllocationUnits = at(0x08, LARGE_INTEGER)
    ActualAvailableAllocationUnits = at(0x10, LARGE_INTEGER)
    SectorsPerAllocationUnit       = at(0x18, ULONG)
    BytesPerSector                 = at(0x1C, ULONG)


class FILE_FS_DEVICE_INFORMATION(Struct, size=0x08):
    """Type and characteristics of the device."""

    DeviceType      = at(0x00, ULONG)
    Characteristics = at(0x04, ULONG)


class FILE_FS_ATTRIBUTE_INFORMATION(Struct, size=0x10):
    """Abilities and name of the file system; the name begins at 0xC."""

    FileSystemAttributes       = at(0x00, ULONG)
    MaximumComponentNameLength = at(0x04, LONG)
    FileSystemNameLength       = at(0x08, ULONG)
    FileSystemName             = at(0x0C, array(WCHAR, 1))


class FILE_FS_OBJECTID_INFORMATION(Struct, size=0x40):
    """Object id of a volume."""

    ObjectId     = at(0x00, array(UCHAR, 16))
    ExtendedInfo = at(0x10, array(UCHAR, 48))

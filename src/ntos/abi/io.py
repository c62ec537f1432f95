"""Files: create dispositions and options, attributes, sharing, information classes."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

# Create dispositions, and what IO_STATUS_BLOCK.Information answers
FILE_SUPERSEDE: Final = 0
FILE_OPEN: Final = 1
FILE_CREATE: Final = 2
FILE_OPEN_IF: Final = 3
FILE_OVERWRITE: Final = 4
FILE_OVERWRITE_IF: Final = 5
FILE_MAXIMUM_DISPOSITION: Final = 5
FILE_SUPERSEDED: Final = 0
FILE_OPENED: Final = 1
FILE_CREATED: Final = 2
FILE_OVERWRITTEN: Final = 3
FILE_EXISTS: Final = 4
FILE_DOES_NOT_EXIST: Final = 5

# Create options
FILE_DIRECTORY_FILE: Final = 1
FILE_WRITE_THROUGH: Final = 2
FILE_SEQUENTIAL_ONLY: Final = 4
FILE_NO_INTERMEDIATE_BUFFERING: Final = 8
FILE_SYNCHRONOUS_IO_ALERT: Final = 0x10
FILE_SYNCHRONOUS_IO_NONALERT: Final = 0x20
FILE_NON_DIRECTORY_FILE: Final = 0x40
FILE_CREATE_TREE_CONNECTION: Final = 0x80
FILE_COMPLETE_IF_OPLOCKED: Final = 0x100
FILE_NO_EA_KNOWLEDGE: Final = 0x200
FILE_OPEN_REMOTE_INSTANCE: Final = 0x400
FILE_RANDOM_ACCESS: Final = 0x800
FILE_DELETE_ON_CLOSE: Final = 0x1000
FILE_OPEN_BY_FILE_ID: Final = 0x2000
FILE_OPEN_FOR_BACKUP_INTENT: Final = 0x4000
FILE_NO_COMPRESSION: Final = 0x8000
FILE_OPEN_REQUIRING_OPLOCK: Final = 0x10000
FILE_DISALLOW_EXCLUSIVE: Final = 0x20000
FILE_SESSION_AWARE: Final = 0x40000
FILE_RESERVE_OPFILTER: Final = 0x100000
FILE_OPEN_REPARSE_POINT: Final = 0x200000
FILE_OPEN_NO_RECALL: Final = 0x400000
FILE_OPEN_FOR_FREE_SPACE_QUERY: Final = 0x800000
FILE_VALID_OPTION_FLAGS: Final = 0xFFFFFF

# Sharing
FILE_SHARE_READ: Final = 1
FILE_SHARE_WRITE: Final = 2
FILE_SHARE_DELETE: Final = 4
FILE_SHARE_VALID_FLAGS: Final = 7

# Attributes
FILE_ATTRIBUTE_READONLY: Final = 1
FILE_ATTRIBUTE_HIDDEN: Final = 2
FILE_ATTRIBUTE_SYSTEM: Final = 4
FILE_ATTRIBUTE_DIRECTORY: Final = 0x10
FILE_ATTRIBUTE_ARCHIVE: Final = 0x20
FILE_ATTRIBUTE_DEVICE: Final = 0x40
FILE_ATTRIBUTE_NORMAL: Final = 0x80
FILE_ATTRIBUTE_TEMPORARY: Final = 0x100
FILE_ATTRIBUTE_SPARSE_FILE: Final = 0x200
FILE_ATTRIBUTE_REPARSE_POINT: Final = 0x400
FILE_ATTRIBUTE_COMPRESSED: Final = 0x800
FILE_ATTRIBUTE_OFFLINE: Final = 0x1000
FILE_ATTRIBUTE_NOT_CONTENT_INDEXED: Final = 0x2000
FILE_ATTRIBUTE_ENCRYPTED: Final = 0x4000
FILE_ATTRIBUTE_INTEGRITY_STREAM: Final = 0x8000
FILE_ATTRIBUTE_VIRTUAL: Final = 0x10000
FILE_ATTRIBUTE_NO_SCRUB_DATA: Final = 0x20000
FILE_ATTRIBUTE_VALID_FLAGS: Final = 0x7FB7
FILE_ATTRIBUTE_VALID_SET_FLAGS: Final = 0x31A7

# Offsets that are not offsets
FILE_WRITE_TO_END_OF_FILE: Final = 0xFFFFFFFF
FILE_USE_FILE_POINTER_POSITION: Final = 0xFFFFFFFE

# Deletion and renaming, the Ex forms
FILE_DISPOSITION_DELETE: Final = 1
FILE_DISPOSITION_POSIX_SEMANTICS: Final = 2
FILE_DISPOSITION_FORCE_IMAGE_SECTION_CHECK: Final = 4
FILE_DISPOSITION_ON_CLOSE: Final = 8
FILE_DISPOSITION_IGNORE_READONLY_ATTRIBUTE: Final = 0x10
FILE_RENAME_REPLACE_IF_EXISTS: Final = 1
FILE_RENAME_POSIX_SEMANTICS: Final = 2

# Directory queries and change notification
SL_RESTART_SCAN: Final = 1
SL_RETURN_SINGLE_ENTRY: Final = 2
SL_INDEX_SPECIFIED: Final = 4
FILE_NOTIFY_CHANGE_FILE_NAME: Final = 1
FILE_NOTIFY_CHANGE_DIR_NAME: Final = 2
FILE_NOTIFY_CHANGE_ATTRIBUTES: Final = 4
FILE_NOTIFY_CHANGE_SIZE: Final = 8
FILE_NOTIFY_CHANGE_LAST_WRITE: Final = 0x10
FILE_NOTIFY_CHANGE_LAST_ACCESS: Final = 0x20
FILE_NOTIFY_CHANGE_CREATION: Final = 0x40
FILE_NOTIFY_CHANGE_EA: Final = 0x80
FILE_NOTIFY_CHANGE_SECURITY: Final = 0x100
FILE_ACTION_ADDED: Final = 1
FILE_ACTION_REMOVED: Final = 2
FILE_ACTION_MODIFIED: Final = 3
FILE_ACTION_RENAMED_OLD_NAME: Final = 4
FILE_ACTION_RENAMED_NEW_NAME: Final = 5

# Pipes
FILE_PIPE_BYTE_STREAM_TYPE: Final = 0
FILE_PIPE_MESSAGE_TYPE: Final = 1
FILE_PIPE_REJECT_REMOTE_CLIENTS: Final = 2
FILE_PIPE_BYTE_STREAM_MODE: Final = 0
FILE_PIPE_MESSAGE_MODE: Final = 1
FILE_PIPE_QUEUE_OPERATION: Final = 0
FILE_PIPE_COMPLETE_OPERATION: Final = 1
FILE_PIPE_INBOUND: Final = 0
FILE_PIPE_OUTBOUND: Final = 1
FILE_PIPE_FULL_DUPLEX: Final = 2
FILE_PIPE_CLIENT_END: Final = 0
FILE_PIPE_SERVER_END: Final = 1
FILE_PIPE_DISCONNECTED_STATE: Final = 1
FILE_PIPE_LISTENING_STATE: Final = 2
FILE_PIPE_CONNECTED_STATE: Final = 3
FILE_PIPE_CLOSING_STATE: Final = 4
FSCTL_PIPE_DISCONNECT: Final = 0x110004
FSCTL_PIPE_LISTEN: Final = 0x110008
FSCTL_PIPE_PEEK: Final = 0x11400C
FSCTL_PIPE_TRANSCEIVE: Final = 0x11C017
FSCTL_PIPE_WAIT: Final = 0x110018
FSCTL_PIPE_IMPERSONATE: Final = 0x11001C
FSCTL_PIPE_GET_CONNECTION_ATTRIBUTE: Final = 0x110030
FSCTL_GET_REPARSE_POINT: Final = 0x900A8
FSCTL_SET_REPARSE_POINT: Final = 0x900A4

# Device types and characteristics
FILE_DEVICE_BEEP: Final = 1
FILE_DEVICE_CD_ROM: Final = 2
FILE_DEVICE_CONSOLE: Final = 0x50
FILE_DEVICE_DISK: Final = 7
FILE_DEVICE_DISK_FILE_SYSTEM: Final = 8
FILE_DEVICE_FILE_SYSTEM: Final = 9
FILE_DEVICE_NAMED_PIPE: Final = 0x11
FILE_DEVICE_MAILSLOT: Final = 0xC
FILE_DEVICE_NETWORK_FILE_SYSTEM: Final = 0x14
FILE_DEVICE_NULL: Final = 0x15
FILE_DEVICE_KSEC: Final = 0x39
FILE_DEVICE_CNG: Final = 0x47
FILE_DEVICE_UNKNOWN: Final = 0x22
FILE_REMOVABLE_MEDIA: Final = 1
FILE_READ_ONLY_DEVICE: Final = 2
FILE_REMOTE_DEVICE: Final = 0x10
FILE_DEVICE_IS_MOUNTED: Final = 0x20
FILE_DEVICE_SECURE_OPEN: Final = 0x100

# File system abilities
FILE_CASE_SENSITIVE_SEARCH: Final = 1
FILE_CASE_PRESERVED_NAMES: Final = 2
FILE_UNICODE_ON_DISK: Final = 4
FILE_PERSISTENT_ACLS: Final = 8
FILE_FILE_COMPRESSION: Final = 0x10
FILE_VOLUME_QUOTAS: Final = 0x20
FILE_SUPPORTS_SPARSE_FILES: Final = 0x40
FILE_SUPPORTS_REPARSE_POINTS: Final = 0x80
FILE_SUPPORTS_OBJECT_IDS: Final = 0x10000
FILE_SUPPORTS_ENCRYPTION: Final = 0x20000
FILE_NAMED_STREAMS: Final = 0x40000
FILE_READ_ONLY_VOLUME: Final = 0x80000
FILE_SUPPORTS_HARD_LINKS: Final = 0x400000
FILE_SUPPORTS_EXTENDED_ATTRIBUTES: Final = 0x800000
FILE_SUPPORTS_OPEN_BY_FILE_ID: Final = 0x1000000

# FILE_OBJECT.Flags
FO_FILE_OPEN: Final = 1
FO_SYNCHRONOUS_IO: Final = 2
FO_ALERTABLE_IO: Final = 4
FO_NO_INTERMEDIATE_BUFFERING: Final = 8
FO_WRITE_THROUGH: Final = 0x10
FO_SEQUENTIAL_ONLY: Final = 0x20
FO_CACHE_SUPPORTED: Final = 0x40
FO_NAMED_PIPE: Final = 0x80
FO_STREAM_FILE: Final = 0x100
FO_MAILSLOT: Final = 0x200
FO_DELETE_ON_CLOSE: Final = 0x10000
FO_HANDLE_CREATED: Final = 0x40000
FO_RANDOM_ACCESS: Final = 0x100000
FO_SKIP_COMPLETION_PORT: Final = 0x2000000
FO_CLEANUP_COMPLETE: Final = 0x4000


class FILE_INFORMATION_CLASS(IntEnum):
    """What NtQueryInformationFile, NtQueryDirectoryFile and NtSetInformationFile know."""

    FileDirectoryInformation                     = 1
    FileFullDirectoryInformation                 = 2
    FileBothDirectoryInformation                 = 3
    FileBasicInformation                         = 4
    FileStandardInformation                      = 5
    FileInternalInformation                      = 6
    FileEaInformation                            = 7
    FileAccessInformation                        = 8
    FileNameInformation                          = 9
    FileRenameInformation                        = 10
    FileLinkInformation                          = 11
    FileNamesInformation                         = 12
    FileDispositionInformation                   = 13
    FilePositionInformation                      = 14
    FileFullEaInformation                        = 15
    FileModeInformation                          = 16
    FileAlignmentInformation                     = 17
    FileAllInformation                           = 18
    FileAllocationInformation                    = 19
    FileEndOfFileInformation                     = 20
    FileAlternateNameInformation                 = 21
    FileStreamInformation                        = 22
    FilePipeInformation                          = 23
    FilePipeLocalInformation                     = 24
    FilePipeRemoteInformation                    = 25
    FileMailslotQueryInformation                 = 26
    FileMailslotSetInformation                   = 27
    FileCompressionInformation                   = 28
    FileObjectIdInformation                      = 29
    FileCompletionInformation                    = 30
    FileMoveClusterInformation                   = 31
    FileQuotaInformation                         = 32
    FileReparsePointInformation                  = 33
    FileNetworkOpenInformation                   = 34
    FileAttributeTagInformation                  = 35
    FileTrackingInformation                      = 36
    FileIdBothDirectoryInformation               = 37
    FileIdFullDirectoryInformation               = 38
    FileValidDataLengthInformation               = 39
    FileShortNameInformation                     = 40
    FileIoCompletionNotificationInformation      = 41
    FileIoStatusBlockRangeInformation            = 42
    FileIoPriorityHintInformation                = 43
    FileSfioReserveInformation                   = 44
    FileSfioVolumeInformation                    = 45
    FileHardLinkInformation                      = 46
    FileProcessIdsUsingFileInformation           = 47
    FileNormalizedNameInformation                = 48
    FileNetworkPhysicalNameInformation           = 49
    FileIdGlobalTxDirectoryInformation           = 50
    FileIsRemoteDeviceInformation                = 51
    FileUnusedInformation                        = 52
    FileNumaNodeInformation                      = 53
    FileStandardLinkInformation                  = 54
    FileRemoteProtocolInformation                = 55
    FileRenameInformationBypassAccessCheck       = 56
    FileLinkInformationBypassAccessCheck         = 57
    FileVolumeNameInformation                    = 58
    FileIdInformation                            = 59
    FileIdExtdDirectoryInformation               = 60
    FileReplaceCompletionInformation             = 61
    FileHardLinkFullIdInformation                = 62
    FileIdExtdBothDirectoryInformation           = 63
    FileDispositionInformationEx                 = 64
    FileRenameInformationEx                      = 65
    FileRenameInformationExBypassAccessCheck     = 66
    FileDesiredStorageClassInformation           = 67
    FileStatInformation                          = 68
    FileMemoryPartitionInformation               = 69
    FileStatLxInformation                        = 70
    FileCaseSensitiveInformation                 = 71
    FileLinkInformationEx                        = 72
    FileLinkInformationExBypassAccessCheck       = 73
    FileStorageReserveIdInformation              = 74
    FileCaseSensitiveInformationForceAccessCheck = 75
    FileMaximumInformation                       = 76


class FS_INFORMATION_CLASS(IntEnum):
    """What NtQueryVolumeInformationFile knows."""

    FileFsVolumeInformation       = 1
    FileFsLabelInformation        = 2
    FileFsSizeInformation         = 3
    FileFsDeviceInformation       = 4
    FileFsAttributeInformation    = 5
    FileFsControlInformation      = 6
    FileFsFullSizeInformation     = 7
    FileFsObjectIdInformation     = 8
    FileFsDriverPathInformation   = 9
    FileFsVolumeFlagsInformation  = 10
    FileFsSectorSizeInformation   = 11
    FileFsDataCopyInformation     = 12
    FileFsMetadataSizeInformation = 13
    FileFsFullSizeInformationEx   = 14
    FileFsMaximumInformation      = 15


class IRP_MJ(IntEnum):
    """Major functions of requests."""

    CREATE                   = 0
    CREATE_NAMED_PIPE        = 1
    CLOSE                    = 2
    READ                     = 3
    WRITE                    = 4
    QUERY_INFORMATION        = 5
    SET_INFORMATION          = 6
    QUERY_EA                 = 7
    SET_EA                   = 8
    FLUSH_BUFFERS            = 9
    QUERY_VOLUME_INFORMATION = 10
    SET_VOLUME_INFORMATION   = 11
    DIRECTORY_CONTROL        = 12
    FILE_SYSTEM_CONTROL      = 13
    DEVICE_CONTROL           = 14
    INTERNAL_DEVICE_CONTROL  = 15
    SHUTDOWN                 = 16
    LOCK_CONTROL             = 17
    CLEANUP                  = 18
    CREATE_MAILSLOT          = 19
    QUERY_SECURITY           = 20
    SET_SECURITY             = 21
    POWER                    = 22
    SYSTEM_CONTROL           = 23
    DEVICE_CHANGE            = 24
    QUERY_QUOTA              = 25
    SET_QUOTA                = 26
    PNP                      = 27

"""The registry: value types, create options, information classes."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

# Value types
REG_NONE: Final = 0
REG_SZ: Final = 1
REG_EXPAND_SZ: Final = 2
REG_BINARY: Final = 3
REG_DWORD: Final = 4
REG_DWORD_BIG_ENDIAN: Final = 5
REG_LINK: Final = 6
REG_MULTI_SZ: Final = 7
REG_RESOURCE_LIST: Final = 8
REG_FULL_RESOURCE_DESCRIPTOR: Final = 9
REG_RESOURCE_REQUIREMENTS_LIST: Final = 0xA
REG_QWORD: Final = 0xB

# Create options and dispositions
REG_OPTION_NON_VOLATILE: Final = 0
REG_OPTION_VOLATILE: Final = 1
REG_OPTION_CREATE_LINK: Final = 2
REG_OPTION_BACKUP_RESTORE: Final = 4
REG_OPTION_OPEN_LINK: Final = 8
REG_CREATED_NEW_KEY: Final = 1
REG_OPENED_EXISTING_KEY: Final = 2
REG_NOTIFY_CHANGE_NAME: Final = 1
REG_NOTIFY_CHANGE_ATTRIBUTES: Final = 2
REG_NOTIFY_CHANGE_LAST_SET: Final = 4
REG_NOTIFY_CHANGE_SECURITY: Final = 8

# Predefined keys, sign-extended to 64 bits as HKEY is
HKEY_CLASSES_ROOT: Final = 0xFFFFFFFF80000000
HKEY_CURRENT_USER: Final = 0xFFFFFFFF80000001
HKEY_LOCAL_MACHINE: Final = 0xFFFFFFFF80000002
HKEY_USERS: Final = 0xFFFFFFFF80000003
HKEY_PERFORMANCE_DATA: Final = 0xFFFFFFFF80000004
HKEY_CURRENT_CONFIG: Final = 0xFFFFFFFF80000005

# RegGetValue
RRF_RT_REG_NONE: Final = 1
RRF_RT_REG_SZ: Final = 2
RRF_RT_REG_EXPAND_SZ: Final = 4
RRF_RT_REG_BINARY: Final = 8
RRF_RT_REG_DWORD: Final = 0x10
RRF_RT_REG_MULTI_SZ: Final = 0x20
RRF_RT_REG_QWORD: Final = 0x40
RRF_RT_ANY: Final = 0xFFFF
RRF_NOEXPAND: Final = 0x10000000
RRF_ZEROONFAILURE: Final = 0x20000000

# Cells of a hive: flags of a key
KEY_VOLATILE: Final = 1
KEY_HIVE_EXIT: Final = 2
KEY_HIVE_ENTRY: Final = 4
KEY_NO_DELETE: Final = 8
KEY_SYM_LINK: Final = 0x10
KEY_COMP_NAME: Final = 0x20
KEY_PREDEF_HANDLE: Final = 0x40


class KEY_INFORMATION_CLASS(IntEnum):
    """What NtQueryKey and NtEnumerateKey know."""

    KeyBasicInformation          = 0
    KeyNodeInformation           = 1
    KeyFullInformation           = 2
    KeyNameInformation           = 3
    KeyCachedInformation         = 4
    KeyFlagsInformation          = 5
    KeyVirtualizationInformation = 6
    KeyHandleTagsInformation     = 7
    KeyTrustInformation          = 8
    KeyLayerInformation          = 9


class KEY_VALUE_INFORMATION_CLASS(IntEnum):
    """What NtQueryValueKey and NtEnumerateValueKey know."""

    KeyValueBasicInformation          = 0
    KeyValueFullInformation           = 1
    KeyValuePartialInformation        = 2
    KeyValueFullInformationAlign64    = 3
    KeyValuePartialInformationAlign64 = 4
    KeyValueLayerInformation          = 5


class KEY_SET_INFORMATION_CLASS(IntEnum):
    """What NtSetInformationKey knows."""

    KeyWriteTimeInformation         = 0
    KeyWow64FlagsInformation        = 1
    KeyControlFlagsInformation      = 2
    KeySetVirtualizationInformation = 3
    KeySetDebugInformation          = 4
    KeySetHandleTagsInformation     = 5
    KeySetLayerInformation          = 6

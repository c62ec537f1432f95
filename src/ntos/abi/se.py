"""Security: privileges, well-known SIDs, attributes, token and security information."""

from __future__ import annotations

from enum import IntEnum
from typing import Final


class SE_PRIVILEGE(IntEnum):
    """Low part of each privilege's LUID; the high part is 0."""

    CREATE_TOKEN                      = 2
    ASSIGN_PRIMARY_TOKEN              = 3
    LOCK_MEMORY                       = 4
    INCREASE_QUOTA                    = 5
    MACHINE_ACCOUNT                   = 6
    TCB                               = 7
    SECURITY                          = 8
    TAKE_OWNERSHIP                    = 9
    LOAD_DRIVER                       = 10
    SYSTEM_PROFILE                    = 11
    SYSTEMTIME                        = 12
    PROFILE_SINGLE_PROCESS            = 13
    INCREASE_BASE_PRIORITY            = 14
    CREATE_PAGEFILE                   = 15
    CREATE_PERMANENT                  = 16
    BACKUP                            = 17
    RESTORE                           = 18
    SHUTDOWN                          = 19
    DEBUG                             = 20
    AUDIT                             = 21
    SYSTEM_ENVIRONMENT                = 22
    CHANGE_NOTIFY                     = 23
    REMOTE_SHUTDOWN                   = 24
    UNDOCK                            = 25
    SYNC_AGENT                        = 26
    ENABLE_DELEGATION                 = 27
    MANAGE_VOLUME                     = 28
    IMPERSONATE                       = 29
    CREATE_GLOBAL                     = 30
    TRUSTED_CRED_MAN_ACCESS           = 31
    RELABEL                           = 32
    INCREASE_WORKING_SET              = 33
    TIME_ZONE                         = 34
    CREATE_SYMBOLIC_LINK              = 35
    DELEGATE_SESSION_USER_IMPERSONATE = 36


PRIVILEGE_NAMES: Final = {
    2: "SeCreateTokenPrivilege",
    3: "SeAssignPrimaryTokenPrivilege",
    4: "SeLockMemoryPrivilege",
    5: "SeIncreaseQuotaPrivilege",
    6: "SeMachineAccountPrivilege",
    7: "SeTcbPrivilege",
    8: "SeSecurityPrivilege",
    9: "SeTakeOwnershipPrivilege",
    10: "SeLoadDriverPrivilege",
    11: "SeSystemProfilePrivilege",
    12: "SeSystemtimePrivilege",
    13: "SeProfileSingleProcessPrivilege",
    14: "SeIncreaseBasePriorityPrivilege",
    15: "SeCreatePagefilePrivilege",
    16: "SeCreatePermanentPrivilege",
    17: "SeBackupPrivilege",
    18: "SeRestorePrivilege",
    19: "SeShutdownPrivilege",
    20: "SeDebugPrivilege",
    21: "SeAuditPrivilege",
    22: "SeSystemEnvironmentPrivilege",
    23: "SeChangeNotifyPrivilege",
    24: "SeRemoteShutdownPrivilege",
    25: "SeUndockPrivilege",
    26: "SeSyncAgentPrivilege",
    27: "SeEnableDelegationPrivilege",
    28: "SeManageVolumePrivilege",
    29: "SeImpersonatePrivilege",
    30: "SeCreateGlobalPrivilege",
    31: "SeTrustedCredManAccessPrivilege",
    32: "SeRelabelPrivilege",
    33: "SeIncreaseWorkingSetPrivilege",
    34: "SeTimeZonePrivilege",
    35: "SeCreateSymbolicLinkPrivilege",
    36: "SeDelegateSessionUserImpersonatePrivilege",
}
"""Name of each privilege by its number, as LookupPrivilegeName gives it."""

WELL_KNOWN_SIDS: Final = {
    "NULL": "S-1-0-0",
    "WORLD": "S-1-1-0",
    "LOCAL": "S-1-2-0",
    "CONSOLE_LOGON": "S-1-2-1",
    "CREATOR_OWNER": "S-1-3-0",
    "CREATOR_GROUP": "S-1-3-1",
    "OWNER_RIGHTS": "S-1-3-4",
    "NETWORK": "S-1-5-2",
    "BATCH": "S-1-5-3",
    "INTERACTIVE": "S-1-5-4",
    "SERVICE": "S-1-5-6",
    "ANONYMOUS_LOGON": "S-1-5-7",
    "SELF": "S-1-5-10",
    "AUTHENTICATED_USERS": "S-1-5-11",
    "RESTRICTED_CODE": "S-1-5-12",
    "THIS_ORGANIZATION": "S-1-5-15",
    "LOCAL_SYSTEM": "S-1-5-18",
    "LOCAL_SERVICE": "S-1-5-19",
    "NETWORK_SERVICE": "S-1-5-20",
    "WRITE_RESTRICTED": "S-1-5-33",
    "NTLM_AUTHENTICATION": "S-1-5-64-10",
    "LOCAL_ACCOUNT": "S-1-5-113",
    "LOCAL_ACCOUNT_AND_ADMINISTRATOR": "S-1-5-114",
    "ADMINISTRATORS": "S-1-5-32-544",
    "USERS": "S-1-5-32-545",
    "GUESTS": "S-1-5-32-546",
    "POWER_USERS": "S-1-5-32-547",
    "PERFORMANCE_LOG_USERS": "S-1-5-32-559",
    "ALL_SERVICES": "S-1-5-80-0",
    "TRUSTED_INSTALLER": "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464",
    "ALL_APPLICATION_PACKAGES": "S-1-15-2-1",
    "ALL_RESTRICTED_APPLICATION_PACKAGES": "S-1-15-2-2",
    "UNTRUSTED_INTEGRITY": "S-1-16-0",
    "LOW_INTEGRITY": "S-1-16-4096",
    "MEDIUM_INTEGRITY": "S-1-16-8192",
    "MEDIUM_PLUS_INTEGRITY": "S-1-16-8448",
    "HIGH_INTEGRITY": "S-1-16-12288",
    "SYSTEM_INTEGRITY": "S-1-16-16384",
    "PROTECTED_PROCESS_INTEGRITY": "S-1-16-20480",
}
"""SIDs that are the same on every machine (MS-DTYP 2.4.2.4)."""

# Logon ids that are the same on every machine: low parts
SYSTEM_LUID: Final = 0x3E7
ANONYMOUS_LOGON_LUID: Final = 0x3E6
LOCALSERVICE_LUID: Final = 0x3E5
NETWORKSERVICE_LUID: Final = 0x3E4

# Attributes of privileges and groups
SE_PRIVILEGE_ENABLED_BY_DEFAULT: Final = 1
SE_PRIVILEGE_ENABLED: Final = 2
SE_PRIVILEGE_REMOVED: Final = 4
SE_PRIVILEGE_USED_FOR_ACCESS: Final = 0x80000000
SE_GROUP_MANDATORY: Final = 1
SE_GROUP_ENABLED_BY_DEFAULT: Final = 2
SE_GROUP_ENABLED: Final = 4
SE_GROUP_OWNER: Final = 8
SE_GROUP_USE_FOR_DENY_ONLY: Final = 0x10
SE_GROUP_INTEGRITY: Final = 0x20
SE_GROUP_INTEGRITY_ENABLED: Final = 0x40
SE_GROUP_LOGON_ID: Final = 0xC0000000
SE_GROUP_RESOURCE: Final = 0x20000000

# SECURITY_DESCRIPTOR.Control
SE_OWNER_DEFAULTED: Final = 1
SE_GROUP_DEFAULTED: Final = 2
SE_DACL_PRESENT: Final = 4
SE_DACL_DEFAULTED: Final = 8
SE_SACL_PRESENT: Final = 0x10
SE_SACL_DEFAULTED: Final = 0x20
SE_DACL_AUTO_INHERIT_REQ: Final = 0x100
SE_SACL_AUTO_INHERIT_REQ: Final = 0x200
SE_DACL_AUTO_INHERITED: Final = 0x400
SE_SACL_AUTO_INHERITED: Final = 0x800
SE_DACL_PROTECTED: Final = 0x1000
SE_SACL_PROTECTED: Final = 0x2000
SE_RM_CONTROL_VALID: Final = 0x4000
SE_SELF_RELATIVE: Final = 0x8000

# SECURITY_INFORMATION
OWNER_SECURITY_INFORMATION: Final = 1
GROUP_SECURITY_INFORMATION: Final = 2
DACL_SECURITY_INFORMATION: Final = 4
SACL_SECURITY_INFORMATION: Final = 8
LABEL_SECURITY_INFORMATION: Final = 0x10
ATTRIBUTE_SECURITY_INFORMATION: Final = 0x20
SCOPE_SECURITY_INFORMATION: Final = 0x40
PROTECTED_DACL_SECURITY_INFORMATION: Final = 0x80000000
PROTECTED_SACL_SECURITY_INFORMATION: Final = 0x40000000
UNPROTECTED_DACL_SECURITY_INFORMATION: Final = 0x20000000
UNPROTECTED_SACL_SECURITY_INFORMATION: Final = 0x10000000

# Access control entries
ACCESS_ALLOWED_ACE_TYPE: Final = 0
ACCESS_DENIED_ACE_TYPE: Final = 1
SYSTEM_AUDIT_ACE_TYPE: Final = 2
ACCESS_ALLOWED_OBJECT_ACE_TYPE: Final = 5
ACCESS_DENIED_OBJECT_ACE_TYPE: Final = 6
SYSTEM_AUDIT_OBJECT_ACE_TYPE: Final = 7
ACCESS_ALLOWED_CALLBACK_ACE_TYPE: Final = 9
ACCESS_DENIED_CALLBACK_ACE_TYPE: Final = 0xA
SYSTEM_MANDATORY_LABEL_ACE_TYPE: Final = 0x11
SYSTEM_PROCESS_TRUST_LABEL_ACE_TYPE: Final = 0x14
OBJECT_INHERIT_ACE: Final = 1
CONTAINER_INHERIT_ACE: Final = 2
NO_PROPAGATE_INHERIT_ACE: Final = 4
INHERIT_ONLY_ACE: Final = 8
INHERITED_ACE: Final = 0x10
SYSTEM_MANDATORY_LABEL_NO_WRITE_UP: Final = 1
SYSTEM_MANDATORY_LABEL_NO_READ_UP: Final = 2
SYSTEM_MANDATORY_LABEL_NO_EXECUTE_UP: Final = 4
ACL_REVISION: Final = 2
ACL_REVISION_DS: Final = 4

# TOKEN.TokenFlags
TOKEN_HAS_TRAVERSE_PRIVILEGE: Final = 1
TOKEN_HAS_BACKUP_PRIVILEGE: Final = 2
TOKEN_HAS_RESTORE_PRIVILEGE: Final = 4
TOKEN_WRITE_RESTRICTED: Final = 8
TOKEN_IS_RESTRICTED: Final = 0x10
TOKEN_SESSION_NOT_REFERENCED: Final = 0x20
TOKEN_SANDBOX_INERT: Final = 0x40
TOKEN_HAS_IMPERSONATE_PRIVILEGE: Final = 0x80
TOKEN_VIRTUALIZE_ALLOWED: Final = 0x200
TOKEN_VIRTUALIZE_ENABLED: Final = 0x400
TOKEN_IS_FILTERED: Final = 0x800
TOKEN_UIACCESS: Final = 0x1000
TOKEN_NOT_LOW: Final = 0x2000
TOKEN_NO_CHILD_PROCESS: Final = 0x8_0000
TOKEN_NO_CHILD_PROCESS_UNLESS_SECURE: Final = 0x10_0000
TOKEN_LOWBOX: Final = 0x4000

# NtFilterToken
DISABLE_MAX_PRIVILEGE: Final = 1
SANDBOX_INERT: Final = 2
LUA_TOKEN: Final = 4
WRITE_RESTRICTED: Final = 8


class TOKEN_INFORMATION_CLASS(IntEnum):
    """What NtQueryInformationToken and NtSetInformationToken know."""

    TokenUser                            = 1
    TokenGroups                          = 2
    TokenPrivileges                      = 3
    TokenOwner                           = 4
    TokenPrimaryGroup                    = 5
    TokenDefaultDacl                     = 6
    TokenSource                          = 7
    TokenType                            = 8
    TokenImpersonationLevel              = 9
    TokenStatistics                      = 10
    TokenRestrictedSids                  = 11
    TokenSessionId                       = 12
    TokenGroupsAndPrivileges             = 13
    TokenSessionReference                = 14
    TokenSandBoxInert                    = 15
    TokenAuditPolicy                     = 16
    TokenOrigin                          = 17
    TokenElevationType                   = 18
    TokenLinkedToken                     = 19
    TokenElevation                       = 20
    TokenHasRestrictions                 = 21
    TokenAccessInformation               = 22
    TokenVirtualizationAllowed           = 23
    TokenVirtualizationEnabled           = 24
    TokenIntegrityLevel                  = 25
    TokenUIAccess                        = 26
    TokenMandatoryPolicy                 = 27
    TokenLogonSid                        = 28
    TokenIsAppContainer                  = 29
    TokenCapabilities                    = 30
    TokenAppContainerSid                 = 31
    TokenAppContainerNumber              = 32
    TokenUserClaimAttributes             = 33
    TokenDeviceClaimAttributes           = 34
    TokenRestrictedUserClaimAttributes   = 35
    TokenRestrictedDeviceClaimAttributes = 36
    TokenDeviceGroups                    = 37
    TokenRestrictedDeviceGroups          = 38
    TokenSecurityAttributes              = 39
    TokenIsRestricted                    = 40
    TokenProcessTrustLevel               = 41
    TokenPrivateNameSpace                = 42
    TokenSingletonAttributes             = 43
    TokenBnoIsolation                    = 44
    TokenChildProcessFlags               = 45
    TokenIsLessPrivilegedAppContainer    = 46
    TokenIsSandboxed                     = 47


class TOKEN_ELEVATION_TYPE(IntEnum):
    """Whether a token is one half of a split one."""

    TokenElevationTypeDefault = 1
    TokenElevationTypeFull    = 2
    TokenElevationTypeLimited = 3


class SID_NAME_USE(IntEnum):
    """What a SID names."""

    SidTypeUser           = 1
    SidTypeGroup          = 2
    SidTypeDomain         = 3
    SidTypeAlias          = 4
    SidTypeWellKnownGroup = 5
    SidTypeDeletedAccount = 6
    SidTypeInvalid        = 7
    SidTypeUnknown        = 8
    SidTypeComputer       = 9
    SidTypeLabel          = 10
    SidTypeLogonSession   = 11

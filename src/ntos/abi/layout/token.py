"""Tokens, SIDs, privileges and security descriptors.

Offsets are those of the reference build's public symbols (ntoskrnl 10.0.19041); a comment `*X` says what a
pointer points to, a bare `X` which enumeration or structure a word holds.
"""

from __future__ import annotations

from ntos.abi.layout.executive import EX_PUSH_LOCK, EX_RUNDOWN_REF
from ntos.abi.layout.list import LIST_ENTRY, RTL_DYNAMIC_HASH_TABLE_ENTRY
from ntos.abi.layout.string import LUID, UNICODE_STRING
from ntos.abi.struct import Struct, array, at, chars
from ntos.abi.types import LARGE_INTEGER, LONGLONG, PVOID, UCHAR, ULONG, ULONGLONG, USHORT


class SID_IDENTIFIER_AUTHORITY(Struct, size=0x06):
    """Top-level authority of a SID, big-endian."""

    Value = at(0x00, array(UCHAR, 6))


class SID(Struct, size=0x0C):
    """Security identifier, with its first subauthority."""

    Revision            = at(0x00, UCHAR)
    SubAuthorityCount   = at(0x01, UCHAR)
    IdentifierAuthority = at(0x02, SID_IDENTIFIER_AUTHORITY)
    SubAuthority        = at(0x08, array(ULONG, 1))


class SID_AND_ATTRIBUTES(Struct, size=0x10):
    """A SID and how it counts in a token."""

    Sid        = at(0x00, PVOID)
    Attributes = at(0x08, ULONG)


class SID_AND_ATTRIBUTES_HASH(Struct, size=0x110):
    """SIDs with a hash for quick lookup."""

    SidCount = at(0x00, ULONG)
    SidAttr  = at(0x08, PVOID)  # *SID_AND_ATTRIBUTES
    Hash     = at(0x10, array(ULONGLONG, 32))


class LUID_AND_ATTRIBUTES(Struct, size=0x0C):
    """A privilege and whether it is enabled."""

    Luid       = at(0x00, LUID)
    Attributes = at(0x08, ULONG)


class PRIVILEGE_SET(Struct, size=0x14):
    """Privileges to be checked together."""

    PrivilegeCount = at(0x00, ULONG)
    Control        = at(0x04, ULONG)
    Privilege      = at(0x08, array(LUID_AND_ATTRIBUTES, 1))


class INITIAL_PRIVILEGE_SET(Struct, size=0x2C):
    """A privilege set with room for three."""

    PrivilegeCount = at(0x00, ULONG)
    Control        = at(0x04, ULONG)
    Privilege      = at(0x08, array(LUID_AND_ATTRIBUTES, 3))


class ACL(Struct, size=0x08):
    """Access control list: a header, then entries."""

    AclRevision = at(0x00, UCHAR)
    Sbz1        = at(0x01, UCHAR)
    AclSize     = at(0x02, USHORT)
    AceCount    = at(0x04, USHORT)
    Sbz2        = at(0x06, USHORT)


class SECURITY_DESCRIPTOR(Struct, size=0x28):
    """Absolute security descriptor: owner, group, two lists."""

    Revision = at(0x00, UCHAR)
    Sbz1     = at(0x01, UCHAR)
    Control  = at(0x02, USHORT)
    Owner    = at(0x08, PVOID)
    Group    = at(0x10, PVOID)
    Sacl     = at(0x18, PVOID)  # *ACL
    Dacl     = at(0x20, PVOID)  # *ACL


class SECURITY_DESCRIPTOR_RELATIVE(Struct, size=0x14):
    """Self-relative security descriptor: offsets from its own start."""

    Revision = at(0x00, UCHAR)
    Sbz1     = at(0x01, UCHAR)
    Control  = at(0x02, USHORT)
    Owner    = at(0x04, ULONG)
    Group    = at(0x08, ULONG)
    Sacl     = at(0x0C, ULONG)
    Dacl     = at(0x10, ULONG)


class SECURITY_QUALITY_OF_SERVICE(Struct, size=0x0C):
    """How far a server may impersonate a client."""

    Length              = at(0x00, ULONG)
    ImpersonationLevel  = at(0x04, ULONG)  # SECURITY_IMPERSONATION_LEVEL
    ContextTrackingMode = at(0x08, UCHAR)
    EffectiveOnly       = at(0x09, UCHAR)


class SECURITY_SUBJECT_CONTEXT(Struct, size=0x20):
    """The tokens an access check looks at."""

    ClientToken        = at(0x00, PVOID)
    ImpersonationLevel = at(0x08, ULONG)  # SECURITY_IMPERSONATION_LEVEL
    PrimaryToken       = at(0x10, PVOID)
    ProcessAuditId     = at(0x18, PVOID)


class TOKEN_SOURCE(Struct, size=0x10):
    """Who made a token."""

    SourceName       = at(0x00, chars(8))
    SourceIdentifier = at(0x08, LUID)


class TOKEN_CONTROL(Struct, size=0x28):
    """Identity of a token and of its modifications."""

    TokenId          = at(0x00, LUID)
    AuthenticationId = at(0x08, LUID)
    ModifiedId       = at(0x10, LUID)
    TokenSource      = at(0x18, TOKEN_SOURCE)


class SECURITY_CLIENT_CONTEXT(Struct, size=0x48):
    """A client's token, captured for later impersonation."""

    SecurityQos               = at(0x00, SECURITY_QUALITY_OF_SERVICE)
    ClientToken               = at(0x10, PVOID)
    DirectlyAccessClientToken = at(0x18, UCHAR)
    DirectAccessEffectiveOnly = at(0x19, UCHAR)
    ServerIsRemote            = at(0x1A, UCHAR)
    ClientTokenControl        = at(0x1C, TOKEN_CONTROL)


class ACCESS_STATE_Privileges(Struct, size=0x2C):
    """Room for the privileges an access check used."""

    InitialPrivilegeSet = at(0x00, INITIAL_PRIVILEGE_SET)
    PrivilegeSet        = at(0x00, PRIVILEGE_SET)


class ACCESS_STATE(Struct, size=0xA0):
    """An open in progress: what was asked, what is granted so far."""

    OperationID             = at(0x00, LUID)
    SecurityEvaluated       = at(0x08, UCHAR)
    GenerateAudit           = at(0x09, UCHAR)
    GenerateOnClose         = at(0x0A, UCHAR)
    PrivilegesAllocated     = at(0x0B, UCHAR)
    Flags                   = at(0x0C, ULONG)
    RemainingDesiredAccess  = at(0x10, ULONG)
    PreviouslyGrantedAccess = at(0x14, ULONG)
    OriginalDesiredAccess   = at(0x18, ULONG)
    SubjectSecurityContext  = at(0x20, SECURITY_SUBJECT_CONTEXT)
    SecurityDescriptor      = at(0x40, PVOID)
    AuxData                 = at(0x48, PVOID)
    Privileges              = at(0x50, ACCESS_STATE_Privileges)
    AuditPrivileges         = at(0x7C, UCHAR)
    ObjectName              = at(0x80, UNICODE_STRING)
    ObjectTypeName          = at(0x90, UNICODE_STRING)


class TOKEN_AUDIT_POLICY(Struct, size=0x1E):
    """Audit policy of a token, by subcategory."""

    PerUserPolicy = at(0x00, array(UCHAR, 30))


class SEP_AUDIT_POLICY(Struct, size=0x1F):
    """Audit policy and how it was set."""

    AdtTokenPolicy  = at(0x00, TOKEN_AUDIT_POLICY)
    PolicySetStatus = at(0x1E, UCHAR)


class SEP_TOKEN_PRIVILEGES(Struct, size=0x18):
    """Privileges of a token: present, enabled, enabled by default."""

    Present          = at(0x00, ULONGLONG)
    Enabled          = at(0x08, ULONGLONG)
    EnabledByDefault = at(0x10, ULONGLONG)


class SEP_CACHED_HANDLES_TABLE(Struct, size=0x10):
    """Cached AppContainer handles by descriptor."""

    Lock      = at(0x00, EX_PUSH_LOCK)
    HashTable = at(0x08, PVOID)  # *RTL_DYNAMIC_HASH_TABLE


class OB_HANDLE_REVOCATION_BLOCK(Struct, size=0x20):
    """Handles revoked with a logon session."""

    RevocationInfos = at(0x00, LIST_ENTRY)
    Lock            = at(0x10, EX_PUSH_LOCK)
    Rundown         = at(0x18, EX_RUNDOWN_REF)


class SEP_LOGON_SESSION_REFERENCES(Struct, size=0xC0):
    """Logon session."""

    Next                  = at(0x00, PVOID)  # *SEP_LOGON_SESSION_REFERENCES
    LogonId               = at(0x08, LUID)
    BuddyLogonId          = at(0x10, LUID)
    ReferenceCount        = at(0x18, LONGLONG)
    Flags                 = at(0x20, ULONG)
    pDeviceMap            = at(0x28, PVOID)  # *DEVICE_MAP
    Token                 = at(0x30, PVOID)
    AccountName           = at(0x38, UNICODE_STRING)
    AuthorityName         = at(0x48, UNICODE_STRING)
    CachedHandlesTable    = at(0x58, SEP_CACHED_HANDLES_TABLE)
    SharedDataLock        = at(0x68, EX_PUSH_LOCK)
    SharedClaimAttributes = at(0x70, PVOID)  # *AUTHZBASEP_CLAIM_ATTRIBUTES_COLLECTION
    SharedSidValues       = at(0x78, PVOID)  # *SEP_SID_VALUES_BLOCK
    RevocationBlock       = at(0x80, OB_HANDLE_REVOCATION_BLOCK)
    ServerSilo            = at(0xA0, PVOID)  # *EJOB
    SiblingAuthId         = at(0xA8, LUID)
    TokenList             = at(0xB0, LIST_ENTRY)


class SEP_SID_VALUES_BLOCK(Struct, size=0x20):
    """SIDs shared by several tokens."""

    BlockLength    = at(0x00, ULONG)
    ReferenceCount = at(0x08, LONGLONG)
    SidCount       = at(0x10, ULONG)
    SidValuesStart = at(0x18, ULONGLONG)


class SEP_CACHED_HANDLES_ENTRY_DESCRIPTOR(Struct, size=0x18):
    """Key of a cached AppContainer handle."""

    DescriptorType  = at(0x00, ULONG)  # SEP_CACHED_HANDLES_ENTRY_TYPE
    IsolationPrefix = at(0x08, UNICODE_STRING)
    PackageSid      = at(0x08, PVOID)


class SEP_CACHED_HANDLES_ENTRY(Struct, size=0x48):
    """Cached AppContainer handles."""

    HashEntry       = at(0x00, RTL_DYNAMIC_HASH_TABLE_ENTRY)
    ReferenceCount  = at(0x18, LONGLONG)
    EntryDescriptor = at(0x20, SEP_CACHED_HANDLES_ENTRY_DESCRIPTOR)
    HandleCount     = at(0x38, ULONG)
    Handles         = at(0x40, PVOID)


class SEP_LOWBOX_NUMBER_ENTRY(Struct, size=0x38):
    """Number of an AppContainer."""

    HashEntry      = at(0x00, RTL_DYNAMIC_HASH_TABLE_ENTRY)
    ReferenceCount = at(0x18, LONGLONG)
    PackageSid     = at(0x20, PVOID)
    LowboxNumber   = at(0x28, ULONG)
    AtomTable      = at(0x30, PVOID)


class SEP_LUID_TO_INDEX_MAP_ENTRY(Struct, size=0x38):
    """Index of a logon session."""

    HashEntry                     = at(0x00, RTL_DYNAMIC_HASH_TABLE_ENTRY)
    ReferenceCount                = at(0x18, LONGLONG)
    Luid                          = at(0x20, ULONGLONG)
    IndexIntoGlobalSingletonTable = at(0x28, ULONGLONG)
    MarkedForDeletion             = at(0x30, UCHAR)


class AUTHZBASEP_SECURITY_ATTRIBUTES_INFORMATION(Struct, size=0x30):
    """Security attributes of a token."""

    SecurityAttributeCount        = at(0x00, ULONG)
    SecurityAttributesList        = at(0x08, LIST_ENTRY)
    WorkingSecurityAttributeCount = at(0x18, ULONG)
    WorkingSecurityAttributesList = at(0x20, LIST_ENTRY)


class AUTHZBASEP_CLAIM_ATTRIBUTES_COLLECTION(Struct, size=0x260):
    """User and device claims of a token."""

    DeviceGroupsCount                   = at(0x000, ULONG)
    pDeviceGroups                       = at(0x008, PVOID)  # *SID_AND_ATTRIBUTES
    RestrictedDeviceGroupsCount         = at(0x010, ULONG)
    pRestrictedDeviceGroups             = at(0x018, PVOID)  # *SID_AND_ATTRIBUTES
    DeviceGroupsHash                    = at(0x020, SID_AND_ATTRIBUTES_HASH)
    RestrictedDeviceGroupsHash          = at(0x130, SID_AND_ATTRIBUTES_HASH)
    pUserSecurityAttributes             = at(0x240, PVOID)  # *AUTHZBASEP_SECURITY_ATTRIBUTES_INFORMATION
    pDeviceSecurityAttributes           = at(0x248, PVOID)  # *AUTHZBASEP_SECURITY_ATTRIBUTES_INFORMATION
    pRestrictedUserSecurityAttributes   = at(0x250, PVOID)  # *AUTHZBASEP_SECURITY_ATTRIBUTES_INFORMATION
    pRestrictedDeviceSecurityAttributes = at(0x258, PVOID)  # *AUTHZBASEP_SECURITY_ATTRIBUTES_INFORMATION


class TOKEN(Struct, size=0x498):
    """Access token."""

    TokenSource              = at(0x000, TOKEN_SOURCE)
    TokenId                  = at(0x010, LUID)
    AuthenticationId         = at(0x018, LUID)
    ParentTokenId            = at(0x020, LUID)
    ExpirationTime           = at(0x028, LARGE_INTEGER)
    TokenLock                = at(0x030, PVOID)  # *ERESOURCE
    ModifiedId               = at(0x038, LUID)
    Privileges               = at(0x040, SEP_TOKEN_PRIVILEGES)
    AuditPolicy              = at(0x058, SEP_AUDIT_POLICY)
    SessionId                = at(0x078, ULONG)
    UserAndGroupCount        = at(0x07C, ULONG)
    RestrictedSidCount       = at(0x080, ULONG)
    VariableLength           = at(0x084, ULONG)
    DynamicCharged           = at(0x088, ULONG)
    DynamicAvailable         = at(0x08C, ULONG)
    DefaultOwnerIndex        = at(0x090, ULONG)
    UserAndGroups            = at(0x098, PVOID)  # *SID_AND_ATTRIBUTES
    RestrictedSids           = at(0x0A0, PVOID)  # *SID_AND_ATTRIBUTES
    PrimaryGroup             = at(0x0A8, PVOID)
    DynamicPart              = at(0x0B0, PVOID)
    DefaultDacl              = at(0x0B8, PVOID)  # *ACL
    TokenType                = at(0x0C0, ULONG)  # TOKEN_TYPE
    ImpersonationLevel       = at(0x0C4, ULONG)  # SECURITY_IMPERSONATION_LEVEL
    TokenFlags               = at(0x0C8, ULONG)
    TokenInUse               = at(0x0CC, UCHAR)
    IntegrityLevelIndex      = at(0x0D0, ULONG)
    MandatoryPolicy          = at(0x0D4, ULONG)
    LogonSession             = at(0x0D8, PVOID)  # *SEP_LOGON_SESSION_REFERENCES
    OriginatingLogonSession  = at(0x0E0, LUID)
    SidHash                  = at(0x0E8, SID_AND_ATTRIBUTES_HASH)
    RestrictedSidHash        = at(0x1F8, SID_AND_ATTRIBUTES_HASH)
    pSecurityAttributes      = at(0x308, PVOID)  # *AUTHZBASEP_SECURITY_ATTRIBUTES_INFORMATION
    Package                  = at(0x310, PVOID)
    Capabilities             = at(0x318, PVOID)  # *SID_AND_ATTRIBUTES
    CapabilityCount          = at(0x320, ULONG)
    CapabilitiesHash         = at(0x328, SID_AND_ATTRIBUTES_HASH)
    LowboxNumberEntry        = at(0x438, PVOID)  # *SEP_LOWBOX_NUMBER_ENTRY
    LowboxHandlesEntry       = at(0x440, PVOID)  # *SEP_CACHED_HANDLES_ENTRY
    pClaimAttributes         = at(0x448, PVOID)  # *AUTHZBASEP_CLAIM_ATTRIBUTES_COLLECTION
    TrustLevelSid            = at(0x450, PVOID)
    TrustLinkedToken         = at(0x458, PVOID)  # *TOKEN
    IntegrityLevelSidValue   = at(0x460, PVOID)
    TokenSidValues           = at(0x468, PVOID)  # *SEP_SID_VALUES_BLOCK
    IndexEntry               = at(0x470, PVOID)  # *SEP_LUID_TO_INDEX_MAP_ENTRY
    DiagnosticInfo           = at(0x478, PVOID)  # *SEP_TOKEN_DIAG_TRACK_ENTRY
    BnoIsolationHandlesEntry = at(0x480, PVOID)  # *SEP_CACHED_HANDLES_ENTRY
    SessionObject            = at(0x488, PVOID)
    VariablePart             = at(0x490, ULONGLONG)

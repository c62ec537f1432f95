"""Answers about tokens, and access control entries."""

from __future__ import annotations

from ntos.abi.layout.string import GUID, LUID
from ntos.abi.layout.token import LUID_AND_ATTRIBUTES, SID_AND_ATTRIBUTES
from ntos.abi.struct import Struct, array, at
from ntos.abi.types import ACCESS_MASK, HANDLE, LARGE_INTEGER, PVOID, UCHAR, ULONG, USHORT


class TOKEN_USER(Struct, size=0x10):
    """User of a token."""

    User = at(0x00, SID_AND_ATTRIBUTES)


class TOKEN_GROUPS(Struct, size=0x18):
    """Groups of a token, with the first."""

    GroupCount = at(0x00, ULONG)
    Groups     = at(0x08, array(SID_AND_ATTRIBUTES, 1))


class TOKEN_PRIVILEGES(Struct, size=0x10):
    """Privileges of a token, with the first."""

    PrivilegeCount = at(0x00, ULONG)
    Privileges     = at(0x04, array(LUID_AND_ATTRIBUTES, 1))


class TOKEN_OWNER(Struct, size=0x08):
    """Default owner of a token."""

    Owner = at(0x00, PVOID)


class TOKEN_PRIMARY_GROUP(Struct, size=0x08):
    """Default group of a token."""

    PrimaryGroup = at(0x00, PVOID)


class TOKEN_DEFAULT_DACL(Struct, size=0x08):
    """Default access list of a token."""

    DefaultDacl = at(0x00, PVOID)


class TOKEN_STATISTICS(Struct, size=0x38):
    """Identity and counts of a token."""

    TokenId            = at(0x00, LUID)
    AuthenticationId   = at(0x08, LUID)
    ExpirationTime     = at(0x10, LARGE_INTEGER)
    TokenType          = at(0x18, ULONG)  # TOKEN_TYPE
    ImpersonationLevel = at(0x1C, ULONG)  # SECURITY_IMPERSONATION_LEVEL
    DynamicCharged     = at(0x20, ULONG)
    DynamicAvailable   = at(0x24, ULONG)
    GroupCount         = at(0x28, ULONG)
    PrivilegeCount     = at(0x2C, ULONG)
    ModifiedId         = at(0x30, LUID)


class TOKEN_MANDATORY_LABEL(Struct, size=0x10):
    """Integrity level of a token."""

    Label = at(0x00, SID_AND_ATTRIBUTES)


class TOKEN_LINKED_TOKEN(Struct, size=0x08):
    """The other half of a split token."""

    LinkedToken = at(0x00, HANDLE)


class TOKEN_ELEVATION(Struct, size=0x04):
    """Whether a token is elevated."""

    TokenIsElevated = at(0x00, ULONG)


class TOKEN_ORIGIN(Struct, size=0x08):
    """Logon session that made this one."""

    OriginatingLogonSession = at(0x00, LUID)


class TOKEN_APPCONTAINER_INFORMATION(Struct, size=0x08):
    """AppContainer of a token."""

    TokenAppContainer = at(0x00, PVOID)


class ACE_HEADER(Struct, size=0x04):
    """What every access control entry begins with."""

    AceType  = at(0x00, UCHAR)
    AceFlags = at(0x01, UCHAR)
    AceSize  = at(0x02, USHORT)


class ACCESS_ALLOWED_ACE(Struct, size=0x0C):
    """Entry that grants; the SID begins at SidStart."""

    Header   = at(0x00, ACE_HEADER)
    Mask     = at(0x04, ACCESS_MASK)
    SidStart = at(0x08, ULONG)


class ACCESS_DENIED_ACE(Struct, size=0x0C):
    """Entry that denies; the SID begins at SidStart."""

    Header   = at(0x00, ACE_HEADER)
    Mask     = at(0x04, ACCESS_MASK)
    SidStart = at(0x08, ULONG)


class SYSTEM_AUDIT_ACE(Struct, size=0x0C):
    """Entry that audits; the SID begins at SidStart."""

    Header   = at(0x00, ACE_HEADER)
    Mask     = at(0x04, ACCESS_MASK)
    SidStart = at(0x08, ULONG)


class SYSTEM_MANDATORY_LABEL_ACE(Struct, size=0x0C):
    """Integrity label and its policy."""

    Header   = at(0x00, ACE_HEADER)
    Mask     = at(0x04, ACCESS_MASK)
    SidStart = at(0x08, ULONG)


class ACCESS_ALLOWED_OBJECT_ACE(Struct, size=0x30):
    """Entry that grants on a property; the SID begins at SidStart."""

    Header              = at(0x00, ACE_HEADER)
    Mask                = at(0x04, ACCESS_MASK)
    Flags               = at(0x08, ULONG)
    ObjectType          = at(0x0C, GUID)
    InheritedObjectType = at(0x1C, GUID)
    SidStart            = at(0x2C, ULONG)


class ACL_SIZE_INFORMATION(Struct, size=0x0C):
    """Entries and bytes of an access list."""

    AceCount      = at(0x00, ULONG)
    AclBytesInUse = at(0x04, ULONG)
    AclBytesFree  = at(0x08, ULONG)

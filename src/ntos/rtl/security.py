"""Security descriptors, ACLs and ACEs as values, read from bytes and written back.

Layouts: winnt.h (SECURITY_DESCRIPTOR, ACL, ACE_HEADER); [MS-DTYP] 2.4.
"""

from __future__ import annotations

import enum
import struct
from dataclasses import dataclass, replace

from ntos.abi.status import STATUS, NtError
from ntos.rtl import sid as sids

DESCRIPTOR_SIZE = 0x28
"""The size of an absolute SECURITY_DESCRIPTOR; a self-relative header has 0x14 bytes."""
RELATIVE_HEADER_SIZE = 0x14
ACL_REVISION = 2
ACL_REVISION_DS = 4


class Control(enum.IntFlag):
    """SECURITY_DESCRIPTOR_CONTROL."""

    OWNER_DEFAULTED = 0x0001
    GROUP_DEFAULTED = 0x0002
    DACL_PRESENT = 0x0004
    DACL_DEFAULTED = 0x0008
    SACL_PRESENT = 0x0010
    SACL_DEFAULTED = 0x0020
    DACL_AUTO_INHERIT_REQ = 0x0100
    SACL_AUTO_INHERIT_REQ = 0x0200
    DACL_AUTO_INHERITED = 0x0400
    SACL_AUTO_INHERITED = 0x0800
    DACL_PROTECTED = 0x1000
    SACL_PROTECTED = 0x2000
    RM_CONTROL_VALID = 0x4000
    SELF_RELATIVE = 0x8000


_NO_CONTROL = Control(0)


class AceType(enum.IntEnum):
    """ACE_HEADER.AceType."""

    ACCESS_ALLOWED = 0
    ACCESS_DENIED = 1
    SYSTEM_AUDIT = 2
    SYSTEM_ALARM = 3
    ACCESS_ALLOWED_COMPOUND = 4
    ACCESS_ALLOWED_OBJECT = 5
    ACCESS_DENIED_OBJECT = 6
    SYSTEM_AUDIT_OBJECT = 7
    SYSTEM_ALARM_OBJECT = 8
    ACCESS_ALLOWED_CALLBACK = 9
    ACCESS_DENIED_CALLBACK = 10
    ACCESS_ALLOWED_CALLBACK_OBJECT = 11
    ACCESS_DENIED_CALLBACK_OBJECT = 12
    SYSTEM_AUDIT_CALLBACK = 13
    SYSTEM_AUDIT_CALLBACK_OBJECT = 15
    SYSTEM_MANDATORY_LABEL = 17
    SYSTEM_RESOURCE_ATTRIBUTE = 18
    SYSTEM_SCOPED_POLICY_ID = 19
    SYSTEM_PROCESS_TRUST_LABEL = 20
    SYSTEM_ACCESS_FILTER = 21


class AceFlags(enum.IntFlag):
    """ACE_HEADER.AceFlags."""

    OBJECT_INHERIT = 0x01
    CONTAINER_INHERIT = 0x02
    NO_PROPAGATE_INHERIT = 0x04
    INHERIT_ONLY = 0x08
    INHERITED = 0x10
    CRITICAL = 0x20
    SUCCESSFUL_ACCESS = 0x40
    FAILED_ACCESS = 0x80


OBJECT_ACES = frozenset({5, 6, 7, 8, 11, 12, 15})
_DENIED = frozenset({1, 6, 10, 12})
_TYPE_PRESENT = 1
_INHERITED_TYPE_PRESENT = 2


@dataclass(frozen=True, slots=True)
class Ace:
    """One access control entry; `extra` is what follows the SID (a condition, a resource attribute)."""

    type: int
    flags: int
    mask: int
    sid: bytes
    extra: bytes = b""
    object_type: bytes | None = None
    inherited_object_type: bytes | None = None

    @property
    def inherited(self) -> bool:
        return bool(self.flags & AceFlags.INHERITED)

    @property
    def inherit_only(self) -> bool:
        return bool(self.flags & AceFlags.INHERIT_ONLY)

    @property
    def denies(self) -> bool:
        return self.type in _DENIED

    def to_bytes(self) -> bytes:
        """The entry with its header; its size is a multiple of four."""
        body = struct.pack("<I", self.mask)
        if self.type in OBJECT_ACES:
            present = (self.object_type is not None) | (self.inherited_object_type is not None) << 1
            body += (
                struct.pack("<I", present) + (self.object_type or b"") + (self.inherited_object_type or b"")
            )
        body += self.sid + self.extra
        body += bytes(-len(body) % 4)
        return struct.pack("<BBH", self.type, self.flags, 4 + len(body)) + body


def parse_ace(data: bytes) -> Ace:
    """The entry whose header begins the bytes."""
    kind, flags, size = struct.unpack_from("<BBH", data)
    if size < 16 or size > len(data):
        raise NtError(STATUS.INVALID_ACL)
    (mask,) = struct.unpack_from("<I", data, 4)
    offset = 8
    object_type = inherited = None
    if kind in OBJECT_ACES:
        (present,) = struct.unpack_from("<I", data, 8)
        offset = 12
        if present & _TYPE_PRESENT:
            object_type, offset = data[offset : offset + 16], offset + 16
        if present & _INHERITED_TYPE_PRESENT:
            inherited, offset = data[offset : offset + 16], offset + 16
    sid = sids.take(data[:size], offset)
    return Ace(kind, flags, mask, sid, data[offset + len(sid) : size], object_type, inherited)


@dataclass(frozen=True, slots=True)
class Acl:
    """A list of entries."""

    aces: tuple[Ace, ...] = ()
    revision: int = ACL_REVISION

    def to_bytes(self, size: int = 0) -> bytes:
        """The ACL with its header, at least so large; room behind the last entry is part of its AclSize."""
        body = b"".join(ace.to_bytes() for ace in self.aces)
        total = max(8 + len(body), size)
        return struct.pack("<BBHHH", self.revision, 0, total, len(self.aces), 0) + body.ljust(
            total - 8, b"\0"
        )

    def add(self, ace: Ace, index: int | None = None) -> Acl:
        """The list with one more entry, at the end or before an index; its revision rises if it must."""
        at = len(self.aces) if index is None else index
        revision = max(self.revision, ACL_REVISION_DS if ace.type in OBJECT_ACES else ACL_REVISION)
        return Acl((*self.aces[:at], ace, *self.aces[at:]), revision)

    @property
    def is_canonical(self) -> bool:
        """Whether explicit entries stand before inherited ones, and of the explicit, denying ones first."""
        ranks = [_rank(ace) for ace in self.aces]
        return ranks == sorted(ranks)

    def canonical(self) -> Acl:
        """The same entries in canonical order; inherited ones keep their order among themselves."""
        return replace(self, aces=tuple(sorted(self.aces, key=_rank)))


def _rank(ace: Ace) -> int:
    return 2 if ace.inherited else 0 if ace.denies else 1


def is_valid_acl(data: bytes) -> bool:
    """Whether an ACL's sizes and entries hold together (RtlValidAcl)."""
    try:
        parse_acl(data)
    except NtError:
        return False
    return True


def parse_acl(data: bytes) -> Acl:
    """The list that begins the bytes; STATUS_INVALID_ACL where its sizes do not hold together."""
    if len(data) < 8:
        raise NtError(STATUS.INVALID_ACL)
    revision, _, size, count, _ = struct.unpack_from("<BBHHH", data)
    if not ACL_REVISION <= revision <= ACL_REVISION_DS or not 8 <= size <= len(data):
        raise NtError(STATUS.INVALID_ACL)
    aces: list[Ace] = []
    offset = 8
    for _ in range(count):
        if offset + 4 > size:
            raise NtError(STATUS.INVALID_ACL)
        (length,) = struct.unpack_from("<H", data, offset + 2)
        if offset + length > size:
            raise NtError(STATUS.INVALID_ACL)
        aces.append(parse_ace(data[offset : offset + length]))
        offset += length
    return Acl(tuple(aces), revision)


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A security descriptor; a DACL that is present but None (a NULL DACL) grants everything."""

    owner: bytes | None = None
    group: bytes | None = None
    dacl: Acl | None = None
    sacl: Acl | None = None
    control: Control = _NO_CONTROL
    resource_manager: int = 0

    def to_bytes(self) -> bytes:
        """The self-relative form (RtlMakeSelfRelativeSD): SACL, DACL, owner, group behind the header."""
        parts = [
            self.sacl.to_bytes() if self.sacl is not None else b"",
            self.dacl.to_bytes() if self.dacl is not None else b"",
            self.owner or b"",
            self.group or b"",
        ]
        offsets: list[int] = []
        body = b""
        for part in parts:
            offsets.append(RELATIVE_HEADER_SIZE + len(body) if part else 0)
            body += part + bytes(-len(part) % 4)
        sacl, dacl, owner, group = offsets
        control = self.control | Control.SELF_RELATIVE
        return struct.pack("<BBHIIII", 1, self.resource_manager, control, owner, group, sacl, dacl) + body

    @property
    def present_dacl(self) -> bool:
        return bool(self.control & Control.DACL_PRESENT)

    def with_dacl(self, dacl: Acl | None) -> Descriptor:
        """The descriptor with this DACL, present (RtlSetDaclSecurityDescriptor)."""
        return replace(self, dacl=dacl, control=self.control | Control.DACL_PRESENT)

    def with_sacl(self, sacl: Acl | None) -> Descriptor:
        """The descriptor with this SACL, present (RtlSetSaclSecurityDescriptor)."""
        return replace(self, sacl=sacl, control=self.control | Control.SACL_PRESENT)


def parse_descriptor(data: bytes) -> Descriptor:
    """The descriptor in self-relative bytes; STATUS_INVALID_SECURITY_DESCR where they are none."""
    if len(data) < RELATIVE_HEADER_SIZE:
        raise NtError(STATUS.INVALID_SECURITY_DESCR)
    revision, manager, control, owner, group, sacl, dacl = struct.unpack_from("<BBHIIII", data)
    if revision != 1 or not control & Control.SELF_RELATIVE:
        raise NtError(STATUS.INVALID_SECURITY_DESCR)
    for offset in (owner, group, sacl, dacl):
        if offset and not RELATIVE_HEADER_SIZE <= offset < len(data):
            raise NtError(STATUS.INVALID_SECURITY_DESCR)
    return Descriptor(
        sids.take(data, owner) if owner else None,
        sids.take(data, group) if group else None,
        parse_acl(data[dacl:]) if dacl and control & Control.DACL_PRESENT else None,
        parse_acl(data[sacl:]) if sacl and control & Control.SACL_PRESENT else None,
        Control(control),
        manager,
    )


def absolute_header(control: int, owner: int, group: int, sacl: int, dacl: int, *, manager: int = 0) -> bytes:
    """The 0x28 bytes of an absolute SECURITY_DESCRIPTOR that points to these addresses."""
    return struct.pack("<BBH4xQQQQ", 1, manager, control & ~Control.SELF_RELATIVE, owner, group, sacl, dacl)


def parse_absolute_header(data: bytes) -> tuple[int, int, int, int, int]:
    """Control word and the addresses of owner, group, SACL and DACL in an absolute SECURITY_DESCRIPTOR."""
    revision, _, control, owner, group, sacl, dacl = struct.unpack_from("<BBH4xQQQQ", data)
    if revision != 1:
        raise NtError(STATUS.UNKNOWN_REVISION)
    return control, owner, group, sacl, dacl


def map_generic(mask: int, read: int, write: int, execute: int, everything: int) -> int:
    """An access mask with the generic rights replaced by specific ones (RtlMapGenericMask)."""
    for bit, specific in ((31, read), (30, write), (29, execute), (28, everything)):
        if mask >> bit & 1:
            mask = mask & ~(1 << bit) | specific
    return mask

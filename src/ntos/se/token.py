"""Token objects: true `_TOKEN` bytes, with user, groups and SIDs in the variable part behind the
structure.
"""

from __future__ import annotations

import functools
import struct
from dataclasses import dataclass, replace
from typing import NamedTuple

from ntos.abi import access as rights
from ntos.abi import se as constants
from ntos.abi.layout.enums import TOKEN_TYPE
from ntos.abi.layout.token import (
    SEP_CACHED_HANDLES_ENTRY,
    SEP_LOGON_SESSION_REFERENCES,
    SEP_LOWBOX_NUMBER_ENTRY,
    SID_AND_ATTRIBUTES,
    SID_AND_ATTRIBUTES_HASH,
    TOKEN,
)
from ntos.abi.status import STATUS, Denied, NtError
from ntos.ke.kernel import Kernel
from ntos.ke.process import Process
from ntos.ke.thread import Thread
from ntos.ob import object as objects
from ntos.ob.handle import by_handle, close_in
from ntos.ob.manager import ObjectManager
from ntos.ob.object import at_address, dereference, reference
from ntos.ob.types import ObjectType
from ntos.rtl import security
from ntos.rtl import sid as sids
from ntos.rtl.security import Ace, AceType, Acl, Descriptor
from ntos.se import logon, luid
from ntos.se.access import privilege_not_held
from ntos.se.claims import DENY_ONLY, ENABLED, Claims, Group
from ntos.se.store import set_descriptor

PRIMARY = int(TOKEN_TYPE.TokenPrimary)
IMPERSONATION = int(TOKEN_TYPE.TokenImpersonation)
ANONYMOUS, IDENTIFICATION, IMPERSONATE, DELEGATION = range(4)
NEVER = 0x7FFF_FFFF_FFFF_FFFF
VARIABLE_PART = TOKEN.offset("VariablePart")
DYNAMIC_CHARGE = 500
"""A token is charged for at least so much primary group and default DACL."""
_HEAD, _HEAD_SIZE = 0x40, 0x98
_LOWBOX, _LOWBOX_SIZE = TOKEN.offset("Package"), 0x14
_PRIVILEGE_FLAGS = {
    constants.SE_PRIVILEGE.CHANGE_NOTIFY: constants.TOKEN_HAS_TRAVERSE_PRIVILEGE,
    constants.SE_PRIVILEGE.BACKUP: constants.TOKEN_HAS_BACKUP_PRIVILEGE,
    constants.SE_PRIVILEGE.RESTORE: constants.TOKEN_HAS_RESTORE_PRIVILEGE,
    constants.SE_PRIVILEGE.IMPERSONATE: constants.TOKEN_HAS_IMPERSONATE_PRIVILEGE,
}
_DERIVED_FLAGS = sum(_PRIVILEGE_FLAGS.values()) | constants.TOKEN_NOT_LOW


@dataclass(frozen=True, slots=True)
class Birth:
    """What a token is made of besides its bearer's claims."""

    authentication_id: int
    primary_group: bytes
    default_dacl: Acl | None = None
    type: int = PRIMARY
    level: int = ANONYMOUS
    session: int = 0
    source: bytes = b"*SYSTEM*"
    source_id: int = 0
    origin: int = constants.SYSTEM_LUID
    parent: int = 0
    modified: int = 0
    lowbox: tuple[int, int] = (0, 0)
    """SEP_LOWBOX_NUMBER_ENTRY and SEP_CACHED_HANDLES_ENTRY of the AppContainer, shared by its tokens."""
    expires: int = NEVER


class Token:
    """A token object: `_TOKEN` at `address`."""

    def __init__(self, kernel: Kernel, address: int) -> None:
        self.kernel = kernel
        self.address = address
        self.body = TOKEN(kernel.memory, address)

    @property
    def claims(self) -> Claims:
        """What the bytes say about the bearer, read now."""
        memory = self.kernel.memory
        head = memory.read(self.address + _HEAD, _HEAD_SIZE)
        (size,) = struct.unpack_from("<I", head, 0x84 - _HEAD)
        (flags,) = struct.unpack_from("<I", head, 0xC8 - _HEAD)
        variable = self.address + VARIABLE_PART
        lowbox = memory.read(self.address + _LOWBOX, _LOWBOX_SIZE) if flags & constants.TOKEN_LOWBOX else b""
        return _parse(head, memory.read(variable, size), variable, lowbox)

    @property
    def is_primary(self) -> bool:
        return int(self.body.TokenType) == PRIMARY

    @property
    def level(self) -> int:
        """SECURITY_IMPERSONATION_LEVEL."""
        return int(self.body.ImpersonationLevel)

    @property
    def id(self) -> int:
        """TokenId."""
        return luid.get(self.body.TokenId)

    @property
    def authentication_id(self) -> int:
        """The logon session's LUID."""
        return luid.get(self.body.AuthenticationId)

    @property
    def linked_session(self) -> int | None:
        """The logon session of a split token's other half; None where the token is not split."""
        address = int(self.body.LogonSession)
        if not address:
            return None
        record = SEP_LOGON_SESSION_REFERENCES(self.kernel.memory, address)
        return luid.get(record.BuddyLogonId) or None

    @property
    def session(self) -> int:
        """The terminal services session."""
        return int(self.body.SessionId)

    @property
    def primary_group(self) -> bytes:
        """The group of what the bearer creates."""
        return read_sid(self, int(self.body.PrimaryGroup))

    @property
    def default_dacl(self) -> Acl | None:
        """The DACL of what the bearer creates without saying otherwise."""
        address = int(self.body.DefaultDacl)
        if not address:
            return None
        size = int.from_bytes(self.kernel.memory.read(address + 2, 2), "little")
        return security.parse_acl(self.kernel.memory.read(address, size))

    # ------------------------------------------------------------ changes

    def touch(self) -> None:
        """Give the token a new ModifiedId: something in it changed."""
        luid.put(self.body.ModifiedId, luid.allocate(self.kernel))

    def set_privileges(self, present: int, enabled: int) -> None:
        """Write the privilege bitmaps and the flags that follow from them."""
        privileges = self.body.Privileges
        privileges.Present = present
        privileges.Enabled = enabled & present
        self._derive_flags()

    def set_group_attributes(self, index: int, attributes: int) -> None:
        """Write how one group counts."""
        self._entry(index).Attributes = attributes

    def set_dynamic(self, primary_group: bytes, default_dacl: Acl | None) -> None:
        """Replace primary group and default DACL (the dynamic part)."""
        pool, body = self.kernel.pool, self.body
        dacl = default_dacl.to_bytes() if default_dacl is not None else b""
        size = len(primary_group) + len(dacl)
        old = int(body.DynamicPart)
        address = pool.allocate(max(size, 16), b"SeTd", paged=True)
        self.kernel.memory.write(address, primary_group + dacl)
        body.DynamicPart = address
        body.PrimaryGroup = address
        body.DefaultDacl = address + len(primary_group) if dacl else 0
        body.DynamicCharged = max(DYNAMIC_CHARGE, size)
        body.DynamicAvailable = max(DYNAMIC_CHARGE - size, 0)
        if old:
            pool.free(old)

    def set_integrity(self, sid: bytes) -> None:
        """Replace the mandatory label; the label group must be there."""
        index = int(self.body.IntegrityLevelIndex)
        if index >= int(self.body.UserAndGroupCount):
            raise NtError(STATUS.INVALID_LABEL)
        self.kernel.memory.write(int(self._entry(index).Sid), sid)
        _hash(self.body.SidHash, self.claims.groups, int(self.body.UserAndGroups))
        self._derive_flags()

    def _entry(self, index: int) -> SID_AND_ATTRIBUTES:
        return SID_AND_ATTRIBUTES(self.kernel.memory, int(self.body.UserAndGroups) + index * SID_AND_ATTRIBUTES.size)

    def _derive_flags(self) -> None:
        claims = self.claims
        flags = claims.flags & ~_DERIVED_FLAGS
        for privilege, flag in _PRIVILEGE_FLAGS.items():
            if claims.holds(privilege):
                flags |= flag
        if claims.level >= 0x2000:
            flags |= constants.TOKEN_NOT_LOW
        self.body.TokenFlags = flags


@functools.lru_cache(maxsize=512)
def _parse(head: bytes, variable: bytes, base: int, lowbox: bytes) -> Claims:
    package, array, count = struct.unpack("<QQI", lowbox) if lowbox else (0, 0, 0)
    present, enabled, by_default = struct.unpack_from("<3Q", head, 0)
    groups, restricted_count = struct.unpack_from("<2I", head, 0x7C - _HEAD)
    owner, _, users, restricted = struct.unpack_from("<IIQQ", head, 0x90 - _HEAD)
    (flags,) = struct.unpack_from("<I", head, 0xC8 - _HEAD)
    integrity, policy = struct.unpack_from("<II", head, 0xD0 - _HEAD)
    return Claims(
        groups=_groups(variable, base, users, groups),
        present=present,
        enabled=enabled,
        enabled_by_default=by_default,
        restricted=_groups(variable, base, restricted, restricted_count),
        integrity_index=integrity,
        owner_index=owner,
        policy=policy,
        flags=flags,
        package=sids.take(variable, package - base) if package else None,
        capabilities=_groups(variable, base, array, count),
    )


def _groups(variable: bytes, base: int, address: int, count: int) -> tuple[Group, ...]:
    found = []
    for index in range(count):
        pointer, attributes = struct.unpack_from("<QI", variable, address - base + 16 * index)
        found.append(Group(sids.take(variable, pointer - base), attributes))
    return tuple(found)


def read_sid(token: Token, address: int) -> bytes:
    """The SID at an address of kernel memory."""
    memory = token.kernel.memory
    return memory.read(address, 8 + 4 * memory.read(address + 1, 1)[0])


def at(kernel: Kernel, address: int) -> Token:
    """The token object at an address."""
    found = at_address(kernel, address)
    assert isinstance(found, Token)
    return found


# ---------------------------------------------------------------- making tokens


def create(kernel: Kernel, claims: Claims, birth: Birth) -> Token:
    """A new token object with one reference (SepCreateToken)."""
    variable_size = _variable_size(claims)
    token = objects.create(kernel, TYPE, size=VARIABLE_PART + variable_size)
    body = token.body
    body.TokenSource.SourceName = birth.source
    luid.put(body.TokenSource.SourceIdentifier, birth.source_id)
    luid.put(body.TokenId, luid.allocate(kernel))
    luid.put(body.AuthenticationId, birth.authentication_id)
    luid.put(body.ParentTokenId, birth.parent)
    luid.put(body.ModifiedId, birth.modified or luid.allocate(kernel))
    luid.put(body.OriginatingLogonSession, birth.origin)
    body.ExpirationTime = birth.expires
    body.SessionId = birth.session
    body.TokenType = birth.type
    body.ImpersonationLevel = birth.level if birth.type == IMPERSONATION else ANONYMOUS
    body.VariableLength = variable_size
    body.DefaultOwnerIndex = claims.owner_index
    body.IntegrityLevelIndex = claims.integrity_index
    body.MandatoryPolicy = claims.policy
    body.TokenFlags = claims.flags
    privileges = body.Privileges
    privileges.Present, privileges.Enabled = claims.present, claims.enabled
    privileges.EnabledByDefault = claims.enabled_by_default
    _write_variable(token, claims)
    token._derive_flags()  # noqa: SLF001 - the maker finishes what the class keeps
    token.set_dynamic(birth.primary_group, birth.default_dacl)
    body.LowboxNumberEntry, body.LowboxHandlesEntry = birth.lowbox
    for entry in birth.lowbox:
        share(kernel, entry, 1)
    body.LogonSession = logon.reference(kernel, birth.authentication_id)
    set_descriptor(token, _own_descriptor(claims, birth))
    return token


def _own_descriptor(claims: Claims, birth: Birth) -> bytes:
    """A token protects itself as its bearer protects what it creates: its owner, default DACL and label."""
    aces = birth.default_dacl.aces if birth.default_dacl is not None else ()
    dacl = Acl(tuple(replace(ace, mask=TYPE.mapping.apply(ace.mask)) for ace in aces))
    label = Acl((Ace(AceType.SYSTEM_MANDATORY_LABEL, 0, 1, claims.integrity),))
    described = Descriptor(claims.owner, birth.primary_group)
    return described.with_dacl(dacl).with_sacl(label).to_bytes()


def _variable_size(claims: Claims) -> int:
    members = (*claims.groups, *claims.restricted, *claims.capabilities)
    size = sum(SID_AND_ATTRIBUTES.size + len(group.sid) for group in members)
    return size + len(claims.package or b"") + 7 & ~7


def _write_variable(token: Token, claims: Claims) -> None:
    body = token.body
    base = token.address + VARIABLE_PART
    members = (*claims.groups, *claims.restricted, *claims.capabilities)
    text_at = base + len(members) * SID_AND_ATTRIBUTES.size
    entries, text = b"", b""
    for group in members:
        entries += struct.pack("<QII", text_at + len(text), group.attributes, 0)
        text += group.sid
    token.kernel.memory.write(base, entries + text + (claims.package or b""))
    body.UserAndGroupCount = len(claims.groups)
    body.UserAndGroups = base
    _hash(body.SidHash, claims.groups, base)
    if claims.restricted:
        start = base + len(claims.groups) * SID_AND_ATTRIBUTES.size
        body.RestrictedSidCount = len(claims.restricted)
        body.RestrictedSids = start
        _hash(body.RestrictedSidHash, claims.restricted, start)
    if claims.package is not None:
        body.Package = text_at + len(text)
    if claims.capabilities:
        start = base + (len(claims.groups) + len(claims.restricted)) * SID_AND_ATTRIBUTES.size
        body.Capabilities, body.CapabilityCount = start, len(claims.capabilities)
        _hash(body.CapabilitiesHash, claims.capabilities, start)


def _hash(table: SID_AND_ATTRIBUTES_HASH, groups: tuple[Group, ...], address: int) -> None:
    """Two tables of sixteen bit masks: which SIDs have this low, this high nibble in their last RID's low
    byte.
    """
    table.SidCount = len(groups)
    table.SidAttr = address
    words = [0] * 32
    for index, group in enumerate(groups[:64]):
        byte = group.sid[-4] if group.sid[1] else 0
        words[byte & 0xF] |= 1 << index
        words[16 + (byte >> 4)] |= 1 << index
    table.memory.write(table.Hash.address, struct.pack("<32Q", *words))


def _delete(token: Token) -> None:
    """The last reference is gone: give back what hangs on the token (SepTokenDeleteMethod)."""
    dynamic = int(token.body.DynamicPart)
    if dynamic:
        token.kernel.pool.free(dynamic)
    logon.dereference(token.kernel, int(token.body.LogonSession))
    number, handles = int(token.body.LowboxNumberEntry), int(token.body.LowboxHandlesEntry)
    if share(token.kernel, number, -1) == 0:
        token.kernel.pool.free(number)
    if share(token.kernel, handles, -1) == 0:
        _close_handles(token.kernel, handles)


def share(kernel: Kernel, entry: int, change: int) -> int:
    """Count a token more or less on what the tokens of an AppContainer share; gives what is left, -1 for no entry."""
    if not entry:
        return -1
    view = SEP_LOWBOX_NUMBER_ENTRY(kernel.memory, entry)  # the other kind has its count at the same place
    view.ReferenceCount = int(view.ReferenceCount) + change
    return int(view.ReferenceCount)


def _close_handles(kernel: Kernel, entry: int) -> None:
    view = SEP_CACHED_HANDLES_ENTRY(kernel.memory, entry)
    table = kernel[ObjectManager].kernel_table
    assert table is not None
    assert table.process is not None
    for index in range(int(view.HandleCount)):
        handle = int.from_bytes(kernel.memory.read(int(view.Handles) + 8 * index, 8), "little")
        close_in(table.process, handle & 0x7FFF_FFFF)
    kernel.pool.free(entry)


def birth_of(token: Token) -> Birth:
    """What another token must be made of to be like this one."""
    body = token.body
    return Birth(
        authentication_id=token.authentication_id,
        primary_group=token.primary_group,
        default_dacl=token.default_dacl,
        type=int(body.TokenType),
        level=token.level,
        session=token.session,
        source=token.kernel.memory.read(body.TokenSource.address, 8),
        source_id=luid.get(body.TokenSource.SourceIdentifier),
        origin=luid.get(body.OriginatingLogonSession),
        parent=luid.get(body.ParentTokenId),
        modified=luid.get(body.ModifiedId),
        lowbox=(int(body.LowboxNumberEntry), int(body.LowboxHandlesEntry)),
        expires=int(body.ExpirationTime),
    )


def duplicate(
    token: Token,
    kind: int,
    level: int = ANONYMOUS,
    *,
    effective_only: bool = False,
    session: int | None = None,
) -> Token:
    """A copy of the token as a primary or impersonation token (SepDuplicateToken)."""
    claims = token.claims
    if effective_only:
        claims = _effective(claims)
    birth = replace(birth_of(token), type=kind, level=level)
    if session is not None:
        birth = replace(birth, session=session)
    return create(token.kernel, claims, birth)


def _effective(claims: Claims) -> Claims:
    """Without the groups and privileges that are not enabled; those for deny only stay."""
    keep = [
        index
        for index, group in enumerate(claims.groups)
        if index in (0, claims.integrity_index) or group.attributes & (ENABLED | DENY_ONLY)
    ]
    return replace(
        claims,
        groups=tuple(claims.groups[index] for index in keep),
        integrity_index=keep.index(claims.integrity_index) if claims.integrity_index in keep else 0xFFFF_FFFF,
        owner_index=keep.index(claims.owner_index) if claims.owner_index in keep else 0,
        present=claims.present & claims.enabled,
    )


TYPE = ObjectType(
    "Token",
    VARIABLE_PART,
    Token,
    valid_access=rights.TOKEN_ALL_ACCESS | rights.SYNCHRONIZE,
    generic_mapping=(0x2001A, 0x201E0, 0x20005, rights.TOKEN_ALL_ACCESS),
    paged=True,
    tag=b"Toke",
    security_required=True,
)
TYPE.delete = _delete


# ---------------------------------------------------------------- who holds tokens

CACHED_REFERENCES = 0xF
"""EX_FAST_REF keeps up to fifteen references in the pointer's low bits; a full one is the usual sight."""


class Client(NamedTuple):
    """An impersonation: the client's token, how far it may be used, and whether only what is enabled
    counts.
    """

    token: Token
    level: int
    effective_only: bool


def primary_token(process: Process) -> Token:
    """The process's token (PsReferencePrimaryToken, without the reference)."""
    return at(process.kernel, process.eprocess.Token.pointer)


def set_primary_token(process: Process, token: Token) -> None:
    """Give a process its token, taking over the caller's reference (PspAssignPrimaryToken)."""
    release_primary_token(process)
    reference(token, CACHED_REFERENCES)
    token.body.TokenInUse = 1
    process.eprocess.Token.Value = token.address | CACHED_REFERENCES


def release_primary_token(process: Process) -> None:
    """Take the token away from a process that is going."""
    field = process.eprocess.Token
    address = field.pointer
    if address:
        field.Value = 0
        dereference(at(process.kernel, address), CACHED_REFERENCES + 1)


def duplicate_for_process(kernel: Kernel, token: Token) -> Token:
    """The token a child process gets: a primary copy of its parent's (SeSubProcessToken)."""
    return duplicate(token, PRIMARY)


def assignable(thread: Thread, handle: int) -> Token:
    """The primary token behind a handle, to be given to a new process; the caller owns the reference.

    A weaker copy of one's own token, or another copy of the same, needs no privilege.
    """
    found = by_handle(thread, handle, rights.TOKEN_ASSIGN_PRIMARY, TYPE)
    if not found.is_primary:
        because = Denied("a process has a primary token", {"TokenType": int(found.body.TokenType)}, "DuplicateTokenEx")
        raise NtError(STATUS.BAD_TOKEN_TYPE, because)
    own = primary_token(thread.process)
    parent = luid.get(found.body.ParentTokenId)
    sibling = parent == luid.get(own.body.ParentTokenId) and found.authentication_id == own.authentication_id
    client = impersonation_token(thread)
    claims = (client.token if client is not None else own).claims
    if parent != own.id and not sibling and not claims.holds(constants.SE_PRIVILEGE.ASSIGN_PRIMARY_TOKEN):
        raise privilege_not_held(claims, constants.SE_PRIVILEGE.ASSIGN_PRIMARY_TOKEN)
    reference(found)
    return found


def impersonation_token(thread: Thread) -> Client | None:
    """Whom the thread impersonates, or None (PsReferenceImpersonationToken, without the reference)."""
    if not thread.ethread.ActiveImpersonationInfo:
        return None
    security = thread.ethread.ClientSecurity
    token = at(thread.kernel, int(security.ImpersonationData) & ~7)
    return Client(token, security.ImpersonationLevel, bool(security.EffectiveOnly))


def impersonate(thread: Thread, token: Token | None, level: int | None = None, *, effective_only: bool = False) -> None:
    """Let the thread act for another, or with None for its own process again (PsImpersonateClient)."""
    former = impersonation_token(thread)
    security = thread.ethread.ClientSecurity
    if token is None:
        thread.ethread.ActiveImpersonationInfo = 0
        security.ImpersonationData = 0
    else:
        reference(token)
        depth = token.level if level is None else level
        security.ImpersonationData = token.address | int(effective_only) << 2 | depth & 3
        thread.ethread.ActiveImpersonationInfo = 1
    if former is not None:
        dereference(former.token)

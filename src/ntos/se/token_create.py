"""NtCreateToken: a token from nothing, for the local security authority."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ntos import ob
from ntos.abi.layout.object import OBJECT_ATTRIBUTES
from ntos.abi.layout.string import LUID
from ntos.abi.pointer import In, Out
from ntos.abi.se import SE_GROUP_INTEGRITY, SE_PRIVILEGE, SE_PRIVILEGE_ENABLED, SE_PRIVILEGE_ENABLED_BY_DEFAULT
from ntos.abi.status import STATUS, Denied, NtError
from ntos.abi.types import ACCESS_MASK, HANDLE, LARGE_INTEGER, NTSTATUS, PVOID, ULONG
from ntos.ke.service import service
from ntos.ke.thread import Thread
from ntos.rtl import sid as sids
from ntos.se import logon, luid, privileges, token
from ntos.se.claims import NO_INDEX, POLICY_NEW_PROCESS_MIN, POLICY_NO_WRITE_UP, Claims, Group
from ntos.se.descriptor import read_acl, read_sid
from ntos.se.token import ANONYMOUS, IMPERSONATION, PRIMARY, Birth
from ntos.se.token_services import read_groups, read_privileges, wanted_level

if TYPE_CHECKING:
    from ntos.abi.memory import Memory
    from ntos.rtl.security import Acl

SOURCE_SIZE = 16


@service
def NtCreateToken(
    thread: Thread,
    TokenHandle: Out[HANDLE],
    DesiredAccess: ACCESS_MASK,
    ObjectAttributes: In[OBJECT_ATTRIBUTES] | None,
    Type: ULONG,
    AuthenticationId: In[LUID],
    ExpirationTime: In[LARGE_INTEGER],
    User: PVOID,
    Groups: PVOID,
    Privileges: PVOID,
    Owner: PVOID,
    PrimaryGroup: PVOID,
    DefaultDacl: PVOID,
    Source: PVOID,
) -> NTSTATUS:
    """Make a token that says what the caller says; a logon session of that number must be there."""
    if Type not in {PRIMARY, IMPERSONATION}:
        raise NtError(STATUS.BAD_TOKEN_TYPE)
    level = wanted_level(thread, ObjectAttributes)
    if Type == IMPERSONATION and level is None:
        raise NtError(STATUS.BAD_IMPERSONATION_LEVEL)
    privileges.require(thread, SE_PRIVILEGE.CREATE_TOKEN)
    memory = thread.memory
    claims = _claims(memory, User, Groups, Privileges, Owner)
    group = read_sid(memory, _pointer(memory, PrimaryGroup))
    if all(member.sid != group for member in claims.groups):
        because = Denied("the primary group is one of the groups", {"group": sids.to_text(group)}, "name it in Groups")
        raise NtError(STATUS.INVALID_PRIMARY_GROUP, because)
    session = luid.get(AuthenticationId)
    logon.find(thread.kernel, session)
    source = memory.read(Source, SOURCE_SIZE)
    birth = Birth(
        session, group, _dacl(memory, DefaultDacl), Type, ANONYMOUS if level is None else level,
        source=source[:8], source_id=int.from_bytes(source[8:], "little"), origin=0, expires=int(ExpirationTime),
    )  # fmt: skip
    made = token.create(thread.kernel, claims, birth)
    handle, status = ob.insert(thread, made, ObjectAttributes, DesiredAccess)
    TokenHandle.write(handle)
    return status


def _pointer(memory: Memory, address: int) -> int:
    return int.from_bytes(memory.read(address, 8), "little")


def _dacl(memory: Memory, address: int) -> Acl | None:
    acl = _pointer(memory, address) if address else 0
    return read_acl(memory, acl) if acl else None


def _claims(memory: Memory, user: int, groups: int, rights: int, owner: int) -> Claims:
    pointer, attributes = struct.unpack("<QI4x", memory.read(user, 16))
    members = (Group(read_sid(memory, pointer), attributes), *read_groups(memory, groups))
    label = next((i for i, group in enumerate(members) if group.attributes & SE_GROUP_INTEGRITY), NO_INDEX)
    settings = read_privileges(memory, rights)
    if any(setting.privilege not in range(privileges.FIRST, privileges.LAST + 1) for setting in settings):
        raise NtError(STATUS.INVALID_PARAMETER)
    claims = Claims(
        members,
        present=_mask(settings, 0),
        enabled=_mask(settings, SE_PRIVILEGE_ENABLED),
        enabled_by_default=_mask(settings, SE_PRIVILEGE_ENABLED_BY_DEFAULT),
        integrity_index=label,
        policy=POLICY_NO_WRITE_UP | POLICY_NEW_PROCESS_MIN,
    )
    wanted = read_sid(memory, _pointer(memory, owner)) if owner else claims.user
    if not claims.may_own(wanted):
        because = Denied("the owner is the user or a group marked as owner", {"owner": sids.to_text(wanted)})
        raise NtError(STATUS.INVALID_OWNER, because)
    index = next(i for i, group in enumerate(members) if group.sid == wanted)
    return Claims(
        claims.groups, claims.present, claims.enabled, claims.enabled_by_default,
        integrity_index=label, owner_index=index, policy=claims.policy,
    )  # fmt: skip


def _mask(settings: list[privileges.Setting], attribute: int) -> int:
    return sum(1 << one.privilege for one in set(settings) if not attribute or one.attributes & attribute)

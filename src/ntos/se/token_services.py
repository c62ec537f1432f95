"""System services that open, copy, weaken and adjust tokens."""

from __future__ import annotations

import struct
from typing import Any

from ntos import ob
from ntos.abi import access as rights
from ntos.abi.layout.object import OBJECT_ATTRIBUTES
from ntos.abi.layout.token import SECURITY_QUALITY_OF_SERVICE
from ntos.abi.memory import Memory
from ntos.abi.ob import CURRENT_EFFECTIVE_TOKEN, CURRENT_PROCESS_TOKEN, CURRENT_THREAD_TOKEN, OBJ_INHERIT
from ntos.abi.pointer import In, Out, Ptr
from ntos.abi.se import (
    SE_GROUP_ENABLED,
    SE_GROUP_ENABLED_BY_DEFAULT,
    SE_GROUP_INTEGRITY,
    SE_GROUP_MANDATORY,
    SE_GROUP_USE_FOR_DENY_ONLY,
)
from ntos.abi.status import STATUS, Denied, NtError
from ntos.abi.types import ACCESS_MASK, BOOLEAN, HANDLE, NTSTATUS, PVOID, ULONG
from ntos.ke.service import service
from ntos.ke.thread import Thread
from ntos.ob.types import ObjectType
from ntos.se import filtering, privileges, token, well_known
from ntos.se.claims import Claims, Group
from ntos.se.descriptor import read_sid
from ntos.se.privileges import Setting
from ntos.se.store import descriptor_of
from ntos.se.subject import Subject, access_check, subject
from ntos.se.token import ANONYMOUS, DELEGATION, IMPERSONATE, IMPERSONATION, PRIMARY, TYPE, Token
from ntos.se.token_information import pack_groups, pack_privileges

MAXIMUM_COUNT = 0x1000
"""More privileges or groups than any token has are refused before they are read."""


def token_by_handle(thread: Thread, handle: int, access: int) -> Token:
    """The token a handle stands for, pseudo handles -4 to -6 included."""
    if handle == CURRENT_PROCESS_TOKEN:
        return token.primary_token(thread.process)
    if handle == CURRENT_THREAD_TOKEN:
        client = token.impersonation_token(thread)
        if client is None:
            raise NtError(STATUS.NO_TOKEN)
        return client.token
    if handle == CURRENT_EFFECTIVE_TOKEN:
        return subject(thread).token
    return ob.by_handle(thread, handle, access, TYPE)


def _type(thread: Thread, name: str) -> ObjectType[Any]:
    kind = thread.kernel[ob.ObjectManager].find_type(name)
    assert kind is not None, name
    return kind


# ---------------------------------------------------------------- opening


@service
def NtOpenProcessToken(
    thread: Thread, ProcessHandle: HANDLE, DesiredAccess: ACCESS_MASK, TokenHandle: Out[HANDLE]
) -> NTSTATUS:
    """Open the primary token of a process."""
    return _open_process_token(thread, ProcessHandle, DesiredAccess, 0, TokenHandle)


@service
def NtOpenProcessTokenEx(
    thread: Thread,
    ProcessHandle: HANDLE,
    DesiredAccess: ACCESS_MASK,
    HandleAttributes: ULONG,
    TokenHandle: Out[HANDLE],
) -> NTSTATUS:
    """Open the primary token of a process, with attributes for the handle."""
    return _open_process_token(thread, ProcessHandle, DesiredAccess, HandleAttributes, TokenHandle)


def _open_process_token(thread: Thread, process: int, access: int, attributes: int, answer: Out[HANDLE]) -> NTSTATUS:
    target = ob.by_handle(thread, process, rights.PROCESS_QUERY_LIMITED_INFORMATION, _type(thread, "Process"))
    found = token.primary_token(target)
    answer.write(ob.open_by_pointer(thread, found, access, attributes & OBJ_INHERIT))
    return STATUS.SUCCESS


@service
def NtOpenThreadToken(
    thread: Thread,
    ThreadHandle: HANDLE,
    DesiredAccess: ACCESS_MASK,
    OpenAsSelf: BOOLEAN,
    TokenHandle: Out[HANDLE],
) -> NTSTATUS:
    """Open the token a thread impersonates with."""
    return _open_thread_token(thread, ThreadHandle, DesiredAccess, OpenAsSelf, 0, TokenHandle)


@service
def NtOpenThreadTokenEx(
    thread: Thread,
    ThreadHandle: HANDLE,
    DesiredAccess: ACCESS_MASK,
    OpenAsSelf: BOOLEAN,
    HandleAttributes: ULONG,
    TokenHandle: Out[HANDLE],
) -> NTSTATUS:
    """Open the token a thread impersonates with, with attributes for the handle."""
    return _open_thread_token(thread, ThreadHandle, DesiredAccess, OpenAsSelf, HandleAttributes, TokenHandle)


def _open_thread_token(
    thread: Thread, handle: int, access: int, as_self: int, attributes: int, answer: Out[HANDLE]
) -> NTSTATUS:
    target = ob.by_handle(thread, handle, rights.THREAD_QUERY_LIMITED_INFORMATION, _type(thread, "Thread"))
    client = token.impersonation_token(target)
    if client is None:
        raise NtError(STATUS.NO_TOKEN)
    if client.level == ANONYMOUS:
        raise NtError(STATUS.CANT_OPEN_ANONYMOUS)
    granted = None
    if as_self:
        own = Subject(token.primary_token(thread.process))
        granted = access_check(own, descriptor_of(client.token), access, TYPE.mapping)
    answer.write(ob.open_by_pointer(thread, client.token, access, attributes & OBJ_INHERIT, granted))
    return STATUS.SUCCESS


# ---------------------------------------------------------------- copies


@service
def NtDuplicateToken(
    thread: Thread,
    ExistingTokenHandle: HANDLE,
    DesiredAccess: ACCESS_MASK,
    ObjectAttributes: In[OBJECT_ATTRIBUTES] | None,
    EffectiveOnly: BOOLEAN,
    TokenType: ULONG,
    NewTokenHandle: Out[HANDLE],
) -> NTSTATUS:
    """Make a primary or impersonation copy of a token."""
    source = ob.by_handle(thread, ExistingTokenHandle, rights.TOKEN_DUPLICATE, TYPE)
    if TokenType not in {PRIMARY, IMPERSONATION}:
        raise NtError(STATUS.INVALID_PARAMETER)
    level = wanted_level(thread, ObjectAttributes)
    _check_level(source, TokenType, level)
    if level is None:
        level = ANONYMOUS if source.is_primary else source.level
    access = int(DesiredAccess) or _granted(thread, ExistingTokenHandle)
    copy = token.duplicate(source, TokenType, level, effective_only=bool(EffectiveOnly))
    handle, status = ob.insert(thread, copy, ObjectAttributes, access)
    NewTokenHandle.write(handle)
    return status


def wanted_level(thread: Thread, attributes: OBJECT_ATTRIBUTES | None) -> int | None:
    """The impersonation level the quality of service in the attributes asks for."""
    address = int(attributes.SecurityQualityOfService) if attributes is not None else 0
    if not address:
        return None
    quality = SECURITY_QUALITY_OF_SERVICE.parse(thread.memory.read(address, SECURITY_QUALITY_OF_SERVICE.size))
    if int(quality.ImpersonationLevel) > DELEGATION:
        raise NtError(STATUS.BAD_IMPERSONATION_LEVEL)
    return int(quality.ImpersonationLevel)


def _check_level(source: Token, kind: int, level: int | None) -> None:
    """A copy of an impersonation token cannot do more than the original."""
    if source.is_primary:
        return
    too_high = kind == IMPERSONATION and level is not None and level > source.level
    if too_high or (kind == PRIMARY and source.level < IMPERSONATE):
        because = Denied(
            "a copy cannot impersonate further than its original",
            {"original level": source.level, "wanted level": IMPERSONATE if level is None else level},
            "ask for a level the original has, or let the server get a stronger one",
        )
        raise NtError(STATUS.BAD_IMPERSONATION_LEVEL, because=because)


def _granted(thread: Thread, handle: int) -> int:
    entry = ob.granted(thread, handle)
    return entry.access if entry is not None else rights.TOKEN_ALL_ACCESS


@service
def NtFilterToken(
    thread: Thread,
    ExistingTokenHandle: HANDLE,
    Flags: ULONG,
    SidsToDisable: PVOID,
    PrivilegesToDelete: PVOID,
    RestrictedSids: PVOID,
    NewTokenHandle: Out[HANDLE],
) -> NTSTATUS:
    """Make a weaker copy of a token."""
    source = ob.by_handle(thread, ExistingTokenHandle, rights.TOKEN_DUPLICATE, TYPE)
    if Flags & ~0xF:
        raise NtError(STATUS.INVALID_PARAMETER)
    memory = thread.memory
    disable = tuple(group.sid for group in read_groups(memory, SidsToDisable))
    remove = sum(1 << entry.privilege for entry in set(read_privileges(memory, PrivilegesToDelete)))
    restrict = tuple(group.sid for group in read_groups(memory, RestrictedSids))
    weaker = filtering.filter_token(source, Flags, disable=disable, remove=remove, restrict=restrict)
    handle, status = ob.insert(thread, weaker, None, _granted(thread, ExistingTokenHandle))
    NewTokenHandle.write(handle)
    return status


@service
def NtImpersonateAnonymousToken(thread: Thread, ThreadHandle: HANDLE) -> NTSTATUS:
    """Let a thread act as nobody in particular."""
    target = ob.by_handle(thread, ThreadHandle, rights.THREAD_IMPERSONATE, _type(thread, "Thread"))
    if token.primary_token(target.process).claims.is_restricted:
        raise NtError(STATUS.ACCESS_DENIED)
    nobody = well_known.anonymous(thread.kernel)
    token.impersonate(target, nobody)
    ob.dereference(nobody)
    return STATUS.SUCCESS


# ---------------------------------------------------------------- adjusting


def read_privileges(memory: Memory, address: int) -> list[Setting]:
    """The TOKEN_PRIVILEGES a caller points at; none where it points nowhere."""
    if not address:
        return []
    count = ULONG.load(memory, address)
    if count > MAXIMUM_COUNT:
        raise NtError(STATUS.INVALID_PARAMETER)
    data = memory.read(address + 4, count * 12)
    return [Setting(low | high << 32, attributes) for low, high, attributes in struct.iter_unpack("<III", data)]


def read_groups(memory: Memory, address: int) -> list[Group]:
    """The TOKEN_GROUPS a caller points at; none where it points nowhere."""
    if not address:
        return []
    count = ULONG.load(memory, address)
    if count > MAXIMUM_COUNT:
        raise NtError(STATUS.INVALID_PARAMETER)
    data = memory.read(address + 8, count * 16)
    return [Group(read_sid(memory, sid), attributes) for sid, attributes in struct.iter_unpack("<QI4x", data)]


def _deliver(memory: Memory, data: bytes, previous: int, room: int, length: Ptr[ULONG] | None) -> None:
    """Say how long the former state is, and refuse before anything changes where there is no room for it."""
    if length is None or not length:
        raise NtError(STATUS.ACCESS_VIOLATION)
    length.write(len(data))
    if room < len(data):
        raise NtError(STATUS.BUFFER_TOO_SMALL)
    memory.write(previous, data)


@service
def NtAdjustPrivilegesToken(
    thread: Thread,
    TokenHandle: HANDLE,
    DisableAllPrivileges: BOOLEAN,
    NewState: PVOID,
    BufferLength: ULONG,
    PreviousState: PVOID,
    ReturnLength: Ptr[ULONG] | None,
) -> NTSTATUS:
    """Enable, disable or remove privileges of a token; NOT_ALL_ASSIGNED where it has not all of them."""
    if not DisableAllPrivileges and not NewState:
        raise NtError(STATUS.INVALID_PARAMETER)
    access = rights.TOKEN_ADJUST_PRIVILEGES | (rights.TOKEN_QUERY if PreviousState else 0)
    target = ob.by_handle(thread, TokenHandle, access, TYPE)
    if DisableAllPrivileges:
        adjustment = privileges.plan_all_off(target.claims)
    else:
        adjustment = privileges.plan(target.claims, read_privileges(thread.memory, NewState))
    if PreviousState:
        former = pack_privileges(adjustment.former)
        _deliver(thread.memory, former, PreviousState, BufferLength, ReturnLength)
    privileges.apply(target, adjustment)
    return STATUS.SUCCESS if adjustment.all_assigned else STATUS.NOT_ALL_ASSIGNED


@service
def NtAdjustGroupsToken(
    thread: Thread,
    TokenHandle: HANDLE,
    ResetToDefault: BOOLEAN,
    NewState: PVOID,
    BufferLength: ULONG,
    PreviousState: PVOID,
    ReturnLength: Ptr[ULONG] | None,
) -> NTSTATUS:
    """Enable or disable groups of a token; NOT_ALL_ASSIGNED where it has not all of them."""
    if not ResetToDefault and not NewState:
        raise NtError(STATUS.INVALID_PARAMETER)
    access = rights.TOKEN_ADJUST_GROUPS | (rights.TOKEN_QUERY if PreviousState else 0)
    target = ob.by_handle(thread, TokenHandle, access, TYPE)
    claims = target.claims
    if ResetToDefault:
        changes, missing = _defaults(claims), False
    else:
        changes, missing = _group_changes(claims, read_groups(thread.memory, NewState))
    if PreviousState:
        former = pack_groups(tuple(claims.groups[index] for index in changes), PreviousState)
        _deliver(thread.memory, former, PreviousState, BufferLength, ReturnLength)
    for index, enabled in changes.items():
        attributes = claims.groups[index].attributes & ~SE_GROUP_ENABLED
        target.set_group_attributes(index, attributes | (SE_GROUP_ENABLED if enabled else 0))
    if changes:
        target.touch()
    return STATUS.NOT_ALL_ASSIGNED if missing else STATUS.SUCCESS


def _is_fixed(group: Group) -> bool:
    return bool(group.attributes & (SE_GROUP_MANDATORY | SE_GROUP_INTEGRITY))


def _defaults(claims: Claims) -> dict[int, bool]:
    changes = {}
    for index, group in enumerate(claims.groups[1:], 1):
        default = bool(group.attributes & SE_GROUP_ENABLED_BY_DEFAULT)
        if not _is_fixed(group) and default != bool(group.attributes & SE_GROUP_ENABLED):
            changes[index] = default
    return changes


def _group_changes(claims: Claims, wanted: list[Group]) -> tuple[dict[int, bool], bool]:
    """(index of a group to whether it is to be enabled, whether some were not found)."""
    changes: dict[int, bool] = {}
    missing = False
    for change in wanted:
        index = next((i for i, group in enumerate(claims.groups) if i and group.sid == change.sid), None)
        if index is None:
            missing = True
            continue
        group = claims.groups[index]
        enable = bool(change.attributes & SE_GROUP_ENABLED)
        if enable == bool(group.attributes & SE_GROUP_ENABLED):
            continue
        if enable and group.attributes & SE_GROUP_USE_FOR_DENY_ONLY:
            raise NtError(STATUS.CANT_ENABLE_DENY_ONLY)
        if not enable and _is_fixed(group):
            raise NtError(STATUS.CANT_DISABLE_MANDATORY)
        changes[index] = enable
    return changes, missing

"""NtQueryInformationToken and NtSetInformationToken."""

from __future__ import annotations

import struct

from ntos import ob
from ntos.abi import access as rights
from ntos.abi import se as constants
from ntos.abi.pointer import Out
from ntos.abi.se import SE_PRIVILEGE
from ntos.abi.se import TOKEN_INFORMATION_CLASS as CLASS
from ntos.abi.status import STATUS, Denied, NtError
from ntos.abi.types import HANDLE, NTSTATUS, PVOID, ULONG
from ntos.ke.service import service
from ntos.ke.thread import Thread
from ntos.rtl import sid as sids
from ntos.se import logon, luid, privileges, token
from ntos.se.descriptor import check_label, check_owner, read_acl, read_sid
from ntos.se.subject import subject
from ntos.se.token import IDENTIFICATION, IMPERSONATION, TYPE, Token
from ntos.se.token_information import BUILDERS
from ntos.se.token_services import token_by_handle


@service(partial="audit policy, session reference, access information and singleton attributes")
def NtQueryInformationToken(
    thread: Thread,
    TokenHandle: HANDLE,
    TokenInformationClass: ULONG,
    TokenInformation: PVOID,
    TokenInformationLength: ULONG,
    ReturnLength: Out[ULONG],
) -> NTSTATUS:
    """Tell about a token; BUFFER_TOO_SMALL and the length needed where there is no room."""
    information = int(TokenInformationClass)
    builder = BUILDERS.get(information)
    if builder is None and information != CLASS.TokenLinkedToken:
        raise NtError(STATUS.INVALID_INFO_CLASS)
    access = rights.TOKEN_QUERY_SOURCE if information == CLASS.TokenSource else rights.TOKEN_QUERY
    found = token_by_handle(thread, TokenHandle, access)
    if builder is None:
        _room(8, TokenInformationLength, ReturnLength)
        data = struct.pack("<Q", _open_linked(thread, found))
    else:
        data = builder(found, TokenInformation)
        _room(len(data), TokenInformationLength, ReturnLength)
    thread.memory.write(TokenInformation, data)
    return STATUS.SUCCESS


def _room(needed: int, room: int, length: Out[ULONG]) -> None:
    length.write(needed)
    if room < needed:
        raise NtError(STATUS.BUFFER_TOO_SMALL)


def _open_linked(thread: Thread, found: Token) -> int:
    """A handle to the other half of a split token: itself for those with SeTcb, else to look at only."""
    session = found.linked_session
    address = int(logon.find(thread.kernel, session).Token) if session is not None else 0
    if not address:
        raise NtError(STATUS.NO_SUCH_LOGON_SESSION)
    other = token.at(thread.kernel, address)
    if privileges.check(thread, SE_PRIVILEGE.TCB):
        copy = token.duplicate(other, token.PRIMARY)
    else:
        copy = token.duplicate(other, IMPERSONATION, IDENTIFICATION)
    handle, _ = ob.insert(thread, copy, None, rights.MAXIMUM_ALLOWED)
    return handle


@service(partial="owner, group, DACL, session, origin, linked token, integrity, virtualisation, UI access, policy only")
def NtSetInformationToken(
    thread: Thread,
    TokenHandle: HANDLE,
    TokenInformationClass: ULONG,
    TokenInformation: PVOID,
    TokenInformationLength: ULONG,
) -> NTSTATUS:
    """Change what a token says of its bearer's defaults, session or integrity."""
    information = int(TokenInformationClass)
    size = _SIZES.get(information)
    if size is None:
        raise NtError(STATUS.INVALID_INFO_CLASS)
    access = rights.TOKEN_ADJUST_DEFAULT
    if information == CLASS.TokenSessionId:
        access |= rights.TOKEN_ADJUST_SESSIONID
    found = ob.by_handle(thread, TokenHandle, access, TYPE)
    if TokenInformationLength < size:
        raise NtError(STATUS.INFO_LENGTH_MISMATCH)
    (value,) = struct.unpack("<Q", thread.memory.read(TokenInformation, size).ljust(8, b"\0"))
    if information in _NEEDS_TCB:
        privileges.require(thread, SE_PRIVILEGE.TCB)
    _SETTERS[information](thread, found, value)
    found.touch()
    return STATUS.SUCCESS


def _set_owner(thread: Thread, found: Token, value: int) -> None:
    sid = read_sid(thread.memory, value)
    claims = found.claims
    if not claims.may_own(sid):
        check_owner(claims.with_privileges(0, 0), sid)
    found.body.DefaultOwnerIndex = next(i for i, group in enumerate(claims.groups) if group.sid == sid)


def _set_primary_group(thread: Thread, found: Token, value: int) -> None:
    sid = read_sid(thread.memory, value)
    if all(group.sid != sid for group in found.claims.groups):
        raise NtError(STATUS.INVALID_PRIMARY_GROUP)
    found.set_dynamic(sid, found.default_dacl)


def _set_default_dacl(thread: Thread, found: Token, value: int) -> None:
    found.set_dynamic(found.primary_group, read_acl(thread.memory, value) if value else None)


def _set_session(thread: Thread, found: Token, value: int) -> None:
    if found.body.TokenInUse and found.session != value:
        raise NtError(STATUS.ACCESS_DENIED)
    found.body.SessionId = value


def _set_origin(thread: Thread, found: Token, value: int) -> None:
    luid.put(found.body.OriginatingLogonSession, value)


def _set_integrity(thread: Thread, found: Token, value: int) -> None:
    sid = read_sid(thread.memory, value)
    if sids.authority(sid) != 16 or sid[1] != 1:
        raise NtError(STATUS.INVALID_LABEL)
    if sids.sub_authorities(sid)[0] > found.claims.level:
        check_label(subject(thread).claims, sid)
        privileges.require(thread, SE_PRIVILEGE.TCB)
    found.set_integrity(sid)


def _set_linked(thread: Thread, found: Token, value: int) -> None:
    """Make two tokens the halves of one split logon; `value` is a handle to the filtered one."""
    other = ob.by_handle(thread, value, rights.TOKEN_QUERY, TYPE)
    sessions = found.authentication_id, other.authentication_id
    if sessions[0] == sessions[1] or found.linked_session is not None or other.linked_session is not None:
        inputs = {"session": sessions[0], "other session": sessions[1]}
        because = Denied("each half of a split logon has a session of its own, and one other half", inputs)
        raise NtError(STATUS.INVALID_PARAMETER, because)
    logon.link(thread.kernel, *sessions)
    for half in (found, other):
        ob.reference(half)
        logon.find(thread.kernel, half.authentication_id).Token = half.address
    _set_flag(other, constants.TOKEN_IS_FILTERED, 1)


def _set_flag(found: Token, bit: int, value: int) -> None:
    flags = int(found.body.TokenFlags) & ~bit
    found.body.TokenFlags = flags | (bit if value else 0)


def _set_policy(thread: Thread, found: Token, value: int) -> None:
    if value & ~3:
        raise NtError(STATUS.INVALID_PARAMETER)
    found.body.MandatoryPolicy = value


_SETTERS = {
    int(CLASS.TokenOwner): _set_owner,
    int(CLASS.TokenPrimaryGroup): _set_primary_group,
    int(CLASS.TokenDefaultDacl): _set_default_dacl,
    int(CLASS.TokenSessionId): _set_session,
    int(CLASS.TokenOrigin): _set_origin,
    int(CLASS.TokenLinkedToken): _set_linked,
    int(CLASS.TokenIntegrityLevel): _set_integrity,
    int(CLASS.TokenVirtualizationAllowed): (
        lambda _thread, found, value: _set_flag(found, constants.TOKEN_VIRTUALIZE_ALLOWED, value)
    ),
    int(CLASS.TokenVirtualizationEnabled): (
        lambda _thread, found, value: _set_flag(found, constants.TOKEN_VIRTUALIZE_ENABLED, value)
    ),
    int(CLASS.TokenUIAccess): (lambda _thread, found, value: _set_flag(found, constants.TOKEN_UIACCESS, value)),
    int(CLASS.TokenMandatoryPolicy): _set_policy,
}
_NEEDS_TCB = frozenset(
    int(number)
    for number in (
        CLASS.TokenSessionId,
        CLASS.TokenOrigin,
        CLASS.TokenLinkedToken,
        CLASS.TokenUIAccess,
        CLASS.TokenMandatoryPolicy,
        CLASS.TokenVirtualizationAllowed,
    )
)
_SIZES = {number: 8 if number <= CLASS.TokenDefaultDacl or number == CLASS.TokenOrigin else 4 for number in _SETTERS}
_SIZES[int(CLASS.TokenIntegrityLevel)] = _SIZES[int(CLASS.TokenLinkedToken)] = 8

"""SIDs, access control lists and security descriptors in guest memory."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ntos.abi.layout.string import UNICODE_STRING
from ntos.abi.pointer import Out, Ptr
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import BOOLEAN, NTSTATUS, PVOID, UCHAR, ULONG
from ntos.dll.ntdll import guest
from ntos.dll.ntdll.rtl_string import make, put
from ntos.rtl import security, sid
from ntos.rtl.text import to_utf16
from ntos.um.export import export

if TYPE_CHECKING:
    from ntos.um.thread import UserThread

SID_HEADER = 8
ACL_HEADER = 8


def read_sid(thread: UserThread, address: int) -> bytes:
    """The SID at an address; INVALID_SID when it is none."""
    count = thread.memory.read(address, 2)[1]
    data = thread.memory.read(address, SID_HEADER + 4 * min(count, sid.MAXIMUM_SUB_AUTHORITIES))
    if not sid.is_valid(data):
        raise NtError(STATUS.INVALID_SID)
    return data


def read_acl(thread: UserThread, address: int) -> bytes:
    """The bytes of the ACL at an address."""
    size = int.from_bytes(thread.memory.read(address + 2, 2), "little")
    return thread.memory.read(address, size)


# ---------------------------------------------------------------- SIDs


@export
def RtlValidSid(thread: UserThread, Sid: PVOID) -> BOOLEAN:
    """Whether a SID stands there."""
    if not Sid:
        return BOOLEAN(0)
    revision, count = thread.memory.read(Sid, 2)
    return BOOLEAN(revision & 0xF == sid.REVISION and count <= sid.MAXIMUM_SUB_AUTHORITIES)


@export
def RtlLengthSid(thread: UserThread, Sid: PVOID) -> ULONG:
    """A SID's size by its own count."""
    return ULONG(SID_HEADER + 4 * thread.memory.read(Sid, 2)[1])


@export
def RtlLengthRequiredSid(thread: UserThread, SubAuthorityCount: ULONG) -> ULONG:
    """The size of a SID with so many sub-authorities."""
    return ULONG(SID_HEADER + 4 * SubAuthorityCount)


@export
def RtlInitializeSid(
    thread: UserThread, Sid: PVOID, IdentifierAuthority: Ptr[UCHAR], SubAuthorityCount: UCHAR
) -> NTSTATUS:
    """Write a SID's header."""
    if SubAuthorityCount > sid.MAXIMUM_SUB_AUTHORITIES:
        raise NtError(STATUS.INVALID_PARAMETER)
    head = bytes((sid.REVISION, SubAuthorityCount)) + IdentifierAuthority.read_bytes(6)
    thread.memory.write(Sid, head)
    return STATUS.SUCCESS


@export
async def RtlAllocateAndInitializeSid(
    thread: UserThread,
    IdentifierAuthority: Ptr[UCHAR],
    SubAuthorityCount: UCHAR,
    SubAuthority0: ULONG,
    SubAuthority1: ULONG,
    SubAuthority2: ULONG,
    SubAuthority3: ULONG,
    SubAuthority4: ULONG,
    SubAuthority5: ULONG,
    SubAuthority6: ULONG,
    SubAuthority7: ULONG,
    Sid: Out[PVOID],
) -> NTSTATUS:
    """A SID with up to eight sub-authorities, in the heap."""
    if SubAuthorityCount > 8:
        raise NtError(STATUS.INVALID_SID)
    parts = (
        SubAuthority0, SubAuthority1, SubAuthority2, SubAuthority3,
        SubAuthority4, SubAuthority5, SubAuthority6, SubAuthority7,
    )  # fmt: skip
    authority = int.from_bytes(IdentifierAuthority.read_bytes(6), "big")
    Sid.write(await guest.allocate_bytes(thread, sid.make(authority, *parts[:SubAuthorityCount])))
    return STATUS.SUCCESS


@export
async def RtlFreeSid(thread: UserThread, Sid: PVOID) -> PVOID:
    """Free what RtlAllocateAndInitializeSid made."""
    await guest.free(thread, Sid)
    return PVOID(0)


@export
def RtlEqualSid(thread: UserThread, Sid1: PVOID, Sid2: PVOID) -> BOOLEAN:
    """Whether two SIDs are the same."""
    return BOOLEAN(read_sid(thread, Sid1) == read_sid(thread, Sid2))


@export
def RtlEqualPrefixSid(thread: UserThread, Sid1: PVOID, Sid2: PVOID) -> BOOLEAN:
    """Whether two SIDs differ in nothing but the last sub-authority."""
    return BOOLEAN(sid.equal_prefix(read_sid(thread, Sid1), read_sid(thread, Sid2)))


@export
def RtlCopySid(thread: UserThread, DestinationSidLength: ULONG, DestinationSid: PVOID, SourceSid: PVOID) -> NTSTATUS:
    """Copy a SID into a buffer."""
    data = read_sid(thread, SourceSid)
    if len(data) > DestinationSidLength:
        return STATUS.BUFFER_TOO_SMALL
    thread.memory.write(DestinationSid, data)
    return STATUS.SUCCESS


@export
def RtlIdentifierAuthoritySid(thread: UserThread, Sid: PVOID) -> PVOID:
    """The address of a SID's authority."""
    return PVOID(Sid + 2)


@export
def RtlSubAuthoritySid(thread: UserThread, Sid: PVOID, SubAuthority: ULONG) -> PVOID:
    """The address of a sub-authority."""
    return PVOID(Sid + SID_HEADER + 4 * SubAuthority)


@export
def RtlSubAuthorityCountSid(thread: UserThread, Sid: PVOID) -> PVOID:
    """The address of the count."""
    return PVOID(Sid + 1)


@export
async def RtlConvertSidToUnicodeString(
    thread: UserThread,
    UnicodeString: Ptr[UNICODE_STRING],
    Sid: PVOID,
    AllocateDestinationString: BOOLEAN,
) -> NTSTATUS:
    """`S-1-5-18`."""
    data = to_utf16(sid.to_text(read_sid(thread, Sid)))
    if AllocateDestinationString:
        await make(thread, UnicodeString, data, 2)
        return STATUS.SUCCESS
    view = UnicodeString.read()
    if len(data) > int(view.MaximumLength):
        return STATUS.BUFFER_OVERFLOW
    put(view, data, b"\0\0")
    return STATUS.SUCCESS


# ---------------------------------------------------------------- access control lists


@export
def RtlCreateAcl(thread: UserThread, Acl: PVOID, AclLength: ULONG, AclRevision: ULONG) -> NTSTATUS:
    """An empty ACL of that size."""
    if AclLength < ACL_HEADER:
        return STATUS.BUFFER_TOO_SMALL
    if not 2 <= AclRevision <= 4 or AclLength > 0xFFFF:
        raise NtError(STATUS.INVALID_PARAMETER)
    thread.memory.write(Acl, struct.pack("<BBHHH", AclRevision, 0, AclLength & ~3, 0, 0))
    return STATUS.SUCCESS


@export
def RtlValidAcl(thread: UserThread, Acl: PVOID) -> BOOLEAN:
    """Whether an ACL's entries lie in its size."""
    return BOOLEAN(bool(Acl) and security.is_valid_acl(read_acl(thread, Acl)))


def _entries(thread: UserThread, acl: int) -> tuple[list[int], int, int]:
    """Addresses of the ACEs, the address behind the last, and behind the ACL."""
    size, count = struct.unpack("<HH", thread.memory.read(acl + 2, 4))
    found, place, end = [], acl + ACL_HEADER, acl + size
    for _ in range(count):
        if place + 4 > end:
            raise NtError(STATUS.INVALID_ACL)
        found.append(place)
        place += int.from_bytes(thread.memory.read(place + 2, 2), "little")
    return found, place, end


def _insert(thread: UserThread, acl: int, ace: bytes, revision: int, index: int = 0xFFFF_FFFF) -> NTSTATUS:
    entries, free, end = _entries(thread, acl)
    if free + len(ace) > end:
        return STATUS.ALLOTTED_SPACE_EXCEEDED
    place = entries[index] if index < len(entries) else free
    thread.memory.write(place + len(ace), thread.memory.read(place, free - place))
    thread.memory.write(place, ace)
    head = thread.memory.read(acl, ACL_HEADER)
    thread.memory.write(acl, bytes((max(head[0], revision),)))
    thread.memory.write(acl + 4, (len(entries) + 1).to_bytes(2, "little"))
    return STATUS.SUCCESS


def _add_simple(thread: UserThread, acl: int, revision: int, kind: int, flags: int, mask: int, owner: int) -> NTSTATUS:
    data = read_sid(thread, owner)
    if not 2 <= revision <= 4:
        raise NtError(STATUS.REVISION_MISMATCH)
    ace = struct.pack("<BBHI", kind, flags, 8 + len(data), mask) + data
    return _insert(thread, acl, ace, revision)


@export
def RtlAddAccessAllowedAce(
    thread: UserThread, Acl: PVOID, AceRevision: ULONG, AccessMask: ULONG, Sid: PVOID
) -> NTSTATUS:
    """Append an entry that allows."""
    return _add_simple(thread, Acl, AceRevision, 0, 0, AccessMask, Sid)


@export
def RtlAddAccessAllowedAceEx(
    thread: UserThread, Acl: PVOID, AceRevision: ULONG, AceFlags: ULONG, AccessMask: ULONG, Sid: PVOID
) -> NTSTATUS:
    """Append an entry that allows, with inheritance flags."""
    return _add_simple(thread, Acl, AceRevision, 0, AceFlags, AccessMask, Sid)


@export
def RtlAddAccessDeniedAce(
    thread: UserThread, Acl: PVOID, AceRevision: ULONG, AccessMask: ULONG, Sid: PVOID
) -> NTSTATUS:
    """Append an entry that denies."""
    return _add_simple(thread, Acl, AceRevision, 1, 0, AccessMask, Sid)


@export
def RtlAddAccessDeniedAceEx(
    thread: UserThread, Acl: PVOID, AceRevision: ULONG, AceFlags: ULONG, AccessMask: ULONG, Sid: PVOID
) -> NTSTATUS:
    """Append an entry that denies, with inheritance flags."""
    return _add_simple(thread, Acl, AceRevision, 1, AceFlags, AccessMask, Sid)


@export
def RtlAddMandatoryAce(
    thread: UserThread,
    Acl: PVOID,
    AceRevision: ULONG,
    AceFlags: ULONG,
    Sid: PVOID,
    AceType: UCHAR,
    AccessMask: ULONG,
) -> NTSTATUS:
    """Append an integrity label."""
    return _add_simple(thread, Acl, AceRevision, AceType, AceFlags, AccessMask, Sid)


@export
def RtlAddAce(
    thread: UserThread,
    Acl: PVOID,
    AceRevision: ULONG,
    StartingAceIndex: ULONG,
    AceList: PVOID,
    AceListLength: ULONG,
) -> NTSTATUS:
    """Insert ready entries before an index."""
    data = thread.memory.read(AceList, AceListLength)
    position, status = 0, STATUS.SUCCESS
    index = int(StartingAceIndex)
    while position + 4 <= len(data) and status == STATUS.SUCCESS:
        size = int.from_bytes(data[position + 2 : position + 4], "little")
        if size < 4 or position + size > len(data):
            raise NtError(STATUS.INVALID_PARAMETER)
        status = _insert(thread, Acl, data[position : position + size], AceRevision, index)
        position += size
        index += 1
    return status


@export
def RtlDeleteAce(thread: UserThread, Acl: PVOID, AceIndex: ULONG) -> NTSTATUS:
    """Take an entry out."""
    entries, free, _ = _entries(thread, Acl)
    if AceIndex >= len(entries):
        raise NtError(STATUS.INVALID_PARAMETER)
    place = entries[AceIndex]
    following = entries[AceIndex + 1] if AceIndex + 1 < len(entries) else free
    thread.memory.write(place, thread.memory.read(following, free - following))
    thread.memory.write(free - (following - place), bytes(following - place))
    thread.memory.write(Acl + 4, (len(entries) - 1).to_bytes(2, "little"))
    return STATUS.SUCCESS


@export
def RtlGetAce(thread: UserThread, Acl: PVOID, AceIndex: ULONG, Ace: Out[PVOID]) -> NTSTATUS:
    """The address of an entry."""
    entries, _, _ = _entries(thread, Acl)
    if AceIndex >= len(entries):
        raise NtError(STATUS.INVALID_PARAMETER)
    Ace.write(entries[AceIndex])
    return STATUS.SUCCESS


@export
def RtlFirstFreeAce(thread: UserThread, Acl: PVOID, FirstFree: Out[PVOID]) -> BOOLEAN:
    """The address behind the last entry; FALSE when the entries leave the ACL."""
    _, free, end = _entries(thread, Acl)
    FirstFree.write(free if free < end else 0)
    return BOOLEAN(free <= end)


@export
def RtlQueryInformationAcl(
    thread: UserThread, Acl: PVOID, AclInformation: PVOID, Length: ULONG, InformationClass: ULONG
) -> NTSTATUS:
    """An ACL's revision (1), or its count, bytes used and free (2)."""
    entries, free, end = _entries(thread, Acl)
    if InformationClass == 1:
        data = struct.pack("<I", thread.memory.read(Acl, 1)[0])
    elif InformationClass == 2:
        data = struct.pack("<III", len(entries), free - Acl, end - free)
    else:
        raise NtError(STATUS.INVALID_INFO_CLASS)
    if Length < len(data):
        return STATUS.BUFFER_TOO_SMALL
    thread.memory.write(AclInformation, data)
    return STATUS.SUCCESS


@export
def RtlMapGenericMask(thread: UserThread, AccessMask: Ptr[ULONG], GenericMapping: PVOID) -> None:
    """Replace generic rights by what a type says they mean."""
    mapping = struct.unpack("<IIII", thread.memory.read(GenericMapping, 16))
    AccessMask.write(security.map_generic(AccessMask.read(), *mapping))


@export
def RtlAreAllAccessesGranted(thread: UserThread, GrantedAccess: ULONG, DesiredAccess: ULONG) -> BOOLEAN:
    """Whether every right asked for is granted."""
    return BOOLEAN(not DesiredAccess & ~GrantedAccess)


@export
def RtlAreAnyAccessesGranted(thread: UserThread, GrantedAccess: ULONG, DesiredAccess: ULONG) -> BOOLEAN:
    """Whether any right asked for is granted."""
    return BOOLEAN(bool(DesiredAccess & GrantedAccess))

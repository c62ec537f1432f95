"""System services about descriptors and checks: query and set an object's security, access and privilege
checks.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from ntos import ob
from ntos.abi import access as rights
from ntos.abi.layout.executive import GENERIC_MAPPING
from ntos.abi.memory import Memory
from ntos.abi.pointer import In, Out, Ptr
from ntos.abi.se import SE_PRIVILEGE_USED_FOR_ACCESS
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import ACCESS_MASK, BOOLEAN, HANDLE, NTSTATUS, PVOID, ULONG
from ntos.ke.service import service
from ntos.ke.thread import Thread
from ntos.ob.types import GenericMapping as Mapping
from ntos.ob.types import KernelObject
from ntos.rtl.security import Descriptor
from ntos.se import descriptor as descriptors
from ntos.se.access import check
from ntos.se.security import describe
from ntos.se.store import set_descriptor
from ntos.se.subject import subject
from ntos.se.token import IDENTIFICATION, TYPE
from ntos.se.token_services import MAXIMUM_COUNT, token_by_handle

PRIVILEGE_SET_SIZE = 0x14
ALL_NECESSARY = 1
GENERIC = rights.GENERIC_READ | rights.GENERIC_WRITE | rights.GENERIC_EXECUTE | rights.GENERIC_ALL


@service
def NtQuerySecurityObject(
    thread: Thread,
    Handle: HANDLE,
    SecurityInformation: ULONG,
    SecurityDescriptor: PVOID,
    Length: ULONG,
    LengthNeeded: Out[ULONG],
) -> NTSTATUS:
    """Give parts of an object's descriptor, self-relative."""
    obj = ob.by_handle(thread, Handle, descriptors.query_access(SecurityInformation))
    data = descriptors.query(describe(obj) or Descriptor(), SecurityInformation)
    LengthNeeded.write(len(data))
    if Length < len(data):
        raise NtError(STATUS.BUFFER_TOO_SMALL)
    thread.memory.write(SecurityDescriptor, data)
    return STATUS.SUCCESS


@service
def NtSetSecurityObject(
    thread: Thread, Handle: HANDLE, SecurityInformation: ULONG, SecurityDescriptor: PVOID
) -> NTSTATUS:
    """Replace parts of an object's descriptor."""
    if not SecurityDescriptor:
        raise NtError(STATUS.ACCESS_VIOLATION)
    obj: KernelObject = ob.by_handle(thread, Handle, descriptors.set_access(SecurityInformation))
    new = descriptors.capture(thread.memory, SecurityDescriptor)
    mapping = thread.kernel[ob.ObjectManager].kind_of(obj).mapping
    current = describe(obj)
    if current is None:
        raise NtError(STATUS.NO_SECURITY_ON_OBJECT)
    set_descriptor(obj, descriptors.update(current, new, SecurityInformation, subject(thread), mapping))
    return STATUS.SUCCESS


@service(partial="a descriptor's conditional entries are not evaluated")
def NtAccessCheck(
    thread: Thread,
    SecurityDescriptor: PVOID,
    ClientToken: HANDLE,
    DesiredAccess: ACCESS_MASK,
    GenericMapping: In[GENERIC_MAPPING],
    PrivilegeSet: PVOID,
    PrivilegeSetLength: Ptr[ULONG],
    GrantedAccess: Out[ULONG],
    AccessStatus: Out[ULONG],
) -> NTSTATUS:
    """Check a client's access to something of the caller's own; the verdict comes in AccessStatus."""
    if DesiredAccess & GENERIC:
        raise NtError(STATUS.GENERIC_NOT_MAPPED)
    client = ob.by_handle(thread, ClientToken, rights.TOKEN_QUERY, TYPE)
    if client.is_primary:
        raise NtError(STATUS.NO_IMPERSONATION_TOKEN)
    if client.level < IDENTIFICATION:
        raise NtError(STATUS.BAD_IMPERSONATION_LEVEL)
    room = int(PrivilegeSetLength.read())
    if room < PRIVILEGE_SET_SIZE:
        PrivilegeSetLength.write(PRIVILEGE_SET_SIZE)
        raise NtError(STATUS.BUFFER_TOO_SMALL)
    described = descriptors.capture(thread.memory, SecurityDescriptor)
    if described.owner is None or described.group is None:
        raise NtError(STATUS.INVALID_SECURITY_DESCR)
    try:
        grant = check(client.claims, described, DesiredAccess, _mapping(GenericMapping))
    except NtError as refused:
        thread.refusal = refused.because
        GrantedAccess.write(0)
        AccessStatus.write(int(refused.status))
        thread.memory.write(PrivilegeSet, bytes(8))
        return STATUS.SUCCESS
    used = _pack_used(grant.privileges)
    if room < len(used):
        PrivilegeSetLength.write(len(used))
        raise NtError(STATUS.BUFFER_TOO_SMALL)
    thread.memory.write(PrivilegeSet, used)
    GrantedAccess.write(grant.access)
    AccessStatus.write(int(STATUS.SUCCESS))
    return STATUS.SUCCESS


def _mapping(given: GENERIC_MAPPING) -> Mapping:
    return Mapping(int(given.GenericRead), int(given.GenericWrite), int(given.GenericExecute), int(given.GenericAll))


def _pack_used(privileges: int) -> bytes:
    """A PRIVILEGE_SET of the privileges the check used."""
    numbers = [number for number in range(64) if privileges >> number & 1]
    head = struct.pack("<II", len(numbers), 0)
    return head + b"".join(struct.pack("<QI", number, SE_PRIVILEGE_USED_FOR_ACCESS) for number in numbers)


@service
def NtPrivilegeCheck(thread: Thread, ClientToken: HANDLE, RequiredPrivileges: PVOID, Result: Out[BOOLEAN]) -> NTSTATUS:
    """Whether a token has privileges enabled: all of a set, or any; those that count are marked as used."""
    client = token_by_handle(thread, ClientToken, rights.TOKEN_QUERY)
    if not client.is_primary and client.level < IDENTIFICATION:
        raise NtError(STATUS.BAD_IMPERSONATION_LEVEL)
    held = client.claims.enabled
    found = _mark_used(thread.memory, RequiredPrivileges, lambda number: number < 64 and bool(held >> number & 1))
    count, control = struct.unpack("<II", thread.memory.read(RequiredPrivileges, 8))
    Result.write(int(found == count if control & ALL_NECESSARY else found > 0))
    return STATUS.SUCCESS


def _mark_used(memory: Memory, address: int, held: Callable[[int], bool]) -> int:
    """Mark the privileges of a PRIVILEGE_SET that are held; gives how many are."""
    count = ULONG.load(memory, address)
    if count > MAXIMUM_COUNT:
        raise NtError(STATUS.INVALID_PARAMETER)
    found = 0
    for at in range(address + 8, address + 8 + 12 * count, 12):
        low, high, attributes = struct.unpack("<III", memory.read(at, 12))
        used = held(low | high << 32)
        found += used
        attributes = attributes & ~SE_PRIVILEGE_USED_FOR_ACCESS | (SE_PRIVILEGE_USED_FOR_ACCESS if used else 0)
        ULONG.store(memory, at + 8, attributes)
    return found

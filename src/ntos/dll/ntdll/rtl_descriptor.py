"""Security descriptors in guest memory: absolute ones are built up, self-relative ones are handed on."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ntos.abi.pointer import Out, Ptr
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import BOOLEAN, NTSTATUS, PVOID, ULONG, USHORT
from ntos.dll.ntdll.rtl_security import read_acl, read_sid
from ntos.um.export import export

if TYPE_CHECKING:
    from ntos.um.thread import UserThread

ABSOLUTE_SIZE = 0x28
SELF_RELATIVE = 0x8000
DACL_PRESENT, DACL_DEFAULTED, SACL_PRESENT, SACL_DEFAULTED = 4, 8, 0x10, 0x20
OWNER_DEFAULTED, GROUP_DEFAULTED = 1, 2
REVISION = 1
MAY_BE_SET = 0x3FC0 | 0x4000


@dataclass(slots=True)
class Parts:
    """Control bits, and the addresses of owner, group, SACL and DACL (0 for none)."""

    control: int
    owner: int
    group: int
    sacl: int
    dacl: int


def parts_of(thread: UserThread, address: int) -> Parts:
    """A descriptor of either form."""
    revision, control = struct.unpack("<BxH", thread.memory.read(address, 4))
    if revision != REVISION:
        raise NtError(STATUS.UNKNOWN_REVISION)
    if control & SELF_RELATIVE:
        offsets = struct.unpack("<4I", thread.memory.read(address + 4, 16))
        owner, group, sacl, dacl = (address + offset if offset else 0 for offset in offsets)
    else:
        owner, group, sacl, dacl = struct.unpack("<4Q", thread.memory.read(address + 8, 32))
    return Parts(control, owner, group, sacl, dacl)


def _store(thread: UserThread, address: int, parts: Parts) -> None:
    head = struct.pack("<BxH4x4Q", REVISION, parts.control, parts.owner, parts.group, parts.sacl, parts.dacl)
    thread.memory.write(address, head)


def _absolute(thread: UserThread, address: int) -> Parts:
    """An absolute descriptor; a self-relative one cannot be changed in place."""
    parts = parts_of(thread, address)
    if parts.control & SELF_RELATIVE:
        raise NtError(STATUS.INVALID_SECURITY_DESCR)
    return parts


@export
def RtlCreateSecurityDescriptor(thread: UserThread, SecurityDescriptor: PVOID, Revision: ULONG) -> NTSTATUS:
    """An empty absolute descriptor."""
    if Revision != REVISION:
        raise NtError(STATUS.UNKNOWN_REVISION)
    _store(thread, SecurityDescriptor, Parts(0, 0, 0, 0, 0))
    return STATUS.SUCCESS


@export
def RtlSetDaclSecurityDescriptor(
    thread: UserThread, SecurityDescriptor: PVOID, DaclPresent: BOOLEAN, Dacl: PVOID, DaclDefaulted: BOOLEAN
) -> NTSTATUS:
    """Give a descriptor a DACL (NULL: everybody may everything), or take it away."""
    parts = _absolute(thread, SecurityDescriptor)
    parts.control &= ~(DACL_PRESENT | DACL_DEFAULTED)
    if DaclPresent:
        parts.control |= DACL_PRESENT | (DACL_DEFAULTED if DaclDefaulted else 0)
        parts.dacl = Dacl
    _store(thread, SecurityDescriptor, parts)
    return STATUS.SUCCESS


@export
def RtlSetSaclSecurityDescriptor(
    thread: UserThread, SecurityDescriptor: PVOID, SaclPresent: BOOLEAN, Sacl: PVOID, SaclDefaulted: BOOLEAN
) -> NTSTATUS:
    """Give a descriptor a SACL, or take it away."""
    parts = _absolute(thread, SecurityDescriptor)
    parts.control &= ~(SACL_PRESENT | SACL_DEFAULTED)
    if SaclPresent:
        parts.control |= SACL_PRESENT | (SACL_DEFAULTED if SaclDefaulted else 0)
        parts.sacl = Sacl
    _store(thread, SecurityDescriptor, parts)
    return STATUS.SUCCESS


@export
def RtlSetOwnerSecurityDescriptor(
    thread: UserThread, SecurityDescriptor: PVOID, Owner: PVOID, OwnerDefaulted: BOOLEAN
) -> NTSTATUS:
    """Give a descriptor an owner."""
    parts = _absolute(thread, SecurityDescriptor)
    parts.owner = Owner
    parts.control = parts.control & ~OWNER_DEFAULTED | (OWNER_DEFAULTED if OwnerDefaulted else 0)
    _store(thread, SecurityDescriptor, parts)
    return STATUS.SUCCESS


@export
def RtlSetGroupSecurityDescriptor(
    thread: UserThread, SecurityDescriptor: PVOID, Group: PVOID, GroupDefaulted: BOOLEAN
) -> NTSTATUS:
    """Give a descriptor a primary group."""
    parts = _absolute(thread, SecurityDescriptor)
    parts.group = Group
    parts.control = parts.control & ~GROUP_DEFAULTED | (GROUP_DEFAULTED if GroupDefaulted else 0)
    _store(thread, SecurityDescriptor, parts)
    return STATUS.SUCCESS


def _acl(
    thread: UserThread,
    address: int,
    bits: tuple[int, int],
    out: tuple[Out[BOOLEAN], Out[PVOID], Out[BOOLEAN]],
) -> NTSTATUS:
    parts = parts_of(thread, address)
    present, place, defaulted = out
    has = bool(parts.control & bits[0])
    present.write(has)
    if has:
        place.write(parts.dacl if bits[0] == DACL_PRESENT else parts.sacl)
        defaulted.write(bool(parts.control & bits[1]))
    return STATUS.SUCCESS


@export
def RtlGetDaclSecurityDescriptor(
    thread: UserThread,
    SecurityDescriptor: PVOID,
    DaclPresent: Out[BOOLEAN],
    Dacl: Out[PVOID],
    DaclDefaulted: Out[BOOLEAN],
) -> NTSTATUS:
    """A descriptor's DACL."""
    out = (DaclPresent, Dacl, DaclDefaulted)
    return _acl(thread, SecurityDescriptor, (DACL_PRESENT, DACL_DEFAULTED), out)


@export
def RtlGetSaclSecurityDescriptor(
    thread: UserThread,
    SecurityDescriptor: PVOID,
    SaclPresent: Out[BOOLEAN],
    Sacl: Out[PVOID],
    SaclDefaulted: Out[BOOLEAN],
) -> NTSTATUS:
    """A descriptor's SACL."""
    out = (SaclPresent, Sacl, SaclDefaulted)
    return _acl(thread, SecurityDescriptor, (SACL_PRESENT, SACL_DEFAULTED), out)


@export
def RtlGetOwnerSecurityDescriptor(
    thread: UserThread, SecurityDescriptor: PVOID, Owner: Out[PVOID], OwnerDefaulted: Out[BOOLEAN]
) -> NTSTATUS:
    """A descriptor's owner."""
    parts = parts_of(thread, SecurityDescriptor)
    Owner.write(parts.owner)
    OwnerDefaulted.write(bool(parts.control & OWNER_DEFAULTED))
    return STATUS.SUCCESS


@export
def RtlGetGroupSecurityDescriptor(
    thread: UserThread, SecurityDescriptor: PVOID, Group: Out[PVOID], GroupDefaulted: Out[BOOLEAN]
) -> NTSTATUS:
    """A descriptor's primary group."""
    parts = parts_of(thread, SecurityDescriptor)
    Group.write(parts.group)
    GroupDefaulted.write(bool(parts.control & GROUP_DEFAULTED))
    return STATUS.SUCCESS


@export
def RtlGetControlSecurityDescriptor(
    thread: UserThread, SecurityDescriptor: PVOID, Control: Out[USHORT], Revision: Out[ULONG]
) -> NTSTATUS:
    """A descriptor's control bits and revision."""
    parts = parts_of(thread, SecurityDescriptor)
    Control.write(parts.control)
    Revision.write(REVISION)
    return STATUS.SUCCESS


@export
def RtlSetControlSecurityDescriptor(
    thread: UserThread, SecurityDescriptor: PVOID, ControlBitsOfInterest: USHORT, ControlBitsToSet: USHORT
) -> NTSTATUS:
    """Change those control bits that a caller may change."""
    if ControlBitsOfInterest & ~MAY_BE_SET or ControlBitsToSet & ~ControlBitsOfInterest:
        raise NtError(STATUS.INVALID_PARAMETER)
    control = parts_of(thread, SecurityDescriptor).control & ~ControlBitsOfInterest | ControlBitsToSet
    thread.memory.write(SecurityDescriptor + 2, control.to_bytes(2, "little"))
    return STATUS.SUCCESS


def pieces(thread: UserThread, parts: Parts) -> list[bytes]:
    """The bytes of owner, group, SACL and DACL; empty for what is not there."""
    sacl = parts.sacl if parts.control & SACL_PRESENT else 0
    dacl = parts.dacl if parts.control & DACL_PRESENT else 0
    return [
        read_sid(thread, parts.owner) if parts.owner else b"",
        read_sid(thread, parts.group) if parts.group else b"",
        read_acl(thread, sacl) if sacl else b"",
        read_acl(thread, dacl) if dacl else b"",
    ]


@export
def RtlLengthSecurityDescriptor(thread: UserThread, SecurityDescriptor: PVOID) -> ULONG:
    """How many bytes a descriptor takes in its form."""
    parts = parts_of(thread, SecurityDescriptor)
    head = 0x14 if parts.control & SELF_RELATIVE else ABSOLUTE_SIZE
    return ULONG(head + sum((len(piece) + 3) & ~3 for piece in pieces(thread, parts)))


@export
def RtlValidSecurityDescriptor(thread: UserThread, SecurityDescriptor: PVOID) -> BOOLEAN:
    """Whether a descriptor holds what it says."""
    try:
        pieces(thread, parts_of(thread, SecurityDescriptor))
    except NtError:
        return BOOLEAN(0)
    return BOOLEAN(1)


@export(aliases=("RtlMakeSelfRelativeSD",))
def RtlAbsoluteToSelfRelativeSD(
    thread: UserThread,
    AbsoluteSecurityDescriptor: PVOID,
    SelfRelativeSecurityDescriptor: PVOID,
    BufferLength: Ptr[ULONG],
) -> NTSTATUS:
    """A descriptor in one piece; BUFFER_TOO_SMALL with the length needed."""
    parts = parts_of(thread, AbsoluteSecurityDescriptor)
    data, offsets = bytearray(0x14), []
    for piece in pieces(thread, parts):
        offsets.append(len(data) if piece else 0)
        data += piece + bytes(-len(piece) % 4)
    room = BufferLength.read()
    BufferLength.write(len(data))
    if room < len(data):
        return STATUS.BUFFER_TOO_SMALL
    struct.pack_into("<BxH4I", data, 0, REVISION, parts.control | SELF_RELATIVE, *offsets)
    thread.memory.write(SelfRelativeSecurityDescriptor, data)
    return STATUS.SUCCESS


@export
def RtlSelfRelativeToAbsoluteSD(
    thread: UserThread,
    SelfRelativeSecurityDescriptor: PVOID,
    AbsoluteSecurityDescriptor: PVOID,
    AbsoluteSecurityDescriptorSize: Ptr[ULONG],
    Dacl: PVOID,
    DaclSize: Ptr[ULONG],
    Sacl: PVOID,
    SaclSize: Ptr[ULONG],
    Owner: PVOID,
    OwnerSize: Ptr[ULONG],
    PrimaryGroup: PVOID,
    PrimaryGroupSize: Ptr[ULONG],
) -> NTSTATUS:
    """Take a self-relative descriptor apart; BUFFER_TOO_SMALL with every length needed."""
    parts = parts_of(thread, SelfRelativeSecurityDescriptor)
    if not parts.control & SELF_RELATIVE:
        raise NtError(STATUS.BAD_DESCRIPTOR_FORMAT)
    data = pieces(thread, parts)
    sizes = (OwnerSize, PrimaryGroupSize, SaclSize, DaclSize)
    places = (Owner, PrimaryGroup, Sacl, Dacl)
    small = AbsoluteSecurityDescriptorSize.read() < ABSOLUTE_SIZE
    small |= any(size.read() < len(piece) for size, piece in zip(sizes, data, strict=True))
    for size, piece in zip(sizes, data, strict=True):
        size.write(len(piece))
    AbsoluteSecurityDescriptorSize.write(ABSOLUTE_SIZE)
    if small:
        return STATUS.BUFFER_TOO_SMALL
    for place, piece in zip(places, data, strict=True):
        if piece:
            thread.memory.write(place, piece)
    owner, group, sacl, dacl = (place if piece else 0 for place, piece in zip(places, data, strict=True))
    whole = Parts(parts.control & ~SELF_RELATIVE, owner, group, sacl, dacl)
    _store(thread, AbsoluteSecurityDescriptor, whole)
    return STATUS.SUCCESS

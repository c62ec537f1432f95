"""LowBox tokens: what a program in an AppContainer runs with.

The token keeps its user and groups, loses all privileges but the harmless ones, has Low integrity, and names a package
and its capabilities. An access check then has a second half: what the package, its capabilities or all packages are
granted (`access`). Public source: Microsoft Learn, "AppContainer isolation"; J. Forshaw, "Windows Security Internals".
"""

from __future__ import annotations

import struct
from dataclasses import replace

from ntos import ob
from ntos.abi import access as rights
from ntos.abi.layout.object import OBJECT_ATTRIBUTES
from ntos.abi.layout.token import SEP_CACHED_HANDLES_ENTRY, SEP_LOWBOX_NUMBER_ENTRY
from ntos.abi.memory import Memory
from ntos.abi.pointer import In, Out
from ntos.abi.se import SE_GROUP_ENABLED, SE_PRIVILEGE, TOKEN_LOWBOX
from ntos.abi.status import STATUS, Denied, NtError
from ntos.abi.types import ACCESS_MASK, HANDLE, NTSTATUS, PVOID, ULONG
from ntos.ke.kernel import Kernel
from ntos.ke.service import service
from ntos.ke.thread import Thread
from ntos.ob.manager import ObjectManager
from ntos.rtl import sid as sids
from ntos.rtl.security import Ace, AceType, Acl
from ntos.se import token as tokens
from ntos.se.access import parse
from ntos.se.claims import INTEGRITY_GROUP, Claims, Group
from ntos.se.descriptor import read_sid
from ntos.se.store import descriptor_of, set_descriptor
from ntos.se.token import Token

P = SE_PRIVILEGE
KEPT_PRIVILEGES = sum(1 << number for number in (
    P.SHUTDOWN, P.CHANGE_NOTIFY, P.UNDOCK, P.INCREASE_WORKING_SET, P.TIME_ZONE,
))  # fmt: skip
"""What an AppContainer may still do (those every user has)."""
GENERIC_ALL = 0x1000_0000
APP_PACKAGE_AUTHORITY, PACKAGE_BASE, CAPABILITY_BASE = 15, 2, 3
PACKAGE_SUB_AUTHORITIES, CHILD_SUB_AUTHORITIES = 8, 12
MOST_CAPABILITIES, MOST_HANDLES = 0x1000, 0x40
POOL_TAG = b"SeLb"


class Numbers:
    """Numbers of AppContainers, unique for the boot."""

    def __init__(self) -> None:
        self.last = 0
        self.by_package: dict[bytes, int] = {}

    def of(self, package: bytes) -> int:
        """The package's number."""
        if package not in self.by_package:
            self.last += 1
            self.by_package[package] = self.last
        return self.by_package[package]


@service(partial="no impersonation of another session's AppContainer; every token has its own copy of the handles")
def NtCreateLowBoxToken(
    thread: Thread,
    TokenHandle: Out[HANDLE],
    ExistingTokenHandle: HANDLE,
    DesiredAccess: ACCESS_MASK,
    ObjectAttributes: In[OBJECT_ATTRIBUTES] | None,
    PackageSid: PVOID,
    CapabilityCount: ULONG,
    Capabilities: PVOID,
    HandleCount: ULONG,
    Handles: PVOID,
) -> NTSTATUS:
    """Make a token for a package's AppContainer of an ordinary one."""
    source = ob.by_handle(thread, ExistingTokenHandle, rights.TOKEN_DUPLICATE, tokens.TYPE)
    package = read_sid(thread.memory, PackageSid)
    _check_package(package)
    if source.claims.package is not None:
        inputs = {"package": sids.to_text(source.claims.package)}
        raise NtError(STATUS.INVALID_PARAMETER, Denied("the token is a LowBox already", inputs, "an ordinary token"))
    capabilities = _capabilities(thread.memory, CapabilityCount, Capabilities)
    kept = _handles(thread, HandleCount, Handles)
    made = create(source, package, capabilities, kept)
    ob.reference(made)
    try:
        handle, status = ob.insert(thread, made, ObjectAttributes, DesiredAccess or rights.TOKEN_ALL_ACCESS)
        admit(made, package, rights.TOKEN_ALL_ACCESS)
    finally:
        ob.dereference(made)
    TokenHandle.write(handle)
    return status


def _check_package(package: bytes) -> None:
    parts = sids.sub_authorities(package)
    right = sids.authority(package) == APP_PACKAGE_AUTHORITY and parts and parts[0] == PACKAGE_BASE
    if not right or len(parts) not in (PACKAGE_SUB_AUTHORITIES, CHILD_SUB_AUTHORITIES):
        because = Denied("not the SID of a package", {"sid": sids.to_text(package)}, "S-1-15-2 and seven numbers")
        raise NtError(STATUS.INVALID_PARAMETER, because)


def _capabilities(memory: Memory, count: int, address: int) -> tuple[Group, ...]:
    if count > MOST_CAPABILITIES:
        raise NtError(STATUS.INVALID_PARAMETER, Denied("number of capabilities", {"count": count}))
    found = []
    for pointer, attributes in struct.iter_unpack("<QI4x", memory.read(address, 16 * count) if count else b""):
        sid = read_sid(memory, pointer)
        parts = sids.sub_authorities(sid)
        if sids.authority(sid) != APP_PACKAGE_AUTHORITY or not parts or parts[0] != CAPABILITY_BASE:
            because = Denied("not the SID of a capability", {"sid": sids.to_text(sid)}, "S-1-15-3 and what follows")
            raise NtError(STATUS.INVALID_PARAMETER, because)
        found.append(Group(sid, attributes | SE_GROUP_ENABLED))
    return tuple(found)


def _handles(thread: Thread, count: int, address: int) -> list[tuple[ob.KernelObject, int]]:
    """Objects to be kept as long as the package has a token: its directories of names."""
    if count > MOST_HANDLES:
        raise NtError(STATUS.INVALID_PARAMETER, Denied("number of handles to keep", {"count": count}))
    found = []
    for (handle,) in struct.iter_unpack("<Q", thread.memory.read(address, 8 * count) if count else b""):
        entry = ob.granted(thread, handle)
        found.append((ob.by_handle(thread, handle, 0), entry.access if entry is not None else 0))
    return found


def create(
    source: Token, package: bytes, capabilities: tuple[Group, ...], kept: list[tuple[ob.KernelObject, int]]
) -> Token:
    """A primary token for the package, with one reference (SepCreateLowBoxToken)."""
    kernel, claims = source.kernel, source.claims
    entries = _number_entry(kernel, package), _handles_entry(kernel, package, kept)
    birth = replace(tokens.birth_of(source), type=tokens.PRIMARY, level=0, parent=source.id, modified=0, lowbox=entries)
    dacl = source.default_dacl
    if dacl is not None:
        birth = replace(birth, default_dacl=Acl((*dacl.aces, Ace(AceType.ACCESS_ALLOWED, 0, GENERIC_ALL, package))))
    return tokens.create(kernel, _confined(claims, package, capabilities), birth)


def _confined(claims: Claims, package: bytes, capabilities: tuple[Group, ...]) -> Claims:
    label = Group(sids.LOW_LABEL, INTEGRITY_GROUP)
    groups, index = claims.groups, claims.integrity_index
    groups = (*groups[:index], label, *groups[index + 1 :]) if index < len(groups) else (*groups, label)
    return replace(
        claims, groups=groups, integrity_index=min(index, len(groups) - 1), present=claims.present & KEPT_PRIVILEGES,
        enabled=claims.enabled & KEPT_PRIVILEGES, enabled_by_default=claims.enabled_by_default & KEPT_PRIVILEGES,
        flags=claims.flags | TOKEN_LOWBOX, package=package, capabilities=capabilities,
    )  # fmt: skip


def _number_entry(kernel: Kernel, package: bytes) -> int:
    size = SEP_LOWBOX_NUMBER_ENTRY.size
    address = kernel.pool.allocate(size + len(package), POOL_TAG, paged=True)
    kernel.memory.write(address, bytes(size) + package)
    view = SEP_LOWBOX_NUMBER_ENTRY(kernel.memory, address)
    view.PackageSid = address + size
    view.LowboxNumber = kernel.part(Numbers).of(package)
    return address


def _handles_entry(kernel: Kernel, package: bytes, kept: list[tuple[ob.KernelObject, int]]) -> int:
    """Kernel handles to what is kept, in the table of the System process."""
    table = kernel[ObjectManager].kernel_table
    if not kept or table is None or table.process is None:
        return 0
    size = SEP_CACHED_HANDLES_ENTRY.size
    address = kernel.pool.allocate(size + 8 * len(kept) + len(package), POOL_TAG, paged=True)
    handles = [ob.insert_handle(table.process, obj, access) | 0xFFFF_FFFF_8000_0000 for obj, access in kept]
    kernel.memory.write(address, bytes(size) + struct.pack(f"<{len(handles)}Q", *handles) + package)
    view = SEP_CACHED_HANDLES_ENTRY(kernel.memory, address)
    view.HandleCount, view.Handles = len(handles), address + size
    view.EntryDescriptor.PackageSid = address + size + 8 * len(handles)
    return address


def admit(obj: ob.KernelObject, package: bytes, access: int) -> None:
    """Let the package at what is its own: its token, its process and its thread (SepAppendAceToTokenObjectAcl)."""
    data = descriptor_of(obj)
    described = parse(data) if data is not None else None
    if described is not None and described.dacl is not None:
        aces = (*described.dacl.aces, Ace(AceType.ACCESS_ALLOWED, 0, access, package))
        set_descriptor(obj, described.with_dacl(replace(described.dacl, aces=aces)).to_bytes())


def number_of(token: Token) -> int:
    """TokenAppContainerNumber; 0 for what is in none."""
    entry = int(token.body.LowboxNumberEntry)
    return int(SEP_LOWBOX_NUMBER_ENTRY(token.kernel.memory, entry).LowboxNumber) if entry else 0

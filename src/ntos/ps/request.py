"""What a creation was asked for, from its attribute list (PspBuildCreateProcessContext).

Every attribute either takes effect or is refused here; whom a token or a handle does not allow to create is
refused here, too, before any object is made.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ntos import ob
from ntos.abi.access import JOB_OBJECT_ASSIGN_PROCESS, PROCESS_CREATE_PROCESS
from ntos.abi.ob import OBJ_INHERIT
from ntos.abi.se import SE_PRIVILEGE, TOKEN_NO_CHILD_PROCESS, TOKEN_NO_CHILD_PROCESS_UNLESS_SECURE
from ntos.abi.status import STATUS, Denied, NtError
from ntos.ex.handle import HandleTable
from ntos.ps import attributes as numbers
from ntos.ps import debug_port, mitigation, protection
from ntos.ps.allocate import PRIORITIES, Creation
from ntos.ps.job_object import JOB
from ntos.ps.manager import PROCESS
from ntos.se import privileges
from ntos.se import token as tokens

if TYPE_CHECKING:
    from ntos.ke.process import Process
    from ntos.ke.thread import Thread
    from ntos.ps.attributes import Attributes

REALTIME = 4
CHILD_RESTRICTED, CHILD_OVERRIDE, CHILD_UNLESS_SECURE = 1, 2, 4
MOST_HANDLES, MOST_RESERVES = 0x8000, 64
PLACEMENTS = (
    (numbers.GROUP_AFFINITY, 16, (1).to_bytes(16, "little")),
    (numbers.PREFERRED_NODE, 2, bytes(2)),
    (numbers.IDEAL_PROCESSOR, 4, bytes(4)),
)
"""Attribute, its size, and its only valid value on a machine with one processor."""


def creation_of(
    thread: Thread, wanted: Attributes, *, inherit: bool, breakaway: bool, protect: bool = False
) -> Creation:
    """The creation, its attributes read; a token in it carries a reference that somebody must give back."""
    refuse_restricted_creator(thread)
    creation = Creation(_parent(thread, wanted), thread.process, inherit_handles=inherit, breakaway=breakaway)
    creation.protection = _protection(wanted, protect=protect)
    priority = wanted.data(numbers.PRIORITY_CLASS)
    if priority:
        creation.priority_class = _priority_class(thread, priority[1] if len(priority) > 1 else priority[0])
    error_mode = wanted.data(numbers.ERROR_MODE)
    if error_mode:
        creation.error_mode = int.from_bytes(error_mode[:4], "little")
    handles = _handles(wanted, numbers.HANDLE_LIST)
    if handles is not None:
        creation.handle_list = _inheritable(creation.parent, handles) if inherit else set()
    for handle in _handles(wanted, numbers.JOB_LIST) or ():
        creation.jobs.append(ob.by_handle(thread, handle, JOB_OBJECT_ASSIGN_PROCESS, JOB))
    port = wanted.value(numbers.DEBUG_OBJECT)
    if port is not None:
        creation.debug_object = debug_port.by_handle(thread, port)
    options = wanted.data(numbers.MITIGATION_OPTIONS)
    if options is not None:
        creation.mitigation = mitigation.Options.parse(options)
    creation.standard_handles = wanted.data(numbers.STD_HANDLE_INFO) or b""
    _placement(wanted)
    creation.reserves = _reserves(wanted)
    creation.token_flags, creation.frees_children = _child_policy(wanted)
    _desktop_policy(wanted)
    _component_filter(wanted)
    if creation.mitigation is not None and creation.mitigation.restricts_children:
        creation.token_flags |= TOKEN_NO_CHILD_PROCESS
    token = wanted.value(numbers.TOKEN)
    if token is not None:  # last: from here on somebody must give its reference back
        creation.token = tokens.assignable(thread, token)
    return creation


def refuse_restricted_creator(thread: Thread) -> None:
    """CHILD_PROCESS_BLOCKED where the creator's token says it may not have children."""
    flags = int(tokens.primary_token(thread.process).body.TokenFlags)
    if flags & (TOKEN_NO_CHILD_PROCESS | TOKEN_NO_CHILD_PROCESS_UNLESS_SECURE):
        because = Denied("child process policy of the creator's token", {"TokenFlags": hex(flags)},
                         "create it from a process without PROCESS_CREATION_CHILD_PROCESS_RESTRICTED")  # fmt: skip
        raise NtError(STATUS.CHILD_PROCESS_BLOCKED, because)


def parent_of(thread: Thread, handle: int) -> Process:
    """The process behind a handle, as somebody's parent."""
    parent = ob.by_handle(thread, handle, PROCESS_CREATE_PROCESS, PROCESS)
    if parent.eprocess.ProcessExiting or parent.header.SignalState or not parent.has(HandleTable):
        raise NtError(STATUS.PROCESS_IS_TERMINATING, Denied("the parent is ending", {"process": parent.id}))
    return parent


def _parent(thread: Thread, wanted: Attributes) -> Process:
    handle = wanted.value(numbers.PARENT_PROCESS)
    return thread.process if handle is None else parent_of(thread, handle)


def _priority_class(thread: Thread, number: int) -> int:
    if number not in PRIORITIES:
        raise NtError(STATUS.INVALID_PARAMETER, Denied("priority class", {"class": number}, "0 to 6"))
    if number == REALTIME:
        privileges.require(thread, SE_PRIVILEGE.INCREASE_BASE_PRIORITY)
    return number


def _handles(wanted: Attributes, number: int) -> list[int] | None:
    data = wanted.data(number, MOST_HANDLES * 8)
    if data is None:
        return None
    if len(data) % 8:
        raise NtError(STATUS.INVALID_PARAMETER, Denied("list of handles", {"Size": len(data)}, "8 bytes each"))
    return list(struct.unpack(f"<{len(data) // 8}Q", data))


def _inheritable(parent: Process, handles: list[int]) -> set[int]:
    """The handles of a list, all of the parent's and inheritable; pseudo handles are passed over."""
    table = parent.part(HandleTable)
    chosen = set()
    for handle in handles:
        if handle >> 31:
            continue
        entry = table.lookup(handle)
        if entry is None or not entry.attributes & OBJ_INHERIT:
            because = Denied("a listed handle is not an inheritable one of the parent's",
                             {"handle": hex(handle), "parent": parent.id}, "HANDLE_FLAG_INHERIT")  # fmt: skip
            raise NtError(STATUS.INVALID_PARAMETER, because)
        chosen.add(handle & ~3)
    return chosen


def _placement(wanted: Attributes) -> None:
    """Group affinity, node and ideal processor: there is one of each, so what is valid is already so."""
    for number, size, valid in PLACEMENTS:
        data = wanted.data(number)
        if data is not None and (len(data) != size or data != valid):
            because = Denied("no such processor or node", {"attribute": number, "value": data.hex()}, valid.hex())
            raise NtError(STATUS.INVALID_PARAMETER, because)


def _reserves(wanted: Attributes) -> list[tuple[int, int]]:
    """PS_MEMORY_RESERVE entries: ranges to keep free of everything that is placed at creation."""
    data = wanted.data(numbers.MEMORY_RESERVE, MOST_RESERVES * 16)
    if data is None:
        return []
    found = list(struct.iter_unpack("<QQ", data)) if len(data) % 16 == 0 else []
    if not found or any(address & 0xFFFF or not size for address, size in found):
        because = Denied("memory reserves", {"Size": len(data)}, "16 bytes each: aligned address, size")
        raise NtError(STATUS.INVALID_PARAMETER, because)
    return found


def _number(wanted: Attributes, number: int, valid: int, what: str) -> int:
    """An attribute of four bytes of which only some bits mean anything."""
    data = wanted.data(number)
    if data is None:
        return 0
    value = int.from_bytes(data, "little")
    if len(data) != 4 or value & ~valid:
        raise NtError(STATUS.INVALID_PARAMETER, Denied(what, {"value": value, "size": len(data)}, f"bits {valid:X}"))
    return value


def _child_policy(wanted: Attributes) -> tuple[int, bool]:
    """(flags of the child's token, whether restrictions it would get from its parent do not hold)."""
    everything = CHILD_RESTRICTED | CHILD_OVERRIDE | CHILD_UNLESS_SECURE
    policy = _number(wanted, numbers.CHILD_PROCESS_POLICY, everything, "child process policy")
    restricted = TOKEN_NO_CHILD_PROCESS if policy & CHILD_RESTRICTED else 0
    restricted |= TOKEN_NO_CHILD_PROCESS_UNLESS_SECURE if policy & CHILD_UNLESS_SECURE else 0
    return restricted, bool(policy & CHILD_OVERRIDE)


def _desktop_policy(wanted: Attributes) -> None:
    """Whether a packaged desktop program's children leave its container: nobody here is in one."""
    policy = _number(wanted, numbers.DESKTOP_APP_POLICY, 7, "desktop app policy")
    if policy & 3 == 3:
        because = Denied("breakaway enabled and disabled at once", {"policy": policy}, "one of 1 and 2")
        raise NtError(STATUS.INVALID_PARAMETER, because)


def _component_filter(wanted: Attributes) -> None:
    """Components the child may not use: of these the kernel transaction manager, which this kernel has not."""
    _number(wanted, numbers.COMPONENT_FILTER, 1, "component filter")


def _protection(wanted: Attributes, *, protect: bool) -> int | None:
    """The level asked for: by the attribute, whose value it is, or by the flag alone."""
    byte = wanted.value(numbers.PROTECTION_LEVEL)
    if byte is None:
        return protection.AUTHENTICODE_LEVEL if protect else None
    if byte > 0xFF or not protection.is_valid(byte):
        because = Denied("not a protection level", {"level": hex(byte)}, "a type and a signer that go together")
        raise NtError(STATUS.INVALID_PARAMETER, because)
    if byte and not protect:
        because = Denied("a level without the flag that wants one", {"level": protection.name(byte)},
                         "PROCESS_CREATE_FLAGS_PROTECTED_PROCESS")  # fmt: skip
        raise NtError(STATUS.INVALID_PARAMETER, because)
    return byte

"""Standard handles for a child that does not inherit its parent's whole table (PS_ATTRIBUTE_STD_HANDLE_INFO)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ntos import ob
from ntos.abi.layout.peb import PEB
from ntos.abi.layout.user import RTL_USER_PROCESS_PARAMETERS
from ntos.abi.status import GuestFault, NtError
from ntos.etw import account

if TYPE_CHECKING:
    from ntos.ke.process import Process
    from ntos.ps.allocate import Creation

REQUEST, ALWAYS = 1, 2
"""PS_STD_HANDLE_STATE: the parent's own, for programs of one subsystem; or those its caller named."""
FIELDS = ("StandardInput", "StandardOutput", "StandardError")
CONSOLE_HANDLE_REFERENCE = 2


def hand_on(process: Process, parameters: int, creation: Creation) -> None:
    """Duplicate the parent's handles into the new process, and write them into its parameters."""
    view = RTL_USER_PROCESS_PARAMETERS(process.memory, parameters)
    _console_reference(process, view, creation)
    raw = creation.standard_handles
    if len(raw) < 8 or (creation.inherit_handles and creation.handle_list is None):
        return
    flags, subsystem = struct.unpack("<II", raw[:8])
    state, pseudo = flags & 3, flags >> 2 & 7
    if state == REQUEST and subsystem == int(PEB(process.memory, int(process.eprocess.Peb)).ImageSubsystem):
        handles = _own_handles(creation.parent)
    elif state == ALWAYS:
        handles = [int(getattr(view, field)) for field in FIELDS]
    else:
        return
    for bit, (field, handle) in enumerate(zip(FIELDS, handles, strict=True)):
        if handle and not pseudo & 1 << bit:
            copy = _duplicate(creation.parent, handle, process)
            setattr(view, field, copy)
            account.made(process.kernel.log, "handle", field, copy, process.id)


def _own_handles(parent: Process) -> list[int]:
    """What the parent's parameters say; none where they cannot be read."""
    try:
        peb = PEB(parent.memory, int(parent.eprocess.Peb))
        view = RTL_USER_PROCESS_PARAMETERS(parent.memory, int(peb.ProcessParameters))
        return [int(getattr(view, field)) for field in FIELDS]
    except GuestFault:
        return [0, 0, 0]


def _duplicate(parent: Process, handle: int, child: Process) -> int:
    try:
        return ob.duplicate_into(parent, handle, child)
    except NtError:
        return 0  # the parent's standard handle is stale: the child simply has none


def _console_reference(process: Process, view: RTL_USER_PROCESS_PARAMETERS, creation: Creation) -> None:
    """A console named by the creator's handle comes with a handle of the child's own."""
    if int(view.ConsoleFlags) & CONSOLE_HANDLE_REFERENCE:
        view.ConsoleHandle = ob.duplicate_into(creation.creator, int(view.ConsoleHandle), process)

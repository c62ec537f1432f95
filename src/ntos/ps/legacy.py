"""The old way in two steps: NtCreateProcessEx makes a process of an image section, NtCreateThreadEx its threads.

The caller itself writes the process parameters and makes the first thread; until then the process has none. Both ways
share `create.build_process`.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from ntos import ob
from ntos.abi.access import SECTION_MAP_EXECUTE
from ntos.abi.layout.object import OBJECT_ATTRIBUTES
from ntos.abi.pointer import In, Out
from ntos.abi.se import SE_PRIVILEGE
from ntos.abi.status import STATUS, Denied, NtError
from ntos.abi.types import ACCESS_MASK, BOOLEAN, HANDLE, NTSTATUS, ULONG
from ntos.etw import account
from ntos.ke.service import service
from ntos.mm.section import SECTION_TYPE
from ntos.ps import create, debug_port, image_options
from ntos.ps.allocate import Creation
from ntos.ps.insert import insert_process
from ntos.ps.manager import PROCESS
from ntos.ps.request import parent_of, refuse_restricted_creator
from ntos.se import privileges
from ntos.se import token as tokens

if TYPE_CHECKING:
    from ntos.ke.thread import Thread
    from ntos.mm.section import Section

VALID_FLAGS = create.SUPPORTED_FLAGS & ~create.FLAG_PROTECTED
LOW_BIT = 1


@service(partial="no address space overrides")
def NtCreateProcessEx(
    thread: Thread,
    ProcessHandle: Out[HANDLE],
    DesiredAccess: ACCESS_MASK,
    ObjectAttributes: In[OBJECT_ATTRIBUTES] | None,
    ParentProcess: HANDLE,
    Flags: ULONG,
    SectionHandle: HANDLE,
    DebugPort: HANDLE,
    TokenHandle: HANDLE,
    Reserved: ULONG,
) -> NTSTATUS:
    """Create a process without threads from an image section, or, without one, as a copy of its parent."""
    if Flags & ~VALID_FLAGS or Reserved:
        inputs = {"Flags": hex(Flags), "Reserved": Reserved}
        raise NtError(STATUS.INVALID_PARAMETER, Denied("process creation flag", inputs))
    said = create.nameless(ObjectAttributes, PROCESS)
    if Flags & create.FLAG_FORCE_BREAKAWAY:
        privileges.require(thread, SE_PRIVILEGE.TCB)
    refuse_restricted_creator(thread)
    creation = Creation(
        parent_of(thread, ParentProcess), thread.process,
        inherit_handles=bool(Flags & create.FLAG_INHERIT_HANDLES), breakaway=bool(Flags & create.FLAG_BREAKAWAY),
        force_breakaway=bool(Flags & create.FLAG_FORCE_BREAKAWAY),
        no_debug_inherit=bool(Flags & create.FLAG_NO_DEBUG_INHERIT), process_security=said.security_descriptor,
    )  # fmt: skip
    section = _image(thread, SectionHandle)
    creation.debug_object = debug_port.by_handle(thread, DebugPort) if DebugPort else None
    account.step(thread.log, 3, "NtCreateProcessEx", parent=creation.parent.id, Flags=Flags)
    with account.ending(thread.log, "NtCreateProcessEx") as outcome, ExitStack() as undo:
        undo.callback(create.release_token, creation)
        if TokenHandle:
            creation.token = tokens.assignable(thread, TokenHandle)
        options = image_options.ImageOptions()
        if section is not None:
            creation.image_path = section.area.backing.path if section.area.backing is not None else ""
            options = image_options.options_of(thread.kernel, creation.image_path, creation.image_path)
        process = create.build_process(thread.kernel, creation, section, thread, undo, options)
        undo.pop_all()
        outcome.subject = process.id
        account.step(thread.log, 3, "PspInsertProcess", process.id)
        insert_process(process)
    ProcessHandle.write(create.handle_for(thread, process, DesiredAccess, said))
    ob.dereference(process)
    return STATUS.SUCCESS


@service
def NtCreateProcess(
    thread: Thread,
    ProcessHandle: Out[HANDLE],
    DesiredAccess: ACCESS_MASK,
    ObjectAttributes: In[OBJECT_ATTRIBUTES] | None,
    ParentProcess: HANDLE,
    InheritObjectTable: BOOLEAN,
    SectionHandle: HANDLE,
    DebugPort: HANDLE,
    TokenHandle: HANDLE,
) -> NTSTATUS:
    """The same with its flags in odd places: bit 0 of the section handle leaves the job, of the port hides it."""
    flags = create.FLAG_INHERIT_HANDLES if InheritObjectTable else 0
    flags |= create.FLAG_BREAKAWAY if SectionHandle & LOW_BIT else 0
    flags |= create.FLAG_NO_DEBUG_INHERIT if DebugPort & LOW_BIT else 0
    return NtCreateProcessEx(
        thread, ProcessHandle, DesiredAccess, ObjectAttributes, ParentProcess, ULONG(flags),
        HANDLE(SectionHandle & ~LOW_BIT), HANDLE(DebugPort & ~LOW_BIT), TokenHandle, ULONG(0),
    )  # fmt: skip


def _image(thread: Thread, handle: int) -> Section | None:
    if not handle:
        return None
    section = ob.by_handle(thread, handle, SECTION_MAP_EXECUTE, SECTION_TYPE)
    if not section.is_image:
        raise NtError(STATUS.SECTION_NOT_IMAGE, Denied("the section is not one of an image", {}, "SEC_IMAGE"))
    return section

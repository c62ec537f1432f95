"""Fork: a process that begins as a copy of another, and a thread in it that goes on where the first one called.

MmInitializeProcessAddressSpace copies the parent's user half where no section is given; NtCreateUserProcess without
an image also copies the calling thread, which returns twice: SUCCESS in the parent, PROCESS_CLONED in the child.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos import mm, ob
from ntos.abi.layout.peb import PEB
from ntos.abi.layout.teb import TEB
from ntos.abi.status import STATUS, Denied, NtError
from ntos.ke import context as context_record
from ntos.mm import AddressSpace
from ntos.ps.peb import NO_MUTANT

if TYPE_CHECKING:
    from ntos.ke.process import Process
    from ntos.ke.thread import Thread

THREAD_START_DEPTH = 2
"""Python frames below a thread's start routine: RtlUserThreadStart's and BaseThreadInitThunk's."""


def refuse_without_memory(parent: Process) -> None:
    """Only a process that has a user half can be copied."""
    if not parent.has(AddressSpace) or not int(parent.eprocess.Peb) or not int(parent.eprocess.SectionObject):
        because = Denied("a process without user memory cannot be cloned", {"process": parent.id}, "an image section")
        raise NtError(STATUS.INVALID_PARAMETER, because)


def refuse_nested(thread: Thread) -> None:
    """A callback out of a Python export cannot return in the child, where nobody stands behind it."""
    if thread.call_depth > THREAD_START_DEPTH:
        because = Denied("cloning within a callback of a DLL written in Python is not implemented",
                         {"depth": thread.call_depth}, "clone outside the callback")  # fmt: skip
        raise NtError(STATUS.NOT_SUPPORTED, because)


def fill(child: Process, parent: Process) -> None:
    """Give the child its parent's image, memory and PEB (MiCloneProcessAddressSpace, MmCreatePeb)."""
    mm.clone_address_space(parent, child)
    child.copy_user_state(parent)
    mine, theirs = child.eprocess, parent.eprocess
    for field in ("SectionObject", "ImageFilePointer"):
        address = int(getattr(theirs, field))
        if address:
            ob.reference(ob.at_address(child.kernel, address))
            setattr(mine, field, address)
    mine.SectionBaseAddress = int(theirs.SectionBaseAddress)
    mine.Peb = int(theirs.Peb)
    peb = PEB(child.memory, int(mine.Peb))
    peb.InheritedAddressSpace = 1
    peb.Mutant = NO_MUTANT


def continue_as(twin: Thread, original: Thread) -> None:
    """Let a new thread leave the kernel where another one called it, on the copy of its stack and TEB."""
    address = int(original.tcb.Teb)
    twin.tcb.Teb = address
    teb = TEB(twin.memory, address)
    for client in (teb.ClientId, teb.RealClientId):
        client.UniqueProcess, client.UniqueThread = twin.process.id, twin.id
    teb.ClonedThread = 1
    twin.ethread.ClonedThread = 1
    source, context = original.context, twin.context
    context_record.apply(context, context_record.capture(source))
    context.gs_base = address
    # Where a Python export made the call, its temporaries are still on the stack below its caller's frame.
    context.rsp = original.door_stack
    context.rax = int(STATUS.PROCESS_CLONED)


def leave_start_routine(thread: Thread) -> None:
    """The start routine returned, and the Python frames it returned to are the parent's: end as they would have."""
    context = thread.context
    context.rcx = context.r10
    context.rip = thread.kernel.entry_points["RtlExitUserThread"]
    context.rsp = (context.rsp & ~0xF) - 0x28

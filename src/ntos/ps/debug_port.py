"""EPROCESS.DebugPort: which debug object a process's events go to, and what the process is told of it.

Debug objects themselves are `dbgk`'s; here a port is a reference to an object of that type.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos import ob
from ntos.abi.access import DEBUG_PROCESS_ASSIGN
from ntos.abi.layout.peb import PEB
from ntos.abi.status import STATUS, Denied, GuestFault, NtError
from ntos.etw.event import DebuggerAttached
from ntos.ob.manager import ObjectManager
from ntos.ps import protection

if TYPE_CHECKING:
    from ntos.ke.process import Process
    from ntos.ke.thread import Thread
    from ntos.ob.types import KernelObject
    from ntos.ps.allocate import Creation

TYPE_NAME = "DebugObject"


def by_handle(thread: Thread, handle: int) -> KernelObject:
    """The debug object a creator names."""
    kind = thread.kernel[ObjectManager].find_type(TYPE_NAME)
    found: KernelObject = ob.by_handle(thread, handle, DEBUG_PROCESS_ASSIGN, kind)
    return found


def give(process: Process, creation: Creation) -> None:
    """The port asked for, or the creator's where children inherit it (DbgkCopyProcessDebugPort).

    The creator's, not the parent's: Microsoft Learn, PROC_THREAD_ATTRIBUTE_PARENT_PROCESS.
    """
    process.eprocess.NoDebugInherit = int(creation.no_debug_inherit)
    creator = creation.creator.eprocess
    port = creation.debug_object
    if port is None and int(creator.DebugPort) and not creator.NoDebugInherit:
        port = ob.at_address(process.kernel, int(creator.DebugPort))
    if port is None:
        return
    if protection.incompatible(creation.creator, process):
        if creation.debug_object is None:
            return
        inputs = {"level": protection.name(protection.level_of(process))}
        raise NtError(STATUS.PROCESS_IS_PROTECTED, Denied("its creator may not debug a protected process", inputs))
    attach(process, port)
    log = process.kernel.log
    if log.wants(DebuggerAttached):
        log.emit(DebuggerAttached(id=process.id, debugger=creation.creator.id, created=True))


def attach(process: Process, port: KernelObject) -> None:
    """Let the process's events go to `port`, which is kept alive."""
    ob.reference(port)
    process.eprocess.DebugPort = port.address


def detach(process: Process) -> None:
    """No events any more."""
    port = int(process.eprocess.DebugPort)
    if port:
        process.eprocess.DebugPort = 0
        ob.dereference(ob.at_address(process.kernel, port))


def mark_peb(process: Process) -> None:
    """PEB.BeingDebugged says whether there is a port (DbgkpMarkProcessPeb)."""
    peb = int(process.eprocess.Peb)
    if not peb:
        return
    try:
        PEB(process.memory, peb).BeingDebugged = int(int(process.eprocess.DebugPort) != 0)
    except GuestFault:
        return  # the program took its own PEB away

"""Debug objects from user mode: making one, saying what it debugs, and how it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos import ob
from ntos.abi import access as rights
from ntos.abi.dbgk import DEBUG_KILL_ON_CLOSE, DebugObjectKillProcessOnExitInformation
from ntos.abi.layout.object import OBJECT_ATTRIBUTES
from ntos.abi.pointer import In, Out
from ntos.abi.status import STATUS, Denied, NtError
from ntos.abi.types import ACCESS_MASK, HANDLE, NTSTATUS, PVOID, ULONG
from ntos.dbgk.attach import attach, detach
from ntos.dbgk.object import DEBUG_OBJECT_TYPE, DebugObject
from ntos.ke.service import service
from ntos.ps import protection
from ntos.ps.manager import PROCESS, ProcessManager

if TYPE_CHECKING:
    from ntos.ke.thread import Thread

PROCESS_SET_PORT = rights.PROCESS_SUSPEND_RESUME
"""One bit, two names."""


@service
def NtCreateDebugObject(
    thread: Thread,
    DebugObjectHandle: Out[HANDLE],
    DesiredAccess: ACCESS_MASK,
    ObjectAttributes: In[OBJECT_ATTRIBUTES] | None,
    Flags: ULONG,
) -> NTSTATUS:
    """Make a debug object; with flag 1 whom it debugs dies with it."""
    if Flags & ~DEBUG_KILL_ON_CLOSE:
        raise NtError(STATUS.INVALID_PARAMETER, Denied("debug object flags", {"Flags": hex(Flags)}, "0 or 1"))

    def make() -> DebugObject:
        made = ob.create(thread.kernel, DEBUG_OBJECT_TYPE)
        made.begin(kill_on_exit=bool(Flags & DEBUG_KILL_ON_CLOSE))
        return made

    handle, status = ob.create_or_open(thread, DEBUG_OBJECT_TYPE, ObjectAttributes, DesiredAccess, make)
    DebugObjectHandle.write(handle)
    return status


@service
def NtDebugActiveProcess(thread: Thread, ProcessHandle: HANDLE, DebugObjectHandle: HANDLE) -> NTSTATUS:
    """Begin to debug a running process: it queues what there is to know of it."""
    process = ob.by_handle(thread, ProcessHandle, PROCESS_SET_PORT, PROCESS)
    if process is thread.process or process is thread.kernel[ProcessManager].system:
        because = Denied("neither oneself nor System can be debugged", {"process": process.id}, "another process")
        raise NtError(STATUS.ACCESS_DENIED, because)
    if protection.incompatible(thread.process, process):
        inputs = {"debugger": protection.name(protection.level_of(thread.process)),
                  "process": protection.name(protection.level_of(process))}  # fmt: skip
        because = Denied("a protected process is debugged only by one that dominates it", inputs)
        raise NtError(STATUS.PROCESS_IS_PROTECTED, because)
    debug = ob.by_handle(thread, DebugObjectHandle, rights.DEBUG_PROCESS_ASSIGN, DEBUG_OBJECT_TYPE)
    if process.eprocess.ProcessExiting or process.header.SignalState:
        raise NtError(STATUS.PROCESS_IS_TERMINATING, Denied("the process is ending", {"process": process.id}))
    attach(thread.process, process, debug)
    return STATUS.SUCCESS


@service
def NtRemoveProcessDebug(thread: Thread, ProcessHandle: HANDLE, DebugObjectHandle: HANDLE) -> NTSTATUS:
    """Stop debugging a process; it runs on."""
    process = ob.by_handle(thread, ProcessHandle, PROCESS_SET_PORT, PROCESS)
    detach(process, ob.by_handle(thread, DebugObjectHandle, rights.DEBUG_PROCESS_ASSIGN, DEBUG_OBJECT_TYPE))
    return STATUS.SUCCESS


@service
def NtSetInformationDebugObject(
    thread: Thread,
    DebugObjectHandle: HANDLE,
    DebugObjectInformationClass: ULONG,
    DebugInformation: PVOID,
    DebugInformationLength: ULONG,
    ReturnLength: Out[ULONG] | None,
) -> NTSTATUS:
    """Say whether those who are debugged die with the debug object."""
    if DebugObjectInformationClass != DebugObjectKillProcessOnExitInformation:
        raise NtError(STATUS.INVALID_PARAMETER)
    fits = DebugInformationLength == ULONG.size
    if ReturnLength:
        ReturnLength.write(0 if fits else ULONG.size)
    if not fits:
        raise NtError(STATUS.INFO_LENGTH_MISMATCH)
    wanted = int.from_bytes(thread.memory.read(DebugInformation, ULONG.size), "little")
    debug = ob.by_handle(thread, DebugObjectHandle, rights.DEBUG_SET_INFORMATION, DEBUG_OBJECT_TYPE)
    if wanted & ~DEBUG_KILL_ON_CLOSE:
        raise NtError(STATUS.INVALID_PARAMETER, Denied("debug object flags", {"Flags": hex(wanted)}, "0 or 1"))
    debug.view.KillProcessOnExit = wanted
    return STATUS.SUCCESS

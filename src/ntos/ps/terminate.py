"""NtTerminateProcess and NtTerminateThread: who may end whom, and which exit status stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos import ob
from ntos.abi.access import PROCESS_TERMINATE, THREAD_TERMINATE
from ntos.abi.ob import CURRENT_THREAD
from ntos.abi.status import STATUS, Denied, NtError
from ntos.abi.types import HANDLE, NTSTATUS
from ntos.ke.service import service
from ntos.ke.thread import ThreadTerminated
from ntos.ps.exit import terminate_process, terminate_thread
from ntos.ps.manager import PROCESS, THREAD

if TYPE_CHECKING:
    from ntos.ke.process import Process
    from ntos.ke.thread import Thread


@service
def NtTerminateProcess(thread: Thread, ProcessHandle: HANDLE, ExitStatus: NTSTATUS) -> NTSTATUS:
    """End a process; with handle 0, all threads of one's own process but the calling one."""
    if not ProcessHandle:
        terminate_process(thread.process, ExitStatus, spare=thread)
        return STATUS.SUCCESS
    process = ob.by_handle(thread, ProcessHandle, PROCESS_TERMINATE, PROCESS)
    _refuse_dead(process)
    terminate_process(process, ExitStatus)
    return STATUS.SUCCESS


def _refuse_dead(process: Process) -> None:
    """An exited process keeps its exit status (process-creation.md section 12)."""
    if process.header.SignalState:
        inputs = {"process": process.id, "ExitStatus": hex(int(process.eprocess.ExitStatus))}
        raise NtError(STATUS.PROCESS_IS_TERMINATING, Denied("the process has exited", inputs))


@service
def NtTerminateThread(thread: Thread, ThreadHandle: HANDLE, ExitStatus: NTSTATUS) -> NTSTATUS:
    """End a thread; handle 0 is the calling one, unless it is the last of its process."""
    if not ThreadHandle and thread.process.threads == [thread]:
        because = Denied("handle 0 does not end the last thread", {"thread": thread.id}, "NtCurrentThread()")
        raise NtError(STATUS.CANT_TERMINATE_SELF, because)
    target = ob.by_handle(thread, ThreadHandle or CURRENT_THREAD, THREAD_TERMINATE, THREAD)
    if target is thread:
        raise ThreadTerminated(ExitStatus)
    if target.tcb.SystemThread:
        raise NtError(
            STATUS.INVALID_PARAMETER, Denied("system threads end themselves", {"thread": target.id})
        )
    terminate_thread(target, ExitStatus)
    return STATUS.SUCCESS

"""Suspending and resuming threads and whole processes, and alerting them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos import ob
from ntos.abi.access import PROCESS_SUSPEND_RESUME, THREAD_SUSPEND_RESUME
from ntos.abi.pointer import Out
from ntos.abi.status import STATUS, Denied, NtError
from ntos.abi.types import HANDLE, NTSTATUS, ULONG
from ntos.ke import wait
from ntos.ke.service import service
from ntos.ps.manager import PROCESS, THREAD
from ntos.ps.thread import resume, suspend

if TYPE_CHECKING:
    from ntos.ke.process import Process
    from ntos.ke.thread import Thread

ES_SYSTEM_REQUIRED, ES_DISPLAY_REQUIRED, ES_AWAYMODE_REQUIRED = 0x1, 0x2, 0x40
ES_CONTINUOUS = 0x8000_0000
VALID_EXECUTION_STATE = ES_SYSTEM_REQUIRED | ES_DISPLAY_REQUIRED | ES_AWAYMODE_REQUIRED | ES_CONTINUOUS


@service
def NtSuspendThread(
    thread: Thread, ThreadHandle: HANDLE, PreviousSuspendCount: Out[ULONG] | None
) -> NTSTATUS:
    """Hold a thread before its next user instruction; counts up to 127."""
    target = ob.by_handle(thread, ThreadHandle, THREAD_SUSPEND_RESUME, THREAD)
    if target.terminating is not None or target.coroutine is None:
        raise NtError(STATUS.THREAD_IS_TERMINATING, Denied("the thread is ending", {"thread": target.id}))
    former = suspend(target)
    if PreviousSuspendCount:
        PreviousSuspendCount.write(former)
    return STATUS.SUCCESS


@service
def NtResumeThread(thread: Thread, ThreadHandle: HANDLE, PreviousSuspendCount: Out[ULONG] | None) -> NTSTATUS:
    """Count one suspension less; at none the thread runs on."""
    target = ob.by_handle(thread, ThreadHandle, THREAD_SUSPEND_RESUME, THREAD)
    former = resume(target)
    if PreviousSuspendCount:
        PreviousSuspendCount.write(former)
    return STATUS.SUCCESS


@service
def NtAlertResumeThread(
    thread: Thread, ThreadHandle: HANDLE, PreviousSuspendCount: Out[ULONG] | None
) -> NTSTATUS:
    """Alert a thread and count one suspension less."""
    target = ob.by_handle(thread, ThreadHandle, THREAD_SUSPEND_RESUME, THREAD)
    wait.alert(target)
    former = resume(target)
    if PreviousSuspendCount:
        PreviousSuspendCount.write(former)
    return STATUS.SUCCESS


@service
def NtSuspendProcess(thread: Thread, ProcessHandle: HANDLE) -> NTSTATUS:
    """Suspend every thread of a process."""
    process = _living(ob.by_handle(thread, ProcessHandle, PROCESS_SUSPEND_RESUME, PROCESS))
    for member in process.threads:
        suspend(member)
    return STATUS.SUCCESS


@service
def NtResumeProcess(thread: Thread, ProcessHandle: HANDLE) -> NTSTATUS:
    """Resume every thread of a process."""
    process = _living(ob.by_handle(thread, ProcessHandle, PROCESS_SUSPEND_RESUME, PROCESS))
    for member in process.threads:
        resume(member)
    return STATUS.SUCCESS


def _living(process: Process) -> Process:
    if process.header.SignalState:
        raise NtError(
            STATUS.PROCESS_IS_TERMINATING, Denied("the process has exited", {"process": process.id})
        )
    return process


class ExecutionState:
    """What a thread said last about staying awake; this machine never sleeps."""

    def __init__(self) -> None:
        self.flags = ES_CONTINUOUS


@service
def NtSetThreadExecutionState(thread: Thread, NewFlags: ULONG, PreviousFlags: Out[ULONG]) -> NTSTATUS:
    """Say that system or display must stay awake, once or (ES_CONTINUOUS) until said otherwise."""
    if NewFlags & ~VALID_EXECUTION_STATE or (
        NewFlags & ES_AWAYMODE_REQUIRED and not NewFlags & ES_CONTINUOUS
    ):
        raise NtError(STATUS.INVALID_PARAMETER, Denied("execution state flags", {"NewFlags": hex(NewFlags)}))
    state = thread.part(ExecutionState)
    PreviousFlags.write(state.flags)
    if NewFlags & ES_CONTINUOUS:
        state.flags = int(NewFlags)
    return STATUS.SUCCESS

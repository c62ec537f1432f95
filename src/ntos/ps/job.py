"""The services of job objects, but their information classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos import ob
from ntos.abi import ps as constants
from ntos.abi.access import (
    JOB_OBJECT_ASSIGN_PROCESS,
    JOB_OBJECT_QUERY,
    JOB_OBJECT_TERMINATE,
    PROCESS_QUERY_LIMITED_INFORMATION,
    PROCESS_SET_QUOTA,
    PROCESS_TERMINATE,
)
from ntos.abi.layout.object import OBJECT_ATTRIBUTES
from ntos.abi.pointer import In, Out
from ntos.abi.status import STATUS, Denied, NtError
from ntos.abi.types import ACCESS_MASK, HANDLE, NTSTATUS
from ntos.ke.service import service
from ntos.ps import job_object
from ntos.ps.exit import end_later
from ntos.ps.job_object import JOB, NOT_ENOUGH_QUOTA, Job
from ntos.ps.manager import PROCESS

if TYPE_CHECKING:
    from ntos.ke.process import Process
    from ntos.ke.thread import Thread


@service
def NtCreateJobObject(
    thread: Thread,
    JobHandle: Out[HANDLE],
    DesiredAccess: ACCESS_MASK,
    ObjectAttributes: In[OBJECT_ATTRIBUTES] | None,
) -> NTSTATUS:
    """Create a job without limits, or (OBJ_OPENIF) open the one that has the name."""
    handle, status = ob.create_or_open(
        thread, JOB, ObjectAttributes, DesiredAccess, lambda: job_object.create(thread.kernel)
    )
    JobHandle.write(handle)
    return status


@service
def NtOpenJobObject(
    thread: Thread,
    JobHandle: Out[HANDLE],
    DesiredAccess: ACCESS_MASK,
    ObjectAttributes: In[OBJECT_ATTRIBUTES] | None,
) -> NTSTATUS:
    """A handle to the job of this name."""
    JobHandle.write(ob.open_by_name(thread, JOB, ObjectAttributes, DesiredAccess))
    return STATUS.SUCCESS


@service
def NtAssignProcessToJobObject(thread: Thread, JobHandle: HANDLE, ProcessHandle: HANDLE) -> NTSTATUS:
    """Put a process into a job; one that is in a job already goes further inside or not at all."""
    job = ob.by_handle(thread, JobHandle, JOB_OBJECT_ASSIGN_PROCESS, JOB)
    process = ob.by_handle(thread, ProcessHandle, PROCESS_SET_QUOTA | PROCESS_TERMINATE, PROCESS)
    if process.eprocess.ProcessExiting or process.header.SignalState:
        raise NtError(STATUS.PROCESS_IS_TERMINATING, Denied("the process is ending", {"process": process.id}))
    try:
        job_object.join(process, job)
    except NtError as error:
        if error.status == STATUS.QUOTA_EXCEEDED:
            end_later(process, NOT_ENOUGH_QUOTA)
        raise
    return STATUS.SUCCESS


@service
def NtIsProcessInJob(thread: Thread, ProcessHandle: HANDLE, JobHandle: HANDLE) -> NTSTATUS:
    """PROCESS_IN_JOB or PROCESS_NOT_IN_JOB; handle 0 asks for any job."""
    process = ob.by_handle(thread, ProcessHandle, PROCESS_QUERY_LIMITED_INFORMATION, PROCESS)
    own = job_object.job_of(process)
    if not JobHandle:
        return STATUS.PROCESS_IN_JOB if own is not None else STATUS.PROCESS_NOT_IN_JOB
    job = ob.by_handle(thread, JobHandle, JOB_OBJECT_QUERY, JOB)
    inside = own is not None and job in own.chain()
    return STATUS.PROCESS_IN_JOB if inside else STATUS.PROCESS_NOT_IN_JOB


@service
def NtTerminateJobObject(thread: Thread, JobHandle: HANDLE, ExitStatus: NTSTATUS) -> NTSTATUS:
    """End every process of a job and of the jobs in it; the job is signalled from then on."""
    job = ob.by_handle(thread, JobHandle, JOB_OBJECT_TERMINATE, JOB)
    terminate(job, ExitStatus)
    job.set()
    return STATUS.SUCCESS


def terminate(job: Job, status: int) -> None:
    """End every process, those of the innermost jobs first (PspTerminateAllProcessesInJobHierarchy)."""
    for process in job.processes():
        end_later(process, status)


def close(process: Process, job: Job, handles: int) -> None:
    """The last handle is being closed: with KILL_ON_JOB_CLOSE nobody survives it (PspJobClose)."""
    if handles > 1:
        return
    job.view.CloseDone = 1
    if int(job.view.LimitFlags) & constants.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE:
        terminate(job, 0)

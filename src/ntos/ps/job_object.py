"""Job objects: EJOB, who is in one, what it counts and whom it tells.

Each process knows its innermost job (EPROCESS.Job, JobLinks); jobs form a tree through ParentJob, and counts, limits
and messages concern every job on the way to the root. A process that has exited stays on its job's list until it is
deleted, but is no longer counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos import ob
from ntos.abi import ps as constants
from ntos.abi.access import JOB_OBJECT_ALL_ACCESS
from ntos.abi.errors import ERROR
from ntos.abi.layout.job import EJOB
from ntos.abi.layout.peb import PEB
from ntos.abi.layout.process import EPROCESS
from ntos.abi.status import STATUS, Denied, NtError
from ntos.io import CompletionPort
from ntos.ke.event import NOTIFICATION_EVENT, Event
from ntos.ob.types import ObjectType
from ntos.ps import job_usage, priority
from ntos.se.token import primary_token

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ntos.ke.kernel import Kernel
    from ntos.ke.process import Process

LINKS = EPROCESS.offset("JobLinks")
SIBLINGS = EJOB.offset("SiblingJobLinks")
PAGE = 0x1000
NOT_ENOUGH_QUOTA = ERROR.NOT_ENOUGH_QUOTA
"""The exit status of a process that a job's limit ended."""
ABNORMAL = frozenset((
    0xC0000005, 0xC000008C, 0x80000003, 0xC000013A, 0x80000002, *range(0xC000008D, 0xC0000094), 0x80000001,
    0xC000001D, 0xC0000006, 0xC0000094, 0xC0000095, 0xC0000026, 0xC0000025, 0xC0000096, 0x80000004, 0xC00000FD,
))  # fmt: skip
"""Exit statuses that make JOB_OBJECT_MSG_ABNORMAL_EXIT_PROCESS (jobs-silos-sessions.md)."""
BREAKAWAY_OK = constants.JOB_OBJECT_LIMIT_BREAKAWAY_OK
JOB_MEMORY = constants.JOB_OBJECT_LIMIT_JOB_MEMORY
PROCESS_MEMORY = constants.JOB_OBJECT_LIMIT_PROCESS_MEMORY
MEMORY_MESSAGES = {
    PROCESS_MEMORY: constants.JOB_OBJECT_MSG_PROCESS_MEMORY_LIMIT,
    JOB_MEMORY: constants.JOB_OBJECT_MSG_JOB_MEMORY_LIMIT,
}
SILENT_BREAKAWAY_OK = constants.JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK


class Job(Event):
    """A job: waitable because EJOB begins with an event, signalled when its time is up or it is terminated."""

    @property
    def view(self) -> EJOB:
        """The structure."""
        return EJOB(self.kernel.memory, self.address)

    @property
    def parent(self) -> Job | None:
        """The job around this one."""
        return at(self.kernel, int(self.view.ParentJob))

    def chain(self) -> Iterator[Job]:
        """This job, its parent, and so on to the root."""
        job: Job | None = self
        while job is not None:
            yield job
            job = job.parent

    def children(self) -> list[Job]:
        """Jobs right inside this one."""
        found = []
        for entry in self.view.ChildJobListHead.iterate():
            child = at(self.kernel, entry - SIBLINGS)
            assert child is not None
            found.append(child)
        return found

    def processes(self) -> list[Process]:
        """Processes that have not exited, those of the innermost jobs first."""
        found = [process for child in self.children() for process in child.processes()]
        members = (self.kernel.processes[entry - LINKS] for entry in self.view.ProcessListHead.iterate())
        return found + [process for process in members if not process.eprocess.ProcessDelete]

    def tell_limit(self, flag: int, process_id: int) -> None:
        """A process has met a limit on memory of this job, or the nearest one around it that sets one."""
        for job in self.chain():
            if int(job.view.LimitFlags) & flag:
                job.tell(MEMORY_MESSAGES[flag], process_id)
                return

    def tell(self, message: int, process_id: int = 0) -> None:
        """Post a message to the completion ports of this job and all around it, but where it is filtered out."""
        for job in self.chain():
            view = job.view
            if view.CompletionPort and not int(view.CompletionFilter) >> message & 1:
                view.CompletionCount = int(view.CompletionCount) + 1
                port: CompletionPort = ob.at_address(self.kernel, int(view.CompletionPort))
                port.post(int(view.CompletionKey), process_id, int(STATUS.SUCCESS), message)


JOB: ObjectType[Job] = ObjectType(
    "Job", EJOB.size, Job, tag=b"Job ", valid_access=JOB_OBJECT_ALL_ACCESS, default_dispatcher=0,
    generic_mapping=(0x20004, 0x2000B, 0x120000, JOB_OBJECT_ALL_ACCESS),
)  # fmt: skip


class JobIds:
    """Numbers of jobs, unique for the boot (PspUniqueJobIdTable)."""

    def __init__(self) -> None:
        self.last = 0

    def next(self) -> int:
        """The next one; multiples of four, like handles."""
        self.last += 4
        return self.last


def at(kernel: Kernel, address: int) -> Job | None:
    """The job at an address; None for 0."""
    if not address:
        return None
    found = ob.at_address(kernel, address)
    assert isinstance(found, Job)
    return found


def job_of(process: Process) -> Job | None:
    """The innermost job of a process."""
    return at(process.kernel, int(process.eprocess.Job))


def create(kernel: Kernel) -> Job:
    """A new job without limits and processes."""
    job = ob.create(kernel, JOB)
    job.initialize(NOTIFICATION_EVENT, signalled=False)
    view = job.view
    for head in (view.JobLinks, view.ProcessListHead, view.SiblingJobLinks, view.ChildJobListHead,
                 view.IteratorListHead):  # fmt: skip
        head.initialize()
    view.SchedulingClass = view.EffectiveSchedulingClass = 5
    view.RootJob = job.address
    view.JobId = kernel.part(JobIds).next()
    return job


def delete(job: Job) -> None:
    """The last reference went (PspJobDelete)."""
    view = job.view
    if view.CompletionPort:
        ob.dereference(ob.at_address(job.kernel, int(view.CompletionPort)))
    parent = job.parent
    if parent is not None:
        view.SiblingJobLinks.remove()
        ob.dereference(parent)


# ---------------------------------------------------------------- joining


def join(process: Process, job: Job) -> None:
    """Put a process into a job (PspAssignProcessToJob); for good. Where it is in it already, nothing happens.

    QUOTA_EXCEEDED, with a message, where a job would have more processes than it may: the caller ends the process.
    """
    former = job_of(process)
    if former is not None and job in former.chain():
        return
    _check_session(process, job)
    if former is not None:
        _check_nesting(job, former)
    known = set() if former is None else {outer.address for outer in former.chain()}
    entered = [outer for outer in job.chain() if outer.address not in known]
    _check_room(process, job, entered)
    if former is not None:
        _nest(job, former)
        process.eprocess.JobLinks.remove()
        ob.dereference(former)
    job_usage.leave_memory(process)
    ob.reference(job)
    process.eprocess.Job = job.address
    job.view.ProcessListHead.insert_tail(process.eprocess.JobLinks)
    for outer in entered:
        outer.view.TotalProcesses = int(outer.view.TotalProcesses) + 1
        outer.view.ActiveProcesses = int(outer.view.ActiveProcesses) + 1
    job_usage.enter_memory(process, job_usage.JobCommit(process, job, PROCESS_MEMORY, JOB_MEMORY))
    apply_limits(process)
    mark_peb(process)
    job.tell(constants.JOB_OBJECT_MSG_NEW_PROCESS, process.id)


def mark_peb(process: Process) -> None:
    """PEB.ProcessInJob, for user mode's short cuts."""
    peb = int(process.eprocess.Peb)
    if peb and process.eprocess.Job:
        PEB(process.memory, peb).ProcessInJob = 1


def _check_session(process: Process, job: Job) -> None:
    session = primary_token(process).session
    if not job.view.TotalProcesses:
        job.view.SessionId = session
    elif int(job.view.SessionId) != session:
        inputs = {"job": int(job.view.SessionId), "process": session}
        raise NtError(STATUS.ACCESS_DENIED, Denied("job and process in different sessions", inputs))


def _is_inside(job: Job, outer: Job) -> bool:
    return job is not outer and outer in job.chain()


def _check_nesting(job: Job, former: Job) -> None:
    """A process that is in a job can only go further inside: to a job below, or an empty one put there."""
    if _is_inside(job, former):
        return
    view = job.view
    limited = view.UIRestrictionsClass or former.view.UIRestrictionsClass
    if view.ParentJob or view.TotalProcesses or limited:
        inputs = {"job": int(view.JobId), "process is in": int(former.view.JobId)}
        because = Denied("the process is in a job that this one cannot be nested in", inputs, "an empty job")
        raise NtError(STATUS.ACCESS_DENIED, because)


def _nest(job: Job, former: Job) -> None:
    if _is_inside(job, former):
        return
    view = job.view
    ob.reference(former)
    view.ParentJob, view.RootJob = former.address, int(former.view.RootJob)
    view.NestingDepth = int(former.view.NestingDepth) + 1
    view.AncestorCount = int(former.view.AncestorCount) + 1
    former.view.ChildJobListHead.insert_tail(view.SiblingJobLinks)


def _check_room(process: Process, job: Job, entered: list[Job]) -> None:
    for outer in entered:
        view = outer.view
        limited = int(view.LimitFlags) & constants.JOB_OBJECT_LIMIT_ACTIVE_PROCESS
        if limited and int(view.ActiveProcesses) >= int(view.ActiveProcessLimit):
            view.TotalTerminatedProcesses = int(view.TotalTerminatedProcesses) + 1
            job.tell(constants.JOB_OBJECT_MSG_ACTIVE_PROCESS_LIMIT)
            inputs = {"ActiveProcesses": int(view.ActiveProcesses), "limit": int(view.ActiveProcessLimit)}
            raise NtError(STATUS.QUOTA_EXCEEDED, Denied("job limit on active processes", inputs, "a higher limit"))


def inherit(process: Process, parent: Process, *, breakaway: bool) -> None:
    """A new process joins its parent's jobs, but those at the inner end that let it break away."""
    job = innermost = job_of(parent)
    while job is not None:
        flags = int(job.view.LimitFlags)
        if not (flags & SILENT_BREAKAWAY_OK or (breakaway and flags & BREAKAWAY_OK)):
            break
        job = job.parent
    if breakaway and innermost is not None and job is innermost:
        because = Denied("the job lets nobody break away", {"job": int(job.view.JobId)}, "LIMIT_BREAKAWAY_OK")
        raise NtError(STATUS.ACCESS_DENIED, because)
    if job is not None:
        join(process, job)


# ---------------------------------------------------------------- limits


def limit_of(process: Process, flag: int) -> Job | None:
    """The innermost job around a process that sets this limit."""
    job = job_of(process)
    if job is None:
        return None
    return next((outer for outer in job.chain() if int(outer.view.LimitFlags) & flag), None)


def least_memory_limit(job: Job) -> int:
    """The tightest limit (pages) that a job or one around it sets on the commit of all its processes; 0 for none."""
    chain = (outer.view for outer in job.chain())
    limits = (int(view.JobMemoryLimit) for view in chain if int(view.LimitFlags) & JOB_MEMORY)
    return min(limits, default=0)


def apply_limits(process: Process) -> None:
    """Let what its jobs say hold for a process."""
    eprocess = process.eprocess
    job = job_of(process)
    if job is None:
        return
    outermost_first = list(job.chain())[::-1]
    commits = []
    for outer in outermost_first:
        view, flags = outer.view, int(outer.view.LimitFlags)
        if flags & constants.JOB_OBJECT_LIMIT_PRIORITY_CLASS:
            priority.set_class(process, int(view.PriorityClass))
        if flags & constants.JOB_OBJECT_LIMIT_WORKINGSET:
            limits = eprocess.Vm.Instance
            limits.MinimumWorkingSetSize = int(view.MinimumWorkingSetSize)
            limits.MaximumWorkingSetSize = int(view.MaximumWorkingSetSize)
        if flags & constants.JOB_OBJECT_LIMIT_PROCESS_MEMORY:
            commits.append(int(view.ProcessMemoryLimit))
    eprocess.CommitChargeLimit = min(commits, default=0)
    eprocess.CommitChargeJob = job.address if commits else 0


# ---------------------------------------------------------------- leaving


def leave(process: Process) -> None:
    """A process exits: it is no longer counted, and its jobs say so (PspExitProcessFromJob)."""
    job = job_of(process)
    if job is None:
        return
    job_usage.fold(process, job)
    job_usage.leave_memory(process)
    abnormal = int(process.eprocess.ExitStatus) & 0xFFFF_FFFF in ABNORMAL
    job.tell(
        constants.JOB_OBJECT_MSG_ABNORMAL_EXIT_PROCESS if abnormal else constants.JOB_OBJECT_MSG_EXIT_PROCESS,
        process.id,
    )
    for outer in job.chain():
        active = int(outer.view.ActiveProcesses) - 1
        outer.view.ActiveProcesses = active
        if not active:
            outer.tell(constants.JOB_OBJECT_MSG_ACTIVE_PROCESS_ZERO)


def forget(process: Process) -> None:
    """The process object is deleted: off its job's list."""
    job = job_of(process)
    if job is not None:
        process.eprocess.JobLinks.remove()
        process.eprocess.Job = 0
        ob.dereference(job)

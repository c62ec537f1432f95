"""What the processes of a job have used: EJOB has the totals of those that exited, the living ones are added.

Jobs are passed in; whoever is in a job, and in which, is `job_object`'s.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from ntos.abi.layout.process import EPROCESS
from ntos.abi.status import STATUS, Denied, NtError
from ntos.ke import runtime
from ntos.mm import AddressSpace

if TYPE_CHECKING:
    from ntos.ke.process import Process
    from ntos.ps.job_object import Job

IO_COUNTERS = EPROCESS.offset("ReadOperationCount")
TRANSFERS = ("ReadOperationCount", "WriteOperationCount", "OtherOperationCount",
             "ReadTransferCount", "WriteTransferCount", "OtherTransferCount")  # fmt: skip


class Usage(NamedTuple):
    """Times in 100 ns, cycles, context switches, page faults, and six I/O counters."""

    user: int
    kernel: int
    cycles: int
    switches: int
    faults: int
    transfers: tuple[int, ...]


def of_process(process: Process) -> Usage:
    """What one process has used until now."""
    used = runtime.of_process(process)
    counters = process.kernel.memory.read(process.address + IO_COUNTERS, 0x30)
    faults = int(process.eprocess.Vm.Instance.PageFaultCount)
    return Usage(used.user, used.kernel, used.cycles, used.switches, faults, struct.unpack("<6Q", counters))


def of_job(job: Job) -> Usage:
    """What all processes that ever were in the job have used."""
    view = job.view
    gone = Usage(
        int(view.TotalUserTime), int(view.TotalKernelTime), int(view.TotalCycleTime), int(view.TotalContextSwitches),
        int(view.TotalPageFaultCount), tuple(int(getattr(view, name)) for name in TRANSFERS),
    )  # fmt: skip
    everybody = [gone, *map(of_process, job.processes())]
    return Usage(
        sum(one.user for one in everybody), sum(one.kernel for one in everybody), sum(one.cycles for one in everybody),
        sum(one.switches for one in everybody), sum(one.faults for one in everybody),
        tuple(map(sum, zip(*(one.transfers for one in everybody), strict=True))),
    )  # fmt: skip


def of_period(job: Job) -> tuple[int, int]:
    """(user, kernel) time since a limit on the job's time was last set."""
    living = [runtime.of_process(process) for process in job.processes()]
    view = job.view
    user = int(view.ThisPeriodTotalUserTime) + sum(used.user for used in living)
    return user, int(view.ThisPeriodTotalKernelTime) + sum(used.kernel for used in living)


def begin_period(job: Job) -> None:
    """Count the job's time from nothing: what the living have used is taken off in advance."""
    living = [runtime.of_process(process) for process in job.processes()]
    job.view.ThisPeriodTotalUserTime = -sum(used.user for used in living)
    job.view.ThisPeriodTotalKernelTime = -sum(used.kernel for used in living)


def fold(process: Process, job: Job) -> None:
    """A process leaves: what it used is its jobs' from now on."""
    used = of_process(process)
    for outer in job.chain():
        view = outer.view
        view.TotalUserTime = int(view.TotalUserTime) + used.user
        view.TotalKernelTime = int(view.TotalKernelTime) + used.kernel
        view.ThisPeriodTotalUserTime = int(view.ThisPeriodTotalUserTime) + used.user
        view.ThisPeriodTotalKernelTime = int(view.ThisPeriodTotalKernelTime) + used.kernel
        view.TotalCycleTime = int(view.TotalCycleTime) + used.cycles
        view.TotalContextSwitches = int(view.TotalContextSwitches) + used.switches
        view.TotalPageFaultCount = int(view.TotalPageFaultCount) + used.faults
        for name, amount in zip(TRANSFERS, used.transfers, strict=True):
            setattr(view, name, int(getattr(view, name)) + amount)


# ---------------------------------------------------------------- memory


class JobCommit:
    """What the jobs of one process say about its commit (`mm.AddressSpace.jobs`)."""

    def __init__(self, process: Process, job: Job, process_limit: int, job_limit: int) -> None:
        self.process = process
        self.job = job
        self.process_limit, self.job_limit = process_limit, job_limit
        """LimitFlags bits of the two."""

    def refused(self) -> None:
        """The process asked for more than one of its jobs lets each process have."""
        self.job.tell_limit(self.process_limit, self.process.id)

    def check(self, pages: int) -> None:
        """COMMITMENT_LIMIT where all processes of a job together would have more than it lets them have."""
        for outer in self.job.chain():
            view = outer.view
            used, limit = int(view.CurrentJobMemoryUsed) + pages, int(view.JobMemoryLimit)
            if int(view.LimitFlags) & self.job_limit and used > limit:
                outer.tell_limit(self.job_limit, self.process.id)
                inputs = {"job": int(view.JobId), "asked": pages, "pages": used - pages, "limit": limit}
                raise NtError(STATUS.COMMITMENT_LIMIT, Denied("job limit on memory", inputs, "a higher limit"))

    def count(self, pages: int, total: int) -> None:
        """So many pages more (or less); the process now has `total`."""
        for outer in self.job.chain():
            view = outer.view
            used = int(view.CurrentJobMemoryUsed) + pages
            view.CurrentJobMemoryUsed = used
            view.PeakJobMemoryUsed = max(int(view.PeakJobMemoryUsed), used)
            view.PeakProcessMemoryUsed = max(int(view.PeakProcessMemoryUsed), total)


def leave_memory(process: Process) -> None:
    """What a process has committed is no longer its jobs'."""
    if process.has(AddressSpace):
        space = process[AddressSpace]
        if space.jobs is not None:
            space.jobs.count(-space.words[space.commit], 0)
            space.jobs = None


def enter_memory(process: Process, commit: JobCommit) -> None:
    """What a process has committed is its jobs' (its former ones' have been told that it left)."""
    if process.has(AddressSpace):
        space = process[AddressSpace]
        commit.count(space.words[space.commit], space.words[space.commit])
        space.jobs = commit

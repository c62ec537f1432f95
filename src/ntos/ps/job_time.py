"""Limits on user time that jobs set, for each process or for all together.

Windows looks at them from time to time, here on clock ticks, as long as any job sets one (PspJobTimeLimitsWork).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi import ps as constants
from ntos.ke import runtime
from ntos.ob.manager import ObjectManager
from ntos.ps import job_usage
from ntos.ps.exit import end_later
from ntos.ps.job_object import NOT_ENOUGH_QUOTA, Job, job_of

if TYPE_CHECKING:
    from ntos.ke.kernel import Kernel
    from ntos.ke.process import Process
    from ntos.ke.thread import Thread

EACH, ALL = constants.JOB_OBJECT_LIMIT_PROCESS_TIME, constants.JOB_OBJECT_LIMIT_JOB_TIME
POST_AT_END_OF_JOB = 1


class TimeLimits:
    """The jobs that limit time, by address."""

    def __init__(self) -> None:
        self.jobs: dict[int, Job] = {}

    def overdue(self, thread: Thread) -> bool:
        """Whether the running thread's process has used up what it may."""
        process = thread.process
        job = job_of(process)
        chain = job.chain() if job is not None else ()
        return any(_process_over(outer, process) or _job_over(outer) for outer in chain if outer.address in self.jobs)

    def settle(self, kernel: Kernel) -> None:
        """End what is over its time."""
        alive = kernel[ObjectManager].objects
        self.jobs = {address: job for address, job in self.jobs.items() if alive.get(address) is job}
        for job in self.jobs.values():
            for process in job.processes():
                if _process_over(job, process):
                    job.tell(constants.JOB_OBJECT_MSG_END_OF_PROCESS_TIME, process.id)
                    _end(job, process)
            if _job_over(job):
                _end_of_job(job)
        if not self.jobs:
            kernel.scheduler.overdue = None


def watch(job: Job) -> None:
    """Look at the job's time from now on, if it limits any."""
    kernel, scheduler = job.kernel, job.kernel.scheduler
    limits = kernel.part(TimeLimits)
    limits.jobs.pop(job.address, None)
    if int(job.view.LimitFlags) & (EACH | ALL):
        limits.jobs[job.address] = job
    scheduler.overdue = limits.overdue if limits.jobs else None
    scheduler.settle = lambda: limits.settle(kernel)


def _process_over(job: Job, process: Process) -> bool:
    view = job.view
    limited = int(view.LimitFlags) & EACH
    return bool(limited) and runtime.of_process(process).user > int(view.PerProcessUserTimeLimit)


def _job_over(job: Job) -> bool:
    view = job.view
    return bool(int(view.LimitFlags) & ALL) and job_usage.of_period(job)[0] > int(view.PerJobUserTimeLimit)


def _end_of_job(job: Job) -> None:
    """The time of all is up, which is said once; what happens then is the job's choice."""
    view = job.view
    view.LimitFlags = view.EffectiveLimitFlags = int(view.LimitFlags) & ~ALL
    if int(view.EndOfJobTimeAction) != POST_AT_END_OF_JOB:
        for process in job.processes():
            _end(job, process)
        job.set()
    job.tell(constants.JOB_OBJECT_MSG_END_OF_JOB_TIME)


def _end(job: Job, process: Process) -> None:
    job.view.TotalTerminatedProcesses = int(job.view.TotalTerminatedProcesses) + 1
    end_later(process, NOT_ENOUGH_QUOTA)

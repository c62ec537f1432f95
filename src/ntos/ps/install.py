"""What the process manager plugs in when the kernel comes up (PsInitSystem, phase 0)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos import ob
from ntos.ex.handle import CidTable
from ntos.ke.exception import Dispatcher
from ntos.ke.thread import CallGate
from ntos.ke.trap import Gate, Suspension
from ntos.ps import exit as way_out
from ntos.ps import job, job_object
from ntos.ps.job_object import JOB
from ntos.ps.locate import locate
from ntos.ps.manager import PROCESS, THREAD, ProcessManager
from ntos.ps.thread import SuspendGate

if TYPE_CHECKING:
    from ntos.ke.kernel import Kernel


def install(kernel: Kernel) -> ProcessManager:
    """Types, ids, the list of processes, and the hooks of `ke` that end, hold and locate threads.

    Pool and object manager must be there.
    """
    manager = ProcessManager(kernel)
    kernel.install(manager)
    manager.cids = CidTable(kernel)
    kernel.install(manager.cids)
    manager.active_processes.initialize()
    PROCESS.delete = way_out.delete_process
    THREAD.delete = way_out.delete_thread
    JOB.close = job.close
    JOB.delete = job_object.delete
    for kind in (PROCESS, THREAD, JOB):
        kernel[ob.ObjectManager].register(kind)
    kernel.install(SuspendGate(), Suspension)
    kernel.install(Gate(), CallGate)
    dispatcher = kernel.part(Dispatcher)
    dispatcher.terminate = way_out.end_for_exception
    dispatcher.locate = locate
    return manager

"""Into the world: ids, lists, notification (PspInsertProcess, PspInsertThread)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos import ob
from ntos.etw.event import ProcessCreated, ThreadCreated
from ntos.ps.allocate import FLAG_INSERTED, audit_name
from ntos.ps.freeze import settle
from ntos.ps.manager import ProcessManager

if TYPE_CHECKING:
    from ntos.ke.process import Process
    from ntos.ke.thread import Thread

THREAD_INSERTED = 1 << 1


def assign_id(process: Process) -> None:
    """Give the process its id."""
    process.eprocess.UniqueProcessId = process.kernel[ProcessManager].cids.assign(process.address)


def insert_process(process: Process, command_line: str = "") -> None:
    """Put the process (with an id, if it has none yet) on the list of active processes."""
    kernel = process.kernel
    manager = kernel[ProcessManager]
    eprocess = process.eprocess
    if not eprocess.UniqueProcessId:
        assign_id(process)
    manager.active_processes.insert_tail(eprocess.ActiveProcessLinks)
    eprocess.Flags = int(eprocess.Flags) | FLAG_INSERTED
    if kernel.log.wants(ProcessCreated):
        kernel.log.emit(
            ProcessCreated(
                id=process.id,
                parent=int(eprocess.InheritedFromUniqueProcessId),
                image=audit_name(process),
                command_line=command_line,
            )
        )


def insert_thread(thread: Thread, creator: Process | None) -> None:
    """Count the thread in, tell who wants to know; the first one announces its process."""
    kernel, process = thread.kernel, thread.process
    manager = kernel[ProcessManager]
    eprocess, ethread = process.eprocess, thread.ethread
    first = not process.threads
    process.threads.append(thread)
    ob.reference(thread)  # running code keeps its thread object alive; `exit` gives this back
    ob.reference(process)
    eprocess.ThreadListHead.insert_tail(ethread.ThreadListEntry)
    process.pcb.ThreadListHead.insert_tail(thread.tcb.ThreadListEntry)
    eprocess.ActiveThreads = int(eprocess.ActiveThreads) + 1
    eprocess.ActiveThreadsHighWatermark = max(
        int(eprocess.ActiveThreadsHighWatermark), int(eprocess.ActiveThreads)
    )
    ethread.CrossThreadFlags = int(ethread.CrossThreadFlags) | THREAD_INSERTED
    settle(thread)
    if first:
        for announce in manager.process_notify:
            announce(process, True)
    for notify in manager.thread_notify:
        notify(thread, True)
    if kernel.log.wants(ThreadCreated):
        remote = creator is not None and creator is not process and not first
        kernel.log.emit(
            ThreadCreated(id=thread.id, owner=process.id, start=int(ethread.Win32StartAddress), remote=remote)
        )

"""The way out: a thread ends, the last one takes the process with it (PspExitThread, PspProcessDelete)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos import io, lpc, mm, ob
from ntos.abi.layout.enums import KTHREAD_STATE
from ntos.abi.status import STATUS, GuestFault, NtError
from ntos.etw.event import ProcessExited, ThreadExited
from ntos.ex.handle import HandleTable
from ntos.ke import bugcheck, runtime
from ntos.ke.exception import Dispatcher
from ntos.ke.mutant import abandon_all
from ntos.ke.thread import ThreadTerminated
from ntos.mm import AddressSpace
from ntos.ps import debug_port, job_object, thread_name, win32
from ntos.ps.manager import ProcessManager
from ntos.se import token as tokens

if TYPE_CHECKING:
    from ntos.ke.process import Process
    from ntos.ke.thread import Thread

FLAG_EXITING = 1 << 2
FLAG_DELETE = 1 << 3
FLAG_ADDRESS_SPACE = 1 << 18 | 0xC00
THREAD_TERMINATED = 1


def exit_thread(thread: Thread, status: int) -> None:
    """Run down a thread in its own context; if it was the last one, the process too."""
    kernel, process = thread.kernel, thread.process
    ethread, eprocess = thread.ethread, process.eprocess
    if bugcheck.thread_ends(thread) or (len(process.threads) == 1 and bugcheck.process_ends(process)):
        return
    thread.ending = True
    ethread.ExitStatus = status
    ethread.ExitTime = kernel.clock.system_time
    ethread.CrossThreadFlags = int(ethread.CrossThreadFlags) | THREAD_TERMINATED
    for notify in kernel[ProcessManager].thread_notify:
        notify(thread, False)
    if kernel.log.wants(ThreadExited):
        kernel.log.emit(ThreadExited(id=thread.id, status=status & 0xFFFF_FFFF))
    runtime.fold(thread)
    process.threads.remove(thread)
    ethread.ThreadListEntry.remove()
    thread.tcb.ThreadListEntry.remove()
    eprocess.ActiveThreads = int(eprocess.ActiveThreads) - 1
    eprocess.LastThreadExitStatus = status
    thread.user_apcs.clear()
    win32.exit_thread(thread)
    if not process.threads:
        win32.exit_process(process)
    lpc.exit_thread(thread)
    lpc.tell_of_end(thread, last=not process.threads)
    io.cancel_thread(thread)
    tokens.impersonate(thread, None)
    abandon_all(thread)
    if process.threads:
        _free_user_part(thread)
    else:
        exit_process(process, status)
    thread.tcb.State = int(KTHREAD_STATE.Terminated)
    thread.signal(1)
    thread.coroutine = None
    ob.dereference(thread)
    ob.dereference(process)


async def leave(thread: Thread, status: int) -> None:
    """End a thread from within: who debugs it hears of it while everything is still there."""
    thread.ending = True
    tell = thread.kernel[ProcessManager].thread_ends
    if tell is not None and int(thread.process.eprocess.DebugPort):
        await tell(thread, status)
    exit_thread(thread, status)


def _free_user_part(thread: Thread) -> None:
    """The TEB and the user stack go with the thread."""
    teb = int(thread.tcb.Teb)
    if not teb:
        return
    try:
        stack = int(thread.teb.DeallocationStack)
        if stack:
            mm.free(thread.process, stack)
    except (GuestFault, NtError):
        stack = 0  # the program freed or unmapped its own stack: nothing of it is left to free
    mm.free_teb(thread.process, teb)
    thread.tcb.Teb = 0


def exit_process(process: Process, status: int) -> None:
    """The last thread left: settle the exit status, close all handles, give the address space back, signal."""
    kernel, eprocess = process.kernel, process.eprocess
    if int(eprocess.ExitStatus) == STATUS.PENDING:
        eprocess.ExitStatus = status
    eprocess.Flags = int(eprocess.Flags) | FLAG_EXITING | FLAG_DELETE
    eprocess.ExitTime = kernel.clock.system_time
    for announce in kernel[ProcessManager].process_notify:
        announce(process, False)
    if kernel.log.wants(ProcessExited):
        kernel.log.emit(
            ProcessExited(id=process.id, image=process.name, status=int(eprocess.ExitStatus) & 0xFFFF_FFFF)
        )
    _run_down(process)
    process.signal(1)


def _run_down(process: Process) -> None:
    """Handles, jobs, session and address space go."""
    eprocess = process.eprocess
    if process.has(HandleTable):
        ob.close_all(process)
        process.remove(HandleTable)
        eprocess.ObjectTable = 0
    job_object.leave(process)
    mm.session.leave(process)
    if process.has(AddressSpace):
        mm.delete_address_space(process)
    eprocess.Flags = int(eprocess.Flags) & ~FLAG_ADDRESS_SPACE


def abandon(process: Process) -> None:
    """Take apart a process that was never inserted, and give the creator's reference back; nobody is told."""
    eprocess = process.eprocess
    eprocess.Flags = int(eprocess.Flags) | FLAG_EXITING | FLAG_DELETE
    _run_down(process)
    ob.dereference(process)


def drop_unborn(thread: Thread) -> None:
    """The same for a thread; its stack and TEB go with it."""
    _free_user_part(thread)
    ob.dereference(thread)


def terminate_thread(thread: Thread, status: int) -> None:
    """Make another thread end as soon as it can be scheduled."""
    if thread.terminating is not None or thread.coroutine is None or bugcheck.thread_ends(thread):
        return
    thread.terminating = status
    thread.attention = True
    if thread.waiting is not None and not thread.waiting.uninterruptible:
        thread.waiting.finish(STATUS.THREAD_IS_TERMINATING)


def terminate_process(process: Process, status: int, *, spare: Thread | None = None) -> None:
    """End all threads of a process (but `spare`); the first status given stays."""
    eprocess = process.eprocess
    if spare is None:
        if bugcheck.process_ends(process):
            _leave_at_once(process, status)
            return
        if int(eprocess.ExitStatus) == STATUS.PENDING:
            eprocess.ExitStatus = status
        eprocess.Flags = int(eprocess.Flags) | FLAG_EXITING
    current = process.kernel.scheduler.current
    for thread in list(process.threads):
        if thread is not spare and thread is not current:
            terminate_thread(thread, status)
    if not process.threads:
        exit_process(process, status)
    elif current is not spare:
        _leave_at_once(process, status)


def _leave_at_once(process: Process, status: int) -> None:
    """Where a thread of the process itself is running, it does not come back."""
    current = process.kernel.scheduler.current
    if current is not None and current.process is process:
        raise ThreadTerminated(status)


def end_later(process: Process, status: int) -> None:
    """As `terminate_process`, but the current thread, too, goes only when it next leaves the kernel."""
    eprocess = process.eprocess
    if eprocess.ProcessDelete or bugcheck.process_ends(process):
        return
    if int(eprocess.ExitStatus) == STATUS.PENDING:
        eprocess.ExitStatus = status
    eprocess.ProcessExiting = 1
    for thread in list(process.threads):
        terminate_thread(thread, status)
    if not process.threads:
        exit_process(process, status)


def end_for_exception(thread: Thread, code: int) -> None:
    """An exception nobody handled: the process ends with its code (the last act of KiDispatchException)."""
    terminate_process(thread.process, code)


def delete_thread(thread: Thread) -> None:
    """The last reference went: the id may be used again (PspThreadDelete)."""
    kernel = thread.kernel
    if thread.id:
        kernel[ProcessManager].cids.remove(thread.id)
    thread_name.put(thread, b"")
    kernel.threads.pop(thread.address, None)


def delete_process(process: Process) -> None:
    """The last reference went: off the list, id free, token and names released (PspProcessDelete)."""
    kernel, eprocess = process.kernel, process.eprocess
    if int(eprocess.Flags) & FLAG_ADDRESS_SPACE:
        _run_down(process)  # no thread was ever in it
    if int(eprocess.UniqueProcessId):
        eprocess.ActiveProcessLinks.remove()
        kernel[ProcessManager].cids.remove(process.id)
    job_object.forget(process)
    debug_port.detach(process)
    tokens.release_primary_token(process)
    name = int(eprocess.SeAuditProcessCreationInfo.ImageFileName)
    if name:
        kernel.pool.free(name)
    for address in (int(eprocess.SectionObject), int(eprocess.ImageFilePointer)):
        if address:
            ob.dereference(ob.at_address(kernel, address))
    mm.release_tables(process)
    kernel.processes.pop(process.address, None)


def install(thread_dispatcher: Dispatcher) -> None:
    """Let unhandled exceptions end their process."""
    thread_dispatcher.terminate = end_for_exception

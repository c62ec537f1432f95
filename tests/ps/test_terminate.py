"""NtTerminateProcess and NtTerminateThread (process-creation.md section 12)."""

from __future__ import annotations

from ntos.abi.status import STATUS
from tests.ps.conftest import SELF, SELF_THREAD, Box


def test_null_handle_spares_the_caller(box: Box) -> None:
    """NtTerminateProcess(0) ends all other threads and leaves the exit status of the process open."""
    process = box.process()
    first, second = box.thread(process), box.thread(process)
    box.script(
        first,
        box.syscall("NtTerminateProcess", 0, 7),
        box.note("first runs on"),
        box.syscall("NtTerminateThread", SELF_THREAD, 3),
    )
    box.run()
    assert box.record == ["first runs on"]
    assert second.coroutine is None
    assert int(second.ethread.ExitStatus) == 7
    assert int(process.eprocess.ExitStatus) == 3


def test_the_first_exit_status_stays(box: Box) -> None:
    """A process keeps the status its first terminator gave."""
    caller, victim = box.thread(), box.thread()
    handle = box.open_process(caller, victim.process)
    assert box.call(caller, "NtTerminateProcess", handle, 1) == STATUS.SUCCESS
    assert box.call(caller, "NtTerminateProcess", handle, 2) == STATUS.SUCCESS
    box.run(2)
    assert int(victim.process.eprocess.ExitStatus) == 1
    assert victim.process.header.SignalState == 1


def test_an_exited_process_cannot_be_terminated(box: Box) -> None:
    """Terminating a process without threads gives PROCESS_IS_TERMINATING and changes nothing."""
    caller, victim = box.thread(), box.thread()
    handle = box.open_process(caller, victim.process)
    box.call(caller, "NtTerminateProcess", handle, 1)
    box.run(2)
    assert box.call(caller, "NtTerminateProcess", handle, 2) == STATUS.PROCESS_IS_TERMINATING
    assert int(victim.process.eprocess.ExitStatus) == 1


def test_terminating_oneself_does_not_return(box: Box) -> None:
    """NtTerminateProcess(NtCurrentProcess) ends the caller before its next instruction."""
    thread = box.thread()
    box.script(thread, box.syscall("NtTerminateProcess", SELF, 9), box.note("never"))
    box.run()
    assert box.record == []
    assert int(thread.process.eprocess.ExitStatus) == 9
    assert int(thread.process.eprocess.ActiveThreads) == 0
    assert int(thread.process.eprocess.ExitTime) > 0


def test_null_thread_handle_refuses_the_last_thread(box: Box) -> None:
    """NtTerminateThread(0) is CANT_TERMINATE_SELF for the last thread of a process only."""
    process = box.process()
    first = box.thread(process)
    assert box.call(first, "NtTerminateThread", 0, 1) == STATUS.CANT_TERMINATE_SELF
    second = box.thread(process)
    box.script(second, box.syscall("NtTerminateThread", 0, 5))
    box.run(20)
    assert int(second.ethread.ExitStatus) == 5
    assert process.threads == [first]


def test_a_waiting_thread_ends(box: Box) -> None:
    """A suspended thread is terminated without being resumed."""
    process = box.process()
    caller, victim = box.thread(process), box.thread(process, suspended=True)
    box.run(3)
    handle = box.open_thread(caller, victim, 1)
    assert box.call(caller, "NtTerminateThread", handle, 0x55) == STATUS.SUCCESS
    box.run(5)
    assert int(victim.ethread.ExitStatus) == 0x55
    assert int(victim.tcb.State) == 4

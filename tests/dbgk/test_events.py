"""What a debugged process tells, and what becomes of it after the answer."""

from __future__ import annotations

import struct
from typing import Any

from ntos.abi.layout.dbgk import DBGK_DEBUG_EVENT
from ntos.abi.status import STATUS
from ntos.etw.event import DebugEventAnswered, DebugPrint
from ntos.hal.cpu import HardwareException, Trap, Vector
from ntos.hal.scripted.backend import ScriptedContext
from tests.dbgk.conftest import CONTINUE, NOT_HANDLED, Bench
from tests.ps.conftest import ENTRY_POINTS

USER_DISPATCHER = ENTRY_POINTS + 0x200
RIP = 0x40_1000


def test_a_breakpoint_is_reported_at_the_int3_and_continued_behind_it(bench: Bench) -> None:
    """ExceptionAddress is the int3's, the thread's RIP is past it, and DBG_CONTINUE lets it go on from there."""
    worker = bench.worker(bench.debuggee(), bench.trap(Vector.BREAKPOINT, RIP), bench.note(lambda c: c.rip))
    bench.run()
    event = bench.event()
    assert event is not None
    told = event.StateInfo.Exception
    assert int(told.ExceptionRecord.ExceptionCode) & 0xFFFF_FFFF == STATUS.BREAKPOINT
    assert (int(told.ExceptionRecord.ExceptionAddress), int(told.FirstChance)) == (RIP - 1, 1)
    assert worker.context.rip == RIP
    assert bench.record == []
    assert bench.go_on(worker) == STATUS.SUCCESS
    assert bench.record == [RIP]


def test_an_exception_not_handled_goes_to_the_programs_own_handlers(bench: Bench) -> None:
    """DBG_EXCEPTION_NOT_HANDLED: KiUserExceptionDispatcher runs, and there RIP is that of the int3."""
    where: list[int] = []

    def look(context: object) -> int:
        saved = worker.memory.read(worker.context.rsp, 0x4D0)
        where.append(struct.unpack_from("<Q", saved, 0xF8)[0])
        return worker.context.rip

    worker = bench.worker(bench.debuggee(), bench.trap(Vector.BREAKPOINT, RIP), bench.note(look))
    bench.run()
    assert bench.state() == "Breakpoint"
    bench.go_on(worker, NOT_HANDLED)
    assert (bench.record, where) == ([USER_DISPATCHER], [RIP - 1])


def test_the_second_chance_comes_after_the_handlers_and_then_the_end(bench: Bench) -> None:
    """NtRaiseException with FirstChance FALSE asks the debugger again; not handled, the process ends with the code."""
    process = bench.debuggee()
    worker = bench.worker(process)
    record = bench.put(worker, struct.pack("<IIQQI", 0xC000_0005, 0, 0, RIP, 0).ljust(0x98, b"\0"))
    context = bench.room(worker, 0x4D0)
    bench.script(worker, bench.syscall("NtRaiseException", record, context, 0), bench.note("never"))
    bench.run()
    event = bench.event()
    assert event is not None
    assert int(event.StateInfo.Exception.FirstChance) == 0
    bench.go_on(worker, NOT_HANDLED)
    assert bench.state() == "ExitProcess"
    bench.go_on(worker)
    assert (bench.record, int(process.eprocess.ExitStatus) & 0xFFFF_FFFF) == ([], 0xC000_0005)


def test_others_are_frozen_while_an_event_is_unanswered(bench: Bench) -> None:
    """No thread of the process runs between an event and its answer, not even one that begins meanwhile."""
    process = bench.debuggee()
    first = bench.worker(process, bench.trap(Vector.BREAKPOINT), bench.note("first"))
    other = bench.worker(process, bench.note("other"), bench.note("other again"))
    bench.run(2)
    assert (other.frozen, int(other.tcb.FreezeCount), int(process.pcb.FreezeCount)) == (True, 1, 1)
    later = bench.worker(process, bench.note("later"))
    bench.run()
    assert (bench.record, later.frozen, bench.state()) == ([], True, "Breakpoint")
    bench.go_on(first)
    assert sorted(bench.record[:4]) == ["first", "later", "other", "other again"]
    assert int(process.pcb.FreezeCount) == 0


def test_a_suspended_thread_stays_so_after_the_thaw(bench: Bench) -> None:
    """Freezing and suspending are counted apart."""
    process = bench.debuggee()
    first = bench.worker(process, bench.trap(Vector.BREAKPOINT))
    bench.thread(process, suspended=True)
    other = process.threads[1]
    bench.script(other, bench.note("other"))
    bench.run()
    assert bench.state() == "Breakpoint"
    handle = bench.open_thread(bench.debugger, other)
    assert bench.call(bench.debugger, "NtResumeThread", handle, 0) == 0
    bench.run()
    assert bench.record == []
    assert bench.call(bench.debugger, "NtSuspendThread", handle, 0) == 0
    bench.go_on(first)
    assert bench.record == []


def test_a_process_has_one_event_at_a_time_with_its_debugger(bench: Bench) -> None:
    """What another thread has to say meanwhile waits its turn; another process's event does not."""
    process, stranger = bench.debuggee(), bench.debuggee()
    one = bench.worker(process, bench.trap(Vector.BREAKPOINT, 0x1000))
    two = bench.worker(process, bench.trap(Vector.BREAKPOINT, 0x2000))
    third = bench.worker(stranger, bench.trap(Vector.BREAKPOINT, 0x3000))
    one.tcb.BypassProcessFreeze = two.tcb.BypassProcessFreeze = 1
    bench.run()

    def address() -> int | None:
        event = bench.event()
        return None if event is None else int(event.StateInfo.Exception.ExceptionRecord.ExceptionAddress)

    assert [address(), address(), address()] == [0xFFF, 0x2FFF, None]
    bench.go_on(one)
    assert [address(), address()] == [0x1FFF, None]
    bench.go_on(third)
    bench.go_on(two)


def test_events_are_true_bytes_in_the_objects_list(bench: Bench) -> None:
    """DEBUG_OBJECT.EventList leads to the event: its client id, thread, message number and flags."""
    process = bench.debuggee()
    worker = bench.worker(process, bench.trap(Vector.DIVIDE))
    bench.run()
    entries = list(bench.debug.view.EventList.iterate())
    assert len(entries) == 1
    event = DBGK_DEBUG_EVENT(bench.kernel.memory, entries[0])
    assert (int(event.ClientId.UniqueProcess), int(event.ClientId.UniqueThread)) == (process.id, worker.id)
    assert (int(event.Process), int(event.Thread)) == (process.address, worker.address)
    assert (int(event.ApiMsg.ApiNumber), int(event.Read)) == (0, 0)
    assert bench.state() == "Exception"
    assert int(event.Read) == 1
    bench.go_on(worker)
    assert bench.debug.view.EventList.is_empty()


def test_threads_begin_and_end_for_the_debugger(bench: Bench) -> None:
    """The first thread announces the process, the next one itself; the last one ends the process, not itself."""
    process = bench.debuggee(begun=False)
    first = bench.worker(process, bench.syscall("NtTerminateThread", 0xFFFF_FFFF_FFFF_FFFE, 7), announced=True)
    bench.run()
    assert bench.state() == "CreateProcess"
    bench.go_on(first)
    second = bench.worker(process, bench.syscall("NtTerminateThread", 0xFFFF_FFFF_FFFF_FFFE, 8), announced=True)
    event = bench.event()
    assert event is not None
    assert int(event.StateInfo.ExitStatus) == 8 or int(event.AppClientId.UniqueThread) == first.id
    bench.go_on(first)
    states = [bench.state()]
    bench.go_on(second)
    states.append(bench.state())
    bench.go_on(second)
    assert states == ["CreateThread", "ExitProcess"]
    assert int(process.header.SignalState) == 1


def test_a_thread_that_hides_tells_nothing(bench: Bench) -> None:
    """ThreadHideFromDebugger: its exceptions go to the program's own handlers at once."""
    worker = bench.worker(bench.debuggee(), bench.trap(Vector.DIVIDE), bench.note(lambda c: c.rip))
    worker.ethread.HideFromDebugger = 1
    bench.run()
    assert (bench.record, bench.state()) == ([USER_DISPATCHER], "none")


def test_termination_waits_for_the_debugger(bench: Bench) -> None:
    """A thread held in an event does not end before its debugger has answered."""
    process = bench.debuggee()
    worker = bench.worker(process, bench.trap(Vector.BREAKPOINT), bench.note("never"))
    bench.run()
    assert bench.state() == "Breakpoint"
    handle = bench.open_process(bench.debugger, process)
    assert bench.call(bench.debugger, "NtTerminateProcess", handle, 33) == 0
    bench.run()
    assert worker.coroutine is not None
    bench.go_on(worker)
    event = bench.event()
    assert event is not None
    assert int(event.StateInfo.ExitStatus) == 33
    bench.go_on(worker)
    assert bench.record == []
    assert process.threads == []


def test_an_event_can_be_replied_to_later(bench: Bench) -> None:
    """DBG_REPLY_LATER: the thread tells the same again, and only the second answer counts."""
    worker = bench.worker(bench.debuggee(), bench.trap(Vector.BREAKPOINT), bench.note("after"))
    bench.run()
    assert bench.state() == "Breakpoint"
    bench.go_on(worker, int(STATUS.DBG_REPLY_LATER))
    assert (bench.state(), bench.record) == ("Breakpoint", [])
    bench.go_on(worker)
    assert bench.record == ["after"]


def test_a_suspended_thread_replies_once_it_is_resumed(bench: Bench) -> None:
    """Suspended before DBG_REPLY_LATER, a thread keeps its event back, and the others of its process run."""
    process = bench.debuggee()
    worker = bench.worker(process, bench.trap(Vector.BREAKPOINT), bench.note("after"))
    bench.run()
    assert bench.state() == "Breakpoint"
    handle = bench.open_thread(bench.debugger, worker)
    assert bench.call(bench.debugger, "NtSuspendThread", handle, 0) == 0
    bench.worker(process, bench.note("other"))
    bench.go_on(worker, int(STATUS.DBG_REPLY_LATER))
    assert (bench.state(), bench.record) == ("none", ["other"])
    assert bench.call(bench.debugger, "NtResumeThread", handle, 0) == 0
    bench.run()
    assert bench.state() == "Breakpoint"
    bench.go_on(worker)
    assert bench.record == ["other", "after"]


def test_a_thread_that_tells_without_end_lets_others_tell(bench: Bench) -> None:
    """A thread begun beside one that meets a breakpoint again and again is announced after the first of them."""
    process = bench.debuggee()
    busy = bench.worker(process, *[bench.trap(Vector.BREAKPOINT)] * 5)
    bench.run()
    assert bench.state() == "Breakpoint"
    bench.worker(process, announced=True)
    states = []
    for _ in range(2):
        bench.go_on(busy)
        states.append(bench.state())
    assert "CreateThread" in states


def test_the_debug_service_prints_or_breaks(bench: Bench) -> None:
    """`int 2Dh` to print goes on one byte further, with an event; a prompt is a breakpoint there."""
    worker = bench.worker(bench.debuggee())
    text = bench.put(worker, b"words")

    def say(service: int) -> Any:
        def step(context: ScriptedContext) -> Trap:
            context.rip, context.rax, context.rcx, context.rdx = RIP, service, text, 5
            return HardwareException(Vector.DEBUG_SERVICE)

        return step

    bench.script(worker, say(1), bench.note(lambda c: c.rip), say(2), bench.note(lambda c: c.rip))
    bench.run()
    assert bench.record == [RIP + 1]
    assert [event.text for event in bench.events if isinstance(event, DebugPrint)] == ["words"]
    assert bench.state() == "Breakpoint"
    bench.go_on(worker)
    assert bench.record == [RIP + 1, RIP + 1]


def test_a_handle_that_is_not_open_is_an_exception_to_a_debugged_process(bench: Bench) -> None:
    """NtClose raises INVALID_HANDLE where somebody debugs the process; afterwards it returns that status."""
    process = bench.debuggee()
    worker = bench.worker(
        process, bench.syscall("NtClose", 0xABC0), bench.note(lambda c: c.rax), bench.syscall("NtClose", 0),
        bench.note("zero is only refused"),
    )  # fmt: skip
    bench.run()
    event = bench.event()
    assert event is not None
    assert int(event.StateInfo.Exception.ExceptionRecord.ExceptionCode) & 0xFFFF_FFFF == STATUS.INVALID_HANDLE
    bench.go_on(worker)
    assert bench.record == [STATUS.INVALID_HANDLE, "zero is only refused"]


def test_the_answer_is_told(bench: Bench) -> None:
    """The event stream says what was told to a debugger and what it answered."""
    worker = bench.worker(bench.debuggee(), bench.trap(Vector.DIVIDE))
    bench.run()
    assert bench.state() == "Exception"
    bench.go_on(worker)
    told = next(event for event in bench.events if isinstance(event, DebugEventAnswered))
    assert (told.kind, told.about, told.answer) == ("Exception", worker.id, CONTINUE)
    assert (told.code, told.first_chance) == (STATUS.INTEGER_DIVIDE_BY_ZERO, True)

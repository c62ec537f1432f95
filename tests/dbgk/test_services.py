"""Debug objects as user mode handles them: made, given, taken away, closed."""

from __future__ import annotations

import pytest

from ntos import ob
from ntos.abi.layout.peb import PEB
from ntos.abi.status import STATUS
from ntos.etw.event import DebuggerAttached, DebuggerDetached
from ntos.hal.cpu import Vector
from ntos.ke.process import Process
from tests.dbgk.conftest import CONTINUE, Bench
from tests.ps.conftest import SELF


def _being_debugged(process: Process) -> int:
    return int(PEB(process.memory, int(process.eprocess.Peb)).BeingDebugged)


def test_arguments_that_mean_nothing_are_refused(bench: Bench) -> None:
    """Unknown flags, answers, classes and lengths: INVALID_PARAMETER or INFO_LENGTH_MISMATCH."""
    debugger, debug = bench.debugger, bench.handle_of_debug
    place = bench.room(debugger, 0x20)
    client = bench.put(debugger, bytes(16))
    assert bench.call(debugger, "NtCreateDebugObject", place, 0x1F000F, 0, 2) == STATUS.INVALID_PARAMETER
    assert bench.call(debugger, "NtDebugContinue", debug, client, 0) == STATUS.INVALID_PARAMETER
    assert bench.call(debugger, "NtDebugContinue", debug, client, CONTINUE) == STATUS.INVALID_PARAMETER
    assert bench.call(debugger, "NtDebugContinue", SELF, client, CONTINUE) == STATUS.OBJECT_TYPE_MISMATCH
    question = "NtSetInformationDebugObject"
    assert bench.call(debugger, question, debug, 0, place, 4, 0) == STATUS.INVALID_PARAMETER
    assert bench.call(debugger, question, debug, 1, place, 8, place + 8) == STATUS.INFO_LENGTH_MISMATCH
    assert bench.word(debugger, place + 8, 4) == 4
    debugger.memory.write(place, b"\2")
    assert bench.call(debugger, question, debug, 1, place, 4, 0) == STATUS.INVALID_PARAMETER


def test_who_cannot_be_debugged(bench: Bench) -> None:
    """Not oneself, not System, nobody without the right, nobody twice."""
    debugger, debug = bench.debugger, bench.handle_of_debug
    process = bench.process()
    bench.worker(process, bench.note("on"))
    weak = bench.open_process(debugger, process, 0x1000)
    handle = bench.open_process(debugger, process)
    assert bench.call(debugger, "NtDebugActiveProcess", SELF, debug) == STATUS.ACCESS_DENIED
    assert bench.call(debugger, "NtDebugActiveProcess", weak, debug) == STATUS.ACCESS_DENIED
    assert bench.call(debugger, "NtRemoveProcessDebug", handle, debug) == STATUS.PORT_NOT_SET
    assert bench.call(debugger, "NtDebugActiveProcess", handle, debug) == STATUS.SUCCESS
    assert bench.call(debugger, "NtDebugActiveProcess", handle, debug) == STATUS.PORT_ALREADY_SET
    assert bench.call(debugger, "NtRemoveProcessDebug", handle, bench.new_debug_object()) == STATUS.PORT_NOT_SET


def test_attaching_tells_what_was_missed(bench: Bench) -> None:
    """The process and each thread are announced; each thread is held until the event about it is answered."""
    process = bench.process()
    threads = [bench.worker(process, bench.note(name), announced=True) for name in ("one", "two")]
    handle = bench.open_process(bench.debugger, process)
    assert bench.call(bench.debugger, "NtDebugActiveProcess", handle, bench.handle_of_debug) == STATUS.SUCCESS
    assert (_being_debugged(process), int(process.eprocess.DebugPort)) == (1, bench.debug.address)
    bench.run()
    assert (bench.record, bench.state()) == ([], "CreateProcess")
    bench.go_on(threads[0])
    assert (bench.record, bench.state()) == (["one"], "CreateThread")
    bench.go_on(threads[1])
    assert (bench.record, bench.state()) == (["one", "two"], "none")
    assert int(process.eprocess.NoDebugInherit) == 1  # children of a process attached to are not debugged
    assert any(isinstance(event, DebuggerAttached) and event.id == process.id for event in bench.events)


def test_detaching_lets_go_on_what_was_held(bench: Bench) -> None:
    """NtRemoveProcessDebug: a pending exception goes to the program's handlers, and nothing more is told."""
    process = bench.debuggee()
    worker = bench.worker(process, bench.trap(Vector.DIVIDE), bench.note("handler"), bench.trap(Vector.DIVIDE))
    references = ob.pointer_count(bench.debug)
    bench.run()
    assert bench.state() == "Exception"
    handle = bench.open_process(bench.debugger, process)
    assert bench.call(bench.debugger, "NtRemoveProcessDebug", handle, bench.handle_of_debug) == STATUS.SUCCESS
    bench.run()
    assert (bench.record, bench.state(), _being_debugged(process)) == (["handler"], "none", 0)
    assert (ob.pointer_count(bench.debug), worker.frozen) == (references - 1, False)


@pytest.mark.parametrize(("flags", "status"), [(1, STATUS.DEBUGGER_INACTIVE), (0, STATUS.PENDING)])
def test_the_end_of_the_debug_object(bench: Bench, flags: int, status: int) -> None:
    """With its last handle a debug object is gone: whom it debugged dies with it if its flag says so."""
    bench.handle_of_debug = bench.new_debug_object(flags)
    process = bench.debuggee()
    bench.worker(process, bench.trap(Vector.BREAKPOINT), bench.note("on"))
    bench.run()
    assert bench.state() == "Breakpoint"
    assert bench.call(bench.debugger, "NtClose", bench.handle_of_debug) == STATUS.SUCCESS
    bench.run(5)
    assert int(process.eprocess.ExitStatus) & 0xFFFF_FFFF == status
    assert (bench.record, int(process.eprocess.DebugPort)) == ([] if flags else ["on"], 0)
    reasons = [event.reason for event in bench.events if isinstance(event, DebuggerDetached)]
    assert reasons == ["killed" if flags else "closed"]


def test_killing_can_be_chosen_later(bench: Bench) -> None:
    """NtSetInformationDebugObject changes DEBUG_OBJECT.Flags."""
    place = bench.put(bench.debugger, b"\1\0\0\0")
    arguments = (bench.handle_of_debug, 1, place, 4, 0)
    assert bench.call(bench.debugger, "NtSetInformationDebugObject", *arguments) == STATUS.SUCCESS
    assert int(bench.debug.view.Flags) == 2


def test_a_protected_process_is_debugged_only_by_one_that_dominates_it(bench: Bench) -> None:
    """NtDebugActiveProcess: PROCESS_IS_PROTECTED, whatever the handle allows."""
    process = bench.process()
    bench.worker(process, bench.note("on"))
    handle = bench.open_process(bench.debugger, process)
    process.eprocess.Protection.Level = 0x61  # WinTcb-Light
    answer = bench.call(bench.debugger, "NtDebugActiveProcess", handle, bench.handle_of_debug)
    assert answer == STATUS.PROCESS_IS_PROTECTED
    assert int(process.eprocess.DebugPort) == 0


def test_a_process_keeps_its_debug_object_until_it_is_deleted(bench: Bench) -> None:
    """EPROCESS.DebugPort counts as a reference, and deleting the process gives it back."""
    references = ob.pointer_count(bench.debug)
    process = bench.debuggee()
    assert ob.pointer_count(bench.debug) == references + 1
    ob.dereference(process)
    assert ob.pointer_count(bench.debug) == references

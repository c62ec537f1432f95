"""What processes and threads use: processor time, cycles, memory, and who is told of it."""

from __future__ import annotations

import struct

import pytest

from ntos import mm, ob
from ntos.abi.layout.processor import KPRCB
from ntos.abi.layout.thread import KTHREAD
from ntos.abi.status import STATUS
from ntos.hal.clock import CLOCK_INCREMENT, CYCLES_PER_UNIT
from ntos.ke import runtime
from ntos.ke.thread import Thread
from ntos.ps.exit import terminate_process
from ntos.se import token as tokens
from tests.ps.conftest import SELF, SELF_THREAD, Box

TIMES, QUOTA, FOREGROUND, HANDLE_TABLE, UPTIME = 4, 1, 25, 58, 88
CHILD_POLICY, TELEMETRY, POWER_THROTTLING, IMAGE_SECTION = 73, 64, 77, 89
ACCESS_TOKEN = 9
THREAD_TIMES, LAST_CALL, THREAD_CYCLES, SYSTEM_THREAD, THREAD_POWER = 1, 21, 23, 40, 49
PYTHON_EXPORT = 0x2000


def _ask(box: Box, thread: Thread, number: int, size: int, handle: int = SELF, *, of: str = "Process") -> bytes:
    buffer, back = box.room(thread, size), box.room(thread, 8)
    status = box.call(thread, f"NtQueryInformation{of}", handle, number, buffer, size, back)
    assert status == STATUS.SUCCESS, hex(status)
    return thread.memory.read(buffer, box.word(thread, back, 4))


def _set(box: Box, thread: Thread, number: int, data: bytes, handle: int = SELF, *, of: str = "Process") -> int:
    return box.call(thread, f"NtSetInformation{of}", handle, number, box.put(thread, data), len(data))


def _let_run(box: Box, thread: Thread, units: int, *, spinning: bool = False) -> None:
    """The thread has the processor for so long, in a system call or spinning."""
    scheduler = box.kernel.scheduler
    scheduler.current, scheduler._since = thread, box.kernel.clock.now
    if spinning:
        scheduler.spinning(units / 10_000_000)
    else:
        scheduler.entered(units)
    runtime.switched_out(thread, box.kernel.clock.now - scheduler._since)
    scheduler.current, scheduler._since = None, box.kernel.clock.now


def test_ticks_are_charged_to_the_mode_they_find(box: Box) -> None:
    """A tick in a system call is kernel time; one while the program computes, or in an export, is user time."""
    thread = box.thread()
    thread.context.rax = 0x26
    _let_run(box, thread, CLOCK_INCREMENT * 3)
    _let_run(box, thread, CLOCK_INCREMENT * 2, spinning=True)
    thread.context.rax = PYTHON_EXPORT
    _let_run(box, thread, CLOCK_INCREMENT)
    data = _ask(box, thread, THREAD_TIMES, 0x20, SELF_THREAD, of="Thread")
    assert struct.unpack("<4q", data)[2:] == (3 * CLOCK_INCREMENT, 3 * CLOCK_INCREMENT)
    created, ended, kernel, user = struct.unpack("<4q", _ask(box, thread, TIMES, 0x20))
    assert (created, ended) == (int(thread.process.eprocess.CreateTime), 0)
    assert (kernel, user) == (3 * CLOCK_INCREMENT, 3 * CLOCK_INCREMENT)


def test_cycles_are_exact(box: Box) -> None:
    """Cycles count each stretch on the processor, however short, the one going on included."""
    thread = box.thread()
    _let_run(box, thread, 70)
    data = _ask(box, thread, THREAD_CYCLES, 0x10, SELF_THREAD, of="Thread")
    assert int.from_bytes(data[:8], "little") == 70 * CYCLES_PER_UNIT
    assert int(thread.tcb.ContextSwitches) == 1


def test_a_process_keeps_the_time_of_threads_that_left(box: Box) -> None:
    """KPROCESS has what exited threads used: GetProcessTimes of a process that has ended still tells it."""
    thread = box.thread()
    process = thread.process
    _let_run(box, thread, CLOCK_INCREMENT * 2)
    other = box.thread()
    handle = box.open_process(other, process)
    terminate_process(process, 0)
    box.run()
    used = runtime.of_process(process)
    assert not process.threads
    assert used.kernel + used.user >= 2 * CLOCK_INCREMENT
    times = struct.unpack("<4q", _ask(box, other, TIMES, 0x20, handle))
    assert times[1]
    assert times[2] + times[3] == used.kernel + used.user


def test_the_idle_thread_gets_the_rest(box: Box) -> None:
    """Ticks that find nobody running are kernel time of the processor's idle thread."""
    processor = box.kernel.scheduler.processor
    assert isinstance(processor, KPRCB)
    box.kernel.scheduler.entered(CLOCK_INCREMENT * 5)
    idle = KTHREAD(box.kernel.memory, int(processor.IdleThread))
    assert int(idle.KernelTime) == int(processor.KernelTime) == 5
    assert int(idle.CycleTime) == 5 * CLOCK_INCREMENT * CYCLES_PER_UNIT


def test_foreground_stretches_quanta(box: Box) -> None:
    """ProcessForegroundInformation makes the quanta of a process's threads three times as long."""
    thread = box.thread()
    assert int(thread.tcb.QuantumReset) == 6
    assert _set(box, thread, FOREGROUND, b"\1") == STATUS.SUCCESS
    assert (int(thread.tcb.QuantumReset), int(thread.process.pcb.QuantumReset)) == (18, 18)
    assert _set(box, thread, FOREGROUND, b"\0") == STATUS.SUCCESS
    assert int(thread.tcb.QuantumReset) == 6


@pytest.mark.parametrize(("of", "number", "handle"), [
    ("Process", POWER_THROTTLING, SELF), ("Thread", THREAD_POWER, SELF_THREAD),
])  # fmt: skip
def test_power_throttling_is_kept(box: Box, of: str, number: int, handle: int) -> None:
    """Throttling is told as it was set; a state nobody controls, or another version, is INVALID_PARAMETER."""
    thread = box.thread()
    wanted = struct.pack("<3I", 1, 1, 1)
    assert _set(box, thread, number, wanted, handle, of=of) == STATUS.SUCCESS
    assert _ask(box, thread, number, 12, handle, of=of) == wanted
    for bad in ((2, 1, 1), (1, 0, 1), (1, 0x80, 0)):
        assert _set(box, thread, number, struct.pack("<3I", *bad), handle, of=of) == STATUS.INVALID_PARAMETER


def test_the_handle_table_as_numbers(box: Box) -> None:
    """ProcessHandleTable is the list of open handles, four bytes each."""
    thread = box.thread()
    handle = box.open_process(thread, thread.process)
    data = _ask(box, thread, HANDLE_TABLE, 0x100)
    assert handle in struct.unpack(f"<{len(data) // 4}I", data)


def test_uptime(box: Box) -> None:
    """ProcessUptimeInformation counts interrupt time since creation."""
    thread = box.thread()
    box.kernel.clock.advance(1000)
    now, _, ended, since, lasted, suspended, flags = struct.unpack("<6QI4x", _ask(box, thread, UPTIME, 0x38))
    assert now == box.kernel.clock.now
    assert (ended, suspended, flags) == (0, 0, 0)
    assert since == lasted == now - int(thread.process.eprocess.CreateInterruptTime) >= 1000


def test_telemetry_id(box: Box) -> None:
    """ProcessTelemetryIdInformation names user, image and command line behind a head of 0x60 bytes."""
    thread = box.thread()
    data = _ask(box, thread, TELEMETRY, 0x400)
    size, identifier, key = struct.unpack_from("<IIQ", data)
    assert (size, identifier) == (0x60, thread.process.id)
    assert key & 0xFFFF_FFFF == int(thread.process.eprocess.SequenceNumber)
    sid, image, _, _, command = struct.unpack_from("<5I", data, 0x48)
    assert (sid, data[sid]) == (0x60, 1)
    assert data[image:command].decode("utf-16-le").startswith("\\Device\\HarddiskVolume1\\test.exe\0")


def test_working_set_limits_begin_at_fifty(box: Box) -> None:
    """A new process may keep 50 to 345 pages (PsMinimumWorkingSet)."""
    thread = box.thread()
    data = _ask(box, thread, QUOTA, 0x30)
    assert struct.unpack_from("<2Q", data, 0x10) == (50 * 0x1000, 345 * 0x1000)


def test_children_are_allowed(box: Box) -> None:
    """ProcessChildProcessInformation of an ordinary process forbids nothing; it has no image section here."""
    thread = box.thread()
    assert _ask(box, thread, CHILD_POLICY, 3) == bytes(3)
    assert box.call(thread, "NtQueryInformationProcess", SELF, IMAGE_SECTION, box.room(thread, 8), 8, 0) \
        == STATUS.INVALID_PARAMETER  # fmt: skip


def test_last_system_call_needs_a_waiting_thread(box: Box) -> None:
    """ThreadLastSystemCall of a thread that runs is UNSUCCESSFUL; of a waiting one, number and first argument."""
    caller, target = box.thread(), box.thread()
    handle = box.open_thread(caller, target)
    buffer = box.room(caller, 0x18)
    assert box.call(caller, "NtQueryInformationThread", handle, LAST_CALL, buffer, 0x18, 0) == STATUS.UNSUCCESSFUL
    interval = box.put(target, struct.pack("<q", -10_000_000))
    box.script(target, box.syscall("NtDelayExecution", 0, interval))
    box.run()
    assert target.waiting is not None
    data = _ask(box, caller, LAST_CALL, 0x18, handle, of="Thread")
    assert struct.unpack_from("<QH", data) == (0, 0x34)


def test_a_thread_as_the_list_of_processes_shows_it(box: Box) -> None:
    """ThreadSystemThreadInformation is the thread's SYSTEM_THREAD_INFORMATION."""
    thread = box.thread()
    _let_run(box, thread, CLOCK_INCREMENT)
    data = _ask(box, thread, SYSTEM_THREAD, 0x50, SELF_THREAD, of="Thread")
    assert struct.unpack_from("<2Q", data, 0x28) == (thread.process.id, thread.id)
    assert sum(struct.unpack_from("<2q", data)) == CLOCK_INCREMENT


def test_a_token_can_be_given_until_the_process_runs(box: Box) -> None:
    """ProcessAccessToken of a process that has begun to run is NOT_SUPPORTED, and no reference is lost."""
    caller = box.thread()
    target = box.process()
    handle = box.open_process(caller, target)
    token = _own_token(box, caller)
    assert _set(box, caller, ACCESS_TOKEN, struct.pack("<QQ", token, 0), handle) == STATUS.SUCCESS
    target.eprocess.PrimaryTokenFrozen = 1
    assert _set(box, caller, ACCESS_TOKEN, struct.pack("<QQ", token, 0), handle) == STATUS.NOT_SUPPORTED


def _own_token(box: Box, caller: Thread) -> int:
    copy = tokens.duplicate_for_process(box.kernel, tokens.primary_token(caller.process))
    handle = ob.insert_handle(caller.process, copy, 0xF01FF)
    ob.dereference(copy)
    return handle


def test_job_memory_needs_a_job(box: Box) -> None:
    """ProcessJobMemoryInformation outside any job is NOT_SUPPORTED."""
    thread = box.thread()
    mm.allocate(thread.process, 0x1000)
    assert box.call(thread, "NtQueryInformationProcess", SELF, 69, box.room(thread, 0x28), 0x28, 0) \
        == STATUS.NOT_SUPPORTED  # fmt: skip

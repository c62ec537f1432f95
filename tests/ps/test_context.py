"""Contexts, continuation, exceptions and queued calls."""

from __future__ import annotations

import struct

from ntos.abi.status import STATUS
from ntos.ke import context as context_record
from ntos.ke.thread import Thread
from tests.ps.conftest import ENTRY_POINTS, SELF_THREAD, Box

APC_DISPATCHER = ENTRY_POINTS + 0x100
EXCEPTION_DISPATCHER = ENTRY_POINTS + 0x200
FULL = context_record.CONTEXT_FULL
RCX, RIP = context_record.offset_of("rcx"), context_record.offset_of("rip")


def _context(box: Box, thread: Thread, flags: int = FULL) -> int:
    address = box.room(thread, 0x4D0 + 16)
    address = (address + 15) & ~15
    thread.memory.write(address + 0x30, flags.to_bytes(4, "little"))
    return address


def test_a_new_suspended_thread_shows_its_start(box: Box) -> None:
    """Before a thread created suspended runs, its RCX is the start routine and can be replaced."""
    process = box.process()
    caller, target = box.thread(process), box.thread(process, suspended=True)
    box.run(3)
    handle = box.open_thread(caller, target)
    place = _context(box, caller)
    assert box.call(caller, "NtGetContextThread", handle, place) == STATUS.SUCCESS
    assert box.word(caller, place + RIP) == ENTRY_POINTS + 0x400
    assert box.word(caller, place + RCX) == 0x1000
    caller.memory.write(place + RCX, (0x4444).to_bytes(8, "little"))
    assert box.call(caller, "NtSetContextThread", handle, place) == STATUS.SUCCESS
    caller.memory.write(place + RCX, bytes(8))
    box.call(caller, "NtGetContextThread", handle, place)
    assert box.word(caller, place + RCX) == 0x4444
    box.script(target, box.note(lambda c: (c.rip, target.memory.read(c.rsp + RCX, 8))))
    box.call(caller, "NtResumeThread", handle, 0)
    box.run(5)
    assert box.record == [(APC_DISPATCHER, (0x4444).to_bytes(8, "little"))]


def test_only_named_parts_are_written(box: Box) -> None:
    """NtGetContextThread leaves what ContextFlags do not name as it was."""
    thread = box.thread()
    place = _context(box, thread, context_record.CONTEXT_CONTROL)
    thread.memory.write(place + RCX, b"untouched"[:8])
    assert box.call(thread, "NtGetContextThread", SELF_THREAD, place) == STATUS.SUCCESS
    assert thread.memory.read(place + RCX, 8) == b"untouche"
    assert box.word(thread, place + RIP) == thread.context.rip


def test_a_misaligned_context_is_refused(box: Box) -> None:
    """A CONTEXT must be aligned to sixteen bytes."""
    thread = box.thread()
    assert box.call(thread, "NtGetContextThread", SELF_THREAD, _context(box, thread) + 8) == (
        STATUS.DATATYPE_MISALIGNMENT
    )


def test_continue_loads_every_register(box: Box) -> None:
    """NtContinue goes on with the CONTEXT's registers, RAX too, and no privileged flag."""
    thread = box.thread()
    record = bytearray(0x4D0)
    struct.pack_into("<I", record, 0x30, FULL)
    struct.pack_into("<I", record, 0x44, 0x3001)
    struct.pack_into("<2Q", record, 0x78, 0xAAAA, 0xCCCC)
    struct.pack_into("<Q", record, RIP, 0x7777)
    place = (box.put(thread, bytes(record) + bytes(16)) + 15) & ~15
    thread.memory.write(place, record)
    box.script(
        thread,
        box.syscall("NtContinue", place, 0),
        box.note(lambda c: (c.rax, c.rcx, c.rip, c.rflags)),
    )
    box.run(5)
    assert box.record == [(0xAAAA, 0xCCCC, 0x7777, 0x203)]


def test_continue_with_test_alert_takes_queued_calls(box: Box) -> None:
    """A user APC queued before is delivered by NtContinue(TestAlert) and not by NtContinue alone."""
    thread = box.thread()
    assert box.call(thread, "NtQueueApcThread", SELF_THREAD, 0x5000, 1, 2, 3) == STATUS.SUCCESS
    record = context_record.capture(thread.context)
    place = (box.put(thread, bytes(record) + bytes(16)) + 15) & ~15
    thread.memory.write(place, record)
    box.script(
        thread,
        box.syscall("NtContinue", place, 0),
        box.note(lambda c: c.rip == APC_DISPATCHER),
        box.syscall("NtContinue", place, 1),
        box.note(lambda c: (c.rip, struct.unpack("<4Q", thread.memory.read(c.rsp, 32)))),
    )
    box.run(5)
    assert box.record == [False, (APC_DISPATCHER, (1, 2, 3, 0x5000))]


def test_a_special_apc_needs_no_alertable_wait(box: Box) -> None:
    """NtQueueApcThreadEx with the special flag interrupts a thread that runs."""
    process = box.process()
    caller, target = box.thread(process), box.thread(process)
    box.script(target, box.note("runs"), box.note(lambda c: c.rip))
    handle = box.open_thread(caller, target)
    box.script(caller, box.note("caller"))
    box.run(3)
    assert box.call(caller, "NtQueueApcThreadEx", handle, 1, 0x6000, 0, 0, 0) == STATUS.SUCCESS
    box.run(3)
    assert box.record[-1] == APC_DISPATCHER


def test_raise_exception_enters_the_dispatcher(box: Box) -> None:
    """NtRaiseException continues at KiUserExceptionDispatcher with record and context on the stack."""
    thread = box.thread()
    record = struct.pack("<IIQQI4xQ", 0xE0000001, 0, 0, 0x1234, 1, 99).ljust(0x98, b"\0")
    exception = box.put(thread, record)
    saved = context_record.capture(thread.context)
    struct.pack_into("<Q", saved, RIP, 0x9999)
    place = (box.put(thread, bytes(saved) + bytes(16)) + 15) & ~15
    thread.memory.write(place, saved)

    def look(context: object) -> object:
        stack = thread.context.rsp
        code = int.from_bytes(thread.memory.read(stack + 0x4F0, 4), "little")
        return thread.context.rip, hex(code), box.word(thread, stack + RIP)

    box.script(thread, box.syscall("NtRaiseException", exception, place, 1), box.note(look))
    box.run(5)
    assert box.record == [(EXCEPTION_DISPATCHER, "0xe0000001", 0x9999)]


def test_a_second_chance_ends_the_process(box: Box) -> None:
    """An exception given back unhandled ends the process with its code."""
    thread = box.thread()
    exception = box.put(thread, struct.pack("<I", 0xE0000002).ljust(0x98, b"\0"))
    saved = context_record.capture(thread.context)
    place = (box.put(thread, bytes(saved) + bytes(16)) + 15) & ~15
    thread.memory.write(place, saved)
    box.script(thread, box.syscall("NtRaiseException", exception, place, 0), box.note("never"))
    box.run(5)
    assert box.record == []
    assert int(thread.process.eprocess.ExitStatus) == 0xE0000002


def test_suspension_counts(box: Box) -> None:
    """Suspend and resume give the former count; beyond 127 the count is exceeded."""
    process = box.process()
    caller, target = box.thread(process), box.thread(process)
    handle = box.open_thread(caller, target)
    place = box.room(caller, 8)
    assert box.call(caller, "NtSuspendThread", handle, place) == STATUS.SUCCESS
    assert box.word(caller, place, 4) == 0
    assert box.call(caller, "NtSuspendThread", handle, place) == STATUS.SUCCESS
    assert box.word(caller, place, 4) == 1
    assert int(target.tcb.SuspendCount) == 2
    for _ in range(125):
        box.call(caller, "NtSuspendThread", handle, 0)
    assert box.call(caller, "NtSuspendThread", handle, 0) == STATUS.SUSPEND_COUNT_EXCEEDED
    assert box.call(caller, "NtResumeThread", handle, place) == STATUS.SUCCESS
    assert box.word(caller, place, 4) == 127


def test_a_suspended_thread_does_not_run(box: Box) -> None:
    """A thread suspended between two time slices goes on only when resumed."""
    process = box.process()
    caller, target = box.thread(process), box.thread(process)
    box.script(target, *(box.note(number) for number in range(4)))
    box.run(2)
    assert box.record == [0]
    handle = box.open_thread(caller, target)
    box.call(caller, "NtSuspendThread", handle, 0)
    box.run(10)
    assert box.record == [0]
    box.call(caller, "NtResumeThread", handle, 0)
    box.run(4)
    assert box.record[:2] == [0, 1]


def test_execution_state_remembers_what_is_continuous(box: Box) -> None:
    """NtSetThreadExecutionState gives the former state; only ES_CONTINUOUS changes it."""
    thread = box.thread()
    place = box.room(thread, 4)
    assert box.call(thread, "NtSetThreadExecutionState", 0x8000_0003, place) == STATUS.SUCCESS
    assert box.word(thread, place, 4) == 0x8000_0000
    box.call(thread, "NtSetThreadExecutionState", 0x1, place)
    assert box.word(thread, place, 4) == 0x8000_0003
    assert box.call(thread, "NtSetThreadExecutionState", 0x8, place) == STATUS.INVALID_PARAMETER


def test_continue_ex_takes_a_flag_or_an_argument(box: Box) -> None:
    """NtContinueEx refuses an unknown KCONTINUE_TYPE and takes 1 for TestAlert."""
    thread = box.thread()
    record = context_record.capture(thread.context)
    place = (box.put(thread, bytes(record) + bytes(16)) + 15) & ~15
    thread.memory.write(place, record)
    argument = box.put(thread, struct.pack("<IIQQ", 9, 0, 0, 0))
    assert box.call(thread, "NtContinueEx", place, argument) == STATUS.INVALID_PARAMETER
    box.call(thread, "NtQueueApcThread", SELF_THREAD, 0x5000, 1, 2, 3)
    box.script(thread, box.syscall("NtContinueEx", place, 1), box.note(lambda c: c.rip))
    box.run(5)
    assert box.record == [APC_DISPATCHER]


def test_a_whole_process_is_suspended(box: Box) -> None:
    """NtSuspendProcess holds every thread; NtResumeProcess and NtAlertResumeThread let them go."""
    caller, target = box.thread(), box.thread()
    second = box.thread(target.process)
    handle = box.open_process(caller, target.process)
    assert box.call(caller, "NtSuspendProcess", handle) == STATUS.SUCCESS
    assert (target.suspend_count, second.suspend_count) == (1, 1)
    assert box.call(caller, "NtResumeProcess", handle) == STATUS.SUCCESS
    assert (target.suspend_count, second.suspend_count) == (0, 0)
    box.call(caller, "NtSuspendProcess", handle)
    assert box.call(caller, "NtAlertResumeThread", box.open_thread(caller, target), 0) == STATUS.SUCCESS
    assert (target.suspend_count, int(target.tcb.Alerted[1])) == (0, 1)

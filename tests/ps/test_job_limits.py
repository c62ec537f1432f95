"""What jobs count, and their limits on time, memory and user interface (jobs-silos-sessions.md section 2)."""

from __future__ import annotations

import importlib
import struct

import pytest

from ntos import mm, ob
from ntos.abi.status import STATUS, NtError
from ntos.hal.clock import CLOCK_INCREMENT
from ntos.ke import runtime
from ntos.ke.thread import Thread
from ntos.ps import job_object
from ntos.ps.job_object import Job
from tests.ps.conftest import Box
from tests.ps.test_job import _job

ACCOUNTING, BASIC, UI, END_OF_JOB, PORT, IO, EXTENDED = 1, 2, 4, 6, 7, 8, 9
GROUPS, FILTER, COUNTER, CLEAR_PEAK, MEMORY_USAGE, CONTAINER = 14, 16, 17, 27, 28, 30
PROCESS_TIME, JOB_TIME, PRESERVE, PROCESS_MEMORY, JOB_MEMORY = 0x2, 0x4, 0x40, 0x100, 0x200
NOT_ENOUGH_QUOTA = 1816
PYTHON_EXPORT = 0x2000
PAGE = 0x1000


def _ask(box: Box, thread: Thread, handle: int, number: int, size: int) -> bytes:
    place, back = box.room(thread, size), box.room(thread, 8)
    status = box.call(thread, "NtQueryInformationJobObject", handle, number, place, size, back)
    assert status == STATUS.SUCCESS, hex(status)
    return thread.memory.read(place, size)


def _set(box: Box, thread: Thread, handle: int, number: int, data: bytes) -> int:
    place = box.put(thread, data) if data else 0
    return box.call(thread, "NtSetInformationJobObject", handle, number, place, len(data))


def _limit(box: Box, thread: Thread, handle: int, flags: int, *, each: int = 0, all_: int = 0, process: int = 0,
           job: int = 0) -> int:  # fmt: skip
    data = bytearray(0x90)
    struct.pack_into("<qqI", data, 0, each, all_, flags)
    struct.pack_into("<QQ", data, 0x70, process, job)
    return _set(box, thread, handle, EXTENDED, bytes(data))


def _listen(box: Box, thread: Thread, handle: int) -> list[tuple[int, int]]:
    """(message, process) as they come."""
    completion = importlib.import_module("ntos.ex.completion")
    port_handle = box.handle(thread, "NtCreateIoCompletion", 0x1F0003, 0, 1)
    port = ob.by_handle(thread, port_handle, 0, completion.IO_COMPLETION)
    posted: list[tuple[int, int]] = []
    port.post = lambda _key, context, _status, information: posted.append((information, context))
    assert _set(box, thread, handle, PORT, struct.pack("<QQ", 1, port_handle)) == STATUS.SUCCESS
    return posted


def _use(box: Box, thread: Thread, ticks: int) -> None:
    """The thread computes for so many clock ticks; then the kernel is entered."""
    scheduler = box.kernel.scheduler
    scheduler.current, scheduler._since = thread, box.kernel.clock.now
    thread.context.rax = PYTHON_EXPORT
    scheduler.entered(ticks * CLOCK_INCREMENT)
    runtime.switched_out(thread, box.kernel.clock.now - scheduler._since)
    scheduler.current, scheduler._since = None, box.kernel.clock.now


def _member(box: Box, job: Job) -> Thread:
    thread = box.thread()
    job_object.join(thread.process, job)
    return thread


def test_accounting_is_of_the_living_and_the_dead(box: Box) -> None:
    """Times, faults and transfers of processes that are in the job, and of those that were."""
    caller = box.thread()
    handle, job = _job(box, caller)
    first, second = _member(box, job), _member(box, job)
    _use(box, first, 3)
    _use(box, second, 2)
    first.process.eprocess.ReadTransferCount = 70
    second.process.eprocess.ReadTransferCount = 30
    before = struct.unpack("<4q4I6Q", _ask(box, caller, handle, IO, 0x60))
    assert before[:4] == (5 * CLOCK_INCREMENT, 0, 5 * CLOCK_INCREMENT, 0)
    assert (before[5:8], before[11]) == ((2, 2, 0), 100)
    assert before[4] > 0
    job_object.leave(first.process)
    after = struct.unpack("<4q4I6Q", _ask(box, caller, handle, IO, 0x60))
    assert after[0] >= 5 * CLOCK_INCREMENT
    assert after[11] >= 100


def test_time_of_each_process(box: Box) -> None:
    """A process whose user time goes over the limit ends with ERROR_NOT_ENOUGH_QUOTA; message 2 names it."""
    caller = box.thread()
    handle, job = _job(box, caller)
    posted = _listen(box, caller, handle)
    first, second = _member(box, job), _member(box, job)
    assert _limit(box, caller, handle, PROCESS_TIME, each=3 * CLOCK_INCREMENT) == STATUS.SUCCESS
    _use(box, first, 2)
    _use(box, second, 2)
    assert first.terminating is None
    _use(box, first, 2)
    assert [each.terminating for each in (first, second)] == [NOT_ENOUGH_QUOTA, None]
    assert (2, first.process.id) in posted
    assert int(first.process.eprocess.ExitStatus) == NOT_ENOUGH_QUOTA
    assert int(job.view.TotalTerminatedProcesses) == 1


def test_a_spinning_program_is_noticed(box: Box) -> None:
    """A process over its time is stopped even if it never enters the kernel; one that is not runs on."""
    caller = box.thread()
    handle, job = _job(box, caller)
    first = _member(box, job)
    _limit(box, caller, handle, PROCESS_TIME, each=3 * CLOCK_INCREMENT)
    scheduler = box.kernel.scheduler
    scheduler.current = first
    assert not scheduler.spinning(0.02)
    assert scheduler.spinning(0.05)
    scheduler.entered(0)
    scheduler.current = None
    assert first.terminating == NOT_ENOUGH_QUOTA


@pytest.mark.parametrize("action", [0, 1])
def test_time_of_the_whole_job(box: Box, action: int) -> None:
    """Over the job's time all end and the job is signalled, or (POST) message 1 comes, once; the limit is gone."""
    caller = box.thread()
    handle, job = _job(box, caller)
    posted = _listen(box, caller, handle)
    first, second = _member(box, job), _member(box, job)
    _use(box, first, 5)
    assert _set(box, caller, handle, END_OF_JOB, struct.pack("<I", action)) == STATUS.SUCCESS
    assert _limit(box, caller, handle, JOB_TIME, all_=3 * CLOCK_INCREMENT) == STATUS.SUCCESS
    _use(box, first, 2)
    assert first.terminating is None  # what it used before the limit was set does not count
    _use(box, second, 2)
    assert [message for message, _ in posted].count(1) == 1
    ended = None if action else NOT_ENOUGH_QUOTA
    assert (first.terminating, second.terminating) == (ended, ended)
    assert bool(job.header.SignalState) is (not action)
    assert not int(job.view.LimitFlags) & JOB_TIME
    _use(box, second, 9)
    assert [message for message, _ in posted].count(1) == 1


def test_a_limit_on_time_can_be_kept(box: Box) -> None:
    """PRESERVE_JOB_TIME leaves the limit as it is; together with a new one it is INVALID_PARAMETER."""
    caller = box.thread()
    handle, job = _job(box, caller)
    assert _limit(box, caller, handle, JOB_TIME, all_=77) == STATUS.SUCCESS
    assert _limit(box, caller, handle, JOB_TIME | PRESERVE, all_=5) == STATUS.INVALID_PARAMETER
    assert _limit(box, caller, handle, PRESERVE) == STATUS.SUCCESS
    assert int(job.view.LimitFlags) == JOB_TIME
    each, whole, flags = struct.unpack_from("<qqI", _ask(box, caller, handle, BASIC, 0x40))
    assert (each, whole, flags) == (0, 77, JOB_TIME)


def test_memory_of_the_whole_job(box: Box) -> None:
    """What all commit together stays below the limit: COMMITMENT_LIMIT and message 10 name who asked for too much."""
    caller = box.thread()
    handle, job = _job(box, caller)
    posted = _listen(box, caller, handle)
    first, second = _member(box, job), _member(box, job)
    used = int(job.view.CurrentJobMemoryUsed)
    assert used == sum(int(each.process.eprocess.CommitCharge) for each in (first, second)) > 0
    assert _limit(box, caller, handle, JOB_MEMORY, job=(used + 10) * PAGE) == STATUS.SUCCESS
    address = mm.allocate(first.process, 6 * PAGE)
    with pytest.raises(NtError) as refused:
        mm.allocate(second.process, 6 * PAGE)
    assert refused.value.status == STATUS.COMMITMENT_LIMIT
    assert (10, second.process.id) in posted
    assert int(job.view.CurrentJobMemoryUsed) == used + 6
    mm.free(first.process, address)
    mm.allocate(second.process, 6 * PAGE)
    current, peak = struct.unpack("<QQ", _ask(box, caller, handle, MEMORY_USAGE, 0x10))
    assert (current, peak) == ((used + 6) * PAGE, (used + 6) * PAGE)
    box.call(caller, "NtTerminateJobObject", handle, 0)
    box.run(6)
    assert int(job.view.CurrentJobMemoryUsed) == 0
    assert _set(box, caller, handle, CLEAR_PEAK, b"") == STATUS.SUCCESS
    assert int(job.view.PeakJobMemoryUsed) == 0


def test_memory_of_each_process(box: Box) -> None:
    """A process that asks for more than each may have gets COMMITMENT_LIMIT; message 9 names it."""
    caller = box.thread()
    handle, job = _job(box, caller)
    posted = _listen(box, caller, handle)
    member = _member(box, job)
    room = int(member.process.eprocess.CommitCharge) + 2
    assert _limit(box, caller, handle, PROCESS_MEMORY, process=room * PAGE) == STATUS.SUCCESS
    with pytest.raises(NtError) as refused:
        mm.allocate(member.process, 3 * PAGE)
    assert refused.value.status == STATUS.COMMITMENT_LIMIT
    assert posted[-1] == (9, member.process.id)


def test_memory_goes_with_the_process_into_a_nested_job(box: Box) -> None:
    """A process that goes further inside is counted in the inner job from then on, and once in the outer."""
    caller = box.thread()
    (_, outer), (_, inner) = _job(box, caller), _job(box, caller)
    member = _member(box, outer)
    used = int(outer.view.CurrentJobMemoryUsed)
    job_object.join(member.process, inner)
    assert (int(outer.view.CurrentJobMemoryUsed), int(inner.view.CurrentJobMemoryUsed)) == (used, used)


def test_messages_can_be_filtered_and_are_counted(box: Box) -> None:
    """A set bit of the filter keeps that message back; the counter says how many were posted."""
    caller = box.thread()
    handle, job = _job(box, caller)
    posted = _listen(box, caller, handle)
    assert _set(box, caller, handle, FILTER, struct.pack("<I", 1 << 6)) == STATUS.SUCCESS
    assert _set(box, caller, handle, FILTER, struct.pack("<I", 1 << 20)) == STATUS.INVALID_PARAMETER
    assert _ask(box, caller, handle, FILTER, 4) == struct.pack("<I", 1 << 6)
    member = _member(box, job)
    box.call(caller, "NtTerminateJobObject", handle, 0)
    box.run(4)
    assert posted == [(7, member.process.id), (4, 0)]
    assert _ask(box, caller, handle, COUNTER, 8) == struct.pack("<Q", 2)


def test_user_interface_limits_are_kept_and_do_not_nest(box: Box) -> None:
    """Limits on the user interface are told as set; unknown ones are refused, and such jobs are in no other."""
    caller = box.thread()
    handle, limited = _job(box, caller)
    assert _set(box, caller, handle, UI, struct.pack("<I", 0x200)) == STATUS.INVALID_PARAMETER
    assert _set(box, caller, handle, UI, struct.pack("<I", 0x42)) == STATUS.SUCCESS
    assert _ask(box, caller, handle, UI, 4) == struct.pack("<I", 0x42)
    _, outer = _job(box, caller)
    member = _member(box, outer)
    for process, job in ((member.process, limited), (_member(box, limited).process, _job(box, caller)[1])):
        with pytest.raises(NtError) as refused:
            job_object.join(process, job)
        assert refused.value.status == STATUS.ACCESS_DENIED


def test_numbers_of_a_job(box: Box) -> None:
    """Outside containers the container's ids are zeroes, and the job's number is its own; there is one group."""
    caller = box.thread()
    handle, job = _job(box, caller)
    assert _ask(box, caller, handle, CONTAINER, 0x24) == bytes(0x20) + struct.pack("<I", int(job.view.JobId))
    assert _ask(box, caller, handle, GROUPS, 0x10) == struct.pack("<QH6x", 1, 0)

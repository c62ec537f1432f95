"""Job objects (jobs-silos-sessions.md sections 1 and 2)."""

from __future__ import annotations

import importlib
import struct

from ntos import ob
from ntos.abi.layout.peb import PEB
from ntos.abi.status import STATUS
from ntos.ke.thread import Thread
from ntos.ps import job_object
from ntos.ps.job_object import Job
from tests.ps.conftest import SELF, Box

ALL = 0x1F003F
BASIC_LIMIT, ID_LIST, PORT, EXTENDED = 2, 3, 7, 9
ACTIVE_PROCESS, BREAKAWAY_OK, SILENT_BREAKAWAY, KILL_ON_CLOSE = 0x8, 0x800, 0x1000, 0x2000
PROCESS_MEMORY, PRIORITY_CLASS = 0x100, 0x20


def _job(box: Box, thread: Thread) -> tuple[int, Job]:
    handle = box.handle(thread, "NtCreateJobObject", ALL, 0)
    job = ob.by_handle(thread, handle, 0)
    assert isinstance(job, Job)
    return handle, job


def _limit(box: Box, thread: Thread, handle: int, flags: int, **values: int) -> int:
    data = bytearray(0x90)
    struct.pack_into("<I", data, 0x10, flags)
    struct.pack_into("<I", data, 0x28, values.get("active", 0))
    struct.pack_into("<I", data, 0x38, values.get("priority", 0))
    struct.pack_into("<Q", data, 0x70, values.get("memory", 0))
    place = box.put(thread, bytes(data))
    return box.call(thread, "NtSetInformationJobObject", handle, EXTENDED, place, 0x90)


def test_a_process_in_a_job(box: Box) -> None:
    """Assignment is counted, marked in PEB and EPROCESS, and NtIsProcessInJob tells of it."""
    caller, target = box.thread(), box.thread()
    handle, job = _job(box, caller)
    process = box.open_process(caller, target.process)
    assert box.call(caller, "NtIsProcessInJob", process, handle) == STATUS.PROCESS_NOT_IN_JOB
    assert box.call(caller, "NtAssignProcessToJobObject", handle, process) == STATUS.SUCCESS
    assert box.call(caller, "NtIsProcessInJob", process, handle) == STATUS.PROCESS_IN_JOB
    assert box.call(caller, "NtIsProcessInJob", process, 0) == STATUS.PROCESS_IN_JOB
    assert box.call(caller, "NtIsProcessInJob", SELF, 0) == STATUS.PROCESS_NOT_IN_JOB
    assert (int(job.view.ActiveProcesses), int(job.view.TotalProcesses)) == (1, 1)
    assert int(target.process.eprocess.Job) == job.address
    assert PEB(target.memory, int(target.process.eprocess.Peb)).ProcessInJob == 1
    assert box.call(caller, "NtAssignProcessToJobObject", handle, process) == STATUS.SUCCESS  # it is there already
    assert (int(job.view.ActiveProcesses), int(job.view.TotalProcesses)) == (1, 1)


def test_terminating_a_job_ends_all_in_it(box: Box) -> None:
    """NtTerminateJobObject ends every process with its status; none is active then, and the job is signalled."""
    caller, first, second = box.thread(), box.thread(), box.thread()
    handle, job = _job(box, caller)
    for target in (first, second):
        job_object.join(target.process, job)
    assert int(job.header.SignalState) == 0
    assert box.call(caller, "NtTerminateJobObject", handle, 77) == STATUS.SUCCESS
    box.run(5)
    assert int(job.header.SignalState) == 1
    assert [int(t.process.eprocess.ExitStatus) for t in (first, second)] == [77, 77]
    assert int(job.view.ActiveProcesses) == 0
    assert job.processes() == []


def test_kill_on_job_close(box: Box) -> None:
    """The last handle to a job with KILL_ON_JOB_CLOSE takes its processes along."""
    caller, target = box.thread(), box.thread()
    handle, job = _job(box, caller)
    job_object.join(target.process, job)
    assert _limit(box, caller, handle, KILL_ON_CLOSE) == STATUS.SUCCESS
    ob.close(caller, handle)
    box.run(4)
    assert target.process.header.SignalState == 1
    assert caller.process.header.SignalState == 0


def test_too_many_processes(box: Box) -> None:
    """Beyond ACTIVE_PROCESS an assignment fails with QUOTA_EXCEEDED and the process ends with 1816."""
    caller, first, second = box.thread(), box.thread(), box.thread()
    handle, job = _job(box, caller)
    _limit(box, caller, handle, ACTIVE_PROCESS, active=1)
    job_object.join(first.process, job)
    process = box.open_process(caller, second.process)
    assert box.call(caller, "NtAssignProcessToJobObject", handle, process) == STATUS.QUOTA_EXCEEDED
    box.run(5)
    assert int(second.process.eprocess.ExitStatus) == 1816
    assert int(job.view.TotalTerminatedProcesses) == 1


def test_children_inherit_the_job(box: Box) -> None:
    """A child is in its parent's job unless the job lets it go, silently or when asked."""
    caller, parent = box.thread(), box.thread()
    handle, job = _job(box, caller)
    job_object.join(parent.process, job)
    child = box.process()
    job_object.inherit(child, parent.process, breakaway=False)
    assert job_object.job_of(child) is job
    _limit(box, caller, handle, BREAKAWAY_OK)
    child = box.process()
    job_object.inherit(child, parent.process, breakaway=True)
    assert job_object.job_of(child) is None
    _limit(box, caller, handle, SILENT_BREAKAWAY)
    job_object.inherit(child, parent.process, breakaway=False)
    assert job_object.job_of(child) is None


def test_a_nested_job_counts_upward(box: Box) -> None:
    """An empty job given a process that is in another becomes a child of it, and both count the process."""
    caller, target = box.thread(), box.thread()
    (outer_handle, outer), (inner_handle, inner) = _job(box, caller), _job(box, caller)
    process = box.open_process(caller, target.process)
    assert box.call(caller, "NtAssignProcessToJobObject", outer_handle, process) == STATUS.SUCCESS
    assert box.call(caller, "NtAssignProcessToJobObject", inner_handle, process) == STATUS.SUCCESS
    assert inner.parent is outer
    assert (int(outer.view.ActiveProcesses), int(inner.view.ActiveProcesses)) == (1, 1)
    assert outer.processes() == [target.process]
    assert box.call(caller, "NtIsProcessInJob", process, outer_handle) == STATUS.PROCESS_IN_JOB


def test_the_id_list_says_how_many_there_are(box: Box) -> None:
    """With too little room the list holds what fits and the status is BUFFER_OVERFLOW."""
    caller, first, second = box.thread(), box.thread(), box.thread()
    handle, job = _job(box, caller)
    for target in (first, second):
        job_object.join(target.process, job)
    place = box.room(caller, 0x18)
    arguments = (handle, ID_LIST, place)
    assert box.call(caller, "NtQueryInformationJobObject", *arguments, 8, 0) == STATUS.INFO_LENGTH_MISMATCH
    assert box.call(caller, "NtQueryInformationJobObject", *arguments, 0x10, 0) == STATUS.BUFFER_OVERFLOW
    assert struct.unpack("<IIQ", caller.memory.read(place, 0x10)) == (2, 1, first.process.id)
    assert box.call(caller, "NtQueryInformationJobObject", *arguments, 0x18, 0) == STATUS.SUCCESS
    assert box.call(caller, "NtQueryInformationJobObject", 0, ID_LIST, place, 0x18, 0) == STATUS.ACCESS_DENIED


def test_limits_that_hold_and_limits_that_do_not(box: Box) -> None:
    """Memory and priority limits act on the processes; flags of other kinds of limits are refused."""
    caller, target = box.thread(), box.thread()
    handle, job = _job(box, caller)
    job_object.join(target.process, job)
    flags = PROCESS_MEMORY | PRIORITY_CLASS
    assert _limit(box, caller, handle, flags, memory=0x100000, priority=1) == STATUS.SUCCESS
    assert int(target.process.eprocess.CommitChargeLimit) == 0x100
    assert int(target.process.pcb.BasePriority) == 4
    assert _limit(box, caller, handle, 0x8000) == STATUS.INVALID_PARAMETER
    place = box.room(caller, 0x90)
    assert box.call(caller, "NtQueryInformationJobObject", handle, EXTENDED, place, 0x90, 0) == STATUS.SUCCESS
    assert box.word(caller, place + 0x10, 4) == flags
    assert box.word(caller, place + 0x70) == 0x100000


def test_messages_reach_the_completion_port(box: Box) -> None:
    """A port learns of processes that are in the job, that come, that go, and of the last one."""
    completion = importlib.import_module("ntos.ex.completion")
    caller, first, second = box.thread(), box.thread(), box.thread()
    handle, job = _job(box, caller)
    port_handle = box.handle(caller, "NtCreateIoCompletion", 0x1F0003, 0, 1)
    port = ob.by_handle(caller, port_handle, 0, completion.IO_COMPLETION)
    posted: list[tuple[int, int, int]] = []
    port.post = lambda key, context, _status, information: posted.append((key, context, information))
    job_object.join(first.process, job)
    place = box.put(caller, struct.pack("<QQ", 0x99, port_handle))
    assert box.call(caller, "NtSetInformationJobObject", handle, PORT, place, 0x10) == STATUS.SUCCESS
    job_object.join(second.process, job)
    box.call(caller, "NtTerminateJobObject", handle, 0xC0000005)
    box.run(6)
    one, two = first.process.id, second.process.id
    assert posted == [(0x99, one, 6), (0x99, two, 6), (0x99, one, 8), (0x99, two, 8), (0x99, 0, 4)]


def test_jobs_have_names(box: Box) -> None:
    """A named job can be opened by its name."""
    caller = box.thread()
    text = "\\BaseNamedObjects\\work".encode("utf-16-le")
    name = box.put(caller, struct.pack("<HHxxxxQ", len(text), len(text), box.put(caller, text)))
    attributes = box.put(caller, struct.pack("<IxxxxQQIxxxxQQ", 0x30, 0, name, 0x40, 0, 0))
    first = box.handle(caller, "NtCreateJobObject", ALL, attributes)
    second = box.handle(caller, "NtOpenJobObject", 4, attributes)
    assert ob.by_handle(caller, first, 0) is ob.by_handle(caller, second, 0)

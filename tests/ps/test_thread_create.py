"""Creating, opening and walking threads and processes; locating addresses."""

from __future__ import annotations

import struct

from ntos import ob
from ntos.abi.layout.peb import PEB
from ntos.abi.status import STATUS
from ntos.ke.context import capture
from ntos.ps.locate import locate
from tests.ps.conftest import ENTRY_POINTS, SELF, SELF_THREAD, Box

START = ENTRY_POINTS + 0x400


def test_create_thread_ex(box: Box) -> None:
    """NtCreateThreadEx makes a thread with stack and TEB and tells its client id and TEB."""
    thread = box.thread()
    client, teb = box.room(thread, 16), box.room(thread, 8)
    entries = struct.pack("<4Q", 0x10003, 16, client, 0) + struct.pack("<4Q", 0x10004, 8, teb, 0)
    attributes = box.put(thread, struct.pack("<Q", 8 + len(entries)) + entries)
    handle = box.handle(thread, "NtCreateThreadEx", 0x1FFFFF, 0, SELF, 0x1234, 0x5678, 1, 0, 0, 0x20000, attributes)
    made = ob.by_handle(thread, handle, 0)
    assert struct.unpack("<QQ", thread.memory.read(client, 16)) == (thread.process.id, made.id)
    assert box.word(thread, teb) == int(made.tcb.Teb)
    assert (made.context.rip, made.context.rcx, made.context.rdx) == (START, 0x1234, 0x5678)
    assert int(made.teb.NtTib.StackBase) - int(made.teb.DeallocationStack) == 0x20000
    assert made.suspend_count == 1
    assert int(thread.process.eprocess.ActiveThreads) == 2


def test_flags_and_foreign_attributes_are_refused(box: Box) -> None:
    """Unknown creation flags and attributes of processes are INVALID_PARAMETER."""
    thread = box.thread()
    place = box.room(thread, 8)
    rest = (0x1FFFFF, 0, SELF, 0x1234, 0)
    assert box.call(thread, "NtCreateThreadEx", place, *rest, 0x100, 0, 0, 0, 0) == STATUS.INVALID_PARAMETER
    attributes = box.put(thread, struct.pack("<5Q", 0x28, 0x20008, 1, 0, 0))
    assert box.call(thread, "NtCreateThreadEx", place, *rest, 0, 0, 0, 0, attributes) == STATUS.INVALID_PARAMETER


def test_a_remote_thread_needs_the_right(box: Box) -> None:
    """A thread in another process needs PROCESS_CREATE_THREAD on the handle."""
    caller, target = box.thread(), box.thread()
    place = box.room(caller, 8)
    rest = (0x1000, 0, 1, 0, 0, 0, 0)
    weak = box.open_process(caller, target.process, 0x1000)
    assert box.call(caller, "NtCreateThreadEx", place, 0x1FFFFF, 0, weak, *rest) == STATUS.ACCESS_DENIED
    strong = box.open_process(caller, target.process, 0x2)
    assert box.call(caller, "NtCreateThreadEx", place, 0x1FFFFF, 0, strong, *rest) == STATUS.SUCCESS
    assert len(target.process.threads) == 2


def test_an_ended_process_takes_no_threads(box: Box) -> None:
    """A process that has exited gives PROCESS_IS_TERMINATING."""
    caller, target = box.thread(), box.thread()
    handle = box.open_process(caller, target.process)
    box.call(caller, "NtTerminateProcess", handle, 0)
    box.run(3)
    place = box.room(caller, 8)
    status = box.call(caller, "NtCreateThreadEx", place, 0x1FFFFF, 0, handle, 0x1000, 0, 0, 0, 0, 0, 0)
    assert status == STATUS.PROCESS_IS_TERMINATING


def test_legacy_creation_takes_the_callers_stack(box: Box) -> None:
    """NtCreateThread runs the given context on the given stack."""
    thread = box.thread()
    context = capture(thread.context)
    struct.pack_into("<Q", context, 0xF8, 0xABCD)
    record = box.put(thread, bytes(context))
    stack = box.put(thread, struct.pack("<5Q", 0, 0, 0x9000, 0x8000, 0x7000))
    client = box.room(thread, 16)
    handle = box.handle(thread, "NtCreateThread", 0x1FFFFF, 0, SELF, client, record, stack, 1)
    made = ob.by_handle(thread, handle, 0)
    assert made.context.rip == 0xABCD
    assert int(made.teb.NtTib.StackBase) == 0x9000
    assert box.word(thread, client + 8) == made.id


def test_the_last_handle_lets_an_ended_thread_go(box: Box) -> None:
    """After exit and the last close the thread object is deleted and its id free."""
    process = box.process()
    caller = box.thread(process)
    handle = box.handle(caller, "NtCreateThreadEx", 0x1FFFFF, 0, SELF, 0x1234, 0, 0, 0, 0, 0, 0)
    made = ob.by_handle(caller, handle, 0)
    box.script(made, box.syscall("NtTerminateThread", SELF_THREAD, 0))
    box.run(6)
    assert int(made.tcb.State) == 4
    assert made.address in box.kernel.threads
    ob.close(caller, handle)
    assert made.address not in box.kernel.threads
    assert box.manager.thread_by_id(made.id) is None


def test_open_needs_a_true_client_id(box: Box) -> None:
    """An id nobody has, or a thread id as process id, is INVALID_CID; none is INVALID_PARAMETER_MIX."""
    thread = box.thread()
    place, attributes = box.room(thread, 8), box.put(thread, (0x30).to_bytes(8, "little") + bytes(0x28))
    for number in (0, 0x7770, thread.id):
        client = box.put(thread, number.to_bytes(8, "little") + bytes(8))
        assert box.call(thread, "NtOpenProcess", place, 0x400, attributes, client) == STATUS.INVALID_CID
    assert box.call(thread, "NtOpenProcess", place, 0x400, attributes, 0) == STATUS.INVALID_PARAMETER_MIX
    low_bits = box.put(thread, (thread.process.id | 3).to_bytes(8, "little") + bytes(8))
    assert box.call(thread, "NtOpenProcess", place, 0x400, attributes, low_bits) == STATUS.SUCCESS


def test_walking_processes_and_threads(box: Box) -> None:
    """NtGetNextProcess and NtGetNextThread go through all of them and end with NO_MORE_ENTRIES."""
    process = box.process()
    thread, second = box.thread(process), box.thread(process)
    place = box.room(thread, 8)
    found, handle = [], 0
    while box.call(thread, "NtGetNextThread", SELF, handle, 0x40, 0, 0, place) == STATUS.SUCCESS:
        handle = box.word(thread, place)
        found.append(ob.by_handle(thread, handle, 0))
    assert found == [thread, second]
    handle, count = 0, 0
    while box.call(thread, "NtGetNextProcess", handle, 0x1000, 0, 0, place) == STATUS.SUCCESS:
        handle = box.word(thread, place)
        count += 1
    assert count >= 1
    assert box.word(thread, place) == 0


def test_locating_an_address(box: Box) -> None:
    """An address is named after the module it lies in, by the loader list; garbage ends the walk."""
    thread = box.thread()
    assert locate(thread, 0x5010) == "0x5010"
    head = box.room(thread, 0x58)
    entry = box.room(thread, 0x120)
    name = box.put(thread, "kernel32.dll".encode("utf-16-le"))
    thread.memory.write(head + 0x10, struct.pack("<QQ", entry, entry))
    thread.memory.write(entry, struct.pack("<QQ", 0x6, head + 0x10))
    thread.memory.write(entry + 0x30, struct.pack("<QQI", 0x5000, 0, 0x1000))
    thread.memory.write(entry + 0x58, struct.pack("<HHxxxxQ", 24, 24, name))
    PEB(thread.memory, int(thread.process.eprocess.Peb)).Ldr = head
    assert locate(thread, 0x5010) == "kernel32.dll+0x10"
    assert locate(thread, 0x6000) == "0x6000"

"""NtQueryInformation… and NtSetInformation… for processes and threads."""

from __future__ import annotations

import struct

import pytest

from ntos.abi.layout.peb import PEB
from ntos.abi.layout.teb import TEB
from ntos.abi.status import STATUS
from ntos.etw.event import HardError
from ntos.ke.thread import Thread
from tests.ps.conftest import SELF, SELF_THREAD, Box

BASIC, DEBUG_PORT, PRIORITY_CLASS, SESSION, IMAGE_NAME, TLS = 0, 7, 18, 24, 27, 35
DEBUG_OBJECT, COOKIE, HANDLES, COMMAND_LINE, INSTRUMENTATION = 30, 36, 51, 60, 40


def _query(box: Box, thread: Thread, number: int, size: int, handle: int = SELF) -> tuple[int, bytes, int]:
    """(status, buffer, ReturnLength)."""
    buffer, back = box.room(thread, size or 16), box.room(thread, 8)
    status = box.call(thread, "NtQueryInformationProcess", handle, number, buffer, size, back)
    return status, thread.memory.read(buffer, size), box.word(thread, back, 4)


def _query_thread(
    box: Box, thread: Thread, number: int, size: int, handle: int = SELF_THREAD
) -> tuple[int, bytes, int]:
    buffer, back = box.room(thread, size or 16), box.room(thread, 8)
    status = box.call(thread, "NtQueryInformationThread", handle, number, buffer, size, back)
    return status, thread.memory.read(buffer, size), box.word(thread, back, 4)


def _set(box: Box, thread: Thread, number: int, data: bytes, handle: int = SELF) -> int:
    return box.call(thread, "NtSetInformationProcess", handle, number, box.put(thread, data), len(data))


def _set_thread(box: Box, thread: Thread, number: int, data: bytes, handle: int = SELF_THREAD) -> int:
    address = box.put(thread, data) if data else 0
    return box.call(thread, "NtSetInformationThread", handle, number, address, len(data))


def test_basic_information(box: Box) -> None:
    """ProcessBasicInformation tells status, PEB, priority and ids, with the length it wrote."""
    thread = box.thread()
    status, data, back = _query(box, thread, BASIC, 0x30)
    assert (status, back) == (STATUS.SUCCESS, 0x30)
    exit_status, peb, mask, base, own, parent = struct.unpack("<IxxxxQQixxxxQQ", data)
    assert (exit_status, mask, base) == (0x103, 1, 8)
    assert (own, parent) == (thread.process.id, box.manager.system.id)
    assert peb == int(thread.process.eprocess.Peb)


@pytest.mark.parametrize("size", [0, 0x2F, 0x31, 0x100])
def test_fixed_classes_want_their_length(box: Box, size: int) -> None:
    """A class of fixed length takes that length and no other."""
    thread = box.thread()
    assert _query(box, thread, BASIC, size)[0] == STATUS.INFO_LENGTH_MISMATCH


def test_unknown_classes_are_refused(box: Box) -> None:
    """A class that does not exist is INVALID_INFO_CLASS before the handle is looked at."""
    thread = box.thread()
    assert _query(box, thread, 900, 4, 0x7770)[0] == STATUS.INVALID_INFO_CLASS
    assert _query_thread(box, thread, 900, 4, 0x7770)[0] == STATUS.INVALID_INFO_CLASS
    assert _set(box, thread, 900, bytes(4)) == STATUS.INVALID_INFO_CLASS


def test_image_name_says_how_much_room_it_needs(box: Box) -> None:
    """ProcessImageFileName with too little room writes ReturnLength and gives INFO_LENGTH_MISMATCH."""
    thread = box.thread()
    status, _, need = _query(box, thread, IMAGE_NAME, 0x10)
    assert status == STATUS.INFO_LENGTH_MISMATCH
    status, data, back = _query(box, thread, IMAGE_NAME, need)
    assert (status, back) == (STATUS.SUCCESS, need)
    text = data[16:].decode("utf-16-le").rstrip("\0")
    assert text == "\\Device\\HarddiskVolume1\\test.exe"
    assert struct.unpack_from("<HH", data) == (2 * len(text), 2 * len(text) + 2)


def test_nobody_debugs(box: Box) -> None:
    """Without a debugger the debug port is 0, the debug object PORT_NOT_SET."""
    thread = box.thread()
    assert _query(box, thread, DEBUG_PORT, 8)[1] == bytes(8)
    assert _query(box, thread, DEBUG_OBJECT, 8)[0] == STATUS.PORT_NOT_SET


def test_query_limited_is_enough_for_most(box: Box) -> None:
    """A handle with PROCESS_QUERY_LIMITED_INFORMATION answers basic questions and not the debug port."""
    caller, target = box.thread(), box.thread()
    handle = box.open_process(caller, target.process, 0x1000)
    assert _query(box, caller, BASIC, 0x30, handle)[0] == STATUS.SUCCESS
    assert _query(box, caller, DEBUG_PORT, 8, handle)[0] == STATUS.ACCESS_DENIED
    assert _query(box, caller, BASIC, 0x30, box.open_process(caller, target.process, 0x400))[0] == STATUS.SUCCESS


def test_the_cookie_stays(box: Box) -> None:
    """The process cookie is made on first asking, is not zero, and is for the process itself only."""
    thread, other = box.thread(), box.thread()
    first = _query(box, thread, COOKIE, 4)[1]
    assert first != bytes(4)
    assert _query(box, thread, COOKIE, 4)[1] == first
    handle = box.open_process(thread, other.process)
    assert _query(box, thread, COOKIE, 4, handle)[0] == STATUS.INVALID_PARAMETER


def test_handle_snapshot(box: Box) -> None:
    """ProcessHandleInformation lists each open handle with its access."""
    thread = box.thread()
    handle = box.open_process(thread, thread.process, 0x1000)
    status, data, back = _query(box, thread, HANDLES, 0x10 + 0x28)
    assert (status, back) == (STATUS.SUCCESS, 0x38)
    count, _, value, _, _, access = struct.unpack_from("<QQQQQI", data)
    assert (count, value, access) == (1, handle, 0x1000)


def test_command_line_is_read_from_the_process(box: Box) -> None:
    """ProcessCommandLineInformation says what stands in the process parameters now."""
    thread = box.thread()
    text = box.put(thread, "a b".encode("utf-16-le"))
    parameters = box.room(thread, 0x440)
    thread.memory.write(parameters + 8, (1).to_bytes(4, "little"))
    thread.memory.write(parameters + 0x70, struct.pack("<HHxxxxQ", 6, 6, text))
    PEB(thread.memory, int(thread.process.eprocess.Peb)).ProcessParameters = parameters
    status, data, _ = _query(box, thread, COMMAND_LINE, 0x40)
    assert status == STATUS.SUCCESS
    assert data[16:22].decode("utf-16-le") == "a b"


def test_priority_class_moves_the_threads(box: Box) -> None:
    """A new priority class moves the process's base and keeps each thread's distance from it."""
    thread = box.thread()
    assert _set_thread(box, thread, 3, (2).to_bytes(4, "little")) == STATUS.SUCCESS
    assert int(thread.tcb.BasePriority) == 10
    assert _set(box, thread, PRIORITY_CLASS, b"\0\3") == STATUS.SUCCESS
    assert (int(thread.process.pcb.BasePriority), int(thread.tcb.Priority)) == (13, 15)
    assert _query(box, thread, PRIORITY_CLASS, 2)[1] == b"\0\3"
    assert _set(box, thread, PRIORITY_CLASS, b"\0\7") == STATUS.INVALID_PARAMETER


def test_time_critical_saturates(box: Box) -> None:
    """An increment of sixteen gives the top of the range and reads back as sixteen."""
    thread = box.thread()
    assert _set_thread(box, thread, 3, (16).to_bytes(4, "little")) == STATUS.SUCCESS
    priority, increment = struct.unpack_from("<ii", _query_thread(box, thread, 0, 0x30)[1], 0x28)
    assert (priority, increment) == (15, 16)
    assert _set_thread(box, thread, 3, (3).to_bytes(4, "little")) == STATUS.INVALID_PARAMETER


def test_instrumentation_callbacks_are_refused(box: Box) -> None:
    """What is not there is refused, never swallowed."""
    thread = box.thread()
    assert _set(box, thread, INSTRUMENTATION, bytes(16)) == STATUS.NOT_SUPPORTED


def test_static_tls_is_exchanged_in_all_threads(box: Box) -> None:
    """ProcessTlsInformation puts each thread's new block into its vector and hands back the old one."""
    process = box.process()
    first, second, unborn = box.thread(process), box.thread(process), box.thread(process)
    for index, thread in enumerate((first, second)):
        vector = box.put(thread, struct.pack("<2Q", 0xA0 + index, 0))
        TEB(thread.memory, int(thread.tcb.Teb)).ThreadLocalStoragePointer = vector
    entries = b"".join(struct.pack("<IxxxxQQQ", 0, 0xB0 + index, 0, 0) for index in range(3))
    place = box.put(first, struct.pack("<4I", 0, 0, 3, 0) + entries)
    assert box.call(first, "NtSetInformationProcess", SELF, TLS, place, 0x70) == STATUS.SUCCESS
    rows = list(struct.iter_unpack("<IxxxxQQQ", first.memory.read(place + 0x10, 0x60)))
    assert rows[0] == (2, 0xB0, 0xA0, first.id)
    assert rows[1] == (2, 0xB1, 0xA1, second.id)
    assert rows[2] == (0, 0xB2, 0, 0)
    assert int(TEB(unborn.memory, int(unborn.tcb.Teb)).ThreadLocalStoragePointer) == 0


def test_a_tls_cell_is_cleared_in_all_threads(box: Box) -> None:
    """ThreadZeroTlsCell clears one TLS slot in every thread of the process."""
    process = box.process()
    first, second = box.thread(process), box.thread(process)
    second.memory.write(int(second.tcb.Teb) + 0x1480 + 8 * 5, b"occupied")
    assert _set_thread(box, first, 10, (5).to_bytes(4, "little")) == STATUS.SUCCESS
    assert box.word(second, int(second.tcb.Teb) + 0x1480 + 8 * 5) == 0
    assert _set_thread(box, first, 10, (1088).to_bytes(4, "little")) == STATUS.INVALID_PARAMETER


def test_thread_names(box: Box) -> None:
    """A thread's description can be set and read; too small a buffer says how much it needs."""
    thread = box.thread()
    text = box.put(thread, "worker".encode("utf-16-le"))
    assert _set_thread(box, thread, 38, struct.pack("<HHxxxxQ", 12, 12, text)) == STATUS.SUCCESS
    status, _, need = _query_thread(box, thread, 38, 0x10)
    assert status == STATUS.BUFFER_TOO_SMALL
    status, data, _ = _query_thread(box, thread, 38, need)
    assert data[16:28].decode("utf-16-le") == "worker"


def test_am_i_the_last_thread(box: Box) -> None:
    """ThreadAmILastThread counts the process's living threads."""
    process = box.process()
    first = box.thread(process)
    assert _query_thread(box, first, 12, 4)[1] == (1).to_bytes(4, "little")
    box.thread(process)
    assert _query_thread(box, first, 12, 4)[1] == bytes(4)


def test_a_part_of_a_teb(box: Box) -> None:
    """ThreadTebInformation copies a piece of the TEB to where the structure says."""
    thread = box.thread()
    place = box.room(thread, 8)
    asked = box.put(thread, struct.pack("<QII", place, 0x30, 8))
    status = box.call(thread, "NtQueryInformationThread", SELF_THREAD, 26, asked, 0x10, 0)
    assert status == STATUS.SUCCESS
    assert box.word(thread, place) == int(thread.tcb.Teb)


def test_hard_errors_become_events(box: Box) -> None:
    """NtRaiseHardError tells the text; OK is answered where nothing else can be."""
    thread = box.thread()
    thread.process.eprocess.DefaultHardErrorProcessing = 1
    text = "missing.dll".encode("utf-16-le")
    string = box.put(thread, struct.pack("<HHxxxxQ", len(text), len(text), box.put(thread, text)))
    parameters, response = box.put(thread, string.to_bytes(8, "little")), box.room(thread, 4)
    arguments = (0xC0000135, 1, 1, parameters)
    assert box.call(thread, "NtRaiseHardError", *arguments, 1, response) == STATUS.SUCCESS
    assert box.word(thread, response, 4) == 6
    told = [event for event in box.events if isinstance(event, HardError)]
    assert "missing.dll" in told[-1].text
    box.call(thread, "NtRaiseHardError", *arguments, 0, response)
    assert box.word(thread, response, 4) == 0
    assert box.call(thread, "NtRaiseHardError", *arguments, 9, response) == STATUS.INVALID_PARAMETER_4


def test_error_mode_silences_hard_errors(box: Box) -> None:
    """With SEM_FAILCRITICALERRORS (bit 0 clear) the error goes back to the caller untold."""
    thread = box.thread()
    assert _set(box, thread, 12, bytes(4)) == STATUS.SUCCESS
    response = box.put(thread, b"\xff" * 4)
    box.call(thread, "NtRaiseHardError", 0xC0000022, 0, 0, 0, 1, response)
    assert box.word(thread, response, 4) == 0
    assert not [event for event in box.events if isinstance(event, HardError)]

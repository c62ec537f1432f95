"""Time, unique numbers, and what NtQuerySystemInformation says."""

from __future__ import annotations

import struct

import pytest

from ntos import ob
from ntos.abi.layout.system_info import SYSTEM_PROCESS_INFORMATION, SYSTEM_THREAD_INFORMATION
from ntos.abi.status import STATUS
from ntos.init.kernel_image import map_kernel_image
from ntos.init.processor import make_processor
from tests.conftest import World


@pytest.fixture
def _processor(world: World) -> None:
    """Processor 0 and its control block."""
    map_kernel_image(world.kernel)
    world.kernel.install(make_processor(world.kernel))


def _ask(world: World, number: int, room: int = 0x8000) -> bytes:
    thread = world.thread()
    buffer, returned = world.room(thread, room), world.room(thread, 4)
    status = world.call(thread, "NtQuerySystemInformation", number, buffer, room, returned)
    assert status == 0, hex(status)
    return thread.memory.read(buffer, world.integer(thread, returned, 4))


def test_the_counter_runs_at_ten_megahertz(world: World) -> None:
    """NtQueryPerformanceCounter follows virtual time; NtQuerySystemTime adds the moment of boot."""
    a = world.thread()
    counter, frequency, now = (world.room(a, 8) for _ in range(3))
    world.call(a, "NtQueryPerformanceCounter", counter, frequency)
    world.call(a, "NtQuerySystemTime", now)
    assert world.integer(a, frequency) == 10_000_000
    assert world.integer(a, counter) == world.kernel.clock.now
    assert world.integer(a, now) == world.kernel.clock.system_time


def test_timer_resolution(world: World) -> None:
    """A request holds until it is given up; giving up what was not asked for is refused."""
    a = world.thread()
    coarsest, finest, current = (world.room(a, 4) for _ in range(3))
    assert world.call(a, "NtSetTimerResolution", 10_000, 0, current) == STATUS.TIMER_RESOLUTION_NOT_SET
    assert world.call(a, "NtSetTimerResolution", 10_000, 1, current) == 0
    assert world.call(a, "NtQueryTimerResolution", coarsest, finest, current) == 0
    assert [world.integer(a, place, 4) for place in (coarsest, finest, current)] == [156_250, 5_000, 10_000]
    assert world.call(a, "NtSetTimerResolution", 0, 0, current) == 0
    assert world.integer(a, current, 4) == 156_250


def test_unique_numbers_differ(world: World) -> None:
    """LUIDs count up, UUID ranges do not overlap, and one machine has one seed."""
    a = world.thread()
    first, second = world.room(a, 8), world.room(a, 8)
    world.call(a, "NtAllocateLocallyUniqueId", first)
    world.call(a, "NtAllocateLocallyUniqueId", second)
    assert world.integer(a, second) == world.integer(a, first) + 1
    time, span, sequence, seed = (world.room(a, 8) for _ in range(4))
    ranges = []
    for _ in range(2):
        assert world.call(a, "NtAllocateUuids", time, span, sequence, seed) == 0
        ranges.append((world.integer(a, time), world.integer(a, span, 4), a.memory.read(seed, 6)))
    assert ranges[1][0] >= ranges[0][0] + ranges[0][1]
    assert ranges[0][2] == ranges[1][2]
    assert ranges[0][2][0] & 1


@pytest.mark.usefixtures("_processor")
def test_basic_facts(world: World) -> None:
    """Page size, granularity, one processor (class 0); no kernel debugger (35); x64 (1)."""
    basic = _ask(world, 0)
    assert struct.unpack_from("<I", basic, 8)[0] == 0x1000
    assert struct.unpack_from("<I", basic, 24)[0] == 0x10000
    assert basic[56] == 1
    assert _ask(world, 35) == b"\0\1"
    assert _ask(world, 1)[0] == 9
    assert len(_ask(world, 2)) == 0x158


def test_a_short_buffer_learns_the_length(world: World) -> None:
    """INFO_LENGTH_MISMATCH, and ReturnLength says how much is needed; an unknown class is refused."""
    a = world.thread()
    buffer, returned = world.room(a, 16), world.room(a, 4)
    status = world.call(a, "NtQuerySystemInformation", 5, buffer, 16, returned)
    assert status == STATUS.INFO_LENGTH_MISMATCH
    assert world.integer(a, returned, 4) >= 0x100
    assert world.call(a, "NtQuerySystemInformation", 4711, buffer, 16, 0) == STATUS.INVALID_INFO_CLASS
    assert world.call(a, "NtQuerySystemInformation", 3, buffer, 16, returned) == 0
    assert world.integer(a, buffer + 8) == world.kernel.clock.system_time


def test_the_list_of_processes(world: World) -> None:
    """Idle first, then each process with its threads and name; the last entry's offset is 0."""
    process = world.process()
    thread = world.thread(process)

    async def nothing() -> None:
        """Gives the thread something to run: it counts as alive."""

    world.start(thread, nothing())
    data = _ask(world, 5)
    seen, at = [], 0
    while True:
        view = SYSTEM_PROCESS_INFORMATION.parse(data[at:])
        seen.append((view.UniqueProcessId, view.NumberOfThreads, view.ImageName.Length))
        if view.UniqueProcessId == process.id:
            first = SYSTEM_THREAD_INFORMATION.parse(data[at + SYSTEM_PROCESS_INFORMATION.size :])
            assert first.ClientId.UniqueThread == thread.id
        if not view.NextEntryOffset:
            break
        at += view.NextEntryOffset
    assert seen[:2] == [(0, 0, 0), (process.id, 1, 16)]


@pytest.mark.parametrize(("number", "head", "size", "value"), [(16, 8, 0x18, 6), (64, 16, 0x28, 16)])
def test_the_list_of_handles(world: World, number: int, head: int, size: int, value: int) -> None:
    """Each open handle of each process, with its object."""
    a = world.thread()
    event = world.handle_of(a, "NtCreateEvent", 0x1F0003, 0, 0, 0)
    data = _ask(world, number)
    assert len(data) == head + size
    assert struct.unpack_from("<H", data, head + value)[0] == event
    assert ob.by_handle(a, event, 0).address.to_bytes(8, "little") in data


def test_no_modules_before_the_kernel_image_is_there(world: World) -> None:
    """The small kernel of these tests has no image."""
    assert _ask(world, 11) == bytes(8)


@pytest.mark.usefixtures("_processor")
def test_processor_time_and_interrupts(world: World) -> None:
    """Class 8 has idle time inside kernel time; class 23 tells the clock's increment; there is no paging file."""
    world.kernel.scheduler.entered(1_562_500)
    idle, kernel, user = struct.unpack_from("<3q", _ask(world, 8))
    assert kernel >= idle >= 1_562_500 - 156_250
    assert user >= 0
    assert struct.unpack("<6I", _ask(world, 23))[3] == 156_250
    assert int.from_bytes(_ask(world, 83), "little") == idle * 320
    assert _ask(world, 18) == b""


def test_cpu_sets(world: World) -> None:
    """Class 175 takes a process handle, or none, and tells of one set, 0x100; its length comes back when asked."""
    a = world.thread()
    given, place, length = world.put(a, bytes(8)), world.room(a, 0x20), world.room(a, 4)
    ask = ("NtQuerySystemInformationEx", 175, given, 8)
    assert world.call(a, *ask, place, 0, length) == STATUS.BUFFER_TOO_SMALL
    assert world.integer(a, length, 4) == 0x20
    assert world.call(a, *ask, place, 0x20, 0) == 0
    assert struct.unpack("<3I", a.memory.read(place, 12)) == (0x20, 0, 0x100)
    a.memory.write(given, (0x998).to_bytes(8, "little"))
    assert world.call(a, *ask, place, 0x20, 0) == STATUS.INVALID_HANDLE
    assert world.call(a, ask[0], 0, given, 8, place, 0x20, 0) == STATUS.INVALID_INFO_CLASS

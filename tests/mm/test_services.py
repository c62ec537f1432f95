"""The memory services through their doors."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from ntos import mm, ob
from ntos.abi.mm import (
    MEM_COMMIT,
    MEM_DECOMMIT,
    MEM_FREE,
    MEM_PRIVATE,
    MEM_RELEASE,
    MEM_RESERVE,
    MEM_TOP_DOWN,
    MEM_WRITE_WATCH,
    PAGE_EXECUTE_READ,
    PAGE_EXECUTE_READWRITE,
    PAGE_EXECUTE_WRITECOPY,
    PAGE_NOACCESS,
    PAGE_READONLY,
    PAGE_READWRITE,
    PAGE_WRITECOPY,
    SEC_COMMIT,
    SEC_IMAGE,
)
from ntos.abi.status import STATUS
from ntos.etw.event import MemoryProtected, MemoryWritten
from ntos.ke.service import registry
from ntos.mm import copy_services, query_services, section_services, services
from ntos.ob.types import Body, ObjectType

SELF = 0xFFFF_FFFF_FFFF_FFFF
MODULES = (copy_services, query_services, section_services, services)


class Caller:
    """A thread that calls services with values, and reads what comes back."""

    def __init__(self, memory: Any) -> None:
        self.memory = memory
        self.world = memory.world
        self.thread = memory.thread()
        self.user = self.thread.memory
        self.next = mm.allocate(memory.process, 0x20000)

    def put(self, value: int | bytes) -> int:
        """The address of a value."""
        data = value.to_bytes(8, "little", signed=value < 0) if isinstance(value, int) else value
        address, self.next = self.next, self.next + (len(data) + 15 & ~15)
        self.user.write(address, data)
        return address

    def get(self, address: int, size: int = 8) -> int:
        """The integer at an address."""
        return int.from_bytes(self.user.read(address, size), "little")

    def call(self, name: str, *arguments: int) -> int:
        """The service's status."""
        assert name in registry
        return int(self.world.call(self.thread, name, *arguments))

    def allocate(
        self, size: int, kind: int = MEM_COMMIT | MEM_RESERVE, protect: int = PAGE_READWRITE, *,
        base: int = 0, process: int = SELF,
    ) -> tuple[int, int, int]:  # fmt: skip
        """(status, base, size) of NtAllocateVirtualMemory."""
        place, region = self.put(base), self.put(size)
        status = self.call("NtAllocateVirtualMemory", process, place, 0, region, kind, protect)
        return status, self.get(place), self.get(region)

    def free(self, base: int, size: int, kind: int) -> int:
        """NtFreeVirtualMemory."""
        return self.call("NtFreeVirtualMemory", SELF, self.put(base), self.put(size), kind)

    def basic(self, address: int) -> tuple[int, ...]:
        """MEMORY_BASIC_INFORMATION: base, allocation base, its protection, size, state, protection, type."""
        place = self.put(bytes(48))
        status = self.call("NtQueryVirtualMemory", SELF, address, 0, place, 48, 0)
        assert status == STATUS.SUCCESS
        return struct.unpack("<QQI4xQIII4x", self.user.read(place, 48))

    def section(
        self, backing: Any = None, size: int = 0, protect: int = PAGE_READWRITE, kind: int = SEC_COMMIT
    ) -> int:
        """A handle to a section."""
        made = mm.create_section(self.memory.kernel, backing, size, protect, kind)
        return int(ob.insert_handle(self.thread.process, made, 0xF001F))

    def map(self, handle: int, protect: int = PAGE_READWRITE, *, process: int = SELF) -> tuple[int, int, int]:
        """(status, base, size) of NtMapViewOfSection."""
        place, size = self.put(0), self.put(0)
        status = self.call("NtMapViewOfSection", handle, process, place, 0, 0, 0, size, 2, 0, protect)
        return status, self.get(place), self.get(size)


@pytest.fixture
def caller(memory: Any) -> Caller:
    """A thread in the process."""
    return Caller(memory)


def test_allocation_rounds_to_pages_and_granularity(caller: Caller) -> None:
    """NtAllocateVirtualMemory rounds the base down to 64 KB and the end up to a page when reserving."""
    status, base, size = caller.allocate(0x1001, base=0x1234_5678)
    assert (status, base, size) == (0, 0x1234_0000, 0x7000)
    assert caller.allocate(0x1000, MEM_RESERVE, base=0x1234_0000)[0] == STATUS.CONFLICTING_ADDRESSES
    status, base, size = caller.allocate(1, MEM_RESERVE | MEM_TOP_DOWN)
    assert (status, size) == (0, 0x1000)
    assert caller.allocate(0x1800, MEM_COMMIT, base=base + 0x234)[0] == STATUS.CONFLICTING_ADDRESSES
    assert caller.allocate(0x800, MEM_COMMIT, base=base + 0x234) == (0, base, 0x1000)


@pytest.mark.parametrize(
    ("size", "kind", "protect", "base", "status"),
    [
        (0, MEM_COMMIT, PAGE_READWRITE, 0, STATUS.INVALID_PARAMETER_4),
        (0x1000, 0, PAGE_READWRITE, 0, STATUS.INVALID_PARAMETER_5),
        (0x1000, 0x2, PAGE_READWRITE, 0, STATUS.INVALID_PARAMETER_5),
        (0x1000, MEM_COMMIT, 0x03, 0, STATUS.INVALID_PAGE_PROTECTION),
        (0x1000, MEM_COMMIT, PAGE_NOACCESS | 0x100, 0, STATUS.INVALID_PAGE_PROTECTION),
        (0x1000, MEM_COMMIT, PAGE_READWRITE, 0x7FFF_FFFF_0000, STATUS.INVALID_PARAMETER_2),
        (1 << 48, MEM_RESERVE, PAGE_READWRITE, 0, STATUS.INVALID_PARAMETER_4),
    ],
)
def test_bad_allocations_have_their_status(
    caller: Caller, size: int, kind: int, protect: int, base: int, status: int
) -> None:
    """Each argument of NtAllocateVirtualMemory has the status of its place."""
    assert caller.allocate(size, kind, protect, base=base)[0] == status


def test_an_allocation_can_have_bounds(caller: Caller) -> None:
    """NtAllocateVirtualMemoryEx keeps to the lowest and highest address and the alignment asked for."""
    bounds = caller.put(struct.pack("<QQQ", 0x5000_0000, 0x5FFF_FFFF, 0x100_0000))
    parameters = caller.put(struct.pack("<QQ", 1, bounds))
    place, size = caller.put(0), caller.put(0x1000)
    arguments = (SELF, place, size, MEM_RESERVE, PAGE_READWRITE, parameters, 1)
    for expected in (0x5000_0000, 0x5100_0000):
        caller.user.write(place, bytes(8))
        assert caller.call("NtAllocateVirtualMemoryEx", *arguments) == 0
        assert caller.get(place) == expected


def test_free_wants_one_kind(caller: Caller) -> None:
    """NtFreeVirtualMemory takes exactly one of MEM_DECOMMIT and MEM_RELEASE, and a range that is there."""
    _, base, size = caller.allocate(0x30000)
    assert caller.free(base, 0, MEM_DECOMMIT | MEM_RELEASE) == STATUS.INVALID_PARAMETER_4
    assert caller.free(base + 0x1000, 0x40000, MEM_RELEASE) == STATUS.UNABLE_TO_FREE_VM
    assert caller.free(base, 0x1000, MEM_DECOMMIT) == 0
    assert caller.basic(base)[3:6] == (0x1000, MEM_RESERVE, 0)
    assert caller.basic(base + 0x1000) == (
        base + 0x1000, base, PAGE_READWRITE, size - 0x1000, MEM_COMMIT, PAGE_READWRITE, MEM_PRIVATE,
    )  # fmt: skip
    assert caller.free(base, 0, MEM_RELEASE) == 0
    assert caller.basic(base)[4:6] == (MEM_FREE, PAGE_NOACCESS)
    assert caller.free(base, 0, MEM_RELEASE) == STATUS.MEMORY_NOT_ALLOCATED


def test_protect_tells_the_old_protection(caller: Caller) -> None:
    """NtProtectVirtualMemory rounds the range, gives the old value and tells watchers of new code."""
    told: list[MemoryProtected] = []
    caller.memory.kernel.log.subscribe(told.append, MemoryProtected)
    _, base, _ = caller.allocate(0x3000)
    place, size, old = caller.put(base + 0xFFF), caller.put(2), caller.put(0)
    assert caller.call("NtProtectVirtualMemory", SELF, place, size, PAGE_EXECUTE_READ, old) == 0
    assert (caller.get(place), caller.get(size), caller.get(old, 4)) == (base, 0x2000, PAGE_READWRITE)
    assert [(event.address, event.size, event.kind) for event in told] == [(base, 0x2000, "protect")]
    assert caller.basic(base)[3] == 0x2000


def test_another_processes_memory_is_read_and_written(caller: Caller) -> None:
    """NtReadVirtualMemory and NtWriteVirtualMemory copy as far as pages go, and say how far."""
    told: list[MemoryWritten] = []
    caller.memory.kernel.log.subscribe(told.append, MemoryWritten)
    other = caller.memory.new_process()
    handle = ob.insert_handle(caller.thread.process, other, 0x38)
    there = mm.allocate(other, 0x1000, address=0x7000_0000)
    here, done = mm.allocate(caller.thread.process, 0x3000), caller.put(0)
    caller.user.write(here, b"message")
    assert caller.call("NtWriteVirtualMemory", handle, there + 0xFFC, here, 7, done) == STATUS.PARTIAL_COPY
    assert caller.get(done) == 4
    assert other.memory.read(there + 0xFFC, 4) == b"mess"
    assert [(event.target, event.size) for event in told] == [(other.id, 4)]
    assert caller.call("NtReadVirtualMemory", handle, there + 0xFFC, here + 0x2000, 4, done) == 0
    assert caller.user.read(here + 0x2000, 4) == b"mess"
    assert caller.call("NtReadVirtualMemory", handle, there, 0xFFFF_8000_0000_0000, 4, done) == (
        STATUS.ACCESS_VIOLATION
    )


def test_a_handle_must_allow_what_is_asked(caller: Caller) -> None:
    """A process handle without PROCESS_VM_OPERATION cannot allocate; what was not copied counts 0; after exit
    nothing can.
    """
    other = caller.memory.new_process()
    reading = ob.insert_handle(caller.thread.process, other, 0x10)
    done = caller.put(99)
    assert caller.call("NtWriteVirtualMemory", reading, 0x10000, done, 8, done) == STATUS.ACCESS_DENIED
    assert caller.get(done) == 0
    full = ob.insert_handle(caller.thread.process, other, 0x38)
    assert caller.allocate(0x1000, process=reading)[0] == STATUS.ACCESS_DENIED
    assert caller.allocate(0x1000, process=full)[0] == 0
    mm.delete_address_space(other)
    assert caller.allocate(0x1000, process=full)[0] == STATUS.PROCESS_IS_TERMINATING


def test_regions_names_and_images_can_be_asked_for(caller: Caller) -> None:
    """NtQueryVirtualMemory: the whole range, the mapped file's name, the image, each page's attributes."""
    backing = mm.BytesBacking(bytes(0x2000), "\\Device\\HarddiskVolume1\\data.bin")
    _, base, _ = caller.map(caller.section(backing, protect=PAGE_READONLY), PAGE_READONLY)
    place = caller.put(bytes(0x100))
    assert caller.call("NtQueryVirtualMemory", SELF, base, 3, place, 0x30, 0) == 0
    assert struct.unpack("<QIIQQ", caller.user.read(place, 32)) == (base, PAGE_READONLY, 2, 0x2000, 0x2000)
    length = caller.put(0)
    assert caller.call("NtQueryVirtualMemory", SELF, base, 2, place, 16, length) == STATUS.BUFFER_OVERFLOW
    assert caller.call("NtQueryVirtualMemory", SELF, base, 2, place, caller.get(length), 0) == 0
    size, _, pointer = struct.unpack("<HH4xQ", caller.user.read(place, 16))
    assert caller.user.read(pointer, size).decode("utf-16-le") == backing.path
    assert caller.call("NtQueryVirtualMemory", SELF, base, 6, place, 24, 0) == STATUS.INVALID_ADDRESS
    assert caller.call("NtQueryVirtualMemory", SELF, base, 77, place, 24, 0) == STATUS.INVALID_INFO_CLASS
    assert caller.call("NtQueryVirtualMemory", SELF, base, 0, place, 24, 0) == STATUS.INFO_LENGTH_MISMATCH
    caller.user.read(base, 1)
    entries = caller.put(struct.pack("<QQQQ", base, 0, base + 0x1000, 0))
    assert caller.call("NtQueryVirtualMemory", SELF, 0, 4, entries, 32, 0) == 0
    first, second = caller.get(entries + 8), caller.get(entries + 24)
    assert (first & 1, first >> 1 & 7, first >> 4 & 0x7FF, first >> 15 & 1) == (1, 1, PAGE_READONLY, 1)
    assert (second & 1, second >> 15 & 1) == (0, 1)
    room = mm.allocate(caller.thread.process, 0x8000)
    assert caller.call("NtQueryVirtualMemory", SELF, 0, 1, room, 8, 0) == STATUS.INFO_LENGTH_MISMATCH
    assert caller.call("NtQueryVirtualMemory", SELF, 0, 1, room, 0x8000, 0) == 0
    pages = struct.unpack(f"<{caller.get(room)}Q", caller.user.read(room + 8, 8 * caller.get(room)))
    assert base >> 12 in {word >> 12 for word in pages}


def test_written_pages_of_a_watched_range_are_told(caller: Caller) -> None:
    """NtGetWriteWatch lists pages written since the last reset; NtResetWriteWatch begins anew."""
    _, base, _ = caller.allocate(0x4000, MEM_COMMIT | MEM_RESERVE | MEM_WRITE_WATCH)
    caller.user.read(base, 0x4000)
    caller.user.write(base + 0x1000, b"x")
    caller.user.write(base + 0x3000, b"x")
    pages, count, unit = caller.put(bytes(64)), caller.put(8), caller.put(0)
    arguments = (SELF, 1, base, 0x4000, pages, count, unit)
    assert caller.call("NtGetWriteWatch", *arguments) == 0
    assert (caller.get(count), caller.get(pages), caller.get(pages + 8)) == (2, base + 0x1000, base + 0x3000)
    caller.user.write(base, b"x")
    assert caller.call("NtResetWriteWatch", SELF, base, 0x4000) == 0
    caller.user.write(count, (8).to_bytes(8, "little"))
    assert caller.call("NtGetWriteWatch", *arguments) == 0
    assert caller.get(count) == 0


def test_pages_can_be_locked_once(caller: Caller) -> None:
    """NtLockVirtualMemory brings pages in; NtUnlockVirtualMemory without a lock is NOT_LOCKED."""
    _, base, _ = caller.allocate(0x2000)

    def ask(name: str) -> int:
        return caller.call(name, SELF, caller.put(base), caller.put(0x2000), 1)

    assert ask("NtUnlockVirtualMemory") == STATUS.NOT_LOCKED
    assert ask("NtLockVirtualMemory") == 0
    assert caller.thread.process.tables.entry(base) & 1
    assert ask("NtLockVirtualMemory") == STATUS.WAS_LOCKED
    assert ask("NtUnlockVirtualMemory") == 0


def test_flushing_writes_the_file(caller: Caller) -> None:
    """NtFlushVirtualMemory writes modified pages; private memory is NOT_MAPPED_VIEW."""
    backing = mm.BytesBacking(bytes(0x1000))
    _, base, _ = caller.map(caller.section(backing))
    caller.user.write(base, b"flushed")
    block = caller.put(bytes(16))
    assert caller.call("NtFlushVirtualMemory", SELF, caller.put(base), caller.put(0), block) == 0
    assert bytes(backing.data[:7]) == b"flushed"
    private = mm.allocate(caller.thread.process, 0x1000)
    assert caller.call("NtFlushVirtualMemory", SELF, caller.put(private), caller.put(0), block) == (
        STATUS.NOT_MAPPED_VIEW
    )
    assert caller.call("NtFlushInstructionCache", SELF, base, 0x1000) == 0
    assert caller.call("NtFlushInstructionCache", SELF, 0, 0) == 0


def test_prefetching_brings_pages_in(caller: Caller) -> None:
    """NtSetInformationVirtualMemory reads mapped pages ahead of their use."""
    _, base, _ = caller.map(
        caller.section(mm.BytesBacking(bytes(0x2000)), protect=PAGE_READONLY), PAGE_READONLY
    )
    entry = caller.put(struct.pack("<QQ", base, 0x2000))
    assert caller.call("NtSetInformationVirtualMemory", SELF, 0, 1, entry, caller.put(0), 4) == 0
    assert caller.thread.process.tables.entry(base + 0x1000) & 1
    assert caller.call("NtSetInformationVirtualMemory", SELF, 2, 1, entry, 0, 0) == STATUS.NOT_SUPPORTED


class OpenFile(Body):
    """A file object with bytes."""

    backing = mm.BytesBacking(b"content" * 1000)


FILE: ObjectType[OpenFile] = ObjectType("File", 0xD8, OpenFile, valid_access=0x1F01FF)


def test_sections_have_names_and_handles(caller: Caller) -> None:
    """NtCreateSection makes a named section, NtOpenSection finds it, and both views are one memory."""
    world, thread = caller.world, caller.thread
    name = "\\BaseNamedObjects\\shared"
    text = name.encode("utf-16-le")
    string = caller.put(struct.pack("<HH4xQ", len(text), len(text), caller.put(text)))
    attributes = caller.put(struct.pack("<I4xQQI4xQQ", 0x30, 0, string, 0x40, 0, 0))
    handle, size = caller.put(0), caller.put(0x3000)
    arguments = (handle, 0xF001F, attributes, size, PAGE_READWRITE, SEC_COMMIT, 0)
    assert world.call(thread, "NtCreateSection", *arguments) == 0
    assert world.call(thread, "NtCreateSection", *arguments) == STATUS.OBJECT_NAME_COLLISION
    opened = caller.put(0)
    assert caller.call("NtOpenSection", opened, 0x6, attributes) == 0
    _, first, _ = caller.map(caller.get(handle))
    _, second, mapped = caller.map(caller.get(opened))
    assert mapped == 0x3000
    caller.user.write(first, b"both")
    assert caller.user.read(second, 4) == b"both"
    assert caller.map(caller.get(opened), PAGE_EXECUTE_READWRITE)[0] == STATUS.ACCESS_DENIED
    assert caller.call("NtUnmapViewOfSection", SELF, first + 0x10) == 0
    assert caller.call("NtUnmapViewOfSectionEx", SELF, second, 0) == 0
    assert caller.call("NtUnmapViewOfSection", SELF, second) == STATUS.NOT_MAPPED_VIEW


def test_a_section_of_a_file_needs_a_handle_that_reads(caller: Caller) -> None:
    """NtCreateSection checks the file handle for what the protection will do, and the kind of object."""
    file = ob.create(caller.memory.kernel, FILE)
    reading = ob.insert_handle(caller.thread.process, file, 1)
    place = caller.put(0)

    def make(handle: int, protect: int, kind: int = SEC_COMMIT) -> int:
        return caller.call("NtCreateSection", place, 0xF001F, 0, 0, protect, kind, handle)

    assert make(reading, PAGE_READONLY) == 0
    _, base, _ = caller.map(caller.get(place), PAGE_READONLY)
    assert caller.user.read(base, 7) == b"content"
    assert make(reading, PAGE_READWRITE) == STATUS.ACCESS_DENIED
    assert make(reading, PAGE_READONLY, SEC_IMAGE) == STATUS.INVALID_IMAGE_NOT_MZ
    assert make(reading, PAGE_EXECUTE_READ, SEC_IMAGE) == STATUS.ACCESS_DENIED
    assert make(0, PAGE_READWRITE) == STATUS.INVALID_PARAMETER_4
    assert make(0, PAGE_READWRITE, SEC_IMAGE) == STATUS.INVALID_FILE_FOR_SECTION
    assert make(0, PAGE_READWRITE, 0) == STATUS.INVALID_PARAMETER_6
    assert make(caller.get(place), PAGE_READWRITE) == STATUS.OBJECT_TYPE_MISMATCH
    arguments = (place, 0xF001F, 0, caller.put(0x1000), PAGE_READWRITE, SEC_COMMIT, 0)
    assert caller.call("NtCreateSectionEx", *arguments, 0, 0) == 0
    bounds = caller.put(struct.pack("<QQQ", 0, 0x7FFF_FFFF, 0))
    parameters, where, size = caller.put(struct.pack("<QQ", 1, bounds)), caller.put(0), caller.put(0)
    assert caller.call(
        "NtMapViewOfSectionEx", caller.get(place), SELF, where, 0, size, 0, PAGE_READWRITE, parameters, 1
    ) == 0  # fmt: skip
    assert caller.get(where) < 0x8000_0000


def test_sections_tell_what_they_are(caller: Caller) -> None:
    """NtQuerySection: attributes and size; SECTION_NOT_IMAGE for questions about images."""
    handle, place = caller.section(None, 0x1234), caller.put(bytes(64))
    assert caller.call("NtQuerySection", handle, 0, place, 24, 0) == 0
    assert struct.unpack("<QI4xQ", caller.user.read(place, 24)) == (0, SEC_COMMIT, 0x2000)
    assert caller.call("NtQuerySection", handle, 1, place, 64, 0) == STATUS.SECTION_NOT_IMAGE
    assert caller.call("NtQuerySection", handle, 0, place, 8, 0) == STATUS.INFO_LENGTH_MISMATCH
    assert caller.call("NtQuerySection", handle, 99, place, 64, 0) == STATUS.INVALID_INFO_CLASS


def test_a_data_section_can_be_extended(caller: Caller) -> None:
    """NtExtendSection makes file and section longer; memory without a file is SECTION_NOT_EXTENDED."""
    backing = mm.BytesBacking(bytes(0x1000))
    handle, size = caller.section(backing), caller.put(0x5000)
    assert caller.call("NtExtendSection", handle, size) == 0
    assert len(backing.data) == 0x5000
    assert caller.map(handle)[2] == 0x5000
    assert caller.call("NtExtendSection", caller.section(None, 0x1000), size) == STATUS.SECTION_NOT_EXTENDED


def test_two_views_of_one_file_are_the_same(caller: Caller) -> None:
    """NtAreMappedFilesTheSame compares the files behind two addresses."""
    backing = mm.BytesBacking(bytes(0x1000))
    first, second = caller.map(caller.section(backing))[1], caller.map(caller.section(backing))[1]
    third = caller.map(caller.section(mm.BytesBacking(bytes(10))))[1]
    assert caller.call("NtAreMappedFilesTheSame", first, second) == 0
    assert caller.call("NtAreMappedFilesTheSame", first, third) == STATUS.NOT_SAME_DEVICE
    private = mm.allocate(caller.thread.process, 0x1000)
    assert caller.call("NtAreMappedFilesTheSame", first, private) == STATUS.CONFLICTING_ADDRESSES
    assert caller.call("NtAreMappedFilesTheSame", first, 0x5000_0000) == STATUS.INVALID_ADDRESS


def test_copy_on_write_is_not_for_private_memory(caller: Caller) -> None:
    """PAGE_WRITECOPY has no meaning for private memory."""
    for protect in (PAGE_WRITECOPY, PAGE_EXECUTE_WRITECOPY):
        assert caller.allocate(0x1000, protect=protect)[0] == STATUS.INVALID_PAGE_PROTECTION

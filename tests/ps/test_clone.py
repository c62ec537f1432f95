"""Clones: an address space that begins as a copy of another, shared until one side writes."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator

import pytest

from ntos import mm, ob
from ntos.abi.layout.peb import PEB
from ntos.abi.status import STATUS
from ntos.hal.scripted import ScriptedBackend
from ntos.ke.process import Process
from ntos.machine import Machine
from ntos.ps.exit import exit_thread
from tests.guest.conftest import SAMPLES
from tests.ps.test_create import Yard

SELF = 0xFFFF_FFFF_FFFF_FFFF
PAGE_READWRITE, PAGE_READONLY, PAGE_NOACCESS = 4, 2, 1
COMMIT, RESERVE, WRITE_WATCH = 0x1000, 0x2000, 0x20_0000
CLONED_THREAD = 1 << 6
TERMINATE_ONLY = 1


@pytest.fixture
def yard() -> Iterator[Yard]:
    """A process on a machine that runs nothing."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    with Machine(memory=64 << 20, drives={"D": SAMPLES / "bin"}, backend=ScriptedBackend(), stdout=nowhere) as machine:
        made = Yard(machine)
        yield made
        for thread in list(machine.kernel.threads.values()):
            if thread.coroutine is not None:
                thread.coroutine.close()
    os.close(nowhere)


def _clone(yard: Yard, parent: int = SELF, flags: int = 0) -> tuple[int, Process]:
    handle = yard._made("NtCreateProcessEx", 0x1FFFFF, 0, parent, flags, 0, 0, 0, 0)
    made = ob.by_handle(yard.thread, handle, 0)
    assert isinstance(made, Process)
    return handle, made


def _allocate(yard: Yard, size: int, kind: int = COMMIT | RESERVE, protection: int = PAGE_READWRITE) -> int:
    place = yard.data(struct.pack("<QQ", 0, size))
    assert yard.status("NtAllocateVirtualMemory", SELF, place, 0, place + 8, kind, protection) == 0
    return int.from_bytes(yard.memory.read(place, 8), "little")


def test_both_sides_keep_what_they_write(yard: Yard) -> None:
    """A page both have is copied for the first who writes; the other keeps the frame, and what it had."""
    address = _allocate(yard, 0x4000)
    yard.memory.write(address, b"before")
    _, child = _clone(yard)
    assert child.memory.read(address, 6) == b"before"
    assert child.tables.entry(address) & ~0xFFF == yard.process.tables.entry(address) & ~0xFFF
    yard.memory.write(address, b"parent")
    assert child.memory.read(address, 6) == b"before"
    child.memory.write(address, b"child!")
    assert (yard.memory.read(address, 6), child.memory.read(address, 6)) == (b"parent", b"child!")
    child.memory.write(address + 0x1000, b"new")
    assert yard.memory.read(address + 0x1000, 3) == bytes(3)


def test_a_clone_is_marked_and_has_its_parents_image(yard: Yard) -> None:
    """PEB.InheritedAddressSpace is 1; image, name, base and PEB are the parent's; it has no threads."""
    _, child = _clone(yard)
    mine, theirs = child.eprocess, yard.process.eprocess
    assert PEB(child.memory, int(mine.Peb)).InheritedAddressSpace == 1
    assert PEB(yard.memory, int(mine.Peb)).InheritedAddressSpace == 0
    for field in ("Peb", "SectionObject", "SectionBaseAddress", "VadCount", "VirtualSize", "CommitCharge"):
        assert int(getattr(mine, field)) == int(getattr(theirs, field)), field
    assert child.name == yard.process.name
    assert int(mine.ActiveThreads) == 0
    assert int(mine.InheritedFromUniqueProcessId) == yard.process.id


def test_protections_go_along(yard: Yard) -> None:
    """No-access, read-only and write-watched pages are in the clone what they were, then go their own way."""
    address = _allocate(yard, 0x3000)
    watched = _allocate(yard, 0x1000, COMMIT | RESERVE | WRITE_WATCH)
    yard.memory.write(watched, b"w")
    yard.memory.write(address, b"0" * 0x3000)
    mm.protect(yard.process, address, 0x1000, PAGE_READONLY)
    mm.protect(yard.process, address + 0x1000, 0x1000, PAGE_NOACCESS)
    _, child = _clone(yard)
    assert [mm.query(mm.space_of(child), address + page * 0x1000).protect for page in range(3)] == [
        PAGE_READONLY, PAGE_NOACCESS, PAGE_READWRITE,
    ]  # fmt: skip
    for process in (yard.process, child):
        for page in range(2):
            mm.protect(process, address + page * 0x1000, 0x1000, PAGE_READWRITE)
        process.memory.write(address, process.id.to_bytes(4, "little"))
        process.memory.write(address + 0x1000, process.id.to_bytes(4, "little"))
        process.memory.write(watched, process.id.to_bytes(4, "little"))
    for process in (yard.process, child):
        for place in (address, address + 0x1000, watched):
            assert int.from_bytes(process.memory.read(place, 4), "little") == process.id


def test_views_go_along_only_if_shared(yard: Yard) -> None:
    """ViewShare views are the clone's as well, the same frames; ViewUnmap views are not there."""
    section = yard.handles["SectionHandle"]
    bases = []
    for disposition in (1, 2):
        place = yard.data(struct.pack("<QQ", 0, 0))
        call = (section, SELF, place, 0, 0, 0, place + 8, disposition, 0, PAGE_READWRITE)
        status = yard.status("NtMapViewOfSection", *call)
        assert status == 0
        bases.append(int.from_bytes(yard.memory.read(place, 8), "little"))
    shared, left = bases
    yard.memory.write(shared, b"a")
    _, child = _clone(yard)
    child.memory.write(shared, b"b")
    assert yard.memory.read(shared, 1) == b"b"
    assert mm.space_of(child).find(left) is None


def test_clones_of_clones_leave_nothing(yard: Yard) -> None:
    """Frames, pool, objects and commit are what they were when clones, and a clone of a clone, are gone."""
    address = _allocate(yard, 0x10000)
    manager, process = mm.manager(yard.kernel), yard.process
    seen = []
    for _ in range(3):
        yard.memory.write(address, b"x" * 0x10000)
        before = yard.held(), manager.committed, manager.resident, len(yard.kernel.processes)
        first, child = _clone(yard)
        second, grandchild = _clone(yard, first)
        child.memory.write(address, b"y")
        grandchild.memory.write(address + 0x1000, b"z")
        assert process.memory.read(address, 1) == b"x"
        assert yard.status("NtClose", first) == 0
        process.memory.write(address + 0x2000, b"p")
        assert grandchild.memory.read(address + 0x2000, 1) == b"x"
        assert yard.status("NtClose", second) == 0
        seen.append((before, (yard.held(), manager.committed, manager.resident, len(yard.kernel.processes))))
    before, after = seen[-1]
    assert before == after
    process.memory.write(address, b"mine again")  # the last owner writes where it is: no frame more
    assert yard.held() == after[0]


def test_commit_is_charged_in_full(yard: Yard) -> None:
    """A clone is charged all its parent committed; where that is too much it is COMMITMENT_LIMIT, and nothing stays."""
    manager = mm.manager(yard.kernel)
    _clone(yard)
    place = yard.room(8)
    seen = set()
    for room in (1, 4, 12, 20):
        manager.commit_limit = manager.committed + room
        status = yard.status("NtCreateProcessEx", place, 0x1FFFFF, 0, SELF, 0, 0, 0, 0, 0)
        assert status == STATUS.COMMITMENT_LIMIT
        seen.add((yard.held(), manager.committed, manager.resident, len(yard.kernel.processes)))
    assert len(seen) == 1


def test_what_cannot_be_cloned(yard: Yard) -> None:
    """The System process has no user half; a handle without PROCESS_CREATE_PROCESS, or a dead parent, is refused."""
    place, system = yard.room(8), ob.insert_handle(yard.process, yard.kernel.processes[_system(yard)], 0x1FFFFF)
    assert yard.status("NtCreateProcessEx", place, 0x1FFFFF, 0, system, 0, 0, 0, 0, 0) == STATUS.INVALID_PARAMETER
    poor = ob.insert_handle(yard.process, yard.process, TERMINATE_ONLY)
    assert yard.status("NtCreateProcessEx", place, 0x1FFFFF, 0, poor, 0, 0, 0, 0, 0) == STATUS.ACCESS_DENIED
    handle, child = _clone(yard)
    assert yard.status("NtTerminateProcess", handle, 7) == 0
    assert yard.status("NtCreateProcessEx", place, 0x1FFFFF, 0, handle, 0, 0, 0, 0, 0) == STATUS.PROCESS_IS_TERMINATING
    assert int(child.eprocess.ExitStatus) == 7


def _system(yard: Yard) -> int:
    return next(address for address, process in yard.kernel.processes.items() if process.id == 4)


def test_the_calling_thread_returns_twice(yard: Yard) -> None:
    """NtCreateUserProcess without image and parameters: the twin has the caller's registers, PROCESS_CLONED in RAX."""
    thread = yard.thread
    thread.context.rbx, thread.context.rip, thread.door_stack = 0x1234, 0x5678, thread.context.rsp
    listing = yard.data(struct.pack("<Q", 8))
    assert yard.create(listing) == 0
    places = yard.memory.read(yard.places, 16)
    handle, first = struct.unpack("<QQ", places)
    child, twin = ob.by_handle(thread, handle, 0), ob.by_handle(thread, first, 0)
    assert child.threads == [twin]
    assert (twin.context.rbx, twin.context.rip, twin.context.rsp) == (0x1234, 0x5678, thread.context.rsp)
    assert twin.context.rax == STATUS.PROCESS_CLONED
    assert int(twin.teb.ClientId.UniqueThread) == twin.id
    assert int(twin.teb.SameTebFlags) & CLONED_THREAD
    assert not int(thread.teb.SameTebFlags) & CLONED_THREAD
    twin.coroutine.close()
    exit_thread(twin, 3)
    assert int(child.eprocess.ExitStatus) == 3


def test_a_thread_in_a_callback_is_not_cloned(yard: Yard) -> None:
    """Where the caller stands in a callback of a Python DLL the clone is refused, and nothing stays."""
    yard.thread.call_depth = 3
    listing = yard.data(struct.pack("<Q", 8))
    before = yard.held()
    assert yard.create(listing) == STATUS.NOT_SUPPORTED
    assert yard.held() == before

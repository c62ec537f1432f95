"""Private memory: ranges, commit, protection, frames on first touch."""

from __future__ import annotations

from typing import Any

import pytest

from ntos import mm
from ntos.abi.mm import (
    MEM_COMMIT,
    MEM_FREE,
    MEM_PRIVATE,
    MEM_RESERVE,
    PAGE_EXECUTE_READ,
    PAGE_GUARD,
    PAGE_NOACCESS,
    PAGE_READONLY,
    PAGE_READWRITE,
)
from ntos.abi.status import STATUS, GuestFault, NtError
from ntos.mm import virtual


def status_of(error: pytest.ExceptionInfo[Any]) -> int:
    return int(error.value.status)


def test_committed_memory_is_zero_and_keeps_what_is_written(memory: Any) -> None:
    """A committed page reads as zeroes until it is written."""
    base = mm.allocate(memory.process, 0x3000)
    user = memory.process.memory
    assert user.read(base, 0x3000) == bytes(0x3000)
    user.write(base + 0xFFE, b"over")
    assert user.read(base + 0xFFE, 4) == b"over"


def test_a_frame_comes_with_the_first_touch(memory: Any) -> None:
    """Committing takes no frame but for page tables; each page touched takes one."""
    base = mm.allocate(memory.process, 0x10000)
    memory.process.memory.read(base, 1)
    before = memory.physical.used
    memory.process.memory.write(base + 0x5000, b"x")
    assert memory.physical.used == before + 1


def test_reserved_memory_cannot_be_touched(memory: Any) -> None:
    """A reserved page is an access violation."""
    base = mm.allocate(memory.process, 0x10000, kind="reserve")
    with pytest.raises(GuestFault) as fault:
        memory.process.memory.read(base, 1)
    assert (fault.value.address, fault.value.access, fault.value.status) == (base, 0, STATUS.ACCESS_VIOLATION)


def test_part_of_a_reservation_can_be_committed(memory: Any) -> None:
    """MEM_COMMIT within a reservation makes just those pages usable."""
    base = mm.allocate(memory.process, 0x10000, kind="reserve")
    mm.commit(memory.process, base + 0x2000, 0x1000)
    memory.process.memory.write(base + 0x2000, b"x")
    region = mm.query(memory.space, base + 0x2000)
    assert (region.size, region.state, region.protect) == (0x1000, MEM_COMMIT, PAGE_READWRITE)
    assert mm.query(memory.space, base).state == MEM_RESERVE
    assert mm.query(memory.space, base + 0x3000).size == 0xD000


def test_a_read_only_page_refuses_writes(memory: Any) -> None:
    """After PAGE_READONLY a write is an access violation, and the old protection is told."""
    base = mm.allocate(memory.process, 0x2000)
    memory.process.memory.write(base, b"x")
    assert mm.protect(memory.process, base, 0x1000, PAGE_READONLY) == PAGE_READWRITE
    with pytest.raises(GuestFault) as fault:
        memory.process.memory.write(base, b"y")
    assert fault.value.access == 1
    assert memory.process.memory.read(base, 1) == b"x"


def test_a_page_without_access_keeps_its_content(memory: Any) -> None:
    """PAGE_NOACCESS takes the page out of reach, and giving access back shows what it held."""
    base = mm.allocate(memory.process, 0x1000)
    memory.process.memory.write(base, b"kept")
    mm.protect(memory.process, base, 0x1000, PAGE_NOACCESS)
    with pytest.raises(GuestFault):
        memory.process.memory.read(base, 1)
    assert mm.protect(memory.process, base, 0x1000, PAGE_EXECUTE_READ) == PAGE_NOACCESS
    assert memory.process.memory.read(base, 4) == b"kept"


def test_a_guard_page_gives_one_alarm(memory: Any) -> None:
    """The first touch of a guard page raises GUARD_PAGE_VIOLATION, the second succeeds."""
    base = mm.allocate(memory.process, 0x1000, protection=PAGE_READWRITE | PAGE_GUARD)
    with pytest.raises(GuestFault) as fault:
        memory.process.memory.write(base, b"x")
    assert status_of(fault) == STATUS.GUARD_PAGE_VIOLATION
    memory.process.memory.write(base, b"x")
    assert mm.query(memory.space, base).protect == PAGE_READWRITE


def test_decommitted_pages_are_reserved_and_come_back_zero(memory: Any) -> None:
    """MEM_DECOMMIT throws content away; committing again gives zeroes."""
    base = mm.allocate(memory.process, 0x3000)
    memory.process.memory.write(base + 0x1000, b"gone")
    virtual.decommit(memory.space, base + 0x1000, 0x1000)
    assert mm.query(memory.space, base + 0x1000).state == MEM_RESERVE
    assert mm.query(memory.space, base).size == 0x1000
    mm.commit(memory.process, base + 0x1000, 0x1000)
    assert memory.process.memory.read(base + 0x1000, 4) == bytes(4)


def test_a_range_can_be_released_in_the_middle(memory: Any) -> None:
    """Releasing the middle leaves two ranges, each with the content it had."""
    base = mm.allocate(memory.process, 0x30000)
    memory.process.memory.write(base, b"low")
    memory.process.memory.write(base + 0x20000, b"high")
    virtual.release(memory.space, base + 0x10000, 0x10000)
    assert mm.query(memory.space, base + 0x10000).state == MEM_FREE
    assert memory.process.memory.read(base + 0x20000, 4) == b"high"
    region = mm.query(memory.space, base + 0x20000)
    assert (region.allocation_base, region.size, region.type) == (base + 0x20000, 0x10000, MEM_PRIVATE)
    assert int(memory.process.eprocess.VadCount) == 2
    assert int(memory.process.eprocess.CommitCharge) == 0x20


def test_only_the_base_releases_a_range(memory: Any) -> None:
    """MEM_RELEASE with size 0 wants the base of the range."""
    base = mm.allocate(memory.process, 0x20000)
    with pytest.raises(NtError) as error:
        mm.free(memory.process, base + 0x1000)
    assert status_of(error) == STATUS.FREE_VM_NOT_AT_BASE
    mm.free(memory.process, base)
    with pytest.raises(NtError) as error:
        mm.free(memory.process, base)
    assert status_of(error) == STATUS.MEMORY_NOT_ALLOCATED


def test_pages_that_are_not_committed_cannot_be_protected(memory: Any) -> None:
    """Protecting a range with a reserved page in it gives NOT_COMMITTED."""
    base = mm.allocate(memory.process, 0x2000, kind="reserve")
    mm.commit(memory.process, base, 0x1000)
    with pytest.raises(NtError) as error:
        mm.protect(memory.process, base, 0x2000, PAGE_READONLY)
    assert status_of(error) == STATUS.NOT_COMMITTED


def test_commit_is_bounded_by_memory(memory: Any) -> None:
    """Committing more than the machine has gives COMMITMENT_LIMIT, and reserving does not."""
    manager = mm.manager(memory.kernel)
    size = (manager.commit_limit + 1) * 0x1000
    with pytest.raises(NtError) as error:
        mm.allocate(memory.process, size)
    assert status_of(error) == STATUS.COMMITMENT_LIMIT
    assert error.value.because is not None
    mm.allocate(memory.process, size, kind="reserve")


def test_the_process_counts_what_it_uses(memory: Any) -> None:
    """VirtualSize, CommitCharge, private pages and working set follow what happens."""
    eprocess = memory.process.eprocess
    base = mm.allocate(memory.process, 0x5000)
    memory.process.memory.write(base, b"x")
    memory.process.memory.write(base + 0x1000, b"x")
    assert (int(eprocess.VirtualSize), int(eprocess.CommitCharge)) == (0x5000, 5)
    assert (int(eprocess.NumberOfPrivatePages), int(eprocess.Vm.Instance.WorkingSetSize)) == (2, 2)
    assert int(eprocess.Vm.Instance.PageFaultCount) == 2
    mm.free(memory.process, base)
    assert (int(eprocess.VirtualSize), int(eprocess.CommitCharge), int(eprocess.PeakVirtualSize)) == (
        0,
        0,
        0x5000,
    )
    assert (int(eprocess.NumberOfPrivatePages), int(eprocess.Vm.Instance.WorkingSetSize)) == (0, 0)


def test_nothing_is_left_of_a_deleted_address_space(memory: Any) -> None:
    """Deleting an address space gives back every frame it took."""

    def live() -> None:
        process = memory.new_process()
        base = mm.allocate(process, 0x40000)
        process.memory.write(base, bytes(0x20000))
        mm.protect(process, base, 0x4000, PAGE_NOACCESS)
        process.memory.write(mm.allocate(process, 0x1000, top_down=True), b"x")
        stack = mm.reserve_stack(process, 0x100000, 0x2000)
        process.memory.write(stack.limit, b"x")
        process.memory.write(mm.allocate_peb(process), b"x")
        process.memory.write(mm.allocate_teb(process), b"x")
        mm.delete_address_space(process)
        assert int(process.eprocess.VadRoot.Root) == 0
        mm.release_tables(process)

    before, committed = memory.frames(), mm.manager(memory.kernel).committed
    live()
    assert memory.frames() == before
    assert mm.manager(memory.kernel).committed == committed

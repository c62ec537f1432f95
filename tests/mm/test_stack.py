"""Stacks with guard pages, and the room for PEB and TEBs."""

from __future__ import annotations

import time
from typing import Any

import pytest

from ntos import mm
from ntos.abi.layout.teb import TEB
from ntos.abi.mm import MEM_COMMIT, MEM_RESERVE, PAGE_GUARD, PAGE_READWRITE
from ntos.abi.status import STATUS, GuestFault

PAGE = 0x1000


@pytest.fixture
def thread(memory: Any) -> Any:
    """The running thread, with a TEB that knows its stack."""
    made = memory.thread()
    stack = mm.reserve_stack(memory.process, 0x10000, 0x2000)
    made.tcb.Teb = mm.allocate_teb(memory.process)
    teb = TEB(made.memory, int(made.tcb.Teb))
    teb.NtTib.StackBase, teb.NtTib.StackLimit = stack.base, stack.limit
    teb.DeallocationStack = stack.deallocation
    memory.kernel.scheduler.current = made
    made.install(stack)
    return made


def test_a_stack_is_reserved_guarded_and_committed(memory: Any) -> None:
    """From low to high: reserved pages, three guard pages, committed pages up to StackBase."""
    stack = mm.reserve_stack(memory.process, 0x100000, 0x3000)
    told, address = [], stack.deallocation
    while address < stack.base:
        region = mm.query(memory.space, address)
        told.append((region.size, region.state, region.protect))
        address += region.size
    assert told == [
        (0x100000 - 6 * PAGE, MEM_RESERVE, 0),
        (3 * PAGE, MEM_COMMIT, PAGE_READWRITE | PAGE_GUARD),
        (3 * PAGE, MEM_COMMIT, PAGE_READWRITE),
    ]
    assert stack.limit == stack.base - 3 * PAGE


def test_touching_the_guard_moves_it_down(memory: Any, thread: Any) -> None:
    """A touch of the guard page commits it, guards three pages below it, and lowers TEB.StackLimit."""
    limit = int(thread.teb.NtTib.StackLimit)
    thread.memory.write(limit - 8, b"deeper")
    assert int(thread.teb.NtTib.StackLimit) == limit - PAGE
    region = mm.query(memory.space, limit - 4 * PAGE)
    assert (region.size, region.protect) == (3 * PAGE, PAGE_READWRITE | PAGE_GUARD)
    assert mm.query(memory.space, limit - PAGE).protect == PAGE_READWRITE


def touch_downward(thread: Any, address: int) -> None:
    """Write to each page below an address until that fails."""
    while True:
        address -= PAGE
        thread.memory.write(address, b"x")


def test_the_end_of_the_stack_is_an_overflow(memory: Any, thread: Any) -> None:
    """When no guard fits below, STACK_OVERFLOW is raised and what is left is committed for its handler."""
    bottom = int(thread.teb.DeallocationStack)
    address = int(thread.teb.NtTib.StackLimit)
    with pytest.raises(GuestFault) as fault:
        touch_downward(thread, address)
    assert fault.value.status == STATUS.STACK_OVERFLOW
    assert int(thread.teb.NtTib.StackLimit) == bottom + PAGE
    thread.memory.write(bottom + PAGE, b"room for a handler")
    with pytest.raises(GuestFault) as fault:
        thread.memory.write(bottom, b"x")
    assert fault.value.status == STATUS.ACCESS_VIOLATION


def test_another_threads_guard_page_is_an_alarm(memory: Any, thread: Any) -> None:
    """A guard page that is not the current thread's stack raises GUARD_PAGE_VIOLATION."""
    stack = mm.reserve_stack(memory.process, 0x10000, 0x1000)
    with pytest.raises(GuestFault) as fault:
        thread.memory.write(stack.limit - 1, b"x")
    assert fault.value.status == STATUS.GUARD_PAGE_VIOLATION


def test_tebs_follow_the_peb_and_their_room_is_used_again(memory: Any) -> None:
    """The first TEB lies behind the PEB, the next 0x2000 further; a freed one is given out first, zeroed."""
    peb = mm.allocate_peb(memory.process)
    tebs = [mm.allocate_teb(memory.process) for _ in range(300)]
    assert tebs[:2] == [peb + 0x1000, peb + 0x3000]
    assert len(set(tebs)) == 300
    memory.process.memory.write(tebs[1], b"old")
    mm.free_teb(memory.process, tebs[1])
    assert mm.query(memory.space, tebs[1]).state == MEM_RESERVE
    assert mm.allocate_teb(memory.process) == tebs[1]
    assert memory.process.memory.read(tebs[1], 3) == bytes(3)


def test_a_demand_zero_fault_costs_microseconds(memory: Any) -> None:
    """Ten thousand first touches take well under half a second."""
    count = 10_000
    base = mm.allocate(memory.process, count * PAGE)
    fault = memory.process.memory.fault
    started = time.perf_counter()
    for address in range(base, base + count * PAGE, PAGE):
        fault(address, 1)
    each = (time.perf_counter() - started) / count
    assert each < 50e-6

"""User stacks, TEBs and the PEB: where they go, and how a stack grows when its guard page is touched.

A stack is one reservation: reserved pages, then guard pages, then committed ones up to StackBase. Touching
the guard moves it down; when there is no room left below, what remains is committed and STACK_OVERFLOW is
raised, so that its handler has something to stand on (structures.md section 11).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ntos.abi.layout.teb import TEB
from ntos.abi.memory import PAGE_SIZE
from ntos.abi.status import STATUS, GuestFault, NtError
from ntos.mm import virtual
from ntos.mm.layout import TEB_REGION
from ntos.mm.protect import MM_GUARD_PAGE, MM_READWRITE
from ntos.mm.space import space_of

if TYPE_CHECKING:
    from ntos.ke.process import Process
    from ntos.ke.thread import Thread
    from ntos.mm.space import AddressSpace
    from ntos.mm.vad import Vad

GUARD_PAGES = 3
"""On x64; 32-bit stacks have one."""
MEGABYTE = 1 << 20
GRANULARITY = 0x10000
DEFAULT_RESERVE = 0x10_0000
DEFAULT_COMMIT = 0x1000
TEB_SIZE = 0x2000
_GUARD = MM_READWRITE | MM_GUARD_PAGE


@dataclass(frozen=True, slots=True)
class UserStack:
    """What INITIAL_TEB says."""

    base: int
    """One past the highest byte."""
    limit: int
    """The lowest committed byte that is not guarded."""
    deallocation: int
    """Where the reservation begins."""


def reserve_stack(process: Process, reserve: int = 0, commit: int = 0) -> UserStack:
    """A new stack (PspSetupUserStack, RtlCreateUserStack)."""
    space = space_of(process)
    commit = _round_up(commit or DEFAULT_COMMIT, PAGE_SIZE)
    reserve = reserve or DEFAULT_RESERVE
    if commit >= reserve:
        reserve = _round_up(commit + 1, MEGABYTE)
    reserve = _round_up(reserve, GRANULARITY)
    pages = reserve // PAGE_SIZE
    vad = virtual.reserve_pages(space, space.place(pages, low=True), pages, MM_READWRITE)
    committed = commit // PAGE_SIZE
    limit = vad.end - committed
    guards = min(GUARD_PAGES, limit - vad.start - 1)
    try:
        virtual.commit_pages(space, vad, limit, vad.end, MM_READWRITE)
        if guards > 0:
            virtual.commit_pages(space, vad, limit - guards, limit, _GUARD)
    except NtError:
        virtual.release(space, vad.base, 0)
        raise
    return UserStack(vad.end * PAGE_SIZE, limit * PAGE_SIZE, vad.base)


def free_stack(process: Process, deallocation: int) -> None:
    """Give a stack back by the base of its reservation (TEB.DeallocationStack)."""
    virtual.release(space_of(process), deallocation, 0)


def grow(space: AddressSpace, vad: Vad, address: int, access: int) -> bool:
    """Whether a guard page just touched was the current thread's stack guard, which has now moved down.

    MiCheckForUserStackOverflow. STACK_OVERFLOW where there is no room to move.
    """
    thread = _current(space)
    if thread is None or not int(thread.tcb.Teb) or not vad.private:
        return False
    teb = TEB(thread.memory, int(thread.tcb.Teb))
    limit, bottom = int(teb.NtTib.StackLimit), int(teb.DeallocationStack)
    if not bottom <= address < limit or bottom < vad.base:
        return False
    page = address >> 12
    first_usable = (bottom >> 12) + 1
    guards = max(GUARD_PAGES, -(-int(teb.GuaranteedStackBytes) // PAGE_SIZE))
    if page - guards < first_usable:
        virtual.commit_pages(space, vad, first_usable, limit >> 12, MM_READWRITE)
        teb.NtTib.StackLimit = first_usable << 12
        raise GuestFault(address, access, STATUS.STACK_OVERFLOW)
    virtual.commit_pages(space, vad, page, limit >> 12, MM_READWRITE)
    virtual.commit_pages(space, vad, page - guards, page, _GUARD)
    teb.NtTib.StackLimit = page << 12
    return True


def _current(space: AddressSpace) -> Thread | None:
    scheduler = getattr(space.kernel, "scheduler", None)
    thread: Thread | None = None if scheduler is None else scheduler.current
    return thread if thread is not None and thread.process is space.process else None


def allocate_peb(process: Process) -> int:
    """The address of a committed page for the PEB; TEBs follow it (MmCreatePeb's room)."""
    space = space_of(process)
    vad = _add_region(space)
    # At most 0xFF pages in, so that the first TEBs of any process fit behind it.
    peb = vad.start + space.layout.peb_page
    virtual.commit_pages(space, vad, peb, peb + 1, MM_READWRITE)
    space.free_tebs = _slots(peb + 1, vad.end)
    return peb << 12


def allocate_teb(process: Process, size: int = TEB_SIZE) -> int:
    """The address of committed, zeroed room for a TEB; WOW64 threads want more than one slot's `size`."""
    space = space_of(process)
    slots = -(-size // TEB_SIZE)
    start = _take(space.free_tebs, slots)
    if start < 0:
        vad = _add_region(space)
        space.free_tebs += _slots(vad.start, vad.end)
        start = _take(space.free_tebs, slots)
    found = space.vads.find(start)
    assert found is not None
    try:
        virtual.commit_pages(space, found, start, start + slots * TEB_SIZE // PAGE_SIZE, MM_READWRITE)
    except NtError:
        _give_back(space, start, slots)
        raise
    return start << 12


def free_teb(process: Process, address: int, size: int = TEB_SIZE) -> None:
    """Give a TEB's room back; the next thread gets it first (MmDeleteTeb)."""
    space = space_of(process)
    slots = -(-size // TEB_SIZE)
    virtual.decommit(space, address, slots * TEB_SIZE)
    _give_back(space, address >> 12, slots)


def _give_back(space: AddressSpace, first: int, slots: int) -> None:
    space.free_tebs = sorted([*space.free_tebs, *(first + 2 * slot for slot in range(slots))])


def _take(free: list[int], slots: int) -> int:
    """The first page of the lowest run of `slots` free TEB slots, taken out of the list; -1 where there is
    none.
    """
    for position, start in enumerate(free):
        if free[position : position + slots] == [start + 2 * slot for slot in range(slots)]:
            del free[position : position + slots]
            return start
    return -1


def _slots(first: int, end: int) -> list[int]:
    return list(range(first, end - 1, TEB_SIZE // PAGE_SIZE))


def _add_region(space: AddressSpace) -> Vad:
    pages = TEB_REGION // PAGE_SIZE
    vad = virtual.reserve_pages(space, space.place(pages, low=True), pages, MM_READWRITE)
    space.teb_regions.append(vad.base)
    return vad


def _round_up(value: int, unit: int) -> int:
    return (value + unit - 1) // unit * unit

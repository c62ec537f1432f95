"""Address spaces: made, filled in by services and faults, counted, and taken down without a frame left
behind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ntos.abi.layout.process import EPROCESS
from ntos.abi.memory import PAGE_SIZE
from ntos.abi.mm import USER_SHARED_DATA
from ntos.abi.status import STATUS, NtError
from ntos.hal.paging import DIRTY, FRAME_MASK, NO_EXECUTE, PRESENT, PageTables
from ntos.mm.layout import ProcessLayout
from ntos.mm.manager import manager
from ntos.mm.pages import walk
from ntos.mm.protect import (
    CLEAN_BITS,
    MM_DECOMMIT,
    MM_READONLY,
    PROTOTYPE,
    TRANSITION,
    software,
)
from ntos.mm.vad import GRANULARITY, Vad, VadTree

if TYPE_CHECKING:
    from ntos.ke.kernel import Kernel
    from ntos.ke.process import Process

_VM = EPROCESS.offset("Vm")
_PAGE_FAULT_COUNT = _VM  # the upper half of this word: PageFaultCount stands at +4
_ONE_FAULT = 1 << 32
_DECOMMITTED = software(MM_DECOMMIT)


class Jobs(Protocol):
    """What jobs say about commit; `ps` provides it."""

    def refused(self) -> None: ...
    def check(self, pages: int) -> None: ...
    def count(self, pages: int, total: int) -> None: ...


class AddressSpace:
    """The memory manager's part of a process."""

    def __init__(self, process: Process) -> None:
        kernel = process.kernel
        self.process = process
        self.kernel = kernel
        self.manager = manager(kernel)
        self.tables = process.tables
        self.words = process.tables.words
        self.physical = kernel.platform.physical
        self.buffer = self.physical.buffer
        self.vads = VadTree(kernel, process.address + EPROCESS.offset("VadRoot"))
        self.random = kernel.random if self.manager.aslr else None
        self.layout = ProcessLayout(self.random)
        self.virtual_size = self._counter(EPROCESS.offset("VirtualSize"))
        self.peak_virtual_size = self._counter(EPROCESS.offset("PeakVirtualSize"))
        self.commit = self._counter(EPROCESS.offset("CommitCharge"))
        self.commit_peak = self._counter(EPROCESS.offset("CommitChargePeak"))
        self.commit_limit = self._counter(EPROCESS.offset("CommitChargeLimit"))
        self.vad_count = self._counter(EPROCESS.offset("VadCount"))
        self.private_pages = self._counter(EPROCESS.offset("NumberOfPrivatePages"))
        self.fault_count = self._counter(_PAGE_FAULT_COUNT)
        self.working_set = self._counter(_VM + 0x88)
        self.working_set_private = self._counter(_VM + 0x90)
        self.working_set_peak = self._counter(_VM + 0xA0)
        self.teb_regions: list[int] = []
        self.free_tebs: list[int] = []
        self.locked: set[int] = set()
        """Pages NtLockVirtualMemory holds."""
        self.deleted = False
        self.jobs: Jobs | None = None
        """The jobs the process is in, as far as they have a word in what it commits."""

    def _counter(self, offset: int) -> int:
        """The index in `words` of an EPROCESS field: the fault path counts without decoding addresses."""
        return self.kernel.memory.locate(self.process.address + offset) >> 3

    # ------------------------------------------------------------------ ranges

    def insert(self, vad: Vad) -> Vad:
        """Enter a range, with the sizes it brings."""
        vad.process = self.process.address
        self.vads.insert(vad)
        words = self.words
        words[self.vad_count] += 1
        size = words[self.virtual_size] + vad.size
        words[self.virtual_size] = size
        words[self.peak_virtual_size] = max(words[self.peak_virtual_size], size)
        return vad

    def remove(self, vad: Vad) -> None:
        """Take a range out whose pages are gone already."""
        self.words[self.vad_count] -= 1
        self.words[self.virtual_size] -= vad.size
        self.vads.remove(vad)

    def shrink(self, vad: Vad, start: int, end: int) -> None:
        """Let a range cover less."""
        self.words[self.virtual_size] -= (vad.pages - (end - start)) * PAGE_SIZE
        self.vads.resize(vad, start, end)

    def find(self, address: int) -> Vad | None:
        """The range an address lies in."""
        return self.vads.find(address >> 12)

    def place(
        self,
        pages: int,
        *,
        top_down: bool = False,
        low: bool = False,
        limit: int = 0,
        lowest: int = 0,
        alignment: int = 0,
    ) -> int:
        """The first page of a free range; NO_MEMORY where none is. `low` is where stacks and TEBs go."""
        end = (limit or self.layout.top_down) >> 12
        least = max(lowest >> 12, GRANULARITY)
        unit = alignment or GRANULARITY
        found = 0
        if top_down:
            found = self.vads.find_top_down(pages, least, end, unit)
        elif not limit and not lowest:
            start = self.layout.low if low else self.layout.bottom_up
            found = self.vads.find_bottom_up(pages, start >> 12, end, unit)
        found = found or self.vads.find_bottom_up(pages, least, end, unit)
        if not found:
            raise NtError(STATUS.NO_MEMORY)
        return found

    # ------------------------------------------------------------------ commit

    def charge(self, vad: Vad, pages: int) -> None:
        """Count `pages` of a range as committed; COMMITMENT_LIMIT if process or machine may have no more."""
        words = self.words
        total = words[self.commit] + pages
        limit, jobs = words[self.commit_limit], self.jobs
        if limit and total > limit:
            if jobs is not None:
                jobs.refused()
            raise NtError(STATUS.COMMITMENT_LIMIT)
        if jobs is not None:
            jobs.check(pages)
        self.manager.charge(pages)
        if jobs is not None:
            jobs.count(pages, total)
        words[self.commit] = total
        words[self.commit_peak] = max(words[self.commit_peak], total)
        vad.charge += pages

    def uncharge(self, vad: Vad, pages: int) -> None:
        """Count `pages` of a range as no longer committed."""
        left = self.words[self.commit] - pages
        self.words[self.commit] = left
        if self.jobs is not None:
            self.jobs.count(-pages, left)
        vad.charge -= pages
        self.manager.uncharge(pages)

    # ------------------------------------------------------------------ pages

    def count_in(self, *, private: bool) -> None:
        """One page more in the working set, after a fault."""
        words = self.words
        words[self.fault_count] = words[self.fault_count] + _ONE_FAULT & 0xFFFF_FFFF_FFFF_FFFF
        size = words[self.working_set] + 1
        words[self.working_set] = size
        words[self.working_set_peak] = max(words[self.working_set_peak], size)
        if private:
            words[self.private_pages] += 1
            self.manager.resident += 1
            words[self.working_set_private] += 1

    def release(self, vad: Vad, first: int, end: int) -> int:
        """Empty the entries of [first, end) and give their frames back; gives how many pages were committed.

        What `committed` means is only known for private memory; for views the number has no meaning.
        """
        words = self.words
        if self.locked:
            self.locked -= set(range(first, end))
        committed = any_valid = 0
        for page, index, count in walk(self.tables, first, end):
            if index < 0:
                committed += count if vad.committed else 0
                continue
            entries = words[index : index + count].tolist()
            if not any(entries):
                committed += count if vad.committed else 0
                continue
            for offset, entry in enumerate(entries):
                if entry == 0:
                    committed += vad.committed
                    continue
                words[index + offset] = 0
                committed += entry != _DECOMMITTED
                any_valid |= entry & PRESENT
                if entry & PRESENT or (entry & TRANSITION and not entry & PROTOTYPE):
                    self.drop(vad, page + offset, entry)
        if any_valid:
            self.forget_translations()
        return committed

    def drop(self, vad: Vad, page: int, entry: int) -> None:
        """Give back the frame of one entry that was valid or in transition."""
        words = self.words
        frame = entry & FRAME_MASK
        if entry & PRESENT:
            words[self.working_set] -= 1
        if entry & PRESENT and entry & PROTOTYPE:
            if vad.area is not None and entry & DIRTY:
                vad.area.mark_dirty(vad.first_page + page - vad.start)
        else:
            words[self.private_pages] -= 1
            self.manager.resident -= self.physical.references[frame >> 12] == 1
            if entry & PRESENT:
                words[self.working_set_private] -= 1
        physical = self.physical
        backend = self.tables.backend
        if backend is not None and physical.references[frame >> 12] == 1 and not entry & NO_EXECUTE:
            # What the engine translated from this frame must not outlive the page.
            backend.forget_code(frame, PAGE_SIZE)
        physical.release(frame)

    def unshare(self, entry: int) -> int:
        """The frame of a private page, a copy of it where a cloned process still has the same one."""
        physical, frame = self.physical, entry & FRAME_MASK
        if physical.references[frame >> 12] == 1:
            return frame
        copy = physical.allocate()
        self.buffer[copy : copy + PAGE_SIZE] = self.buffer[frame : frame + PAGE_SIZE]
        physical.release(frame)
        self.manager.resident += 1
        return copy

    def forget_translations(self) -> None:
        """Valid entries were withdrawn or changed."""
        if self.tables.backend is not None:
            self.tables.backend.forget_translations(self.tables)


def space_of(process: Process) -> AddressSpace:
    """The process's address space."""
    return process[AddressSpace]


def create_address_space(kernel: Kernel) -> PageTables:
    """Page tables for a new process: an empty user half, the kernel half shared
    (MmCreateProcessAddressSpace).
    """
    system = kernel.platform.tables
    tables = PageTables(kernel.platform.physical, system.backend)
    tables.share_kernel_half(system)
    return tables


def map_shared_data(space: AddressSpace, frame: int) -> None:
    """Show KUSER_SHARED_DATA, whose frame is given, at its place, where nobody can change or unmap it."""
    page = USER_SHARED_DATA >> 12
    vad = Vad(space.kernel, page, page + 1, MM_READONLY, committed=True)
    vad.no_change = True
    space.insert(vad)
    index = space.tables.make_entry(USER_SHARED_DATA)
    space.physical.share(frame)
    space.words[index] = frame | CLEAN_BITS[MM_READONLY] | PROTOTYPE
    space.words[space.working_set] += 1

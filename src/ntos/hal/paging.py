"""x86-64 four-level page tables as true bytes in physical memory, with Windows' self-map entry.

Bits the processor ignores are used as NT uses them, so that other people's tools read our tables: bit 9 marks
copy-on-write, bit 11 set with bit 0 clear a page in transition (Intel SDM vol. 3 ch. 4; `_MMPTE_HARDWARE`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.memory import PAGE_SIZE, Memory, PagedMemory
from ntos.abi.status import STATUS, GuestFault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ntos.hal.cpu import Backend
    from ntos.hal.physical import PhysicalMemory

PRESENT = 1 << 0
WRITABLE = 1 << 1
USER = 1 << 2
ACCESSED = 1 << 5
DIRTY = 1 << 6
COPY_ON_WRITE = 1 << 9
NO_EXECUTE = 1 << 63
FRAME_MASK = 0x000F_FFFF_FFFF_F000

SELF_MAP_INDEX = 0x1ED
"""PTE base 0xFFFFF68000000000, where Windows 10 kept it before it was randomised; readers look for one self entry."""
KERNEL_HALF = 0xFFFF_8000_0000_0000
USER_LIMIT = 0x7FFF_FFFF_0000
"""MmUserProbeAddress."""


class PageTables:
    """One address space's page tables; `root` is the physical address of its PML4 (what CR3 holds)."""

    def __init__(self, physical: PhysicalMemory, backend: Backend | None, root: int | None = None) -> None:
        self.physical = physical
        self.words = physical.words
        self.backend = backend
        self.root = physical.allocate() if root is None else root
        self.words[(self.root >> 3) + SELF_MAP_INDEX] = self.root | PRESENT | WRITABLE | ACCESSED | DIRTY | NO_EXECUTE

    def share_kernel_half(self, system: PageTables) -> None:
        """Make kernel addresses mean here what they mean in `system`: same page-directory-pointer tables."""
        mine, theirs = self.root >> 3, system.root >> 3
        for index in range(0x100, 0x200):
            if index != SELF_MAP_INDEX:
                self.words[mine + index] = self.words[theirs + index]

    def entry_index(self, address: int) -> int:
        """The index in `words` of the page-table entry for `address`; -1 where no table reaches that far."""
        words = self.words
        table = words[(self.root >> 3) + (address >> 39 & 0x1FF)]
        if not table & 1:
            return -1
        table = words[((table & FRAME_MASK) >> 3) + (address >> 30 & 0x1FF)]
        if not table & 1:
            return -1
        table = words[((table & FRAME_MASK) >> 3) + (address >> 21 & 0x1FF)]
        if not table & 1:
            return -1
        return ((table & FRAME_MASK) >> 3) + (address >> 12 & 0x1FF)

    def entry(self, address: int) -> int:
        """The page-table entry for `address`; 0 where there is none."""
        index = self.entry_index(address)
        return self.words[index] if index >= 0 else 0

    def make_entry(self, address: int) -> int:
        """As `entry_index`, building the tables on the way."""
        words = self.words
        position = (self.root >> 3) + (address >> 39 & 0x1FF)
        above = PRESENT | WRITABLE | ACCESSED | DIRTY | (USER if address < KERNEL_HALF else 0)
        for shift in (30, 21, 12):
            table = words[position]
            if not table & PRESENT:
                table = self.physical.allocate() | above
                words[position] = table
            position = ((table & FRAME_MASK) >> 3) + (address >> shift & 0x1FF)
        return position

    def map(self, address: int, frame: int, bits: int) -> None:
        """Enter one page: `bits` besides PRESENT and ACCESSED. A page that was present before is forgotten first."""
        position = self.make_entry(address)
        words = self.words
        if words[position] & PRESENT and self.backend is not None:
            self.backend.forget_translations(self)
        words[position] = frame | bits | PRESENT | ACCESSED

    def unmap(self, address: int) -> int:
        """Take one page out; gives its entry (0 where none was present). The frame stays the caller's."""
        position = self.entry_index(address)
        if position < 0:
            return 0
        entry = self.words[position]
        self.words[position] = 0
        if entry & PRESENT and self.backend is not None:
            self.backend.forget_translations(self)
        return entry

    def change(self, address: int, clear: int, put: int) -> None:
        """Clear and set bits of an entry that is present."""
        position = self.entry_index(address)
        if position >= 0 and self.words[position] & PRESENT:
            self.words[position] = self.words[position] & ~clear | put
            if self.backend is not None:
                self.backend.forget_translations(self)

    def present(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """(address, entry) of each present page in [start, end), skipping what no table covers."""
        words = self.words
        address = start
        while address < end:
            table = words[(self.root >> 3) + (address >> 39 & 0x1FF)]
            if not table & 1:
                address = (address >> 39) + 1 << 39
                continue
            table = words[((table & FRAME_MASK) >> 3) + (address >> 30 & 0x1FF)]
            if not table & 1:
                address = (address >> 30) + 1 << 30
                continue
            table = words[((table & FRAME_MASK) >> 3) + (address >> 21 & 0x1FF)]
            if not table & 1:
                address = (address >> 21) + 1 << 21
                continue
            base = (table & FRAME_MASK) >> 3
            stop = min(end, (address >> 21) + 1 << 21)
            while address < stop:
                entry = words[base + (address >> 12 & 0x1FF)]
                if entry & 1:
                    yield address, entry
                address += PAGE_SIZE

    def free_user_half(self) -> None:
        """Give back the page tables (not the pages) below the kernel half."""
        self._free_table(self.root, 4, 0x100)

    def _free_table(self, table: int, level: int, count: int) -> None:
        base = table >> 3
        for index, entry in enumerate(self.words[base : base + count].tolist()):
            if entry & PRESENT:
                self.words[base + index] = 0
                if level > 2:
                    self._free_table(entry & FRAME_MASK, level - 1, 0x200)
                self.physical.release(entry & FRAME_MASK)


class KernelMemory(PagedMemory):
    """Kernel addresses, as kernel code sees them: every present page of the kernel half is readable and writable."""

    __slots__ = ("_known", "buffer", "tables")

    def __init__(self, tables: PageTables) -> None:
        self.tables = tables
        self.buffer = tables.physical.buffer
        self._known: dict[int, int] = {}

    def locate(self, address: int) -> int:
        known = self._known.get(address >> 12)
        if known is not None:
            return known | address & 0xFFF
        entry = self.tables.entry(address) if address >= KERNEL_HALF else 0
        if not entry & PRESENT:
            raise GuestFault(address, 0, STATUS.ACCESS_VIOLATION)
        self._known[address >> 12] = entry & FRAME_MASK
        return entry & FRAME_MASK | address & 0xFFF

    locate_for_write = locate

    def forget(self, address: int) -> None:
        """A kernel page is about to be unmapped."""
        self._known.pop(address >> 12, None)


class UserMemory(PagedMemory):
    """The user half of one process, with the rights user code has.

    A page that is not there goes to `fault` (the page-fault path), which brings it in or raises `GuestFault`.
    """

    __slots__ = ("buffer", "fault", "tables")

    def __init__(self, tables: PageTables, fault: Callable[[int, int], None]) -> None:
        self.tables = tables
        self.buffer = tables.physical.buffer
        self.fault = fault
        """(address, access) with access 0 read, 1 write: makes the page usable or raises GuestFault."""

    def locate(self, address: int) -> int:
        tables = self.tables
        words = tables.words
        if 0 <= address < USER_LIMIT:
            table = words[(tables.root >> 3) + (address >> 39)]
            if table & 1:
                table = words[((table & FRAME_MASK) >> 3) + (address >> 30 & 0x1FF)]
                if table & 1:
                    table = words[((table & FRAME_MASK) >> 3) + (address >> 21 & 0x1FF)]
                    if table & 1:
                        table = words[((table & FRAME_MASK) >> 3) + (address >> 12 & 0x1FF)]
                        if table & 5 == 5:
                            return table & FRAME_MASK | address & 0xFFF
            self.fault(address, 0)
            entry = tables.entry(address)
            if entry & 5 == 5:
                return entry & FRAME_MASK | address & 0xFFF
        raise GuestFault(address, 0)

    def locate_for_write(self, address: int) -> int:
        tables = self.tables
        if 0 <= address < USER_LIMIT:
            entry = tables.entry(address)
            if entry & 7 != 7:
                self.fault(address, 1)
                entry = tables.entry(address)
            if entry & 7 == 7:
                if not entry & NO_EXECUTE and tables.backend is not None:
                    tables.backend.forget_code(entry & FRAME_MASK, PAGE_SIZE)
                if not entry & DIRTY:
                    tables.words[tables.entry_index(address)] = entry | DIRTY
                return entry & FRAME_MASK | address & 0xFFF
        raise GuestFault(address, 1)


def is_user_range(address: int, size: int) -> bool:
    """Whether [address, address + size) lies below MmUserProbeAddress (ProbeForRead's check)."""
    return address >= 0 and address + size <= USER_LIMIT


__all__ = ["KernelMemory", "Memory", "PageTables", "UserMemory", "is_user_range"]

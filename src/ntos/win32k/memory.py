"""A session's memory: its pool, and the heap that GUI processes map for reading (the desktop heap)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos import mm
from ntos.abi.layout.win32k import HANDLEENTRY
from ntos.abi.memory import PAGE_SIZE
from ntos.abi.mm import PAGE_READONLY, PAGE_READWRITE, SEC_RESERVE
from ntos.abi.status import STATUS, NtError
from ntos.abi.winuser import HANDLE_TABLE_OFFSET
from ntos.ex.pool import Region
from ntos.hal.paging import DIRTY, NO_EXECUTE, WRITABLE
from ntos.mm.control import SharedMemory

if TYPE_CHECKING:
    from ntos.ke.kernel import Kernel
    from ntos.ke.process import Process

SESSION_POOL = 0xFFFF_F901_4000_0000
SESSION_VIEWS = 0xFFFF_F900_C000_0000
SESSION_STRIDE = 0x0200_0000
PAGED_SESSION_IN_USE = 0x22
"""POOL_HEADER.PoolType of a block of PagedPoolSession (33) in use."""
LARGEST_BLOCK = 0xF00
HEAP_SIZE = 20480 << 10
"""SharedSection's second number (csrss's command line)."""
MAXIMUM_HANDLES = 0x2800
FIRST_BLOCK = HANDLE_TABLE_OFFSET + MAXIMUM_HANDLES * HANDLEENTRY.size
UNIT = 16


class SessionPool:
    """The session pool of a machine: blocks with pool headers, in session space."""

    def __init__(self, kernel: Kernel) -> None:
        self._region = Region(kernel.platform, SESSION_POOL, PAGED_SESSION_IN_USE)

    def allocate(self, size: int, tag: bytes) -> int:
        """A zeroed block of less than a page."""
        assert size <= LARGEST_BLOCK
        return self._region.allocate_small((size + 2 * UNIT - 1) // UNIT, tag)

    def free(self, address: int) -> None:
        """Take it back."""
        self._region.free_small(address)


class SharedHeap:
    """A section that the kernel sees at `base` and writes, and processes see where it is mapped, for reading."""

    def __init__(self, kernel: Kernel, session: int) -> None:
        self.kernel = kernel
        self.base = SESSION_VIEWS + session * SESSION_STRIDE
        self.section = mm.create_section(kernel, None, HEAP_SIZE, PAGE_READWRITE, SEC_RESERVE)
        self._resident: set[int] = set()
        self._end = FIRST_BLOCK
        self._free: dict[int, list[int]] = {}
        self._sizes: dict[int, int] = {}

    def touch(self, offset: int, size: int) -> int:
        """Make sure the kernel can use that part; gives its address."""
        for page in range(offset // PAGE_SIZE, (offset + size - 1) // PAGE_SIZE + 1):
            if page not in self._resident:
                self._bring_in(page)
        return self.base + offset

    def _bring_in(self, page: int) -> None:
        area, platform = self.section.area, self.kernel.platform
        assert isinstance(area, SharedMemory)
        area.commit(page, page + 1)
        frame = area.frame_of(page, area.position(page))
        platform.tables.map(self.base + page * PAGE_SIZE, frame, WRITABLE | NO_EXECUTE | DIRTY)
        self._resident.add(page)

    def allocate(self, size: int) -> int:
        """The address of `size` zeroed bytes."""
        rounded = max(size + UNIT - 1 & -UNIT, UNIT)
        free = self._free.get(rounded)
        if free:
            address = free.pop()
            self.kernel.memory.write(address, bytes(rounded))
        else:
            if self._end + rounded > HEAP_SIZE:
                raise NtError(STATUS.NO_MEMORY)
            address = self.touch(self._end, rounded)
            self._end += rounded
        self._sizes[address] = rounded
        return address

    def free(self, address: int) -> None:
        """Take a block back."""
        self._free.setdefault(self._sizes.pop(address), []).append(address)

    def map(self, process: Process) -> int:
        """Show the heap in a process; gives its address there."""
        return mm.map_view(process, self.section, protection=PAGE_READONLY)[0]

"""Kernel pool: blocks with true POOL_HEADERs, nonpaged and paged, each in its own range of kernel addresses.

A page is a chain of blocks, each saying its own size and that of the one before in units of sixteen bytes, so
that `!pool` and pool scanners can walk it. What does not fit a page is a run of whole pages without a header,
as in NT. A freed block keeps its tag and has PoolType 0; it is given out again before a larger one is split.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ntos.abi.memory import PAGE_SIZE
from ntos.abi.status import STATUS, NtError
from ntos.hal.paging import DIRTY, FRAME_MASK, NO_EXECUTE, WRITABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ntos.hal.platform import Platform

NONPAGED_BASE = 0xFFFF_A18C_0000_0000
PAGED_BASE = 0xFFFF_D60A_0000_0000
UNIT = 16
HEADER = 16
LARGEST_UNITS = 255
"""BlockSize has eight bits: 4080 bytes with the header."""
ALLOCATED_NONPAGED = 2
ALLOCATED_PAGED = 3
"""POOL_HEADER.PoolType is the pool's type plus one while a block is in use (volatility.md section 5)."""
PAGE_BITS = WRITABLE | NO_EXECUTE | DIRTY

_head = struct.Struct("<4B4s8x")
_ZEROS = [bytes(units * UNIT) for units in range(LARGEST_UNITS + 1)]


class TagUsage:
    """What one tag has taken and given back in one pool (SYSTEM_POOLTAG's numbers)."""

    __slots__ = ("allocations", "bytes", "frees")

    def __init__(self) -> None:
        self.allocations = 0
        self.frees = 0
        self.bytes = 0


class Region:
    """One pool: its range of addresses and its free blocks by size."""

    def __init__(self, platform: Platform, base: int, kind: int) -> None:
        self.platform = platform
        self.memory = platform.kernel_memory
        self.buffer = platform.physical.buffer
        self.kind = kind
        self.base = self.end = base
        self.free: list[list[int]] = [[] for _ in range(LARGEST_UNITS + 1)]
        """Addresses of free blocks (their headers), by size in units; the last freed is taken first."""
        self.free_mask = 0
        """Bit n is set when there may be free blocks of n units."""
        self.free_runs: dict[int, list[int]] = {}
        self.large: dict[int, tuple[int, bytes]] = {}
        """Runs of whole pages in use: address to (bytes asked for, tag)."""
        self.usage: dict[bytes, TagUsage] = {}
        self.pages = 0
        # Processes copy the kernel half of the top-level table when they are made; the entry must be there.
        platform.tables.make_entry(base)

    def used(self, tag: bytes) -> TagUsage:
        """The account of one tag."""
        usage = self.usage.get(tag)
        if usage is None:
            usage = self.usage[tag] = TagUsage()
        return usage

    def allocate_small(self, units: int, tag: bytes) -> int:
        """A zeroed block of `units` with its header; gives the address behind the header."""
        blocks = self.free[units]
        block = blocks.pop() if blocks else self._split(units)
        at = self.memory.locate(block)
        buffer = self.buffer
        # PreviousSize (byte 0) and BlockSize (byte 2) stay as the chain of the page has them.
        size = buffer[at + 2]
        buffer[at + 3] = self.kind
        buffer[at + 4 : at + 8] = tag
        buffer[at + HEADER : at + size * UNIT] = _ZEROS[size - 1]
        usage = self.used(tag)
        usage.allocations += 1
        usage.bytes += size * UNIT
        return block + HEADER

    def free_small(self, address: int) -> None:
        """Take a block back."""
        block = address - HEADER
        at = self.memory.locate(block)
        buffer = self.buffer
        if buffer[at + 3] != self.kind:
            raise ValueError(f"pool block 0x{address:X} is not in use")
        buffer[at + 3] = 0
        size = buffer[at + 2]
        self.free[size].append(block)
        self.free_mask |= 1 << size
        usage = self.usage[bytes(buffer[at + 4 : at + 8])]
        usage.frees += 1
        usage.bytes -= size * UNIT

    def _split(self, units: int) -> int:
        """Cut `units` from the smallest larger free block; take a new page where there is none."""
        larger = self.free_mask >> units
        while larger:
            size = units + (larger & -larger).bit_length() - 1
            if self.free[size]:
                break
            self.free_mask &= ~(1 << size)
            larger = self.free_mask >> units
        else:
            self._add_page()
            size = LARGEST_UNITS
        block = self.free[size].pop()
        rest = size - units
        if rest >= 2:  # a header alone is of no use
            at = self.memory.locate(block)
            self.buffer[at + 2] = units
            self._put_free(block + units * UNIT, units, rest)
            following = block + size * UNIT
            if following & (PAGE_SIZE - 1):
                self.buffer[self.memory.locate(following)] = rest
        return block

    def _put_free(self, block: int, previous: int, units: int) -> None:
        at = self.memory.locate(block)
        _head.pack_into(self.buffer, at, previous, 0, units, 0, b"Free")
        self.free[units].append(block)
        self.free_mask |= 1 << units

    def _add_page(self) -> None:
        page = self._take_pages(1)
        # A page has 256 units and BlockSize counts to 255: the last one is a block that is a header alone.
        last = self.memory.locate(page + LARGEST_UNITS * UNIT)
        _head.pack_into(self.buffer, last, LARGEST_UNITS, 0, 1, 0, b"Free")
        self._put_free(page, 0, LARGEST_UNITS)

    # ------------------------------------------------------------ whole pages

    def allocate_large(self, size: int, tag: bytes) -> int:
        """A run of zeroed pages."""
        address = self._take_pages((size + PAGE_SIZE - 1) // PAGE_SIZE)
        self.large[address] = (size, tag)
        usage = self.used(tag)
        usage.allocations += 1
        usage.bytes += size
        return address

    def free_large(self, address: int) -> None:
        """Give a run of pages back to the machine."""
        size, tag = self.large.pop(address)
        count = (size + PAGE_SIZE - 1) // PAGE_SIZE
        for page in range(address, address + count * PAGE_SIZE, PAGE_SIZE):
            entry = self.platform.tables.unmap(page)
            self.memory.forget(page)
            self.platform.physical.release(entry & FRAME_MASK)
        self.pages -= count
        self.free_runs.setdefault(count, []).append(address)
        usage = self.usage[tag]
        usage.frees += 1
        usage.bytes -= size

    def _take_pages(self, count: int) -> int:
        runs = self.free_runs.get(count)
        if runs:
            address = runs.pop()
        else:
            address = self.end
            self.end += count * PAGE_SIZE
        physical, tables = self.platform.physical, self.platform.tables
        if physical.available < count:
            raise NtError(STATUS.INSUFFICIENT_RESOURCES)
        for page in range(address, address + count * PAGE_SIZE, PAGE_SIZE):
            tables.map(page, physical.allocate(), PAGE_BITS)
        self.pages += count
        return address


class PagedAndNonpagedPool:
    """The pools of one kernel (ExAllocatePool2, ExFreePool); satisfies `ke.kernel.Pool`."""

    def __init__(self, platform: Platform) -> None:
        self.nonpaged = Region(platform, NONPAGED_BASE, ALLOCATED_NONPAGED)
        self.paged = Region(platform, PAGED_BASE, ALLOCATED_PAGED)

    def allocate(self, size: int, tag: bytes, *, paged: bool = False) -> int:
        """The address of at least `size` zeroed bytes, 16-aligned; `tag` is four bytes.

        From a page's worth on the block is page-aligned and has no header.
        """
        region = self.paged if paged else self.nonpaged
        if len(tag) != 4:
            tag = tag[:4].ljust(4)
        units = (size + HEADER + UNIT - 1) // UNIT
        if units > LARGEST_UNITS:
            return region.allocate_large(size, tag)
        return region.allocate_small(units if units > 1 else 2, tag)

    def free(self, address: int) -> None:
        """Take back what `allocate` gave."""
        region = self.paged if address >= PAGED_BASE else self.nonpaged
        if not address & (PAGE_SIZE - 1):
            region.free_large(address)
        else:
            region.free_small(address)

    def size_of(self, address: int) -> int:
        """How many bytes the block at `address` has room for."""
        region = self.paged if address >= PAGED_BASE else self.nonpaged
        if not address & (PAGE_SIZE - 1):
            return region.large[address][0]
        return region.buffer[region.memory.locate(address - HEADER) + 2] * UNIT - HEADER

    def pages(self, *, paged: bool) -> int:
        """How many pages one of the pools has."""
        return (self.paged if paged else self.nonpaged).pages

    def tags(self) -> Iterator[tuple[bytes, bool, TagUsage]]:
        """(tag, paged, account) of every tag ever used."""
        for region in (self.nonpaged, self.paged):
            for tag, usage in region.usage.items():
                yield tag, region is self.paged, usage


__all__ = ["NONPAGED_BASE", "PAGED_BASE", "PagedAndNonpagedPool", "TagUsage"]

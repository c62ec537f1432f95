"""Kernel pool: headers, reuse, whole pages."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as strategy

from ntos.abi.layout.object import POOL_HEADER
from ntos.ex.pool import NONPAGED_BASE, PAGED_BASE, PagedAndNonpagedPool
from ntos.hal.platform import Platform
from tests.conftest import World


def _header(pool: PagedAndNonpagedPool, address: int) -> POOL_HEADER:
    return POOL_HEADER(pool.nonpaged.memory, address - 16)


def test_a_block_has_a_header_that_scanners_read(world: World) -> None:
    """Tag, size in sixteens and pool type stand sixteen bytes before the block (volatility.md section 5)."""
    pool = PagedAndNonpagedPool(world.platform)
    address = pool.allocate(100, b"Proc")
    header = _header(pool, address)
    assert (header.BlockSize, header.PoolType, header.PoolTag.to_bytes(4, "little")) == (8, 2, b"Proc")
    assert _header(pool, pool.allocate(100, b"Symb", paged=True)).PoolType == 3
    pool.free(address)
    assert header.PoolType == 0


def test_a_freed_block_is_given_out_again_zeroed(world: World) -> None:
    """The next block of that size is the one just freed."""
    pool = PagedAndNonpagedPool(world.platform)
    address = pool.allocate(48, b"Test")
    world.kernel.memory.write(address, b"x" * 48)
    pool.free(address)
    assert pool.allocate(40, b"Next") == address
    assert world.kernel.memory.read(address, 48) == bytes(48)


def test_a_page_or_more_is_page_aligned_and_given_back(world: World) -> None:
    """Large blocks are whole pages; their frames return to the machine."""
    pool = PagedAndNonpagedPool(world.platform)
    used = world.platform.physical.used
    address = pool.allocate(0x2001, b"Bigg", paged=True)
    assert address & 0xFFF == 0
    assert address >= PAGED_BASE
    assert pool.size_of(address) == 0x2001
    pool.free(address)
    assert world.platform.physical.used - used <= 3  # page tables that were made on the way stay
    assert pool.paged.usage[b"Bigg"].bytes == 0


def test_a_block_is_not_freed_twice(world: World) -> None:
    """A second free is the kernel's own error."""
    address = world.kernel.pool.allocate(32, b"Once")
    world.kernel.pool.free(address)
    with pytest.raises(ValueError, match="not in use"):
        world.kernel.pool.free(address)


@settings(max_examples=30, deadline=None)
@given(strategy.lists(strategy.tuples(strategy.integers(1, 4200), strategy.booleans()), max_size=80))
def test_every_page_is_a_chain_of_blocks(requests: list[tuple[int, bool]]) -> None:
    """Whatever is allocated and freed, sizes and previous sizes lead through each page from end to end."""
    platform = Platform(8 << 20, 1)
    pool = PagedAndNonpagedPool(platform)
    live: list[tuple[int, int]] = []
    for size, release in requests:
        live.append((pool.allocate(size, b"Test"), size))
        if release:
            pool.free(live.pop(len(live) // 2)[0])
    spans = sorted((address, address + size) for address, size in live)
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(spans))
    runs = {page for address in pool.nonpaged.large for page in range(address, address + 0x2000, 0x1000)}
    for page in range(NONPAGED_BASE, pool.nonpaged.end, 0x1000):
        if page in runs or not platform.tables.entry(page) & 1:
            continue
        at, previous = 0, 0
        while at < 0x1000:
            header = POOL_HEADER(platform.kernel_memory, page + at)
            assert header.PreviousSize == previous
            previous = header.BlockSize
            assert previous > 0
            at += previous * 16
        assert at == 0x1000
    platform.close()

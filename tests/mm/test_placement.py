"""Where ranges go when nobody says where."""

from __future__ import annotations

import random
from typing import Any

import pytest

from ntos import mm
from ntos.abi.status import STATUS, NtError
from ntos.mm.layout import ProcessLayout, zero_bits_limit


def test_ranges_are_stacked_upward_from_a_random_base(memory: Any) -> None:
    """Allocations follow one another at multiples of 64 KB from a base that differs between processes."""
    first, second = mm.allocate(memory.process, 0x1000), mm.allocate(memory.process, 0x1000)
    assert second == first + 0x10000
    assert 0x100_0000_0000 <= first < 0x200_0000_0000
    assert mm.allocate(memory.new_process(), 0x1000) != first


def test_without_randomisation_all_processes_are_alike(world: Any) -> None:
    """With ASLR off every address is the same in every process."""
    mm.initialize(world.kernel, aslr=False)
    from tests.mm.conftest import Memory

    memory = Memory(world)
    assert mm.allocate(memory.process, 0x1000) == mm.allocate(memory.new_process(), 0x1000) == 0x100_0000_0000


def test_a_hole_is_filled_first(memory: Any) -> None:
    """The lowest hole that is large enough is taken, whatever was freed in which order."""
    ranges = [mm.allocate(memory.process, 0x10000 * (1 + number % 3)) for number in range(60)]
    chance = random.Random(3)
    for _ in range(300):
        if ranges and chance.random() < 0.5:
            mm.free(memory.process, ranges.pop(chance.randrange(len(ranges))))
        else:
            pages = chance.choice((1, 16, 17, 40))
            expected = lowest_hole(memory.space, pages)
            ranges.append(mm.allocate(memory.process, pages * 0x1000))
            assert ranges[-1] == expected


def lowest_hole(space: Any, pages: int) -> int:
    """By trying every 64 KB."""
    page = space.layout.bottom_up >> 12
    while space.vads.overlaps(page, page + pages):
        page += 16
    return int(page << 12)


def test_top_down_takes_the_highest_place(memory: Any) -> None:
    """MEM_TOP_DOWN allocations follow one another downward from the top of the user half."""
    first = mm.allocate(memory.process, 0x1000, top_down=True)
    second = mm.allocate(memory.process, 0x20000, top_down=True)
    assert first > 0x7FFF_0000_0000
    assert second == first - 0x20000


def test_a_taken_address_is_refused(memory: Any) -> None:
    """Asking for an address within another range gives CONFLICTING_ADDRESSES."""
    base = mm.allocate(memory.process, 0x20000)
    with pytest.raises(NtError) as error:
        mm.allocate(memory.process, 0x1000, address=base + 0x10000)
    assert error.value.status == STATUS.CONFLICTING_ADDRESSES


@pytest.mark.parametrize(
    ("bits", "limit"),
    [(0, 0x7FFF_FFFF_0000), (1, 1 << 31), (21, 1 << 11), (22, 0), (0x7FFF_FFFF, 1 << 31), (1 << 40, 1 << 41)],
)
def test_zero_bits_bound_the_address(bits: int, limit: int) -> None:
    """ZeroBits counts leading zeroes of 32 bits up to 21, and is a mask from 32 on."""
    assert zero_bits_limit(bits) == limit


def test_a_program_may_keep_addresses_in_32_bits() -> None:
    """Without HIGH_ENTROPY_VA only 8 bits are random, and allocations, stacks and the PEB begin below 4 GB."""
    chosen = set()
    for seed in range(40):
        chance = random.Random(seed)
        layout = ProcessLayout(chance)
        assert layout.bottom_up > 1 << 32
        layout.lessen(chance)
        assert 0x10000 <= layout.bottom_up < 1 << 32
        assert layout.low < 1 << 32
        chosen.add(layout.bottom_up)
    assert 1 < len(chosen) <= 256

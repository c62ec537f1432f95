"""Where things go in an address space: randomised bases, and the bases that images have for one boot.

The figures are those of 64-bit Windows 10 (structures.md section 12, image-loader.md section 8): bottom-up
allocations begin at one of 2^24 places, programs have 17 bits, libraries are stacked downward from one of
2^19.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.mm import LOWEST_USER_ADDRESS
from ntos.abi.pe.headers import DllFlag, FileFlag, ImageHeaders, Machine, align_up

if TYPE_CHECKING:
    from random import Random

GRANULARITY = 0x10000
FOUR_GIGABYTES = 1 << 32
USER_END = 0x7FFF_FFFF_0000
"""One past the highest user address."""

LIBRARY_TOP = 0x7FFF_FFFF_0000
LIBRARY_BITS = 19
PROGRAM_BASE = 0x7FF6_0000_0000
PROGRAM_BITS = 17
LOW_LIBRARY_TOP = 0x7800_0000
LOW_LIBRARY_BITS = 14
LOW_PROGRAM_BASE = 0x0040_0000
LOW_PROGRAM_BITS = 8

BOTTOM_UP_BASE = 0x100_0000_0000
BOTTOM_UP_BITS = 24
TEB_REGION = 0x20_0000
"""The PEB and the first TEBs share one reservation of this size; further ones are made as threads come."""
LOW_BASE = 0x10_0000_0000
LOW_BITS = 18
FEW_BITS = 8
"""How much is random in the places of a process whose program did not ask for high entropy; all lie below 4 GB."""


class ProcessLayout:
    """One process's random bases, chosen when its address space is made."""

    __slots__ = ("bottom_up", "low", "peb_page", "top_down")

    def __init__(self, random: Random | None) -> None:
        def choose(bits: int) -> int:
            return random.getrandbits(bits) if random is not None else 0

        self.bottom_up = BOTTOM_UP_BASE + (choose(BOTTOM_UP_BITS) << 16)
        """Where allocations without an address begin."""
        self.low = LOW_BASE + choose(LOW_BITS) * TEB_REGION
        """Where PEB, TEBs and stacks begin."""
        self.peb_page = choose(8)
        self.top_down = USER_END - (choose(8) << 16)

    def lessen(self, random: Random | None) -> None:
        """The program's image lacks HIGH_ENTROPY_VA: it may keep addresses in 32 bits."""
        choice = random.getrandbits(FEW_BITS) if random is not None else 0
        self.bottom_up = LOWEST_USER_ADDRESS + (choice << 16)
        self.low = TEB_REGION * (1 + choice)


class ImagePlacement:
    """One base per image per boot: programs at random places, libraries downward from a random top."""

    def __init__(self, random: Random | None) -> None:
        self._random = random
        self._top = LIBRARY_TOP - (self._choose(LIBRARY_BITS) << 16) if random else LIBRARY_TOP
        self._low_top = LOW_LIBRARY_TOP - (self._choose(LOW_LIBRARY_BITS) << 16)
        self._lowest = LIBRARY_TOP - (2 << 35)
        self._taken: list[tuple[int, int]] = []

    def _choose(self, bits: int) -> int:
        return self._random.getrandbits(bits) if self._random is not None else 0

    def base_for(self, headers: ImageHeaders) -> int:
        """The base an image gets until the next boot: a random one if it may be moved, else its own."""
        if self._random is None or not is_relocatable(headers):
            return headers.image_base
        size = align_up(headers.size_of_image, GRANULARITY)
        low = headers.machine in {Machine.I386, Machine.ARMNT} or (
            headers.image_base < FOUR_GIGABYTES and not headers.dll_characteristics & DllFlag.HIGH_ENTROPY_VA
        )
        if not headers.is_dll:
            return self._program(size, low)
        if low:
            self._low_top -= size
            if self._low_top < 0x1000_0000:
                return headers.image_base
            return self._low_top
        self._top -= size
        return self._top

    def _program(self, size: int, low: bool) -> int:
        base, bits = (LOW_PROGRAM_BASE, LOW_PROGRAM_BITS) if low else (PROGRAM_BASE, PROGRAM_BITS)
        for _ in range(64):
            start = base + (self._choose(bits) << 16)
            end = start + size
            if all(end <= other or start >= other_end for other, other_end in self._taken):
                break
        self._taken.append((start, end))
        return start


def is_relocatable(headers: ImageHeaders) -> bool:
    """Whether the image lets itself be moved: DYNAMICBASE, and relocations not stripped."""
    moves = headers.dll_characteristics & DllFlag.DYNAMIC_BASE
    return bool(moves) and not headers.characteristics & FileFlag.RELOCS_STRIPPED


def zero_bits_limit(zero_bits: int) -> int:
    """One past the highest address that `ZeroBits` allows; 0 for a value that has no meaning."""
    if zero_bits == 0:
        return USER_END
    if zero_bits < 32:
        # Counted from bit 31: with any set, the address lies below 4 GB.
        return 1 << (32 - zero_bits) if zero_bits <= 21 else 0
    return min(1 << zero_bits.bit_length(), USER_END)


def is_user_span(address: int, size: int) -> bool:
    """Whether [address, address + size) may hold user pages."""
    return address >= LOWEST_USER_ADDRESS and size > 0 and address + size <= USER_END

"""The board: memory, page tables of the System address space, clock, randomness and a processor, joined."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from ntos.hal.clock import Clock
from ntos.hal.paging import KernelMemory, PageTables
from ntos.hal.physical import PhysicalMemory

if TYPE_CHECKING:
    from ntos.hal.cpu import Backend

SYSTEM_PML4 = 0x1AD000
"""Where real machines of the reference build keep it; Volatility scans this range first (volatility.md section 3)."""


class Platform:
    """What a kernel is started on."""

    def __init__(self, memory_size: int, seed: int, backend: Backend | None = None) -> None:
        self.physical = PhysicalMemory(memory_size)
        self.clock = Clock()
        self.random = random.Random(seed)
        self.physical.reserve(SYSTEM_PML4)
        self.tables = PageTables(self.physical, None, SYSTEM_PML4)
        self.kernel_memory = KernelMemory(self.tables)
        self._backend = backend

    @property
    def backend(self) -> Backend:
        """The processor; attach one before running anything."""
        assert self._backend is not None
        return self._backend

    def attach(self, backend: Backend) -> None:
        """Put the processor in."""
        self._backend = backend
        self.tables.backend = backend

    def close(self) -> None:
        """Switch off."""
        if self._backend is not None:
            self._backend.close()
        self.physical.close()

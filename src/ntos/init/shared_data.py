"""KUSER_SHARED_DATA: one page that every process can read at 0x7FFE0000, kept up to date on each clock tick."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ntos.abi.layout.shared_data import KUSER_SHARED_DATA
from ntos.hal.clock import TICKS_PER_SECOND
from ntos.hal.paging import DIRTY, NO_EXECUTE, WRITABLE

if TYPE_CHECKING:
    from ntos.ke.kernel import Kernel

KERNEL_ADDRESS = 0xFFFF_F780_0000_0000
USER_ADDRESS = 0x7FFE_0000
TICK_COUNT_MULTIPLIER = 0x0FA0_0000
PRESENT_FEATURES = (2, 3, 6, 8, 9, 10, 12, 13, 14, 17, 22, 23, 28, 32, 36, 37)
"""PF_* numbers: CMPXCHG8B, MMX, SSE, RDTSC, PAE, SSE2, NX, SSE3, CX16, XSAVE off elsewhere, FSGSBASE, fast fail,
RDRAND, RDTSCP, SSSE3, SSE4.1: what the engine executes as a processor does, nothing else."""


class SharedData:
    """The page's frame and the fields that move."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.frame = kernel.platform.physical.allocate()
        kernel.platform.tables.map(KERNEL_ADDRESS, self.frame, WRITABLE | NO_EXECUTE | DIRTY)
        self.view = KUSER_SHARED_DATA(kernel.memory, KERNEL_ADDRESS)
        self._fill()
        self.tick()
        kernel.scheduler.on_tick = self.tick

    def _fill(self) -> None:
        view, kernel = self.view, self.kernel
        view.TickCountMultiplier = TICK_COUNT_MULTIPLIER
        view.ImageNumberLow = view.ImageNumberHigh = 0x8664
        view.NtSystemRoot = "C:\\Windows"
        view.LargePageMinimum = 0x200000
        view.NtBuildNumber = 19045
        view.NtProductType = 1
        view.ProductTypeIsValid = 1
        view.NativeProcessorArchitecture = 9
        view.NtMajorVersion = 10
        view.SuiteMask = 0x110
        view.MitigationPolicies = 0x0A
        view.CyclesPerYield = 100
        view.ActiveConsoleId = 1
        view.NumberOfPhysicalPages = kernel.platform.physical.frames
        view.SharedDataFlags = 0x0E
        view.TestRetInstruction = 0xC3
        view.QpcFrequency = TICKS_PER_SECOND
        view.Cookie = kernel.random.getrandbits(32)
        view.ActiveProcessorCount = 1
        view.ActiveGroupCount = 1
        view.UnparkedProcessorCount = 1
        for feature in PRESENT_FEATURES:
            view.ProcessorFeatures[feature] = 1

    def tick(self) -> None:
        """Write the times; the second high part goes first and the first last, as readers expect."""
        clock, memory = self.kernel.clock, self.kernel.memory
        for offset, value in ((0x08, clock.now), (0x14, clock.system_time), (0x320, clock.tick_count)):
            high = value >> 32 & 0xFFFF_FFFF
            memory.write(KERNEL_ADDRESS + offset, struct.pack("<III", value & 0xFFFF_FFFF, high, high))

"""Virtual time: deterministic, in 100 ns units, jumping forward when everybody waits.

Windows' clock interrupt updates KUSER_SHARED_DATA every 15.625 ms. Ours has no interrupt: time advances by a small
fixed step at each kernel entry, by a quantum when a thread spins, and to the next timer when all threads wait.
"""

from __future__ import annotations

TICKS_PER_SECOND = 10_000_000
CLOCK_INCREMENT = 156_250
"""15.625 ms (KeTimeIncrement)."""
CYCLES_PER_UNIT = 320
"""Processor cycles in 100 ns: KPRCB.MHz says 3200."""
BOOT_TIME = 133_500_000_000_000_000
"""2024-01-17 in FILETIME units: a machine starts at the same moment every time unless told otherwise."""


class Clock:
    """`now` is the interrupt time (100 ns since boot); `system_time` adds the boot moment."""

    __slots__ = ("boot_time", "now")

    def __init__(self, boot_time: int = BOOT_TIME) -> None:
        self.boot_time = boot_time
        self.now = TICKS_PER_SECOND * 60

    @property
    def system_time(self) -> int:
        """100 ns since 1601-01-01 UTC."""
        return self.boot_time + self.now

    @property
    def tick_count(self) -> int:
        """Clock interrupts since boot (KeTickCount)."""
        return self.now // CLOCK_INCREMENT

    def advance(self, units: int) -> None:
        """Let `units` of 100 ns pass."""
        self.now += units

    def advance_to(self, moment: int) -> None:
        """Let time pass until `moment` (never backwards)."""
        self.now = max(self.now, moment)

"""Milliseconds since boot, as messages carry them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ntos.ke.kernel import Kernel

UNITS = 10_000


def milliseconds(kernel: Kernel) -> int:
    """GetTickCount's number."""
    return kernel.clock.now // UNITS & 0xFFFF_FFFF

"""Locally unique identifiers: numbers that name a token, a logon session, a modification, until the machine
restarts.
"""

from __future__ import annotations

from ntos.abi.layout.string import LUID
from ntos.ke.kernel import Kernel

FIRST = 0x3E9
"""Below stand the well-known logon sessions: 0x3E4 to 0x3E7, and 0x3E8 for IUSR."""


class Luids:
    """The counter (ExpLuid)."""

    def __init__(self) -> None:
        self.next = FIRST


def allocate(kernel: Kernel) -> int:
    """The next identifier (ExAllocateLocallyUniqueId)."""
    counter = kernel.part(Luids)
    counter.next += 1
    return counter.next - 1


def put(field: LUID, value: int) -> None:
    """Write a 64-bit identifier into a LUID."""
    field.LowPart = value & 0xFFFF_FFFF
    field.HighPart = value >> 32


def get(field: LUID) -> int:
    """The identifier as one number."""
    return int(field.LowPart) | (int(field.HighPart) & 0xFFFF_FFFF) << 32

"""MEM_EXTENDED_PARAMETER arrays: what VirtualAlloc2 and MapViewOfFile3 ask beyond the classic arguments."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ntos.abi.status import STATUS, NtError
from ntos.mm.layout import GRANULARITY, USER_END

if TYPE_CHECKING:
    from ntos.ke.thread import Thread

ADDRESS_REQUIREMENTS = 1
NUMA_NODE = 2
PARTITION = 3
USER_PHYSICAL = 4
ATTRIBUTE_FLAGS = 5
_MAXIMUM = 5


def parameters_of(thread: Thread, address: int, count: int) -> tuple[int, int, int]:
    """(lowest address, limit, alignment in pages) that the parameters ask for; zeroes where they do not."""
    lowest = limit = alignment = 0
    if count > _MAXIMUM or bool(count) != bool(address):
        raise NtError(STATUS.INVALID_PARAMETER)
    for index in range(count):
        kind, value = struct.unpack("<QQ", thread.memory.read(address + 16 * index, 16))
        if kind & 0xFF == ADDRESS_REQUIREMENTS:
            lowest, highest, alignment = struct.unpack("<QQQ", thread.memory.read(value, 24))
            limit = _check(lowest, highest, alignment)
        elif kind & 0xFF != NUMA_NODE or value:
            # There is one node; asking for it changes nothing.
            raise NtError(STATUS.INVALID_PARAMETER)
    return lowest, limit, alignment >> 12


def _check(lowest: int, highest: int, alignment: int) -> int:
    """One past the highest address allowed; INVALID_PARAMETER for bounds that are none."""
    limit = highest + 1 if highest else 0
    aligned = alignment & (alignment - 1) == 0 and (alignment == 0 or alignment >= GRANULARITY)
    if (
        lowest % GRANULARITY
        or limit % 0x1000
        or limit > USER_END
        or not aligned
        or (limit and lowest >= limit)
    ):
        raise NtError(STATUS.INVALID_PARAMETER)
    return limit

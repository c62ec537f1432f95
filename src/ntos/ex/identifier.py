"""Unique numbers: LUIDs and ranges of UUID time stamps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.layout.string import LUID
from ntos.abi.pointer import Out
from ntos.abi.status import STATUS
from ntos.abi.types import NTSTATUS, PVOID, ULARGE_INTEGER, ULONG
from ntos.ke.service import service
from ntos.se import luid

if TYPE_CHECKING:
    from ntos.ke.thread import Thread

UUID_EPOCH = 0x146BF33E42C000
"""1582-10-15 to 1601-01-01 in 100 ns units (RFC 9562)."""
RANGE = 10_000
"""A millisecond's worth of time stamps is handed out at a time."""


class UuidState:
    """What makes the machine's UUIDs unique. `kernel.part(UuidState)`."""

    def __init__(self) -> None:
        self.last = 0
        self.sequence = 0
        self.seed = b""


@service
def NtAllocateLocallyUniqueId(thread: Thread, Luid: Out[LUID]) -> NTSTATUS:
    """A number that is unique until the machine restarts."""
    value = luid.allocate(thread.kernel)
    thread.memory.write(Luid.address, value.to_bytes(8, "little"))
    return STATUS.SUCCESS


@service
def NtAllocateUuids(
    thread: Thread, Time: Out[ULARGE_INTEGER], Range: Out[ULONG], Sequence: Out[ULONG], Seed: PVOID
) -> NTSTATUS:
    """A range of UUID time stamps, the clock sequence, and six bytes that stand for a network address."""
    kernel = thread.kernel
    state = kernel.part(UuidState)
    if not state.seed:
        node = bytearray(kernel.random.randbytes(6))
        node[0] |= 1  # the multicast bit: no real card has this address
        state.seed = bytes(node)
        state.sequence = kernel.random.getrandbits(14)
    now = max(kernel.clock.system_time + UUID_EPOCH, state.last + RANGE)
    state.last = now
    thread.memory.write(Seed, state.seed)
    Time.write(now)
    Range.write(RANGE)
    Sequence.write(state.sequence)
    return STATUS.SUCCESS

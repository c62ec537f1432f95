"""RtlGenRandom, which is exported under the name SystemFunction036 (ntsecapi.h)."""

from __future__ import annotations

from ntos.abi.types import BOOLEAN, PVOID, ULONG
from ntos.um.entropy import fill_random
from ntos.um.export import export
from ntos.um.thread import UserThread


@export
async def SystemFunction036(thread: UserThread, RandomBuffer: PVOID, RandomBufferLength: ULONG) -> BOOLEAN:
    """Fill a buffer with random bytes."""
    await fill_random(thread, RandomBuffer, RandomBufferLength)
    return BOOLEAN(1)

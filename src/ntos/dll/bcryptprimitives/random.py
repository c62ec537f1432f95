"""ProcessPrng: the random numbers of current Rust, Go and Chromium programs."""

from __future__ import annotations

from ntos.abi.types import BOOL, PVOID, SIZE_T
from ntos.um.entropy import fill_random
from ntos.um.export import export
from ntos.um.thread import UserThread


@export
async def ProcessPrng(thread: UserThread, pbData: PVOID, cbData: SIZE_T) -> BOOL:
    """Fill a buffer with random bytes; it never fails."""
    await fill_random(thread, pbData, cbData)
    return BOOL(1)

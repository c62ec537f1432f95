"""BCryptGenRandom over the kernel's generator."""

from __future__ import annotations

from ntos.abi.status import STATUS
from ntos.abi.types import HANDLE, NTSTATUS, PVOID, ULONG
from ntos.um.entropy import fill_random
from ntos.um.export import export
from ntos.um.thread import UserThread

BCRYPT_RNG_ALG_HANDLE = 0x81
"""The pseudo handle of the generator (bcrypt.h, Windows 10)."""
BCRYPT_USE_SYSTEM_PREFERRED_RNG = 2


@export(partial="the pseudo handle and the preferred generator; no provider can be opened")
async def BCryptGenRandom(
    thread: UserThread, hAlgorithm: HANDLE, pbBuffer: PVOID, cbBuffer: ULONG, dwFlags: ULONG
) -> NTSTATUS:
    """Fill a buffer with random bytes."""
    preferred = dwFlags & BCRYPT_USE_SYSTEM_PREFERRED_RNG != 0
    if preferred == (hAlgorithm != 0) or (hAlgorithm and hAlgorithm != BCRYPT_RNG_ALG_HANDLE):
        return STATUS.INVALID_HANDLE
    if not pbBuffer:
        return STATUS.INVALID_PARAMETER
    await fill_random(thread, pbBuffer, cbBuffer)
    return STATUS.SUCCESS

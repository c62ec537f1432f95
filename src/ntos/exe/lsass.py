"""lsass.exe: the local security authority."""

from __future__ import annotations

from ntos.abi.types import NTSTATUS, PVOID
from ntos.exe import launch
from ntos.um.export import export
from ntos.um.thread import UserThread

BASE_PRIORITY = 9


@export
async def wWinMainCRTStartup(thread: UserThread, Peb: PVOID) -> NTSTATUS:
    """Wait for logons."""
    await launch.settle(thread, BASE_PRIORITY)
    await launch.stay(thread)
    return NTSTATUS(0)

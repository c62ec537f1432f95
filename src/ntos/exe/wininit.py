"""wininit.exe: session 0's first program. It starts the service control manager and the local security authority."""

from __future__ import annotations

from ntos.abi.types import NTSTATUS, PVOID
from ntos.exe import launch
from ntos.um.export import export
from ntos.um.thread import UserThread

BASE_PRIORITY = 13


@export
async def wWinMainCRTStartup(thread: UserThread, Peb: PVOID) -> NTSTATUS:
    """Start the two, then stay: wininit ends when the machine does."""
    await launch.settle(thread, BASE_PRIORITY)
    for program in ("services.exe", "lsass.exe"):
        await launch.program(thread, f"C:\\Windows\\System32\\{program}")
    await launch.stay(thread)
    return NTSTATUS(0)

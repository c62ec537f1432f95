"""svchost.exe: a process for services that live in DLLs."""

from __future__ import annotations

from ntos.abi.types import NTSTATUS, PVOID
from ntos.exe import launch
from ntos.um.export import export
from ntos.um.thread import UserThread


@export
async def wWinMainCRTStartup(thread: UserThread, Peb: PVOID) -> NTSTATUS:
    """Load the service's DLL and run it."""
    await launch.stay(thread)
    return NTSTATUS(0)

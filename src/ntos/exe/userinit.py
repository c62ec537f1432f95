"""userinit.exe: the first program with a user's token. It starts the shell and ends, so the shell's parent is gone."""

from __future__ import annotations

from ntos.abi.types import NTSTATUS, PVOID
from ntos.exe import launch
from ntos.um.export import export
from ntos.um.thread import UserThread


@export
async def wWinMainCRTStartup(thread: UserThread, Peb: PVOID) -> NTSTATUS:
    """Start explorer.exe."""
    await launch.program(thread, "C:\\Windows\\explorer.exe")
    return NTSTATUS(0)

"""services.exe: the service control manager. It starts a svchost.exe for each group of services that start at boot."""

from __future__ import annotations

from ntos.abi.types import NTSTATUS, PVOID
from ntos.exe import launch
from ntos.um.export import export
from ntos.um.thread import UserThread

AT_BOOT = ("-k netsvcs -p -s seclogon",)
"""Arguments of the svchosts that are started: one service each, as on machines with enough memory."""

BASE_PRIORITY = 9


@export
async def wWinMainCRTStartup(thread: UserThread, Peb: PVOID) -> NTSTATUS:
    """Start the services, then answer for them."""
    await launch.settle(thread, BASE_PRIORITY)
    for arguments in AT_BOOT:
        await launch.program(thread, "C:\\Windows\\System32\\svchost.exe", arguments)
    await launch.stay(thread)
    return NTSTATUS(0)

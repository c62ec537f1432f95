"""services.exe: the service control manager. It starts a svchost.exe for each service that is there from the start."""

from __future__ import annotations

import ntpath

from ntos.abi.types import NTSTATUS, PVOID
from ntos.exe import account_database as registry
from ntos.exe import launch
from ntos.um.export import export
from ntos.um.thread import UserThread

SERVICES = r"\REGISTRY\MACHINE\SYSTEM\CurrentControlSet\Services"
AT_BOOT = ("seclogon",)
"""What is started, unless it is disabled: services that Windows starts when somebody first asks for them."""
DISABLED = 4
SYSTEM32 = "C:\\Windows\\System32"

BASE_PRIORITY = 9


@export
async def wWinMainCRTStartup(thread: UserThread, Peb: PVOID) -> NTSTATUS:
    """Start the services, then answer for them."""
    await launch.settle(thread, BASE_PRIORITY)
    for name in AT_BOOT:
        await _start(thread, name)
    await launch.stay(thread)
    return NTSTATUS(0)


async def _start(thread: UserThread, name: str) -> None:
    """One process a service, as on machines with enough memory: `-s` says which of the group it is."""
    key = rf"{SERVICES}\{name}"
    start = await registry.value(thread, key, "Start")
    if start is None or int.from_bytes(start, "little") == DISABLED:
        return
    image, _, arguments = (await registry.text(thread, key, "ImagePath")).partition(" ")
    await launch.program(thread, f"{SYSTEM32}\\{ntpath.basename(image)}", f"{arguments} -s {name}")

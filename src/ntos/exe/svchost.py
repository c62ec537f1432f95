"""svchost.exe: a process for services that live in DLLs; `-s` names the service."""

from __future__ import annotations

import ntpath

from ntos.abi.types import NTSTATUS, PVOID
from ntos.exe import account_database as registry
from ntos.exe import launch
from ntos.um.export import export
from ntos.um.modules import find_export
from ntos.um.ntdll import rtl_status
from ntos.um.thread import UserThread

SERVICES = r"\REGISTRY\MACHINE\SYSTEM\CurrentControlSet\Services"


@export
async def wWinMainCRTStartup(thread: UserThread, Peb: PVOID) -> NTSTATUS:
    """Load the service's DLL and run it."""
    words = launch.parameters(thread).CommandLine.text.split()
    service = words[words.index("-s") + 1]
    key = rf"{SERVICES}\{service}\Parameters"
    path = await registry.text(thread, key, "ServiceDll")
    routine = await registry.text(thread, key, "ServiceMain") or "ServiceMain"
    name = ntpath.basename(path)
    with thread.frame() as frame:
        await rtl_status(thread, "LdrLoadDll", 0, 0, frame.unicode_string(name), frame.allocate(8))
    await thread.call(find_export(thread, name, routine), 0, 0)
    return NTSTATUS(0)

"""winlogon.exe: the interactive session's first program. It logs users on and starts their userinit.exe."""

from __future__ import annotations

from ntos.abi.types import NTSTATUS, PVOID
from ntos.exe import launch
from ntos.exe.requests import Requests
from ntos.um.export import export
from ntos.um.thread import UserThread

BASE_PRIORITY = 13
DESKTOP = "WinSta0\\Default"


@export
async def wWinMainCRTStartup(thread: UserThread, Peb: PVOID) -> NTSTATUS:
    """Wait for somebody to log on; his shell is started with his token."""
    await launch.settle(thread, BASE_PRIORITY, critical=False)
    requests = thread.state(Requests)
    while True:
        token = await requests.next(thread, int)
        await launch.program(thread, "C:\\Windows\\System32\\userinit.exe", desktop=DESKTOP, token=token)

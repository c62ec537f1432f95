"""csrss.exe: the Windows subsystem's process; all it does is in csrsrv.dll and the server DLLs."""

from __future__ import annotations

from ntos.abi.ob import CURRENT_THREAD
from ntos.abi.types import NTSTATUS, PVOID
from ntos.exe import launch
from ntos.um import nt
from ntos.um.export import export
from ntos.um.modules import find_export
from ntos.um.thread import UserThread

BASE_PRIORITY = 13


@export
async def NtProcessStartup(thread: UserThread, Peb: PVOID) -> NTSTATUS:
    """Bring the server up; then this thread goes, the server's own threads stay."""
    await launch.settle(thread, BASE_PRIORITY)
    status = await thread.call(find_export(thread, "csrsrv.dll", "CsrServerInitialization"), 0, 0)
    nt.NtTerminateThread(thread, CURRENT_THREAD, status & 0xFFFF_FFFF)
    return NTSTATUS(status & 0xFFFF_FFFF)

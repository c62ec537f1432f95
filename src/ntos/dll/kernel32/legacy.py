"""What 16-bit Windows left in kernel32."""

from __future__ import annotations

from ntos.abi.layout.system_info import SYSTEM_REGISTRY_QUOTA_INFORMATION
from ntos.abi.pointer import Out
from ntos.abi.sysinfo import SYSTEM_INFORMATION_CLASS
from ntos.abi.types import BOOL, DWORD, UINT
from ntos.dll.kernelbase.services import nt
from ntos.um.export import export
from ntos.um.thread import UserThread


@export
def SetHandleCount(thread: UserThread, uNumber: UINT) -> UINT:
    """How many files may be open: as many as were asked for, Windows NT has no limit to set."""
    return uNumber


@export
async def GetSystemRegistryQuota(
    thread: UserThread, pdwQuotaAllowed: Out[DWORD] | None, pdwQuotaUsed: Out[DWORD] | None
) -> BOOL:
    """How much the registry may hold, and holds, in bytes."""
    with thread.frame() as frame:
        quota: SYSTEM_REGISTRY_QUOTA_INFORMATION = frame.new(SYSTEM_REGISTRY_QUOTA_INFORMATION)
        kind = SYSTEM_INFORMATION_CLASS.SystemRegistryQuotaInformation
        await nt.NtQuerySystemInformation(thread, kind, quota.address, quota.size, 0)
        if pdwQuotaAllowed is not None:
            pdwQuotaAllowed.write(quota.RegistryQuotaAllowed)
        if pdwQuotaUsed is not None:
            pdwQuotaUsed.write(quota.RegistryQuotaUsed)
    return BOOL(1)

"""user32's DllMain: the process meets win32k, which needs its desktop to be there."""

from __future__ import annotations

from ntos.abi.types import BOOL, DWORD, HANDLE, PVOID
from ntos.abi.win32 import DLL_PROCESS_ATTACH
from ntos.dll.user32.shared import connect
from ntos.um.export import export
from ntos.um.thread import UserThread


@export
def DllMain(thread: UserThread, hinstDLL: HANDLE, fdwReason: DWORD, lpvReserved: PVOID) -> BOOL:
    """Connect; without a desktop the DLL cannot be used (STATUS_DLL_INIT_FAILED)."""
    if fdwReason != DLL_PROCESS_ATTACH:
        return BOOL(1)
    return BOOL(connect(thread) == 0)

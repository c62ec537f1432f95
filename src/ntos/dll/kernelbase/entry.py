"""kernelbase's DllMain: what it puts in place when a process begins, and clears when threads end."""

from __future__ import annotations

from ntos.abi.types import BOOL, DWORD, HANDLE, PVOID
from ntos.abi.win32 import DLL_PROCESS_ATTACH
from ntos.dll.kernelbase import subsystem
from ntos.dll.kernelbase.environment import Kept
from ntos.dll.kernelbase.fiber_switch import FIBER_CODE
from ntos.dll.kernelbase.objects import parameters
from ntos.dll.kernelbase.own import Own, own_entry
from ntos.dll.kernelbase.services import rtl
from ntos.um.export import export
from ntos.um.thread import UserThread

GUEST_CODE = {**FIBER_CODE}
FORWARDERS = {
    "HeapFree": "NTDLL.RtlFreeHeap",
    "WakeByAddressAll": "NTDLL.RtlWakeAddressAll",
    "WakeByAddressSingle": "NTDLL.RtlWakeAddressSingle",
    "HeapValidate": "NTDLL.RtlValidateHeap",
    "HeapLock": "NTDLL.RtlLockHeap",
    "HeapUnlock": "NTDLL.RtlUnlockHeap",
    "HeapCompact": "NTDLL.RtlCompactHeap",
}
"""Names the real kernelbase has code for that does nothing but call ntdll; too hot, or too plain, for
a trap."""


@export
async def DllMain(thread: UserThread, hinstDLL: HANDLE, fdwReason: DWORD, lpvReserved: PVOID) -> BOOL:
    """Tell ntdll whom to ask about unhandled exceptions, and csrss that the process is here."""
    if fdwReason == DLL_PROCESS_ATTACH:
        thread.state(Own).base = hinstDLL
        thread.state(Kept).wide_command_line = int(parameters(thread).CommandLine.Buffer)
        top = own_entry(thread, "UnhandledExceptionFilter")
        await rtl(thread, "RtlSetUnhandledExceptionFilter", top)
        await subsystem.connect(thread)
    return BOOL(1)

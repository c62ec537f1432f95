"""How every thread begins: ntdll's RtlUserThreadStart calls BaseThreadInitThunk."""

from __future__ import annotations

from ntos.abi.pointer import Code
from ntos.abi.types import DWORD, PVOID
from ntos.dll.kernelbase.services import rtl
from ntos.um.export import export
from ntos.um.thread import UserThread


@export
async def BaseThreadInitThunk(thread: UserThread, LdrReserved: DWORD, lpStartAddress: Code, lpParameter: PVOID) -> None:
    """Run the start routine; the thread ends with what it returns. With `LdrReserved` the loader only
    says hello.
    """
    if LdrReserved:
        return
    code = await thread.call(lpStartAddress, lpParameter)
    await rtl(thread, "RtlExitUserThread", code & 0xFFFF_FFFF)

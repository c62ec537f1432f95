"""DirectX's kernel door (dxgkrnl): the first D3DKMT call gives the process a DXGPROCESS; there is no adapter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.pointer import Ptr
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import NTSTATUS, ULONG
from ntos.ke.win32_service import user_service
from ntos.win32k import dxg_process
from ntos.win32k.process import current

if TYPE_CHECKING:
    from ntos.ke.thread import Thread

SIZE_OF_LUID_REQUEST, SIZE_OF_ENUMERATION = 0xC, 0x10


def _begin(thread: Thread) -> None:
    current(thread).owner.view.W32.DxProcess = dxg_process.begin(thread.process)


@user_service()
def NtGdiDdDDIOpenAdapterFromLuid(thread: Thread, pData: Ptr[ULONG]) -> NTSTATUS:
    """Open a graphics adapter by its LUID: there is none of any."""
    _begin(thread)
    pData.read_bytes(SIZE_OF_LUID_REQUEST)
    raise NtError(STATUS.INVALID_PARAMETER)


@user_service()
def NtGdiDdDDIEnumAdapters2(thread: Thread, pData: Ptr[ULONG]) -> NTSTATUS:
    """How many graphics adapters there are (D3DKMT_ENUMADAPTERS2): none."""
    _begin(thread)
    pData.read_bytes(SIZE_OF_ENUMERATION)
    pData.write(0)
    return STATUS.SUCCESS


@user_service()
def NtGdiDdDDICloseAdapter(thread: Thread, pData: Ptr[ULONG]) -> NTSTATUS:
    """Close an adapter's handle: none was ever given."""
    _begin(thread)
    pData.read()
    raise NtError(STATUS.INVALID_PARAMETER)

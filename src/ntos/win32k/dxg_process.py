"""DXGPROCESS: what dxgkrnl keeps of a process from its first D3DKMT call to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.layout.win32k import DXGPROCESS

if TYPE_CHECKING:
    from ntos.ke.process import Process

TAG = b"DXGp"
NORMAL_PRIORITY = 2
"""D3DKMT_SCHEDULINGPRIORITYCLASS_NORMAL."""


def begin(process: Process) -> int:
    """EPROCESS.DxgProcess, made on first use."""
    address = int(process.eprocess.DxgProcess)
    if not address:
        kernel = process.kernel
        address = kernel.pool.allocate(DXGPROCESS.size, TAG, paged=True)
        view = DXGPROCESS(kernel.memory, address)
        view.Process = process.address
        view.AdapterList.initialize()
        view.DeviceList.initialize()
        view.SchedulingPriorityClass = NORMAL_PRIORITY
        process.eprocess.DxgProcess = address
    return address


def end(process: Process) -> None:
    """The process's rundown."""
    address = int(process.eprocess.DxgProcess)
    if address:
        process.eprocess.DxgProcess = 0
        process.kernel.pool.free(address)

"""DirectX's kernel door (d3dkmthk.h): there is no graphics adapter."""

from __future__ import annotations

from ntos.abi.pointer import Ptr
from ntos.abi.types import NTSTATUS, ULONG
from ntos.um import nt
from ntos.um.export import export
from ntos.um.thread import UserThread


@export
def D3DKMTOpenAdapterFromLuid(thread: UserThread, unnamedParam1: Ptr[ULONG]) -> NTSTATUS:
    """Open an adapter by its LUID: none has any."""
    return NTSTATUS(int(nt.NtGdiDdDDIOpenAdapterFromLuid(thread, unnamedParam1.address)))


@export
def D3DKMTEnumAdapters2(thread: UserThread, unnamedParam1: Ptr[ULONG]) -> NTSTATUS:
    """How many adapters there are: none."""
    return NTSTATUS(int(nt.NtGdiDdDDIEnumAdapters2(thread, unnamedParam1.address)))


@export
def D3DKMTCloseAdapter(thread: UserThread, unnamedParam1: Ptr[ULONG]) -> NTSTATUS:
    """Close an adapter: none was ever open."""
    return NTSTATUS(int(nt.NtGdiDdDDICloseAdapter(thread, unnamedParam1.address)))

"""Whether the system insists on validated algorithms (FIPS 140)."""

from __future__ import annotations

from ntos.abi.pointer import Out
from ntos.abi.status import STATUS
from ntos.abi.types import NTSTATUS, UCHAR
from ntos.um.export import export
from ntos.um.thread import UserThread
from ntos.um.win32 import win32

HKEY_LOCAL_MACHINE = 0xFFFF_FFFF_8000_0002
RRF_RT_REG_DWORD = 0x10
POLICY = r"SYSTEM\CurrentControlSet\Control\Lsa\FipsAlgorithmPolicy"


@export
async def BCryptGetFipsAlgorithmMode(thread: UserThread, pfEnabled: Out[UCHAR] | None) -> NTSTATUS:
    """Whether the policy that allows only FIPS algorithms is set in the registry."""
    if pfEnabled is None:
        return STATUS.INVALID_PARAMETER
    with thread.frame() as frame:
        data, size = frame.bytes(bytes(4)), frame.bytes((4).to_bytes(4, "little"))
        key, name = frame.wide(POLICY), frame.wide("Enabled")
        failed = await win32(thread, "RegGetValueW", HKEY_LOCAL_MACHINE, key, name, RRF_RT_REG_DWORD, 0, data, size)
        value = int.from_bytes(thread.memory.read(data, 4), "little")
    pfEnabled.write(int(failed & 0xFFFF_FFFF == 0 and value != 0))
    return STATUS.SUCCESS

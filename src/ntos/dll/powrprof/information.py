"""CallNtPowerInformation."""

from __future__ import annotations

from ntos.abi.types import NTSTATUS, PVOID, ULONG
from ntos.dll.kernelbase.services import nt
from ntos.um.export import export
from ntos.um.thread import UserThread


@export
async def CallNtPowerInformation(
    thread: UserThread,
    InformationLevel: ULONG,
    InputBuffer: PVOID,
    InputBufferLength: ULONG,
    OutputBuffer: PVOID,
    OutputBufferLength: ULONG,
) -> NTSTATUS:
    """The service NtPowerInformation under a documented name."""
    return NTSTATUS(
        await nt.NtPowerInformation(
            thread, InformationLevel, InputBuffer, InputBufferLength, OutputBuffer, OutputBufferLength
        )
    )

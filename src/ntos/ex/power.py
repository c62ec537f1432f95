"""NtPowerInformation: what power management knows of the processors. The machine has no battery and never sleeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.layout.power import PROCESSOR_POWER_INFORMATION
from ntos.abi.layout.processor import KPRCB
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import NTSTATUS, PVOID, ULONG
from ntos.ke.service import service

if TYPE_CHECKING:
    from ntos.ke.thread import Thread

PROCESSOR_INFORMATION = 11


@service(partial="ProcessorInformation only")
def NtPowerInformation(
    thread: Thread,
    InformationLevel: ULONG,
    InputBuffer: PVOID,
    InputBufferLength: ULONG,
    OutputBuffer: PVOID,
    OutputBufferLength: ULONG,
) -> NTSTATUS:
    """Ask for a fact of power management, or set one."""
    if InformationLevel != PROCESSOR_INFORMATION:
        raise NtError(STATUS.NOT_IMPLEMENTED)
    if InputBuffer or InputBufferLength:
        raise NtError(STATUS.INVALID_PARAMETER)
    if OutputBufferLength < PROCESSOR_POWER_INFORMATION.size:
        raise NtError(STATUS.BUFFER_TOO_SMALL)
    speed = int(thread.kernel[KPRCB].MHz)
    processor = PROCESSOR_POWER_INFORMATION.new()
    processor.MaxMhz = processor.CurrentMhz = processor.MhzLimit = speed
    thread.memory.write(OutputBuffer, bytes(processor))
    return STATUS.SUCCESS

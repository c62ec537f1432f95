"""NtQuerySystemInformationEx: the classes that take an input of the caller's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos import ob
from ntos.abi import access as rights
from ntos.abi.layout.system_info import SYSTEM_CPU_SET_INFORMATION
from ntos.abi.pointer import Out
from ntos.abi.status import STATUS, NtError
from ntos.abi.sysinfo import SYSTEM_INFORMATION_CLASS as CLASS
from ntos.abi.types import NTSTATUS, PVOID, ULONG
from ntos.ke.service import service
from ntos.ob import answer

if TYPE_CHECKING:
    from ntos.ke.thread import Thread

FIRST_CPU_SET = 0x100
"""The id of processor 0's set."""
HANDLE_SIZE = 8


@service(partial="class 175, CPU sets")
def NtQuerySystemInformationEx(
    thread: Thread,
    SystemInformationClass: ULONG,
    InputBuffer: PVOID,
    InputBufferLength: ULONG,
    SystemInformation: PVOID,
    SystemInformationLength: ULONG,
    ReturnLength: Out[ULONG] | None,
) -> NTSTATUS:
    """Facts about the machine that depend on what is asked for."""
    if not InputBuffer or not InputBufferLength:
        raise NtError(STATUS.INVALID_PARAMETER)
    given = thread.memory.read(InputBuffer, InputBufferLength)
    if SystemInformationClass != int(CLASS.SystemCpuSetInformation):
        raise NtError(STATUS.INVALID_INFO_CLASS)
    if len(given) != HANDLE_SIZE:
        raise NtError(STATUS.INVALID_PARAMETER)
    process = int.from_bytes(given, "little")
    if process:
        kind = thread.kernel[ob.ObjectManager].find_type("Process")
        ob.by_handle(thread, process, rights.PROCESS_QUERY_LIMITED_INFORMATION, kind)
    if SystemInformationLength and not SystemInformation:
        thread.memory.read(0, 1)  # the buffer is probed before its size is looked at
    return answer.variable(
        thread, SystemInformation, SystemInformationLength, bytes(_the_set()), ReturnLength, STATUS.BUFFER_TOO_SMALL
    )


def _the_set() -> SYSTEM_CPU_SET_INFORMATION:
    information = SYSTEM_CPU_SET_INFORMATION.new()
    information.Size = SYSTEM_CPU_SET_INFORMATION.size
    information.Id = FIRST_CPU_SET
    return information

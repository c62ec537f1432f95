"""NtQuerySystemInformation: facts about the machine, by class."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ntos.abi.layout.system_info import (
    SYSTEM_BASIC_INFORMATION,
    SYSTEM_CODEINTEGRITY_INFORMATION,
    SYSTEM_EXCEPTION_INFORMATION,
    SYSTEM_KERNEL_DEBUGGER_INFORMATION,
    SYSTEM_PROCESSOR_INFORMATION,
    SYSTEM_REGISTRY_QUOTA_INFORMATION,
    SYSTEM_TIMEOFDAY_INFORMATION,
)
from ntos.abi.pointer import Out
from ntos.abi.status import STATUS, NtError
from ntos.abi.sysinfo import SYSTEM_INFORMATION_CLASS as CLASS
from ntos.abi.types import NTSTATUS, PVOID, ULONG
from ntos.cm.registry import Registry
from ntos.ex import system_lists, system_performance
from ntos.hal.clock import CLOCK_INCREMENT
from ntos.ke.service import service
from ntos.ob import answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from ntos.ke.kernel import Kernel
    from ntos.ke.thread import Thread

PROCESSOR_ARCHITECTURE_AMD64 = 9
PROCESSOR_LEVEL = 6
CODE_INTEGRITY_ENABLED = 1
SYSTEM_RANGE_START = 0xFFFF_8000_0000_0000
ONE_PROCESSOR = 1


def _basic(kernel: Kernel, _buffer: int) -> bytes:
    information = SYSTEM_BASIC_INFORMATION.new()
    information.TimerResolution = CLOCK_INCREMENT
    information.PageSize = 0x1000
    information.NumberOfPhysicalPages = kernel.platform.physical.frames
    information.LowestPhysicalPageNumber = 1
    information.HighestPhysicalPageNumber = kernel.platform.physical.frames - 1
    information.AllocationGranularity = 0x10000
    information.MinimumUserModeAddress = 0x10000
    information.MaximumUserModeAddress = 0x7FFF_FFFE_FFFF
    information.ActiveProcessorsAffinityMask = ONE_PROCESSOR
    information.NumberOfProcessors = ONE_PROCESSOR
    return bytes(information)


def _processor(_kernel: Kernel, _buffer: int) -> bytes:
    information = SYSTEM_PROCESSOR_INFORMATION.new()
    information.ProcessorArchitecture = PROCESSOR_ARCHITECTURE_AMD64
    information.ProcessorLevel = PROCESSOR_LEVEL
    information.MaximumProcessors = ONE_PROCESSOR
    return bytes(information)


def _time_of_day(kernel: Kernel, _buffer: int) -> bytes:
    information = SYSTEM_TIMEOFDAY_INFORMATION.new()
    information.BootTime = kernel.clock.boot_time
    information.CurrentTime = kernel.clock.system_time
    return bytes(information)


def _exceptions(_kernel: Kernel, _buffer: int) -> bytes:
    return bytes(SYSTEM_EXCEPTION_INFORMATION.new())


def _debugger(_kernel: Kernel, _buffer: int) -> bytes:
    information = SYSTEM_KERNEL_DEBUGGER_INFORMATION.new()
    information.KernelDebuggerNotPresent = 1
    return bytes(information)


def _debugger_extended(_kernel: Kernel, _buffer: int) -> bytes:
    return bytes(3)  # DebuggerAllowed, DebuggerEnabled, DebuggerPresent


def _code_integrity(_kernel: Kernel, _buffer: int) -> bytes:
    information = SYSTEM_CODEINTEGRITY_INFORMATION.new()
    information.Length = SYSTEM_CODEINTEGRITY_INFORMATION.size
    information.CodeIntegrityOptions = CODE_INTEGRITY_ENABLED
    return bytes(information)


def _range_start(_kernel: Kernel, _buffer: int) -> bytes:
    return SYSTEM_RANGE_START.to_bytes(8, "little")


def _global_flags(_kernel: Kernel, _buffer: int) -> bytes:
    return bytes(4)


def _registry_quota(kernel: Kernel, _buffer: int) -> bytes:
    """What the hives hold; since Windows XP nothing but memory limits it."""
    information = SYSTEM_REGISTRY_QUOTA_INFORMATION.new()
    information.RegistryQuotaAllowed = 0xFFFF_FFFF
    information.RegistryQuotaUsed = kernel[Registry].root.total_size()
    information.PagedPoolSize = kernel.pool.pages(paged=True) * 0x1000
    return bytes(information)


def _logical_processors(_kernel: Kernel, _buffer: int) -> bytes:
    """One core, one NUMA node, one package (SYSTEM_LOGICAL_PROCESSOR_INFORMATION)."""
    core = struct.pack("<QIIQQ", ONE_PROCESSOR, 0, 0, 0, 0)
    node = struct.pack("<QIIQQ", ONE_PROCESSOR, 1, 0, 0, 0)
    package = struct.pack("<QIIQQ", ONE_PROCESSOR, 3, 0, 0, 0)
    return core + node + package


ANSWERS: dict[int, Callable[[Kernel, int], bytes]] = {
    CLASS.SystemBasicInformation: _basic,
    CLASS.SystemProcessorInformation: _processor,
    CLASS.SystemPerformanceInformation: system_performance.performance,
    CLASS.SystemProcessorPerformanceInformation: system_performance.processors,
    CLASS.SystemPageFileInformation: system_performance.page_files,
    CLASS.SystemFileCacheInformation: system_performance.file_cache,
    CLASS.SystemInterruptInformation: system_performance.interrupts,
    CLASS.SystemProcessorIdleCycleTimeInformation: system_performance.idle_cycles,
    CLASS.SystemFlagsInformation: _global_flags,
    CLASS.SystemExceptionInformation: _exceptions,
    CLASS.SystemKernelDebuggerInformation: _debugger,
    CLASS.SystemKernelDebuggerInformationEx: _debugger_extended,
    CLASS.SystemRangeStartInformation: _range_start,
    CLASS.SystemRegistryQuotaInformation: _registry_quota,
    CLASS.SystemEmulationBasicInformation: _basic,
    CLASS.SystemEmulationProcessorInformation: _processor,
    CLASS.SystemCodeIntegrityInformation: _code_integrity,
    CLASS.SystemNativeBasicInformation: _basic,
    CLASS.SystemProcessInformation: system_lists.processes,
    CLASS.SystemExtendedProcessInformation: system_lists.processes_extended,
    CLASS.SystemModuleInformation: system_lists.modules,
    CLASS.SystemHandleInformation: system_lists.handles,
    CLASS.SystemExtendedHandleInformation: system_lists.handles_extended,
    CLASS.SystemLogicalProcessorInformation: _logical_processors,
}
"""By class: (kernel, address of the caller's buffer) -> the bytes."""


@service(
    partial="classes 0-3, 5, 8, 9, 11, 16, 18, 21, 23, 33, 35, 37, 50, 57, 62-64, 73, 83, 88, 103, 114, 149; of 2 no "
    "transfers, faults and cache figures, of 33 nothing"
)
def NtQuerySystemInformation(
    thread: Thread,
    SystemInformationClass: ULONG,
    SystemInformation: PVOID,
    SystemInformationLength: ULONG,
    ReturnLength: Out[ULONG] | None,
) -> NTSTATUS:
    """Facts about the machine, by class."""
    kernel, buffer, length = thread.kernel, SystemInformation, SystemInformationLength
    if SystemInformationClass == int(CLASS.SystemTimeOfDayInformation):
        return _answer_time(thread, buffer, length, ReturnLength)
    if SystemInformationClass == int(CLASS.SystemProcessIdInformation):
        return system_performance.process_image(thread, buffer, length)
    produce = ANSWERS.get(SystemInformationClass)
    if produce is None:
        raise NtError(STATUS.INVALID_INFO_CLASS)
    return answer.variable(thread, buffer, length, produce(kernel, buffer), ReturnLength)


def _answer_time(thread: Thread, buffer: int, length: int, returned: Out[ULONG] | None) -> NTSTATUS:
    """A caller may ask for the first part only."""
    data = _time_of_day(thread.kernel, buffer)
    if length > len(data):
        raise NtError(STATUS.INFO_LENGTH_MISMATCH)
    thread.memory.write(buffer, data[:length])
    if returned is not None:
        returned.write(length)
    return STATUS.SUCCESS

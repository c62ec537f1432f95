"""What processes and threads may and do use: memory priority, power throttling, and the machine's sums."""

from __future__ import annotations

import struct

from ntos.abi.errors import ERROR
from ntos.abi.pointer import Ptr
from ntos.abi.ps import PROCESSINFOCLASS, THREADINFOCLASS
from ntos.abi.sysinfo import SYSTEM_INFORMATION_CLASS as SYSTEM
from ntos.abi.types import BOOL, DWORD, HANDLE, PVOID, ULONG, ULONGLONG
from ntos.dll.kernelbase.process import query_process
from ntos.dll.kernelbase.services import nt
from ntos.dll.kernelbase.system_query import basic, processes, query_fixed
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread

MEMORY_PRIORITY, APP_MEMORY, PROCESS_POWER, PROTECTION_LEVEL = 0, 2, 4, 7
"""PROCESS_INFORMATION_CLASS (processthreadsapi.h)."""
PROCESS_CLASSES: dict[int, tuple[int, int]] = {
    MEMORY_PRIORITY: (4, PROCESSINFOCLASS.ProcessPagePriority),
    PROCESS_POWER: (12, PROCESSINFOCLASS.ProcessPowerThrottlingState),
}
"""(size, NT's class)."""
THREAD_CLASSES: dict[int, tuple[int, int]] = {
    0: (4, THREADINFOCLASS.ThreadPagePriority),
    1: (4, THREADINFOCLASS.ThreadActualBasePriority),
    2: (4, THREADINFOCLASS.ThreadDynamicCodePolicyInfo),
    3: (12, THREADINFOCLASS.ThreadPowerThrottlingState),
}
"""THREAD_INFORMATION_CLASS: memory priority, absolute CPU priority, dynamic code policy, power throttling."""
PROTECTION_LEVELS = {0x61: 0, 0x52: 1, 0x51: 2, 0x31: 3, 0x41: 4, 0x62: 5, 0x21: 6, 0x11: 7}
"""PS_PROTECTION to PROTECTION_LEVEL_*."""
PROTECTION_LEVEL_NONE = 0xFFFF_FFFE
PERFORMANCE_INFORMATION_SIZE, PERFORMANCE_SIZE = 0x68, 0x158
AVAILABLE_PAGES, POOL_PAGES = 0x2C, 0x70
PAGE = 0x1000


def _row(classes: dict[int, tuple[int, int]], number: int, size: int) -> int:
    """NT's class; INVALID_PARAMETER for one that is not known, BAD_LENGTH for another size."""
    if number not in classes:
        raise WinError(ERROR.INVALID_PARAMETER)
    wanted, native = classes[number]
    if size != wanted:
        raise WinError(ERROR.BAD_LENGTH)
    return int(native)


@export
async def SetProcessInformation(
    thread: UserThread, hProcess: HANDLE, ProcessInformationClass: DWORD, ProcessInformation: PVOID,
    ProcessInformationSize: DWORD,
) -> BOOL:  # fmt: skip
    """Memory priority and power throttling of a process."""
    native = _row(PROCESS_CLASSES, ProcessInformationClass, ProcessInformationSize)
    await nt.NtSetInformationProcess(thread, hProcess, native, ProcessInformation, ProcessInformationSize)
    return BOOL(1)


@export
async def GetProcessInformation(
    thread: UserThread, hProcess: HANDLE, ProcessInformationClass: DWORD, ProcessInformation: PVOID,
    ProcessInformationSize: DWORD,
) -> BOOL:  # fmt: skip
    """The same, and what a process has committed and how it is protected."""
    if ProcessInformationClass == APP_MEMORY:
        data = await _app_memory(thread, hProcess)
    elif ProcessInformationClass == PROTECTION_LEVEL:
        level = (await query_process(thread, hProcess, PROCESSINFOCLASS.ProcessProtectionInformation, 1))[0]
        data = struct.pack("<I", PROTECTION_LEVELS.get(level, PROTECTION_LEVEL_NONE))
    else:
        native = _row(PROCESS_CLASSES, ProcessInformationClass, ProcessInformationSize)
        data = await query_process(thread, hProcess, native, ProcessInformationSize)
    if ProcessInformationSize != len(data):
        raise WinError(ERROR.BAD_LENGTH)
    thread.memory.write(ProcessInformation, data)
    return BOOL(1)


async def _app_memory(thread: UserThread, process: int) -> bytes:
    """APP_MEMORY_INFORMATION: what could still be committed, what the process has, at most had, and in all."""
    data = await query_fixed(thread, SYSTEM.SystemPerformanceInformation, PERFORMANCE_SIZE)
    _, committed, limit = struct.unpack_from("<3I", data, AVAILABLE_PAGES)
    counters = await query_process(thread, process, PROCESSINFOCLASS.ProcessVmCounters, 0x58)
    usage, peak = struct.unpack_from("<QQ", counters, 0x48)
    return struct.pack("<4Q", (limit - committed) * PAGE, usage, peak, usage)


@export
async def SetThreadInformation(
    thread: UserThread, hThread: HANDLE, ThreadInformationClass: DWORD, ThreadInformation: PVOID,
    ThreadInformationSize: DWORD,
) -> BOOL:  # fmt: skip
    """Memory priority and power throttling of a thread."""
    native = _row(THREAD_CLASSES, ThreadInformationClass, ThreadInformationSize)
    await nt.NtSetInformationThread(thread, hThread, native, ThreadInformation, ThreadInformationSize)
    return BOOL(1)


@export
async def GetThreadInformation(
    thread: UserThread, hThread: HANDLE, ThreadInformationClass: DWORD, ThreadInformation: PVOID,
    ThreadInformationSize: DWORD,
) -> BOOL:  # fmt: skip
    """The same, and a thread's absolute priority and whether it may make code."""
    native = _row(THREAD_CLASSES, ThreadInformationClass, ThreadInformationSize)
    await nt.NtQueryInformationThread(thread, hThread, native, ThreadInformation, ThreadInformationSize, 0)
    return BOOL(1)


@export
async def QueryIdleProcessorCycleTime(
    thread: UserThread, BufferLength: Ptr[ULONG], ProcessorIdleCycleTime: PVOID
) -> BOOL:
    """The cycles each processor has idled; without a buffer, or with too small a one, the room they need."""
    data = await query_fixed(thread, SYSTEM.SystemProcessorIdleCycleTimeInformation, ULONGLONG.size)
    room = int(BufferLength.read())
    BufferLength.write(len(data))
    if ProcessorIdleCycleTime:
        if room < len(data):
            raise WinError(ERROR.INSUFFICIENT_BUFFER)
        thread.memory.write(ProcessorIdleCycleTime, data)
    return BOOL(1)


@export
async def K32GetPerformanceInfo(thread: UserThread, pPerformanceInformation: PVOID, cb: DWORD) -> BOOL:
    """Commit, memory and pool in pages, and how many handles, processes and threads there are."""
    if cb < PERFORMANCE_INFORMATION_SIZE:
        raise WinError(ERROR.BAD_LENGTH)
    data = await query_fixed(thread, SYSTEM.SystemPerformanceInformation, PERFORMANCE_SIZE)
    available, committed, limit, peak = struct.unpack_from("<4I", data, AVAILABLE_PAGES)
    paged, nonpaged = struct.unpack_from("<2I", data, POOL_PAGES)
    physical = int((await basic(thread)).NumberOfPhysicalPages)
    everybody = [entry.information for entry in await processes(thread)]
    handles = sum(int(one.HandleCount) for one in everybody)
    threads = sum(int(one.NumberOfThreads) for one in everybody)
    thread.memory.write(pPerformanceInformation, struct.pack(
        "<I4x10Q3I4x", PERFORMANCE_INFORMATION_SIZE, committed, limit, peak, physical, available, 0, paged + nonpaged,
        paged, nonpaged, PAGE, handles, len(everybody), threads,
    ))  # fmt: skip
    return BOOL(1)

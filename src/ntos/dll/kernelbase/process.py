"""Processes: end, open, ask and set (processthreadsapi.h). Creating them is in `create`."""

from __future__ import annotations

from ntos.abi.access import PROCESS_QUERY_LIMITED_INFORMATION
from ntos.abi.errors import ERROR
from ntos.abi.layout.process_info import (
    IO_COUNTERS,
    KERNEL_USER_TIMES,
    PROCESS_BASIC_INFORMATION,
    PROCESS_PRIORITY_CLASS,
    VM_COUNTERS_EX,
)
from ntos.abi.layout.section import SECTION_IMAGE_INFORMATION
from ntos.abi.layout.string import CLIENT_ID, UNICODE_STRING
from ntos.abi.layout.win32 import FILETIME, PROCESS_MEMORY_COUNTERS
from ntos.abi.pointer import Out, Ptr
from ntos.abi.ps import PROCESSINFOCLASS
from ntos.abi.types import BOOL, DWORD, HANDLE, LONG, PVOID, SIZE_T, UINT, ULONG_PTR, USHORT, WCHAR
from ntos.abi.win32 import (
    ABOVE_NORMAL_PRIORITY_CLASS,
    BELOW_NORMAL_PRIORITY_CLASS,
    HIGH_PRIORITY_CLASS,
    IDLE_PRIORITY_CLASS,
    NORMAL_PRIORITY_CLASS,
    REALTIME_PRIORITY_CLASS,
)
from ntos.dll.kernelbase.objects import attributes, new_handle
from ntos.dll.kernelbase.services import nt, rtl
from ntos.dll.kernelbase.text import export_both, put_text
from ntos.dll.kernelbase.thread import put_times
from ntos.rtl.path import nt_to_dos
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread

PRIORITY_CLASSES = {
    IDLE_PRIORITY_CLASS: 1,
    BELOW_NORMAL_PRIORITY_CLASS: 5,
    NORMAL_PRIORITY_CLASS: 2,
    ABOVE_NORMAL_PRIORITY_CLASS: 6,
    HIGH_PRIORITY_CLASS: 3,
    REALTIME_PRIORITY_CLASS: 4,
}
PROCESS_NAME_NATIVE = 1
DEP_POLICY, DEP_POLICY_SIZE, POLICY_SIZE = 0, 8, 4


async def query_process(thread: UserThread, handle: int, kind: int, size: int) -> bytes:
    """The raw answer of NtQueryInformationProcess."""
    with thread.frame() as frame:
        place = frame.allocate(size)
        await nt.NtQueryInformationProcess(thread, handle, kind, place, size, 0)
        return thread.memory.read(place, size)


async def set_process(thread: UserThread, handle: int, kind: int, data: bytes) -> BOOL:
    """NtSetInformationProcess with raw bytes."""
    with thread.frame() as frame:
        await nt.NtSetInformationProcess(thread, handle, kind, frame.bytes(data), len(data))
    return BOOL(1)


async def basic_information(thread: UserThread, handle: int) -> PROCESS_BASIC_INFORMATION:
    """Exit status, PEB, ids."""
    kind = PROCESSINFOCLASS.ProcessBasicInformation
    return PROCESS_BASIC_INFORMATION.parse(await query_process(thread, handle, kind, PROCESS_BASIC_INFORMATION.size))


@export
async def ExitProcess(thread: UserThread, uExitCode: UINT) -> None:
    """End the own process: other threads first, then DllMain of all, then this thread."""
    await rtl(thread, "RtlExitUserProcess", uExitCode)


@export
async def TerminateProcess(thread: UserThread, hProcess: HANDLE, uExitCode: UINT) -> BOOL:
    """End a process where it stands."""
    if not hProcess:
        raise WinError(ERROR.INVALID_HANDLE)
    await nt.NtTerminateProcess(thread, hProcess, uExitCode)
    return BOOL(1)


@export
async def OpenProcess(thread: UserThread, dwDesiredAccess: DWORD, bInheritHandle: BOOL, dwProcessId: DWORD) -> HANDLE:
    """A handle to a process by id."""
    with thread.frame() as frame:
        handle = new_handle(frame)
        client: CLIENT_ID = frame.new(CLIENT_ID)
        client.UniqueProcess = HANDLE(dwProcessId)
        where = attributes(frame, flags=2 if bInheritHandle else 0)
        await nt.NtOpenProcess(thread, handle.address, dwDesiredAccess, where, client.address)
        return HANDLE(handle.read())


@export
async def GetExitCodeProcess(thread: UserThread, hProcess: HANDLE, lpExitCode: Ptr[DWORD]) -> BOOL:
    """A process's exit code; STILL_ACTIVE while it runs."""
    lpExitCode.write(int((await basic_information(thread, hProcess)).ExitStatus))
    return BOOL(1)


@export
async def GetProcessId(thread: UserThread, Process: HANDLE) -> DWORD:
    """A process's id."""
    return DWORD(int((await basic_information(thread, Process)).UniqueProcessId))


@export
async def GetProcessTimes(
    thread: UserThread,
    hProcess: HANDLE,
    lpCreationTime: Ptr[FILETIME],
    lpExitTime: Ptr[FILETIME],
    lpKernelTime: Ptr[FILETIME],
    lpUserTime: Ptr[FILETIME],
) -> BOOL:
    """When a process began and ended, and the time it used."""
    data = await query_process(thread, hProcess, PROCESSINFOCLASS.ProcessTimes, KERNEL_USER_TIMES.size)
    put_times(KERNEL_USER_TIMES.parse(data), lpCreationTime, lpExitTime, lpKernelTime, lpUserTime)
    return BOOL(1)


@export
async def GetPriorityClass(thread: UserThread, hProcess: HANDLE) -> DWORD:
    """A process's priority class."""
    data = await query_process(thread, hProcess, PROCESSINFOCLASS.ProcessPriorityClass, PROCESS_PRIORITY_CLASS.size)
    number = int(PROCESS_PRIORITY_CLASS.parse(data).PriorityClass)
    return DWORD(next((flag for flag, known in PRIORITY_CLASSES.items() if known == number), NORMAL_PRIORITY_CLASS))


@export(partial="PROCESS_MODE_BACKGROUND_… is refused")
async def SetPriorityClass(thread: UserThread, hProcess: HANDLE, dwPriorityClass: DWORD) -> BOOL:
    """Change a process's priority class."""
    number = PRIORITY_CLASSES.get(dwPriorityClass)
    if number is None:
        raise WinError(ERROR.INVALID_PARAMETER)
    return await set_process(thread, hProcess, PROCESSINFOCLASS.ProcessPriorityClass, bytes((0, number)))


@export
async def SetProcessPriorityBoost(thread: UserThread, hProcess: HANDLE, bDisablePriorityBoost: BOOL) -> BOOL:
    """Whether the priority of a process's threads rises when they are woken."""
    data = int(bool(bDisablePriorityBoost)).to_bytes(4, "little")
    return await set_process(thread, hProcess, PROCESSINFOCLASS.ProcessPriorityBoost, data)


@export
async def GetProcessPriorityBoost(thread: UserThread, hProcess: HANDLE, pDisablePriorityBoost: Out[BOOL]) -> BOOL:
    """The same, asked."""
    data = await query_process(thread, hProcess, PROCESSINFOCLASS.ProcessPriorityBoost, 4)
    pDisablePriorityBoost.write(int.from_bytes(data, "little"))
    return BOOL(1)


@export
async def GetProcessAffinityMask(
    thread: UserThread,
    hProcess: HANDLE,
    lpProcessAffinityMask: Out[ULONG_PTR],
    lpSystemAffinityMask: Out[ULONG_PTR],
) -> BOOL:
    """The processors a process may run on, and those there are."""
    lpProcessAffinityMask.write(int((await basic_information(thread, hProcess)).AffinityMask))
    lpSystemAffinityMask.write((1 << int(thread.peb.NumberOfProcessors)) - 1)
    return BOOL(1)


@export
async def SetProcessAffinityMask(thread: UserThread, hProcess: HANDLE, dwProcessAffinityMask: ULONG_PTR) -> BOOL:
    """Choose the processors a process may run on."""
    data = dwProcessAffinityMask.to_bytes(8, "little")
    return await set_process(thread, hProcess, PROCESSINFOCLASS.ProcessAffinityMask, data)


@export
def GetProcessGroupAffinity(
    thread: UserThread, hProcess: HANDLE, GroupCount: Ptr[USHORT], GroupArray: Ptr[USHORT]
) -> BOOL:
    """The processor groups of a process: the one there is."""
    room = int(GroupCount.read())
    GroupCount.write(1)
    if room < 1:
        raise WinError(ERROR.INSUFFICIENT_BUFFER)
    GroupArray.write(0)
    return BOOL(1)


@export
async def GetProcessHandleCount(thread: UserThread, hProcess: HANDLE, pdwHandleCount: Out[DWORD]) -> BOOL:
    """How many handles a process has."""
    data = await query_process(thread, hProcess, PROCESSINFOCLASS.ProcessHandleCount, 4)
    pdwHandleCount.write(int.from_bytes(data, "little"))
    return BOOL(1)


@export
async def GetProcessIoCounters(thread: UserThread, hProcess: HANDLE, lpIoCounters: Ptr[IO_COUNTERS]) -> BOOL:
    """What a process has read and written."""
    data = await query_process(thread, hProcess, PROCESSINFOCLASS.ProcessIoCounters, IO_COUNTERS.size)
    lpIoCounters.write_bytes(data)
    return BOOL(1)


@export
async def K32GetProcessMemoryInfo(
    thread: UserThread, Process: HANDLE, ppsmemCounters: Ptr[PROCESS_MEMORY_COUNTERS], cb: DWORD
) -> BOOL:
    """The memory a process uses; with room for it, PROCESS_MEMORY_COUNTERS_EX."""
    if cb < PROCESS_MEMORY_COUNTERS.size:
        raise WinError(ERROR.INSUFFICIENT_BUFFER)
    data = await query_process(thread, Process, PROCESSINFOCLASS.ProcessVmCounters, VM_COUNTERS_EX.size)
    counters = VM_COUNTERS_EX.parse(data)
    view = ppsmemCounters.read()
    view.cb, view.PageFaultCount = DWORD(cb), DWORD(int(counters.PageFaultCount))
    for field in (
        "PeakWorkingSetSize", "WorkingSetSize", "QuotaPeakPagedPoolUsage", "QuotaPagedPoolUsage",
        "QuotaPeakNonPagedPoolUsage", "QuotaNonPagedPoolUsage", "PagefileUsage",
    ):  # fmt: skip
        setattr(view, field, getattr(counters, field))
    view.PeakPagefileUsage = counters.PeakPagefileUsage
    if cb >= PROCESS_MEMORY_COUNTERS.size + 8:
        thread.memory.write(view.address + view.size, int(counters.PrivateUsage).to_bytes(8, "little"))
    return BOOL(1)


@export
async def GetProcessMitigationPolicy(
    thread: UserThread, hProcess: HANDLE, MitigationPolicy: LONG, lpBuffer: PVOID, dwLength: SIZE_T
) -> BOOL:
    """Which mitigations of a policy hold for a process; the DEP policy also says that it is there to stay."""
    size = DEP_POLICY_SIZE if MitigationPolicy == DEP_POLICY else POLICY_SIZE
    if dwLength != size:
        raise WinError(ERROR.INVALID_PARAMETER)
    with thread.frame() as frame:
        place = frame.bytes(MitigationPolicy.to_bytes(4, "little", signed=True) + bytes(4))
        await nt.NtQueryInformationProcess(thread, hProcess, PROCESSINFOCLASS.ProcessMitigationPolicy, place, 8, 0)
        flags = thread.memory.read(place + 4, 4)
    thread.memory.write(lpBuffer, (flags + b"\1" + bytes(3))[:size])
    return BOOL(1)


@export
async def ProcessIdToSessionId(thread: UserThread, dwProcessId: DWORD, pSessionId: Out[DWORD]) -> BOOL:
    """The session of a process."""
    if dwProcessId == int(thread.teb.ClientId.UniqueProcess):
        pSessionId.write(int(thread.peb.SessionId))
        return BOOL(1)
    handle = await OpenProcess(thread, DWORD(PROCESS_QUERY_LIMITED_INFORMATION), BOOL(0), dwProcessId)
    try:
        data = await query_process(thread, handle, PROCESSINFOCLASS.ProcessSessionInformation, 4)
    finally:
        await nt.NtClose(thread, handle)
    pSessionId.write(int.from_bytes(data, "little"))
    return BOOL(1)


@export
async def IsWow64Process(thread: UserThread, hProcess: HANDLE, Wow64Process: Out[BOOL]) -> BOOL:
    """Whether a process is a 32-bit one."""
    data = await query_process(thread, hProcess, PROCESSINFOCLASS.ProcessWow64Information, 8)
    Wow64Process.write(int(any(data)))
    return BOOL(1)


@export
async def IsWow64Process2(
    thread: UserThread, hProcess: HANDLE, pProcessMachine: Out[USHORT], pNativeMachine: Out[USHORT] | None
) -> BOOL:
    """Which machine a process thinks it runs on, and which it is."""
    data = await query_process(thread, hProcess, PROCESSINFOCLASS.ProcessWow64Information, 8)
    pProcessMachine.write(0x14C if any(data) else 0)
    if pNativeMachine is not None:
        pNativeMachine.write(0x8664)
    return BOOL(1)


async def image_name(thread: UserThread, process: int, kind: int) -> str:
    """The path of a process's program, native or Win32."""
    data = await _image_name(thread, process, kind)
    return data if kind == PROCESSINFOCLASS.ProcessImageFileName else nt_to_dos(data)


async def _image_name(thread: UserThread, process: int, kind: int) -> str:
    with thread.frame() as frame:
        place = frame.allocate(0x1000)
        await nt.NtQueryInformationProcess(thread, process, kind, place, 0x1000, 0)
        return UNICODE_STRING(thread.memory, place).text


@export_both()
async def QueryFullProcessImageNameW(
    thread: UserThread, hProcess: HANDLE, dwFlags: DWORD, lpExeName: Ptr[WCHAR], lpdwSize: Ptr[DWORD]
) -> BOOL:
    """The path of a process's program."""
    if dwFlags & ~PROCESS_NAME_NATIVE:
        raise WinError(ERROR.INVALID_PARAMETER)
    native = dwFlags & PROCESS_NAME_NATIVE
    kind = PROCESSINFOCLASS.ProcessImageFileName if native else PROCESSINFOCLASS.ProcessImageFileNameWin32
    text = await image_name(thread, hProcess, kind)
    room = int(lpdwSize.read())
    if put_text(lpExeName, 0, text) > room:
        raise WinError(ERROR.INSUFFICIENT_BUFFER)
    if not lpExeName:
        raise WinError(ERROR.INVALID_PARAMETER)
    length = put_text(lpExeName, room, text)
    lpdwSize.write(length)
    return BOOL(1)


@export
async def SetProcessWorkingSetSize(
    thread: UserThread, hProcess: HANDLE, dwMinimumWorkingSetSize: SIZE_T, dwMaximumWorkingSetSize: SIZE_T
) -> BOOL:
    """Bounds of the working set."""
    data = bytes(0x10) + dwMinimumWorkingSetSize.to_bytes(8, "little")
    data += dwMaximumWorkingSetSize.to_bytes(8, "little") + bytes(0x10)
    return await set_process(thread, hProcess, PROCESSINFOCLASS.ProcessQuotaLimits, data)


@export
async def GetProcessVersion(thread: UserThread, ProcessId: DWORD) -> DWORD:
    """The subsystem version a process's program asks for."""
    if ProcessId in (0, int(thread.teb.ClientId.UniqueProcess)):
        return DWORD(int(thread.peb.ImageSubsystemMajorVersion) << 16 | int(thread.peb.ImageSubsystemMinorVersion))
    handle = await OpenProcess(thread, DWORD(PROCESS_QUERY_LIMITED_INFORMATION), BOOL(0), ProcessId)
    try:
        kind, size = PROCESSINFOCLASS.ProcessImageInformation, SECTION_IMAGE_INFORMATION.size
        image = SECTION_IMAGE_INFORMATION.parse(await query_process(thread, handle, kind, size))
        return DWORD(int(image.SubSystemMajorVersion) << 16 | int(image.SubSystemMinorVersion))
    finally:
        await nt.NtClose(thread, handle)


def _policy(thread: UserThread, place: Ptr[LONG], value: int) -> LONG:
    place.write(value)
    return LONG(0)


@export
def AppPolicyGetProcessTerminationMethod(thread: UserThread, processToken: HANDLE, policy: Ptr[LONG]) -> LONG:
    """How the C runtime ends a process: ExitProcess, for a desktop program."""
    return _policy(thread, policy, 0)


@export
def AppPolicyGetThreadInitializationType(thread: UserThread, processToken: HANDLE, policy: Ptr[LONG]) -> LONG:
    """Whether threads begin with an apartment: no, for a desktop program."""
    return _policy(thread, policy, 0)


@export
def AppPolicyGetShowDeveloperDiagnostic(thread: UserThread, processToken: HANDLE, policy: Ptr[LONG]) -> LONG:
    """Whether the C runtime may show message boxes: yes, for a desktop program."""
    return _policy(thread, policy, 1)


@export
def AppPolicyGetWindowingModel(thread: UserThread, processToken: HANDLE, policy: Ptr[LONG]) -> LONG:
    """Which windows a program has: classic ones, for a desktop program."""
    return _policy(thread, policy, 2)

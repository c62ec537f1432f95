"""Threads: create, end, suspend, their context, priority and times (processthreadsapi.h)."""

from __future__ import annotations

from ntos.abi.access import THREAD_ALL_ACCESS
from ntos.abi.errors import ERROR
from ntos.abi.layout.context import CONTEXT
from ntos.abi.layout.process_info import KERNEL_USER_TIMES, THREAD_BASIC_INFORMATION
from ntos.abi.layout.string import CLIENT_ID
from ntos.abi.layout.win32 import FILETIME, SECURITY_ATTRIBUTES
from ntos.abi.ob import CURRENT_PROCESS
from ntos.abi.pointer import Code, Out, Ptr
from ntos.abi.ps import THREAD_CREATE_FLAGS_CREATE_SUSPENDED, THREADINFOCLASS
from ntos.abi.status import STATUS
from ntos.abi.types import (
    BOOL,
    DWORD,
    HANDLE,
    HRESULT,
    INT,
    LONG,
    PVOID,
    SIZE_T,
    ULONG,
    ULONG_PTR,
    WCHAR,
)
from ntos.abi.win32 import (
    CREATE_SUSPENDED,
    STACK_SIZE_PARAM_IS_A_RESERVATION,
    THREAD_MODE_BACKGROUND_BEGIN,
    THREAD_MODE_BACKGROUND_END,
)
from ntos.dll.kernelbase import subsystem
from ntos.dll.kernelbase.objects import attributes, new_handle
from ntos.dll.kernelbase.services import allocate_bytes, nt
from ntos.dll.kernelbase.time import put_file_time
from ntos.rtl.text import to_utf16
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread

PRIORITY_ERROR_RETURN = 0x7FFF_FFFF
PS_ATTRIBUTE_CLIENT_ID = 0x10003
TIME_CRITICAL, IDLE = 15, -15
TIME_CRITICAL_INCREMENT, IDLE_INCREMENT = 16, -16
"""What NT calls them: THREAD_BASE_PRIORITY_LOWRT + 1 and its opposite."""


async def create(
    thread: UserThread, process: int, security: Ptr[SECURITY_ATTRIBUTES] | None, stack: int, start: int,
    parameter: int, flags: int, thread_id: Ptr[DWORD] | None, extra: bytes = b"",
) -> int:  # fmt: skip
    """A new thread of a process, and its handle; `extra` holds further PS_ATTRIBUTEs."""
    if flags & ~(CREATE_SUSPENDED | STACK_SIZE_PARAM_IS_A_RESERVATION):
        raise WinError(ERROR.INVALID_PARAMETER)
    reserve = stack if flags & STACK_SIZE_PARAM_IS_A_RESERVATION else 0
    commit = 0 if reserve else stack
    with thread.frame() as frame:
        handle = new_handle(frame)
        client: CLIENT_ID = frame.new(CLIENT_ID)
        entry = b"".join(
            value.to_bytes(8, "little") for value in (PS_ATTRIBUTE_CLIENT_ID, CLIENT_ID.size, client.address, 0)
        )
        body = entry + extra
        listing = frame.bytes((len(body) + 8).to_bytes(8, "little") + body)
        where = attributes(frame, flags=0, security=security)
        connected = subsystem.is_client(thread)
        suspended = flags & CREATE_SUSPENDED
        options = THREAD_CREATE_FLAGS_CREATE_SUSPENDED if suspended or connected else 0
        await nt.NtCreateThreadEx(
            thread,
            handle.address,
            THREAD_ALL_ACCESS,
            where,
            process,
            start,
            parameter,
            options,
            0,
            commit,
            reserve,
            listing,
        )
        made = int(handle.read())
        if connected:  # csrss must know the thread before it can end
            await subsystem.announce_thread(thread, made, (int(client.UniqueProcess), int(client.UniqueThread)))
            if not suspended:
                await nt.NtResumeThread(thread, made, 0)
        if thread_id is not None:
            thread_id.write(int(client.UniqueThread))
        return made


@export
async def CreateThread(
    thread: UserThread,
    lpThreadAttributes: Ptr[SECURITY_ATTRIBUTES] | None,
    dwStackSize: SIZE_T,
    lpStartAddress: Code,
    lpParameter: PVOID,
    dwCreationFlags: DWORD,
    lpThreadId: Ptr[DWORD] | None,
) -> HANDLE:
    """A new thread of this process."""
    return HANDLE(
        await create(
            thread,
            CURRENT_PROCESS,
            lpThreadAttributes,
            dwStackSize,
            lpStartAddress,
            lpParameter,
            dwCreationFlags,
            lpThreadId,
        )
    )


@export
async def CreateRemoteThread(
    thread: UserThread,
    hProcess: HANDLE,
    lpThreadAttributes: Ptr[SECURITY_ATTRIBUTES] | None,
    dwStackSize: SIZE_T,
    lpStartAddress: Code,
    lpParameter: PVOID,
    dwCreationFlags: DWORD,
    lpThreadId: Ptr[DWORD] | None,
) -> HANDLE:
    """A new thread of any process one may do that to."""
    return HANDLE(
        await create(
            thread, hProcess, lpThreadAttributes, dwStackSize, lpStartAddress, lpParameter, dwCreationFlags,
            lpThreadId,
        )
    )  # fmt: skip


@export
async def CreateRemoteThreadEx(
    thread: UserThread,
    hProcess: HANDLE,
    lpThreadAttributes: Ptr[SECURITY_ATTRIBUTES] | None,
    dwStackSize: SIZE_T,
    lpStartAddress: Code,
    lpParameter: PVOID,
    dwCreationFlags: DWORD,
    lpAttributeList: PVOID,
    lpThreadId: Ptr[DWORD] | None,
) -> HANDLE:
    """The same with an attribute list: affinity and ideal processor pass to the kernel."""
    extra = thread_attributes(thread, lpAttributeList) if lpAttributeList else b""
    return HANDLE(
        await create(
            thread, hProcess, lpThreadAttributes, dwStackSize, lpStartAddress, lpParameter, dwCreationFlags,
            lpThreadId, extra,
        )
    )  # fmt: skip


_THREAD_ATTRIBUTES = {3: 0x3000C, 5: 0x3000E}


def thread_attributes(thread: UserThread, listing: int) -> bytes:
    """The PS_ATTRIBUTEs of a PROC_THREAD_ATTRIBUTE_LIST that belong to a thread."""
    used = int.from_bytes(thread.memory.read(listing + 8, 4), "little")
    found = b""
    for index in range(used):
        entry = thread.memory.read(listing + 0x18 + index * 0x18, 0x18)
        number = int.from_bytes(entry[:2], "little")
        native = _THREAD_ATTRIBUTES.get(number)
        if native is None:
            raise WinError(ERROR.NOT_SUPPORTED)
        found += native.to_bytes(8, "little") + entry[8:0x18] + bytes(8)
    return found


@export
async def OpenThread(thread: UserThread, dwDesiredAccess: DWORD, bInheritHandle: BOOL, dwThreadId: DWORD) -> HANDLE:
    """A handle to a thread by id."""
    with thread.frame() as frame:
        handle = new_handle(frame)
        client: CLIENT_ID = frame.new(CLIENT_ID)
        client.UniqueThread = HANDLE(dwThreadId)
        where = attributes(frame, flags=2 if bInheritHandle else 0)
        await nt.NtOpenThread(thread, handle.address, dwDesiredAccess, where, client.address)
        return HANDLE(handle.read())


@export
async def TerminateThread(thread: UserThread, hThread: HANDLE, dwExitCode: DWORD) -> BOOL:
    """End a thread where it stands."""
    if not hThread:
        raise WinError(ERROR.INVALID_HANDLE)
    await nt.NtTerminateThread(thread, hThread, dwExitCode)
    return BOOL(1)


async def _basic(thread: UserThread, handle: int) -> THREAD_BASIC_INFORMATION:
    with thread.frame() as frame:
        place = frame.allocate(THREAD_BASIC_INFORMATION.size)
        await nt.NtQueryInformationThread(
            thread, handle, THREADINFOCLASS.ThreadBasicInformation, place, THREAD_BASIC_INFORMATION.size, 0
        )
        return THREAD_BASIC_INFORMATION.parse(thread.memory.read(place, THREAD_BASIC_INFORMATION.size))


@export
async def GetExitCodeThread(thread: UserThread, hThread: HANDLE, lpExitCode: Ptr[DWORD]) -> BOOL:
    """A thread's exit code; STILL_ACTIVE while it runs."""
    lpExitCode.write(int((await _basic(thread, hThread)).ExitStatus))
    return BOOL(1)


@export
async def GetThreadId(thread: UserThread, Thread: HANDLE) -> DWORD:
    """A thread's id."""
    return DWORD(int((await _basic(thread, Thread)).ClientId.UniqueThread))


@export
async def GetProcessIdOfThread(thread: UserThread, Thread: HANDLE) -> DWORD:
    """The id of a thread's process."""
    return DWORD(int((await _basic(thread, Thread)).ClientId.UniqueProcess))


@export(fails=0xFFFF_FFFF)
async def SuspendThread(thread: UserThread, hThread: HANDLE) -> DWORD:
    """Stop a thread once more; the count before."""
    with thread.frame() as frame:
        previous: Ptr[ULONG] = frame.new(ULONG)
        await nt.NtSuspendThread(thread, hThread, previous.address)
        return DWORD(previous.read())


@export(fails=0xFFFF_FFFF)
async def ResumeThread(thread: UserThread, hThread: HANDLE) -> DWORD:
    """Take one suspension back; the count before."""
    with thread.frame() as frame:
        previous: Ptr[ULONG] = frame.new(ULONG)
        await nt.NtResumeThread(thread, hThread, previous.address)
        return DWORD(previous.read())


@export
async def GetThreadContext(thread: UserThread, hThread: HANDLE, lpContext: Ptr[CONTEXT]) -> BOOL:
    """A thread's registers."""
    await nt.NtGetContextThread(thread, hThread, lpContext.address)
    return BOOL(1)


@export
async def SetThreadContext(thread: UserThread, hThread: HANDLE, lpContext: Ptr[CONTEXT]) -> BOOL:
    """Change a thread's registers."""
    await nt.NtSetContextThread(thread, hThread, lpContext.address)
    return BOOL(1)


@export
async def SwitchToThread(thread: UserThread) -> BOOL:
    """Let another thread run; whether one did."""
    return BOOL(await nt.NtYieldExecution(thread) != STATUS.NO_YIELD_PERFORMED)


@export
async def QueueUserAPC(thread: UserThread, pfnAPC: Code, hThread: HANDLE, dwData: ULONG_PTR) -> DWORD:
    """A call in another thread, the next time it waits alertably."""
    await nt.NtQueueApcThread(thread, hThread, pfnAPC, dwData, 0, 0)
    return DWORD(1)


async def _set_thread(thread: UserThread, handle: int, kind: int, data: bytes) -> BOOL:
    with thread.frame() as frame:
        await nt.NtSetInformationThread(thread, handle, kind, frame.bytes(data), len(data))
    return BOOL(1)


@export(partial="THREAD_MODE_BACKGROUND_… is refused")
async def SetThreadPriority(thread: UserThread, hThread: HANDLE, nPriority: INT) -> BOOL:
    """A thread's priority relative to its process's class."""
    if nPriority in (THREAD_MODE_BACKGROUND_BEGIN, THREAD_MODE_BACKGROUND_END):
        raise WinError(ERROR.NOT_SUPPORTED)
    value = {TIME_CRITICAL: TIME_CRITICAL_INCREMENT, IDLE: IDLE_INCREMENT}.get(nPriority, nPriority)
    data = (value & 0xFFFF_FFFF).to_bytes(4, "little")
    return await _set_thread(thread, hThread, THREADINFOCLASS.ThreadBasePriority, data)


@export(fails=PRIORITY_ERROR_RETURN)
async def GetThreadPriority(thread: UserThread, hThread: HANDLE) -> INT:
    """A thread's priority relative to its process's class."""
    value = LONG.wrap(int((await _basic(thread, hThread)).BasePriority))
    return INT({TIME_CRITICAL_INCREMENT: TIME_CRITICAL, IDLE_INCREMENT: IDLE}.get(value, value))


@export
async def SetThreadPriorityBoost(thread: UserThread, hThread: HANDLE, bDisablePriorityBoost: BOOL) -> BOOL:
    """Whether a thread's priority rises when it is woken."""
    data = int(bool(bDisablePriorityBoost)).to_bytes(4, "little")
    return await _set_thread(thread, hThread, THREADINFOCLASS.ThreadPriorityBoost, data)


@export
async def GetThreadPriorityBoost(thread: UserThread, hThread: HANDLE, pDisablePriorityBoost: Ptr[BOOL]) -> BOOL:
    """The same, asked."""
    await nt.NtQueryInformationThread(
        thread, hThread, THREADINFOCLASS.ThreadPriorityBoost, pDisablePriorityBoost.address, 4, 0
    )
    return BOOL(1)


@export
async def SetThreadAffinityMask(thread: UserThread, hThread: HANDLE, dwThreadAffinityMask: ULONG_PTR) -> ULONG_PTR:
    """The processors a thread may run on; those before."""
    previous = (await _basic(thread, hThread)).AffinityMask
    data = dwThreadAffinityMask.to_bytes(8, "little")
    await _set_thread(thread, hThread, THREADINFOCLASS.ThreadAffinityMask, data)
    return ULONG_PTR(previous)


@export(fails=0xFFFF_FFFF)
async def SetThreadIdealProcessor(thread: UserThread, hThread: HANDLE, dwIdealProcessor: DWORD) -> DWORD:
    """The processor a thread likes best; the one before."""
    with thread.frame() as frame:
        place = frame.bytes(dwIdealProcessor.to_bytes(4, "little"))
        status = await nt.NtSetInformationThread(thread, hThread, THREADINFOCLASS.ThreadIdealProcessor, place, 4)
    return DWORD(status)


@export
async def GetThreadTimes(
    thread: UserThread,
    hThread: HANDLE,
    lpCreationTime: Ptr[FILETIME],
    lpExitTime: Ptr[FILETIME],
    lpKernelTime: Ptr[FILETIME],
    lpUserTime: Ptr[FILETIME],
) -> BOOL:
    """When a thread began and ended, and the time it used."""
    with thread.frame() as frame:
        view: KERNEL_USER_TIMES = frame.new(KERNEL_USER_TIMES)
        kind = THREADINFOCLASS.ThreadTimes
        await nt.NtQueryInformationThread(thread, hThread, kind, view.address, view.size, 0)
        put_times(view, lpCreationTime, lpExitTime, lpKernelTime, lpUserTime)
    return BOOL(1)


def put_times(
    view: KERNEL_USER_TIMES,
    created: Ptr[FILETIME],
    ended: Ptr[FILETIME],
    kernel: Ptr[FILETIME],
    user: Ptr[FILETIME],
) -> None:
    """Store the four times of a thread or process."""
    put_file_time(created.read(), int(view.CreateTime))
    put_file_time(ended.read(), int(view.ExitTime))
    put_file_time(kernel.read(), int(view.KernelTime))
    put_file_time(user.read(), int(view.UserTime))


@export
async def GetThreadIOPendingFlag(thread: UserThread, hThread: HANDLE, lpIOIsPending: Ptr[BOOL]) -> BOOL:
    """Whether a thread has requests under way."""
    kind = THREADINFOCLASS.ThreadIsIoPending
    await nt.NtQueryInformationThread(thread, hThread, kind, lpIOIsPending.address, 4, 0)
    return BOOL(1)


@export
async def SetThreadDescription(thread: UserThread, hThread: HANDLE, lpThreadDescription: Ptr[WCHAR]) -> HRESULT:
    """A name for a thread, for debuggers."""
    with thread.frame() as frame:
        place = frame.unicode_string(lpThreadDescription.text())
        await nt.NtSetInformationThread(thread, hThread, THREADINFOCLASS.ThreadNameInformation, place, 16)
    return HRESULT(0)


@export
async def GetThreadDescription(thread: UserThread, hThread: HANDLE, ppszThreadDescription: Ptr[PVOID]) -> HRESULT:
    """A thread's name, to be freed with LocalFree."""
    with thread.frame() as frame:
        place = frame.allocate(0x1000)
        kind = THREADINFOCLASS.ThreadNameInformation
        await nt.NtQueryInformationThread(thread, hThread, kind, place, 0x1000, 0)
        size = int.from_bytes(thread.memory.read(place, 2), "little")
        start = int.from_bytes(thread.memory.read(place + 8, 8), "little")
        text = thread.memory.read(start, size) if size else b""
        ppszThreadDescription.write(await allocate_bytes(thread, text + to_utf16("\0")))
    return HRESULT(0)


@export
async def SetThreadStackGuarantee(thread: UserThread, StackSizeInBytes: Ptr[ULONG]) -> BOOL:
    """Keep stack for an overflow's handlers (TEB.GuaranteedStackBytes); the figure before."""
    previous = int(thread.teb.GuaranteedStackBytes)
    wanted = int(StackSizeInBytes.read())
    if wanted:
        thread.teb.GuaranteedStackBytes = ULONG(max(previous, (wanted + 0xFFF) & ~0xFFF))
    StackSizeInBytes.write(previous)
    return BOOL(1)


@export
def GetCurrentThreadStackLimits(thread: UserThread, LowLimit: Out[ULONG_PTR], HighLimit: Out[ULONG_PTR]) -> None:
    """Where the thread's stack lies."""
    LowLimit.write(int(thread.teb.DeallocationStack))
    HighLimit.write(int(thread.teb.NtTib.StackBase))

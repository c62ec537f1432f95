"""Thread pools, old and new: Win32's shape of ntdll's Tp and Rtl work functions (threadpoolapiset.h)."""

from __future__ import annotations

from ntos.abi.errors import ERROR
from ntos.abi.pointer import Code, Ptr
from ntos.abi.status import STATUS
from ntos.abi.types import BOOL, DWORD, HANDLE, PVOID, ULONG
from ntos.abi.win32 import INVALID_HANDLE_VALUE
from ntos.dll.kernelbase.objects import new_handle
from ntos.dll.kernelbase.services import rtl, rtl_status
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread


async def _made(thread: UserThread, name: str, *arguments: int) -> PVOID:
    """What an allocating function of ntdll puts into its first argument."""
    with thread.frame() as frame:
        place = new_handle(frame)
        await rtl_status(thread, name, place.address, *arguments)
        return PVOID(place.read())


@export
async def CreateThreadpool(thread: UserThread, reserved: PVOID) -> PVOID:
    """A pool of one's own."""
    return await _made(thread, "TpAllocPool", reserved)


@export
async def CreateThreadpoolCleanupGroup(thread: UserThread) -> PVOID:
    """A group of pool objects that go together."""
    return await _made(thread, "TpAllocCleanupGroup")


@export
async def CreateThreadpoolWork(thread: UserThread, pfnwk: Code, pv: PVOID, pcbe: PVOID) -> PVOID:
    """Something to be done by pool threads."""
    return await _made(thread, "TpAllocWork", pfnwk, pv, pcbe)


@export
async def CreateThreadpoolTimer(thread: UserThread, pfnti: Code, pv: PVOID, pcbe: PVOID) -> PVOID:
    """Something to be done at a time."""
    return await _made(thread, "TpAllocTimer", pfnti, pv, pcbe)


@export
async def CreateThreadpoolWait(thread: UserThread, pfnwa: Code, pv: PVOID, pcbe: PVOID) -> PVOID:
    """Something to be done when an object is signalled."""
    return await _made(thread, "TpAllocWait", pfnwa, pv, pcbe)


@export
async def CreateThreadpoolIo(thread: UserThread, fl: HANDLE, pfnio: Code, pv: PVOID, pcbe: PVOID) -> PVOID:
    """Something to be done when requests on a file end."""
    return await _made(thread, "TpAllocIoCompletion", fl, pfnio, pv, pcbe)


@export
async def TrySubmitThreadpoolCallback(thread: UserThread, pfns: Code, pv: PVOID, pcbe: PVOID) -> BOOL:
    """Have a pool thread call a routine once."""
    await rtl_status(thread, "TpSimpleTryPost", pfns, pv, pcbe)
    return BOOL(1)


@export
async def CallbackMayRunLong(thread: UserThread, pci: PVOID) -> BOOL:
    """Say that a callback takes its time; whether another thread is there for the rest."""
    return BOOL(await rtl(thread, "TpCallbackMayRunLong", pci) & 0xFFFF_FFFF == STATUS.SUCCESS)


@export
async def SetThreadpoolThreadMinimum(thread: UserThread, ptpp: PVOID, cthrdMic: DWORD) -> BOOL:
    """How many threads a pool keeps."""
    await rtl_status(thread, "TpSetPoolMinThreads", ptpp, cthrdMic)
    return BOOL(1)


@export
async def QueueUserWorkItem(thread: UserThread, Function: Code, Context: PVOID, Flags: ULONG) -> BOOL:
    """Have a pool thread call a routine once."""
    await rtl_status(thread, "RtlQueueWorkItem", Function, Context, Flags)
    return BOOL(1)


@export(aliases=("RegisterWaitForSingleObjectEx",))
async def RegisterWaitForSingleObject(
    thread: UserThread,
    phNewWaitObject: Ptr[HANDLE],
    hObject: HANDLE,
    Callback: Code,
    Context: PVOID,
    dwMilliseconds: ULONG,
    dwFlags: ULONG,
) -> BOOL:
    """Have a pool thread call a routine when an object is signalled or the time is up."""
    await rtl_status(
        thread, "RtlRegisterWait", phNewWaitObject.address, hObject, Callback, Context, dwMilliseconds, dwFlags
    )
    return BOOL(1)


@export
async def UnregisterWaitEx(thread: UserThread, WaitHandle: HANDLE, CompletionEvent: HANDLE) -> BOOL:
    """No more calls; INVALID_HANDLE_VALUE waits for one under way."""
    if not WaitHandle:
        raise WinError(ERROR.INVALID_HANDLE)
    await rtl_status(thread, "RtlDeregisterWaitEx", WaitHandle, CompletionEvent)
    return BOOL(1)


@export
async def UnregisterWait(thread: UserThread, WaitHandle: HANDLE) -> BOOL:
    """No more calls."""
    if not WaitHandle:
        raise WinError(ERROR.INVALID_HANDLE)
    await rtl_status(thread, "RtlDeregisterWaitEx", WaitHandle, 0)
    return BOOL(1)


@export
async def CreateTimerQueue(thread: UserThread) -> HANDLE:
    """A queue of timers whose routines pool threads call."""
    return HANDLE(await _made(thread, "RtlCreateTimerQueue"))


@export
async def CreateTimerQueueTimer(
    thread: UserThread,
    phNewTimer: Ptr[HANDLE],
    TimerQueue: HANDLE,
    Callback: Code,
    Parameter: PVOID,
    DueTime: DWORD,
    Period: DWORD,
    Flags: ULONG,
) -> BOOL:
    """A timer of a queue; NULL is the process's own queue."""
    await rtl_status(
        thread, "RtlCreateTimer", TimerQueue, phNewTimer.address, Callback, Parameter, DueTime, Period, Flags
    )
    return BOOL(1)


@export
async def ChangeTimerQueueTimer(
    thread: UserThread, TimerQueue: HANDLE, Timer: HANDLE, DueTime: ULONG, Period: ULONG
) -> BOOL:
    """Another time for a timer."""
    await rtl_status(thread, "RtlUpdateTimer", TimerQueue, Timer, DueTime, Period)
    return BOOL(1)


@export
async def DeleteTimerQueueTimer(thread: UserThread, TimerQueue: HANDLE, Timer: HANDLE, CompletionEvent: HANDLE) -> BOOL:
    """No more calls; INVALID_HANDLE_VALUE waits for one under way."""
    await rtl_status(thread, "RtlDeleteTimer", TimerQueue, Timer, CompletionEvent)
    return BOOL(1)


@export
async def DeleteTimerQueueEx(thread: UserThread, TimerQueue: HANDLE, CompletionEvent: HANDLE) -> BOOL:
    """Delete a queue with its timers."""
    await rtl_status(thread, "RtlDeleteTimerQueueEx", TimerQueue, CompletionEvent)
    return BOOL(1)


@export
async def DeleteTimerQueue(thread: UserThread, TimerQueue: HANDLE) -> BOOL:
    """Delete a queue with its timers, waiting for calls under way."""
    await rtl_status(thread, "RtlDeleteTimerQueueEx", TimerQueue, INVALID_HANDLE_VALUE)
    return BOOL(1)

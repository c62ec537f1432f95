"""Waits, events, mutexes, semaphores, waitable timers (synchapi.h)."""

from __future__ import annotations

from ntos.abi.access import EVENT_ALL_ACCESS, MUTANT_ALL_ACCESS, SEMAPHORE_ALL_ACCESS, TIMER_ALL_ACCESS
from ntos.abi.errors import ERROR
from ntos.abi.layout.enums import EVENT_TYPE, TIMER_TYPE, WAIT_TYPE
from ntos.abi.layout.win32 import SECURITY_ATTRIBUTES
from ntos.abi.ob import MAXIMUM_WAIT_OBJECTS
from ntos.abi.pointer import Code, Ptr
from ntos.abi.status import STATUS
from ntos.abi.types import BOOL, DWORD, HANDLE, LARGE_INTEGER, LONG, PVOID, ULONG, WCHAR
from ntos.abi.win32 import (
    CREATE_EVENT_INITIAL_SET,
    CREATE_EVENT_MANUAL_RESET,
    CREATE_MUTEX_INITIAL_OWNER,
    CREATE_WAITABLE_TIMER_MANUAL_RESET,
    INFINITE,
    WAIT_FAILED,
)
from ntos.dll.kernelbase.objects import named, new_handle, note_existing, real_handle, timeout
from ntos.dll.kernelbase.services import nt
from ntos.dll.kernelbase.text import export_both, optional_text
from ntos.um.export import WinError, export, set_last_error
from ntos.um.thread import UserThread

Security = Ptr[SECURITY_ATTRIBUTES] | None


async def wait(thread: UserThread, handle: int, milliseconds: int, *, alertable: bool) -> int:
    """Wait for one object; an alert that is no APC does not end an alertable wait."""
    with thread.frame() as frame:
        until = timeout(frame, milliseconds)
        while True:
            status = await nt.NtWaitForSingleObject(thread, real_handle(thread, handle), int(alertable), until)
            if status != STATUS.ALERTED:
                return status


@export(fails=WAIT_FAILED)
async def WaitForSingleObject(thread: UserThread, hHandle: HANDLE, dwMilliseconds: DWORD) -> DWORD:
    """Block until an object is signalled or the time is up."""
    return DWORD(await wait(thread, hHandle, dwMilliseconds, alertable=False))


@export(fails=WAIT_FAILED)
async def WaitForSingleObjectEx(thread: UserThread, hHandle: HANDLE, dwMilliseconds: DWORD, bAlertable: BOOL) -> DWORD:
    """The same, ended by APCs if the caller likes."""
    return DWORD(await wait(thread, hHandle, dwMilliseconds, alertable=bool(bAlertable)))


async def wait_many(
    thread: UserThread,
    count: int,
    handles: Ptr[HANDLE],
    everything: int,
    milliseconds: int,
    *,
    alertable: bool,
) -> int:
    """Wait for one or all of several objects."""
    if count > MAXIMUM_WAIT_OBJECTS:
        raise WinError(ERROR.INVALID_PARAMETER)
    wanted = [real_handle(thread, int(handles[index])) for index in range(count)]
    kind = WAIT_TYPE.WaitAll if everything else WAIT_TYPE.WaitAny
    with thread.frame() as frame:
        place = frame.bytes(b"".join(handle.to_bytes(8, "little") for handle in wanted))
        until = timeout(frame, milliseconds)
        while True:
            status = await nt.NtWaitForMultipleObjects(thread, count, place, kind, int(alertable), until)
            if status != STATUS.ALERTED:
                return status


@export(fails=WAIT_FAILED)
async def WaitForMultipleObjects(
    thread: UserThread, nCount: DWORD, lpHandles: Ptr[HANDLE], bWaitAll: BOOL, dwMilliseconds: DWORD
) -> DWORD:
    """Block until one or all of several objects are signalled."""
    return DWORD(await wait_many(thread, nCount, lpHandles, bWaitAll, dwMilliseconds, alertable=False))


@export(fails=WAIT_FAILED)
async def WaitForMultipleObjectsEx(
    thread: UserThread,
    nCount: DWORD,
    lpHandles: Ptr[HANDLE],
    bWaitAll: BOOL,
    dwMilliseconds: DWORD,
    bAlertable: BOOL,
) -> DWORD:
    """The same, ended by APCs if the caller likes."""
    alertable = bool(bAlertable)
    return DWORD(await wait_many(thread, nCount, lpHandles, bWaitAll, dwMilliseconds, alertable=alertable))


@export(fails=WAIT_FAILED)
async def SignalObjectAndWait(
    thread: UserThread,
    hObjectToSignal: HANDLE,
    hObjectToWaitOn: HANDLE,
    dwMilliseconds: DWORD,
    bAlertable: BOOL,
) -> DWORD:
    """Signal one object and wait for another in one step."""
    with thread.frame() as frame:
        until = timeout(frame, dwMilliseconds)
        return DWORD(
            await nt.NtSignalAndWaitForSingleObject(
                thread, hObjectToSignal, hObjectToWaitOn, int(bool(bAlertable)), until
            )
        )


async def _sleep(thread: UserThread, milliseconds: int, *, alertable: bool) -> int:
    with thread.frame() as frame:
        place: Ptr[LARGE_INTEGER] = frame.new(LARGE_INTEGER)
        place.write(-(1 << 63) if milliseconds == INFINITE else -milliseconds * 10_000)
        while True:
            status = await nt.NtDelayExecution(thread, int(alertable), place.address)
            if status != STATUS.ALERTED:
                return status


@export
async def Sleep(thread: UserThread, dwMilliseconds: DWORD) -> None:
    """Let time pass; 0 lets others run."""
    await _sleep(thread, dwMilliseconds, alertable=False)


@export
async def SleepEx(thread: UserThread, dwMilliseconds: DWORD, bAlertable: BOOL) -> DWORD:
    """Let time pass, or until an APC ran (WAIT_IO_COMPLETION)."""
    status = await _sleep(thread, dwMilliseconds, alertable=bool(bAlertable))
    return DWORD(status if status == STATUS.USER_APC else 0)


async def _create_event(
    thread: UserThread, security: Security, name: str | None, access: int, *, manual: bool, initial: bool
) -> HANDLE:
    with thread.frame() as frame:
        handle = new_handle(frame)
        where = named(thread, frame, name, security, create=True)
        kind = EVENT_TYPE.NotificationEvent if manual else EVENT_TYPE.SynchronizationEvent
        status = await nt.NtCreateEvent(thread, handle.address, access, where, kind, int(initial))
        note_existing(thread, status)
        return HANDLE(handle.read())


@export_both()
async def CreateEventW(
    thread: UserThread,
    lpEventAttributes: Ptr[SECURITY_ATTRIBUTES] | None,
    bManualReset: BOOL,
    bInitialState: BOOL,
    lpName: Ptr[WCHAR],
) -> HANDLE:
    """Create an event, or open the one of that name."""
    return await _create_event(
        thread, lpEventAttributes, optional_text(lpName), EVENT_ALL_ACCESS, manual=bool(bManualReset),
        initial=bool(bInitialState),
    )  # fmt: skip


@export_both()
async def CreateEventExW(
    thread: UserThread,
    lpEventAttributes: Ptr[SECURITY_ATTRIBUTES] | None,
    lpName: Ptr[WCHAR],
    dwFlags: DWORD,
    dwDesiredAccess: DWORD,
) -> HANDLE:
    """CreateEvent with a chosen access."""
    if dwFlags & ~3:
        raise WinError(ERROR.INVALID_PARAMETER)
    return await _create_event(
        thread, lpEventAttributes, optional_text(lpName), dwDesiredAccess,
        manual=dwFlags & CREATE_EVENT_MANUAL_RESET != 0, initial=dwFlags & CREATE_EVENT_INITIAL_SET != 0,
    )  # fmt: skip


async def _open(thread: UserThread, service: str, access: int, inherit: int, name: Ptr[WCHAR]) -> HANDLE:
    if not name:
        raise WinError(ERROR.INVALID_PARAMETER)
    with thread.frame() as frame:
        handle = new_handle(frame)
        where = named(thread, frame, optional_text(name), inherit=bool(inherit))
        await getattr(nt, service)(thread, handle.address, access, where)
        return HANDLE(handle.read())


@export_both()
async def OpenEventW(thread: UserThread, dwDesiredAccess: DWORD, bInheritHandle: BOOL, lpName: Ptr[WCHAR]) -> HANDLE:
    """A handle to an event by name."""
    return await _open(thread, "NtOpenEvent", dwDesiredAccess, bInheritHandle, lpName)


@export
async def SetEvent(thread: UserThread, hEvent: HANDLE) -> BOOL:
    """Signal an event."""
    await nt.NtSetEvent(thread, hEvent, 0)
    return BOOL(1)


@export
async def ResetEvent(thread: UserThread, hEvent: HANDLE) -> BOOL:
    """Make an event not signalled."""
    await nt.NtClearEvent(thread, hEvent)
    return BOOL(1)


@export
async def PulseEvent(thread: UserThread, hEvent: HANDLE) -> BOOL:
    """Wake who waits now, and leave the event not signalled."""
    await nt.NtPulseEvent(thread, hEvent, 0)
    return BOOL(1)


async def _create_mutex(
    thread: UserThread, security: Security, name: str | None, access: int, *, owned: bool
) -> HANDLE:
    with thread.frame() as frame:
        handle = new_handle(frame)
        where = named(thread, frame, name, security, create=True)
        status = await nt.NtCreateMutant(thread, handle.address, access, where, int(owned))
        note_existing(thread, status)
        return HANDLE(handle.read())


@export_both()
async def CreateMutexW(
    thread: UserThread,
    lpMutexAttributes: Ptr[SECURITY_ATTRIBUTES] | None,
    bInitialOwner: BOOL,
    lpName: Ptr[WCHAR],
) -> HANDLE:
    """Create a mutex, or open the one of that name."""
    name = optional_text(lpName)
    return await _create_mutex(thread, lpMutexAttributes, name, MUTANT_ALL_ACCESS, owned=bool(bInitialOwner))


@export_both()
async def CreateMutexExW(
    thread: UserThread,
    lpMutexAttributes: Ptr[SECURITY_ATTRIBUTES] | None,
    lpName: Ptr[WCHAR],
    dwFlags: DWORD,
    dwDesiredAccess: DWORD,
) -> HANDLE:
    """CreateMutex with a chosen access."""
    if dwFlags & ~1:
        raise WinError(ERROR.INVALID_PARAMETER)
    owned = dwFlags & CREATE_MUTEX_INITIAL_OWNER != 0
    return await _create_mutex(thread, lpMutexAttributes, optional_text(lpName), dwDesiredAccess, owned=owned)


@export_both()
async def OpenMutexW(thread: UserThread, dwDesiredAccess: DWORD, bInheritHandle: BOOL, lpName: Ptr[WCHAR]) -> HANDLE:
    """A handle to a mutex by name."""
    return await _open(thread, "NtOpenMutant", dwDesiredAccess, bInheritHandle, lpName)


@export
async def ReleaseMutex(thread: UserThread, hMutex: HANDLE) -> BOOL:
    """Give a mutex up; only its owner can."""
    await nt.NtReleaseMutant(thread, hMutex, 0)
    return BOOL(1)


async def _create_semaphore(
    thread: UserThread, security: Security, initial: int, maximum: int, name: str | None, access: int
) -> HANDLE:
    with thread.frame() as frame:
        handle = new_handle(frame)
        where = named(thread, frame, name, security, create=True)
        status = await nt.NtCreateSemaphore(thread, handle.address, access, where, initial, maximum)
        note_existing(thread, status)
        return HANDLE(handle.read())


@export_both()
async def CreateSemaphoreW(
    thread: UserThread,
    lpSemaphoreAttributes: Ptr[SECURITY_ATTRIBUTES] | None,
    lInitialCount: LONG,
    lMaximumCount: LONG,
    lpName: Ptr[WCHAR],
) -> HANDLE:
    """Create a semaphore, or open the one of that name."""
    name = optional_text(lpName)
    return await _create_semaphore(
        thread, lpSemaphoreAttributes, lInitialCount, lMaximumCount, name, SEMAPHORE_ALL_ACCESS
    )


@export_both()
async def CreateSemaphoreExW(
    thread: UserThread,
    lpSemaphoreAttributes: Ptr[SECURITY_ATTRIBUTES] | None,
    lInitialCount: LONG,
    lMaximumCount: LONG,
    lpName: Ptr[WCHAR],
    dwFlags: DWORD,
    dwDesiredAccess: DWORD,
) -> HANDLE:
    """CreateSemaphore with a chosen access."""
    if dwFlags:
        raise WinError(ERROR.INVALID_PARAMETER)
    name = optional_text(lpName)
    return await _create_semaphore(thread, lpSemaphoreAttributes, lInitialCount, lMaximumCount, name, dwDesiredAccess)


@export_both()
async def OpenSemaphoreW(
    thread: UserThread, dwDesiredAccess: DWORD, bInheritHandle: BOOL, lpName: Ptr[WCHAR]
) -> HANDLE:
    """A handle to a semaphore by name."""
    return await _open(thread, "NtOpenSemaphore", dwDesiredAccess, bInheritHandle, lpName)


@export
async def ReleaseSemaphore(
    thread: UserThread, hSemaphore: HANDLE, lReleaseCount: LONG, lpPreviousCount: Ptr[LONG] | None
) -> BOOL:
    """Raise a semaphore's count."""
    previous = lpPreviousCount.address if lpPreviousCount else 0
    await nt.NtReleaseSemaphore(thread, hSemaphore, lReleaseCount, previous)
    return BOOL(1)


async def _create_timer(
    thread: UserThread, security: Security, name: str | None, access: int, *, manual: bool
) -> HANDLE:
    with thread.frame() as frame:
        handle = new_handle(frame)
        where = named(thread, frame, name, security, create=True)
        kind = TIMER_TYPE.NotificationTimer if manual else TIMER_TYPE.SynchronizationTimer
        status = await nt.NtCreateTimer(thread, handle.address, access, where, kind)
        note_existing(thread, status)
        return HANDLE(handle.read())


@export_both()
async def CreateWaitableTimerW(
    thread: UserThread,
    lpTimerAttributes: Ptr[SECURITY_ATTRIBUTES] | None,
    bManualReset: BOOL,
    lpTimerName: Ptr[WCHAR],
) -> HANDLE:
    """Create a timer, or open the one of that name."""
    name = optional_text(lpTimerName)
    return await _create_timer(thread, lpTimerAttributes, name, TIMER_ALL_ACCESS, manual=bool(bManualReset))


@export_both()
async def CreateWaitableTimerExW(
    thread: UserThread,
    lpTimerAttributes: Ptr[SECURITY_ATTRIBUTES] | None,
    lpTimerName: Ptr[WCHAR],
    dwFlags: DWORD,
    dwDesiredAccess: DWORD,
) -> HANDLE:
    """CreateWaitableTimer with a chosen access; high resolution (2) makes no difference here."""
    if dwFlags & ~3:
        raise WinError(ERROR.INVALID_PARAMETER)
    manual = dwFlags & CREATE_WAITABLE_TIMER_MANUAL_RESET != 0
    name = optional_text(lpTimerName)
    return await _create_timer(thread, lpTimerAttributes, name, dwDesiredAccess, manual=manual)


@export_both()
async def OpenWaitableTimerW(
    thread: UserThread, dwDesiredAccess: DWORD, bInheritHandle: BOOL, lpTimerName: Ptr[WCHAR]
) -> HANDLE:
    """A handle to a timer by name."""
    return await _open(thread, "NtOpenTimer", dwDesiredAccess, bInheritHandle, lpTimerName)


async def _set_timer(
    thread: UserThread, timer: int, due: int, period: int, routine: int, argument: int, *, resume: bool
) -> BOOL:
    if period < 0:
        raise WinError(ERROR.INVALID_PARAMETER)
    status = await nt.NtSetTimer(thread, timer, due, routine, argument, int(resume), period, 0)
    set_last_error(thread, ERROR.NOT_SUPPORTED if status == STATUS.TIMER_RESUME_IGNORED else ERROR.SUCCESS)
    return BOOL(1)


@export
async def SetWaitableTimer(
    thread: UserThread,
    hTimer: HANDLE,
    lpDueTime: Ptr[LARGE_INTEGER],
    lPeriod: LONG,
    pfnCompletionRoutine: Code,
    lpArgToCompletionRoutine: PVOID,
    fResume: BOOL,
) -> BOOL:
    """Start a timer; its routine becomes an APC of this thread."""
    return await _set_timer(
        thread, hTimer, lpDueTime.address, lPeriod, pfnCompletionRoutine, lpArgToCompletionRoutine,
        resume=bool(fResume),
    )  # fmt: skip


@export
async def SetWaitableTimerEx(
    thread: UserThread,
    hTimer: HANDLE,
    lpDueTime: Ptr[LARGE_INTEGER],
    lPeriod: LONG,
    pfnCompletionRoutine: Code,
    lpArgToCompletionRoutine: PVOID,
    WakeContext: PVOID,
    TolerableDelay: ULONG,
) -> BOOL:
    """Start a timer that may be late by so many milliseconds (it never is)."""
    return await _set_timer(
        thread,
        hTimer,
        lpDueTime.address,
        lPeriod,
        pfnCompletionRoutine,
        lpArgToCompletionRoutine,
        resume=False,
    )


@export
async def CancelWaitableTimer(thread: UserThread, hTimer: HANDLE) -> BOOL:
    """Stop a timer; it is not signalled by that."""
    await nt.NtCancelTimer(thread, hTimer, 0)
    return BOOL(1)

"""Locks that live in the program's memory: Win32's shape of ntdll's leaf routines."""

from __future__ import annotations

from ntos.abi.errors import ERROR
from ntos.abi.pointer import Code, Ptr
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import BOOL, DWORD, NTSTATUS, PVOID, SIZE_T
from ntos.dll.kernelbase.objects import new_handle, timeout
from ntos.dll.kernelbase.services import rtl, rtl_status
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread

CONDITION_VARIABLE_LOCKMODE_SHARED = 1


@export
async def InitializeCriticalSectionAndSpinCount(
    thread: UserThread, lpCriticalSection: PVOID, dwSpinCount: DWORD
) -> BOOL:
    """Make a critical section ready; it never fails."""
    await rtl_status(thread, "RtlInitializeCriticalSectionAndSpinCount", lpCriticalSection, dwSpinCount)
    return BOOL(1)


@export
async def InitializeCriticalSectionEx(
    thread: UserThread, lpCriticalSection: PVOID, dwSpinCount: DWORD, Flags: DWORD
) -> BOOL:
    """The same with flags."""
    await rtl_status(thread, "RtlInitializeCriticalSectionEx", lpCriticalSection, dwSpinCount, Flags)
    return BOOL(1)


async def _timed(thread: UserThread, name: str, *arguments: int) -> BOOL:
    status = await rtl(thread, name, *arguments) & 0xFFFF_FFFF
    if status == STATUS.TIMEOUT or status >> 31:
        raise NtError(NTSTATUS(status)) if status != STATUS.TIMEOUT else WinError(ERROR.TIMEOUT)
    return BOOL(1)


@export
async def SleepConditionVariableCS(
    thread: UserThread, ConditionVariable: PVOID, CriticalSection: PVOID, dwMilliseconds: DWORD
) -> BOOL:
    """Leave a critical section, wait to be woken, and take it again."""
    with thread.frame() as frame:
        until = timeout(frame, dwMilliseconds)
        return await _timed(thread, "RtlSleepConditionVariableCS", ConditionVariable, CriticalSection, until)


@export
async def SleepConditionVariableSRW(
    thread: UserThread, ConditionVariable: PVOID, SRWLock: PVOID, dwMilliseconds: DWORD, Flags: DWORD
) -> BOOL:
    """The same with a slim lock."""
    if Flags & ~CONDITION_VARIABLE_LOCKMODE_SHARED:
        raise WinError(ERROR.INVALID_PARAMETER)
    with thread.frame() as frame:
        until = timeout(frame, dwMilliseconds)
        return await _timed(thread, "RtlSleepConditionVariableSRW", ConditionVariable, SRWLock, until, Flags)


@export
async def WaitOnAddress(
    thread: UserThread, Address: PVOID, CompareAddress: PVOID, AddressSize: SIZE_T, dwMilliseconds: DWORD
) -> BOOL:
    """Wait while memory holds an undesired value."""
    with thread.frame() as frame:
        until = timeout(frame, dwMilliseconds)
        return await _timed(thread, "RtlWaitOnAddress", Address, CompareAddress, AddressSize, until)


@export
async def InitOnceExecuteOnce(
    thread: UserThread, InitOnce: PVOID, InitFn: Code, Parameter: PVOID, Context: Ptr[PVOID] | None
) -> BOOL:
    """Run the initialiser once; later callers wait for the first."""
    place = Context.address if Context else 0
    await rtl_status(thread, "RtlRunOnceExecuteOnce", InitOnce, InitFn, Parameter, place)
    return BOOL(1)


@export
async def InitOnceBeginInitialize(
    thread: UserThread, lpInitOnce: PVOID, dwFlags: DWORD, fPending: Ptr[BOOL], lpContext: Ptr[PVOID] | None
) -> BOOL:
    """Ask whether initialisation is still to be done, and begin it."""
    place = lpContext.address if lpContext else 0
    with thread.frame() as frame:
        place = place or new_handle(frame).address
        status = await rtl_status(thread, "RtlRunOnceBeginInitialize", lpInitOnce, dwFlags, place)
    fPending.write(int(status == STATUS.PENDING))
    return BOOL(1)


@export
async def InitOnceComplete(thread: UserThread, lpInitOnce: PVOID, dwFlags: DWORD, lpContext: PVOID) -> BOOL:
    """Say that initialisation is done, or failed."""
    await rtl_status(thread, "RtlRunOnceComplete", lpInitOnce, dwFlags, lpContext)
    return BOOL(1)

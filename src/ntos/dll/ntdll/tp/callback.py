"""What a callback may ask to be done when it has returned."""

from __future__ import annotations

from ntos.abi.status import STATUS, NtError
from ntos.abi.types import HANDLE, LONG, NTSTATUS, PVOID
from ntos.dll.ntdll import guest
from ntos.dll.ntdll.tp.pool import Instance, Pools
from ntos.um.export import export
from ntos.um.thread import UserThread


def instance_at(thread: UserThread, address: int) -> Instance:
    """The call under way of an address; INVALID_PARAMETER for none."""
    instance = thread.state(Pools).instances.get(address)
    if instance is None:
        raise NtError(STATUS.INVALID_PARAMETER)
    return instance


def _later(thread: UserThread, address: int, routine: str, *arguments: int) -> None:
    instance_at(thread, address).actions.append((guest.routine(thread, routine), *arguments))


@export
def TpCallbackSetEventOnCompletion(thread: UserThread, Instance: PVOID, Event: HANDLE) -> None:
    """Set an event when the callback has returned."""
    _later(thread, Instance, "NtSetEvent", Event, 0)


@export
def TpCallbackReleaseSemaphoreOnCompletion(
    thread: UserThread, Instance: PVOID, Semaphore: HANDLE, ReleaseCount: LONG
) -> None:
    """Release a semaphore when the callback has returned."""
    _later(thread, Instance, "NtReleaseSemaphore", Semaphore, ReleaseCount, 0)


@export
def TpCallbackReleaseMutexOnCompletion(thread: UserThread, Instance: PVOID, Mutex: HANDLE) -> None:
    """Release a mutex when the callback has returned."""
    _later(thread, Instance, "NtReleaseMutant", Mutex, 0)


@export
def TpCallbackLeaveCriticalSectionOnCompletion(thread: UserThread, Instance: PVOID, CriticalSection: PVOID) -> None:
    """Leave a critical section when the callback has returned."""
    _later(thread, Instance, "RtlLeaveCriticalSection", CriticalSection)


@export
def TpCallbackUnloadDllOnCompletion(thread: UserThread, Instance: PVOID, DllHandle: PVOID) -> None:
    """Unload a DLL when the callback has returned."""
    _later(thread, Instance, "LdrUnloadDll", DllHandle)


@export
def TpCallbackMayRunLong(thread: UserThread, Instance: PVOID) -> NTSTATUS:
    """Say that a callback takes its time: a pool makes another thread whenever none is idle."""
    pool = instance_at(thread, Instance).item.member.pool
    return STATUS.SUCCESS if pool.threads < pool.maximum else STATUS.TOO_MANY_THREADS


@export(partial="only while no other call of the object is outstanding")
async def TpDisassociateCallback(thread: UserThread, Instance: PVOID) -> None:
    """Who waits for the object's calls no longer waits for this one."""
    member = instance_at(thread, Instance).item.member
    if member.outstanding > 1:
        raise NtError(STATUS.NOT_IMPLEMENTED)
    waiters, member.waiters = member.waiters, []
    for event in waiters:
        await thread.call(guest.routine(thread, "NtSetEvent"), event, 0)

"""The wait services: one object, several, or one after signalling another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi import access as rights
from ntos.abi.pointer import In, Ptr
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import BOOLEAN, HANDLE, LARGE_INTEGER, NTSTATUS, ULONG
from ntos.ke import wait as ke_wait
from ntos.ke.event import Event
from ntos.ke.mutant import Mutant
from ntos.ke.semaphore import Semaphore
from ntos.ke.service import service
from ntos.ob.handle import by_handle, referenced, waitable
from ntos.ob.object import dereference, reference

if TYPE_CHECKING:
    from ntos.ke.thread import Thread
    from ntos.ob.types import KernelObject


@service
async def NtWaitForSingleObject(
    thread: Thread, Handle: HANDLE, Alertable: BOOLEAN, Timeout: In[LARGE_INTEGER] | None
) -> NTSTATUS:
    """Block until the object is signalled, the time is up, or an alert arrives."""
    with referenced(thread, Handle, rights.SYNCHRONIZE) as obj:
        return await ke_wait.wait(thread, (waitable(obj),), timeout=Timeout, alertable=bool(Alertable))


@service
async def NtWaitForMultipleObjects(
    thread: Thread,
    Count: ULONG,
    Handles: Ptr[HANDLE],
    WaitType: ULONG,
    Alertable: BOOLEAN,
    Timeout: In[LARGE_INTEGER] | None,
) -> NTSTATUS:
    """Block until all (0) or any (1) of up to 64 objects are signalled."""
    if not 0 < Count <= ke_wait.MAXIMUM_WAIT_OBJECTS:
        raise NtError(STATUS.INVALID_PARAMETER_1)
    if WaitType not in {ke_wait.WAIT_ALL, ke_wait.WAIT_ANY}:
        raise NtError(STATUS.INVALID_PARAMETER_3)
    held: list[KernelObject] = []
    try:
        for index in range(Count):
            held.append(by_handle(thread, Handles[index], rights.SYNCHRONIZE))
            reference(held[-1])
        if WaitType == ke_wait.WAIT_ALL and len({obj.address for obj in held}) < Count:
            raise NtError(STATUS.INVALID_PARAMETER_MIX)
        return await ke_wait.wait(
            thread,
            [waitable(obj) for obj in held],
            timeout=Timeout,
            alertable=bool(Alertable),
            wait_any=WaitType == ke_wait.WAIT_ANY,
        )
    finally:
        for obj in held:
            dereference(obj)


@service
async def NtSignalAndWaitForSingleObject(
    thread: Thread,
    SignalHandle: HANDLE,
    WaitHandle: HANDLE,
    Alertable: BOOLEAN,
    Timeout: In[LARGE_INTEGER] | None,
) -> NTSTATUS:
    """Set an event, release a mutant or a semaphore, and wait for another object without a gap between."""
    signalled = by_handle(thread, SignalHandle, 0)
    with referenced(thread, WaitHandle, rights.SYNCHRONIZE) as obj:
        target = waitable(obj)
        if isinstance(signalled, Event):
            by_handle(thread, SignalHandle, rights.EVENT_MODIFY_STATE)
            signalled.set()
        elif isinstance(signalled, Mutant):
            signalled.release(thread)
        elif isinstance(signalled, Semaphore):
            by_handle(thread, SignalHandle, rights.SEMAPHORE_MODIFY_STATE)
            signalled.release(1)
        else:
            raise NtError(STATUS.OBJECT_TYPE_MISMATCH)
        return await ke_wait.wait(thread, (target,), timeout=Timeout, alertable=bool(Alertable))

"""Semaphores. What a count and its limit do is `ke.semaphore`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi import access as rights
from ntos.abi.layout.api import SEMAPHORE_BASIC_INFORMATION
from ntos.abi.layout.dispatcher import KSEMAPHORE
from ntos.abi.layout.object import OBJECT_ATTRIBUTES
from ntos.abi.pointer import In, Out
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import ACCESS_MASK, HANDLE, LONG, NTSTATUS, PVOID, ULONG
from ntos.ke.semaphore import Semaphore
from ntos.ke.service import service
from ntos.ob import answer
from ntos.ob.handle import by_handle
from ntos.ob.insert import create_or_open, open_by_name
from ntos.ob.object import create
from ntos.ob.types import ObjectType

if TYPE_CHECKING:
    from ntos.ke.thread import Thread

SEMAPHORE: ObjectType[Semaphore] = ObjectType(
    "Semaphore",
    KSEMAPHORE.size,
    Semaphore,
    valid_access=rights.SEMAPHORE_ALL_ACCESS,
    generic_mapping=(0x20001, 0x20002, 0x120000, rights.SEMAPHORE_ALL_ACCESS),
    default_dispatcher=0,
    tag=b"Sema",
    invalid_attributes=0x100,
)


@service
def NtCreateSemaphore(
    thread: Thread,
    SemaphoreHandle: Out[HANDLE],
    DesiredAccess: ACCESS_MASK,
    ObjectAttributes: In[OBJECT_ATTRIBUTES] | None,
    InitialCount: LONG,
    MaximumCount: LONG,
) -> NTSTATUS:
    """Create a semaphore, or open the one that already bears the name."""
    if MaximumCount <= 0 or not 0 <= InitialCount <= MaximumCount:
        raise NtError(STATUS.INVALID_PARAMETER)

    def make() -> Semaphore:
        made = create(thread.kernel, SEMAPHORE)
        made.initialize(InitialCount, MaximumCount)
        return made

    handle, status = create_or_open(thread, SEMAPHORE, ObjectAttributes, DesiredAccess, make)
    SemaphoreHandle.write(handle)
    return status


@service
def NtOpenSemaphore(
    thread: Thread,
    SemaphoreHandle: Out[HANDLE],
    DesiredAccess: ACCESS_MASK,
    ObjectAttributes: In[OBJECT_ATTRIBUTES] | None,
) -> NTSTATUS:
    """Open a semaphore by name."""
    SemaphoreHandle.write(open_by_name(thread, SEMAPHORE, ObjectAttributes, DesiredAccess))
    return STATUS.SUCCESS


@service
def NtReleaseSemaphore(
    thread: Thread, SemaphoreHandle: HANDLE, ReleaseCount: LONG, PreviousCount: Out[LONG] | None
) -> NTSTATUS:
    """Add to the count; SEMAPHORE_LIMIT_EXCEEDED changes nothing."""
    if ReleaseCount <= 0:
        raise NtError(STATUS.INVALID_PARAMETER)
    former = by_handle(thread, SemaphoreHandle, rights.SEMAPHORE_MODIFY_STATE, SEMAPHORE).release(
        ReleaseCount
    )
    if PreviousCount is not None:
        PreviousCount.write(former)
    return STATUS.SUCCESS


@service
def NtQuerySemaphore(
    thread: Thread,
    SemaphoreHandle: HANDLE,
    SemaphoreInformationClass: ULONG,
    SemaphoreInformation: PVOID,
    SemaphoreInformationLength: ULONG,
    ReturnLength: Out[ULONG] | None,
) -> NTSTATUS:
    """A semaphore's count and limit."""
    if SemaphoreInformationClass:
        raise NtError(STATUS.INVALID_INFO_CLASS)
    semaphore = by_handle(thread, SemaphoreHandle, rights.SEMAPHORE_QUERY_STATE, SEMAPHORE)
    information = SEMAPHORE_BASIC_INFORMATION.new()
    information.CurrentCount = semaphore.header.SignalState
    information.MaximumCount = semaphore.limit
    return answer.exact(thread, SemaphoreInformation, SemaphoreInformationLength, information, ReturnLength)

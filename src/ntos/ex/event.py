"""Events: NtCreateEvent and its companions. What setting an event does is `ke.event`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi import access as rights
from ntos.abi.layout.api import EVENT_BASIC_INFORMATION
from ntos.abi.layout.dispatcher import KEVENT
from ntos.abi.layout.object import OBJECT_ATTRIBUTES
from ntos.abi.pointer import In, Out
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import ACCESS_MASK, BOOLEAN, HANDLE, LONG, NTSTATUS, PVOID, ULONG
from ntos.ke.event import SYNCHRONIZATION_EVENT, Event
from ntos.ke.service import service
from ntos.ob import answer
from ntos.ob.handle import by_handle
from ntos.ob.insert import create_or_open, open_by_name
from ntos.ob.object import create
from ntos.ob.types import ObjectType

if TYPE_CHECKING:
    from ntos.ke.thread import Thread

EVENT: ObjectType[Event] = ObjectType(
    "Event",
    KEVENT.size,
    Event,
    valid_access=rights.EVENT_ALL_ACCESS,
    generic_mapping=(0x20001, 0x20002, 0x120000, rights.EVENT_ALL_ACCESS),
    default_dispatcher=0,
    tag=b"Even",
    invalid_attributes=0x100,
)


@service
def NtCreateEvent(
    thread: Thread,
    EventHandle: Out[HANDLE],
    DesiredAccess: ACCESS_MASK,
    ObjectAttributes: In[OBJECT_ATTRIBUTES] | None,
    EventType: ULONG,
    InitialState: BOOLEAN,
) -> NTSTATUS:
    """Create a notification (0) or synchronisation (1) event, or open the one that already bears the name."""
    if EventType > SYNCHRONIZATION_EVENT:
        raise NtError(STATUS.INVALID_PARAMETER)

    def make() -> Event:
        made = create(thread.kernel, EVENT)
        made.initialize(EventType, signalled=bool(InitialState))
        return made

    handle, status = create_or_open(thread, EVENT, ObjectAttributes, DesiredAccess, make)
    EventHandle.write(handle)
    return status


@service
def NtOpenEvent(
    thread: Thread,
    EventHandle: Out[HANDLE],
    DesiredAccess: ACCESS_MASK,
    ObjectAttributes: In[OBJECT_ATTRIBUTES] | None,
) -> NTSTATUS:
    """Open an event by name."""
    EventHandle.write(open_by_name(thread, EVENT, ObjectAttributes, DesiredAccess))
    return STATUS.SUCCESS


@service
def NtSetEvent(thread: Thread, EventHandle: HANDLE, PreviousState: Out[LONG] | None) -> NTSTATUS:
    """Signal an event."""
    former = by_handle(thread, EventHandle, rights.EVENT_MODIFY_STATE, EVENT).set()
    if PreviousState is not None:
        PreviousState.write(former)
    return STATUS.SUCCESS


@service(partial="whom it releases gets no priority boost")
def NtSetEventBoostPriority(thread: Thread, EventHandle: HANDLE) -> NTSTATUS:
    """Signal a synchronisation event for the owner's successor."""
    event = by_handle(thread, EventHandle, rights.EVENT_MODIFY_STATE, EVENT)
    if event.header.Type != SYNCHRONIZATION_EVENT:
        raise NtError(STATUS.INVALID_PARAMETER)
    event.set()
    return STATUS.SUCCESS


@service
def NtResetEvent(thread: Thread, EventHandle: HANDLE, PreviousState: Out[LONG] | None) -> NTSTATUS:
    """Make an event not signalled, and learn what it was."""
    former = by_handle(thread, EventHandle, rights.EVENT_MODIFY_STATE, EVENT).reset()
    if PreviousState is not None:
        PreviousState.write(former)
    return STATUS.SUCCESS


@service
def NtClearEvent(thread: Thread, EventHandle: HANDLE) -> NTSTATUS:
    """Make an event not signalled."""
    by_handle(thread, EventHandle, rights.EVENT_MODIFY_STATE, EVENT).reset()
    return STATUS.SUCCESS


@service
def NtPulseEvent(thread: Thread, EventHandle: HANDLE, PreviousState: Out[LONG] | None) -> NTSTATUS:
    """Release who waits now, and leave the event not signalled."""
    former = by_handle(thread, EventHandle, rights.EVENT_MODIFY_STATE, EVENT).pulse()
    if PreviousState is not None:
        PreviousState.write(former)
    return STATUS.SUCCESS


@service
def NtQueryEvent(
    thread: Thread,
    EventHandle: HANDLE,
    EventInformationClass: ULONG,
    EventInformation: PVOID,
    EventInformationLength: ULONG,
    ReturnLength: Out[ULONG] | None,
) -> NTSTATUS:
    """An event's type and state."""
    if EventInformationClass:
        raise NtError(STATUS.INVALID_INFO_CLASS)
    event = by_handle(thread, EventHandle, rights.EVENT_QUERY_STATE, EVENT)
    information = EVENT_BASIC_INFORMATION.new()
    information.EventType = event.header.Type
    information.EventState = event.header.SignalState
    return answer.exact(thread, EventInformation, EventInformationLength, information, ReturnLength)

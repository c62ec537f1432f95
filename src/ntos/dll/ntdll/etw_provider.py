"""Event providers (evntprov.h): registration, and writing events nobody has asked for.

A provider's events go to the trace sessions that enabled it. No session can be started here (NtTraceControl is
absent), so every provider stays disabled, and writing to a disabled provider succeeds without a trace, as on Windows
(Microsoft Learn, "EventWrite": applications need not check whether they are enabled).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

from ntos.abi.errors import ERROR
from ntos.abi.layout.string import GUID
from ntos.abi.pointer import Code, In, Out, Ptr
from ntos.abi.types import BOOLEAN, DWORD, PVOID, UCHAR, ULONG, ULONGLONG, WCHAR
from ntos.um.export import export
from ntos.um.thread import UserThread

INFORMATION_CLASSES = 4
"""EVENT_INFO_CLASS has four values."""
NOBODY = "no trace session can be started: nothing is ever recorded"


@dataclass
class Providers:
    """The registered providers of a process: their GUIDs by handle."""

    guids: dict[int, bytes] = field(default_factory=dict)
    handles: itertools.count[int] = field(default_factory=lambda: itertools.count(0x10000, 0x10000))


def _known(thread: UserThread, handle: int) -> DWORD:
    return DWORD(ERROR.SUCCESS if int(handle) in thread.state(Providers).guids else ERROR.INVALID_HANDLE)


@export(partial="the enable callback is never called: no session can enable a provider")
def EtwEventRegister(
    thread: UserThread, ProviderId: In[GUID], EnableCallback: Code, CallbackContext: PVOID, RegHandle: Out[ULONGLONG]
) -> DWORD:
    """Announce a provider; the handle it writes events with."""
    providers = thread.state(Providers)
    handle = next(providers.handles)
    providers.guids[handle] = bytes(ProviderId)
    RegHandle.write(handle)
    return DWORD(ERROR.SUCCESS)


@export
def EtwEventUnregister(thread: UserThread, RegHandle: ULONGLONG) -> DWORD:
    """Take a provider back."""
    gone = thread.state(Providers).guids.pop(int(RegHandle), None)
    return DWORD(ERROR.INVALID_HANDLE if gone is None else ERROR.SUCCESS)


@export(partial="what it is told is checked and not used: no session would see it")
def EtwEventSetInformation(
    thread: UserThread, RegHandle: ULONGLONG, InformationClass: ULONG, EventInformation: Ptr[UCHAR], Length: ULONG
) -> DWORD:
    """Say something about a provider: its traits, or how its events are written."""
    if InformationClass >= INFORMATION_CLASSES:
        return DWORD(ERROR.INVALID_PARAMETER)
    return _known(thread, RegHandle)


@export
def EtwEventEnabled(thread: UserThread, RegHandle: ULONGLONG, EventDescriptor: PVOID) -> BOOLEAN:
    """Whether a session wants this event: none can."""
    return BOOLEAN(0)


@export
def EtwEventProviderEnabled(thread: UserThread, RegHandle: ULONGLONG, Level: UCHAR, Keyword: ULONGLONG) -> BOOLEAN:
    """Whether a session wants a provider's events of a level: none can."""
    return BOOLEAN(0)


@export(partial=NOBODY)
def EtwEventWrite(
    thread: UserThread, RegHandle: ULONGLONG, EventDescriptor: PVOID, UserDataCount: ULONG, UserData: PVOID
) -> DWORD:
    """Write an event to the sessions that enabled the provider."""
    return _known(thread, RegHandle)


@export(partial=NOBODY)
def EtwEventWriteTransfer(
    thread: UserThread,
    RegHandle: ULONGLONG,
    EventDescriptor: PVOID,
    ActivityId: PVOID,
    RelatedActivityId: PVOID,
    UserDataCount: ULONG,
    UserData: PVOID,
) -> DWORD:
    """Write an event that belongs to an activity and follows another."""
    return _known(thread, RegHandle)


@export(partial=NOBODY)
def EtwEventWriteEx(
    thread: UserThread,
    RegHandle: ULONGLONG,
    EventDescriptor: PVOID,
    Filter: ULONGLONG,
    Flags: ULONG,
    ActivityId: PVOID,
    RelatedActivityId: PVOID,
    UserDataCount: ULONG,
    UserData: PVOID,
) -> DWORD:
    """Write an event, except to the sessions a filter leaves out."""
    return _known(thread, RegHandle)


@export(partial=NOBODY)
def EtwEventWriteString(
    thread: UserThread, RegHandle: ULONGLONG, Level: UCHAR, Keyword: ULONGLONG, String: Ptr[WCHAR]
) -> DWORD:
    """Write an event that is a line of text."""
    return _known(thread, RegHandle)

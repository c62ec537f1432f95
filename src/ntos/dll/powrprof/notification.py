"""Registrations for suspend and resume."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

from ntos.abi.errors import ERROR
from ntos.abi.pointer import Out
from ntos.abi.types import DWORD, HANDLE, PVOID
from ntos.um.export import export
from ntos.um.thread import UserThread

DEVICE_NOTIFY_CALLBACK = 2


@dataclass
class Registrations:
    """Who asked, by handle."""

    recipients: dict[int, int] = field(default_factory=dict)
    handles: itertools.count[int] = field(default_factory=lambda: itertools.count(0x10, 0x10))


@export(partial="callbacks only, no windows or services")
def PowerRegisterSuspendResumeNotification(
    thread: UserThread, Flags: DWORD, Recipient: HANDLE, RegistrationHandle: Out[PVOID]
) -> DWORD:
    """Ask to be called when the machine goes to sleep or wakes."""
    if Flags != DEVICE_NOTIFY_CALLBACK or not Recipient:
        return DWORD(ERROR.INVALID_PARAMETER)
    registrations = thread.state(Registrations)
    handle = next(registrations.handles)
    registrations.recipients[handle] = Recipient
    RegistrationHandle.write(handle)
    return DWORD(ERROR.SUCCESS)


@export
def PowerUnregisterSuspendResumeNotification(thread: UserThread, RegistrationHandle: PVOID) -> DWORD:
    """Take the wish back."""
    if thread.state(Registrations).recipients.pop(int(RegistrationHandle), None) is None:
        return DWORD(ERROR.INVALID_PARAMETER)
    return DWORD(ERROR.SUCCESS)

"""Events: notification (stays signalled, releases all) and synchronisation (releases one and resets itself)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.ke.dispatcher import DispatcherObject

if TYPE_CHECKING:
    from ntos.ke.kernel import Kernel
    from ntos.ke.thread import Thread

NOTIFICATION_EVENT = 0
SYNCHRONIZATION_EVENT = 1
KEVENT_SIZE = 0x18


class Event(DispatcherObject):
    """KEVENT. The object type number in the header *is* the event type (0 or 1), as in NT."""

    def initialize(self, kind: int, *, signalled: bool) -> None:
        """KeInitializeEvent."""
        self.initialize_header(kind, KEVENT_SIZE, int(signalled))

    def satisfy(self, thread: Thread) -> int:
        if self.header.Type == SYNCHRONIZATION_EVENT:
            self.header.SignalState = 0
        return 0

    def set(self) -> int:
        """KeSetEvent; gives the former state."""
        return self.signal(1)

    def reset(self) -> int:
        """KeResetEvent; gives the former state."""
        former = int(self.header.SignalState)
        self.header.SignalState = 0
        return former

    def pulse(self) -> int:
        """KePulseEvent: release whoever waits now, then reset."""
        former = self.signal(1)
        self.header.SignalState = 0
        return former


def event_at(kernel: Kernel, address: int) -> Event:
    """An Event object for a KEVENT embedded in another structure (FILE_OBJECT.Event)."""
    return Event(kernel, address)

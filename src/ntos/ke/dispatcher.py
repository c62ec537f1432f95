"""What threads wait for: an object that begins with a DISPATCHER_HEADER, and the list of those waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.layout.dispatcher import DISPATCHER_HEADER, KWAIT_BLOCK

if TYPE_CHECKING:
    from ntos.ke.kernel import Kernel
    from ntos.ke.notification import Notification
    from ntos.ke.thread import Thread

WAIT_NOTIFICATION = 2
"""KWAIT_BLOCK.WaitType: not a thread waits, but a notification."""


class Registrations:
    """The kernel's notifications by the address of their wait block."""

    def __init__(self) -> None:
        self.by_block: dict[int, Notification] = {}


class DispatcherObject:
    """A kernel object at `address` whose first bytes are a DISPATCHER_HEADER.

    The signal state and the wait list are in guest memory; this is the one Python object for that address.
    """

    def __init__(self, kernel: Kernel, address: int) -> None:
        self.kernel = kernel
        self.address = address
        self.header = DISPATCHER_HEADER(kernel.memory, address)

    def initialize_header(self, kind: int, size: int, state: int) -> None:
        """Write the header: object type, size in bytes, signal state, nobody waiting."""
        self.header.Type = kind
        self.header.Size = size // 4
        self.header.SignalState = state
        self.header.WaitListHead.initialize()

    def is_signalled(self, thread: Thread) -> bool:
        """Whether a wait by `thread` would be satisfied now."""
        return int(self.header.SignalState) > 0

    def satisfy(self, thread: Thread) -> int:
        """A wait by `thread` is being satisfied: change the state as the type demands. 0x80 if it was abandoned."""
        return 0

    def signal(self, state: int = 1) -> int:
        """Set the signal state and release whom it satisfies; gives the former state."""
        header = self.header
        former = int(header.SignalState)
        header.SignalState = state
        if header.WaitListHead.Flink != header.WaitListHead.address:
            self.release_waiters()
        return former

    def release_waiters(self) -> None:
        """Walk the wait list in order and wake each thread whose wait is satisfied now (KiTestWait)."""
        for entry in list(self.header.WaitListHead.iterate()):
            block = KWAIT_BLOCK(self.kernel.memory, entry)
            if int(block.WaitType) == WAIT_NOTIFICATION:
                if int(self.header.SignalState) <= 0:
                    return
                self.kernel.part(Registrations).by_block[entry].object_signalled()
                continue
            thread = self.kernel.threads[int(block.Thread)]
            if not self.is_signalled(thread):
                return
            if thread.waiting is not None:
                thread.waiting.object_signalled(self)

"""Waiting without a thread: something is done once an object becomes signalled (KeRegisterObjectNotification).

A KWAIT_BLOCK of type WaitNotification stands in the object's wait list in a thread's place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.layout.dispatcher import KWAIT_BLOCK
from ntos.ke.dispatcher import WAIT_NOTIFICATION, Registrations

if TYPE_CHECKING:
    from collections.abc import Callable

    from ntos.ke.dispatcher import DispatcherObject
    from ntos.ke.thread import Thread


class Notification:
    """One wait block at `address`, and what is done when its object satisfies it."""

    def __init__(self, thread: Thread, address: int, target: DispatcherObject, action: Callable[[], None]) -> None:
        self.thread = thread
        """Who asked: the thread in whose name the object's state changes."""
        self.address = address
        self.target = target
        self._action = action
        self.pending = False

    def register(self, queue: int) -> bool:
        """Wait for the object; False, and nothing is pending, if it is signalled now. Its state then changes."""
        if self.target.is_signalled(self.thread):
            self.target.satisfy(self.thread)
            return False
        block = KWAIT_BLOCK(self.target.kernel.memory, self.address)
        block.WaitType = WAIT_NOTIFICATION
        block.BlockState = block.WaitKey = 0
        block.NotificationQueue = queue
        block.Object = self.target.address
        self.target.header.WaitListHead.insert_tail(block.WaitListEntry)
        self.target.kernel.part(Registrations).by_block[self.address] = self
        self.pending = True
        return True

    def cancel(self) -> None:
        """Wait no longer."""
        if self.pending:
            self.pending = False
            KWAIT_BLOCK(self.target.kernel.memory, self.address).WaitListEntry.remove()
            del self.target.kernel.part(Registrations).by_block[self.address]

    def object_signalled(self) -> None:
        """The object is signalled now: its state changes, and the action follows."""
        self.target.satisfy(self.thread)
        self.cancel()
        self._action()

"""Semaphores: a count with a limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.layout.dispatcher import KSEMAPHORE
from ntos.abi.status import STATUS, NtError
from ntos.ke.dispatcher import DispatcherObject

if TYPE_CHECKING:
    from ntos.ke.thread import Thread

SEMAPHORE_OBJECT = 5


class Semaphore(DispatcherObject):
    """KSEMAPHORE. SignalState is the count."""

    @property
    def limit(self) -> int:
        """The highest count."""
        return int(KSEMAPHORE(self.kernel.memory, self.address).Limit)

    def initialize(self, count: int, limit: int) -> None:
        """KeInitializeSemaphore."""
        self.initialize_header(SEMAPHORE_OBJECT, KSEMAPHORE.size, count)
        KSEMAPHORE(self.kernel.memory, self.address).Limit = limit

    def satisfy(self, thread: Thread) -> int:
        self.header.SignalState = int(self.header.SignalState) - 1
        return 0

    def release(self, count: int) -> int:
        """KeReleaseSemaphore; gives the former count. SEMAPHORE_LIMIT_EXCEEDED leaves it as it was."""
        former = int(self.header.SignalState)
        if former + count > self.limit:
            raise NtError(STATUS.SEMAPHORE_LIMIT_EXCEEDED)
        self.header.SignalState = former + count
        self.release_waiters()
        return former

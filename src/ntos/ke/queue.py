"""Kernel queues: entries wait for threads, or threads for entries. The heart of a completion port.

SignalState is the number of entries. A thread that waits is given one entry when its wait is satisfied; of
several waiting threads the last that came is served first, so that it runs with a warm cache (KeInsertQueue).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.layout.dispatcher import KQUEUE, KWAIT_BLOCK
from ntos.abi.layout.list import LIST_ENTRY
from ntos.abi.status import STATUS
from ntos.ke.dispatcher import DispatcherObject

if TYPE_CHECKING:
    from ntos.ke.kernel import Kernel
    from ntos.ke.thread import Thread

QUEUE_OBJECT = 4


class Queue(DispatcherObject):
    """KQUEUE."""

    def __init__(self, kernel: Kernel, address: int) -> None:
        super().__init__(kernel, address)
        self.given: dict[int, int] = {}
        """Thread address to the entry its wait was satisfied with, until it takes it."""

    @property
    def view(self) -> KQUEUE:
        """The structure."""
        return KQUEUE(self.kernel.memory, self.address)

    def initialize(self, maximum_count: int) -> None:
        """KeInitializeQueue; a concurrency of 0 means one thread a processor."""
        self.initialize_header(QUEUE_OBJECT, KQUEUE.size, 0)
        view = self.view
        view.EntryListHead.initialize()
        view.ThreadListHead.initialize()
        view.CurrentCount = 0
        view.MaximumCount = maximum_count or 1

    def insert(self, entry: int) -> None:
        """Put the LIST_ENTRY at `entry` last, and release a thread that waits (KeInsertQueue)."""
        self.view.EntryListHead.insert_tail(LIST_ENTRY(self.kernel.memory, entry))
        self.header.SignalState = int(self.header.SignalState) + 1
        self.release_waiters()

    def pop(self) -> int:
        """Take the first entry; 0 where there is none."""
        head = self.view.EntryListHead
        if head.is_empty():
            return 0
        entry = int(head.Flink)
        LIST_ENTRY(self.kernel.memory, entry).remove()
        self.header.SignalState = int(self.header.SignalState) - 1
        return entry

    def remove(self, entry: int) -> None:
        """Take out an entry that is in the queue."""
        LIST_ENTRY(self.kernel.memory, entry).remove()
        self.header.SignalState = int(self.header.SignalState) - 1

    def satisfy(self, thread: Thread) -> int:
        self.given[thread.address] = self.pop()
        return 0

    def take(self, thread: Thread) -> int:
        """The entry that satisfied the thread's wait."""
        return self.given.pop(thread.address)

    def release_waiters(self) -> None:
        """Give entries to waiting threads, the last one first."""
        for address in reversed(list(self.header.WaitListHead.iterate())):
            if int(self.header.SignalState) <= 0:
                return
            block = KWAIT_BLOCK(self.kernel.memory, address)
            waiting = self.kernel.threads[int(block.Thread)].waiting
            if waiting is not None:
                waiting.object_signalled(self)

    def run_down(self) -> list[int]:
        """End all waits with ABANDONED and take all entries out (KeRundownQueue); gives the entries."""
        for address in list(self.header.WaitListHead.iterate()):
            block = KWAIT_BLOCK(self.kernel.memory, address)
            waiting = self.kernel.threads[int(block.Thread)].waiting
            if waiting is not None:
                waiting.finish(STATUS.ABANDONED)
        entries = []
        while entry := self.pop():
            entries.append(entry)
        return entries

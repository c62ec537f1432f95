"""Mutants (mutexes): owned by a thread, counted, abandoned when the owner dies."""

from __future__ import annotations

from ntos.abi.layout.dispatcher import KMUTANT
from ntos.abi.layout.list import LIST_ENTRY
from ntos.abi.status import STATUS, NtError
from ntos.ke.dispatcher import DispatcherObject
from ntos.ke.thread import Thread

MUTANT_OBJECT = 2
ABANDONED = 0x80
"""Added to STATUS_WAIT_0 + n when the mutant that satisfied a wait had been abandoned."""
LOWEST_STATE = -0x8000_0000


class Mutant(DispatcherObject):
    """KMUTANT. SignalState 1 is free, 0 or less held (1 minus the number of acquisitions)."""

    @property
    def view(self) -> KMUTANT:
        """The structure."""
        return KMUTANT(self.kernel.memory, self.address)

    def initialize(self, owner: Thread | None) -> None:
        """KeInitializeMutant, with an initial owner if given."""
        self.initialize_header(MUTANT_OBJECT, KMUTANT.size, 0 if owner else 1)
        view = self.view
        view.MutantFlags = 0
        view.ApcDisable = 0
        view.OwnerThread = 0
        view.MutantListEntry.initialize()
        if owner:
            self._own(owner)

    def is_signalled(self, thread: Thread) -> bool:
        return int(self.header.SignalState) > 0 or int(self.view.OwnerThread) == thread.address

    def satisfy(self, thread: Thread) -> int:
        state = int(self.header.SignalState)
        if state == LOWEST_STATE:
            raise NtError(STATUS.MUTANT_LIMIT_EXCEEDED)
        self.header.SignalState = state - 1
        if state != 1:
            return 0
        self._own(thread)
        view = self.view
        abandoned = view.Abandoned
        view.Abandoned = 0
        return ABANDONED if abandoned else 0

    def release(self, thread: Thread, *, abandon: bool = False) -> int:
        """KeReleaseMutant; gives the former state. MUTANT_NOT_OWNED unless `thread` owns it."""
        former = int(self.header.SignalState)
        view = self.view
        if abandon:
            view.Abandoned = 1
        elif int(view.OwnerThread) != thread.address:
            raise NtError(STATUS.ABANDONED if view.Abandoned else STATUS.MUTANT_NOT_OWNED)
        state = 1 if abandon else former + 1
        if state == 1:
            view.OwnerThread = 0
            view.MutantListEntry.remove()
            self.signal(1)
        else:
            self.header.SignalState = state
        return former

    def _own(self, thread: Thread) -> None:
        view = self.view
        view.OwnerThread = thread.address
        thread.tcb.MutantListHead.insert_tail(view.MutantListEntry)


def abandon_all(thread: Thread) -> None:
    """Release what a dying thread still owns; whoever gets it next learns it was abandoned."""
    memory = thread.kernel.memory
    head = thread.tcb.MutantListHead
    for entry in list(head.iterate()):
        address = entry - KMUTANT.offset("MutantListEntry")
        LIST_ENTRY(memory, entry)
        Mutant(thread.kernel, address).release(thread, abandon=True)

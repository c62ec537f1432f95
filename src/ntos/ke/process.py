"""The kernel's part of a process: an address space and the threads in it. `ps` makes the rest of it."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from ntos.abi.layout.process import EPROCESS
from ntos.abi.status import STATUS, Denied, NtError
from ntos.hal.paging import PageTables, UserMemory
from ntos.ke.dispatcher import DispatcherObject
from ntos.ke.parts import Parts

if TYPE_CHECKING:
    from ntos.ke.kernel import Kernel
    from ntos.ke.thread import Thread

PROCESS_OBJECT = 3


class Process(DispatcherObject, Parts):
    """A process object: EPROCESS at `address`, page tables, and its user half as user code may use it."""

    def __init__(self, kernel: Kernel, address: int, tables: PageTables) -> None:
        DispatcherObject.__init__(self, kernel, address)
        Parts.__init__(self)
        self.eprocess = EPROCESS(kernel.memory, address)
        self.pcb = self.eprocess.Pcb
        self.tables = tables
        self.memory = UserMemory(tables, self._no_fault_handler)
        self.threads: list[Thread] = []
        self.user_state = Parts()
        """What the DLLs that are written in Python keep for the process: part of its user half, as its pages are."""
        kernel.processes[address] = self

    def copy_user_state(self, parent: Process) -> None:
        """Begin with a copy of another process's; what in it means that process means this one in the copy."""
        same = (self.kernel, *parent.threads)
        memo = {id(parent): self, id(parent.memory): self.memory, **{id(each): each for each in same}}
        try:
            self.user_state = copy.deepcopy(parent.user_state, memo)
        except TypeError as error:  # a coroutine, or something of the host's
            because = Denied("a DLL written in Python keeps what cannot be copied", {"what": str(error)})
            raise NtError(STATUS.NOT_SUPPORTED, because) from error

    @property
    def id(self) -> int:
        """UniqueProcessId."""
        return int(self.eprocess.UniqueProcessId)

    @property
    def name(self) -> str:
        """ImageFileName: at most fourteen characters."""
        return self.eprocess.ImageFileName.decode("latin-1")

    @staticmethod
    def _no_fault_handler(address: int, access: int) -> None:
        """A page fault before `mm` has taken charge is simply refused."""

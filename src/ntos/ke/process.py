"""The kernel's part of a process: an address space and the threads in it. `ps` makes the rest of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.layout.process import EPROCESS
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
        kernel.processes[address] = self

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

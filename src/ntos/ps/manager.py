"""What is one per machine: the object types, the client-id table, the list of processes, ntdll's section."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ntos.abi.access import PROCESS_ALL_ACCESS, THREAD_ALL_ACCESS
from ntos.abi.layout.list import LIST_ENTRY
from ntos.abi.layout.process import EPROCESS
from ntos.abi.layout.thread import ETHREAD
from ntos.abi.symbols import RVA
from ntos.ke.parts import Parts
from ntos.ke.process import Process
from ntos.ke.thread import Thread
from ntos.ob.types import GenericMapping, ObjectType

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from ntos.ex.handle import CidTable
    from ntos.hal.paging import PageTables
    from ntos.ke.kernel import Kernel
    from ntos.mm.section import Section


class ProcessManager(Parts):
    """State of `ps`, installed on the kernel."""

    cids: CidTable
    system: Process
    ntdll: Section
    ntdll_base: int

    def __init__(self, kernel: Kernel) -> None:
        super().__init__()
        self.kernel = kernel
        self.sequence = 0
        self.tables_for_next: PageTables | None = None
        """Page tables of the process object being made: its Python twin needs them from the start."""
        self.process_for_next: Process | None = None
        """The process of the thread object being made."""
        self.process_notify: list[Callable[[Process, bool], None]] = []
        """Called when the first thread of a process is inserted (True) and when its last one leaves (False)."""
        self.thread_notify: list[Callable[[Thread, bool], None]] = []
        self.image_notify: list[Callable[[Process, str, int, int], None]] = []
        """(process, path, base, size) for each image mapped into a process."""
        self.thread_begins: Callable[[Thread], Coroutine[None, None, None]] | None = None
        """Awaited by a thread before its first user instruction: its debugger is told. `dbgk` sets it."""
        self.thread_ends: Callable[[Thread, int], Coroutine[None, None, None]] | None = None
        """(thread, status): awaited by a thread that ends, before anything of it is run down."""

    @property
    def active_processes(self) -> LIST_ENTRY:
        """PsActiveProcessHead."""
        return LIST_ENTRY(self.kernel.memory, self.kernel.image_base + RVA["PsActiveProcessHead"])

    def next_sequence(self) -> int:
        """EPROCESS.SequenceNumber: unique for the boot."""
        self.sequence += 1
        return self.sequence

    def processes(self) -> list[Process]:
        """All process objects in the order they were inserted, exited ones that are still referenced included."""
        offset = EPROCESS.offset("ActiveProcessLinks")
        return [self.kernel.processes[entry - offset] for entry in self.active_processes.iterate()]

    def process_by_id(self, identifier: int) -> Process | None:
        """The process with this id (its two low bits do not count)."""
        found = self._by_id(identifier & ~3)
        return found if found is not None and found.address in self.kernel.processes else None

    def thread_by_id(self, identifier: int) -> Thread | None:
        """The thread with this id."""
        found = self._by_id(identifier & ~3)
        return found if found is not None and found.address in self.kernel.threads else None

    def _by_id(self, identifier: int) -> Any:
        address = self.cids.find(identifier)
        if not address:
            return None
        return self.kernel.processes.get(address) or self.kernel.threads.get(address)


def _wrap_process(kernel: Kernel, address: int) -> Process:
    tables = kernel[ProcessManager].tables_for_next
    assert tables is not None
    return Process(kernel, address, tables)


def _wrap_thread(kernel: Kernel, address: int) -> Thread:
    process = kernel[ProcessManager].process_for_next
    assert process is not None
    return Thread(kernel, address, process)


@dataclass(frozen=True, slots=True)
class ImpliedMapping(GenericMapping):
    """A mapping where some rights bring others: who may query may query the limited classes, too."""

    implied: tuple[tuple[int, int], ...]
    """(right, what comes with it)."""

    def apply(self, desired: int) -> int:
        mapped = GenericMapping.apply(self, desired)
        for right, brought in self.implied:
            if mapped & right:
                mapped |= brought
        return mapped


PROCESS = ObjectType(
    "Process", EPROCESS.size, _wrap_process, tag=b"Proc", valid_access=PROCESS_ALL_ACCESS, default_dispatcher=0,
    generic_mapping=ImpliedMapping(
        0x20410, 0x20BEA, 0x121001, PROCESS_ALL_ACCESS, ((0x400, 0x1000), (0x200, 0x2000))
    ), security_required=True,
)  # fmt: skip
THREAD = ObjectType(
    "Thread", ETHREAD.size, _wrap_thread, tag=b"Thre", valid_access=THREAD_ALL_ACCESS, default_dispatcher=0,
    generic_mapping=ImpliedMapping(
        0x20048, 0x20437, 0x121800, THREAD_ALL_ACCESS, ((0x40, 0x800), (0x20, 0x400), (0x2, 0x1000))
    ), security_required=True,
)  # fmt: skip

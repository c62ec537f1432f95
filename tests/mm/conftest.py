"""A process with an empty address space of the memory manager's, and what tests do in it."""

from __future__ import annotations

from typing import Any

import pytest

from ntos import mm, ob
from ntos.abi.layout.memory import MMVAD_SHORT
from ntos.abi.layout.process import EPROCESS
from ntos.ke.kernel import Kernel
from ntos.ke.process import PROCESS_OBJECT, Process
from ntos.ke.thread import Thread
from ntos.mm.space import AddressSpace
from ntos.ob.types import ObjectType


def _no_wrap(kernel: Kernel, address: int) -> Process:
    raise NotImplementedError


PROCESS: ObjectType[Process] = ObjectType(
    "Process", EPROCESS.size, _no_wrap, valid_access=0x1FFFFF, default_dispatcher=0
)


class Memory:
    """Processes whose user half the memory manager runs."""

    def __init__(self, world: Any) -> None:
        self.world = world
        self.kernel: Kernel = world.kernel
        self.physical = world.platform.physical
        self.process = self.new_process()
        self.space: AddressSpace = mm.space_of(self.process)

    def new_process(self) -> Process:
        """One more process with an empty address space."""
        tables = mm.create_address_space(self.kernel)
        made = ob.create(self.kernel, PROCESS, wrap=lambda kernel, at: Process(kernel, at, tables))
        made.initialize_header(PROCESS_OBJECT, EPROCESS.size, 0)
        made.eprocess.UniqueProcessId = 4 * len(self.kernel.processes)
        made.eprocess.Pcb.DirectoryTableBase = tables.root
        ob.create_handle_table(made)
        mm.attach(made)
        return made

    def frames(self) -> int:
        """Frames in use that are not the pool's (which keeps pages it has taken once)."""
        pool = self.kernel.pool
        return int(self.physical.used - pool.nonpaged.pages - pool.paged.pages)  # type: ignore[attr-defined]

    def thread(self, process: Process | None = None) -> Thread:
        """A thread of a process."""
        made: Thread = self.world.thread(process or self.process)
        return made

    def vad_bytes(self, address: int) -> MMVAD_SHORT:
        """The node that covers an address, as bytes."""
        vad = self.space.find(address)
        assert vad is not None
        return MMVAD_SHORT(self.kernel.memory, vad.address)


@pytest.fixture
def memory(world: Any) -> Memory:
    """A kernel with one process to allocate in."""
    return Memory(world)

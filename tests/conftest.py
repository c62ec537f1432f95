"""A small kernel over the scripted processor: scheduler, pool, object manager; bare processes and threads."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Coroutine, Iterator
from typing import Any

import pytest

from ntos import ex as ntos_ex
from ntos import ob
from ntos import ob as ntos_ob
from ntos.abi.layout.object import OBJECT_ATTRIBUTES
from ntos.abi.layout.process import EPROCESS
from ntos.abi.layout.thread import ETHREAD
from ntos.abi.status import NtError
from ntos.ex.handle import CidTable
from ntos.ex.pool import PagedAndNonpagedPool
from ntos.hal.paging import DIRTY, USER, WRITABLE, PageTables
from ntos.hal.platform import Platform
from ntos.hal.scripted import ScriptedBackend
from ntos.ke.kernel import Kernel
from ntos.ke.process import PROCESS_OBJECT, Process
from ntos.ke.scheduler import Scheduler
from ntos.ke.service import registry
from ntos.ke.thread import THREAD_OBJECT, Thread, ThreadTerminated
from ntos.ob.types import ObjectType

for package in (ntos_ob, ntos_ex):
    for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        importlib.import_module(module.name)  # each fills the table of services

MEMORY = 64 << 20
USER_BASE = 0x10000
USER_PAGES = 32
OBJ_CASE_INSENSITIVE = 0x40


class BareProcess(Process):
    """A process with a handle table and some user memory, and nothing else."""

    def __init__(self, kernel: Kernel, address: int) -> None:
        tables = PageTables(kernel.platform.physical, kernel.platform.backend)
        tables.share_kernel_half(kernel.platform.tables)
        super().__init__(kernel, address, tables)
        self.next_user = USER_BASE
        for page in range(USER_PAGES):
            frame = kernel.platform.physical.allocate()
            tables.map(USER_BASE + page * 0x1000, frame, USER | WRITABLE | DIRTY)
        self.initialize_header(PROCESS_OBJECT, EPROCESS.size, 0)


PROCESS: ObjectType[Process] = ObjectType(
    "Process", EPROCESS.size, BareProcess, valid_access=0x1FFFFF, default_dispatcher=0
)


def finished(coroutine: Coroutine[None, None, Any]) -> Any:
    """What a coroutine gives that does not block."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    coroutine.close()
    raise AssertionError("it blocks")


def no_wrap(kernel: Kernel, address: int) -> Thread:
    """Threads are made with their process."""
    raise NotImplementedError


THREAD: ObjectType[Thread] = ObjectType(
    "Thread", ETHREAD.size, no_wrap, valid_access=0x1FFFFF, default_dispatcher=0
)


class World:
    """A kernel and what a test does with it."""

    def __init__(self) -> None:
        self.backend = ScriptedBackend()
        self.platform = Platform(MEMORY, 1, self.backend)
        self.platform.tables.backend = self.backend
        self.kernel = Kernel(self.platform)
        self.kernel.pool = PagedAndNonpagedPool(self.platform)
        self.kernel.scheduler = Scheduler(self.kernel)
        self.manager = ob.bootstrap(self.kernel)
        self.kernel.install(CidTable(self.kernel))
        self.record: list[Any] = []
        self.started: list[Coroutine[None, None, Any]] = []

    def process(self, parent: Process | None = None) -> BareProcess:
        """A new process with an empty handle table."""
        made = ob.create(self.kernel, PROCESS)
        assert isinstance(made, BareProcess)
        made.eprocess.UniqueProcessId = self.kernel[CidTable].assign(made.address)
        made.eprocess.InheritedFromUniqueProcessId = parent.id if parent else 0
        made.eprocess.ImageFileName = b"bare.exe"
        ob.create_handle_table(made)
        return made

    def thread(self, process: Process | None = None, priority: int = 8) -> Thread:
        """A new thread of `process` (or of a new one) with nothing to run."""
        home = process or self.process()
        made = ob.create(self.kernel, THREAD, wrap=lambda kernel, at: Thread(kernel, at, home))
        made.initialize_header(THREAD_OBJECT, ETHREAD.size, 0)
        made.tcb.MutantListHead.initialize()
        made.tcb.Priority = priority
        made.tcb.Process = home.address
        made.ethread.Cid.UniqueProcess = home.id
        made.ethread.Cid.UniqueThread = self.kernel[CidTable].assign(made.address)
        home.threads.append(made)
        return made

    def start(self, thread: Thread, coroutine: Coroutine[None, None, Any]) -> None:
        """Let `thread` run a coroutine once the scheduler gets to it."""

        async def body() -> None:
            try:
                await coroutine
            except ThreadTerminated:
                self.record.append(f"{thread.id} terminated")

        self.started.append(coroutine)
        thread.coroutine = body()
        self.kernel.scheduler.ready(thread)

    def run(self) -> str:
        """Run until nothing can happen any more."""
        return self.kernel.scheduler.run(lambda: not self.kernel.scheduler.timers.pending())

    def call(self, thread: Thread, name: str, *arguments: int) -> int:
        """A service through its door; error statuses come back as numbers. For calls that do not block."""
        try:
            answer = registry[name].invoke(thread, arguments)
            return int(finished(answer) if registry[name].is_async else answer)
        except NtError as error:
            return int(error.status)

    async def call_async(self, thread: Thread, name: str, *arguments: int) -> int:
        """A service that can block."""
        try:
            return int(await registry[name].invoke(thread, arguments))
        except NtError as error:
            return int(error.status)

    # ------------------------------------------------------------ user memory

    def room(self, thread: Thread, size: int) -> int:
        """The address of `size` zeroed bytes of the thread's user memory."""
        process = thread.process
        assert isinstance(process, BareProcess)
        address = process.next_user
        process.next_user += (size + 15) & ~15
        assert process.next_user <= USER_BASE + USER_PAGES * 0x1000
        return address

    def put(self, thread: Thread, data: bytes) -> int:
        """The address of a copy of `data`."""
        address = self.room(thread, max(len(data), 1))
        thread.memory.write(address, data)
        return address

    def integer(self, thread: Thread, address: int, size: int = 8, *, signed: bool = False) -> int:
        """The integer at a user address."""
        return int.from_bytes(thread.memory.read(address, size), "little", signed=signed)

    def large(self, thread: Thread, value: int) -> int:
        """The address of a LARGE_INTEGER."""
        return self.put(thread, value.to_bytes(8, "little", signed=True))

    def string(self, thread: Thread, text: str) -> int:
        """The address of a UNICODE_STRING."""
        data = text.encode("utf-16-le", "surrogatepass")
        buffer = self.put(thread, data + b"\0\0")
        head = len(data).to_bytes(2, "little") * 2
        return self.put(thread, head + bytes(4) + buffer.to_bytes(8, "little"))

    def attributes(
        self, thread: Thread, name: str | None = None, *, root: int = 0, flags: int = OBJ_CASE_INSENSITIVE
    ) -> int:
        """The address of OBJECT_ATTRIBUTES."""
        view = OBJECT_ATTRIBUTES(thread.memory, self.room(thread, OBJECT_ATTRIBUTES.size))
        view.Length = OBJECT_ATTRIBUTES.size
        view.RootDirectory = root
        view.ObjectName = self.string(thread, name) if name is not None else 0
        view.Attributes = flags
        return view.address

    def handle_of(self, thread: Thread, name: str, *arguments: int) -> int:
        """Call a service whose first argument is where the handle goes; gives the handle."""
        place = self.room(thread, 8)
        status = self.call(thread, name, place, *arguments)
        assert status >> 30 != 3, f"{name}: 0x{status:08X}"
        return self.integer(thread, place)


@pytest.fixture
def world() -> Iterator[World]:
    """A fresh small kernel."""
    made = World()
    yield made
    for thread in made.kernel.threads.values():
        if thread.coroutine is not None:
            thread.coroutine.close()
            thread.coroutine = None
    for coroutine in made.started:
        coroutine.close()
    made.platform.close()


@pytest.fixture
def kernel(world: World) -> Kernel:
    """Its kernel."""
    return world.kernel

"""A kernel after phase 0 over the scripted processor: real processes with address space, PEB and threads."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ntos import mm, ob
from ntos.abi.layout.section import SECTION_IMAGE_INFORMATION
from ntos.abi.services import number_of
from ntos.abi.status import NtError
from ntos.etw.event import Event
from ntos.ex.pool import PagedAndNonpagedPool
from ntos.hal.cpu import PREEMPTED, SYSCALL, Trap
from ntos.hal.platform import Platform
from ntos.hal.scripted.backend import ScriptedBackend, ScriptedContext
from ntos.init import system_process
from ntos.init.kernel_image import map_kernel_image
from ntos.init.processor import make_processor
from ntos.init.shared_data import SharedData
from ntos.ke.kernel import Kernel
from ntos.ke.process import Process
from ntos.ke.scheduler import Scheduler
from ntos.ke.service import registry
from ntos.ke.thread import Thread
from ntos.ps import install as ps_install
from ntos.ps.allocate import Creation, allocate_process
from ntos.ps.insert import insert_process
from ntos.ps.manager import ProcessManager
from ntos.ps.peb import create_peb
from ntos.ps.thread import ThreadStart, create_thread
from ntos.se import boot as security

MEMORY = 64 << 20
MODULES = (
    "terminate", "suspend", "context", "thread_create", "open", "query_process", "set_process", "query_thread",
    "set_thread", "hard_error", "job", "job_information",
)  # fmt: skip
NAMES = (
    "LdrInitializeThunk", "KiUserApcDispatcher", "KiUserExceptionDispatcher", "KiUserCallbackReturn",
    "RtlUserThreadStart",
)  # fmt: skip
ENTRY_POINTS = 0x7FFD_0000_0000
NTDLL = 0x7FFC_0000_0000
SELF = 0xFFFF_FFFF_FFFF_FFFF
SELF_THREAD = 0xFFFF_FFFF_FFFF_FFFE


class Box:
    """The kernel and what a test does with it."""

    def __init__(self) -> None:
        self.backend = ScriptedBackend()
        self.platform = Platform(MEMORY, 1)
        self.platform.attach(self.backend)
        self.kernel = Kernel(self.platform)
        self._phase0()
        for index, name in enumerate(NAMES):
            self.kernel.entry_points[name] = ENTRY_POINTS + index * 0x100
        self.kernel[ProcessManager].ntdll_base = NTDLL
        self.events: list[Event] = []
        self.record: list[Any] = []
        self.places: dict[int, int] = {}
        self.kernel.log.subscribe(self.events.append)

    def _phase0(self) -> None:
        """As init.boot does, with the services of `ps` alone."""
        kernel = self.kernel
        kernel.pool = PagedAndNonpagedPool(self.platform)
        kernel.scheduler = Scheduler(kernel)
        map_kernel_image(kernel)
        shared = SharedData(kernel)
        kernel.install(shared)
        make_processor(kernel)
        ob.bootstrap(kernel)
        mm.initialize(kernel, aslr=False, shared_data=shared.frame)
        ps_install.install(kernel)
        token = security.initialize(kernel, seed=1)
        ob.publish(kernel)
        for module in MODULES:
            importlib.import_module(f"ntos.ps.{module}")
        for name, door in registry.items():
            number = number_of(name)
            if number is not None:
                kernel.doors[number] = door
        system_process.create_system_process(kernel, token)

    @property
    def manager(self) -> ProcessManager:
        """The process manager."""
        return self.kernel[ProcessManager]

    def process(self, image: str = "\\Device\\HarddiskVolume1\\test.exe", parent: Process | None = None) -> Process:
        """A process with a PEB and no thread yet."""
        creation = Creation(parent or self.manager.system, parent or self.manager.system, image_path=image)
        made = allocate_process(self.kernel, creation)
        insert_process(made, "test")
        create_peb(made, 0x1_4000_0000, SECTION_IMAGE_INFORMATION.new(), 1)
        return made

    def thread(self, process: Process | None = None, *, suspended: bool = False) -> Thread:
        """A thread of `process` (or of a new one) that is ready to run its script."""
        home = process or self.process()
        return create_thread(home, ThreadStart(0x1000, 0x2000, suspended=suspended))

    def script(self, thread: Thread, *steps: Any) -> None:
        """What the thread's program does: callables (run as its code) and traps."""
        context = thread.context
        assert isinstance(context, ScriptedContext)
        self.backend.play(context, steps)

    def syscall(self, name: str, *arguments: int) -> Callable[[ScriptedContext], Trap]:
        """A step that calls a service with up to four arguments."""
        number = number_of(name)
        assert number is not None

        def step(context: ScriptedContext) -> Trap:
            context.rax = number
            context.r10, context.rdx, context.r8, context.r9 = (*arguments, 0, 0, 0, 0)[:4]
            return SYSCALL

        return step

    def note(self, value: Any) -> Callable[[ScriptedContext], Trap]:
        """A step that records a value, or what a callable makes of the context; it ends the time slice."""

        def step(context: ScriptedContext) -> Trap:
            self.record.append(value(context) if callable(value) else value)
            return PREEMPTED

        return step

    def run(self, turns: int = 200) -> None:
        """Let the scheduler run until nothing is ready, or for so many turns."""
        scheduler = self.kernel.scheduler
        for _ in range(turns):
            thread = scheduler._next()
            if thread is None:
                return
            scheduler._run(thread)

    # ------------------------------------------------------------ calls from a test

    def call(self, thread: Thread, name: str, *arguments: int) -> int:
        """A service through its door, on behalf of a thread; the status as a number."""
        scheduler = self.kernel.scheduler
        before, scheduler.current = scheduler.current, thread
        try:
            return int(registry[name].invoke(thread, arguments) or 0)
        except NtError as error:
            return int(error.status)
        finally:
            scheduler.current = before

    def room(self, thread: Thread, size: int) -> int:
        """`size` zeroed bytes of the process's own."""
        process = thread.process
        if process.address not in self.places:
            self.places[process.address] = mm.allocate(process, 0x8000)
        address = self.places[process.address]
        self.places[process.address] += (size + 15) & ~15
        return address

    def put(self, thread: Thread, data: bytes) -> int:
        """A copy of `data` in user memory."""
        address = self.room(thread, len(data))
        thread.memory.write(address, data)
        return address

    def word(self, thread: Thread, address: int, size: int = 8) -> int:
        """An integer in user memory."""
        return int.from_bytes(thread.memory.read(address, size), "little")

    def handle(self, thread: Thread, name: str, *arguments: int) -> int:
        """Call a service whose first argument is where a handle goes; gives the handle."""
        place = self.room(thread, 8)
        status = self.call(thread, name, place, *arguments)
        assert status >> 30 != 3, f"{name}: 0x{status:08X}"
        return self.word(thread, place)

    def open_thread(self, caller: Thread, target: Thread, access: int = 0x1FFFFF) -> int:
        """A handle of the caller's to another thread."""
        attributes = self.put(caller, (0x30).to_bytes(8, "little") + bytes(0x28))
        client = self.put(caller, bytes(8) + target.id.to_bytes(8, "little"))
        return self.handle(caller, "NtOpenThread", access, attributes, client)

    def open_process(self, caller: Thread, target: Process, access: int = 0x1FFFFF) -> int:
        """A handle of the caller's to another process."""
        attributes = self.put(caller, (0x30).to_bytes(8, "little") + bytes(0x28))
        client = self.put(caller, target.id.to_bytes(8, "little") + bytes(8))
        return self.handle(caller, "NtOpenProcess", access, attributes, client)


@pytest.fixture
def box() -> Iterator[Box]:
    """A fresh kernel."""
    made = Box()
    yield made
    for thread in list(made.kernel.threads.values()):
        if thread.coroutine is not None:
            thread.coroutine.close()
            thread.coroutine = None
    made.platform.close()

"""A kernel with user-mode debugging over the scripted processor: debuggers and debuggees that run scripts."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from ntos import ob
from ntos.abi.dbgk import DBG_STATE
from ntos.abi.layout.dbgk import DBGUI_WAIT_STATE_CHANGE
from ntos.abi.services import number_of
from ntos.abi.status import STATUS
from ntos.abi.types import NTSTATUS
from ntos.dbgk.install import install
from ntos.dbgk.object import DEBUG_OBJECT_TYPE, DebugObject
from ntos.hal.cpu import HardwareException, Trap, Vector
from ntos.hal.scripted.backend import ScriptedContext
from ntos.ke.process import Process
from ntos.ke.service import registry
from ntos.ke.thread import Thread
from ntos.ps import debug_port
from tests.conftest import finished
from tests.ps.conftest import Box

ALL_ACCESS = 0x1F000F
CONTINUE, NOT_HANDLED = int(STATUS.DBG_CONTINUE), int(STATUS.DBG_EXCEPTION_NOT_HANDLED)


class Bench(Box):
    """The kernel, a debugger's thread with a debug object, and what a test does with them."""

    def __init__(self) -> None:
        super().__init__()
        self.manager.ntdll = cast(Any, SimpleNamespace(area=None))
        self.debugger = self.thread(suspended=True)
        self.handle_of_debug = self.new_debug_object()

    def _phase0(self) -> None:
        super()._phase0()
        for module in ("ntos.ob.services", "ntos.dbgk.services", "ntos.dbgk.wait"):
            importlib.import_module(module)
        install(self.kernel)
        for name, door in registry.items():
            number = number_of(name)
            if number is not None:
                self.kernel.doors[number] = door

    def new_debug_object(self, flags: int = 0) -> int:
        """A handle of the debugger's to a new debug object."""
        return self.handle(self.debugger, "NtCreateDebugObject", ALL_ACCESS, 0, flags)

    @property
    def debug(self) -> DebugObject:
        """The debug object."""
        return ob.by_handle(self.debugger, self.handle_of_debug, 0, DEBUG_OBJECT_TYPE)

    def debuggee(self, *, begun: bool = True) -> Process:
        """A process that was created under the debugger; `begun`, its creation is reported and continued already."""
        made = self.process()
        debug_port.attach(made, self.debug)
        debug_port.mark_peb(made)
        made.eprocess.CreateReported = int(begun)
        return made

    def worker(self, process: Process, *steps: Any, announced: bool = False) -> Thread:
        """A thread of the debuggee's that runs a script; its beginning is no event unless `announced`."""
        made = self.thread(process)
        made.ethread.SkipCreationMsg = int(not announced)
        self.script(made, *steps)
        return made

    def trap(self, vector: Vector, rip: int = 0x40_1000) -> Any:
        """A step that ends in a processor exception at `rip`."""

        def step(context: ScriptedContext) -> Trap:
            context.rip = rip
            return HardwareException(vector)

        return step

    def event(self) -> DBGUI_WAIT_STATE_CHANGE | None:
        """The next event, if there is one now."""
        place = self.room(self.debugger, DBGUI_WAIT_STATE_CHANGE.size)
        status = self.blocking("NtWaitForDebugEvent", self.handle_of_debug, 0, self.put(self.debugger, bytes(8)), place)
        if status == STATUS.TIMEOUT:
            return None
        assert status == STATUS.SUCCESS, hex(status)
        return DBGUI_WAIT_STATE_CHANGE.parse(self.debugger.memory.read(place, DBGUI_WAIT_STATE_CHANGE.size))

    def blocking(self, name: str, *arguments: int) -> int:
        """The debugger calls a service that could block and does not."""
        return int(finished(registry[name].invoke(self.debugger, arguments)))

    def state(self) -> str:
        """What the next event is: its state's name, or "none"."""
        event = self.event()
        return "none" if event is None else DBG_STATE(event.NewState).name[3:].replace("StateChange", "")

    def go_on(self, thread: Thread, answer: int = CONTINUE) -> int:
        """Continue a thread, and let everybody run."""
        client = self.put(self.debugger, thread.process.id.to_bytes(8, "little") + thread.id.to_bytes(8, "little"))
        status = self.call(self.debugger, "NtDebugContinue", self.handle_of_debug, client, NTSTATUS(answer))
        self.run()
        return status


@pytest.fixture
def bench() -> Iterator[Bench]:
    """A fresh kernel with a debugger."""
    made = Bench()
    yield made
    for thread in list(made.kernel.threads.values()):
        if thread.coroutine is not None:
            thread.coroutine.close()
            thread.coroutine = None
    made.platform.close()

"""Debug objects, and the events in their lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos import ob
from ntos.abi.access import DEBUG_ALL_ACCESS
from ntos.abi.layout.dbgk import DBGK_DEBUG_EVENT, DBGKM_APIMSG, DEBUG_OBJECT
from ntos.abi.status import STATUS
from ntos.etw.event import DebuggerDetached
from ntos.ke.event import NOTIFICATION_EVENT, Event
from ntos.ob.types import ObjectType
from ntos.ps import debug_port
from ntos.ps.debug_port import TYPE_NAME
from ntos.ps.exit import end_later
from ntos.ps.thread import resume

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ntos.io.file import FileObject
    from ntos.ke.kernel import Kernel
    from ntos.ke.process import Process
    from ntos.ke.thread import Thread

CONTINUE_EVENT = DBGK_DEBUG_EVENT.offset("ContinueEvent")


class DebugEvent:
    """One event: its bytes at `address`, the thread it is about, and the file of the image it tells of."""

    def __init__(self, thread: Thread, message: DBGKM_APIMSG, *, no_wait: bool, file: FileObject | None) -> None:
        kernel = thread.kernel
        self.thread = thread
        self.process = thread.process
        self.file = file
        self.address = kernel.pool.allocate(DBGK_DEBUG_EVENT.size, b"DbgE")
        self.view = view = DBGK_DEBUG_EVENT(kernel.memory, self.address)
        view.clear()
        kernel.memory.write(view.ApiMsg.address, bytes(message))
        view.ClientId.UniqueProcess, view.ClientId.UniqueThread = self.process.id, thread.id
        view.Process, view.Thread = self.process.address, thread.address
        view.NoWait = int(no_wait)
        self.answered = Event(kernel, self.address + CONTINUE_EVENT)
        self.answered.initialize(NOTIFICATION_EVENT, signalled=False)
        ob.reference(thread)
        ob.reference(self.process)

    @property
    def number(self) -> int:
        """Which message it is."""
        return int(self.view.ApiMsg.ApiNumber)

    def answer(self, status: int) -> None:
        """It is off the list: let its thread go on (DbgkpWakeTarget)."""
        self.view.Status = status
        if self.view.Suspend:
            resume(self.thread)
        if self.view.NoWait:
            self.free()
        else:
            self.answered.set()

    def free(self) -> None:
        """Nobody needs it any more."""
        if self.file is not None:
            ob.dereference(self.file)
        self.process.kernel.pool.free(self.address)
        ob.dereference(self.thread)
        ob.dereference(self.process)


class DebugObject(Event):
    """DEBUG_OBJECT. As a dispatcher object it is its EventsPresent: signalled while there may be something to read."""

    def __init__(self, kernel: Kernel, address: int) -> None:
        super().__init__(kernel, address)
        self.view = DEBUG_OBJECT(kernel.memory, address)
        self._by_address: dict[int, DebugEvent] = {}

    def begin(self, *, kill_on_exit: bool) -> None:
        """An empty object."""
        self.view.clear()
        self.initialize(NOTIFICATION_EVENT, signalled=False)
        self.view.EventList.initialize()
        self.view.KillProcessOnExit = int(kill_on_exit)

    def events(self) -> Iterator[DebugEvent]:
        """What is in the list, oldest first."""
        for entry in list(self.view.EventList.iterate()):
            yield self._by_address[entry]

    def queue(self, event: DebugEvent) -> None:
        """One event more at the end (DbgkpQueueMessage)."""
        self._by_address[event.address] = event
        self.view.EventList.insert_tail(event.view.EventList)
        self.set()

    def take(self, event: DebugEvent) -> None:
        """Off the list."""
        event.view.EventList.remove()
        del self._by_address[event.address]

    def holds(self, event: DebugEvent) -> bool:
        """Whether it is in the list."""
        return event.address in self._by_address

    def next_unread(self) -> DebugEvent | None:
        """The first event the debugger may read now: a process has one at a time with it, the others wait their
        turn.
        """
        busy: set[Process] = set()
        for event in self.events():
            view = event.view
            if not view.Read and not view.Inactive:
                if event.process not in busy:
                    return event
                view.Inactive = 1
            busy.add(event.process)
        return None

    def activate_next(self, process: Process) -> None:
        """The debugger has answered for the process: its next event can be read."""
        for event in self.events():
            if event.process is process and event.view.Inactive:
                event.view.Inactive = 0
                self.set()
                return

    def release(self, process: Process, status: int) -> None:
        """Answer all that a process has in the list."""
        for event in list(self.events()):
            if event.process is process:
                self.take(event)
                event.answer(status)


def close(_process: Process, debug: DebugObject, handles: int) -> None:
    """The debugger is gone with its last handle: whom it debugged goes on alone, or dies (DbgkpCloseObject)."""
    if handles > 1:
        return
    debug.view.DebuggerInactive = 1
    kill = bool(debug.view.KillProcessOnExit)
    kernel = debug.kernel
    for process in list(kernel.processes.values()):
        if int(process.eprocess.DebugPort) == debug.address:
            forget(process, debug, "killed" if kill else "closed")
            if kill and not process.header.SignalState:
                end_later(process, int(STATUS.DEBUGGER_INACTIVE))
    for event in list(debug.events()):
        debug.take(event)
        event.answer(int(STATUS.DEBUGGER_INACTIVE))


def forget(process: Process, debug: DebugObject, reason: str) -> None:
    """The process has no port any more."""
    process.eprocess.DebugPort = 0
    debug_port.mark_peb(process)
    log = process.kernel.log
    if log.wants(DebuggerDetached):
        log.emit(DebuggerDetached(id=process.id, reason=reason))
    ob.dereference(debug)


def port_of(process: Process) -> DebugObject | None:
    """The process's debug port."""
    address = int(process.eprocess.DebugPort)
    if not address:
        return None
    found: DebugObject = ob.at_address(process.kernel, address)
    return found


DEBUG_OBJECT_TYPE: ObjectType[DebugObject] = ObjectType(
    TYPE_NAME,
    DEBUG_OBJECT.size,
    DebugObject,
    valid_access=DEBUG_ALL_ACCESS,
    generic_mapping=(0x20001, 0x20002, 0x120000, DEBUG_ALL_ACCESS),
    default_dispatcher=0,
    tag=b"DbgO",
    security_required=True,
)
DEBUG_OBJECT_TYPE.close = close

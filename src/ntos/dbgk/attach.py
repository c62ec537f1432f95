"""Beginning and ending to debug a process that runs already.

A debugger is first told what it has missed: events made up for the process, its threads and its modules. Each thread
is suspended until the event about it is answered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos import mm
from ntos.abi.layout.list import LIST_ENTRY
from ntos.abi.layout.peb import PEB
from ntos.abi.layout.user import LDR_DATA_TABLE_ENTRY, PEB_LDR_DATA
from ntos.abi.status import STATUS, Denied, GuestFault, NtError
from ntos.dbgk.object import DebugEvent, forget
from ntos.dbgk.report import load_message, process_message, thread_message
from ntos.etw.event import DebuggerAttached
from ntos.mm.image import ImageArea
from ntos.ps import debug_port
from ntos.ps.thread import suspend

if TYPE_CHECKING:
    from ntos.abi.layout.dbgk import DBGKM_APIMSG
    from ntos.dbgk.object import DebugObject
    from ntos.io.file import FileObject
    from ntos.ke.process import Process
    from ntos.ke.thread import Thread

MOST_MODULES = 500


def attach(debugger: Process, process: Process, debug: DebugObject) -> None:
    """Make `debug` the port of a running process; its children do not inherit it (DbgkpSetProcessDebugObject)."""
    if int(process.eprocess.DebugPort):
        because = Denied("somebody debugs the process already", {"process": process.id}, "NtRemoveProcessDebug")
        raise NtError(STATUS.PORT_ALREADY_SET, because)
    if debug.view.DebuggerInactive:
        raise NtError(STATUS.DEBUGGER_INACTIVE)
    threads = [member for member in process.threads if not member.ending and member.terminating is None]
    if not threads:
        raise NtError(STATUS.PROCESS_IS_TERMINATING, Denied("the process has no threads", {"process": process.id}))
    debug_port.attach(process, debug)
    debug_port.mark_peb(process)
    process.eprocess.CreateReported = 1
    process.eprocess.NoDebugInherit = 1
    _post_thread(debug, threads[0], *process_message(process))
    modules = _modules(process)
    for message, file in modules[:1]:  # ntdll: since Vista before the other threads
        debug.queue(DebugEvent(threads[0], message, no_wait=True, file=file))
    for member in threads[1:]:
        _post_thread(debug, member, thread_message(member))
    for message, file in modules[1:]:
        debug.queue(DebugEvent(threads[0], message, no_wait=True, file=file))
    log = process.kernel.log
    if log.wants(DebuggerAttached):
        log.emit(DebuggerAttached(id=process.id, debugger=debugger.id))


def _post_thread(debug: DebugObject, thread: Thread, message: DBGKM_APIMSG, file: FileObject | None = None) -> None:
    """An event about a thread that began before; the thread will not announce itself again."""
    thread.ethread.SkipCreationMsg = 1
    event = DebugEvent(thread, message, no_wait=True, file=file)
    try:
        suspend(thread)
        event.view.Suspend = 1
    except NtError:
        event.view.Suspend = 0  # suspended as often as possible: it is held anyway
    debug.queue(event)


def _modules(process: Process) -> list[tuple[DBGKM_APIMSG, FileObject | None]]:
    """What the process's loader has loaded, but for the program (DbgkpPostModuleMessages); ntdll is its first."""
    views = ((base, mm.space_of(process).find(base)) for base in _loader_bases(process)[1:])
    return [
        load_message(base, vad.area, 0) for base, vad in views if vad is not None and isinstance(vad.area, ImageArea)
    ]


def _loader_bases(process: Process) -> list[int]:
    """Image bases from PEB.Ldr, as far as the process has kept its lists in order."""
    memory, found = process.memory, list[int]()
    try:
        loader = int(PEB(memory, int(process.eprocess.Peb)).Ldr)
        head = loader + PEB_LDR_DATA.offset("InLoadOrderModuleList")
        entry = int(LIST_ENTRY(memory, head).Flink) if loader else head
        while entry != head and len(found) < MOST_MODULES:
            found.append(int(LDR_DATA_TABLE_ENTRY(memory, entry).DllBase))
            entry = int(LIST_ENTRY(memory, entry).Flink)
    except GuestFault:
        return found
    return found


def detach(process: Process, debug: DebugObject) -> None:
    """Let the process go on alone (DbgkClearProcessDebugObject)."""
    if int(process.eprocess.DebugPort) != debug.address:
        because = Denied("another debugger, or none", {"process": process.id}, "the process's own debug object")
        raise NtError(STATUS.PORT_NOT_SET, because)
    forget(process, debug, "detached")
    debug.release(process, int(STATUS.DEBUGGER_INACTIVE))

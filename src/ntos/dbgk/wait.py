"""The debugger's side: reading events, and answering them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos import ob
from ntos.abi import access as rights
from ntos.abi.dbgk import DBG_STATE, DBGKM_APINUMBER
from ntos.abi.layout.dbgk import DBGUI_WAIT_STATE_CHANGE
from ntos.abi.layout.string import CLIENT_ID
from ntos.abi.pointer import In, Out
from ntos.abi.status import STATUS, Denied, NtError
from ntos.abi.types import BOOLEAN, HANDLE, LARGE_INTEGER, NTSTATUS
from ntos.dbgk.object import DEBUG_OBJECT_TYPE
from ntos.dbgk.report import FILE_ACCESS
from ntos.ke import wait
from ntos.ke.service import service
from ntos.ke.timer import due_time

if TYPE_CHECKING:
    from ntos.dbgk.object import DebugEvent, DebugObject
    from ntos.ke.process import Process
    from ntos.ke.thread import Thread

NUMBER = DBGKM_APINUMBER
STATES = {
    NUMBER.DbgKmCreateThreadApi: DBG_STATE.DbgCreateThreadStateChange,
    NUMBER.DbgKmCreateProcessApi: DBG_STATE.DbgCreateProcessStateChange,
    NUMBER.DbgKmExitThreadApi: DBG_STATE.DbgExitThreadStateChange,
    NUMBER.DbgKmExitProcessApi: DBG_STATE.DbgExitProcessStateChange,
    NUMBER.DbgKmLoadDllApi: DBG_STATE.DbgLoadDllStateChange,
    NUMBER.DbgKmUnloadDllApi: DBG_STATE.DbgUnloadDllStateChange,
}
EXCEPTION_STATES = {
    int(STATUS.BREAKPOINT): DBG_STATE.DbgBreakpointStateChange,
    int(STATUS.SINGLE_STEP): DBG_STATE.DbgSingleStepStateChange,
}
ANSWERS = (
    STATUS.DBG_CONTINUE, STATUS.DBG_EXCEPTION_HANDLED, STATUS.DBG_EXCEPTION_NOT_HANDLED, STATUS.DBG_REPLY_LATER,
    STATUS.DBG_TERMINATE_THREAD, STATUS.DBG_TERMINATE_PROCESS,
)  # fmt: skip


@service
async def NtWaitForDebugEvent(
    thread: Thread,
    DebugObjectHandle: HANDLE,
    Alertable: BOOLEAN,
    Timeout: In[LARGE_INTEGER] | None,
    WaitStateChange: Out[DBGUI_WAIT_STATE_CHANGE],
) -> NTSTATUS:
    """The next event of the processes a debug object debugs."""
    clock = thread.kernel.clock
    due = None if Timeout is None else due_time(clock, int(Timeout)) if int(Timeout) else 0
    with ob.referenced(thread, DebugObjectHandle, rights.DEBUG_READ_EVENT, DEBUG_OBJECT_TYPE) as debug:
        while True:
            left = None if due is None else -max(due - clock.now, 0)
            status = await wait.wait(thread, (debug,), timeout=left, alertable=bool(Alertable))
            if status != STATUS.WAIT_0:
                return status
            if debug.view.DebuggerInactive:
                raise NtError(STATUS.DEBUGGER_INACTIVE)
            event = debug.next_unread()
            if event is None:
                debug.reset()
                continue
            event.view.Read = 1
            thread.memory.write(WaitStateChange.address, bytes(_state_change(thread.process, event)))
            return STATUS.SUCCESS


def _state_change(debugger: Process, event: DebugEvent) -> DBGUI_WAIT_STATE_CHANGE:
    """The event in user mode's words, with handles for the debugger (DbgkpConvertKernelToUserStateChange)."""
    change = DBGUI_WAIT_STATE_CHANGE.new()
    number, told = NUMBER(event.number), event.view.ApiMsg.u
    change.AppClientId.UniqueProcess = int(event.view.ClientId.UniqueProcess)
    change.AppClientId.UniqueThread = int(event.view.ClientId.UniqueThread)
    state = STATES.get(number)
    if state is None:
        code = int(told.Exception.ExceptionRecord.ExceptionCode) & 0xFFFF_FFFF
        state = EXCEPTION_STATES.get(code, DBG_STATE.DbgExceptionStateChange)
    change.NewState = int(state)
    body = bytearray(bytes(change))
    start = DBGUI_WAIT_STATE_CHANGE.offset("StateInfo") + {
        NUMBER.DbgKmCreateThreadApi: 8, NUMBER.DbgKmCreateProcessApi: 16,
    }.get(number, 0)  # fmt: skip
    body[start:] = bytes(told)[: len(body) - start]
    change = DBGUI_WAIT_STATE_CHANGE.parse(bytes(body))
    _open_handles(debugger, event, change)
    return change


def _open_handles(debugger: Process, event: DebugEvent, change: DBGUI_WAIT_STATE_CHANGE) -> None:
    """DbgkpOpenHandles."""
    info, number = change.StateInfo, event.number
    file = ob.insert_handle(debugger, event.file, FILE_ACCESS) if event.file is not None else 0
    if number == NUMBER.DbgKmCreateThreadApi:
        info.CreateThread.HandleToThread = ob.insert_handle(debugger, event.thread, rights.THREAD_ALL_ACCESS)
    elif number == NUMBER.DbgKmCreateProcessApi:
        created = info.CreateProcessInfo
        created.HandleToThread = ob.insert_handle(debugger, event.thread, rights.THREAD_ALL_ACCESS)
        created.HandleToProcess = ob.insert_handle(debugger, event.process, rights.PROCESS_ALL_ACCESS)
        created.NewProcess.FileHandle = file
    elif number == NUMBER.DbgKmLoadDllApi:
        info.LoadDll.FileHandle = file


@service
def NtDebugContinue(
    thread: Thread, DebugObjectHandle: HANDLE, ClientId: In[CLIENT_ID], ContinueStatus: NTSTATUS
) -> NTSTATUS:
    """Answer the event of a thread that was read; the thread and its process go on."""
    if ContinueStatus not in ANSWERS:
        because = Denied("answer to a debug event", {"ContinueStatus": hex(ContinueStatus)}, "a DBG_ status")
        raise NtError(STATUS.INVALID_PARAMETER, because)
    debug = ob.by_handle(thread, DebugObjectHandle, rights.DEBUG_READ_EVENT, DEBUG_OBJECT_TYPE)
    event = _read_event(debug, int(ClientId.UniqueProcess), int(ClientId.UniqueThread))
    debug.take(event)
    debug.activate_next(event.process)
    event.answer(int(ContinueStatus))
    return STATUS.SUCCESS


def _read_event(debug: DebugObject, process: int, thread: int) -> DebugEvent:
    for event in debug.events():
        client = event.view.ClientId
        if event.view.Read and int(client.UniqueProcess) == process and int(client.UniqueThread) == thread:
            return event
    because = Denied("no event of this thread was read", {"process": process, "thread": thread}, "NtWaitForDebugEvent")
    raise NtError(STATUS.INVALID_PARAMETER, because)

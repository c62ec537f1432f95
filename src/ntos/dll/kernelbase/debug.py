"""Debugging other processes, and being debugged (debugapi.h)."""

from __future__ import annotations

from dataclasses import dataclass, field

from ntos.abi.access import (
    PROCESS_CREATE_THREAD,
    PROCESS_QUERY_INFORMATION,
    PROCESS_SUSPEND_RESUME,
    PROCESS_VM_OPERATION,
    PROCESS_VM_READ,
    PROCESS_VM_WRITE,
)
from ntos.abi.dbgk import DebugObjectKillProcessOnExitInformation
from ntos.abi.errors import ERROR
from ntos.abi.layout.dbgk import DBGUI_WAIT_STATE_CHANGE
from ntos.abi.layout.debug_event import CREATE_PROCESS_DEBUG_INFO, CREATE_THREAD_DEBUG_INFO, DEBUG_EVENT
from ntos.abi.layout.string import CLIENT_ID
from ntos.abi.pointer import Ptr
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import BOOL, DWORD, HANDLE
from ntos.abi.win32 import (
    CREATE_PROCESS_DEBUG_EVENT,
    CREATE_THREAD_DEBUG_EVENT,
    EXIT_PROCESS_DEBUG_EVENT,
    EXIT_THREAD_DEBUG_EVENT,
)
from ntos.dll.kernelbase.objects import attributes, new_handle, timeout
from ntos.dll.kernelbase.services import nt, rtl, rtl_status
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread

PROCESS_DEBUG_PORT = 7
ATTACH_ACCESS = (
    PROCESS_CREATE_THREAD | PROCESS_VM_OPERATION | PROCESS_VM_READ | PROCESS_VM_WRITE | PROCESS_QUERY_INFORMATION
    | PROCESS_SUSPEND_RESUME
)  # fmt: skip
AGAIN = (STATUS.ALERTED, STATUS.USER_APC)


@dataclass
class Debuggees:
    """The handles that came with events: they are closed once the end of what they stand for is answered."""

    handles: list[tuple[int, int, int]] = field(default_factory=list)
    """(process id, thread id or 0 for the process, handle)."""
    ended: set[tuple[int, int]] = field(default_factory=set)


@export
async def WaitForDebugEvent(thread: UserThread, lpDebugEvent: Ptr[DEBUG_EVENT], dwMilliseconds: DWORD) -> BOOL:
    """The next event of those the thread debugs; debug output is ANSI."""
    await _wait(thread, lpDebugEvent, dwMilliseconds, "DbgUiConvertStateChangeStructure")
    return BOOL(1)


@export
async def WaitForDebugEventEx(thread: UserThread, lpDebugEvent: Ptr[DEBUG_EVENT], dwMilliseconds: DWORD) -> BOOL:
    """As WaitForDebugEvent; wide debug output stays wide."""
    await _wait(thread, lpDebugEvent, dwMilliseconds, "DbgUiConvertStateChangeStructureEx")
    return BOOL(1)


async def _wait(thread: UserThread, event: Ptr[DEBUG_EVENT], milliseconds: int, convert: str) -> None:
    with thread.frame() as frame:
        change: DBGUI_WAIT_STATE_CHANGE = frame.new(DBGUI_WAIT_STATE_CHANGE)
        limit = timeout(frame, milliseconds)
        status = await rtl_status(thread, "DbgUiWaitStateChange", change.address, limit)
        while status in AGAIN:
            status = await rtl_status(thread, "DbgUiWaitStateChange", change.address, limit)
        if status == STATUS.TIMEOUT:
            raise WinError(ERROR.SEM_TIMEOUT)
        await rtl_status(thread, convert, change.address, event.address)
    _remember(thread, event.read())


def _remember(thread: UserThread, event: DEBUG_EVENT) -> None:
    """What Windows keeps in TEB.DbgSsReserved[0]."""
    kept, code = thread.own(Debuggees), int(event.dwDebugEventCode)
    process, about = int(event.dwProcessId), int(event.dwThreadId)
    place = event.address + DEBUG_EVENT.offset("Information")
    memory = event.memory.origin
    if code == CREATE_PROCESS_DEBUG_EVENT:
        created = CREATE_PROCESS_DEBUG_INFO(memory, place)
        kept.handles += [(process, 0, int(created.hProcess)), (process, about, int(created.hThread))]
    elif code == CREATE_THREAD_DEBUG_EVENT:
        kept.handles.append((process, about, int(CREATE_THREAD_DEBUG_INFO(memory, place).hThread)))
    elif code == EXIT_THREAD_DEBUG_EVENT:
        kept.ended.add((process, about))
    elif code == EXIT_PROCESS_DEBUG_EVENT:
        kept.ended |= {(process, about), (process, 0)}


@export
async def ContinueDebugEvent(
    thread: UserThread, dwProcessId: DWORD, dwThreadId: DWORD, dwContinueStatus: DWORD
) -> BOOL:
    """Answer the event of a thread; it and its process go on."""
    with thread.frame() as frame:
        client: CLIENT_ID = frame.new(CLIENT_ID)
        client.UniqueProcess, client.UniqueThread = int(dwProcessId), int(dwThreadId)
        await rtl_status(thread, "DbgUiContinue", client.address, dwContinueStatus)
    await _close_ended(thread)
    return BOOL(1)


async def _close_ended(thread: UserThread) -> None:
    kept = thread.own(Debuggees)
    gone = [entry for entry in kept.handles if entry[:2] in kept.ended]
    kept.handles = [entry for entry in kept.handles if entry not in gone]
    kept.ended.clear()
    for _, _, handle in gone:
        await _close(thread, handle)


async def _close(thread: UserThread, handle: int) -> None:
    try:
        await nt.NtClose(thread, handle)
    except NtError:
        return  # the debugger has closed it itself


async def _open(thread: UserThread, process: int) -> int:
    with thread.frame() as frame:
        place, client = new_handle(frame), frame.new(CLIENT_ID)
        client.UniqueProcess = process
        await nt.NtOpenProcess(thread, place.address, ATTACH_ACCESS, attributes(frame, flags=0), client.address)
        return int(place.read())


@export
async def DebugActiveProcess(thread: UserThread, dwProcessId: DWORD) -> BOOL:
    """Begin to debug a running process."""
    await rtl_status(thread, "DbgUiConnectToDbg")
    handle = await _open(thread, dwProcessId)
    try:
        await rtl_status(thread, "DbgUiDebugActiveProcess", handle)
    finally:
        await nt.NtClose(thread, handle)
    return BOOL(1)


@export
async def DebugActiveProcessStop(thread: UserThread, dwProcessId: DWORD) -> BOOL:
    """Stop debugging a process: it runs on."""
    handle = await _open(thread, dwProcessId)
    kept = thread.own(Debuggees)
    kept.ended |= {entry[:2] for entry in kept.handles if entry[0] == dwProcessId}
    await _close_ended(thread)
    try:
        await rtl_status(thread, "DbgUiStopDebugging", handle)
    except NtError as error:
        raise WinError(ERROR.ACCESS_DENIED) from error
    finally:
        await nt.NtClose(thread, handle)
    return BOOL(1)


@export
async def DebugBreakProcess(thread: UserThread, Process: HANDLE) -> BOOL:
    """Let another process come to a breakpoint."""
    await rtl_status(thread, "DbgUiIssueRemoteBreakin", Process)
    return BOOL(1)


@export
async def DebugSetProcessKillOnExit(thread: UserThread, KillOnExit: BOOL) -> BOOL:
    """Say whether those the thread debugs die with it."""
    debug = await rtl(thread, "DbgUiGetThreadDebugObject")
    if not debug:
        raise NtError(STATUS.INVALID_HANDLE)
    with thread.frame() as frame:
        flags = frame.bytes(int(KillOnExit != 0).to_bytes(4, "little"))
        await nt.NtSetInformationDebugObject(thread, debug, DebugObjectKillProcessOnExitInformation, flags, 4, 0)
    return BOOL(1)


@export
async def DebugBreak(thread: UserThread) -> None:
    """An int3 in ntdll."""
    await rtl(thread, "DbgBreakPoint")


@export
async def CheckRemoteDebuggerPresent(
    thread: UserThread, hProcess: HANDLE, pbDebuggerPresent: Ptr[BOOL] | None
) -> BOOL:
    """Whether a process has a debug port."""
    if not hProcess or pbDebuggerPresent is None:
        raise WinError(ERROR.INVALID_PARAMETER)
    pbDebuggerPresent.write(int(await debug_port(thread, hProcess) != 0))
    return BOOL(1)


async def debug_port(thread: UserThread, process: int) -> int:
    """What NtQueryInformationProcess says of a process's debug port: 0, or all ones."""
    with thread.frame() as frame:
        place = frame.allocate(8)
        await nt.NtQueryInformationProcess(thread, process, PROCESS_DEBUG_PORT, place, 8, 0)
        return int.from_bytes(thread.memory.read(place, 8), "little")


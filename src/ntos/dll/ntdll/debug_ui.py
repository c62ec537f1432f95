"""DbgUi…: the debugger's side of user-mode debugging, each thread with a debug object of its own in its TEB."""

from __future__ import annotations

from typing import TYPE_CHECKING, Never

from ntos.abi.access import DEBUG_ALL_ACCESS, THREAD_ALL_ACCESS
from ntos.abi.dbgk import DEBUG_KILL_ON_CLOSE
from ntos.abi.layout.dbgk import DBGUI_WAIT_STATE_CHANGE
from ntos.abi.layout.object import OBJECT_ATTRIBUTES
from ntos.abi.layout.string import CLIENT_ID
from ntos.abi.pointer import Ptr
from ntos.abi.ps import THREAD_CREATE_FLAGS_SKIP_THREAD_ATTACH
from ntos.abi.status import NtError
from ntos.abi.types import HANDLE, LARGE_INTEGER, NTSTATUS, PVOID
from ntos.dll.ntdll.guest import settle
from ntos.dll.ntdll.raising import break_in
from ntos.dll.ntdll.thread import exit_thread
from ntos.um import nt
from ntos.um.export import export

if TYPE_CHECKING:
    from ntos.um.thread import UserThread

DEBUG_OBJECT_SLOT = 1
"""TEB.DbgSsReserved: kernel32's list of handles, and the debug object."""


@export
async def DbgUiConnectToDbg(thread: UserThread) -> NTSTATUS:
    """Make the thread a debugger; whom it debugs dies with its debug object."""
    if int(thread.teb.DbgSsReserved[DEBUG_OBJECT_SLOT]):
        return NTSTATUS(0)
    with thread.frame() as frame:
        place, said = frame.new(HANDLE), frame.new(OBJECT_ATTRIBUTES)
        said.Length = OBJECT_ATTRIBUTES.size
        status = await settle(
            nt.NtCreateDebugObject(thread, place.address, DEBUG_ALL_ACCESS, said.address, DEBUG_KILL_ON_CLOSE)
        )
        thread.teb.DbgSsReserved[DEBUG_OBJECT_SLOT] = PVOID(place.read())
    return NTSTATUS(status)


@export
def DbgUiGetThreadDebugObject(thread: UserThread) -> HANDLE:
    """The thread's debug object."""
    return HANDLE(thread.teb.DbgSsReserved[DEBUG_OBJECT_SLOT])


@export
def DbgUiSetThreadDebugObject(thread: UserThread, DebugObject: HANDLE) -> None:
    """Give the thread a debug object."""
    thread.teb.DbgSsReserved[DEBUG_OBJECT_SLOT] = PVOID(DebugObject)


@export
async def DbgUiWaitStateChange(
    thread: UserThread, StateChange: Ptr[DBGUI_WAIT_STATE_CHANGE], Timeout: Ptr[LARGE_INTEGER] | None
) -> NTSTATUS:
    """The next event of those the thread debugs."""
    debug = int(thread.teb.DbgSsReserved[DEBUG_OBJECT_SLOT])
    status = await settle(nt.NtWaitForDebugEvent(thread, debug, 1, int(Timeout or 0), StateChange.address))
    return NTSTATUS(status)


@export
async def DbgUiContinue(thread: UserThread, AppClientId: Ptr[CLIENT_ID], ContinueStatus: NTSTATUS) -> NTSTATUS:
    """Answer an event."""
    debug = int(thread.teb.DbgSsReserved[DEBUG_OBJECT_SLOT])
    return NTSTATUS(await settle(nt.NtDebugContinue(thread, debug, AppClientId.address, ContinueStatus)))


@export
async def DbgUiDebugActiveProcess(thread: UserThread, Process: HANDLE) -> NTSTATUS:
    """Begin to debug a running process, and stop it at a breakpoint."""
    debug = int(thread.teb.DbgSsReserved[DEBUG_OBJECT_SLOT])
    await settle(nt.NtDebugActiveProcess(thread, Process, debug))
    try:
        await _issue_break_in(thread, Process)
    except NtError:
        await settle(nt.NtRemoveProcessDebug(thread, Process, debug))
        raise
    return NTSTATUS(0)


@export
async def DbgUiStopDebugging(thread: UserThread, Process: HANDLE) -> NTSTATUS:
    """Let a process run on without the thread."""
    debug = int(thread.teb.DbgSsReserved[DEBUG_OBJECT_SLOT])
    return NTSTATUS(await settle(nt.NtRemoveProcessDebug(thread, Process, debug)))


@export
async def DbgUiIssueRemoteBreakin(thread: UserThread, Process: HANDLE) -> NTSTATUS:
    """Let a process come to a breakpoint, in a thread made for that."""
    await _issue_break_in(thread, Process)
    return NTSTATUS(0)


async def _issue_break_in(thread: UserThread, process: int) -> None:
    """The thread skips DllMain: it must come through while the loader's lock is held."""
    start = thread.entry("ntdll", "DbgUiRemoteBreakin")
    with thread.frame() as frame:
        place = frame.new(HANDLE)
        await settle(
            nt.NtCreateThreadEx(
                thread, place.address, THREAD_ALL_ACCESS, 0, process, start, 0,
                THREAD_CREATE_FLAGS_SKIP_THREAD_ATTACH, 0, 0, 0, 0,
            )
        )  # fmt: skip
        await settle(nt.NtClose(thread, int(place.read())))


@export
async def DbgUiRemoteBreakin(thread: UserThread, Context: PVOID) -> Never:  # type: ignore[misc]
    """What that thread runs: a breakpoint, then its end."""
    if thread.peb.BeingDebugged:
        await break_in(thread, "DbgBreakPoint")
    await exit_thread(thread, 0)

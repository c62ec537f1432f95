"""Handles to processes and threads by client id, and walks over all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos import ob
from ntos.abi.access import (
    MAXIMUM_ALLOWED,
    PROCESS_QUERY_INFORMATION,
    PROCESS_QUERY_LIMITED_INFORMATION,
    PROCESS_SET_INFORMATION,
    PROCESS_SET_LIMITED_INFORMATION,
    THREAD_QUERY_INFORMATION,
    THREAD_QUERY_LIMITED_INFORMATION,
    THREAD_SET_INFORMATION,
    THREAD_SET_LIMITED_INFORMATION,
)
from ntos.abi.layout.object import OBJECT_ATTRIBUTES
from ntos.abi.layout.string import CLIENT_ID
from ntos.abi.ob import OBJ_INHERIT
from ntos.abi.pointer import In, Out
from ntos.abi.se import SE_PRIVILEGE
from ntos.abi.status import STATUS, Denied, NtError
from ntos.abi.types import ACCESS_MASK, HANDLE, NTSTATUS, ULONG
from ntos.ke.service import service
from ntos.ps.manager import PROCESS, THREAD, ProcessManager
from ntos.se import privileges

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ntos.ke.process import Process
    from ntos.ke.thread import Thread

IMPLIED = (
    (
        (THREAD_QUERY_INFORMATION, THREAD_QUERY_LIMITED_INFORMATION),
        (THREAD_SET_INFORMATION, THREAD_SET_LIMITED_INFORMATION),
    ),
    (
        (PROCESS_QUERY_INFORMATION, PROCESS_QUERY_LIMITED_INFORMATION),
        (PROCESS_SET_INFORMATION, PROCESS_SET_LIMITED_INFORMATION),
    ),
)
"""Rights that bring a lesser one with them, of threads and of processes (Microsoft Learn, "Process Security and
Access Rights")."""
PREVIOUS = 1
"""NtGetNextProcess: walk backwards."""


@service
def NtOpenProcess(
    thread: Thread,
    ProcessHandle: Out[HANDLE],
    DesiredAccess: ACCESS_MASK,
    ObjectAttributes: In[OBJECT_ATTRIBUTES],
    ClientId: In[CLIENT_ID] | None,
) -> NTSTATUS:
    """A handle to the process with this id, or to the one a thread id belongs to."""
    said = ob.capture(ObjectAttributes, PROCESS)
    if _by_name(said, ClientId):
        ProcessHandle.write(ob.open_by_name(thread, PROCESS, said, DesiredAccess))
        return STATUS.SUCCESS
    assert ClientId is not None
    ProcessHandle.write(_open(thread, _process_of(thread, ClientId), DesiredAccess, said.flags))
    return STATUS.SUCCESS


def _process_of(thread: Thread, client: CLIENT_ID) -> Process:
    manager = thread.kernel[ProcessManager]
    if client.UniqueThread:
        return _thread_of(thread, client).process
    process = manager.process_by_id(int(client.UniqueProcess))
    if process is None:
        raise _no_such(client)
    return process


@service
def NtOpenThread(
    thread: Thread,
    ThreadHandle: Out[HANDLE],
    DesiredAccess: ACCESS_MASK,
    ObjectAttributes: In[OBJECT_ATTRIBUTES],
    ClientId: In[CLIENT_ID] | None,
) -> NTSTATUS:
    """A handle to the thread with this id; the process id, if given, must be right."""
    said = ob.capture(ObjectAttributes, THREAD)
    if _by_name(said, ClientId):
        ThreadHandle.write(ob.open_by_name(thread, THREAD, said, DesiredAccess))
        return STATUS.SUCCESS
    assert ClientId is not None
    ThreadHandle.write(_open(thread, _thread_of(thread, ClientId), DesiredAccess, said.flags))
    return STATUS.SUCCESS


def _thread_of(thread: Thread, client: CLIENT_ID) -> Thread:
    found = thread.kernel[ProcessManager].thread_by_id(int(client.UniqueThread))
    owner = int(client.UniqueProcess) & ~3
    if found is None or (owner and found.process.id != owner):
        raise _no_such(client)
    return found


def _no_such(client: CLIENT_ID) -> NtError:
    inputs = {"process": int(client.UniqueProcess), "thread": int(client.UniqueThread)}
    return NtError(STATUS.INVALID_CID, Denied("no process or thread has this client id", inputs))


def _by_name(said: ob.Attributes, client: CLIENT_ID | None) -> bool:
    """Exactly one of name and client id must be given."""
    if (said.name is not None) == (client is not None):
        because = Denied("one of name and client id", {"name": said.name, "client id": client is not None})
        raise NtError(STATUS.INVALID_PARAMETER_MIX, because)
    return client is None


def _open(thread: Thread, target: Process | Thread, desired: int, flags: int) -> int:
    """SeDebugPrivilege stands above any descriptor (PsOpenProcess)."""
    granted: int | None = None
    kind = thread.kernel[ob.ObjectManager].kind_of(target)
    for full, limited in IMPLIED[kind is PROCESS]:
        desired |= limited if desired & full else 0
    if privileges.check(thread, SE_PRIVILEGE.DEBUG):
        granted = kind.mapping.apply(desired) & kind.valid_access
        if desired & MAXIMUM_ALLOWED:
            granted = kind.valid_access
    return ob.open_by_pointer(thread, target, desired, flags, granted)


@service
def NtGetNextProcess(
    thread: Thread,
    ProcessHandle: HANDLE,
    DesiredAccess: ACCESS_MASK,
    HandleAttributes: ULONG,
    Flags: ULONG,
    NewProcessHandle: Out[HANDLE],
) -> NTSTATUS:
    """A handle to the next process (of those that can be opened so) after one in hand, or to the first."""
    NewProcessHandle.write(0)
    if Flags & ~PREVIOUS:
        raise NtError(
            STATUS.INVALID_PARAMETER, Denied("NtGetNextProcess flags", {"Flags": hex(Flags)}, "0 or 1")
        )
    here = ob.by_handle(thread, ProcessHandle, 0, PROCESS) if ProcessHandle else None
    everybody = thread.kernel[ProcessManager].processes()
    if Flags & PREVIOUS:
        everybody.reverse()
    NewProcessHandle.write(_next(thread, everybody, here, DesiredAccess, HandleAttributes))
    return STATUS.SUCCESS


@service
def NtGetNextThread(
    thread: Thread,
    ProcessHandle: HANDLE,
    ThreadHandle: HANDLE,
    DesiredAccess: ACCESS_MASK,
    HandleAttributes: ULONG,
    Flags: ULONG,
    NewThreadHandle: Out[HANDLE],
) -> NTSTATUS:
    """A handle to the next thread of a process after one in hand, or to the first."""
    NewThreadHandle.write(0)
    if Flags:
        raise NtError(STATUS.INVALID_PARAMETER, Denied("NtGetNextThread flags", {"Flags": hex(Flags)}, "0"))
    process = ob.by_handle(thread, ProcessHandle, PROCESS_QUERY_INFORMATION, PROCESS)
    here = ob.by_handle(thread, ThreadHandle, 0, THREAD) if ThreadHandle else None
    NewThreadHandle.write(_next(thread, process.threads, here, DesiredAccess, HandleAttributes))
    return STATUS.SUCCESS


def _next(
    thread: Thread,
    everybody: Sequence[Process] | Sequence[Thread],
    here: Process | Thread | None,
    desired: int,
    attributes: int,
) -> int:
    begin = everybody.index(here) + 1 if here in everybody else 0
    if here is not None and begin == 0:
        raise NtError(STATUS.NO_MORE_ENTRIES)
    for candidate in everybody[begin:]:
        try:
            return _open(thread, candidate, desired, attributes & OBJ_INHERIT)
        except NtError as error:
            if error.status != STATUS.ACCESS_DENIED:
                raise
    raise NtError(STATUS.NO_MORE_ENTRIES)

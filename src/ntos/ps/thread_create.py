"""NtCreateThreadEx and its forerunner NtCreateThread, in one's own process and in others."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ntos import ob
from ntos.abi import ps as constants
from ntos.abi.access import PROCESS_CREATE_THREAD
from ntos.abi.layout.api import INITIAL_TEB
from ntos.abi.layout.object import OBJECT_ATTRIBUTES
from ntos.abi.layout.string import CLIENT_ID
from ntos.abi.pointer import In, Out
from ntos.abi.status import STATUS, Denied, NtError
from ntos.abi.types import ACCESS_MASK, BOOLEAN, HANDLE, NTSTATUS, PVOID, SIZE_T, ULONG
from ntos.ke.context import CONTEXT_SIZE
from ntos.ke.service import service
from ntos.mm import UserStack
from ntos.ps import attributes as attribute_numbers
from ntos.ps.attributes import Attributes
from ntos.ps.create import nameless
from ntos.ps.insert import insert_thread
from ntos.ps.manager import PROCESS, THREAD
from ntos.ps.thread import LOADER_WORKER, SKIP_LOADER_INIT, SKIP_THREAD_ATTACH, ThreadStart, allocate_thread

if TYPE_CHECKING:
    from ntos.ke.process import Process
    from ntos.ke.thread import Thread

TEB_FLAGS = {
    constants.THREAD_CREATE_FLAGS_SKIP_THREAD_ATTACH: SKIP_THREAD_ATTACH,
    constants.THREAD_CREATE_FLAGS_LOADER_WORKER: LOADER_WORKER,
    constants.THREAD_CREATE_FLAGS_SKIP_LOADER_INIT: SKIP_LOADER_INIT,
}
VALID_FLAGS = (
    constants.THREAD_CREATE_FLAGS_CREATE_SUSPENDED
    | constants.THREAD_CREATE_FLAGS_HIDE_FROM_DEBUGGER
    | constants.THREAD_CREATE_FLAGS_BYPASS_PROCESS_FREEZE
    | sum(TEB_FLAGS)
)
THREAD_ATTRIBUTES = frozenset((
    attribute_numbers.CLIENT_ID, attribute_numbers.TEB_ADDRESS, attribute_numbers.GROUP_AFFINITY,
    attribute_numbers.IDEAL_PROCESSOR,
))  # fmt: skip


@service(partial="no ZeroBits, no UMS threads")
def NtCreateThreadEx(
    thread: Thread,
    ThreadHandle: Out[HANDLE],
    DesiredAccess: ACCESS_MASK,
    ObjectAttributes: In[OBJECT_ATTRIBUTES] | None,
    ProcessHandle: HANDLE,
    StartRoutine: PVOID,
    Argument: PVOID,
    CreateFlags: ULONG,
    ZeroBits: SIZE_T,
    StackSize: SIZE_T,
    MaximumStackSize: SIZE_T,
    AttributeList: PVOID,
) -> NTSTATUS:
    """Make a thread in a process; the kernel gives it stack and TEB."""
    if CreateFlags & ~VALID_FLAGS:
        raise NtError(
            STATUS.INVALID_PARAMETER, Denied("thread creation flag", {"CreateFlags": hex(CreateFlags)})
        )
    if ZeroBits:
        raise NtError(STATUS.NOT_SUPPORTED, Denied("ZeroBits of a stack", {"ZeroBits": ZeroBits}, "0"))
    wanted = Attributes.capture(thread.memory, AttributeList)
    foreign = sorted(set(wanted.entries) - THREAD_ATTRIBUTES)
    if foreign:
        raise NtError(
            STATUS.INVALID_PARAMETER, Denied("attribute of processes only", {"attributes": foreign})
        )
    said = nameless(ObjectAttributes, THREAD)
    process = _target(thread, ProcessHandle)
    reserve, commit = _stack_sizes(process, MaximumStackSize, StackSize)
    start = ThreadStart(
        StartRoutine, Argument, reserve, commit,
        suspended=bool(CreateFlags & constants.THREAD_CREATE_FLAGS_CREATE_SUSPENDED),
        initial=not process.threads,
        teb_flags=sum(flag for bit, flag in TEB_FLAGS.items() if CreateFlags & bit),
    )  # fmt: skip
    made = allocate_thread(process, start)
    made.ethread.HideFromDebugger = int(bool(CreateFlags & constants.THREAD_CREATE_FLAGS_HIDE_FROM_DEBUGGER))
    made.tcb.BypassProcessFreeze = int(
        bool(CreateFlags & constants.THREAD_CREATE_FLAGS_BYPASS_PROCESS_FREEZE)
    )
    _bring_in(thread, made, ThreadHandle, DesiredAccess, said)
    wanted.give(attribute_numbers.CLIENT_ID, struct.pack("<QQ", process.id, made.id))
    wanted.give(attribute_numbers.TEB_ADDRESS, struct.pack("<Q", int(made.tcb.Teb)))
    return STATUS.SUCCESS


@service
def NtCreateThread(
    thread: Thread,
    ThreadHandle: Out[HANDLE],
    DesiredAccess: ACCESS_MASK,
    ObjectAttributes: In[OBJECT_ATTRIBUTES] | None,
    ProcessHandle: HANDLE,
    ClientId: Out[CLIENT_ID],
    ThreadContext: PVOID,
    InitialTeb: In[INITIAL_TEB],
    CreateSuspended: BOOLEAN,
) -> NTSTATUS:
    """Make a thread whose stack and first registers the caller has prepared."""
    record = thread.memory.read(ThreadContext, CONTEXT_SIZE)
    said = nameless(ObjectAttributes, THREAD)
    process = _target(thread, ProcessHandle)
    stack = UserStack(
        int(InitialTeb.StackBase), int(InitialTeb.StackLimit), int(InitialTeb.StackAllocationBase)
    )
    # RtlUserThreadStart's first argument, the routine, is what debuggers show as the start address.
    start = ThreadStart(
        struct.unpack_from("<Q", record, 0x80)[0],
        0,
        suspended=bool(CreateSuspended),
        stack=stack,
        context=record,
    )
    made = allocate_thread(process, start)
    made.ethread.StartAddress = struct.unpack_from("<Q", record, 0xF8)[0]
    _bring_in(thread, made, ThreadHandle, DesiredAccess, said)
    thread.memory.write(ClientId.address, struct.pack("<QQ", process.id, made.id))
    return STATUS.SUCCESS


def _target(thread: Thread, handle: int) -> Process:
    process = ob.by_handle(thread, handle, PROCESS_CREATE_THREAD, PROCESS)
    if process.eprocess.ProcessExiting or process.header.SignalState:
        raise NtError(STATUS.PROCESS_IS_TERMINATING, Denied("the process is ending", {"process": process.id}))
    if process.eprocess.SystemProcess:
        raise NtError(
            STATUS.INVALID_HANDLE, Denied("user threads in the System process", {"process": process.id})
        )
    return process


def _stack_sizes(process: Process, reserve: int, commit: int) -> tuple[int, int]:
    """(reserve, commit): what is not given comes from the program's header."""
    section = int(process.eprocess.SectionObject)
    if section and not (reserve and commit):
        information = ob.at_address(process.kernel, section).image_information()
        reserve = reserve or int(information.MaximumStackSize)
        commit = commit or int(information.CommittedStackSize)
    return reserve, commit


def _bring_in(thread: Thread, made: Thread, handle: Out[HANDLE], access: int, said: ob.Attributes) -> None:
    insert_thread(made, thread.process)
    # From here on `exit` keeps the thread until it has run; the first reference becomes the handle's.
    handle.write(ob.insert(thread, made, said, access)[0])
    thread.kernel.scheduler.ready(made)

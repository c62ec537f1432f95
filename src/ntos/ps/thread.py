"""Threads: the object, its stacks, TEB and first context (PspAllocateThread), and what it runs."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ntos import mm, ob
from ntos.abi.layout.enums import KTHREAD_STATE
from ntos.abi.layout.teb import TEB
from ntos.abi.layout.thread import ETHREAD
from ntos.abi.status import STATUS, GuestFault, NtError
from ntos.etw import account
from ntos.ke import apc
from ntos.ke import context as context_record
from ntos.ke.event import NOTIFICATION_EVENT, Event
from ntos.ke.thread import THREAD_OBJECT, Thread, ThreadTerminated
from ntos.ke.trap import Suspension, attend, run_user
from ntos.ps import clone
from ntos.ps.allocate import FLAG_IMAGE_NOTIFY_DONE, audit_name
from ntos.ps.exit import drop_unborn, leave
from ntos.ps.insert import insert_thread
from ntos.ps.manager import THREAD, ProcessManager

if TYPE_CHECKING:
    from ntos.ke.process import Process

DEFAULT_RESERVE, DEFAULT_COMMIT = 0x10_0000, 0x1000
KTHREAD_SIZE = 0x430
KERNEL_STACK_SIZE = 0x6000
CROSS_THREAD_FLAGS = 0x5400
"""Page priority 5, I/O priority 2."""
INITIAL_TEB_FLAG = 0x400
STATIC_UNICODE_BUFFER = 522
FIBER_DATA = 0x1E00
ENGLISH_US = 0x409
SKIP_THREAD_ATTACH = 0x8
LOADER_WORKER = 0x2000
NTDLL = "\\SystemRoot\\System32\\ntdll.dll"
SKIP_LOADER_INIT = 0x4000


@dataclass(slots=True)
class ThreadStart:
    """What a new thread is to do."""

    routine: int
    argument: int
    stack_reserve: int = DEFAULT_RESERVE
    stack_commit: int = DEFAULT_COMMIT
    suspended: bool = False
    initial: bool = False
    teb_flags: int = 0
    stack: mm.UserStack | None = None
    """Made by the creator (NtCreateThread)."""
    context: bytes | None = None
    """A whole CONTEXT in place of routine and argument."""
    original: Thread | None = None
    """The thread of the process's parent that this one is a copy of."""


def allocate_thread(process: Process, start: ThreadStart) -> Thread:
    """A thread object with stack, TEB and initial context; not yet counted anywhere."""
    kernel = process.kernel
    manager = kernel[ProcessManager]
    manager.process_for_next = process
    thread = ob.create(kernel, THREAD)
    ethread, log = thread.ethread, kernel.log
    if start.initial:
        account.made(log, "thread", "the thread object", thread.address, size=ETHREAD.size, structure="ETHREAD")
    for head in (ethread.KeyedWaitChain, ethread.ActiveTimerListHead, ethread.IrpList, ethread.ThreadListEntry):
        head.initialize()
    try:
        _fill(thread, start)
    except (NtError, GuestFault):
        drop_unborn(thread)
        raise
    return thread


def _fill(thread: Thread, start: ThreadStart) -> None:
    kernel, process, ethread = thread.kernel, thread.process, thread.ethread
    ethread.Cid.UniqueThread = kernel[ProcessManager].cids.assign(thread.address)
    ethread.Cid.UniqueProcess = process.id
    ethread.CreateTime = kernel.clock.system_time
    ethread.ExitStatus = int(STATUS.PENDING)
    ethread.CrossThreadFlags = CROSS_THREAD_FLAGS
    ethread.StartAddress = kernel.entry_points.get("RtlUserThreadStart", 0)
    ethread.Win32StartAddress = start.routine
    initialize_kernel_part(thread, start)
    if start.original is not None:
        clone.continue_as(thread, start.original)
        thread.coroutine = run_twin(thread)
        return
    if int(process.eprocess.Peb):
        _user_part(thread, start)
    thread.coroutine = run_thread(thread)


def initialize_kernel_part(thread: Thread, start: ThreadStart) -> None:
    """KeInitThread: header, lists, wait blocks, priority, kernel stack addresses."""
    tcb, process = thread.tcb, thread.process
    _step(thread, start, 4, "KeInitThread")
    thread.initialize_header(THREAD_OBJECT, KTHREAD_SIZE, 0)
    tcb.MutantListHead.initialize()
    tcb.ThreadListEntry.initialize()
    tcb.ApcState.ApcListHead[0].initialize()
    tcb.ApcState.ApcListHead[1].initialize()
    tcb.ApcState.Process = process.address
    tcb.Process = process.address
    tcb.State = int(KTHREAD_STATE.Initialized)
    tcb.Priority = tcb.BasePriority = int(process.pcb.BasePriority)
    tcb.QuantumReset = int(process.pcb.QuantumReset)
    tcb.PreviousMode = 1
    tcb.ApcQueueable = 1
    tcb.Affinity.Mask = tcb.UserAffinity.Mask = 1
    event = Event(thread.kernel, tcb.SuspendEvent.address)
    event.initialize(NOTIFICATION_EVENT, signalled=not start.suspended)
    thread.suspend_count = int(start.suspended)
    thread.attention = start.suspended
    tcb.SuspendCount = int(start.suspended)


def _user_part(thread: Thread, start: ThreadStart) -> None:
    process = thread.process
    _step(thread, start, 4, "PspSetupUserStack")
    address = mm.allocate_teb(process)
    try:
        stack = start.stack or mm.reserve_stack(process, start.stack_reserve, start.stack_commit)
    except NtError:
        mm.free_teb(process, address)
        raise
    try:
        _fill_teb(thread, start, stack, address)
    except GuestFault:  # no frame is left for it
        if start.stack is None:
            mm.free_stack(process, stack.deallocation)
        mm.free_teb(process, address)
        raise
    thread.tcb.Teb = address
    if start.initial:
        _tell_user_part(thread, stack, address)
    _step(thread, start, 4, "PspCreateUserContext", rip=thread.kernel.entry_points["RtlUserThreadStart"],
          rcx=start.routine, rdx=start.argument, rsp=stack.base - 0x58, gs=address)  # fmt: skip
    context = thread.context
    context.gs_base = address
    context.rip = thread.kernel.entry_points["RtlUserThreadStart"]
    context.rcx, context.rdx = start.routine, start.argument
    # As after a call: a return address (there is none) and home space for four arguments.
    context.rsp = stack.base - 0x28
    if start.context is not None:
        context_record.apply(context, start.context)


def _fill_teb(thread: Thread, start: ThreadStart, stack: mm.UserStack, address: int) -> None:
    process = thread.process
    teb = TEB(thread.memory, address)
    teb.NtTib.StackBase = stack.base
    teb.NtTib.StackLimit = stack.limit
    teb.DeallocationStack = stack.deallocation
    teb.NtTib.FiberData = FIBER_DATA
    teb.NtTib.Self = address
    for client in (teb.ClientId, teb.RealClientId):
        client.UniqueProcess = process.id
        client.UniqueThread = thread.id
    teb.ProcessEnvironmentBlock = int(process.eprocess.Peb)
    teb.StaticUnicodeString.MaximumLength = STATIC_UNICODE_BUFFER
    teb.StaticUnicodeString.Buffer = address + TEB.offset("StaticUnicodeBuffer")
    teb.SameTebFlags = start.teb_flags | (INITIAL_TEB_FLAG if start.initial else 0)


def _tell_user_part(thread: Thread, stack: mm.UserStack, teb: int) -> None:
    log, owner = thread.log, thread.process.id
    account.made(log, "stack", "the user stack", stack.limit, owner, size=stack.base - stack.limit)
    account.step(log, 4, "MmCreateTeb", owner)
    account.made(log, "structure", "thread environment block", teb, owner, size=TEB.size, structure="TEB")


def _step(thread: Thread, start: ThreadStart, stage: int, routine: str, **details: int) -> None:
    """A step in the making of a process's first thread; others are not part of its creation."""
    if start.initial:
        account.step(thread.log, stage, routine, thread.process.id, **details)


async def run_thread(thread: Thread) -> None:
    """A user thread from its first instruction to its end (PspUserThreadStartup)."""
    try:
        await _begin(thread)
        try:
            thread.teb.CurrentLocale = ENGLISH_US
            _queue_loader(thread)
        except GuestFault as fault:
            raise ThreadTerminated(int(fault.status)) from fault
        await run_user(thread)
    except ThreadTerminated as ended:
        await leave(thread, ended.status)


async def run_twin(thread: Thread) -> None:
    """The copy of a thread, from where that one called to its end."""
    thread.cloned = True
    try:
        await _begin(thread)
        await run_user(thread)
        thread.cloned = False
        clone.leave_start_routine(thread)
        await run_user(thread)
    except ThreadTerminated as ended:
        await leave(thread, ended.status)


async def _begin(thread: Thread) -> None:
    """Wait out a suspension from birth, and tell of the thread; one that is ended before leaves untold, too."""
    thread.ethread.SkipTerminationMsg = 1
    if thread.attention:
        # Created suspended: its registers can be changed before its first APC takes them.
        await attend(thread)
    thread.ethread.SkipTerminationMsg = 0
    _announce_images(thread)
    tell = thread.kernel[ProcessManager].thread_begins
    if tell is not None and int(thread.process.eprocess.DebugPort):
        await tell(thread)


def _announce_images(thread: Thread) -> None:
    """The first thread to run tells of the program and of ntdll, once (DbgkCreateThread)."""
    process, eprocess = thread.process, thread.process.eprocess
    if int(eprocess.Flags) & FLAG_IMAGE_NOTIFY_DONE:
        return
    eprocess.Flags = int(eprocess.Flags) | FLAG_IMAGE_NOTIFY_DONE
    eprocess.PrimaryTokenFrozen = 1
    manager = thread.kernel[ProcessManager]
    account.step(thread.log, 6, "PspUserThreadStartup", process.id, thread=thread.id,
                 apc=thread.kernel.entry_points["LdrInitializeThunk"], ntdll=manager.ntdll_base)  # fmt: skip
    section = int(eprocess.SectionObject)
    if not manager.image_notify or not section:
        return
    images = (
        (audit_name(process), int(eprocess.SectionBaseAddress), ob.at_address(thread.kernel, section)),
        (NTDLL, manager.ntdll_base, manager.ntdll),
    )
    for path, base, image in images:
        for notify in manager.image_notify:
            notify(process, path, base, int(image.view.SizeOfSection))


def _queue_loader(thread: Thread) -> None:
    """The initial APC: LdrInitializeThunk(context, ntdll's base), then on with the context."""
    kernel = thread.kernel
    apc.interrupt(thread, kernel.entry_points["LdrInitializeThunk"], (0, kernel[ProcessManager].ntdll_base, 0))
    context_address = thread.context.rsp
    thread.memory.write(context_address, struct.pack("<Q", context_address))


def create_thread(process: Process, start: ThreadStart, creator: Process | None = None) -> Thread:
    """Allocate, insert and (unless suspended, when it waits at once) make ready."""
    thread = allocate_thread(process, start)
    insert_thread(thread, creator)
    thread.kernel.scheduler.ready(thread)
    return thread


class SuspendGate(Suspension):
    """A suspended thread waits for KTHREAD.SuspendEvent."""

    def gate(self, thread: Thread) -> Any:
        """The event, as a dispatcher object."""
        return Event(thread.kernel, thread.tcb.SuspendEvent.address)


MAXIMUM_SUSPEND_COUNT = 127


def suspend(thread: Thread) -> int:
    """KeSuspendThread; gives the former count."""
    former = thread.suspend_count
    if former >= MAXIMUM_SUSPEND_COUNT:
        raise NtError(STATUS.SUSPEND_COUNT_EXCEEDED)
    thread.suspend_count = former + 1
    thread.tcb.SuspendCount = former + 1
    thread.attention = True
    Event(thread.kernel, thread.tcb.SuspendEvent.address).reset()
    return former


def resume(thread: Thread) -> int:
    """KeResumeThread; gives the former count."""
    former = thread.suspend_count
    if former:
        thread.suspend_count = former - 1
        thread.tcb.SuspendCount = former - 1
        if former == 1 and not thread.frozen:
            Event(thread.kernel, thread.tcb.SuspendEvent.address).set()
    return former


__all__ = ["SuspendGate", "Thread", "ThreadStart", "create_thread", "resume", "suspend"]

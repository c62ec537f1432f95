"""GUI processes and threads: what `ps` calls when they begin and end (W32pProcessCallout, W32pThreadCallout)."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from ntos import ob
from ntos.abi.layout.dispatcher import KEVENT
from ntos.abi.layout.peb import PEB
from ntos.abi.layout.win32k import CLIENTTHREADINFO, PROCESSINFO, THREADINFO, Q
from ntos.abi.status import GuestFault, NtError
from ntos.ke.event import NOTIFICATION_EVENT, SYNCHRONIZATION_EVENT, Event
from ntos.win32k import dxg_process, resolve
from ntos.win32k.classes import release_classes
from ntos.win32k.queue import MessageList
from ntos.win32k.session import session_of

if TYPE_CHECKING:
    from ntos.ke.process import Process
    from ntos.ke.thread import Thread
    from ntos.win32k.classes import WindowClass
    from ntos.win32k.message import Sent
    from ntos.win32k.session import Session
    from ntos.win32k.station import Desktop
    from ntos.win32k.timer import WindowTimer
    from ntos.win32k.window import Window

PROCESS_TAG, THREAD_TAG, QUEUE_TAG, EVENT_TAG = b"Uspi", b"Usti", b"Usqu", b"Usev"
W32PF_CONSOLEAPPLICATION, W32PF_TERMINATED, W32PF_THREADCONNECTED, W32PF_PROCESSCONNECTED = 0x1, 0x1000, 0x4000, 0x8000
W32PF_WAITFORINPUTIDLE, W32PF_IOWINSTA = 0x20000, 0x40000
GUI_SUBSYSTEM, CONSOLE_SUBSYSTEM = 2, 3
CLIENT_DESKTOP_INFO, CLIENT_DELTA = 4, 5
"""Words of CLIENTINFO (TEB.Win32ClientInfo): pDeskInfo, ulClientDelta."""


class ProcessInfo:
    """PROCESSINFO of a process, in session pool; EPROCESS.Win32Process leads to it."""

    def __init__(self, process: Process) -> None:
        kernel = process.kernel
        self.process = process
        self.session: Session = session_of(process)
        self.view = PROCESSINFO(kernel.memory, self.session.pool.allocate(PROCESSINFO.size, PROCESS_TAG))
        head = self.view.W32
        head.Process, head.RefCount, head.W32Pid = process.address, 1, process.id
        head.W32PF_Flags = W32PF_PROCESSCONNECTED | W32PF_WAITFORINPUTIDLE
        if subsystem_of(process) == CONSOLE_SUBSYSTEM:
            head.W32PF_Flags = int(head.W32PF_Flags) | W32PF_CONSOLEAPPLICATION
        self.idle = Event(kernel, kernel.pool.allocate(KEVENT.size, EVENT_TAG))
        """Set once the program waits for input: WaitForInputIdle."""
        self.idle.initialize(NOTIFICATION_EVENT, signalled=False)
        head.InputIdleEvent = self.idle.address
        self.threads: list[ThreadInfo] = []
        self.classes: list[WindowClass] = []
        self.foreign_procedures: list[tuple[int, bool]] = []
        """Window procedures of the other character set, by CPD handle: (procedure, whether it is ANSI)."""
        self.client_base = 0
        """Where the process sees the shared heap."""
        process.install(self)
        process.eprocess.Win32Process = self.view.address

    def map_heap(self) -> int:
        """Show the shared heap to the process; gives its address there."""
        if not self.client_base:
            self.client_base = self.session.heap.map(self.process)
            self.view.pClientBase = self.client_base
        return self.client_base

    def link(self) -> None:
        """Write the chain of threads (ptiList)."""
        chain = [each.view.address for each in self.threads]
        self.view.ptiList = chain[0] if chain else 0
        self.view.cThreads = len(chain)
        for each, following in zip(self.threads, [*chain[1:], 0], strict=False):
            each.view.ptiSibling = following

    def is_idle(self) -> None:
        """A thread found nothing to do: who waits for the program's readiness goes on."""
        flags = int(self.view.W32.W32PF_Flags)
        if flags & W32PF_WAITFORINPUTIDLE:
            self.view.W32.W32PF_Flags = flags & ~W32PF_WAITFORINPUTIDLE
            self.idle.set()

    def count_handle(self, change: int) -> None:
        """One USER handle more or less."""
        head = self.view.W32
        head.UserHandleCount = int(head.UserHandleCount) + change
        head.UserHandleCountPeak = max(int(head.UserHandleCountPeak), int(head.UserHandleCount))

    def release(self) -> None:
        """The process ends."""
        kernel = self.process.kernel
        self.view.W32.W32PF_Flags = int(self.view.W32.W32PF_Flags) | W32PF_TERMINATED
        objects = self.session.objects
        for address in [each for each in objects.by_address if objects.owner_of(each) == self.view.address]:
            objects.by_address[address].release()
        release_classes(self)
        dxg_process.end(self.process)
        self.idle.set()
        self.process.eprocess.Win32Process = 0
        self.process.remove(ProcessInfo)
        kernel.pool.free(self.idle.address)
        self.session.pool.free(self.view.address)


class ThreadInfo:
    """THREADINFO of a thread, in session pool; KTHREAD.Win32Thread and TEB.Win32ThreadInfo lead to it."""

    def __init__(self, thread: Thread, owner: ProcessInfo) -> None:
        kernel = thread.kernel
        self.thread = thread
        self.owner = owner
        self.session = owner.session
        self.view = THREADINFO(kernel.memory, self.session.pool.allocate(THREADINFO.size, THREAD_TAG))
        self.view.W32.pEThread, self.view.W32.RefCount = thread.address, 1
        self.view.ppi = owner.view.address
        self.queue = Q(kernel.memory, self.session.pool.allocate(Q.size, QUEUE_TAG))
        self.queue.ptiMouse = self.queue.ptiKeyboard = self.view.address
        self.view.pq = self.queue.address
        self.client = CLIENTTHREADINFO(kernel.memory, self.session.heap.allocate(CLIENTTHREADINFO.size))
        self.view.pcti = self.client.address
        self.event = Event(kernel, kernel.pool.allocate(KEVENT.size, EVENT_TAG))
        self.event.initialize(SYNCHRONIZATION_EVENT, signalled=False)
        self.view.pEventQueueServer = self.event.address
        self.desktop: Desktop
        self.posted = MessageList(self.session, self.view.mlPost)
        self.windows: list[Window] = []
        self.timers: list[WindowTimer] = []
        self.received: deque[Sent] = deque()
        """Messages other threads have sent and this one has not looked at."""
        self.serving: list[Sent] = []
        """Those it is serving, the innermost last."""
        self.alive = True
        self.last_read = kernel.clock.now
        """When it last asked for messages: after five seconds without, it counts as hung."""
        self.reading = False
        """It sleeps in the message loop."""
        thread.install(self)
        thread.tcb.Win32Thread = self.view.address

    def join(self, desktop: Desktop, handle: int) -> None:
        """Stand on a desktop; its reference is the caller's."""
        self.desktop = desktop
        self.view.rpdesk, self.view.hdesk = desktop.address, handle
        self.view.pDeskInfo = desktop.view.pDeskInfo
        if int(self.thread.tcb.Teb):
            delta = self.session.heap.base - self.owner.client_base
            words = self.thread.teb.Win32ClientInfo
            words[CLIENT_DESKTOP_INFO] = int(desktop.view.pDeskInfo) - delta & 0xFFFF_FFFF_FFFF_FFFF
            words[CLIENT_DELTA] = delta & 0xFFFF_FFFF_FFFF_FFFF
        desktop.view.PtiList.insert_tail(self.view.PtiLink)

    def leave(self) -> None:
        """Stand on it no longer."""
        self.view.PtiLink.remove()
        ob.dereference(self.desktop)


def subsystem_of(process: Process) -> int:
    """What kind of program it is: IMAGE_SUBSYSTEM_WINDOWS_GUI or …_CUI; 0 where there is no PEB any more."""
    peb = int(process.eprocess.Peb)
    return int(PEB(process.memory, peb).ImageSubsystem) if peb and process.threads else 0


def process_info(process: Process) -> ProcessInfo:
    """The process's, made if there is none yet."""
    return process[ProcessInfo] if process.has(ProcessInfo) else ProcessInfo(process)


def current(thread: Thread) -> ThreadInfo:
    """The calling thread's (PsGetCurrentThreadWin32Thread)."""
    return thread[ThreadInfo]


def process_callout(process: Process, began: bool) -> None:
    """A process makes its first call, or its last thread has left."""
    if began:
        ProcessInfo(process)
    elif process.has(ProcessInfo):
        process[ProcessInfo].release()


def thread_callout(thread: Thread, began: bool) -> None:
    """A thread makes its first call, or ends."""
    if began:
        _begin(thread)
    else:
        end_thread(thread[ThreadInfo])


def _begin(thread: Thread) -> None:
    owner = process_info(thread.process)
    info = ThreadInfo(thread, owner)
    try:
        if int(thread.tcb.Teb):
            owner.map_heap()
        desktop, handle = resolve.desktop_for(info)
    except (NtError, GuestFault):
        _free(info)
        raise
    info.join(desktop, handle)
    owner.threads.append(info)
    owner.link()
    if not owner.view.ptiMainThread:
        owner.view.ptiMainThread = info.view.address
    if int(thread.tcb.Teb):
        thread.teb.Win32ThreadInfo = info.view.address
    owner.view.W32.W32PF_Flags = int(owner.view.W32.W32PF_Flags) | W32PF_THREADCONNECTED


def _free(info: ThreadInfo) -> None:
    thread = info.thread
    info.alive = False
    thread.tcb.Win32Thread = 0
    thread.remove(ThreadInfo)
    info.session.heap.free(info.client.address)
    thread.kernel.pool.free(info.event.address)
    info.session.pool.free(info.queue.address)
    info.session.pool.free(info.view.address)


def end_thread(info: ThreadInfo) -> None:
    """Windows, timers, hooks and messages go; whoever waits for an answer of this thread gets 0."""
    for timer in list(info.timers):
        timer.kill()
    for window in list(info.windows):
        if window.alive:
            window.release()
    info.owner.threads.remove(info)
    info.owner.link()
    info.posted.clear()
    for sent in (*info.received, *info.serving):
        sent.abandoned()
    info.leave()
    info.thread.tcb.GuiThread = 0
    _free(info)

"""Messages and threads meet: a message goes to the longest waiting receiver, or into a queue; a reply to its waiter.

A thread that waits hangs in the port's WaitQueue (by ETHREAD.AlpcWaitListEntry) or in the message it wants answered
(KALPC_MESSAGE.WaitingThread), and sleeps on its own AlpcWaitSemaphore. Whoever wakes it hands it the message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos import ob
from ntos.abi.layout.enums import KWAIT_REASON
from ntos.abi.layout.thread import ETHREAD
from ntos.abi.status import STATUS, NtError
from ntos.ke.semaphore import Semaphore
from ntos.ke.wait import wait
from ntos.lpc.message import CANCELED, LARGE, MAIN, PENDING, Message, first_in, messages_in

if TYPE_CHECKING:
    from ntos.abi.types import NTSTATUS
    from ntos.ke.thread import Thread
    from ntos.lpc.port import Port

WAIT_ENTRY = ETHREAD.offset("AlpcWaitListEntry")
SEMAPHORE = ETHREAD.offset("AlpcWaitSemaphore")


class Waiter:
    """What a thread that waits is handed: a message, which is its own from then on, or only a status."""

    def __init__(self) -> None:
        self.message: Message | None = None
        self.status: NTSTATUS = STATUS.PENDING

    def take(self) -> Message | None:
        """The message, once."""
        message, self.message = self.message, None
        return message


def wake(thread: Thread, status: NTSTATUS, message: Message | None = None) -> None:
    """End a thread's wait for a message."""
    waiter = thread.part(Waiter)
    waiter.message, waiter.status = message, status
    Semaphore(thread.kernel, thread.address + SEMAPHORE).release(1)


async def _sleep(thread: Thread, timeout: int | None, *, alertable: bool, reason: int) -> NTSTATUS:
    semaphore = Semaphore(thread.kernel, thread.address + SEMAPHORE)
    return await wait(thread, (semaphore,), timeout=timeout, alertable=alertable, reason=reason)


def _prepare(thread: Thread) -> Waiter:
    waiter = thread.part(Waiter)
    waiter.message, waiter.status = None, STATUS.PENDING
    Semaphore(thread.kernel, thread.address + SEMAPHORE).initialize(0, 1)
    return waiter


# ---------------------------------------------------------------- to a receiver


def dispatch(message: Message, port: Port) -> None:
    """Let a message be received at `port`: by the thread that waits longest, or whoever comes."""
    message.leave()
    message.view.SequenceNo = port.next_sequence()
    head = port.view.WaitQueue
    if not head.is_empty():
        thread = port.kernel.threads[int(head.Flink) - WAIT_ENTRY]
        _leave_wait_queue(port, thread)
        message.view.u1.s1.InDispatch = 1
        wake(thread, STATUS.SUCCESS, message)
        return
    message.view.u1.s1.Ready = 1
    message.enter(port, MAIN)
    if port.completion is not None:
        port.completion.post(int(port.view.CompletionKey), int(port.view.PortContext), STATUS.SUCCESS, 0)


def _leave_wait_queue(port: Port, thread: Thread) -> None:
    thread.ethread.AlpcWaitListEntry.remove()
    thread.ethread.AlpcWaitListEntry.Flink = 0
    port.view.WaitQueueLength = int(port.view.WaitQueueLength) - 1


def waiting_receivers(port: Port) -> list[Thread]:
    """Threads that wait to receive at a port, the longest first."""
    return [port.kernel.threads[entry - WAIT_ENTRY] for entry in port.view.WaitQueue.iterate()]


def refuse_receivers(port: Port, status: NTSTATUS) -> None:
    """End the waits of all who want to receive."""
    for thread in waiting_receivers(port):
        _leave_wait_queue(port, thread)
        wake(thread, status)


def next_ready(port: Port, room: int) -> Message | None:
    """The message a buffer of `room` bytes gets now: one put back as too large, if it fits; else the first."""
    for message in messages_in(port, LARGE):
        if message.total <= room:
            message.leave()
            return message
    first = first_in(port, MAIN) or first_in(port, LARGE)
    if first is not None:
        first.leave()
    return first


async def receive(port: Port, thread: Thread, room: int, timeout: int | None, *, alertable: bool) -> Message | NTSTATUS:
    """The next message at `port`, now in no queue; or why there is none (TIMEOUT, USER_APC, ALERTED)."""
    while True:
        found = next_ready(port, room) or await _wait_for_message(port, thread, timeout, alertable=alertable)
        if not isinstance(found, Message) or not found.view.u1.s1.Canceled:
            return found
        found.free()  # taken back while it was being handed over


async def _wait_for_message(port: Port, thread: Thread, timeout: int | None, *, alertable: bool) -> Message | NTSTATUS:
    if port.disconnected:
        raise NtError(STATUS.PORT_DISCONNECTED)
    waiter = _prepare(thread)
    port.view.WaitQueue.insert_tail(thread.ethread.AlpcWaitListEntry)
    port.view.WaitQueueLength = int(port.view.WaitQueueLength) + 1
    status: NTSTATUS | None = None
    try:
        status = await _sleep(thread, timeout, alertable=alertable, reason=KWAIT_REASON.WrLpcReceive)
    finally:
        if thread.ethread.AlpcWaitListEntry.Flink:
            _leave_wait_queue(port, thread)
        elif status is None and (handed := waiter.take()) is not None:
            _put_back(handed, port)  # the thread ended before it could take what it was given
    if waiter.status == STATUS.PENDING:
        return status
    message = waiter.take()
    if message is None:
        raise NtError(waiter.status)
    message.view.u1.s1.InDispatch = 0
    return message


def _put_back(message: Message, port: Port) -> None:
    """First in the main queue, or on to the next receiver."""
    message.view.u1.s1.InDispatch = 0
    if message.view.u1.s1.Canceled:
        message.free()
        return
    if waiting_receivers(port):
        dispatch(message, port)
        return
    message.enter(port, MAIN)
    message.view.Entry.remove()
    port.view.MainQueue.insert_head(message.view.Entry)


# ---------------------------------------------------------------- to a waiter


def begin_wait(thread: Thread, message: Message) -> None:
    """The thread will wait for the answer to `message`."""
    _prepare(thread)
    message.view.WaitingThread = thread.address
    thread.ethread.AlpcMessageId = message.id
    thread.ethread.AlpcMessage = message.address


def answer_waiter(message: Message, status: NTSTATUS = STATUS.SUCCESS) -> bool:
    """Hand the message to the thread that waits for its answer; False where none does."""
    thread = message.waiting_thread
    if thread is None:
        return False
    message.leave()
    message.view.WaitingThread = 0
    message.view.u1.s1.InDispatch = 1
    wake(thread, status, message)
    return True


def abandon_waiter(message: Message, status: NTSTATUS) -> None:
    """The thread that waits for the answer gets only a status."""
    thread = message.waiting_thread
    if thread is not None:
        message.view.WaitingThread = 0
        wake(thread, status)


async def wait_answer(
    thread: Thread, message: Message, timeout: int | None, *, alertable: bool
) -> tuple[NTSTATUS, Message | None]:
    """How the wait for the answer to a dispatched message ended, and the answer, the caller's own from now on.

    When the wait ends without an answer, the message is cancelled.
    """
    waiter = thread.part(Waiter)
    status: NTSTATUS | None = None
    try:
        status = await _sleep(thread, timeout, alertable=alertable, reason=KWAIT_REASON.WrLpcReply)
    finally:
        thread.ethread.AlpcMessageId = 0
        thread.ethread.AlpcMessage = 0
        if waiter.status == STATUS.PENDING:
            message.view.WaitingThread = 0
            cancel(message)
        elif status is None and (handed := waiter.take()) is not None:
            handed.free()
    if waiter.status == STATUS.PENDING:
        return status, None
    answered = waiter.take()
    if answered is not None:
        answered.view.u1.s1.InDispatch = 0
    return waiter.status, answered


def cancel(message: Message) -> bool:
    """Take a message back: True if nobody had received it; else its receiver learns when it answers."""
    state = message.view.u1.s1
    state.Canceled = 1
    if state.InDispatch:
        return True
    if message.queue == PENDING:
        message.enter(ob.at_address(message.kernel, int(message.view.PortQueue)), CANCELED)
        return False
    message.free()
    return True

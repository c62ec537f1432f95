"""Blocking on objects. The only module whose functions yield to the scheduler.

A wait fills true KWAIT_BLOCKs and links them into the objects' wait lists, so a debugger or a dump shows what a
thread waits for. The coroutine sleeps in `_suspend` until `Wait.finish` puts the thread back into a ready queue.
"""

from __future__ import annotations

import types
from typing import TYPE_CHECKING

from ntos.abi.layout.dispatcher import KWAIT_BLOCK
from ntos.abi.layout.enums import KTHREAD_STATE
from ntos.abi.layout.list import LIST_ENTRY
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import NTSTATUS
from ntos.ke.timer import Alarm, due_time

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from ntos.ke.dispatcher import DispatcherObject
    from ntos.ke.thread import Thread

WAIT_ALL, WAIT_ANY = 0, 1
MAXIMUM_WAIT_OBJECTS = 64
THREAD_WAIT_OBJECTS = 3
TIMER_WAIT_BLOCK = 3
USER_REQUEST = 6
EXECUTIVE = 0
DELAY_EXECUTION = 4


class Wait:
    """A thread's wait while it lasts."""

    __slots__ = (
        "alarm", "alertable", "blocks", "objects", "own_blocks", "thread", "uninterruptible", "user", "wait_any",
    )  # fmt: skip

    def __init__(
        self, thread: Thread, objects: Sequence[DispatcherObject], *, wait_any: bool, alertable: bool, user: bool
    ) -> None:
        self.thread = thread
        self.objects = objects
        self.wait_any = wait_any
        self.alertable = alertable
        self.user = user
        self.uninterruptible = False
        """Not even the thread's termination ends it."""
        self.alarm: Alarm | None = None
        self.blocks = 0
        self.own_blocks = False

    def satisfied(self) -> int | None:
        """The status if the objects satisfy the wait now (their states then change); else None."""
        if self.wait_any:
            for index, target in enumerate(self.objects):
                if target.is_signalled(self.thread):
                    return index + target.satisfy(self.thread)
            return None
        if all(target.is_signalled(self.thread) for target in self.objects):
            return 0x80 if max(target.satisfy(self.thread) for target in self.objects) else 0
        return None

    def object_signalled(self, target: DispatcherObject) -> None:
        """`target` became signalled: end the wait if that satisfies it."""
        status = self.satisfied()
        if status is not None:
            self.finish(NTSTATUS(status))

    def link(self) -> None:
        """Fill the wait blocks and hang them into the objects' lists."""
        thread, memory = self.thread, self.thread.kernel.memory
        count = len(self.objects)
        if count <= THREAD_WAIT_OBJECTS:
            self.blocks = thread.tcb.WaitBlock[0].address
        else:
            self.blocks = thread.kernel.pool.allocate(count * KWAIT_BLOCK.size, b"Wait")
            self.own_blocks = True
        for index, target in enumerate(self.objects):
            block = KWAIT_BLOCK(memory, self.blocks + index * KWAIT_BLOCK.size)
            block.WaitType = WAIT_ANY if self.wait_any else WAIT_ALL
            block.BlockState = 0
            block.WaitKey = index
            block.Thread = thread.address
            block.Object = target.address
            target.header.WaitListHead.insert_tail(block.WaitListEntry)
        thread.tcb.WaitBlockList = self.blocks
        thread.tcb.WaitBlockCount = count

    def unlink(self) -> None:
        """Take the wait blocks out again."""
        thread, memory = self.thread, self.thread.kernel.memory
        for index in range(len(self.objects)):
            LIST_ENTRY(memory, self.blocks + index * KWAIT_BLOCK.size).remove()
        if self.own_blocks:
            thread.kernel.pool.free(self.blocks)
        thread.tcb.WaitBlockList = 0
        thread.tcb.WaitBlockCount = 0
        if self.alarm is not None:
            self.alarm.cancel()

    def finish(self, status: NTSTATUS) -> None:
        """End the wait with `status` and make the thread ready (KiUnwaitThread)."""
        thread = self.thread
        self.unlink()
        thread.waiting = None
        thread.wait_status = status
        thread.tcb.WaitStatus = int(status)
        thread.kernel.scheduler.ready(thread)


@types.coroutine
def _suspend() -> Generator[None, None, None]:
    """Give the processor away; comes back when the scheduler sends to the coroutine."""
    yield


async def yield_processor(thread: Thread) -> None:
    """Let other ready threads of this priority run first."""
    thread.kernel.scheduler.ready(thread)
    await _suspend()


async def wait(
    thread: Thread,
    objects: Sequence[DispatcherObject],
    *,
    timeout: int | None = None,
    alertable: bool = False,
    wait_any: bool = True,
    user: bool = True,
    reason: int = USER_REQUEST,
) -> NTSTATUS:
    """Block until the objects satisfy the wait, the time is up, or (alertable) an APC or alert comes.

    `timeout` is in 100 ns units: None for ever, 0 not at all, negative relative, positive a system time. Gives
    WAIT_0 + index (+ 0x80 abandoned), TIMEOUT, USER_APC or ALERTED. KeWaitForSingleObject/MultipleObjects.
    """
    if len(objects) > MAXIMUM_WAIT_OBJECTS:
        raise NtError(STATUS.INVALID_PARAMETER_1)
    this = Wait(thread, objects, wait_any=wait_any, alertable=alertable, user=user)
    status = this.satisfied()
    if status is not None and objects:
        return NTSTATUS(status)
    if alertable:
        interrupted = _alert_status(thread, user=user)
        if interrupted is not None:
            return interrupted
    if timeout == 0:
        return STATUS.TIMEOUT
    await _block(this, timeout, reason)
    return thread.wait_status


async def hold(thread: Thread, target: DispatcherObject) -> None:
    """Block in the kernel until `target` is signalled, whatever else happens to the thread meanwhile."""
    this = Wait(thread, (target,), wait_any=True, alertable=False, user=False)
    this.uninterruptible = True
    if this.satisfied() is None:
        await _block(this, None, EXECUTIVE)


async def delay(thread: Thread, timeout: int, *, alertable: bool) -> NTSTATUS:
    """Sleep (KeDelayExecutionThread): SUCCESS when the time is up."""
    status = await wait(thread, (), timeout=timeout, alertable=alertable, reason=DELAY_EXECUTION)
    return STATUS.SUCCESS if status == STATUS.TIMEOUT else status


async def _block(this: Wait, timeout: int | None, reason: int) -> None:
    thread, scheduler = this.thread, this.thread.kernel.scheduler
    if timeout is not None:
        due = due_time(thread.kernel.clock, timeout)
        if due <= thread.kernel.clock.now:
            thread.wait_status = STATUS.TIMEOUT
            return
        this.alarm = scheduler.timers.set(due, lambda: this.finish(STATUS.TIMEOUT))
    tcb = thread.tcb
    tcb.State = KTHREAD_STATE.Waiting
    tcb.WaitReason = reason
    tcb.WaitMode = int(this.user)
    tcb.Alertable = int(this.alertable)
    tcb.WaitTime = thread.kernel.clock.tick_count
    this.link()
    thread.waiting = this
    try:
        await _suspend()
    finally:
        if thread.waiting is this:
            this.unlink()
            thread.waiting = None
    tcb.Alertable = 0


def _alert_status(thread: Thread, *, user: bool) -> NTSTATUS | None:
    mode = int(user)
    if thread.tcb.Alerted[mode]:
        thread.tcb.Alerted[mode] = 0
        return STATUS.ALERTED
    if user and thread.user_apcs:
        thread.apc_pending = True
        return STATUS.USER_APC
    return None


def alert(thread: Thread, *, user: bool = True) -> None:
    """End an alertable wait with ALERTED, or remember the alert for the next one (KeAlertThread)."""
    if thread.waiting is not None and thread.waiting.alertable:
        thread.waiting.finish(STATUS.ALERTED)
    else:
        thread.tcb.Alerted[int(user)] = 1

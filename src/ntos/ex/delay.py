"""Sleeping, yielding, and alerts: by thread handle, and by thread id without any object."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi import access as rights
from ntos.abi.layout.enums import KWAIT_REASON
from ntos.abi.pointer import In
from ntos.abi.status import STATUS, Denied, NtError
from ntos.abi.types import BOOLEAN, HANDLE, LARGE_INTEGER, NTSTATUS, PVOID
from ntos.ex.handle import CidTable
from ntos.ke import wait as ke_wait
from ntos.ke.service import service
from ntos.ob.handle import by_handle
from ntos.ob.manager import ObjectManager

if TYPE_CHECKING:
    from ntos.ke.thread import Thread

USER_MODE = 1


@service
async def NtDelayExecution(thread: Thread, Alertable: BOOLEAN, DelayInterval: In[LARGE_INTEGER]) -> NTSTATUS:
    """Sleep for an interval (negative) or until a time; 0 gives others their turn."""
    status = await ke_wait.delay(thread, DelayInterval, alertable=bool(Alertable))
    if not DelayInterval and status == STATUS.SUCCESS and thread.kernel.scheduler.others_ready(thread):
        await ke_wait.yield_processor(thread)
    return status


@service
async def NtYieldExecution(thread: Thread) -> NTSTATUS:
    """Let another ready thread run; NO_YIELD_PERFORMED where there is none."""
    if not thread.kernel.scheduler.others_ready(thread):
        return STATUS.NO_YIELD_PERFORMED
    await ke_wait.yield_processor(thread)
    return STATUS.SUCCESS


@service
def NtTestAlert(thread: Thread) -> NTSTATUS:
    """Take an alert that is pending, and let queued APCs be delivered on the way out."""
    if thread.tcb.Alerted[USER_MODE]:
        thread.tcb.Alerted[USER_MODE] = 0
        return STATUS.ALERTED
    if thread.user_apcs:
        thread.apc_pending = True
        thread.attention = True
    return STATUS.SUCCESS


@service
def NtAlertThread(thread: Thread, ThreadHandle: HANDLE) -> NTSTATUS:
    """End another thread's alertable wait, or the next one it makes."""
    kind = thread.kernel[ObjectManager].find_type("Thread")
    ke_wait.alert(by_handle(thread, ThreadHandle, rights.THREAD_ALERT, kind))
    return STATUS.SUCCESS


@service
def NtAlertThreadByThreadId(thread: Thread, ThreadId: HANDLE) -> NTSTATUS:
    """Wake a thread of this process from NtWaitForAlertByThreadId, or let its next such wait end at once."""
    target = _thread_by_id(thread, ThreadId)
    waiting = target.waiting
    if waiting is not None and int(target.tcb.WaitReason) == KWAIT_REASON.WrAlertByThreadId:
        waiting.finish(STATUS.ALERTED)
    else:
        target.tcb.AlertedByThreadId = 1
    return STATUS.SUCCESS


def _thread_by_id(thread: Thread, identifier: int) -> Thread:
    kernel = thread.kernel
    target = kernel.threads.get(kernel[CidTable].find(identifier))
    if target is None:
        raise NtError(STATUS.INVALID_CID)
    if target.process is not thread.process:
        raise NtError(
            STATUS.ACCESS_DENIED,
            because=Denied(
                "an alert by thread id stays in its process",
                {"caller": thread.process.id, "owner": target.process.id},
                "use NtAlertThread with a handle that has THREAD_ALERT",
            ),
        )
    return target


@service
async def NtWaitForAlertByThreadId(
    thread: Thread, Address: PVOID, Timeout: In[LARGE_INTEGER] | None
) -> NTSTATUS:
    """Sleep until another thread of this process alerts this one by its id: ALERTED, or TIMEOUT."""
    if thread.tcb.AlertedByThreadId:
        thread.tcb.AlertedByThreadId = 0
        return STATUS.ALERTED
    return await ke_wait.wait(thread, (), timeout=Timeout, reason=KWAIT_REASON.WrAlertByThreadId)

"""User APCs: calls queued to a thread, made when it waits alertably (or, for special ones, at once).

Delivery is NT's: the interrupted context is pushed on the user stack as a CONTEXT whose home slots carry the
routine and its three arguments, and the thread continues at ntdll!KiUserApcDispatcher, which calls the routine and
returns with NtContinue.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ntos.abi.status import STATUS, GuestFault
from ntos.ke import context as context_record

if TYPE_CHECKING:
    from ntos.ke.thread import Thread

STACK_ALIGNMENT = 16


@dataclass(slots=True)
class UserApc:
    """A queued call `routine(arguments…)`; `special` ones do not wait for an alertable wait."""

    routine: int
    arguments: tuple[int, int, int] = (0, 0, 0)
    special: bool = False
    kapc: int = 0
    """Address of the KAPC in pool that shows it to debuggers; 0 for none."""


def queue_user(thread: Thread, apc: UserApc) -> bool:
    """Queue a user APC; False when the thread no longer takes any (KeInsertQueueApc)."""
    if thread.terminating is not None or thread.coroutine is None:
        return False
    thread.user_apcs.append(apc)
    waiting = thread.waiting
    if apc.special:
        thread.apc_pending = True
        thread.attention = True
    if waiting is not None and waiting.user and (waiting.alertable or apc.special):
        thread.apc_pending = True
        thread.attention = True
        waiting.finish(STATUS.USER_APC)
    return True


def deliver(thread: Thread) -> None:
    """Set the thread up to run its next pending user APC (KiDeliverApc, KiInitializeUserApc)."""
    apcs = thread.user_apcs
    if not apcs:
        thread.apc_pending = False
        return
    apc = apcs.popleft()
    if apc.kapc:
        thread.kernel.pool.free(apc.kapc)
    thread.apc_pending = any(later.special for later in apcs)
    interrupt(thread, apc.routine, apc.arguments)


def interrupt(thread: Thread, routine: int, arguments: tuple[int, int, int]) -> None:
    """Push the current context and continue at KiUserApcDispatcher; GuestFault if the stack cannot take it."""
    context = thread.context
    record = context_record.capture(context, context_record.CONTEXT_FULL | context_record.CONTEXT_SEGMENTS)
    struct.pack_into("<4Q", record, 0, *arguments, routine)
    # Behind the CONTEXT a machine frame, by which unwinders find the interrupted code.
    record += struct.pack("<5Q", context.rip, 0x33, context.rflags, context.rsp, 0x2B)
    stack = (context.rsp - len(record) - 0x80) & ~(STACK_ALIGNMENT - 1)
    thread.memory.write(stack, record)
    context.rsp = stack
    context.rip = thread.kernel.entry_points["KiUserApcDispatcher"]


__all__ = ["GuestFault", "UserApc", "deliver", "interrupt", "queue_user"]

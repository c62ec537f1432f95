"""Priorities: the base of a process, the increments of its threads, and where that puts them.

Sixteen and above is the realtime range; a thread moves within the range of its process's class. An increment
of plus or minus sixteen saturates: the thread gets the end of the range whatever the class becomes later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from ntos.abi.layout.enums import KTHREAD_STATE
from ntos.abi.se import SE_PRIVILEGE
from ntos.ps.allocate import PRIORITIES
from ntos.se import privileges

if TYPE_CHECKING:
    from collections.abc import Callable

    from ntos.abi.status import NtError
    from ntos.ke.process import Process
    from ntos.ke.thread import Thread
    from ntos.ps.information import Asked

T = TypeVar("T")
LOWEST_REALTIME = 16
SATURATED = 16
NORMAL_IO_PRIORITY, CRITICAL_IO_PRIORITY = 2, 4
NORMAL_PAGE_PRIORITY = 5


def bounds(process_base: int) -> tuple[int, int]:
    """Lowest and highest priority of threads in a process with this base."""
    return (LOWEST_REALTIME, 31) if process_base >= LOWEST_REALTIME else (1, LOWEST_REALTIME - 1)


def increment_of(thread: Thread) -> int:
    """The thread's distance from its process's base (KeQueryBasePriorityThread)."""
    saturation = int(thread.tcb.Saturation)
    if saturation:
        return saturation * SATURATED
    return int(thread.tcb.BasePriority) - int(thread.process.pcb.BasePriority)


def set_increment(thread: Thread, increment: int) -> None:
    """Give the thread another distance (KeSetBasePriorityThread)."""
    tcb = thread.tcb
    tcb.Saturation = 0 if abs(increment) < SATURATED else (1 if increment > 0 else -1)
    _settle(thread, int(thread.process.pcb.BasePriority) + increment)


def set_process_base(process: Process, base: int) -> None:
    """Move a process and its threads to another base priority (KeSetPriorityAndQuantumProcess)."""
    increments = [(member, increment_of(member)) for member in process.threads]
    process.pcb.BasePriority = base
    for member, increment in increments:
        _settle(member, base + increment)


def set_class(process: Process, priority_class: int) -> None:
    """Give a process a priority class (PsSetProcessPriorityByClass)."""
    process.eprocess.PriorityClass = priority_class
    set_process_base(process, PRIORITIES[priority_class])


def io_priority(asked: Asked[T], refuse: Callable[[Asked[T], str, str], NtError]) -> int:
    """The IO_PRIORITY_HINT a caller sets for a process or thread; above Normal it needs a privilege."""
    wanted = asked.number()
    if wanted > CRITICAL_IO_PRIORITY:
        raise refuse(asked, "IoPriority", "0 to 4")
    if wanted > NORMAL_IO_PRIORITY:
        privileges.require(asked.thread, SE_PRIVILEGE.INCREASE_BASE_PRIORITY)
    return wanted


def page_priority(asked: Asked[T], refuse: Callable[[Asked[T], str, str], NtError]) -> int:
    """The memory priority a caller sets for a process or thread, 1 (very low) to 5 (normal)."""
    wanted = asked.number()
    if not 1 <= wanted <= NORMAL_PAGE_PRIORITY:
        raise refuse(asked, "PagePriority", "1 to 5")
    return wanted


def _settle(thread: Thread, wanted: int) -> None:
    lowest, highest = bounds(int(thread.process.pcb.BasePriority))
    saturation = int(thread.tcb.Saturation)
    if saturation:
        wanted = highest if saturation > 0 else lowest
    priority = max(lowest, min(highest, wanted))
    thread.tcb.BasePriority = priority
    set_priority(thread, priority)


def set_priority(thread: Thread, priority: int) -> None:
    """Move a thread to another priority now (KeSetPriorityThread)."""
    tcb, scheduler = thread.tcb, thread.kernel.scheduler
    former = int(tcb.Priority) & 31
    tcb.Priority = priority
    waiting_turn = scheduler.queues[former]
    if former == priority or int(tcb.State) != KTHREAD_STATE.Ready or thread not in waiting_turn:
        return
    waiting_turn.remove(thread)
    if not waiting_turn:
        scheduler.ready_summary &= ~(1 << former)
    scheduler.ready(thread)

"""Freezing a process: all its threads but one stay out of user mode (PsFreezeProcess, PsThawProcess).

A freeze is counted apart from suspensions; a thread runs again when it is neither frozen nor suspended.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ntos.ke.event import Event

if TYPE_CHECKING:
    from ntos.ke.process import Process
    from ntos.ke.thread import Thread


@dataclass(slots=True)
class Freeze:
    """For whose sake a process is frozen: threads of it, which are not held by their own freeze."""

    owners: list[Thread] = field(default_factory=list)


def freeze(process: Process, owner: Thread) -> None:
    """Hold every thread but `owner` before its next user instruction, those still to come included."""
    process.part(Freeze).owners.append(owner)
    _settle_all(process)


def thaw(process: Process, owner: Thread) -> None:
    """Take `owner`'s freeze back."""
    process[Freeze].owners.remove(owner)
    _settle_all(process)


def _settle_all(process: Process) -> None:
    process.pcb.FreezeCount = len(process[Freeze].owners)
    for member in process.threads:
        settle(member)


def settle(thread: Thread) -> None:
    """Hold or release a thread as the freezes of its process demand."""
    frozen = thread.process.has(Freeze) and not thread.tcb.BypassProcessFreeze and any(
        owner is not thread for owner in thread.process[Freeze].owners
    )
    if frozen == thread.frozen:
        return
    thread.frozen = frozen
    thread.tcb.FreezeCount = int(frozen)
    gate = Event(thread.kernel, thread.tcb.SuspendEvent.address)
    if frozen:
        thread.attention = True
        gate.reset()
    elif not thread.suspend_count:
        gate.set()

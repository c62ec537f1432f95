"""Processor time: which thread used it, in which mode (KeUpdateRunTime, KeQueryValuesProcess).

As on Windows, times are counted in clock ticks, each charged whole to the thread that was running and the mode it was
in, and cycles are counted exactly, each time a thread leaves the processor. KPROCESS holds what its exited threads
used; a process's totals are that and what its living threads have used so far.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ntos.abi.layout.thread import KTHREAD
from ntos.hal.clock import CLOCK_INCREMENT, CYCLES_PER_UNIT

if TYPE_CHECKING:
    from ntos.ke.process import Process
    from ntos.ke.thread import Thread

CYCLES = KTHREAD.offset("CycleTime")
SWITCHES = KTHREAD.offset("ContextSwitches")
ONE_SWITCH = 1 << 8 * (SWITCHES & 7)
PYTHON_EXPORT = 0x2000
"""Bit of a service number that says: user-mode code that is written in Python."""


class Times(NamedTuple):
    """What a thread or process used: 100 ns units, cycles, and how often it got the processor."""

    kernel: int
    user: int
    cycles: int
    switches: int


def switched_out(thread: Thread, units: int) -> None:
    """A thread leaves the processor it had for so many 100 ns units."""
    kernel = thread.kernel
    words, locate = kernel.platform.physical.words, kernel.memory.locate
    words[locate(thread.address + CYCLES) >> 3] += units * CYCLES_PER_UNIT
    words[locate(thread.address + SWITCHES) >> 3] += ONE_SWITCH


def charge_ticks(thread: Thread, ticks: int, *, spinning: bool) -> None:
    """Charge clock ticks to the thread they found running.

    A tick finds it in the kernel when it has just made a system call; Python exports are user-mode code.
    """
    tcb = thread.tcb
    number = thread.context.rax & 0xFFFF_FFFF
    processor = thread.kernel.scheduler.processor
    if spinning or number & PYTHON_EXPORT:
        tcb.UserTime = int(tcb.UserTime) + ticks
        if processor is not None:
            processor.UserTime = int(processor.UserTime) + ticks
    else:
        tcb.KernelTime = int(tcb.KernelTime) + ticks
        if processor is not None:
            processor.KernelTime = int(processor.KernelTime) + ticks


def of_thread(thread: Thread) -> Times:
    """What a thread has used until now."""
    tcb = thread.tcb
    units = thread.kernel.scheduler.running_for(thread)
    return Times(
        int(tcb.KernelTime) * CLOCK_INCREMENT, int(tcb.UserTime) * CLOCK_INCREMENT,
        int(tcb.CycleTime) + units * CYCLES_PER_UNIT, int(tcb.ContextSwitches),
    )  # fmt: skip


def of_process(process: Process) -> Times:
    """What a process's threads, exited ones too, have used until now."""
    pcb = process.pcb
    gone = Times(
        int(pcb.KernelTime) * CLOCK_INCREMENT, int(pcb.UserTime) * CLOCK_INCREMENT, int(pcb.CycleTime),
        int(pcb.ContextSwitches),
    )  # fmt: skip
    return Times(*map(sum, zip(gone, *map(of_thread, process.threads), strict=True)))


def fold(thread: Thread) -> None:
    """A thread exits: what it used is its process's from now on."""
    used, pcb = of_thread(thread), thread.process.pcb
    pcb.KernelTime = int(pcb.KernelTime) + used.kernel // CLOCK_INCREMENT
    pcb.UserTime = int(pcb.UserTime) + used.user // CLOCK_INCREMENT
    pcb.CycleTime = int(pcb.CycleTime) + used.cycles
    pcb.ContextSwitches = int(pcb.ContextSwitches) + used.switches

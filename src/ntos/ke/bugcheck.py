"""The end of the machine: what Windows shows on a blue screen (KeBugCheckEx).

Nothing runs on: the thread that brought it about gives the processor up when its system call is done, and the
scheduler hands it to nobody. Memory stays as it was, so a dump taken now is a crash dump.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ntos.abi.bugcheck import BUGCHECK
from ntos.abi.symbols import RVA
from ntos.etw.event import BugCheck

if TYPE_CHECKING:
    from ntos.ke.kernel import Kernel
    from ntos.ke.process import Process
    from ntos.ke.thread import Thread

REASON = "bugcheck"
"""Why the scheduler stopped."""
OBJECT_IS_THREAD = 1


@dataclass(slots=True)
class Stopped:
    """The bug check, once there was one: `kernel.part(Stopped)`."""

    code: int = 0
    culprit: str = ""
    """What it was about: a program's name."""

    @property
    def name(self) -> str:
        """As Windows calls it: CRITICAL_PROCESS_DIED."""
        return BUGCHECK(self.code).name


def stop(kernel: Kernel, code: BUGCHECK, parameters: tuple[int, int, int, int], culprit: str) -> None:
    """Stop the machine for good; the first reason stays."""
    stopped, scheduler = kernel.part(Stopped), kernel.scheduler
    if stopped.code:
        return
    stopped.code, stopped.culprit = int(code), culprit
    kernel.memory.write(kernel.image_base + RVA["KiBugCheckData"], struct.pack("<5Q", code, *parameters))
    kernel.log.emit(BugCheck(code=int(code), name=code.name, parameters=list(parameters), culprit=culprit))
    scheduler.stop_requested = REASON
    if scheduler.current is not None:
        scheduler.current.traps_left = 0


def process_ends(process: Process) -> bool:
    """A process is about to end: whether that stops the machine, for it is critical (PspCatchCriticalBreak)."""
    critical = bool(process.eprocess.BreakOnTermination)
    if critical:
        stop(process.kernel, BUGCHECK.CRITICAL_PROCESS_DIED, (process.address, 0, 0, 0), process.name)
    return critical


def thread_ends(thread: Thread) -> bool:
    """The same for a thread; the second parameter says that the first is one."""
    critical = bool(thread.ethread.BreakOnTermination)
    if critical:
        parameters = (thread.address, OBJECT_IS_THREAD, 0, 0)
        stop(thread.kernel, BUGCHECK.CRITICAL_PROCESS_DIED, parameters, thread.process.name)
    return critical

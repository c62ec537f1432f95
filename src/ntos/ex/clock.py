"""Time: the performance counter, the system time, the resolution of the clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.pointer import Out
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import BOOLEAN, LARGE_INTEGER, NTSTATUS, ULONG
from ntos.hal.clock import CLOCK_INCREMENT, TICKS_PER_SECOND
from ntos.ke.service import service

if TYPE_CHECKING:
    from ntos.ke.kernel import Kernel
    from ntos.ke.thread import Thread

COARSEST = CLOCK_INCREMENT
FINEST = 5_000
"""0.5 ms (KeMinimumIncrement of a PC)."""


class Resolution:
    """Who asked for which resolution. `kernel.part(Resolution)`."""

    def __init__(self) -> None:
        self.requests: dict[int, int] = {}
        """EPROCESS address to 100 ns units."""

    def current(self, kernel: Kernel) -> int:
        """The finest request of a process that still exists."""
        alive = [units for process, units in self.requests.items() if process in kernel.processes]
        return min(alive, default=COARSEST)


@service
def NtQueryPerformanceCounter(
    thread: Thread, PerformanceCounter: Out[LARGE_INTEGER], PerformanceFrequency: Out[LARGE_INTEGER] | None
) -> NTSTATUS:
    """The counter, ten million a second of virtual time."""
    PerformanceCounter.write(thread.kernel.clock.now)
    if PerformanceFrequency is not None:
        PerformanceFrequency.write(TICKS_PER_SECOND)
    return STATUS.SUCCESS


@service
def NtQuerySystemTime(thread: Thread, SystemTime: Out[LARGE_INTEGER]) -> NTSTATUS:
    """100 ns units since 1601-01-01 UTC."""
    SystemTime.write(thread.kernel.clock.system_time)
    return STATUS.SUCCESS


@service
def NtQueryTimerResolution(
    thread: Thread, MaximumTime: Out[ULONG], MinimumTime: Out[ULONG], CurrentTime: Out[ULONG]
) -> NTSTATUS:
    """The coarsest, the finest and the present interval of the clock, in 100 ns units."""
    MaximumTime.write(COARSEST)
    MinimumTime.write(FINEST)
    CurrentTime.write(thread.kernel.part(Resolution).current(thread.kernel))
    return STATUS.SUCCESS


@service(partial="the clock keeps ticking every 15.625 ms: timers are exact at every resolution")
def NtSetTimerResolution(
    thread: Thread, DesiredTime: ULONG, SetResolution: BOOLEAN, ActualTime: Out[ULONG]
) -> NTSTATUS:
    """Ask for a finer clock, or give up what was asked for."""
    kernel, process = thread.kernel, thread.process
    resolution = kernel.part(Resolution)
    if SetResolution:
        units = min(max(DesiredTime, FINEST), COARSEST)
        resolution.requests[process.address] = units
        process.eprocess.RequestedTimerResolution = units
        process.eprocess.SetTimerResolution = 1
    else:
        if resolution.requests.pop(process.address, None) is None:
            raise NtError(STATUS.TIMER_RESOLUTION_NOT_SET)
        process.eprocess.RequestedTimerResolution = 0
        process.eprocess.SetTimerResolution = 0
    ActualTime.write(resolution.current(kernel))
    return STATUS.SUCCESS

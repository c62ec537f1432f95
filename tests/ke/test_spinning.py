"""When a thread that never enters the kernel gives the processor away."""

from __future__ import annotations

from ntos.ke.kernel import Kernel
from ntos.ke.scheduler import PATIENCE

ASKED = 100_000
"""100 ns units in the 10 ms the watchdog reports each time."""
ASKS = PATIENCE // ASKED


def test_alone_it_keeps_the_processor_and_time_goes_on(kernel: Kernel) -> None:
    """Nobody else is ready: the thread is not stopped, and the clock it may be watching advances."""
    before = kernel.clock.now
    assert not any(kernel.scheduler.spinning(0.01) for _ in range(3 * ASKS))
    assert kernel.clock.now > before


def test_others_wait_a_while(kernel: Kernel) -> None:
    """Once others have waited long enough the thread is stopped."""
    kernel.scheduler.ready_summary = 1 << 8
    answers = [kernel.scheduler.spinning(0.01) for _ in range(ASKS)]
    kernel.scheduler.ready_summary = 0
    assert answers == [False] * (ASKS - 1) + [True]


def test_a_timer_that_is_due_is_served(kernel: Kernel) -> None:
    """A timer's moment stops the thread at once."""
    kernel.scheduler.timers.set(kernel.clock.now + 1, lambda: None)
    assert kernel.scheduler.spinning(0.01)

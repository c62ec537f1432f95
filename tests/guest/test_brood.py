"""A thousand children, one after another: nothing of them stays, and the last costs what the first did."""

from __future__ import annotations

import itertools
import statistics
import time
from typing import NamedTuple

import pytest

from ntos.etw.event import Event, ProcessExited
from ntos.ex.handle import HandleTable
from ntos.ex.pool import PagedAndNonpagedPool
from ntos.machine import Machine
from ntos.ob.manager import ObjectManager
from tests.guest.conftest import SAMPLES

CHILDREN = 1000
WARM = 20
"""The first children load what stays: pages of images, interned strings, pool pages."""
GROUP = 100


class Held(NamedTuple):
    """What is in use on the machine."""

    frames: int
    pool_bytes: int
    objects: int
    processes: int
    threads: int
    handles: int


def _held(machine: Machine, parent_handles: HandleTable) -> Held:
    kernel = machine.kernel
    pool = kernel.pool
    assert isinstance(pool, PagedAndNonpagedPool)
    return Held(
        machine.platform.physical.used,
        sum(usage.bytes for _, _, usage in pool.tags()),
        len(kernel[ObjectManager].objects),
        len(kernel.processes),
        len(kernel.threads),
        parent_handles.count,
    )


def _least(moments: list[Held]) -> Held:
    """Of each figure the least: at a child's end csrss may or may not have closed its handles of the one before."""
    return Held(*map(min, zip(*moments, strict=True)))


@pytest.mark.slow
def test_a_thousand_children_leave_no_residue() -> None:
    """Frames, pool, objects, processes, threads and handles are the same at the last child's end as at an early one."""
    held: list[Held] = []
    moments: list[float] = []
    with Machine(memory=128 << 20, drives={"D": SAMPLES / "bin"}) as machine:
        parent = machine.create_process("D:\\brood.exe", [str(CHILDREN)])
        table = parent.kernel_process[HandleTable]

        def note(event: Event) -> None:
            if isinstance(event, ProcessExited) and event.id != parent.id:
                held.append(_held(machine, table))
                moments.append(time.process_time())

        machine.log.subscribe(note)
        assert machine.run() == "finished"
        assert parent.exit_code == 77
    assert len(held) == CHILDREN
    assert _least(held[-GROUP:]) == _least(held[WARM : WARM + GROUP])
    costs = [after - before for before, after in itertools.pairwise(moments)]
    assert statistics.median(costs[-GROUP:]) < 1.5 * statistics.median(costs[WARM : WARM + GROUP])

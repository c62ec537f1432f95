"""What the machine has in use, for tests that say "and nothing stays behind"."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

from ntos import mm
from ntos.ex.handle import HandleTable
from ntos.ke.process import Process
from ntos.ke.thread import Thread
from ntos.ps.exit import terminate_process, terminate_thread
from tests.ke.test_boundary import Held, Lab


class Residue(NamedTuple):
    """Handles, objects, pool blocks and frames; processes, threads, ids; commit and its frames."""

    held: Held
    processes: int
    threads: int
    committed: int
    resident: int


def residue(lab: Lab) -> Residue:
    """What is in use now; pages the pool has taken and not given back are not lost, its blocks say what is."""
    manager, kernel, held = mm.manager(lab.kernel), lab.kernel, lab.held()
    pool = sum(kernel.pool.pages(paged=paged) for paged in (True, False))
    return Residue(
        held._replace(frames=held.frames - pool), len(kernel.processes), len(kernel.threads), manager.committed,
        manager.resident,
    )  # fmt: skip


@contextmanager
def no_leak(lab: Lab) -> Iterator[None]:
    """Whatever the block makes, or fails to make, is gone at its end, once handles it opened are closed."""
    before = residue(lab)
    with undone(lab):
        yield
    after = residue(lab)
    assert after == before, f"left behind: {before} became {after}"


@contextmanager
def undone(lab: Lab) -> Iterator[None]:
    """End the processes and close the handles that the block has made."""
    threads = list(lab.process.threads)
    processes, handles = set(lab.kernel.processes), set(dict(lab.process[HandleTable].items()))
    next_room = lab._next
    yield
    for address in set(lab.kernel.processes) - processes:
        end(lab.kernel.processes[address])
    for thread in [each for each in lab.process.threads if each not in threads]:
        terminate_thread(thread, 0)
        _let_end(thread)
    for handle in sorted(set(dict(lab.process[HandleTable].items())) - handles):
        assert lab.status("NtClose", handle) == 0
    lab._next = next_room


def end(process: Process) -> None:
    """Terminate a process and let its threads find out, as the scheduler would."""
    if not process.eprocess.ProcessDelete:
        terminate_process(process, 0)
    for thread in list(process.threads):
        _let_end(thread)


def _let_end(thread: Thread) -> None:
    if thread.coroutine is not None:
        with suppress(StopIteration):
            thread.coroutine.send(None)

"""Crowds of processes that end badly: a deep tree, a fork bomb, parents killed at work, memory used up."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import pytest

from ntos import mm, ob
from ntos.ex.pool import PagedAndNonpagedPool
from ntos.machine import Machine
from ntos.ob.manager import ObjectManager
from tests.guest.conftest import SAMPLES

PROGRAM = "D:\\hostile.exe"
RIGHT = 21


class Held(NamedTuple):
    """What is in use on the machine while nothing runs."""

    frames: int
    pool_bytes: int
    objects: int
    processes: int
    threads: int
    committed: int


def _held(machine: Machine) -> Held:
    kernel = machine.kernel
    pool = kernel.pool
    assert isinstance(pool, PagedAndNonpagedPool)
    return Held(
        machine.platform.physical.used - pool.pages(paged=True) - pool.pages(paged=False),
        sum(usage.bytes for _, _, usage in pool.tags()),
        len(kernel[ObjectManager].objects),
        len(kernel.processes),
        len(kernel.threads),
        mm.manager(kernel).committed,
    )


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["arguments", "tree", "explode", "murder"])
def test_nothing_of_a_crowd_stays(mode: str) -> None:
    """After everybody has ended, however that came, the machine has in use what it had before they came."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    seen = []
    with Machine(memory=256 << 20, drives={"D": SAMPLES / "bin"}, stdout=nowhere) as machine:
        for _ in range(3):  # the first loads what stays
            process = machine.create_process(PROGRAM, [mode])
            assert machine.run() == "finished"
            assert process.exit_code == RIGHT
            ob.dereference(process.kernel_process)
            seen.append(_held(machine))
    os.close(nowhere)
    assert seen[2] == seen[1]


@pytest.mark.slow
def test_memory_used_up_is_memory_regained(tmp_path: Path) -> None:
    """When no process more fits CreateProcess says ERROR_COMMITMENT_LIMIT; when they are gone as many fit as before."""
    output = tmp_path / "output.txt"
    drives = {"D": SAMPLES / "bin"}
    with output.open("wb") as stream, Machine(memory=48 << 20, drives=drives, stdout=stream.fileno()) as machine:
        process = machine.create_process(PROGRAM, ["exhaust"])
        assert machine.run() == "finished"
        assert process.exit_code == RIGHT
    assert output.read_text().splitlines() == [
        "round 0 ended with 1455", "round 1 ended with 1455", "as many again: 1; and one that runs: 1",
    ]  # fmt: skip

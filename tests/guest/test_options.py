"""Image File Execution Options and App Paths, seen from programs that start others."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from ntos.cm import Registry
from ntos.machine import Machine
from ntos.ps.image_options import OPTIONS
from tests.guest.conftest import SAMPLES

RIGHT, WRONG = 77, 1
"""What `brood` says of its children: all gave 0, or not."""


def _brood(prepare: Callable[[Registry], None]) -> int | None:
    """The exit code of a program that starts itself twice."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    try:
        with Machine(
            memory=128 << 20, drives={"D": SAMPLES / "bin"}, stdin=nowhere, stdout=nowhere, stderr=nowhere
        ) as machine:
            prepare(machine.kernel[Registry])
            parent = machine.create_process("D:\\brood.exe", ["2"])
            assert machine.run(60) == "finished"
            return parent.exit_code
    finally:
        os.close(nowhere)


@pytest.mark.parametrize(
    ("debugger", "answer"),
    [("D:\\doors.exe code 0", RIGHT), ("D:\\doors.exe code 9", WRONG), ("", RIGHT), ("D:\\absent.exe", WRONG)],
)
def test_a_debugger_runs_in_the_programs_place(debugger: str, answer: int) -> None:
    """CreateProcess starts the Debugger with the old command line behind its own; an empty one does not count."""
    assert _brood(lambda registry: registry.set(f"{OPTIONS}\\brood.exe", "Debugger", debugger)) == answer

"""A machine whose system processes run, and what a test sees of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ntos.abi.layout.peb import PEB
from ntos.abi.layout.user import RTL_USER_PROCESS_PARAMETERS
from ntos.ke.process import Process
from ntos.machine import Machine

SAMPLES = Path(__file__).parents[2] / "samples" / "bin"
MEMORY = 128 << 20
TIMEOUT = 60


def parameters(process: Process) -> RTL_USER_PROCESS_PARAMETERS:
    """The process parameters of a live process."""
    peb = PEB(process.memory, int(process.eprocess.Peb))
    return RTL_USER_PROCESS_PARAMETERS(process.memory, int(peb.ProcessParameters))


@pytest.fixture(scope="module")
def booted() -> Iterator[Machine]:
    """Booted, and nothing more; tests only look."""
    with Machine(memory=MEMORY) as machine:
        yield machine


@pytest.fixture
def machine() -> Iterator[Machine]:
    """One with the samples on D:."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    with Machine(memory=MEMORY, drives={"D": SAMPLES}, stdout=nowhere, stderr=nowhere) as made:
        yield made
    os.close(nowhere)

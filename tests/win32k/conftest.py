"""A machine over the scripted processor, and a process that calls win32k as user-mode code does."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ntos.hal.scripted import ScriptedBackend
from ntos.init.services import load_all_service_modules
from ntos.machine import Machine
from ntos.ps.exit import exit_thread
from tests.guest.conftest import SAMPLES
from tests.ke.test_boundary import MEMORY, Lab

load_all_service_modules()


@contextmanager
def _machine() -> Iterator[Machine]:
    nowhere = os.open(os.devnull, os.O_RDWR)
    with Machine(
        memory=MEMORY, drives={"D": SAMPLES / "bin"}, stdin=nowhere, stdout=nowhere, stderr=nowhere,
        backend=ScriptedBackend(),
    ) as made:  # fmt: skip
        yield made
    os.close(nowhere)


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    """One machine for the tests of a module."""
    with _machine() as made:
        yield made


@pytest.fixture
def fresh_machine() -> Iterator[Machine]:
    """One in which nobody has called win32k."""
    with _machine() as made:
        yield made


def end(lab: Lab) -> None:
    """Let the process end."""
    for thread in list(lab.process.threads):
        if thread.coroutine is not None:
            thread.coroutine.close()
        exit_thread(thread, 0)


@pytest.fixture
def lab(machine: Machine) -> Iterator[Lab]:
    """A process of it."""
    made = Lab(machine)
    yield made
    end(made)
    machine.kernel.scheduler.current = None

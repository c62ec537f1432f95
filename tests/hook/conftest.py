"""A program with functions worth hooking, compiled once, and a machine to run it on."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ntos.machine import Machine
from tests.dll.compile import build_c

Run = Callable[..., str]


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """guest.c as program.exe."""
    return build_c(tmp_path_factory.mktemp("hook"), (Path(__file__).parent / "guest.c").read_text())


class Stage:
    """A machine with the program on drive D:, and what it printed."""

    def __init__(self, machine: Machine, output: Path) -> None:
        self.machine = machine
        self._output = output

    def run(self, *arguments: str) -> dict[str, str]:
        """Run the program; what it printed, by first word (of the last line with that word)."""
        self.machine.create_process("D:\\program.exe", arguments)
        assert self.machine.run(timeout=100) == "finished"
        return dict(line.split(" ", 1) for line in self._output.read_text().splitlines())


@contextmanager
def machine_with(program: Path) -> Iterator[Stage]:
    """A machine that writes the program's output into a file."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "output"
        with (
            output.open("wb") as file,
            Path(os.devnull).open("rb") as nothing,
            Machine(
                drives={"D": program.parent}, stdin=nothing.fileno(), stdout=file.fileno(), stderr=file.fileno()
            ) as machine,
        ):
            yield Stage(machine, output)


@pytest.fixture
def stage(program: Path) -> Iterator[Stage]:
    """A fresh machine."""
    with machine_with(program) as made:
        yield made

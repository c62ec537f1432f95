"""Running one unit, on ntos or on Wine, and what its summary says."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
from pathlib import Path
from typing import NamedTuple

from tools.conformance import build, source

PROJECT = Path(__file__).resolve().parents[2]
TIMEOUT = 300
WINVER = Path("/usr/lib/x86_64-linux-gnu/wine/x86_64-windows/winver.exe")
SUMMARY = re.compile(
    r"^[0-9a-f]+:(\w+): (\d+) tests executed \((\d+) marked as todo, \d+ as flaky, (\d+) failures?\), (\d+) skipped",
    re.MULTILINE,
)
FAILED = re.compile(r"\w+\.c:\d+: (?:\d+: )?(?:Test failed|Test succeeded inside todo block)")

ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[A-Za-z]|\][^\x07]*\x07)")


class Score(NamedTuple):
    """What a unit and the child processes it started said."""

    executed: int
    failed: int
    todo: int
    """Wine only: checks that are known to fail there."""
    skipped: int
    """Groups of checks that were left out."""
    finished: bool

    @property
    def passed(self) -> int:
        """Checks that held."""
        return self.executed - self.failed - self.todo


class Unit(NamedTuple):
    """One file of tests of one program."""

    program: str
    name: str

    def __str__(self) -> str:
        return f"{self.program}:{self.name}"


UNITS = [Unit(program, name) for program, names in build.UNITS.items() for name in names]


def parse(output: str, unit: str) -> Score:
    """The sum over all processes: each prints a summary of its own, the first process the last."""
    found = [[int(each) for each in match[1:]] for match in SUMMARY.findall(output) if match[0] == unit]
    executed, todo, _, skipped = (sum(column) for column in zip(*found, strict=True)) if found else (0, 0, 0, 0)
    failed = len(FAILED.findall(output))
    ended = SUMMARY.match(output.strip().rpartition("\n")[2]) is not None
    return Score(executed, failed, todo, skipped, finished=ended and "unhandled exception" not in output)


def on_ntos(unit: Unit) -> tuple[Score, str]:
    """Run it as a user would."""
    with tempfile.TemporaryDirectory() as folder:
        here = shutil.copy(build.program(unit.program), folder)
        if WINVER.exists():  # the tests start it as a program every Windows has
            shutil.copy(WINVER, folder)
        environment = {**os.environ, "PYTHONPATH": str(PROJECT / "src")}
        output = _run([sys.executable, "-m", "ntos", "run", str(here), unit.name], folder, environment)
    return parse(output, unit.name), output


def on_wine(unit: Unit) -> tuple[Score, str] | None:
    """The same program on the installed Wine, in a prefix of its own; None where there is none."""
    wine = shutil.which("wine64", path=f"/usr/lib/wine:{os.environ.get('PATH', '')}")
    if wine is None:
        return None
    environment = {**os.environ, "WINEPREFIX": str(source.cache() / "prefix"), "WINEDEBUG": "-all"}
    with tempfile.TemporaryDirectory() as folder:
        here = shutil.copy(build.program(unit.program), folder)
        output = _run([wine, str(here), unit.name], folder, environment)
    return parse(output, unit.name), output


def _run(command: list[str], folder: str, environment: dict[str, str]) -> str:
    """Run with a terminal for input, so that there is a console to look at, and a pipe for what is said."""
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("<4H", 25, 80, 0, 0))
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True, timeout=TIMEOUT, check=False,
        )  # fmt: skip
    finally:
        os.close(theirs)
        os.close(ours)
    return ESCAPES.sub("", done.stdout.decode("utf-8", "replace").replace("\r", ""))

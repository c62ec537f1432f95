"""How a guest test starts a sample: the `ntos` command as a subprocess, bytes exact."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
TIMEOUT = 120.0


class GuestRun(NamedTuple):
    """What a guest program left behind; the exit code is unsigned, all 32 bits of it."""

    exit_code: int
    stdout: bytes
    stderr: bytes


RunGuest = Callable[..., GuestRun]


def run_program(program: Path, args: Sequence[str] = (), stdin: bytes = b"") -> GuestRun:
    """Run one PE file to its end; the exit code is the guest's whole one where the program ran."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        command = [sys.executable, "-m", "ntos", "run", "--result", str(result), "--", str(program), *args]
        done = subprocess.run(command, input=stdin, capture_output=True, timeout=TIMEOUT, check=False)
        code = json.loads(result.read_text())["exit_code"] if result.exists() else done.returncode
    return GuestRun(code, done.stdout, done.stderr)


@pytest.fixture
def run_guest() -> RunGuest:
    """`run_guest(program, args=(), stdin=b"")`: a path, or the name of a sample in `samples/bin`."""

    def run(program: str | Path, args: Sequence[str] = (), stdin: bytes = b"") -> GuestRun:
        path = program if isinstance(program, Path) else SAMPLES / "bin" / f"{program}.exe"
        return run_program(path, args, stdin)

    return run

"""How a test of the command runs it: as its user would, in a process of its own, bytes exact."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

SAMPLES = Path(__file__).resolve().parents[2] / "samples" / "bin"
TIMEOUT = 120.0

Done = subprocess.CompletedProcess[bytes]


def ntos(*words: str | Path, stdin: bytes = b"", environment: Mapping[str, str] | None = None) -> Done:
    """`ntos words…`."""
    command = [sys.executable, "-m", "ntos", *map(str, words)]
    variables = {**os.environ, **(environment or {})}
    return subprocess.run(command, input=stdin, capture_output=True, timeout=TIMEOUT, check=False, env=variables)


def run(*words: str | Path, stdin: bytes = b"", environment: Mapping[str, str] | None = None) -> Done:
    """`ntos run words…`."""
    return ntos("run", *words, stdin=stdin, environment=environment)


def complaint(done: Done) -> str:
    """The one line that was said on stderr; fails where it is not one line of ours."""
    lines = done.stderr.decode().splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("ntos: "), lines
    return lines[0].removeprefix("ntos: ")

"""`ntos run --hook`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.dll.compile import needs_compiler


def ntos(*words: str) -> subprocess.CompletedProcess[str]:
    """The command."""
    return subprocess.run(
        [sys.executable, "-m", "ntos", "run", *words], capture_output=True, text=True, timeout=100, check=False
    )


@needs_compiler
def test_each_call_is_told(program: Path, tmp_path: Path) -> None:
    """A hooked function's calls are lines on stderr and `hooked-call` events of the trace."""
    trace = tmp_path / "trace"
    done = ntos("--hook", "kernel32!CreateFileW", "--trace", str(trace), str(program))
    assert done.returncode == 0
    assert "kernelbase!CreateFileW(lpFileName='D:\\\\absent.txt'" in done.stderr
    events = [json.loads(line) for line in trace.read_text().splitlines()]
    told = [event for event in events if event["event"] == "hooked-call"]
    assert "D:\\absent.txt" in [event["arguments"]["lpFileName"] for event in told]


def test_a_target_that_is_none() -> None:
    """A word that names no function is a usage error."""
    done = ntos("--hook", "CreateFileW", "program.exe")
    assert done.returncode == 125 or "neither module!function nor module+offset" in done.stderr
    assert "neither module!function" in done.stderr

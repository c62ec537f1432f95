"""The guest side: the benchmark program, compiled on the spot, and ways to run it."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from time import perf_counter
from typing import Protocol, Self

from bench.row import Unmeasured

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "bench" / "src" / "bench_guest.c"
PROGRAM = ROOT / "build" / "bench" / "bench_guest.exe"
REPEATS = 3


class Process(Protocol):
    """What a benchmark reads of a process that has ended."""

    exit_code: int | None


class Machine(Protocol):
    """What a benchmark asks of ``ntos.Machine``."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *details: object) -> bool | None: ...
    def create_process(self, path: Path, *, arguments: Sequence[str]) -> Process: ...
    def run(self) -> None: ...


@cache
def program() -> Path:
    """bench_guest.exe, compiled when its source is newer."""
    if not PROGRAM.exists() or PROGRAM.stat().st_mtime < SOURCE.stat().st_mtime:
        PROGRAM.parent.mkdir(parents=True, exist_ok=True)
        target = ["-target", "x86_64-windows-gnu", "-O2", "-o", str(PROGRAM), str(SOURCE), "-lntdll"]
        subprocess.run([sys.executable, "-m", "ziglang", "cc", *target], check=True)
    return PROGRAM


def new_machine() -> Machine:
    """A machine in this process."""
    try:
        machine: Machine = importlib.import_module("ntos").Machine()
    except AttributeError as error:
        raise Unmeasured(f"no machine yet: {error}") from error
    return machine


def seconds(kind: str, count: int) -> float:
    """Host time that a fresh machine takes for the work, the best of three."""
    return min(_once(kind, count) for _ in range(REPEATS))


def _once(kind: str, count: int) -> float:
    with new_machine() as machine:
        process = machine.create_process(program(), arguments=[kind, str(count)])
        start = perf_counter()
        machine.run()
        elapsed = perf_counter() - start
        if process.exit_code != 0:
            raise Unmeasured(f"bench_guest.exe {kind} {count} ended with {process.exit_code}")
    return elapsed


def rate(kind: str, few: int, many: int) -> float:
    """Turns a second, from the difference of two counts: start and translation fall out."""
    difference = seconds(kind, many) - seconds(kind, few)
    if difference <= 0:
        raise Unmeasured(f"{many} turns took no longer than {few}: too few to measure")
    return (many - few) / difference


def command_line(path: Path, *arguments: str, exit_code: int = 0) -> tuple[float, int]:
    """Seconds and peak memory in KiB of a whole ``ntos run``."""
    return host_command("-m", "ntos", "run", str(path), *arguments, exit_code=exit_code)


def host_command(*arguments: str, exit_code: int = 0) -> tuple[float, int]:
    """Seconds and peak memory in KiB of one Python command on the host."""
    start = perf_counter()
    child = subprocess.Popen(
        [sys.executable, *arguments], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert child.stderr is not None
    complaint = child.stderr.read().decode(errors="replace").strip().splitlines()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    child.stderr.close()
    if child.returncode != exit_code:
        last = complaint[-1] if complaint else "no message"
        raise Unmeasured(f"exit code {child.returncode}: {last}")
    return perf_counter() - start, usage.ru_maxrss

"""The guest side: the benchmark program, compiled on the spot, and ways to run it. Times are CPU time of the host."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple, Protocol, Self

from bench.row import Unmeasured

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "bench" / "src" / "bench_guest.c"
BROOD_COMPLETE, WARM = 77, 20
"""brood.exe's exit code when every child ended well, and how many children load what then stays."""
PROGRAM = ROOT / "build" / "bench" / "bench_guest.exe"


class Process(Protocol):
    """What a benchmark reads of a process that has ended."""

    exit_code: int | None


class Machine(Protocol):
    """What a benchmark asks of ``ntos.Machine``."""

    log: Any

    def __enter__(self) -> Self: ...
    def __exit__(self, *details: object) -> bool | None: ...
    def create_process(self, path: Path, arguments: Sequence[str] = ()) -> Process: ...
    def run(self) -> str: ...


class Usage(NamedTuple):
    """What a host process took."""

    cpu: float
    wall: float


@cache
def program() -> Path:
    """bench_guest.exe, compiled when its source is newer."""
    if not PROGRAM.exists() or PROGRAM.stat().st_mtime < SOURCE.stat().st_mtime:
        PROGRAM.parent.mkdir(parents=True, exist_ok=True)
        target = ["-target", "x86_64-windows-gnu", "-O2", "-o", str(PROGRAM), str(SOURCE), "-lntdll"]
        subprocess.run([sys.executable, "-m", "ziglang", "cc", *target], check=True)
    return PROGRAM


def new_machine(folder: Path, output: int = 1) -> Machine:
    """A machine in this process that sees a folder as D:."""
    machine: Machine = importlib.import_module("ntos").Machine(drives={"D": folder}, stdout=output)
    return machine


def seconds(kind: str, count: int) -> float:
    """CPU time that a fresh machine takes for the work."""
    path = program()
    with new_machine(path.parent) as machine:
        process = machine.create_process(path, [kind, str(count)])
        start = time.process_time()
        machine.run()
        elapsed = time.process_time() - start
        if process.exit_code != 0:
            raise Unmeasured(f"bench_guest.exe {kind} {count} ended with {process.exit_code}")
    return elapsed


def rate(kind: str, few: int, many: int) -> float:
    """Turns a second, from the difference of two counts: start and translation fall out."""
    difference = seconds(kind, many) - seconds(kind, few)
    if difference <= 0:
        raise Unmeasured(f"{many} turns took no longer than {few}: too few to measure")
    return (many - few) / difference


def boot() -> float:
    """Milliseconds of CPU until the system processes of a new machine wait; the interpreter's start is not in it."""
    command = [sys.executable, "-m", "ntos", "boot", "--json"]
    told = json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout)
    return float(told["kernel"]["cpu_ms"] + told["system"]["cpu_ms"])


def children(path: Path, count: int) -> list[float]:
    """Milliseconds of CPU for create, run and exit of one process after the other in one machine."""
    times = []
    with Path(os.devnull).open("wb") as nowhere, new_machine(path.parent, nowhere.fileno()) as machine:
        for _ in range(count):
            start = time.process_time()
            process = machine.create_process(path)
            machine.run()
            times.append(1000 * (time.process_time() - start))
            if process.exit_code != 0:
                raise Unmeasured(f"{path.name} ended with {process.exit_code}")
    return times


class Brood(NamedTuple):
    """Milliseconds of CPU a child, by the guest's own CreateProcess, early and late in one long run."""

    early: float
    late: float


@cache
def brood(path: Path, count: int, group: int) -> Brood:
    """One parent that makes `count` children, one after another; medians of the first and the last `group`."""
    moments: list[float] = []
    exited: Any = importlib.import_module("ntos.etw.event").ProcessExited

    def note(_event: object) -> None:
        moments.append(time.process_time())

    with new_machine(path.parent) as machine:
        parent = machine.create_process(path, [str(count)])
        machine.log.subscribe(note, exited)
        machine.run()
        if parent.exit_code != BROOD_COMPLETE:
            raise Unmeasured(f"{path.name} {count} ended with {parent.exit_code}")
    costs = [1000 * (after - before) for before, after in pairwise(moments)]
    return Brood(median(costs[WARM : WARM + group]), median(costs[-group - 1 : -1]))


def command_line(path: Path, *arguments: str, options: Sequence[str] = (), exit_code: int = 0) -> Usage:
    """What a whole ``ntos run`` takes."""
    return host_command("-m", "ntos", "run", *options, str(path), *arguments, exit_code=exit_code)


def host_command(*arguments: str, exit_code: int = 0) -> Usage:
    """What one Python command on the host takes."""
    start = time.perf_counter()
    child = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert child.stderr is not None
    complaint = child.stderr.read().decode(errors="replace").strip().splitlines()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    child.stderr.close()
    if child.returncode != exit_code:
        last = complaint[-1] if complaint else "no message"
        raise Unmeasured(f"exit code {child.returncode}: {last}")
    return Usage(usage.ru_utime + usage.ru_stime, time.perf_counter() - start)


PEAK = """
import sys
from pathlib import Path
from ntos.cli import main
code = main(sys.argv[1:])
words = Path("/proc/self/status").read_text().split()
print(code, words[words.index("VmHWM:") + 1], file=sys.stderr)
"""


def peak(path: Path, *arguments: str) -> int:
    """Peak memory in KiB of a whole ``ntos run``, read inside it: ru_maxrss begins with what its parent had."""
    command = [sys.executable, "-c", PEAK, "run", str(path), *arguments]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    code, _, kib = result.stderr.strip().rpartition("\n")[2].partition(" ")
    if code != "0":
        raise Unmeasured(result.stderr.strip().rpartition("\n")[2])
    return int(kib)


def first_instruction(who: str) -> tuple[float, float]:
    """CPU and wall milliseconds from the command line to the first guest instruction."""
    command = [sys.executable, "-m", "bench.first", who, str(time.monotonic())]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if result.returncode:
        raise Unmeasured(result.stderr.strip().rpartition("\n")[2])
    cpu, wall = map(float, result.stdout.split())
    return 1000 * cpu, 1000 * wall

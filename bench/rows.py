"""What is measured: rates and costs in CPU time of the host, medians of interleaved pairs."""

from __future__ import annotations

import os
import tempfile
from functools import partial
from pathlib import Path

from bench import raw
from bench.guest import (
    ROOT,
    WARM,
    boot,
    brood,
    children,
    command_line,
    first_instruction,
    host_command,
    peak,
    program,
    rate,
)
from bench.row import Measurement

SAMPLES = ROOT / "samples" / "bin"
HELLO = SAMPLES / "hello_printf.exe"
CHILD = SAMPLES / "hello_writefile.exe"
PARENT = SAMPLES / "parent.exe"
BROOD = SAMPLES / "brood.exe"
THOUSAND, GROUP = 1000, 100
CROWD = 20
CROWD_SMALL = 2
CHILDREN = 50
MEMORY_GOAL = 300.0
BOOT_GOAL = 500.0


def hello(*, wall: bool) -> float:
    """Milliseconds of ``ntos run hello_printf.exe``, interpreter start and all."""
    usage = command_line(HELLO, exit_code=7)
    return 1000 * (usage.wall if wall else usage.cpu)


def bare_python(*, wall: bool) -> float:
    """Milliseconds of an interpreter that loads the engine and does nothing."""
    usage = host_command("-c", "import unicorn")
    return 1000 * (usage.wall if wall else usage.cpu)


def child(number: int) -> float:
    """Milliseconds of create, run and exit of the process of that number in a fresh machine."""
    return children(CHILD, number)[-1]


def memory_of_a_process() -> float:
    """KiB of host memory for one more live process: peak of twenty against peak of two."""
    many = peak(program(), "crowd", str(CROWD))
    few = peak(program(), "crowd", str(CROWD_SMALL))
    return (many - few) / (CROWD - CROWD_SMALL)


def traced() -> float:
    """Milliseconds of CPU for a parent and its fifty children with ``--trace``."""
    with tempfile.TemporaryDirectory() as folder:
        return 1000 * command_line(PARENT, options=("--trace", str(Path(folder) / "trace.json"))).cpu


def untraced() -> float:
    """The same without."""
    return 1000 * command_line(PARENT).cpu


def guest_instructions() -> float:
    """Instructions a second of the very loop that `raw.instructions` runs."""
    return raw.INSTRUCTIONS_IN_A_TURN * rate("instructions", 1_000_000, raw.TURNS)


def _trap(name: str, kind: str, many: int = 30_000) -> Measurement:
    return Measurement(name, "1/s", partial(rate, kind, 1_000, many), raw.round_trips, "bare round trip")


def _leaf(name: str, kind: str, many: int = 5_000_000) -> Measurement:
    return Measurement(name, "1/s", partial(rate, kind, 10_000, many), raw.calls, "bare engine, call and ret")


MEASUREMENTS = (
    Measurement("command line to first guest instruction", "ms CPU", lambda: first_instruction("ntos")[0],
                lambda: first_instruction("bare")[0], "bare engine's first"),
    Measurement("hello, start to exit", "ms CPU", partial(hello, wall=False), partial(bare_python, wall=False),
                "python -c 'import unicorn'"),
    Measurement("hello, start to exit, wall", "ms", partial(hello, wall=True), partial(bare_python, wall=True),
                "python -c 'import unicorn'"),
    Measurement("boot, kernel and system processes", "ms CPU", boot, lambda: BOOT_GOAL, "goal"),
    _trap("service: NtYieldExecution", "yield"),
    _trap("service, refused: NtClose(NULL)", "close"),
    _trap("Python export: GetStdHandle", "stdhandle"),
    Measurement("NtYieldExecution beside the binding", "1/s", partial(rate, "yield", 1_000, 30_000), raw.traps,
                "unicorn's own binding, trap as return"),
    _leaf("leaf export: GetLastError", "lasterror"),
    _leaf("leaf export: TlsGetValue", "tls"),
    _leaf("leaf export: GetCurrentProcessId", "processid"),
    Measurement("HeapAlloc + HeapFree", "1/s", partial(rate, "heap", 10_000, 500_000), raw.hooks,
                "in-hook Python, per call"),
    Measurement("page faults, demand zero", "1/s", partial(rate, "fault", 500, 8_000), raw.round_trips,
                "bare round trip"),
    Measurement("thread create, run, exit", "1/s", partial(rate, "thread", 10, 210), raw.host_threads,
                "Python threads of the host"),
    Measurement("process create, run, exit (by a guest)", "1/s", partial(rate, "spawn", 2, 32), raw.host_processes,
                "posix_spawn of the host"),
    *(Measurement(f"process create, run, exit: number {number}", "ms CPU", partial(child, number),
                  lambda: 1000 / raw.host_processes(), "posix_spawn of the host")
      for number in (1, 2, CHILDREN)),
    Measurement(f"child number {THOUSAND:,} of one run", "ms CPU", lambda: brood(BROOD, THOUSAND, GROUP).late,
                lambda: brood(BROOD, THOUSAND, GROUP).early, f"children {WARM + 1} to {WARM + GROUP}", slow=True),
    Measurement("instructions", "1/s", guest_instructions, raw.instructions, "bare engine, UC_TLB_VIRTUAL"),
    Measurement("load and store loop, turns", "1/s", partial(rate, "memory", 1_000_000, raw.TURNS),
                raw.loads_and_stores, "bare engine, UC_TLB_VIRTUAL"),
    Measurement("memory of one more process", "KiB", memory_of_a_process, lambda: MEMORY_GOAL, "goal", slow=True),
    Measurement("parent and 50 children with --trace", "ms CPU", traced, untraced, "without", slow=True),
)  # fmt: skip

os.environ.setdefault("PYTHONPATH", str(ROOT / "src"))

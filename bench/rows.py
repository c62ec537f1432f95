"""What is measured."""

from __future__ import annotations

from functools import partial
from time import perf_counter

from bench import raw
from bench.guest import ROOT, command_line, host_command, new_machine, program, rate
from bench.row import Measurement

HELLO = ROOT / "samples" / "bin" / "hello_printf.exe"
CROWD = 20
CROWD_SMALL = 2


def hello() -> float:
    """Milliseconds of ``ntos run hello_printf.exe``, interpreter start and all."""
    return 1000 * min(command_line(HELLO, exit_code=7)[0] for _ in range(3))


def bare_python() -> float:
    """Milliseconds of an interpreter that does nothing."""
    return 1000 * min(host_command("-c", "pass")[0] for _ in range(3))


def first_instruction() -> float:
    """Milliseconds until a new machine has a first process ready to run, imports done before."""
    with new_machine():
        pass  # the imports, once
    start = perf_counter()
    with new_machine() as machine:
        machine.create_process(program(), arguments=["none", "1"])
        return 1000 * (perf_counter() - start)


def memory_of_a_process() -> float:
    """KiB of host memory for one more live process: peak of twenty against peak of two."""
    many = command_line(program(), "crowd", str(CROWD))[1]
    few = command_line(program(), "crowd", str(CROWD_SMALL))[1]
    return (many - few) / (CROWD - CROWD_SMALL)


def guest_instructions() -> float:
    """Instructions a second of the very loop that `raw.instructions` runs."""
    return raw.INSTRUCTIONS_IN_A_TURN * rate("instructions", 1_000_000, raw.TURNS)


MEASUREMENTS = (
    Measurement("ntos run hello_printf.exe", "ms", hello, bare_python, "python -c pass"),
    Measurement("new machine, first process ready", "ms", first_instruction),
    Measurement("NtClose(NULL)", "1/s", partial(rate, "close", 1_000, 20_000), raw.traps, "bare trap"),
    Measurement(
        "NtYieldExecution", "1/s", partial(rate, "yield", 1_000, 20_000), raw.hooks, "bare hook, no trap"
    ),
    Measurement("GetLastError (guest code)", "1/s", partial(rate, "lasterror", 10_000, 5_000_000)),
    Measurement(
        "GetStdHandle (Python)", "1/s", partial(rate, "stdhandle", 1_000, 20_000), raw.traps, "bare trap"
    ),
    Measurement("process create, run, exit", "1/s", partial(rate, "spawn", 2, 50)),
    Measurement("instructions", "1/s", guest_instructions, raw.instructions, "bare engine"),
    Measurement(
        "load and store loop",
        "turns/s",
        partial(rate, "memory", 1_000_000, raw.TURNS),
        raw.loads_and_stores,
        "bare engine, mem_map",
    ),
    Measurement("memory of one more process", "KiB", memory_of_a_process),
)

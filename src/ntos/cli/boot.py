"""`ntos boot`: Windows' own processes come up; who they are, and what that cost."""

from __future__ import annotations

import argparse
import json
import sys
import time

from ntos.cli.exit_codes import FAILED, USAGE
from ntos.cli.options import Parser, UsageError, memory
from ntos.cli.process_tree import Cost, Watch, as_json, show, tree
from ntos.cli.run import walled
from ntos.cli.sinks import Stop, output, say
from ntos.etw.sink import TraceFile
from ntos.machine import DEFAULT_MEMORY, Machine
from ntos.version import VERSION

SCHEMA = "ntos-boot/1"
EPILOG = """\
exit codes: 0 the system is up, 2 usage, 125 the machine failed. docs/boot.md describes the boot and the JSON form.
"""


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = Parser(
        prog="ntos boot", usage="ntos boot [OPTIONS]", epilog=EPILOG, allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Boot a machine, show the processes Windows starts, and stop it.",
    )  # fmt: skip
    add = made.add_argument
    add("--json", action="store_true", help="the processes and what they cost as JSON")
    add("--trace", metavar="FILE", help="write every event of the boot as a JSON line")
    add("--dump", metavar="FILE", help="write physical memory as it is when the system is up")
    add("--memory", type=memory, default=DEFAULT_MEMORY, metavar="SIZE", help="guest memory, e.g. 512M, 2G")
    add("--seed", type=int, default=0, metavar="N", help="decides everything random; same seed, same boot")
    return made


def main(words: list[str]) -> int:
    """Boot and tell; gives the exit code."""
    if words[:1] in (["--help"], ["-h"]):
        parser().print_help()
        return 0
    try:
        settings = parser().parse_args(words)
    except UsageError as error:
        return say(f"{error}; `ntos boot --help` lists the options", USAGE)
    return walled(lambda: boot(settings))


def _now() -> Cost:
    return Cost(time.process_time(), time.perf_counter())


def _between(start: Cost, end: Cost) -> Cost:
    return Cost(end.cpu - start.cpu, end.wall - start.wall)


def boot(settings: argparse.Namespace) -> int:
    """Kernel, then system processes, each with its cost; then the tree."""
    start = _now()
    with Machine(memory=settings.memory, seed=settings.seed, system=False) as machine:
        trace = TraceFile(machine.log, output("trace", settings.trace)) if settings.trace else None
        watch = Watch(machine)
        try:
            kernel_up = _now()
            machine.boot()
            up = _now()
            machine.run()
        finally:
            if trace is not None:
                trace.close()
        if settings.dump:
            _dump(machine, settings.dump)
        rows = watch.rows()
        kernel, system = _between(start, kernel_up), _between(kernel_up, up)
        if settings.json:
            document = {
                "schema": SCHEMA, "version": VERSION, "seed": settings.seed, "memory": machine.platform.physical.size,
                "kernel": kernel.in_milliseconds(), "system": system.in_milliseconds(),
                "processes": [as_json(row) for row in rows],
            }  # fmt: skip
            print(json.dumps(document, indent=1))
        else:
            show(tree(rows), sys.stdout)
            print(f"\nkernel {_told(kernel)}; system processes {_told(system)}; "
                  f"{machine.platform.physical.used << 2:,} KiB of memory in use")  # fmt: skip
    return 0


def _told(cost: Cost) -> str:
    return f"{1000 * cost.cpu:.0f} ms CPU ({1000 * cost.wall:.0f} ms)"


def _dump(machine: Machine, path: str) -> None:
    with output("dump", path) as file:
        try:
            machine.dump(file)
        except OSError as error:
            raise Stop(f"--dump {path}: {(error.strerror or '').lower()}", FAILED) from error

"""The `ntos` command: run programs, list what is implemented.

`ntos run [OPTIONS] PROGRAM [ARGUMENTS…]` runs a Windows program with the host's standard streams; `ntos deps` tells
what it would load, `ntos explain create` how its process comes into being; `ntos boot` shows the system's own
processes; `ntos services` prints the coverage table. Errors are one line that says what, why and what to do; exit
codes stand in `exit_codes`.

`run` is the main command, `options` its command line, `failures` turns statuses into sentences, `deps` the
answer without running, `boot` and `process_tree` the system's processes, `services` the table.
"""

from __future__ import annotations

import gc
import sys

from ntos.cli.exit_codes import INTERRUPTED, USAGE
from ntos.version import VERSION

YOUNG_OBJECTS = 200_000
"""New containers between two looks at garbage. With Python's 700 hello took 0.49 s of CPU time, so 0.45 (medians of
seven pairs, ranges overlap): what a start makes stays, and the collector looks at it for nothing."""

USAGE_TEXT = """\
ntos: the Windows process subsystem, in Python

  ntos run [OPTIONS] PROGRAM [ARGUMENTS…]   run a 64-bit Windows program
  ntos deps [OPTIONS] PROGRAM…              what a program would load, without running it
  ntos explain create [OPTIONS] PROGRAM [ARGUMENTS…]
                                            the seven stages of creating its process, step by step, and why
  ntos boot [OPTIONS]                       boot, show the processes Windows starts and what they cost
  ntos services [--json|--markdown]         what is implemented, partial, absent
  ntos --version

`ntos run --help` lists the options and the exit codes.
"""


def main(arguments: list[str] | None = None) -> int:
    """Entry point of the `ntos` command; gives the exit code."""
    gc.set_threshold(YOUNG_OBJECTS)
    words = sys.argv[1:] if arguments is None else arguments
    command = words[0] if words else "--help"
    try:
        if command == "run":
            from ntos.cli import run  # noqa: PLC0415 - each command loads only what it needs

            return run.main(words[1:])
        if command == "deps":
            from ntos.cli import deps  # noqa: PLC0415

            return deps.main(words[1:])
        if command == "explain":
            from ntos.cli import explain  # noqa: PLC0415

            return explain.main(words[1:])
        if command == "boot":
            from ntos.cli import boot  # noqa: PLC0415

            return boot.main(words[1:])
        if command == "services":
            from ntos.cli import services  # noqa: PLC0415

            return services.main(words[1:])
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    if command in ("--help", "-h", "help"):
        print(USAGE_TEXT, end="")
        return 0
    if command == "--version":
        print(f"ntos {VERSION}")
        return 0
    print(f"ntos: there is no command {command!r}; `ntos --help` lists them", file=sys.stderr)
    return USAGE

"""The `ntos` command: run programs, list what is implemented.

`ntos run [OPTIONS] PROGRAM [ARGUMENTS…]` runs a Windows program with the host's standard streams; `ntos services`
prints the coverage table. Errors are one line that says what, why and what to do; exit codes stand in `exit_codes`.

`run` is the main command, `options` its command line, `failures` turns statuses into sentences, `services` the
table.
"""

from __future__ import annotations

import sys

from ntos.cli.exit_codes import INTERRUPTED, USAGE
from ntos.version import VERSION

USAGE_TEXT = """\
ntos: the Windows process subsystem, in Python

  ntos run [OPTIONS] PROGRAM [ARGUMENTS…]   run a 64-bit Windows program
  ntos services [--json|--markdown]         what is implemented, partial, absent
  ntos --version

`ntos run --help` lists the options and the exit codes.
"""


def main(arguments: list[str] | None = None) -> int:
    """Entry point of the `ntos` command; gives the exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    command = words[0] if words else "--help"
    try:
        if command == "run":
            from ntos.cli import run  # noqa: PLC0415 - each command loads only what it needs

            return run.main(words[1:])
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

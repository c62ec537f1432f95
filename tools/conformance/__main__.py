"""`python -m tools.conformance [UNIT …]`: fetch, build, run; without units, also write docs/conformance.md's table.

--rebuild  compile again      --output DIR  keep what each unit printed
"""

from __future__ import annotations

import argparse
import datetime
import subprocess
import sys
from pathlib import Path

from tools.conformance import build, score, source, table


def main() -> int:
    """Run the units and show each score."""
    parser = argparse.ArgumentParser(prog="python -m tools.conformance", description=__doc__)
    parser.add_argument("units", nargs="*", metavar="UNIT", help="such as kernel32:process; all without")
    parser.add_argument("--rebuild", action="store_true", help="compile again")
    parser.add_argument("--output", type=Path, metavar="DIR", help="keep what each unit printed")
    options = parser.parse_args()
    units = [unit for unit in score.UNITS if not options.units or str(unit) in options.units]
    try:
        for program in {unit.program for unit in units}:
            if options.rebuild or not build.program(program).exists():
                build.build(program)
    except source.Unavailable as error:
        print(f"conformance: {error}", file=sys.stderr)
        return 1
    rows = [_row(unit, options.output) for unit in units]
    print(table.HEAD + "".join(rows), end="")
    if not options.units:
        table.write(rows, f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}; {_versions()}.")
    return 0


def _row(unit: score.Unit, folder: Path | None) -> str:
    ours, output = score.on_ntos(unit)
    beside = score.on_wine(unit)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{unit.program}_{unit.name}.ntos").write_text(output, encoding="utf-8")
        if beside is not None:
            (folder / f"{unit.program}_{unit.name}.wine").write_text(beside[1], encoding="utf-8")
    return table.row(str(unit), ours, None if beside is None else beside[0])


def _versions() -> str:
    compiler = subprocess.run([build.COMPILER, "-dumpversion"], capture_output=True, text=True, check=True)
    return f"tests of Debian's wine {source.VERSION}, built with mingw-w64 GCC {compiler.stdout.strip()}"


if __name__ == "__main__":
    sys.exit(main())

"""msvcrt.dll for a program that imports its variables and works on its FILE."""

from __future__ import annotations

import re
from pathlib import Path

from tests.dll.compile import build_msvc, needs_compiler, run

HERE = Path(__file__).parent
FUNCTIONS = (
    "__getmainargs __set_app_type __iob_func printf fprintf sprintf _snprintf sscanf swprintf _filbuf _flsbuf fclose "
    "fflush atoi _errno fopen malloc free exit _lock _unlock _onexit strtod _stricmp remove"
)
VARIABLES = "_iob _fmode _acmdln _environ __mb_cur_max"


@needs_compiler
def test_old_program(tmp_path: Path) -> None:
    """Exported variables, getc and putc macros, three-digit exponents and onexit work as in 1998."""
    names = [*FUNCTIONS.split(), *(f"{name} DATA" for name in VARIABLES.split())]
    program = build_msvc(tmp_path, HERE / "old.c", {"msvcrt": names})
    result = run(program, "argument")
    assert re.sub(r"sum \d+", "sum 0", result.stdout) == (HERE / "old.txt").read_text()
    assert (result.exit_code, result.stderr) == (9, "old stderr\r\n")

"""C programs with windows, run on the machine; what they print is what they print on Windows."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.dll.compile import build_c, needs_compiler, run

PROGRAMS = Path(__file__).parent / "programs"
FLAGS = {"idle": ("-Wl,--subsystem,windows",)}
CASES = [path.stem for path in sorted(PROGRAMS.glob("*.c"))]


@needs_compiler
@pytest.mark.parametrize("name", CASES)
def test_program(tmp_path: Path, name: str) -> None:
    """Its windows, messages and desktops behave as winuser.h's documentation says, line for line."""
    program = build_c(tmp_path, (PROGRAMS / f"{name}.c").read_text(), "-luser32", "-lgdi32", *FLAGS.get(name, ()))
    result = run(program)
    assert result.stdout == (PROGRAMS / f"{name}.txt").read_text(encoding="latin-1"), result.stderr

"""Every sample prints what Windows would print and exits with the code Windows would give it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.guest.conftest import RunGuest

SAMPLES = Path(__file__).resolve().parents[2] / "samples"


@dataclass(frozen=True)
class Case:
    """One row of cases.toml."""

    program: str
    exit: int
    args: tuple[str, ...] = ()
    stdin: str = ""
    expected: str = ""
    starts: bool = True  # False: the program must not reach its entry point
    notes: str = ""
    wine: str = ""

    @property
    def name(self) -> str:
        """The case's own name, which is also its transcript's."""
        return self.expected or self.program


def _cases() -> list[Case]:
    rows = tomllib.loads((SAMPLES / "cases.toml").read_text())["case"]
    return [Case(**{**row, "args": tuple(row.get("args", ()))}) for row in rows]


@pytest.mark.parametrize("case", _cases(), ids=lambda case: case.name)
def test_sample_prints_and_exits_as_documented(case: Case, run_guest: RunGuest) -> None:
    """A sample's standard output and exit code are those of its transcript."""
    run = run_guest(case.program, case.args, case.stdin.encode())
    expected = (SAMPLES / "expected" / f"{case.name}.txt").read_bytes()
    assert run.stdout.decode("latin-1") == expected.decode("latin-1"), run.stderr.decode(errors="replace")
    assert run.exit_code == case.exit & 0xFFFFFFFF


def test_every_program_has_a_case_and_every_transcript_an_owner() -> None:
    """No sample is built and then forgotten, and no transcript outlives its case."""
    cases = _cases()
    partners = {"admin", "child", "ctrlc", "debuggee", "hungry", "reach", "spin", "victim", "worker"}  # others run them
    programs = {path.stem for path in (SAMPLES / "bin").glob("*.exe")}
    assert programs - partners <= {case.program for case in cases}
    assert {path.stem for path in (SAMPLES / "expected").glob("*.txt")} == {case.name for case in cases}

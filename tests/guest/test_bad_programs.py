"""Files that are no programs are refused with a reason, and never with a Python traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from samples import bad
from tests.guest.conftest import RunGuest


@pytest.mark.parametrize("case", bad.ALL, ids=lambda case: case.name)
def test_file_that_is_no_program_is_refused(case: bad.Bad, tmp_path: Path, run_guest: RunGuest) -> None:
    """A file that is no program is not started: no output, a failing exit code, one clear complaint."""
    run = run_guest(bad.make(case, tmp_path))
    assert run.exit_code != 0, case.what
    assert run.stdout == b""
    assert run.stderr.strip(), "no reason was given"
    assert b"Traceback" not in run.stderr


@pytest.mark.parametrize("case", bad.ALL, ids=lambda case: case.name)
def test_bad_file_differs_from_the_good_one(case: bad.Bad) -> None:
    """Every maker spoils something and says what."""
    assert case.make() != bytes(bad.good())
    assert case.what

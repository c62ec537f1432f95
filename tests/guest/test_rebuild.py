"""The committed samples are what their sources build to."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("ziglang")

from samples import build


@pytest.mark.parametrize("program", build.PROGRAMS, ids=lambda program: program.name)
def test_sample_rebuilds_to_the_committed_bytes(program: build.Program, tmp_path: Path) -> None:
    """Building a sample again gives the bytes that are committed, time stamp and all."""
    assert build.build(program, tmp_path).read_bytes() == (build.BINARIES / program.name).read_bytes()

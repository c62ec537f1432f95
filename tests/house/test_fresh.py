"""What is generated is what its generator writes today."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib

import pytest

from tests.house.source import ROOT, SRC


def test_the_coverage_table_is_fresh() -> None:
    """docs/coverage.md is the output of ``ntos services --markdown`` (make services)."""
    if not (SRC / "ntos" / "cli").exists():
        pytest.skip("ntos.cli is not written yet")
    command = [sys.executable, "-m", "ntos", "services", "--markdown"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    assert (ROOT / "docs" / "coverage.md").read_text(encoding="utf-8") == done.stdout


def test_the_lock_names_every_dependency() -> None:
    """Each requirement of pyproject.toml is pinned in requirements.lock."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8").lower().replace("_", "-")
    pinned = set(re.findall(r"^([a-z0-9.-]+)==", lock, re.MULTILINE))
    assert {re.split(r"[<>=!~ ]", name)[0].lower() for name in wanted} - pinned == set()


def test_the_types_of_services_are_fresh() -> None:
    """``um/nt.pyi`` says exactly the services that exist, with their parameters."""
    check = [sys.executable, str(ROOT / "tools" / "make_nt_stub.py"), "--check"]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 0, "run tools/make_nt_stub.py: " + done.stderr

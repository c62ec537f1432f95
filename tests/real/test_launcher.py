"""setuptools' cli-64.exe: the launcher beside a script starts the interpreter its first line names."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.guest.conftest import SAMPLES, run_program
from tests.real import fetch

pytestmark = pytest.mark.real


@pytest.fixture(scope="session")
def launcher() -> Path:
    """The Windows program (MSVC, dynamic UCRT through API sets)."""
    try:
        return fetch.program(fetch.CLI_64)
    except fetch.Unavailable as error:
        pytest.skip(str(error))


def install(folder: Path, launcher: Path, interpreter: str) -> Path:
    """A launcher `foo.exe` with its script; the stand-in for the interpreter is one of our samples."""
    shutil.copy(launcher, folder / "foo.exe")
    (folder / "foo-script.py").write_text(f"#!{interpreter}\n", encoding="utf-8")
    return folder / "foo.exe"


def test_starts_interpreter(tmp_path: Path, launcher: Path) -> None:
    """The child gets the script, by its final name, and the arguments; its exit code is passed on."""
    shutil.copy(SAMPLES / "bin" / "arguments.exe", tmp_path / "python.exe")
    ran = run_program(install(tmp_path, launcher, "D:\\python.exe"), ["one", "two words"])
    assert ran.exit_code == 4
    shown = [line for line in ran.stdout.decode().splitlines() if line.startswith("A[")]
    assert shown == ["A[1]=[\\\\?\\D:\\foo-script.py]", "A[2]=[one]", "A[3]=[two words]"]


def test_missing_interpreter(tmp_path: Path, launcher: Path) -> None:
    """An interpreter that is not there: the launcher says so itself, and ends as it does on Windows."""
    ran = run_program(install(tmp_path, launcher, "D:\\nosuch.exe"), [])
    assert b"failed to create process." in ran.stderr
    assert ran.exit_code == 0

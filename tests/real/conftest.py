r"""A drive C: with real programs in `C:\bin`, and how they are run there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.guest.conftest import TIMEOUT, GuestRun
from tests.real import fetch, fixtures

RunTarget = Callable[..., GuestRun]
PROGRAMS: dict[str, fetch.Wheel | fetch.Tarball] = {
    "cmake": fetch.CMAKE,
    "ctest": fetch.CTEST,
    "ninja": fetch.NINJA,
    "ruff": fetch.RUFF,
    "7za": fetch.SEVEN_ZIP,
    "rg": fetch.RIPGREP,
    "esbuild": fetch.ESBUILD,
    "fastlist-0.3.0-x64": fetch.FASTLIST,
}


def _place(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy(source, target)


@pytest.fixture(scope="session")
def drive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The host folder that becomes drive C:."""
    root = tmp_path_factory.mktemp("drive")
    (root / "bin").mkdir()
    try:
        for name, source in PROGRAMS.items():
            _place(str(fetch.program(source)), str(root / "bin" / f"{name}.exe"))
        shutil.copytree(fetch.tree(fetch.CMAKE, fetch.CMAKE_SHARE), root / "share", copy_function=_place)
    except fetch.Unavailable as error:
        pytest.skip(str(error))
    return root


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """The folder that becomes the current directory, drive E:, with files to work on."""
    fixtures.write(tmp_path)
    return tmp_path


def start(
    drive: Path, work: Path, result: Path, program: str, *arguments: str, stdin: bytes | None = b""
) -> GuestRun:
    """A program by its guest path, with a drive C:, a current directory and input; None is the null device."""
    command = [
        sys.executable, "-m", "ntos", "run", "--result", str(result), "--drive", f"C={drive}", "--cwd", str(work),
        "--env", "PATH=C:\\bin;C:\\Windows\\System32", "--", program, *arguments,
    ]  # fmt: skip
    given: dict[str, Any] = {"stdin": subprocess.DEVNULL} if stdin is None else {"input": stdin}
    done = subprocess.run(command, **given, capture_output=True, timeout=TIMEOUT, check=False)
    code = json.loads(result.read_text())["exit_code"] if result.exists() else done.returncode
    return GuestRun(code, done.stdout, done.stderr)


@pytest.fixture
def run(drive: Path, work: Path, tmp_path_factory: pytest.TempPathFactory) -> RunTarget:
    r"""`run("rg", "-c", "o", "in.txt")`: a program of `C:\bin`, or any other by its guest path.

    Its standard input is an empty pipe, or the null device.
    """

    def start_target(program: str, *arguments: str, null_input: bool = False) -> GuestRun:
        result = tmp_path_factory.mktemp("result") / "result.json"
        path = program if "\\" in program else f"C:\\bin\\{program}.exe"
        return start(drive, work, result, path, *arguments, stdin=None if null_input else b"")

    return start_target


SHELL = ("cmd", "taskkill", "whoami", "hostname", "reg", "xcopy", "attrib", "start", "find")


@pytest.fixture(scope="session")
def shell_drive(drive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    r"""Drive C: with the programs above in `C:\bin` and Wine's command-line tools in `C:\Windows\System32`."""
    root = tmp_path_factory.mktemp("shell")
    system = root / "Windows" / "System32"
    system.mkdir(parents=True)
    try:
        for name in SHELL:
            _place(str(fetch.program(fetch.WINE[name])), str(system / f"{name}.exe"))
    except fetch.Unavailable as error:
        pytest.skip(str(error))
    (root / "bin").mkdir()
    for name in ("cmake", "fastlist-0.3.0-x64"):
        _place(str(drive / "bin" / f"{name}.exe"), str(root / "bin" / f"{name}.exe"))
    return root


@pytest.fixture
def shell(shell_drive: Path, work: Path, tmp_path_factory: pytest.TempPathFactory) -> RunTarget:
    """`shell("echo a & dir")`: a line for cmd.exe; its standard input is `stdin`."""

    def start_line(line: str, stdin: bytes = b"") -> GuestRun:
        result = tmp_path_factory.mktemp("result") / "result.json"
        return start(shell_drive, work, result, "C:\\Windows\\System32\\cmd.exe", "/c", line, stdin=stdin)

    return start_line

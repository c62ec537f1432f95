"""`ntos run`: streams, environment, drives, exit codes, result, faults of ours."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from ntos.cli import run as command
from ntos.machine import Machine
from tests.cli.conftest import SAMPLES, complaint, run
from tests.oracle.truth import take

ALL_BYTES = bytes(range(256)) * 5


def test_streams_carry_every_byte() -> None:
    """All 256 byte values go through redirected standard input and output untouched."""
    done = run(SAMPLES / "console.exe", stdin=ALL_BYTES)
    assert ALL_BYTES in done.stdout
    assert b"end of input after %d bytes" % len(ALL_BYTES) in done.stdout


@pytest.mark.parametrize("code", [0, 1, 124, 255])
def test_exit_code(code: int) -> None:
    """A code the host can hold is passed on without a word."""
    done = run(SAMPLES / "exitcode.exe", str(code))
    assert (done.returncode, done.stderr) == (code, b"")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("256", "exitcode.exe exited with 0x00000100"),
        ("0xc0000005", "exitcode.exe exited with 0xC0000005 (STATUS_ACCESS_VIOLATION)"),
        ("0xffffffff", "exitcode.exe exited with 0xFFFFFFFF"),
    ],
)
def test_exit_code_too_large_for_the_host(code: str, said: str) -> None:
    """A larger code becomes 255, and one line says all of it."""
    done = run(SAMPLES / "exitcode.exe", code)
    assert done.returncode == 255
    assert complaint(done) == said


def test_crash_says_where() -> None:
    """A program that dies of an exception is one line: which, and where."""
    done = run(SAMPLES / "crash.exe", "write")
    assert done.returncode == 255
    assert complaint(done).startswith("crash.exe exited with 0xC0000005 (STATUS_ACCESS_VIOLATION): at crash.exe+0x")


def test_result(tmp_path: Path) -> None:
    """`--result` holds the whole exit code, why the machine stopped, and the processes."""
    run("--result", tmp_path / "r.json", SAMPLES / "exitcode.exe", "0xc0000005")
    result = json.loads((tmp_path / "r.json").read_text())
    assert (result["exit_code"], result["reason"]) == (0xC0000005, "finished")
    assert {"id": 4, "parent": 0, "name": "System"} in result["processes"]


def test_arguments_that_look_like_options() -> None:
    """The guest's arguments arrive as they were given."""
    words = ["--seed", "-v", "--", "two words", "", 'quo"te', "back\\slash\\"]
    done = run(SAMPLES / "arguments.exe", *words)
    text = done.stdout.decode()
    for word in words:
        assert word in text
    assert done.returncode == len(words) + 1


def test_environment(tmp_path: Path) -> None:
    """`--env` sets variables for the guest over the machine's own; the host's do not get in."""
    seen: list[dict[str, str]] = []

    class Looking(Machine):
        def run(self, timeout: float | None = None) -> str:
            seen.append(next(told.environment for told in take(self).values() if told.name == "exitcode.exe"))
            return super().run(timeout)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(command, "Machine", Looking)
        patch.setenv("HOSTONLY", "secret")
        assert command.main(["--env", "Path=D:\\only", "--env", "A=1=2", str(SAMPLES / "exitcode.exe"), "0"]) == 0
    (variables,) = seen
    assert (variables["Path"], variables["A"], variables["SystemRoot"]) == ("D:\\only", "1=2", "C:\\Windows")
    assert "HOSTONLY" not in variables


def test_current_directory_as_host_folder(tmp_path: Path) -> None:
    """`--cwd` of a host folder is where relative names of the guest lead."""
    (tmp_path / "here.txt").write_bytes(b"found")
    done = run("--cwd", tmp_path, SAMPLES / "reach.exe", "here.txt")
    assert done.stdout == b"1: read 5 found\r\n"
    assert done.returncode == 1


def test_current_directory_is_the_programs_folder_otherwise(tmp_path: Path) -> None:
    """Without `--cwd` relative names lead into the program's folder."""
    shutil.copy(SAMPLES / "reach.exe", tmp_path)
    (tmp_path / "here.txt").write_bytes(b"found")
    assert run(tmp_path / "reach.exe", "here.txt").stdout == b"1: read 5 found\r\n"


def test_current_directory_that_is_none() -> None:
    """`--cwd` of something that is no folder is a usage error."""
    done = run("--cwd", "/no/such", SAMPLES / "reach.exe")
    assert done.returncode == 2
    assert complaint(done) == "--cwd /no/such: it is not a folder"


def test_drives(tmp_path: Path) -> None:
    """`--drive` shows host folders as drives, under C: beside the system's own files."""
    (tmp_path / "mine.txt").write_bytes(b"mine")
    done = run("--drive", f"c={tmp_path}", "--drive", f"X={tmp_path}", SAMPLES / "reach.exe",
               "C:\\mine.txt", "X:\\mine.txt", "C:\\Windows\\System32\\ntdll.dll", "+X:\\made.txt")  # fmt: skip
    lines = done.stdout.decode().splitlines()
    assert lines[:2] == ["1: read 4 mine", "2: read 4 mine"]
    assert lines[2].startswith("3: read 63 MZ")
    assert (tmp_path / "made.txt").read_bytes() == b"reached"


def test_program_by_guest_path(tmp_path: Path) -> None:
    """PROGRAM may be a guest path on a mapped drive."""
    shutil.copy(SAMPLES / "exitcode.exe", tmp_path)
    assert run("--drive", f"Q={tmp_path}", "q:\\EXITCODE.EXE", "9").returncode == 9


def test_verbose_shows_decoded_arguments() -> None:
    """`-v` shows services and exports with arguments by name, on stderr."""
    done = run("-v", SAMPLES / "hello_writefile.exe")
    text = done.stderr.decode()
    assert done.stdout == b"Hello from WriteFile\r\n"
    assert "kernel32!WriteFile(hFile=" in text or "kernelbase!WriteFile(hFile=" in text
    assert "NtWriteFile(FileHandle=" in text
    assert " = 0x00000000" in text


class Broken(Exception):
    """Something nobody thought of."""


def test_fault_of_ours(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """An exception inside the machine is one line and exit code 125; the traceback is in the trace."""

    def fail(*_: object) -> str:
        raise Broken("no such\nluck")

    monkeypatch.setattr(Machine, "run", fail)
    monkeypatch.delenv("NTOS_DEBUG", raising=False)
    assert command.main(["--trace", str(tmp_path / "t"), str(SAMPLES / "exitcode.exe"), "0"]) == 125
    error = capsys.readouterr().err
    assert error.startswith("ntos: internal error: Broken: no such luck (")
    assert error.count("\n") == 1
    assert "-v" in error
    last = json.loads((tmp_path / "t").read_text().splitlines()[-1])
    assert last["event"] == "machine-failed"
    assert last["traceback"][0].startswith("Traceback")


def test_fault_of_ours_for_developers(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """With NTOS_DEBUG the traceback is shown as well."""

    def fail(*_: object) -> str:
        raise Broken

    monkeypatch.setattr(Machine, "run", fail)
    monkeypatch.setenv("NTOS_DEBUG", "1")
    assert command.main([str(SAMPLES / "exitcode.exe"), "0"]) == 125
    assert "Traceback (most recent call last)" in capsys.readouterr().err

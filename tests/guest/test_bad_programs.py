"""What cannot run is refused with a reason: one line, a documented exit code, never a Python traceback."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from samples import bad
from tests.cli.conftest import SAMPLES, complaint, run

NOBODY = 65534
WORDS = {
    "empty": "empty", "text": "not a Windows program", "two_bytes": "DOS program", "dos_program": "DOS program",
    "new_executable": "16-bit", "linear_executable": "linear executable", "machine_arm64": "ARM64",
    "dll_as_program": "DLL", "dll_flag": "DLL", "driver": "driver", "pe32": "32-bit", "dotnet": ".NET",
    "truncated_headers": "damaged or cut short", "truncated_sections": "damaged or cut short",
    "section_beyond_end": "damaged or cut short",
}  # fmt: skip
"""What the line must say, where the file is of a kind that has a name."""


@pytest.mark.parametrize("case", bad.ALL, ids=lambda case: case.name)
def test_file_that_is_no_program_is_refused(case: bad.Bad, tmp_path: Path) -> None:
    """A file that is no program is not started: exit code 126, and one line that names file and reason."""
    path = bad.make(case, tmp_path)
    done = run(path)
    assert (done.returncode, done.stdout) == (126, b""), case.what
    said = complaint(done)
    assert said.startswith(f"cannot run {path}: ")
    assert WORDS.get(case.name, "") in said
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("case", bad.ALL, ids=lambda case: case.name)
def test_bad_file_differs_from_the_good_one(case: bad.Bad) -> None:
    """Every maker spoils something and says what."""
    assert case.make() != bytes(bad.good())
    assert case.what


def test_missing_dll_is_named() -> None:
    """A DLL that is not there: the line says which, and who needed it."""
    done = run(SAMPLES / "missing_import.exe")
    assert (done.returncode, done.stdout) == (255, b"")
    said = complaint(done)
    assert "0xC0000135 (STATUS_DLL_NOT_FOUND)" in said
    assert said.endswith("ntos_absent_dependency.dll was not found; missing_import.exe needs it")


def test_missing_function_is_named() -> None:
    """A function that is not there: the line says which, in which DLL, and who needed it."""
    done = run(SAMPLES / "missing_function.exe")
    assert (done.returncode, done.stdout) == (255, b"")
    said = complaint(done)
    assert "0xC0000139 (STATUS_ENTRYPOINT_NOT_FOUND)" in said
    assert said.endswith("NtosAbsentFunction is not in kernel32.dll; missing_function.exe needs it")


@pytest.mark.parametrize(
    "program", ["nosuch.exe", "/no/such/folder/x.exe", "C:\\nosuch.exe", "C:\\no\\x.exe", "Q:\\x.exe"]
)
def test_missing_file(program: str) -> None:
    """A program that is not there, by host path or guest path: exit code 127."""
    done = run(program)
    assert done.returncode == 127
    assert complaint(done).startswith(f"cannot run {program}: there is no such f")


@pytest.mark.parametrize("folder", ["/tmp", "C:\\Windows"])
def test_folder_as_program(folder: str) -> None:
    """A folder is no program: exit code 126."""
    done = run(folder)
    assert done.returncode == 126
    assert complaint(done).startswith(f"cannot run {folder}: it is a folder")


@pytest.fixture
def nobody() -> None:
    """Permissions bind only who is not root."""
    if os.geteuid() == 0:
        pytest.skip("root may read everything")


def test_unreadable_file(tmp_path: Path, nobody: None) -> None:
    """A program that may not be read: exit code 126."""
    path = Path(shutil.copy(SAMPLES / "exitcode.exe", tmp_path))
    path.chmod(0)
    done = run(path)
    assert done.returncode == 126
    assert "it may not be read; check its permissions" in complaint(done)


def test_unreadable_folder(tmp_path: Path, nobody: None) -> None:
    """A program in a folder that may not be entered: exit code 126."""
    folder = tmp_path / "closed"
    folder.mkdir()
    shutil.copy(SAMPLES / "exitcode.exe", folder)
    folder.chmod(0)
    done = run(folder / "exitcode.exe")
    folder.chmod(0o700)
    assert done.returncode == 126
    assert "it may not be read; check its permissions" in complaint(done)


def test_no_memory_left() -> None:
    """A program that takes all memory there is gets an error, not a fault; the machine goes on."""
    done = run("--memory", "48M", SAMPLES / "hungry.exe")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode().splitlines() == [
        "stopped by error 1455, after at least four megabytes 1",
        "what there is stays usable 1",
        "after giving it back 1",
    ]


def test_endless_loop() -> None:
    """A program that never ends is stopped by `--timeout`: exit code 124."""
    done = run("--timeout", "1.5", SAMPLES / "spin.exe")
    assert (done.returncode, done.stdout) == (124, b"spinning\r\n")
    assert complaint(done) == "stopped after 1.5 seconds (--timeout)"


ESCAPES = (
    "D:\\..\\..\\secret.txt", "D:/../../secret.txt", "D:\\sub\\..\\..\\secret.txt", "\\..\\secret.txt",
    "..\\secret.txt", "\\\\?\\D:\\..\\secret.txt", "\\\\?\\D:\\sub\\..\\..\\secret.txt", "\\\\.\\D:\\..\\secret.txt",
    "\\\\?\\GLOBALROOT\\Device\\HarddiskVolume3\\..\\secret.txt", "\\\\?\\GLOBALROOT\\??\\D:\\..\\secret.txt",
    "\\\\?\\UNC\\localhost\\etc\\passwd", "\\\\localhost\\c$\\etc\\passwd", "\\\\.\\PhysicalDrive0",
    "\\\\.\\GLOBALROOT\\Device\\HostFile", "/etc/passwd", "\\etc\\passwd", "Z:\\etc\\passwd", "D:\\link.txt",
    "D:\\linked\\secret.txt", "D:\\linked\\..\\secret.txt", "D:\\sub\\up\\secret.txt", "D:\\secret.txt:stream",
)  # fmt: skip


def test_guest_reads_only_what_is_mapped(tmp_path: Path) -> None:
    """No spelling of a name leads out of the mapped folder: not dots, prefixes, devices, or symbolic links."""
    folder = _outside_and_inside(tmp_path)
    done = run(folder / "reach.exe", *ESCAPES)
    assert done.returncode == 0, done.stdout.decode()
    assert b"read" not in done.stdout
    assert done.stdout.count(b"error") == len(ESCAPES)


def test_guest_writes_only_what_is_mapped(tmp_path: Path) -> None:
    """Nothing is made or changed outside the mapped folder."""
    folder = _outside_and_inside(tmp_path)
    done = run(folder / "reach.exe", *(f"+{name}" for name in ESCAPES), "+D:\\linked\\new.txt", "+D:\\..\\new.txt")
    assert (tmp_path / "secret.txt").read_bytes() == b"secret"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["inside", "outside", "secret.txt"]
    assert [entry.name for entry in (tmp_path / "outside").iterdir()] == ["secret.txt"]
    assert (tmp_path / "outside" / "secret.txt").read_bytes() == b"secret"
    assert b"Traceback" not in done.stderr


def _outside_and_inside(place: Path) -> Path:
    """A mapped folder with links that lead out of it, and what must stay unseen."""
    outside, inside = place / "outside", place / "inside"
    outside.mkdir()
    (inside / "sub").mkdir(parents=True)
    for secret in (place, outside):
        (secret / "secret.txt").write_bytes(b"secret")
    shutil.copy(SAMPLES / "reach.exe", inside)
    (inside / "link.txt").symlink_to(outside / "secret.txt")
    (inside / "linked").symlink_to(outside)
    (inside / "sub" / "up").symlink_to("../..")
    return inside

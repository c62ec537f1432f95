"""ninja.exe, as its users run it: against the Linux ninja of the same version and an equivalent build file."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.guest.conftest import SAMPLES, GuestRun, run_program
from tests.real import fetch

pytestmark = pytest.mark.real

EDGES = 20
HEADER = """\
rule work
  command = {worker} $out $in
  description = WORK $out
"""


@pytest.fixture(scope="session")
def ninja() -> Path:
    """The Windows program."""
    try:
        return fetch.program(fetch.NINJA)
    except fetch.Unavailable as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def linux_ninja() -> Path:
    """The same version, built for this host."""
    try:
        return fetch.program(fetch.NINJA_LINUX)
    except fetch.Unavailable as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def linux_worker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """samples/src/worker.c for this host."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler on this host")
    target = tmp_path_factory.mktemp("worker") / "worker"
    subprocess.run([compiler, "-o", str(target), str(SAMPLES / "src" / "worker.c")], check=True)
    return target


def write_build(folder: Path, worker: str, *, failing: bool) -> None:
    """Twenty edges: a chain of ten, nine that fan out from its end, and one that joins all (or fails)."""
    lines = [HEADER.format(worker=worker), "build step1.txt: work in.txt"]
    lines += [f"build step{n}.txt: work step{n - 1}.txt" for n in range(2, 11)]
    lines += [f"build leaf{n}.txt: work step10.txt" for n in range(1, 10)]
    leaves = " ".join(f"leaf{n}.txt" for n in range(1, 10))
    lines.append(f"build {'fail' if failing else 'all'}.txt: work {leaves}")
    (folder / "build.ninja").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "in.txt").write_text("hello\nworld\n", encoding="utf-8")


def both(
    tmp_path: Path, ninja: Path, linux_ninja: Path, linux_worker: Path, *arguments: str, failing: bool = False
) -> tuple[GuestRun, subprocess.CompletedProcess[bytes], Path, Path]:
    """Run the same build in the machine and on the host."""
    guest, host = tmp_path / "guest", tmp_path / "host"
    for folder in (guest, host):
        folder.mkdir()
    shutil.copy(ninja, guest / "ninja.exe")
    shutil.copy(SAMPLES / "bin" / "worker.exe", guest / "worker.exe")
    write_build(guest, "worker.exe", failing=failing)
    write_build(host, str(linux_worker), failing=failing)
    ran = run_program(guest / "ninja.exe", arguments)
    expected = subprocess.run([str(linux_ninja), *arguments], cwd=host, capture_output=True, check=False)
    return ran, expected, guest, host


def normal(output: bytes, worker: Path) -> list[str]:
    """Lines without carriage returns, with the host's worker under the guest's name."""
    text = output.decode().replace("\r\n", "\n").replace(str(worker), "worker.exe")
    return text.splitlines()


def test_version(ninja: Path) -> None:
    """`ninja --version` prints the version of the wheel."""
    ran = run_program(ninja, ["--version"])
    assert (ran.exit_code, ran.stdout) == (0, b"1.13.2.git.kitware.jobserver-pipe-1\r\n")


def test_build_two_at_a_time(tmp_path: Path, ninja: Path, linux_ninja: Path, linux_worker: Path) -> None:
    """A build of twenty edges with -j2 makes the same files and says the same as on Linux, in a legal order."""
    ran, expected, guest, host = both(tmp_path, ninja, linux_ninja, linux_worker, "-j2")
    assert ran.exit_code == expected.returncode == 0, ran.stderr
    mine, theirs = normal(ran.stdout, linux_worker), normal(expected.stdout, linux_worker)
    assert sorted(line.partition("] ")[2] or line for line in mine) == sorted(
        line.partition("] ")[2] or line for line in theirs
    )
    assert [line.partition("]")[0] for line in mine if line[0] == "["] == [f"[{n}/{EDGES}" for n in range(1, EDGES + 1)]
    for path in host.glob("*.txt"):
        assert (guest / path.name).read_bytes() == path.read_bytes(), path.name


def test_build_one_at_a_time(tmp_path: Path, ninja: Path, linux_ninja: Path, linux_worker: Path) -> None:
    """With -j1 the whole output is the same, line for line."""
    ran, expected, _, _ = both(tmp_path, ninja, linux_ninja, linux_worker, "-j1")
    assert ran.exit_code == expected.returncode == 0, ran.stderr
    assert normal(ran.stdout, linux_worker) == normal(expected.stdout, linux_worker)


def test_failing_edge(tmp_path: Path, ninja: Path, linux_ninja: Path, linux_worker: Path) -> None:
    """A failing edge stops the build: its output is shown, the exit code is the command's, as on Linux."""
    ran, expected, _, _ = both(tmp_path, ninja, linux_ninja, linux_worker, "-j1", failing=True)
    assert ran.exit_code == expected.returncode != 0
    assert normal(ran.stdout, linux_worker) == normal(expected.stdout, linux_worker)


def test_explained(tmp_path: Path, ninja: Path) -> None:
    """`ntos explain create` on ninja: seven stages, its modules, and each command it starts, in order."""
    shutil.copy(ninja, tmp_path / "ninja.exe")
    shutil.copy(SAMPLES / "bin" / "worker.exe", tmp_path / "worker.exe")
    write_build(tmp_path, "worker.exe", failing=False)
    command = [sys.executable, "-m", "ntos", "explain", "create", str(tmp_path / "ninja.exe"), "-j1", "--json"]
    done = subprocess.run(command, capture_output=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    account = json.loads(done.stdout)["account"]
    assert [stage["number"] for stage in account["stages"]] == [1, 2, 3, 4, 5, 6, 7]
    assert [module["name"] for module in account["modules"][:2]] == ["ninja.exe", "ntdll.dll"]
    lines = [child["command_line"] for child in account["children"]]
    assert lines[0] == "worker.exe step1.txt in.txt"
    assert len(lines) == EDGES
    assert all(child["entered"] and child["exit_status"] == 0 for child in account["children"])


def test_nothing_to_do(tmp_path: Path, ninja: Path) -> None:
    """A second run finds its log and the files' times: no work to do."""
    shutil.copy(ninja, tmp_path / "ninja.exe")
    shutil.copy(SAMPLES / "bin" / "worker.exe", tmp_path / "worker.exe")
    write_build(tmp_path, "worker.exe", failing=False)
    assert run_program(tmp_path / "ninja.exe", ["-j2"]).exit_code == 0
    ran = run_program(tmp_path / "ninja.exe", ["-j2"])
    assert (ran.exit_code, ran.stdout) == (0, b"ninja: no work to do.\r\n")

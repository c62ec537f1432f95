r"""Wine's cmd.exe, taskkill, whoami, hostname, reg, xcopy and attrib as PE programs on our DLLs.

Fetched as Debian's `libwine`; where Wine itself is installed, it runs the same batch file, and says the same.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.real import batch, fetch
from tests.real.conftest import RunTarget

pytestmark = pytest.mark.real
FASTLIST = "fastlist-0.3.0-x64"


def lines(output: bytes) -> list[str]:
    """Lines as text."""
    return output.decode().replace("\r\n", "\n").splitlines()


@pytest.fixture
def batch_files(work: Path) -> Path:
    """The batch files and what they work on, in the current directory."""
    for name, text in {"t.bat": batch.BATCH, "sub.bat": batch.SUB, "words.txt": batch.WORDS}.items():
        (work / name).write_text(text, encoding="ascii", newline="\r\n")
    return work


def test_three_commands(shell: RunTarget) -> None:
    """`&` runs one after another: a builtin, a program that asks its token, a listing."""
    ran = shell("echo a & whoami & dir")
    shown = lines(ran.stdout)
    assert ran.exit_code == 0
    assert shown[:2] == ["a ", "DESKTOP-NTOS\\user"]
    assert shown[5] == "Directory of E:\\"
    assert any(re.fullmatch(r".* +12  in\.txt", line) for line in shown)


@pytest.mark.usefixtures("batch_files")
def test_batch_file(shell: RunTarget) -> None:
    """For, if, call, goto, set /a, pipes, redirections, conditions, start /wait, pushd, shift, exit codes."""
    ran = shell("t.bat one.txt two")
    assert (ran.exit_code, lines(ran.stdout)) == (3, batch.SAID.splitlines())


def wine_runs(work: Path, line: str) -> list[str]:
    """The same line on the installed Wine; the test is skipped where there is none. Paths as on drive E:."""
    wine = shutil.which("wine64", path="/usr/lib/wine:" + os.environ.get("PATH", ""))
    if wine is None:
        pytest.skip("Wine is not installed")
    prefix = fetch.CACHE / "wine-prefix"
    prefix.parent.mkdir(parents=True, exist_ok=True)
    environment = os.environ | {"WINEPREFIX": str(prefix), "WINEDEBUG": "-all", "WINEDLLOVERRIDES": "mscoree,mshtml="}
    with (prefix.parent / "wine.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the first of several workers makes the prefix
        if not (prefix / "system.reg").exists():
            subprocess.run([wine, "wineboot", "-i"], env=environment, capture_output=True, timeout=120, check=False)
    command = [wine, "cmd", "/c", line]
    done = subprocess.run(command, cwd=work, env=environment, input=b"", capture_output=True, timeout=120, check=False)
    here = "Z:" + str(work).replace("/", "\\")
    return [text.replace(here + "\\", "E:\\").replace(here, "E:\\") for text in lines(done.stdout)]


def test_batch_file_says_the_same_on_wine(batch_files: Path) -> None:
    """What the test above expects is what Wine prints."""
    assert wine_runs(batch_files, "t.bat one.txt two") == batch.SAID.splitlines()


def table(output: bytes) -> list[tuple[int, int, str]]:
    """Fastlist's rows: (id, parent, name), case as it comes."""
    rows = (line.split("\t") for line in lines(output) if line.count("\t") == 2)
    return [(int(own), int(parent), name.lower()) for own, parent, name in rows]


def script(work: Path, text: str) -> str:
    """A batch file in the current directory."""
    (work / "script.bat").write_text("@echo off\n" + text, encoding="ascii", newline="\r\n")
    return "script.bat"


def test_taskkill_by_name(shell: RunTarget, work: Path) -> None:
    """`taskkill /f /im` ends a running child; nothing of that name is left, and the next call finds none."""
    kill = "taskkill /f /im cmake.exe"
    ran = shell(script(work, f"start /b cmake -E sleep 900\n{kill}\n{FASTLIST}\n{kill}\n"))
    shown = lines(ran.stdout)
    assert re.fullmatch(r'Process "cmake\.exe" with PID \d+ was forcibly terminated\.', shown[0])
    assert "cmake.exe" not in [name for _, _, name in table(ran.stdout)]
    assert shown[-1] == 'Error: Could not find process "cmake.exe".'
    assert ran.exit_code == 128


def test_taskkill_by_id(shell: RunTarget, work: Path) -> None:
    """`taskkill /f /pid` ends the process fastlist told of."""
    each = f"for /f \"tokens=1,3\" %%a in ('{FASTLIST}') do if /i %%b==cmake.exe"
    ran = shell(script(work, f"start /b cmake -E sleep 900\n{each} taskkill /f /pid %%a\n{each} echo alive\n"))
    (shown,) = lines(ran.stdout)
    assert re.fullmatch(r"Process with PID \d+ was forcibly terminated\.", shown)


def test_process_tree(shell: RunTarget, work: Path) -> None:
    """Fastlist shows three generations with their parents, and a child of another branch."""
    (work / "sleep.bat").write_text("@cmake -E sleep 900\n", newline="\r\n")
    (work / "list.bat").write_text(f"@cmd /c {FASTLIST}\n", newline="\r\n")
    text = "start /b cmd /c sleep.bat\ncmd /c list.bat\ntaskkill /f /im cmake.exe >nul\n"
    ran = shell(script(work, text))
    names = {own: name for own, _, name in table(ran.stdout)}
    parents = {own: parent for own, parent, _ in table(ran.stdout)}
    (at,) = (own for own, name in names.items() if name == f"{FASTLIST}.exe")
    chain = []
    while names.get(at, "") in {f"{FASTLIST}.exe", "cmd.exe"}:
        chain.append(at)
        at = parents[at]
    assert [names[own] for own in chain] == [f"{FASTLIST}.exe", "cmd.exe", "cmd.exe", "cmd.exe"]
    (sleeper,) = (own for own, name in names.items() if name == "cmake.exe")
    assert names[parents[sleeper]] == "cmd.exe"
    assert parents[sleeper] not in chain


def test_xcopy_and_attrib(shell: RunTarget, work: Path) -> None:
    """Xcopy /s copies a tree; attrib sets and shows read-only."""
    ran = shell("xcopy /s /i tree copy && attrib +r copy\\a.txt && attrib copy\\a.txt && attrib -r copy\\a.txt")
    shown = lines(ran.stdout)
    assert (ran.exit_code, ran.stderr) == (0, b"")
    assert sorted(shown[:5]) == [".\\tree\\.hidden.txt", ".\\tree\\.ignore", ".\\tree\\a.txt", ".\\tree\\skip.txt",
                                 ".\\tree\\sub\\b.txt"] or "5 file(s) copied" in shown  # fmt: skip
    assert re.fullmatch(r"A    R +E:\\copy\\a\.txt", shown[-1])
    assert (work / "copy" / "sub" / "b.txt").read_bytes() == (work / "tree" / "sub" / "b.txt").read_bytes()


def test_reg(shell: RunTarget) -> None:
    """Reg adds, asks for and deletes values and keys of the user's hive."""
    key = "HKCU\\Software\\Test"
    ran = shell(
        f"reg add {key} /v text /t REG_SZ /d hello && reg add {key} /v number /t REG_DWORD /d 5 /f && "
        f"reg query {key} && reg delete {key} /v text /f && reg query {key} & reg delete {key} /f && reg query {key}"
    )
    shown = [line.split() for line in lines(ran.stdout) if line.strip().startswith(("text", "number"))]
    assert shown == [["text", "REG_SZ", "hello"], ["number", "REG_DWORD", "0x5"], ["number", "REG_DWORD", "0x5"]]
    assert ran.exit_code == 1


def test_hostname(shell: RunTarget) -> None:
    """Hostname tells the computer's name."""
    assert lines(shell("hostname").stdout) == ["DESKTOP-NTOS"]


def test_input(shell: RunTarget) -> None:
    """`set /p` and `find` read what the program was given; xcopy's question is answered."""
    ran = shell("set /p name=Who? & set name", stdin=b"somebody\r\n")
    assert lines(ran.stdout)[-1] == "Who? name=somebody"
    ran = shell("xcopy in.txt other.txt & type other.txt", stdin=b"F")
    assert lines(ran.stdout)[-2:] == ["hello", "world"]

"""Programs outside the pinned targets: other Rust, mingw, MSVC 2013 and 2015 builds, each with a small task.

Expected output is the programs' own documentation's, or follows from the input.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.real import fetch
from tests.real.conftest import RunTarget

pytestmark = pytest.mark.real

JUST = fetch.Wheel(
    "rust_just", "1.59.0", "win_amd64", "just.exe", "5d8fcb87ceef8531916bc2c7f48ae58294dc03931f2803cdc3d332e4a1db4a08"
)
TYPOS = fetch.Wheel(
    "typos", "1.52.0", "win_amd64", "typos.exe", "ccaf56196ba1f5724c36e536201b14f0231a9b11db50e0a7b647da7516694514"
)
PY_SPY = fetch.Wheel(
    "py_spy", "0.4.3", "win_amd64", "py-spy.exe", "0890578ca20bf839d7f890bbcdb508a21cb9f1b71f99bf32be371c5e492a0b48"
)
SWIG = fetch.Wheel(
    "swig", "4.5.1", "win_amd64", "swig.exe", "3093b5894dac211a703346bbe0b763f7122c8c2e43f946881fd4c3a9c5b72cf1"
)
T64 = fetch.Wheel(
    "distlib", "0.4.4", "any", "distlib/t64.exe", "81a618f21cb87db9076134e70388b6e9cb7c2106739011b6a51772d22cae06b7"
)
LIGHTNINGCSS = fetch.Tarball(
    "lightningcss-cli-win32-x64-msvc", "1.33.0", "package/lightningcss.exe",
    "be3ed8a564eea2cf8e8d0a92d807834ef00380b6889566b35ef2c68ff6426b34",
)  # fmt: skip


def place(work: Path, source: fetch.Wheel | fetch.Tarball) -> str:
    """The program on drive E:; the test is skipped where it cannot be had."""
    try:
        program = fetch.program(source)
    except fetch.Unavailable as error:
        pytest.skip(str(error))
    shutil.copy(program, work / program.name)
    return f"E:\\{program.name}"


def test_typos_finds_a_misspelling(run: RunTarget, work: Path) -> None:
    """Typos (Rust) names the word, its place and what it should be; its exit code is 2."""
    (work / "typo.txt").write_text("hello teh world\n", encoding="utf-8")
    ran = run(place(work, TYPOS), "--color", "never", "--format", "brief", "typo.txt")
    assert (ran.exit_code, ran.stdout.decode().split()[:1]) == (2, ["typo.txt:1:7:"])
    assert b"`teh` should be `the`" in ran.stdout


def test_just_lists_recipes(run: RunTarget, work: Path) -> None:
    """Just (Rust) finds its file in the current directory and lists what it can do."""
    (work / "justfile").write_text("default:\n\techo hi\n\nother x:\n\techo {{x}}\n", encoding="utf-8")
    ran = run(place(work, JUST), "--list")
    assert (ran.exit_code, ran.stdout.decode().split()) == (0, ["Available", "recipes:", "default", "other", "x"])


def test_lightningcss_minifies(run: RunTarget, work: Path) -> None:
    """Lightningcss (Rust) shortens colours and zero lengths."""
    (work / "a.css").write_text(".a { color: #ff0000; margin: 0px 0px }\n", encoding="utf-8")
    ran = run(place(work, LIGHTNINGCSS), "--minify", "a.css")
    assert (ran.exit_code, ran.stdout.strip()) == (0, b".a{color:red;margin:0}")


def test_swig_says_its_version(run: RunTarget, work: Path) -> None:
    """SWIG (mingw, msvcrt.dll, C++) starts and prints."""
    ran = run(place(work, SWIG), "-version")
    assert ran.exit_code == 0
    assert b"SWIG Version 4.5.1" in ran.stdout


def test_py_spy_is_refused_the_system_process(run: RunTarget, work: Path) -> None:
    """py-spy (Rust) says its version, and that process 4 is not to be opened."""
    program = place(work, PY_SPY)
    assert run(program, "--version").stdout.split() == [b"py-spy", b"0.4.3"]
    ran = run(program, "dump", "--pid", "4")
    assert ran.exit_code == 1
    assert b"(os error 5)" in ran.stderr


def test_launcher_without_a_script(run: RunTarget, work: Path) -> None:
    """A launcher of distlib finds that no archive is appended to it, and exits with 1."""
    ran = run(place(work, T64))
    assert ran.exit_code == 1

"""Real programs of six toolchains (MSVC 2005 to 2022, Rust, Go), each doing what it is for.

Expected output is that of the Linux build of the same version, of Wine, or of the program's own documentation.
"""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest

from tests.real import fetch
from tests.real.conftest import RunTarget

pytestmark = pytest.mark.real

IN_SHA256 = "4a1e67f2fe1d1cc7b31d0ca2ec441da4778203a036a77da10344c85e24ff0f92"
BUNDLE = 'var e=n=>`hi ${n.name??"x"} ${n.n?.toFixed(2)}`;console.log(e({name:"a",n:1}));export{e as greet};'
VERDICTS = ("Passed", "Failed", "Timeout")
FINDINGS = """\
x.py:1:1: I001 [*] Import block is un-sorted or un-formatted
x.py:1:8: F401 [*] `os` imported but unused
x.py:1:12: F401 [*] `sys` imported but unused
x.py:2:8: F401 [*] `json` imported but unused
x.py:4:5: F841 Local variable `x` is assigned to but never used
x.py:6:15: F821 Undefined name `undefined`
Found 6 errors.
"""
SCRIPT_OUTPUT = """\
out=one two
results=0;0
false=1
552bab6864c7a7b69a502ed1854b9245c0e1a30f008aaa0b281da62585fdb025
timeout=Process terminated due to timeout
child=FOO=bar

"""


def lines(output: bytes) -> list[str]:
    """The output's lines."""
    return output.decode().replace("\r\n", "\n").splitlines()


def launcher(work: Path, name: str, interpreter: str) -> str:
    """Setuptools' launcher beside a script that names what it is to start."""
    shutil.copy(fetch.program(fetch.CLI_64), work / f"{name}.exe")
    (work / f"{name}-script.py").write_text(f"#!{interpreter}\n", encoding="utf-8")
    return f"E:\\{name}.exe"


# ---------------------------------------------------------------- fastlist, launcher


def test_process_list(run: RunTarget) -> None:
    """Fastlist sees the whole names of processes, itself and its parent among them."""
    ran = run("cmake", "-E", "env", "X=1", "C:\\bin\\fastlist-0.3.0-x64.exe")
    rows = {name: (int(own), int(parent)) for own, parent, name in (line.split("\t") for line in lines(ran.stdout))}
    assert ran.exit_code == 0
    assert rows["fastlist-0.3.0-x64.exe"][1] == rows["cmake.exe"][0]


def test_launcher_starts_real_program(run: RunTarget, work: Path) -> None:
    """The launcher starts ninja and passes its output on."""
    ran = run(launcher(work, "foover", "C:\\bin\\ninja.exe --version"))
    assert (ran.exit_code, ran.stdout) == (0, b"1.13.2.git.kitware.jobserver-pipe-1\r\n")


def test_launcher_over_microsofts_runtime(run: RunTarget, work: Path) -> None:
    """With Microsoft's own C runtime beside it, the launcher runs on that: a real PE replaces ours."""
    for dll in (fetch.UCRTBASE, fetch.VCRUNTIME140):
        shutil.copy(fetch.program(dll), work)
    ran = run(launcher(work, "foo", "C:\\bin\\cmake.exe -E echo"), "one", "two words")
    assert (ran.exit_code, lines(ran.stdout)) == (0, ["\\\\?\\E:\\foo-script.py one two words"])


# ---------------------------------------------------------------- 7-Zip


def test_7za_hash(run: RunTarget) -> None:
    """7za (Visual C++ 2005, msvcrt.dll) hashes a file."""
    ran = run("7za", "h", "-scrcSHA256", "in.txt")
    assert ran.exit_code == 0
    assert f"{IN_SHA256}            12  in.txt" in lines(ran.stdout)


def test_7za_archive(run: RunTarget, work: Path) -> None:
    """7za makes an archive others can read, tests it, and takes it apart."""
    made = run("7za", "a", "-tzip", "-mx1", "o.zip", "in.txt", "x.py")
    assert made.exit_code == 0
    assert "Archive size: 358 bytes (1 KiB)" in lines(made.stdout)
    with zipfile.ZipFile(work / "o.zip") as archive:
        assert archive.read("x.py") == (work / "x.py").read_bytes()
    tested = run("7za", "t", "o.zip")
    assert (tested.exit_code, "Everything is Ok" in lines(tested.stdout)) == (0, True)
    assert run("7za", "x", "-y", "-oout", "o.zip").exit_code == 0
    assert (work / "out" / "in.txt").read_bytes() == (work / "in.txt").read_bytes()


def test_7za_not_an_archive(run: RunTarget) -> None:
    """7za says that a text is no archive."""
    ran = run("7za", "t", "in.txt")
    assert ran.exit_code == 2
    assert "Can't open as archive: 1" in lines(ran.stdout)


# ---------------------------------------------------------------- ninja with real children


def test_ninja_chain(run: RunTarget, work: Path) -> None:
    """Ninja -j1 runs four cmakes in order; then there is nothing to do; then four files are cleaned."""
    ran = run("ninja", "-j1")
    assert lines(ran.stdout) == ["[1/4] CP a.txt", "[2/4] CP b.txt", "[3/4] CP c.txt", "[4/4] CP d.txt"]
    assert (work / "c.txt").read_bytes() == (work / "in.txt").read_bytes()
    assert lines(run("ninja").stdout) == ["ninja: no work to do."]
    assert lines(run("ninja", "-t", "clean").stdout) == ["Cleaning... 4 files."]


def test_ninja_failures(run: RunTarget) -> None:
    """A child's exit code and an unknown target are told."""
    ran = run("ninja", "bad2")
    assert ran.exit_code == 2
    assert "FAILED: [code=2] bad2 " in lines(ran.stdout)
    assert lines(ran.stdout)[-1] == "ninja: build stopped: subcommand failed."
    ran = run("ninja", "nosuch")
    assert (ran.exit_code, lines(ran.stderr)[0]) == (1, "ninja: error: unknown target 'nosuch'")


# ---------------------------------------------------------------- ripgrep


def test_rg_search(run: RunTarget) -> None:
    """Rg (Rust) walks a tree, minds .ignore and hidden files, and searches in threads."""
    ran = run("rg", "-n", "--sort", "path", "hello", "tree")
    assert (ran.exit_code, lines(ran.stdout)) == (0, ["tree\\a.txt:1:alpha hello", "tree\\sub\\b.txt:2:hello again"])
    ran = run("rg", "hello", "tree")
    assert sorted(lines(ran.stdout)) == ["tree\\a.txt:alpha hello", "tree\\sub\\b.txt:hello again"]


@pytest.mark.parametrize(
    ("arguments", "code", "output"),
    [
        (["--files", "--sort", "path", "tree"], 0, ["tree\\a.txt", "tree\\sub\\b.txt"]),
        (["-c", "o", "in.txt"], 0, ["2"]),
        (["zzzznope", "tree"], 1, []),
    ],
)
def test_rg_answers(run: RunTarget, arguments: list[str], code: int, output: list[str]) -> None:
    """Rg lists, counts, and finds nothing."""
    ran = run("rg", *arguments)
    assert (ran.exit_code, lines(ran.stdout)) == (code, output)


def test_rg_null_input(run: RunTarget) -> None:
    """With NUL as its input, rg searches the current directory."""
    ran = run("rg", "-l", "alpha", "--glob", "*.txt", null_input=True)
    assert (ran.exit_code, lines(ran.stdout)) == (0, ["tree\\a.txt"])


def test_rg_missing_file(run: RunTarget) -> None:
    """Rg tells Windows' error number for a file that is not there."""
    ran = run("rg", "hello", "nosuchfile")
    assert ran.exit_code == 2
    assert lines(ran.stderr)[0].endswith("(os error 2)")


# ---------------------------------------------------------------- CMake


@pytest.mark.parametrize(
    ("arguments", "code", "output"),
    [
        (["echo", "one", "two words"], 0, ["one two words"]),
        (["sha256sum", "in.txt"], 0, [f"{IN_SHA256}  in.txt"]),
        (["cat", "in.txt"], 0, ["hello", "world"]),
        (["false"], 1, []),
    ],
)
def test_cmake_tools(run: RunTarget, arguments: list[str], code: int, output: list[str]) -> None:
    """Cmake -E (libuv over thread-pool, completion port, job) does small things."""
    ran = run("cmake", "-E", *arguments)
    assert (ran.exit_code, lines(ran.stdout)) == (code, output)


def test_cmake_script(run: RunTarget) -> None:
    """Cmake -P joins children by pipes, kills one that takes too long, and gives one a variable."""
    ran = run("cmake", "-P", "s.cmake")
    assert (ran.exit_code, ran.stderr.decode().replace("\r\n", "\n")) == (0, SCRIPT_OUTPUT)


def test_cmake_generates_ninja_files(run: RunTarget, work: Path) -> None:
    """CMake configures a project and has ninja read what it generated; its own strstr finds what it must replace."""
    ran = run("cmake", "-S", ".", "-B", "b", "-G", "Ninja")
    assert (ran.exit_code, ran.stderr) == (0, b"")
    assert lines(ran.stdout)[-1] == "-- Build files have been written to: E:/b"
    assert "$(" not in (work / "b" / "build.ninja").read_text()
    assert (work / "b" / "c.txt").read_bytes() == (work / "in.txt").read_bytes()
    assert "all_g: phony" in lines(run("ninja", "-C", "b", "-t", "targets", "all").stdout)


def test_ctest(run: RunTarget) -> None:
    """Ctest runs four tests: two pass, one fails, one is stopped."""
    ran = run("ctest")
    assert ran.exit_code == 8
    assert "50% tests passed, 2 tests failed out of 4" in lines(ran.stdout)
    shown = [line for line in lines(ran.stdout) if "Test #" in line]
    assert [verdict for line in shown for verdict in VERDICTS if verdict in line] == [
        "Passed", "Failed", "Timeout", "Passed",
    ]  # fmt: skip


# ---------------------------------------------------------------- esbuild


def test_esbuild_version(run: RunTarget) -> None:
    """Esbuild (Go, its own scheduler) says its version."""
    ran = run("esbuild", "--version")
    assert (ran.exit_code, lines(ran.stdout)) == (0, ["0.28.2"])


def test_esbuild_bundle(run: RunTarget, work: Path) -> None:
    """Esbuild bundles to standard output and, with a source map, to files."""
    ran = run("esbuild", "x.ts", "--minify", "--bundle", "--format=esm")
    assert (ran.exit_code, lines(ran.stdout)) == (0, [BUNDLE])
    assert run("esbuild", "x.ts", "--bundle", "--sourcemap", "--outfile=out/o.js").exit_code == 0
    assert "//# sourceMappingURL=o.js.map" in (work / "out" / "o.js").read_text()
    assert '"sources": ["../x.ts"]' in (work / "out" / "o.js.map").read_text()


def test_esbuild_missing_file(run: RunTarget) -> None:
    """Esbuild fails for a file that is not there."""
    ran = run("esbuild", "nosuch.ts")
    assert ran.exit_code == 1
    assert b'Could not resolve "nosuch.ts"' in ran.stderr


# ---------------------------------------------------------------- ruff


def test_ruff_version(run: RunTarget) -> None:
    """Ruff (Rust, mimalloc, thread-local storage with callbacks) says its version."""
    ran = run("ruff", "--version")
    assert (ran.exit_code, lines(ran.stdout)) == (0, ["ruff 0.17.6"])


def test_ruff_check(run: RunTarget) -> None:
    """Ruff finds what is wrong with a file."""
    ran = run("ruff", "check", "--no-cache", "--output-format=concise", "x.py")
    assert ran.exit_code == 1
    assert lines(ran.stdout)[:7] == FINDINGS.splitlines()


def test_ruff_format(run: RunTarget) -> None:
    """Ruff shows how a file would be formatted."""
    ran = run("ruff", "format", "--no-cache", "--diff", "x.py")
    assert ran.exit_code == 1
    assert "+def f(a, b):" in lines(ran.stdout)
    assert lines(ran.stderr)[-1] == "1 file would be reformatted"

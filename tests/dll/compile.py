"""Small C and C++ programs compiled when a test runs, and run on the machine: `ntos` as a subprocess."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

needs_compiler = pytest.mark.skipif(importlib.util.find_spec("ziglang") is None, reason="needs ziglang")
RUN_TIMEOUT, BUILD_TIMEOUT = 120, 240
MSVC = (
    "-target", "x86_64-windows-msvc", "-nostdinc", "-fexceptions", "-fcxx-exceptions", "-frtti", "-O1",
    "-fno-stack-protector", "-fno-sanitize=all", "-fno-builtin", "-Wno-unused-command-line-argument",
)  # fmt: skip


class Run(NamedTuple):
    """What a program left behind."""

    exit_code: int
    stdout: str
    stderr: str


def zig(*arguments: str, cwd: Path) -> None:
    """Run a tool of the compiler; what it says is the test's failure."""
    command = [sys.executable, "-m", "ziglang", *arguments]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=BUILD_TIMEOUT, check=False)
    assert done.returncode == 0, done.stderr


def build_c(folder: Path, source: str, *flags: str) -> Path:
    """A C program of mingw on the Universal CRT."""
    (folder / "program.c").write_text(source)
    common = ("-target", "x86_64-windows-gnu", "-O1", "-fno-sanitize=all", "-fms-extensions", "-Wno-everything")
    zig("cc", *common, "-o", "program.exe", "program.c", *flags, cwd=folder)
    return folder / "program.exe"


def build_msvc(folder: Path, source: Path, imports: Mapping[str, Sequence[str]]) -> Path:
    """A program of the Microsoft ABI without its headers; `imports` are DLLs and what is used of them."""
    libraries = []
    for dll, names in imports.items():
        (folder / f"{dll}.def").write_text(f"LIBRARY {dll}.dll\nEXPORTS\n" + "".join(f"{name}\n" for name in names))
        zig("dlltool", "-m", "i386:x86-64", "-d", f"{dll}.def", "-l", f"{dll}.lib", cwd=folder)
        libraries.append(f"{dll}.lib")
    zig("c++" if source.suffix == ".cpp" else "cc", *MSVC, "-c", "-o", "program.obj", str(source), cwd=folder)
    entry = ("/entry:mainCRTStartup", "/subsystem:console", "/nodefaultlib")
    zig("lld-link", *entry, "program.obj", *libraries, "/out:program.exe", cwd=folder)
    return folder / "program.exe"


def run(program: Path, *arguments: str, stdin: bytes = b"") -> Run:
    """Run a program to its end; line ends as C knows them."""
    result = program.parent / "result.json"
    command = [sys.executable, "-m", "ntos", "run", "--result", str(result), str(program), *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True, timeout=RUN_TIMEOUT, check=False)
    assert result.exists(), done.stderr.decode()
    code = json.loads(result.read_text())["exit_code"]
    return Run(code, done.stdout.decode("latin-1").replace("\r\n", "\n"), done.stderr.decode("latin-1"))

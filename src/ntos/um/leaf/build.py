"""Compile the leaf sources into the committed images: `python -m ntos.um.leaf.build` (needs ziglang)."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from ntos.um.leaf.image import HERE

NAMES = ("ntdll", "kernelbase", "ucrtbase", "vcruntime140")
LIMIT = 64 * 1024

# No vectoriser: the engine emulates SSE arithmetic through helper calls, which is slower than scalar code.
# The idiom "a loop that copies" must stay a loop inside memcpy itself: -fno-builtin.
COMPILE = [
    "-target", "x86_64-windows-gnu", "-std=c11", "-O2", "-ffreestanding", "-fno-builtin", "-nostdinc",
    "-fno-stack-protector", "-fno-sanitize=all", "-fno-vectorize", "-fno-slp-vectorize", "-mno-avx",
    "-mcpu=x86_64_v2", "-mno-stack-arg-probe", "-g0", "-Wall", "-Wextra", "-Werror",
    "-Wno-unused-function", "-c",
]  # fmt: skip
LINK = [
    "/dll", "/noentry", "/nodefaultlib", "/machine:x64", "/base:0x180000000", "/dynamicbase", "/Brepro",
    "/subsystem:native", "/filealign:512", "/opt:noref", "/noimplib",
]  # fmt: skip


def _zig(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "ziglang", *arguments]
    result = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - our own compiler
    if result.returncode:
        raise SystemExit(result.stderr + result.stdout)


def build(name: str) -> bytes:
    """The image of one DLL, compiled now; the same bytes for the same sources and compiler."""
    with tempfile.TemporaryDirectory() as folder:
        compiled, image = Path(folder, f"{name}.obj"), Path(folder, f"{name}.dll")
        _zig(["cc", *COMPILE, "-o", str(compiled), str(HERE / "src" / f"{name}.c")])
        _zig(["lld-link", *LINK, f"/out:{image}", str(compiled)])
        data = image.read_bytes()
    if len(data) >= LIMIT:
        raise SystemExit(f"{name}: {len(data)} bytes, more than a leaf should have")
    return data


def main() -> None:
    """Write all images beside this file."""
    for name in sys.argv[1:] or NAMES:
        data = build(name)
        (HERE / f"{name}.dll").write_bytes(data)
        sys.stdout.write(f"{name}.dll {len(data)} bytes\n")


if __name__ == "__main__":
    main()

"""Compile src/ntos/cli/starter/starter.c, the parent of what `ntos explain create` explains (needs ziglang).

python tools/make_starter.py          writes starter.exe beside it
python tools/make_starter.py --check  exit code 1 if the committed file is not what would be written
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import ziglang  # type: ignore[import-untyped]

ZIG = Path(ziglang.__file__).resolve().parent / "lib"
HERE = Path(__file__).resolve().parents[1] / "src" / "ntos" / "cli" / "starter"
TARGET = HERE / "starter.exe"
COMPILE = [
    "cc", "-target", "x86_64-windows-gnu", "-Os", "-s", "-fno-builtin", "-Wall", "-Wextra", "-Werror", "-nostdlib",
    "-isystem", str(ZIG / "libc/include/any-windows-any"), "-isystem", str(ZIG / "include"),
    "-Wl,--subsystem,console", "-Wl,-e,start",
]  # fmt: skip


def build() -> bytes:
    """The image, compiled now; the same bytes for the same source and compiler."""
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder, "starter.exe")
        command = [sys.executable, "-m", "ziglang", *COMPILE, "starter.c", "-lkernel32", "-o", str(image)]
        subprocess.run(command, cwd=HERE, check=True)
        return image.read_bytes()


def main() -> int:
    """Write or check."""
    data = build()
    if sys.argv[1:] == ["--check"]:
        return int(not TARGET.exists() or TARGET.read_bytes() != data)
    TARGET.write_bytes(data)
    return 0


if __name__ == "__main__":
    sys.exit(main())

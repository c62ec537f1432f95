"""How long until the first guest instruction: run in a fresh process, prints CPU and wall seconds since its start."""

from __future__ import annotations

import importlib
import os
import sys
import time
from pathlib import Path
from typing import NoReturn

HELLO = Path(__file__).resolve().parents[1] / "samples" / "bin" / "hello_printf.exe"


def tell() -> NoReturn:
    """Print the two figures and end at once; argument 2 is the moment the command was given (CLOCK_MONOTONIC)."""
    print(time.process_time(), time.monotonic() - float(sys.argv[2]), flush=True)
    os._exit(0)


def ntos() -> None:
    """As `ntos run hello_printf.exe` does it, until the backend is first asked to run user code."""
    cli = importlib.import_module("ntos.cli")
    engine = importlib.import_module("ntos.hal.unicorn.engine")
    engine.UnicornBackend.run = lambda *_: tell()
    cli.main(["run", str(HELLO)])


def bare() -> None:
    """Raw Unicorn with one page of code."""
    unicorn = importlib.import_module("unicorn")
    engine = unicorn.Uc(unicorn.UC_ARCH_X86, unicorn.UC_MODE_64)
    engine.mem_map(0x1000, 0x1000)
    engine.mem_write(0x1000, b"\x90")
    engine.emu_start(0x1000, 0x1001)
    tell()


if __name__ == "__main__":
    {"ntos": ntos, "bare": bare}[sys.argv[1]]()

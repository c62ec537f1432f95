"""Minimal processes: an address space with nothing in it, for the kernel's own use (PsCreateMinimalProcess).

There is no image, PEB, ntdll or KUSER_SHARED_DATA; only the kernel makes them, and whoever does decides what lies in
them. The Registry process is one (the configuration manager's, for hive data); pico processes are built on them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.status import NtError
from ntos.ps.allocate import Creation, allocate_process
from ntos.ps.exit import abandon
from ntos.ps.insert import insert_process
from ntos.ps.manager import ProcessManager

if TYPE_CHECKING:
    from ntos.ke.kernel import Kernel
    from ntos.ke.process import Process


def create_minimal_process(kernel: Kernel, name: str, *, parent: Process | None = None, level: int = 0) -> Process:
    """A process of this name with a reference of the caller's, a copy of its parent's token, and no thread."""
    above = parent or kernel[ProcessManager].system
    creation = Creation(above, above, image_path=name, protection=level, minimal=True)
    made: list[Process] = []
    try:
        process = allocate_process(kernel, creation, made.append)
        insert_process(process)
    except NtError:
        for unborn in made:
            abandon(unborn)
        raise
    return process

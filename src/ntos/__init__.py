"""ntos: the Windows process subsystem, in Python.

Real 64-bit Windows programs on any machine, without Windows: a real NT executive whose structures are true bytes in
an emulated machine's physical memory. `from ntos.machine import Machine` (also `ntos.Machine`) is the API behind
`ntos run`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos import version

if TYPE_CHECKING:
    from ntos.machine import Machine, Process

__version__ = version.VERSION

__all__ = ["Machine", "Process", "__version__"]


def __getattr__(name: str) -> object:
    if name in ("Machine", "Process"):
        from ntos import machine  # noqa: PLC0415 - `import ntos` alone stays cheap

        return getattr(machine, name)
    raise AttributeError(f"module 'ntos' has no attribute {name!r}")

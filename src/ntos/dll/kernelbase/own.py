"""Where kernelbase's own functions stand, for those the kernel or ntdll is to call back."""

from __future__ import annotations

from dataclasses import dataclass

from ntos.um.images import build
from ntos.um.thread import UserThread


@dataclass
class Own:
    """Where the module lies, as DllMain was told."""

    base: int = 0


def own_entry(thread: UserThread, name: str) -> int:
    """The address of one of our functions, exported or hidden (`ntos_…`)."""
    return thread.state(Own).base + build("kernelbase").rvas[name]

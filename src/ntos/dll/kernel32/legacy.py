"""What 16-bit Windows left in kernel32."""

from __future__ import annotations

from ntos.abi.types import UINT
from ntos.um.export import export
from ntos.um.thread import UserThread


@export
def SetHandleCount(thread: UserThread, uNumber: UINT) -> UINT:
    """How many files may be open: as many as were asked for, Windows NT has no limit to set."""
    return uNumber

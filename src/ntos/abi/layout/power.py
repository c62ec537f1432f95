"""Power management (ntpoapi.h)."""

from __future__ import annotations

from ntos.abi.struct import Struct, at
from ntos.abi.types import ULONG


class PROCESSOR_POWER_INFORMATION(Struct, size=0x18):
    """The speed of one processor and its idle states."""

    Number           = at(0x00, ULONG)
    MaxMhz           = at(0x04, ULONG)
    CurrentMhz       = at(0x08, ULONG)
    MhzLimit         = at(0x0C, ULONG)
    MaxIdleState     = at(0x10, ULONG)
    CurrentIdleState = at(0x14, ULONG)

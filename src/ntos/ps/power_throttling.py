"""Power throttling of processes and threads: what was asked for is kept and told, there being no slower speed here."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ntos.abi.status import STATUS, Denied, NtError

if TYPE_CHECKING:
    from ntos.ke.process import Process
    from ntos.ke.thread import Thread
    from ntos.ps.information import Asked

VERSION = 1
EXECUTION_SPEED = 1
"""The only mechanism of this build (POWER_THROTTLING_PROCESS_EXECUTION_SPEED, and the same for threads)."""


class Throttling:
    """Which mechanisms somebody controls, and which of those are on."""

    def __init__(self) -> None:
        self.control = 0
        self.state = 0


def query(asked: Asked[Process] | Asked[Thread]) -> bytes:
    """POWER_THROTTLING_PROCESS_STATE, or …THREAD_STATE, which is laid out alike."""
    kept = asked.target.part(Throttling)
    return struct.pack("<3I", VERSION, kept.control, kept.state)


def change(asked: Asked[Process] | Asked[Thread]) -> None:
    """Take control of mechanisms, or (both masks 0) leave them to the system again."""
    version, control, state = struct.unpack("<3I", asked.read())
    if version != VERSION or control & ~EXECUTION_SPEED or state & ~control:
        inputs = {"Version": version, "ControlMask": control, "StateMask": state}
        raise NtError(STATUS.INVALID_PARAMETER, Denied("power throttling", inputs, "version 1, execution speed"))
    kept = asked.target.part(Throttling)
    kept.control, kept.state = control, state

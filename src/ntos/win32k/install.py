"""What of win32k is there from the start: the object types and the sessions' window stations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos import ob
from ntos.win32k.memory import SessionPool
from ntos.win32k.station import DESKTOP_TYPE, STATION_TYPE, create_stations

if TYPE_CHECKING:
    from ntos.ke.kernel import Kernel


def install(kernel: Kernel, sessions: tuple[int, ...]) -> None:
    """Types, session pool, and what csrss and winlogon make for each session."""
    for kind in (STATION_TYPE, DESKTOP_TYPE):
        kernel[ob.ObjectManager].register(kind)
    kernel.install(SessionPool(kernel))
    for session in sessions:
        create_stations(kernel, session)

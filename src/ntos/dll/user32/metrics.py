"""GetSystemMetrics.

Its facts are true as zeros: a normal boot (SM_CLEANBOOT), a local session (SM_REMOTESESSION), no mouse, no monitor.
"""

from __future__ import annotations

from ntos.abi.types import INT
from ntos.um.export import export
from ntos.um.thread import UserThread


@export(partial="measures of windows and icons are 0, the answer of failure: there is no display")
def GetSystemMetrics(thread: UserThread, nIndex: INT) -> INT:
    """A measure or fact of the system by number; 0 for what is absent or unknown."""
    return INT(0)

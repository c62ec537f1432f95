"""What the host sees when `ntos` ends; the README documents the same table."""

from __future__ import annotations

from typing import Final

LARGEST: Final = 255
"""A guest's exit code up to this is the host's; a larger one becomes 255, and a line on stderr says the full code."""
USAGE: Final = 2
STOPPED: Final = 123
"""The kernel stopped the machine: a blue screen on Windows."""
TIMED_OUT: Final = 124
FAILED: Final = 125
NOT_RUNNABLE: Final = 126
NOT_FOUND: Final = 127
INTERRUPTED: Final = 130

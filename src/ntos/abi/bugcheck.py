"""Bug check codes (bugcodes.h)."""

from __future__ import annotations

from enum import IntEnum


class BUGCHECK(IntEnum):
    """Why a machine stopped."""

    CRITICAL_PROCESS_DIED = 0xEF

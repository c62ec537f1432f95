"""From status codes to Win32 errors."""

from __future__ import annotations

import functools
import json
from importlib.resources import files
from typing import Final

from ntos.abi.errors import ERROR

CUSTOMER_BIT: Final = 0x2000_0000
"""Set in codes that are no one's but the program's own; they come through unchanged."""

WIN32_FACILITIES: Final = (0x8007, 0xC001, 0xC007)
"""High words under which the low word already is a Win32 error: FACILITY_WIN32 and the like."""


@functools.cache
def _table() -> dict[int, int]:
    """Win32 error by status. The figures are those that RtlNtStatusToDosError gives on Windows 10."""
    text = (files("ntos.abi") / "data" / "dos_errors.json").read_text("utf-8")
    return {int(status, 16): error for status, error in json.loads(text).items()}


def nt_status_to_dos_error(status: int) -> int:
    """The Win32 error for a status (RtlNtStatusToDosErrorNoTeb); ERROR_MR_MID_NOT_FOUND if it has none."""
    status &= 0xFFFF_FFFF
    if status == 0 or status & CUSTOMER_BIT:
        return status
    if status >> 28 == 0xD:  # the NT bit, which HRESULT_FROM_NT sets, says nothing more
        status &= ~0x1000_0000
    known = _table().get(status)
    if known is not None:
        return known
    if status >> 16 in WIN32_FACILITIES:
        return status & 0xFFFF
    return ERROR.MR_MID_NOT_FOUND

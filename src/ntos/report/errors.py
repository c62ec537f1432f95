"""Names of Win32 errors."""

from __future__ import annotations

from functools import cache

from ntos.abi.errors import ERROR


@cache
def _names() -> dict[int, str]:
    return {value: f"ERROR_{name}" for name, value in vars(ERROR).items() if isinstance(value, int)}


def error_name(code: int) -> str:
    """`ERROR_ACCESS_DENIED` for 5; empty for 0 and what has no name here."""
    return _names().get(code, "") if code else ""

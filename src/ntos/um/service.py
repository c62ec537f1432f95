"""`settle`: a service's answer, whether or not that service can block."""

from __future__ import annotations

from typing import Any


async def settle(result: Any) -> Any:
    """The status of a call through `nt`: awaited if it is a coroutine."""
    return await result if hasattr(result, "__await__") else result

"""The system's message texts."""

from __future__ import annotations

import functools
import json
from importlib.resources import files


@functools.cache
def _table() -> dict[int, str]:
    """Text by Win32 error, in the wording of Microsoft's published list (MS-ERREF 2.2)."""
    text = (files("ntos.abi") / "data" / "messages.json").read_text("utf-8")
    return {int(code): message for code, message in json.loads(text).items()}


def system_message(code: int) -> str | None:
    """What FormatMessage with FORMAT_MESSAGE_FROM_SYSTEM says of a Win32 error, without the line end."""
    return _table().get(code & 0xFFFF_FFFF)

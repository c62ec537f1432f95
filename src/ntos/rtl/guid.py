"""GUIDs: 16 bytes and their text."""

from __future__ import annotations

import re
import uuid

from ntos.abi.status import STATUS, NtError

_PATTERN = re.compile(r"\{[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\}", re.IGNORECASE)


def to_text(data: bytes) -> str:
    """`{00000000-0000-0000-C000-000000000046}` for the 16 bytes in memory (RtlStringFromGUID)."""
    return f"{{{uuid.UUID(bytes_le=bytes(data))}}}".upper()


def from_text(text: str) -> bytes:
    """The 16 bytes of a GUID in braces (RtlGUIDFromString)."""
    if not _PATTERN.fullmatch(text):
        raise NtError(STATUS.INVALID_PARAMETER)
    return uuid.UUID(text).bytes_le

"""Several byte strings as one message, and back: what our own servers and their clients say over ALPC.

On Windows MIDL's stubs do this; the format here is ours.
"""

from __future__ import annotations

import struct

from ntos.abi.status import STATUS, NtError


def pack(*fields: bytes | str | int) -> bytes:
    """Each field with its length; text as UTF-16, numbers as eight bytes."""
    parts = []
    for field in fields:
        data = field
        if isinstance(data, str):
            data = data.encode("utf-16-le", "surrogatepass")
        elif isinstance(data, int):
            data = data.to_bytes(8, "little")
        parts.append(struct.pack("<I", len(data)) + data)
    return b"".join(parts)


def unpack(data: bytes, count: int) -> list[bytes]:
    """The `count` fields of a message; INVALID_PARAMETER for any other."""
    fields, at = [], 0
    while at + 4 <= len(data):
        (size,) = struct.unpack_from("<I", data, at)
        fields.append(data[at + 4 : at + 4 + size])
        at += 4 + size
    if len(fields) != count or at != len(data):
        raise NtError(STATUS.INVALID_PARAMETER)
    return fields


def text(data: bytes) -> str:
    """A field that is text; INVALID_PARAMETER for what cannot be."""
    if len(data) % 2:
        raise NtError(STATUS.INVALID_PARAMETER)
    return data.decode("utf-16-le", "surrogatepass")


def number(data: bytes) -> int:
    """A field that is a number."""
    return int.from_bytes(data, "little")

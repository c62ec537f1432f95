"""Handing answers of query services to the caller's buffer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.status import STATUS, NtError

if TYPE_CHECKING:
    from ntos.abi.pointer import Out
    from ntos.abi.struct import Struct
    from ntos.abi.types import NTSTATUS, ULONG
    from ntos.ke.thread import Thread


def exact(thread: Thread, buffer: int, length: int, value: Struct, returned: Out[ULONG] | None) -> NTSTATUS:
    """An answer of fixed size; the buffer must have exactly that size."""
    if length != value.size:
        raise NtError(STATUS.INFO_LENGTH_MISMATCH)
    thread.memory.write(buffer, bytes(value))
    if returned is not None:
        returned.write(value.size)
    return STATUS.SUCCESS


def variable(
    thread: Thread,
    buffer: int,
    length: int,
    data: bytes | bytearray,
    returned: Out[ULONG] | None,
    too_small: NTSTATUS = STATUS.INFO_LENGTH_MISMATCH,
) -> NTSTATUS:
    """An answer whose size the caller learns; `too_small` where the buffer cannot hold it."""
    if returned is not None:
        returned.write(len(data))
    if length < len(data):
        return too_small
    thread.memory.write(buffer, data)
    return STATUS.SUCCESS

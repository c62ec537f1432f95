"""ntdll's exports, called as guest code: a real ntdll may stand there as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.status import NtError
from ntos.abi.types import NTSTATUS

if TYPE_CHECKING:
    from ntos.um.thread import UserThread

WORD = 0xFFFF_FFFF_FFFF_FFFF
ERROR = 3
"""The severity in an NTSTATUS's two top bits."""


async def rtl(thread: UserThread, name: str, *arguments: int) -> int:
    """What ntdll's function `name` returns in RAX."""
    return await thread.call(thread.entry("ntdll", name), *(argument & WORD for argument in arguments))


async def rtl_status(thread: UserThread, name: str, *arguments: int) -> int:
    """The status ntdll's function `name` returns; NtError for an error status."""
    status = await rtl(thread, name, *arguments) & 0xFFFF_FFFF
    if status >> 30 == ERROR:
        raise NtError(NTSTATUS(status))
    return status

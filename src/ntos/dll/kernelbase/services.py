"""The two ways down: system services, and ntdll's exports called as guest code.

A DLL does not know which services can block; `await nt.NtX(thread, …)` is right for all of them.
ntdll's functions
are called at their addresses, so that a real ntdll may stand there as well.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from ntos.abi.status import STATUS, NtError
from ntos.abi.types import NTSTATUS
from ntos.um import nt as service_stubs
from ntos.um.export import WinError
from ntos.um.ntdll import rtl, rtl_status
from ntos.um.thread import UserThread

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

NOT_ENOUGH_MEMORY = 8
ENDS = (STATUS.NO_MORE_ENTRIES, STATUS.NO_MORE_FILES)
"""Warnings by number, but the end of a listing is a failure to every Win32 caller."""


class _Services:
    """`await nt.NtX(thread, …)`: the status; error statuses are raised."""

    def __getattr__(self, name: str) -> Callable[..., Awaitable[int]]:
        service = getattr(service_stubs, name)

        async def ask(thread: UserThread, *arguments: int) -> int:
            result = service(thread, *arguments)
            answer: int = await result if inspect.isawaitable(result) else result
            if answer in ENDS:
                raise NtError(NTSTATUS(answer))
            return answer

        setattr(self, name, ask)
        return ask


nt = _Services()


async def allocate(thread: UserThread, size: int, flags: int = 0) -> int:
    """A block of the process heap; ERROR_NOT_ENOUGH_MEMORY where there is none."""
    block = await rtl(thread, "RtlAllocateHeap", int(thread.peb.ProcessHeap), flags, size)
    if block == 0:
        raise WinError(NOT_ENOUGH_MEMORY)
    return block


async def allocate_bytes(thread: UserThread, data: bytes) -> int:
    """A block of the process heap with these bytes in it."""
    block = await allocate(thread, max(len(data), 1))
    thread.memory.write(block, data)
    return block


async def free(thread: UserThread, block: int) -> bool:
    """Give a block of the process heap back."""
    return await rtl(thread, "RtlFreeHeap", int(thread.peb.ProcessHeap), 0, block) & 0xFF != 0


__all__ = ["allocate", "allocate_bytes", "free", "nt", "rtl", "rtl_status"]

"""The loader lock (PEB.LoaderLock): held while modules are loaded, initialised and let go."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from ntos.abi.status import GuestFault, NtError
from ntos.dll.ntdll import guest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ntos.um.thread import UserThread

OWNING_THREAD = 0x10


async def acquire(thread: UserThread) -> None:
    """Enter the lock."""
    await thread.call(guest.routine(thread, "RtlEnterCriticalSection"), int(thread.peb.LoaderLock))


async def release(thread: UserThread) -> None:
    """Leave the lock."""
    await thread.call(guest.routine(thread, "RtlLeaveCriticalSection"), int(thread.peb.LoaderLock))


@asynccontextmanager
async def locked(thread: UserThread) -> AsyncIterator[None]:
    """Hold the lock for the block.

    When the guest unwinds past the block the lock stays taken: no guest code can be run on the way out.
    """
    await acquire(thread)
    try:
        yield
    except (NtError, GuestFault):
        await release(thread)
        raise
    await release(thread)

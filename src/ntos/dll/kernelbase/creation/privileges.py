"""Privileges CreateProcessAsUser has on for as long as it lasts, if the caller has them (Microsoft Learn, Remarks)."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from ntos.abi.se import SE_PRIVILEGE
from ntos.dll.kernelbase.services import rtl

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ntos.um.thread import UserThread

WANTED = (SE_PRIVILEGE.ASSIGN_PRIMARY_TOKEN, SE_PRIVILEGE.INCREASE_QUOTA)


@asynccontextmanager
async def enabled(thread: UserThread) -> AsyncIterator[None]:
    """Both on, as far as the caller has them; afterwards as they were."""
    changed = [number for number in WANTED if await _switch(thread, number, on=True)]
    try:
        yield
    finally:
        for number in changed:
            await _switch(thread, number, on=False)


async def _switch(thread: UserThread, number: int, *, on: bool) -> bool:
    """Whether this changed it."""
    with thread.frame() as frame:
        was = frame.allocate(8)
        status = await rtl(thread, "RtlAdjustPrivilege", number, int(on), 0, was)
        return not status & 0xFFFF_FFFF and thread.memory.read(was, 1)[0] != on

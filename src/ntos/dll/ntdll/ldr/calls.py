"""Calling into modules: DllMain, TLS callbacks, notifications."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.status import NtError
from ntos.abi.types import NTSTATUS
from ntos.dll.ntdll.guard import Caught, guarded_call, take_all

if TYPE_CHECKING:
    from ntos.um.thread import UserThread


async def call_routine(thread: UserThread, routine: int, base: int, reason: int, reserved: int) -> int:
    """Run an init routine; an exception it lets out becomes the status (LdrpCallInitRoutine)."""
    try:
        return await guarded_call(thread, take_all, routine, base, reason, reserved)
    except Caught as caught:
        raise NtError(NTSTATUS(caught.code)) from caught

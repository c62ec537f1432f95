"""Exceptions that ask whether somebody is there: raised in a `__try` that takes what nobody wants."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ntos.dll.ntdll.exception import RECORD_SIZE
from ntos.dll.ntdll.guard import Caught, guarded_call, take_all

if TYPE_CHECKING:
    from ntos.um.thread import UserThread


async def offer(thread: UserThread, code: int, *information: int) -> bool:
    """Raise an exception; whether a debugger or a vectored handler took it."""
    count = len(information)
    record = struct.pack(f"<IIQQI4x{count}Q", code, 0, 0, 0, count, *information).ljust(RECORD_SIZE, b"\0")
    with thread.frame() as frame:
        try:
            await guarded_call(thread, take_all, thread.entry("ntdll", "RtlRaiseException"), frame.bytes(record))
        except Caught:
            return False
    return True


async def break_in(thread: UserThread, routine: str) -> None:
    """Call a routine of ntdll that is a breakpoint, which does no harm where no debugger takes it."""
    try:
        await guarded_call(thread, take_all, thread.entry("ntdll", routine))
    except Caught:
        return

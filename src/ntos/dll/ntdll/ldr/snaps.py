"""Loader snaps: what `gflags +sls` prints, sent where DbgPrint goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.dll.ntdll import guest
from ntos.etw.event import DebugPrint

if TYPE_CHECKING:
    from ntos.dll.ntdll.ldr.state import Loader
    from ntos.um.thread import UserThread

CLIENT_ID = 0x40
TICK_COUNT = guest.SHARED_DATA + 0x320


def tell(thread: UserThread, loader: Loader, function: str, text: str, level: str = "INFO") -> None:
    """Print a snap when they are on: `pid:tid @ tick - Function - LEVEL: text`."""
    if not loader.show_snaps:
        return
    process = guest.u64(thread.memory, thread.context.gs_base + CLIENT_ID)
    tick = guest.u32(thread.memory, TICK_COUNT) * 15625 // 1000 & 0xFFFF_FFFF
    line = f"{process:04x}:{thread.id:04x} @ {tick:08d} - {function} - {level}: {text}\n"
    thread.log.emit(DebugPrint(text=line))

"""The security cookie: a random word in the image before any of its code runs (LdrpInitSecurityCookie)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.pe import directories
from ntos.abi.types import ULONG
from ntos.dll.ntdll import guest
from ntos.dll.ntdll.ldr.image import reader
from ntos.um import nt

if TYPE_CHECKING:
    from ntos.dll.ntdll.ldr.state import Module
    from ntos.um.thread import UserThread

DEFAULT_COOKIE = 0x0000_2B99_2DDF_A232
PROCESS_COOKIE = 36


class ProcessCookie:
    """The process's secret word, asked of the kernel once (RtlEncodePointer uses it too)."""

    def __init__(self) -> None:
        self.value: int | None = None
        self.used = 0


async def process_cookie(thread: UserThread) -> int:
    """The kernel's random word for this process (ProcessCookie)."""
    known = thread.state(ProcessCookie)
    if known.value is None:
        with thread.frame() as frame:
            word = frame.new(ULONG)
            await guest.settle(
                nt.NtQueryInformationProcess(thread, guest.CURRENT_PROCESS, PROCESS_COOKIE, word.address, 4, 0)
            )
            known.value = int(word.read())
    return known.value


async def initialize(thread: UserThread, module: Module) -> None:
    """Write a random word over the image's default cookie."""
    config = directories.load_config(reader(thread.memory, module.base), module.headers)
    if config is None or not module.base <= config.security_cookie < module.base + module.size:
        return
    if guest.u64(thread.memory, config.security_cookie) not in (DEFAULT_COOKIE, 0):
        return
    secret = await process_cookie(thread)
    # As the loader does, the word mixes what differs between images with what differs between processes.
    value = (secret * 0x9E37_79B9_7F4A_7C15 ^ module.base ^ config.security_cookie << 16) & 0xFFFF_FFFF_FFFF
    if value in (DEFAULT_COOKIE, 0):
        value += 1
    guest.put64(thread.memory, config.security_cookie, value)

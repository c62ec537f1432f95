r"""Random bytes for user mode, from the kernel's generator (\Device\CNG), as bcryptprimitives and advapi32 get them."""

from __future__ import annotations

import struct

from ntos.abi.status import NtError
from ntos.abi.types import NTSTATUS, PVOID
from ntos.um import nt
from ntos.um.service import settle
from ntos.um.thread import UserThread

DEVICE = "\\Device\\CNG"
IOCTL_KSEC_RNG = 0x39_0004
SYNCHRONIZE, FILE_READ_DATA = 0x10_0000, 1
SHARE_ALL, SYNCHRONOUS = 7, 0x20
OBJ_CASE_INSENSITIVE = 0x40


class Source:
    """The process's handle to the device."""

    def __init__(self) -> None:
        self.handle = 0


async def fill_random(thread: UserThread, buffer: int, size: int) -> None:
    """Put `size` random bytes at `buffer`."""
    source = thread.state(Source)
    with thread.frame() as frame:
        status = frame.allocate(16)
        if not source.handle:
            place = frame.allocate(8)
            name = frame.unicode_string(DEVICE)
            attributes = frame.bytes(struct.pack("<I4xQQI4xQQ", 0x30, 0, name, OBJ_CASE_INSENSITIVE, 0, 0))
            access = SYNCHRONIZE | FILE_READ_DATA
            await settle(nt.NtOpenFile(thread, place, access, attributes, status, SHARE_ALL, SYNCHRONOUS))
            source.handle = PVOID.load(thread.memory, place)
        result = await settle(
            nt.NtDeviceIoControlFile(
                thread, source.handle, 0, 0, 0, status, IOCTL_KSEC_RNG, 0, 0, buffer, size
            )
        )
    if result:
        raise NtError(NTSTATUS(result))


async def random_bytes(thread: UserThread, size: int) -> bytes:
    """`size` random bytes."""
    with thread.frame() as frame:
        place = frame.allocate(size)
        await fill_random(thread, place, size)
        return thread.memory.read(place, size)

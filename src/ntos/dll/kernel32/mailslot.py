"""Mailslots (winbase.h)."""

from __future__ import annotations

import struct

from ntos.abi.access import GENERIC_READ, SYNCHRONIZE, WRITE_DAC
from ntos.abi.io import FILE_INFORMATION_CLASS, FILE_SYNCHRONOUS_IO_NONALERT
from ntos.abi.layout.win32 import SECURITY_ATTRIBUTES
from ntos.abi.pointer import Out, Ptr
from ntos.abi.types import BOOL, DWORD, HANDLE, LARGE_INTEGER, WCHAR
from ntos.abi.win32 import INVALID_HANDLE_VALUE
from ntos.dll.kernelbase.file_info import set_bytes
from ntos.dll.kernelbase.objects import attributes, new_handle, new_status, nt_path
from ntos.dll.kernelbase.services import nt
from ntos.dll.kernelbase.text import export_both, text_of
from ntos.um.export import export
from ntos.um.thread import UserThread

WAIT_FOREVER = 0xFFFF_FFFF
INFORMATION = struct.Struct("<4Iq")
"""FILE_MAILSLOT_QUERY_INFORMATION."""


def _timeout(milliseconds: int) -> int:
    return -1 if milliseconds == WAIT_FOREVER else -milliseconds * 10_000


@export_both(fails=INVALID_HANDLE_VALUE)
async def CreateMailslotW(
    thread: UserThread,
    lpName: Ptr[WCHAR],
    nMaxMessageSize: DWORD,
    lReadTimeout: DWORD,
    lpSecurityAttributes: Ptr[SECURITY_ATTRIBUTES] | None,
) -> HANDLE:
    """A mailslot, and its reader's handle."""
    with thread.frame() as frame:
        handle = new_handle(frame)
        wait: Ptr[LARGE_INTEGER] = frame.new(LARGE_INTEGER)
        wait.write(_timeout(lReadTimeout))
        where = attributes(frame, nt_path(thread, text_of(lpName)), security=lpSecurityAttributes)
        await nt.NtCreateMailslotFile(
            thread, handle.address, GENERIC_READ | SYNCHRONIZE | WRITE_DAC, where, new_status(frame).address,
            FILE_SYNCHRONOUS_IO_NONALERT, 0, nMaxMessageSize, wait.address,
        )  # fmt: skip
        return HANDLE(handle.read())


@export
async def GetMailslotInfo(
    thread: UserThread,
    hMailslot: HANDLE,
    lpMaxMessageSize: Out[DWORD] | None,
    lpNextSize: Out[DWORD] | None,
    lpMessageCount: Out[DWORD] | None,
    lpReadTimeout: Out[DWORD] | None,
) -> BOOL:
    """Bounds of a mailslot and what waits in it."""
    with thread.frame() as frame:
        place = frame.allocate(INFORMATION.size)
        kind = FILE_INFORMATION_CLASS.FileMailslotQueryInformation
        status = new_status(frame).address
        await nt.NtQueryInformationFile(thread, hMailslot, status, place, INFORMATION.size, kind)
        maximum, _, following, count, timeout = INFORMATION.unpack(thread.memory.read(place, INFORMATION.size))
    milliseconds = WAIT_FOREVER if timeout == -1 else -timeout // 10_000
    places = (lpMaxMessageSize, lpNextSize, lpMessageCount, lpReadTimeout)
    for where, value in zip(places, (maximum, following, count, milliseconds), strict=True):
        if where is not None:
            where.write(value)
    return BOOL(1)


@export
async def SetMailslotInfo(thread: UserThread, hMailslot: HANDLE, lReadTimeout: DWORD) -> BOOL:
    """How long the mailslot's reader waits."""
    with thread.frame() as frame:
        wait: Ptr[LARGE_INTEGER] = frame.new(LARGE_INTEGER)
        wait.write(_timeout(lReadTimeout))
        data = wait.address.to_bytes(8, "little")
        await set_bytes(thread, hMailslot, data, FILE_INFORMATION_CLASS.FileMailslotSetInformation)
    return BOOL(1)

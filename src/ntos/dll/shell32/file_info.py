"""SHGetFileInfo: of it, what kind of program a file is (shellapi.h)."""

from __future__ import annotations

import struct

from ntos.abi.errors import ERROR
from ntos.abi.pointer import Ptr
from ntos.abi.types import DWORD, PVOID, UINT, ULONG_PTR, WCHAR
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread
from ntos.um.win32 import win32

SHGFI_EXETYPE = 0x2000
GENERIC_READ, SHARE_READ_DELETE, OPEN_EXISTING = 0x8000_0000, 5, 3
INVALID_HANDLE = 0xFFFF_FFFF_FFFF_FFFF
WINDOWS_GUI = 2
HEADERS = 0x1000


def executable_type(data: bytes) -> int:
    """'PE' for a console program, with the subsystem's version above it for one with windows, 'MZ' for DOS; else 0."""
    if data[:2] != b"MZ" or len(data) < 0x40:
        return 0
    (place,) = struct.unpack_from("<I", data, 0x3C)
    if data[place : place + 4] != b"PE\0\0" or len(data) < place + 0x60:
        return 0x5A4D
    major, minor = struct.unpack_from("<HH", data, place + 0x48)
    (subsystem,) = struct.unpack_from("<H", data, place + 0x5C)
    return 0x4550 | ((major << 8 | minor) << 16 if subsystem == WINDOWS_GUI else 0)


@export(partial="only SHGFI_EXETYPE: no icons, no display names, no attributes")
async def SHGetFileInfoW(
    thread: UserThread, pszPath: Ptr[WCHAR], dwFileAttributes: DWORD, psfi: PVOID, cbFileInfo: UINT, uFlags: UINT
) -> ULONG_PTR:
    """What kind of program a file is; 0 where it is none."""
    if uFlags != SHGFI_EXETYPE:
        raise WinError(ERROR.CALL_NOT_IMPLEMENTED)
    with thread.frame() as frame:
        file = await win32(
            thread, "CreateFileW", pszPath.address, GENERIC_READ, SHARE_READ_DELETE, 0, OPEN_EXISTING, 0, 0
        )
        if file == INVALID_HANDLE:
            return ULONG_PTR(0)
        buffer, count = frame.allocate(HEADERS), frame.bytes(bytes(8))
        done = await win32(thread, "ReadFile", file, buffer, HEADERS, count, 0)
        await win32(thread, "CloseHandle", file)
        size = int.from_bytes(thread.memory.read(count, 4), "little") if done & 0xFFFF_FFFF else 0
        return ULONG_PTR(executable_type(thread.memory.read(buffer, size)))

"""Initialization files as files: found, read and written whole, in the encoding they have."""

from __future__ import annotations

from ntos.abi.access import GENERIC_READ, GENERIC_WRITE
from ntos.abi.io import FILE_ATTRIBUTE_NORMAL, FILE_SHARE_READ, FILE_SHARE_WRITE
from ntos.abi.layout.file_info import FILE_STANDARD_INFORMATION
from ntos.abi.status import STATUS, NtError
from ntos.abi.win32 import CREATE_ALWAYS, OPEN_EXISTING
from ntos.dll.kernelbase.file import create_file
from ntos.dll.kernelbase.file_info import query
from ntos.dll.kernelbase.objects import new_status
from ntos.dll.kernelbase.search import windows_directory
from ntos.dll.kernelbase.services import allocate, allocate_bytes, free, nt
from ntos.rtl.nls.codepage import ansi, to_ansi
from ntos.rtl.profile import Profile
from ntos.rtl.text import from_utf16, to_utf16
from ntos.um.thread import UserThread

BYTE_ORDER_MARK = b"\xff\xfe"
ABSENT = (STATUS.OBJECT_NAME_NOT_FOUND, STATUS.OBJECT_PATH_NOT_FOUND)


class TextFile(Profile):
    """An initialization file that knows whether it is UTF-16."""

    def __init__(self, data: bytes = b"") -> None:
        self.wide = data.startswith(BYTE_ORDER_MARK)
        super().__init__(from_utf16(data[2:]) if self.wide else ansi(data))

    @property
    def data(self) -> bytes:
        """The file's bytes."""
        return BYTE_ORDER_MARK + to_utf16(self.text) if self.wide else to_ansi(self.text)


def _path(thread: UserThread, name: str) -> str:
    return name if any(mark in name for mark in "\\/:") else f"{windows_directory(thread)}\\{name}"


async def load(thread: UserThread, name: str) -> TextFile:
    """The file; an empty one where there is none."""
    share = FILE_SHARE_READ | FILE_SHARE_WRITE
    try:
        handle = await create_file(
            thread, _path(thread, name), GENERIC_READ, share, None, OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL
        )
    except NtError as error:
        if error.status in ABSENT:
            return TextFile()
        raise
    try:
        size = int((await query(thread, handle, FILE_STANDARD_INFORMATION)).EndOfFile)
        return TextFile(await _read(thread, handle, size)) if size else TextFile()
    finally:
        await nt.NtClose(thread, handle)


async def _read(thread: UserThread, handle: int, size: int) -> bytes:
    buffer = await allocate(thread, size)
    try:
        with thread.frame() as frame:
            status = new_status(frame)
            await nt.NtReadFile(thread, handle, 0, 0, 0, status.address, buffer, size, 0, 0)
            return thread.memory.read(buffer, int(status.Information))
    finally:
        await free(thread, buffer)


async def store(thread: UserThread, name: str, file: TextFile) -> None:
    """Write the file anew."""
    data = file.data
    handle = await create_file(
        thread, _path(thread, name), GENERIC_WRITE, FILE_SHARE_READ, None, CREATE_ALWAYS, FILE_ATTRIBUTE_NORMAL
    )
    buffer = await allocate_bytes(thread, data)
    try:
        with thread.frame() as frame:
            status = new_status(frame)
            await nt.NtWriteFile(thread, handle, 0, 0, 0, status.address, buffer, len(data), 0, 0)
    finally:
        await free(thread, buffer)
        await nt.NtClose(thread, handle)

"""NtQueryInformationFile and NtSetInformationFile in the shape the file functions want."""

from __future__ import annotations

from typing import TypeVar

from ntos.abi.io import FILE_INFORMATION_CLASS
from ntos.abi.layout import file_info as layout
from ntos.abi.status import STATUS, NtError
from ntos.abi.struct import Struct
from ntos.dll.kernelbase.objects import new_status
from ntos.dll.kernelbase.services import nt
from ntos.um.thread import UserThread

S = TypeVar("S", bound=Struct)
_CLASSES: dict[type[Struct], int] = {
    layout.FILE_BASIC_INFORMATION: FILE_INFORMATION_CLASS.FileBasicInformation,
    layout.FILE_STANDARD_INFORMATION: FILE_INFORMATION_CLASS.FileStandardInformation,
    layout.FILE_INTERNAL_INFORMATION: FILE_INFORMATION_CLASS.FileInternalInformation,
    layout.FILE_POSITION_INFORMATION: FILE_INFORMATION_CLASS.FilePositionInformation,
    layout.FILE_ATTRIBUTE_TAG_INFORMATION: FILE_INFORMATION_CLASS.FileAttributeTagInformation,
    layout.FILE_PIPE_INFORMATION: FILE_INFORMATION_CLASS.FilePipeInformation,
    layout.FILE_PIPE_LOCAL_INFORMATION: FILE_INFORMATION_CLASS.FilePipeLocalInformation,
    layout.FILE_MODE_INFORMATION: FILE_INFORMATION_CLASS.FileModeInformation,
    layout.FILE_COMPRESSION_INFORMATION: FILE_INFORMATION_CLASS.FileCompressionInformation,
}


async def query(thread: UserThread, handle: int, kind: type[S]) -> S:
    """A detached copy of one information structure of an open file."""
    with thread.frame() as frame:
        place = frame.allocate(kind.size)
        await nt.NtQueryInformationFile(thread, handle, new_status(frame).address, place, kind.size, _CLASSES[kind])
        return kind.parse(thread.memory.read(place, kind.size))


async def query_bytes(thread: UserThread, handle: int, kind: int, room: int) -> bytes:
    """The raw answer to an information class of varying length."""
    with thread.frame() as frame:
        place, status = frame.allocate(room), new_status(frame)
        answer = await nt.NtQueryInformationFile(thread, handle, status.address, place, room, kind)
        if answer >> 31:
            raise NtError(STATUS.BUFFER_OVERFLOW)
        return thread.memory.read(place, int(status.Information))


async def query_name(thread: UserThread, handle: int) -> str:
    """The file's path below its volume."""
    data = await query_bytes(thread, handle, FILE_INFORMATION_CLASS.FileNameInformation, 0x1000)
    return data[4 : 4 + int.from_bytes(data[:4], "little")].decode("utf-16-le", "surrogatepass")


async def set_information(thread: UserThread, handle: int, view: Struct, kind: int) -> None:
    """Set one information structure of an open file."""
    await set_bytes(thread, handle, bytes(view), kind)


async def set_bytes(thread: UserThread, handle: int, data: bytes, kind: int) -> None:
    """The same with raw bytes."""
    with thread.frame() as frame:
        place = frame.bytes(data)
        await nt.NtSetInformationFile(thread, handle, new_status(frame).address, place, len(data), kind)

"""What is known of, and set on, open files (GetFileInformationByHandle and its kin)."""

from __future__ import annotations

from ntos.abi.errors import ERROR
from ntos.abi.io import FILE_INFORMATION_CLASS as CLASS
from ntos.abi.io import FS_INFORMATION_CLASS
from ntos.abi.layout.file_info import (
    FILE_BASIC_INFORMATION,
    FILE_FS_VOLUME_INFORMATION,
    FILE_INTERNAL_INFORMATION,
    FILE_STANDARD_INFORMATION,
)
from ntos.abi.layout.win32 import BY_HANDLE_FILE_INFORMATION, FILETIME
from ntos.abi.pointer import Ptr
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import BOOL, DWORD, HANDLE, NTSTATUS, PVOID, UCHAR, WCHAR
from ntos.dll.kernelbase.file_info import query, query_name, set_bytes, set_information
from ntos.dll.kernelbase.objects import new_status, nt_path
from ntos.dll.kernelbase.services import nt
from ntos.dll.kernelbase.text import export_both, put_text
from ntos.dll.kernelbase.time import file_time, put_file_time
from ntos.dll.kernelbase.volume_names import drive_of_device
from ntos.rtl.text import from_utf16
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread

QUERY_CLASSES = {
    0: CLASS.FileBasicInformation,
    1: CLASS.FileStandardInformation,
    2: CLASS.FileNameInformation,
    7: CLASS.FileStreamInformation,
    8: CLASS.FileCompressionInformation,
    9: CLASS.FileAttributeTagInformation,
    18: CLASS.FileIdInformation,
    16: CLASS.FileAlignmentInformation,
    23: CLASS.FileCaseSensitiveInformation,
}
"""FILE_INFO_BY_HANDLE_CLASS (minwinbase.h) to what NtQueryInformationFile calls it."""
DIRECTORY_CLASSES = {
    10: (CLASS.FileIdBothDirectoryInformation, False),
    11: (CLASS.FileIdBothDirectoryInformation, True),
    14: (CLASS.FileFullDirectoryInformation, False),
    15: (CLASS.FileFullDirectoryInformation, True),
    19: (CLASS.FileIdExtdDirectoryInformation, False),
    20: (CLASS.FileIdExtdDirectoryInformation, True),
}
SET_CLASSES = {
    0: CLASS.FileBasicInformation,
    4: CLASS.FileDispositionInformation,
    5: CLASS.FileAllocationInformation,
    6: CLASS.FileEndOfFileInformation,
    12: CLASS.FileIoPriorityHintInformation,
    21: CLASS.FileDispositionInformationEx,
    23: CLASS.FileCaseSensitiveInformation,
}
RENAME_CLASSES = {3: CLASS.FileRenameInformation, 22: CLASS.FileRenameInformationEx}
VOLUME_NAME_GUID, VOLUME_NAME_NT, VOLUME_NAME_NONE = 1, 2, 4
FILE_NAME_OPENED = 8
OBJECT_NAME_INFORMATION = 1


@export
async def GetFileInformationByHandle(
    thread: UserThread, hFile: HANDLE, lpFileInformation: Ptr[BY_HANDLE_FILE_INFORMATION]
) -> BOOL:
    """Attributes, times, size, links and number of an open file."""
    basic = await query(thread, hFile, FILE_BASIC_INFORMATION)
    standard = await query(thread, hFile, FILE_STANDARD_INFORMATION)
    number = int((await query(thread, hFile, FILE_INTERNAL_INFORMATION)).IndexNumber)
    serial = await volume_serial(thread, hFile)
    view = lpFileInformation.read()
    view.dwFileAttributes = basic.FileAttributes
    put_file_time(view.ftCreationTime, int(basic.CreationTime))
    put_file_time(view.ftLastAccessTime, int(basic.LastAccessTime))
    put_file_time(view.ftLastWriteTime, int(basic.LastWriteTime))
    size = int(standard.EndOfFile)
    view.nFileSizeHigh, view.nFileSizeLow = size >> 32, size & 0xFFFF_FFFF
    view.nNumberOfLinks, view.dwVolumeSerialNumber = standard.NumberOfLinks, serial
    view.nFileIndexHigh, view.nFileIndexLow = number >> 32 & 0xFFFF_FFFF, number & 0xFFFF_FFFF
    return BOOL(1)


async def volume_serial(thread: UserThread, handle: int) -> int:
    """The serial number of the volume a file is on."""
    data = await query_volume(thread, handle, FS_INFORMATION_CLASS.FileFsVolumeInformation, 0x200)
    return int(FILE_FS_VOLUME_INFORMATION.parse(data).VolumeSerialNumber)


async def query_volume(thread: UserThread, handle: int, kind: int, room: int) -> bytes:
    """The raw answer of NtQueryVolumeInformationFile."""
    with thread.frame() as frame:
        place, status = frame.allocate(room), new_status(frame)
        await nt.NtQueryVolumeInformationFile(thread, handle, status.address, place, room, kind)
        return thread.memory.read(place, room)


@export(partial="remote protocol and storage classes are unknown")
async def GetFileInformationByHandleEx(
    thread: UserThread,
    hFile: HANDLE,
    FileInformationClass: DWORD,
    lpFileInformation: PVOID,
    dwBufferSize: DWORD,
) -> BOOL:
    """One class of information about an open file, or entries of an open directory."""
    with thread.frame() as frame:
        status = new_status(frame)
        if FileInformationClass in DIRECTORY_CLASSES:
            kind, restart = DIRECTORY_CLASSES[FileInformationClass]
            answer = await nt.NtQueryDirectoryFile(
                thread,
                hFile,
                0,
                0,
                0,
                status.address,
                lpFileInformation,
                dwBufferSize,
                kind,
                0,
                0,
                int(restart),
            )
            if answer == STATUS.PENDING:
                await nt.NtWaitForSingleObject(thread, hFile, 0, 0)
                answer = int(status.Status)
        elif FileInformationClass in QUERY_CLASSES:
            answer = await nt.NtQueryInformationFile(
                thread,
                hFile,
                status.address,
                lpFileInformation,
                dwBufferSize,
                QUERY_CLASSES[FileInformationClass],
            )
        else:
            raise WinError(ERROR.INVALID_PARAMETER)
    if answer >> 31:
        raise NtError(NTSTATUS(answer))
    return BOOL(1)


@export
async def SetFileInformationByHandle(
    thread: UserThread,
    hFile: HANDLE,
    FileInformationClass: DWORD,
    lpFileInformation: PVOID,
    dwBufferSize: DWORD,
) -> BOOL:
    """Set one class of information on an open file."""
    data = thread.memory.read(lpFileInformation, dwBufferSize)
    if FileInformationClass in RENAME_CLASSES:
        length = int.from_bytes(data[0x10:0x14], "little")
        name = from_utf16(data[0x14 : 0x14 + length])
        if not int.from_bytes(data[8:16], "little"):
            name = nt_path(thread, name)
        target = name.encode("utf-16-le", "surrogatepass")
        data = data[:0x10] + len(target).to_bytes(4, "little") + target + bytes(4)
        await set_bytes(thread, hFile, data, RENAME_CLASSES[FileInformationClass])
        return BOOL(1)
    kind = SET_CLASSES.get(FileInformationClass)
    if kind is None:
        raise WinError(ERROR.INVALID_PARAMETER)
    await set_bytes(thread, hFile, data, kind)
    return BOOL(1)


@export
async def GetFileTime(
    thread: UserThread,
    hFile: HANDLE,
    lpCreationTime: Ptr[FILETIME],
    lpLastAccessTime: Ptr[FILETIME],
    lpLastWriteTime: Ptr[FILETIME],
) -> BOOL:
    """An open file's times."""
    basic = await query(thread, hFile, FILE_BASIC_INFORMATION)
    for place, time in (
        (lpCreationTime, basic.CreationTime),
        (lpLastAccessTime, basic.LastAccessTime),
        (lpLastWriteTime, basic.LastWriteTime),
    ):
        if place:
            put_file_time(place.read(), int(time))
    return BOOL(1)


@export
async def SetFileTime(
    thread: UserThread,
    hFile: HANDLE,
    lpCreationTime: Ptr[FILETIME],
    lpLastAccessTime: Ptr[FILETIME],
    lpLastWriteTime: Ptr[FILETIME],
) -> BOOL:
    """Change an open file's times; NULL leaves one as it is."""
    view = FILE_BASIC_INFORMATION.new()
    view.CreationTime = file_time(lpCreationTime.read()) if lpCreationTime else 0
    view.LastAccessTime = file_time(lpLastAccessTime.read()) if lpLastAccessTime else 0
    view.LastWriteTime = file_time(lpLastWriteTime.read()) if lpLastWriteTime else 0
    await set_information(thread, hFile, view, CLASS.FileBasicInformation)
    return BOOL(1)


@export
async def SetFileCompletionNotificationModes(thread: UserThread, FileHandle: HANDLE, Flags: UCHAR) -> BOOL:
    """When a request that ends at once is not reported."""
    data = Flags.to_bytes(4, "little")
    await set_bytes(thread, FileHandle, data, CLASS.FileIoCompletionNotificationInformation)
    return BOOL(1)


@export
async def SetFileValidData(thread: UserThread, hFile: HANDLE, ValidDataLength: PVOID) -> BOOL:
    """Say how much of a file holds data; needs SeManageVolumePrivilege."""
    data = ValidDataLength.to_bytes(8, "little")
    await set_bytes(thread, hFile, data, CLASS.FileValidDataLengthInformation)
    return BOOL(1)


async def object_name(thread: UserThread, handle: int) -> str:
    """The full NT name behind a handle."""
    with thread.frame() as frame:
        place = frame.allocate(0x1000)
        await nt.NtQueryObject(thread, handle, OBJECT_NAME_INFORMATION, place, 0x1000, 0)
        length = int.from_bytes(thread.memory.read(place, 2), "little")
        start = int.from_bytes(thread.memory.read(place + 8, 8), "little")
        return from_utf16(thread.memory.read(start, length)) if length else ""


@export_both(partial="VOLUME_NAME_GUID is refused: volumes have no GUID names")
async def GetFinalPathNameByHandleW(
    thread: UserThread, hFile: HANDLE, lpszFilePath: Ptr[WCHAR], cchFilePath: DWORD, dwFlags: DWORD
) -> DWORD:
    r"""The path of an open file: `\\?\C:\x`, `\Device\…`, or below its volume."""
    form = dwFlags & ~FILE_NAME_OPENED
    if form not in (0, VOLUME_NAME_NT, VOLUME_NAME_NONE):
        raise WinError(ERROR.PATH_NOT_FOUND if form == VOLUME_NAME_GUID else ERROR.INVALID_PARAMETER)
    below = await query_name(thread, hFile)
    if form == VOLUME_NAME_NONE:
        return DWORD(put_text(lpszFilePath, cchFilePath, below))
    full = await object_name(thread, hFile)
    device = full[: len(full) - len(below)] if full.lower().endswith(below.lower()) else full
    if form == VOLUME_NAME_NT:
        return DWORD(put_text(lpszFilePath, cchFilePath, device + below))
    drive = await drive_of_device(thread, device)
    if drive is None:
        raise WinError(ERROR.PATH_NOT_FOUND)
    return DWORD(put_text(lpszFilePath, cchFilePath, f"\\\\?\\{drive}:{below}"))

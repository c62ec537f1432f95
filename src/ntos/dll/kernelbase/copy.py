"""Copying and moving files (winbase.h)."""

from __future__ import annotations

from ntos.abi.access import DELETE, FILE_READ_ATTRIBUTES, FILE_READ_DATA, FILE_WRITE_ATTRIBUTES, GENERIC_WRITE
from ntos.abi.errors import ERROR
from ntos.abi.io import (
    FILE_ATTRIBUTE_DIRECTORY,
    FILE_ATTRIBUTE_NORMAL,
    FILE_INFORMATION_CLASS,
    FILE_NON_DIRECTORY_FILE,
    FILE_OPEN_FOR_BACKUP_INTENT,
    FILE_OPEN_REPARSE_POINT,
    FILE_SEQUENTIAL_ONLY,
    FILE_SHARE_DELETE,
    FILE_SHARE_READ,
    FILE_SHARE_WRITE,
)
from ntos.abi.layout.file_info import FILE_BASIC_INFORMATION, FILE_STANDARD_INFORMATION
from ntos.abi.pointer import Code, Ptr
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import BOOL, DWORD, HRESULT, PVOID, WCHAR
from ntos.abi.win32 import (
    CREATE_ALWAYS,
    CREATE_NEW,
    FILE_FLAG_SEQUENTIAL_SCAN,
    INVALID_HANDLE_VALUE,
    MOVEFILE_COPY_ALLOWED,
    MOVEFILE_DELAY_UNTIL_REBOOT,
    MOVEFILE_REPLACE_EXISTING,
)
from ntos.dll.kernelbase.file import create_file, delete, link_information, open_path
from ntos.dll.kernelbase.file_info import query, set_bytes, set_information
from ntos.dll.kernelbase.objects import new_status, nt_path
from ntos.dll.kernelbase.services import allocate, free, nt
from ntos.dll.kernelbase.text import export_both, text_of
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread

CHUNK = 0x10000
COPY_FILE_FAIL_IF_EXISTS = 1
PROGRESS_CONTINUE, PROGRESS_CANCEL, PROGRESS_STOP, PROGRESS_QUIET = range(4)
CALLBACK_CHUNK_FINISHED, CALLBACK_STREAM_SWITCH = 0, 1


class _Progress:
    """The caller's routine, asked after each chunk."""

    def __init__(self, thread: UserThread, routine: int, data: int, source: int, target: int) -> None:
        self.thread = thread
        self.routine = routine
        self.data = data
        self.handles = (source, target)

    async def tell(self, size: int, done: int, reason: int) -> None:
        """Call the routine; ERROR_REQUEST_ABORTED where it says so."""
        if not self.routine:
            return
        source, target = self.handles
        verdict = await self.thread.call(self.routine, size, done, size, done, 1, reason, source, target, self.data)
        verdict &= 0xFFFF_FFFF
        if verdict in (PROGRESS_CANCEL, PROGRESS_STOP):
            raise WinError(ERROR.REQUEST_ABORTED)
        if verdict == PROGRESS_QUIET:
            self.routine = 0


async def _pump(thread: UserThread, source: int, target: int, size: int, progress: _Progress) -> None:
    buffer, done = await allocate(thread, CHUNK), 0
    await progress.tell(size, 0, CALLBACK_STREAM_SWITCH)
    try:
        while True:
            with thread.frame() as frame:
                status = new_status(frame)
                try:
                    await nt.NtReadFile(thread, source, 0, 0, 0, status.address, buffer, CHUNK, 0, 0)
                except NtError as error:
                    if error.status == STATUS.END_OF_FILE:
                        return
                    raise
                count = int(status.Information)
                if not count:
                    return
                await nt.NtWriteFile(thread, target, 0, 0, 0, status.address, buffer, count, 0, 0)
            done += count
            await progress.tell(size, done, CALLBACK_CHUNK_FINISHED)
    finally:
        await free(thread, buffer)


async def copy_file(
    thread: UserThread, source: str, target: str, *, fail_if_exists: bool, routine: int = 0, data: int = 0
) -> None:
    """Copy a file's data, attributes and write time."""
    share = FILE_SHARE_READ | FILE_SHARE_DELETE
    options = FILE_NON_DIRECTORY_FILE | FILE_SEQUENTIAL_ONLY
    try:
        read = await open_path(thread, source, FILE_READ_DATA | FILE_READ_ATTRIBUTES, options, share | FILE_SHARE_WRITE)
    except NtError as error:
        raise (WinError(ERROR.ACCESS_DENIED) if error.status == STATUS.FILE_IS_A_DIRECTORY else error) from error
    write = INVALID_HANDLE_VALUE
    try:
        basic = await query(thread, read, FILE_BASIC_INFORMATION)
        size = int((await query(thread, read, FILE_STANDARD_INFORMATION)).EndOfFile)
        flags = int(basic.FileAttributes) & ~FILE_ATTRIBUTE_DIRECTORY | FILE_FLAG_SEQUENTIAL_SCAN
        disposition = CREATE_NEW if fail_if_exists else CREATE_ALWAYS
        access = GENERIC_WRITE | FILE_WRITE_ATTRIBUTES
        write = await create_file(thread, target, access, FILE_SHARE_READ, None, disposition, flags)
        await _pump(thread, read, write, size, _Progress(thread, routine, data, read, write))
        view = FILE_BASIC_INFORMATION.new()
        view.LastWriteTime = basic.LastWriteTime
        view.FileAttributes = int(basic.FileAttributes) or FILE_ATTRIBUTE_NORMAL
        await set_information(thread, write, view, FILE_INFORMATION_CLASS.FileBasicInformation)
    finally:
        await nt.NtClose(thread, read)
        if write != INVALID_HANDLE_VALUE:
            await nt.NtClose(thread, write)


@export_both()
async def CopyFileW(
    thread: UserThread, lpExistingFileName: Ptr[WCHAR], lpNewFileName: Ptr[WCHAR], bFailIfExists: BOOL
) -> BOOL:
    """Copy a file."""
    source, target = text_of(lpExistingFileName), text_of(lpNewFileName)
    await copy_file(thread, source, target, fail_if_exists=bool(bFailIfExists))
    return BOOL(1)


@export_both(partial="pbCancel is not looked at; copies are not restartable")
async def CopyFileExW(
    thread: UserThread,
    lpExistingFileName: Ptr[WCHAR],
    lpNewFileName: Ptr[WCHAR],
    lpProgressRoutine: Code,
    lpData: PVOID,
    pbCancel: PVOID,
    dwCopyFlags: DWORD,
) -> BOOL:
    """Copy a file and tell how it goes."""
    await copy_file(
        thread,
        text_of(lpExistingFileName),
        text_of(lpNewFileName),
        fail_if_exists=dwCopyFlags & COPY_FILE_FAIL_IF_EXISTS != 0,
        routine=lpProgressRoutine,
        data=lpData,
    )
    return BOOL(1)


@export(partial="of the extended parameters only the flags count")
async def CopyFile2(
    thread: UserThread,
    pwszExistingFileName: Ptr[WCHAR],
    pwszNewFileName: Ptr[WCHAR],
    pExtendedParameters: Ptr[DWORD],
) -> HRESULT:
    """Copy a file."""
    flags = int(pExtendedParameters[1]) if pExtendedParameters else 0
    source, target = text_of(pwszExistingFileName), text_of(pwszNewFileName)
    await copy_file(thread, source, target, fail_if_exists=flags & COPY_FILE_FAIL_IF_EXISTS != 0)
    return HRESULT(0)


async def move(thread: UserThread, source: str, target: str, flags: int) -> None:
    """Rename; across volumes copy and delete, if the flags allow that."""
    if flags & MOVEFILE_DELAY_UNTIL_REBOOT:
        raise WinError(ERROR.NOT_SUPPORTED)
    options = FILE_OPEN_REPARSE_POINT | FILE_OPEN_FOR_BACKUP_INTENT
    handle = await open_path(thread, source, DELETE | FILE_READ_ATTRIBUTES, options)
    try:
        replace = int(flags & MOVEFILE_REPLACE_EXISTING != 0)
        data = link_information(nt_path(thread, target), replace=replace)
        await set_bytes(thread, handle, data, FILE_INFORMATION_CLASS.FileRenameInformation)
        return
    except NtError as error:
        if error.status == STATUS.OBJECT_NAME_COLLISION:
            raise WinError(ERROR.ALREADY_EXISTS) from error
        if error.status != STATUS.NOT_SAME_DEVICE or not flags & MOVEFILE_COPY_ALLOWED:
            raise
    finally:
        await nt.NtClose(thread, handle)
    await copy_file(thread, source, target, fail_if_exists=not flags & MOVEFILE_REPLACE_EXISTING)
    await delete(thread, source, FILE_NON_DIRECTORY_FILE)


@export_both(partial="MOVEFILE_DELAY_UNTIL_REBOOT is refused")
async def MoveFileExW(
    thread: UserThread, lpExistingFileName: Ptr[WCHAR], lpNewFileName: Ptr[WCHAR], dwFlags: DWORD
) -> BOOL:
    """Move or rename a file or directory."""
    if not lpNewFileName:
        raise WinError(ERROR.NOT_SUPPORTED)
    await move(thread, text_of(lpExistingFileName), text_of(lpNewFileName), dwFlags)
    return BOOL(1)


@export_both(partial="the progress routine is not called for a plain rename, nor for a copy")
async def MoveFileWithProgressW(
    thread: UserThread,
    lpExistingFileName: Ptr[WCHAR],
    lpNewFileName: Ptr[WCHAR],
    lpProgressRoutine: Code,
    lpData: PVOID,
    dwFlags: DWORD,
) -> BOOL:
    """Move or rename and tell how it goes."""
    await move(thread, text_of(lpExistingFileName), text_of(lpNewFileName), dwFlags)
    return BOOL(1)


@export_both()
async def MoveFileW(thread: UserThread, lpExistingFileName: Ptr[WCHAR], lpNewFileName: Ptr[WCHAR]) -> BOOL:
    """Move or rename; never over what is there."""
    await move(thread, text_of(lpExistingFileName), text_of(lpNewFileName), MOVEFILE_COPY_ALLOWED)
    return BOOL(1)


@export(partial="the replaced file's identity, streams and security are not kept")
async def ReplaceFileW(
    thread: UserThread,
    lpReplacedFileName: Ptr[WCHAR],
    lpReplacementFileName: Ptr[WCHAR],
    lpBackupFileName: Ptr[WCHAR],
    dwReplaceFlags: DWORD,
    lpExclude: PVOID,
    lpReserved: PVOID,
) -> BOOL:
    """Put one file in another's place, keeping the old one under a backup name."""
    replaced = text_of(lpReplacedFileName)
    if lpBackupFileName:
        await move(thread, replaced, text_of(lpBackupFileName), MOVEFILE_REPLACE_EXISTING)
    await move(thread, text_of(lpReplacementFileName), replaced, MOVEFILE_REPLACE_EXISTING)
    return BOOL(1)

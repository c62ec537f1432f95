"""Files by name: CreateFile, attributes, deletion, links (fileapi.h)."""

from __future__ import annotations

from ntos.abi.access import (
    DELETE,
    FILE_READ_ATTRIBUTES,
    FILE_WRITE_ATTRIBUTES,
    GENERIC_WRITE,
    SYNCHRONIZE,
)
from ntos.abi.errors import ERROR
from ntos.abi.io import (
    FILE_ATTRIBUTE_DIRECTORY,
    FILE_ATTRIBUTE_NORMAL,
    FILE_ATTRIBUTE_VALID_FLAGS,
    FILE_CREATE,
    FILE_DELETE_ON_CLOSE,
    FILE_DIRECTORY_FILE,
    FILE_INFORMATION_CLASS,
    FILE_NO_INTERMEDIATE_BUFFERING,
    FILE_NON_DIRECTORY_FILE,
    FILE_OPEN,
    FILE_OPEN_FOR_BACKUP_INTENT,
    FILE_OPEN_IF,
    FILE_OPEN_NO_RECALL,
    FILE_OPEN_REPARSE_POINT,
    FILE_OPENED,
    FILE_OVERWRITE,
    FILE_OVERWRITE_IF,
    FILE_OVERWRITTEN,
    FILE_RANDOM_ACCESS,
    FILE_SEQUENTIAL_ONLY,
    FILE_SESSION_AWARE,
    FILE_SHARE_DELETE,
    FILE_SHARE_READ,
    FILE_SHARE_VALID_FLAGS,
    FILE_SHARE_WRITE,
    FILE_SYNCHRONOUS_IO_NONALERT,
    FILE_WRITE_THROUGH,
)
from ntos.abi.layout.file_info import (
    FILE_BASIC_INFORMATION,
    FILE_DISPOSITION_INFORMATION,
    FILE_NETWORK_OPEN_INFORMATION,
)
from ntos.abi.layout.win32 import SECURITY_ATTRIBUTES, WIN32_FILE_ATTRIBUTE_DATA
from ntos.abi.ob import OBJ_CASE_INSENSITIVE
from ntos.abi.pointer import Ptr
from ntos.abi.status import STATUS, NtError
from ntos.abi.struct import Struct, at
from ntos.abi.types import BOOL, DWORD, HANDLE, PVOID, UINT, WCHAR
from ntos.abi.win32 import (
    CREATE_ALWAYS,
    CREATE_NEW,
    FILE_FLAG_BACKUP_SEMANTICS,
    FILE_FLAG_DELETE_ON_CLOSE,
    FILE_FLAG_NO_BUFFERING,
    FILE_FLAG_OPEN_NO_RECALL,
    FILE_FLAG_OPEN_REPARSE_POINT,
    FILE_FLAG_OVERLAPPED,
    FILE_FLAG_POSIX_SEMANTICS,
    FILE_FLAG_RANDOM_ACCESS,
    FILE_FLAG_SEQUENTIAL_SCAN,
    FILE_FLAG_SESSION_AWARE,
    FILE_FLAG_WRITE_THROUGH,
    INVALID_FILE_ATTRIBUTES,
    INVALID_HANDLE_VALUE,
    OPEN_ALWAYS,
    OPEN_EXISTING,
    TRUNCATE_EXISTING,
)
from ntos.dll.kernelbase.file_info import set_bytes, set_information
from ntos.dll.kernelbase.objects import attributes, new_handle, new_status, nt_path
from ntos.dll.kernelbase.services import nt
from ntos.dll.kernelbase.text import export_both, text_of
from ntos.dll.kernelbase.time import put_file_time
from ntos.um.export import WinError, export, set_last_error
from ntos.um.thread import UserThread

DISPOSITIONS = {
    CREATE_NEW: FILE_CREATE,
    CREATE_ALWAYS: FILE_OVERWRITE_IF,
    OPEN_EXISTING: FILE_OPEN,
    OPEN_ALWAYS: FILE_OPEN_IF,
    TRUNCATE_EXISTING: FILE_OVERWRITE,
}
OPTIONS = {
    FILE_FLAG_WRITE_THROUGH: FILE_WRITE_THROUGH,
    FILE_FLAG_NO_BUFFERING: FILE_NO_INTERMEDIATE_BUFFERING,
    FILE_FLAG_RANDOM_ACCESS: FILE_RANDOM_ACCESS,
    FILE_FLAG_SEQUENTIAL_SCAN: FILE_SEQUENTIAL_ONLY,
    FILE_FLAG_DELETE_ON_CLOSE: FILE_DELETE_ON_CLOSE,
    FILE_FLAG_BACKUP_SEMANTICS: FILE_OPEN_FOR_BACKUP_INTENT,
    FILE_FLAG_OPEN_REPARSE_POINT: FILE_OPEN_REPARSE_POINT,
    FILE_FLAG_OPEN_NO_RECALL: FILE_OPEN_NO_RECALL,
    FILE_FLAG_SESSION_AWARE: FILE_SESSION_AWARE,
}
SHARE_ALL = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE
ATTRIBUTE_BITS = 0x0005_FFB7
"""FILE_ATTRIBUTE_… bits of dwFlagsAndAttributes."""
GET_FILE_EX_INFO_STANDARD = 0


class CREATEFILE2_EXTENDED_PARAMETERS(Struct, size=0x20):
    """What CreateFile2 takes besides."""

    dwSize = at(0x00, DWORD)
    dwFileAttributes = at(0x04, DWORD)
    dwFileFlags = at(0x08, DWORD)
    dwSecurityQosFlags = at(0x0C, DWORD)
    lpSecurityAttributes = at(0x10, PVOID)
    hTemplateFile = at(0x18, HANDLE)


def create_options(flags: int, disposition: int) -> int:
    """The FILE_… options that FILE_FLAG_… flags stand for."""
    options = sum(native for flag, native in OPTIONS.items() if flags & flag)
    if not flags & FILE_FLAG_OVERLAPPED:
        options |= FILE_SYNCHRONOUS_IO_NONALERT
    if not flags & FILE_FLAG_BACKUP_SEMANTICS:
        return options | FILE_NON_DIRECTORY_FILE
    if disposition == CREATE_NEW and flags & FILE_ATTRIBUTE_DIRECTORY and flags & FILE_FLAG_POSIX_SEMANTICS:
        options |= FILE_DIRECTORY_FILE
    return options


def _name_error(error: NtError, path: str, disposition: int) -> NtError:
    """CreateFile's own words for two statuses."""
    if error.status == STATUS.OBJECT_NAME_COLLISION and disposition == CREATE_NEW:
        return WinError(ERROR.FILE_EXISTS)
    if error.status == STATUS.FILE_IS_A_DIRECTORY:
        return WinError(ERROR.PATH_NOT_FOUND if path.endswith("\\") else ERROR.ACCESS_DENIED)
    return error


async def create_file(
    thread: UserThread,
    path: str,
    access: int,
    share: int,
    security: Ptr[SECURITY_ATTRIBUTES] | None,
    disposition: int,
    flags: int,
) -> int:
    """CreateFile: a handle, and the last error that tells whether the file was there."""
    native = DISPOSITIONS.get(disposition)
    truncates_unwritable = disposition == TRUNCATE_EXISTING and not access & GENERIC_WRITE
    if native is None or share & ~FILE_SHARE_VALID_FLAGS or truncates_unwritable:
        raise WinError(ERROR.INVALID_PARAMETER)
    access |= SYNCHRONIZE | FILE_READ_ATTRIBUTES | (DELETE if flags & FILE_FLAG_DELETE_ON_CLOSE else 0)
    with thread.frame() as frame:
        handle, status = new_handle(frame), new_status(frame)
        case = 0 if flags & FILE_FLAG_POSIX_SEMANTICS else OBJ_CASE_INSENSITIVE
        where = attributes(frame, nt_path(thread, path), flags=case, security=security)
        try:
            await nt.NtCreateFile(
                thread,
                handle.address,
                access,
                where,
                status.address,
                0,
                flags & FILE_ATTRIBUTE_VALID_FLAGS & ~FILE_ATTRIBUTE_DIRECTORY,
                share,
                native,
                create_options(flags, disposition),
                0,
                0,
            )
        except NtError as error:
            raise _name_error(error, path, disposition) from error
        found = (disposition == CREATE_ALWAYS and status.Information == FILE_OVERWRITTEN) or (
            disposition == OPEN_ALWAYS and status.Information == FILE_OPENED
        )
        set_last_error(thread, ERROR.ALREADY_EXISTS if found else ERROR.SUCCESS)
        return int(handle.read())


@export_both(fails=INVALID_HANDLE_VALUE)
async def CreateFileW(
    thread: UserThread,
    lpFileName: Ptr[WCHAR],
    dwDesiredAccess: DWORD,
    dwShareMode: DWORD,
    lpSecurityAttributes: Ptr[SECURITY_ATTRIBUTES] | None,
    dwCreationDisposition: DWORD,
    dwFlagsAndAttributes: DWORD,
    hTemplateFile: HANDLE,
) -> HANDLE:
    """Open or create a file, pipe, device or console."""
    path = text_of(lpFileName)
    return HANDLE(
        await create_file(
            thread,
            path,
            dwDesiredAccess,
            dwShareMode,
            lpSecurityAttributes,
            dwCreationDisposition,
            dwFlagsAndAttributes,
        )
    )


@export(fails=INVALID_HANDLE_VALUE)
async def CreateFile2(
    thread: UserThread,
    lpFileName: Ptr[WCHAR],
    dwDesiredAccess: DWORD,
    dwShareMode: DWORD,
    dwCreationDisposition: DWORD,
    pCreateExParams: Ptr[CREATEFILE2_EXTENDED_PARAMETERS] | None,
) -> HANDLE:
    """CreateFile with its lesser arguments in a structure."""
    flags, security = FILE_ATTRIBUTE_NORMAL, None
    if pCreateExParams is not None:
        view = pCreateExParams.read()
        flags = int(view.dwFileAttributes) | int(view.dwFileFlags)
        if view.lpSecurityAttributes:
            security = Ptr[SECURITY_ATTRIBUTES](thread.memory, int(view.lpSecurityAttributes))
    path = text_of(lpFileName)
    return HANDLE(await create_file(thread, path, dwDesiredAccess, dwShareMode, security, dwCreationDisposition, flags))


async def open_path(thread: UserThread, path: str, access: int, options: int, share: int = SHARE_ALL) -> int:
    """A synchronous handle to what a path names."""
    with thread.frame() as frame:
        handle = new_handle(frame)
        await nt.NtOpenFile(
            thread,
            handle.address,
            access | SYNCHRONIZE,
            attributes(frame, nt_path(thread, path)),
            new_status(frame).address,
            share,
            options | FILE_SYNCHRONOUS_IO_NONALERT,
        )
        return int(handle.read())


async def network_information(thread: UserThread, path: str) -> FILE_NETWORK_OPEN_INFORMATION:
    """Times, sizes and attributes by name."""
    with thread.frame() as frame:
        place = frame.allocate(FILE_NETWORK_OPEN_INFORMATION.size)
        await nt.NtQueryFullAttributesFile(thread, attributes(frame, nt_path(thread, path)), place)
        data = thread.memory.read(place, FILE_NETWORK_OPEN_INFORMATION.size)
        return FILE_NETWORK_OPEN_INFORMATION.parse(data)


@export_both(fails=INVALID_FILE_ATTRIBUTES)
async def GetFileAttributesW(thread: UserThread, lpFileName: Ptr[WCHAR]) -> DWORD:
    """A file's attributes."""
    with thread.frame() as frame:
        view: FILE_BASIC_INFORMATION = frame.new(FILE_BASIC_INFORMATION)
        where = attributes(frame, nt_path(thread, text_of(lpFileName)))
        await nt.NtQueryAttributesFile(thread, where, view.address)
        return DWORD(view.FileAttributes)


@export_both()
async def GetFileAttributesExW(
    thread: UserThread,
    lpFileName: Ptr[WCHAR],
    fInfoLevelId: DWORD,
    lpFileInformation: Ptr[WIN32_FILE_ATTRIBUTE_DATA],
) -> BOOL:
    """A file's attributes, times and size."""
    if fInfoLevelId != GET_FILE_EX_INFO_STANDARD or not lpFileInformation:
        raise WinError(ERROR.INVALID_PARAMETER)
    found, view = await network_information(thread, text_of(lpFileName)), lpFileInformation.read()
    view.dwFileAttributes = found.FileAttributes
    put_file_time(view.ftCreationTime, int(found.CreationTime))
    put_file_time(view.ftLastAccessTime, int(found.LastAccessTime))
    put_file_time(view.ftLastWriteTime, int(found.LastWriteTime))
    view.nFileSizeHigh, view.nFileSizeLow = int(found.EndOfFile) >> 32, int(found.EndOfFile) & 0xFFFF_FFFF
    return BOOL(1)


@export_both()
async def SetFileAttributesW(thread: UserThread, lpFileName: Ptr[WCHAR], dwFileAttributes: DWORD) -> BOOL:
    """Change a file's attributes."""
    handle = await open_path(thread, text_of(lpFileName), FILE_WRITE_ATTRIBUTES, FILE_OPEN_REPARSE_POINT)
    try:
        view = FILE_BASIC_INFORMATION.new()
        # Zero would mean "leave them": a file without attributes is FILE_ATTRIBUTE_NORMAL.
        view.FileAttributes = dwFileAttributes & ATTRIBUTE_BITS | FILE_ATTRIBUTE_NORMAL
        await set_information(thread, handle, view, FILE_INFORMATION_CLASS.FileBasicInformation)
    finally:
        await nt.NtClose(thread, handle)
    return BOOL(1)


async def delete(thread: UserThread, path: str, options: int) -> None:
    """Open a file or directory for deletion, mark it, and close it."""
    handle = await open_path(thread, path, DELETE | FILE_READ_ATTRIBUTES, options | FILE_OPEN_REPARSE_POINT)
    try:
        view = FILE_DISPOSITION_INFORMATION.new()
        view.DeleteFile = 1
        await set_information(thread, handle, view, FILE_INFORMATION_CLASS.FileDispositionInformation)
    finally:
        await nt.NtClose(thread, handle)


@export_both()
async def DeleteFileW(thread: UserThread, lpFileName: Ptr[WCHAR]) -> BOOL:
    """Delete a file, or a link to one."""
    try:
        await delete(thread, text_of(lpFileName), FILE_NON_DIRECTORY_FILE | FILE_OPEN_FOR_BACKUP_INTENT)
    except NtError as error:
        if error.status == STATUS.FILE_IS_A_DIRECTORY:
            raise WinError(ERROR.ACCESS_DENIED) from error
        raise
    return BOOL(1)


def link_information(target: str, *, replace: int) -> bytes:
    """FILE_RENAME_INFORMATION or FILE_LINK_INFORMATION for an NT name."""
    name = target.encode("utf-16-le", "surrogatepass")
    return replace.to_bytes(8, "little") + bytes(8) + len(name).to_bytes(4, "little") + name + bytes(4)


async def link(thread: UserThread, new: str, existing: str) -> None:
    """A further name for a file."""
    handle = await open_path(thread, existing, FILE_WRITE_ATTRIBUTES, FILE_OPEN_REPARSE_POINT | FILE_NON_DIRECTORY_FILE)
    try:
        data = link_information(nt_path(thread, new), replace=0)
        await set_bytes(thread, handle, data, FILE_INFORMATION_CLASS.FileLinkInformation)
    finally:
        await nt.NtClose(thread, handle)


@export_both()
async def CreateHardLinkW(
    thread: UserThread,
    lpFileName: Ptr[WCHAR],
    lpExistingFileName: Ptr[WCHAR],
    lpSecurityAttributes: Ptr[SECURITY_ATTRIBUTES] | None,
) -> BOOL:
    """A further name for a file."""
    await link(thread, text_of(lpFileName), text_of(lpExistingFileName))
    return BOOL(1)


@export(fails=INVALID_HANDLE_VALUE)
async def ReOpenFile(
    thread: UserThread, hOriginalFile: HANDLE, dwDesiredAccess: DWORD, dwShareMode: DWORD, dwFlags: UINT
) -> HANDLE:
    """Another handle to an open file, with an access and a position of its own."""
    with thread.frame() as frame:
        handle = new_handle(frame)
        where = attributes(frame, "", root=hOriginalFile)
        options = create_options(dwFlags, OPEN_EXISTING) & ~FILE_NON_DIRECTORY_FILE
        access = dwDesiredAccess | SYNCHRONIZE | FILE_READ_ATTRIBUTES
        status = new_status(frame).address
        await nt.NtOpenFile(thread, handle.address, access, where, status, dwShareMode, options)
        return HANDLE(handle.read())

"""Directories, current directory, temporary names, full paths (fileapi.h, processenv.h)."""

from __future__ import annotations

from ntos.abi.access import DELETE, FILE_LIST_DIRECTORY, FILE_READ_ATTRIBUTES, SYNCHRONIZE
from ntos.abi.errors import ERROR
from ntos.abi.io import (
    FILE_ATTRIBUTE_NORMAL,
    FILE_CREATE,
    FILE_DIRECTORY_FILE,
    FILE_INFORMATION_CLASS,
    FILE_OPEN_FOR_BACKUP_INTENT,
    FILE_OPEN_REPARSE_POINT,
    FILE_SHARE_READ,
    FILE_SHARE_WRITE,
    FILE_SYNCHRONOUS_IO_NONALERT,
)
from ntos.abi.layout.file_info import FILE_BOTH_DIR_INFORMATION
from ntos.abi.layout.win32 import SECURITY_ATTRIBUTES
from ntos.abi.pointer import Ptr
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import BOOL, DWORD, PVOID, UINT, WCHAR
from ntos.abi.win32 import CREATE_NEW
from ntos.dll.kernelbase.file import create_file, delete
from ntos.dll.kernelbase.objects import (
    attributes,
    current_directory,
    environment,
    full_path,
    new_handle,
    new_status,
    nt_path,
)
from ntos.dll.kernelbase.search import (
    file_attributes,
    is_directory,
    system_directory,
    windows_directory,
)
from ntos.dll.kernelbase.services import nt, rtl_status
from ntos.dll.kernelbase.text import export_both, is_narrow, put_text, text_of
from ntos.rtl.nls.codepage import to_ansi
from ntos.rtl.path import full_path as plain_full_path
from ntos.rtl.text import from_utf16, unit_count
from ntos.um.export import WinError, export, set_last_error
from ntos.um.thread import UserThread

NAME_OFFSET, SHORT_NAME_OFFSET = 0x5E, 0x46


async def create_directory(thread: UserThread, path: str, security: Ptr[SECURITY_ATTRIBUTES] | None) -> None:
    """Make a directory that is not there yet."""
    with thread.frame() as frame:
        handle = new_handle(frame)
        try:
            await nt.NtCreateFile(
                thread,
                handle.address,
                FILE_LIST_DIRECTORY | SYNCHRONIZE,
                attributes(frame, nt_path(thread, path), security=security),
                new_status(frame).address,
                0,
                FILE_ATTRIBUTE_NORMAL,
                FILE_SHARE_READ | FILE_SHARE_WRITE,
                FILE_CREATE,
                FILE_DIRECTORY_FILE | FILE_SYNCHRONOUS_IO_NONALERT | FILE_OPEN_FOR_BACKUP_INTENT,
                0,
                0,
            )
        except NtError as error:
            if error.status in (STATUS.OBJECT_NAME_COLLISION, STATUS.NOT_A_DIRECTORY):
                raise WinError(ERROR.ALREADY_EXISTS) from error
            raise
        await nt.NtClose(thread, int(handle.read()))


@export_both()
async def CreateDirectoryW(
    thread: UserThread, lpPathName: Ptr[WCHAR], lpSecurityAttributes: Ptr[SECURITY_ATTRIBUTES] | None
) -> BOOL:
    """Make a directory."""
    await create_directory(thread, text_of(lpPathName), lpSecurityAttributes)
    return BOOL(1)


@export_both(partial="nothing is copied from the template")
async def CreateDirectoryExW(
    thread: UserThread,
    lpTemplateDirectory: Ptr[WCHAR],
    lpNewDirectory: Ptr[WCHAR],
    lpSecurityAttributes: Ptr[SECURITY_ATTRIBUTES] | None,
) -> BOOL:
    """Make a directory like another, which must be there."""
    if await file_attributes(thread, text_of(lpTemplateDirectory)) is None:
        raise WinError(ERROR.FILE_NOT_FOUND)
    await create_directory(thread, text_of(lpNewDirectory), lpSecurityAttributes)
    return BOOL(1)


@export_both()
async def RemoveDirectoryW(thread: UserThread, lpPathName: Ptr[WCHAR]) -> BOOL:
    """Delete an empty directory."""
    await delete(thread, text_of(lpPathName), FILE_DIRECTORY_FILE | FILE_OPEN_FOR_BACKUP_INTENT)
    return BOOL(1)


@export_both()
def GetCurrentDirectoryW(thread: UserThread, nBufferLength: DWORD, lpBuffer: Ptr[WCHAR]) -> DWORD:
    """The current directory, without a backslash at its end except in a root."""
    path = current_directory(thread)
    if len(path) > 3:
        path = path.removesuffix("\\")
    return DWORD(put_text(lpBuffer, nBufferLength, path))


@export_both()
async def SetCurrentDirectoryW(thread: UserThread, lpPathName: Ptr[WCHAR]) -> BOOL:
    """Change the current directory."""
    with thread.frame() as frame:
        await rtl_status(thread, "RtlSetCurrentDirectory_U", frame.unicode_string(text_of(lpPathName)))
    return BOOL(1)


@export_both()
def GetFullPathNameW(
    thread: UserThread,
    lpFileName: Ptr[WCHAR],
    nBufferLength: DWORD,
    lpBuffer: Ptr[WCHAR],
    lpFilePart: Ptr[PVOID] | None,
) -> DWORD:
    """A path made absolute, and where its last part begins."""
    found = full_path(thread, text_of(lpFileName))
    length = put_text(lpBuffer, nBufferLength, found.full)
    if lpFilePart is not None and length < nBufferLength:
        place = 0
        if found.file_part is not None:
            head = found.full[: found.file_part]
            offset = len(to_ansi(head)) if is_narrow(lpBuffer) else 2 * unit_count(head)
            place = lpBuffer.address + offset
        lpFilePart.write(place)
    return DWORD(length)


def temporary_directory(thread: UserThread) -> str:
    """%TMP%, %TEMP%, %USERPROFILE% or the Windows directory, with a backslash."""
    variables = environment(thread)
    chosen = next(
        (variables[name] for name in ("TMP", "TEMP", "USERPROFILE") if variables.get(name)),
        windows_directory(thread),
    )
    full = plain_full_path(chosen, current_directory(thread)).full
    return full if full.endswith("\\") else full + "\\"


@export_both(aliases=("GetTempPath2W",))
def GetTempPathW(thread: UserThread, nBufferLength: DWORD, lpBuffer: Ptr[WCHAR]) -> DWORD:
    """The directory for temporary files."""
    return DWORD(put_text(lpBuffer, nBufferLength, temporary_directory(thread)))


@export_both()
async def GetTempFileNameW(
    thread: UserThread,
    lpPathName: Ptr[WCHAR],
    lpPrefixString: Ptr[WCHAR],
    uUnique: UINT,
    lpTempFileName: Ptr[WCHAR],
) -> UINT:
    r"""A name like `C:\\tmp\\pre1A2B.tmp`; with a number of 0 a free one, and the file is made."""
    folder = full_path(thread, text_of(lpPathName)).full
    if not is_directory(await file_attributes(thread, folder)):
        raise WinError(ERROR.DIRECTORY)
    folder = folder if folder.endswith("\\") else folder + "\\"
    prefix = text_of(lpPrefixString)[:3]
    number = uUnique & 0xFFFF
    if not uUnique:
        number = await _make_temporary(thread, folder, prefix)
    put_text(lpTempFileName, 260, f"{folder}{prefix}{number:X}.tmp")
    return UINT(number)


async def _make_temporary(thread: UserThread, folder: str, prefix: str) -> int:
    with thread.frame() as frame:
        place = frame.allocate(8)
        await nt.NtQuerySystemTime(thread, place)
        start = int.from_bytes(thread.memory.read(place, 8), "little") // 100_000 & 0xFFFF or 1
    for step in range(0x10000):
        number = (start + step) & 0xFFFF or 1
        try:
            name = f"{folder}{prefix}{number:X}.tmp"
            handle = await create_file(thread, name, 0x8000_0000, 0, None, CREATE_NEW, FILE_ATTRIBUTE_NORMAL)
        except WinError as error:
            if error.code == ERROR.FILE_EXISTS:
                continue
            raise
        await nt.NtClose(thread, handle)
        return number
    raise WinError(ERROR.FILE_EXISTS)


@export_both()
def GetSystemDirectoryW(thread: UserThread, lpBuffer: Ptr[WCHAR], uSize: UINT) -> UINT:
    r"""C:\\Windows\\System32."""
    return UINT(put_text(lpBuffer, uSize, system_directory(thread)))


@export_both()
def GetWindowsDirectoryW(thread: UserThread, lpBuffer: Ptr[WCHAR], uSize: UINT) -> UINT:
    r"""C:\\Windows."""
    return UINT(put_text(lpBuffer, uSize, windows_directory(thread)))


@export_both()
def GetSystemWindowsDirectoryW(thread: UserThread, lpBuffer: Ptr[WCHAR], uSize: UINT) -> UINT:
    """The shared Windows directory."""
    return UINT(put_text(lpBuffer, uSize, windows_directory(thread)))


@export_both()
def GetSystemWow64DirectoryW(thread: UserThread, lpBuffer: Ptr[WCHAR], uSize: UINT) -> UINT:
    """The directory of 32-bit system DLLs."""
    return UINT(put_text(lpBuffer, uSize, windows_directory(thread) + "\\SysWOW64"))


async def _names(thread: UserThread, folder: str, name: str) -> tuple[str, str]:
    """The long and the short name of an entry, as its directory spells them."""
    with thread.frame() as frame:
        handle, status = new_handle(frame), new_status(frame)
        options = FILE_DIRECTORY_FILE | FILE_SYNCHRONOUS_IO_NONALERT | FILE_OPEN_FOR_BACKUP_INTENT
        where = attributes(frame, nt_path(thread, folder))
        access = FILE_LIST_DIRECTORY | SYNCHRONIZE
        await nt.NtOpenFile(thread, handle.address, access, where, status.address, 7, options)
        place = frame.allocate(0x400)
        try:
            await nt.NtQueryDirectoryFile(
                thread,
                int(handle.read()),
                0,
                0,
                0,
                status.address,
                place,
                0x400,
                FILE_INFORMATION_CLASS.FileBothDirectoryInformation,
                1,
                frame.unicode_string(name),
                1,
            )
        except NtError as error:
            if error.status in (STATUS.NO_SUCH_FILE, STATUS.NO_MORE_FILES):
                raise WinError(ERROR.FILE_NOT_FOUND) from error
            raise
        finally:
            await nt.NtClose(thread, int(handle.read()))
        data = thread.memory.read(place, 0x400)
    entry = FILE_BOTH_DIR_INFORMATION.parse(data)
    length, short = int(entry.FileNameLength), int(entry.ShortNameLength) & 0xFF
    return (
        from_utf16(data[NAME_OFFSET : NAME_OFFSET + length]),
        from_utf16(data[SHORT_NAME_OFFSET : SHORT_NAME_OFFSET + short]),
    )


async def _respell(thread: UserThread, path: str, *, short: bool) -> str:
    prefix = path[:4] if path.startswith("\\\\?\\") else ""
    rest = path[len(prefix) :]
    parts = rest.replace("/", "\\").split("\\")
    done, spelled = prefix, []
    for index, part in enumerate(parts):
        if part in ("", ".", "..") or part.endswith(":") or (index == 0 and prefix == "" and path[:2] == "\\\\"):
            spelled.append(part)
        else:
            folder = prefix + "\\".join(spelled) + "\\" if spelled else "."
            long_name, short_name = await _names(thread, folder, part)
            spelled.append(short_name or long_name if short else long_name)
    return done + "\\".join(spelled)


@export_both()
async def GetLongPathNameW(
    thread: UserThread, lpszShortPath: Ptr[WCHAR], lpszLongPath: Ptr[WCHAR], cchBuffer: DWORD
) -> DWORD:
    """A path with each part's long name."""
    path = await _respell(thread, text_of(lpszShortPath), short=False)
    return DWORD(put_text(lpszLongPath, cchBuffer, path))


@export_both()
async def GetShortPathNameW(
    thread: UserThread, lpszLongPath: Ptr[WCHAR], lpszShortPath: Ptr[WCHAR], cchBuffer: DWORD
) -> DWORD:
    """A path with each part's short name, where it has one."""
    path = await _respell(thread, text_of(lpszLongPath), short=True)
    return DWORD(put_text(lpszShortPath, cchBuffer, path))


class FileApis:
    """Which code page file functions were told to read 8-bit names in."""

    def __init__(self) -> None:
        self.oem = False


@export
def AreFileApisANSI(thread: UserThread) -> BOOL:
    """Whether file functions read 8-bit names in the ANSI code page."""
    return BOOL(not thread.state(FileApis).oem)


@export
def SetFileApisToANSI(thread: UserThread) -> None:
    """Read 8-bit names in the ANSI code page."""
    thread.state(FileApis).oem = False


@export(partial="8-bit names are read in the ANSI code page all the same")
def SetFileApisToOEM(thread: UserThread) -> None:
    """Read 8-bit names in the OEM code page."""
    thread.state(FileApis).oem = True


@export_both(partial="needs SeCreateSymbolicLinkPrivilege of the kernel's check; relative targets stay as given")
async def CreateSymbolicLinkW(
    thread: UserThread, lpSymlinkFileName: Ptr[WCHAR], lpTargetFileName: Ptr[WCHAR], dwFlags: DWORD
) -> BOOL:
    """A symbolic link: a reparse point that names a target."""
    target, is_folder = text_of(lpTargetFileName), dwFlags & 1
    if dwFlags & ~3 or not target:
        raise WinError(ERROR.INVALID_PARAMETER)
    relative = not (target[1:2] == ":" or target.startswith("\\\\"))
    substitute = target if relative else nt_path(thread, target)
    first, second = substitute.encode("utf-16-le"), target.encode("utf-16-le")
    body = b"".join(
        value.to_bytes(2, "little") for value in (0, len(first), len(first), len(second))
    ) + int(relative).to_bytes(4, "little") + first + second  # fmt: skip
    data = (0xA000_000C).to_bytes(4, "little") + len(body).to_bytes(2, "little") + bytes(2) + body
    with thread.frame() as frame:
        handle, status = new_handle(frame), new_status(frame)
        await nt.NtCreateFile(
            thread,
            handle.address,
            0x4000_0000 | DELETE | SYNCHRONIZE | FILE_READ_ATTRIBUTES,
            attributes(frame, nt_path(thread, text_of(lpSymlinkFileName))),
            status.address,
            0,
            FILE_ATTRIBUTE_NORMAL,
            0,
            FILE_CREATE,
            FILE_OPEN_REPARSE_POINT
            | FILE_SYNCHRONOUS_IO_NONALERT
            | FILE_OPEN_FOR_BACKUP_INTENT
            | (FILE_DIRECTORY_FILE if is_folder else 0x40),
            0,
            0,
        )
        place, file = frame.bytes(data), int(handle.read())
        try:
            await nt.NtFsControlFile(thread, file, 0, 0, 0, status.address, 0x900A4, place, len(data), 0, 0)
        finally:
            await nt.NtClose(thread, file)
    set_last_error(thread, ERROR.SUCCESS)
    return BOOL(1)

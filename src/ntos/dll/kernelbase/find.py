"""Searching directories: FindFirstFile and its kin, streams, change notification (fileapi.h)."""

from __future__ import annotations

from dataclasses import dataclass, field

from ntos.abi.access import FILE_LIST_DIRECTORY, SYNCHRONIZE
from ntos.abi.errors import ERROR
from ntos.abi.io import (
    FILE_DIRECTORY_FILE,
    FILE_INFORMATION_CLASS,
    FILE_OPEN_FOR_BACKUP_INTENT,
    FILE_SHARE_DELETE,
    FILE_SHARE_READ,
    FILE_SHARE_WRITE,
    FILE_SYNCHRONOUS_IO_NONALERT,
)
from ntos.abi.layout.file_info import FILE_BOTH_DIR_INFORMATION, FILE_STREAM_INFORMATION
from ntos.abi.layout.win32 import OVERLAPPED, WIN32_FIND_DATAW, WIN32_FIND_STREAM_DATA
from ntos.abi.pointer import Code, Ptr
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import BOOL, DWORD, HANDLE, PVOID, WCHAR
from ntos.abi.win32 import INVALID_HANDLE_VALUE
from ntos.dll.kernelbase.file import open_path
from ntos.dll.kernelbase.file_info import query_bytes
from ntos.dll.kernelbase.file_io import begin
from ntos.dll.kernelbase.objects import attributes, full_path, new_handle, new_status, nt_path
from ntos.dll.kernelbase.own import own_entry
from ntos.dll.kernelbase.services import allocate, free, nt
from ntos.dll.kernelbase.text import export_both, set_text, text_of
from ntos.dll.kernelbase.time import put_file_time
from ntos.rtl.pattern import dos_expression
from ntos.rtl.text import from_utf16
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread

BUFFER = 0x1000
NAME_OFFSET = 0x5E
FIND_EX_INFO_BASIC = 1
REPARSE_POINT = 0x400
FILE_SHARE_ALL = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE
STATUS_BLOCK = 0x10


@dataclass
class Search:
    """One open search: a directory handle and the entries read but not yet given out."""

    directory: int
    basic: bool
    only_directories: bool
    waiting: list[bytes] = field(default_factory=list)
    streams: list[bytes] = field(default_factory=list)


@dataclass
class Searches:
    """The searches of the process, by the heap block that is their handle."""

    open: dict[int, Search] = field(default_factory=dict)


def _split(thread: UserThread, path: str) -> tuple[str, str]:
    """The directory to open and the pattern in it; wildcards of the last component are the file system's."""
    cut = max(path.rfind("\\"), path.rfind("/"), 1 if path[1:2] == ":" else -1)
    head, last = path[: cut + 1], path[cut + 1 :]
    if any(mark in last for mark in "*?<>"):
        return nt_path(thread, head + "." if not head.endswith(("\\", "/")) else head), dos_expression(last)
    if path.startswith("\\\\?\\"):
        name = nt_path(thread, path)
        return name[: name.rfind("\\") + 1], last
    full = full_path(thread, path)
    if full.file_part is None:
        raise WinError(ERROR.FILE_NOT_FOUND)
    return nt_path(thread, full.full[: full.file_part]), full.full[full.file_part :]


async def _open_directory(thread: UserThread, name: str) -> int:
    with thread.frame() as frame:
        handle = new_handle(frame)
        options = FILE_DIRECTORY_FILE | FILE_SYNCHRONOUS_IO_NONALERT | FILE_OPEN_FOR_BACKUP_INTENT
        try:
            await nt.NtOpenFile(
                thread,
                handle.address,
                FILE_LIST_DIRECTORY | SYNCHRONIZE,
                attributes(frame, name),
                new_status(frame).address,
                FILE_SHARE_ALL,
                options,
            )
        except NtError as error:
            missing = (STATUS.OBJECT_NAME_NOT_FOUND, STATUS.OBJECT_TYPE_MISMATCH)
            if error.status in missing:
                raise WinError(ERROR.PATH_NOT_FOUND) from error
            if error.status == STATUS.NOT_A_DIRECTORY:
                raise WinError(ERROR.DIRECTORY) from error
            raise
        return int(handle.read())


async def _fetch(thread: UserThread, search: Search, pattern: str | None) -> None:
    """Read the next bufferful of entries."""
    with thread.frame() as frame:
        place, status = frame.allocate(BUFFER), new_status(frame)
        name = frame.unicode_string(pattern) if pattern is not None else 0
        await nt.NtQueryDirectoryFile(
            thread,
            search.directory,
            0,
            0,
            0,
            status.address,
            place,
            BUFFER,
            FILE_INFORMATION_CLASS.FileBothDirectoryInformation,
            0,
            name,
            int(pattern is not None),
        )
        data = thread.memory.read(place, int(status.Information) or BUFFER)
    search.waiting = split_entries(data)


def split_entries(data: bytes) -> list[bytes]:
    """The entries of an answer, each linked to the next by its first word."""
    entries, offset = [], 0
    while True:
        step = int.from_bytes(data[offset : offset + 4], "little")
        entries.append(data[offset : offset + step] if step else data[offset:])
        if not step:
            return entries
        offset += step


def _put(view: WIN32_FIND_DATAW, entry: bytes, *, basic: bool) -> None:
    found = FILE_BOTH_DIR_INFORMATION.parse(entry)
    name = from_utf16(entry[NAME_OFFSET : NAME_OFFSET + int(found.FileNameLength)])
    size = int(found.EndOfFile)
    view.clear()
    view.dwFileAttributes = found.FileAttributes
    put_file_time(view.ftCreationTime, int(found.CreationTime))
    put_file_time(view.ftLastAccessTime, int(found.LastAccessTime))
    put_file_time(view.ftLastWriteTime, int(found.LastWriteTime))
    view.nFileSizeHigh, view.nFileSizeLow = size >> 32, size & 0xFFFF_FFFF
    if int(found.FileAttributes) & REPARSE_POINT:
        view.dwReserved0 = found.EaSize
    set_text(view, "cFileName", name[:259])
    length = int(found.ShortNameLength) & 0xFF
    if length and not basic:
        set_text(view, "cAlternateFileName", from_utf16(entry[0x46 : 0x46 + length]))


async def _find_first(
    thread: UserThread, path: str, view: WIN32_FIND_DATAW, *, basic: bool, only_directories: bool
) -> int:
    if not path:
        raise WinError(ERROR.PATH_NOT_FOUND)
    directory_name, pattern = _split(thread, path)
    directory = await _open_directory(thread, directory_name)
    search = Search(directory, basic, only_directories)
    try:
        await _fetch(thread, search, pattern)
        handle = await allocate(thread, 16)
    except NtError as error:
        await nt.NtClose(thread, directory)
        if error.status == STATUS.NO_MORE_FILES:
            raise WinError(ERROR.FILE_NOT_FOUND) from error
        raise
    _put(view, search.waiting.pop(0), basic=basic)
    thread.state(Searches).open[handle] = search
    return handle


@export_both(fails=INVALID_HANDLE_VALUE)
async def FindFirstFileW(thread: UserThread, lpFileName: Ptr[WCHAR], lpFindFileData: Ptr[WIN32_FIND_DATAW]) -> HANDLE:
    """Begin a search; the first file found."""
    return HANDLE(
        await _find_first(thread, text_of(lpFileName), lpFindFileData.read(), basic=False, only_directories=False)
    )


@export_both(fails=INVALID_HANDLE_VALUE)
async def FindFirstFileExW(
    thread: UserThread,
    lpFileName: Ptr[WCHAR],
    fInfoLevelId: DWORD,
    lpFindFileData: Ptr[WIN32_FIND_DATAW],
    fSearchOp: DWORD,
    lpSearchFilter: PVOID,
    dwAdditionalFlags: DWORD,
) -> HANDLE:
    """Begin a search with options; directories alone is advice that file systems do not take."""
    if fInfoLevelId > FIND_EX_INFO_BASIC or fSearchOp > 1 or lpSearchFilter or dwAdditionalFlags & ~7:
        raise WinError(ERROR.INVALID_PARAMETER)
    basic = fInfoLevelId == FIND_EX_INFO_BASIC
    return HANDLE(
        await _find_first(
            thread,
            text_of(lpFileName),
            lpFindFileData.read(),
            basic=basic,
            only_directories=fSearchOp == 1,
        )
    )


def _search(thread: UserThread, handle: int) -> Search:
    search = thread.state(Searches).open.get(handle)
    if search is None:
        raise WinError(ERROR.INVALID_HANDLE)
    return search


@export_both()
async def FindNextFileW(thread: UserThread, hFindFile: HANDLE, lpFindFileData: Ptr[WIN32_FIND_DATAW]) -> BOOL:
    """The next file of a search; ERROR_NO_MORE_FILES after the last."""
    search = _search(thread, hFindFile)
    if not search.waiting:
        await _fetch(thread, search, None)
    _put(lpFindFileData.read(), search.waiting.pop(0), basic=search.basic)
    return BOOL(1)


@export
async def FindClose(thread: UserThread, hFindFile: HANDLE) -> BOOL:
    """End a search."""
    search = _search(thread, hFindFile)
    del thread.state(Searches).open[hFindFile]
    if search.directory:
        await nt.NtClose(thread, search.directory)
    await free(thread, hFindFile)
    return BOOL(1)


def _put_stream(view: WIN32_FIND_STREAM_DATA, entry: bytes) -> None:
    found = FILE_STREAM_INFORMATION.parse(entry)
    view.StreamSize = found.StreamSize
    view.cStreamName = from_utf16(entry[0x18 : 0x18 + int(found.StreamNameLength)])


@export(fails=INVALID_HANDLE_VALUE)
async def FindFirstStreamW(
    thread: UserThread,
    lpFileName: Ptr[WCHAR],
    InfoLevel: DWORD,
    lpFindStreamData: Ptr[WIN32_FIND_STREAM_DATA],
    dwFlags: DWORD,
) -> HANDLE:
    """Begin a search for a file's streams."""
    if InfoLevel or dwFlags:
        raise WinError(ERROR.INVALID_PARAMETER)
    file = await open_path(thread, text_of(lpFileName), 0, FILE_OPEN_FOR_BACKUP_INTENT)
    try:
        data = await query_bytes(thread, file, FILE_INFORMATION_CLASS.FileStreamInformation, BUFFER)
    finally:
        await nt.NtClose(thread, file)
    if not data:
        raise WinError(ERROR.HANDLE_EOF)
    entries = split_entries(data)
    _put_stream(lpFindStreamData.read(), entries.pop(0))
    handle = await allocate(thread, 16)
    thread.state(Searches).open[handle] = Search(0, basic=False, only_directories=False, streams=entries)
    return HANDLE(handle)


@export
def FindNextStreamW(thread: UserThread, hFindStream: HANDLE, lpFindStreamData: Ptr[WIN32_FIND_STREAM_DATA]) -> BOOL:
    """The next stream."""
    search = _search(thread, hFindStream)
    if not search.streams:
        raise WinError(ERROR.HANDLE_EOF)
    _put_stream(lpFindStreamData.read(), search.streams.pop(0))
    return BOOL(1)


@export
async def ReadDirectoryChangesW(
    thread: UserThread,
    hDirectory: HANDLE,
    lpBuffer: PVOID,
    nBufferLength: DWORD,
    bWatchSubtree: BOOL,
    dwNotifyFilter: DWORD,
    lpBytesReturned: Ptr[DWORD] | None,
    lpOverlapped: Ptr[OVERLAPPED] | None,
    lpCompletionRoutine: Code,
) -> BOOL:
    """What changed in a directory since the last call, waiting for it."""
    event, apc, context = 0, 0, 0
    with thread.frame() as frame:
        if lpOverlapped is None:
            block = new_status(frame).address
        else:
            block = lpOverlapped.address
            event, context = begin(lpOverlapped)
            if lpCompletionRoutine:
                event, context = 0, int(lpCompletionRoutine)
                apc = own_entry(thread, "ntos_io_completion")
        status = await nt.NtNotifyChangeDirectoryFile(
            thread,
            hDirectory,
            event,
            apc,
            context,
            block,
            lpBuffer,
            nBufferLength,
            dwNotifyFilter,
            int(bool(bWatchSubtree)),
        )
        if lpOverlapped is not None:
            return BOOL(1)
        if status == STATUS.PENDING:
            await nt.NtWaitForSingleObject(thread, hDirectory, 0, 0)
        if lpBytesReturned is not None:
            lpBytesReturned.write(int.from_bytes(thread.memory.read(block + 8, 4), "little"))
    return BOOL(1)


@dataclass
class Watches:
    """IO_STATUS_BLOCKs of change notifications: a heap block each, by directory handle."""

    blocks: dict[int, tuple[int, int, int]] = field(default_factory=dict)


async def _watch(thread: UserThread, handle: int) -> None:
    block, tree, what = thread.state(Watches).blocks[handle]
    await nt.NtNotifyChangeDirectoryFile(thread, handle, 0, 0, 0, block, 0, 0, what, tree)


@export_both(fails=INVALID_HANDLE_VALUE)
async def FindFirstChangeNotificationW(
    thread: UserThread, lpPathName: Ptr[WCHAR], bWatchSubtree: BOOL, dwNotifyFilter: DWORD
) -> HANDLE:
    """A handle that is signalled when something changes in a directory."""
    with thread.frame() as frame:
        handle = new_handle(frame)
        where = attributes(frame, nt_path(thread, text_of(lpPathName)))
        options = FILE_DIRECTORY_FILE | FILE_OPEN_FOR_BACKUP_INTENT
        access = FILE_LIST_DIRECTORY | SYNCHRONIZE
        status = new_status(frame).address
        await nt.NtOpenFile(thread, handle.address, access, where, status, FILE_SHARE_ALL, options)
        directory = int(handle.read())
    block = await allocate(thread, STATUS_BLOCK, 8)
    thread.state(Watches).blocks[directory] = (block, int(bool(bWatchSubtree)), dwNotifyFilter)
    await _watch(thread, directory)
    return HANDLE(directory)


@export
async def FindNextChangeNotification(thread: UserThread, hChangeHandle: HANDLE) -> BOOL:
    """Wait for the next change."""
    if hChangeHandle not in thread.state(Watches).blocks:
        raise WinError(ERROR.INVALID_HANDLE)
    await _watch(thread, hChangeHandle)
    return BOOL(1)


@export
async def FindCloseChangeNotification(thread: UserThread, hChangeHandle: HANDLE) -> BOOL:
    """No more notifications."""
    found = thread.state(Watches).blocks.pop(hChangeHandle, None)
    await nt.NtClose(thread, hChangeHandle)
    if found is not None:
        await free(thread, found[0])
    return BOOL(1)

"""SHFileOperation: delete, copy, move and rename files and whole folders (shellapi.h)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from ntos.abi.errors import ERROR
from ntos.abi.io import FILE_ATTRIBUTE_DIRECTORY, FILE_DIRECTORY_FILE, FILE_NON_DIRECTORY_FILE
from ntos.abi.layout.win32 import WIN32_FIND_DATAW
from ntos.abi.pointer import Ptr
from ntos.abi.status import NtError
from ntos.abi.struct import Struct, at
from ntos.abi.types import BOOL, CHAR, HANDLE, INT, PVOID, UINT, WCHAR, WORD
from ntos.abi.win32 import MOVEFILE_COPY_ALLOWED, MOVEFILE_REPLACE_EXISTING
from ntos.dll.kernelbase.copy import copy_file, move
from ntos.dll.kernelbase.directory import create_directory
from ntos.dll.kernelbase.file import delete
from ntos.dll.kernelbase.objects import full_path
from ntos.dll.kernelbase.search import file_attributes, is_directory
from ntos.dll.kernelbase.text import encoded, text_of
from ntos.um.export import WinError, dos_error, export
from ntos.um.thread import UserThread
from ntos.um.win32 import win32

FO_MOVE, FO_COPY, FO_DELETE, FO_RENAME = 1, 2, 3, 4
FOF_MULTIDESTFILES, FOF_RENAMEONCOLLISION, FOF_ALLOWUNDO = 0x1, 0x8, 0x40
FOF_FILESONLY, FOF_NORECURSION = 0x80, 0x1000
REFUSED = FOF_RENAMEONCOLLISION | FOF_ALLOWUNDO
WILD = frozenset("*?")
INVALID_HANDLE = 0xFFFF_FFFF_FFFF_FFFF
PARTIAL = "nobody is asked or shown anything; no undo, no recycle bin, no new names on collision: those are refused"


class SHFILEOPSTRUCTW(Struct, size=0x38):
    """What to do with which files; the 8-bit one has the same layout."""

    hwnd                  = at(0x00, HANDLE)
    wFunc                 = at(0x08, UINT)
    pFrom                 = at(0x10, PVOID)
    pTo                   = at(0x18, PVOID)
    fFlags                = at(0x20, WORD)
    fAnyOperationsAborted = at(0x24, BOOL)
    hNameMappings         = at(0x28, PVOID)
    lpszProgressTitle     = at(0x30, PVOID)


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or folder that is there."""

    path: str
    folder: bool

    @property
    def name(self) -> str:
        """Its last component."""
        return self.path.rpartition("\\")[2]


async def _entries(thread: UserThread, pattern: str) -> AsyncIterator[Entry]:
    """What a path with wildcards names, without `.` and `..`."""
    folder = pattern.rpartition("\\")[0]
    found: list[Entry] = []
    with thread.frame() as frame:
        data: WIN32_FIND_DATAW = frame.new(WIN32_FIND_DATAW)
        search = await win32(thread, "FindFirstFileW", frame.wide(pattern), data.address)
        if search == INVALID_HANDLE:
            return
        more = True
        while more:
            if data.cFileName not in (".", ".."):
                directory = bool(data.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY)
                found.append(Entry(f"{folder}\\{data.cFileName}", directory))
            more = bool(await win32(thread, "FindNextFileW", search, data.address) & 0xFFFF_FFFF)
        await win32(thread, "FindClose", search)
    for entry in found:
        yield entry


async def _sources(thread: UserThread, paths: list[str], flags: int) -> list[Entry]:
    """All that is asked for; ERROR_FILE_NOT_FOUND for a path that names nothing."""
    found: list[Entry] = []
    for path in paths:
        full = full_path(thread, path).full.rstrip("\\")
        wild = not WILD.isdisjoint(full)
        attributes = None if wild else await file_attributes(thread, full)
        if wild:
            matching = [entry async for entry in _entries(thread, full)]
            found += [entry for entry in matching if not (entry.folder and flags & FOF_FILESONLY)]
        elif attributes is None:
            raise WinError(ERROR.FILE_NOT_FOUND)
        else:
            found.append(Entry(full, is_directory(attributes)))
    return found


async def _delete(thread: UserThread, entry: Entry) -> None:
    if not entry.folder:
        await delete(thread, entry.path, FILE_NON_DIRECTORY_FILE)
        return
    async for below in _entries(thread, entry.path + "\\*"):
        await _delete(thread, below)
    await delete(thread, entry.path, FILE_DIRECTORY_FILE)


async def _copy(thread: UserThread, entry: Entry, target: str, flags: int) -> None:
    if not entry.folder:
        await copy_file(thread, entry.path, target, fail_if_exists=False)
        return
    if await file_attributes(thread, target) is None:
        await create_directory(thread, target, None)
    if not flags & FOF_NORECURSION:
        async for below in _entries(thread, entry.path + "\\*"):
            await _copy(thread, below, f"{target}\\{below.name}", flags)


async def _move(thread: UserThread, entry: Entry, target: str) -> None:
    flags = MOVEFILE_COPY_ALLOWED | (0 if entry.folder else MOVEFILE_REPLACE_EXISTING)
    await move(thread, entry.path, target, flags)


async def _targets(thread: UserThread, sources: list[Entry], targets: list[str], flags: int) -> list[str]:
    """Where each source goes: to a name of its own, or below one folder, which is made where it is missing."""
    full = [full_path(thread, target).full.rstrip("\\") for target in targets]
    if flags & FOF_MULTIDESTFILES and len(full) == len(sources):
        return full
    if not full:
        raise WinError(ERROR.INVALID_PARAMETER)
    attributes = await file_attributes(thread, full[0])
    if attributes is None and len(sources) == 1:
        return full[:1]
    if attributes is None:
        await create_directory(thread, full[0], None)
    elif not is_directory(attributes):
        if len(sources) > 1 or sources[0].folder:
            raise WinError(ERROR.ALREADY_EXISTS)
        return full[:1]
    return [f"{full[0]}\\{source.name}" for source in sources]


async def _operate(thread: UserThread, action: int, sources: list[str], targets: list[str], flags: int) -> None:
    if action not in (FO_MOVE, FO_COPY, FO_DELETE, FO_RENAME) or not sources:
        raise WinError(ERROR.INVALID_PARAMETER)
    if flags & REFUSED:
        raise WinError(ERROR.NOT_SUPPORTED)
    found = await _sources(thread, sources, flags)
    if action == FO_DELETE:
        for entry in found:
            await _delete(thread, entry)
        return
    for entry, target in zip(found, await _targets(thread, found, targets, flags), strict=True):
        if action == FO_COPY:
            await _copy(thread, entry, target, flags)
        else:
            await _move(thread, entry, target)


def _list(pointer: Ptr[WCHAR]) -> list[str]:
    """Texts with a NUL each, up to an empty one."""
    found: list[str] = []
    while pointer.address and (text := text_of(pointer)):
        found.append(text)
        pointer = type(pointer)(pointer.memory, pointer.address + len(encoded(pointer, text + "\0")))
    return found


async def _run(thread: UserThread, operation: SHFILEOPSTRUCTW, kind: type[WCHAR | CHAR]) -> INT:
    operation.fAnyOperationsAborted = BOOL(0)
    sources, targets = (
        _list(Ptr[kind](thread.memory, int(place)))  # type: ignore[valid-type]
        for place in (operation.pFrom, operation.pTo)
    )
    try:
        await _operate(thread, int(operation.wFunc), sources, targets, int(operation.fFlags))
    except NtError as error:
        return INT(dos_error(error))
    return INT(0)


@export(partial=PARTIAL)
async def SHFileOperationW(thread: UserThread, lpFileOp: Ptr[SHFILEOPSTRUCTW]) -> INT:
    """Do something with files and folders: 0, or the error that stopped it."""
    return await _run(thread, lpFileOp.read(), WCHAR)


@export(partial=PARTIAL)
async def SHFileOperationA(thread: UserThread, lpFileOp: Ptr[SHFILEOPSTRUCTW]) -> INT:
    """The same with 8-bit names."""
    return await _run(thread, lpFileOp.read(), CHAR)

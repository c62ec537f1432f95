"""Paths as text, the current directory and drive (stdlib.h, direct.h): _fullpath, _splitpath, _getcwd, _chdir."""

from __future__ import annotations

from typing import NamedTuple

from ntos.abi.types import INT, PVOID, SIZE_T, ULONG
from ntos.dll.ucrtbase.crt import CrtError, allocate, crt, failure, invalid_parameter, set_errno, succeed, win32
from ntos.dll.ucrtbase.environment import lookup_wide
from ntos.dll.ucrtbase.errno import ERRNO
from ntos.dll.ucrtbase.strings import load
from ntos.rtl.nls.codepage import ansi, to_ansi
from ntos.um.thread import UserThread

MAX_DRIVE, MAX_DIR, MAX_FNAME, MAX_EXT, MAX_PATH = 3, 256, 256, 256, 260


def path_text(thread: UserThread, address: int, unit: int) -> str:
    """A path argument."""
    if not address:
        raise CrtError(ERRNO.EINVAL)
    data = load(thread, address, unit)
    return ansi(data) if unit == 1 else data.decode("utf-16-le", "surrogatepass")


def encoded(text: str, unit: int) -> bytes:
    """A path as a string of one- or two-byte characters with its NUL."""
    return to_ansi(text) + b"\0" if unit == 1 else text.encode("utf-16-le", "surrogatepass") + b"\0\0"


async def give(thread: UserThread, text: str, buffer: int, room: int, unit: int) -> int:
    """A result into the caller's buffer, or a heap block where there is none; ERANGE when it does not fit."""
    data = encoded(text, unit)
    if not buffer:
        block = await allocate(thread, max(len(data), room * unit))
        if block:
            thread.memory.write(block, data)
        return block
    if len(data) > room * unit:
        raise CrtError(ERRNO.ERANGE)
    thread.memory.write(buffer, data)
    return buffer


async def query(thread: UserThread, function: str, *before: int) -> str:
    """A Win32 function that fills (size, buffer) with text."""
    with thread.frame() as frame:
        room = 0x8000
        buffer = frame.allocate(2 * 0x1000)
        length = await win32(thread, function, *before, 0x1000, buffer) & 0xFFFF_FFFF
        if not length or length > room:
            raise failure(thread)
        return thread.memory.read(buffer, 2 * length).decode("utf-16-le", "surrogatepass")


async def current_directory(thread: UserThread) -> str:
    """The current directory."""
    return await query(thread, "GetCurrentDirectoryW")


async def full_path(thread: UserThread, path: str) -> str:
    """GetFullPathName."""
    with thread.frame() as frame:
        buffer = frame.allocate(2 * 0x1000)
        length = await win32(thread, "GetFullPathNameW", frame.wide(path), 0x1000, buffer, 0) & 0xFFFF_FFFF
        if not length or length > 0x1000:
            raise failure(thread)
        return thread.memory.read(buffer, 2 * length).decode("utf-16-le", "surrogatepass")


class Parts(NamedTuple):
    """A path taken apart."""

    drive: str
    directory: str
    name: str
    extension: str


def split(path: str) -> Parts:
    """_splitpath: drive with its colon, directory with its last separator, name, extension with its point."""
    drive, rest = (path[:2], path[2:]) if path[1:2] == ":" else ("", path)
    cut = max(rest.rfind("\\"), rest.rfind("/")) + 1
    directory, name = rest[:cut], rest[cut:]
    point = name.rfind(".")
    return Parts(drive, directory, name if point < 0 else name[:point], "" if point < 0 else name[point:])


def joined(parts: Parts) -> str:
    """_makepath: the parts with the separators they lack."""
    text = parts.drive[:1] + ":" if parts.drive else ""
    text += parts.directory
    if parts.directory and parts.directory[-1] not in "\\/":
        text += "\\"
    text += parts.name
    if parts.extension and not parts.extension.startswith("."):
        text += "."
    return text + parts.extension


def _optional(thread: UserThread, address: int, unit: int) -> str:
    return path_text(thread, address, unit) if address else ""


def _declare_directories(unit: int, mark: str) -> None:
    async def fullpath(thread: UserThread, buffer: PVOID, path: PVOID, size: SIZE_T) -> PVOID:
        """The full path of a name."""
        text = _optional(thread, path, unit)
        found = await full_path(thread, text) if text else await current_directory(thread)
        return PVOID(await give(thread, found, buffer, size, unit))

    async def getcwd(thread: UserThread, buffer: PVOID, size: INT) -> PVOID:
        """The current directory."""
        return PVOID(await give(thread, await current_directory(thread), buffer, size, unit))

    async def getdcwd(thread: UserThread, drive: INT, buffer: PVOID, size: INT) -> PVOID:
        """The current directory of a drive."""
        where = f"{chr(64 + drive)}:." if drive else "."
        return PVOID(await give(thread, await full_path(thread, where), buffer, size, unit))

    async def chdir(thread: UserThread, path: PVOID) -> INT:
        """Change the current directory."""
        with thread.frame() as frame:
            await succeed(thread, "SetCurrentDirectoryW", frame.wide(path_text(thread, path, unit)))
        await _remember_directory(thread)
        return INT(0)

    crt(name=f"_{mark}fullpath")(fullpath)
    crt(name=f"_{mark}getcwd")(getcwd)
    crt(name=f"_{mark}getdcwd")(getdcwd)
    crt(name=f"_{mark}chdir", fails=-1)(chdir)


def _declare_splitting(unit: int, mark: str) -> None:
    def splitpath(
        thread: UserThread, path: PVOID, drive: PVOID, directory: PVOID, name: PVOID, extension: PVOID
    ) -> None:
        """The parts of a path."""
        parts = split(path_text(thread, path, unit))
        for target, text in zip((drive, directory, name, extension), parts, strict=True):
            if target:
                thread.memory.write(target, encoded(text, unit))

    async def splitpath_s(
        thread: UserThread, path: PVOID, drive: PVOID, drive_size: SIZE_T, directory: PVOID, directory_size: SIZE_T,
        name: PVOID, name_size: SIZE_T, extension: PVOID, extension_size: SIZE_T,
    ) -> INT:  # fmt: skip
        """The parts of a path into buffers of known size."""
        targets = ((drive, drive_size), (directory, directory_size), (name, name_size), (extension, extension_size))
        pieces = [encoded(text, unit) for text in split(path_text(thread, path, unit))]
        if any(target and len(data) > size * unit for (target, size), data in zip(targets, pieces, strict=True)):
            for target, size in targets:
                if target and size:
                    thread.memory.write(target, bytes(unit))
            set_errno(thread, ERRNO.ERANGE)
            return INT(ERRNO.ERANGE)
        for (target, _), data in zip(targets, pieces, strict=True):
            if target:
                thread.memory.write(target, data)
        return INT(0)

    crt(name=f"_{mark}splitpath")(splitpath)
    crt(name=f"_{mark}splitpath_s", fails=ERRNO.EINVAL)(splitpath_s)


def _declare_making(unit: int, mark: str) -> None:
    def makepath(
        thread: UserThread, path: PVOID, drive: PVOID, directory: PVOID, name: PVOID, extension: PVOID
    ) -> None:
        """A path out of its parts."""
        parts = Parts(*(_optional(thread, place, unit) for place in (drive, directory, name, extension)))
        thread.memory.write(path, encoded(joined(parts), unit))

    async def makepath_s(
        thread: UserThread, path: PVOID, size: SIZE_T, drive: PVOID, directory: PVOID, name: PVOID, extension: PVOID
    ) -> INT:
        """A path out of its parts into a buffer of known size."""
        parts = Parts(*(_optional(thread, place, unit) for place in (drive, directory, name, extension)))
        data = encoded(joined(parts), unit)
        if not path or len(data) > size * unit:
            if path and size:
                thread.memory.write(path, bytes(unit))
            await invalid_parameter(thread)
            set_errno(thread, ERRNO.ERANGE)
            return INT(ERRNO.ERANGE)
        thread.memory.write(path, data)
        return INT(0)

    crt(name=f"_{mark}makepath")(makepath)
    crt(name=f"_{mark}makepath_s", fails=ERRNO.EINVAL)(makepath_s)


def _declare_search(unit: int, mark: str) -> None:
    async def searchenv(thread: UserThread, file: PVOID, variable: PVOID, result: PVOID) -> None:
        """A file along a variable's folders."""
        found = await search(thread, path_text(thread, file, unit), path_text(thread, variable, unit))
        thread.memory.write(result, encoded(found, unit))

    async def searchenv_s(thread: UserThread, file: PVOID, variable: PVOID, result: PVOID, size: SIZE_T) -> INT:
        """A file along a variable's folders; errno as the result."""
        found = await search(thread, path_text(thread, file, unit), path_text(thread, variable, unit))
        data = encoded(found, unit)
        fits = len(data) <= size * unit
        thread.memory.write(result, data if fits else bytes(unit))
        return INT((0 if fits else ERRNO.ERANGE) if found else ERRNO.ENOENT)

    crt(name=f"_{mark}searchenv")(searchenv)
    crt(name=f"_{mark}searchenv_s", fails=ERRNO.EINVAL)(searchenv_s)


async def search(thread: UserThread, file: str, variable: str) -> str:
    """A file in the current directory or in the folders a variable lists; empty where it is not."""
    place = await lookup_wide(thread, variable)
    folders = load(thread, place, 2).decode("utf-16-le", "surrogatepass").split(";") if place else []
    for folder in ["", *filter(None, folders)]:
        candidate = await full_path(thread, f"{folder.rstrip(chr(92))}\\{file}" if folder else file)
        with thread.frame() as frame:
            if await win32(thread, "GetFileAttributesW", frame.wide(candidate)) & 0xFFFF_FFFF != 0xFFFF_FFFF:
                return candidate
    set_errno(thread, ERRNO.ENOENT)
    return ""


async def _remember_directory(thread: UserThread) -> None:
    """The hidden variable `=C:` holds a drive's directory."""
    where = await current_directory(thread)
    if where[1:2] == ":":
        with thread.frame() as frame:
            name = frame.wide(f"={where[0].upper()}:")
            await win32(thread, "SetEnvironmentVariableW", name, frame.wide(where))


for _unit, _mark in ((1, ""), (2, "w")):
    _declare_directories(_unit, _mark)
    _declare_splitting(_unit, _mark)
    _declare_making(_unit, _mark)
    _declare_search(_unit, _mark)


@crt
async def _getdrive(thread: UserThread) -> INT:
    """The current drive: 1 is A:."""
    where = await current_directory(thread)
    return INT(ord(where[0].upper()) - 64 if where[1:2] == ":" else 0)


@crt(fails=-1)
async def _chdrive(thread: UserThread, drive: INT) -> INT:
    """Make a drive the current one."""
    if not 1 <= drive <= 26:
        raise CrtError(ERRNO.EACCES)
    with thread.frame() as frame:
        await succeed(thread, "SetCurrentDirectoryW", frame.wide(f"{chr(64 + drive)}:"))
    return INT(0)


@crt
async def _getdrives(thread: UserThread) -> ULONG:
    """A bit for each drive letter."""
    return ULONG(await win32(thread, "GetLogicalDrives") & 0xFFFF_FFFF)

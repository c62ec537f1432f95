"""Files and directories by name: stat, access, remove, rename, find (sys/stat.h, io.h, direct.h, sys/utime.h)."""

from __future__ import annotations

import struct

from ntos.abi.layout.win32 import BY_HANDLE_FILE_INFORMATION, FILETIME, WIN32_FIND_DATAW
from ntos.abi.types import INT, PVOID
from ntos.dll.ucrtbase import lowio
from ntos.dll.ucrtbase.clock import seconds_now
from ntos.dll.ucrtbase.crt import CrtError, crt, failure, succeed, win32
from ntos.dll.ucrtbase.errno import ERRNO
from ntos.dll.ucrtbase.paths import encoded, full_path, path_text
from ntos.rtl.time import TICKS_PER_SECOND, UNIX_EPOCH
from ntos.um.thread import UserThread

DIRECTORY, READONLY, NORMAL = 0x10, 1, 0x80
S_IFDIR, S_IFCHR, S_IFIFO, S_IFREG, S_IREAD, S_IWRITE, S_IEXEC = 0x4000, 0x2000, 0x1000, 0x8000, 0x100, 0x80, 0x40
PROGRAMS = frozenset({".exe", ".cmd", ".bat", ".com"})
INVALID_ATTRIBUTES = 0xFFFF_FFFF
NO_HANDLE = lowio.NO_HANDLE
WRITE_ATTRIBUTES, SHARE_ALL, OPEN_EXISTING, BACKUP_SEMANTICS = 0x100, 7, 3, 0x0200_0000
MOVE_COPY_ALLOWED = 2
NO_MORE_FILES, FILE_NOT_FOUND, PATH_NOT_FOUND, NOT_ENOUGH_MEMORY = 18, 2, 3, 8


def seconds_of(time: FILETIME) -> int:
    """A file time in seconds since 1970; 0 where there is none."""
    ticks = int(time.dwHighDateTime) << 32 | int(time.dwLowDateTime)
    return (ticks - UNIX_EPOCH) // TICKS_PER_SECOND if ticks else 0


class Stat:
    """What stat knows of a file."""

    def __init__(self, mode: int, size: int = 0, times: tuple[int, int, int] = (0, 0, 0), links: int = 1) -> None:
        self.mode = mode
        self.size = size
        self.times = times
        self.links = links
        self.device = 0

    def packed(self, wide_time: bool, wide_size: bool) -> bytes:
        """`struct _stat32`, `_stat32i64`, `_stat64i32` or `_stat64` (sys/stat.h)."""
        if not wide_size and self.size > 0x7FFF_FFFF:
            raise CrtError(132)  # EOVERFLOW
        head = struct.pack("<IHHhhh2xI", self.device, 0, self.mode, self.links, 0, 0, self.device)
        if wide_size:
            body = head + bytes(-len(head) % 8) + struct.pack("<q", self.size)
        else:
            body = head + struct.pack("<i", self.size)
        if wide_time:
            body += bytes(-len(body) % 8) + struct.pack("<3q", *self.times)
        else:
            body += struct.pack("<3i", *(time & 0x7FFF_FFFF for time in self.times))
        return body + bytes(-len(body) % (8 if wide_size or wide_time else 4))


def mode_of(attributes: int, name: str) -> int:
    """st_mode from attributes and name."""
    if attributes & DIRECTORY:
        mode = S_IFDIR | S_IEXEC
    else:
        mode = S_IFREG
        point = name.rfind(".")
        if point >= 0 and name[point:].lower() in PROGRAMS:
            mode |= S_IEXEC
    mode |= S_IREAD | (0 if attributes & READONLY else S_IWRITE)
    return mode | (mode & 0x1C0) >> 3 | (mode & 0x1C0) >> 6


async def stat_path(thread: UserThread, path: str) -> Stat:
    """stat: a trailing separator only a directory may have; wildcards are no names."""
    if not path or set(path) & set("*?"):
        raise CrtError(ERRNO.ENOENT)
    with thread.frame() as frame:
        place = frame.allocate(0x30)
        await succeed(thread, "GetFileAttributesExW", frame.wide(path), 0, place)
        attributes, *times, high, low = struct.unpack("<I6III", thread.memory.read(place, 36))
    seconds = []
    for index in (0, 2, 4):
        ticks = times[index + 1] << 32 | times[index]
        seconds.append((ticks - UNIX_EPOCH) // TICKS_PER_SECOND if ticks else 0)
    if path[-1] in "\\/" and not attributes & DIRECTORY:
        raise CrtError(ERRNO.ENOENT)
    created, accessed, written = seconds
    times3 = (accessed or written, written, created or written)
    found = Stat(mode_of(attributes, path), 0 if attributes & DIRECTORY else high << 32 | low, times3)
    full = await full_path(thread, path)
    found.device = ord(full[0].upper()) - 65 if full[1:2] == ":" else 0
    return found


async def stat_descriptor(thread: UserThread, descriptor: int) -> Stat:
    """fstat: files in full, devices and pipes by kind."""
    info = lowio.opened(thread, descriptor)
    kind = await win32(thread, "GetFileType", int(info.osfhnd)) & 0xFFFF
    if kind in {2, 3}:
        found = Stat(S_IFCHR if kind == 2 else S_IFIFO)
        found.device = descriptor
        return found
    if kind != 1:
        raise CrtError(ERRNO.EBADF)
    with thread.frame() as frame:
        data = frame.new(BY_HANDLE_FILE_INFORMATION)
        await succeed(thread, "GetFileInformationByHandle", int(info.osfhnd), data.address)
        attributes = int(data.dwFileAttributes)
        written = seconds_of(data.ftLastWriteTime)
        times = (seconds_of(data.ftLastAccessTime) or written, written, seconds_of(data.ftCreationTime) or written)
        size = int(data.nFileSizeHigh) << 32 | int(data.nFileSizeLow)
    return Stat(mode_of(attributes, "") & ~0x49 | S_IFREG, size, times)


STATS = (("32", False, False), ("32i64", False, True), ("64i32", True, False), ("64", True, True))


def _declare_stat(suffix: str, wide_time: bool, wide_size: bool) -> None:
    async def narrow(thread: UserThread, path: PVOID, buffer: PVOID) -> INT:
        """What is known of a file."""
        found = await stat_path(thread, path_text(thread, path, 1))
        thread.memory.write(buffer, found.packed(wide_time, wide_size))
        return INT(0)

    async def wide(thread: UserThread, path: PVOID, buffer: PVOID) -> INT:
        """What is known of a file."""
        found = await stat_path(thread, path_text(thread, path, 2))
        thread.memory.write(buffer, found.packed(wide_time, wide_size))
        return INT(0)

    async def handle(thread: UserThread, fd: INT, buffer: PVOID) -> INT:
        """What is known of an open file."""
        found = await stat_descriptor(thread, fd)
        thread.memory.write(buffer, found.packed(wide_time, wide_size))
        return INT(0)

    # msvcrt's `_stat` of 64-bit programs is _stat64i32, its `_stati64` _stat64.
    old = {"64i32": "", "64": "i64"}.get(suffix)
    for name, function in (("_stat", narrow), ("_wstat", wide), ("_fstat", handle)):
        aliases = (name + old,) if old is not None else ()
        if suffix in {"64i32", "64"}:
            crt(name=name + suffix, aliases=aliases, fails=-1)(function)
        else:
            crt(name=name + suffix, fails=-1, dlls=("ucrtbase",))(function)


for _suffix, _time, _size in STATS:
    _declare_stat(_suffix, _time, _size)


# ------------------------------------------------------------------------------ by name


async def check_access(thread: UserThread, path: str, mode: int) -> None:
    """access: existence, and whether it is writable."""
    if mode & ~6:
        raise CrtError(ERRNO.EINVAL)
    with thread.frame() as frame:
        attributes = await win32(thread, "GetFileAttributesW", frame.wide(path)) & 0xFFFF_FFFF
        if attributes == INVALID_ATTRIBUTES:
            raise failure(thread)
    if mode & 2 and attributes & READONLY and not attributes & DIRECTORY:
        raise CrtError(ERRNO.EACCES)


async def change_mode(thread: UserThread, path: str, mode: int) -> None:
    """chmod: only the write permission counts."""
    with thread.frame() as frame:
        name = frame.wide(path)
        attributes = await win32(thread, "GetFileAttributesW", name) & 0xFFFF_FFFF
        if attributes == INVALID_ATTRIBUTES:
            raise failure(thread)
        attributes = attributes & ~READONLY if mode & S_IWRITE else attributes | READONLY
        await succeed(thread, "SetFileAttributesW", name, attributes or NORMAL)


async def _touch(thread: UserThread, handle: int, times: tuple[int, int]) -> None:
    with thread.frame() as frame:
        stamps = frame.bytes(b"".join(struct.pack("<q", UNIX_EPOCH + time * TICKS_PER_SECOND) for time in times))
        await succeed(thread, "SetFileTime", handle, 0, stamps, stamps + 8)


async def set_times(thread: UserThread, path: str, times: tuple[int, int]) -> None:
    """Utime."""
    with thread.frame() as frame:
        handle = await win32(
            thread, "CreateFileW", frame.wide(path), WRITE_ATTRIBUTES, SHARE_ALL, 0, OPEN_EXISTING, BACKUP_SEMANTICS, 0
        )
        if handle == NO_HANDLE:
            raise failure(thread)
        await _touch(thread, handle, times)
        await win32(thread, "CloseHandle", handle)


def _utimes(thread: UserThread, times: int, bits: int) -> tuple[int, int]:
    if not times:
        now = seconds_now(thread)
        return now, now
    accessed, modified = struct.unpack("<qq" if bits == 64 else "<ii", thread.memory.read(times, bits // 4))
    return accessed, modified


def _declare_names(unit: int, mark: str) -> None:
    async def simple(thread: UserThread, function: str, path: int) -> INT:
        with thread.frame() as frame:
            await succeed(thread, function, frame.wide(path_text(thread, path, unit)), 0)
        return INT(0)

    async def unlink(thread: UserThread, path: PVOID) -> INT:
        """Delete a file."""
        return await simple(thread, "DeleteFileW", path)

    async def mkdir(thread: UserThread, path: PVOID) -> INT:
        """Make a directory."""
        return await simple(thread, "CreateDirectoryW", path)

    async def rmdir(thread: UserThread, path: PVOID) -> INT:
        """Remove an empty directory."""
        return await simple(thread, "RemoveDirectoryW", path)

    async def rename(thread: UserThread, old: PVOID, new: PVOID) -> INT:
        """Give a file another name."""
        with thread.frame() as frame:
            names = frame.wide(path_text(thread, old, unit)), frame.wide(path_text(thread, new, unit))
            await succeed(thread, "MoveFileExW", *names, MOVE_COPY_ALLOWED)
        return INT(0)

    async def access(thread: UserThread, path: PVOID, mode: INT) -> INT:
        """Whether a file is there, or may be written."""
        await check_access(thread, path_text(thread, path, unit), mode)
        return INT(0)

    async def access_s(thread: UserThread, path: PVOID, mode: INT) -> INT:
        """Whether a file is there, or may be written; errno as the result."""
        try:
            await check_access(thread, path_text(thread, path, unit), mode)
        except CrtError as error:
            return INT(error.errno)
        return INT(0)

    async def chmod(thread: UserThread, path: PVOID, mode: INT) -> INT:
        """Make a file writable or read-only."""
        await change_mode(thread, path_text(thread, path, unit), mode)
        return INT(0)

    crt(name=f"_{mark}unlink", aliases=("_wremove" if mark else "remove",), fails=-1)(unlink)
    crt(name=f"_{mark}mkdir", fails=-1)(mkdir)
    crt(name=f"_{mark}rmdir", fails=-1)(rmdir)
    crt(name="_wrename" if mark else "rename", fails=-1)(rename)
    crt(name=f"_{mark}access", fails=-1)(access)
    crt(name=f"_{mark}access_s", fails=ERRNO.EINVAL)(access_s)
    crt(name=f"_{mark}chmod", fails=-1)(chmod)


def _declare_times(unit: int, mark: str) -> None:
    async def utime64(thread: UserThread, path: PVOID, times: PVOID) -> INT:
        """Set a file's times."""
        await set_times(thread, path_text(thread, path, unit), _utimes(thread, times, 64))
        return INT(0)

    async def utime32(thread: UserThread, path: PVOID, times: PVOID) -> INT:
        """Set a file's times."""
        await set_times(thread, path_text(thread, path, unit), _utimes(thread, times, 32))
        return INT(0)

    crt(name=f"_{mark}utime64", aliases=(f"_{mark}utime",), fails=-1)(utime64)
    crt(name=f"_{mark}utime32", fails=-1)(utime32)


for _unit, _mark in ((1, ""), (2, "w")):
    _declare_names(_unit, _mark)
    _declare_times(_unit, _mark)


@crt(fails=-1, aliases=("_futime",))
async def _futime64(thread: UserThread, fd: INT, times: PVOID) -> INT:
    """Set an open file's times."""
    await _touch(thread, int(lowio.opened(thread, fd).osfhnd), _utimes(thread, times, 64))
    return INT(0)


@crt(fails=-1)
async def _futime32(thread: UserThread, fd: INT, times: PVOID) -> INT:
    """Set an open file's times."""
    await _touch(thread, int(lowio.opened(thread, fd).osfhnd), _utimes(thread, times, 32))
    return INT(0)


# ------------------------------------------------------------------------------ find


def finddata(data: WIN32_FIND_DATAW, unit: int, wide_time: bool, wide_size: bool) -> bytes:
    """`_finddata_t` in one of its layouts (io.h)."""
    attributes = int(data.dwFileAttributes)
    times = [seconds_of(time) or -1 for time in (data.ftCreationTime, data.ftLastAccessTime, data.ftLastWriteTime)]
    size = int(data.nFileSizeHigh) << 32 | int(data.nFileSizeLow)
    body = struct.pack("<I", 0 if attributes == NORMAL else attributes)
    if wide_time:
        body += bytes(4) + struct.pack("<3q", *times)
    else:
        body += struct.pack("<3i", *times)
    body += bytes(-len(body) % 8) + struct.pack("<Q", size) if wide_size else struct.pack("<I", size & 0xFFFF_FFFF)
    return body + encoded(str(data.cFileName), unit).ljust(260 * unit, b"\0")


def _declare_find(name: str, following: str, unit: int, wide_time: bool, wide_size: bool, old: str) -> None:
    mark = "w" if unit == 2 else ""

    async def first(thread: UserThread, pattern: PVOID, buffer: PVOID) -> PVOID:
        """The first file of a pattern, and a handle for the others."""
        with thread.frame() as frame:
            data = frame.new(WIN32_FIND_DATAW)
            handle = await win32(thread, "FindFirstFileExW", frame.wide(path_text(thread, pattern, unit)), 0,
                                 data.address, 0, 0, 0)  # fmt: skip
            if handle == NO_HANDLE:
                raise failure(thread)
            thread.memory.write(buffer, finddata(data, unit, wide_time, wide_size))
        return PVOID(handle)

    async def after(thread: UserThread, handle: PVOID, buffer: PVOID) -> INT:
        """The next file of a search."""
        with thread.frame() as frame:
            data = frame.new(WIN32_FIND_DATAW)
            await succeed(thread, "FindNextFileW", handle, data.address)
            thread.memory.write(buffer, finddata(data, unit, wide_time, wide_size))
        return INT(0)

    aliases = (f"_{mark}findfirst{old}",) if old != "-" else ()
    nexts = (f"_{mark}findnext{old}",) if old != "-" else ()
    dlls = ("ucrtbase",) if old == "-" else ("ucrtbase", "msvcrt")
    crt(name=f"_{mark}{name}", aliases=aliases, fails=NO_HANDLE, dlls=dlls)(first)
    crt(name=f"_{mark}{following}", aliases=nexts, fails=-1, dlls=dlls)(after)


for _unit in (1, 2):
    _declare_find("findfirst64", "findnext64", _unit, True, True, "i64")
    _declare_find("findfirst64i32", "findnext64i32", _unit, True, False, "")
    _declare_find("findfirst32", "findnext32", _unit, False, False, "-")
    _declare_find("findfirst32i64", "findnext32i64", _unit, False, True, "-")


@crt(fails=-1)
async def _findclose(thread: UserThread, handle: PVOID) -> INT:
    """End a search."""
    await succeed(thread, "FindClose", handle)
    return INT(0)

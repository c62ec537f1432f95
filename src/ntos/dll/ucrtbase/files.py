"""Files by descriptor: open, read, write, seek, duplicate, pipe (io.h, fcntl.h)."""

from __future__ import annotations

import contextlib

from ntos.abi.pointer import Ptr
from ntos.abi.types import CHAR, INT, LONG, LONG_PTR, LONGLONG, PVOID, UINT, WCHAR
from ntos.dll.ucrtbase import lowio
from ntos.dll.ucrtbase.crt import (
    CrtError,
    crt,
    failure,
    narrow,
    process_data,
    set_errno,
    succeed,
    wide,
    win32,
)
from ntos.dll.ucrtbase.errno import ERRNO
from ntos.rtl.nls.codepage import ansi
from ntos.um.export import last_error
from ntos.um.thread import UserThread

O_WRONLY, O_RDWR, O_APPEND, O_TEMPORARY, O_NOINHERIT = 1, 2, 8, 0x40, 0x80
O_CREAT, O_TRUNC, O_EXCL = 0x100, 0x200, 0x400
O_TEXT, O_BINARY, O_WTEXT, O_U16TEXT, O_U8TEXT = 0x4000, 0x8000, 0x10000, 0x20000, 0x40000
GENERIC_READ, GENERIC_WRITE, DELETE = 0x8000_0000, 0x4000_0000, 0x10000
SH_SECURE = 0x80
SHARES = {0x10: 0, 0x20: 1, 0x30: 2, 0x40: 3, 0x80: 1}
CREATE_NEW, CREATE_ALWAYS, OPEN_EXISTING, OPEN_ALWAYS, TRUNCATE_EXISTING = 1, 2, 3, 4, 5
ATTRIBUTE_READONLY, ATTRIBUTE_NORMAL, FLAG_DELETE_ON_CLOSE = 1, 0x80, 0x0400_0000
S_IWRITE = 0x80
NO_HANDLE = lowio.NO_HANDLE
STARTUP_ATTRIBUTES = 0x18
LOCK_RETRIES, LOCK_PAUSE = 10, 1000


def _disposition(flags: int) -> int:
    """CreateFile's disposition for open flags."""
    chosen = flags & (O_CREAT | O_TRUNC | O_EXCL)
    return {
        O_CREAT: OPEN_ALWAYS,
        O_CREAT | O_TRUNC: CREATE_ALWAYS,
        O_CREAT | O_EXCL: CREATE_NEW,
        O_CREAT | O_EXCL | O_TRUNC: CREATE_NEW,
        O_TRUNC: TRUNCATE_EXISTING,
        O_TRUNC | O_EXCL: TRUNCATE_EXISTING,
    }.get(chosen, OPEN_EXISTING)


def _text_flags(thread: UserThread, flags: int) -> int:
    if not flags & (O_TEXT | O_BINARY | O_WTEXT | O_U16TEXT | O_U8TEXT):
        flags |= int(process_data(thread).fmode) or O_TEXT
    return flags


async def open_file(thread: UserThread, name: str, flags: int, share: int, permission: int, *, least: int = 0) -> int:
    """_sopen: a new descriptor on a file."""
    flags = _text_flags(thread, flags)
    access = {0: GENERIC_READ, O_WRONLY: GENERIC_WRITE, O_RDWR: GENERIC_READ | GENERIC_WRITE}.get(flags & 3)
    if access is None or share not in SHARES:
        raise CrtError(ERRNO.EINVAL)
    sharing = 0 if share == SH_SECURE and access != GENERIC_READ else SHARES[share]
    unicode_mode = flags & (O_WTEXT | O_U16TEXT | O_U8TEXT)
    if unicode_mode and access == GENERIC_WRITE and flags & O_APPEND:
        access |= GENERIC_READ
    attributes = ATTRIBUTE_NORMAL
    if flags & O_CREAT and not permission & ~int(process_data(thread).umask) & S_IWRITE:
        attributes = ATTRIBUTE_READONLY
    if flags & O_TEMPORARY:
        attributes, access, sharing = attributes | FLAG_DELETE_ON_CLOSE, access | DELETE, sharing | 4
    with thread.frame() as frame:
        security = frame.allocate(STARTUP_ATTRIBUTES)
        inherit = 0 if flags & O_NOINHERIT else 1
        thread.memory.write(
            security, STARTUP_ATTRIBUTES.to_bytes(8, "little") + bytes(8) + inherit.to_bytes(8, "little")
        )
        handle = await win32(
            thread,
            "CreateFileW",
            frame.wide(name),
            access,
            sharing,
            security,
            _disposition(flags),
            attributes,
            0,
        )
    if handle == NO_HANDLE:
        raise failure(thread)
    return await _adopt(thread, handle, flags, least)


async def _adopt(thread: UserThread, handle: int, flags: int, least: int) -> int:
    kind = await win32(thread, "GetFileType", handle) & 0xFFFF
    if not kind:
        error = failure(thread)
        await win32(thread, "CloseHandle", handle)
        raise error
    osfile = {2: lowio.FDEV, 3: lowio.FPIPE}.get(kind, 0)
    if flags & (O_TEXT | O_WTEXT | O_U16TEXT | O_U8TEXT):
        osfile |= lowio.FTEXT
    if flags & O_APPEND:
        osfile |= lowio.FAPPEND
    if flags & O_NOINHERIT:
        osfile |= lowio.FNOINHERIT
    descriptor = await lowio.attach(thread, handle, osfile, least=least)
    mode = lowio.UTF8 if flags & O_U8TEXT else lowio.UTF16 if flags & (O_U16TEXT | O_WTEXT) else lowio.ANSI
    if kind == 1 and osfile & lowio.FTEXT and (mode or flags & O_RDWR):
        mode = await _byte_order_mark(thread, descriptor, handle, mode, flags)
    lowio.slot(thread, descriptor).textmode = mode
    return descriptor


async def _byte_order_mark(thread: UserThread, descriptor: int, handle: int, mode: int, flags: int) -> int:
    """Read the mark of an existing Unicode file, write one into a new file; a Ctrl+Z at an end is taken
    away.
    """
    if not mode:
        return mode
    end = await lowio.seek(thread, descriptor, 0, 2)
    if end == 0:
        if flags & 3:
            await lowio.raw_write(thread, handle, b"\xef\xbb\xbf" if mode == lowio.UTF8 else b"\xff\xfe")
        return mode
    await lowio.seek(thread, descriptor, 0, 0)
    if flags & 3 == O_WRONLY and not flags & O_APPEND:
        return mode
    with thread.frame() as frame:
        place = frame.allocate(16)
        got = await lowio.raw_read(thread, handle, place, 3)
        mark = thread.memory.read(place, got)
    if mark == b"\xef\xbb\xbf":
        found, start = lowio.UTF8, 3
    elif mark[:2] == b"\xff\xfe":
        found, start = lowio.UTF16, 2
    else:
        # Without a mark, "ccs=UNICODE" reads the code page, the other two what was asked for.
        found, start = (lowio.ANSI if flags & O_WTEXT else mode), 0
    await lowio.seek(thread, descriptor, start, 0)
    return found


async def commit(thread: UserThread, descriptor: int) -> None:
    """FlushFileBuffers."""
    await succeed(thread, "FlushFileBuffers", int(lowio.opened(thread, descriptor).osfhnd))


async def finish_pipe(thread: UserThread, address: int) -> None:
    """A stream of _popen that is closed: its process is no longer known."""
    thread.state(Pipes).processes.pop(address, None)


class Pipes:
    """Processes behind the streams of _popen."""

    def __init__(self) -> None:
        self.processes: dict[int, int] = {}


def _variadic_mode(flags: int, mode: int) -> int:
    return mode if flags & O_CREAT else 0


@crt(fails=-1)
async def _open(thread: UserThread, filename: Ptr[CHAR], oflag: INT, pmode: INT) -> INT:
    """Open a file; the third argument counts only with _O_CREAT."""
    return INT(await open_file(thread, ansi(narrow(filename)), oflag, 0x40, _variadic_mode(oflag, pmode)))


@crt(fails=-1)
async def _wopen(thread: UserThread, filename: Ptr[WCHAR], oflag: INT, pmode: INT) -> INT:
    """Open a file; the third argument counts only with _O_CREAT."""
    return INT(await open_file(thread, wide(filename), oflag, 0x40, _variadic_mode(oflag, pmode)))


@crt(fails=-1)
async def _sopen(thread: UserThread, filename: Ptr[CHAR], oflag: INT, shflag: INT, pmode: INT) -> INT:
    """Open a file with a share mode."""
    return INT(await open_file(thread, ansi(narrow(filename)), oflag, shflag, _variadic_mode(oflag, pmode)))


@crt(fails=-1)
async def _wsopen(thread: UserThread, filename: Ptr[WCHAR], oflag: INT, shflag: INT, pmode: INT) -> INT:
    """Open a file with a share mode."""
    return INT(await open_file(thread, wide(filename), oflag, shflag, _variadic_mode(oflag, pmode)))


async def _dispatch(thread: UserThread, out: Ptr[INT], name: str, flags: int, share: int, mode: int) -> int:
    out.write(-1)
    try:
        out.write(await open_file(thread, name, flags, share, mode))
    except CrtError as error:
        set_errno(thread, error.errno)
        return error.errno
    return 0


@crt
async def _sopen_dispatch(
    thread: UserThread, filename: Ptr[CHAR], oflag: INT, shflag: INT, pmode: INT, pfh: Ptr[INT], secure: INT
) -> INT:
    """Open a file; the descriptor by pointer, errno as the result."""
    return INT(await _dispatch(thread, pfh, ansi(narrow(filename)), oflag, shflag, pmode))


@crt
async def _wsopen_dispatch(
    thread: UserThread, filename: Ptr[WCHAR], oflag: INT, shflag: INT, pmode: INT, pfh: Ptr[INT], secure: INT
) -> INT:
    """Open a file; the descriptor by pointer, errno as the result."""
    return INT(await _dispatch(thread, pfh, wide(filename), oflag, shflag, pmode))


@crt
async def _sopen_s(thread: UserThread, pfh: Ptr[INT], filename: Ptr[CHAR], oflag: INT, shflag: INT, pmode: INT) -> INT:
    """Open a file; the descriptor by pointer, errno as the result."""
    return INT(await _dispatch(thread, pfh, ansi(narrow(filename)), oflag, shflag, pmode))


@crt
async def _wsopen_s(
    thread: UserThread, pfh: Ptr[INT], filename: Ptr[WCHAR], oflag: INT, shflag: INT, pmode: INT
) -> INT:
    """Open a file; the descriptor by pointer, errno as the result."""
    return INT(await _dispatch(thread, pfh, wide(filename), oflag, shflag, pmode))


@crt(fails=-1)
async def _creat(thread: UserThread, filename: Ptr[CHAR], pmode: INT) -> INT:
    """Make a file, or empty it."""
    return INT(await open_file(thread, ansi(narrow(filename)), O_CREAT | O_TRUNC | O_RDWR, 0x40, pmode))


@crt(fails=-1)
async def _wcreat(thread: UserThread, filename: Ptr[WCHAR], pmode: INT) -> INT:
    """Make a file, or empty it."""
    return INT(await open_file(thread, wide(filename), O_CREAT | O_TRUNC | O_RDWR, 0x40, pmode))


@crt(fails=-1)
async def _close(thread: UserThread, fd: INT) -> INT:
    """Close a descriptor."""
    await lowio.close(thread, fd)
    return INT(0)


@crt(fails=-1)
async def _read(thread: UserThread, fd: INT, buffer: PVOID, count: UINT) -> INT:
    """Read up to `count` bytes; 0 at the end."""
    return INT(await lowio.read(thread, fd, buffer, count))


@crt(fails=-1)
async def _write(thread: UserThread, fd: INT, buffer: PVOID, count: UINT) -> INT:
    """Write `count` bytes."""
    return INT(await lowio.write(thread, fd, thread.memory.read(buffer, count)))


@crt(fails=-1)
async def _lseek(thread: UserThread, fd: INT, offset: LONG, origin: INT) -> LONG:
    """Move the file pointer."""
    return LONG(await lowio.seek(thread, fd, offset, origin))


@crt(fails=-1)
async def _lseeki64(thread: UserThread, fd: INT, offset: LONGLONG, origin: INT) -> LONGLONG:
    """Move the file pointer."""
    return LONGLONG(await lowio.seek(thread, fd, offset, origin))


@crt(fails=-1)
async def _tell(thread: UserThread, fd: INT) -> LONG:
    """Where the file pointer is."""
    return LONG(await lowio.seek(thread, fd, 0, 1))


@crt(fails=-1)
async def _telli64(thread: UserThread, fd: INT) -> LONGLONG:
    """Where the file pointer is."""
    return LONGLONG(await lowio.seek(thread, fd, 0, 1))


async def length_of(thread: UserThread, descriptor: int) -> int:
    """The length of an open file."""
    here = await lowio.seek(thread, descriptor, 0, 1)
    end = await lowio.seek(thread, descriptor, 0, 2)
    await lowio.seek(thread, descriptor, here, 0)
    return end


@crt(fails=-1)
async def _filelength(thread: UserThread, fd: INT) -> LONG:
    """The length of a file."""
    return LONG(await length_of(thread, fd))


@crt(fails=-1)
async def _filelengthi64(thread: UserThread, fd: INT) -> LONGLONG:
    """The length of a file."""
    return LONGLONG(await length_of(thread, fd))


@crt(fails=-1)
async def _eof(thread: UserThread, fd: INT) -> INT:
    """Whether the file pointer is at the end."""
    here = await lowio.seek(thread, fd, 0, 1)
    return INT(here >= await length_of(thread, fd))


async def change_size(thread: UserThread, descriptor: int, size: int) -> None:
    """Cut a file or make it longer."""
    here = await lowio.seek(thread, descriptor, 0, 1)
    await lowio.seek(thread, descriptor, size, 0)
    await succeed(thread, "SetEndOfFile", int(lowio.opened(thread, descriptor).osfhnd))
    await lowio.seek(thread, descriptor, here, 0)


@crt(fails=-1)
async def _chsize(thread: UserThread, fd: INT, size: LONG) -> INT:
    """Cut a file or make it longer."""
    await change_size(thread, fd, size)
    return INT(0)


@crt
async def _chsize_s(thread: UserThread, fd: INT, size: LONGLONG) -> INT:
    """Cut a file or make it longer; errno as the result."""
    try:
        await change_size(thread, fd, size)
    except CrtError as error:
        set_errno(thread, error.errno)
        return INT(error.errno)
    return INT(0)


@crt(fails=-1)
async def _commit(thread: UserThread, fd: INT) -> INT:
    """Have the system write the file to its disk."""
    await commit(thread, fd)
    return INT(0)


@crt
def _isatty(thread: UserThread, fd: INT) -> INT:
    """Whether the descriptor is a character device."""
    return INT(int(lowio.opened(thread, fd).osfile) & lowio.FDEV)


@crt(fails=-1)
def _setmode(thread: UserThread, fd: INT, mode: INT) -> INT:
    """Text, binary or a Unicode text mode; gives the former mode."""
    info = lowio.opened(thread, fd)
    text, kind = int(info.osfile) & lowio.FTEXT, int(info.textmode)
    former = {lowio.ANSI: O_TEXT, lowio.UTF8: O_U8TEXT, lowio.UTF16: O_WTEXT}[kind] if text else O_BINARY
    kinds = {
        O_BINARY: lowio.ANSI, O_TEXT: lowio.ANSI,
        O_WTEXT: lowio.UTF16, O_U16TEXT: lowio.UTF16, O_U8TEXT: lowio.UTF8,
    }  # fmt: skip
    if mode not in kinds:
        raise CrtError(ERRNO.EINVAL)
    info.osfile = int(info.osfile) & ~lowio.FTEXT | (0 if mode == O_BINARY else lowio.FTEXT)
    info.textmode = kinds[mode]
    return INT(former)


@crt(fails=-1)
def _get_osfhandle(thread: UserThread, fd: INT) -> LONG_PTR:
    """The handle of a descriptor."""
    return LONG_PTR.wrap(int(lowio.opened(thread, fd).osfhnd))  # type: ignore[return-value]


@crt(fails=-1)
async def _open_osfhandle(thread: UserThread, osfhandle: PVOID, flags: INT) -> INT:
    """A descriptor for a handle."""
    kind = await win32(thread, "GetFileType", osfhandle) & 0xFFFF
    if not kind and last_error(thread):
        raise failure(thread)
    osfile = {2: lowio.FDEV, 3: lowio.FPIPE}.get(kind, 0)
    osfile |= lowio.FTEXT if flags & O_TEXT else 0
    osfile |= lowio.FAPPEND if flags & O_APPEND else 0
    osfile |= lowio.FNOINHERIT if flags & O_NOINHERIT else 0
    return INT(await lowio.attach(thread, osfhandle, osfile))


async def duplicate_handle(thread: UserThread, handle: int, *, inherit: bool) -> int:
    """A second handle to the same file."""
    with thread.frame() as frame:
        place = frame.allocate(8)
        await succeed(thread, "DuplicateHandle", NO_HANDLE, handle, NO_HANDLE, place, 0, int(inherit), 2)
        return PVOID.load(thread.memory, place)


@crt(fails=-1)
async def _dup(thread: UserThread, fd: INT) -> INT:
    """A second descriptor for the same file."""
    info = lowio.opened(thread, fd)
    handle = await duplicate_handle(thread, int(info.osfhnd), inherit=True)
    flags = int(info.osfile) & ~lowio.FNOINHERIT
    return INT(await lowio.attach(thread, handle, flags, textmode=int(info.textmode)))


@crt(fails=-1)
async def _dup2(thread: UserThread, source: INT, target: INT) -> INT:
    """Make `target` another descriptor for the same file."""
    info = lowio.opened(thread, source)
    if source == target:
        return INT(0)
    if not 0 <= target < lowio.BLOCK * lowio.BLOCKS:
        raise CrtError(ERRNO.EBADF)
    with contextlib.suppress(CrtError):
        await lowio.close(thread, target)
    handle = await duplicate_handle(thread, int(info.osfhnd), inherit=True)
    flags = int(info.osfile) & ~lowio.FNOINHERIT
    descriptor = await lowio.attach(thread, handle, flags, textmode=int(info.textmode), least=target)
    if descriptor != target:
        raise CrtError(ERRNO.EBADF)
    if target in {0, 1, 2}:
        await win32(thread, "SetStdHandle", (-10 - target) & 0xFFFF_FFFF, handle)
    return INT(0)


@crt(fails=-1)
async def _pipe(thread: UserThread, pfds: Ptr[INT], size: UINT, textmode: INT) -> INT:
    """Two descriptors: one reads what the other writes."""
    with thread.frame() as frame:
        ends, security = frame.allocate(16), frame.allocate(24)
        inherit = 0 if textmode & O_NOINHERIT else 1
        thread.memory.write(security, (24).to_bytes(8, "little") + bytes(8) + inherit.to_bytes(8, "little"))
        await succeed(thread, "CreatePipe", ends, ends + 8, security, size)
        handles = PVOID.load(thread.memory, ends), PVOID.load(thread.memory, ends + 8)
    flags = lowio.FPIPE | (lowio.FNOINHERIT if textmode & O_NOINHERIT else 0)
    text = textmode & O_TEXT or (not textmode & O_BINARY and int(process_data(thread).fmode) != O_BINARY)
    flags |= lowio.FTEXT if text else 0
    for index, handle in enumerate(handles):
        pfds[index] = await lowio.attach(thread, handle, flags)
    return INT(0)


@crt(fails=-1)
async def _locking(thread: UserThread, fd: INT, mode: INT, nbytes: LONG) -> INT:
    """Lock (0-3) or unlock (0 = _LK_UNLCK) bytes from the file pointer on; waits up to ten seconds."""
    handle = int(lowio.opened(thread, fd).osfhnd)
    here = await lowio.seek(thread, fd, 0, 1)
    region = (here & 0xFFFF_FFFF, here >> 32, nbytes & 0xFFFF_FFFF, 0)
    if mode == 0:
        await succeed(thread, "UnlockFile", handle, *region)
        return INT(0)
    if mode not in {1, 2, 3, 4}:
        raise CrtError(ERRNO.EINVAL)
    tries = LOCK_RETRIES if mode in {1, 3} else 1
    for attempt in range(tries):
        if await win32(thread, "LockFile", handle, *region) & 0xFFFF_FFFF:
            return INT(0)
        if attempt + 1 < tries:
            await win32(thread, "Sleep", LOCK_PAUSE)
    raise CrtError(ERRNO.EDEADLK if tries > 1 else ERRNO.EACCES)


@crt
def _umask(thread: UserThread, mode: INT) -> INT:
    """Which permissions new files do not get; gives the former mask."""
    data = process_data(thread)
    former = int(data.umask)
    data.umask = mode & 0o600
    return INT(former)


@crt
def _umask_s(thread: UserThread, mode: INT, former: Ptr[INT]) -> INT:
    """Which permissions new files do not get."""
    former.write(_umask(thread, mode))
    return INT(0)

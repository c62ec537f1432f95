"""Descriptors: the table of open files, CRLF translation, and `read` and `write` below the streams (io.h).

A descriptor is an entry of `__pioinfo` in guest memory: handle, flags, text mode. Text mode turns CRLF into
LF when reading and back when writing; Ctrl+Z ends a text file. UTF-8 and UTF-16 text modes carry UTF-16
above this
line.
"""

from __future__ import annotations

from ntos.abi.struct import Struct, at
from ntos.abi.types import LONGLONG, PVOID, UCHAR, ULONG
from ntos.dll.ucrtbase.crt import (
    CrtError,
    allocate,
    failure,
    parameters,
    process_data,
    release,
    succeed,
    win32,
)
from ntos.dll.ucrtbase.errno import ERRNO
from ntos.um.export import last_error, set_last_error
from ntos.um.thread import UserThread

FOPEN, FEOFLAG, FCRLF, FPIPE, FNOINHERIT, FAPPEND, FDEV, FTEXT = 1, 2, 4, 8, 0x10, 0x20, 0x40, 0x80
ANSI, UTF8, UTF16 = 0, 1, 2
BLOCK, BLOCKS = 64, 128
NO_HANDLE = 0xFFFF_FFFF_FFFF_FFFF
NO_CONSOLE = 0xFFFF_FFFF_FFFF_FFFE
FILE_TYPE_CHAR, FILE_TYPE_PIPE = 2, 3
ERROR_BROKEN_PIPE, ERROR_ACCESS_DENIED = 109, 5
CTRL_Z = 0x1A
STANDARD_FIELDS = ("StandardInput", "StandardOutput", "StandardError")
MAXIMUM_TRANSFER = 0x7FFF_FFFF


class IOINFO(Struct, size=0x40):
    """One descriptor."""

    osfhnd = at(0x00, PVOID)
    osfile = at(0x08, UCHAR)
    textmode = at(0x09, UCHAR)
    lookahead = at(0x0A, UCHAR)
    has_lookahead = at(0x0B, UCHAR)
    pending_count = at(0x0C, UCHAR)
    """Bytes of an unfinished UTF-8 sequence, or of half a UTF-16 unit."""
    pending = at(0x10, ULONG)
    startpos = at(0x18, LONGLONG)


async def initialize(thread: UserThread) -> None:
    """Descriptors 0 to 2, and those a parent runtime handed down (STARTUPINFO.lpReserved2)."""
    data = process_data(thread)
    if data.files[0]:
        return
    await _grow(thread, 0)
    await _inherit(thread)
    start = parameters(thread)
    for descriptor, field in enumerate(STANDARD_FIELDS):
        info = slot(thread, descriptor)
        if info.osfile & FOPEN:
            continue
        handle = int(getattr(start, field))
        kind = await win32(thread, "GetFileType", handle) & 0xFF if handle not in {0, NO_HANDLE} else 0
        info.osfhnd = handle if kind else NO_CONSOLE
        info.osfile = FOPEN | FTEXT | _kind_flag(kind or FILE_TYPE_CHAR)


def _kind_flag(kind: int) -> int:
    return {FILE_TYPE_CHAR: FDEV, FILE_TYPE_PIPE: FPIPE}.get(kind, 0)


async def _inherit(thread: UserThread) -> None:
    block = parameters(thread).RuntimeData
    size, place = int(block.Length), int(block.Buffer)
    if size < 4 or not place:
        return
    count = min(ULONG.load(thread.memory, place), BLOCK * BLOCKS, (size - 4) // 9)
    flags = thread.memory.read(place + 4, count)
    for descriptor in range(count):
        handle = PVOID.load(thread.memory, place + 4 + count + 8 * descriptor)
        if handle in {0, NO_HANDLE, NO_CONSOLE} or not flags[descriptor] & FOPEN:
            continue
        if not flags[descriptor] & FPIPE and not await win32(thread, "GetFileType", handle) & 0xFF:
            continue
        if not process_data(thread).files[descriptor // BLOCK]:
            await _grow(thread, descriptor // BLOCK)
        info = slot(thread, descriptor)
        info.osfhnd, info.osfile = handle, flags[descriptor]


async def _grow(thread: UserThread, index: int) -> None:
    block = await allocate(thread, BLOCK * IOINFO.size)
    for number in range(BLOCK):
        IOINFO(thread.memory, block + number * IOINFO.size).osfhnd = NO_HANDLE
    process_data(thread).files[index] = block


def slot(thread: UserThread, descriptor: int) -> IOINFO:
    """The entry of a descriptor; EBADF when there can be none."""
    if not 0 <= descriptor < BLOCK * BLOCKS:
        raise CrtError(ERRNO.EBADF)
    data = process_data(thread)
    address = data.address + data.offset("files") + 8 * (descriptor // BLOCK)
    block = PVOID.load(thread.memory, address)
    if not block:
        raise CrtError(ERRNO.EBADF)
    return IOINFO(thread.memory, block + descriptor % BLOCK * IOINFO.size)


def opened(thread: UserThread, descriptor: int) -> IOINFO:
    """The entry of an open descriptor; EBADF otherwise."""
    info = slot(thread, descriptor)
    if not info.osfile & FOPEN:
        raise CrtError(ERRNO.EBADF)
    return info


async def attach(thread: UserThread, handle: int, flags: int, *, textmode: int = ANSI, least: int = 0) -> int:
    """The lowest free descriptor, now for `handle`; EMFILE when there is none."""
    data = process_data(thread)
    for index in range(BLOCKS):
        if not data.files[index]:
            await _grow(thread, index)
        for number in range(BLOCK):
            descriptor = index * BLOCK + number
            info = slot(thread, descriptor)
            if descriptor >= least and not info.osfile & FOPEN:
                info.clear()
                info.osfhnd, info.osfile, info.textmode = handle, flags | FOPEN, textmode
                return descriptor
    raise CrtError(ERRNO.EMFILE)


async def close(thread: UserThread, descriptor: int) -> None:
    """Close the handle, unless another standard descriptor shares it, and free the entry."""
    info = opened(thread, descriptor)
    handle = int(info.osfhnd)
    shared = descriptor in {1, 2} and int(slot(thread, 3 - descriptor).osfhnd) == handle
    shared = shared and bool(slot(thread, 3 - descriptor).osfile & FOPEN)
    info.osfile, info.osfhnd = 0, NO_HANDLE
    if handle not in {NO_HANDLE, NO_CONSOLE} and not shared:
        await succeed(thread, "CloseHandle", handle)


async def seek(thread: UserThread, descriptor: int, offset: int, origin: int) -> int:
    """Move the file pointer; gives where it is then."""
    info = opened(thread, descriptor)
    with thread.frame() as frame:
        place = frame.allocate(8)
        moved = await win32(thread, "SetFilePointerEx", int(info.osfhnd), offset & 0xFFFF_FFFF_FFFF_FFFF, place, origin)
        if not moved & 0xFFFF_FFFF:
            raise failure(thread)
        info.osfile = int(info.osfile) & ~FEOFLAG
        info.has_lookahead = 0
        return LONGLONG.load(thread.memory, place)


# ------------------------------------------------------------------------------ writing


async def write(thread: UserThread, descriptor: int, data: bytes) -> int:
    """Write, translated where the descriptor is text; gives how many of `data`'s bytes went out."""
    info = opened(thread, descriptor)
    if not data:
        return 0
    flags, mode = int(info.osfile), int(info.textmode)
    if flags & FAPPEND:
        await seek(thread, descriptor, 0, 2)
    raw = data
    if flags & FTEXT and mode == ANSI:
        raw = data.replace(b"\n", b"\r\n")
    elif flags & FTEXT:
        text = data.decode("utf-16-le", "surrogatepass").replace("\n", "\r\n")
        raw = text.encode("utf-16-le" if mode == UTF16 else "utf-8", "surrogatepass")
    written = await raw_write(thread, int(info.osfhnd), raw)
    if written == len(raw):
        return len(data)
    if written == 0:
        if flags & FDEV and data[0] == CTRL_Z:
            return 0
        raise CrtError(ERRNO.ENOSPC)
    return written - raw[:written].count(b"\r\n") if flags & FTEXT and mode == ANSI else min(written, len(data))


async def raw_write(thread: UserThread, handle: int, data: bytes) -> int:
    """WriteFile."""
    with thread.frame() as frame:
        count = frame.allocate(8)
        if len(data) > 0x4000:
            buffer = await allocate(thread, len(data))
            thread.memory.write(buffer, data)
        else:
            buffer = frame.bytes(data)
        done = await win32(thread, "WriteFile", handle, buffer, len(data), count, 0)
        code = 0 if done & 0xFFFF_FFFF else last_error(thread)
        written = ULONG.load(thread.memory, count)
        if len(data) > 0x4000:
            await release(thread, buffer)
    if code == ERROR_ACCESS_DENIED:
        raise CrtError(ERRNO.EBADF)  # opened for reading only
    if code:
        raise failure_of(thread, code)
    return written


def failure_of(thread: UserThread, code: int) -> CrtError:
    """The errno of a Win32 error seen earlier."""
    set_last_error(thread, code)
    return failure(thread)


# ------------------------------------------------------------------------------ reading


async def raw_read(thread: UserThread, handle: int, buffer: int, size: int) -> int:
    """ReadFile into guest memory; a broken pipe is the end of the file."""
    with thread.frame() as frame:
        count = frame.allocate(8)
        if not await win32(thread, "ReadFile", handle, buffer, size, count, 0) & 0xFFFF_FFFF:
            code = last_error(thread)
            if code == ERROR_BROKEN_PIPE:
                return 0
            if code == ERROR_ACCESS_DENIED:
                raise CrtError(ERRNO.EBADF)
            raise failure_of(thread, code)
        return ULONG.load(thread.memory, count)


async def read(thread: UserThread, descriptor: int, buffer: int, size: int) -> int:
    """Read into guest memory, translated where the descriptor is text; 0 at the end."""
    info = opened(thread, descriptor)
    if size == 0 or int(info.osfile) & FEOFLAG:
        return 0
    if size > MAXIMUM_TRANSFER:
        raise CrtError(ERRNO.EINVAL)
    if not int(info.osfile) & FTEXT:
        return await raw_read(thread, int(info.osfhnd), buffer, size)
    if int(info.textmode) == UTF8:
        return await _read_utf8(thread, info, buffer, size)
    unit = 2 if int(info.textmode) == UTF16 else 1
    while True:
        head = b""
        if info.has_lookahead:
            head, info.has_lookahead = bytes([info.lookahead]).ljust(unit, b"\0"), 0
            thread.memory.write(buffer, head)
        room = size - len(head)
        got = await raw_read(thread, int(info.osfhnd), buffer + len(head), room) if room >= unit else 0
        data = thread.memory.read(buffer, len(head) + got)
        if not data:
            return 0
        result = await _translated(thread, info, descriptor, data, unit)
        if result or int(info.osfile) & FEOFLAG:
            thread.memory.write(buffer, result)
            return len(result)


async def _translated(thread: UserThread, info: IOINFO, descriptor: int, data: bytes, unit: int) -> bytes:
    """CRLF → LF, the file cut at Ctrl+Z; a CR at the end needs a look at what follows."""
    cr, lf, end = b"\r".ljust(unit, b"\0"), b"\n".ljust(unit, b"\0"), b"\x1a".ljust(unit, b"\0")
    stop = _aligned_find(data, end, unit)
    if stop >= 0 and (not info.osfile & FDEV or stop == 0):
        info.osfile = int(info.osfile) | FEOFLAG
        data = data[:stop]
    info.osfile = int(info.osfile) | FCRLF if cr + lf in data else int(info.osfile) & ~FCRLF
    if data.endswith(cr) and len(data) % unit == 0 and not int(info.osfile) & FEOFLAG:
        with thread.frame() as frame:
            peek = frame.allocate(16)
            got = await raw_read(thread, int(info.osfhnd), peek, unit)
            following = thread.memory.read(peek, got)
        if following == lf:
            data = data[:-unit] + lf
        elif following and int(info.osfile) & (FDEV | FPIPE):
            info.lookahead, info.has_lookahead = following[0], 1
        elif following:
            await seek(thread, descriptor, -got, 1)
    if unit == 1:
        return data.replace(b"\r\n", b"\n")
    return data.decode("utf-16-le", "surrogatepass").replace("\r\n", "\n").encode("utf-16-le", "surrogatepass")


def _aligned_find(data: bytes, unit_bytes: bytes, unit: int) -> int:
    position = data.find(unit_bytes)
    while position > 0 and position % unit:
        position = data.find(unit_bytes, position + 1)
    return position


async def _read_utf8(thread: UserThread, info: IOINFO, buffer: int, size: int) -> int:
    """Half the room in UTF-8, widened to UTF-16; an unfinished sequence waits for the next call."""
    kept = int(info.pending).to_bytes(4, "little")[: int(info.pending_count)]
    with thread.frame() as frame:
        room = max(min(size // 2, 0x1000), 4)
        place = frame.allocate(room)
        got = await raw_read(thread, int(info.osfhnd), place, room - len(kept))
        data = kept + thread.memory.read(place, got)
    cut = len(data)
    for back in range(1, min(4, len(data)) + 1):
        lead = data[-back]
        if lead >= 0xC0:
            needed = 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
            cut = len(data) - back if needed > back else cut
            break
        if lead < 0x80:
            break
    if got == 0:
        cut = len(data)
    info.pending = int.from_bytes(data[cut:], "little")
    info.pending_count = len(data) - cut
    text = data[:cut].decode("utf-8", "replace").replace("\r\n", "\n")
    result = text.encode("utf-16-le", "surrogatepass")
    thread.memory.write(buffer, result)
    return len(result)

"""Streams as C sees them: opening, characters, lines, blocks, positions (stdio.h)."""

from __future__ import annotations

from ntos.abi.pointer import Ptr
from ntos.abi.types import CHAR, INT, LONG, LONGLONG, PVOID, SIZE_T, UINT, WCHAR
from ntos.dll.ucrtbase import files, lowio
from ntos.dll.ucrtbase.crt import (
    CrtError,
    crt,
    invalid_parameter,
    narrow,
    process_data,
    release,
    set_errno,
    wide,
)
from ntos.dll.ucrtbase.errno import ERRNO
from ntos.dll.ucrtbase.stream import (
    COMMIT,
    CTRLZ,
    EOF,
    ERROR,
    READ,
    UPDATE,
    WRITE,
    Stream,
    flush_all,
    locked,
    new_stream,
    standard,
)
from ntos.rtl.nls.codepage import ansi
from ntos.um.thread import UserThread

IOFBF, IOLBF, IONBF = 0, 0x40, 4
O_RDONLY, O_WRONLY, O_RDWR, O_APPEND = 0, 1, 2, 8
O_RANDOM, O_SEQUENTIAL, O_TEMPORARY, O_NOINHERIT = 0x10, 0x20, 0x40, 0x80
O_CREAT, O_TRUNC, O_EXCL, O_SHORT_LIVED = 0x100, 0x200, 0x400, 0x1000
O_TEXT, O_BINARY, O_WTEXT, O_U16TEXT, O_U8TEXT = 0x4000, 0x8000, 0x10000, 0x20000, 0x40000
SH_DENYNO, SH_DENYRW, SH_SECURE = 0x40, 0x10, 0x80
LETTERS = {
    "b": O_BINARY, "t": O_TEXT, "S": O_SEQUENTIAL, "R": O_RANDOM, "T": O_SHORT_LIVED,
    "D": O_TEMPORARY, "N": O_NOINHERIT, "x": O_EXCL,
}  # fmt: skip
CODED = {"utf-8": O_U8TEXT, "utf-16le": O_U16TEXT, "unicode": O_WTEXT}


def parse_mode(thread: UserThread, mode: str) -> tuple[int, int]:
    """An fopen mode as open flags and stream flags; EINVAL for a mode that is none."""
    text = mode.lstrip(" ")
    first = {
        "r": (O_RDONLY, READ),
        "w": (O_WRONLY | O_CREAT | O_TRUNC, WRITE),
        "a": (O_WRONLY | O_CREAT | O_APPEND, WRITE),
    }
    if text[:1] not in first:
        raise CrtError(ERRNO.EINVAL)
    flags, stream = first[text[0]]
    rest, _, coding = text[1:].partition(",")
    for letter in rest:
        if letter == "+":
            flags, stream = flags & ~O_WRONLY | O_RDWR, UPDATE
        elif letter == "c":
            stream |= COMMIT
        elif letter == "n":
            stream &= ~COMMIT
        elif letter in LETTERS:
            flags |= LETTERS[letter]
        elif letter != " ":
            raise CrtError(ERRNO.EINVAL)
    if coding:
        name, _, value = coding.strip().partition("=")
        if name.strip() != "ccs" or value.strip().lower() not in CODED:
            raise CrtError(ERRNO.EINVAL)
        flags |= CODED[value.strip().lower()]
    elif not flags & (O_BINARY | O_TEXT):
        flags |= int(process_data(thread).fmode) & (O_BINARY | O_TEXT | O_WTEXT) or O_TEXT
    return flags, stream


async def open_stream(thread: UserThread, name: str, mode: str, share: int) -> int:
    """fopen: the address of a new stream."""
    flags, stream = parse_mode(thread, mode)
    descriptor = await files.open_file(thread, name, flags, share, 0o600)
    return (await new_stream(thread, descriptor, stream)).address


async def close_stream(thread: UserThread, address: int) -> None:
    """Write out, close, and free the stream."""
    async with locked(thread, address) as stream:
        if not stream.flags:
            raise CrtError(ERRNO.EINVAL)
        failure: CrtError | None = None
        try:
            await stream.flush()
        except CrtError as error:
            failure = error
        await stream.drop_buffer()
        descriptor = stream.descriptor
        await files.finish_pipe(thread, address)
        temporary = int(stream.view.tmpfname)
        stream.flags = 0
        stream.view.file = -1
        stream.view.tmpfname = 0
        await lowio.close(thread, descriptor)
        await release(thread, temporary)
    if failure is not None:
        raise failure


@crt(dlls=("ucrtbase",))
def __acrt_iob_func(thread: UserThread, index: UINT) -> PVOID:
    """stdin, stdout or stderr."""
    return PVOID(standard(thread)[index] if index < 3 else 0)


@crt(fails=0)
async def fopen(thread: UserThread, filename: Ptr[CHAR], mode: Ptr[CHAR]) -> PVOID:
    """A stream on a file."""
    return PVOID(await open_stream(thread, ansi(narrow(filename)), ansi(narrow(mode)), SH_DENYNO))


@crt(fails=0)
async def _wfopen(thread: UserThread, filename: Ptr[WCHAR], mode: Ptr[WCHAR]) -> PVOID:
    """A stream on a file."""
    return PVOID(await open_stream(thread, wide(filename), wide(mode), SH_DENYNO))


@crt(fails=0)
async def _fsopen(thread: UserThread, filename: Ptr[CHAR], mode: Ptr[CHAR], shflag: INT) -> PVOID:
    """A stream on a file, with a share mode."""
    return PVOID(await open_stream(thread, ansi(narrow(filename)), ansi(narrow(mode)), shflag))


@crt(fails=0)
async def _wfsopen(thread: UserThread, filename: Ptr[WCHAR], mode: Ptr[WCHAR], shflag: INT) -> PVOID:
    """A stream on a file, with a share mode."""
    return PVOID(await open_stream(thread, wide(filename), wide(mode), shflag))


async def _open_checked(thread: UserThread, result: Ptr[PVOID] | None, name: str, mode: str) -> int:
    if result is None:
        return await invalid_parameter(thread)
    result.write(0)
    inherited = mode.removeprefix("u")
    try:
        result.write(await open_stream(thread, name, inherited, SH_SECURE))
    except CrtError as error:
        set_errno(thread, error.errno)
        return error.errno
    return 0


@crt
async def fopen_s(thread: UserThread, stream: Ptr[PVOID] | None, name: Ptr[CHAR], mode: Ptr[CHAR]) -> INT:
    """A stream on a file nobody else may write."""
    return INT(await _open_checked(thread, stream, ansi(narrow(name)), ansi(narrow(mode))))


@crt
async def _wfopen_s(thread: UserThread, stream: Ptr[PVOID] | None, name: Ptr[WCHAR], mode: Ptr[WCHAR]) -> INT:
    """A stream on a file nobody else may write."""
    return INT(await _open_checked(thread, stream, wide(name), wide(mode)))


@crt(fails=0)
async def _fdopen(thread: UserThread, fd: INT, mode: Ptr[CHAR]) -> PVOID:
    """A stream on an open descriptor."""
    lowio.opened(thread, fd)
    return PVOID((await new_stream(thread, fd, parse_mode(thread, ansi(narrow(mode)))[1])).address)


@crt(fails=0)
async def _wfdopen(thread: UserThread, fd: INT, mode: Ptr[WCHAR]) -> PVOID:
    """A stream on an open descriptor."""
    lowio.opened(thread, fd)
    return PVOID((await new_stream(thread, fd, parse_mode(thread, wide(mode))[1])).address)


async def _reopen(thread: UserThread, name: str, mode: str, address: int) -> int:
    flags, stream_flags = parse_mode(thread, mode)
    stream = Stream(thread, address)
    if stream.flags:
        try:
            await stream.flush()
            await stream.drop_buffer()
            if stream.descriptor >= 0:
                await lowio.close(thread, stream.descriptor)
        except CrtError:
            stream.flags = 0
    least = max(stream.descriptor, 0) if address in standard(thread)[:3] else 0
    descriptor = await files.open_file(thread, name, flags, SH_DENYNO, 0o600, least=least)
    stream.view.file = descriptor
    stream.flags = stream_flags | 0x2000
    return address


@crt(fails=0)
async def freopen(thread: UserThread, filename: Ptr[CHAR], mode: Ptr[CHAR], stream: PVOID) -> PVOID:
    """The stream on another file."""
    return PVOID(await _reopen(thread, ansi(narrow(filename)), ansi(narrow(mode)), stream))


@crt(fails=0)
async def _wfreopen(thread: UserThread, filename: Ptr[WCHAR], mode: Ptr[WCHAR], stream: PVOID) -> PVOID:
    """The stream on another file."""
    return PVOID(await _reopen(thread, wide(filename), wide(mode), stream))


@crt
async def freopen_s(thread: UserThread, result: Ptr[PVOID], filename: Ptr[CHAR], mode: Ptr[CHAR], stream: PVOID) -> INT:
    """The stream on another file."""
    try:
        result.write(await _reopen(thread, ansi(narrow(filename)), ansi(narrow(mode)), stream))
    except CrtError as error:
        result.write(0)
        set_errno(thread, error.errno)
        return INT(error.errno)
    return INT(0)


@crt(fails=-1)
async def fclose(thread: UserThread, stream: PVOID) -> INT:
    """Close a stream."""
    await close_stream(thread, stream)
    return INT(0)


@crt
async def _fcloseall(thread: UserThread) -> INT:
    """Close all streams but the standard ones."""
    count = 0
    for address in standard(thread)[3:]:
        if Stream(thread, address).flags:
            await close_stream(thread, address)
            count += 1
    return INT(count)


@crt(fails=-1, aliases=("_fflush_nolock",))
async def fflush(thread: UserThread, stream: PVOID) -> INT:
    """Write a stream out; all of them for NULL."""
    if not stream:
        await flush_all(thread)
        return INT(0)
    async with locked(thread, stream) as file:
        await file.flush()
        if file.flags & COMMIT:
            await files.commit(thread, file.descriptor)
    return INT(0)


@crt
async def _flushall(thread: UserThread) -> INT:
    """Write all streams out; gives how many are open."""
    return INT(await flush_all(thread))


# ------------------------------------------------------------------------------ state and position


@crt
def feof(thread: UserThread, stream: PVOID) -> INT:
    """Whether reading came to the end of the file."""
    return INT(Stream(thread, stream).flags & EOF)


@crt
def ferror(thread: UserThread, stream: PVOID) -> INT:
    """Whether reading or writing failed."""
    return INT(Stream(thread, stream).flags & ERROR)


@crt
def clearerr(thread: UserThread, stream: PVOID) -> None:
    """Forget the end of the file and errors."""
    file = Stream(thread, stream)
    file.change(off=EOF | ERROR | CTRLZ)
    info = lowio.slot(thread, file.descriptor)
    info.osfile = int(info.osfile) & ~lowio.FEOFLAG


@crt
def clearerr_s(thread: UserThread, stream: PVOID) -> INT:
    """Forget the end of the file and errors."""
    clearerr(thread, stream)
    return INT(0)


@crt(fails=-1)
def _fileno(thread: UserThread, stream: PVOID) -> INT:
    """The stream's descriptor."""
    if not stream:
        raise CrtError(ERRNO.EINVAL)
    standard(thread)
    return INT(Stream(thread, stream).descriptor)


@crt(fails=-1, aliases=("_fseek_nolock",))
async def fseek(thread: UserThread, stream: PVOID, offset: LONG, origin: INT) -> INT:
    """Go elsewhere in the file."""
    async with locked(thread, stream) as file:
        await file.seek(offset, origin)
    return INT(0)


@crt(fails=-1, aliases=("_fseeki64_nolock",))
async def _fseeki64(thread: UserThread, stream: PVOID, offset: LONGLONG, origin: INT) -> INT:
    """Go elsewhere in the file."""
    async with locked(thread, stream) as file:
        await file.seek(offset, origin)
    return INT(0)


@crt(fails=-1, aliases=("_ftell_nolock",))
async def ftell(thread: UserThread, stream: PVOID) -> LONG:
    """Where one is; EINVAL where 31 bits do not hold it."""
    async with locked(thread, stream) as file:
        position = await file.tell()
    if position > 0x7FFF_FFFF:
        raise CrtError(ERRNO.EINVAL)
    return LONG(position)


@crt(fails=-1, aliases=("_ftelli64_nolock",))
async def _ftelli64(thread: UserThread, stream: PVOID) -> LONGLONG:
    """Where one is."""
    async with locked(thread, stream) as file:
        return LONGLONG(await file.tell())


@crt(fails=-1)
async def fgetpos(thread: UserThread, stream: PVOID, position: Ptr[LONGLONG]) -> INT:
    """Where one is, into an fpos_t."""
    async with locked(thread, stream) as file:
        position.write(await file.tell())
    return INT(0)


@crt(fails=-1)
async def fsetpos(thread: UserThread, stream: PVOID, position: Ptr[LONGLONG]) -> INT:
    """Back to what fgetpos said."""
    async with locked(thread, stream) as file:
        await file.seek(position.read(), 0)
    return INT(0)


@crt
async def rewind(thread: UserThread, stream: PVOID) -> None:
    """To the beginning, errors forgotten."""
    try:
        async with locked(thread, stream) as file:
            file.change(off=ERROR | EOF)
            await file.seek(0, 0)
    except CrtError as error:
        set_errno(thread, error.errno)


@crt(fails=-1)
async def setvbuf(thread: UserThread, stream: PVOID, buffer: PVOID, mode: INT, size: SIZE_T) -> INT:
    """How the stream is buffered: fully (also when lines are asked for), or not."""
    if mode not in {IOFBF, IOLBF, IONBF} or (mode != IONBF and not 2 <= size <= 0x7FFF_FFFF):
        await invalid_parameter(thread)
        return INT(-1)
    async with locked(thread, stream) as file:
        await file.set_buffer(buffer, 0 if mode == IONBF else size & ~1)
    return INT(0)


@crt
async def setbuf(thread: UserThread, stream: PVOID, buffer: PVOID) -> None:
    """A buffer of 512 bytes, or none."""
    async with locked(thread, stream) as file:
        await file.set_buffer(buffer, 512 if buffer else 0)


@crt
def _get_stream_buffer_pointers(
    thread: UserThread, stream: PVOID, base: Ptr[PVOID] | None, ptr: Ptr[PVOID] | None, cnt: Ptr[PVOID] | None
) -> INT:
    """Where the stream keeps its buffer pointers (C++ file buffers write through them)."""
    view = Stream(thread, stream).view
    for out, field in ((base, "base"), (ptr, "ptr"), (cnt, "cnt")):
        if out is not None:
            out.write(view.address + view.offset(field))
    return INT(0)


@crt
async def _lock_file(thread: UserThread, stream: PVOID) -> None:
    """Take the stream's lock."""
    standard(thread)
    await Stream(thread, stream).enter()


@crt
async def _unlock_file(thread: UserThread, stream: PVOID) -> None:
    """Give the stream's lock back."""
    await Stream(thread, stream).leave()


@crt
def _getmaxstdio(thread: UserThread) -> INT:
    """How many streams may be open."""
    return INT(process_data(thread).max_stdio)


@crt
def _setmaxstdio(thread: UserThread, maximum: INT) -> INT:
    """Change that; -1 outside 20 to 8192."""
    if not 20 <= maximum <= 8192:
        set_errno(thread, ERRNO.EINVAL)
        return INT(-1)
    process_data(thread).max_stdio = maximum
    return INT(maximum)

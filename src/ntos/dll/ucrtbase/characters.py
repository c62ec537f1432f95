"""Characters, lines and blocks through streams (stdio.h: fgetc … fwrite)."""

from __future__ import annotations

from ntos.abi.memory import read_string, read_wide
from ntos.abi.types import INT, PVOID, SIZE_T, USHORT
from ntos.dll.ucrtbase import locale
from ntos.dll.ucrtbase.crt import CrtError, crt, invalid_parameter, set_errno
from ntos.dll.ucrtbase.errno import ERRNO
from ntos.dll.ucrtbase.printf import put_narrow, put_wide
from ntos.dll.ucrtbase.stream import Stream, locked, standard
from ntos.um.thread import UserThread

WEOF = 0xFFFF
NEWLINE = "\n".encode("utf-16-le")
UNLIMITED = 0x7FFF_FFFF


# ------------------------------------------------------------------------------ out


@crt(fails=-1, aliases=("putc", "_fputc_nolock", "_putc_nolock"))
async def fputc(thread: UserThread, character: INT, stream: PVOID) -> INT:
    """One byte."""
    async with locked(thread, stream) as file:
        await file.write(bytes([character & 0xFF]))
    return INT(character & 0xFF)


@crt(fails=-1, aliases=("_fputchar",))
async def putchar(thread: UserThread, character: INT) -> INT:
    """One byte to stdout."""
    async with locked(thread, standard(thread)[1]) as file:
        await file.write(bytes([character & 0xFF]))
    return INT(character & 0xFF)


@crt(fails=-1)
async def fputs(thread: UserThread, string: PVOID, stream: PVOID) -> INT:
    """A string."""
    async with locked(thread, stream) as file:
        await put_narrow(file, read_string(thread.memory, string, UNLIMITED))
    return INT(0)


@crt(fails=-1)
async def puts(thread: UserThread, string: PVOID) -> INT:
    """A string and a line feed to stdout."""
    async with locked(thread, standard(thread)[1]) as file:
        await put_narrow(file, read_string(thread.memory, string, UNLIMITED) + b"\n")
    return INT(0)


@crt(fails=WEOF, aliases=("putwc", "_fputwc_nolock", "_putwc_nolock"))
async def fputwc(thread: UserThread, character: USHORT, stream: PVOID) -> USHORT:
    """One wide character."""
    async with locked(thread, stream) as file:
        await put_wide(file, character.to_bytes(2, "little"))
    return USHORT(character)


@crt(fails=WEOF, aliases=("_fputwchar",))
async def putwchar(thread: UserThread, character: USHORT) -> USHORT:
    """One wide character to stdout."""
    async with locked(thread, standard(thread)[1]) as file:
        await put_wide(file, character.to_bytes(2, "little"))
    return USHORT(character)


@crt(fails=-1)
async def fputws(thread: UserThread, string: PVOID, stream: PVOID) -> INT:
    """A wide string."""
    text = read_wide(thread.memory, string, UNLIMITED // 2)
    async with locked(thread, stream) as file:
        await put_wide(file, text.encode("utf-16-le", "surrogatepass"))
    return INT(0)


@crt(fails=-1)
async def _putws(thread: UserThread, string: PVOID) -> INT:
    """A wide string and a line feed to stdout."""
    text = read_wide(thread.memory, string, UNLIMITED // 2)
    async with locked(thread, standard(thread)[1]) as file:
        await put_wide(file, text.encode("utf-16-le", "surrogatepass") + NEWLINE)
    return INT(0)


@crt(aliases=("_fwrite_nolock",))
async def fwrite(thread: UserThread, buffer: PVOID, size: SIZE_T, count: SIZE_T, stream: PVOID) -> SIZE_T:
    """Elements of a block; gives how many went in."""
    total = size * count
    if not total:
        return SIZE_T(0)
    if not stream or not buffer:
        await invalid_parameter(thread)
        return SIZE_T(0)
    done = 0
    async with locked(thread, stream) as file:
        try:
            while done < total:
                piece = thread.memory.read(buffer + done, min(total - done, 0x10_0000))
                await file.write(piece)
                done += len(piece)
        except CrtError as error:
            set_errno(thread, error.errno)
    return SIZE_T(done // size)


@crt(fails=-1)
async def _putw(thread: UserThread, value: INT, stream: PVOID) -> INT:
    """Four bytes."""
    async with locked(thread, stream) as file:
        await file.write((value & 0xFFFF_FFFF).to_bytes(4, "little"))
    return INT(value)


# ------------------------------------------------------------------------------ in


@crt(fails=-1, aliases=("getc", "_fgetc_nolock", "_getc_nolock"))
async def fgetc(thread: UserThread, stream: PVOID) -> INT:
    """The next byte, or EOF."""
    async with locked(thread, stream) as file:
        return INT(await file.get())


@crt(fails=-1, aliases=("_fgetchar",))
async def getchar(thread: UserThread) -> INT:
    """The next byte of stdin, or EOF."""
    async with locked(thread, standard(thread)[0]) as file:
        return INT(await file.get())


@crt(fails=-1, aliases=("_ungetc_nolock",))
async def ungetc(thread: UserThread, character: INT, stream: PVOID) -> INT:
    """Put a byte back."""
    if character == -1:
        return INT(-1)
    async with locked(thread, stream) as file:
        await file.unget(character)
    return INT(character & 0xFF)


async def read_line(thread: UserThread, stream: int, limit: int) -> bytes:
    """A line with its end, at most `limit` bytes."""
    async with locked(thread, stream) as file:
        return await file.read(limit, line=True)


@crt(fails=0)
async def fgets(thread: UserThread, string: PVOID, count: INT, stream: PVOID) -> PVOID:
    """A line into a buffer, the line feed kept; NULL at the end."""
    if not string or count <= 0:
        await invalid_parameter(thread)
        return PVOID(0)
    data = await read_line(thread, stream, count - 1)
    if not data and count > 1:
        return PVOID(0)
    thread.memory.write(string, data + b"\0")
    return PVOID(string)


@crt(fails=0)
async def gets(thread: UserThread, string: PVOID) -> PVOID:
    """A line of stdin without its end."""
    data = await read_line(thread, standard(thread)[0], UNLIMITED)
    if not data:
        return PVOID(0)
    thread.memory.write(string, data.removesuffix(b"\n") + b"\0")
    return PVOID(string)


@crt(fails=0)
async def gets_s(thread: UserThread, string: PVOID, size: SIZE_T) -> PVOID:
    """A line of stdin without its end; a line too long is a bad argument."""
    data = await read_line(thread, standard(thread)[0], UNLIMITED)
    if not data:
        return PVOID(0)
    data = data.removesuffix(b"\n")
    if len(data) >= size:
        thread.memory.write(string, b"\0")
        await invalid_parameter(thread)
        return PVOID(0)
    thread.memory.write(string, data + b"\0")
    return PVOID(string)


async def read_block(thread: UserThread, buffer: int, room: int, size: int, count: int, stream: int) -> int:
    """fread, with the room fread_s knows."""
    total = size * count
    if not total:
        return 0
    if not stream or not buffer or total > room:
        await invalid_parameter(thread)
        return 0
    done = 0
    async with locked(thread, stream) as file:
        try:
            while done < total:
                piece = await file.read(min(total - done, 0x1_0000))
                if not piece:
                    break
                thread.memory.write(buffer + done, piece)
                done += len(piece)
        except CrtError as error:
            set_errno(thread, error.errno)
    return done // size


@crt(aliases=("_fread_nolock",))
async def fread(thread: UserThread, buffer: PVOID, size: SIZE_T, count: SIZE_T, stream: PVOID) -> SIZE_T:
    """Elements into a block; gives how many whole ones came."""
    return SIZE_T(await read_block(thread, buffer, size * count, size, count, stream))


@crt(aliases=("_fread_nolock_s",))
async def fread_s(
    thread: UserThread, buffer: PVOID, bufferSize: SIZE_T, size: SIZE_T, count: SIZE_T, stream: PVOID
) -> SIZE_T:
    """Fread into a buffer whose size is known."""
    return SIZE_T(await read_block(thread, buffer, bufferSize, size, count, stream))


@crt(fails=-1)
async def _getw(thread: UserThread, stream: PVOID) -> INT:
    """Four bytes."""
    async with locked(thread, stream) as file:
        data = await file.read(4)
    return INT(int.from_bytes(data, "little", signed=True) if len(data) == 4 else -1)


async def next_wide(file: Stream) -> int:
    """The next wide character of a stream, or WEOF: two bytes, or as many as the code page takes."""
    if file.unicode or not file.is_text:
        data = await file.read(2)
        return int.from_bytes(data, "little") if len(data) == 2 else WEOF
    byte = await file.get()
    if byte < 0:
        return WEOF
    page = locale.code_page(file.thread)
    data = bytes([byte])
    while page and locale.decode_with(page, data) in {"\ufffd", ""} and len(data) < locale.maximum_bytes(page):
        more = await file.get()
        if more < 0:
            raise CrtError(ERRNO.EILSEQ)
        data += bytes([more])
    return int.from_bytes(locale.decode_with(page, data).encode("utf-16-le", "surrogatepass")[:2], "little")


@crt(fails=WEOF, aliases=("getwc", "_fgetwc_nolock", "_getwc_nolock"))
async def fgetwc(thread: UserThread, stream: PVOID) -> USHORT:
    """The next wide character, or WEOF."""
    async with locked(thread, stream) as file:
        return USHORT(await next_wide(file))


@crt(fails=WEOF, aliases=("_fgetwchar",))
async def getwchar(thread: UserThread) -> USHORT:
    """The next wide character of stdin, or WEOF."""
    async with locked(thread, standard(thread)[0]) as file:
        return USHORT(await next_wide(file))


async def unget_wide(file: Stream, character: int) -> None:
    """Put a wide character back."""
    data = character.to_bytes(2, "little")
    if not file.unicode and file.is_text:
        encoded = locale.encode(file.thread, chr(character))
        if encoded is None:
            raise CrtError(ERRNO.EILSEQ)
        data = encoded
    for byte in reversed(data):
        await file.unget(byte)


@crt(fails=WEOF, aliases=("_ungetwc_nolock",))
async def ungetwc(thread: UserThread, character: USHORT, stream: PVOID) -> USHORT:
    """Put a wide character back."""
    if character == WEOF:
        return USHORT(WEOF)
    async with locked(thread, stream) as file:
        await unget_wide(file, character)
    return USHORT(character)


async def read_wide_line(file: Stream, limit: int) -> bytes:
    """A line of wide characters with its end."""
    pieces = bytearray()
    while len(pieces) < 2 * limit:
        unit = await next_wide(file)
        if unit == WEOF:
            break
        pieces += unit.to_bytes(2, "little")
        if unit == 10:
            break
    return bytes(pieces)


@crt(fails=0)
async def fgetws(thread: UserThread, string: PVOID, count: INT, stream: PVOID) -> PVOID:
    """A line of wide characters, the line feed kept; NULL at the end."""
    if not string or count <= 0:
        await invalid_parameter(thread)
        return PVOID(0)
    async with locked(thread, stream) as file:
        data = await read_wide_line(file, count - 1)
    if not data and count > 1:
        return PVOID(0)
    thread.memory.write(string, data + b"\0\0")
    return PVOID(string)


@crt(fails=0)
async def _getws(thread: UserThread, string: PVOID) -> PVOID:
    """A line of stdin in wide characters, without its end."""
    async with locked(thread, standard(thread)[0]) as file:
        data = await read_wide_line(file, UNLIMITED)
    if not data:
        return PVOID(0)
    thread.memory.write(string, data.removesuffix(NEWLINE) + b"\0\0")
    return PVOID(string)

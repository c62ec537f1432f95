"""Temporary files and names: tmpfile, tmpnam, _tempnam, _mktemp (stdio.h, io.h)."""

from __future__ import annotations

from ntos.abi.pointer import Ptr
from ntos.abi.types import INT, PVOID, SIZE_T
from ntos.dll.ucrtbase import files
from ntos.dll.ucrtbase.crt import CrtError, crt, process_data, set_errno, thread_data, win32
from ntos.dll.ucrtbase.environment import lookup_wide
from ntos.dll.ucrtbase.errno import ERRNO
from ntos.dll.ucrtbase.paths import encoded, path_text
from ntos.dll.ucrtbase.startup import copy_narrow, copy_wide
from ntos.dll.ucrtbase.stdio import close_stream
from ntos.dll.ucrtbase.stream import UPDATE, Stream, new_stream, standard
from ntos.dll.ucrtbase.strings import load
from ntos.rtl.nls.codepage import to_ansi
from ntos.um.thread import UserThread

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
TRIES = 4096
OPEN_TEMPORARY = files.O_CREAT | files.O_EXCL | files.O_RDWR | files.O_BINARY | files.O_TEMPORARY


def _spelt(number: int) -> str:
    text = ""
    while True:
        number, digit = divmod(number, 36)
        text = DIGITS[digit] + text
        if not number:
            return text


async def temporary_folder(thread: UserThread) -> str:
    """GetTempPath."""
    with thread.frame() as frame:
        buffer = frame.allocate(1024)
        length = await win32(thread, "GetTempPathW", 512, buffer) & 0xFFFF_FFFF
        return thread.memory.read(buffer, 2 * min(length, 511)).decode("utf-16-le", "surrogatepass") or ".\\"


async def exists(thread: UserThread, path: str) -> bool:
    """Whether there is a file of that name."""
    with thread.frame() as frame:
        return await win32(thread, "GetFileAttributesW", frame.wide(path)) & 0xFFFF_FFFF != 0xFFFF_FFFF


async def unused_name(thread: UserThread, mark: str) -> str:
    """A name in the temporary folder that no file has: s, process id, a point, a count."""
    folder, data = await temporary_folder(thread), process_data(thread)
    process = int.from_bytes(thread.memory.read(thread.context.gs_base + 0x40, 4), "little")
    for _ in range(TRIES):
        number = int(data.temporary_count)
        data.temporary_count = number + 1
        name = f"{folder}{mark}{_spelt(process)}.{_spelt(number)}"
        if not await exists(thread, name):
            return name
    raise CrtError(ERRNO.EEXIST)


async def _tmpfile(thread: UserThread) -> int:
    name = await unused_name(thread, "t")
    descriptor = await files.open_file(thread, name, OPEN_TEMPORARY, 0x40, 0o600)
    stream = await new_stream(thread, descriptor, UPDATE)
    stream.view.tmpfname = await copy_narrow(thread, to_ansi(name))
    return stream.address


@crt
async def tmpfile(thread: UserThread) -> PVOID:
    """A stream on a new file that goes away when it is closed."""
    return PVOID(await _tmpfile(thread))


@crt
async def tmpfile_s(thread: UserThread, result: Ptr[PVOID]) -> INT:
    """A stream on a new file that goes away when it is closed."""
    result.write(0)
    try:
        result.write(await _tmpfile(thread))
    except CrtError as error:
        set_errno(thread, error.errno)
        return INT(error.errno)
    return INT(0)


@crt
async def _rmtmp(thread: UserThread) -> INT:
    """Close all streams of tmpfile; how many there were."""
    count = 0
    for address in standard(thread)[3:]:
        stream = Stream(thread, address)
        if stream.flags and int(stream.view.tmpfname):
            await close_stream(thread, address)
            count += 1
    return INT(count)


def _declare(unit: int) -> None:
    mark = "w" if unit == 2 else ""
    field = "wide_temporary_name" if unit == 2 else "temporary_name"

    async def tmpnam(thread: UserThread, buffer: PVOID) -> PVOID:
        """A name no file has."""
        data = thread_data(thread)
        target = buffer or data.address + data.offset(field)
        thread.memory.write(target, encoded(await unused_name(thread, "s"), unit))
        return PVOID(target)

    async def tmpnam_s(thread: UserThread, buffer: PVOID, size: SIZE_T) -> INT:
        """A name no file has, into a buffer."""
        data = encoded(await unused_name(thread, "u"), unit)
        if not buffer or len(data) > size * unit:
            set_errno(thread, ERRNO.ERANGE)
            return INT(ERRNO.ERANGE)
        thread.memory.write(buffer, data)
        return INT(0)

    async def tempnam(thread: UserThread, folder: PVOID, prefix: PVOID) -> PVOID:
        """A heap copy of a name no file has, in TMP or a folder."""
        place = await lookup_wide(thread, "TMP")
        where = load(thread, place, 2).decode("utf-16-le", "surrogatepass") if place else ""
        if not where or not await exists(thread, where):
            where = path_text(thread, folder, unit) if folder else "."
        begin = path_text(thread, prefix, unit) if prefix else ""
        for number in range(1, TRIES):
            name = f"{where.rstrip(chr(92) + '/')}\\{begin}{number}"
            if not await exists(thread, name):
                return PVOID(await (copy_wide(thread, name) if unit == 2 else copy_narrow(thread, to_ansi(name))))
        raise CrtError(ERRNO.EEXIST)

    async def mktemp(thread: UserThread, template: PVOID) -> PVOID:
        """A template filled in so that there is no such file."""
        return PVOID(await _fill_template(thread, template, unit))

    async def mktemp_s(thread: UserThread, template: PVOID, size: SIZE_T) -> INT:
        """A template filled in so that there is no such file."""
        await _fill_template(thread, template, unit)
        return INT(0)

    crt(name="_wtmpnam" if mark else "tmpnam")(tmpnam)
    crt(name="_wtmpnam_s" if mark else "tmpnam_s", fails=ERRNO.EINVAL)(tmpnam_s)
    crt(name=f"_{mark}tempnam")(tempnam)
    crt(name=f"_{mark}mktemp")(mktemp)
    crt(name=f"_{mark}mktemp_s", fails=ERRNO.EINVAL, dlls=("ucrtbase",))(mktemp_s)


async def _fill_template(thread: UserThread, template: int, unit: int) -> int:
    """XXXXXX becomes a letter and the thread's id, so that no such file is there."""
    text = path_text(thread, template, unit)
    if not text.endswith("XXXXXX"):
        raise CrtError(ERRNO.EINVAL)
    for letter in "abcdefghijklmnopqrstuvwxyz":
        name = f"{text[:-6]}{letter}{thread.id % 100000:05d}"
        if not await exists(thread, name):
            thread.memory.write(template, encoded(name, unit))
            return template
    raise CrtError(ERRNO.EEXIST)


for _unit in (1, 2):
    _declare(_unit)

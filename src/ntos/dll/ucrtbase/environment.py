"""The environment as C sees it: arrays of strings beside the process's own block (stdlib.h: getenv, _putenv
…).
"""

from __future__ import annotations

from ntos.abi.memory import read_string, read_wide
from ntos.abi.pointer import Ptr
from ntos.abi.types import CHAR, INT, PVOID, SIZE_T, ULONGLONG, WCHAR
from ntos.dll.ucrtbase.crt import (
    CrtError,
    allocate,
    crt,
    narrow,
    parameters,
    process_data,
    release,
    set_errno,
    wide,
    win32,
)
from ntos.dll.ucrtbase.errno import ERRNO
from ntos.dll.ucrtbase.startup import copy_narrow, copy_wide
from ntos.rtl.nls.codepage import ansi, to_ansi
from ntos.um.thread import UserThread


def block_strings(thread: UserThread) -> list[str]:
    """The strings of the process's environment block, the hidden `=C:` ones left out."""
    found: list[str] = []
    place = int(parameters(thread).Environment)
    while place:
        text = read_wide(thread.memory, place)
        if not text:
            break
        place += len(text.encode("utf-16-le", "surrogatepass")) + 2
        if not text.startswith("="):
            found.append(text)
    return found


def table_addresses(thread: UserThread, table: int) -> list[int]:
    """The string addresses of a NULL-terminated array."""
    found: list[int] = []
    while table:
        string = PVOID.load(thread.memory, table)
        if not string:
            break
        found.append(string)
        table += 8
    return found


async def _new_table(thread: UserThread, strings: list[int]) -> int:
    table = await allocate(thread, 8 * (len(strings) + 1))
    if table:
        packed = b"".join(string.to_bytes(8, "little") for string in strings)
        thread.memory.write(table, packed + bytes(8))
    return table


async def narrow_environment(thread: UserThread) -> int:
    """The `char**` environment, made on first use."""
    data = process_data(thread)
    if not int(data.environ):
        strings = [await copy_narrow(thread, to_ansi(text)) for text in block_strings(thread)]
        data.environ = await _new_table(thread, strings)
        data.initial_environ = int(data.environ)
    return int(data.environ)


async def wide_environment(thread: UserThread) -> int:
    """The `wchar_t**` environment, made on first use."""
    data = process_data(thread)
    if not int(data.wenviron):
        strings = [await copy_wide(thread, text) for text in block_strings(thread)]
        data.wenviron = await _new_table(thread, strings)
        data.initial_wenviron = int(data.wenviron)
    return int(data.wenviron)


@crt
async def _initialize_narrow_environment(thread: UserThread) -> INT:
    """Make `environ` from the process's block."""
    return INT(0 if await narrow_environment(thread) else -1)


@crt
async def _initialize_wide_environment(thread: UserThread) -> INT:
    """Make `_wenviron` from the process's block."""
    return INT(0 if await wide_environment(thread) else -1)


@crt
async def _get_initial_narrow_environment(thread: UserThread) -> PVOID:
    """What main gets as its third argument."""
    return PVOID(await narrow_environment(thread))


@crt
async def _get_initial_wide_environment(thread: UserThread) -> PVOID:
    """What wmain gets as its third argument."""
    return PVOID(await wide_environment(thread))


@crt
def __p__environ(thread: UserThread) -> PVOID:
    """&_environ."""
    data = process_data(thread)
    return PVOID(data.address + data.offset("environ"))


@crt
def __p__wenviron(thread: UserThread) -> PVOID:
    """&_wenviron."""
    data = process_data(thread)
    return PVOID(data.address + data.offset("wenviron"))


def _find(thread: UserThread, table: int, name: str, *, is_wide: bool) -> tuple[int, int]:
    """The index of a variable in a table, and the address of its value; (-1, 0) when it is not there."""
    key = name.lower() + "="
    for index, string in enumerate(table_addresses(thread, table)):
        text = read_wide(thread.memory, string) if is_wide else ansi(read_string(thread.memory, string))
        if text[: len(key)].lower() == key:
            units = key.encode("utf-16-le", "surrogatepass") if is_wide else to_ansi(key)
            return index, string + len(units)
    return -1, 0


async def lookup(thread: UserThread, name: str) -> int:
    """The address of a variable's value as bytes, or 0."""
    return _find(thread, await narrow_environment(thread), name, is_wide=False)[1]


async def lookup_wide(thread: UserThread, name: str) -> int:
    """The address of a variable's value as wide text, or 0."""
    return _find(thread, await wide_environment(thread), name, is_wide=True)[1]


@crt
async def getenv(thread: UserThread, varname: Ptr[CHAR] | None) -> PVOID:
    """A variable's value, in the runtime's own copy."""
    if varname is None:
        set_errno(thread, ERRNO.EINVAL)
        return PVOID(0)
    return PVOID(await lookup(thread, ansi(narrow(varname))))


@crt
async def _wgetenv(thread: UserThread, varname: Ptr[WCHAR] | None) -> PVOID:
    """A variable's value, in the runtime's own copy."""
    if varname is None:
        set_errno(thread, ERRNO.EINVAL)
        return PVOID(0)
    return PVOID(await lookup_wide(thread, wide(varname)))


async def _to_buffer(thread: UserThread, value: bytes | None, needed: int, buffer: int, room: int, unit: int) -> int:
    SIZE_T.store(thread.memory, needed, 0)
    if value is None:
        if buffer and room:
            thread.memory.write(buffer, bytes(unit))
        return 0
    count = len(value) // unit + 1
    SIZE_T.store(thread.memory, needed, count)
    if not buffer or not room:
        return 0
    if count > room:
        set_errno(thread, ERRNO.ERANGE)
        return ERRNO.ERANGE
    thread.memory.write(buffer, value + bytes(unit))
    return 0


@crt
async def getenv_s(thread: UserThread, needed: PVOID, buffer: PVOID, size: SIZE_T, varname: Ptr[CHAR]) -> INT:
    """A variable's value copied out, and the room it takes."""
    place = await lookup(thread, ansi(narrow(varname)))
    value = read_string(thread.memory, place) if place else None
    return INT(await _to_buffer(thread, value, needed, buffer, size, 1))


@crt
async def _wgetenv_s(thread: UserThread, needed: PVOID, buffer: PVOID, size: SIZE_T, varname: Ptr[WCHAR]) -> INT:
    """A variable's value copied out, and the room it takes."""
    place = await lookup_wide(thread, wide(varname))
    value = read_wide(thread.memory, place).encode("utf-16-le", "surrogatepass") if place else None
    return INT(await _to_buffer(thread, value, needed, buffer, size, 2))


@crt
async def _dupenv_s(
    thread: UserThread, buffer: Ptr[PVOID], numberOfElements: Ptr[ULONGLONG] | None, varname: Ptr[CHAR]
) -> INT:
    """A heap copy of a variable's value."""
    place = await lookup(thread, ansi(narrow(varname)))
    value = read_string(thread.memory, place) if place else None
    buffer.write(await copy_narrow(thread, value) if value is not None else 0)
    if numberOfElements is not None:
        numberOfElements.write(len(value) + 1 if value is not None else 0)
    return INT(0)


@crt
async def _wdupenv_s(
    thread: UserThread, buffer: Ptr[PVOID], numberOfElements: Ptr[ULONGLONG] | None, varname: Ptr[WCHAR]
) -> INT:
    """A heap copy of a variable's value."""
    place = await lookup_wide(thread, wide(varname))
    value = read_wide(thread.memory, place) if place else None
    buffer.write(await copy_wide(thread, value) if value is not None else 0)
    if numberOfElements is not None:
        count = len(value.encode("utf-16-le", "surrogatepass")) // 2 + 1 if value is not None else 0
        numberOfElements.write(count)
    return INT(0)


async def set_variable(thread: UserThread, name: str, value: str) -> None:
    """Set a variable in the runtime's arrays and in the process; an empty value removes it."""
    if not name or "=" in name:
        raise CrtError(ERRNO.EINVAL)
    data = process_data(thread)
    await narrow_environment(thread)
    data.environ = await _changed(thread, int(data.environ), name, value, is_wide=False)
    if int(data.wenviron):
        data.wenviron = await _changed(thread, int(data.wenviron), name, value, is_wide=True)
    with thread.frame() as frame:
        text = frame.wide(value) if value else 0
        await win32(thread, "SetEnvironmentVariableW", frame.wide(name), text)


async def _changed(thread: UserThread, table: int, name: str, value: str, *, is_wide: bool) -> int:
    index = _find(thread, table, name, is_wide=is_wide)[0]
    strings = table_addresses(thread, table)
    if value:
        text = f"{name}={value}"
        fresh = await (copy_wide(thread, text) if is_wide else copy_narrow(thread, to_ansi(text)))
        if index >= 0:
            # The old string is not freed: programs keep what getenv gave them (the PE original frees it).
            PVOID.store(thread.memory, table + 8 * index, fresh)
            return table
        strings.append(fresh)
    elif index >= 0:
        del strings[index]
    else:
        return table
    fresh_table = await _new_table(thread, strings)
    data = process_data(thread)
    if table not in {int(data.initial_environ), int(data.initial_wenviron)}:
        await release(thread, table)
    return fresh_table


@crt(fails=-1)
async def _putenv(thread: UserThread, envstring: Ptr[CHAR]) -> INT:
    """`NAME=value` into the environment; an empty value removes."""
    name, _, value = ansi(narrow(envstring)).partition("=")
    await set_variable(thread, name, value)
    return INT(0)


@crt(fails=-1)
async def _wputenv(thread: UserThread, envstring: Ptr[WCHAR]) -> INT:
    """`NAME=value` into the environment; an empty value removes."""
    name, _, value = wide(envstring).partition("=")
    await set_variable(thread, name, value)
    return INT(0)


@crt(fails=ERRNO.EINVAL)
async def _putenv_s(thread: UserThread, name: Ptr[CHAR], value: Ptr[CHAR]) -> INT:
    """Name and value into the environment."""
    await set_variable(thread, ansi(narrow(name)), ansi(narrow(value)))
    return INT(0)


@crt(fails=ERRNO.EINVAL)
async def _wputenv_s(thread: UserThread, name: Ptr[WCHAR], value: Ptr[WCHAR]) -> INT:
    """Name and value into the environment."""
    await set_variable(thread, wide(name), wide(value))
    return INT(0)

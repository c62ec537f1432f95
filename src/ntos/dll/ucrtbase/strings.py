"""Strings beyond the leaf routines: duplicates, tokens, the bounds-checked `_s` family, sets (string.h)."""

from __future__ import annotations

from collections.abc import Callable

from ntos.abi.memory import read_string, read_wide
from ntos.abi.pointer import Ptr
from ntos.abi.types import INT, PVOID, SIZE_T
from ntos.dll.ucrtbase.crt import allocate, crt, invalid_parameter, set_errno, thread_data
from ntos.dll.ucrtbase.errno import ERRNO
from ntos.um.thread import UserThread

UNLIMITED = 0x7FFF_FFFF
TRUNCATE = 0xFFFF_FFFF_FFFF_FFFF


def load(thread: UserThread, address: int, unit: int, limit: int = UNLIMITED) -> bytes:
    """The bytes of a string of one- or two-byte characters."""
    if unit == 1:
        return read_string(thread.memory, address, limit)
    return read_wide(thread.memory, address, min(limit, UNLIMITED // 2)).encode("utf-16-le", "surrogatepass")


def measure(thread: UserThread, address: int, unit: int, limit: int) -> int:
    """The length of a string that has at most `limit` characters."""
    return len(load(thread, address, unit, limit)) // unit


@crt
async def _strdup(thread: UserThread, string: PVOID) -> PVOID:
    """A heap copy."""
    return PVOID(await _duplicate(thread, string, 1))


@crt
async def _wcsdup(thread: UserThread, string: PVOID) -> PVOID:
    """A heap copy."""
    return PVOID(await _duplicate(thread, string, 2))


@crt
async def _mbsdup(thread: UserThread, string: PVOID) -> PVOID:
    """A heap copy."""
    return PVOID(await _duplicate(thread, string, 1))


async def _duplicate(thread: UserThread, string: int, unit: int) -> int:
    if not string:
        return 0
    data = load(thread, string, unit) + bytes(unit)
    block = await allocate(thread, len(data))
    if block:
        thread.memory.write(block, data)
    return block


# ------------------------------------------------------------------------------ checked copies


async def _refuse(thread: UserThread, target: int, room: int, unit: int, error: int) -> int:
    if target and room:
        thread.memory.write(target, bytes(unit))
    await invalid_parameter(thread)
    set_errno(thread, error)
    return error


async def copy_checked(thread: UserThread, target: int, room: int, source: int, count: int, unit: int) -> int:
    """strcpy_s and strncpy_s (count UNLIMITED for the former)."""
    if not target or not room or room > UNLIMITED:
        return await _refuse(thread, 0, 0, unit, ERRNO.EINVAL)
    if count == 0:
        thread.memory.write(target, bytes(unit))
        return 0
    if not source:
        return await _refuse(thread, target, room, unit, ERRNO.EINVAL)
    if count == TRUNCATE:
        data = load(thread, source, unit, room)
        kept = data[: (room - 1) * unit]
        thread.memory.write(target, kept + bytes(unit))
        return ERRNO.STRUNCATE if len(data) // unit >= room else 0
    data = load(thread, source, unit, count)
    if len(data) // unit >= room:
        return await _refuse(thread, target, room, unit, ERRNO.ERANGE)
    thread.memory.write(target, data + bytes(unit))
    return 0


async def append_checked(thread: UserThread, target: int, room: int, source: int, count: int, unit: int) -> int:
    """strcat_s and strncat_s."""
    if not target or not room or room > UNLIMITED:
        return await _refuse(thread, 0, 0, unit, ERRNO.EINVAL)
    if not source and count:
        return await _refuse(thread, target, room, unit, ERRNO.EINVAL)
    length = measure(thread, target, unit, room)
    if length >= room:
        return await _refuse(thread, target, room, unit, ERRNO.EINVAL)
    left = room - length
    data = load(thread, source, unit, left if count == TRUNCATE else count) if count else b""
    if len(data) // unit >= left:
        if count != TRUNCATE:
            return await _refuse(thread, target, room, unit, ERRNO.ERANGE)
        thread.memory.write(target + length * unit, data[: (left - 1) * unit] + bytes(unit))
        return ERRNO.STRUNCATE
    thread.memory.write(target + length * unit, data + bytes(unit))
    return 0


def _declare_checked(unit: int, copy: tuple[str, ...], append: tuple[str, ...], copy_n: tuple[str, ...],
                     append_n: tuple[str, ...]) -> None:  # fmt: skip
    async def copying(thread: UserThread, target: PVOID, size: SIZE_T, source: PVOID) -> INT:
        """Copy; what does not fit is a bad argument."""
        return INT(await copy_checked(thread, target, size, source, UNLIMITED, unit))

    async def appending(thread: UserThread, target: PVOID, size: SIZE_T, source: PVOID) -> INT:
        """Append; what does not fit is a bad argument."""
        return INT(await append_checked(thread, target, size, source, UNLIMITED, unit))

    async def copying_some(thread: UserThread, target: PVOID, size: SIZE_T, source: PVOID, count: SIZE_T) -> INT:
        """Copy so many characters."""
        if not target and not size and not count:
            return INT(0)
        return INT(await copy_checked(thread, target, size, source, count, unit))

    async def appending_some(thread: UserThread, target: PVOID, size: SIZE_T, source: PVOID, count: SIZE_T) -> INT:
        """Append so many characters."""
        if not target and not size and not count:
            return INT(0)
        return INT(await append_checked(thread, target, size, source, count, unit))

    for names, function in (
        (copy, copying),
        (append, appending),
        (copy_n, copying_some),
        (append_n, appending_some),
    ):
        crt(name=names[0], aliases=names[1:])(function)


_declare_checked(1, ("strcpy_s", "_mbscpy_s", "_mbscpy_s_l"), ("strcat_s", "_mbscat_s", "_mbscat_s_l"),
                 ("strncpy_s", "_mbsnbcpy_s", "_mbsncpy_s"), ("strncat_s", "_mbsnbcat_s", "_mbsncat_s"))  # fmt: skip
_declare_checked(2, ("wcscpy_s",), ("wcscat_s",), ("wcsncpy_s",), ("wcsncat_s",))


@crt
async def memcpy_s(thread: UserThread, target: PVOID, room: SIZE_T, source: PVOID, count: SIZE_T) -> INT:
    """Memcpy into a buffer of known size."""
    return INT(await _move_checked(thread, target, room, source, count, zero=True))


@crt
async def memmove_s(thread: UserThread, target: PVOID, room: SIZE_T, source: PVOID, count: SIZE_T) -> INT:
    """Memmove into a buffer of known size."""
    return INT(await _move_checked(thread, target, room, source, count, zero=False))


@crt
async def wmemcpy_s(thread: UserThread, target: PVOID, room: SIZE_T, source: PVOID, count: SIZE_T) -> INT:
    """memcpy_s in wide characters."""
    return INT(await _move_checked(thread, target, 2 * room, source, 2 * count, zero=True))


@crt
async def wmemmove_s(thread: UserThread, target: PVOID, room: SIZE_T, source: PVOID, count: SIZE_T) -> INT:
    """memmove_s in wide characters."""
    return INT(await _move_checked(thread, target, 2 * room, source, 2 * count, zero=False))


async def _move_checked(thread: UserThread, target: int, room: int, source: int, count: int, *, zero: bool) -> int:
    if not count:
        return 0
    if not target:
        return await _refuse(thread, 0, 0, 1, ERRNO.EINVAL)
    if not source or count > room:
        if zero:
            thread.memory.write(target, bytes(room))
        return await _refuse(thread, 0, 0, 1, ERRNO.ERANGE if source else ERRNO.EINVAL)
    thread.memory.write(target, thread.memory.read(source, count))
    return 0


# ------------------------------------------------------------------------------ tokens


def next_token(thread: UserThread, start: int, delimiters: int, unit: int) -> tuple[int, int]:
    """The next token (its end now NUL) and where to go on; (0, place) when there is none."""
    marks = _units(load(thread, delimiters, unit), unit)
    text = _units(load(thread, start, unit), unit)
    position = 0
    while position < len(text) and text[position] in marks:
        position += 1
    first = position
    while position < len(text) and text[position] not in marks:
        position += 1
    if position == first:
        return 0, start + position * unit
    after = position
    if position < len(text):
        thread.memory.write(start + position * unit, bytes(unit))
        after += 1
    return start + first * unit, start + after * unit


def _units(data: bytes, unit: int) -> list[bytes]:
    return [data[index : index + unit] for index in range(0, len(data), unit)]


@crt(aliases=("_mbstok",))
def strtok(thread: UserThread, string: PVOID, delimiters: PVOID) -> PVOID:
    """The next token; NULL goes on where the last call stopped."""
    data = thread_data(thread)
    start = string or int(data.strtok_next)
    if not start:
        return PVOID(0)
    token, data.strtok_next = next_token(thread, start, delimiters, 1)
    return PVOID(token)


def _token_with_context(thread: UserThread, string: int, delimiters: int, context: Ptr[PVOID], unit: int) -> int:
    start = string or context.read()
    if not start:
        return 0
    token, following = next_token(thread, start, delimiters, unit)
    context.write(following)
    return token


@crt(aliases=("_mbstok_s",))
def strtok_s(thread: UserThread, string: PVOID, delimiters: PVOID, context: Ptr[PVOID]) -> PVOID:
    """The next token; the caller keeps the place."""
    return PVOID(_token_with_context(thread, string, delimiters, context, 1))


@crt
def wcstok_s(thread: UserThread, string: PVOID, delimiters: PVOID, context: Ptr[PVOID]) -> PVOID:
    """The next token; the caller keeps the place."""
    return PVOID(_token_with_context(thread, string, delimiters, context, 2))


@crt
def wcstok(thread: UserThread, string: PVOID, delimiters: PVOID, context: Ptr[PVOID] | None) -> PVOID:
    """The next token; the place is the caller's, or the thread's."""
    if context is not None:
        return PVOID(_token_with_context(thread, string, delimiters, context, 2))
    data = thread_data(thread)
    start = string or int(data.wcstok_next)
    if not start:
        return PVOID(0)
    token, data.wcstok_next = next_token(thread, start, delimiters, 2)
    return PVOID(token)


# ------------------------------------------------------------------------------ sets and changes


def _fill(thread: UserThread, string: int, value: int, count: int, unit: int) -> int:
    length = min(measure(thread, string, unit, count), count)
    mark = (value & ((1 << 8 * unit) - 1)).to_bytes(unit, "little")
    thread.memory.write(string, mark * length)
    return string


@crt(aliases=("_mbsset",))
def _strset(thread: UserThread, string: PVOID, value: INT) -> PVOID:
    """Every character made `value`."""
    return PVOID(_fill(thread, string, value, UNLIMITED, 1))


@crt(aliases=("_mbsnbset",))
def _strnset(thread: UserThread, string: PVOID, value: INT, count: SIZE_T) -> PVOID:
    """The first characters made `value`."""
    return PVOID(_fill(thread, string, value, count, 1))


@crt
def _wcsset(thread: UserThread, string: PVOID, value: INT) -> PVOID:
    """Every character made `value`."""
    return PVOID(_fill(thread, string, value, UNLIMITED, 2))


@crt
def _wcsnset(thread: UserThread, string: PVOID, value: INT, count: SIZE_T) -> PVOID:
    """The first characters made `value`."""
    return PVOID(_fill(thread, string, value, count, 2))


def mapped(thread: UserThread, string: int, unit: int, change: Callable[[str], str], count: int = UNLIMITED) -> None:
    """Each character of a string exchanged, where the result has the same length."""
    encoding = "latin-1" if unit == 1 else "utf-16-le"
    data = load(thread, string, unit, count)
    fresh = change(data.decode(encoding, "surrogatepass" if unit == 2 else "strict")).encode(
        encoding, "surrogatepass" if unit == 2 else "replace"
    )
    if len(fresh) == len(data):
        thread.memory.write(string, fresh)


def ascii_lower(text: str) -> str:
    """The C locale's lower case."""
    return "".join(letter.lower() if "A" <= letter <= "Z" else letter for letter in text)


def ascii_upper(text: str) -> str:
    """The C locale's upper case."""
    return "".join(letter.upper() if "a" <= letter <= "z" else letter for letter in text)


def _declare_case(names: tuple[str, ...], unit: int, change: Callable[[str], str]) -> None:
    async def checked(thread: UserThread, string: PVOID, size: SIZE_T) -> INT:
        """Case changed in a buffer of known size."""
        if not string or measure(thread, string, unit, size) >= size:
            return INT(await _refuse(thread, string, size, unit, ERRNO.EINVAL))
        mapped(thread, string, unit, change)
        return INT(0)

    crt(name=names[0], aliases=names[1:])(checked)


_declare_case(("_strlwr_s", "_strlwr_s_l", "_mbslwr_s"), 1, ascii_lower)
_declare_case(("_strupr_s", "_strupr_s_l", "_mbsupr_s"), 1, ascii_upper)
_declare_case(("_wcslwr_s", "_wcslwr_s_l"), 2, ascii_lower)
_declare_case(("_wcsupr_s", "_wcsupr_s_l"), 2, ascii_upper)


@crt(name="_wcslwr_l")
def wcslwr_l(thread: UserThread, string: PVOID, locale: PVOID) -> PVOID:
    """Lower case in place."""
    mapped(thread, string, 2, ascii_lower)
    return PVOID(string)


@crt(name="_wcsupr_l")
def wcsupr_l(thread: UserThread, string: PVOID, locale: PVOID) -> PVOID:
    """Upper case in place."""
    mapped(thread, string, 2, ascii_upper)
    return PVOID(string)


@crt
def __strncnt(thread: UserThread, string: PVOID, count: SIZE_T) -> SIZE_T:
    """Strnlen."""
    return SIZE_T(measure(thread, string, 1, count))


@crt
def __wcsncnt(thread: UserThread, string: PVOID, count: SIZE_T) -> SIZE_T:
    """Wcsnlen."""
    return SIZE_T(measure(thread, string, 2, count))

"""Narrow to wide and back: mbstowcs, mbrtowc, wctomb and their restartable and checked kin (stdlib.h,
wchar.h).
"""

from __future__ import annotations

from ntos.abi.pointer import Ptr
from ntos.abi.types import INT, PVOID, SIZE_T, USHORT
from ntos.dll.ucrtbase import locale as locales
from ntos.dll.ucrtbase.crt import CrtError, crt, invalid_parameter, set_errno
from ntos.dll.ucrtbase.errno import ERRNO
from ntos.dll.ucrtbase.strings import TRUNCATE, UNLIMITED, load
from ntos.um.thread import UserThread

FAILED = 0xFFFF_FFFF_FFFF_FFFF
INCOMPLETE = 0xFFFF_FFFF_FFFF_FFFE
WEOF = 0xFFFF


def to_units(page: int, data: bytes) -> bytes:
    """UTF-16 of narrow text; EILSEQ where UTF-8 is malformed."""
    if page == locales.UTF8:
        try:
            return data.decode("utf-8").encode("utf-16-le")
        except UnicodeDecodeError:
            raise CrtError(ERRNO.EILSEQ) from None
    return locales.decode_with(page, data).encode("utf-16-le", "surrogatepass")


def to_narrow(page: int, text: str) -> list[bytes]:
    """The bytes of each character; EILSEQ where the code page has none."""
    pieces = []
    for character in text:
        data = locales.encode_with(page, character)
        if data is None:
            raise CrtError(ERRNO.EILSEQ)
        pieces.append(data)
    return pieces


def _widen(thread: UserThread, target: int, source: int, count: int, page: int) -> int:
    units = to_units(page, load(thread, source, 1))
    if not target:
        return len(units) // 2
    kept = min(len(units) // 2, count)
    thread.memory.write(target, units[: 2 * kept] + (bytes(2) if kept < count else b""))
    return kept


def _narrow(thread: UserThread, target: int, source: int, count: int, page: int) -> int:
    text = load(thread, source, 2).decode("utf-16-le", "surrogatepass")
    pieces = to_narrow(page, text)
    if not target:
        return sum(map(len, pieces))
    data = bytearray()
    for piece in pieces:
        if len(data) + len(piece) > count:
            thread.memory.write(target, data)
            return len(data)
        data += piece
    thread.memory.write(target, bytes(data) + (b"\0" if len(data) < count else b""))
    return len(data)


@crt(fails=FAILED)
def mbstowcs(thread: UserThread, target: PVOID, source: PVOID, count: SIZE_T) -> SIZE_T:
    """Narrow text into wide characters; how many there are without a target."""
    return SIZE_T(_widen(thread, target, source, count, locales.code_page(thread)))


@crt(fails=FAILED)
def _mbstowcs_l(thread: UserThread, target: PVOID, source: PVOID, count: SIZE_T, locale: PVOID) -> SIZE_T:
    """Mbstowcs in a locale."""
    return SIZE_T(_widen(thread, target, source, count, locales.page_of_object(thread, locale)))


@crt(fails=FAILED)
def wcstombs(thread: UserThread, target: PVOID, source: PVOID, count: SIZE_T) -> SIZE_T:
    """Wide characters into narrow text; how many bytes that takes without a target."""
    return SIZE_T(_narrow(thread, target, source, count, locales.code_page(thread)))


@crt(fails=FAILED)
def _wcstombs_l(thread: UserThread, target: PVOID, source: PVOID, count: SIZE_T, locale: PVOID) -> SIZE_T:
    """Wcstombs in a locale."""
    return SIZE_T(_narrow(thread, target, source, count, locales.page_of_object(thread, locale)))


async def _store_checked(
    thread: UserThread, result: Ptr[SIZE_T] | None, target: int, room: int, data: bytes, count: int, unit: int
) -> int:
    length = len(data) // unit
    if not target:
        if result is not None:
            result.write(length + 1)
        return 0
    limit = room - 1 if count == TRUNCATE else count
    kept = min(length, limit)
    if kept >= room:
        thread.memory.write(target, bytes(unit))
        await invalid_parameter(thread)
        set_errno(thread, ERRNO.ERANGE)
        return ERRNO.ERANGE
    thread.memory.write(target, data[: kept * unit] + bytes(unit))
    if result is not None:
        result.write(kept + 1)
    return ERRNO.STRUNCATE if count == TRUNCATE and kept < length else 0


@crt(fails=ERRNO.EILSEQ, aliases=("_mbstowcs_s_l",))
async def mbstowcs_s(
    thread: UserThread, result: Ptr[SIZE_T] | None, target: PVOID, room: SIZE_T, source: PVOID, count: SIZE_T
) -> INT:
    """Mbstowcs into a buffer of known size."""
    units = to_units(locales.code_page(thread), load(thread, source, 1))
    return INT(await _store_checked(thread, result, target, room, units, count, 2))


@crt(fails=ERRNO.EILSEQ, aliases=("_wcstombs_s_l",))
async def wcstombs_s(
    thread: UserThread, result: Ptr[SIZE_T] | None, target: PVOID, room: SIZE_T, source: PVOID, count: SIZE_T
) -> INT:
    """Wcstombs into a buffer of known size."""
    text = load(thread, source, 2).decode("utf-16-le", "surrogatepass")
    data = b"".join(to_narrow(locales.code_page(thread), text))
    return INT(await _store_checked(thread, result, target, room, data, count, 1))


def _one(thread: UserThread, source: int, count: int, page: int) -> tuple[bytes, int]:
    """The first character's UTF-16 and how many bytes it has; (b"", -2) when it is unfinished."""
    limit = min(count, locales.maximum_bytes(page))
    for size in range(1, limit + 1):
        data = thread.memory.read(source, size)
        if page == locales.UTF8:
            try:
                return data.decode("utf-8").encode("utf-16-le"), size
            except UnicodeDecodeError as error:
                if error.reason != "unexpected end of data":
                    raise CrtError(ERRNO.EILSEQ) from None
                continue
        text = locales.decode_with(page, data)
        if text and (size == limit or ("\ufffd" not in text and "\u30fb" not in text)):
            return text.encode("utf-16-le", "surrogatepass"), size
    return b"", -2


def _to_wide(thread: UserThread, target: int, source: int, count: int, page: int) -> int:
    if not source or not count:
        return 0
    units, size = _one(thread, source, count, page)
    if size < 0:
        return size
    if target:
        thread.memory.write(target, units[:2])
    return 0 if units == b"\0\0" else size


@crt(fails=-1)
def mbtowc(thread: UserThread, target: PVOID, source: PVOID, count: SIZE_T) -> INT:
    """The first character, wide; how many bytes it had."""
    size = _to_wide(thread, target, source, count, locales.code_page(thread))
    return INT(size if size >= 0 else -1)


@crt(fails=-1)
def _mbtowc_l(thread: UserThread, target: PVOID, source: PVOID, count: SIZE_T, locale: PVOID) -> INT:
    """Mbtowc in a locale."""
    size = _to_wide(thread, target, source, count, locales.page_of_object(thread, locale))
    return INT(size if size >= 0 else -1)


@crt(fails=FAILED)
def mbrtowc(thread: UserThread, target: PVOID, source: PVOID, count: SIZE_T, state: PVOID) -> SIZE_T:
    """The first character, wide; -2 when it is unfinished."""
    return SIZE_T(_to_wide(thread, target, source, count, locales.code_page(thread)) & FAILED)


@crt(fails=FAILED)
def mbrlen(thread: UserThread, source: PVOID, count: SIZE_T, state: PVOID) -> SIZE_T:
    """How many bytes the first character has."""
    return SIZE_T(_to_wide(thread, 0, source, count, locales.code_page(thread)) & FAILED)


@crt(fails=-1)
def mblen(thread: UserThread, source: PVOID, count: SIZE_T) -> INT:
    """How many bytes the first character has."""
    size = _to_wide(thread, 0, source, count, locales.code_page(thread))
    return INT(size if size >= 0 else -1)


@crt(fails=-1)
def _mblen_l(thread: UserThread, source: PVOID, count: SIZE_T, locale: PVOID) -> INT:
    """Mblen in a locale."""
    size = _to_wide(thread, 0, source, count, locales.page_of_object(thread, locale))
    return INT(size if size >= 0 else -1)


def _put(thread: UserThread, target: int, unit: int, page: int) -> int:
    data = to_narrow(page, chr(unit))[0]
    if target:
        thread.memory.write(target, data)
    return len(data)


@crt(fails=-1)
def wctomb(thread: UserThread, target: PVOID, character: USHORT) -> INT:
    """A wide character's bytes; how many there are."""
    return INT(_put(thread, target, character, locales.code_page(thread)) if target else 0)


@crt(fails=-1)
def _wctomb_l(thread: UserThread, target: PVOID, character: USHORT, locale: PVOID) -> INT:
    """Wctomb in a locale."""
    return INT(_put(thread, target, character, locales.page_of_object(thread, locale)) if target else 0)


@crt(fails=FAILED)
def wcrtomb(thread: UserThread, target: PVOID, character: USHORT, state: PVOID) -> SIZE_T:
    """A wide character's bytes; how many there are."""
    return SIZE_T(_put(thread, target, character, locales.code_page(thread)) if target else 1)


@crt(fails=ERRNO.EILSEQ)
def wctomb_s(thread: UserThread, size: Ptr[INT] | None, target: PVOID, room: SIZE_T, character: USHORT) -> INT:
    """A wide character's bytes into a buffer of known size."""
    data = to_narrow(locales.code_page(thread), chr(character))[0]
    if size is not None:
        size.write(len(data) if target else 0)
    if target:
        if len(data) > room:
            set_errno(thread, ERRNO.ERANGE)
            return INT(ERRNO.ERANGE)
        thread.memory.write(target, data)
    return INT(0)


@crt(fails=ERRNO.EILSEQ)
def wcrtomb_s(
    thread: UserThread, size: Ptr[SIZE_T] | None, target: PVOID, room: SIZE_T, character: USHORT, state: PVOID
) -> INT:
    """A wide character's bytes into a buffer of known size."""
    data = to_narrow(locales.code_page(thread), chr(character))[0]
    if size is not None:
        size.write(len(data))
    if target:
        if len(data) > room:
            set_errno(thread, ERRNO.ERANGE)
            return INT(ERRNO.ERANGE)
        thread.memory.write(target, data)
    return INT(0)


@crt(fails=FAILED)
def mbsrtowcs(thread: UserThread, target: PVOID, source: Ptr[PVOID], count: SIZE_T, state: PVOID) -> SIZE_T:
    """Mbstowcs that moves the source pointer on."""
    start, page = source.read(), locales.code_page(thread)
    result = _widen(thread, target, start, count, page)
    if target:
        whole = len(to_units(page, load(thread, start, 1))) // 2
        if result < count:
            source.write(0)
        elif result < whole or count == result:
            source.write(start + _bytes_of(thread, start, result, page))
    return SIZE_T(result)


def _bytes_of(thread: UserThread, source: int, units: int, page: int) -> int:
    """How many bytes make so many UTF-16 units."""
    place = source
    while units > 0:
        text, size = _one(thread, place, UNLIMITED, page)
        place += max(size, 1)
        units -= max(len(text) // 2, 1)
    return place - source


@crt(fails=FAILED)
def wcsrtombs(thread: UserThread, target: PVOID, source: Ptr[PVOID], count: SIZE_T, state: PVOID) -> SIZE_T:
    """Wcstombs that moves the source pointer on."""
    start = source.read()
    result = _narrow(thread, target, start, count, locales.code_page(thread))
    if target:
        text = load(thread, start, 2).decode("utf-16-le", "surrogatepass")
        done, used = 0, 0
        for character, piece in zip(text, to_narrow(locales.code_page(thread), text), strict=True):
            if used + len(piece) > result:
                break
            used += len(piece)
            done += len(character.encode("utf-16-le", "surrogatepass"))
        source.write(0 if result < count else start + done)
    return SIZE_T(result)


@crt(dlls=("ucrtbase",))
def btowc(thread: UserThread, character: INT) -> USHORT:
    """A byte as a wide character, or WEOF."""
    if character == -1:
        return USHORT(WEOF)
    text = locales.decode(thread, bytes([character & 0xFF]))
    return USHORT(ord(text) if len(text) == 1 and text != "\ufffd" else WEOF)


@crt(dlls=("ucrtbase",))
def wctob(thread: UserThread, character: USHORT) -> INT:
    """A wide character as a byte, or EOF."""
    data = locales.encode(thread, chr(character)) if character != WEOF else None
    return INT(data[0] if data is not None and len(data) == 1 else -1)

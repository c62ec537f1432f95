"""Random numbers, division, shifts, error texts and other small things of stdlib.h and string.h."""

from __future__ import annotations

import struct

from ntos.abi.pointer import Code, Ptr
from ntos.abi.types import CHAR, INT, LONGLONG, PVOID, SIZE_T, UINT, ULONG, ULONGLONG, WCHAR
from ntos.dll.ucrtbase.crt import (
    crt,
    invalid_parameter,
    narrow,
    ntdll,
    process_data,
    set_errno,
    thread_data,
    wide,
)
from ntos.dll.ucrtbase.errno import ERRNO, TEXTS, text
from ntos.dll.ucrtbase.startup import copy_narrow
from ntos.dll.ucrtbase.stream import locked, standard
from ntos.rtl.nls.codepage import ansi
from ntos.rtl.random import crt_rand
from ntos.um.entropy import random_bytes
from ntos.um.thread import UserThread


@crt
def rand(thread: UserThread) -> INT:
    """The next of 32768 values: the generator every Visual C++ program has known since 1989."""
    data = thread_data(thread)
    value, state = crt_rand(int(data.rand_state))
    data.rand_state = state
    return INT(value)


@crt
def srand(thread: UserThread, seed: UINT) -> None:
    """Where rand begins."""
    thread_data(thread).rand_state = seed


@crt
async def rand_s(thread: UserThread, value: Ptr[UINT] | None) -> INT:
    """A random number of the system's."""
    if value is None:
        return INT(await invalid_parameter(thread))
    value.write(int.from_bytes(await random_bytes(thread, 4), "little"))
    return INT(0)


# ------------------------------------------------------------------------------ division and shifts


def _divided(thread: UserThread, numerator: int, denominator: int, bits: int) -> tuple[int, int]:
    """C's quotient (towards zero) and remainder; what the processor refuses is raised as it would be."""
    if denominator == 0:
        thread.raise_exception(0xC000_0094)
        return 0, 0
    quotient = abs(numerator) // abs(denominator)
    if (numerator < 0) != (denominator < 0):
        quotient = -quotient
    if quotient >> (bits - 1) not in {0, -1}:
        thread.raise_exception(0xC000_0095)
        return 0, 0
    return quotient, numerator - quotient * denominator


@crt(aliases=("ldiv",))
def div(thread: UserThread, numerator: INT, denominator: INT) -> ULONGLONG:
    """Quotient and remainder in one register."""
    pair = struct.pack("<ii", *_divided(thread, numerator, denominator, 32))
    return ULONGLONG(int.from_bytes(pair, "little"))


@crt(aliases=("imaxdiv",))
def lldiv(thread: UserThread, result: PVOID, numerator: LONGLONG, denominator: LONGLONG) -> PVOID:
    """Quotient and remainder, by hidden pointer."""
    thread.memory.write(result, struct.pack("<qq", *_divided(thread, numerator, denominator, 64)))
    return PVOID(result)


@crt
def imaxabs(thread: UserThread, value: LONGLONG) -> LONGLONG:
    """The magnitude."""
    return LONGLONG(abs(value))


@crt
def _lrotl(thread: UserThread, value: ULONG, shift: INT) -> ULONG:
    """The bits turned left."""
    turn = shift & 31
    return ULONG((value << turn | value >> (32 - turn)) & 0xFFFF_FFFF)


@crt
def _lrotr(thread: UserThread, value: ULONG, shift: INT) -> ULONG:
    """The bits turned right."""
    turn = shift & 31
    return ULONG((value >> turn | value << (32 - turn)) & 0xFFFF_FFFF)


@crt
def _swab(thread: UserThread, source: PVOID, target: PVOID, count: INT) -> None:
    """Pairs of bytes exchanged."""
    if count <= 1:
        return
    data = bytearray(thread.memory.read(source, count & ~1))
    data[0::2], data[1::2] = data[1::2], data[0::2]
    thread.memory.write(target, data)


# ------------------------------------------------------------------------------ linear search


async def _find(thread: UserThread, key: int, base: int, count: Ptr[UINT], width: int, compare: int, *rest: int) -> int:
    total = count.read()
    for index in range(total):
        place = base + index * width
        if not await thread.call(compare, *rest, key, place) & 0xFFFF_FFFF:
            return place
    return 0


@crt
async def _lfind(thread: UserThread, key: PVOID, base: PVOID, num: Ptr[UINT], width: UINT, compare: Code) -> PVOID:
    """The first equal element of a table."""
    return PVOID(await _find(thread, key, base, num, width, compare))


@crt
async def _lfind_s(
    thread: UserThread, key: PVOID, base: PVOID, num: Ptr[UINT], width: SIZE_T, compare: Code, context: PVOID
) -> PVOID:
    """The first equal element of a table; the comparison gets a context."""
    return PVOID(await _find(thread, key, base, num, width, compare, context))


@crt
async def _lsearch(thread: UserThread, key: PVOID, base: PVOID, num: Ptr[UINT], width: UINT, compare: Code) -> PVOID:
    """The first equal element of a table; the key is appended when there is none."""
    return PVOID(await _find(thread, key, base, num, width, compare) or _append(thread, key, base, num, width))


@crt
async def _lsearch_s(
    thread: UserThread, key: PVOID, base: PVOID, num: Ptr[UINT], width: SIZE_T, compare: Code, context: PVOID
) -> PVOID:
    """The first equal element of a table; the key is appended when there is none."""
    found = await _find(thread, key, base, num, width, compare, context)
    return PVOID(found or _append(thread, key, base, num, width))


def _append(thread: UserThread, key: int, base: int, count: Ptr[UINT], width: int) -> int:
    place = base + count.read() * width
    thread.memory.write(place, thread.memory.read(key, width))
    count.write(count.read() + 1)
    return place


# ------------------------------------------------------------------------------ error texts


def _error_text(thread: UserThread, message: str) -> int:
    data = thread_data(thread)
    place = data.address + data.offset("error_text")
    thread.memory.write(place, message.encode("latin-1", "replace")[:255] + b"\0")
    return place


def _wide_error_text(thread: UserThread, message: str) -> int:
    data = thread_data(thread)
    place = data.address + data.offset("wide_error_text")
    thread.memory.write(place, message.encode("utf-16-le")[:510] + b"\0\0")
    return place


@crt
def strerror(thread: UserThread, errnum: INT) -> PVOID:
    """The text of an errno."""
    return PVOID(_error_text(thread, text(errnum)))


@crt
def _wcserror(thread: UserThread, errnum: INT) -> PVOID:
    """The text of an errno."""
    return PVOID(_wide_error_text(thread, text(errnum)))


def _own_message(thread: UserThread, prefix: str) -> str:
    message = text(int(thread_data(thread).errno)) + "\n"
    return f"{prefix}: {message}" if prefix else message


@crt
def _strerror(thread: UserThread, prefix: Ptr[CHAR] | None) -> PVOID:
    """The text of this thread's errno behind a prefix."""
    return PVOID(_error_text(thread, _own_message(thread, "" if prefix is None else ansi(narrow(prefix)))))


@crt
def __wcserror(thread: UserThread, prefix: Ptr[WCHAR] | None) -> PVOID:
    """The text of this thread's errno behind a prefix."""
    return PVOID(_wide_error_text(thread, _own_message(thread, "" if prefix is None else wide(prefix))))


@crt
async def strerror_s(thread: UserThread, buffer: PVOID, size: SIZE_T, errnum: INT) -> INT:
    """The text of an errno into a buffer, cut to its size."""
    if not buffer or not size:
        return INT(await invalid_parameter(thread))
    thread.memory.write(buffer, text(errnum).encode("ascii")[: size - 1] + b"\0")
    return INT(0)


@crt
async def _wcserror_s(thread: UserThread, buffer: PVOID, size: SIZE_T, errnum: INT) -> INT:
    """The text of an errno into a buffer, cut to its size."""
    if not buffer or not size:
        return INT(await invalid_parameter(thread))
    thread.memory.write(buffer, text(errnum)[: size - 1].encode("utf-16-le") + b"\0\0")
    return INT(0)


@crt
async def perror(thread: UserThread, message: Ptr[CHAR] | None) -> None:
    """A prefix and the text of errno on stderr."""
    prefix = narrow(message) + b": " if message is not None and narrow(message) else b""
    line = prefix + text(int(thread_data(thread).errno)).encode("ascii") + b"\n"
    async with locked(thread, standard(thread)[2]) as stream:
        await stream.write(line)


@crt
async def _wperror(thread: UserThread, message: Ptr[WCHAR] | None) -> None:
    """A prefix and the text of errno on stderr."""
    prefix = wide(message).encode("latin-1", "replace") + b": " if message is not None and wide(message) else b""
    line = prefix + text(int(thread_data(thread).errno)).encode("ascii") + b"\n"
    async with locked(thread, standard(thread)[2]) as stream:
        await stream.write(line)


@crt
def __sys_nerr(thread: UserThread) -> PVOID:
    """&_sys_nerr."""
    data = process_data(thread)
    data.sys_nerr = len(TEXTS) - 1
    return PVOID(data.address + data.offset("sys_nerr"))


async def error_list(thread: UserThread) -> int:
    """The address of the table of error texts."""
    data = process_data(thread)
    if not data.sys_errlist[0]:
        for index, message in enumerate(TEXTS):
            data.sys_errlist[index] = await copy_narrow(thread, message.encode("ascii"))
    return data.address + data.offset("sys_errlist")


@crt
async def __sys_errlist(thread: UserThread) -> PVOID:
    """_sys_errlist."""
    return PVOID(await error_list(thread))


@crt
def _get_heap_handle(thread: UserThread) -> PVOID:
    """The heap malloc takes from: the process heap."""
    return PVOID(thread.peb.ProcessHeap)


@crt
def _expand(thread: UserThread, block: PVOID, size: SIZE_T) -> PVOID:
    """Grow a block where it stands: never (the heap's blocks move)."""
    set_errno(thread, ERRNO.ENOMEM)
    return PVOID(0)


@crt
async def _heapchk(thread: UserThread) -> INT:
    """Whether the heap is in order: _HEAPOK (-2) or _HEAPBADNODE (-4)."""
    sound = await ntdll(thread, "RtlValidateHeap", int(thread.peb.ProcessHeap), 0, 0)
    return INT(-2 if sound & 0xFF else -4)


@crt
def _heapmin(thread: UserThread) -> INT:
    """Give unused memory back: there is nothing to give."""
    return INT(0)

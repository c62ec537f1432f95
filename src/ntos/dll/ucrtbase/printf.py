"""printf: the option-taking functions of the UCRT over `rtl.format` (corecrt_wstdio.h,
corecrt_stdio_config.h).
"""

from __future__ import annotations

import struct
from dataclasses import replace
from functools import partial

from ntos.abi.memory import read_string, read_wide
from ntos.abi.types import INT, PVOID, SIZE_T, ULONGLONG
from ntos.dll.ucrtbase import locale
from ntos.dll.ucrtbase.crt import CrtError, crt, invalid_parameter, process_data, set_errno
from ntos.dll.ucrtbase.errno import ERRNO
from ntos.dll.ucrtbase.stream import Stream, locked
from ntos.rtl.format.printf import FormatError, format_printf
from ntos.rtl.format.specification import UCRT, PrintfOptions, Rules, crt_rules
from ntos.um.thread import UserThread

UNLIMITED = 0x7FFF_FFFF
TRUNCATE = 0xFFFF_FFFF_FFFF_FFFF
DEFAULT = int(PrintfOptions.LEGACY_WIDE_SPECIFIERS)


class VaList:
    """A `va_list`: eight bytes an argument, in guest memory."""

    __slots__ = ("address", "memory")

    def __init__(self, thread: UserThread, address: int) -> None:
        self.memory = thread.memory
        self.address = address

    def next_integer(self, size: int) -> int:
        """The next argument's low bytes."""
        data = self.memory.read(self.address, 8)
        self.address += 8
        return int.from_bytes(data[:size], "little")

    def next_double(self) -> float:
        """The next argument as a double."""
        data = self.memory.read(self.address, 8)
        self.address += 8
        value: float = struct.unpack("<d", data)[0]
        return value

    def next_pointer(self) -> int:
        """The next argument's 64 bits."""
        return self.next_integer(8)

    def read_string(self, address: int, limit: int) -> bytes:
        """Bytes up to a NUL or a limit."""
        return read_string(self.memory, address, UNLIMITED if limit < 0 else limit)

    def read_wide(self, address: int, limit: int) -> str:
        """Wide text up to a NUL or a limit."""
        return read_wide(self.memory, address, UNLIMITED // 2 if limit < 0 else limit)

    def read_counted(self, address: int) -> bytes:
        """The bytes of a counted string."""
        length, buffer = struct.unpack("<H6xQ", self.memory.read(address, 16))
        return self.memory.read(buffer, length)

    def write_integer(self, address: int, size: int, value: int) -> None:
        """What %n stores."""
        self.memory.write(address, (value & ((1 << 8 * size) - 1)).to_bytes(size, "little"))


def rules_of(thread: UserThread, options: int, locale_object: int = 0, base: Rules = UCRT) -> Rules:
    """How a call formats: its options, the locale's code page, whether %n may write."""
    page = locale.page_of_object(thread, locale_object)
    return replace(
        crt_rules(options, base=base),
        encode=partial(locale.encode_with, page),
        decode=partial(locale.decode_with, page),
        count_enabled=bool(process_data(thread).printf_count_output) or base is not UCRT,
    )


def narrow_text(thread: UserThread, rules: Rules, template: int, arguments: int) -> tuple[bytes, int]:
    """Formatted bytes, and errno (0 when all went well)."""
    try:
        return format_printf(read_string(thread.memory, template, UNLIMITED), VaList(thread, arguments), rules), 0
    except FormatError as error:
        return error.written.encode("latin-1"), error.errno


def wide_text(thread: UserThread, rules: Rules, template: int, arguments: int) -> tuple[bytes, int]:
    """Formatted UTF-16, and errno (0 when all went well)."""
    try:
        text = format_printf(read_wide(thread.memory, template, UNLIMITED // 2), VaList(thread, arguments), rules)
        return text.encode("utf-16-le", "surrogatepass"), 0
    except FormatError as error:
        return error.written.encode("utf-16-le", "surrogatepass"), error.errno


# ------------------------------------------------------------------------------ into streams


async def put_narrow(stream: Stream, data: bytes) -> None:
    """Bytes into a stream; a Unicode stream takes them as text."""
    if stream.unicode:
        data = locale.decode(stream.thread, data).encode("utf-16-le", "surrogatepass")
    await stream.write(data)


async def put_wide(stream: Stream, data: bytes) -> None:
    """UTF-16 into a stream; a narrow text stream takes it in its code page, a binary one as it is."""
    if not stream.unicode and stream.is_text:
        text = data.decode("utf-16-le", "surrogatepass")
        encoded = locale.encode(stream.thread, text)
        if encoded is None:
            raise CrtError(ERRNO.EILSEQ)
        data = encoded
    await stream.write(data)


async def print_narrow(thread: UserThread, stream: int, rules: Rules, template: int, arguments: int) -> int:
    """The count of bytes printed, or -1."""
    if not stream or not template:
        await invalid_parameter(thread)
        return -1
    data, error = narrow_text(thread, rules, template, arguments)
    async with locked(thread, stream) as file:
        await put_narrow(file, data)
    if error:
        raise CrtError(error)
    return len(data)


async def print_wide(thread: UserThread, stream: int, rules: Rules, template: int, arguments: int) -> int:
    """The count of wide characters printed, or -1."""
    if not stream or not template:
        await invalid_parameter(thread)
        return -1
    data, error = wide_text(thread, rules, template, arguments)
    async with locked(thread, stream) as file:
        await put_wide(file, data)
    if error:
        raise CrtError(error)
    return len(data) // 2


@crt(fails=-1, aliases=("__stdio_common_vfprintf_s",))
async def __stdio_common_vfprintf(
    thread: UserThread,
    options: ULONGLONG,
    stream: PVOID,
    format: PVOID,
    locale: PVOID,
    arglist: PVOID,
) -> INT:
    """Fprintf and its family."""
    return INT(await print_narrow(thread, stream, rules_of(thread, options, locale), format, arglist))


@crt(fails=-1, aliases=("__stdio_common_vfwprintf_s",))
async def __stdio_common_vfwprintf(
    thread: UserThread,
    options: ULONGLONG,
    stream: PVOID,
    format: PVOID,
    locale: PVOID,
    arglist: PVOID,
) -> INT:
    """Fwprintf and its family."""
    return INT(await print_wide(thread, stream, rules_of(thread, options, locale), format, arglist))


# ------------------------------------------------------------------------------ into strings


def store(thread: UserThread, options: int, buffer: int, room: int, data: bytes, error: int, unit: int) -> int:
    """Put formatted text into a caller's buffer as the options say; gives what the call returns."""
    count = len(data) // unit
    failed = error != 0
    memory, end = thread.memory, bytes(unit)
    if not buffer:
        return -1 if failed else count
    if options & PrintfOptions.LEGACY_VSPRINTF_NULL_TERMINATION:
        kept = min(count, room)
        memory.write(buffer, data[: kept * unit] + (end if count < room else b""))
        return -1 if failed or count > room else count
    kept = min(count, room - 1) if room else 0
    if room:
        memory.write(buffer, data[: kept * unit] + end)
    if failed:
        return -1
    if options & PrintfOptions.STANDARD_SNPRINTF_BEHAVIOR:
        return count
    return -2 if count >= room else count


@crt
async def __stdio_common_vsprintf(
    thread: UserThread, options: ULONGLONG, buffer: PVOID, count: SIZE_T, format: PVOID,
    locale: PVOID, arglist: PVOID,
) -> INT:  # fmt: skip
    """sprintf, snprintf and their family."""
    if not format or (not buffer and count):
        await invalid_parameter(thread)
        return INT(-1)
    data, error = narrow_text(thread, rules_of(thread, options, locale), format, arglist)
    if error:
        set_errno(thread, error)
    return INT(store(thread, options, buffer, count, data, error, 1))


@crt
async def __stdio_common_vswprintf(
    thread: UserThread, options: ULONGLONG, buffer: PVOID, count: SIZE_T, format: PVOID,
    locale: PVOID, arglist: PVOID,
) -> INT:  # fmt: skip
    """Swprintf and its family."""
    if not format or (not buffer and count):
        await invalid_parameter(thread)
        return INT(-1)
    data, error = wide_text(thread, rules_of(thread, options, locale), format, arglist)
    if error:
        set_errno(thread, error)
    return INT(store(thread, options, buffer, count, data, error, 2))


async def store_checked(thread: UserThread, buffer: int, room: int, data: bytes, error: int, unit: int) -> int:
    """sprintf_s: what does not fit is a bad argument (ERANGE)."""
    if not buffer or not room:
        await invalid_parameter(thread)
        return -1
    if error or len(data) // unit >= room:
        thread.memory.write(buffer, bytes(unit))
        if not error:
            await invalid_parameter(thread)
        set_errno(thread, error or ERRNO.ERANGE)
        return -1
    thread.memory.write(buffer, data + bytes(unit))
    return len(data) // unit


async def store_limited(
    thread: UserThread, buffer: int, room: int, maximum: int, data: bytes, error: int, unit: int
) -> int:
    """snprintf_s: at most `maximum` characters; _TRUNCATE takes what fits."""
    fits_not = len(data) // unit > min(maximum, room - 1)
    if buffer and room and not error and fits_not and (maximum == TRUNCATE or maximum < room):
        kept = room - 1 if maximum == TRUNCATE else maximum
        thread.memory.write(buffer, data[: kept * unit] + bytes(unit))
        return -1
    if not buffer and not room and not maximum:
        return 0
    return await store_checked(thread, buffer, room, data, error, unit)


@crt
async def __stdio_common_vsprintf_s(
    thread: UserThread, options: ULONGLONG, buffer: PVOID, count: SIZE_T, format: PVOID,
    locale: PVOID, arglist: PVOID,
) -> INT:  # fmt: skip
    """sprintf_s and its family."""
    data, error = narrow_text(thread, rules_of(thread, options, locale), format, arglist)
    return INT(await store_checked(thread, buffer, count, data, error, 1))


@crt
async def __stdio_common_vswprintf_s(
    thread: UserThread, options: ULONGLONG, buffer: PVOID, count: SIZE_T, format: PVOID,
    locale: PVOID, arglist: PVOID,
) -> INT:  # fmt: skip
    """swprintf_s and its family."""
    data, error = wide_text(thread, rules_of(thread, options, locale), format, arglist)
    return INT(await store_checked(thread, buffer, count, data, error, 2))


@crt
async def __stdio_common_vsnprintf_s(
    thread: UserThread, options: ULONGLONG, buffer: PVOID, count: SIZE_T, max_count: SIZE_T, format: PVOID,
    locale: PVOID, arglist: PVOID,
) -> INT:  # fmt: skip
    """_snprintf_s and its family."""
    data, error = narrow_text(thread, rules_of(thread, options, locale), format, arglist)
    return INT(await store_limited(thread, buffer, count, max_count, data, error, 1))


@crt
async def __stdio_common_vsnwprintf_s(
    thread: UserThread, options: ULONGLONG, buffer: PVOID, count: SIZE_T, max_count: SIZE_T, format: PVOID,
    locale: PVOID, arglist: PVOID,
) -> INT:  # fmt: skip
    """_snwprintf_s and its family."""
    data, error = wide_text(thread, rules_of(thread, options, locale), format, arglist)
    return INT(await store_limited(thread, buffer, count, max_count, data, error, 2))


@crt
def _get_printf_count_output(thread: UserThread) -> INT:
    """Whether %n may write."""
    return INT(process_data(thread).printf_count_output)


@crt
def _set_printf_count_output(thread: UserThread, enable: INT) -> INT:
    """Let %n write; gives the former setting."""
    data = process_data(thread)
    former = int(data.printf_count_output)
    data.printf_count_output = int(enable != 0)
    return INT(former)

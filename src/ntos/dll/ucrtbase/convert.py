"""Numbers from text and text from numbers (stdlib.h: strtol … _itoa … _ecvt)."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_EVEN, Decimal
from typing import NamedTuple

from ntos.abi.memory import read_string, read_wide
from ntos.abi.pointer import Ptr
from ntos.abi.types import DOUBLE, FLOAT, INT, LONGLONG, PVOID, SIZE_T, ULONGLONG
from ntos.dll.ucrtbase.crt import crt, invalid_parameter, set_errno, thread_data
from ntos.dll.ucrtbase.errno import ERRNO
from ntos.rtl.number import SPACES, WIDE_SPACES, parse_double, parse_integer
from ntos.um.thread import UserThread

UNLIMITED = 0x10_0000
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class Text(NamedTuple):
    """How a string is read: its width, and what counts as a blank."""

    wide: bool

    def read(self, thread: UserThread, address: int) -> str:
        """The characters of a string, one a unit."""
        if not self.wide:
            return read_string(thread.memory, address, UNLIMITED).decode("latin-1")
        text = read_wide(thread.memory, address, UNLIMITED)
        return text if text.isascii() else "".join(letter if letter < "\U00010000" else "??" for letter in text)

    @property
    def spaces(self) -> str:
        return WIDE_SPACES if self.wide else SPACES

    @property
    def unit(self) -> int:
        return 2 if self.wide else 1


NARROW, WIDE = Text(wide=False), Text(wide=True)


async def to_integer(
    thread: UserThread, text: Text, string: int, end: int, base: int, bits: int, *, signed: bool
) -> int:
    """Strtol and its family; EINVAL for a bad base, ERANGE for what does not fit."""
    if not string or (base != 0 and not 2 <= base <= 36):
        if end:
            PVOID.store(thread.memory, end, string)
        await invalid_parameter(thread)
        return 0
    found = parse_integer(text.read(thread, string), base, bits=bits, signed=signed, spaces=text.spaces)
    if end:
        PVOID.store(thread.memory, end, string + found.end * text.unit)
    if found.overflow:
        set_errno(thread, ERRNO.ERANGE)
    return found.value


def _declare_integer(text: Text, bits: int, *, signed: bool, names: tuple[str, ...], located: tuple[str, ...]) -> None:
    async def plain(thread: UserThread, string: PVOID, end: PVOID, base: INT) -> LONGLONG:
        """The number a string begins with, and where it ends; ERANGE where it does not fit."""
        return LONGLONG(await to_integer(thread, text, string, end, base, bits, signed=signed))

    async def local(thread: UserThread, string: PVOID, end: PVOID, base: INT, locale: PVOID) -> LONGLONG:
        """The same in a locale."""
        return LONGLONG(await to_integer(thread, text, string, end, base, bits, signed=signed))

    crt(name=names[0], aliases=names[1:])(plain)
    crt(name=located[0], aliases=located[1:])(local)


_declare_integer(NARROW, 32, signed=True, names=("strtol",), located=("_strtol_l",))
_declare_integer(NARROW, 32, signed=False, names=("strtoul",), located=("_strtoul_l",))
_declare_integer(NARROW, 64, signed=True, names=("strtoll", "strtoimax", "_strtoi64"),
                 located=("_strtoll_l", "_strtoimax_l", "_strtoi64_l"))  # fmt: skip
_declare_integer(NARROW, 64, signed=False, names=("strtoull", "strtoumax", "_strtoui64"),
                 located=("_strtoull_l", "_strtoumax_l", "_strtoui64_l"))  # fmt: skip
_declare_integer(WIDE, 32, signed=True, names=("wcstol",), located=("_wcstol_l",))
_declare_integer(WIDE, 32, signed=False, names=("wcstoul",), located=("_wcstoul_l",))
_declare_integer(WIDE, 64, signed=True, names=("wcstoll", "wcstoimax", "_wcstoi64"),
                 located=("_wcstoll_l", "_wcstoimax_l", "_wcstoi64_l"))  # fmt: skip
_declare_integer(WIDE, 64, signed=False, names=("wcstoull", "wcstoumax", "_wcstoui64"),
                 located=("_wcstoull_l", "_wcstoumax_l", "_wcstoui64_l"))  # fmt: skip


def _declare_decimal(text: Text, bits: int, names: tuple[str, ...], located: tuple[str, ...]) -> None:
    async def plain(thread: UserThread, string: PVOID) -> LONGLONG:
        """The decimal number a string begins with."""
        return LONGLONG(await to_integer(thread, text, string, 0, 10, bits, signed=True))

    async def local(thread: UserThread, string: PVOID, locale: PVOID) -> LONGLONG:
        """The same in a locale."""
        return LONGLONG(await to_integer(thread, text, string, 0, 10, bits, signed=True))

    crt(name=names[0], aliases=names[1:])(plain)
    crt(name=located[0], aliases=located[1:])(local)


_declare_decimal(NARROW, 32, ("atoi", "atol"), ("_atoi_l", "_atol_l"))
_declare_decimal(NARROW, 64, ("_atoi64", "atoll"), ("_atoi64_l", "_atoll_l"))
_declare_decimal(WIDE, 32, ("_wtoi", "_wtol"), ("_wtoi_l", "_wtol_l"))
_declare_decimal(WIDE, 64, ("_wtoi64", "_wtoll"), ("_wtoi64_l", "_wtoll_l"))


# ------------------------------------------------------------------------------ floating point


async def to_real(
    thread: UserThread, text: Text, string: int, end: int, *, single: bool = False, legacy: bool = False
) -> float:
    """Strtod and its family; `legacy` is msvcrt's, which knows no hexadecimal, `inf` or `nan`."""
    if not string:
        await invalid_parameter(thread)
        return 0.0
    characters = text.read(thread, string)
    found = parse_double(characters, spaces=text.spaces, single=single, legacy=legacy)
    if end:
        PVOID.store(thread.memory, end, string + found.end * text.unit)
    if found.out_of_range:
        set_errno(thread, ERRNO.ERANGE)
    return found.value


def _declare_real(text: Text, names: tuple[str, ...], located: tuple[str, ...], dll: str) -> None:
    legacy = dll == "msvcrt"

    async def plain(thread: UserThread, string: PVOID, end: PVOID) -> DOUBLE:
        """The number a string begins with, and where it ends."""
        return DOUBLE(await to_real(thread, text, string, end, legacy=legacy))

    async def local(thread: UserThread, string: PVOID, end: PVOID, locale: PVOID) -> DOUBLE:
        """The same in a locale."""
        return DOUBLE(await to_real(thread, text, string, end, legacy=legacy))

    crt(name=names[0], aliases=names[1:], dlls=(dll,))(plain)
    crt(name=located[0], aliases=located[1:], dlls=(dll,))(local)


def _declare_whole(text: Text, name: str, dll: str) -> None:
    legacy = dll == "msvcrt"

    async def whole(thread: UserThread, string: PVOID) -> DOUBLE:
        """The number a string begins with."""
        return DOUBLE(await to_real(thread, text, string, 0, legacy=legacy))

    crt(name=name, aliases=(f"_{name.lstrip('_')}_l",), dlls=(dll,))(whole)


def _declare_single(text: Text, name: str, located: str) -> None:
    async def plain(thread: UserThread, string: PVOID, end: PVOID) -> FLOAT:
        """The number a string begins with as a float, and where it ends."""
        return FLOAT(await to_real(thread, text, string, end, single=True))

    async def local(thread: UserThread, string: PVOID, end: PVOID, locale: PVOID) -> FLOAT:
        """The same in a locale."""
        return FLOAT(await to_real(thread, text, string, end, single=True))

    crt(name=name)(plain)
    crt(name=located)(local)


for _dll in ("ucrtbase", "msvcrt"):
    _declare_real(NARROW, ("strtod", "strtold"), ("_strtod_l", "_strtold_l"), _dll)
    _declare_real(WIDE, ("wcstod", "wcstold"), ("_wcstod_l", "_wcstold_l"), _dll)
    _declare_whole(NARROW, "atof", _dll)
    _declare_whole(WIDE, "_wtof", _dll)
_declare_single(NARROW, "strtof", "_strtof_l")
_declare_single(WIDE, "wcstof", "_wcstof_l")


@crt(aliases=("_atodbl_l",))
async def _atodbl(thread: UserThread, value: Ptr[DOUBLE], string: PVOID) -> INT:
    """The number by pointer; 3 for overflow, 4 for underflow."""
    found = parse_double(NARROW.read(thread, string))
    DOUBLE.store(thread.memory, value.address, found.value)
    return INT(0 if not found.out_of_range else 3 if math.isinf(found.value) else 4)


# ------------------------------------------------------------------------------ text from integers


def spelt(value: int, radix: int, bits: int, *, signed: bool) -> str:
    """A number in a base; a sign only where the base is ten."""
    value &= (1 << bits) - 1
    negative = signed and radix == 10 and value >> (bits - 1) == 1
    if negative:
        value = (1 << bits) - value
    digits = ""
    while True:
        value, digit = divmod(value, radix)
        digits = DIGITS[digit] + digits
        if not value:
            return "-" + digits if negative else digits


def _declare_spelling(kind: str, bits: int, *, signed: bool, wide: bool) -> None:
    unit = 2 if wide else 1
    encoding = "utf-16-le" if wide else "ascii"

    async def plain(thread: UserThread, value: ULONGLONG, buffer: PVOID, radix: INT) -> PVOID:
        """A number as text in a base."""
        if not buffer or not 2 <= radix <= 36:
            await invalid_parameter(thread)
            return PVOID(buffer)
        text = spelt(value, radix, bits, signed=signed)
        thread.memory.write(buffer, text.encode(encoding) + bytes(unit))
        return PVOID(buffer)

    async def checked(thread: UserThread, value: ULONGLONG, buffer: PVOID, count: SIZE_T, radix: INT) -> INT:
        """A number as text in a base, into a buffer of known size."""
        text = spelt(value, radix, bits, signed=signed) if 2 <= radix <= 36 else ""
        if not buffer or not count or not text:
            return INT(await invalid_parameter(thread))
        if len(text) >= count:
            thread.memory.write(buffer, bytes(unit))
            await invalid_parameter(thread)
            set_errno(thread, ERRNO.ERANGE)
            return INT(ERRNO.ERANGE)
        thread.memory.write(buffer, text.encode(encoding) + bytes(unit))
        return INT(0)

    name = f"_{kind}to{'w' if wide else 'a'}"
    crt(name=name)(plain)
    crt(name=name + "_s")(checked)


for _wide in (False, True):
    _declare_spelling("i", 32, signed=True, wide=_wide)
    _declare_spelling("l", 32, signed=True, wide=_wide)
    _declare_spelling("ul", 32, signed=False, wide=_wide)
    _declare_spelling("i64", 64, signed=True, wide=_wide)
    _declare_spelling("ui64", 64, signed=False, wide=_wide)


# ------------------------------------------------------------------------------ text from doubles


def digits_of(value: float, count: int, *, after_point: bool) -> tuple[str, int]:
    """Digits rounded to `count` (in all, or after the point), and where the point stands."""
    if value != value or math.isinf(value):  # noqa: PLR0124 - a NaN
        return ("1#INF" if math.isinf(value) else "1#QNAN"), 1
    number = abs(Decimal(value))
    if number == 0:
        return "0" * max(count, 0), 0
    exponent = number.adjusted() + 1
    keep = count + exponent if after_point else count
    if keep < 0 or (keep == 0 and not after_point):
        return "", exponent if not after_point else -count
    quantum = Decimal(1).scaleb(exponent - keep)
    rounded = number.quantize(quantum, rounding=ROUND_HALF_EVEN) if keep < 770 else number
    if rounded == 0:
        return "", -count
    point = rounded.adjusted() + 1
    text = "".join(map(str, rounded.as_tuple().digits))
    wanted = max(count + point if after_point else count, 0)
    return text[:wanted].ljust(wanted, "0"), point


def _put(thread: UserThread, text: str) -> int:
    data = thread_data(thread)
    place = data.address + data.offset("digits_text")
    thread.memory.write(place, text.encode("ascii")[:0x15F] + b"\0")
    return place


@crt
def _ecvt(thread: UserThread, value: DOUBLE, count: INT, dec: Ptr[INT], sign: Ptr[INT]) -> PVOID:
    """`count` digits of a number, its point and sign apart."""
    text, point = digits_of(value, count, after_point=False)
    dec.write(point)
    sign.write(int(math.copysign(1, value) < 0))
    return PVOID(_put(thread, text))


@crt
def _fcvt(thread: UserThread, value: DOUBLE, count: INT, dec: Ptr[INT], sign: Ptr[INT]) -> PVOID:
    """The digits of a number with `count` behind the point."""
    text, point = digits_of(value, count, after_point=True)
    dec.write(point)
    sign.write(int(math.copysign(1, value) < 0))
    return PVOID(_put(thread, text))


@crt
def _ecvt_s(
    thread: UserThread, buffer: PVOID, size: SIZE_T, value: DOUBLE, count: INT, dec: Ptr[INT], sign: Ptr[INT]
) -> INT:
    """_ecvt into a buffer."""
    return INT(_checked_digits(thread, buffer, size, value, count, (dec, sign), after_point=False))


@crt
def _fcvt_s(
    thread: UserThread, buffer: PVOID, size: SIZE_T, value: DOUBLE, count: INT, dec: Ptr[INT], sign: Ptr[INT]
) -> INT:
    """_fcvt into a buffer."""
    return INT(_checked_digits(thread, buffer, size, value, count, (dec, sign), after_point=True))


def _checked_digits(
    thread: UserThread, buffer: int, size: int, value: float, count: int, out: tuple[Ptr[INT], Ptr[INT]],
    *, after_point: bool,
) -> int:  # fmt: skip
    text, point = digits_of(value, count, after_point=after_point)
    if not buffer or size <= len(text):
        set_errno(thread, ERRNO.ERANGE)
        return ERRNO.ERANGE
    thread.memory.write(buffer, text.encode("ascii") + b"\0")
    out[0].write(point)
    out[1].write(int(math.copysign(1, value) < 0))
    return 0


def general(value: float, digits: int) -> str:
    """_gcvt's spelling: like %g, a point always, three digits of exponent in the old way."""
    text = f"{value:.{max(digits, 1)}g}"
    if "e" in text:
        mantissa, _, exponent = text.partition("e")
        mantissa += "" if "." in mantissa else "."
        return f"{mantissa}e{exponent[0]}{abs(int(exponent)):03d}"
    return text if "." in text or "n" in text else text + "."


@crt
def _gcvt(thread: UserThread, value: DOUBLE, digits: INT, buffer: PVOID) -> PVOID:
    """A number as text into a buffer."""
    thread.memory.write(buffer, general(value, digits).encode("ascii") + b"\0")
    return PVOID(buffer)


@crt
def _gcvt_s(thread: UserThread, buffer: PVOID, size: SIZE_T, value: DOUBLE, digits: INT) -> INT:
    """A number as text into a buffer of known size."""
    text = general(value, digits).encode("ascii")
    if not buffer or len(text) >= size:
        set_errno(thread, ERRNO.ERANGE)
        return INT(ERRNO.ERANGE)
    thread.memory.write(buffer, text + b"\0")
    return INT(0)

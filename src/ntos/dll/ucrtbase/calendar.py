"""Calendar times: gmtime, localtime, mktime, asctime, strftime (time.h)."""

from __future__ import annotations

import struct

from ntos.abi.types import INT, LONG, LONGLONG, PVOID, SIZE_T
from ntos.dll.ucrtbase import locale
from ntos.dll.ucrtbase.clock import Zone, seconds_now, zone_of
from ntos.dll.ucrtbase.crt import CrtError, crt, invalid_parameter, process_data, set_errno, thread_data
from ntos.dll.ucrtbase.errno import ERRNO
from ntos.dll.ucrtbase.strings import load
from ntos.rtl import strftime as formatting
from ntos.rtl.time import BrokenTime, days_from_civil, days_in_month, from_broken, to_broken
from ntos.um.thread import UserThread

LAST_64 = 32_536_850_399
"""The end of the year 3000, with room for zones (_MAX__TIME64_T)."""
EARLIEST = -43200
DAY = 86400
EPOCH_DAY = 134_774
"""1 January 1970 in days since 1601."""


def read_tm(thread: UserThread, address: int) -> BrokenTime:
    """A struct tm."""
    return BrokenTime(*struct.unpack("<9i", thread.memory.read(address, 36)))


def write_tm(thread: UserThread, address: int, broken: BrokenTime) -> None:
    """Store a struct tm."""
    thread.memory.write(address, struct.pack("<9i", *broken))


def _change(year: int, rule: tuple[int, ...]) -> int:
    """When in a year the clock changes, in standard seconds since 1970: month, week (5 the last), day, hour."""
    month, week, weekday, hour = rule
    first = days_from_civil(year, month, 1)
    day = 1 + (weekday - (first + 1)) % 7 + 7 * (week - 1)  # 1 January 1601, day 0, was a Monday
    while day > days_in_month(year, month):
        day -= 7
    return (first + day - 1 - EPOCH_DAY) * DAY + hour * 3600


def is_summer(zone: Zone, local: int, bias: int) -> bool:
    """Whether summer time holds at a moment given in standard local seconds."""
    if not zone.has_daylight or not zone.starts or not zone.starts[0]:
        return False
    broken = to_broken(max(local, 0))
    if broken is None:
        return False
    year = broken.year + 1900
    start, end = _change(year, zone.starts), _change(year, zone.ends) + bias
    return start <= local < end if start < end else not end <= local < start


async def to_local(thread: UserThread, seconds: int) -> BrokenTime | None:
    """Localtime."""
    zone, data = await zone_of(thread), process_data(thread)
    standard = seconds - int(data.timezone)
    summer = is_summer(zone, standard, int(data.dstbias))
    if summer:
        standard -= int(data.dstbias)
    broken = to_broken(standard)
    return None if broken is None else BrokenTime(*broken[:8], int(summer))


def _checked(seconds: int, limit: int) -> int:
    if not EARLIEST <= seconds <= limit:
        raise CrtError(ERRNO.EINVAL)
    return seconds


def _own_tm(thread: UserThread, broken: BrokenTime | None) -> int:
    if broken is None:
        raise CrtError(ERRNO.EINVAL)
    data = thread_data(thread)
    place = data.address + data.offset("broken_time")
    write_tm(thread, place, broken)
    return place


def _declare_breaking(bits: int) -> None:
    kind = LONGLONG if bits == 64 else LONG
    limit = LAST_64 if bits == 64 else 0x7FFF_FFFF

    def gmtime(thread: UserThread, timer: PVOID) -> PVOID:
        """A moment in UTC, broken down in memory of the thread's."""
        if not timer:
            raise CrtError(ERRNO.EINVAL)
        return PVOID(_own_tm(thread, to_broken(_checked(kind.load(thread.memory, timer), limit))))

    async def localtime(thread: UserThread, timer: PVOID) -> PVOID:
        """A moment in local time, broken down in memory of the thread's."""
        if not timer:
            raise CrtError(ERRNO.EINVAL)
        seconds = _checked(kind.load(thread.memory, timer), limit)
        return PVOID(_own_tm(thread, await to_local(thread, seconds)))

    async def checked(thread: UserThread, target: int, timer: int, *, local: bool) -> int:
        if not target or not timer:
            return await invalid_parameter(thread)
        seconds = kind.load(thread.memory, timer)
        broken = None
        if EARLIEST <= seconds <= limit:
            broken = await to_local(thread, seconds) if local else to_broken(seconds)
        if broken is None:
            thread.memory.write(target, b"\xff" * 36)
            set_errno(thread, ERRNO.EINVAL)
            return ERRNO.EINVAL
        write_tm(thread, target, broken)
        return 0

    async def gmtime_s(thread: UserThread, target: PVOID, timer: PVOID) -> INT:
        """A moment in UTC, broken down."""
        return INT(await checked(thread, target, timer, local=False))

    async def localtime_s(thread: UserThread, target: PVOID, timer: PVOID) -> INT:
        """A moment in local time, broken down."""
        return INT(await checked(thread, target, timer, local=True))

    crt(name=f"_gmtime{bits}", aliases=("gmtime",) if bits == 64 else ())(gmtime)
    crt(name=f"_localtime{bits}", aliases=("localtime",) if bits == 64 else ())(localtime)
    crt(name=f"_gmtime{bits}_s", fails=ERRNO.EINVAL)(gmtime_s)
    crt(name=f"_localtime{bits}_s", fails=ERRNO.EINVAL)(localtime_s)


def _declare_making(bits: int) -> None:
    kind = LONGLONG if bits == 64 else LONG
    limit = LAST_64 if bits == 64 else 0x7FFF_FFFF

    async def mktime(thread: UserThread, target: PVOID) -> LONGLONG:
        """The moment of a broken-down local time, which is put in order."""
        return LONGLONG(await make(thread, target, limit, local=True))

    async def mkgmtime(thread: UserThread, target: PVOID) -> LONGLONG:
        """The moment of a broken-down UTC time."""
        return LONGLONG(await make(thread, target, limit, local=False))

    async def ctime(thread: UserThread, timer: PVOID) -> PVOID:
        """A moment in local time as text."""
        seconds = _checked(kind.load(thread.memory, timer), limit)
        return PVOID(_put_asctime(thread, _present(await to_local(thread, seconds))))

    async def ctime_s(thread: UserThread, buffer: PVOID, size: SIZE_T, timer: PVOID) -> INT:
        """A moment in local time as text in a buffer."""
        seconds = _checked(kind.load(thread.memory, timer), limit)
        return INT(_store_asctime(thread, buffer, size, _present(await to_local(thread, seconds)), 1))

    async def wctime(thread: UserThread, timer: PVOID) -> PVOID:
        """A moment in local time as wide text."""
        seconds = _checked(kind.load(thread.memory, timer), limit)
        return PVOID(_put_wide_asctime(thread, _present(await to_local(thread, seconds))))

    async def wctime_s(thread: UserThread, buffer: PVOID, size: SIZE_T, timer: PVOID) -> INT:
        """A moment in local time as wide text in a buffer."""
        seconds = _checked(kind.load(thread.memory, timer), limit)
        return INT(_store_asctime(thread, buffer, size, _present(await to_local(thread, seconds)), 2))

    crt(name=f"_mktime{bits}", fails=-1, aliases=("mktime",) if bits == 64 else ())(mktime)
    crt(name=f"_mkgmtime{bits}", fails=-1, aliases=("_mkgmtime",) if bits == 64 else ())(mkgmtime)
    crt(name=f"_ctime{bits}", aliases=("ctime",) if bits == 64 else ())(ctime)
    crt(name=f"_ctime{bits}_s", fails=ERRNO.EINVAL)(ctime_s)
    crt(name=f"_wctime{bits}", aliases=("_wctime",) if bits == 64 else ())(wctime)
    crt(name=f"_wctime{bits}_s", fails=ERRNO.EINVAL, dlls=("ucrtbase",))(wctime_s)


def _present(broken: BrokenTime | None) -> BrokenTime:
    if broken is None:
        raise CrtError(ERRNO.EINVAL)
    return broken


async def make(thread: UserThread, address: int, limit: int, *, local: bool) -> int:
    """mktime: the moment of a struct tm, which is put in order."""
    broken = read_tm(thread, address)
    zone, data = await zone_of(thread), process_data(thread)
    bias = int(data.timezone) // 60 if local else 0
    found = from_broken(broken, bias_minutes=bias)
    if found is None:
        raise CrtError(ERRNO.EINVAL)
    seconds = found[0]
    if local:
        standard = seconds - int(data.timezone)
        shift = int(data.dstbias)
        if broken.is_dst > 0 or (broken.is_dst < 0 and is_summer(zone, standard + shift, shift)):
            seconds += shift
    if not 0 <= seconds <= limit:
        raise CrtError(ERRNO.EINVAL)
    normal = await to_local(thread, seconds) if local else to_broken(seconds)
    write_tm(thread, address, _present(normal))
    return seconds


for _bits in (64, 32):
    _declare_breaking(_bits)
    _declare_making(_bits)


# ------------------------------------------------------------------------------ text


def _checked_tm(broken: BrokenTime) -> BrokenTime:
    sound = (
        0 <= broken.second <= 60 and 0 <= broken.minute < 60 and 0 <= broken.hour < 24
        and 0 <= broken.month < 12 and 1 <= broken.day <= 31 and 0 <= broken.weekday < 7 and broken.year >= 0
    )  # fmt: skip
    if not sound:
        raise CrtError(ERRNO.EINVAL)
    return broken


def _put_asctime(thread: UserThread, broken: BrokenTime) -> int:
    data = thread_data(thread)
    place = data.address + data.offset("asctime_text")
    thread.memory.write(place, formatting.asctime(_checked_tm(broken)).encode("ascii")[:31] + b"\0")
    return place


def _put_wide_asctime(thread: UserThread, broken: BrokenTime) -> int:
    data = thread_data(thread)
    place = data.address + data.offset("wasctime_text")
    thread.memory.write(place, formatting.asctime(_checked_tm(broken)).encode("utf-16-le")[:62] + b"\0\0")
    return place


def _store_asctime(thread: UserThread, buffer: int, size: int, broken: BrokenTime, unit: int) -> int:
    if not buffer or size < 26:
        raise CrtError(ERRNO.EINVAL)
    text = formatting.asctime(_checked_tm(broken))
    thread.memory.write(buffer, text.encode("ascii" if unit == 1 else "utf-16-le") + bytes(unit))
    return 0


@crt
def asctime(thread: UserThread, time: PVOID) -> PVOID:
    """A time as text of 26 characters."""
    return PVOID(_put_asctime(thread, read_tm(thread, time)))


@crt
def _wasctime(thread: UserThread, time: PVOID) -> PVOID:
    """A time as wide text."""
    return PVOID(_put_wide_asctime(thread, read_tm(thread, time)))


@crt(fails=ERRNO.EINVAL)
def asctime_s(thread: UserThread, buffer: PVOID, size: SIZE_T, time: PVOID) -> INT:
    """A time as text into a buffer."""
    return INT(_store_asctime(thread, buffer, size, read_tm(thread, time), 1))


@crt(fails=ERRNO.EINVAL, dlls=("ucrtbase",))
def _wasctime_s(thread: UserThread, buffer: PVOID, size: SIZE_T, time: PVOID) -> INT:
    """A time as wide text into a buffer."""
    return INT(_store_asctime(thread, buffer, size, read_tm(thread, time), 2))


async def formatted(thread: UserThread, template: str, time: int) -> str:
    """Strftime's text."""
    broken = read_tm(thread, time)
    await zone_of(thread)
    data = process_data(thread)
    summer = broken.is_dst > 0
    place = data.address + data.offset("tz_daylight" if summer else "tz_standard")
    name = thread.memory.read(place, 64).split(b"\0")[0].decode("latin-1")
    bias = (int(data.timezone) + (int(data.dstbias) if summer else 0)) // 60
    text = formatting.strftime(template, broken, zone_name=name, bias_minutes=bias)
    if text is None:
        raise CrtError(ERRNO.EINVAL)
    return text


async def _strftime(thread: UserThread, target: int, room: int, template: int, time: int, unit: int) -> int:
    if not target or not room or not template or not time:
        await invalid_parameter(thread)
        return 0
    data = load(thread, template, unit)
    text = locale.decode(thread, data) if unit == 1 else data.decode("utf-16-le", "surrogatepass")
    result = await formatted(thread, text, time)
    encoded = locale.encode(thread, result) if unit == 1 else result.encode("utf-16-le", "surrogatepass")
    if encoded is None:
        raise CrtError(ERRNO.EILSEQ)
    if len(encoded) // unit >= room:
        thread.memory.write(target, bytes(unit))
        raise CrtError(ERRNO.ERANGE)
    thread.memory.write(target, encoded + bytes(unit))
    return len(encoded) // unit


@crt(aliases=("_strftime_l", "_Strftime"))
async def strftime(thread: UserThread, target: PVOID, room: SIZE_T, template: PVOID, time: PVOID) -> SIZE_T:
    """A time by a template; 0 where it does not fit."""
    return SIZE_T(await _strftime(thread, target, room, template, time, 1))


@crt(aliases=("_wcsftime_l", "_Wcsftime"))
async def wcsftime(thread: UserThread, target: PVOID, room: SIZE_T, template: PVOID, time: PVOID) -> SIZE_T:
    """A time by a wide template; 0 where it does not fit."""
    return SIZE_T(await _strftime(thread, target, room, template, time, 2))


async def _today(thread: UserThread, target: int, template: str, unit: int) -> int:
    broken = _present(await to_local(thread, seconds_now(thread)))
    text = formatting.strftime(template, broken) or ""
    thread.memory.write(target, text.encode("ascii" if unit == 1 else "utf-16-le") + bytes(unit))
    return target


def _declare_stamp(name: str, template: str, unit: int) -> None:
    async def plain(thread: UserThread, target: PVOID) -> PVOID:
        """Today's date or the time of day as text."""
        return PVOID(await _today(thread, target, template, unit))

    async def checked(thread: UserThread, target: PVOID, size: SIZE_T) -> INT:
        """Today's date or the time of day into a buffer."""
        if not target or size < 9:
            return INT(await invalid_parameter(thread))
        await _today(thread, target, template, unit)
        return INT(0)

    crt(name=name)(plain)
    crt(name=name + "_s", dlls=("ucrtbase",))(checked)


_declare_stamp("_strdate", "%m/%d/%y", 1)
_declare_stamp("_strtime", "%H:%M:%S", 1)
_declare_stamp("_wstrdate", "%m/%d/%y", 2)
_declare_stamp("_wstrtime", "%H:%M:%S", 2)

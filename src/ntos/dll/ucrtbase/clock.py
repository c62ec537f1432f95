"""What time it is: time, clock, ftime, and the time zone as the runtime keeps it (time.h, sys/timeb.h)."""

from __future__ import annotations

import struct

from ntos.abi.layout.win32 import TIME_ZONE_INFORMATION
from ntos.abi.pointer import Ptr
from ntos.abi.types import DOUBLE, INT, LONG, LONGLONG, PVOID, SIZE_T
from ntos.dll.ucrtbase.crt import crt, process_data, set_errno, win32
from ntos.dll.ucrtbase.environment import lookup_wide
from ntos.dll.ucrtbase.errno import ERRNO
from ntos.rtl.nls.codepage import to_ansi
from ntos.rtl.time import TICKS_PER_SECOND, UNIX_EPOCH
from ntos.um.thread import UserThread

SYSTEM_TIME = 0x7FFE_0014
INTERRUPT_TIME = 0x7FFE_0008
ZONE_UNKNOWN = 0
SECONDS_A_MINUTE = 60


class Zone:
    """Whether the zone's variables have been read; the rules of its change."""

    def __init__(self) -> None:
        self.known = False
        self.has_daylight = False
        self.starts: tuple[int, ...] = ()
        self.ends: tuple[int, ...] = ()


class Started:
    """When the runtime entered the process, on the clock that never steps."""

    def __init__(self) -> None:
        self.ticks = -1


def now(thread: UserThread) -> int:
    """The system time in 100 ns since 1601, from the page the kernel shares."""
    return LONGLONG.load(thread.memory, SYSTEM_TIME)


def seconds_now(thread: UserThread) -> int:
    """Seconds since 1970."""
    return (now(thread) - UNIX_EPOCH) // TICKS_PER_SECOND


@crt(aliases=("time",))
def _time64(thread: UserThread, timer: Ptr[LONGLONG] | None) -> LONGLONG:
    """Seconds since 1970."""
    seconds = seconds_now(thread)
    if timer is not None:
        timer.write(seconds)
    return LONGLONG(seconds)


@crt
def _time32(thread: UserThread, timer: Ptr[LONG] | None) -> LONG:
    """Seconds since 1970, in 32 bits."""
    seconds = min(seconds_now(thread), 0x7FFF_FFFF)
    if timer is not None:
        timer.write(seconds)
    return LONG(seconds)


@crt(aliases=("difftime",))
def _difftime64(thread: UserThread, end: LONGLONG, start: LONGLONG) -> DOUBLE:
    """Seconds between two times."""
    if end < 0 or start < 0:
        set_errno(thread, ERRNO.EINVAL)
        return DOUBLE(0)
    return DOUBLE(end - start)


@crt
def _difftime32(thread: UserThread, end: LONG, start: LONG) -> DOUBLE:
    """Seconds between two times."""
    if end < 0 or start < 0:
        set_errno(thread, ERRNO.EINVAL)
        return DOUBLE(0)
    return DOUBLE(end - start)


def remember_start(thread: UserThread) -> None:
    """Called when the runtime enters the process."""
    thread.state(Started).ticks = LONGLONG.load(thread.memory, INTERRUPT_TIME)


@crt
def clock(thread: UserThread) -> LONG:
    """Milliseconds since the runtime entered the process (wall time, as Windows has it)."""
    if thread.state(Started).ticks < 0:
        remember_start(thread)
    return LONG((LONGLONG.load(thread.memory, INTERRUPT_TIME) - thread.state(Started).ticks) // 10_000)


# ------------------------------------------------------------------------------ the zone


async def set_zone(thread: UserThread) -> Zone:
    """_tzset: TZ (`PST8PDT`) if it is set, else the system's zone."""
    zone = thread.state(Zone)
    data = process_data(thread)
    names = (data.address + data.offset("tz_standard"), data.address + data.offset("tz_daylight"))
    data.tzname[0], data.tzname[1] = names
    place = await lookup_wide(thread, "TZ")
    text = thread.memory.read(place, 64).decode("utf-16-le", "replace").split("\0")[0] if place else ""
    if text:
        _from_variable(thread, text, names)
        zone.has_daylight = bool(data.daylight)
        zone.starts, zone.ends = (3, 2, 0, 2), (11, 1, 0, 2)
    else:
        await _from_system(thread, zone, names)
    zone.known = True
    return zone


def _from_variable(thread: UserThread, text: str, names: tuple[int, int]) -> None:
    data = process_data(thread)
    name, rest = text[:3], text[3:]
    sign = -1 if rest.startswith("-") else 1
    rest = rest.lstrip("+-")
    digits = rest
    while digits and (digits[-1] not in "0123456789:"):
        digits = digits[:-1]
    parts = [int(part or 0) for part in digits.split(":")] if digits else [0]
    parts += [0] * (3 - len(parts))
    data.timezone = sign * (parts[0] * 3600 + parts[1] * 60 + parts[2])
    daylight = rest[len(digits) :][:3]
    data.daylight, data.dstbias = int(bool(daylight)), -3600
    thread.memory.write(names[0], to_ansi(name)[:63] + b"\0")
    thread.memory.write(names[1], to_ansi(daylight)[:63] + b"\0")


async def _from_system(thread: UserThread, zone: Zone, names: tuple[int, int]) -> None:
    data = process_data(thread)
    with thread.frame() as frame:
        information = frame.new(TIME_ZONE_INFORMATION)
        result = await win32(thread, "GetTimeZoneInformation", information.address)
        if result & 0xFFFF_FFFF == 0xFFFF_FFFF:
            return
        bias, standard = int(information.Bias), information.StandardDate
        data.timezone = (bias + (int(information.StandardBias) if standard.wMonth else 0)) * SECONDS_A_MINUTE
        zone.has_daylight = bool(information.DaylightDate.wMonth and information.DaylightBias)
        data.daylight = int(zone.has_daylight)
        shift = int(information.DaylightBias) - int(information.StandardBias)
        data.dstbias = shift * SECONDS_A_MINUTE if zone.has_daylight else 0
        zone.starts, zone.ends = (
            (int(date.wMonth), int(date.wDay), int(date.wDayOfWeek), int(date.wHour))
            for date in (information.DaylightDate, standard)
        )
        texts = (str(information.StandardName), str(information.DaylightName))
    for place, name in zip(names, texts, strict=True):
        thread.memory.write(place, to_ansi(name)[:63] + b"\0")


async def zone_of(thread: UserThread) -> Zone:
    """The zone, read on first use."""
    zone = thread.state(Zone)
    return zone if zone.known else await set_zone(thread)


@crt
async def _tzset(thread: UserThread) -> None:
    """Read TZ, or the system's zone."""
    await set_zone(thread)


@crt(dlls=("ucrtbase",))
async def __timezone(thread: UserThread) -> PVOID:
    """&_timezone."""
    await zone_of(thread)
    data = process_data(thread)
    return PVOID(data.address + data.offset("timezone"))


@crt(dlls=("ucrtbase",))
async def __daylight(thread: UserThread) -> PVOID:
    """&_daylight."""
    await zone_of(thread)
    data = process_data(thread)
    return PVOID(data.address + data.offset("daylight"))


@crt(dlls=("ucrtbase",))
async def __dstbias(thread: UserThread) -> PVOID:
    """&_dstbias."""
    await zone_of(thread)
    data = process_data(thread)
    return PVOID(data.address + data.offset("dstbias"))


@crt(dlls=("ucrtbase",))
async def __tzname(thread: UserThread) -> PVOID:
    """_tzname."""
    await zone_of(thread)
    data = process_data(thread)
    return PVOID(data.address + data.offset("tzname"))


@crt
async def _get_timezone(thread: UserThread, seconds: Ptr[LONG]) -> INT:
    """Seconds west of Greenwich."""
    await zone_of(thread)
    seconds.write(int(process_data(thread).timezone))
    return INT(0)


@crt
async def _get_daylight(thread: UserThread, hours: Ptr[INT]) -> INT:
    """Whether there is a summer time."""
    await zone_of(thread)
    hours.write(int(process_data(thread).daylight))
    return INT(0)


@crt
async def _get_dstbias(thread: UserThread, seconds: Ptr[LONG]) -> INT:
    """What summer time adds to _timezone."""
    await zone_of(thread)
    seconds.write(int(process_data(thread).dstbias))
    return INT(0)


@crt
async def _get_tzname(thread: UserThread, needed: Ptr[SIZE_T], buffer: PVOID, size: SIZE_T, index: INT) -> INT:
    """The zone's name: 0 standard, 1 summer."""
    await zone_of(thread)
    data = process_data(thread)
    place = data.address + data.offset("tz_daylight" if index else "tz_standard")
    name = thread.memory.read(place, 64).split(b"\0")[0] + b"\0"
    needed.write(len(name))
    if buffer and size:
        if size < len(name):
            set_errno(thread, ERRNO.ERANGE)
            return INT(ERRNO.ERANGE)
        thread.memory.write(buffer, name)
    return INT(0)


# ------------------------------------------------------------------------------ ftime


async def _moment(thread: UserThread) -> tuple[int, int, int, int]:
    await zone_of(thread)
    data, ticks = process_data(thread), now(thread) - UNIX_EPOCH
    return ticks // TICKS_PER_SECOND, ticks // 10_000 % 1000, int(data.timezone) // 60, 0


@crt(aliases=("_ftime",))
async def _ftime64(thread: UserThread, timeb: PVOID) -> None:
    """Seconds, milliseconds and zone."""
    thread.memory.write(timeb, struct.pack("<qHhh2x", *await _moment(thread)))


@crt
async def _ftime64_s(thread: UserThread, timeb: PVOID) -> INT:
    """Seconds, milliseconds and zone."""
    thread.memory.write(timeb, struct.pack("<qHhh2x", *await _moment(thread)))
    return INT(0)


@crt
async def _ftime32(thread: UserThread, timeb: PVOID) -> None:
    """Seconds, milliseconds and zone, in 32 bits."""
    thread.memory.write(timeb, struct.pack("<iHhh2x", *await _moment(thread)))


@crt
async def _ftime32_s(thread: UserThread, timeb: PVOID) -> INT:
    """Seconds, milliseconds and zone, in 32 bits."""
    thread.memory.write(timeb, struct.pack("<iHhh2x", *await _moment(thread)))
    return INT(0)


@crt(dlls=("ucrtbase",))
def _timespec64_get(thread: UserThread, specification: PVOID, base: INT) -> INT:
    """Seconds and nanoseconds (TIME_UTC is 1)."""
    if base != 1:
        return INT(0)
    ticks = now(thread) - UNIX_EPOCH
    thread.memory.write(specification, struct.pack("<qi4x", ticks // TICKS_PER_SECOND, ticks % TICKS_PER_SECOND * 100))
    return INT(base)


@crt(dlls=("ucrtbase",))
def _timespec32_get(thread: UserThread, specification: PVOID, base: INT) -> INT:
    """Seconds and nanoseconds (TIME_UTC is 1), in 32 bits."""
    if base != 1:
        return INT(0)
    ticks = now(thread) - UNIX_EPOCH
    thread.memory.write(specification, struct.pack("<ii", ticks // TICKS_PER_SECOND, ticks % TICKS_PER_SECOND * 100))
    return INT(base)

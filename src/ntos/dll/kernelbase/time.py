"""Clocks, calendars and time zones (sysinfoapi.h, timezoneapi.h)."""

from __future__ import annotations

from ntos.abi.errors import ERROR
from ntos.abi.layout.shared_data import KUSER_SHARED_DATA
from ntos.abi.layout.win32 import DYNAMIC_TIME_ZONE_INFORMATION, FILETIME, SYSTEMTIME, TIME_ZONE_INFORMATION
from ntos.abi.mm import USER_SHARED_DATA
from ntos.abi.ob import CURRENT_PROCESS
from ntos.abi.pointer import In, Out, Ptr
from ntos.abi.types import BOOL, DWORD, HANDLE, LARGE_INTEGER, LONG, ULONGLONG, USHORT, WORD
from ntos.dll.kernelbase.objects import new_size
from ntos.dll.kernelbase.services import nt
from ntos.rtl import time as calendar
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread

TIME_ZONE_ID_UNKNOWN = 0
TICKS_PER_MINUTE = 600_000_000


def join(low: int, high: int) -> int:
    """The 64-bit time of a FILETIME's halves."""
    return (high & 0xFFFF_FFFF) << 32 | low & 0xFFFF_FFFF


def file_time(view: FILETIME) -> int:
    """The NT time of a FILETIME."""
    return join(view.dwLowDateTime, view.dwHighDateTime)


def put_file_time(view: FILETIME, time: int) -> None:
    """Store an NT time."""
    view.dwLowDateTime, view.dwHighDateTime = DWORD(time & 0xFFFF_FFFF), DWORD(time >> 32 & 0xFFFF_FFFF)


def put_system_time(view: SYSTEMTIME, time: int) -> None:
    """Store an NT time as a calendar shows it."""
    fields = calendar.to_fields(time)
    view.wYear, view.wMonth, view.wDay = WORD(fields.year), WORD(fields.month), WORD(fields.day)
    view.wHour, view.wMinute, view.wSecond = WORD(fields.hour), WORD(fields.minute), WORD(fields.second)
    view.wMilliseconds, view.wDayOfWeek = WORD(fields.millisecond), WORD(fields.weekday)


def system_time(view: SYSTEMTIME) -> int:
    """The NT time of a SYSTEMTIME; ERROR_INVALID_PARAMETER where it is no date."""
    fields = calendar.Fields(
        view.wYear, view.wMonth, view.wDay, view.wHour, view.wMinute, view.wSecond, view.wMilliseconds
    )
    time = calendar.from_fields(fields)
    if time is None:
        raise WinError(ERROR.INVALID_PARAMETER)
    return time


def _shared(thread: UserThread) -> KUSER_SHARED_DATA:
    return KUSER_SHARED_DATA(thread.memory, USER_SHARED_DATA)


def now(thread: UserThread) -> int:
    """The system time."""
    view = _shared(thread).SystemTime
    return join(view.LowPart, view.High1Time)


def bias(thread: UserThread) -> int:
    """UTC less local time, in 100 ns."""
    view = _shared(thread).TimeZoneBias
    value = join(view.LowPart, view.High1Time)
    return value - (1 << 64) if value >> 63 else value


@export
async def GetSystemTimePreciseAsFileTime(thread: UserThread, lpSystemTimeAsFileTime: Ptr[FILETIME]) -> None:
    """The system time to the last tick."""
    await nt.NtQuerySystemTime(thread, lpSystemTimeAsFileTime.address)


@export
def GetSystemTime(thread: UserThread, lpSystemTime: Ptr[SYSTEMTIME]) -> None:
    """The calendar in UTC."""
    put_system_time(lpSystemTime.read(), now(thread))


@export
def GetLocalTime(thread: UserThread, lpSystemTime: Ptr[SYSTEMTIME]) -> None:
    """The calendar in local time."""
    put_system_time(lpSystemTime.read(), now(thread) - bias(thread))


@export
async def SetSystemTime(thread: UserThread, lpSystemTime: Ptr[SYSTEMTIME]) -> BOOL:
    """Set the clock; needs SeSystemtimePrivilege."""
    return await _set_clock(thread, system_time(lpSystemTime.read()))


@export
async def SetLocalTime(thread: UserThread, lpSystemTime: Ptr[SYSTEMTIME]) -> BOOL:
    """Set the clock from local time."""
    return await _set_clock(thread, system_time(lpSystemTime.read()) + bias(thread))


async def _set_clock(thread: UserThread, time: int) -> BOOL:
    with thread.frame() as frame:
        place: Ptr[LARGE_INTEGER] = frame.new(LARGE_INTEGER)
        place.write(time)
        await nt.NtSetSystemTime(thread, place.address, 0)
    return BOOL(1)


@export
def FileTimeToSystemTime(thread: UserThread, lpFileTime: Ptr[FILETIME], lpSystemTime: Ptr[SYSTEMTIME]) -> BOOL:
    """Break a time down."""
    time = file_time(lpFileTime.read())
    if time >> 63:
        raise WinError(ERROR.INVALID_PARAMETER)
    put_system_time(lpSystemTime.read(), time)
    return BOOL(1)


@export
def SystemTimeToFileTime(thread: UserThread, lpSystemTime: Ptr[SYSTEMTIME], lpFileTime: Ptr[FILETIME]) -> BOOL:
    """Put a time together."""
    put_file_time(lpFileTime.read(), system_time(lpSystemTime.read()))
    return BOOL(1)


@export
def FileTimeToLocalFileTime(thread: UserThread, lpFileTime: Ptr[FILETIME], lpLocalFileTime: Ptr[FILETIME]) -> BOOL:
    """UTC to local time, by today's bias."""
    put_file_time(lpLocalFileTime.read(), file_time(lpFileTime.read()) - bias(thread))
    return BOOL(1)


@export
def LocalFileTimeToFileTime(thread: UserThread, lpLocalFileTime: Ptr[FILETIME], lpFileTime: Ptr[FILETIME]) -> BOOL:
    """Local time to UTC, by today's bias."""
    put_file_time(lpFileTime.read(), file_time(lpLocalFileTime.read()) + bias(thread))
    return BOOL(1)


@export
def CompareFileTime(thread: UserThread, lpFileTime1: Ptr[FILETIME], lpFileTime2: Ptr[FILETIME]) -> LONG:
    """-1, 0 or 1."""
    first, second = file_time(lpFileTime1.read()), file_time(lpFileTime2.read())
    return LONG((first > second) - (first < second))


def _fill_zone(thread: UserThread, view: TIME_ZONE_INFORMATION | DYNAMIC_TIME_ZONE_INFORMATION) -> None:
    view.clear()
    view.Bias = LONG(bias(thread) // TICKS_PER_MINUTE)
    name = "Coordinated Universal Time" if view.Bias == 0 else "Local Standard Time"
    view.StandardName, view.DaylightName = name, name


@export(fails=0xFFFF_FFFF)
def GetTimeZoneInformation(thread: UserThread, lpTimeZoneInformation: Ptr[TIME_ZONE_INFORMATION]) -> DWORD:
    """The time zone: a constant bias without daylight saving time."""
    _fill_zone(thread, lpTimeZoneInformation.read())
    return DWORD(TIME_ZONE_ID_UNKNOWN)


@export(fails=0xFFFF_FFFF)
def GetDynamicTimeZoneInformation(
    thread: UserThread, pTimeZoneInformation: Ptr[DYNAMIC_TIME_ZONE_INFORMATION]
) -> DWORD:
    """The time zone with its key."""
    view = pTimeZoneInformation.read()
    _fill_zone(thread, view)
    view.TimeZoneKeyName = "UTC"
    return DWORD(TIME_ZONE_ID_UNKNOWN)


@export
def GetTimeZoneInformationForYear(
    thread: UserThread,
    wYear: USHORT,
    pdtzi: Ptr[DYNAMIC_TIME_ZONE_INFORMATION] | None,
    ptzi: Ptr[TIME_ZONE_INFORMATION],
) -> BOOL:
    """The time zone's rules of a year: the same each year."""
    view = ptzi.read()
    if pdtzi is None:
        _fill_zone(thread, view)
    else:
        view.memory.write(view.address, pdtzi.read_bytes(TIME_ZONE_INFORMATION.size))
    return BOOL(1)


def _zone_bias(thread: UserThread, zone: TIME_ZONE_INFORMATION | None) -> int:
    if zone is None:
        return bias(thread)
    if zone.StandardDate.wMonth:
        raise WinError(ERROR.NOT_SUPPORTED)
    return (int(zone.Bias) + int(zone.StandardBias)) * TICKS_PER_MINUTE


@export(partial="zones with daylight saving time are refused")
def SystemTimeToTzSpecificLocalTime(
    thread: UserThread,
    lpTimeZoneInformation: In[TIME_ZONE_INFORMATION] | None,
    lpUniversalTime: Ptr[SYSTEMTIME],
    lpLocalTime: Ptr[SYSTEMTIME],
) -> BOOL:
    """UTC to a zone's local time."""
    time = system_time(lpUniversalTime.read()) - _zone_bias(thread, lpTimeZoneInformation)
    put_system_time(lpLocalTime.read(), time)
    return BOOL(1)


@export(partial="zones with daylight saving time are refused")
def TzSpecificLocalTimeToSystemTime(
    thread: UserThread,
    lpTimeZoneInformation: In[TIME_ZONE_INFORMATION] | None,
    lpLocalTime: Ptr[SYSTEMTIME],
    lpUniversalTime: Ptr[SYSTEMTIME],
) -> BOOL:
    """A zone's local time to UTC."""
    time = system_time(lpLocalTime.read()) + _zone_bias(thread, lpTimeZoneInformation)
    put_system_time(lpUniversalTime.read(), time)
    return BOOL(1)


@export
def GetSystemTimeAdjustment(
    thread: UserThread,
    lpTimeAdjustment: Out[DWORD],
    lpTimeIncrement: Out[DWORD],
    lpTimeAdjustmentDisabled: Out[BOOL],
) -> BOOL:
    """How the clock ticks: 15.625 ms, not adjusted."""
    lpTimeAdjustment.write(156_250)
    lpTimeIncrement.write(156_250)
    lpTimeAdjustmentDisabled.write(1)
    return BOOL(1)


@export
async def QueryThreadCycleTime(thread: UserThread, ThreadHandle: HANDLE, CycleTime: Ptr[ULONGLONG]) -> BOOL:
    """The cycles a thread has used."""
    with thread.frame() as frame:
        place = frame.allocate(16)
        await nt.NtQueryInformationThread(thread, ThreadHandle, 23, place, 16, 0)
        CycleTime.write(int.from_bytes(thread.memory.read(place, 8), "little"))
    return BOOL(1)


@export
async def QueryProcessCycleTime(thread: UserThread, ProcessHandle: HANDLE, CycleTime: Ptr[ULONGLONG]) -> BOOL:
    """The cycles a process has used."""
    with thread.frame() as frame:
        place = frame.allocate(16)
        await nt.NtQueryInformationProcess(thread, ProcessHandle or CURRENT_PROCESS, 38, place, 16, 0)
        CycleTime.write(int.from_bytes(thread.memory.read(place, 8), "little"))
    return BOOL(1)


@export
async def QueryInterruptTimePrecise(thread: UserThread, lpInterruptTimePrecise: Ptr[ULONGLONG]) -> None:
    """Time since start to the last tick, in 100 ns."""
    with thread.frame() as frame:
        counter, frequency = new_size(frame, 0), new_size(frame, 0)
        await nt.NtQueryPerformanceCounter(thread, counter.address, frequency.address)
        lpInterruptTimePrecise.write(int(counter.read()) * 10_000_000 // max(int(frequency.read()), 1))

"""Smaller families: errors, versions, time, numbers, randomness, GUIDs, encoded pointers, product and process facts."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ntos.abi.layout.string import UNICODE_STRING
from ntos.abi.pointer import In, Out, Ptr
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import (
    BOOLEAN,
    CHAR,
    LARGE_INTEGER,
    NTSTATUS,
    PVOID,
    ULONG,
    ULONGLONG,
    USHORT,
)
from ntos.dll.ntdll import guest
from ntos.dll.ntdll.ldr.cookie import process_cookie
from ntos.dll.ntdll.rtl_string import make, put
from ntos.rtl import crc, guid, number, random, time, version
from ntos.rtl.error import nt_status_to_dos_error
from ntos.rtl.text import to_utf16
from ntos.um.export import export, set_last_error

if TYPE_CHECKING:
    from ntos.um.thread import UserThread

LAST_STATUS = 0x1250
SHARED = guest.SHARED_DATA
MAJOR, MINOR, BUILD, SUITE, PRODUCT, TIME_ZONE_BIAS = 0x26C, 0x270, 0x260, 0x2D0, 0x264, 0x20
PROCESSOR_FEATURES = 0x274
FREE_BUILD = 0xF000_0000
ULONG_MASK = 0xFFFF_FFFF
QUAD = 0xFFFF_FFFF_FFFF_FFFF


# ---------------------------------------------------------------- errors


@export
def RtlNtStatusToDosError(thread: UserThread, Status: NTSTATUS) -> ULONG:
    """The Win32 error of a status; TEB.LastStatusValue remembers the status."""
    guest.put32(thread.memory, thread.context.gs_base + LAST_STATUS, Status)
    return ULONG(nt_status_to_dos_error(Status))


@export
def RtlNtStatusToDosErrorNoTeb(thread: UserThread, Status: NTSTATUS) -> ULONG:
    """The Win32 error of a status."""
    return ULONG(nt_status_to_dos_error(Status))


@export
def RtlSetLastWin32ErrorAndNtStatusFromNtStatus(thread: UserThread, Status: NTSTATUS) -> ULONG:
    """Set both last values from a status."""
    guest.put32(thread.memory, thread.context.gs_base + LAST_STATUS, Status)
    code = nt_status_to_dos_error(Status)
    set_last_error(thread, code)
    return ULONG(code)


@export
def RtlGetThreadErrorMode(thread: UserThread) -> ULONG:
    """TEB.HardErrorMode."""
    return ULONG(thread.teb.HardErrorMode)


@export
def RtlSetThreadErrorMode(thread: UserThread, NewMode: ULONG, OldMode: Out[ULONG] | None) -> NTSTATUS:
    """Set TEB.HardErrorMode (0x10 critical errors, 0x20 GP faults, 0x40 missing files)."""
    if NewMode & ~0x70:
        raise NtError(STATUS.INVALID_PARAMETER_1)
    if OldMode is not None:
        OldMode.write(thread.teb.HardErrorMode)
    thread.teb.HardErrorMode = NewMode
    return STATUS.SUCCESS


# ---------------------------------------------------------------- version


def current_version(thread: UserThread) -> version.Version:
    """The version that KUSER_SHARED_DATA tells."""
    memory = thread.memory
    return version.Version(
        guest.u32(memory, SHARED + MAJOR),
        guest.u32(memory, SHARED + MINOR),
        guest.u32(memory, SHARED + BUILD) & 0xFFFF,
        suite=guest.u32(memory, SHARED + SUITE) & 0xFFFF,
        product_type=guest.u32(memory, SHARED + PRODUCT) & 0xFF,
    )


@export
def RtlGetVersion(thread: UserThread, VersionInformation: PVOID) -> NTSTATUS:
    """Fill OSVERSIONINFOW, or the larger OSVERSIONINFOEXW."""
    size = guest.u32(thread.memory, VersionInformation)
    now = current_version(thread)
    head = struct.pack("<IIIII", size, now.major, now.minor, now.build, now.platform)
    thread.memory.write(VersionInformation, head + bytes(256))
    if size >= 0x11C:
        tail = struct.pack("<HHHBB", 0, 0, now.suite, now.product_type, 0)
        thread.memory.write(VersionInformation + 0x114, tail)
    return STATUS.SUCCESS


@export
def RtlGetNtVersionNumbers(
    thread: UserThread, MajorVersion: Out[ULONG] | None, MinorVersion: Out[ULONG] | None, Build: Out[ULONG] | None
) -> None:
    """Version numbers; the build carries the mark of a free build."""
    now = current_version(thread)
    for place, value in ((MajorVersion, now.major), (MinorVersion, now.minor), (Build, now.build | FREE_BUILD)):
        if place is not None:
            place.write(value)


@export
def RtlVerifyVersionInfo(thread: UserThread, VersionInfo: PVOID, TypeMask: ULONG, ConditionMask: ULONGLONG) -> NTSTATUS:
    """Whether this version meets conditions; REVISION_MISMATCH when not."""
    data = thread.memory.read(VersionInfo, 0x11C)
    _, major, minor, build, platform = struct.unpack_from("<5I", data)
    pack_major, pack_minor, suite, product = struct.unpack_from("<HHHB", data, 0x114)
    wanted = version.Version(major, minor, build, platform, pack_major, pack_minor, suite, product)
    met = version.verify(current_version(thread), wanted, TypeMask, ConditionMask)
    return STATUS.SUCCESS if met else STATUS.REVISION_MISMATCH


@export
def VerSetConditionMask(thread: UserThread, ConditionMask: ULONGLONG, TypeMask: ULONG, Condition: USHORT) -> ULONGLONG:
    """A condition mask with one condition more."""
    return ULONGLONG(version.set_condition_mask(ConditionMask, TypeMask, Condition & 0xFF))


@export
def RtlGetNtProductType(thread: UserThread, ProductType: Out[ULONG]) -> BOOLEAN:
    """Workstation (1), domain controller (2) or server (3)."""
    ProductType.write(guest.u32(thread.memory, SHARED + PRODUCT))
    return BOOLEAN(1)


@export
def RtlIsProcessorFeaturePresent(thread: UserThread, ProcessorFeature: ULONG) -> BOOLEAN:
    """What KUSER_SHARED_DATA says of a processor feature."""
    if ProcessorFeature >= 64:
        return BOOLEAN(0)
    return BOOLEAN(thread.memory.read(SHARED + PROCESSOR_FEATURES + ProcessorFeature, 1)[0])


# ---------------------------------------------------------------- time


def _fields_at(thread: UserThread, address: int) -> tuple[int, ...]:
    return struct.unpack("<8h", thread.memory.read(address, 16))


@export
def RtlTimeToTimeFields(thread: UserThread, Time: In[LARGE_INTEGER], TimeFields: PVOID) -> None:
    """A time's calendar parts."""
    parts = time.to_fields(int(Time))
    thread.memory.write(
        TimeFields,
        struct.pack(
            "<8h",
            parts.year,
            parts.month,
            parts.day,
            parts.hour,
            parts.minute,
            parts.second,
            parts.millisecond,
            parts.weekday,
        ),
    )


@export
def RtlTimeFieldsToTime(thread: UserThread, TimeFields: PVOID, Time: Out[LARGE_INTEGER]) -> BOOLEAN:
    """The time of calendar parts; FALSE when there is no such day."""
    year, month, day, hour, minute, second, milliseconds, weekday = _fields_at(thread, TimeFields)
    found = time.from_fields(time.Fields(year, month, day, hour, minute, second, milliseconds, weekday))
    if found is None:
        return BOOLEAN(0)
    Time.write(found)
    return BOOLEAN(1)


EPOCH_1970 = 116_444_736_000_000_000
EPOCH_1980 = 119_600_064_000_000_000
SECOND = 10_000_000


@export
def RtlTimeToSecondsSince1970(thread: UserThread, Time: In[LARGE_INTEGER], Seconds: Out[ULONG]) -> BOOLEAN:
    """Seconds since 1970; FALSE when 32 bits do not hold them."""
    seconds = (int(Time) - EPOCH_1970) // SECOND
    if 0 <= seconds <= ULONG_MASK:
        Seconds.write(seconds)
    return BOOLEAN(0 <= seconds <= ULONG_MASK)


@export
def RtlSecondsSince1970ToTime(thread: UserThread, Seconds: ULONG, Time: Out[LARGE_INTEGER]) -> None:
    """The time of seconds since 1970."""
    Time.write(EPOCH_1970 + Seconds * SECOND)


@export
def RtlTimeToSecondsSince1980(thread: UserThread, Time: In[LARGE_INTEGER], Seconds: Out[ULONG]) -> BOOLEAN:
    """Seconds since 1980; FALSE when 32 bits do not hold them."""
    seconds = (int(Time) - EPOCH_1980) // SECOND
    if 0 <= seconds <= ULONG_MASK:
        Seconds.write(seconds)
    return BOOLEAN(0 <= seconds <= ULONG_MASK)


@export
def RtlSecondsSince1980ToTime(thread: UserThread, Seconds: ULONG, Time: Out[LARGE_INTEGER]) -> None:
    """The time of seconds since 1980."""
    Time.write(EPOCH_1980 + Seconds * SECOND)


def _bias(thread: UserThread) -> int:
    return int.from_bytes(thread.memory.read(SHARED + TIME_ZONE_BIAS, 8), "little", signed=True)


@export
def RtlSystemTimeToLocalTime(
    thread: UserThread, SystemTime: In[LARGE_INTEGER], LocalTime: Out[LARGE_INTEGER]
) -> NTSTATUS:
    """The local time of a system time, by today's bias."""
    LocalTime.write(int(SystemTime) - _bias(thread))
    return STATUS.SUCCESS


@export
def RtlLocalTimeToSystemTime(
    thread: UserThread, LocalTime: In[LARGE_INTEGER], SystemTime: Out[LARGE_INTEGER]
) -> NTSTATUS:
    """The system time of a local time, by today's bias."""
    SystemTime.write(int(LocalTime) + _bias(thread))
    return STATUS.SUCCESS


@export
def RtlGetSystemTimePrecise(thread: UserThread) -> LARGE_INTEGER:
    """The system time."""
    return LARGE_INTEGER.wrap(guest.u64(thread.memory, SHARED + 0x14))  # type: ignore[return-value]


# ---------------------------------------------------------------- numbers


def _digits(value: int, base: int, bits: int) -> str:
    if base not in (0, 2, 8, 10, 16):
        raise NtError(STATUS.INVALID_PARAMETER)
    value &= (1 << bits) - 1
    return {2: f"{value:b}", 8: f"{value:o}", 16: f"{value:X}"}.get(base, str(value))


@export
def RtlIntegerToUnicodeString(thread: UserThread, Value: ULONG, Base: ULONG, String: Ptr[UNICODE_STRING]) -> NTSTATUS:
    """A number's text in a base."""
    return _put_number(String.read(), _digits(Value, Base, 32))


@export
def RtlInt64ToUnicodeString(thread: UserThread, Value: ULONGLONG, Base: ULONG, String: Ptr[UNICODE_STRING]) -> NTSTATUS:
    """A 64-bit number's text in a base."""
    return _put_number(String.read(), _digits(Value, Base, 64))


def _put_number(view: UNICODE_STRING, text: str) -> NTSTATUS:
    data = to_utf16(text)
    if len(data) > int(view.MaximumLength):
        return STATUS.BUFFER_OVERFLOW
    put(view, data, b"\0\0")
    return STATUS.SUCCESS


@export
def RtlUnicodeStringToInteger(
    thread: UserThread, String: In[UNICODE_STRING], Base: ULONG, Value: Out[ULONG]
) -> NTSTATUS:
    """The number a text begins with; `0x`, `0o` and `0b` choose a base where none is given."""
    Value.write(_parse(String.text, Base))
    return STATUS.SUCCESS


@export
def RtlCharToInteger(thread: UserThread, String: Ptr[CHAR], Base: ULONG, Value: Out[ULONG]) -> NTSTATUS:
    """The number an ANSI text begins with."""
    Value.write(_parse(String.text(), Base))
    return STATUS.SUCCESS


def _parse(text: str, base: int) -> int:
    text = text.lstrip("".join(map(chr, range(1, 33))))
    negative = text[:1] == "-"
    text = text[1:] if text[:1] in ("-", "+") else text
    if base == 0:
        base = {"0x": 16, "0o": 8, "0b": 2}.get(text[:2], 10)
        text = text[2:] if base != 10 else text
    if base not in (2, 8, 10, 16):
        raise NtError(STATUS.INVALID_PARAMETER)
    value = 0
    for character in text:
        digit = number.digit_value(character)
        if not 0 <= digit < base:
            break
        value = value * base + digit
    return (-value if negative else value) & ULONG_MASK


# ---------------------------------------------------------------- randomness, checksums, GUIDs, pointers


class Randomness:
    """The process's table of RtlRandom."""

    def __init__(self) -> None:
        self.table = random.ShuffledRandom()


@export
def RtlUniform(thread: UserThread, Seed: Ptr[ULONG]) -> ULONG:
    """The next number of Lehmer's generator."""
    value = random.uniform(Seed.read())
    Seed.write(value)
    return ULONG(value)


@export(aliases=("RtlRandomEx",))
def RtlRandom(thread: UserThread, Seed: Ptr[ULONG]) -> ULONG:
    """The next shuffled number."""
    value, seed = thread.state(Randomness).table.next(Seed.read())
    Seed.write(seed)
    return ULONG(value)


@export
def RtlComputeCrc32(thread: UserThread, PartialCrc: ULONG, Buffer: PVOID, Length: ULONG) -> ULONG:
    """The CRC-32 of a buffer."""
    return ULONG(crc.compute_crc32(thread.memory.read(Buffer, Length), PartialCrc))


@export
async def RtlStringFromGUID(thread: UserThread, Guid: PVOID, GuidString: Ptr[UNICODE_STRING]) -> NTSTATUS:
    """`{…}` of a GUID, in a buffer the caller frees."""
    await make(thread, GuidString, to_utf16(guid.to_text(thread.memory.read(Guid, 16))), 2)
    return STATUS.SUCCESS


@export
def RtlGUIDFromString(thread: UserThread, GuidString: In[UNICODE_STRING], Guid: PVOID) -> NTSTATUS:
    """The GUID of its text."""
    thread.memory.write(Guid, guid.from_text(GuidString.text))
    return STATUS.SUCCESS


def _rotate(value: int, count: int) -> int:
    return (value >> count | value << 64 - count) & QUAD if count else value


@export
async def RtlEncodePointer(thread: UserThread, Ptr_: PVOID) -> PVOID:
    """A pointer mixed with the process's cookie."""
    cookie = await process_cookie(thread)
    return PVOID(_rotate(Ptr_ ^ cookie, cookie & 0x3F))


@export
async def RtlDecodePointer(thread: UserThread, Ptr_: PVOID) -> PVOID:
    """What RtlEncodePointer was given."""
    cookie = await process_cookie(thread)
    return PVOID(_rotate(Ptr_, (64 - (cookie & 0x3F)) % 64) ^ cookie)


@export
def RtlEncodeSystemPointer(thread: UserThread, Ptr_: PVOID) -> PVOID:
    """A pointer mixed with the system's cookie."""
    cookie = guest.u32(thread.memory, SHARED + 0x330)
    return PVOID(_rotate(Ptr_ ^ cookie, cookie & 0x3F))


@export
def RtlDecodeSystemPointer(thread: UserThread, Ptr_: PVOID) -> PVOID:
    """What RtlEncodeSystemPointer was given."""
    cookie = guest.u32(thread.memory, SHARED + 0x330)
    return PVOID(_rotate(Ptr_, (64 - (cookie & 0x3F)) % 64) ^ cookie)


@export
def RtlGetFrame(thread: UserThread) -> PVOID:
    """TEB.ActiveFrame."""
    return PVOID(thread.teb.ActiveFrame)

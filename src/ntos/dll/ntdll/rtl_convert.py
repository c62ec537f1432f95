"""Between Unicode and the ANSI, OEM and UTF-8 code pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ntos.abi.layout.string import STRING, UNICODE_STRING
from ntos.abi.pointer import In, Out, Ptr
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import BOOLEAN, CHAR, NTSTATUS, ULONG, WCHAR
from ntos.dll.ntdll.rtl_string import make, put, raw
from ntos.rtl.nls import codepage
from ntos.rtl.text import from_utf16, to_utf16, upcase
from ntos.um.export import export

if TYPE_CHECKING:
    from ntos.um.thread import UserThread

SOME_NOT_MAPPED = NTSTATUS(0x0000_0107)


@dataclass(frozen=True, slots=True)
class Page:
    """A code page's two directions."""

    decode: Callable[[bytes], str]
    encode: Callable[[str], bytes]


def _utf8(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _to_utf8(text: str) -> bytes:
    # A lone surrogate becomes U+FFFD (RtlUnicodeToUTF8N, STATUS_SOME_NOT_MAPPED).
    return from_utf16(to_utf16(text)).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()


ANSI = Page(codepage.ansi, codepage.to_ansi)
OEM = Page(codepage.oem, codepage.to_oem)
UTF8 = Page(_utf8, _to_utf8)


async def _to_unicode(
    thread: UserThread, page: Page, destination: Ptr[UNICODE_STRING], source: STRING, allocate: int
) -> NTSTATUS:
    data = to_utf16(page.decode(raw(source)))
    if allocate:
        await make(thread, destination, data, 2)
        return STATUS.SUCCESS
    view = destination.read()
    if len(data) + 2 > int(view.MaximumLength):
        raise NtError(STATUS.BUFFER_OVERFLOW)
    put(view, data, b"\0\0")
    return STATUS.SUCCESS


async def _from_unicode(
    thread: UserThread,
    page: Page,
    destination: Ptr[STRING],
    text: str,
    allocate: int,
    terminator: bytes = b"\0",
) -> NTSTATUS:
    data = page.encode(text)
    if allocate:
        await make(thread, destination, data, len(terminator))
        return STATUS.SUCCESS
    view = destination.read()
    room = int(view.MaximumLength) - len(terminator)
    if room < 0:
        raise NtError(STATUS.BUFFER_OVERFLOW)
    kept = data[:room]
    put(view, kept, terminator)
    return STATUS.SUCCESS if len(kept) == len(data) else STATUS.BUFFER_OVERFLOW


@export
async def RtlAnsiStringToUnicodeString(
    thread: UserThread,
    DestinationString: Ptr[UNICODE_STRING],
    SourceString: In[STRING],
    AllocateDestinationString: BOOLEAN,
) -> NTSTATUS:
    """An ANSI string in Unicode."""
    return await _to_unicode(thread, ANSI, DestinationString, SourceString, AllocateDestinationString)


@export
async def RtlOemStringToUnicodeString(
    thread: UserThread,
    DestinationString: Ptr[UNICODE_STRING],
    SourceString: In[STRING],
    AllocateDestinationString: BOOLEAN,
) -> NTSTATUS:
    """An OEM string in Unicode."""
    return await _to_unicode(thread, OEM, DestinationString, SourceString, AllocateDestinationString)


@export
async def RtlUTF8StringToUnicodeString(
    thread: UserThread,
    DestinationString: Ptr[UNICODE_STRING],
    SourceString: In[STRING],
    AllocateDestinationString: BOOLEAN,
) -> NTSTATUS:
    """A UTF-8 string in Unicode."""
    return await _to_unicode(thread, UTF8, DestinationString, SourceString, AllocateDestinationString)


@export
async def RtlUnicodeStringToAnsiString(
    thread: UserThread,
    DestinationString: Ptr[STRING],
    SourceString: In[UNICODE_STRING],
    AllocateDestinationString: BOOLEAN,
) -> NTSTATUS:
    """A Unicode string in the ANSI code page."""
    return await _from_unicode(thread, ANSI, DestinationString, SourceString.text, AllocateDestinationString)


@export
async def RtlUnicodeStringToOemString(
    thread: UserThread,
    DestinationString: Ptr[STRING],
    SourceString: In[UNICODE_STRING],
    AllocateDestinationString: BOOLEAN,
) -> NTSTATUS:
    """A Unicode string in the OEM code page."""
    return await _from_unicode(thread, OEM, DestinationString, SourceString.text, AllocateDestinationString)


@export
async def RtlUpcaseUnicodeStringToOemString(
    thread: UserThread,
    DestinationString: Ptr[STRING],
    SourceString: In[UNICODE_STRING],
    AllocateDestinationString: BOOLEAN,
) -> NTSTATUS:
    """A Unicode string, in upper case, in the OEM code page."""
    text = upcase(SourceString.text)
    return await _from_unicode(thread, OEM, DestinationString, text, AllocateDestinationString)


@export
async def RtlUnicodeStringToUTF8String(
    thread: UserThread,
    DestinationString: Ptr[STRING],
    SourceString: In[UNICODE_STRING],
    AllocateDestinationString: BOOLEAN,
) -> NTSTATUS:
    """A Unicode string in UTF-8."""
    return await _from_unicode(thread, UTF8, DestinationString, SourceString.text, AllocateDestinationString)


@export
def RtlAnsiStringToUnicodeSize(thread: UserThread, AnsiString: In[STRING]) -> ULONG:
    """How many bytes an ANSI string takes in Unicode, terminator included."""
    return ULONG(len(to_utf16(codepage.ansi(raw(AnsiString)))) + 2)


@export
def RtlOemStringToUnicodeSize(thread: UserThread, OemString: In[STRING]) -> ULONG:
    """How many bytes an OEM string takes in Unicode, terminator included."""
    return ULONG(len(to_utf16(codepage.oem(raw(OemString)))) + 2)


@export
def RtlUnicodeStringToAnsiSize(thread: UserThread, UnicodeString: In[UNICODE_STRING]) -> ULONG:
    """How many bytes a string takes in the ANSI code page, terminator included."""
    return ULONG(len(codepage.to_ansi(UnicodeString.text)) + 1)


@export
def RtlUnicodeStringToOemSize(thread: UserThread, UnicodeString: In[UNICODE_STRING]) -> ULONG:
    """How many bytes a string takes in the OEM code page, terminator included."""
    return ULONG(len(codepage.to_oem(UnicodeString.text)) + 1)


def _put_units(destination: Ptr[WCHAR], room: int, done: Out[ULONG] | None, text: str) -> NTSTATUS:
    data = to_utf16(text)
    kept = data[: room & ~1]
    destination.write_bytes(kept)
    if done is not None:
        done.write(len(kept))
    return STATUS.SUCCESS if len(kept) == len(data) else STATUS.BUFFER_OVERFLOW


def _put_bytes(destination: Ptr[CHAR], room: int, done: Out[ULONG] | None, data: bytes) -> NTSTATUS:
    kept = data[:room]
    destination.write_bytes(kept)
    if done is not None:
        done.write(len(kept))
    return STATUS.SUCCESS if len(kept) == len(data) else STATUS.BUFFER_OVERFLOW


@export
def RtlMultiByteToUnicodeN(
    thread: UserThread,
    UnicodeString: Ptr[WCHAR],
    MaxBytesInUnicodeString: ULONG,
    BytesInUnicodeString: Out[ULONG] | None,
    MultiByteString: Ptr[CHAR],
    BytesInMultiByteString: ULONG,
) -> NTSTATUS:
    """ANSI bytes as Unicode; what does not fit is left out."""
    text = codepage.ansi(MultiByteString.read_bytes(BytesInMultiByteString))
    _put_units(UnicodeString, MaxBytesInUnicodeString, BytesInUnicodeString, text)
    return STATUS.SUCCESS


@export
def RtlOemToUnicodeN(
    thread: UserThread,
    UnicodeString: Ptr[WCHAR],
    MaxBytesInUnicodeString: ULONG,
    BytesInUnicodeString: Out[ULONG] | None,
    OemString: Ptr[CHAR],
    BytesInOemString: ULONG,
) -> NTSTATUS:
    """OEM bytes as Unicode; what does not fit is left out."""
    text = codepage.oem(OemString.read_bytes(BytesInOemString))
    _put_units(UnicodeString, MaxBytesInUnicodeString, BytesInUnicodeString, text)
    return STATUS.SUCCESS


@export
def RtlMultiByteToUnicodeSize(
    thread: UserThread,
    BytesInUnicodeString: Out[ULONG],
    MultiByteString: Ptr[CHAR],
    BytesInMultiByteString: ULONG,
) -> NTSTATUS:
    """How many bytes ANSI text takes in Unicode."""
    text = codepage.ansi(MultiByteString.read_bytes(BytesInMultiByteString))
    BytesInUnicodeString.write(len(to_utf16(text)))
    return STATUS.SUCCESS


@export
def RtlUnicodeToMultiByteN(
    thread: UserThread,
    MultiByteString: Ptr[CHAR],
    MaxBytesInMultiByteString: ULONG,
    BytesInMultiByteString: Out[ULONG] | None,
    UnicodeString: Ptr[WCHAR],
    BytesInUnicodeString: ULONG,
) -> NTSTATUS:
    """Unicode as ANSI bytes; what does not fit is left out."""
    data = codepage.to_ansi(from_utf16(UnicodeString.read_bytes(BytesInUnicodeString)))
    _put_bytes(MultiByteString, MaxBytesInMultiByteString, BytesInMultiByteString, data)
    return STATUS.SUCCESS


@export
def RtlUnicodeToOemN(
    thread: UserThread,
    OemString: Ptr[CHAR],
    MaxBytesInOemString: ULONG,
    BytesInOemString: Out[ULONG] | None,
    UnicodeString: Ptr[WCHAR],
    BytesInUnicodeString: ULONG,
) -> NTSTATUS:
    """Unicode as OEM bytes; what does not fit is left out."""
    data = codepage.to_oem(from_utf16(UnicodeString.read_bytes(BytesInUnicodeString)))
    return _put_bytes(OemString, MaxBytesInOemString, BytesInOemString, data)


@export
def RtlUnicodeToMultiByteSize(
    thread: UserThread,
    BytesInMultiByteString: Out[ULONG],
    UnicodeString: Ptr[WCHAR],
    BytesInUnicodeString: ULONG,
) -> NTSTATUS:
    """How many bytes Unicode takes in the ANSI code page."""
    text = from_utf16(UnicodeString.read_bytes(BytesInUnicodeString))
    BytesInMultiByteString.write(len(codepage.to_ansi(text)))
    return STATUS.SUCCESS


@export
def RtlUnicodeToUTF8N(
    thread: UserThread,
    UTF8StringDestination: Ptr[CHAR] | None,
    UTF8StringMaxByteCount: ULONG,
    UTF8StringActualByteCount: Out[ULONG] | None,
    UnicodeStringSource: Ptr[WCHAR],
    UnicodeStringByteCount: ULONG,
) -> NTSTATUS:
    """Unicode as UTF-8; without a destination, only its size."""
    text = from_utf16(UnicodeStringSource.read_bytes(UnicodeStringByteCount))
    data = _to_utf8(text)
    mapped = STATUS.SUCCESS if not any("\ud800" <= unit <= "\udfff" for unit in text) else SOME_NOT_MAPPED
    if UTF8StringDestination is None:
        if UTF8StringActualByteCount is None:
            raise NtError(STATUS.INVALID_PARAMETER)
        UTF8StringActualByteCount.write(len(data))
        return mapped
    room = int(UTF8StringMaxByteCount)
    while len(data) > room > 0 and data[room] & 0xC0 == 0x80:
        room -= 1  # a character is written whole or not at all
    status = _put_bytes(UTF8StringDestination, room, UTF8StringActualByteCount, data)
    return mapped if status == STATUS.SUCCESS else STATUS.BUFFER_TOO_SMALL


@export
def RtlUTF8ToUnicodeN(
    thread: UserThread,
    UnicodeStringDestination: Ptr[WCHAR] | None,
    UnicodeStringMaxByteCount: ULONG,
    UnicodeStringActualByteCount: Out[ULONG] | None,
    UTF8StringSource: Ptr[CHAR],
    UTF8StringByteCount: ULONG,
) -> NTSTATUS:
    """UTF-8 as Unicode; without a destination, only its size."""
    text = _utf8(UTF8StringSource.read_bytes(UTF8StringByteCount))
    mapped = STATUS.SUCCESS if "\ufffd" not in text else SOME_NOT_MAPPED
    if UnicodeStringDestination is None:
        if UnicodeStringActualByteCount is None:
            raise NtError(STATUS.INVALID_PARAMETER)
        UnicodeStringActualByteCount.write(len(to_utf16(text)))
        return mapped
    status = _put_units(UnicodeStringDestination, UnicodeStringMaxByteCount, UnicodeStringActualByteCount, text)
    return mapped if status == STATUS.SUCCESS else STATUS.BUFFER_TOO_SMALL

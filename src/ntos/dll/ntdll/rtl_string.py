"""Counted strings: made, compared, converted between code pages and Unicode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.layout.string import STRING, UNICODE_STRING
from ntos.abi.memory import read_string, read_wide
from ntos.abi.pointer import In, Out, Ptr
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import BOOLEAN, CHAR, LONG, NTSTATUS, PVOID, ULONG, WCHAR
from ntos.dll.ntdll import guest
from ntos.rtl import text
from ntos.rtl.nls import codepage
from ntos.rtl.text import from_utf16, to_utf16
from ntos.um.export import export

if TYPE_CHECKING:
    from ntos.um.thread import UserThread

MAXIMUM_LENGTH = 0xFFFE
X65599 = 1


def raw(view: STRING | UNICODE_STRING) -> bytes:
    """The bytes a counted string holds."""
    return view.memory.origin.read(int(view.Buffer), int(view.Length)) if view.Length else b""


def put(view: STRING | UNICODE_STRING, data: bytes, terminator: bytes) -> None:
    """Store bytes in a string's own buffer; BUFFER_OVERFLOW when it is too small, with what fits stored."""
    room = int(view.MaximumLength)
    memory = view.memory.origin
    kept = data[:room]
    memory.write(int(view.Buffer), kept)
    view.Length = len(kept)
    if len(kept) + len(terminator) <= room:
        memory.write(int(view.Buffer) + len(kept), terminator)
    if len(kept) < len(data):
        raise NtError(STATUS.BUFFER_OVERFLOW)


async def make(thread: UserThread, destination: Ptr[UNICODE_STRING] | Ptr[STRING], data: bytes, unit: int) -> None:
    """Give a string a new buffer with these bytes and a terminator."""
    if len(data) > MAXIMUM_LENGTH - unit:
        raise NtError(STATUS.INVALID_PARAMETER_2)
    address = await guest.allocate_bytes(thread, data + bytes(unit))
    thread.memory.write(destination.address, guest.unicode_header(address, len(data), unit))


async def _free(thread: UserThread, view: STRING | UNICODE_STRING) -> None:
    if view.Buffer:
        await guest.free(thread, int(view.Buffer))
        view.clear()


@export(aliases=("RtlFreeOemString", "RtlFreeUTF8String"))
async def RtlFreeAnsiString(thread: UserThread, AnsiString: Ptr[STRING]) -> None:
    """Free a string's buffer and empty it."""
    await _free(thread, AnsiString.read())


@export
async def RtlFreeUnicodeString(thread: UserThread, UnicodeString: Ptr[UNICODE_STRING]) -> None:
    """Free a string's buffer and empty it."""
    await _free(thread, UnicodeString.read())


@export
async def RtlCreateUnicodeString(
    thread: UserThread, DestinationString: Ptr[UNICODE_STRING], SourceString: PVOID
) -> BOOLEAN:
    """A counted copy of a NUL-terminated string."""
    await make(thread, DestinationString, to_utf16(read_wide(thread.memory, SourceString)), 2)
    return BOOLEAN(1)


@export
async def RtlCreateUnicodeStringFromAsciiz(
    thread: UserThread, DestinationString: Ptr[UNICODE_STRING], SourceString: PVOID
) -> BOOLEAN:
    """A counted Unicode copy of an ANSI string."""
    data = codepage.ansi(read_string(thread.memory, SourceString))
    await make(thread, DestinationString, to_utf16(data), 2)
    return BOOLEAN(1)


@export
async def RtlDuplicateUnicodeString(
    thread: UserThread, Flags: ULONG, StringIn: In[UNICODE_STRING], StringOut: Ptr[UNICODE_STRING]
) -> NTSTATUS:
    """A copy of a string in a new buffer (1: NUL-terminated; 2: even of an empty string)."""
    if Flags & ~3 or Flags == 2:
        raise NtError(STATUS.INVALID_PARAMETER)
    data = raw(StringIn)
    if not data and not Flags & 2:
        StringOut.read().clear()
        return STATUS.SUCCESS
    await make(thread, StringOut, data, 2 if Flags & 1 else 0)
    return STATUS.SUCCESS


@export
def RtlCopyUnicodeString(
    thread: UserThread, DestinationString: Ptr[UNICODE_STRING], SourceString: In[UNICODE_STRING] | None
) -> None:
    """Copy as much as the destination can hold."""
    view = DestinationString.read()
    data = raw(SourceString)[: int(view.MaximumLength)] if SourceString is not None else b""
    view.Length = len(data)
    if data:
        put(view, data, b"\0\0")


@export
def RtlCopyString(thread: UserThread, DestinationString: Ptr[STRING], SourceString: In[STRING] | None) -> None:
    """Copy as much as the destination can hold."""
    view = DestinationString.read()
    data = raw(SourceString)[: int(view.MaximumLength)] if SourceString is not None else b""
    view.Length = len(data)
    if data:
        thread.memory.write(int(view.Buffer), data)


def _append(view: UNICODE_STRING, data: bytes) -> NTSTATUS:
    length = int(view.Length)
    if length + len(data) > int(view.MaximumLength):
        raise NtError(STATUS.BUFFER_TOO_SMALL)
    memory = view.memory.origin
    memory.write(int(view.Buffer) + length, data)
    view.Length = length + len(data)
    if length + len(data) + 2 <= int(view.MaximumLength):
        memory.write(int(view.Buffer) + length + len(data), b"\0\0")
    return STATUS.SUCCESS


@export
def RtlAppendUnicodeStringToString(
    thread: UserThread, Destination: Ptr[UNICODE_STRING], Source: In[UNICODE_STRING]
) -> NTSTATUS:
    """Append a string, or nothing when it does not fit."""
    return _append(Destination.read(), raw(Source))


@export
def RtlAppendUnicodeToString(
    thread: UserThread, Destination: Ptr[UNICODE_STRING], Source: Ptr[WCHAR] | None
) -> NTSTATUS:
    """Append a NUL-terminated string, or nothing when it does not fit."""
    return _append(Destination.read(), to_utf16(Source.text()) if Source is not None else b"")


@export
def RtlCompareUnicodeString(
    thread: UserThread,
    String1: In[UNICODE_STRING],
    String2: In[UNICODE_STRING],
    CaseInSensitive: BOOLEAN,
) -> LONG:
    """Negative, zero or positive, unit by unit."""
    return LONG(text.compare(String1.text, String2.text, ignore_case=bool(CaseInSensitive)))


@export
def RtlCompareUnicodeStrings(
    thread: UserThread,
    String1: Ptr[WCHAR],
    String1Length: PVOID,
    String2: Ptr[WCHAR],
    String2Length: PVOID,
    CaseInSensitive: BOOLEAN,
) -> LONG:
    """RtlCompareUnicodeString over pointers and lengths in units."""
    first = from_utf16(String1.read_bytes(2 * String1Length))
    second = from_utf16(String2.read_bytes(2 * String2Length))
    return LONG(text.compare(first, second, ignore_case=bool(CaseInSensitive)))


@export
def RtlEqualUnicodeString(
    thread: UserThread,
    String1: In[UNICODE_STRING],
    String2: In[UNICODE_STRING],
    CaseInSensitive: BOOLEAN,
) -> BOOLEAN:
    """Whether two strings are the same to NT."""
    if String1.Length != String2.Length:
        return BOOLEAN(0)
    first, second = String1.text, String2.text
    return BOOLEAN(text.equal_insensitive(first, second) if CaseInSensitive else first == second)


@export
def RtlPrefixUnicodeString(
    thread: UserThread,
    String1: In[UNICODE_STRING],
    String2: In[UNICODE_STRING],
    CaseInSensitive: BOOLEAN,
) -> BOOLEAN:
    """Whether the second string begins with the first."""
    return BOOLEAN(text.is_prefix(String1.text, String2.text, ignore_case=bool(CaseInSensitive)))


def _ansi_pair(first: STRING, second: STRING, *, ignore_case: bool) -> tuple[bytes, bytes]:
    one, other = raw(first), raw(second)
    if ignore_case:
        one, other = (text.upcase(each.decode("latin-1")).encode("latin-1", "replace") for each in (one, other))
    return one, other


@export
def RtlCompareString(thread: UserThread, String1: In[STRING], String2: In[STRING], CaseInSensitive: BOOLEAN) -> LONG:
    """Negative, zero or positive, byte by byte."""
    one, other = _ansi_pair(String1, String2, ignore_case=bool(CaseInSensitive))
    difference = next((a - b for a, b in zip(one, other, strict=False) if a != b), len(one) - len(other))
    return LONG(difference)


@export
def RtlEqualString(thread: UserThread, String1: In[STRING], String2: In[STRING], CaseInSensitive: BOOLEAN) -> BOOLEAN:
    """Whether two 8-bit strings are the same."""
    one, other = _ansi_pair(String1, String2, ignore_case=bool(CaseInSensitive))
    return BOOLEAN(one == other)


@export
def RtlPrefixString(thread: UserThread, String1: In[STRING], String2: In[STRING], CaseInSensitive: BOOLEAN) -> BOOLEAN:
    """Whether the second 8-bit string begins with the first."""
    one, other = _ansi_pair(String1, String2, ignore_case=bool(CaseInSensitive))
    return BOOLEAN(other.startswith(one))


@export
def RtlHashUnicodeString(
    thread: UserThread,
    String: In[UNICODE_STRING],
    CaseInSensitive: BOOLEAN,
    HashAlgorithm: ULONG,
    HashValue: Out[ULONG],
) -> NTSTATUS:
    """The x65599 hash of a string."""
    if HashAlgorithm not in (0, X65599):
        raise NtError(STATUS.INVALID_PARAMETER)
    HashValue.write(text.hash_unicode_string(String.text, ignore_case=bool(CaseInSensitive)))
    return STATUS.SUCCESS


async def _changed(thread: UserThread, destination: Ptr[UNICODE_STRING], data: bytes, allocate: int) -> NTSTATUS:
    if allocate:
        await make(thread, destination, data, 0)
    else:
        view = destination.read()
        if len(data) > int(view.MaximumLength):
            raise NtError(STATUS.BUFFER_OVERFLOW)
        put(view, data, b"")
    return STATUS.SUCCESS


@export
async def RtlUpcaseUnicodeString(
    thread: UserThread,
    DestinationString: Ptr[UNICODE_STRING],
    SourceString: In[UNICODE_STRING],
    AllocateDestinationString: BOOLEAN,
) -> NTSTATUS:
    """The string in upper case."""
    data = to_utf16(text.upcase(SourceString.text))
    return await _changed(thread, DestinationString, data, AllocateDestinationString)


@export
async def RtlDowncaseUnicodeString(
    thread: UserThread,
    DestinationString: Ptr[UNICODE_STRING],
    SourceString: In[UNICODE_STRING],
    AllocateDestinationString: BOOLEAN,
) -> NTSTATUS:
    """The string in lower case."""
    data = to_utf16(text.downcase(SourceString.text))
    return await _changed(thread, DestinationString, data, AllocateDestinationString)


@export
def RtlUpcaseUnicodeChar(thread: UserThread, SourceCharacter: WCHAR) -> WCHAR:
    """A unit in upper case."""
    return WCHAR(ord(text.upcase(chr(SourceCharacter))))


@export
def RtlDowncaseUnicodeChar(thread: UserThread, SourceCharacter: WCHAR) -> WCHAR:
    """A unit in lower case."""
    return WCHAR(ord(text.downcase(chr(SourceCharacter))))


@export
def RtlUpperChar(thread: UserThread, Character: CHAR) -> CHAR:
    """An ANSI character in upper case."""
    upper = codepage.to_ansi(text.upcase(codepage.ansi(bytes((Character & 0xFF,)))))
    return CHAR(upper[0] if len(upper) == 1 else Character)


@export
def RtlEraseUnicodeString(thread: UserThread, String: Ptr[UNICODE_STRING]) -> None:
    """Zero the buffer and forget the length."""
    view = String.read()
    if view.Buffer and view.MaximumLength:
        thread.memory.write(int(view.Buffer), bytes(int(view.MaximumLength)))
    view.Length = 0


@export
def RtlFindCharInUnicodeString(
    thread: UserThread,
    Flags: ULONG,
    StringToSearch: In[UNICODE_STRING],
    CharSet: In[UNICODE_STRING],
    NonInclusivePrefixLength: Out[WCHAR],
) -> NTSTATUS:
    """Where one of some characters stands: from the end (1), none of them (2), ignoring case (4)."""
    if Flags & ~7:
        raise NtError(STATUS.INVALID_PARAMETER)
    string, wanted = StringToSearch.text, CharSet.text
    if Flags & 4:
        string, wanted = text.upcase(string), text.upcase(wanted)
    order = reversed(range(len(string))) if Flags & 1 else range(len(string))
    for index in order:
        if (string[index] in wanted) != bool(Flags & 2):
            # The result is what lies before the character; forwards, the character is part of it.
            NonInclusivePrefixLength.write(2 * (index if Flags & 1 else index + 1))
            return STATUS.SUCCESS
    NonInclusivePrefixLength.write(0)
    return STATUS.NOT_FOUND

"""Counted strings, identifiers and times.

Offsets are those of the reference build's public symbols (ntoskrnl 10.0.19041); a comment `*X` says what a
pointer points to, a bare `X` which enumeration or structure a word holds.
"""

from __future__ import annotations

from ntos.abi.struct import Struct, array, at
from ntos.abi.types import HANDLE, LONG, LONGLONG, PVOID, SHORT, UCHAR, ULONG, ULONGLONG, USHORT


class UNICODE_STRING(Struct, size=0x10):
    """Counted UTF-16 string; lengths are in bytes."""

    Length        = at(0x00, USHORT)
    MaximumLength = at(0x02, USHORT)
    Buffer        = at(0x08, PVOID)

    @property
    def text(self) -> str:
        """The characters; an unpaired surrogate comes through as it is."""
        length = int(self.Length)
        if length == 0:
            return ""
        return self.memory.origin.read(int(self.Buffer), length).decode("utf-16-le", "surrogatepass")


class STRING(Struct, size=0x10):
    """Counted string of 8-bit characters (ANSI_STRING, OEM_STRING)."""

    Length        = at(0x00, USHORT)
    MaximumLength = at(0x02, USHORT)
    Buffer        = at(0x08, PVOID)

    @property
    def text(self) -> str:
        """The characters, each byte as one."""
        length = int(self.Length)
        return self.memory.origin.read(int(self.Buffer), length).decode("latin-1") if length else ""


class STRING32(Struct, size=0x08):
    """Counted string of a 32-bit process."""

    Length        = at(0x00, USHORT)
    MaximumLength = at(0x02, USHORT)
    Buffer        = at(0x04, ULONG)


class STRING64(Struct, size=0x10):
    """Counted string of a 64-bit process, whatever the reader's width."""

    Length        = at(0x00, USHORT)
    MaximumLength = at(0x02, USHORT)
    Buffer        = at(0x08, ULONGLONG)


class GUID(Struct, size=0x10):
    """Globally unique identifier."""

    Data1 = at(0x00, ULONG)
    Data2 = at(0x04, USHORT)
    Data3 = at(0x06, USHORT)
    Data4 = at(0x08, array(UCHAR, 8))


class LUID(Struct, size=0x08):
    """Locally unique identifier: unique until the machine restarts."""

    LowPart  = at(0x00, ULONG)
    HighPart = at(0x04, LONG)


class CLIENT_ID(Struct, size=0x10):
    """Process and thread id: what names a thread."""

    UniqueProcess = at(0x00, HANDLE)
    UniqueThread  = at(0x08, HANDLE)


class CLIENT_ID32(Struct, size=0x08):
    """Process and thread id in a 32-bit process."""

    UniqueProcess = at(0x00, ULONG)
    UniqueThread  = at(0x04, ULONG)


class CLIENT_ID64(Struct, size=0x10):
    """Process and thread id in a 64-bit process, whatever the reader's width."""

    UniqueProcess = at(0x00, ULONGLONG)
    UniqueThread  = at(0x08, ULONGLONG)


class LARGE_INTEGER_u(Struct, size=0x08):
    """The two halves of a signed 64-bit integer."""

    LowPart  = at(0x00, ULONG)
    HighPart = at(0x04, LONG)


class ULARGE_INTEGER_u(Struct, size=0x08):
    """The two halves of an unsigned 64-bit integer."""

    LowPart  = at(0x00, ULONG)
    HighPart = at(0x04, ULONG)


class KSYSTEM_TIME(Struct, size=0x0C):
    """64-bit time that 32-bit readers can read without tearing: High1, Low, High2."""

    LowPart   = at(0x00, ULONG)
    High1Time = at(0x04, LONG)
    High2Time = at(0x08, LONG)


class TIME_FIELDS(Struct, size=0x10):
    """Calendar time, as RtlTimeToTimeFields breaks it down."""

    Year         = at(0x00, SHORT)
    Month        = at(0x02, SHORT)
    Day          = at(0x04, SHORT)
    Hour         = at(0x06, SHORT)
    Minute       = at(0x08, SHORT)
    Second       = at(0x0A, SHORT)
    Milliseconds = at(0x0C, SHORT)
    Weekday      = at(0x0E, SHORT)


class RTL_BITMAP(Struct, size=0x10):
    """Bitmap header: size in bits, and the bits."""

    SizeOfBitMap = at(0x00, ULONG)
    Buffer       = at(0x08, PVOID)


class RTL_BITMAP_EX(Struct, size=0x10):
    """Bitmap header with a 64-bit size."""

    SizeOfBitMap = at(0x00, ULONGLONG)
    Buffer       = at(0x08, PVOID)


class QUAD(Struct, size=0x08):
    """Eight aligned bytes."""

    DoNotUseThisField  = at(0x00, ULONGLONG)
    UseThisFieldToCopy = at(0x00, LONGLONG)


ANSI_STRING = STRING
OEM_STRING = STRING

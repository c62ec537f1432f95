"""The printf functions of ntdll's own C library."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.pointer import Ptr
from ntos.abi.signature import Variadic
from ntos.abi.types import CHAR, INT, PVOID, SIZE_T, WCHAR
from ntos.dll.ntdll.formatting import NTDLL, CallArguments, ListArguments
from ntos.rtl.format.printf import format_printf
from ntos.rtl.text import to_utf16
from ntos.um.export import export

if TYPE_CHECKING:
    from ntos.um.thread import UserThread

UNLIMITED = 1 << 31


def _narrow(destination: Ptr[CHAR] | None, room: int, data: bytes) -> INT:
    """Store text as `_snprintf` does: no terminator when it just fits, -1 when it does not."""
    if destination is not None:
        destination.write_bytes((data + b"\0")[:room])
    return INT(len(data) if len(data) <= room or destination is None else -1)


def _wide(destination: Ptr[WCHAR] | None, room: int, text: str) -> INT:
    data = to_utf16(text)
    if destination is not None:
        destination.write_bytes((data + b"\0\0")[: 2 * room])
    return INT(len(data) // 2 if len(data) // 2 <= room or destination is None else -1)


@export
def _snprintf(thread: UserThread, dest: Ptr[CHAR] | None, count: SIZE_T, format: Ptr[CHAR], args: Variadic) -> INT:
    """At most `count` characters."""
    return _narrow(dest, count, format_printf(format.string(), CallArguments(thread, args), NTDLL))


@export
def _vsnprintf(thread: UserThread, dest: Ptr[CHAR] | None, count: SIZE_T, format: Ptr[CHAR], args: PVOID) -> INT:
    """`_snprintf` over an argument list."""
    return _narrow(dest, count, format_printf(format.string(), ListArguments(thread, args), NTDLL))


@export
def sprintf(thread: UserThread, dest: Ptr[CHAR], format: Ptr[CHAR], args: Variadic) -> INT:
    """Without a limit."""
    return _narrow(dest, UNLIMITED, format_printf(format.string(), CallArguments(thread, args), NTDLL))


@export
def vsprintf(thread: UserThread, dest: Ptr[CHAR], format: Ptr[CHAR], args: PVOID) -> INT:
    """`sprintf` over an argument list."""
    return _narrow(dest, UNLIMITED, format_printf(format.string(), ListArguments(thread, args), NTDLL))


@export
def _snwprintf(thread: UserThread, dest: Ptr[WCHAR] | None, count: SIZE_T, format: Ptr[WCHAR], args: Variadic) -> INT:
    """At most `count` characters."""
    return _wide(dest, count, format_printf(format.text(), CallArguments(thread, args), NTDLL))


@export
def _vsnwprintf(thread: UserThread, dest: Ptr[WCHAR] | None, count: SIZE_T, format: Ptr[WCHAR], args: PVOID) -> INT:
    """`_snwprintf` over an argument list."""
    return _wide(dest, count, format_printf(format.text(), ListArguments(thread, args), NTDLL))


@export
def swprintf(thread: UserThread, dest: Ptr[WCHAR], format: Ptr[WCHAR], args: Variadic) -> INT:
    """Without a limit."""
    return _wide(dest, UNLIMITED, format_printf(format.text(), CallArguments(thread, args), NTDLL))

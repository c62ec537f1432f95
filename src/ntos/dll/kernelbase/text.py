"""Strings at the door, and how an `…A` function comes from its `…W` twin.

The twin is the same function with CHAR for WCHAR in its signature: `text_of`, `put_text` and
`set_text` look at
the pointer's type and convert through the ANSI code page where it is narrow.
"""

from __future__ import annotations

import re
from types import FunctionType
from typing import TYPE_CHECKING, Any, TypeVar

from ntos.abi.layout import toolhelp, win32
from ntos.abi.pointer import Ptr
from ntos.abi.struct import CharsField, Struct
from ntos.abi.types import CHAR, WCHAR
from ntos.rtl.nls.codepage import ansi, to_ansi
from ntos.rtl.text import to_utf16
from ntos.um.export import export

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar("F", bound="Callable[..., Any]")
_STRUCTURES = {
    "STARTUPINFOW": win32.STARTUPINFOA,
    "WIN32_FIND_DATAW": win32.WIN32_FIND_DATAA,
    "OSVERSIONINFOW": win32.OSVERSIONINFOA,
    "OSVERSIONINFOEXW": win32.OSVERSIONINFOEXA,
    "PROCESSENTRY32W": toolhelp.PROCESSENTRY32,
}
_WIDE_NAMES = re.compile(r"\b(WCHAR|" + "|".join(_STRUCTURES) + r")\b")


def text_of(pointer: Ptr[WCHAR] | None, limit: int = 0x8000) -> str:
    """The text a caller's pointer leads to; empty for NULL."""
    if pointer is None or not pointer.address:
        return ""
    if pointer.target is CHAR:
        return ansi(pointer.string(limit))
    return pointer.text(limit)


def optional_text(pointer: Ptr[WCHAR] | None) -> str | None:
    """The text, or None for NULL."""
    return text_of(pointer) if pointer else None


def encoded(pointer: Ptr[WCHAR] | None, text: str) -> bytes:
    """The text in the pointer's own characters, without a NUL."""
    return to_ansi(text) if pointer is not None and pointer.target is CHAR else to_utf16(text)


def is_narrow(pointer: Ptr[WCHAR] | None) -> bool:
    """Whether the caller is an `…A` function's."""
    return pointer is not None and pointer.target is CHAR


def put_text(pointer: Ptr[WCHAR] | None, count: int, text: str) -> int:
    """Store the text with its NUL if it fits into `count` characters and say its length; else what is needed.

    The convention of GetTempPath, GetCurrentDirectory, GetEnvironmentVariable and many more.
    """
    data = encoded(pointer, text)
    unit = 1 if is_narrow(pointer) else 2
    length = len(data) // unit
    if length + 1 > count or pointer is None or not pointer.address:
        return length + 1
    pointer.write_bytes(data + bytes(unit))
    return length


def put_cut(pointer: Ptr[WCHAR], count: int, text: str) -> int:
    """Store as much of the text as fits with a NUL; the number of characters stored."""
    data = encoded(pointer, text)
    unit = 1 if is_narrow(pointer) else 2
    kept = min(len(data) // unit, max(count - 1, 0))
    if count:
        pointer.write_bytes(data[: kept * unit] + bytes(unit))
    return kept


def set_text(view: Struct, field: str, text: str) -> None:
    """Fill a structure's text field, narrow or wide."""
    narrow = isinstance(getattr(type(view), field), CharsField)
    setattr(view, field, to_ansi(text) if narrow else text)


def get_text(view: Struct, field: str) -> str:
    """Read a structure's text field, narrow or wide."""
    value = getattr(view, field)
    return ansi(value) if isinstance(value, bytes) else str(value)


def export_both(*, fails: int = 0, partial: str = "", aliases: tuple[str, ...] = ()) -> Callable[[F], F]:
    """Declare `XW` and `XA` from the one function `XW`."""

    def register(function: F) -> F:
        if not function.__name__.endswith("W"):
            raise TypeError(f"{function.__name__} has no A twin")
        export(fails=fails, partial=partial, aliases=aliases)(function)
        export(fails=fails, partial=partial)(_narrow(function))
        return function

    return register


def _narrow(function: Callable[..., Any]) -> Callable[..., Any]:
    name = function.__name__[:-1] + "A"
    assert isinstance(function, FunctionType)
    twin = FunctionType(function.__code__, function.__globals__, name, function.__defaults__, function.__closure__)
    twin.__kwdefaults__ = function.__kwdefaults__
    twin.__module__ = function.__module__
    twin.__qualname__ = name
    twin.__doc__ = function.__doc__
    scope = function.__globals__ | {"CHAR": CHAR, "Ptr": Ptr}
    for narrow in _STRUCTURES.values():
        scope[narrow.__name__] = narrow
    twin.__annotations__ = {key: _narrow_annotation(value, scope) for key, value in function.__annotations__.items()}
    return twin


def _narrow_annotation(annotation: str, scope: dict[str, Any]) -> Any:
    def replacement(match: re.Match[str]) -> str:
        wide = match.group()
        return "CHAR" if wide == "WCHAR" else _STRUCTURES[wide].__name__

    changed = _WIDE_NAMES.sub(replacement, annotation)
    return annotation if changed == annotation else eval(changed, scope)  # noqa: S307 - our own annotations

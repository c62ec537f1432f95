"""printf and scanf by their own names: variadic functions, which the UCRT has only in its headers.

A name says all: `f` to a stream, `s` to a string, `sn` limited, `sc` only counted, `v` with a va_list, `w` wide,
`_s` checked, `_l` with a locale.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine

from ntos.abi.types import INT, PVOID, SIZE_T
from ntos.dll.ucrtbase import conio
from ntos.dll.ucrtbase.crt import guarded, set_errno, va_start
from ntos.dll.ucrtbase.printf import (
    UNLIMITED,
    narrow_text,
    print_narrow,
    print_wide,
    rules_of,
    store,
    store_checked,
    store_limited,
    wide_text,
)
from ntos.dll.ucrtbase.scanf import Target, scan_stream
from ntos.dll.ucrtbase.stream import standard
from ntos.dll.ucrtbase.strings import load
from ntos.rtl.format.specification import MSVCRT, Rules
from ntos.rtl.nls.codepage import ansi
from ntos.rtl.scan import ScanOptions, TextSource, scan
from ntos.rtl.text import from_utf16
from ntos.um.export import export, registry
from ntos.um.thread import UserThread

LEGACY_TERMINATION = 1
SCAN_OPTIONS = ScanOptions.LEGACY_WIDE_SPECIFIERS | ScanOptions.LEGACY_MSVCRT_COMPATIBILITY
EVERYTHING = 0xFFFF_FFFF_FFFF_FFFF


def _rules(thread: UserThread) -> Rules:
    return rules_of(thread, 0, base=MSVCRT)


def _text(thread: UserThread, unit: int, template: int, arguments: int) -> tuple[bytes, int]:
    return (narrow_text if unit == 1 else wide_text)(thread, _rules(thread), template, arguments)


def _export(function: Callable[..., Coroutine[None, None, INT]], *names: str) -> None:
    """Register under the names nothing else has."""
    known = [name for name in names if name not in registry.get("msvcrt", {})]
    if known:
        export(name=known[0], aliases=tuple(known[1:]), module="msvcrt")(guarded(function, -1))


# ------------------------------------------------------------------------------ to streams


def _declare_streams(unit: int) -> None:
    w = "w" if unit == 2 else ""
    show = print_wide if unit == 2 else print_narrow

    async def printf(thread: UserThread, format: PVOID) -> INT:
        """Print to stdout."""
        arguments = va_start(thread, 1)
        return INT(await show(thread, standard(thread)[1], _rules(thread), format, arguments))

    async def fprintf(thread: UserThread, stream: PVOID, format: PVOID) -> INT:
        """Print to a stream."""
        arguments = va_start(thread, 2)
        return INT(await show(thread, stream, _rules(thread), format, arguments))

    async def printf_l(thread: UserThread, format: PVOID, locale: PVOID) -> INT:
        """Print to stdout in a locale."""
        arguments = va_start(thread, 2)
        return INT(await show(thread, standard(thread)[1], _rules(thread), format, arguments))

    async def fprintf_l(thread: UserThread, stream: PVOID, format: PVOID, locale: PVOID) -> INT:
        """Print to a stream in a locale."""
        arguments = va_start(thread, 3)
        return INT(await show(thread, stream, _rules(thread), format, arguments))

    async def vprintf(thread: UserThread, format: PVOID, arglist: PVOID) -> INT:
        """Printf with a va_list."""
        return INT(await show(thread, standard(thread)[1], _rules(thread), format, arglist))

    async def vfprintf(thread: UserThread, stream: PVOID, format: PVOID, arglist: PVOID) -> INT:
        """Fprintf with a va_list."""
        return INT(await show(thread, stream, _rules(thread), format, arglist))

    _export(printf, f"{w}printf", f"{w}printf_s")
    _export(fprintf, f"f{w}printf", f"f{w}printf_s")
    _export(printf_l, f"_{w}printf_l", f"_{w}printf_s_l")
    _export(fprintf_l, f"_f{w}printf_l", f"_f{w}printf_s_l")
    _export(vprintf, f"v{w}printf", f"v{w}printf_s")
    _export(vfprintf, f"vf{w}printf", f"vf{w}printf_s")


# ------------------------------------------------------------------------------ to strings


def _declare_strings(unit: int) -> None:
    plain, limited = ("sprintf", "_snprintf") if unit == 1 else ("swprintf", "_snwprintf")

    def into(thread: UserThread, buffer: int, room: int, template: int, arguments: int) -> INT:
        data, error = _text(thread, unit, template, arguments)
        if error:
            set_errno(thread, error)
        return INT(store(thread, LEGACY_TERMINATION, buffer, room, data, error, unit))

    async def sprintf(thread: UserThread, buffer: PVOID, format: PVOID) -> INT:
        """Into a string."""
        return into(thread, buffer, UNLIMITED, format, va_start(thread, 2))

    async def vsprintf(thread: UserThread, buffer: PVOID, format: PVOID, arglist: PVOID) -> INT:
        """Sprintf with a va_list."""
        return into(thread, buffer, UNLIMITED, format, arglist)

    async def snprintf(thread: UserThread, buffer: PVOID, count: SIZE_T, format: PVOID) -> INT:
        """Into so many characters; -1, and no NUL, where they do not suffice."""
        return into(thread, buffer, count, format, va_start(thread, 3))

    async def vsnprintf(thread: UserThread, buffer: PVOID, count: SIZE_T, format: PVOID, arglist: PVOID) -> INT:
        """Snprintf with a va_list."""
        return into(thread, buffer, count, format, arglist)

    async def scprintf(thread: UserThread, format: PVOID) -> INT:
        """How long the text would be."""
        return into(thread, 0, 0, format, va_start(thread, 1))

    async def vscprintf(thread: UserThread, format: PVOID, arglist: PVOID) -> INT:
        """Scprintf with a va_list."""
        return into(thread, 0, 0, format, arglist)

    _export(sprintf, plain)
    _export(vsprintf, "v" + plain)
    _export(snprintf, limited, *(("_swprintf_c",) if unit == 2 else ("_snprintf_c",)))
    _export(vsnprintf, "_v" + limited[1:], *(("_vswprintf_c",) if unit == 2 else ("_vsnprintf_c",)))
    _export(scprintf, "_scprintf" if unit == 1 else "_scwprintf")
    _export(vscprintf, "_vscprintf" if unit == 1 else "_vscwprintf")


def _declare_checked(unit: int) -> None:
    plain, limited = ("sprintf_s", "snprintf_s") if unit == 1 else ("swprintf_s", "snwprintf_s")

    async def sprintf_s(thread: UserThread, buffer: PVOID, room: SIZE_T, format: PVOID) -> INT:
        """Into a buffer of known size; what does not fit is a bad argument."""
        data, error = _text(thread, unit, format, va_start(thread, 3))
        return INT(await store_checked(thread, buffer, room, data, error, unit))

    async def vsprintf_s(thread: UserThread, buffer: PVOID, room: SIZE_T, format: PVOID, arglist: PVOID) -> INT:
        """sprintf_s with a va_list."""
        data, error = _text(thread, unit, format, arglist)
        return INT(await store_checked(thread, buffer, room, data, error, unit))

    async def snprintf_s(thread: UserThread, buffer: PVOID, room: SIZE_T, count: SIZE_T, format: PVOID) -> INT:
        """At most `count` characters into a buffer of known size."""
        data, error = _text(thread, unit, format, va_start(thread, 4))
        return INT(await store_limited(thread, buffer, room, count, data, error, unit))

    async def vsnprintf_s(
        thread: UserThread, buffer: PVOID, room: SIZE_T, count: SIZE_T, format: PVOID, arglist: PVOID
    ) -> INT:
        """snprintf_s with a va_list."""
        data, error = _text(thread, unit, format, arglist)
        return INT(await store_limited(thread, buffer, room, count, data, error, unit))

    _export(sprintf_s, plain)
    _export(vsprintf_s, "v" + plain)
    _export(snprintf_s, "_" + limited)
    _export(vsnprintf_s, "_v" + limited)


# ------------------------------------------------------------------------------ scanf


def _template(thread: UserThread, unit: int, address: int) -> str:
    data = load(thread, address, unit)
    return data.decode("latin-1") if unit == 1 else from_utf16(data)


def _declare_scans(unit: int, *, checked: bool) -> None:
    w, s = ("w" if unit == 2 else ""), ("_s" if checked else "")
    options = SCAN_OPTIONS | (ScanOptions.SECURECRT if checked else ScanOptions(0))
    wide = unit == 2

    async def scanf(thread: UserThread, format: PVOID) -> INT:
        """Read by a template from stdin."""
        arguments = va_start(thread, 1)
        template = _template(thread, unit, format)
        return INT(await scan_stream(thread, standard(thread)[0], options, template, arguments, wide=wide))

    async def fscanf(thread: UserThread, stream: PVOID, format: PVOID) -> INT:
        """Read by a template from a stream."""
        arguments = va_start(thread, 2)
        template = _template(thread, unit, format)
        return INT(await scan_stream(thread, stream, options, template, arguments, wide=wide))

    def text(thread: UserThread, string: int, count: int, template: int, arguments: int) -> INT:
        data = load(thread, string, unit, min(count, UNLIMITED))
        source = TextSource(data.decode("latin-1") if unit == 1 else from_utf16(data))
        target = Target(thread, arguments)
        return INT(scan(_template(thread, unit, template), source, target, wide=wide, options=options))

    async def sscanf(thread: UserThread, string: PVOID, format: PVOID) -> INT:
        """Read by a template from a string."""
        return text(thread, string, EVERYTHING, format, va_start(thread, 2))

    async def snscanf(thread: UserThread, string: PVOID, count: SIZE_T, format: PVOID) -> INT:
        """Read by a template from so many characters."""
        return text(thread, string, count, format, va_start(thread, 3))

    _export(scanf, f"{w}scanf{s}")
    _export(fscanf, f"f{w}scanf{s}")
    _export(sscanf, f"s{w}scanf{s}")
    _export(snscanf, f"_sn{w}scanf{s}")


# ------------------------------------------------------------------------------ the console


async def _cprintf(thread: UserThread, format: PVOID) -> INT:
    """Printf on the console."""
    data, _ = _text(thread, 1, format, va_start(thread, 1))
    await conio.put(thread, ansi(data))
    return INT(len(data))


async def _cwprintf(thread: UserThread, format: PVOID) -> INT:
    """Wprintf on the console."""
    data, _ = _text(thread, 2, format, va_start(thread, 1))
    await conio.put(thread, from_utf16(data))
    return INT(len(data) // 2)


for _unit in (1, 2):
    _declare_streams(_unit)
    _declare_strings(_unit)
    _declare_checked(_unit)
    for _checked in (False, True):
        _declare_scans(_unit, checked=_checked)
_export(_cprintf, "_cprintf")
_export(_cwprintf, "_cwprintf")

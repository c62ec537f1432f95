"""scanf: the option-taking functions of the UCRT over `rtl.scan`.

The engine is not a coroutine, a stream must be awaited: when the buffer is empty the engine is left by `_MoreWanted`,
the buffer filled, and the template read again over what was already taken (assignments come out the same).
"""

from __future__ import annotations

import struct

from ntos.abi.types import INT, PVOID, SIZE_T, ULONGLONG
from ntos.dll.ucrtbase.crt import crt, invalid_parameter
from ntos.dll.ucrtbase.printf import VaList
from ntos.dll.ucrtbase.stream import Stream, locked
from ntos.dll.ucrtbase.strings import load
from ntos.rtl.scan import ScanOptions, TextSource, scan
from ntos.rtl.text import from_utf16
from ntos.um.thread import UserThread

EOF = -1


class Target:
    """Where scanned values go: the pointers of a va_list."""

    def __init__(self, thread: UserThread, arguments: int) -> None:
        self._list = VaList(thread, arguments)
        self._memory = thread.memory

    def next_pointer(self) -> int:
        """The next argument as an address."""
        return self._list.next_pointer()

    def next_integer(self, size: int) -> int:
        """The next argument as an integer."""
        return self._list.next_integer(size)

    def write_integer(self, address: int, size: int, value: int) -> None:
        """Store an integer."""
        self._memory.write(address, (value & ((1 << 8 * size) - 1)).to_bytes(size, "little"))

    def write_double(self, address: int, size: int, value: float) -> None:
        """Store a float or a double."""
        self._memory.write(address, struct.pack("<f" if size == 4 else "<d", value))

    def write_bytes(self, address: int, data: bytes) -> None:
        """Store text."""
        self._memory.write(address, data)


class _MoreWanted(Exception):
    """The engine has read all that the buffer held."""


class _StreamSource:
    """Units of a stream: first those taken before, then the buffer."""

    def __init__(self, stream: Stream, taken: list[str], unit: int, *, ended: bool) -> None:
        self._stream = stream
        self._taken = taken
        self._unit = unit
        self._ended = ended
        self.position = 0

    def read(self) -> str:
        """The next unit, or an empty text at the end."""
        if self.position == len(self._taken):
            if int(self._stream.view.cnt) < self._unit:
                if self._ended:
                    return ""
                raise _MoreWanted
            data = self._stream.take(self._unit)
            self._taken.append(chr(int.from_bytes(data, "little")))
        self.position += 1
        return self._taken[self.position - 1]

    def unread(self, unit: str) -> None:
        """Put the unit just read back."""
        if unit:
            self.position -= 1


async def scan_stream(
    thread: UserThread, stream: int, options: int, template: str, arguments: int, *, wide: bool
) -> int:
    """Fscanf."""
    async with locked(thread, stream) as file:
        unit = 2 if wide and (file.unicode or not file.is_text) else 1
        taken: list[str] = []
        ended = False
        while True:
            source = _StreamSource(file, taken, unit, ended=ended)
            try:
                result = scan(template, source, Target(thread, arguments), wide=wide, options=ScanOptions(options & 7))
                break
            except _MoreWanted:
                ended = not await file.fill()
        for left in reversed(taken[source.position :]):
            for byte in reversed(ord(left).to_bytes(unit, "little")):
                await file.unget(byte)
    return result


def _wide_units(data: bytes) -> str:
    return from_utf16(data)


@crt(fails=EOF)
async def __stdio_common_vfscanf(
    thread: UserThread, options: ULONGLONG, stream: PVOID, format: PVOID, locale: PVOID, arglist: PVOID
) -> INT:
    """Fscanf and its family."""
    if not stream or not format:
        await invalid_parameter(thread)
        return INT(EOF)
    template = load(thread, format, 1).decode("latin-1")
    return INT(await scan_stream(thread, stream, options, template, arglist, wide=False))


@crt(fails=EOF)
async def __stdio_common_vfwscanf(
    thread: UserThread, options: ULONGLONG, stream: PVOID, format: PVOID, locale: PVOID, arglist: PVOID
) -> INT:
    """Fwscanf and its family."""
    if not stream or not format:
        await invalid_parameter(thread)
        return INT(EOF)
    return INT(await scan_stream(thread, stream, options, _wide_units(load(thread, format, 2)), arglist, wide=True))


@crt(fails=EOF)
async def __stdio_common_vsscanf(
    thread: UserThread, options: ULONGLONG, buffer: PVOID, count: SIZE_T, format: PVOID, locale: PVOID, arglist: PVOID
) -> INT:
    """Sscanf and its family."""
    if not buffer or not format:
        await invalid_parameter(thread)
        return INT(EOF)
    text = load(thread, buffer, 1, min(count, 0x7FFF_FFFF)).decode("latin-1")
    template = load(thread, format, 1).decode("latin-1")
    return INT(scan(template, TextSource(text), Target(thread, arglist), options=ScanOptions(options & 7)))


@crt(fails=EOF)
async def __stdio_common_vswscanf(
    thread: UserThread, options: ULONGLONG, buffer: PVOID, count: SIZE_T, format: PVOID, locale: PVOID, arglist: PVOID
) -> INT:
    """Swscanf and its family."""
    if not buffer or not format:
        await invalid_parameter(thread)
        return INT(EOF)
    text = _wide_units(load(thread, buffer, 2, min(count, 0x3FFF_FFFF)))
    template = _wide_units(load(thread, format, 2))
    target = Target(thread, arglist)
    return INT(scan(template, TextSource(text), target, wide=True, options=ScanOptions(options & 7)))

"""The console beside the streams: keys without echo, output past redirection (conio.h)."""

from __future__ import annotations

from ntos.abi.memory import read_string, read_wide
from ntos.abi.struct import Struct, at
from ntos.abi.types import BOOL, INT, PVOID, SIZE_T, ULONG, ULONGLONG, USHORT, WORD
from ntos.dll.ucrtbase.crt import CrtError, crt, win32
from ntos.dll.ucrtbase.errno import ERRNO
from ntos.dll.ucrtbase.printf import UNLIMITED, narrow_text, rules_of, wide_text
from ntos.rtl.nls.codepage import ansi, to_ansi
from ntos.um.thread import UserThread

WEOF = 0xFFFF
KEY_EVENT = 1
GENERIC_READ_WRITE, SHARE_BOTH, OPEN_EXISTING = 0xC000_0000, 3, 3
NO_HANDLE = 0xFFFF_FFFF_FFFF_FFFF
EXTENDED = {
    0x21: (0x49, 0x49), 0x22: (0x51, 0x51), 0x23: (0x4F, 0x4F), 0x24: (0x47, 0x47), 0x25: (0x4B, 0x4B),
    0x26: (0x48, 0x48), 0x27: (0x4D, 0x4D), 0x28: (0x50, 0x50), 0x2D: (0x52, 0x52), 0x2E: (0x53, 0x53),
}  # fmt: skip
"""Virtual key → the second byte of a key that has no character (conio documentation: 0xE0, then this)."""
FUNCTION_KEYS = range(0x70, 0x7C)


class KEY_RECORD(Struct, size=0x14):
    """INPUT_RECORD of a key."""

    EventType = at(0x00, WORD)
    bKeyDown = at(0x04, BOOL)
    wVirtualKeyCode = at(0x0A, WORD)
    UnicodeChar = at(0x0E, WORD)


class Console:
    """Handles of the console itself, and keys put back or half delivered."""

    def __init__(self) -> None:
        self.input = 0
        self.output = 0
        self.keys: list[int] = []


async def _open(thread: UserThread, name: str) -> int:
    with thread.frame() as frame:
        handle = await win32(
            thread, "CreateFileW", frame.wide(name), GENERIC_READ_WRITE, SHARE_BOTH, 0, OPEN_EXISTING, 0, 0
        )
    if handle == NO_HANDLE:
        raise CrtError(ERRNO.EBADF)
    return handle


async def put(thread: UserThread, text: str) -> None:
    """Text on the console."""
    console = thread.state(Console)
    if not console.output:
        console.output = await _open(thread, "CONOUT$")
    text = text.replace("\n", "\r\n") if "\r" not in text else text
    with thread.frame() as frame:
        data, count = frame.wide(text), frame.new(ULONG)
        units = len(text.encode("utf-16-le", "surrogatepass")) // 2
        if not await win32(thread, "WriteConsoleW", console.output, data, units, count.address, 0) & 0xFFFF_FFFF:
            raise CrtError(ERRNO.EBADF)


async def key(thread: UserThread) -> int:
    """The next key's character; keys without one give 0 or 0xE0 first."""
    console = thread.state(Console)
    if console.keys:
        return console.keys.pop(0)
    if not console.input:
        console.input = await _open(thread, "CONIN$")
    while True:
        with thread.frame() as frame:
            record, count = frame.new(KEY_RECORD), frame.new(ULONG)
            read = await win32(thread, "ReadConsoleInputW", console.input, record.address, 1, count.address)
            if not read & 0xFFFF_FFFF or not count.read():
                return -1
            if record.EventType != KEY_EVENT or not record.bKeyDown:
                continue
            character, code = int(record.UnicodeChar), int(record.wVirtualKeyCode)
        if character:
            return character
        if code in EXTENDED:
            console.keys.append(EXTENDED[code][0])
            return 0xE0
        if code in FUNCTION_KEYS:
            console.keys.append(0x3B + code - 0x70 if code < 0x7A else 0x85 + code - 0x7A)
            return 0 if code < 0x7A else 0xE0


@crt(fails=-1, aliases=("_getch_nolock",))
async def _getch(thread: UserThread) -> INT:
    """The next key, not shown."""
    return INT(await key(thread))


@crt(fails=-1, aliases=("_getche_nolock",))
async def _getche(thread: UserThread) -> INT:
    """The next key, shown."""
    unit = await key(thread)
    if unit > 0:
        await put(thread, chr(unit))
    return INT(unit)


@crt(fails=WEOF, aliases=("_getwch_nolock",))
async def _getwch(thread: UserThread) -> USHORT:
    """The next key, not shown."""
    return USHORT(await key(thread) & 0xFFFF)


@crt(fails=WEOF, aliases=("_getwche_nolock",))
async def _getwche(thread: UserThread) -> USHORT:
    """The next key, shown."""
    unit = await key(thread)
    if unit > 0:
        await put(thread, chr(unit))
    return USHORT(unit & 0xFFFF)


@crt(aliases=("_ungetch_nolock",))
def _ungetch(thread: UserThread, character: INT) -> INT:
    """Put a key back."""
    keys = thread.state(Console).keys
    if character == -1 or keys:
        return INT(-1)
    keys.append(character)
    return INT(character)


@crt(aliases=("_ungetwch_nolock",))
def _ungetwch(thread: UserThread, character: USHORT) -> USHORT:
    """Put a key back."""
    keys = thread.state(Console).keys
    if character == WEOF or keys:
        return USHORT(WEOF)
    keys.append(character)
    return USHORT(character)


@crt
async def _kbhit(thread: UserThread) -> INT:
    """Whether a key waits."""
    console = thread.state(Console)
    if console.keys:
        return INT(1)
    if not console.input:
        console.input = await _open(thread, "CONIN$")
    with thread.frame() as frame:
        count = frame.new(ULONG)
        records = frame.allocate(KEY_RECORD.size * 16)
        if not await win32(thread, "PeekConsoleInputW", console.input, records, 16, count.address) & 0xFFFF_FFFF:
            return INT(0)
        found = [KEY_RECORD(thread.memory, records + KEY_RECORD.size * index) for index in range(int(count.read()))]
        return INT(any(r.EventType == KEY_EVENT and r.bKeyDown and r.UnicodeChar for r in found))


@crt(fails=-1, aliases=("_putch_nolock",))
async def _putch(thread: UserThread, character: INT) -> INT:
    """A character on the console."""
    await put(thread, ansi(bytes([character & 0xFF])))
    return INT(character)


@crt(fails=WEOF, aliases=("_putwch_nolock",))
async def _putwch(thread: UserThread, character: USHORT) -> USHORT:
    """A character on the console."""
    await put(thread, chr(character))
    return USHORT(character)


@crt(fails=-1)
async def _cputs(thread: UserThread, string: PVOID) -> INT:
    """A string on the console."""
    await put(thread, ansi(read_string(thread.memory, string, UNLIMITED)))
    return INT(0)


@crt(fails=-1)
async def _cputws(thread: UserThread, string: PVOID) -> INT:
    """A string on the console."""
    await put(thread, read_wide(thread.memory, string, UNLIMITED // 2))
    return INT(0)


async def _line(thread: UserThread) -> str:
    console = thread.state(Console)
    if not console.input:
        console.input = await _open(thread, "CONIN$")
    with thread.frame() as frame:
        buffer, count = frame.allocate(2048), frame.new(ULONG)
        if not await win32(thread, "ReadConsoleW", console.input, buffer, 1024, count.address, 0) & 0xFFFF_FFFF:
            raise CrtError(ERRNO.EBADF)
        return thread.memory.read(buffer, 2 * int(count.read())).decode("utf-16-le", "replace").rstrip("\r\n")


@crt(fails=ERRNO.EINVAL, dlls=("ucrtbase",))
async def _cgets_s(thread: UserThread, buffer: PVOID, size: SIZE_T, read: PVOID) -> INT:
    """A line from the console."""
    data = to_ansi(await _line(thread))[: size - 1]
    thread.memory.write(buffer, data + b"\0")
    SIZE_T.store(thread.memory, read, len(data))
    return INT(0)


@crt(fails=-1, aliases=("__conio_common_vcprintf_s",), dlls=("ucrtbase",))
async def __conio_common_vcprintf(
    thread: UserThread, options: ULONGLONG, format: PVOID, locale: PVOID, arglist: PVOID
) -> INT:
    """Printf on the console."""
    data, _ = narrow_text(thread, rules_of(thread, options, locale), format, arglist)
    await put(thread, ansi(data))
    return INT(len(data))


@crt(fails=-1, aliases=("__conio_common_vcwprintf_s",), dlls=("ucrtbase",))
async def __conio_common_vcwprintf(
    thread: UserThread, options: ULONGLONG, format: PVOID, locale: PVOID, arglist: PVOID
) -> INT:
    """Wprintf on the console."""
    data, _ = wide_text(thread, rules_of(thread, options, locale), format, arglist)
    await put(thread, data.decode("utf-16-le", "surrogatepass"))
    return INT(len(data) // 2)

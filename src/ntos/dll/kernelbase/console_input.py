"""Console input records and screen contents (consoleapi.h, wincon.h)."""

from __future__ import annotations

from ntos.abi import console as driver
from ntos.abi.layout.console import CHAR_INFO, CONSOLE_SCREEN_BUFFER_INFO, INPUT_RECORD, SMALL_RECT
from ntos.abi.pointer import Out, Ptr
from ntos.abi.types import BOOL, DWORD, HANDLE
from ntos.dll.kernelbase.console import code_pages, control
from ntos.rtl.nls import codepage
from ntos.um.export import export
from ntos.um.thread import UserThread

KEY_EVENT = 1
MOST = 0x800
CHARACTER = 0x0E
"""Where a key record keeps its character."""


async def _read(thread: UserThread, handle: int, place: Ptr[INPUT_RECORD], count: int, flags: int) -> int:
    room = min(count, MOST) * INPUT_RECORD.size
    request = flags.to_bytes(4, "little")
    data = await control(thread, handle, driver.IOCTL_CONSOLE_READ_INPUT, request, room)
    place.write_bytes(data)
    return len(data) // INPUT_RECORD.size


async def _narrow(thread: UserThread, place: Ptr[INPUT_RECORD], count: int, *, outward: bool) -> None:
    """Turn the characters of key records from Unicode to the input code page, or back."""
    page = int((await code_pages(thread)).Input)
    for index in range(count):
        record = place[index]
        if int(record.EventType) != KEY_EVENT:
            continue
        at = record.address + CHARACTER
        raw = thread.memory.read(at, 2)
        if outward:
            data = codepage.to_multi(raw.decode("utf-16-le", "replace"), page).data[:1]
            thread.memory.write(at, data.ljust(2, b"\0"))
        else:
            text = codepage.to_wide(raw[:1], page)[:1] or "\0"
            thread.memory.write(at, text.encode("utf-16-le", "surrogatepass")[:2])


@export
async def ReadConsoleInputW(
    thread: UserThread,
    hConsoleInput: HANDLE,
    lpBuffer: Ptr[INPUT_RECORD],
    nLength: DWORD,
    lpNumberOfEventsRead: Out[DWORD],
) -> BOOL:
    """Take input records; waits for the first."""
    lpNumberOfEventsRead.write(await _read(thread, hConsoleInput, lpBuffer, nLength, 0))
    return BOOL(1)


@export
async def ReadConsoleInputA(
    thread: UserThread,
    hConsoleInput: HANDLE,
    lpBuffer: Ptr[INPUT_RECORD],
    nLength: DWORD,
    lpNumberOfEventsRead: Out[DWORD],
) -> BOOL:
    """The same with characters of the input code page."""
    count = await _read(thread, hConsoleInput, lpBuffer, nLength, 0)
    await _narrow(thread, lpBuffer, count, outward=True)
    lpNumberOfEventsRead.write(count)
    return BOOL(1)


@export
async def PeekConsoleInputW(
    thread: UserThread,
    hConsoleInput: HANDLE,
    lpBuffer: Ptr[INPUT_RECORD],
    nLength: DWORD,
    lpNumberOfEventsRead: Out[DWORD],
) -> BOOL:
    """Look at what waits."""
    lpNumberOfEventsRead.write(await _read(thread, hConsoleInput, lpBuffer, nLength, driver.CONSOLE_READ_PEEK))
    return BOOL(1)


@export
async def PeekConsoleInputA(
    thread: UserThread,
    hConsoleInput: HANDLE,
    lpBuffer: Ptr[INPUT_RECORD],
    nLength: DWORD,
    lpNumberOfEventsRead: Out[DWORD],
) -> BOOL:
    """The same with characters of the input code page."""
    count = await _read(thread, hConsoleInput, lpBuffer, nLength, driver.CONSOLE_READ_PEEK)
    await _narrow(thread, lpBuffer, count, outward=True)
    lpNumberOfEventsRead.write(count)
    return BOOL(1)


@export
async def WriteConsoleInputW(
    thread: UserThread,
    hConsoleInput: HANDLE,
    lpBuffer: Ptr[INPUT_RECORD],
    nLength: DWORD,
    lpNumberOfEventsWritten: Out[DWORD],
) -> BOOL:
    """Put input records before what waits."""
    data = lpBuffer.read_bytes(nLength * INPUT_RECORD.size)
    await control(thread, hConsoleInput, driver.IOCTL_CONSOLE_WRITE_INPUT, data)
    lpNumberOfEventsWritten.write(nLength)
    return BOOL(1)


@export
async def WriteConsoleInputA(
    thread: UserThread,
    hConsoleInput: HANDLE,
    lpBuffer: Ptr[INPUT_RECORD],
    nLength: DWORD,
    lpNumberOfEventsWritten: Out[DWORD],
) -> BOOL:
    """The same with characters of the input code page."""
    with thread.frame() as frame:
        copy = Ptr[INPUT_RECORD](thread.memory, frame.bytes(lpBuffer.read_bytes(nLength * INPUT_RECORD.size)))
        await _narrow(thread, copy, nLength, outward=False)
        data = copy.read_bytes(nLength * INPUT_RECORD.size)
        await control(thread, hConsoleInput, driver.IOCTL_CONSOLE_WRITE_INPUT, data)
    lpNumberOfEventsWritten.write(nLength)
    return BOOL(1)


@export
async def GetNumberOfConsoleInputEvents(
    thread: UserThread, hConsoleInput: HANDLE, lpNumberOfEvents: Out[DWORD]
) -> BOOL:
    """How many input records wait."""
    data = await control(thread, hConsoleInput, driver.IOCTL_CONSOLE_COUNT_INPUT, room=4)
    lpNumberOfEvents.write(int.from_bytes(data, "little"))
    return BOOL(1)


@export
async def FlushConsoleInputBuffer(thread: UserThread, hConsoleInput: HANDLE) -> BOOL:
    """Forget what waits."""
    await control(thread, hConsoleInput, driver.IOCTL_CONSOLE_FLUSH_INPUT)
    return BOOL(1)


def _rectangle(view: SMALL_RECT) -> tuple[int, int, int, int]:
    return int(view.Left), int(view.Top), int(view.Right), int(view.Bottom)


def _region(left: int, top: int, right: int, bottom: int) -> bytes:
    view = SMALL_RECT.new()
    view.Left, view.Top, view.Right, view.Bottom = left, top, right, bottom
    return bytes(view)


def _pair(word: int) -> tuple[int, int]:
    """A COORD passed in a register."""
    return word & 0xFFFF, word >> 16 & 0xFFFF


@export
async def WriteConsoleOutputW(
    thread: UserThread,
    hConsoleOutput: HANDLE,
    lpBuffer: Ptr[CHAR_INFO],
    dwBufferSize: DWORD,
    dwBufferCoord: DWORD,
    lpWriteRegion: Ptr[SMALL_RECT],
) -> BOOL:
    """Copy a rectangle of cells to the screen."""
    left, top, right, bottom = _rectangle(lpWriteRegion.read())
    (width, height), (column, row) = _pair(dwBufferSize), _pair(dwBufferCoord)
    right, bottom = min(right, left + width - column - 1), min(bottom, top + height - row - 1)
    cell = CHAR_INFO.size
    rows = [
        lpBuffer.memory.read(lpBuffer.address + ((row + line) * width + column) * cell, (right - left + 1) * cell)
        for line in range(max(bottom - top + 1, 0))
    ]
    data = _region(left, top, right, bottom) + b"".join(rows)
    answer = await control(thread, hConsoleOutput, driver.IOCTL_CONSOLE_WRITE_OUTPUT, data, SMALL_RECT.size)
    lpWriteRegion.write_bytes(answer or _region(left, top, right, bottom))
    return BOOL(1)


@export
async def ReadConsoleOutputW(
    thread: UserThread,
    hConsoleOutput: HANDLE,
    lpBuffer: Ptr[CHAR_INFO],
    dwBufferSize: DWORD,
    dwBufferCoord: DWORD,
    lpReadRegion: Ptr[SMALL_RECT],
) -> BOOL:
    """Copy a rectangle of cells from the screen."""
    left, top, right, bottom = _rectangle(lpReadRegion.read())
    (width, height), (column, row) = _pair(dwBufferSize), _pair(dwBufferCoord)
    size = CONSOLE_SCREEN_BUFFER_INFO.size
    data = await control(thread, hConsoleOutput, driver.IOCTL_CONSOLE_GET_SCREEN_BUFFER_INFO, room=size)
    screen = CONSOLE_SCREEN_BUFFER_INFO.parse(data)
    right = min(right, left + width - column - 1, int(screen.dwSize.X) - 1)
    bottom = min(bottom, top + height - row - 1, int(screen.dwSize.Y) - 1)
    line, cell = right - left + 1, CHAR_INFO.size
    room = line * (bottom - top + 1) * cell
    region = _region(left, top, right, bottom)
    cells = await control(thread, hConsoleOutput, driver.IOCTL_CONSOLE_READ_OUTPUT, region, room)
    for index in range(bottom - top + 1):
        place = lpBuffer.address + ((row + index) * width + column) * cell
        thread.memory.write(place, cells[index * line * cell : (index + 1) * line * cell])
    lpReadRegion.write_bytes(region)
    return BOOL(1)


@export
async def GetLargestConsoleWindowSize(thread: UserThread, hConsoleOutput: HANDLE) -> DWORD:
    """The largest window the console can have, a COORD in a register."""
    size = CONSOLE_SCREEN_BUFFER_INFO.size
    data = await control(thread, hConsoleOutput, driver.IOCTL_CONSOLE_GET_SCREEN_BUFFER_INFO, room=size)
    largest = CONSOLE_SCREEN_BUFFER_INFO.parse(data).dwMaximumWindowSize
    return DWORD(int(largest.X) | int(largest.Y) << 16)

"""The console driver's control codes (`abi.console`), one small function each."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ntos.abi import console as codes
from ntos.abi.layout.console import CHAR_INFO, INPUT_RECORD
from ntos.abi.status import STATUS, NtError
from ntos.io import pseudo_console
from ntos.io.console import (
    ECHO_INPUT,
    INPUT,
    INPUT_MODES,
    KEY_EVENT,
    LINE_INPUT,
    OEM_CODE_PAGE,
    OUTPUT,
    OUTPUT_MODES,
    Console,
    Opened,
    codec,
    detach,
)
from ntos.io.host_stream import write_all
from ntos.rtl.text import from_utf16, to_utf16

if TYPE_CHECKING:
    from collections.abc import Callable

    from ntos.io.request import Request


def opened(request: Request) -> Opened:
    """What the request's file object stands for."""
    opened = request.file.context
    assert isinstance(opened, Opened)
    return opened


def console_behind(request: Request) -> Console:
    """The console a request is about; INVALID_HANDLE for a connection to none."""
    console = opened(request).console
    if console is None:
        raise NtError(STATUS.INVALID_HANDLE)
    return console



# Each gives its output, or None where it has completed the request itself (or left it pending).


def _get_mode(console: Console, request: Request) -> bytes:
    mode = console.input_mode if opened(request).kind == INPUT else console.output_mode
    return struct.pack("<I", mode)


def _set_mode(console: Console, request: Request) -> bytes:
    mode = int.from_bytes(request.data[:4], "little")
    if opened(request).kind == INPUT:
        if mode & ~INPUT_MODES or (mode & ECHO_INPUT and not mode & LINE_INPUT):
            raise NtError(STATUS.INVALID_PARAMETER)
        console.input_mode = mode
    else:
        if mode & ~OUTPUT_MODES:
            raise NtError(STATUS.INVALID_PARAMETER)
        console.output_mode = mode
    return b""


def _write(console: Console, request: Request) -> None:
    console.write(from_utf16(request.data))
    request.complete(STATUS.SUCCESS, len(request.data))


def _read(console: Console, request: Request) -> None:
    def answer(request: Request) -> bool:
        data = to_utf16(console.take(request.length // 2))
        request.complete(STATUS.SUCCESS, len(data), data)
        return True

    console.wait(request, answer)


def _screen_info(console: Console, request: Request) -> bytes:
    screen = console.screen
    right, bottom = screen.width - 1, screen.height - 1
    x = min(screen.x, right)
    cells = (screen.width, screen.height, x, screen.y, screen.attribute, 0, 0, right, bottom)
    return struct.pack("<4hH6h", *cells, screen.width, screen.height)


def _set_cursor(console: Console, request: Request) -> bytes:
    x, y = struct.unpack_from("<hh", request.data)
    if not (0 <= x < console.screen.width and 0 <= y < console.screen.height):
        raise NtError(STATUS.INVALID_PARAMETER)
    console.screen.x, console.screen.y = x, y
    return b""


def _set_attribute(console: Console, request: Request) -> bytes:
    console.screen.attribute = int.from_bytes(request.data[:2], "little")
    return b""


def _get_cursor(console: Console, request: Request) -> bytes:
    return struct.pack("<Ii", console.screen.cursor_size, console.screen.cursor_visible)


def _set_cursor_info(console: Console, request: Request) -> bytes:
    size, visible = struct.unpack_from("<Ii", request.data)
    if not 1 <= size <= 100:
        raise NtError(STATUS.INVALID_PARAMETER)
    console.screen.cursor_size, console.screen.cursor_visible = size, int(bool(visible))
    return b""


def _set_size(console: Console, request: Request) -> bytes:
    width, height = struct.unpack_from("<hh", request.data)
    if width < 1 or height < 1:
        raise NtError(STATUS.INVALID_PARAMETER)
    console.screen.resize(width, height)
    return b""


def _fill(console: Console, request: Request) -> bytes:
    view = codes.CONSOLE_FILL.parse(request.data)
    x, y, count, element = int(view.Start.X), int(view.Start.Y), int(view.Length), int(view.Element)
    if not (0 <= x < console.screen.width and 0 <= y < console.screen.height):
        return bytes(4)
    filled = (
        console.screen.fill(x, y, count, attribute=element)
        if view.Kind
        else console.screen.fill(x, y, count, unit=element)
    )
    return struct.pack("<I", filled)


def _region(console: Console, data: bytes) -> tuple[int, int, int, int]:
    left, top, right, bottom = struct.unpack_from("<4h", data)
    if left < 0 or top < 0 or right < left or bottom < top:
        raise NtError(STATUS.INVALID_PARAMETER)
    return left, top, right, bottom


def _write_output(console: Console, request: Request) -> bytes:
    left, top, right, bottom = _region(console, request.data)
    screen, width = console.screen, right - left + 1
    cells = request.data[8:]
    if len(cells) < width * (bottom - top + 1) * CHAR_INFO.size:
        raise NtError(STATUS.INVALID_PARAMETER)
    for row in range(top, min(bottom, screen.height - 1) + 1):
        for column in range(left, min(right, screen.width - 1) + 1):
            screen.rows[row][column] = struct.unpack_from(
                "<HH", cells, ((row - top) * width + column - left) * 4
            )
        if row == screen.y and console.output_descriptor >= 0:
            # The host's terminal follows on the cursor's line; elsewhere only the buffer shows it.
            write_all(console.output_descriptor, ("\r" + screen.line(row)).encode("utf-8", "replace"))
    return struct.pack("<4h", left, top, min(right, screen.width - 1), min(bottom, screen.height - 1))


def _read_output(console: Console, request: Request) -> bytes:
    left, top, right, bottom = _region(console, request.data)
    screen = console.screen
    if right >= screen.width or bottom >= screen.height:
        raise NtError(STATUS.INVALID_PARAMETER)
    rows = screen.rows[top : bottom + 1]
    return b"".join(struct.pack("<HH", *cell) for row in rows for cell in row[left : right + 1])


def _get_code_pages(console: Console, request: Request) -> bytes:
    return struct.pack("<II", console.input_code_page, console.output_code_page)


def _set_code_pages(console: Console, request: Request) -> bytes:
    pages = struct.unpack_from("<II", request.data)
    for page in pages:
        try:
            "".encode(codec(page or OEM_CODE_PAGE))
        except LookupError:
            raise NtError(STATUS.INVALID_PARAMETER) from None
    console.input_code_page = pages[0] or console.input_code_page
    console.output_code_page = pages[1] or console.output_code_page
    return b""


def _get_title(console: Console, request: Request) -> None:
    data = to_utf16(console.title)[: request.length]
    request.complete(STATUS.SUCCESS, len(data), data)


def _set_title(console: Console, request: Request) -> bytes:
    console.title = from_utf16(request.data)
    return b""


def _read_input(console: Console, request: Request) -> None:
    flags = int.from_bytes(request.data[:4], "little")

    def answer(request: Request) -> bool:
        count = request.length // INPUT_RECORD.size
        text = console.text[: count // 2]
        output = b"".join(_key(unit, down=down) for unit in text for down in (1, 0))
        if not flags & codes.CONSOLE_READ_PEEK:
            console.text = console.text[len(text) :]
        request.complete(STATUS.SUCCESS, len(output), output)
        return True

    if flags & (codes.CONSOLE_READ_NO_WAIT | codes.CONSOLE_READ_PEEK):
        answer(request)
    else:
        console.wait(request, answer)


def _key(unit: str, *, down: int) -> bytes:
    """A key record for a character; letters and digits have their virtual key codes."""
    virtual = (
        ord(unit.upper())
        if unit.isascii() and unit.isalnum()
        else {"\r": 0x0D, "\b": 8, " ": 0x20}.get(unit, 0)
    )
    return struct.pack("<HxxiHHHHI", KEY_EVENT, down, 1, virtual, 0, ord(unit) & 0xFFFF, 0)


def _write_input(console: Console, request: Request) -> bytes:
    for place in range(0, len(request.data) - INPUT_RECORD.size + 1, INPUT_RECORD.size):
        record = INPUT_RECORD.parse(request.data[place : place + INPUT_RECORD.size])
        if record.EventType == KEY_EVENT and record.KeyEvent.bKeyDown and record.KeyEvent.UnicodeChar:
            console.text += chr(record.KeyEvent.UnicodeChar)
    console.serve()
    return b""


def _count_input(console: Console, request: Request) -> bytes:
    return struct.pack("<I", 2 * len(console.text))


def _flush_input(console: Console, request: Request) -> bytes:
    console.text = ""
    return b""


def _get_processes(console: Console, request: Request) -> bytes:
    return b"".join(struct.pack("<I", process.id) for process in console.processes)


def _control_event(console: Console, request: Request) -> bytes:
    event, group = struct.unpack_from("<II", request.data)
    if event > 1:
        raise NtError(STATUS.INVALID_PARAMETER)
    console.control(event, group)
    return b""


def _detach(console: Console, request: Request) -> bytes:
    detach(request.process)
    return b""


SERVICES: dict[int, tuple[int, str | None, Callable[[Console, Request], bytes | None]]] = {
    codes.IOCTL_CONSOLE_GET_MODE: (0, None, _get_mode),
    codes.IOCTL_CONSOLE_SET_MODE: (4, None, _set_mode),
    codes.IOCTL_CONSOLE_WRITE: (0, OUTPUT, _write),
    codes.IOCTL_CONSOLE_READ: (0, INPUT, _read),
    codes.IOCTL_CONSOLE_GET_SCREEN_BUFFER_INFO: (0, OUTPUT, _screen_info),
    codes.IOCTL_CONSOLE_SET_CURSOR_POSITION: (4, OUTPUT, _set_cursor),
    codes.IOCTL_CONSOLE_SET_TEXT_ATTRIBUTE: (2, OUTPUT, _set_attribute),
    codes.IOCTL_CONSOLE_GET_CURSOR_INFO: (0, OUTPUT, _get_cursor),
    codes.IOCTL_CONSOLE_SET_CURSOR_INFO: (8, OUTPUT, _set_cursor_info),
    codes.IOCTL_CONSOLE_SET_SCREEN_BUFFER_SIZE: (4, OUTPUT, _set_size),
    codes.IOCTL_CONSOLE_FILL: (12, OUTPUT, _fill),
    codes.IOCTL_CONSOLE_WRITE_OUTPUT: (8, OUTPUT, _write_output),
    codes.IOCTL_CONSOLE_READ_OUTPUT: (8, OUTPUT, _read_output),
    codes.IOCTL_CONSOLE_GET_CODE_PAGES: (0, None, _get_code_pages),
    codes.IOCTL_CONSOLE_SET_CODE_PAGES: (8, None, _set_code_pages),
    codes.IOCTL_CONSOLE_GET_TITLE: (0, None, _get_title),
    codes.IOCTL_CONSOLE_SET_TITLE: (0, None, _set_title),
    codes.IOCTL_CONSOLE_READ_INPUT: (4, INPUT, _read_input),
    codes.IOCTL_CONSOLE_WRITE_INPUT: (INPUT_RECORD.size, INPUT, _write_input),
    codes.IOCTL_CONSOLE_COUNT_INPUT: (0, INPUT, _count_input),
    codes.IOCTL_CONSOLE_FLUSH_INPUT: (0, INPUT, _flush_input),
    codes.IOCTL_CONSOLE_GET_PROCESSES: (0, None, _get_processes),
    codes.IOCTL_CONSOLE_CONTROL_EVENT: (8, None, _control_event),
    codes.IOCTL_CONSOLE_DETACH: (0, None, _detach),
    codes.IOCTL_CONSOLE_START_PSEUDO: (24, None, pseudo_console.start),
    codes.IOCTL_CONSOLE_RESIZE_PSEUDO: (4, None, pseudo_console.resize),
}

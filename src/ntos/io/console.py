r"""\Device\ConDrv: the console behind standard handles, CONIN$ and CONOUT$, when the host has a terminal.

In Windows conhost.exe owns the screen and the driver only carries messages to it. Here the driver is the
console: it keeps modes, code pages and a screen buffer, writes text to the host's terminal and reads lines
from it. The control codes are in `abi.console`.
"""

from __future__ import annotations

import os
import shutil
import stat
import struct
from pathlib import Path
from typing import TYPE_CHECKING

from ntos import ob
from ntos.abi import console as codes
from ntos.abi.access import FILE_ALL_ACCESS
from ntos.abi.io import FILE_DEVICE_CONSOLE, FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT
from ntos.abi.layout.console import CHAR_INFO, INPUT_RECORD
from ntos.abi.layout.user import RTL_USER_PROCESS_PARAMETERS
from ntos.abi.status import STATUS, NtError
from ntos.io import host_stream
from ntos.io.device import Device, create_device, open_on
from ntos.io.driver import Driver, Opening
from ntos.io.host_stream import HostReader, write_all
from ntos.io.null import NullDevice
from ntos.io.screen import Screen
from ntos.rtl.text import from_utf16, to_utf16

if TYPE_CHECKING:
    from collections.abc import Callable

    from ntos.io.file import FileObject
    from ntos.io.request import Request
    from ntos.ke.kernel import Kernel
    from ntos.ke.process import Process

PROCESSED_INPUT, LINE_INPUT, ECHO_INPUT = 1, 2, 4
PROCESSED_OUTPUT, WRAP_AT_EOL, VT_PROCESSING = 1, 2, 4
DEFAULT_INPUT_MODE = 0x1F7
INPUT_MODES = 0x3FF
OUTPUT_MODES = 0x1F
OEM_CODE_PAGE = 437
UTF8 = 65001
KEY_EVENT = 1
OBJ_INHERIT = 2
INPUT, OUTPUT, OTHER = "input", "output", "other"
KINDS = {
    "\\input": INPUT, "\\currentin": INPUT, "\\output": OUTPUT, "\\currentout": OUTPUT, "\\console": OTHER,
    "\\connect": OTHER, "\\reference": OTHER, "\\server": OTHER,
}  # fmt: skip
LINKS = (("CONIN$", "\\CurrentIn"), ("CONOUT$", "\\CurrentOut"), ("CON", "\\Console"))
CTRL_C_EVENT = 0


class Console:
    """The one console of a machine. `kernel[Console]`."""

    def __init__(self, kernel: Kernel, device: Device) -> None:
        self.kernel = kernel
        self.device = device
        self.input_mode = DEFAULT_INPUT_MODE
        self.output_mode = PROCESSED_OUTPUT | WRAP_AT_EOL
        self.input_code_page = self.output_code_page = OEM_CODE_PAGE
        self.title = ""
        size = shutil.get_terminal_size((120, 30))
        self.screen = Screen(max(size.columns, 1), max(size.lines, 1))
        self.output_descriptor = -1
        """The host terminal's; -1 while there is none."""
        self.reader: HostReader | None = None
        self.text = ""
        """Input that nobody has read yet."""
        self.ended = False
        self.waiting: list[tuple[Request, Callable[[Request], bool]]] = []
        self.processes: list[Process] = []
        """Those attached, the last one first."""
        self.deliver: Callable[[Process, int], None] = lambda _process, _event: None
        """Start the control handlers of a process for a CTRL_…_EVENT. `ps` or the machine sets it."""

    # ------------------------------------------------------------ output

    def write(self, text: str) -> None:
        """Text for the screen."""
        processed = bool(self.output_mode & PROCESSED_OUTPUT)
        self.screen.write(text, processed=processed, wrap=bool(self.output_mode & WRAP_AT_EOL))
        if self.output_descriptor >= 0:
            write_all(self.output_descriptor, text.encode("utf-8", "replace"))

    def decode(self, data: bytes) -> str:
        """Bytes of WriteFile in the output code page."""
        return data.decode(_codec(self.output_code_page), "replace")

    # ------------------------------------------------------------ input

    def arrived(self, data: bytes) -> None:
        """The terminal sent a line (or a key)."""
        self.ended = not data
        self.text += data.decode("utf-8", "replace").replace("\n", "\r\n")
        self.serve()

    def serve(self) -> None:
        """Answer who waits, as far as input goes."""
        while self.waiting and (self.text or self.ended or self.reader is None):
            request, answer = self.waiting[0]
            if not answer(request):
                break
            self.waiting.pop(0)
        if self.waiting and self.reader is not None:
            self.reader.start()

    def wait(self, request: Request, answer: Callable[[Request], bool]) -> None:
        """Answer a read now or when input comes."""
        if self.text or self.ended or self.reader is None:
            answer(request)
            return
        self.waiting.append((request, answer))
        request.pend(lambda: self._forget(request))
        self.reader.start()

    def _forget(self, request: Request) -> None:
        self.waiting = [entry for entry in self.waiting if entry[0] is not request]
        if not self.waiting and self.reader is not None:
            self.reader.abandon()

    def take(self, limit: int) -> str:
        """At most so many characters of input; in line mode not past the end of a line."""
        end = len(self.text)
        if self.input_mode & LINE_INPUT and "\n" in self.text:
            end = self.text.index("\n") + 1
        end = min(end, limit)
        taken, self.text = self.text[:end], self.text[end:]
        if not taken:
            self.ended = False  # the end of input is told once, as after Ctrl-Z
        return taken

    def control(self, event: int, group: int = 0) -> None:
        """A control event for the attached processes of a group (0: all)."""
        for process in list(self.processes):
            if not group or process.id == group:
                self.deliver(process, event)


def _codec(code_page: int) -> str:
    return "utf-8" if code_page == UTF8 else f"cp{code_page}"


class ConDrv(Driver):
    """The console driver. A file object's context says whether it is input or output."""

    name = "condrv"

    def create(self, device: Device, file: FileObject, opening: Opening) -> None:
        kind = KINDS.get(opening.name.lower(), None if opening.name else OTHER)
        if kind is None:
            raise NtError(STATUS.OBJECT_NAME_NOT_FOUND)
        if opening.name.lower() == "\\console":
            kind = OUTPUT if opening.access & 2 else INPUT
        file.context = kind
        opening.information = 1
        if opening.access & 0x0200_0000:
            opening.access = FILE_ALL_ACCESS

    def read(self, request: Request) -> None:
        console = _console(request)
        if request.file.context != INPUT:
            raise NtError(STATUS.INVALID_HANDLE)

        def answer(request: Request) -> bool:
            data = console.take(request.length).encode(_codec(console.input_code_page), "replace")
            request.complete(STATUS.SUCCESS, len(data[: request.length]), data[: request.length])
            return True

        console.wait(request, answer)

    def write(self, request: Request) -> None:
        console = _console(request)
        if request.file.context != OUTPUT:
            raise NtError(STATUS.INVALID_HANDLE)
        console.write(console.decode(request.data))
        request.complete(STATUS.SUCCESS, len(request.data))

    def device_control(self, request: Request) -> None:
        service = _SERVICES.get(request.code)
        if service is None:
            raise NtError(STATUS.INVALID_DEVICE_REQUEST)
        needed, kind, act = service
        if len(request.data) < needed:
            raise NtError(STATUS.INVALID_PARAMETER)
        if kind is not None and request.file.context != kind:
            raise NtError(STATUS.INVALID_HANDLE)
        output = act(_console(request), request)
        if output is not None:
            if len(output) > request.length:
                raise NtError(STATUS.BUFFER_TOO_SMALL)
            request.complete(STATUS.SUCCESS, len(output), output)


def _console(request: Request) -> Console:
    return request.file.kernel[Console]


# ---------------------------------------------------------------- control codes
# Each gives its output, or None where it has completed the request itself (or left it pending).


def _get_mode(console: Console, request: Request) -> bytes:
    mode = console.input_mode if request.file.context == INPUT else console.output_mode
    return struct.pack("<I", mode)


def _set_mode(console: Console, request: Request) -> bytes:
    mode = int.from_bytes(request.data[:4], "little")
    if request.file.context == INPUT:
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
            "".encode(_codec(page or OEM_CODE_PAGE))
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


def _attach(console: Console, request: Request) -> bytes:
    attach(console.kernel, request.process)
    return b""


def _detach(console: Console, request: Request) -> bytes:
    detach(console.kernel, request.process)
    return b""


_SERVICES: dict[int, tuple[int, str | None, Callable[[Console, Request], bytes | None]]] = {
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
    codes.IOCTL_CONSOLE_ATTACH: (0, None, _attach),
    codes.IOCTL_CONSOLE_DETACH: (0, None, _detach),
}


# ---------------------------------------------------------------- the outside


def install(kernel: Kernel) -> None:
    """Make the device and the DOS names that lead to it."""
    device = create_device(kernel, ConDrv(), "ConDrv", FILE_DEVICE_CONSOLE)
    kernel.install(Console(kernel, device))
    for name, target in LINKS:
        ob.add_link(kernel, f"GLOBAL??\\{name}", f"\\Device\\ConDrv{target}")


def attach(kernel: Kernel, process: Process) -> None:
    """The process belongs to the console from now on."""
    console = kernel[Console]
    if process not in console.processes:
        console.processes.insert(0, process)


def detach(kernel: Kernel, process: Process) -> None:
    """The process leaves (it calls FreeConsole, or it ends)."""
    console = kernel[Console]
    if process in console.processes:
        console.processes.remove(process)


def control_event(kernel: Kernel, event: int = CTRL_C_EVENT) -> None:
    """Ctrl-C or Ctrl-Break was pressed on the host."""
    kernel[Console].control(event)


def open_descriptor(kernel: Kernel, descriptor: int, *, output: bool) -> FileObject:
    """A file object for a host descriptor: the console where it is a terminal, the null device where it is
    that, else the stream itself.
    """
    access = FILE_ALL_ACCESS
    opening = Opening(kernel, None, access, FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT, 7)
    if os.isatty(descriptor):
        console = kernel[Console]
        if output:
            console.output_descriptor = descriptor
        elif console.reader is None:
            console.reader = HostReader(kernel, descriptor, console.arrived)
        opening.name = "\\Output" if output else "\\Input"
        return open_on(console.device, opening)
    if _is_null(descriptor):
        return open_on(kernel[NullDevice].device, opening)
    return host_stream.open_descriptor(kernel, descriptor, opening)


def _is_null(descriptor: int) -> bool:
    found = os.fstat(descriptor)
    return stat.S_ISCHR(found.st_mode) and found.st_rdev == Path(os.devnull).stat().st_rdev


def standard_handles(
    process: Process, parameters: int, stdin: int = 0, stdout: int = 1, stderr: int = 2
) -> None:
    """Give a first process its standard handles for three host descriptors, and write them into its
    RTL_USER_PROCESS_PARAMETERS at `parameters`; children inherit them.
    """
    kernel = process.kernel
    view = RTL_USER_PROCESS_PARAMETERS(process.memory, parameters)
    opened: dict[object, int] = {}
    for field, descriptor in (
        ("StandardInput", stdin),
        ("StandardOutput", stdout),
        ("StandardError", stderr),
    ):
        try:
            found = os.fstat(descriptor)
        except OSError:
            setattr(view, field, 0)
            continue
        # Two descriptors of one file (2>&1) share a position on the host; one file object keeps it so.
        key = (found.st_dev, found.st_ino, field == "StandardInput")
        if key not in opened:
            file = open_descriptor(kernel, descriptor, output=field != "StandardInput")
            opened[key] = ob.insert_handle(process, file, FILE_ALL_ACCESS, OBJ_INHERIT)
            ob.dereference(file)
        setattr(view, field, opened[key])
    attach(kernel, process)

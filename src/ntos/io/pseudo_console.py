"""Pseudo consoles: a console whose screen and keyboard are two pipes of a program's (CreatePseudoConsole).

In Windows a conhost.exe of its own reads one pipe and writes the other; here the driver does. What programs write goes
into the output pipe as UTF-8, what comes out of the input pipe is typed input. The handles the maker gave are
duplicated into the kernel's own table and closed with the console.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ntos import ob
from ntos.abi.access import FILE_READ_DATA, FILE_WRITE_DATA
from ntos.abi.status import STATUS, Denied, NtError
from ntos.abi.types import NTSTATUS
from ntos.io.file import FILE, FileObject
from ntos.io.request import Request
from ntos.ob.manager import ObjectManager

if TYPE_CHECKING:
    from ntos.io.console import Console
    from ntos.ke.kernel import Kernel
    from ntos.ke.process import Process
    from ntos.ke.thread import Thread

READ_SIZE = 0x1000


class Keyboard(Request):
    """A read of the input pipe that types what it gets, and asks for more."""

    def __init__(self, thread: Thread, file: FileObject, console: Console) -> None:
        super().__init__(thread, file)
        self.console = console
        self.length = READ_SIZE

    def put(self, output: bytes) -> None:
        """What came is input of the console; a terminal sends CR for the Enter key."""
        self.console.arrived(output.replace(b"\r\n", b"\n").replace(b"\r", b"\n"))

    def tell(self, *, was_pending: bool) -> None:
        """Read on, until the other end is closed."""
        if was_pending:
            for obj in self.keep:
                ob.dereference(obj)
            if self.status.is_error:
                self.console.arrived(b"")
            _follow(self)


def _follow(request: Keyboard) -> None:
    while request.done and request.status == STATUS.SUCCESS and not request.console.closing:
        request = Keyboard(request.thread, request.file, request.console)
        _read(request)


def _read(request: Keyboard) -> None:
    try:
        request.file.device.driver.read(request)
    except NtError:
        request.console.arrived(b"")  # the pipe is broken: the end of input


def start(console: Console, request: Request) -> bytes:
    """IOCTL_CONSOLE_START_PSEUDO: the size of the screen, and handles of the caller's to the two pipes."""
    width, height, source, target = struct.unpack_from("<hh4xQQ", request.data)
    thread, kernel = request.thread, console.kernel
    resize(console, request)
    if console.served:
        raise NtError(STATUS.INVALID_PARAMETER, Denied("the console has its pipes already", {"size": (width, height)}))
    keyboard = ob.by_handle(thread, source, FILE_READ_DATA, FILE)
    screen = ob.by_handle(thread, target, FILE_WRITE_DATA, FILE)
    system = _system(kernel)
    kept = [ob.insert_handle(system, keyboard, FILE_READ_DATA), ob.insert_handle(system, screen, FILE_WRITE_DATA)]
    console.served = True
    console.sink = lambda text: _show(thread, screen, text)
    reading = Keyboard(thread, keyboard, console)

    def release() -> None:
        reading.cancel()
        for handle in kept:
            ob.close_in(system, handle)

    console.release = release
    _read(reading)
    _follow(reading)
    return b""


def resize(console: Console, request: Request) -> bytes:
    """IOCTL_CONSOLE_RESIZE_PSEUDO."""
    width, height = struct.unpack_from("<hh", request.data)
    if width < 1 or height < 1:
        inputs = {"width": width, "height": height}
        raise NtError(STATUS.INVALID_PARAMETER, Denied("size of a pseudo console", inputs, "positive numbers"))
    console.screen.resize(width, height)
    return b""


def _show(thread: Thread, screen: FileObject, text: str) -> None:
    """Text for the output pipe; nobody waits until it is read."""
    request = Request(thread, screen)
    request.data = text.encode("utf-8", "replace")
    request.length = len(request.data)
    try:
        screen.device.driver.write(request)
    except NtError as error:
        if NTSTATUS(error.status) not in (STATUS.PIPE_BROKEN, STATUS.PIPE_CLOSING, STATUS.PIPE_DISCONNECTED):
            raise


def _system(kernel: Kernel) -> Process:
    table = kernel[ObjectManager].kernel_table
    assert table is not None
    assert table.process is not None
    return table.process

r"""\Device\ConDrv: the console behind standard handles, CONIN$ and CONOUT$, when the host has a terminal.

In Windows conhost.exe owns the screen and the driver only carries messages to it. Here the driver is the
console: it keeps modes, code pages and a screen buffer, writes text to the host's terminal and reads lines
from it. The control codes are in `abi.console`.
"""

from __future__ import annotations

import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ntos import ob
from ntos.abi.access import FILE_ALL_ACCESS
from ntos.abi.io import FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT
from ntos.abi.layout.peb import PEB
from ntos.abi.layout.user import RTL_USER_PROCESS_PARAMETERS
from ntos.abi.status import GuestFault
from ntos.io import host_stream
from ntos.io.device import Device, open_on
from ntos.io.driver import Opening
from ntos.io.host_stream import HostReader, write_all
from ntos.io.null import NullDevice
from ntos.io.screen import Screen

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
CTRL_C_EVENT, CTRL_CLOSE_EVENT = 0, 2
CONNECT, SERVER = "\\connect", "\\server"


@dataclass(frozen=True, slots=True)
class Opened:
    """What a file object of the driver stands for: INPUT, OUTPUT or OTHER of a console, or of none."""

    kind: str
    console: Console | None


class Console:
    """One console. `kernel[Console]` is the one on the host's terminal; others are seen by nobody, or by a program."""

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
        self.closing = False
        self.served = False
        """Input comes from a program (a pseudo console's), not from a reader of the host's."""
        self.waiting: list[tuple[Request, Callable[[Request], bool]]] = []
        self.processes: list[Process] = []
        """Those attached, the last one first."""
        self.sink: Callable[[str], None] | None = None
        """Who else wants to see what is written (a pseudo console's maker)."""
        self.release: Callable[[], None] | None = None
        """The server let go: called once when nobody is attached any more."""

    # ------------------------------------------------------------ output

    def write(self, text: str) -> None:
        """Text for the screen."""
        processed = bool(self.output_mode & PROCESSED_OUTPUT)
        self.screen.write(text, processed=processed, wrap=bool(self.output_mode & WRAP_AT_EOL))
        if self.output_descriptor >= 0:
            write_all(self.output_descriptor, text.encode("utf-8", "replace"))
        if self.sink is not None:
            self.sink(text)

    def decode(self, data: bytes) -> str:
        """Bytes of WriteFile in the output code page."""
        return data.decode(codec(self.output_code_page), "replace")

    # ------------------------------------------------------------ input

    def arrived(self, data: bytes) -> None:
        """The terminal sent a line (or a key)."""
        self.ended = not data
        self.text += data.decode("utf-8", "replace").replace("\n", "\r\n")
        self.serve()

    def serve(self) -> None:
        """Answer who waits, as far as input goes."""
        while self.waiting and (self.text or self.ended or (self.reader is None and not self.served)):
            request, answer = self.waiting[0]
            if not answer(request):
                break
            self.waiting.pop(0)
        if self.waiting and self.reader is not None:
            self.reader.start()

    def wait(self, request: Request, answer: Callable[[Request], bool]) -> None:
        """Answer a read now or when input comes."""
        if self.text or self.ended or (self.reader is None and not self.served):
            answer(request)
            return
        self.waiting.append((request, answer))
        request.pend(lambda: self._forget(request))
        if self.reader is not None:
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
        if self.served and self.input_mode & ECHO_INPUT:
            self.write(taken)  # a host's terminal echoes by itself
        if not taken:
            self.ended = False  # the end of input is told once, as after Ctrl-Z
        return taken

    def server_gone(self) -> None:
        """Who served this console closes it: its programs are told to go (CTRL_CLOSE_EVENT)."""
        self.ended = True
        self.serve()
        self.control(CTRL_CLOSE_EVENT)
        self.closing = True
        self.released()

    def released(self) -> None:
        """Let the server's things go when nobody is left."""
        if self.closing and not self.processes and self.release is not None:
            release, self.release, self.sink = self.release, None, None
            release()

    def control(self, event: int, group: int = 0) -> None:
        """A control event for the attached processes of a group (0: all)."""
        deliver = self.kernel.part(Delivery).start
        for process in list(self.processes):
            if not group or group_of(process) == group:
                deliver(process, event)


class Delivery:
    """How control handlers are started; `ps` or the machine says. `kernel.part(Delivery)`."""

    def __init__(self) -> None:
        self.start: Callable[[Process, int], None] = lambda _process, _event: None


def group_of(process: Process) -> int:
    """The process group, from the process's parameters; its own where it has none."""
    peb = int(process.eprocess.Peb)
    try:
        parameters = int(PEB(process.memory, peb).ProcessParameters) if peb else 0
        if parameters:
            return int(RTL_USER_PROCESS_PARAMETERS(process.memory, parameters).ProcessGroupId)
    except GuestFault:
        pass
    return process.id


def codec(code_page: int) -> str:
    """Python's name for a code page."""
    return "utf-8" if code_page == UTF8 else f"cp{code_page}"


@dataclass(frozen=True, slots=True)
class Attached:
    """Which console a process belongs to. `process[Attached]`."""

    console: Console


def console_of(process: Process) -> Console | None:
    """The console a process is attached to."""
    return process[Attached].console if process.has(Attached) else None


def attach(console: Console, process: Process) -> None:
    """The process belongs to the console from now on."""
    detach(process)
    process.install(Attached(console))
    console.processes.insert(0, process)


def detach(process: Process) -> None:
    """The process leaves (it calls FreeConsole, or it ends)."""
    console = console_of(process)
    if console is not None:
        process.remove(Attached)
        console.processes.remove(process)
        console.released()


def connection(process: Process) -> int:
    r"""A handle of the process's own to its console (\Device\ConDrv\Connect)."""
    console = console_of(process)
    assert console is not None
    opening = Opening(process.kernel, None, FILE_ALL_ACCESS, FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT, 7)
    return handle_to(process, console, CONNECT, opening)


def handle_to(process: Process, console: Console, name: str, opening: Opening, attributes: int = 0) -> int:
    """A handle in a process to a part of a console."""
    opening.name = name
    file = open_on(console.device, opening)
    file.context = Opened(KINDS[name], console)
    try:
        return ob.insert_handle(process, file, FILE_ALL_ACCESS, attributes)
    finally:
        ob.dereference(file)


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
    attach(kernel[Console], process)
    view.ConsoleHandle = connection(process)

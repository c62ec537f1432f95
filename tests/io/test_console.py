"""Standard handles: streams of the host, and the console."""

from __future__ import annotations

import os
import pty
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from ntos import io, ob
from ntos.abi import console as codes
from ntos.abi.layout.user import RTL_USER_PROCESS_PARAMETERS
from ntos.abi.status import STATUS
from ntos.io.console import Console, Delivery
from tests.io.conftest import Caller


@pytest.fixture(autouse=True)
def has_a_console(caller: Caller) -> None:
    """The caller's process is attached to the machine's console, as a first process is."""
    io.console.attach(caller.kernel[Console], caller.thread.process)


@pytest.fixture
def ends() -> Iterator[list[int]]:
    """Host descriptors to be closed."""
    opened: list[int] = []
    yield opened
    for descriptor in opened:
        os.close(descriptor)


def handles(caller: Caller, stdin: int, stdout: int, stderr: int) -> tuple[int, int, int]:
    """The three standard handles of the caller's process."""
    place = caller.world.room(caller.thread, RTL_USER_PROCESS_PARAMETERS.size)
    io.console.standard_handles(caller.thread.process, place, stdin, stdout, stderr)
    view = RTL_USER_PROCESS_PARAMETERS(caller.thread.memory, place)
    return int(view.StandardInput), int(view.StandardOutput), int(view.StandardError)


def device_type(caller: Caller, handle: int) -> int:
    """What GetFileType looks at."""
    assert caller.call("NtQueryVolumeInformationFile", handle, caller.block, caller.buffer, 8, 4) == 0
    return caller.world.integer(caller.thread, caller.buffer, 4)


def ask(caller: Caller, handle: int, code: int, data: bytes = b"", room: int = 0x400) -> bytes | int:
    """NtDeviceIoControlFile: the output, or the status."""
    source = caller.world.put(caller.thread, data)
    status = caller.do(
        "NtDeviceIoControlFile", handle, 0, 0, 0, caller.block, code, source, len(data), caller.buffer, room
    )
    if status:
        return status
    return caller.thread.memory.read(caller.buffer, min(caller.information, room))


def test_pipes_of_the_host_are_pipes(caller: Caller, ends: list[int]) -> None:
    """Redirected to pipes, bytes pass untouched and the handles are of a pipe's type; the end breaks the pipe."""
    guest_in, host_in = os.pipe()
    host_out, guest_out = os.pipe()
    ends += [guest_in, host_out, guest_out]
    stdin, stdout, stderr = handles(caller, guest_in, guest_out, guest_out)
    assert stdout == stderr
    assert (device_type(caller, stdin), device_type(caller, stdout)) == (0x11, 0x11)
    assert caller.write(stdout, b"a\nb\r\n\xff") == 0
    assert os.read(host_out, 100) == b"a\nb\r\n\xff"
    os.write(host_in, b"input\n")
    assert caller.read(stdin) == b"input\n"
    os.close(host_in)
    assert caller.read(stdin) == STATUS.PIPE_BROKEN


def test_reading_waits_for_the_host(caller: Caller, ends: list[int]) -> None:
    """A read with nothing to read ends when the host writes; the machine waits in real time."""
    import threading

    guest_in, host_in = os.pipe()
    ends += [guest_in, host_in]
    stdin, _, _ = handles(caller, guest_in, 1, 2)
    writer = threading.Timer(0.05, os.write, (host_in, b"late"))
    answer: list[int] = []

    async def body() -> None:
        arguments = (stdin, 0, 0, 0, caller.block, caller.buffer, 16, 0, 0)
        answer.append(await caller.world.call_async(caller.thread, "NtReadFile", *arguments))

    caller.start(body())
    writer.start()
    caller.kernel.scheduler.run(lambda: bool(answer))
    writer.join()
    assert answer == [0]
    assert caller.thread.memory.read(caller.buffer, 4) == b"late"
    assert caller.kernel.scheduler.host_pending == 0


def test_files_of_the_host_are_files(caller: Caller, ends: list[int], tmp_path: Path) -> None:
    """Redirected to a file, output stands where the host's position was; two descriptors of it are one handle."""
    target = tmp_path / "out"
    target.write_bytes(b"before ")
    descriptor = os.open(target, os.O_RDWR)
    os.lseek(descriptor, 0, os.SEEK_END)
    ends += [descriptor, os.dup(descriptor)]
    _, stdout, stderr = handles(caller, 0, ends[0], ends[1])
    assert device_type(caller, stdout) == 7
    caller.write(stdout, b"out ")
    caller.write(stderr, b"err")
    assert target.read_bytes() == b"before out err"


def test_a_terminal_is_the_console(caller: Caller, ends: list[int]) -> None:
    """A terminal shows as console: WriteFile decodes the output code page, WriteConsole takes UTF-16."""
    terminal, guest = pty.openpty()
    ends += [terminal, guest]
    stdin, stdout, _ = handles(caller, guest, guest, guest)
    assert device_type(caller, stdout) == 0x50
    assert caller.write(stdout, b"caf\x82") == 0
    assert os.read(terminal, 100).decode() == "café"
    assert ask(caller, stdout, codes.IOCTL_CONSOLE_WRITE, "→\n".encode("utf-16-le"), room=0) == b""
    assert os.read(terminal, 100).decode().startswith("→")
    assert ask(caller, stdout, codes.IOCTL_CONSOLE_GET_MODE) == struct.pack("<I", 3)
    assert ask(caller, stdin, codes.IOCTL_CONSOLE_SET_MODE, struct.pack("<I", 7)) == b""
    assert ask(caller, stdin, codes.IOCTL_CONSOLE_GET_MODE) == struct.pack("<I", 7)
    assert ask(caller, stdin, codes.IOCTL_CONSOLE_WRITE, b"x\0") == STATUS.INVALID_HANDLE
    assert ask(caller, stdout, 0x500FFC) == STATUS.INVALID_DEVICE_REQUEST


def test_lines_from_a_terminal(caller: Caller) -> None:
    """A read takes one line, ended by CR LF; the rest of a longer one waits for the next."""
    console = caller.kernel[Console]
    console.text = "first line\r\nsecond\r\n"
    handle = caller.open("\\??\\CONIN$", 0x120089 | 2)
    assert caller.read(handle, size=5) == b"first"
    assert caller.read(handle) == b" line\r\n"
    assert ask(caller, handle, codes.IOCTL_CONSOLE_COUNT_INPUT) == struct.pack("<I", 16)
    assert ask(caller, handle, codes.IOCTL_CONSOLE_READ) == "second\r\n".encode("utf-16-le")
    assert ask(caller, handle, codes.IOCTL_CONSOLE_FLUSH_INPUT) == b""


def test_the_screen_buffer(caller: Caller) -> None:
    """Writing moves the cursor; cells can be filled, written and read back."""
    handle = caller.open("\\??\\CONOUT$", 0x120116 | 1)
    screen = caller.kernel[Console].screen
    screen.resize(20, 5)
    assert caller.write(handle, b"abc\r\nde\tf\b") == 0
    info = ask(caller, handle, codes.IOCTL_CONSOLE_GET_SCREEN_BUFFER_INFO)
    assert isinstance(info, bytes)
    assert struct.unpack_from("<4hH", info) == (20, 5, 8, 1, 7)
    fill = struct.pack("<HHIhh", 0, ord("x"), 3, 18, 0)
    assert ask(caller, handle, codes.IOCTL_CONSOLE_FILL, fill) == struct.pack("<I", 3)
    assert screen.line(0) == "abc" + " " * 15 + "xx"
    region = struct.pack("<4h", 0, 2, 1, 2) + struct.pack("<4H", ord("h"), 7, ord("i"), 7)
    assert ask(caller, handle, codes.IOCTL_CONSOLE_WRITE_OUTPUT, region) == region[:8]
    assert ask(caller, handle, codes.IOCTL_CONSOLE_READ_OUTPUT, region[:8]) == region[8:]
    assert screen.line(2) == "hi"


def test_control_events_reach_the_attached(caller: Caller) -> None:
    """Ctrl-C goes to every attached process, a group's event to that group, nothing to those that left."""
    told: list[tuple[int, int]] = []
    console = caller.kernel[Console]
    caller.kernel.part(Delivery).start = lambda process, event: told.append((process.id, event))
    handle = caller.open("\\??\\CONOUT$", 0x120116)
    other = caller.other().thread.process
    assert ask(caller, handle, codes.IOCTL_CONSOLE_ATTACH, bytes(4)) == STATUS.ACCESS_DENIED
    io.console.attach(console, other)
    io.console.control_event(caller.kernel)
    own = caller.thread.process.id
    assert told == [(other.id, 0), (own, 0)]
    assert ask(caller, handle, codes.IOCTL_CONSOLE_GET_PROCESSES) == struct.pack("<II", other.id, own)
    assert ask(caller, handle, codes.IOCTL_CONSOLE_CONTROL_EVENT, struct.pack("<II", 1, own)) == b""
    io.console.detach(other)
    io.console.control_event(caller.kernel)
    assert told[2:] == [(own, 1), (own, 0)]


def test_code_pages_and_titles(caller: Caller) -> None:
    """Code pages and the title are kept; an unknown code page is refused."""
    handle = caller.open("\\??\\CONOUT$", 0x120116)
    assert ask(caller, handle, codes.IOCTL_CONSOLE_GET_CODE_PAGES) == struct.pack("<II", 437, 437)
    assert ask(caller, handle, codes.IOCTL_CONSOLE_SET_CODE_PAGES, struct.pack("<II", 0, 65001)) == b""
    assert ask(caller, handle, codes.IOCTL_CONSOLE_GET_CODE_PAGES) == struct.pack("<II", 437, 65001)
    bad = struct.pack("<II", 3, 0)
    assert ask(caller, handle, codes.IOCTL_CONSOLE_SET_CODE_PAGES, bad) == STATUS.INVALID_PARAMETER
    title = "Title".encode("utf-16-le")
    assert ask(caller, handle, codes.IOCTL_CONSOLE_SET_TITLE, title) == b""
    assert ask(caller, handle, codes.IOCTL_CONSOLE_GET_TITLE) == title
    assert ob.full_name(ob.by_handle(caller.thread, handle, 0, io.FILE)) == "\\Device\\ConDrv\\CurrentOut"

"""The host's standard streams where they are files or pipes: the guest sees a disk file or a pipe, byte for
byte.
"""

from __future__ import annotations

import errno
import os
import select
import stat
import struct
import threading
from typing import TYPE_CHECKING

from ntos.abi.io import (
    FILE_DEVICE_DISK,
    FILE_DEVICE_NAMED_PIPE,
    FILE_INFORMATION_CLASS,
    FILE_PIPE_CONNECTED_STATE,
    FO_NAMED_PIPE,
)
from ntos.abi.status import STATUS, NtError
from ntos.io.device import create_device, open_on
from ntos.io.driver import Driver

if TYPE_CHECKING:
    from collections.abc import Callable

    from ntos.io.device import Device
    from ntos.io.driver import Opening
    from ntos.io.file import FileObject
    from ntos.io.request import Request
    from ntos.ke.kernel import Kernel

_C = FILE_INFORMATION_CLASS
READ_SIZE = 0x1_0000
PIPE_QUOTA = 4096


class HostReader:
    """Reads a host descriptor without stopping the machine: a host thread waits, the machine takes the bytes.

    `deliver` is called in the machine's own thread with what came; b"" is the end.
    """

    def __init__(self, kernel: Kernel, descriptor: int, deliver: Callable[[bytes], None]) -> None:
        self.kernel = kernel
        self.descriptor = descriptor
        self._deliver = deliver
        self._reading = False
        self._counted = False

    def start(self) -> None:
        """Bytes are wanted."""
        if not self._counted:
            self.kernel.scheduler.begin_host_operation()
            self._counted = True
        if not self._reading:
            self._reading = True
            threading.Thread(target=self._read, daemon=True, name=f"host read {self.descriptor}").start()

    def abandon(self) -> None:
        """Nobody waits any more; what still comes is kept for the next who asks."""
        if self._counted:
            self.kernel.scheduler.end_host_operation()
            self._counted = False

    def _read(self) -> None:
        try:
            data = os.read(self.descriptor, READ_SIZE)
        except OSError:
            data = b""
        self.kernel.scheduler.host_events.put(lambda: self._arrived(data))

    def _arrived(self, data: bytes) -> None:
        self._reading = False
        self.abandon()
        self._deliver(data)


class HostStream:
    """One host descriptor that is no terminal."""

    def __init__(self, kernel: Kernel, descriptor: int) -> None:
        self.descriptor = descriptor
        self.is_disk = stat.S_ISREG(os.fstat(descriptor).st_mode)
        self.reader = HostReader(kernel, descriptor, self.arrived)
        self.buffer = b""
        self.ended = False
        self.waiting: list[Request] = []

    def arrived(self, data: bytes) -> None:
        """Bytes came from the host: serve who waits."""
        self.buffer += data
        self.ended = self.ended or not data
        while self.waiting and (self.buffer or self.ended):
            self._serve(self.waiting.pop(0))
        if self.waiting:
            self.reader.start()

    def read(self, request: Request) -> None:
        """Give what is there, or wait for it."""
        if not self.buffer and not self.ended and select.select([self.descriptor], [], [], 0)[0]:
            data = os.read(self.descriptor, READ_SIZE)
            self.buffer, self.ended = data, not data
        if self.buffer or self.ended:
            self._serve(request)
            return
        self.waiting.append(request)
        request.pend(lambda: self._forget(request))
        self.reader.start()

    def _forget(self, request: Request) -> None:
        if request in self.waiting:
            self.waiting.remove(request)
        if not self.waiting:
            self.reader.abandon()

    def _serve(self, request: Request) -> None:
        if not self.buffer:
            if not request.is_pending:
                raise NtError(STATUS.PIPE_BROKEN)
            request.complete(STATUS.PIPE_BROKEN)
            return
        data, self.buffer = self.buffer[: request.length], self.buffer[request.length :]
        request.complete(STATUS.SUCCESS, len(data), data)

    def read_at(self, request: Request) -> None:
        """Read a redirected file at the request's position."""
        data = os.pread(self.descriptor, request.length, request.offset)
        if not data and request.length:
            raise NtError(STATUS.END_OF_FILE)
        request.complete(STATUS.SUCCESS, len(data), data)
        request.file.moved(request.offset + len(data))

    def write(self, data: bytes, offset: int | None) -> int:
        """Write all of it; gives the position afterwards."""
        try:
            if self.is_disk and offset is not None:
                os.lseek(self.descriptor, *((0, os.SEEK_END) if offset < 0 else (offset, os.SEEK_SET)))
            write_all(self.descriptor, data)
        except OSError as error:
            broken = error.errno in {errno.EPIPE, errno.ECONNRESET}
            raise NtError(STATUS.PIPE_CLOSING if broken else STATUS.IO_DEVICE_ERROR) from None
        return os.lseek(self.descriptor, 0, os.SEEK_CUR) if self.is_disk else 0

    @property
    def size(self) -> int:
        """Bytes in the file."""
        return os.fstat(self.descriptor).st_size if self.is_disk else len(self.buffer)


def write_all(descriptor: int, data: bytes) -> None:
    """Write every byte, also where the host made the descriptor non-blocking."""
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(descriptor, view) :]
        except BlockingIOError:
            select.select([], [descriptor], [])


class HostStreams(Driver):
    """The driver of redirected standard streams. File objects keep a `HostStream`."""

    name = "HostStream"

    def create(self, device: Device, file: FileObject, opening: Opening) -> None:
        if opening.thread is not None:
            raise NtError(STATUS.ACCESS_DENIED)

    def read(self, request: Request) -> None:
        stream = _stream(request.file)
        if stream.is_disk:
            stream.read_at(request)
        else:
            stream.read(request)

    def write(self, request: Request) -> None:
        stream = _stream(request.file)
        position = stream.write(request.data, request.offset)
        request.complete(STATUS.SUCCESS, len(request.data))
        request.file.moved(position)

    def query_information(self, file: FileObject, kind: int) -> bytes:
        stream = _stream(file)
        match kind:
            case _C.FileStandardInformation:
                return struct.pack("<qqIBB2x", stream.size, stream.size, 1, 0, 0)
            case _C.FileBasicInformation:
                return struct.pack("<4qI4x", 0, 0, 0, 0, 0x80)
            case _C.FileInternalInformation:
                return struct.pack("<Q", os.fstat(stream.descriptor).st_ino)
            case _C.FileEaInformation:
                return bytes(4)
            case _C.FileNameInformation:
                return bytes(4)
            case _C.FilePipeInformation if not stream.is_disk:
                return bytes(8)
            case _C.FilePipeLocalInformation if not stream.is_disk:
                quotas = (PIPE_QUOTA, len(stream.buffer), PIPE_QUOTA, PIPE_QUOTA)
                return struct.pack("<10I", 0, 2, 1, 1, *quotas, FILE_PIPE_CONNECTED_STATE, 0)
            case _:
                raise NtError(STATUS.INVALID_PARAMETER)

    def set_information(self, file: FileObject, kind: int, data: bytes, thread: object) -> None:
        stream = _stream(file)
        if kind == _C.FileEndOfFileInformation and stream.is_disk:
            os.ftruncate(stream.descriptor, int.from_bytes(data[:8], "little"))
        elif kind != _C.FilePipeInformation or stream.is_disk or any(data[:8]):
            raise NtError(STATUS.INVALID_PARAMETER)

    def file_system_control(self, request: Request) -> None:
        stream = _stream(request.file)
        if stream.is_disk or request.code != 0x11400C:  # FSCTL_PIPE_PEEK
            raise NtError(STATUS.INVALID_DEVICE_REQUEST)
        if not stream.buffer and not stream.ended and select.select([stream.descriptor], [], [], 0)[0]:
            stream.arrived(os.read(stream.descriptor, READ_SIZE))
        if stream.ended and not stream.buffer:
            raise NtError(STATUS.PIPE_BROKEN)
        head = struct.pack("<4I", FILE_PIPE_CONNECTED_STATE, len(stream.buffer), 0, 0)
        output = (head + stream.buffer)[: request.length]
        overflow = len(head) + len(stream.buffer) > request.length
        request.complete(STATUS.BUFFER_OVERFLOW if overflow else STATUS.SUCCESS, len(output), output)


def _stream(file: FileObject) -> HostStream:
    stream = file.context
    assert isinstance(stream, HostStream)
    return stream


class HostDevices:
    """The two devices. `kernel[HostDevices]`."""

    def __init__(self, pipe: Device, disk: Device) -> None:
        self.pipe = pipe
        self.disk = disk


def install(kernel: Kernel) -> None:
    """Make the devices: what kind of handle the guest sees is their type."""
    driver = HostStreams()
    pipe = create_device(kernel, driver, "HostPipe", FILE_DEVICE_NAMED_PIPE)
    disk = create_device(kernel, driver, "HostFile", FILE_DEVICE_DISK)
    kernel.install(HostDevices(pipe, disk))


def open_descriptor(kernel: Kernel, descriptor: int, opening: Opening) -> FileObject:
    """A file object for a host descriptor that is no terminal."""
    devices = kernel[HostDevices]
    stream = HostStream(kernel, descriptor)
    file = open_on(devices.disk if stream.is_disk else devices.pipe, opening)
    file.context = stream
    if stream.is_disk:
        file.view.CurrentByteOffset = os.lseek(descriptor, 0, os.SEEK_CUR)
    else:
        file.view.Flags = int(file.view.Flags) | FO_NAMED_PIPE
    return file

"""npfs: requests on named pipes."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ntos.abi import io as codes
from ntos.abi.access import FILE_APPEND_DATA, FILE_READ_DATA, FILE_WRITE_DATA, MAXIMUM_ALLOWED
from ntos.abi.io import (
    FILE_CREATED,
    FILE_DEVICE_NAMED_PIPE,
    FILE_INFORMATION_CLASS,
    FILE_OPENED,
    FILE_PIPE_CONNECTED_STATE,
    FILE_PIPE_LISTENING_STATE,
    FO_NAMED_PIPE,
    FS_INFORMATION_CLASS,
)
from ntos.abi.layout.file_info import FILE_PIPE_PEEK_BUFFER, FILE_PIPE_WAIT_FOR_BUFFER
from ntos.abi.status import STATUS, Denied, NtError
from ntos.io.device import create_device
from ntos.io.driver import Driver
from ntos.io.pipe.instance import FULL_DUPLEX, INBOUND, OUTBOUND, End, Instance, NamedPipe, end_of
from ntos.io.request import Request
from ntos.io.volume.listing import render
from ntos.io.volume.node import Facts, Listed
from ntos.ke.timer import due_time
from ntos.rtl.pattern import is_name_in_expression
from ntos.rtl.text import case_key, from_utf16, to_utf16

if TYPE_CHECKING:
    from collections.abc import Callable

    from ntos.abi.types import NTSTATUS
    from ntos.io.device import Device
    from ntos.io.driver import Opening
    from ntos.io.file import FileObject
    from ntos.ke.kernel import Kernel
    from ntos.ke.thread import Thread
    from ntos.ke.timer import Alarm

_C = FILE_INFORMATION_CLASS
PEEK_DATA = FILE_PIPE_PEEK_BUFFER.offset("Data")
WAIT_NAME = FILE_PIPE_WAIT_FOR_BUFFER.offset("Name")
UNLIMITED = 255
DEFAULT_TIMEOUT = -500_000
"""50 ms, where the pipe's creator said nothing."""
FSCTL_PIPE_GET_CONNECTION_ATTRIBUTE = 0x110030
_CONFIGURATION = {1: OUTBOUND, 2: INBOUND, 3: FULL_DUPLEX}
"""By the share mode of the creation: what clients may open for (1 reading, 2 writing)."""


class Scan:
    """An open of the device or of the root directory, with where a listing stands."""

    def __init__(self) -> None:
        self.names: list[str] | None = None


class NamedPipes(Driver):
    """The named pipe file system."""

    name = "Npfs"
    file_system = True

    def __init__(self) -> None:
        self.pipes: dict[str, NamedPipe] = {}
        self.waiting: dict[str, list[tuple[Request, Alarm]]] = {}

    # ------------------------------------------------------------ open and close

    def create(self, device: Device, file: FileObject, opening: Opening) -> None:
        file.view.Flags = int(file.view.Flags) | FO_NAMED_PIPE
        name = opening.name.removeprefix("\\")
        related = opening.related.context if opening.related is not None else None
        if opening.pipe is not None:
            self._create_instance(file, opening, name)
        elif isinstance(related, End):
            if name or not related.is_server:
                raise NtError(STATUS.INVALID_PARAMETER)
            self._connect(file, opening, related.instance)
        elif not name:
            file.context = Scan()
            opening.information = FILE_OPENED
        else:
            self._connect_by_name(file, opening, name)

    def _create_instance(self, file: FileObject, opening: Opening, name: str) -> None:
        parameters = opening.pipe
        assert parameters is not None
        configuration = _CONFIGURATION.get(opening.share & 3)
        if configuration is None or opening.share & ~3:
            raise NtError(STATUS.INVALID_PARAMETER)
        pipe = self.pipes.get(case_key(name)) if name else None
        opening.information = FILE_OPENED if pipe is not None else FILE_CREATED
        if pipe is None:
            if opening.disposition == codes.FILE_OPEN:
                raise NtError(STATUS.OBJECT_NAME_NOT_FOUND)
            pipe = NamedPipe(name, configuration, parameters)
            if name:
                self.pipes[case_key(name)] = pipe
        else:
            self._check_further(pipe, configuration, opening)
        instance = Instance(pipe, parameters)
        pipe.instances.append(instance)
        end = End(instance, opening.thread.process if opening.thread is not None else None, is_server=True)
        end.message_mode, end.non_blocking = parameters.message_mode, parameters.non_blocking
        instance.server = file.context = end
        file.name = "\\" + name if name else ""
        if opening.access & MAXIMUM_ALLOWED:
            opening.access = opening.access & ~MAXIMUM_ALLOWED | 0x1F01FF
        self._available(name)

    @staticmethod
    def _check_further(pipe: NamedPipe, configuration: int, opening: Opening) -> None:
        inputs = {"pipe": pipe.name, "instances": len(pipe.instances)}
        maximum = pipe.parameters.maximum_instances
        if maximum < UNLIMITED and len(pipe.instances) >= maximum:
            because = Denied("maximum number of instances", inputs, "close one")
            raise NtError(STATUS.INSTANCE_NOT_AVAILABLE, because=because)
        if opening.disposition == codes.FILE_CREATE:
            because = Denied("the first instance exists already", inputs, "do not ask for the first instance")
            raise NtError(STATUS.ACCESS_DENIED, because=because)
        assert opening.pipe is not None
        if configuration != pipe.configuration or opening.pipe.message_type != pipe.parameters.message_type:
            because = Denied("all instances have one type and direction", inputs, "use the first instance's")
            raise NtError(STATUS.ACCESS_DENIED, because=because)

    def _connect_by_name(self, file: FileObject, opening: Opening, name: str) -> None:
        pipe = self.pipes.get(case_key(name))
        if pipe is None:
            raise NtError(STATUS.OBJECT_NAME_NOT_FOUND)
        instance = pipe.listening()
        if instance is None:
            because = Denied("no instance listens", {"pipe": name}, "wait for the pipe (FSCTL_PIPE_WAIT)")
            raise NtError(STATUS.PIPE_NOT_AVAILABLE, because=because)
        self._connect(file, opening, instance)

    def _connect(self, file: FileObject, opening: Opening, instance: Instance) -> None:
        if instance.state != FILE_PIPE_LISTENING_STATE:
            raise NtError(STATUS.PIPE_NOT_AVAILABLE)
        pipe = instance.pipe
        reads = opening.access & FILE_READ_DATA and pipe.configuration == INBOUND
        writes = opening.access & (FILE_WRITE_DATA | FILE_APPEND_DATA) and pipe.configuration == OUTBOUND
        if opening.access & MAXIMUM_ALLOWED:
            opening.access = opening.access & ~MAXIMUM_ALLOWED | 0x1F01FF
        elif (opening.access & FILE_READ_DATA and reads) or (opening.access & FILE_WRITE_DATA and writes):
            because = Denied(
                "the pipe's direction", {"pipe": pipe.name}, "open the end for its direction only"
            )
            raise NtError(STATUS.ACCESS_DENIED, because=because)
        client = End(
            instance, opening.thread.process if opening.thread is not None else None, is_server=False
        )
        file.context = client
        file.name = "\\" + pipe.name if pipe.name else ""
        opening.information = FILE_OPENED
        instance.connect(client)

    def cleanup(self, file: FileObject) -> None:
        end = file.context
        if not isinstance(end, End):
            return
        end.instance.close(end)
        pipe = end.instance.pipe
        if not pipe.instances and self.pipes.get(case_key(pipe.name)) is pipe:
            del self.pipes[case_key(pipe.name)]

    # ------------------------------------------------------------ bytes

    def read(self, request: Request) -> None:
        end = end_of(request.file)
        end.check_read()
        if not end.incoming.read(request, message_mode=end.message_mode, non_blocking=end.non_blocking):
            raise NtError(STATUS.PIPE_EMPTY)

    def write(self, request: Request) -> None:
        end = end_of(request.file)
        end.check_write()
        end.outgoing.write(request, non_blocking=end.non_blocking)

    def flush(self, request: Request) -> None:
        end = end_of(request.file)
        end.check_write()
        end.outgoing.flush(request)

    # ------------------------------------------------------------ control codes

    def file_system_control(self, request: Request) -> None:
        match request.code:
            case codes.FSCTL_PIPE_LISTEN:
                self._server(request).instance.listen(request, non_blocking=end_of(request.file).non_blocking)
            case codes.FSCTL_PIPE_DISCONNECT:
                self._server(request).instance.disconnect()
                request.complete()
            case codes.FSCTL_PIPE_PEEK:
                _peek(request)
            case codes.FSCTL_PIPE_TRANSCEIVE:
                self._transceive(request)
            case codes.FSCTL_PIPE_WAIT:
                self._wait(request)
            case codes.FSCTL_PIPE_GET_CONNECTION_ATTRIBUTE:
                _connection_attribute(request)
            case _:
                raise NtError(STATUS.NOT_SUPPORTED)

    def _server(self, request: Request) -> End:
        end = end_of(request.file)
        if not end.is_server:
            raise NtError(STATUS.ILLEGAL_FUNCTION)
        return end

    def _transceive(self, request: Request) -> None:
        end = end_of(request.file)
        if end.state != FILE_PIPE_CONNECTED_STATE or not end.message_mode:
            raise NtError(STATUS.INVALID_PIPE_STATE)
        if end.incoming.entries:
            raise NtError(STATUS.PIPE_BUSY)
        # The answer is awaited first, so that whoever answers within the write finds a taker.
        end.incoming.read(request, message_mode=True, non_blocking=False)
        end.outgoing.write(_Half(request), non_blocking=False)

    def _wait(self, request: Request) -> None:
        if not isinstance(request.file.context, Scan) or len(request.data) < WAIT_NAME:
            raise NtError(STATUS.INVALID_PARAMETER)
        view = FILE_PIPE_WAIT_FOR_BUFFER.parse(request.data)
        size = int(view.NameLength)
        if WAIT_NAME + size > len(request.data):
            raise NtError(STATUS.INVALID_PARAMETER)
        name = from_utf16(request.data[WAIT_NAME : WAIT_NAME + size]).removeprefix("\\")
        pipe = self.pipes.get(case_key(name))
        if pipe is None:
            raise NtError(STATUS.OBJECT_NAME_NOT_FOUND)
        if pipe.listening() is not None:
            request.complete()
            return
        timeout = int(view.Timeout) if view.TimeoutSpecified else pipe.parameters.timeout or DEFAULT_TIMEOUT
        queue = self.waiting.setdefault(case_key(name), [])
        kernel = request.file.kernel
        alarm = kernel.scheduler.timers.set(
            due_time(kernel.clock, timeout), lambda: request.complete(STATUS.IO_TIMEOUT)
        )
        entry = (request, alarm)
        queue.append(entry)
        request.pend(alarm.cancel)

    def _available(self, name: str) -> None:
        """An instance listens: who waited for the name may try again."""
        for request, alarm in self.waiting.pop(case_key(name), []):
            alarm.cancel()
            request.complete()

    # ------------------------------------------------------------ information

    def query_information(self, file: FileObject, kind: int) -> bytes:
        if kind == _C.FileNameInformation:
            name = to_utf16(file.name)
            return struct.pack("<I", len(name)) + name
        end = end_of(file)
        match kind:
            case _C.FilePipeInformation:
                return struct.pack("<II", end.message_mode, end.non_blocking)
            case _C.FilePipeLocalInformation:
                return _local(end)
            case _C.FileStandardInformation:
                size = end.incoming.available
                return struct.pack("<qqIBB2x", end.incoming.quota + end.outgoing.quota, size, 1, 1, 0)
            case _C.FileBasicInformation:
                return struct.pack("<4qI4x", 0, 0, 0, 0, codes.FILE_ATTRIBUTE_NORMAL)
            case _C.FileInternalInformation:
                return struct.pack("<Q", file.address)
            case _C.FileEaInformation:
                return bytes(4)
            case _:
                raise NtError(STATUS.INVALID_PARAMETER)

    def set_information(self, file: FileObject, kind: int, data: bytes, thread: Thread) -> None:
        end = end_of(file)
        if kind != _C.FilePipeInformation:
            raise NtError(STATUS.INVALID_PARAMETER)
        message, complete = struct.unpack_from("<II", data)
        if message > 1 or complete > 1 or (message and not end.instance.pipe.parameters.message_type):
            raise NtError(STATUS.INVALID_PARAMETER)
        if complete and (end.incoming.readers or any(entry.request for entry in end.outgoing.entries)):
            raise NtError(STATUS.PIPE_BUSY)
        end.message_mode, end.non_blocking = bool(message), bool(complete)

    def query_volume(self, file: FileObject, kind: int) -> bytes:
        match kind:
            case FS_INFORMATION_CLASS.FileFsAttributeInformation:
                name = to_utf16("NPFS")
                return struct.pack("<IiI", 0, 0xFF, len(name)) + name
            case FS_INFORMATION_CLASS.FileFsVolumeInformation:
                name = to_utf16("NamedPipe")
                return struct.pack("<qIIBx", 0, 0, len(name), 0) + name
            case FS_INFORMATION_CLASS.FileFsSizeInformation:
                return struct.pack("<qqII", 0, 0, 1, 1)
            case _:
                raise NtError(STATUS.INVALID_PARAMETER)

    def query_directory(self, request: Request, kind: int, pattern: str | None, flags: int) -> None:
        scan = request.file.context
        if not isinstance(scan, Scan):
            raise NtError(STATUS.INVALID_PARAMETER)
        first = scan.names is None
        if scan.names is None or flags & codes.SL_RESTART_SCAN:
            names = sorted(pipe.name for pipe in self.pipes.values())
            scan.names = [name for name in names if is_name_in_expression(pattern or "*", name)]
        if not scan.names:
            raise NtError(STATUS.NO_SUCH_FILE if first else STATUS.NO_MORE_FILES)
        pipe = self.pipes.get(case_key(scan.names[0]))
        count = len(pipe.instances) if pipe is not None else 0
        facts = Facts(codes.FILE_ATTRIBUTE_NORMAL, 0, 0, 0, 0, size=count, allocation=0, links=1, number=0)
        entry = bytes(render(Listed(scan.names.pop(0), facts), kind))
        if len(entry) > request.length:
            request.complete(STATUS.BUFFER_OVERFLOW, request.length, entry[: request.length])
        else:
            request.complete(STATUS.SUCCESS, len(entry), entry)


class _Half(Request):
    """The writing half of a transceive: nobody hears of its end."""

    def __init__(self, whole: Request) -> None:
        super().__init__(whole.thread, whole.file)
        self.data = whole.data

    def complete(self, status: NTSTATUS = STATUS.SUCCESS, information: int = 0, output: bytes = b"") -> None:
        """The write is over."""

    def pend(self, cancel: Callable[[], None]) -> None:
        """The write waits in the queue."""


def _peek(request: Request) -> None:
    end = end_of(request.file)
    if end.state == FILE_PIPE_LISTENING_STATE:
        raise NtError(STATUS.INVALID_PIPE_STATE)
    end.check_read()
    if request.length < PEEK_DATA:
        raise NtError(STATUS.INVALID_PARAMETER)
    queue, room = end.incoming, request.length - PEEK_DATA
    first = len(queue.entries[0].data) if queue.entries else 0
    messages = queue.message_type
    data = (
        queue.entries[0].data
        if messages and queue.entries
        else b"".join(entry.data for entry in queue.entries)
    )
    head = struct.pack(
        "<4I", end.state, queue.available, len(queue.entries) if messages else 0, first if messages else 0
    )
    output = head + data[:room]
    overflow = messages and len(data) > room
    request.complete(STATUS.BUFFER_OVERFLOW if overflow else STATUS.SUCCESS, len(output), output)


def _local(end: End) -> bytes:
    instance = end.instance
    pipe = instance.pipe
    own, other = end.incoming, end.outgoing
    maximum = pipe.parameters.maximum_instances
    return struct.pack(
        "<10I", pipe.parameters.message_type, pipe.configuration,
        0xFFFF_FFFF if maximum >= UNLIMITED else maximum, len(pipe.instances),
        instance.inbound.quota, own.available, instance.outbound.quota, other.room, end.state,
        int(end.is_server),
    )  # fmt: skip


def _connection_attribute(request: Request) -> None:
    """GetNamedPipeClientProcessId and its like: an attribute by name, of the other end."""
    end = end_of(request.file)
    name = request.data.split(b"\0", 1)[0].decode("latin-1")
    other = {"ClientProcessId": end.instance.client, "ServerProcessId": end.instance.server}.get(name)
    if other is None:
        raise NtError(STATUS.NOT_FOUND)
    request.complete(STATUS.SUCCESS, 8, struct.pack("<Q", other.process_id)[: request.length])


def install(kernel: Kernel) -> None:
    """Make the device."""
    create_device(kernel, NamedPipes(), "NamedPipe", FILE_DEVICE_NAMED_PIPE)

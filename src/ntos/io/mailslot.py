r"""\Device\Mailslot: one reader, any number of writers, whole messages (msfs)."""

from __future__ import annotations

import struct
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ntos.abi import io as codes
from ntos.abi.access import MAXIMUM_ALLOWED
from ntos.abi.io import (
    FILE_CREATED,
    FILE_DEVICE_MAILSLOT,
    FILE_INFORMATION_CLASS,
    FILE_OPENED,
    FILE_SHARE_READ,
    FO_MAILSLOT,
)
from ntos.abi.status import STATUS, Denied, NtError
from ntos.abi.types import LARGE_INTEGER
from ntos.io.device import create_device
from ntos.io.driver import Driver, MailslotParameters
from ntos.ke.timer import due_time
from ntos.rtl.text import case_key, to_utf16

if TYPE_CHECKING:
    from ntos.io.device import Device
    from ntos.io.driver import Opening
    from ntos.io.file import FileObject
    from ntos.io.request import Request
    from ntos.ke.kernel import Kernel
    from ntos.ke.thread import Thread
    from ntos.ke.timer import Alarm

_C = FILE_INFORMATION_CLASS
NO_MESSAGE = 0xFFFF_FFFF
FOREVER = -1


@dataclass(eq=False)
class Mailslot:
    """A mailslot while its reader has it open."""

    name: str
    parameters: MailslotParameters
    messages: deque[bytes] = field(default_factory=deque)
    readers: list[tuple[Request, Alarm | None]] = field(default_factory=list)
    closed: bool = False

    def put(self, message: bytes) -> None:
        """A message for whoever waits, else for later."""
        self.messages.append(message)
        while self.readers and self.messages:
            request, alarm = self.readers.pop(0)
            if alarm is not None:
                alarm.cancel()
            self.take(request)

    def take(self, request: Request) -> None:
        """Give the first message; one that the buffer cannot hold stays."""
        message = self.messages[0]
        if len(message) > request.length:
            request.complete(STATUS.BUFFER_TOO_SMALL)
            return
        self.messages.popleft()
        request.complete(STATUS.SUCCESS, len(message), message)

    def wait(self, request: Request) -> None:
        """Read when a message comes, or give up when the mailslot's time is over."""
        timeout = self.parameters.read_timeout
        if not timeout:
            raise NtError(STATUS.IO_TIMEOUT)
        alarm = None
        if timeout != FOREVER:
            kernel = request.file.kernel
            alarm = kernel.scheduler.timers.set(due_time(kernel.clock, timeout), lambda: self._time_out(request))
        self.readers.append((request, alarm))
        request.pend(lambda: self._forget(request))

    def _time_out(self, request: Request) -> None:
        self._forget(request)
        request.complete(STATUS.IO_TIMEOUT)

    def _forget(self, request: Request) -> None:
        for waiting, alarm in self.readers:
            if waiting is request and alarm is not None:
                alarm.cancel()
        self.readers = [entry for entry in self.readers if entry[0] is not request]


@dataclass(frozen=True)
class Side:
    """What an open file is: the reader of its mailslot, or a writer."""

    mailslot: Mailslot
    reads: bool


class Mailslots(Driver):
    """The mailslot file system."""

    name = "Msfs"
    file_system = True

    def __init__(self) -> None:
        self.mailslots: dict[str, Mailslot] = {}

    def create(self, device: Device, file: FileObject, opening: Opening) -> None:
        file.view.Flags = int(file.view.Flags) | FO_MAILSLOT
        name = opening.name.removeprefix("\\")
        known = self.mailslots.get(case_key(name))
        if opening.mailslot is not None:
            if not name or known is not None:
                raise NtError(STATUS.OBJECT_NAME_COLLISION if name else STATUS.OBJECT_NAME_INVALID)
            known = self.mailslots[case_key(name)] = Mailslot(name, opening.mailslot)
            opening.information = FILE_CREATED
        elif not name:
            return  # the device, or its root directory
        elif known is None:
            raise NtError(STATUS.OBJECT_NAME_NOT_FOUND)
        elif not opening.share & FILE_SHARE_READ:
            because = Denied("the reader has the mailslot open", {"mailslot": name}, "share reading")
            raise NtError(STATUS.SHARING_VIOLATION, because=because)
        else:
            opening.information = FILE_OPENED
        file.context = Side(known, reads=opening.mailslot is not None)
        file.name = "\\" + known.name
        if opening.access & MAXIMUM_ALLOWED:
            opening.access = opening.access & ~MAXIMUM_ALLOWED | 0x1F01FF

    def cleanup(self, file: FileObject) -> None:
        side = file.context
        if isinstance(side, Side) and side.reads:
            side.mailslot.closed = True
            del self.mailslots[case_key(side.mailslot.name)]

    def read(self, request: Request) -> None:
        mailslot = _side(request.file, reads=True)
        if mailslot.messages:
            mailslot.take(request)
        else:
            mailslot.wait(request)

    def write(self, request: Request) -> None:
        mailslot = _side(request.file, reads=False)
        maximum = mailslot.parameters.maximum_message
        if mailslot.closed:
            raise NtError(STATUS.FILE_FORCED_CLOSED)
        if maximum and len(request.data) > maximum:
            because = Denied("longest message of the mailslot", {"length": len(request.data)}, f"{maximum} bytes")
            raise NtError(STATUS.INVALID_PARAMETER, because=because)
        mailslot.put(request.data)
        request.complete(STATUS.SUCCESS, len(request.data))

    def query_information(self, file: FileObject, kind: int) -> bytes:
        match kind:
            case _C.FileNameInformation:
                name = to_utf16(file.name)
                return struct.pack("<I", len(name)) + name
            case _C.FileBasicInformation:
                return struct.pack("<4qI4x", 0, 0, 0, 0, codes.FILE_ATTRIBUTE_NORMAL)
            case _C.FileMailslotQueryInformation:
                slot = _side(file, reads=True)
                following = len(slot.messages[0]) if slot.messages else NO_MESSAGE
                own = slot.parameters
                figures = (own.maximum_message, own.quota, following, len(slot.messages), own.read_timeout)
                return struct.pack("<4Iq", *figures)
            case _:
                raise NtError(STATUS.INVALID_PARAMETER)

    def set_information(self, file: FileObject, kind: int, data: bytes, thread: Thread) -> None:
        if kind != _C.FileMailslotSetInformation:
            raise NtError(STATUS.INVALID_PARAMETER)
        slot = _side(file, reads=True)
        place = int.from_bytes(data[:8], "little")  # FILE_MAILSLOT_SET_INFORMATION is a pointer
        slot.parameters.read_timeout = int(LARGE_INTEGER.load(thread.memory, place))


def _side(file: FileObject, *, reads: bool) -> Mailslot:
    side = file.context
    if not isinstance(side, Side) or side.reads is not reads:
        raise NtError(STATUS.INVALID_PARAMETER)
    return side.mailslot


def install(kernel: Kernel) -> None:
    """Make the device."""
    create_device(kernel, Mailslots(), "Mailslot", FILE_DEVICE_MAILSLOT)

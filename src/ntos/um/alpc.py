"""Talking over ALPC from Python in user mode: a client's call, a server's loop.

A message is a PORT_MESSAGE and its data; servers get with it the context they gave the client's port. Everything goes
through the system services, with buffers on the guest stack.
"""

from __future__ import annotations

import struct
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ntos.abi import alpc
from ntos.abi.layout.alpc import ALPC_PORT_ATTRIBUTES, PORT_MESSAGE
from ntos.abi.layout.alpc_api import ALPC_CONTEXT_ATTR, ALPC_MESSAGE_ATTRIBUTES
from ntos.abi.ob import CURRENT_THREAD, OBJ_CASE_INSENSITIVE
from ntos.abi.status import NtError
from ntos.abi.types import HANDLE, SIZE_T
from ntos.rtl import sddl
from ntos.um import nt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ntos.um.thread import Frame, UserThread

HEADER = PORT_MESSAGE.size
ROOM = 0x1000
"""Most bytes of a message, header included."""
ATTRIBUTES_HEADER = ALPC_MESSAGE_ATTRIBUTES.size
THREAD_IMPERSONATION_TOKEN = 5
KINDS = alpc.LPC_TYPE_MASK & 0xFF
TALK_FLAGS = alpc.ALPC_PORFLG_ALLOW_IMPERSONATION | alpc.ALPC_PORFLG_ALLOW_LPC_REQUESTS
EVERYONE_MAY_CONNECT = "D:(A;;0x1;;;WD)(A;;0x1;;;AC)(A;;GA;;;SY)"
SYSTEM_ONLY = "D:(A;;GA;;;SY)"
STATIC_TRACKING_IMPERSONATION = struct.pack("<IIBBxx", 12, 2, 0, 1)
"""SECURITY_QUALITY_OF_SERVICE: the server may act as the client, as it was when it sent the message."""


@dataclass(slots=True)
class Received:
    """A message somebody sent to a port."""

    kind: int
    id: int
    client: tuple[int, int]
    """Process and thread id of the sender; the kernel vouches for them."""
    data: bytes
    context: int
    """What the server gave the client's port when it accepted the connection."""
    header: bytes
    """The PORT_MESSAGE, to answer or impersonate with."""


def object_attributes(frame: Frame, name: str = "", *, descriptor: bytes = b"", attributes: int = 0) -> int:
    """OBJECT_ATTRIBUTES with a name and a self-relative security descriptor, each if given."""
    text = frame.unicode_string(name) if name else 0
    security = frame.bytes(descriptor) if descriptor else 0
    return frame.bytes(struct.pack("<I4xQQI4xQQ", 0x30, 0, text, OBJ_CASE_INSENSITIVE | attributes, security, 0))


def port_attributes(frame: Frame) -> int:
    """ALPC_PORT_ATTRIBUTES as the system's servers and their clients use them."""
    view = ALPC_PORT_ATTRIBUTES.new()
    view.Flags = TALK_FLAGS
    view.MaxMessageLength = ROOM
    return frame.bytes(bytes(view)[:4] + STATIC_TRACKING_IMPERSONATION + bytes(view)[16:])


async def create_port(thread: UserThread, name: str, security: str = EVERYONE_MAY_CONNECT) -> int:
    """A connection port of this name; `security` in SDDL says who may connect. Gives its handle."""
    with thread.frame() as frame:
        handle = frame.new(HANDLE)
        descriptor = sddl.parse(security).to_bytes()
        named = object_attributes(frame, name, descriptor=descriptor)
        nt.NtAlpcCreatePort(thread, handle.address, named, port_attributes(frame))
        return int(handle.read())


async def connect(thread: UserThread, name: str, data: bytes = b"") -> tuple[int, bytes]:
    """(handle, the server's words) of a connection to a port; NtError where there is none or the server refuses."""
    with thread.frame() as frame:
        handle, length = frame.new(HANDLE), frame.new(SIZE_T)
        place = frame.allocate(ROOM)
        thread.memory.write(place, message(data))
        length.write(ROOM)
        status = await nt.NtAlpcConnectPort(
            thread, handle.address, frame.unicode_string(name), 0, port_attributes(frame),
            alpc.ALPC_MSGFLG_SYNC_REQUEST, 0, place, length.address, 0, 0, 0,
        )  # fmt: skip
        if status:
            raise NtError(status)
        return int(handle.read()), _data(thread, place)


async def call(thread: UserThread, port: int, data: bytes) -> bytes:
    """Send a request and wait for its answer."""
    with thread.frame() as frame:
        place, length = frame.allocate(ROOM), frame.new(SIZE_T)
        thread.memory.write(place, message(data))
        length.write(ROOM)
        status = await nt.NtAlpcSendWaitReceivePort(
            thread, port, alpc.ALPC_MSGFLG_SYNC_REQUEST, place, 0, place, length.address, 0, 0
        )
        if status:
            raise NtError(status)
        return _data(thread, place)


def message(data: bytes, header: bytes = b"") -> bytes:
    """A PORT_MESSAGE with its data; `header` is that of the request it answers."""
    size = struct.pack("<HH", len(data), HEADER + len(data))
    return size + (header[4:HEADER] if header else bytes(HEADER - 4)) + data


def _data(thread: UserThread, place: int) -> bytes:
    size = int.from_bytes(thread.memory.read(place, 2), "little")
    return thread.memory.read(place + HEADER, size)


class Server:
    """One thread's conversation with the clients of a connection port."""

    def __init__(self, thread: UserThread, port: int, frame: Frame) -> None:
        self.thread = thread
        self.port = port
        self._place = frame.allocate(ROOM)
        self._length = frame.new(SIZE_T)
        self._attributes = frame.allocate(ATTRIBUTES_HEADER + ALPC_CONTEXT_ATTR.size)

    async def receive(self, request: Received | None = None, answer: bytes = b"") -> Received:
        """Answer `request`, if one is given, and wait for the next message; a client that is gone gets no answer."""
        if request is not None:
            try:
                return await self._exchange(message(answer, request.header))
            except NtError:
                pass
        return await self._exchange(b"")

    async def _exchange(self, answer: bytes) -> Received:
        thread, place = self.thread, self._place
        thread.memory.write(place, answer)
        self._length.write(ROOM)
        context = struct.pack("<II", alpc.ALPC_MESSAGE_CONTEXT_ATTRIBUTE, 0)
        thread.memory.write(self._attributes, context)
        await nt.NtAlpcSendWaitReceivePort(
            thread, self.port, alpc.ALPC_MSGFLG_RELEASE_MESSAGE if answer else 0, place if answer else 0, 0, place,
            self._length.address, self._attributes, 0,
        )  # fmt: skip
        return self._received()

    def _received(self) -> Received:
        memory = self.thread.memory
        header = memory.read(self._place, HEADER)
        size, kind, process, thread, number = struct.unpack_from("<H2xH2xQQI", header)
        data = memory.read(self._place + HEADER, size)
        context = int.from_bytes(memory.read(self._attributes + ATTRIBUTES_HEADER, 8), "little")
        return Received(kind & KINDS, number, (process, thread), data, context, header)

    def accept(self, request: Received, context: int = 0, answer: bytes = b"", *, accepted: bool = True) -> int:
        """Answer a connection request; the handle of the client's port, 0 if it was refused or has gone meanwhile."""
        with self.thread.frame() as frame:
            handle = frame.new(HANDLE)
            place = frame.bytes(message(answer, request.header))
            try:
                nt.NtAlpcAcceptConnectPort(
                    self.thread, handle.address, self.port, 0, 0, port_attributes(frame), context, place, 0,
                    int(accepted),
                )  # fmt: skip
            except NtError:
                return 0
            return int(handle.read())

    @contextmanager
    def acting_as_client(self, port: int, request: Received) -> Iterator[None]:
        """Impersonate the sender of a request (RpcImpersonateClient)."""
        thread = self.thread
        with thread.frame() as frame:
            nt.NtAlpcImpersonateClientOfPort(thread, port, frame.bytes(request.header), 0)
        try:
            yield
        finally:
            stop_acting(thread)


def stop_acting(thread: UserThread) -> None:
    """The thread is itself again (RevertToSelf)."""
    with thread.frame() as frame:
        none = frame.new(HANDLE).address
        nt.NtSetInformationThread(thread, CURRENT_THREAD, THREAD_IMPERSONATION_TOKEN, none, HANDLE.size)

"""Connections: a client asks at a named port, the server looks at who asks, and each side gets a port of its own.

The request is a message like any other: the server receives it at its connection port and answers by accepting or
refusing it. Data go both ways with it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ntos import ob
from ntos.abi import access as rights
from ntos.abi.alpc import ALPC_PORFLG_ALLOW_LPC_REQUESTS, LPC_CONNECTION_REPLY, LPC_CONNECTION_REQUEST
from ntos.abi.layout.alpc import ALPC_PORT_ATTRIBUTES
from ntos.abi.status import STATUS, Denied, GuestFault, NtError
from ntos.abi.types import NTSTATUS
from ntos.lpc import security
from ntos.lpc.attributes import Buffer
from ntos.lpc.close import disconnect
from ntos.lpc.exchange import new_message
from ntos.lpc.message import CANCELED, PENDING, Message, MessageTable, Said, client_id
from ntos.lpc.port import ALPC_PORT_TYPE, CLIENT, CONNECTION, SERVER, Communication, Port, make_port
from ntos.lpc.queue import answer_waiter, dispatch
from ntos.ob.attributes import Attributes
from ntos.ob.manager import ObjectManager
from ntos.ob.types import GenericMapping
from ntos.se import token as tokens
from ntos.se.subject import Subject, access_check

if TYPE_CHECKING:
    from ntos.ke.thread import Thread

CONNECT_MAPPING = GenericMapping(1, 1, 1, 1)
NOTHING = Said(b"", 0, 0, 0, 0)


@dataclass(slots=True)
class Ask:
    """What a client says when it connects."""

    said: Said = NOTHING
    attributes: ALPC_PORT_ATTRIBUTES | None = None
    sent: Buffer | None = None
    server_sid: bytes = b""
    """The user the server must be."""
    server_descriptor: bytes = field(default=b"")
    """A descriptor the server's token must pass."""
    lpc: bool = False


def find_server(thread: Thread, name: Attributes) -> Port:
    """The connection port of that name, referenced; the caller may connect to it."""
    if name.name is None:
        raise NtError(STATUS.OBJECT_PATH_SYNTAX_BAD)
    port: Port = ob.lookup(
        thread, name.name, root_handle=name.root, attributes=name.flags, kind=ALPC_PORT_TYPE, access=rights.PORT_CONNECT
    )
    try:
        thread.kernel[ObjectManager].check_access(thread, port, rights.PORT_CONNECT)
        if port.kind != CONNECTION or port.disconnected:
            raise NtError(STATUS.INVALID_PORT_HANDLE)
    except NtError:
        ob.dereference(port)
        raise
    return port


def check_server(server: Port, ask: Ask) -> None:
    """Whether the server is one this client, and the client one this server, talks to."""
    if ask.server_sid:
        security.check_server(server, ask.server_sid)
    if ask.server_descriptor:
        access_check(Subject(tokens.primary_token(server.owner)), ask.server_descriptor, 1, CONNECT_MAPPING)
    if ask.lpc and not server.is_lpc and not server.flags & ALPC_PORFLG_ALLOW_LPC_REQUESTS:
        raise NtError(
            STATUS.LPC_REQUESTS_NOT_ALLOWED,
            because=Denied(
                "an ALPC server takes legacy clients only if it says so",
                {"Flags": f"0x{server.flags:X}"},
                "make the connection port with ALPC_PORFLG_ALLOW_LPC_REQUESTS",
            ),
        )


def ask_for_connection(thread: Thread, server: Port, ask: Ask) -> tuple[Port, Message]:
    """A client port with one reference, and its request, not yet dispatched."""
    check_server(server, ask)
    client = make_port(thread.process, CLIENT, ask.attributes, lpc=ask.lpc)
    if ask.lpc and server.is_lpc:
        client.view.u1.s1.LpcToLpc = 1
    link = Communication(server)
    link.attach(client)
    link.join()
    client.view.u1.s1.ConnectionPending = 1
    try:
        security.capture_static(thread, client)
        message = new_message(thread, client, ask.said, LPC_CONNECTION_REQUEST, ask.sent)
    except (NtError, GuestFault):
        give_up(client)
        raise
    message.continues = True
    return client, message


def give_up(client: Port) -> None:
    """The connection did not come about: the port goes, with its one reference."""
    disconnect(client)
    if client.static_security is not None:
        client.static_security.release()
        client.static_security = None
    ob.dereference(client)


def make_handle(thread: Thread, port: Port, attributes: Attributes | None = None) -> int:
    """The handle to a new communication port, using up the caller's reference; without it the port goes."""
    ob.reference(port)
    try:
        handle, _ = ob.insert(thread, port, attributes, rights.PORT_ALL_ACCESS)
    except NtError:
        give_up(port)
        raise
    ob.dereference(port)
    return handle


def pending_request(server: Port | None, identifier: int, thread: Thread) -> Message:
    """The connection request a server has received. REPLY_MESSAGE_MISMATCH; REQUEST_CANCELED if the client gave up."""
    message = thread.kernel.part(MessageTable).by_id.get(identifier)
    if (
        message is None
        or message.kind != LPC_CONNECTION_REQUEST
        or message.queue not in {PENDING, CANCELED}
        or (server is not None and message.communication.connection is not server)
        or message.communication.connection.owner is not thread.process
        or message.communication.server is not None
    ):
        raise NtError(STATUS.REPLY_MESSAGE_MISMATCH)
    if message.queue == CANCELED:
        message.free()
        raise NtError(STATUS.REQUEST_CANCELED)
    return message


def accept(
    thread: Thread, message: Message, attributes: ALPC_PORT_ATTRIBUTES | None, context: int, *, lpc: bool = False
) -> Port:
    """The server's communication port, one reference; the client still waits for `complete`."""
    link = message.communication
    server = make_port(thread.process, SERVER, attributes or link.connection.view.PortAttributes, lpc=lpc)
    link.attach(server)
    server.view.PortContext = context
    server.view.TargetQueuePort = link.connection.address
    server.view.TargetSequencePort = link.connection.address
    return server


def complete(thread: Thread, message: Message, data: bytes) -> None:
    """Let an accepted client go on."""
    client = message.owner
    client.view.u1.s1.ConnectionPending = 0
    _answer(thread, message, data, STATUS.SUCCESS)


def refuse(thread: Thread, message: Message, data: bytes) -> None:
    """Tell a client no, and why if `data` say it."""
    state = message.owner.view.u1.s1
    state.ConnectionPending = 0
    state.ConnectionRefused = 1
    state.Disconnected = 1
    _answer(thread, message, data, STATUS.PORT_CONNECTION_REFUSED)


def _answer(thread: Thread, message: Message, data: bytes, status: NTSTATUS) -> None:
    message.leave()
    message.data = data
    message.kind = LPC_CONNECTION_REPLY
    message.continues = False
    message.client = client_id(thread)
    if not answer_waiter(message, status):
        dispatch(message, message.owner)

"""The end of connections: a port is disconnected or closed, a thread that asked for it is mourned.

Whoever waits on the other side gets PORT_DISCONNECTED; a server hears of a client's going by a PORT_CLOSED message,
of a thread's by a CLIENT_DIED message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos import ob
from ntos.abi.alpc import (
    ALPC_DISCONNECT_SKIP_PENDING_FLUSH,
    LPC_CLIENT_DIED,
    LPC_CONNECTION_REQUEST,
    LPC_PORT_CLOSED,
)
from ntos.abi.layout.thread_parts import TERMINATION_PORT
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import HANDLE, NTSTATUS, ULONG
from ntos.ke.service import service
from ntos.lpc.message import CANCELED, LARGE, MAIN, PENDING, Message, MessageTable, client_id, messages_in
from ntos.lpc.port import ALPC_PORT_TYPE, CLIENT, CONNECTION, Communication, Port, port_by_handle
from ntos.lpc.queue import abandon_waiter, dispatch, refuse_receivers

if TYPE_CHECKING:
    from ntos.ke.process import Process
    from ntos.ke.thread import Thread

TERMINATION_TAG = b"LpcT"
QUEUES = (MAIN, LARGE, PENDING, CANCELED)


def disconnect(port: Port, *, skip_pending: bool = False) -> None:
    """Nothing goes through the port any more (AlpcpDisconnectPort); a connection port takes its connections along."""
    if port.disconnected:
        return
    port.view.u1.s1.Disconnected = 1
    if port.kind == CONNECTION:
        for connection in port.link.connections():
            _end(connection)
        _flush(port)
    elif port.kind == CLIENT:
        _client_leaves(port, skip_pending=skip_pending)
    else:
        _end(port.link)
    refuse_receivers(port, STATUS.PORT_DISCONNECTED)


def _client_leaves(port: Port, *, skip_pending: bool) -> None:
    """The server keeps what it has not read yet, then reads PORT_CLOSED."""
    link = port.link
    for message in _messages_of(link):
        abandon_waiter(message, STATUS.PORT_DISCONNECTED)
        if message.kind == LPC_CONNECTION_REQUEST and message.queue in {MAIN, LARGE}:
            message.free()
        elif message.queue == PENDING and not skip_pending and message.view.PortQueue != port.address:
            message.view.u1.s1.Canceled = 1
            message.enter(link.connection, CANCELED)
    _flush(port)
    if link.server is not None and not link.server.disconnected and not link.connection.disconnected:
        tell_server(port, LPC_PORT_CLOSED, b"", _closer(port))


def _closer(port: Port) -> tuple[int, int]:
    current = port.kernel.scheduler.current
    return client_id(current) if current is not None else (port.owner.id, 0)


def tell_server(port: Port, kind: int, data: bytes, client: tuple[int, int]) -> None:
    """A message of the kernel's to the server of a client port."""
    message = Message(port, data, kind, client)
    message.view.u1.s1.ReleaseMessage = 1
    if kind == LPC_PORT_CLOSED:
        port.link.view.CloseMessage = message.address
    dispatch(message, port.link.connection)


def _end(link: Communication) -> None:
    """The server gives a connection up: its client is cut off, what was on its way is gone."""
    for port in (link.server, link.client):
        if port is not None:
            port.view.u1.s1.Disconnected = 1
    for message in _messages_of(link):
        abandon_waiter(message, STATUS.PORT_DISCONNECTED)
        _discard(message)
    if link.client is not None:
        refuse_receivers(link.client, STATUS.PORT_DISCONNECTED)


def _messages_of(link: Communication) -> list[Message]:
    table = link.kernel.part(MessageTable).by_id
    return [message for message in table.values() if message.communication is link]


def _discard(message: Message) -> None:
    """Free it, unless it is in somebody's hands, who then does."""
    if message.view.u1.s1.InDispatch:
        message.view.u1.s1.Canceled = 1
    elif message.queue:
        message.free()


def _flush(port: Port) -> None:
    """Nobody will read what is queued here."""
    for queue in QUEUES:
        for message in messages_in(port, queue):
            abandon_waiter(message, STATUS.PORT_DISCONNECTED)
            message.free()


def close(process: Process, port: Port, handles: int) -> None:
    """The last handle goes: the port and all it owns (AlpcpClosePort)."""
    if handles != 1 or not port.view.u1.s1.Initialized:
        return
    disconnect(port)
    _flush(port)
    port.view.u1.s1.Closed = 1
    for resource in list(port.owned):
        resource.delete()
    if port.static_security is not None:
        port.view.StaticSecurity.clear()
        port.static_security.release()
        port.static_security = None


ALPC_PORT_TYPE.close = close


@service
def NtAlpcDisconnectPort(thread: Thread, PortHandle: HANDLE, Flags: ULONG) -> NTSTATUS:
    """End a connection, or all of a connection port's; the handle stays open."""
    port = port_by_handle(thread, PortHandle)
    if Flags & ~ALPC_DISCONNECT_SKIP_PENDING_FLUSH:
        raise NtError(STATUS.INVALID_PARAMETER)
    disconnect(port, skip_pending=bool(Flags & ALPC_DISCONNECT_SKIP_PENDING_FLUSH))
    return STATUS.SUCCESS


# ---------------------------------------------------------------- threads


@service
def NtRegisterThreadTerminatePort(thread: Thread, PortHandle: HANDLE) -> NTSTATUS:
    """Let a port's server be told when the calling thread ends."""
    port = port_by_handle(thread, PortHandle)
    record = TERMINATION_PORT(
        thread.kernel.memory, thread.kernel.pool.allocate(TERMINATION_PORT.size, TERMINATION_TAG, paged=True)
    )
    record.Next = int(thread.ethread.TerminationPort)
    record.Port = port.address
    ob.reference(port)
    thread.ethread.TerminationPort = record.address
    return STATUS.SUCCESS


def exit_thread(thread: Thread) -> None:
    """The thread ends: its termination ports are told (the last registered first)."""
    memory, pool = thread.kernel.memory, thread.kernel.pool
    address = int(thread.ethread.TerminationPort)
    thread.ethread.TerminationPort = 0
    while address:
        record = TERMINATION_PORT(memory, address)
        port: Port = ob.at_address(thread.kernel, int(record.Port))
        address = int(record.Next)
        pool.free(record.address)
        if port.kind == CLIENT and not port.disconnected and not port.link.connection.disconnected:
            created = int(thread.ethread.CreateTime).to_bytes(8, "little")
            tell_server(port, LPC_CLIENT_DIED, created, client_id(thread))
        ob.dereference(port)

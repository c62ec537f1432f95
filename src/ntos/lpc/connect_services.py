"""System services that make ALPC ports and connect them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos import ob
from ntos.abi import access as rights
from ntos.abi import alpc
from ntos.abi.layout.alpc import ALPC_PORT_ATTRIBUTES, PORT_MESSAGE
from ntos.abi.layout.object import OBJECT_ATTRIBUTES
from ntos.abi.layout.string import UNICODE_STRING
from ntos.abi.ob import OBJ_CASE_INSENSITIVE
from ntos.abi.pointer import In, Out, Ptr
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import BOOLEAN, HANDLE, LARGE_INTEGER, NTSTATUS, PVOID, SIZE_T, ULONG
from ntos.ke.service import service
from ntos.lpc import attributes as message_attributes
from ntos.lpc.attributes import Buffer, attributes_at
from ntos.lpc.connect import (
    NOTHING,
    Ask,
    accept,
    ask_for_connection,
    complete,
    find_server,
    give_up,
    make_handle,
    pending_request,
    refuse,
)
from ntos.lpc.exchange import deliver
from ntos.lpc.message import Message, capture
from ntos.lpc.port import ALPC_PORT_TYPE, CONNECTION, Port, check_attributes, make_port, port_by_handle
from ntos.lpc.queue import begin_wait, dispatch, wait_answer
from ntos.ob.attributes import Attributes, read_unicode_string
from ntos.se import descriptor as descriptors

if TYPE_CHECKING:
    from ntos.ke.thread import Thread

CONNECT_FLAGS = (
    alpc.ALPC_MSGFLG_SYNC_REQUEST | alpc.ALPC_MSGFLG_WAIT_USER_MODE | alpc.ALPC_MSGFLG_WAIT_ALERTABLE
)


@service
def NtAlpcCreatePort(
    thread: Thread,
    PortHandle: Out[HANDLE],
    ObjectAttributes: In[OBJECT_ATTRIBUTES] | None,
    PortAttributes: In[ALPC_PORT_ATTRIBUTES] | None,
) -> NTSTATUS:
    """Create a connection port, to which clients can connect by its name."""
    check_attributes(PortAttributes)
    handle, status = ob.create_or_open(
        thread,
        ALPC_PORT_TYPE,
        ObjectAttributes,
        rights.PORT_ALL_ACCESS,
        lambda: make_port(thread.process, CONNECTION, PortAttributes),
    )
    PortHandle.write(handle)
    return status


class Connecting:
    """One connect call, between the check of its arguments and the handle."""

    def __init__(self, thread: Thread, flags: int, place: int, length: Ptr[SIZE_T] | None, wanted: int) -> None:
        if flags & ~CONNECT_FLAGS:
            raise NtError(STATUS.INVALID_PARAMETER)
        self.thread = thread
        self.synchronous = bool(flags & alpc.ALPC_MSGFLG_SYNC_REQUEST)
        self.alertable = bool(flags & alpc.ALPC_MSGFLG_WAIT_ALERTABLE)
        self.place = place
        self.length = length
        self.wanted: Buffer | None = attributes_at(thread.memory, wanted)

    def ask(self, attributes: ALPC_PORT_ATTRIBUTES | None, sent: int) -> Ask:
        """What the arguments say."""
        check_attributes(attributes)
        said = NOTHING
        if self.place:
            header = PORT_MESSAGE.parse(self.thread.memory.read(self.place, PORT_MESSAGE.size), self.place)
            said = capture(self.thread.memory, header, alpc.ALPC_MAXIMUM_MESSAGE_LENGTH)
        return Ask(said, attributes, attributes_at(self.thread.memory, sent))

    async def run(
        self, server: Port, ask: Ask, client_attributes: Attributes, timeout: int | None
    ) -> tuple[int, NTSTATUS]:
        """(the client's handle, SUCCESS) once the server has accepted; (0, why not)."""
        thread = self.thread
        try:
            limit = int(server.view.PortAttributes.MaxMessageLength)
            if len(ask.said.data) + PORT_MESSAGE.size > limit:
                raise NtError(STATUS.PORT_MESSAGE_TOO_LONG)
            client, message = ask_for_connection(thread, server, ask)
            if not self.synchronous:
                handle = make_handle(thread, client, client_attributes)
                dispatch(message, server)
                return handle, STATUS.SUCCESS
            connected = False
            try:
                begin_wait(thread, message)
                dispatch(message, server)
                status, answered = await wait_answer(thread, message, timeout, alertable=self.alertable)
                if answered is not None:
                    self._tell(client, answered)
                if status == STATUS.SUCCESS:
                    connected = True
                    return make_handle(thread, client, client_attributes), status
                return 0, status
            finally:
                if not connected:
                    give_up(client)
        finally:
            ob.dereference(server)

    def _tell(self, client: Port, answered: Message) -> None:
        """The server's data, as far as the client has room for them."""
        room = int(self.length.read()) if self.length is not None else answered.total
        if not self.place or answered.total > room:
            answered.free()
            return
        size = answered.total
        deliver(self.thread, client, answered, self.place, self.wanted)
        if self.length is not None:
            self.length.write(size)


@service(partial="a server's answer that is larger than BufferLength is dropped")
async def NtAlpcConnectPort(
    thread: Thread,
    PortHandle: Out[HANDLE],
    PortName: In[UNICODE_STRING],
    ObjectAttributes: In[OBJECT_ATTRIBUTES] | None,
    PortAttributes: In[ALPC_PORT_ATTRIBUTES] | None,
    Flags: ULONG,
    RequiredServerSid: PVOID,
    ConnectionMessage: PVOID,
    BufferLength: Ptr[SIZE_T] | None,
    OutMessageAttributes: PVOID,
    InMessageAttributes: PVOID,
    Timeout: In[LARGE_INTEGER] | None,
) -> NTSTATUS:
    """Ask the port of that name for a connection; with SYNC_REQUEST wait until its server has decided."""
    call = Connecting(thread, Flags, ConnectionMessage, BufferLength, InMessageAttributes)
    ask = call.ask(PortAttributes, OutMessageAttributes)
    ask.server_sid = descriptors.read_sid(thread.memory, RequiredServerSid) if RequiredServerSid else b""
    mine = ob.capture(ObjectAttributes, ALPC_PORT_TYPE)
    name = Attributes(read_unicode_string(thread.memory, PortName.address), flags=OBJ_CASE_INSENSITIVE)
    handle, status = await call.run(find_server(thread, name), ask, mine, Timeout)
    if handle:
        PortHandle.write(handle)
    return status


@service(partial="a server's answer that is larger than BufferLength is dropped")
async def NtAlpcConnectPortEx(
    thread: Thread,
    PortHandle: Out[HANDLE],
    ConnectionPortObjectAttributes: In[OBJECT_ATTRIBUTES],
    ClientPortObjectAttributes: In[OBJECT_ATTRIBUTES] | None,
    PortAttributes: In[ALPC_PORT_ATTRIBUTES] | None,
    Flags: ULONG,
    ServerSecurityRequirements: PVOID,
    ConnectionMessage: PVOID,
    BufferLength: Ptr[SIZE_T] | None,
    OutMessageAttributes: PVOID,
    InMessageAttributes: PVOID,
    Timeout: In[LARGE_INTEGER] | None,
) -> NTSTATUS:
    """As NtAlpcConnectPort; the server's token must pass a descriptor."""
    call = Connecting(thread, Flags, ConnectionMessage, BufferLength, InMessageAttributes)
    ask = call.ask(PortAttributes, OutMessageAttributes)
    if ServerSecurityRequirements:
        ask.server_descriptor = descriptors.capture(thread.memory, ServerSecurityRequirements).to_bytes()
    name = ob.capture(ConnectionPortObjectAttributes, ALPC_PORT_TYPE)
    mine = ob.capture(ClientPortObjectAttributes, ALPC_PORT_TYPE)
    handle, status = await call.run(find_server(thread, name), ask, mine, Timeout)
    if handle:
        PortHandle.write(handle)
    return status


@service
def NtAlpcAcceptConnectPort(
    thread: Thread,
    PortHandle: Out[HANDLE],
    ConnectionPortHandle: HANDLE,
    Flags: ULONG,
    ObjectAttributes: In[OBJECT_ATTRIBUTES] | None,
    PortAttributes: In[ALPC_PORT_ATTRIBUTES] | None,
    PortContext: PVOID,
    ConnectionRequest: In[PORT_MESSAGE],
    ConnectionMessageAttributes: PVOID,
    AcceptConnection: BOOLEAN,
) -> NTSTATUS:
    """Answer a connection request: a communication port for this client, or a refusal."""
    connection = port_by_handle(thread, ConnectionPortHandle)
    if connection.kind != CONNECTION:
        raise NtError(STATUS.INVALID_PORT_HANDLE)
    check_attributes(PortAttributes)
    mine = ob.capture(ObjectAttributes, ALPC_PORT_TYPE)
    sent = attributes_at(thread.memory, ConnectionMessageAttributes)
    limit = int(connection.view.PortAttributes.MaxMessageLength)
    said = capture(thread.memory, ConnectionRequest, limit)
    message = pending_request(connection, said.id, thread)
    message_attributes.capture(thread, connection, message, sent)
    if not AcceptConnection:
        refuse(thread, message, said.data)
        return STATUS.SUCCESS
    server = accept(thread, message, PortAttributes, PortContext)
    PortHandle.write(make_handle(thread, server, mine))
    complete(thread, message, said.data)
    return STATUS.SUCCESS

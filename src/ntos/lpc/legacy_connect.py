"""The calls of NT 3.1 that make and connect ports, and the one shared section each side can offer with them.

A server accepts in two steps: NtAcceptConnectPort gives it the port, NtCompleteConnectPort lets the client go on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos import mm, ob
from ntos.abi import access as rights
from ntos.abi.alpc import (
    ALPC_MAXIMUM_MESSAGE_LENGTH,
    ALPC_PORFLG_WAITABLE_PORT,
    LPC_CONNECTION_REQUEST,
    LPC_MAX_CONNECTION_INFO_SIZE,
    PORT_MAXIMUM_MESSAGE_LENGTH,
)
from ntos.abi.layout.alpc import ALPC_PORT_ATTRIBUTES, PORT_MESSAGE
from ntos.abi.layout.alpc_api import PORT_VIEW, REMOTE_PORT_VIEW
from ntos.abi.layout.object import OBJECT_ATTRIBUTES
from ntos.abi.layout.string import UNICODE_STRING
from ntos.abi.layout.token import SECURITY_QUALITY_OF_SERVICE
from ntos.abi.mm import PAGE_READWRITE
from ntos.abi.ob import OBJ_CASE_INSENSITIVE
from ntos.abi.pointer import In, Out, Ptr
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import BOOLEAN, HANDLE, NTSTATUS, PVOID, ULONG
from ntos.ke.service import service
from ntos.lpc import security
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
from ntos.lpc.message import HEADER, PENDING, Message, capture, messages_in
from ntos.lpc.port import ALPC_PORT_TYPE, CONNECTION, SERVER, Port, default_limits, make_port, port_by_handle
from ntos.lpc.queue import begin_wait, dispatch, receive, wait_answer
from ntos.mm.section import SECTION_TYPE
from ntos.ob.attributes import Attributes, read_unicode_string
from ntos.se import descriptor as descriptors

if TYPE_CHECKING:
    from collections.abc import Callable

    from ntos.abi.memory import Memory
    from ntos.ke.thread import Thread

MAXIMUM_TOTAL = PORT_MAXIMUM_MESSAGE_LENGTH + HEADER + LPC_MAX_CONNECTION_INFO_SIZE
MAP_ACCESS = rights.SECTION_MAP_READ | rights.SECTION_MAP_WRITE


class Window:
    """A section mapped for a legacy connection: goes with the port of the process that sees it."""

    def __init__(self, port: Port, section: mm.Section, offset: int, size: int) -> None:
        self.port = port
        self.process = port.owner
        self.base, self.size, _ = mm.map_view(
            self.process, section, offset=offset, size=size, protection=PAGE_READWRITE
        )
        port.owned.append(self)

    def delete(self) -> None:
        """Unmap it."""
        self.port.owned.remove(self)
        if not mm.space_of(self.process).deleted:
            try:
                mm.unmap_view(self.process, self.base)
            except NtError:
                self.base = 0  # the program has unmapped it itself


class Offer:
    """What a client offered with its request, and what each side sees once the server has accepted."""

    def __init__(self) -> None:
        self.section: mm.Section | None = None
        self.offset = 0
        self.size = 0
        self.remote_base = 0
        """Where the server sees the client's section."""
        self.server_window: Window | None = None
        """Where the client sees the server's."""

    def drop(self) -> None:
        """Over."""
        if self.section is not None:
            ob.dereference(self.section)
            self.section = None


class Offers:
    """Offers by the address of the connection they were made for."""

    def __init__(self) -> None:
        self.by_link: dict[int, Offer] = {}


# ---------------------------------------------------------------- the server's port


def _create(
    thread: Thread, attributes: OBJECT_ATTRIBUTES | None, connection_length: int, message_length: int, flags: int
) -> int:
    if connection_length > MAXIMUM_TOTAL:
        raise NtError(STATUS.INVALID_PARAMETER_3)
    if message_length > MAXIMUM_TOTAL:
        raise NtError(STATUS.INVALID_PARAMETER_4)
    limits = ALPC_PORT_ATTRIBUTES.new()
    default_limits(limits)
    limits.Flags = flags
    limits.MaxMessageLength = message_length or MAXIMUM_TOTAL

    def make() -> Port:
        port = make_port(thread.process, CONNECTION, limits, lpc=True)
        port.connection_length = connection_length
        return port

    handle, _ = ob.create_or_open(thread, ALPC_PORT_TYPE, attributes, rights.PORT_ALL_ACCESS, make)
    return handle


@service
def NtCreatePort(
    thread: Thread,
    PortHandle: Out[HANDLE],
    ObjectAttributes: In[OBJECT_ATTRIBUTES] | None,
    MaxConnectionInfoLength: ULONG,
    MaxMessageLength: ULONG,
    MaxPoolUsage: ULONG,
) -> NTSTATUS:
    """Create a port to which clients can connect."""
    PortHandle.write(_create(thread, ObjectAttributes, MaxConnectionInfoLength, MaxMessageLength, 0))
    return STATUS.SUCCESS


@service
def NtCreateWaitablePort(
    thread: Thread,
    PortHandle: Out[HANDLE],
    ObjectAttributes: In[OBJECT_ATTRIBUTES] | None,
    MaxConnectionInfoLength: ULONG,
    MaxMessageLength: ULONG,
    MaxPoolUsage: ULONG,
) -> NTSTATUS:
    """Create a port whose handle is signalled while messages wait."""
    flags = ALPC_PORFLG_WAITABLE_PORT
    PortHandle.write(_create(thread, ObjectAttributes, MaxConnectionInfoLength, MaxMessageLength, flags))
    return STATUS.SUCCESS


@service
async def NtListenPort(thread: Thread, PortHandle: HANDLE, ConnectionRequest: Out[PORT_MESSAGE]) -> NTSTATUS:
    """Wait for a connection request; other messages that come meanwhile are passed over."""
    with ob.referenced(thread, PortHandle, rights.PORT_CONNECT, ALPC_PORT_TYPE) as port:
        while True:
            found = await receive(port, thread, ALPC_MAXIMUM_MESSAGE_LENGTH, None, alertable=False)
            if not isinstance(found, Message):
                return found
            asked = found.kind == LPC_CONNECTION_REQUEST
            deliver(thread, port, found, ConnectionRequest.address)
            if asked:
                return STATUS.SUCCESS


@service
def NtAcceptConnectPort(
    thread: Thread,
    PortHandle: Out[HANDLE],
    PortContext: PVOID,
    ConnectionRequest: In[PORT_MESSAGE],
    AcceptConnection: BOOLEAN,
    ServerView: Ptr[PORT_VIEW] | None,
    ClientView: Ptr[REMOTE_PORT_VIEW] | None,
) -> NTSTATUS:
    """Answer a connection request: a communication port (the client waits on), or a refusal."""
    said = capture(thread.memory, ConnectionRequest, MAXIMUM_TOTAL)
    message = pending_request(None, said.id, thread)
    if not AcceptConnection:
        refuse(thread, message, said.data)
        return STATUS.SUCCESS
    offer = thread.kernel.part(Offers).by_link.get(message.communication.address, Offer())
    seen = _view(thread.memory, ServerView)
    server = accept(thread, message, None, PortContext, lpc=True)
    try:
        if seen is not None:
            _show_server_view(thread, server, message.owner, seen, offer)
        if ClientView is not None:
            _show_client_view(thread.memory, server, offer, ClientView.address)
    except NtError:
        for resource in list(server.owned):
            resource.delete()
        give_up(server)
        raise
    message.data = said.data
    PortHandle.write(make_handle(thread, server))
    return STATUS.SUCCESS


def _view(memory: Memory, view: Ptr[PORT_VIEW] | None) -> PORT_VIEW | None:
    if view is None:
        return None
    said = PORT_VIEW.parse(memory.read(view.address, PORT_VIEW.size), view.address, memory)
    if said.Length != PORT_VIEW.size:
        raise NtError(STATUS.INVALID_PARAMETER)
    return said


def _section(thread: Thread, said: PORT_VIEW) -> mm.Section:
    return ob.by_handle(thread, said.SectionHandle, MAP_ACCESS, SECTION_TYPE)


def _show_server_view(thread: Thread, server: Port, client: Port, said: PORT_VIEW, offer: Offer) -> None:
    section = _section(thread, said)
    mine = Window(server, section, int(said.SectionOffset), int(said.ViewSize))
    offer.server_window = Window(client, section, int(said.SectionOffset), int(said.ViewSize))
    _write_view(thread.memory, said.address, mine, offer.server_window.base)


def _show_client_view(memory: Memory, server: Port, offer: Offer, place: int) -> None:
    if int.from_bytes(memory.read(place, 4), "little") != REMOTE_PORT_VIEW.size:
        raise NtError(STATUS.INVALID_PARAMETER)
    view = REMOTE_PORT_VIEW(memory, place)
    if offer.section is None:
        view.ViewSize = view.ViewBase = 0
        return
    window = Window(server, offer.section, offer.offset, offer.size)
    offer.remote_base = window.base
    view.ViewSize, view.ViewBase = window.size, window.base


def _write_view(memory: Memory, place: int, window: Window, remote: int) -> None:
    view = PORT_VIEW(memory, place)
    view.ViewSize, view.ViewBase, view.ViewRemoteBase = window.size, window.base, remote


@service
def NtCompleteConnectPort(thread: Thread, PortHandle: HANDLE) -> NTSTATUS:
    """Let an accepted client go on."""
    port = port_by_handle(thread, PortHandle)
    if port.kind != SERVER:
        raise NtError(STATUS.INVALID_PORT_HANDLE)
    for message in messages_in(port.queue_port, PENDING):
        if message.communication is port.communication and message.kind == LPC_CONNECTION_REQUEST:
            complete(thread, message, message.data)
            return STATUS.SUCCESS
    raise NtError(STATUS.INVALID_PARAMETER)


# ---------------------------------------------------------------- the client


@service
async def NtConnectPort(
    thread: Thread,
    PortHandle: Out[HANDLE],
    PortName: In[UNICODE_STRING],
    SecurityQos: In[SECURITY_QUALITY_OF_SERVICE],
    ClientView: Ptr[PORT_VIEW] | None,
    ServerView: Ptr[REMOTE_PORT_VIEW] | None,
    MaxMessageLength: Out[ULONG] | None,
    ConnectionInformation: PVOID,
    ConnectionInformationLength: Ptr[ULONG] | None,
) -> NTSTATUS:
    """Ask the port of that name for a connection, and wait until its server has decided."""
    said = (ConnectionInformation, ConnectionInformationLength)
    call = LegacyConnect(thread, SecurityQos, ClientView, ServerView, *said)
    return await call.run(PortName, PortHandle.write, MaxMessageLength)


@service
async def NtSecureConnectPort(
    thread: Thread,
    PortHandle: Out[HANDLE],
    PortName: In[UNICODE_STRING],
    SecurityQos: In[SECURITY_QUALITY_OF_SERVICE],
    ClientView: Ptr[PORT_VIEW] | None,
    RequiredServerSid: PVOID,
    ServerView: Ptr[REMOTE_PORT_VIEW] | None,
    MaxMessageLength: Out[ULONG] | None,
    ConnectionInformation: PVOID,
    ConnectionInformationLength: Ptr[ULONG] | None,
) -> NTSTATUS:
    """The same; the server must be this user."""
    said = (ConnectionInformation, ConnectionInformationLength)
    call = LegacyConnect(thread, SecurityQos, ClientView, ServerView, *said)
    if RequiredServerSid:
        call.ask.server_sid = descriptors.read_sid(thread.memory, RequiredServerSid)
    return await call.run(PortName, PortHandle.write, MaxMessageLength)


class LegacyConnect:
    """One legacy connect call."""

    def __init__(
        self,
        thread: Thread,
        quality: SECURITY_QUALITY_OF_SERVICE,
        mine: Ptr[PORT_VIEW] | None,
        theirs: Ptr[REMOTE_PORT_VIEW] | None,
        information: int,
        length: Ptr[ULONG] | None,
    ) -> None:
        self.thread = thread
        self.mine = _view(thread.memory, mine)
        self.theirs = theirs
        if theirs is not None and theirs.read().Length != REMOTE_PORT_VIEW.size:
            raise NtError(STATUS.INVALID_PARAMETER)
        self.information = information
        self.length = length
        self.room = int(length.read()) if length is not None and information else 0
        if self.room > MAXIMUM_TOTAL:
            raise NtError(STATUS.PORT_MESSAGE_TOO_LONG)
        limits = ALPC_PORT_ATTRIBUTES.new()
        default_limits(limits)
        limits.SecurityQos.assign(security.check_quality(quality))
        data = thread.memory.read(information, self.room) if self.room else b""
        self.ask = Ask(NOTHING._replace(data=data), limits, lpc=True)

    async def run(self, name: UNICODE_STRING, put: Callable[[int], None], longest: Out[ULONG] | None) -> NTSTATUS:
        """Connect; the handle goes to `put`."""
        thread = self.thread
        text = read_unicode_string(thread.memory, name.address)
        server = find_server(thread, Attributes(text, flags=OBJ_CASE_INSENSITIVE))
        try:
            if server.is_lpc and self.room > server.connection_length:
                raise NtError(STATUS.PORT_MESSAGE_TOO_LONG)
            client, message = ask_for_connection(thread, server, self.ask)
            limit = int(server.view.PortAttributes.MaxMessageLength)
            client.view.PortAttributes.MaxMessageLength = limit
            status = await self._connect(server, client, message, put)
            if status == STATUS.SUCCESS and longest is not None:
                longest.write(limit)
            return status
        finally:
            ob.dereference(server)

    async def _connect(self, server: Port, client: Port, message: Message, put: Callable[[int], None]) -> NTSTATUS:
        thread, link = self.thread, client.link
        offer = thread.kernel.part(Offers).by_link[link.address] = Offer()
        connected = False
        try:
            try:
                window = self._offer(client, offer)
            except NtError:
                message.free()
                raise
            begin_wait(thread, message)
            dispatch(message, server)
            status, answered = await wait_answer(thread, message, None, alertable=False)
            if answered is not None:
                self._take(answered)
            if status == STATUS.SUCCESS:
                if window is not None and self.mine is not None:
                    _write_view(thread.memory, self.mine.address, window, offer.remote_base)
                self._show(offer)
                connected = True
                put(make_handle(thread, client))
            return status
        finally:
            del thread.kernel.part(Offers).by_link[link.address]
            offer.drop()
            if not connected:
                for resource in list(client.owned):
                    resource.delete()
                give_up(client)

    def _offer(self, client: Port, offer: Offer) -> Window | None:
        if self.mine is None:
            return None
        section = _section(self.thread, self.mine)
        offer.offset, offer.size = int(self.mine.SectionOffset), int(self.mine.ViewSize)
        window = Window(client, section, offer.offset, offer.size)
        ob.reference(section)
        offer.section = section
        return window

    def _take(self, answered: Message) -> None:
        data = answered.data[: self.room]
        answered.free()
        if self.room:
            self.thread.memory.write(self.information, data)
            assert self.length is not None
            self.length.write(len(data))

    def _show(self, offer: Offer) -> None:
        if self.theirs is not None:
            view = self.theirs.read()
            window = offer.server_window
            view.ViewSize = window.size if window is not None else 0
            view.ViewBase = window.base if window is not None else 0

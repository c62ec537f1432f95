"""The calls of NT 3.1: the same ports with a plainer face."""

from __future__ import annotations

import struct

import pytest

from ntos.abi import alpc
from ntos.abi.layout.alpc import PORT_MESSAGE
from ntos.abi.layout.alpc_api import PORT_VIEW, REMOTE_PORT_VIEW
from ntos.abi.status import STATUS
from ntos.ke.thread import Thread
from tests.lpc.conftest import NAME, SECOND, Seen, Talk

QUALITY = struct.pack("<IIBBxx", 12, 2, 1, 0)
TERRIBLE = struct.pack("<IIBBxx", 12, 9, 1, 0)


class Old:
    """A legacy server and its client."""

    def __init__(self, talk: Talk, server: Thread, client: Thread, create: str = "NtCreatePort") -> None:
        self.talk, self.server, self.client = talk, server, client
        self.port = talk.handle_of(server, create, talk.attributes(server, NAME), 64, 256, 0)
        self.theirs = self.mine = 0

    def quality(self, data: bytes = QUALITY) -> int:
        """A SECURITY_QUALITY_OF_SERVICE."""
        return self.talk.put(self.client, data)

    async def connect(
        self, *, client_view: int = 0, server_view: int = 0, data: bytes = b"", sid: int | None = None
    ) -> int:
        """NtConnectPort, or NtSecureConnectPort where a SID is given."""
        talk, client = self.talk, self.client
        place, most = talk.room(client, 8), talk.room(client, 4)
        self.information, self.length = (
            talk.put(client, data.ljust(64, b"\0")),
            talk.put(client, struct.pack("<I", len(data))),
        )
        middle = (server_view,) if sid is None else (sid, server_view)
        status = await talk.call_async(
            client, "NtConnectPort" if sid is None else "NtSecureConnectPort", place, talk.string(client, NAME),
            self.quality(), client_view, *middle, most, self.information if data else 0, self.length if data else 0,
        )  # fmt: skip
        self.mine = talk.integer(client, place)
        if status == 0:
            assert talk.integer(client, most, 4) == 256
        return status

    async def listen(self) -> Seen:
        """NtListenPort."""
        place = self.talk.message(self.server)
        assert await self.talk.call_async(self.server, "NtListenPort", self.port, place) == 0
        return self.talk.read(self.server, place)

    def accept(
        self, asked: Seen, data: bytes = b"", *, yes: bool = True, server_view: int = 0, client_view: int = 0
    ) -> int:
        """NtAcceptConnectPort."""
        talk, place = self.talk, self.talk.room(self.server, 8)
        reply = talk.reply(self.server, asked, data)
        status = talk.call(self.server, "NtAcceptConnectPort", place, 0xC7, reply, int(yes), server_view, client_view)
        self.theirs = talk.integer(self.server, place)
        return status

    def complete(self) -> int:
        """NtCompleteConnectPort."""
        return self.talk.call(self.server, "NtCompleteConnectPort", self.theirs)

    async def receive(self, reply: int = 0, timeout: int | None = None) -> tuple[int, int, Seen]:
        """NtReplyWaitReceivePort(Ex): status, context, message."""
        talk, context, place = self.talk, self.talk.room(self.server, 8), self.talk.message(self.server)
        if timeout is None:
            status = await talk.call_async(self.server, "NtReplyWaitReceivePort", self.port, context, reply, place)
        else:
            status = await talk.call_async(
                self.server,
                "NtReplyWaitReceivePortEx",
                self.port,
                context,
                reply,
                place,
                talk.large(self.server, timeout),
            )
        return status, talk.integer(self.server, context), talk.read(self.server, place)

    async def request(self, data: bytes, offset: int = 0) -> tuple[int, Seen]:
        """NtRequestWaitReplyPort."""
        talk, place = self.talk, self.talk.message(self.client)
        message = talk.message(self.client, data)
        PORT_MESSAGE(self.client.memory, message).u2.s2.DataInfoOffset = offset
        status = await talk.call_async(self.client, "NtRequestWaitReplyPort", self.mine, message, place)
        return status, talk.read(self.client, place)

    def connected(self) -> None:
        """Past the pleasantries."""

        async def asks() -> None:
            assert await self.connect() == 0

        async def serves() -> None:
            assert self.accept(await self.listen()) == 0
            assert self.complete() == 0

        self.talk.start(self.client, asks())
        self.talk.start(self.server, serves())
        self.talk.run()


@pytest.fixture
def old(talk: Talk, server: Thread, client: Thread) -> Old:
    """A legacy port."""
    return Old(talk, server, client)


def test_a_client_goes_on_when_the_server_completes(old: Old) -> None:
    """Listen, accept, complete; data go both ways; types carry no continuation bit."""
    talk = old.talk

    async def asks() -> None:
        talk.record.append("client connects")
        status = await old.connect(data=b"hi")
        size = talk.integer(old.client, old.length, 4)
        talk.record.append(f"client is connected: {status} {old.client.memory.read(old.information, size)!r}")

    async def serves() -> None:
        asked = await old.listen()
        talk.record.append(f"server hears {asked.type} {asked.data!r}")
        talk.record.append(f"accepted {old.accept(asked, b'in')}")
        await talk.call_async(old.server, "NtDelayExecution", 0, talk.large(old.server, -SECOND))
        talk.record.append(f"completed {old.complete()}")
        talk.record.append(f"again 0x{old.complete():X}")

    talk.start(old.client, asks())
    talk.start(old.server, serves())
    talk.run()
    assert talk.record == [
        "client connects", "server hears 10 b'hi'", "accepted 0", "completed 0",
        f"again 0x{STATUS.INVALID_PARAMETER:X}", "client is connected: 0 b'in'",
    ]  # fmt: skip


def test_a_refusal_and_bad_arguments(old: Old) -> None:
    """PORT_CONNECTION_REFUSED; a SID that is not the server's; a level nobody knows; too much to say."""
    talk = old.talk
    stranger = talk.put(old.client, talk.user().claims.user)

    async def asks() -> None:
        talk.record.append(await old.connect(sid=stranger))
        talk.record.append(await old.connect(data=b"x" * 64, sid=0))
        old.quality = lambda data=TERRIBLE: talk.put(old.client, data)  # type: ignore[method-assign]
        talk.record.append(await old.connect())

    async def serves() -> None:
        old.accept(await old.listen(), yes=False)

    talk.start(old.client, asks())
    talk.start(old.server, serves())
    talk.run()
    assert talk.record == [STATUS.SERVER_SID_MISMATCH, STATUS.PORT_CONNECTION_REFUSED, STATUS.BAD_IMPERSONATION_LEVEL]
    place = talk.room(old.server, 8)
    assert talk.call(old.server, "NtCreatePort", place, 0, 0, 0x10000, 0) == STATUS.INVALID_PARAMETER_4
    assert talk.call(old.server, "NtCreatePort", place, 0, 0x10000, 0, 0) == STATUS.INVALID_PARAMETER_3


def test_requests_and_replies(old: Old) -> None:
    """The server's loop: reply to the last, wait for the next, with the context of the client's port."""
    talk = old.talk
    old.connected()

    async def asks() -> None:
        for text in (b"one", b"two"):
            status, seen = await old.request(text)
            talk.record.append((status, seen.type, seen.data))
        datagram = talk.message(old.client, b"by the way")
        talk.record.append(talk.call(old.client, "NtRequestPort", old.mine, datagram))
        talk.call(old.client, "NtClose", old.mine)

    async def serves() -> None:
        reply = 0
        for _ in range(4):
            status, context, seen = await old.receive(reply)
            talk.record.append((status, context, seen.type, seen.data))
            reply = talk.reply(old.server, seen, seen.data.upper()) if seen.type == alpc.LPC_REQUEST else 0
        talk.record.append((await old.receive(timeout=-SECOND))[0])

    talk.start(old.server, serves())
    talk.start(old.client, asks())
    talk.run()
    assert talk.record == [
        (0, 0xC7, alpc.LPC_REQUEST, b"one"), (0, alpc.LPC_REPLY, b"ONE"),
        (0, 0xC7, alpc.LPC_REQUEST, b"two"), (0, alpc.LPC_REPLY, b"TWO"), 0,
        (0, 0xC7, alpc.LPC_DATAGRAM, b"by the way"), (0, 0xC7, alpc.LPC_PORT_CLOSED, b""), STATUS.TIMEOUT,
    ]  # fmt: skip


def test_a_server_calls_back(old: Old) -> None:
    """While its client waits, the server asks it something under the same id."""
    talk = old.talk
    old.connected()

    async def asks() -> None:
        _, seen = await old.request(b"open the door")
        talk.record.append((seen.type, seen.data))
        answer = talk.reply(old.client, seen, b"me")
        status = await talk.call_async(old.client, "NtReplyWaitReplyPort", old.mine, answer)
        seen = talk.read(old.client, answer)
        talk.record.append((status, seen.type, seen.data))

    async def serves() -> None:
        _, _, seen = await old.receive()
        question = talk.message(old.server, b"who?", number=seen.id, callback=seen.callback, kind=alpc.LPC_REQUEST)
        place = talk.message(old.server)
        status = await talk.call_async(old.server, "NtRequestWaitReplyPort", old.theirs, question, place)
        said = talk.read(old.server, place)
        talk.record.append((status, said.data))
        talk.record.append(talk.call(old.server, "NtReplyPort", old.theirs, talk.reply(old.server, seen, b"opened")))

    talk.start(old.server, serves())
    talk.start(old.client, asks())
    talk.run()
    assert talk.record == [
        (alpc.LPC_REQUEST, b"who?"), (0, b"me"), 0, (0, alpc.LPC_REPLY, b"opened"),
    ]  # fmt: skip


def test_a_server_reads_and_writes_its_clients_buffers(old: Old) -> None:
    """Only those the request names, and no further than it says."""
    talk = old.talk
    old.connected()
    buffer = talk.put(old.client, b"in the client")

    async def asks() -> None:
        information = struct.pack("<I4xQI4x", 1, buffer, 13)
        await old.request(b"look" + bytes(4) + information, offset=PORT_MESSAGE.size + 8)
        talk.record.append(old.client.memory.read(buffer, 13))

    async def serves() -> None:
        _, _, seen = await old.receive()
        place, done = talk.room(old.server, 16), talk.room(old.server, 8)
        said = (old.theirs, seen.address)
        talk.record.append(talk.call(old.server, "NtReadRequestData", *said, 0, place, 13, done))
        talk.record.append(old.server.memory.read(place, 13))
        new = talk.put(old.server, b"AT")
        talk.record.append(talk.call(old.server, "NtWriteRequestData", *said, 0, new, 2, done))
        talk.record.append(talk.call(old.server, "NtReadRequestData", *said, 0, place, 14, done))
        talk.record.append(talk.call(old.server, "NtReadRequestData", *said, 1, place, 1, done))
        talk.record.append(talk.call(old.server, "NtImpersonateClientOfPort", *said))
        talk.call(old.server, "NtReplyPort", old.theirs, talk.reply(old.server, seen))

    talk.start(old.server, serves())
    talk.start(old.client, asks())
    talk.run()
    invalid = STATUS.INVALID_PARAMETER
    assert talk.record == [0, b"in the client", 0, invalid, invalid, 0, b"AT the client"]


def test_each_side_offers_a_section(old: Old) -> None:
    """What either writes the other reads; closing the ports unmaps all four views."""
    talk, client, server = old.talk, old.client, old.server
    before = talk.objects()

    def offered(thread: Thread) -> PORT_VIEW:
        size = talk.large(thread, 0x10000)
        view = PORT_VIEW(thread.memory, talk.room(thread, PORT_VIEW.size))
        view.Length, view.ViewSize = PORT_VIEW.size, 0x10000
        view.SectionHandle = talk.handle_of(thread, "NtCreateSection", 0xF001F, 0, size, 4, 0x800_0000, 0)
        return view

    def remote(thread: Thread) -> REMOTE_PORT_VIEW:
        view = REMOTE_PORT_VIEW(thread.memory, talk.room(thread, REMOTE_PORT_VIEW.size))
        view.Length = REMOTE_PORT_VIEW.size
        return view

    mine, theirs, seen_by_client, seen_by_server = offered(client), offered(server), remote(client), remote(server)

    async def asks() -> None:
        talk.record.append(await old.connect(client_view=mine.address, server_view=seen_by_client.address))

    async def serves() -> None:
        asked = await old.listen()
        talk.record.append(old.accept(asked, server_view=theirs.address, client_view=seen_by_server.address))
        old.complete()

    talk.start(client, asks())
    talk.start(server, serves())
    talk.run()
    assert talk.record == [0, 0]
    client.memory.write(int(mine.ViewBase), b"from the client")
    assert server.memory.read(int(seen_by_server.ViewBase), 15) == b"from the client"
    server.memory.write(int(theirs.ViewBase), b"from the server")
    assert client.memory.read(int(seen_by_client.ViewBase), 15) == b"from the server"
    assert (mine.ViewRemoteBase, theirs.ViewRemoteBase) == (seen_by_server.ViewBase, seen_by_client.ViewBase)
    for thread, handles in ((client, (old.mine, mine.SectionHandle)), (server, (old.theirs, theirs.SectionHandle))):
        for handle in handles:
            assert talk.call(thread, "NtClose", int(handle)) == 0
    assert talk.objects() == before


def test_a_legacy_client_needs_a_willing_server(talk: Talk, server: Thread, client: Thread) -> None:
    """An ALPC server takes legacy clients only with ALLOW_LPC_REQUESTS."""
    port = talk.serve(server)

    async def asks() -> None:
        place = talk.room(client, 8)
        name, quality = talk.string(client, NAME), talk.put(client, QUALITY)
        talk.record.append(await talk.call_async(client, "NtConnectPort", place, name, quality, 0, 0, 0, 0, 0))
        talk.port(server, port).view.PortAttributes.Flags = alpc.ALPC_PORFLG_ALLOW_LPC_REQUESTS
        talk.record.append(await talk.call_async(client, "NtConnectPort", place, name, quality, 0, 0, 0, 0, 0))

    async def serves() -> None:
        _, asked = await talk.exchange(server, port)
        talk.accept(server, port, asked)

    talk.start(client, asks())
    talk.start(server, serves())
    talk.run()
    assert talk.record == [STATUS.LPC_REQUESTS_NOT_ALLOWED, 0]


def test_a_waitable_port_and_its_information(talk: Talk, server: Thread, client: Thread) -> None:
    """NtCreateWaitablePort's handle is signalled by a connection request; no information class is known."""
    old = Old(talk, server, client, "NtCreateWaitablePort")

    async def asks() -> None:
        await old.connect()

    async def serves() -> None:
        talk.record.append(
            await talk.call_async(server, "NtWaitForSingleObject", old.port, 0, talk.large(server, -SECOND))
        )

    talk.start(server, serves())
    talk.start(client, asks())
    talk.run()
    assert talk.record == [0]
    assert talk.call(server, "NtQueryInformationPort", old.port, 0, 0, 0, 0) == STATUS.INVALID_INFO_CLASS

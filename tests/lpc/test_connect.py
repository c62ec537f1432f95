"""Connections: asking, accepting, refusing, and who may."""

from __future__ import annotations

from ntos.abi import alpc
from ntos.abi.layout.alpc import ALPC_COMMUNICATION_INFO
from ntos.abi.status import STATUS
from ntos.ke.thread import Thread
from ntos.lpc.port import CLIENT, CONNECTION, SERVER
from ntos.rtl import sddl
from ntos.se.security import set_sddl
from ntos.se.token import primary_token
from tests.lpc.conftest import LPC_ASKED, LPC_CLOSED, NAME, RELEASE, SECOND, SYNC, Talk

CONTINUES = alpc.LPC_CONTINUATION_REQUIRED


def test_a_client_connects_and_is_answered(talk: Talk, server: Thread, client: Thread) -> None:
    """The request comes with the client's id and data; each side gets a port; a request is answered."""
    port = talk.serve(server)

    async def asks() -> None:
        talk.record.append("client connects")
        status, mine, said = await talk.connect(client, data=b"hello")
        talk.record.append(f"client has a port: {status} {said.data!r}")
        status, answered = await talk.exchange(client, mine, SYNC, talk.message(client, b"2+2"))
        talk.record.append(f"client reads {answered.data!r} type {answered.type}")

    async def serves() -> None:
        _, asked = await talk.exchange(server, port)
        talk.record.append(f"server sees {asked.type == LPC_ASKED | CONTINUES} {asked.data!r}")
        assert asked.client == (client.process.id, client.id)
        status, theirs = talk.accept(server, port, asked, b"welcome")
        talk.record.append(f"server accepts: {status}")
        _, request = await talk.exchange(server, port)
        talk.record.append(f"server reads {request.data!r} {request.type == alpc.LPC_REQUEST | CONTINUES}")
        await talk.exchange(server, theirs, RELEASE, talk.reply(server, request, b"4"), receive=False)

    talk.start(server, serves())
    talk.start(client, asks())
    talk.run()
    assert talk.record == [
        "client connects",
        "server sees True b'hello'",
        "server accepts: 0",
        "client has a port: 0 b'welcome'",
        "server reads b'2+2' True",
        "client reads b'4' type 2",
    ]


def test_three_ports_know_each_other(talk: Talk, server: Thread, client: Thread) -> None:
    """Their ALPC_COMMUNICATION_INFO names all three, and the connection port's heads the list of connections."""
    handle, theirs, mine = talk.connected(server, client)
    port, server_port, client_port = talk.port(server, handle), talk.port(server, theirs), talk.port(client, mine)
    assert [one.view.u1.s1.Type for one in (port, server_port, client_port)] == [CONNECTION, SERVER, CLIENT]
    link = ALPC_COMMUNICATION_INFO(talk.kernel.memory, int(client_port.view.CommunicationInfo))
    assert link.ConnectionPort == port.address
    assert link.ServerCommunicationPort == server_port.address
    assert link.ClientCommunicationPort == client_port.address
    head = ALPC_COMMUNICATION_INFO(talk.kernel.memory, int(port.view.CommunicationInfo)).CommunicationList
    assert list(head.iterate()) == [link.CommunicationList.address]
    assert server_port.view.PortContext == 0x5E
    assert (port.view.OwnerProcess, client_port.view.OwnerProcess) == (server.process.address, client.process.address)


def test_a_refused_client_learns_why(talk: Talk, server: Thread, client: Thread) -> None:
    """PORT_CONNECTION_REFUSED, no handle, and the server's data."""
    port = talk.serve(server)

    async def asks() -> None:
        status, handle, said = await talk.connect(client, data=b"please")
        talk.record.append((status, handle, said.data))

    async def serves() -> None:
        _, asked = await talk.exchange(server, port)
        talk.record.append(talk.accept(server, port, asked, b"no", yes=False))

    talk.start(client, asks())
    talk.start(server, serves())
    talk.run()
    assert talk.record == [(0, 0), (STATUS.PORT_CONNECTION_REFUSED, 0, b"no")]


def test_a_client_gives_up(talk: Talk, server: Thread, client: Thread) -> None:
    """TIMEOUT in virtual time; a server that has read the request already cannot accept it any more."""
    port = talk.serve(server)
    start = talk.kernel.clock.now

    async def asks() -> None:
        status, handle, _ = await talk.connect(client, timeout=-SECOND)
        talk.record.append((status, handle, (talk.kernel.clock.now - start) // SECOND))
        status, _, _ = await talk.connect(client, timeout=-SECOND)

    async def serves() -> None:
        _, asked = await talk.exchange(server, port)
        await talk.exchange(server, port, timeout=-SECOND // 2)
        await talk.exchange(server, port, timeout=-SECOND)
        talk.record.append(talk.accept(server, port, asked)[0])

    talk.start(client, asks())
    talk.start(server, serves())
    talk.run()
    assert talk.record[0] == (STATUS.TIMEOUT, 0, 1)
    assert talk.record[1] == STATUS.REQUEST_CANCELED


def test_the_name_is_guarded(talk: Talk, server: Thread) -> None:
    """Without PORT_CONNECT in its descriptor the port refuses a user, and says which entry is missing."""
    port = talk.serve(server)
    set_sddl(talk.port(server, port), "O:SYG:SYD:(A;;GA;;;SY)")
    stranger = talk.thread_of(talk.user())

    async def asks() -> None:
        talk.record.append((await talk.connect(stranger))[0])
        talk.record.append((await talk.connect(stranger, name="\\Nobody"))[0])

    talk.start(stranger, asks())
    talk.run()
    assert talk.record == [STATUS.ACCESS_DENIED, STATUS.OBJECT_NAME_NOT_FOUND]


def test_a_client_chooses_its_server(talk: Talk, client: Thread) -> None:
    """SERVER_SID_MISMATCH unless the server is who the client requires; the refusal names both."""
    other = talk.user("bob")
    system = talk.thread(talk.process())
    place = talk.room(system, 8)
    assert talk.call(system, "NtAlpcCreatePort", place, talk.attributes(system, NAME), 0) == 0

    async def asks() -> None:
        talk.record.append((await talk.connect(client, sid=other.claims.user, timeout=-SECOND))[0])
        talk.record.append(client.refusal.inputs["wanted"] if client.refusal else None)
        own = primary_token(system.process).claims.user
        talk.record.append((await talk.connect(client, sid=own, timeout=-SECOND))[0])

    talk.start(client, asks())
    talk.run()
    assert talk.record == [STATUS.SERVER_SID_MISMATCH, other.claims.groups[0].text, STATUS.TIMEOUT]


def test_a_client_describes_its_server(talk: Talk, server: Thread, client: Thread) -> None:
    """NtAlpcConnectPortEx refuses a server whose token a descriptor does not let through."""
    talk.serve(server)

    async def asks(text: str) -> None:
        status = await talk.call_async(
            client, "NtAlpcConnectPortEx", talk.room(client, 8), talk.attributes(client, NAME), 0, 0, SYNC,
            talk.put(client, sddl.parse(text).to_bytes()), 0, 0, 0, 0, talk.large(client, -SECOND),
        )  # fmt: skip
        talk.record.append(status)

    async def both() -> None:
        await asks("O:SYG:SYD:(A;;GA;;;BG)")
        await asks("O:SYG:SYD:(A;;GA;;;SY)")

    talk.start(client, both())
    talk.run()
    assert talk.record == [STATUS.ACCESS_DENIED, STATUS.TIMEOUT]


def test_connecting_without_waiting(talk: Talk, server: Thread, client: Thread) -> None:
    """Without SYNC_REQUEST the handle comes at once, and the server's decision as a message."""
    port = talk.serve(server)
    place = talk.room(client, 8)

    async def asks() -> None:
        status = await talk.call_async(
            client, "NtAlpcConnectPort", place, talk.string(client, NAME), 0, 0, 0, 0, 0, 0, 0, 0, 0
        )
        mine = talk.integer(client, place)
        talk.record.append(status)
        early, _ = await talk.exchange(client, mine, 0, talk.message(client, b"early"), receive=False)
        talk.record.append(early)
        status, said = await talk.exchange(client, mine)
        talk.record.append((status, said.type & 0xFF, said.data))

    async def serves() -> None:
        _, asked = await talk.exchange(server, port)
        talk.accept(server, port, asked, b"yes")

    talk.start(client, asks())
    talk.start(server, serves())
    talk.run()
    assert talk.record == [0, STATUS.PORT_DISCONNECTED, (0, alpc.LPC_CONNECTION_REPLY, b"yes")]


def test_a_server_hears_of_a_client_that_goes(talk: Talk, server: Thread, client: Thread) -> None:
    """PORT_CLOSED with the context of that client's port; nothing can be sent to it any more."""
    port, theirs, mine = talk.connected(server, client)
    assert talk.call(client, "NtClose", mine) == 0

    async def serves() -> None:
        wanted = talk.carrying(server, alpc.ALPC_MESSAGE_CONTEXT_ATTRIBUTE)
        status, seen = await talk.exchange(server, port, wanted=wanted)
        context = talk.integer(server, wanted.place(alpc.ALPC_MESSAGE_CONTEXT_ATTRIBUTE))
        talk.record.append((status, seen.type, seen.client, context))
        talk.record.append((await talk.exchange(server, theirs, 0, talk.message(server, b"?"), receive=False))[0])

    talk.start(server, serves())
    talk.run()
    assert talk.record[0][:2] == (0, LPC_CLOSED)
    assert talk.record[0][2][0] == client.process.id
    assert talk.record[0][3] == 0x5E
    assert talk.record[1] == STATUS.PORT_DISCONNECTED


def test_who_waits_for_a_server_that_goes_is_told(talk: Talk, server: Thread, client: Thread) -> None:
    """A request nobody has read, one nobody has answered, a receive: all end with PORT_DISCONNECTED."""
    port, theirs, mine = talk.connected(server, client)
    other = talk.thread(client.process)

    async def asks(thread: Thread, name: str) -> None:
        status, _ = await talk.exchange(thread, mine, SYNC, talk.message(thread, name.encode()))
        talk.record.append((name, status))

    async def listens() -> None:
        third = talk.thread(client.process)
        talk.start(third, receives(third))

    async def receives(thread: Thread) -> None:
        talk.record.append(("receives", (await talk.exchange(thread, mine))[0]))

    async def leaves() -> None:
        await talk.exchange(server, port)
        await listens()
        await talk.call_async(server, "NtDelayExecution", 0, talk.large(server, -SECOND))
        talk.call(server, "NtClose", theirs)

    talk.start(client, asks(client, "read"))
    talk.start(other, asks(other, "unread"))
    talk.start(server, leaves())
    talk.run()
    assert sorted(talk.record) == [(name, STATUS.PORT_DISCONNECTED) for name in ("read", "receives", "unread")]


def test_closing_the_connection_port_ends_all(talk: Talk, server: Thread, client: Thread) -> None:
    """Connected clients are cut off, the name is gone."""
    port, _, mine = talk.connected(server, client)
    talk.call(server, "NtClose", port)

    async def asks() -> None:
        talk.record.append((await talk.exchange(client, mine, SYNC, talk.message(client, b"?")))[0])
        talk.record.append((await talk.connect(client))[0])

    talk.start(client, asks())
    talk.run()
    assert talk.record == [STATUS.PORT_DISCONNECTED, STATUS.OBJECT_NAME_NOT_FOUND]


def test_disconnecting_keeps_the_handle(talk: Talk, server: Thread, client: Thread) -> None:
    """NtAlpcDisconnectPort ends the connection; the server hears of it."""
    port, _, mine = talk.connected(server, client)
    assert talk.call(client, "NtAlpcDisconnectPort", mine, 2) == STATUS.INVALID_PARAMETER
    assert talk.call(client, "NtAlpcDisconnectPort", mine, 0) == 0

    async def serves() -> None:
        talk.record.append((await talk.exchange(server, port))[1].type)
        talk.record.append((await talk.exchange(client, mine, 0, talk.message(client), receive=False))[0])

    talk.start(server, serves())
    talk.run()
    assert talk.record == [LPC_CLOSED, STATUS.PORT_DISCONNECTED]


def test_a_dying_process_closes_its_ports(talk: Talk, server: Thread, client: Thread) -> None:
    """The server reads CLIENT_DIED for a thread that asked for it, then PORT_CLOSED."""
    port, _, mine = talk.connected(server, client)
    client.ethread.CreateTime = 0x1234
    assert talk.call(client, "NtRegisterThreadTerminatePort", mine) == 0
    talk.die(client)

    async def serves() -> None:
        for _ in range(2):
            _, seen = await talk.exchange(server, port)
            talk.record.append((seen.type, seen.data))

    talk.start(server, serves())
    talk.run()
    assert talk.record == [
        (alpc.LPC_CLIENT_DIED, (0x1234).to_bytes(8, "little")),
        (LPC_CLOSED, b""),
    ]


def test_a_dying_server_frees_its_clients(talk: Talk, server: Thread, client: Thread) -> None:
    """The client that waits gets PORT_DISCONNECTED when the server's handles are closed."""
    port, _, mine = talk.connected(server, client)

    async def asks() -> None:
        talk.record.append((await talk.exchange(client, mine, SYNC, talk.message(client, b"?")))[0])

    async def dies() -> None:
        await talk.exchange(server, port)
        talk.die(server)

    talk.start(client, asks())
    talk.start(server, dies())
    talk.run()
    assert talk.record == [STATUS.PORT_DISCONNECTED]


def test_nothing_is_left(talk: Talk, server: Thread, client: Thread) -> None:
    """After a hundred conversations pool blocks, objects and frames are what they were."""
    port = talk.serve(server)

    async def asks() -> None:
        for round_number in range(100):
            if round_number == 10:
                talk.record.append((talk.blocks(), talk.objects()))
            _, mine, _ = await talk.connect(client, data=b"x" * 100)
            await talk.exchange(client, mine, SYNC, talk.message(client, b"ask"))
            talk.call(client, "NtClose", mine)
            await talk.call_async(client, "NtDelayExecution", 0, talk.large(client, -1000))

    async def serves() -> None:
        contexts: dict[int, int] = {}
        while True:
            wanted = talk.carrying(server, alpc.ALPC_MESSAGE_CONTEXT_ATTRIBUTE)
            _, seen = await talk.exchange(server, port, wanted=wanted)
            context = talk.integer(server, wanted.place(alpc.ALPC_MESSAGE_CONTEXT_ATTRIBUTE))
            match seen.type & 0xFF:
                case alpc.LPC_CONNECTION_REQUEST:
                    contexts[len(contexts) + 1] = talk.accept(server, port, seen, context=len(contexts) + 1)[1]
                case alpc.LPC_PORT_CLOSED:
                    talk.call(server, "NtClose", contexts[context])
                case _:
                    reply = talk.reply(server, seen, b"answer" * 20)
                    await talk.exchange(server, port, alpc.ALPC_MSGFLG_RELEASE_MESSAGE, reply, receive=False)

    talk.start(client, asks())
    talk.start(server, serves())
    talk.run()
    assert (talk.blocks(), talk.objects()) == talk.record[0]

"""Messages on a connection: requests, replies, datagrams, who receives what, and how waits end."""

from __future__ import annotations

import pytest

from ntos.abi import alpc
from ntos.abi.layout.alpc import PORT_MESSAGE
from ntos.abi.layout.alpc_api import ALPC_CONTEXT_ATTR
from ntos.abi.status import STATUS
from ntos.ke.thread import Thread
from ntos.lpc.message import MessageTable
from tests.lpc.conftest import RELEASE, SECOND, SYNC, Talk

CONTINUES = alpc.LPC_CONTINUATION_REQUIRED
CONTEXT = alpc.ALPC_MESSAGE_CONTEXT_ATTRIBUTE


def test_server_threads_are_served_in_order(talk: Talk, server: Thread, client: Thread) -> None:
    """Of several threads that wait, each message goes to the one that has waited longest."""
    port, _, mine = talk.connected(server, client)
    workers = [server, talk.thread(server.process), talk.thread(server.process)]

    async def serves(thread: Thread, name: str) -> None:
        _, seen = await talk.exchange(thread, port)
        talk.record.append(f"{name} gets {seen.data.decode()}")

    async def sends() -> None:
        for data in (b"one", b"two", b"three"):
            await talk.exchange(client, mine, RELEASE, talk.message(client, data), receive=False)

    for thread, name in zip(workers, "ABC", strict=True):
        talk.start(thread, serves(thread, name))
    talk.start(client, sends())
    talk.run()
    assert talk.record == ["A gets one", "B gets two", "C gets three"]


def test_a_datagram_wants_no_answer(talk: Talk, server: Thread, client: Thread) -> None:
    """It is over once it is received: its id leads nowhere."""
    port, _, mine = talk.connected(server, client)

    async def both() -> None:
        await talk.exchange(client, mine, RELEASE, talk.message(client, b"news"), receive=False)
        _, seen = await talk.exchange(server, port)
        talk.record.append((seen.type, seen.data))
        talk.record.append((await talk.exchange(server, port, 0, talk.reply(server, seen), receive=False))[0])

    talk.start(server, both())
    talk.run()
    assert talk.record == [(alpc.LPC_DATAGRAM, b"news"), STATUS.REPLY_MESSAGE_MISMATCH]
    assert not talk.kernel.part(MessageTable).by_id


def test_a_request_can_be_answered_later(talk: Talk, server: Thread, client: Thread) -> None:
    """Without SYNC_REQUEST the sender goes on, knows the message by its context attribute, and finds the reply."""
    port, _, mine = talk.connected(server, client)

    async def both() -> None:
        sent = talk.carrying(client, CONTEXT, CONTEXT)
        ALPC_CONTEXT_ATTR(client.memory, sent.place(CONTEXT)).MessageContext = 0xC0
        await talk.exchange(client, mine, 0, talk.message(client, b"when?"), sent=sent, receive=False)
        number = int(ALPC_CONTEXT_ATTR(client.memory, sent.place(CONTEXT)).MessageId)
        _, seen = await talk.exchange(server, port)
        assert seen.id == number
        await talk.exchange(server, port, RELEASE, talk.reply(server, seen, b"now"), receive=False)
        wanted = talk.carrying(client, CONTEXT)
        _, answer = await talk.exchange(client, mine, wanted=wanted)
        said = ALPC_CONTEXT_ATTR(client.memory, wanted.place(CONTEXT))
        talk.record.append((answer.type, answer.data, answer.id == number, int(said.MessageContext)))

    talk.start(server, both())
    talk.run()
    assert talk.record == [(alpc.LPC_REPLY, b"now", True, 0xC0)]


def test_a_conversation_goes_on_under_one_id(talk: Talk, server: Thread, client: Thread) -> None:
    """A reply that does not release the message can itself be answered."""
    port, _, mine = talk.connected(server, client)

    async def asks() -> None:
        _, first = await talk.exchange(client, mine, SYNC, talk.message(client, b"one"))
        _, second = await talk.exchange(client, mine, SYNC, talk.reply(client, first, b"three"))
        talk.record.append((first.type == alpc.LPC_REPLY | CONTINUES, first.data, second.data, first.id == second.id))

    async def serves() -> None:
        _, seen = await talk.exchange(server, port)
        _, seen = await talk.exchange(server, port, 0, talk.reply(server, seen, b"two"))
        talk.record.append(seen.data)
        await talk.exchange(server, port, RELEASE, talk.reply(server, seen, b"four"), receive=False)

    talk.start(client, asks())
    talk.start(server, serves())
    talk.run()
    assert talk.record == [b"three", (True, b"two", b"four", True)]
    assert not talk.kernel.part(MessageTable).by_id


def test_a_server_asks_its_client(talk: Talk, server: Thread, client: Thread) -> None:
    """Through its communication port a server sends, too; through the connection port it cannot."""
    port, theirs, mine = talk.connected(server, client)

    async def serves() -> None:
        _, answer = await talk.exchange(server, theirs, SYNC, talk.message(server, b"alive?"))
        talk.record.append(answer.data)
        status, _ = await talk.exchange(server, port, 0, talk.message(server, b"all"), receive=False)
        talk.record.append(status)

    async def answers() -> None:
        _, seen = await talk.exchange(client, mine)
        await talk.exchange(client, mine, RELEASE, talk.reply(client, seen, b"yes"), receive=False)

    talk.start(server, serves())
    talk.start(client, answers())
    talk.run()
    assert talk.record == [b"yes", STATUS.LPC_INVALID_CONNECTION_USAGE]


def test_a_request_times_out(talk: Talk, server: Thread, client: Thread) -> None:
    """TIMEOUT in virtual time; the server that read it is told REQUEST_CANCELED; one nobody read is gone."""
    port, _, mine = talk.connected(server, client)
    start = talk.kernel.clock.now

    async def asks() -> None:
        status, _ = await talk.exchange(client, mine, SYNC, talk.message(client, b"slow"), timeout=-3 * SECOND)
        talk.record.append((status, (talk.kernel.clock.now - start) // SECOND))
        status, _ = await talk.exchange(client, mine, SYNC, talk.message(client, b"unread"), timeout=-SECOND)

    async def serves() -> None:
        _, seen = await talk.exchange(server, port)
        await talk.call_async(server, "NtDelayExecution", 0, talk.large(server, -10 * SECOND))
        talk.record.append((await talk.exchange(server, port, 0, talk.reply(server, seen), receive=False))[0])
        talk.record.append((await talk.exchange(server, port, timeout=0))[0])

    talk.start(client, asks())
    talk.start(server, serves())
    talk.run()
    assert talk.record == [(STATUS.TIMEOUT, 3), STATUS.REQUEST_CANCELED, STATUS.TIMEOUT]


def test_a_receive_times_out(talk: Talk, server: Thread) -> None:
    """Nobody sends: TIMEOUT, and the wait queue is empty again."""
    port = talk.serve(server)

    async def waits() -> None:
        talk.record.append((await talk.exchange(server, port, timeout=-SECOND))[0])

    talk.start(server, waits())
    talk.run()
    assert talk.record == [STATUS.TIMEOUT]
    assert talk.port(server, port).view.WaitQueue.is_empty()


def test_a_small_buffer_loses_nothing(talk: Talk, server: Thread, client: Thread) -> None:
    """BUFFER_TOO_SMALL, with the size it takes; the message waits in the large queue while shorter ones pass."""
    port, _, mine = talk.connected(server, client)

    async def both() -> None:
        for data in (b"long" * 20, b"short"):
            await talk.exchange(client, mine, RELEASE, talk.message(client, data), receive=False)
        talk.record.append((await talk.exchange(server, port, room=PORT_MESSAGE.size + 8))[0])
        talk.record.append(int(talk.port(server, port).view.LargeMessageQueueLength))
        talk.record.append((await talk.exchange(server, port, room=PORT_MESSAGE.size + 8))[1].data)
        talk.record.append(len((await talk.exchange(server, port))[1].data))

    talk.start(server, both())
    talk.run()
    assert talk.record == [STATUS.BUFFER_TOO_SMALL, 1, b"short", 80]


def test_a_reply_may_be_larger_than_its_request(talk: Talk, server: Thread, client: Thread) -> None:
    """One too large for the waiting client's buffer is there when it comes again with more room."""
    port, _, mine = talk.connected(server, client)

    async def asks() -> None:
        room = PORT_MESSAGE.size + 4
        status, _ = await talk.exchange(client, mine, SYNC, talk.message(client, b"q"), room=room)
        talk.record.append(status)
        talk.record.append((await talk.exchange(client, mine))[1].data)

    async def serves() -> None:
        _, seen = await talk.exchange(server, port)
        await talk.exchange(server, port, RELEASE, talk.reply(server, seen, b"a" * 300), receive=False)

    talk.start(client, asks())
    talk.start(server, serves())
    talk.run()
    assert talk.record == [STATUS.BUFFER_TOO_SMALL, b"a" * 300]


def test_lengths_are_checked(talk: Talk, server: Thread, client: Thread) -> None:
    """PORT_MESSAGE_TOO_LONG beyond the server's limit; INVALID_PARAMETER where the lengths do not fit each other."""
    _, _, mine = talk.connected(server, client, sMaxMessageLength=0x100)

    async def sends() -> None:
        talk.record.append((await talk.exchange(client, mine, 0, talk.message(client, b"x" * 0x100), receive=False))[0])
        broken = talk.message(client, b"abc")
        PORT_MESSAGE(client.memory, broken).u1.s1.TotalLength = PORT_MESSAGE.size + 2
        talk.record.append((await talk.exchange(client, mine, 0, broken, receive=False))[0])
        talk.record.append((await talk.exchange(client, mine, SYNC, talk.message(client), receive=False))[0])
        talk.record.append((await talk.exchange(client, mine, SYNC | RELEASE, talk.message(client)))[0])
        talk.record.append((await talk.exchange(client, mine, 0, 0, receive=False))[0])

    talk.start(client, sends())
    talk.run()
    assert talk.record == [
        STATUS.PORT_MESSAGE_TOO_LONG, STATUS.INVALID_PARAMETER, STATUS.LPC_RECEIVE_BUFFER_EXPECTED,
        STATUS.INVALID_PARAMETER, STATUS.INVALID_PARAMETER,
    ]  # fmt: skip


@pytest.mark.parametrize(("read", "flags", "status"), [
    (False, 0, 0), (True, 0, 0), (True, alpc.ALPC_CANCELFLG_TRY_CANCEL, STATUS.MESSAGE_RETRIEVED),
])  # fmt: skip
def test_a_message_is_taken_back(
    talk: Talk, server: Thread, client: Thread, read: bool, flags: int, status: int
) -> None:
    """NtAlpcCancelMessage: one that was read can only be taken back without TRY_CANCEL, and its reader is told."""
    port, _, mine = talk.connected(server, client)

    async def both() -> None:
        sent = talk.carrying(client, CONTEXT, CONTEXT)
        place = sent.place(CONTEXT)
        ALPC_CONTEXT_ATTR(client.memory, place).MessageContext = 7
        await talk.exchange(client, mine, 0, talk.message(client), sent=sent, receive=False)
        seen = (await talk.exchange(server, port))[1] if read else None
        ALPC_CONTEXT_ATTR(client.memory, place).MessageContext = 8
        talk.record.append(talk.call(client, "NtAlpcCancelMessage", mine, flags, place))
        ALPC_CONTEXT_ATTR(client.memory, place).MessageContext = 7
        talk.record.append(talk.call(client, "NtAlpcCancelMessage", mine, flags, place))
        if seen is not None:
            talk.record.append((await talk.exchange(server, port, 0, talk.reply(server, seen), receive=False))[0])
        else:
            talk.record.append((await talk.exchange(server, port, timeout=0))[0])

    talk.start(server, both())
    talk.run()
    last = (0 if status else STATUS.REQUEST_CANCELED) if read else STATUS.TIMEOUT
    assert talk.record == [STATUS.CONTEXT_MISMATCH, status, last]


def test_a_thread_that_ends_leaves_its_request(talk: Talk, server: Thread, client: Thread) -> None:
    """A client terminated in its wait, and a server thread in its receive, are in no queue any more."""
    port, _, mine = talk.connected(server, client)
    other = talk.thread(server.process)

    async def asks() -> None:
        await talk.exchange(client, mine, SYNC, talk.message(client, b"?"))

    async def waits() -> None:
        await talk.exchange(server, port)
        await talk.exchange(server, port)

    async def kills() -> None:
        for thread in (client, server):
            thread.terminating = 1
            if thread.waiting is not None:
                thread.waiting.finish(STATUS.THREAD_IS_TERMINATING)

    talk.start(client, asks())
    talk.start(server, waits())
    talk.run()
    talk.start(other, kills())
    talk.run()
    assert talk.record == [f"{client.id} terminated", f"{server.id} terminated"]
    view = talk.port(server, port).view
    assert view.WaitQueue.is_empty()
    assert view.PendingQueue.is_empty()
    assert int(view.CanceledQueueLength) == 1


def test_a_completion_port_is_told(talk: Talk, server: Thread, client: Thread) -> None:
    """AlpcAssociateCompletionPortInformation: a packet with the key for each message nobody waited for."""
    port, _, mine = talk.connected(server, client)
    completion = talk.handle_of(server, "NtCreateIoCompletion", 0x1F0003, 0, 1)
    said = talk.put(server, (0x4B).to_bytes(8, "little") + completion.to_bytes(8, "little"))
    assert talk.call(server, "NtAlpcSetInformation", port, 2, said, 16) == 0
    assert talk.call(server, "NtAlpcSetInformation", port, 2, said, 15) == STATUS.INFO_LENGTH_MISMATCH
    assert talk.call(server, "NtAlpcSetInformation", port, 99, said, 16) == STATUS.INVALID_INFO_CLASS

    async def both() -> None:
        await talk.exchange(client, mine, RELEASE, talk.message(client, b"m"), receive=False)
        key, context, status = talk.room(server, 8), talk.room(server, 8), talk.room(server, 16)
        await talk.call_async(server, "NtRemoveIoCompletion", completion, key, context, status, talk.large(server, 0))
        talk.record.append(talk.integer(server, key))
        talk.record.append((await talk.exchange(server, port, timeout=0))[1].data)

    talk.start(server, both())
    talk.run()
    assert talk.record == [0x4B, b"m"]


def test_a_waitable_port_is_signalled(talk: Talk, server: Thread, client: Thread) -> None:
    """ALPC_PORFLG_WAITABLE_PORT: its handle can be waited on while messages are queued; another's cannot."""
    port, theirs, mine = talk.connected(server, client, sFlags=alpc.ALPC_PORFLG_WAITABLE_PORT)
    zero = talk.large(server, 0)

    async def both() -> None:
        talk.record.append(await talk.call_async(server, "NtWaitForSingleObject", port, 0, zero))
        await talk.exchange(client, mine, RELEASE, talk.message(client), receive=False)
        talk.record.append(int(talk.port(server, port).waits_on().header.SignalState))
        await talk.exchange(server, port)
        talk.record.append(int(talk.port(server, port).waits_on().header.SignalState))
        talk.record.append(await talk.call_async(client, "NtWaitForSingleObject", mine, 0, talk.large(client, 0)))

    talk.start(server, both())
    talk.run()
    assert talk.record == [STATUS.TIMEOUT, 1, 0, STATUS.OBJECT_TYPE_MISMATCH]
    assert theirs


def test_what_a_port_says_of_itself(talk: Talk, server: Thread, client: Thread) -> None:
    """Basic information, the server's session and process, the SID it is connected to; reserves."""
    _, theirs, mine = talk.connected(server, client)
    place = talk.room(server, 16)
    assert talk.call(server, "NtAlpcQueryInformation", theirs, 0, place, 16, 0) == 0
    assert talk.integer(server, place + 8) == 0x5E
    place = talk.room(client, 64)
    assert talk.call(client, "NtAlpcQueryInformation", mine, 12, place, 8, 0) == 0
    assert talk.integer(client, place + 4, 4) == server.process.id
    client.memory.write(place, talk.system.claims.user)
    assert talk.call(client, "NtAlpcQueryInformation", mine, 3, place, 12, 0) == 0
    client.memory.write(place, talk.user().claims.user)
    assert talk.call(client, "NtAlpcQueryInformation", mine, 3, place, 28, 0) == STATUS.SERVER_SID_MISMATCH
    assert talk.call(client, "NtAlpcQueryInformation", mine, 99, place, 28, 0) == STATUS.INVALID_INFO_CLASS
    before = talk.blocks()
    assert talk.call(client, "NtAlpcCreateResourceReserve", mine, 0, 0x200, place) == 0
    assert talk.call(client, "NtAlpcDeleteResourceReserve", mine, 0, talk.integer(client, place, 4)) == 0
    assert talk.call(client, "NtAlpcDeleteResourceReserve", mine, 0, 5) == STATUS.INVALID_HANDLE
    assert talk.blocks() <= before + 1

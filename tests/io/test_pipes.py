"""Named pipes: what each end sees, and in which order things happen."""

from __future__ import annotations

import struct

import pytest

from ntos.abi.status import STATUS
from ntos.ke.thread import Thread
from ntos.ke.wait import delay
from tests.io.conftest import READ, SYNCHRONOUS, WRITE, Caller

PIPE = "\\Device\\NamedPipe\\"
LISTEN, DISCONNECT, PEEK, TRANSCEIVE, WAIT = 0x110008, 0x110004, 0x11400C, 0x11C017, 0x110018
PENDING = 0x103
DUPLEX = READ | WRITE


def server(
    caller: Caller,
    name: str = "p",
    *,
    message: bool = False,
    instances: int = 255,
    quota: int = 4096,
    share: int = 3,
    options: int = SYNCHRONOUS,
    disposition: int = 3,
    non_blocking: bool = False,
) -> int:
    """NtCreateNamedPipeFile; the handle or the error status."""
    place = caller.world.room(caller.thread, 8)
    timeout = caller.world.large(caller.thread, -500_000)
    status = caller.call(
        "NtCreateNamedPipeFile", place, DUPLEX, caller.attributes(PIPE + name), caller.block, share, disposition,
        options, int(message), int(message), int(non_blocking), instances, quota, quota, timeout,
    )  # fmt: skip
    return status if status >> 30 == 3 else caller.world.integer(caller.thread, place)


def control(caller: Caller, handle: int, code: int, data: bytes = b"", room: int = 0x400) -> int:
    """NtFsControlFile."""
    source = caller.world.put(caller.thread, data)
    return caller.do("NtFsControlFile", handle, 0, 0, 0, caller.block, code, source, len(data), caller.buffer, room)


def answer(caller: Caller) -> bytes:
    """What the last call wrote."""
    return caller.thread.memory.read(caller.buffer, caller.information)


def test_bytes_go_both_ways(caller: Caller) -> None:
    """A connected byte pipe carries bytes in both directions, without boundaries."""
    pipe = server(caller)
    client = caller.open(PIPE + "p", DUPLEX)
    assert control(caller, pipe, LISTEN) == STATUS.PIPE_CONNECTED
    assert caller.write(client, b"one") == 0
    assert caller.write(client, b"two") == 0
    assert caller.read(pipe) == b"onetwo"
    assert caller.write(pipe, b"back") == 0
    assert caller.read(client, size=2) == b"ba"
    assert caller.read(client) == b"ck"


def test_messages_keep_their_bounds(caller: Caller) -> None:
    """In message mode a read takes one message; one that is too long comes in parts (BUFFER_OVERFLOW)."""
    pipe = server(caller, message=True)
    client = caller.open(PIPE + "p", DUPLEX)
    caller.write(client, b"first")
    caller.write(client, b"")
    caller.write(client, b"second")
    assert caller.read(pipe) == b"first"
    assert caller.read(pipe) == b""
    assert caller.read(pipe, size=3) == STATUS.BUFFER_OVERFLOW
    assert answer(caller) == b"sec"
    assert caller.read(pipe) == b"ond"


def test_a_listening_server_is_told(caller: Caller) -> None:
    """FSCTL_PIPE_LISTEN waits for a client, a read for its data; the order is the record."""
    pipe = server(caller)
    record: list[str] = []
    client = caller.other()

    async def serve() -> None:
        call = caller.world.call_async
        record.append("server listens")
        arguments = (pipe, 0, 0, 0, caller.block, LISTEN, 0, 0, 0, 0)
        assert await call(caller.thread, "NtFsControlFile", *arguments) == 0
        record.append("server connected")
        reading = (pipe, 0, 0, 0, caller.block, caller.buffer, 16, 0, 0)
        assert await call(caller.thread, "NtReadFile", *reading) == 0
        record.append(f"server reads {answer(caller)!r}")

    async def ask() -> None:
        await delay(client.thread, -1000, alertable=False)
        record.append("client opens")
        handle = client.open(PIPE + "p", DUPLEX)
        await delay(client.thread, -1000, alertable=False)
        record.append("client writes")
        client.thread.memory.write(client.buffer, b"hi")
        arguments = (handle, 0, 0, 0, client.block, client.buffer, 2, 0, 0)
        assert await client.world.call_async(client.thread, "NtWriteFile", *arguments) == 0

    caller.start(serve())
    client.start(ask())
    caller.world.run()
    assert record == [
        "server listens", "client opens", "server connected", "client writes", "server reads b'hi'",
    ]  # fmt: skip


def test_a_closed_end_breaks_the_pipe_after_its_data(caller: Caller) -> None:
    """What a closed client wrote can still be read; then PIPE_BROKEN; writing to it is PIPE_CLOSING."""
    pipe = server(caller)
    client = caller.open(PIPE + "p", DUPLEX)
    caller.write(client, b"last words")
    caller.close(client)
    assert caller.write(pipe, b"x") == STATUS.PIPE_CLOSING
    assert caller.read(pipe) == b"last words"
    assert caller.read(pipe) == STATUS.PIPE_BROKEN
    assert control(caller, pipe, LISTEN) == STATUS.PIPE_CLOSING
    assert control(caller, pipe, DISCONNECT) == 0
    assert caller.read(pipe) == STATUS.PIPE_DISCONNECTED


def test_a_waiting_reader_learns_of_the_end(caller: Caller) -> None:
    """A read that waits ends with PIPE_BROKEN when the other end closes."""
    pipe = server(caller)
    other = caller.other()
    client = other.open(PIPE + "p", DUPLEX)
    assert caller.read(pipe) == PENDING
    other.close(client)
    caller.world.run()
    assert caller.read(pipe) == STATUS.PIPE_BROKEN


def test_disconnecting_throws_the_client_out(caller: Caller) -> None:
    """After FSCTL_PIPE_DISCONNECT the client sees PIPE_DISCONNECTED, and the instance can serve the next."""
    pipe = server(caller)
    client = caller.open(PIPE + "p", DUPLEX)
    caller.write(pipe, b"lost")
    assert control(caller, pipe, DISCONNECT) == 0
    assert caller.read(client) == STATUS.PIPE_DISCONNECTED
    assert caller.open(PIPE + "p", DUPLEX) == STATUS.PIPE_NOT_AVAILABLE
    listener = caller.other()
    assert control(caller, pipe, DISCONNECT) == STATUS.PIPE_DISCONNECTED
    assert control(caller, pipe, LISTEN) == PENDING
    assert listener.open(PIPE + "p", DUPLEX) >> 30 != 3


def test_instances(caller: Caller) -> None:
    """Each instance serves one client; more than the maximum cannot be made; no name, no pipe."""
    assert caller.open(PIPE + "p", DUPLEX) == STATUS.OBJECT_NAME_NOT_FOUND
    first = server(caller, instances=2)
    assert server(caller, instances=2, disposition=2) == STATUS.ACCESS_DENIED
    server(caller, instances=2)
    assert server(caller, instances=2) == STATUS.INSTANCE_NOT_AVAILABLE
    assert server(caller, instances=2, disposition=2) == STATUS.INSTANCE_NOT_AVAILABLE
    assert caller.open(PIPE + "P", DUPLEX) >> 30 != 3
    assert caller.open(PIPE + "p", DUPLEX) >> 30 != 3
    assert caller.open(PIPE + "p", DUPLEX) == STATUS.PIPE_NOT_AVAILABLE
    local = struct.unpack("<10I", caller.query(first, 24))
    assert local[:4] == (0, 2, 2, 2)
    assert local[8:] == (3, 1)


def test_direction(caller: Caller) -> None:
    """A pipe created with share mode READ alone is outbound: clients cannot open it for writing."""
    server(caller, share=1)
    assert caller.open(PIPE + "p", WRITE) == STATUS.ACCESS_DENIED
    assert caller.open(PIPE + "p", READ) >> 30 != 3


def test_writes_beyond_the_quota_wait_for_the_reader(caller: Caller) -> None:
    """A write that does not fit the quota ends when the reader has made room."""
    pipe = server(caller, quota=4)
    other = caller.other()
    client = other.open(PIPE + "p", DUPLEX)
    assert other.write(client, b"abcdefgh") == PENDING
    assert caller.read(pipe, size=2) == b"ab"
    assert caller.read(pipe, size=6) == b"cdefgh"
    assert other.world.integer(other.thread, other.block + 8) == 8


def test_non_blocking_ends(caller: Caller) -> None:
    """A non-blocking end does not wait: PIPE_EMPTY when there is nothing, PIPE_LISTENING when nobody came."""
    pipe = server(caller, non_blocking=True)
    assert control(caller, pipe, LISTEN) == STATUS.PIPE_LISTENING
    client = caller.open(PIPE + "p", DUPLEX)
    assert caller.read(pipe) == STATUS.PIPE_EMPTY
    assert caller.set(client, 23, struct.pack("<II", 0, 1)) == 0
    assert caller.set(client, 23, struct.pack("<II", 1, 1)) == STATUS.INVALID_PARAMETER
    assert caller.write(client, b"x" * 5000) == 0
    assert caller.information == 4096


def test_peeking_takes_nothing(caller: Caller) -> None:
    """FSCTL_PIPE_PEEK tells state, bytes and messages, and leaves them."""
    pipe = server(caller, message=True)
    client = caller.open(PIPE + "p", DUPLEX)
    caller.write(client, b"abc")
    caller.write(client, b"de")
    assert control(caller, pipe, PEEK) == 0
    assert struct.unpack("<4I", answer(caller)[:16]) == (3, 5, 2, 3)
    assert answer(caller)[16:] == b"abc"
    assert control(caller, pipe, PEEK, room=18) == STATUS.BUFFER_OVERFLOW
    assert caller.read(pipe) == b"abc"


def test_transceive_waits_for_the_answer(caller: Caller) -> None:
    """FSCTL_PIPE_TRANSCEIVE writes a message and gives the next one that comes back."""
    pipe = server(caller, message=True)
    other = caller.other()
    client = other.open(PIPE + "p", DUPLEX)
    assert other.set(client, 23, struct.pack("<II", 1, 0)) == 0
    assert control(other, client, TRANSCEIVE, b"question") == PENDING
    assert caller.read(pipe) == b"question"
    assert caller.write(pipe, b"answer") == 0
    other.world.run()
    assert answer(other) == b"answer"


def test_waiting_for_a_pipe(caller: Caller) -> None:
    """FSCTL_PIPE_WAIT ends when an instance listens, at once if one does, with IO_TIMEOUT after its time."""
    root = caller.open("\\Device\\NamedPipe\\", 0x100080)
    name = "p".encode("utf-16-le")
    asked = struct.pack("<qIBx", -1_000_000, len(name), 1) + name
    assert control(caller, root, WAIT, asked) == STATUS.OBJECT_NAME_NOT_FOUND
    server(caller)
    assert control(caller, root, WAIT, asked) == 0
    caller.open(PIPE + "p", DUPLEX)
    assert control(caller, root, WAIT, asked) == STATUS.IO_TIMEOUT


def test_the_pipe_directory_lists_names(caller: Caller) -> None:
    r"""Enumerating \Device\NamedPipe\ gives the pipes."""
    server(caller, "beta")
    server(caller, "alpha")
    root = caller.open("\\Device\\NamedPipe\\", 0x100001)
    assert caller.names(root) == ["alpha", "beta"]


def test_an_anonymous_pipe(caller: Caller) -> None:
    """A pipe without a name is opened relative to its server end."""
    root = caller.open("\\Device\\NamedPipe\\", 0x100080)
    place, timeout = caller.world.room(caller.thread, 8), caller.world.large(caller.thread, -500_000)
    assert (
        caller.call(
            "NtCreateNamedPipeFile", place, READ | 0x100, caller.attributes("", root), caller.block, 3, 2,
            SYNCHRONOUS, 0, 0, 0, 1, 4096, 4096, timeout,
        )
        == 0
    )  # fmt: skip
    reader = caller.world.integer(caller.thread, place)
    writer = caller.open("", WRITE, root=reader, options=SYNCHRONOUS | 0x40)
    assert caller.write(writer, b"through") == 0
    assert caller.read(reader) == b"through"


class Port:
    """A completion port that remembers."""

    def __init__(self) -> None:
        self.packets: list[tuple[int, int, int, int]] = []

    def post(self, key: int, apc_context: int, status: int, information: int) -> None:
        self.packets.append((key, apc_context, status, information))


def test_overlapped_reads_end_at_a_completion_port(caller: Caller) -> None:
    """An overlapped read returns PENDING; its packet bears the file's key, the caller's context and the count."""
    from ntos import io, ob

    pipe = server(caller, options=0)
    file = ob.by_handle(caller.thread, pipe, 0, io.FILE)
    port = Port()
    file.associate(port, file, 77)
    client = caller.open(PIPE + "p", DUPLEX)
    arguments = (pipe, 0, 0, 0x1234, caller.block, caller.buffer, 16, 0, 0)
    assert caller.do("NtReadFile", *arguments) == PENDING
    assert port.packets == []
    other = caller.buffer + 0x100
    caller.thread.memory.write(other, b"data")
    block = caller.world.room(caller.thread, 16)
    assert caller.do("NtWriteFile", client, 0, 0, 0, block, other, 4, 0, 0) == 0
    assert port.packets == [(77, 0x1234, 0, 4)]
    assert caller.thread.memory.read(caller.buffer, 4) == b"data"
    assert caller.world.integer(caller.thread, caller.block + 8) == 4
    assert caller.world.integer(caller.thread, caller.block, 4) == 0
    file.dissociate()


def test_a_port_is_set_by_handle(caller: Caller) -> None:
    """FileCompletionInformation ties a file to an IoCompletion object, once."""
    import ntos.ex.completion  # noqa: F401 - registers its services

    place = caller.world.room(caller.thread, 8)
    assert caller.call("NtCreateIoCompletion", place, 0x1F0003, 0, 0) == 0
    port = caller.world.integer(caller.thread, place)
    pipe = server(caller, options=0)
    assert caller.set(pipe, 30, struct.pack("<QQ", port, 5)) == 0
    assert caller.set(pipe, 30, struct.pack("<QQ", port, 5)) == STATUS.INVALID_PARAMETER
    client = caller.open(PIPE + "p", DUPLEX)
    caller.write(client, b"ready")
    arguments = (pipe, 0, 0, 0xC0, caller.block, caller.buffer, 16, 0, 0)
    assert caller.do("NtReadFile", *arguments) == 0
    key, context, block = place, caller.world.room(caller.thread, 8), caller.world.room(caller.thread, 16)
    at_once = caller.world.large(caller.thread, 0)
    assert caller.do("NtRemoveIoCompletion", port, key, context, block, at_once) == 0
    assert caller.world.integer(caller.thread, key) == 5
    assert caller.world.integer(caller.thread, context) == 0xC0
    assert caller.world.integer(caller.thread, block + 8) == 5


@pytest.mark.parametrize("how", ["NtCancelIoFile", "NtCancelIoFileEx", "close", "thread"])
def test_cancelling(caller: Caller, how: str) -> None:
    """A pending read is CANCELLED by either cancel service and by the thread's end; closing its pipe breaks it."""
    from ntos import io

    pipe = server(caller, options=0)
    caller.open(PIPE + "p", DUPLEX)
    assert caller.do("NtReadFile", pipe, 0, 0, 0, caller.block, caller.buffer, 16, 0, 0) == PENDING
    block = caller.world.room(caller.thread, 16)
    if how == "close":
        caller.close(pipe)
    elif how == "thread":
        io.cancel_thread(caller.thread)
    elif how == "NtCancelIoFile":
        assert caller.call(how, pipe, block) == 0
    else:
        assert caller.call(how, pipe, caller.block + 8, block) == STATUS.NOT_FOUND
        assert caller.call(how, pipe, caller.block, block) == 0
    expected = STATUS.PIPE_BROKEN if how == "close" else STATUS.CANCELLED
    assert caller.world.integer(caller.thread, caller.block, 4) == expected


def test_a_blocked_call_can_be_cancelled(caller: Caller) -> None:
    """NtCancelSynchronousIoFile ends the call another thread is blocked in."""
    from ntos import ob

    pipe = server(caller)
    caller.open(PIPE + "p", DUPLEX)
    sibling = Caller(caller.world, caller.world.thread(caller.thread.process))
    status: list[int] = []

    async def block(thread: Thread) -> None:
        arguments = (pipe, 0, 0, 0, sibling.block, sibling.buffer, 16, 0, 0)
        status.append(await caller.world.call_async(thread, "NtReadFile", *arguments))

    sibling.start(block(sibling.thread))
    caller.world.run()
    handle = ob.insert_handle(caller.thread.process, sibling.thread, 1)
    assert caller.call("NtCancelSynchronousIoFile", handle, 0, caller.block) == 0
    caller.world.run()
    assert status == [STATUS.CANCELLED]

"""Mailslots: one reader, whole messages, a time to wait."""

from __future__ import annotations

import struct

from ntos.abi.status import STATUS
from tests.io.conftest import Caller

SLOT = "\\??\\MAILSLOT\\"
GENERIC_READ, GENERIC_WRITE, SYNCHRONIZE = 0x8000_0000, 0x4000_0000, 0x10_0000
SYNCHRONOUS, OPEN, QUERY, SET = 0x20, 1, 26, 27
MILLISECOND = 10_000


def make(caller: Caller, name: str, maximum: int = 0, timeout: int = 0, options: int = SYNCHRONOUS) -> int:
    """The reader's handle, or the status."""
    world, thread = caller.world, caller.thread
    handle, block = world.room(thread, 8), world.room(thread, 16)
    status = caller.call(
        "NtCreateMailslotFile", handle, GENERIC_READ | SYNCHRONIZE, caller.attributes(SLOT + name), block, options, 0,
        maximum, world.large(thread, timeout),
    )  # fmt: skip
    return world.integer(thread, handle) if status == 0 else status


def write(caller: Caller, name: str, data: bytes) -> int:
    """What a writer is told, who opens and closes."""
    handle = caller.open(SLOT + name, GENERIC_WRITE | SYNCHRONIZE)
    status = caller.write(handle, data)
    caller.close(handle)
    return status


def test_messages_come_whole_and_in_order(caller: Caller) -> None:
    """Each write is a message; a buffer too small leaves it; without messages and time the read gives up."""
    reader = make(caller, "post", maximum=8)
    assert caller.read(reader) == STATUS.IO_TIMEOUT
    assert write(caller, "POST", b"one") == 0
    assert write(caller, "post", b"second") == 0
    assert write(caller, "post", b"far too long") == STATUS.INVALID_PARAMETER
    assert struct.unpack("<4Iq", caller.query(reader, QUERY)) == (8, 0, 3, 2, 0)
    assert caller.read(reader, 2) == STATUS.BUFFER_TOO_SMALL
    assert caller.read(reader) == b"one"
    assert caller.read(reader) == b"second"


def test_a_reader_waits_as_long_as_it_may(caller: Caller) -> None:
    """A message ends the wait; so does the mailslot's read time-out, which can be set."""
    reader = make(caller, "post", timeout=-1)
    world, thread = caller.world, caller.thread
    place, block = world.room(thread, 0x20), world.room(thread, 16)
    statuses: list[int] = []

    async def read() -> None:
        statuses.append(await world.call_async(thread, "NtReadFile", reader, 0, 0, 0, block, place, 0x20, 0, 0))

    caller.start(read())
    world.run()
    assert statuses == []
    assert write(caller.other(), "post", b"late") == 0
    world.run()
    assert statuses == [0]
    assert thread.memory.read(place, 4) == b"late"
    pointer = world.put(thread, world.large(thread, -5 * MILLISECOND).to_bytes(8, "little"))
    assert caller.call("NtSetInformationFile", reader, block, pointer, 8, SET) == 0
    before = world.kernel.clock.now
    caller.start(read())
    world.run()
    assert statuses == [0, STATUS.IO_TIMEOUT]
    assert world.kernel.clock.now - before >= 5 * MILLISECOND


def test_names_and_ends(caller: Caller) -> None:
    """A name is taken while its reader has it; writers cannot read, need to share reading, and outlive it in vain."""
    reader = make(caller, "post")
    assert make(caller, "Post") == STATUS.OBJECT_NAME_COLLISION
    assert make(caller, "") == STATUS.OBJECT_NAME_INVALID
    assert caller.open(SLOT + "none", GENERIC_WRITE) == STATUS.OBJECT_NAME_NOT_FOUND
    assert caller.open(SLOT + "post", GENERIC_WRITE, share=0) == STATUS.SHARING_VIOLATION
    writer = caller.open(SLOT + "post", GENERIC_READ | GENERIC_WRITE | SYNCHRONIZE)
    assert caller.read(writer) == STATUS.INVALID_PARAMETER
    assert caller.write(reader, b"x") in {STATUS.ACCESS_DENIED, STATUS.INVALID_PARAMETER}
    caller.close(reader)
    assert caller.write(writer, b"x") == STATUS.FILE_FORCED_CLOSED
    assert make(caller, "post") >> 30 != 3

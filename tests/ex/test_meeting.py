"""Keyed events, alerts by thread id, sleeping and yielding, completion ports."""

from __future__ import annotations

import pytest

from ntos import ob
from ntos.abi.status import STATUS
from ntos.ex.pool import PagedAndNonpagedPool
from ntos.ke.thread import Thread
from tests.conftest import World

SECOND = 10_000_000
KEY = 0x5000


@pytest.mark.parametrize("own", [False, True])
def test_a_key_is_handed_over(world: World, own: bool) -> None:
    """Waiting blocks until a release, releasing until a wait; NULL means the machine's keyed event."""
    a = world.thread()
    b = world.thread(a.process)
    event = world.handle_of(a, "NtCreateKeyedEvent", 3, 0, 0) if own else 0

    async def waits() -> None:
        world.record.append(("wait", await world.call_async(a, "NtWaitForKeyedEvent", event, KEY, 0, 0)))
        world.record.append(("release", await world.call_async(a, "NtReleaseKeyedEvent", event, KEY, 0, 0)))

    async def meets() -> None:
        world.record.append("B comes")
        await world.call_async(b, "NtReleaseKeyedEvent", event, KEY, 0, 0)
        await world.call_async(b, "NtDelayExecution", 0, world.large(b, -SECOND))
        world.record.append("B comes again")
        await world.call_async(b, "NtWaitForKeyedEvent", event, KEY, 0, 0)

    world.start(a, waits())
    world.start(b, meets())
    world.run()
    assert world.record == ["B comes", ("wait", 0), "B comes again", ("release", 0)]


def test_keys_of_other_processes_do_not_meet(world: World) -> None:
    """The same key in another process is another key; the wait ends by its time-out and leaves no trace."""
    a, b = world.thread(), world.thread()
    soon_a, soon_b = world.large(a, -SECOND), world.large(b, -SECOND)

    async def waits() -> None:
        world.record.append(await world.call_async(a, "NtWaitForKeyedEvent", 0, KEY, 0, soon_a))

    async def releases() -> None:
        world.record.append(await world.call_async(b, "NtReleaseKeyedEvent", 0, KEY, 0, soon_b))
        world.record.append(await world.call_async(b, "NtReleaseKeyedEvent", 0, KEY | 1, 0, soon_b))

    world.start(a, waits())
    world.start(b, releases())
    world.run()
    assert world.record == [STATUS.TIMEOUT, STATUS.TIMEOUT, STATUS.INVALID_PARAMETER_1]
    event = ob.lookup(world.kernel, "\\KernelObjects\\CritSecOutOfMemoryEvent")
    assert event.waiting.is_empty()
    assert a.ethread.KeyedWaitValue == 0


def test_alert_by_thread_id(world: World) -> None:
    """An alert that comes first is remembered once; one that comes later ends the wait."""
    a = world.thread()
    b = world.thread(a.process)
    stranger = world.thread()
    soon = world.large(a, -SECOND)

    async def sleeps() -> None:
        for _ in range(3):
            world.record.append(await world.call_async(a, "NtWaitForAlertByThreadId", 0, soon))

    async def alerts() -> None:
        world.record.append("B alerts")
        world.record.append(world.call(b, "NtAlertThreadByThreadId", a.id))

    assert world.call(b, "NtAlertThreadByThreadId", a.id) == 0
    assert world.call(b, "NtAlertThreadByThreadId", a.id) == 0
    assert world.call(b, "NtAlertThreadByThreadId", 0x4000) == STATUS.INVALID_CID
    assert world.call(b, "NtAlertThreadByThreadId", stranger.id) == STATUS.ACCESS_DENIED
    world.start(a, sleeps())
    world.start(b, alerts())
    world.run()
    alerted = STATUS.ALERTED
    assert world.record == [alerted, "B alerts", 0, alerted, STATUS.TIMEOUT]


def test_alerting_by_handle(world: World) -> None:
    """NtAlertThread ends an alertable sleep; without one NtTestAlert takes the alert."""
    a = world.thread()
    b = world.thread(a.process)
    handle = ob.insert_handle(a.process, a, 0x1FFFFF)

    async def sleeps() -> None:
        world.record.append(await world.call_async(a, "NtDelayExecution", 1, world.large(a, -SECOND)))

    async def alerts() -> None:
        world.call(b, "NtAlertThread", handle)

    world.start(a, sleeps())
    world.start(b, alerts())
    world.run()
    world.call(b, "NtAlertThread", handle)
    assert world.record == [STATUS.ALERTED]
    assert [world.call(a, "NtTestAlert"), world.call(a, "NtTestAlert")] == [STATUS.ALERTED, 0]


def test_yielding(world: World) -> None:
    """With nobody else ready NtYieldExecution says so; otherwise the other runs first."""
    a = world.thread()
    b = world.thread(a.process)

    async def yields(thread: Thread, name: str) -> None:
        world.record.append(name)
        status = await world.call_async(thread, "NtYieldExecution")
        world.record.append((name, status))

    world.start(a, yields(a, "A"))
    world.start(b, yields(b, "B"))
    world.run()
    world.start(a, yields(a, "alone"))
    world.run()
    assert world.record == ["A", "B", ("A", 0), ("B", 0), "alone", ("alone", STATUS.NO_YIELD_PERFORMED)]


def test_a_port_hands_packets_to_the_last_thread_that_came(world: World) -> None:
    """Packets go out in order; of two waiting threads the later one gets the first."""
    threads = [world.thread()]
    threads.append(world.thread(threads[0].process))
    a, b = threads
    port = world.handle_of(a, "NtCreateIoCompletion", 0x1F0003, 0, 0)

    async def takes(thread: Thread, name: str) -> None:
        key, context, block = (world.room(thread, 16) for _ in range(3))
        status = await world.call_async(thread, "NtRemoveIoCompletion", port, key, context, block, 0)
        values = [world.integer(thread, place) for place in (key, context, block, block + 8)]
        world.record.append((name, status, values))

    async def posts() -> None:
        world.call(b, "NtSetIoCompletion", port, 1, 2, 0, 4)
        world.call(b, "NtSetIoCompletion", port, 5, 6, 0xC0000001, 8)

    world.start(a, takes(a, "A"))
    world.start(b, takes(b, "B"))
    world.start(world.thread(a.process), posts())
    world.run()
    assert world.record == [("B", 0, [1, 2, 0, 4]), ("A", 0, [5, 6, 0xC0000001, 8])]


def test_a_port_gives_several_at_once(world: World) -> None:
    """NtRemoveIoCompletionEx takes what is there up to its room; NtQueryIoCompletion counts what is left."""
    a = world.thread()
    port = world.handle_of(a, "NtCreateIoCompletion", 0x1F0003, 0, 0)
    for key in range(3):
        world.call(a, "NtSetIoCompletion", port, key, 0, 0, 0)
    room, count, depth = world.room(a, 64), world.room(a, 4), world.room(a, 4)

    async def takes() -> None:
        status = await world.call_async(a, "NtRemoveIoCompletionEx", port, room, 2, count, 0, 0)
        world.record.append((status, world.integer(a, count, 4), world.integer(a, room + 0x20)))
        world.call(a, "NtQueryIoCompletion", port, 0, depth, 4, 0)
        world.record.append(world.integer(a, depth, 4))
        zero = world.large(a, 0)
        await world.call_async(a, "NtRemoveIoCompletionEx", port, room, 2, count, zero, 0)
        world.record.append(world.integer(a, count, 4))
        world.record.append(
            await world.call_async(a, "NtRemoveIoCompletionEx", port, room, 2, count, zero, 0)
        )

    world.start(a, takes())
    world.run()
    assert world.record == [(0, 2, 1), 1, 1, STATUS.TIMEOUT]


def test_closing_a_port_tells_who_waits(world: World) -> None:
    """The last handle's close ends waits with ABANDONED_WAIT_0 and drops the packets."""
    a = world.thread()
    b = world.thread(a.process)
    port = world.handle_of(a, "NtCreateIoCompletion", 0x1F0003, 0, 0)
    room = world.room(a, 16)
    pool = world.kernel.pool
    assert isinstance(pool, PagedAndNonpagedPool)

    async def waits() -> None:
        world.record.append(await world.call_async(a, "NtRemoveIoCompletion", port, room, room, room, 0))

    async def closes() -> None:
        world.call(b, "NtClose", port)

    world.start(a, waits())
    world.start(b, closes())
    world.run()
    assert world.record == [STATUS.ABANDONED_WAIT_0]
    second = world.handle_of(a, "NtCreateIoCompletion", 0x1F0003, 0, 0)
    world.call(a, "NtSetIoCompletion", second, 1, 1, 1, 1)
    world.call(a, "NtClose", second)
    assert pool.nonpaged.usage[b"Icp "].bytes == 0

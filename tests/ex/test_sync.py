"""Events, mutants, semaphores, timers through their services; the order of what happens, in virtual time."""

from __future__ import annotations

import pytest

from ntos import ob
from ntos.abi.status import STATUS, NtError
from ntos.ke.mutant import abandon_all
from ntos.ke.thread import Thread
from tests.conftest import World

ALL = 0x1F0003
SECOND = 10_000_000


def test_setting_an_event_wakes_who_waits(world: World) -> None:
    """A notification event releases every waiter and stays signalled."""
    a = world.thread()
    b, c = world.thread(a.process), world.thread(a.process)
    event = world.handle_of(a, "NtCreateEvent", ALL, 0, 0, 0)

    async def waits(thread: Thread, name: str) -> None:
        world.record.append(f"{name} waits")
        status = await world.call_async(thread, "NtWaitForSingleObject", event, 0, 0)
        world.record.append(f"{name} wakes {status}")

    async def sets() -> None:
        world.record.append("C sets")
        previous = world.room(c, 4)
        world.call(c, "NtSetEvent", event, previous)
        world.record.append(f"was {world.integer(c, previous, 4)}")

    world.start(a, waits(a, "A"))
    world.start(b, waits(b, "B"))
    world.start(c, sets())
    world.run()
    assert world.record == ["A waits", "B waits", "C sets", "was 0", "A wakes 0", "B wakes 0"]


def test_a_synchronization_event_releases_one(world: World) -> None:
    """The wait that it satisfies resets it."""
    a = world.thread()
    event = world.handle_of(a, "NtCreateEvent", ALL, 0, 1, 1)
    zero = world.large(a, 0)

    async def twice() -> None:
        for _ in range(2):
            world.record.append(await world.call_async(a, "NtWaitForSingleObject", event, 0, zero))

    world.start(a, twice())
    world.run()
    assert world.record == [0, STATUS.TIMEOUT]


@pytest.mark.parametrize(
    ("service", "state"), [("NtResetEvent", 0), ("NtClearEvent", 0), ("NtSetEvent", 1), ("NtPulseEvent", 0)]
)
def test_event_states(world: World, service: str, state: int) -> None:
    """What each service leaves in the event, as NtQueryEvent tells."""
    a = world.thread()
    event = world.handle_of(a, "NtCreateEvent", ALL, 0, 0, 1)
    assert world.call(a, service, event, *([] if service == "NtClearEvent" else [0])) == 0
    room = world.room(a, 8)
    assert world.call(a, "NtQueryEvent", event, 0, room, 8, 0) == 0
    assert world.integer(a, room + 4, 4) == state
    assert world.call(a, "NtQueryEvent", event, 0, room, 7, 0) == STATUS.INFO_LENGTH_MISMATCH
    assert world.call(a, "NtQueryEvent", event, 1, room, 8, 0) == STATUS.INVALID_INFO_CLASS


def test_boost_is_for_synchronization_events(world: World) -> None:
    """NtSetEventBoostPriority refuses notification events."""
    a = world.thread()
    notification = world.handle_of(a, "NtCreateEvent", ALL, 0, 0, 0)
    synchronization = world.handle_of(a, "NtCreateEvent", ALL, 0, 1, 0)
    assert world.call(a, "NtSetEventBoostPriority", notification) == STATUS.INVALID_PARAMETER
    assert world.call(a, "NtSetEventBoostPriority", synchronization) == 0


def test_a_mutant_belongs_to_its_owner(world: World) -> None:
    """Another thread may not release it; its owner may acquire it again, and must release as often."""
    a = world.thread()
    b = world.thread(a.process)
    mutant = world.handle_of(a, "NtCreateMutant", 0x1F0001, 0, 1)
    previous = world.room(a, 4)
    zero = world.large(a, 0)

    async def owner() -> None:
        world.record.append(await world.call_async(a, "NtWaitForSingleObject", mutant, 0, zero))
        world.record.append(world.call(b, "NtReleaseMutant", mutant, 0))
        world.record.append(await world.call_async(b, "NtWaitForSingleObject", mutant, 0, zero))
        world.call(a, "NtReleaseMutant", mutant, previous)
        world.record.append(world.integer(a, previous, 4, signed=True))
        world.call(a, "NtReleaseMutant", mutant, previous)
        world.record.append(world.call(a, "NtReleaseMutant", mutant, 0))

    world.start(a, owner())
    world.run()
    not_owned = STATUS.MUTANT_NOT_OWNED
    assert world.record == [0, not_owned, STATUS.TIMEOUT, -1, not_owned]


def test_an_abandoned_mutant_says_so(world: World) -> None:
    """The thread that gets a mutant of a dead owner sees ABANDONED_WAIT_0; NtQueryMutant tells the owner."""
    a = world.thread()
    b = world.thread(a.process)
    mutant = world.handle_of(a, "NtCreateMutant", 0x1F0001, 0, 1)
    room = world.room(a, 16)
    assert world.call(a, "NtQueryMutant", mutant, 1, room, 16, 0) == 0
    assert world.integer(a, room + 8) == a.id

    async def waits() -> None:
        world.record.append(await world.call_async(b, "NtWaitForSingleObject", mutant, 0, 0))

    world.start(b, waits())
    world.run()
    abandon_all(a)
    world.run()
    assert world.record == [STATUS.ABANDONED_WAIT_0]


def test_a_semaphore_counts_to_its_limit(world: World) -> None:
    """Releasing past the limit changes nothing."""
    a = world.thread()
    semaphore = world.handle_of(a, "NtCreateSemaphore", ALL, 0, 1, 2)
    previous, room = world.room(a, 4), world.room(a, 8)
    assert world.call(a, "NtReleaseSemaphore", semaphore, 2, previous) == STATUS.SEMAPHORE_LIMIT_EXCEEDED
    assert world.call(a, "NtReleaseSemaphore", semaphore, 1, previous) == 0
    assert world.integer(a, previous, 4) == 1
    assert world.call(a, "NtQuerySemaphore", semaphore, 0, room, 8, 0) == 0
    assert (world.integer(a, room, 4), world.integer(a, room + 4, 4)) == (2, 2)
    place = world.room(a, 8)
    assert world.call(a, "NtCreateSemaphore", place, ALL, 0, 3, 2) == STATUS.INVALID_PARAMETER


def test_a_timer_is_signalled_when_its_time_comes(world: World) -> None:
    """A relative time, and a period after that; the clock jumps when all wait."""
    a = world.thread()
    timer = world.handle_of(a, "NtCreateTimer", ALL, 0, 1)
    due = world.large(a, -SECOND)
    start = world.kernel.clock.now

    async def waits() -> None:
        world.call(a, "NtSetTimer", timer, due, 0, 0, 0, 500, 0)
        for _ in range(2):
            await world.call_async(a, "NtWaitForSingleObject", timer, 0, 0)
            world.record.append((world.kernel.clock.now - start) // (SECOND // 10))
        world.call(a, "NtCancelTimer", timer, 0)

    world.start(a, waits())
    world.run()
    assert world.record == [10, 15]


def test_a_timer_queues_an_apc_to_the_thread_that_set_it(world: World) -> None:
    """Context and the time it was due are its arguments; cancelling takes an undelivered one back."""
    a = world.thread()
    timer = world.handle_of(a, "NtCreateTimer", ALL, 0, 0)

    async def sleeps() -> None:
        world.call(a, "NtSetTimer", timer, world.large(a, -SECOND), 0x1000, 0x77, 0, 0, 0)
        world.record.append(await world.call_async(a, "NtDelayExecution", 1, world.large(a, -2 * SECOND)))

    world.start(a, sleeps())
    world.run()
    apc = a.user_apcs[0]
    now = apc.arguments[1] | apc.arguments[2] << 32
    assert world.record == [STATUS.USER_APC]
    assert (apc.routine, apc.arguments[0]) == (0x1000, 0x77)
    assert now == world.kernel.clock.system_time
    current = world.room(a, 1)
    assert world.call(a, "NtCancelTimer", timer, current) == 0
    assert world.integer(a, current, 1) == 1
    assert not a.user_apcs


def test_a_past_time_signals_at_once(world: World) -> None:
    """NtSetTimerEx with a time gone by leaves the timer signalled; NtQueryTimer says so."""
    a = world.thread()
    timer = world.handle_of(a, "NtCreateTimer", ALL, 0, 0)
    information = world.room(a, 0x30)
    assert world.call(a, "NtSetTimerEx", timer, 0, information, 0x30) == 0
    room = world.room(a, 16)
    assert world.call(a, "NtQueryTimer", timer, 0, room, 16, 0) == 0
    assert world.integer(a, room + 8, 1) == 1
    assert world.integer(a, room, signed=True) < 0


def test_wait_for_several(world: World) -> None:
    """Any: the index of the first signalled; all: only together; the same object twice is refused for all."""
    a = world.thread()
    first = world.handle_of(a, "NtCreateEvent", ALL, 0, 1, 0)
    second = world.handle_of(a, "NtCreateEvent", ALL, 0, 1, 1)
    handles = world.put(a, first.to_bytes(8, "little") + second.to_bytes(8, "little"))
    twice = world.put(a, first.to_bytes(8, "little") * 2)
    zero = world.large(a, 0)

    async def waits() -> None:
        for count, where, kind in (
            (2, handles, 0),
            (2, handles, 1),
            (2, twice, 0),
            (0, handles, 1),
            (65, handles, 1),
        ):
            world.record.append(
                await world.call_async(a, "NtWaitForMultipleObjects", count, where, kind, 0, zero)
            )
        world.record.append(await world.call_async(a, "NtWaitForMultipleObjects", 2, handles, 2, 0, zero))

    world.start(a, waits())
    world.run()
    invalid = STATUS.INVALID_PARAMETER_1
    assert world.record == [
        STATUS.TIMEOUT, 1, STATUS.INVALID_PARAMETER_MIX, invalid, invalid, STATUS.INVALID_PARAMETER_3,
    ]  # fmt: skip


def test_signal_and_wait(world: World) -> None:
    """One thread sets an event and waits in the same call; the other answers."""
    a = world.thread()
    b = world.thread(a.process)
    ping = world.handle_of(a, "NtCreateEvent", ALL, 0, 1, 0)
    pong = world.handle_of(a, "NtCreateEvent", ALL, 0, 1, 0)

    async def asks() -> None:
        await world.call_async(a, "NtSignalAndWaitForSingleObject", ping, pong, 0, 0)
        world.record.append("A done")

    async def answers() -> None:
        await world.call_async(b, "NtWaitForSingleObject", ping, 0, 0)
        world.record.append("B answers")
        world.call(b, "NtSetEvent", pong, 0)

    world.start(b, answers())
    world.start(a, asks())
    world.run()
    assert world.record == ["B answers", "A done"]


def test_a_waited_for_object_outlives_its_handle(world: World) -> None:
    """The wait holds a reference: closing the handle meanwhile lets the object go only afterwards."""
    a = world.thread()
    event = world.handle_of(a, "NtCreateEvent", ALL, 0, 0, 0)
    obj = ob.by_handle(a, event, 0)
    b = world.thread(a.process)

    async def waits() -> None:
        await world.call_async(a, "NtWaitForSingleObject", event, 0, world.large(a, -SECOND))
        world.record.append(obj.address in world.manager.objects)

    async def closes() -> None:
        world.call(b, "NtClose", event)
        world.record.append(ob.pointer_count(obj))

    world.start(a, waits())
    world.start(b, closes())
    world.run()
    assert world.record == [1, False]


def test_open_by_name(world: World) -> None:
    """Each kind opens its own by name and refuses another's; OBJ_OPENIF opens what is there."""
    a = world.thread()
    created = world.attributes(a, "\\BaseNamedObjects\\It")
    world.handle_of(a, "NtCreateEvent", ALL, created, 0, 0)
    place = world.room(a, 8)
    assert world.call(a, "NtOpenEvent", place, ALL, created) == 0
    for service in (
        "NtOpenMutant",
        "NtOpenSemaphore",
        "NtOpenTimer",
        "NtOpenKeyedEvent",
        "NtOpenIoCompletion",
    ):
        assert world.call(a, service, place, 1, created) == STATUS.OBJECT_TYPE_MISMATCH
    assert world.call(a, "NtCreateEvent", place, ALL, created, 0, 0) == STATUS.OBJECT_NAME_COLLISION
    open_if = world.attributes(a, "\\BaseNamedObjects\\It", flags=0xC0)
    assert world.call(a, "NtCreateEvent", place, ALL, open_if, 0, 0) == STATUS.OBJECT_NAME_EXISTS
    assert world.call(a, "NtCreateMutant", place, ALL, open_if, 0) == STATUS.OBJECT_TYPE_MISMATCH
    assert world.call(a, "NtOpenEvent", place, ALL, world.attributes(a)) == STATUS.OBJECT_PATH_SYNTAX_BAD


def test_waiting_needs_synchronize(world: World) -> None:
    """The refusal names the missing right."""
    a = world.thread()
    event = world.handle_of(a, "NtCreateEvent", 2, 0, 0, 0)

    async def waits() -> None:
        world.record.append(await world.call_async(a, "NtWaitForSingleObject", event, 0, 0))

    world.start(a, waits())
    world.run()
    assert world.record == [STATUS.ACCESS_DENIED]
    assert a.refusal is not None
    assert a.refusal.inputs["missing"] == "0x100000"
    with pytest.raises(NtError):
        ob.by_handle(a, 0x1000, 0)

"""Locks that are machine code, under threads preempted at any instruction."""

from __future__ import annotations

import random
import struct

import pytest

from tests.um.leaf_guest import KUSER, SECOND, STATUS_TIMEOUT, Calls, Guest, GuestEnded, GuestRaised

SHARED_MODE, PENDING, UNSUCCESSFUL = 1, 0x103, 0xC0000001


@pytest.fixture
def guest() -> Guest:
    return Guest("ntdll")


def _fields(guest: Guest, section: int) -> tuple[int, ...]:
    return struct.unpack("<qiiQQQ", guest.read(section, 40))


def test_critical_section_fields(guest: Guest) -> None:
    """LockCount is -1 when free and -2 when held; owner and recursion count are the documented fields."""
    section = guest.place(bytes(40))
    guest.call("RtlInitializeCriticalSection", section)
    assert _fields(guest, section) == (-1, -1, 0, 0, 0, 0)
    guest.call("RtlEnterCriticalSection", section)
    guest.call("RtlEnterCriticalSection", section)
    assert _fields(guest, section)[1:4] == (-2, 2, 4)
    guest.call("RtlLeaveCriticalSection", section)
    assert guest.call("RtlIsCriticalSectionLockedByThread", section) == 1
    guest.call("RtlLeaveCriticalSection", section)
    assert _fields(guest, section)[1:4] == (-1, 0, 0)
    assert guest.services == 0


class Watch:
    """Who is inside, and what was broken."""

    def __init__(self) -> None:
        self.writers = self.readers = self.entered = self.most_readers = 0

    def enter(self, *, shared: bool) -> None:
        assert self.writers == 0
        assert shared or self.readers == 0
        self.readers += shared
        self.writers += not shared
        self.entered += 1
        self.most_readers = max(self.most_readers, self.readers)

    def leave(self, *, shared: bool) -> None:
        self.readers -= shared
        self.writers -= not shared


@pytest.mark.parametrize("seed", range(12))
def test_critical_section_excludes(seed: int) -> None:
    """One thread at a time, nobody sleeps for ever, and the section ends as it began."""
    guest, watch = Guest("ntdll", seed=seed), Watch()
    section = guest.place(bytes(40))
    guest.call("RtlInitializeCriticalSection", section)

    def program(number: int) -> Calls:
        chance = random.Random(seed * 100 + number)
        for _ in range(60):
            if chance.random() < 0.2:
                if not (yield "RtlTryEnterCriticalSection", (section,)) & 0xFF:
                    continue
            else:
                yield "RtlEnterCriticalSection", (section,)
            watch.enter(shared=False)
            again = chance.random() < 0.3
            if again:
                yield "RtlEnterCriticalSection", (section,)
                yield "RtlLeaveCriticalSection", (section,)
            yield "strlen", (guest.place(b"some work\0"),)
            watch.leave(shared=False)
            yield "RtlLeaveCriticalSection", (section,)

    guest.run([program(number) for number in range(5)], slices=(5, 40, 400)[seed % 3])
    assert watch.entered > 240
    assert _fields(guest, section)[1:4] == (-1, 0, 0)
    assert sum(thread.waits for thread in guest.threads) > 0


@pytest.mark.parametrize("seed", range(6))
def test_hungry_waiter_is_served(seed: int) -> None:
    """A waiter woken to find the section taken gets it handed over next: it never waits thrice."""
    guest = Guest("ntdll", seed=seed)
    section = guest.place(bytes(40))
    guest.call("RtlInitializeCriticalSection", section)
    held: list[bool] = []

    def greedy() -> Calls:
        for _ in range(200):
            yield "RtlEnterCriticalSection", (section,)
            held.append(True)
            for _ in range(5):
                yield "strlen", (guest.place(b"work\0"),)
            yield "RtlLeaveCriticalSection", (section,)

    def modest() -> Calls:
        while not held:
            yield "strlen", (guest.place(b"\0"),)
        yield "RtlEnterCriticalSection", (section,)
        yield "RtlLeaveCriticalSection", (section,)

    guest.run([greedy(), greedy(), modest()], slices=300)
    assert guest.threads[2].waits <= 2


@pytest.mark.parametrize("seed", range(15))
def test_srw_lock_shares_and_excludes(seed: int) -> None:
    """Readers together, writers alone, no thread left asleep; the word is zero when nobody holds or waits."""
    guest, watch = Guest("ntdll", seed=seed), Watch()
    lock = guest.place(bytes(8))

    def program(number: int) -> Calls:
        chance = random.Random(seed * 100 + number)
        for _ in range(60):
            shared = chance.random() < 0.6
            mode = "Shared" if shared else "Exclusive"
            if chance.random() < 0.2:
                if not (yield f"RtlTryAcquireSRWLock{mode}", (lock,)) & 0xFF:
                    continue
            else:
                yield f"RtlAcquireSRWLock{mode}", (lock,)
            watch.enter(shared=shared)
            yield "strlen", (guest.place(b"some work\0"),)
            watch.leave(shared=shared)
            yield f"RtlReleaseSRWLock{mode}", (lock,)

    guest.run([program(number) for number in range(6)], slices=(5, 40, 400)[seed % 3])
    assert watch.entered > 250
    assert watch.most_readers > 1
    assert guest.u64(lock) == 0


def test_srw_words(guest: Guest) -> None:
    """The public bits: 1 when exclusive, 0x11 for one reader, 0x21 for two."""
    lock = guest.place(bytes(8))
    guest.call("RtlAcquireSRWLockExclusive", lock)
    assert guest.u64(lock) == 1
    assert guest.call("RtlTryAcquireSRWLockShared", lock) & 0xFF == 0
    guest.call("RtlReleaseSRWLockExclusive", lock)
    guest.call("RtlAcquireSRWLockShared", lock)
    guest.call("RtlAcquireSRWLockShared", lock)
    assert guest.u64(lock) == 0x21
    guest.call("RtlReleaseSRWLockShared", lock)
    guest.call("RtlReleaseSRWLockShared", lock)
    with pytest.raises(GuestRaised) as raised:
        guest.call("RtlReleaseSRWLockShared", lock)
    assert raised.value.args[0] == 0xC0000264


@pytest.mark.parametrize("kind", ["CS", "SRW", "SRWShared"])
@pytest.mark.parametrize("seed", range(4))
def test_condition_variable_queue(kind: str, seed: int) -> None:
    """Producers and consumers over a bounded queue lose nothing and all finish."""
    guest = Guest("ntdll", seed=seed)
    lock, full, empty = guest.place(bytes(40)), guest.place(bytes(8)), guest.place(bytes(8))
    if kind == "CS":
        guest.call("RtlInitializeCriticalSection", lock)
    enter, leave = (
        ("RtlEnterCriticalSection", "RtlLeaveCriticalSection")
        if kind == "CS"
        else ("RtlAcquireSRWLockExclusive", "RtlReleaseSRWLockExclusive")
    )
    sleep = f"RtlSleepConditionVariable{kind[:3]}"
    queue: list[int] = []
    taken: list[int] = []

    def producer(number: int) -> Calls:
        for item in range(25):
            yield enter, (lock,)
            while len(queue) >= 3:
                yield sleep, (empty, lock, 0, 0)
            queue.append(number * 100 + item)
            yield leave, (lock,)
            yield (
                "RtlWakeAllConditionVariable" if kind == "SRWShared" else "RtlWakeConditionVariable",
                (full,),
            )

    def consumer() -> Calls:
        for _ in range(25):
            yield enter, (lock,)
            while not queue:
                yield sleep, (full, lock, 0, 0)
            taken.append(queue.pop(0))
            yield leave, (lock,)
            yield "RtlWakeConditionVariable", (empty,)

    guest.run([producer(0), producer(1), producer(2), consumer(), consumer(), consumer()], slices=50)
    assert sorted(taken) == sorted(number * 100 + item for number in range(3) for item in range(25))
    assert guest.u64(full) == guest.u64(empty) == 0


def test_condition_variable_times_out(guest: Guest) -> None:
    """A relative timeout ends the wait with STATUS_TIMEOUT after that time, holding the lock again."""
    lock, condition = guest.place(bytes(8)), guest.place(bytes(8))
    timeout = guest.place(struct.pack("<q", -3 * SECOND))
    began, results = guest.now, []

    def program() -> Calls:
        yield "RtlAcquireSRWLockShared", (lock,)
        results.append((yield "RtlSleepConditionVariableSRW", (condition, lock, timeout, SHARED_MODE)))
        assert guest.u64(lock) == 0x11
        yield "RtlReleaseSRWLockShared", (lock,)

    guest.run([program()])
    assert results == [STATUS_TIMEOUT]
    assert guest.now == began + 3 * SECOND


def test_stray_alert_does_not_end_a_wait(guest: Guest) -> None:
    """An alert nobody asked for neither wakes a waiter early nor makes its timeout begin afresh."""
    word, zero = guest.place(bytes(4)), guest.place(bytes(4))
    timeout = guest.place(struct.pack("<q", -5 * SECOND))
    began, results = guest.now, []
    guest.threads[0].alerted = True

    def program() -> Calls:
        results.append((yield "RtlWaitOnAddress", (word, zero, 4, timeout)))

    guest.run([program()])
    assert results == [STATUS_TIMEOUT]
    assert guest.now == began + 5 * SECOND


def test_late_wake_leaves_no_alert(guest: Guest) -> None:
    """A waiter whose time ran out while it was being woken takes the alert with it."""
    for seed in range(40):
        guest = Guest("ntdll", seed=seed)
        word, zero = guest.place(bytes(4)), guest.place(bytes(4))
        timeout = guest.place(struct.pack("<q", -1))

        def waiter(guest: Guest = guest, word: int = word, zero: int = zero, timeout: int = timeout) -> Calls:
            for _ in range(10):
                guest.now += 1
                yield "RtlWaitOnAddress", (word, zero, 4, timeout)

        def waker(guest: Guest = guest, word: int = word) -> Calls:
            for _ in range(20):
                yield "RtlWakeAddressSingle", (word,)

        guest.run([waiter(), waker()], slices=20)
        assert not guest.threads[0].alerted


@pytest.mark.parametrize("width", [1, 2, 4, 8])
def test_wait_on_address(width: int) -> None:
    """A waiter sleeps only while the value is the expected one, and wakes when told."""
    guest = Guest("ntdll", seed=width)
    word, zero = guest.place(bytes(8)), guest.place(bytes(8))
    seen: list[int] = []

    def waiter() -> Calls:
        while not any(guest.read(word, width)):
            yield "RtlWaitOnAddress", (word, zero, width, 0)
        seen.append(1)

    def waker() -> Calls:
        for _ in range(10):
            yield "strlen", (guest.place(b"\0"),)
        guest.write(word, b"\1")
        yield "RtlWakeAddressAll", (word,)

    guest.run([waiter(), waiter(), waiter(), waker()])
    assert seen == [1, 1, 1]
    assert guest.call("RtlWaitOnAddress", word, zero, width, 0) == 0
    assert guest.call("RtlWaitOnAddress", word, zero, 3, 0) == 0xC000000D


def test_run_once(guest: Guest) -> None:
    """The first caller initialises, the others wait for it and see its context."""
    once, results = guest.place(bytes(8)), []

    def program() -> Calls:
        context = guest.place(bytes(8))
        status = yield "RtlRunOnceBeginInitialize", (once, 0, context)
        if status == PENDING:
            results.append(status)
            yield "strlen", (guest.place(b"long work" * 50 + b"\0"),)
            yield "RtlRunOnceComplete", (once, 0, 0x1230)
        else:
            assert status == 0
            assert guest.u64(context) == 0x1230

    guest.run([program() for _ in range(4)], slices=20)
    assert results == [PENDING]
    assert guest.u64(once) == 0x1232
    assert guest.call("RtlRunOnceComplete", once, 0, 0) == UNSUCCESSFUL


def test_run_once_may_fail_and_be_tried_again(guest: Guest) -> None:
    """INIT_ONCE_INIT_FAILED puts the state back; check-only says "not yet"; odd contexts are refused."""
    once, context = guest.place(bytes(8)), guest.place(bytes(8))
    assert guest.call("RtlRunOnceBeginInitialize", once, 1, context) == UNSUCCESSFUL
    assert guest.call("RtlRunOnceBeginInitialize", once, 0, context) == PENDING
    assert guest.call("RtlRunOnceComplete", once, 0, 3) == 0xC00000F1
    assert guest.call("RtlRunOnceComplete", once, 4, 0) == 0
    assert guest.u64(once) == 0
    assert guest.call("RtlRunOnceBeginInitialize", once, 2, context) == PENDING
    assert guest.call("RtlRunOnceBeginInitialize", once, 2, context) == PENDING
    assert guest.call("RtlRunOnceComplete", once, 2, 0x40) == 0
    assert guest.call("RtlRunOnceComplete", once, 2, 0x80) == 0xC0000035


def test_shutdown_never_hangs(guest: Guest) -> None:
    """While the process ends, waiting for a dead thread's lock ends it at once."""
    lock, loader = guest.place(bytes(8)), guest.place(bytes(0x60))
    guest.call("RtlAcquireSRWLockExclusive", lock)
    guest.write(0x3_0000_0018, struct.pack("<Q", loader))
    guest.write(loader + 0x48, struct.pack("<QQ", 1, 4))
    with pytest.raises(GuestEnded) as ended:
        guest.call("RtlAcquireSRWLockExclusive", lock)
    assert ended.value.args[1] == 0xC000004B


@pytest.mark.parametrize("seed", range(4))
def test_slist(seed: int) -> None:
    """Entries pushed by several threads come out once each, last in first out; depth and sequence count."""
    guest = Guest("ntdll", seed=seed)
    head = guest.place(bytes(16))
    guest.call("RtlInitializeSListHead", head)
    popped: list[int] = []
    entries = [guest.place(bytes(16)) for _ in range(60)]

    def program(mine: list[int]) -> Calls:
        for entry in mine:
            yield "RtlInterlockedPushEntrySList", (head, entry)
            if entry % 3 == 0 and (got := (yield "RtlInterlockedPopEntrySList", (head,))):
                popped.append(got)

    guest.run([program(entries[i::3]) for i in range(3)], slices=6)
    assert guest.call("RtlQueryDepthSList", head) & 0xFFFF == len(entries) - len(popped)
    first = guest.call("RtlFirstEntrySList", head)
    assert guest.call("RtlInterlockedFlushSList", head) == first
    while first:
        popped.append(first)
        first = guest.u64(first)
    assert sorted(popped) == sorted(entries)
    assert guest.call("RtlInterlockedPopEntrySList", head) == 0


def test_capture_context(guest: Guest) -> None:
    """RtlCaptureContext gives the caller's registers: its return address and the stack after the return."""
    context = guest.place(bytes(0x4D0))
    guest.call("RtlCaptureContext", context, 0x1111, 0x2222, 0x3333)
    assert guest.u32(context + 0x30) == 0x10000F
    assert guest.u64(context + 0x80) == context
    assert [guest.u64(context + at) for at in (0x88, 0xB8, 0xC0)] == [0x1111, 0x2222, 0x3333]
    assert guest.u64(context + 0xF8) == 0x2_0000_0000
    assert guest.u64(context + 0x98) == 0x4_0003_0010


def test_counter_asks_the_kernel(guest: Guest) -> None:
    """The performance counter is the kernel's, its frequency the shared page's."""
    guest.write(KUSER + 0x300, struct.pack("<Q", SECOND))
    result = guest.place(bytes(8))
    guest.call("RtlQueryPerformanceCounter", result)
    assert guest.u64(result) == 0x1122334455667788
    guest.call("RtlQueryPerformanceFrequency", result)
    assert guest.u64(result) == SECOND

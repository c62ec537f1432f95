"""Being told that a key has changed."""

from __future__ import annotations

from ntos.abi.registry import REG_NOTIFY_CHANGE_LAST_SET, REG_NOTIFY_CHANGE_NAME, REG_SZ
from ntos.abi.status import STATUS, status_name
from tests.cm.conftest import RegistryWorld


class Watching:
    """A key, an event and a status block."""

    def __init__(self, reg: RegistryWorld) -> None:
        self.reg = reg
        world, user = reg.world, reg.user
        self.key = reg.create(user, f"{reg.home}\\Software\\Watched")[1]
        self.event = world.handle_of(user, "NtCreateEvent", 0x1F0003, world.attributes(user), 0, 0)
        self.block = world.room(user, 16)

    async def watch(self, what: int, *, tree: bool = False, asynchronous: bool = True) -> int:
        """NtNotifyChangeKey."""
        arguments = (self.key, self.event, 0, 0, self.block, what, int(tree), 0, 0, int(asynchronous))
        return await self.reg.world.call_async(self.reg.user, "NtNotifyChangeKey", *arguments)

    def begin(self, what: int, *, tree: bool = False) -> int:
        """The asynchronous call, which does not block."""
        coroutine = self.watch(what, tree=tree)
        try:
            coroutine.send(None)
        except StopIteration as done:
            return int(done.value)
        raise AssertionError("an asynchronous call must not block")

    def signalled(self) -> bool:
        """Whether the event is set."""
        place = self.reg.world.room(self.reg.user, 8)
        assert self.reg.call("NtQueryEvent", self.event, 0, place, 8, 0) == 0
        return self.reg.world.integer(self.reg.user, place + 4, 4) != 0


def test_a_value_set_signals_the_event(reg: RegistryWorld) -> None:
    """PENDING first; at the change the event is set and the status block says NOTIFY_ENUM_DIR."""
    watching = Watching(reg)
    assert watching.begin(REG_NOTIFY_CHANGE_LAST_SET) == STATUS.PENDING
    assert not watching.signalled()
    reg.set(watching.key, "v", REG_SZ, b"")
    assert watching.signalled()
    assert reg.world.integer(reg.user, watching.block, 4) == STATUS.NOTIFY_ENUM_DIR


def test_other_changes_do_not(reg: RegistryWorld) -> None:
    """Only the kinds asked for count, and only the key itself unless the tree is watched."""
    watching = Watching(reg)
    watching.begin(REG_NOTIFY_CHANGE_NAME)
    reg.set(watching.key, "v", REG_SZ, b"")
    assert not watching.signalled()
    reg.create(reg.user, f"{reg.home}\\Software\\Watched\\Below")
    assert watching.signalled()


def test_the_tree_below(reg: RegistryWorld) -> None:
    """With WatchTree changes further down count too."""
    watching = Watching(reg)
    below = reg.create(reg.user, f"{reg.home}\\Software\\Watched\\Below")[1]
    watching.begin(REG_NOTIFY_CHANGE_LAST_SET, tree=True)
    reg.set(below, "v", REG_SZ, b"")
    assert watching.signalled()


def test_a_change_between_two_calls_is_not_missed(reg: RegistryWorld) -> None:
    """What happens after one notification and before the next call completes that call at once."""
    watching = Watching(reg)
    watching.begin(REG_NOTIFY_CHANGE_LAST_SET)
    reg.set(watching.key, "v", REG_SZ, b"1")
    reg.set(watching.key, "v", REG_SZ, b"2")
    assert watching.begin(REG_NOTIFY_CHANGE_LAST_SET) == STATUS.NOTIFY_ENUM_DIR
    assert watching.begin(REG_NOTIFY_CHANGE_LAST_SET) == STATUS.PENDING


def test_closing_the_key_ends_the_watch(reg: RegistryWorld) -> None:
    """The last handle's close completes with NOTIFY_CLEANUP."""
    watching = Watching(reg)
    watching.begin(REG_NOTIFY_CHANGE_LAST_SET)
    assert reg.call("NtClose", watching.key) == 0
    assert watching.signalled()
    assert reg.world.integer(reg.user, watching.block, 4) == STATUS.NOTIFY_CLEANUP
    assert reg.registry.watches == {}


def test_a_synchronous_call_blocks(reg: RegistryWorld) -> None:
    """Without Asynchronous the thread waits for the change."""
    watching = Watching(reg)
    record: list[str] = []

    async def watcher() -> None:
        record.append("waits")
        status = await watching.watch(REG_NOTIFY_CHANGE_LAST_SET, asynchronous=False)
        record.append(status_name(status))

    async def setter() -> None:
        reg.set(watching.key, "v", REG_SZ, b"")
        record.append("sets")

    reg.world.start(reg.user, watcher())
    reg.world.start(reg.world.thread(reg.user.process), setter())
    reg.world.run()
    assert record == ["waits", "sets", "STATUS_NOTIFY_ENUM_DIR"]

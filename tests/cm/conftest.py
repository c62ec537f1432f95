"""A small kernel with security and a registry, and a thread of the ordinary user."""

from __future__ import annotations

import pytest

from ntos import cm
from ntos.cm.registry import Registry
from ntos.init.services import load_service_modules
from ntos.ke.thread import Thread
from ntos.rtl import sid as sids
from tests.conftest import World
from tests.se.conftest import SecureWorld

load_service_modules()
KEY_ALL, KEY_READ, MAXIMUM = 0xF003F, 0x20019, 0x2000000


class RegistryWorld(SecureWorld):
    """Security and the registry brought up."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.registry: Registry = cm.install(self.kernel)
        user = self.accounts.find("user")
        assert user is not None
        self.home = f"\\Registry\\User\\{sids.to_text(user.sid)}"
        """The user's hive."""
        self.user: Thread = self.thread_as(self.logon().token)
        self.system: Thread = self.thread_as(self.system_token)

    def open(self, thread: Thread, path: str, access: int = KEY_ALL, **more: int) -> tuple[int, int]:
        """(status, handle) of NtOpenKey."""
        place = self.world.room(thread, 8)
        status = self.world.call(thread, "NtOpenKey", place, access, self.world.attributes(thread, path, **more))
        return status, self.world.integer(thread, place)

    def create(
        self, thread: Thread, path: str, access: int = KEY_ALL, options: int = 0, **more: int
    ) -> tuple[int, int, int]:
        """(status, handle, disposition) of NtCreateKey."""
        place, disposition = self.world.room(thread, 8), self.world.room(thread, 4)
        attributes = self.world.attributes(thread, path, **more)
        status = self.world.call(thread, "NtCreateKey", place, access, attributes, 0, 0, options, disposition)
        return status, self.world.integer(thread, place), self.world.integer(thread, disposition, 4)

    def call(self, name: str, *arguments: int) -> int:
        """A service as the user."""
        return self.world.call(self.user, name, *arguments)

    def set(self, handle: int, name: str, kind: int, data: bytes) -> int:
        """NtSetValueKey as the user."""
        place = self.world.put(self.user, data)
        return self.call("NtSetValueKey", handle, self.world.string(self.user, name), 0, kind, place, len(data))


@pytest.fixture
def reg(world: World) -> RegistryWorld:
    """The small kernel with a registry."""
    return RegistryWorld(world)

"""A small kernel with security in it, and a thread that runs as the ordinary user."""

from __future__ import annotations

import pytest

from ntos.ke.kernel import Kernel
from ntos.ke.thread import Thread
from ntos.se import boot, token, well_known
from ntos.se.account import Accounts
from ntos.se.token import Token
from tests.conftest import World


class SecureWorld:
    """Security brought up; threads as SYSTEM, as the user, as an administrator."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.kernel: Kernel = world.kernel
        self.system_token: Token = boot.initialize(self.kernel, seed=7)
        self.accounts = self.kernel[Accounts]

    def thread_as(self, bearer: Token) -> Thread:
        """A thread in a process of its own that has this token."""
        thread = self.world.thread()
        token.set_primary_token(thread.process, bearer)
        return thread

    def logon(self, name: str = "user", *, administrator: bool = False) -> well_known.Logon:
        """An interactive logon of an account, made if need be."""
        user = self.accounts.find(name) or self.accounts.add(name, administrator=administrator)
        return well_known.interactive(self.kernel, user)


@pytest.fixture
def secure(world: World) -> SecureWorld:
    """The small kernel with security brought up."""
    return SecureWorld(world)


@pytest.fixture
def thread(secure: SecureWorld) -> Thread:
    """A thread of the ordinary user."""
    return secure.thread_as(secure.logon().token)

"""Who may log on here: the machine's name and SID, and its local accounts."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from ntos.ke.kernel import Kernel
from ntos.rtl import sid as sids
from ntos.rtl.sid_names import Account as KnownAccount
from ntos.rtl.sid_names import SidUse, lookup_sid
from ntos.rtl.text import case_key

ADMINISTRATOR_RID = 500
GUEST_RID = 501
NONE_RID = 513
FIRST_USER_RID = 1001


@dataclass(frozen=True, slots=True)
class User:
    """A local account."""

    name: str
    sid: bytes
    administrator: bool = False


@dataclass(slots=True)
class Accounts:
    """A machine's identity and its accounts; `kernel.part(Accounts)` once `install` has run."""

    machine: str = "DESKTOP-NTOS"
    domain: bytes = b""
    """The machine's SID, S-1-5-21-a-b-c."""
    users: list[User] = field(default_factory=list)

    def find(self, name: str) -> User | None:
        """The account of this name, whatever its case."""
        wanted = case_key(name.rpartition("\\")[2])
        return next((user for user in self.users if case_key(user.name) == wanted), None)

    def add(self, name: str, *, administrator: bool = False) -> User:
        """A new account with the next free RID."""
        rids = [sids.sub_authorities(user.sid)[-1] for user in self.users]
        user = User(name, sids.child(self.domain, max([FIRST_USER_RID - 1, *rids]) + 1), administrator)
        self.users.append(user)
        return user

    def lookup(self, sid: bytes) -> KnownAccount | None:
        """Domain, name and use of a SID, well known or local."""
        known = lookup_sid(sid)
        if known is not None:
            return known
        if sid == self.domain:
            return KnownAccount(self.machine, "", SidUse.DOMAIN)
        if sid == self.none:
            return KnownAccount(self.machine, "None", SidUse.GROUP)
        user = next((user for user in self.users if user.sid == sid), None)
        return KnownAccount(self.machine, user.name, SidUse.USER) if user is not None else None

    @property
    def none(self) -> bytes:
        """The group "None": the primary group of local accounts."""
        return sids.child(self.domain, NONE_RID)


def install(
    kernel: Kernel,
    *,
    machine: str = "DESKTOP-NTOS",
    user: str = "user",
    administrator: bool = False,
    seed: int = 0,
) -> Accounts:
    """Give the machine its name, a SID drawn from `seed`, and its built-in and default accounts."""
    numbers = random.Random(f"machine SID {seed}")
    domain = sids.make(5, 21, *(numbers.getrandbits(32) for _ in range(3)))
    accounts = Accounts(machine, domain)
    accounts.users.append(User("Administrator", sids.child(domain, ADMINISTRATOR_RID), administrator=True))
    accounts.users.append(User("Guest", sids.child(domain, GUEST_RID)))
    accounts.add(user, administrator=administrator)
    kernel.install(accounts)
    return accounts

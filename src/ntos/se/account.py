"""Who may log on here: the machine's name and SID, and its local accounts."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace

from ntos.ke.kernel import Kernel
from ntos.rtl import sid as sids
from ntos.rtl.logon import ADMINISTRATOR_RID, Bearer, hash_password
from ntos.rtl.sid_names import Account as KnownAccount
from ntos.rtl.sid_names import SidUse, lookup_sid
from ntos.rtl.text import case_key

GUEST_RID = 501
NONE_RID = 513
FIRST_USER_RID = 1001


@dataclass(frozen=True, slots=True)
class User:
    """A local account."""

    name: str
    sid: bytes
    administrator: bool = False
    groups: tuple[bytes, ...] = ()
    """Local groups besides Users (Guests, for the guest) and Administrators."""
    password: bytes = b""
    """What is kept of it; empty for a blank one."""
    enabled: bool = True
    password_expired: bool = False

    @property
    def aliases(self) -> tuple[bytes, ...]:
        """All local groups the account is in."""
        guest = sids.sub_authorities(self.sid)[-1] == GUEST_RID
        first = (sids.ADMINISTRATORS,) if self.administrator else ()
        return (*first, sids.GUESTS if guest else sids.USERS, *self.groups)

    @property
    def bearer(self) -> Bearer:
        """The account as its tokens tell of it."""
        return Bearer(self.sid, self.aliases)


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

    def add(
        self,
        name: str,
        *,
        administrator: bool = False,
        groups: tuple[bytes, ...] = (),
        password: str = "",
        enabled: bool = True,
        password_expired: bool = False,
    ) -> User:
        """A new account with the next free RID."""
        rids = [sids.sub_authorities(user.sid)[-1] for user in self.users]
        sid = sids.child(self.domain, max([FIRST_USER_RID - 1, *rids]) + 1)
        kept = hash_password(password, sid)
        user = User(name, sid, administrator, groups, kept, enabled, password_expired)
        self.users.append(user)
        return user

    def enable(self, name: str, password: str) -> User:
        """Let an account be used, with a new password. KeyError where there is none."""
        found = self.find(name)
        if found is None:
            raise KeyError(name)
        user = replace(found, enabled=True, password=hash_password(password, found.sid))
        self.users[self.users.index(found)] = user
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
    password: str = "",
    seed: int = 0,
) -> Accounts:
    """Give the machine its name, a SID drawn from `seed`, and its built-in and default accounts."""
    numbers = random.Random(f"machine SID {seed}")
    domain = sids.make(5, 21, *(numbers.getrandbits(32) for _ in range(3)))
    accounts = Accounts(machine, domain)
    accounts.users.append(
        User("Administrator", sids.child(domain, ADMINISTRATOR_RID), administrator=True, enabled=False)
    )
    accounts.users.append(User("Guest", sids.child(domain, GUEST_RID), enabled=False))
    accounts.add(user, administrator=administrator, password=password)
    kernel.install(accounts)
    return accounts

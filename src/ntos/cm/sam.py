"""The account database as the registry keeps it: accounts and local groups below SAM, rights below SECURITY.

Keys are where the Security Account Manager and the policy database have them, one per RID or SID. On Windows an
account's values are two encrypted records (F and V); here they are plain values. Only the system may read them.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ntos.rtl import sid as sids
from ntos.rtl.logon import GUEST_DENIED, RIGHTS
from ntos.rtl.sid_names import lookup_sid

if TYPE_CHECKING:
    from ntos.cm.registry import Registry
    from ntos.se.account import Accounts, User

DOMAINS = r"MACHINE\SAM\SAM\Domains"
POLICY = r"MACHINE\SECURITY\Policy\Accounts"
UF_ACCOUNTDISABLE, UF_NORMAL_ACCOUNT, UF_PASSWORD_EXPIRED = 0x2, 0x200, 0x80_0000
"""lmaccess.h."""
BUILT_IN_ALIASES = (sids.ADMINISTRATORS, sids.USERS, sids.GUESTS, sids.BACKUP_OPERATORS)
ENABLED_BY_DEFAULT = 3


def install(registry: Registry, accounts: Accounts) -> None:
    """What a fresh machine has."""
    registry.set(rf"{DOMAINS}\Account", "V", accounts.domain)
    for alias in BUILT_IN_ALIASES:
        _members(registry, alias, ())
    for user in accounts.users:
        add_user(registry, user)
        if sids.sub_authorities(user.sid)[-1] == GUEST_RID:
            _rights(registry, user.sid, (), GUEST_DENIED)
    for sid, (privileges, logons) in RIGHTS.items():
        _rights(registry, sid, privileges, logons)


GUEST_RID = 501


def add_user(registry: Registry, user: User) -> None:
    """An account, and its place in its groups."""
    key = rf"{DOMAINS}\Account\Users\{sids.sub_authorities(user.sid)[-1]:08X}"
    flags = UF_NORMAL_ACCOUNT | (0 if user.enabled else UF_ACCOUNTDISABLE)
    registry.set(key, "UserName", user.name)
    registry.set(key, "UserAccountControl", flags | (UF_PASSWORD_EXPIRED if user.password_expired else 0))
    registry.set(key, "PasswordHash", user.password)
    for alias in user.aliases:
        _members(registry, alias, (user.sid,))


def _members(registry: Registry, alias: bytes, added: tuple[bytes, ...]) -> None:
    key = rf"{DOMAINS}\Builtin\Aliases\{sids.sub_authorities(alias)[-1]:08X}"
    known = lookup_sid(alias)
    registry.set(key, "Name", known.name if known is not None else sids.to_text(alias))
    present = registry.get(key, "Members", b"")
    assert isinstance(present, bytes)
    registry.set(key, "Members", present + b"".join(sid for sid in added if sid not in present))


def _rights(registry: Registry, sid: bytes, privileges: tuple[int, ...], logons: int) -> None:
    """`Privilgs` (so spelled) is a PRIVILEGE_SET, `ActSysAc` the ways of logging on."""
    rows = b"".join(struct.pack("<QI", number, ENABLED_BY_DEFAULT) for number in sorted(privileges))
    key = rf"{POLICY}\{sids.to_text(sid)}"
    registry.set(rf"{key}\Privilgs", "", struct.pack("<II", len(privileges), 0) + rows)
    registry.set(rf"{key}\ActSysAc", "", struct.pack("<I", logons))

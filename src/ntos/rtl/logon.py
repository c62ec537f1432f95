"""What a logon puts into a token: groups by kind of logon, privileges by group; and the password check.

The kernel's first logon and the local security authority (lsass.exe) both make their tokens by this.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from enum import IntEnum

from ntos.abi.se import (
    SE_GROUP_ENABLED,
    SE_GROUP_ENABLED_BY_DEFAULT,
    SE_GROUP_INTEGRITY,
    SE_GROUP_INTEGRITY_ENABLED,
    SE_GROUP_LOGON_ID,
    SE_GROUP_MANDATORY,
    SE_GROUP_OWNER,
    SE_GROUP_USE_FOR_DENY_ONLY,
    SE_PRIVILEGE,
)
from ntos.rtl import sid as sids

P = SE_PRIVILEGE
GENERIC_ALL, READ_AND_EXECUTE = 0x1000_0000, 0xA000_0000
ORDINARY = SE_GROUP_MANDATORY | SE_GROUP_ENABLED_BY_DEFAULT | SE_GROUP_ENABLED
LABEL = SE_GROUP_INTEGRITY | SE_GROUP_INTEGRITY_ENABLED
LOGON_MARK = ORDINARY | SE_GROUP_LOGON_ID
HASH_ROUNDS = 4096
ADMINISTRATOR_RID = 500


class LogonType(IntEnum):
    """SECURITY_LOGON_TYPE (ntsecapi.h)."""

    INTERACTIVE = 2
    NETWORK = 3
    BATCH = 4
    SERVICE = 5
    NETWORK_CLEARTEXT = 8
    NEW_CREDENTIALS = 9


KIND_SIDS = {
    LogonType.INTERACTIVE: (sids.INTERACTIVE, sids.CONSOLE_LOGON),
    LogonType.NETWORK: (sids.NETWORK,),
    LogonType.NETWORK_CLEARTEXT: (sids.NETWORK,),
    LogonType.BATCH: (sids.BATCH, sids.CONSOLE_LOGON),
    LogonType.SERVICE: (sids.SERVICE, sids.CONSOLE_LOGON),
}
"""The groups that say how somebody logged on."""
ALLOW = {
    LogonType.INTERACTIVE: 0x1, LogonType.NETWORK: 0x2, LogonType.NETWORK_CLEARTEXT: 0x2,
    LogonType.BATCH: 0x4, LogonType.SERVICE: 0x10,
}  # fmt: skip
"""POLICY_MODE_*: the right to log on in this way (ntsecapi.h); the right's denial is `DENY_SHIFT` bits higher."""
DENY_SHIFT = {1: 6, 2: 6, 4: 6, 0x10: 5}
USER_PRIVILEGES = (P.SHUTDOWN, P.CHANGE_NOTIFY, P.UNDOCK, P.INCREASE_WORKING_SET, P.TIME_ZONE)
RIGHTS: dict[bytes, tuple[tuple[int, ...], int]] = {
    sids.WORLD: ((P.CHANGE_NOTIFY,), 0x2),
    sids.USERS: (USER_PRIVILEGES, 0x1),
    sids.GUESTS: ((P.INCREASE_WORKING_SET,), 0),
    sids.BACKUP_OPERATORS: ((P.BACKUP, P.RESTORE, P.SHUTDOWN), 0x1 | 0x4),
    sids.ADMINISTRATORS: (
        (
            *USER_PRIVILEGES,
            *(P.INCREASE_QUOTA, P.SECURITY, P.TAKE_OWNERSHIP, P.LOAD_DRIVER, P.SYSTEM_PROFILE, P.SYSTEMTIME),
            *(P.PROFILE_SINGLE_PROCESS, P.INCREASE_BASE_PRIORITY, P.CREATE_PAGEFILE, P.BACKUP, P.RESTORE, P.DEBUG),
            *(P.SYSTEM_ENVIRONMENT, P.REMOTE_SHUTDOWN, P.MANAGE_VOLUME, P.IMPERSONATE, P.CREATE_GLOBAL),
            *(P.CREATE_SYMBOLIC_LINK, P.DELEGATE_SESSION_USER_IMPERSONATE),
        ),
        0x1 | 0x4,
    ),
}
"""By group: its privileges, and the ways it may log on; the policy of a fresh workstation (Microsoft Learn, "User
Rights Assignment")."""
GUEST_DENIED = 0x40 | 0x80
"""The policy's last entry: the account Guest may log on neither locally nor from the network."""


@dataclass(frozen=True, slots=True)
class Bearer:
    """An account as its token tells of it."""

    user: bytes
    aliases: tuple[bytes, ...]
    """Local groups it is in."""

    @property
    def primary_group(self) -> bytes:
        """The group "None" of its machine."""
        return sids.child(sids.parent(self.user), 513)

    @property
    def is_split(self) -> bool:
        """Whether an interactive logon gives two tokens: a full one, and the one the shell gets.

        The built-in Administrator is not asked for consent (FilterAdministratorToken is off by default).
        """
        return bool(POWERFUL & {*self.aliases}) and sids.sub_authorities(self.user)[-1] != ADMINISTRATOR_RID


POWERFUL = frozenset({sids.ADMINISTRATORS, sids.BACKUP_OPERATORS})
"""Groups that a filtered token holds for deny only (those here of what Windows Internals 7, chapter 7 lists)."""
ENABLED = (P.CHANGE_NOTIFY, P.IMPERSONATE, P.CREATE_GLOBAL)
"""Privileges that are on from the beginning."""


@dataclass(frozen=True, slots=True)
class Content:
    """A token to be made."""

    groups: tuple[tuple[bytes, int], ...]
    """The user first, the mandatory label last."""
    present: int
    enabled: int
    owner: int
    """The index of the owner among the groups."""
    primary_group: bytes
    default_dacl: tuple[tuple[int, bytes], ...]
    """(access mask, SID) of what allows."""


def content(
    bearer: Bearer,
    kind: LogonType,
    logon_sid: bytes,
    *,
    elevated: bool,
    privileges: int,
    extra: tuple[bytes, ...] = (),
) -> Content:
    """What the token of a logon says. `privileges` are the account's own; `extra` are the groups LsaLogonUser's
    caller wants in it, such as another logon's SID.
    """
    out = ORDINARY if elevated else SE_GROUP_USE_FOR_DENY_ONLY
    groups = [(bearer.user, 0), (bearer.primary_group, ORDINARY), (sids.WORLD, ORDINARY)]
    if sids.ADMINISTRATORS in bearer.aliases:
        groups.append((sids.LOCAL_ACCOUNT_AND_ADMINISTRATOR, out))
    for alias in sorted(bearer.aliases):
        mark = ORDINARY if alias not in POWERFUL else out
        groups.append((alias, mark | SE_GROUP_OWNER if alias == sids.ADMINISTRATORS and elevated else mark))
    groups += [(sid, ORDINARY) for sid in (*KIND_SIDS[kind], sids.AUTHENTICATED_USERS, sids.THIS_ORGANIZATION)]
    groups.append((sids.LOCAL_ACCOUNT, ORDINARY))
    groups += [(sid, LOGON_MARK) for sid in (extra or (logon_sid,))]
    groups += [(sids.LOCAL, ORDINARY), (sids.NTLM_AUTHENTICATION, ORDINARY)]
    owner = next((i for i, (sid, _) in enumerate(groups) if elevated and sid == sids.ADMINISTRATORS), 0)
    dacl = ((GENERIC_ALL, groups[owner][0]), (GENERIC_ALL, sids.LOCAL_SYSTEM), (READ_AND_EXECUTE, logon_sid))
    powerful = elevated and sids.ADMINISTRATORS in bearer.aliases
    groups.append((sids.HIGH_LABEL if powerful else sids.MEDIUM_LABEL, LABEL))
    enabled = mask(ENABLED) & privileges
    return Content(tuple(groups), privileges, enabled, owner, bearer.primary_group, dacl)


def mask(privileges: tuple[int, ...]) -> int:
    """Privileges as a bit mask."""
    return sum(1 << number for number in set(privileges))


def privileges_of(aliases: tuple[bytes, ...], *, elevated: bool) -> int:
    """The privileges these groups have together; without the powerful groups' where the token is not elevated."""
    counted = [sid for sid in (sids.WORLD, *aliases) if elevated or sid not in POWERFUL]
    return mask(tuple(number for sid in counted for number in RIGHTS.get(sid, ((), 0))[0]))


def hash_password(password: str, salt: bytes) -> bytes:
    """What is kept of a password; nothing of an empty one.

    Windows keeps MD4 of the UTF-16 text, unsalted. OpenSSL has MD4 no longer everywhere, so this is PBKDF2.
    """
    if not password:
        return b""
    return hashlib.pbkdf2_hmac("sha256", password.encode("utf-16-le", "surrogatepass"), salt, HASH_ROUNDS)


def password_matches(password: str, salt: bytes, kept: bytes) -> bool:
    """Whether a password is the one whose hash was kept."""
    return hmac.compare_digest(hash_password(password, salt), kept)

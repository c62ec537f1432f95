"""The tokens a machine starts with: SYSTEM, the two service accounts, and a user who has logged on.

Groups and privileges are those `whoami /all` and a debugger's `!token` show on the reference build.
"""

from __future__ import annotations

from dataclasses import dataclass

from ntos.abi.se import (
    ANONYMOUS_LOGON_LUID,
    LOCALSERVICE_LUID,
    NETWORKSERVICE_LUID,
    SE_GROUP_LOGON_ID,
    SE_GROUP_OWNER,
    SE_PRIVILEGE,
    SYSTEM_LUID,
    TOKEN_IS_FILTERED,
)
from ntos.ke.kernel import Kernel
from ntos.rtl import sid as sids
from ntos.rtl.logon import LogonType, content, mask, privileges_of
from ntos.rtl.security import Ace, AceType, Acl
from ntos.se import logon, luid
from ntos.se.account import Accounts, User
from ntos.se.claims import (
    INTEGRITY_GROUP,
    NO_INDEX,
    ORDINARY_GROUP,
    POLICY_NEW_PROCESS_MIN,
    POLICY_NO_WRITE_UP,
    Claims,
    Group,
)
from ntos.se.token import ANONYMOUS, IMPERSONATION, Birth, Token, create

P = SE_PRIVILEGE
GENERIC_ALL, READ_AND_EXECUTE, READ_EXECUTE_CONTROL = 0x1000_0000, 0xA000_0000, 0xA002_0000
OWNER_GROUP = ORDINARY_GROUP | SE_GROUP_OWNER
LOGON_GROUP = ORDINARY_GROUP | SE_GROUP_LOGON_ID
OPTIONAL_OWNER_GROUP = OWNER_GROUP & ~1

DEFAULT_ON = (P.CHANGE_NOTIFY, P.IMPERSONATE, P.CREATE_GLOBAL)
SYSTEM_PRIVILEGES = tuple(
    number for number in P if number not in {P.MACHINE_ACCOUNT, P.REMOTE_SHUTDOWN, P.SYNC_AGENT, P.ENABLE_DELEGATION}
)
SYSTEM_ENABLED = (
    *(P.LOCK_MEMORY, P.TCB, P.SYSTEM_PROFILE, P.PROFILE_SINGLE_PROCESS, P.INCREASE_BASE_PRIORITY),
    *(
        P.CREATE_PAGEFILE,
        P.CREATE_PERMANENT,
        P.DEBUG,
        P.AUDIT,
        P.CHANGE_NOTIFY,
        P.IMPERSONATE,
        P.CREATE_GLOBAL,
    ),
    *(P.INCREASE_WORKING_SET, P.TIME_ZONE, P.CREATE_SYMBOLIC_LINK, P.DELEGATE_SESSION_USER_IMPERSONATE),
)
NETWORK_SERVICE_PRIVILEGES = (
    *(P.ASSIGN_PRIMARY_TOKEN, P.INCREASE_QUOTA, P.SHUTDOWN, P.AUDIT, P.CHANGE_NOTIFY, P.UNDOCK),
    *(P.IMPERSONATE, P.CREATE_GLOBAL, P.INCREASE_WORKING_SET, P.TIME_ZONE),
)
LOCAL_SERVICE_PRIVILEGES = (*NETWORK_SERVICE_PRIVILEGES, P.SYSTEMTIME)


def _claims(
    groups: list[Group],
    privileges: tuple[int, ...],
    label: bytes,
    *,
    enabled: tuple[int, ...] = DEFAULT_ON,
    owner: int = 0,
    flags: int = 0,
    policy: int = POLICY_NO_WRITE_UP | POLICY_NEW_PROCESS_MIN,
) -> Claims:
    present = mask(privileges)
    on = mask(enabled) & present
    return Claims(
        (*groups, Group(label, INTEGRITY_GROUP)),
        present=present,
        enabled=on,
        enabled_by_default=on,
        integrity_index=len(groups),
        owner_index=owner,
        policy=policy,
        flags=flags,
    )


def _allow(*entries: tuple[int, bytes]) -> Acl:
    return Acl(tuple(Ace(AceType.ACCESS_ALLOWED, 0, mask, sid) for mask, sid in entries))


def system(kernel: Kernel, *, session: int = 0) -> Token:
    """The token of the System process and of services that run as LocalSystem."""
    groups = [
        Group(sids.LOCAL_SYSTEM, 0),
        Group(sids.ADMINISTRATORS, OPTIONAL_OWNER_GROUP),
        Group(sids.WORLD),
        Group(sids.AUTHENTICATED_USERS),
    ]
    claims = _claims(
        groups,
        SYSTEM_PRIVILEGES,
        sids.SYSTEM_LABEL,
        enabled=SYSTEM_ENABLED,
        owner=1,
        policy=POLICY_NO_WRITE_UP,
    )
    dacl = _allow((GENERIC_ALL, sids.LOCAL_SYSTEM), (READ_EXECUTE_CONTROL, sids.ADMINISTRATORS))
    return create(kernel, claims, Birth(SYSTEM_LUID, sids.LOCAL_SYSTEM, dacl, session=session, origin=0))


def _service(
    kernel: Kernel, account: bytes, session: int, privileges: tuple[int, ...], extra: tuple[bytes, ...]
) -> Token:
    logon_sid = sids.make(5, 5, 0, luid.allocate(kernel))
    groups = [
        Group(account, 0),
        *map(Group, (sids.WORLD, sids.USERS, sids.SERVICE, sids.CONSOLE_LOGON, sids.AUTHENTICATED_USERS)),
        Group(sids.THIS_ORGANIZATION),
        *(Group(sid, OPTIONAL_OWNER_GROUP) for sid in extra),
        Group(logon_sid, LOGON_GROUP | SE_GROUP_OWNER),
        Group(sids.LOCAL),
    ]
    dacl = _allow((GENERIC_ALL, sids.LOCAL_SYSTEM), (READ_EXECUTE_CONTROL, sids.OWNER_RIGHTS), (GENERIC_ALL, account))
    claims = _claims(groups, privileges, sids.SYSTEM_LABEL, policy=POLICY_NO_WRITE_UP)
    return create(kernel, claims, Birth(session, account, dacl, source=b"Advapi  "))


def local_service(kernel: Kernel, *extra: bytes) -> Token:
    """A token of LocalService; `extra` are service SIDs."""
    return _service(kernel, sids.LOCAL_SERVICE, LOCALSERVICE_LUID, LOCAL_SERVICE_PRIVILEGES, extra)


def network_service(kernel: Kernel, *extra: bytes) -> Token:
    """A token of NetworkService; `extra` are service SIDs."""
    return _service(kernel, sids.NETWORK_SERVICE, NETWORKSERVICE_LUID, NETWORK_SERVICE_PRIVILEGES, extra)


def anonymous(kernel: Kernel) -> Token:
    """The anonymous token, for impersonation."""
    groups = [Group(sids.ANONYMOUS, 0), Group(sids.WORLD)]
    claims = _claims(groups, (), sids.UNTRUSTED_LABEL, policy=POLICY_NO_WRITE_UP)
    dacl = _allow((GENERIC_ALL, sids.WORLD), (GENERIC_ALL, sids.ANONYMOUS))
    birth = Birth(ANONYMOUS_LOGON_LUID, sids.ANONYMOUS, dacl, IMPERSONATION, ANONYMOUS)
    return create(kernel, claims, birth)


@dataclass(frozen=True, slots=True)
class Logon:
    """An interactive logon: the token the shell gets, and for administrators the full one beside it."""

    user: User
    logon_sid: bytes
    token: Token
    full: Token | None = None

    @property
    def elevated(self) -> Token:
        """The strongest token of this logon."""
        return self.full or self.token


def interactive(kernel: Kernel, user: User, *, session: int = 1) -> Logon:
    """Log a user on at the console; an administrator gets a split token (a limited and a full one)."""
    accounts = kernel.part(Accounts)
    logon_sid = sids.make(5, 5, 0, luid.allocate(kernel))
    ids = [luid.allocate(kernel)]
    logon.create(kernel, ids[0], user.name, accounts.machine)
    if not user.bearer.is_split:
        return Logon(user, logon_sid, _user_token(kernel, user, logon_sid, ids[0], session, elevated=True))
    ids.append(luid.allocate(kernel))
    logon.create(kernel, ids[1], user.name, accounts.machine)
    logon.link(kernel, *ids)
    full = _user_token(kernel, user, logon_sid, ids[0], session, elevated=True)
    limited = _user_token(kernel, user, logon_sid, ids[1], session, elevated=False)
    logon.find(kernel, ids[0]).Token = full.address
    logon.find(kernel, ids[1]).Token = limited.address
    return Logon(user, logon_sid, limited, full)


def _user_token(
    kernel: Kernel, user: User, logon_sid: bytes, session_id: int, session: int, *, elevated: bool
) -> Token:
    privileges = privileges_of(user.aliases, elevated=elevated)
    said = content(user.bearer, LogonType.INTERACTIVE, logon_sid, elevated=elevated, privileges=privileges)
    claims = Claims(
        tuple(Group(sid, attributes) for sid, attributes in said.groups),
        present=said.present,
        enabled=said.enabled,
        enabled_by_default=said.enabled,
        integrity_index=len(said.groups) - 1,
        owner_index=said.owner,
        policy=POLICY_NO_WRITE_UP | POLICY_NEW_PROCESS_MIN,
        flags=TOKEN_IS_FILTERED if user.bearer.is_split and not elevated else 0,
    )
    birth = Birth(session_id, said.primary_group, _allow(*said.default_dacl), session=session, source=b"User32 ")
    return create(kernel, claims, birth)


def install_sessions(kernel: Kernel) -> None:
    """The logon sessions that exist on every machine (phase 0)."""
    machine = kernel.part(Accounts).machine
    logon.create(kernel, SYSTEM_LUID, f"{machine}$", "WORKGROUP")
    logon.create(kernel, ANONYMOUS_LOGON_LUID, "ANONYMOUS LOGON", "NT AUTHORITY")
    logon.create(kernel, LOCALSERVICE_LUID, "LOCAL SERVICE", "NT AUTHORITY")
    logon.create(kernel, NETWORKSERVICE_LUID, "NETWORK SERVICE", "NT AUTHORITY")


__all__ = [
    "NO_INDEX",
    "Logon",
    "anonymous",
    "install_sessions",
    "interactive",
    "local_service",
    "network_service",
]

"""Logging on: lsass.exe checks the account and has the kernel make logon sessions and tokens."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ntos.abi.access import TOKEN_ALL_ACCESS, TOKEN_DUPLICATE, TOKEN_QUERY
from ntos.abi.se import SE_PRIVILEGE_ENABLED, SE_PRIVILEGE_ENABLED_BY_DEFAULT
from ntos.abi.se import TOKEN_INFORMATION_CLASS as INFORMATION
from ntos.abi.status import STATUS, Denied, NtError
from ntos.dll.kernelbase.token import effective_token
from ntos.exe import account_database as accounts
from ntos.rtl import marshal
from ntos.rtl import sid as sids
from ntos.rtl.logon import (
    ALLOW,
    DENY_SHIFT,
    POWERFUL,
    Content,
    LogonType,
    content,
    password_matches,
)
from ntos.rtl.security import Ace, AceType, Acl, Descriptor, parse_acl
from ntos.um import alpc, nt
from ntos.um.service import settle

if TYPE_CHECKING:
    from ntos.abi.types import NTSTATUS
    from ntos.um.thread import Frame, UserThread

DEVICE = "\\Device\\KsecDD"
IOCTL_CREATE_LOGON_SESSION = 0x39_0400
SYNCHRONIZE, FILE_READ_DATA, SHARE_ALL, SYNCHRONOUS = 0x10_0000, 1, 7, 0x20
TOKEN_PRIMARY = 1
NEVER = 0x7FFF_FFFF_FFFF_FFFF
ROOM = 0x2000
ON = SE_PRIVILEGE_ENABLED | SE_PRIVILEGE_ENABLED_BY_DEFAULT
COPIED = (
    INFORMATION.TokenUser, INFORMATION.TokenGroups, INFORMATION.TokenPrivileges, INFORMATION.TokenOwner,
    INFORMATION.TokenPrimaryGroup, INFORMATION.TokenDefaultDacl,
)  # fmt: skip
"""What NtCreateToken is told of a token, in the form NtQueryInformationToken gives it."""
FULL_TOKEN = {LogonType.BATCH, LogonType.SERVICE, LogonType.NETWORK, LogonType.NETWORK_CLEARTEXT}
"""These are not filtered: nobody sits there whom a prompt could ask (Microsoft Learn, "How UAC works")."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Who wants to log on, and how."""

    kind: LogonType
    name: str
    domain: str
    password: str
    extra: tuple[bytes, ...]
    source: str
    at_console: bool
    """It is winlogon that asks."""


class LogonRefused(NtError):
    """A logon that failed, with the sub-status that only trusted callers are told."""

    def __init__(self, status: NTSTATUS, because: Denied, detail: NTSTATUS = STATUS.SUCCESS) -> None:
        super().__init__(status, because)
        self.detail = detail


async def log_on(thread: UserThread, wish: Wish) -> int:
    """A handle to the new token."""
    account = await _check_account(thread, wish)
    privileges = await _check_rights(thread, account, wish.kind)
    authority = await accounts.machine_name(thread)
    sid = sids.make(5, 5, 0, _luid(thread))
    if not account.bearer.is_split or wish.kind in FULL_TOKEN:
        return await _make(thread, account, authority, wish, sid, privileges[0], elevated=True)
    full = await _make(thread, account, authority, wish, sid, privileges[0], elevated=True)
    limited = await _make(thread, account, authority, wish, sid, privileges[1], elevated=False)
    with thread.frame() as frame:
        place = frame.bytes(limited.to_bytes(8, "little"))
        nt.NtSetInformationToken(thread, full, INFORMATION.TokenLinkedToken, place, 8)
    nt.NtClose(thread, full)
    return limited


async def _check_account(thread: UserThread, wish: Wish) -> accounts.Account:
    """The account, its password, its state: in the order that tells a stranger least."""
    local = wish.domain in ("", ".") or wish.domain.upper() == (await accounts.machine_name(thread)).upper()
    account = await accounts.find(thread, wish.name) if local else None
    inputs: dict[str, object] = {"user": wish.name, "domain": wish.domain, "logon type": int(wish.kind)}
    if account is None:
        because = Denied("there is no account of that name", inputs, "`ntos run --add-user`, Machine.add_user")
        raise LogonRefused(STATUS.LOGON_FAILURE, because, STATUS.NO_SUCH_USER)
    if not password_matches(wish.password, account.bearer.user, account.password):
        because = Denied("the password is wrong", inputs, "the right password")
        raise LogonRefused(STATUS.LOGON_FAILURE, because, STATUS.WRONG_PASSWORD)
    if account.is_disabled:
        raise LogonRefused(STATUS.ACCOUNT_DISABLED, Denied("the account is disabled", inputs, "enable it"))
    if not account.password and not wish.at_console:
        because = Denied("LimitBlankPasswordUse: blank passwords count at the console only", inputs, "a password")
        raise LogonRefused(STATUS.ACCOUNT_RESTRICTION, because)
    if account.is_expired:
        because = Denied("the password has expired", inputs, "a new password")
        raise LogonRefused(STATUS.PASSWORD_EXPIRED, because)
    return account


async def _check_rights(thread: UserThread, account: accounts.Account, kind: LogonType) -> tuple[int, int]:
    """The account's privileges, all of them and those of its harmless groups, if it may log on in this way."""
    every = harmless = logons = 0
    for sid in (account.bearer.user, sids.WORLD, *account.bearer.aliases):
        privileges, ways = await accounts.rights_of(thread, sid)
        every |= privileges
        harmless |= 0 if sid in POWERFUL else privileges
        logons |= ways
    allowed = ALLOW[kind]
    if not logons & allowed or logons & allowed << DENY_SHIFT[allowed]:
        inputs = {"user": account.name, "logon type": kind.name, "rights": f"0x{logons:X}"}
        because = Denied("the policy lets the account not log on in this way", inputs, "another logon type")
        raise LogonRefused(STATUS.LOGON_TYPE_NOT_GRANTED, because)
    return every, harmless


async def _make(
    thread: UserThread, account: accounts.Account, authority: str, wish: Wish, sid: bytes, privileges: int,
    *, elevated: bool,
) -> int:  # fmt: skip
    session = await new_session(thread, account.name, authority)
    said = content(
        account.bearer, wish.kind, sid, elevated=elevated, privileges=privileges, extra=wish.extra
    )
    return create_token(thread, said, session, wish.source)


async def new_session(thread: UserThread, account: str, authority: str) -> int:
    """A logon session's number."""
    with thread.frame() as frame:
        handle, status, answer = frame.allocate(8), frame.allocate(16), frame.allocate(8)
        where = alpc.object_attributes(frame, DEVICE)
        access = SYNCHRONIZE | FILE_READ_DATA
        await settle(nt.NtOpenFile(thread, handle, access, where, status, SHARE_ALL, SYNCHRONOUS))
        device = int.from_bytes(thread.memory.read(handle, 8), "little")
        said = marshal.pack(account, authority)
        await settle(
            nt.NtDeviceIoControlFile(
                thread, device, 0, 0, 0, status, IOCTL_CREATE_LOGON_SESSION, frame.bytes(said), len(said), answer, 8
            )
        )
        nt.NtClose(thread, device)
        return int.from_bytes(thread.memory.read(answer, 8), "little")


def _luid(thread: UserThread) -> int:
    with thread.frame() as frame:
        place = frame.allocate(8)
        nt.NtAllocateLocallyUniqueId(thread, place)
        return int.from_bytes(thread.memory.read(place, 8), "little")


def create_token(thread: UserThread, said: Content, session: int, source: str) -> int:
    """NtCreateToken, its structures on the stack."""
    with thread.frame() as frame:
        rows = [
            struct.pack("<QI", number, ON if said.enabled >> number & 1 else 0)
            for number in range(64)
            if said.present >> number & 1
        ]
        groups = b"".join(_sid_and_attributes(frame, group) for group in said.groups[1:])
        acl = Acl(tuple(Ace(AceType.ACCESS_ALLOWED, 0, mask, sid) for mask, sid in said.default_dacl))
        return _create(
            thread, frame, session,
            user=frame.bytes(_sid_and_attributes(frame, said.groups[0])),
            groups=frame.bytes(struct.pack("<Q", len(said.groups) - 1) + groups),
            privileges=frame.bytes(struct.pack("<I", len(rows)) + b"".join(rows)),
            owner=_pointer_to(frame, said.groups[said.owner][0]),
            primary_group=_pointer_to(frame, said.primary_group),
            dacl=_pointer_to(frame, acl.to_bytes()),
            source=source,
        )  # fmt: skip


def _create(
    thread: UserThread, frame: Frame, session: int, *, user: int, groups: int, privileges: int, owner: int,
    primary_group: int, dacl: int, source: str,
) -> int:  # fmt: skip
    """Whoever may use what the bearer makes may use the token, too: else a program could not look at its own."""
    handle = frame.allocate(8)
    acl = parse_acl(_acl_at(thread, int.from_bytes(thread.memory.read(dacl, 8), "little")))
    attributes = alpc.object_attributes(frame, descriptor=Descriptor().with_dacl(acl).to_bytes())
    luid, expires = frame.bytes(session.to_bytes(8, "little")), frame.bytes(NEVER.to_bytes(8, "little"))
    named = frame.bytes(source.encode("ascii")[:8].ljust(8) + bytes(8))
    nt.NtCreateToken(
        thread, handle, TOKEN_ALL_ACCESS, attributes, TOKEN_PRIMARY, luid, expires, user, groups, privileges, owner,
        primary_group, dacl, named,
    )  # fmt: skip
    return int.from_bytes(thread.memory.read(handle, 8), "little")


def _acl_at(thread: UserThread, address: int) -> bytes:
    return thread.memory.read(address, int.from_bytes(thread.memory.read(address + 2, 2), "little"))


def _sid_and_attributes(frame: Frame, group: tuple[bytes, int]) -> bytes:
    return struct.pack("<QQ", frame.bytes(group[0]), group[1])


def _pointer_to(frame: Frame, data: bytes) -> int:
    return frame.bytes(frame.bytes(data).to_bytes(8, "little"))


async def new_credentials(thread: UserThread, wish: Wish) -> int:
    """A copy of the client's token in a logon session of its own: others know him by the new name only.

    The calling thread impersonates the client, and no longer afterwards.
    """
    client = await effective_token(thread, TOKEN_QUERY | TOKEN_DUPLICATE)
    with thread.frame() as frame:
        user, groups, privileges, owner, primary_group, dacl = (
            _information(thread, frame, client, kind) for kind in COPIED
        )
        alpc.stop_acting(thread)
        session = await new_session(thread, wish.name, wish.domain)
        nt.NtClose(thread, client)
        return _create(
            thread, frame, session, user=user, groups=groups, privileges=privileges, owner=owner,
            primary_group=primary_group, dacl=dacl, source=wish.source,
        )  # fmt: skip


def _information(thread: UserThread, frame: Frame, token: int, kind: int) -> int:
    place = frame.allocate(ROOM)
    nt.NtQueryInformationToken(thread, token, kind, place, ROOM, frame.allocate(8))
    return place

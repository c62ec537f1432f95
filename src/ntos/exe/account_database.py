r"""The account database as lsass.exe reads it: `\REGISTRY\MACHINE\SAM` and `\REGISTRY\MACHINE\SECURITY`."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ntos.abi.access import KEY_READ
from ntos.abi.status import STATUS, NtError
from ntos.dll.kernelbase.registry import enumerate_key, open_path, query_value
from ntos.rtl import sid as sids
from ntos.rtl.logon import Bearer
from ntos.rtl.text import case_key, from_utf16
from ntos.um import nt

if TYPE_CHECKING:
    from ntos.um.thread import UserThread

DOMAINS = r"\REGISTRY\MACHINE\SAM\SAM\Domains"
POLICY = r"\REGISTRY\MACHINE\SECURITY\Policy\Accounts"
USERS = rf"{DOMAINS}\Account\Users"
ALIASES = rf"{DOMAINS}\Builtin\Aliases"
COMPUTER_NAME = r"\REGISTRY\MACHINE\SYSTEM\CurrentControlSet\Control\ComputerName\ActiveComputerName"
DISABLED, EXPIRED = 0x2, 0x80_0000


@dataclass(frozen=True, slots=True)
class Account:
    """A local account."""

    name: str
    bearer: Bearer
    flags: int
    """UF_*."""
    password: bytes

    @property
    def is_disabled(self) -> bool:
        return bool(self.flags & DISABLED)

    @property
    def is_expired(self) -> bool:
        """Whether the password must be changed first."""
        return bool(self.flags & EXPIRED)


async def value(thread: UserThread, path: str, name: str) -> bytes | None:
    """A value's data; None where key or value is missing."""
    try:
        key = await open_path(thread, path, KEY_READ)
    except NtError as error:
        if error.status == STATUS.OBJECT_NAME_NOT_FOUND:
            return None
        raise
    try:
        return (await query_value(thread, key, name))[1]
    except NtError as error:
        if error.status == STATUS.OBJECT_NAME_NOT_FOUND:
            return None
        raise
    finally:
        nt.NtClose(thread, key)


async def children(thread: UserThread, path: str) -> list[str]:
    """Names of a key's children."""
    key = await open_path(thread, path, KEY_READ)
    names: list[str] = []
    try:
        while True:
            names.append((await enumerate_key(thread, key, len(names)))[0])
    except NtError as error:
        if error.status != STATUS.NO_MORE_ENTRIES:
            raise
    finally:
        nt.NtClose(thread, key)
    return names


async def text(thread: UserThread, path: str, name: str) -> str:
    """A value that is text."""
    return from_utf16(await value(thread, path, name) or b"").rstrip("\0")


async def machine_name(thread: UserThread) -> str:
    """The computer's name, which is the domain of its accounts."""
    return await text(thread, COMPUTER_NAME, "ComputerName")


async def find(thread: UserThread, name: str) -> Account | None:
    """The account of this name, whatever its case."""
    domain = await value(thread, rf"{DOMAINS}\Account", "V") or b""
    for child in await children(thread, USERS):
        path = rf"{USERS}\{child}"
        spelling = await text(thread, path, "UserName")
        if case_key(spelling) != case_key(name):
            continue
        sid = sids.child(domain, int(child, 16))
        flags = int.from_bytes(await value(thread, path, "UserAccountControl") or b"", "little")
        password = await value(thread, path, "PasswordHash") or b""
        return Account(spelling, Bearer(sid, await aliases_of(thread, sid)), flags, password)
    return None


async def aliases_of(thread: UserThread, sid: bytes) -> tuple[bytes, ...]:
    """The local groups a SID is in."""
    found = []
    for child in await children(thread, ALIASES):
        members = await value(thread, rf"{ALIASES}\{child}", "Members") or b""
        while members:
            member = sids.take(members)
            members = members[len(member) :]
            if member == sid:
                found.append(sids.make(5, 32, int(child, 16)))
    return tuple(found)


async def rights_of(thread: UserThread, sid: bytes) -> tuple[int, int]:
    """(mask of privileges, ways of logging on) the policy gives a SID."""
    privileges = await value(thread, rf"{POLICY}\{sids.to_text(sid)}\Privilgs", "") or bytes(8)
    logons = await value(thread, rf"{POLICY}\{sids.to_text(sid)}\ActSysAc", "") or bytes(4)
    present = sum(1 << number for number, _ in struct.iter_unpack("<QI", privileges[8:]))
    return present, int.from_bytes(logons, "little")

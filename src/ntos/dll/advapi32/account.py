"""Names of accounts and privileges (winbase.h).

On Windows these ask the local security authority. Here the well-known names are a table, and accounts of the machine
are found by the profiles that the registry lists for them.
"""

from __future__ import annotations

import ntpath

from ntos.abi.access import KEY_READ, TOKEN_QUERY
from ntos.abi.errors import ERROR
from ntos.abi.layout.string import LUID
from ntos.abi.pointer import Out, Ptr
from ntos.abi.registry import HKEY_LOCAL_MACHINE
from ntos.abi.se import PRIVILEGE_NAMES, TOKEN_INFORMATION_CLASS
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import BOOL, DWORD, PVOID, WCHAR
from ntos.dll.kernelbase.objects import environment
from ntos.dll.kernelbase.registry import enumerate_key, key_handle, open_path, query_value
from ntos.dll.kernelbase.services import nt
from ntos.dll.kernelbase.sid import read_sid
from ntos.dll.kernelbase.system_info import NETBIOS, computer_name
from ntos.dll.kernelbase.text import encoded, export_both, is_narrow, put_text, text_of
from ntos.dll.kernelbase.token import effective_token, token_sids
from ntos.rtl import sid as sids
from ntos.rtl.sid_names import Account, SidUse, lookup_name, lookup_sid
from ntos.rtl.text import case_key, from_utf16
from ntos.um.export import WinError
from ntos.um.thread import UserThread

PROFILES = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList"
NONE_MAPPED, NO_SUCH_PRIVILEGE = 1332, 1313
FROM_PROFILES = "local accounts that have no profile are not known"
LONGEST_NAME = 256
BUILT_IN = {500: "Administrator", 501: "Guest", 503: "DefaultAccount", 513: "None"}
"""Accounts every machine has, by their last sub-authority (MS-DTYP 2.4.2.4)."""
GROUP_NONE = 513


async def profiles(thread: UserThread) -> dict[bytes, str]:
    """Names of the accounts with a profile, by SID: a profile's folder bears the account's name."""
    found: dict[bytes, str] = {}
    root = await open_path(thread, PROFILES, KEY_READ, await key_handle(thread, HKEY_LOCAL_MACHINE))
    try:
        index = 0
        while True:
            try:
                name, _, _ = await enumerate_key(thread, root, index)
            except NtError as error:
                if error.status in (STATUS.NO_MORE_ENTRIES, 0xC007_0103):
                    return found
                raise
            index += 1
            key = await open_path(thread, name, KEY_READ, root)
            try:
                _, data = await query_value(thread, key, "ProfileImagePath")
            finally:
                await nt.NtClose(thread, key)
            found[sids.from_text(name)] = ntpath.basename(from_utf16(data).rstrip("\0"))
    finally:
        await nt.NtClose(thread, root)


async def account_of(thread: UserThread, sid: bytes) -> Account | None:
    """Domain, name and use of a SID."""
    known = lookup_sid(sid)
    if known is not None:
        return known
    parts = sids.sub_authorities(sid)
    if parts[:1] != (21,):
        return None
    machine = await computer_name(thread, NETBIOS)
    local = await profiles(thread)
    domains = {sids.parent(other) for other in local if sids.sub_authorities(other)[:1] == (21,)}
    if sid in domains:
        return Account(machine, "", SidUse.DOMAIN)
    if sid in local:
        return Account(machine, local[sid], SidUse.USER)
    if sids.parent(sid) in domains and parts[-1] in BUILT_IN:
        use = SidUse.GROUP if parts[-1] == GROUP_NONE else SidUse.USER
        return Account(machine, BUILT_IN[parts[-1]], use)
    return None


async def sid_of(thread: UserThread, name: str) -> bytes | None:
    r"""The SID of an account named `user`, `MACHINE\user` or `BUILTIN\Users`."""
    known = lookup_name(name)
    if known is not None:
        return known
    domain, cut, account = name.rpartition("\\")
    machine = await computer_name(thread, NETBIOS)
    if cut and case_key(domain) not in (case_key(machine), "."):
        return None
    local = {sid: text for sid, text in (await profiles(thread)).items() if sids.sub_authorities(sid)[:1] == (21,)}
    for sid, text in local.items():
        if case_key(text) == case_key(account):
            return sid
    for rid, text in BUILT_IN.items():
        if case_key(text) == case_key(account) and local:
            return sids.child(sids.parent(next(iter(local))), rid)
    return None


def _length(place: Ptr[WCHAR], text: str) -> int:
    return len(encoded(place, text)) // (1 if is_narrow(place) else 2)


def give_names(pairs: tuple[tuple[Ptr[WCHAR], Ptr[DWORD], str], ...]) -> None:
    """Store texts with their lengths; where one does not fit, say what all need."""
    if any(int(size.read()) < _length(place, text) + 1 for place, size, text in pairs):
        for place, size, text in pairs:
            size.write(_length(place, text) + 1)
        raise WinError(ERROR.INSUFFICIENT_BUFFER)
    for place, size, text in pairs:
        size.write(put_text(place, int(size.read()), text))


@export_both(partial=FROM_PROFILES)
async def LookupAccountSidW(
    thread: UserThread,
    lpSystemName: Ptr[WCHAR],
    Sid: PVOID,
    Name: Ptr[WCHAR],
    cchName: Ptr[DWORD],
    ReferencedDomainName: Ptr[WCHAR],
    cchReferencedDomainName: Ptr[DWORD],
    peUse: Out[DWORD],
) -> BOOL:
    """An account's name and domain by its SID."""
    account = await account_of(thread, read_sid(thread, Sid))
    if account is None:
        raise WinError(NONE_MAPPED)
    give_names(((Name, cchName, account.name), (ReferencedDomainName, cchReferencedDomainName, account.domain)))
    peUse.write(int(account.use))
    return BOOL(1)


@export_both(partial=FROM_PROFILES)
async def LookupAccountNameW(
    thread: UserThread,
    lpSystemName: Ptr[WCHAR],
    lpAccountName: Ptr[WCHAR],
    Sid: PVOID,
    cbSid: Ptr[DWORD],
    ReferencedDomainName: Ptr[WCHAR],
    cchReferencedDomainName: Ptr[DWORD],
    peUse: Out[DWORD],
) -> BOOL:
    """An account's SID and domain by its name."""
    sid = await sid_of(thread, text_of(lpAccountName))
    account = await account_of(thread, sid) if sid is not None else None
    if sid is None or account is None:
        raise WinError(NONE_MAPPED)
    room = int(cbSid.read())
    cbSid.write(len(sid))
    if room < len(sid):
        cchReferencedDomainName.write(_length(ReferencedDomainName, account.domain) + 1)
        raise WinError(ERROR.INSUFFICIENT_BUFFER)
    give_names(((ReferencedDomainName, cchReferencedDomainName, account.domain),))
    thread.memory.write(Sid, sid)
    peUse.write(int(account.use))
    return BOOL(1)


@export_both()
async def GetUserNameW(thread: UserThread, lpBuffer: Ptr[WCHAR], pcbBuffer: Ptr[DWORD]) -> BOOL:
    """The name of the user whose token the thread carries; the count includes the NUL."""
    token = await effective_token(thread, TOKEN_QUERY)
    try:
        ((sid, _),) = await token_sids(thread, token, TOKEN_INFORMATION_CLASS.TokenUser)
    finally:
        await nt.NtClose(thread, token)
    account = await account_of(thread, sid)
    name = account.name if account is not None else environment(thread).get("USERNAME", "")
    if not name:
        raise WinError(NONE_MAPPED)
    room, needed = int(pcbBuffer.read()), _length(lpBuffer, name) + 1
    pcbBuffer.write(needed)
    if room < needed:
        raise WinError(ERROR.INSUFFICIENT_BUFFER)
    put_text(lpBuffer, room, name)
    return BOOL(1)


# ---------------------------------------------------------------- privileges


@export_both()
def LookupPrivilegeValueW(thread: UserThread, lpSystemName: Ptr[WCHAR], lpName: Ptr[WCHAR], lpLuid: Ptr[LUID]) -> BOOL:
    """The number of a privilege by its name."""
    wanted = case_key(text_of(lpName))
    for number, name in PRIVILEGE_NAMES.items():
        if case_key(name) == wanted:
            lpLuid.write_bytes(number.to_bytes(8, "little"))
            return BOOL(1)
    raise WinError(NO_SUCH_PRIVILEGE)


@export_both()
def LookupPrivilegeNameW(
    thread: UserThread, lpSystemName: Ptr[WCHAR], lpLuid: Ptr[LUID], lpName: Ptr[WCHAR], cchName: Ptr[DWORD]
) -> BOOL:
    """The name of a privilege by its number."""
    name = PRIVILEGE_NAMES.get(int.from_bytes(lpLuid.read_bytes(8), "little"))
    if name is None:
        raise WinError(NO_SUCH_PRIVILEGE)
    give_names(((lpName, cchName, name),))
    return BOOL(1)

"""Names of users and accounts (winbase.h: GetUserName, LookupAccountSid, LookupAccountName)."""

from __future__ import annotations

from ntos.abi.errors import ERROR
from ntos.abi.pointer import Ptr
from ntos.abi.se import TOKEN_INFORMATION_CLASS
from ntos.abi.types import BOOL, DWORD, PVOID, WCHAR
from ntos.dll.kernelbase.objects import environment
from ntos.dll.kernelbase.services import nt
from ntos.dll.kernelbase.sid import read_sid
from ntos.dll.kernelbase.text import encoded, export_both, is_narrow, text_of
from ntos.rtl.sid_names import Account, SidUse, lookup_name, lookup_sid
from ntos.um.export import WinError
from ntos.um.thread import UserThread

PROCESS_TOKEN = 0xFFFF_FFFF_FFFF_FFFC
LOCAL = "well-known accounts and the process's own user; other local accounts are not asked for"


def user_name(thread: UserThread) -> str:
    """The user the process was started for, as its environment names it."""
    return environment(thread).get("USERNAME") or "SYSTEM"


async def own_sid(thread: UserThread) -> bytes:
    """The SID of the process's user."""
    with thread.frame() as frame:
        buffer, needed = frame.allocate(0x60), frame.new(DWORD)
        await nt.NtQueryInformationToken(
            thread, PROCESS_TOKEN, TOKEN_INFORMATION_CLASS.TokenUser, buffer, 0x60, needed.address
        )
        return read_sid(thread, PVOID.load(thread.memory, buffer))


def _fits(pointer: Ptr[WCHAR] | None, size: Ptr[DWORD], text: str) -> bool:
    """Whether a text with its NUL has room."""
    return (
        pointer is not None
        and pointer.address != 0
        and int(size.read()) > len(encoded(pointer, text)) // _unit(pointer)
    )


def _unit(pointer: Ptr[WCHAR] | None) -> int:
    return 1 if is_narrow(pointer) else 2


def _put(pointer: Ptr[WCHAR], text: str) -> None:
    pointer.write_bytes(encoded(pointer, text) + bytes(_unit(pointer)))


@export_both(partial="the name in the process's environment, whatever the token")
def GetUserNameW(thread: UserThread, lpBuffer: Ptr[WCHAR] | None, pcbBuffer: Ptr[DWORD]) -> BOOL:
    """The name of the user the thread acts for."""
    name = user_name(thread)
    if lpBuffer is None or not _fits(lpBuffer, pcbBuffer, name):
        pcbBuffer.write(len(name) + 1)
        raise WinError(ERROR.INSUFFICIENT_BUFFER)
    _put(lpBuffer, name)
    pcbBuffer.write(len(name) + 1)
    return BOOL(1)


@export_both(partial=LOCAL)
async def LookupAccountSidW(
    thread: UserThread,
    lpSystemName: Ptr[WCHAR] | None,
    Sid: PVOID,
    Name: Ptr[WCHAR] | None,
    cchName: Ptr[DWORD],
    ReferencedDomainName: Ptr[WCHAR] | None,
    cchReferencedDomainName: Ptr[DWORD],
    peUse: Ptr[DWORD],
) -> BOOL:
    """The account and its domain that a SID stands for."""
    sid = read_sid(thread, Sid)
    found = lookup_sid(sid)
    if found is None and sid == await own_sid(thread):
        found = Account(environment(thread).get("COMPUTERNAME") or "", user_name(thread), SidUse.USER)
    if found is None:
        raise WinError(ERROR.NONE_MAPPED)
    if (
        Name is None
        or not _fits(Name, cchName, found.name)
        or not _fits(ReferencedDomainName, cchReferencedDomainName, found.domain)
    ):
        cchName.write(len(found.name) + 1)
        cchReferencedDomainName.write(len(found.domain) + 1)
        raise WinError(ERROR.INSUFFICIENT_BUFFER)
    assert ReferencedDomainName is not None
    _put(Name, found.name)
    _put(ReferencedDomainName, found.domain)
    cchName.write(len(found.name))
    cchReferencedDomainName.write(len(found.domain))
    peUse.write(int(found.use))
    return BOOL(1)


@export_both(partial=LOCAL)
async def LookupAccountNameW(
    thread: UserThread,
    lpSystemName: Ptr[WCHAR] | None,
    lpAccountName: Ptr[WCHAR],
    Sid: Ptr[DWORD] | None,
    cbSid: Ptr[DWORD],
    ReferencedDomainName: Ptr[WCHAR] | None,
    cchReferencedDomainName: Ptr[DWORD],
    peUse: Ptr[DWORD],
) -> BOOL:
    """The SID and the domain of an account by name."""
    name = text_of(lpAccountName)
    sid = lookup_name(name)
    account = lookup_sid(sid) if sid is not None else None
    if name.rpartition("\\")[2].lower() == user_name(thread).lower():
        sid = await own_sid(thread)
        account = Account(environment(thread).get("COMPUTERNAME") or "", user_name(thread), SidUse.USER)
    if sid is None or account is None:
        raise WinError(ERROR.NONE_MAPPED)
    room = int(cbSid.read())
    cbSid.write(len(sid))
    if Sid is None or room < len(sid) or not _fits(ReferencedDomainName, cchReferencedDomainName, account.domain):
        cchReferencedDomainName.write(len(account.domain) + 1)
        raise WinError(ERROR.INSUFFICIENT_BUFFER)
    assert ReferencedDomainName is not None
    Sid.write_bytes(sid)
    _put(ReferencedDomainName, account.domain)
    cchReferencedDomainName.write(len(account.domain))
    peUse.write(int(account.use))
    return BOOL(1)

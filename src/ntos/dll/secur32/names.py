"""The user's name (secext.h)."""

from __future__ import annotations

from ntos.abi.access import TOKEN_QUERY
from ntos.abi.errors import ERROR
from ntos.abi.pointer import Ptr
from ntos.abi.se import TOKEN_INFORMATION_CLASS
from ntos.abi.types import BOOLEAN, DWORD, ULONG, WCHAR
from ntos.dll.advapi32.account import NONE_MAPPED, account_of
from ntos.dll.kernelbase.services import nt
from ntos.dll.kernelbase.text import encoded, export_both, is_narrow, put_text
from ntos.dll.kernelbase.token import effective_token, token_sids
from ntos.um.export import WinError
from ntos.um.thread import UserThread

NAME_SAM_COMPATIBLE = 2


@export_both(partial="only NameSamCompatible: the other formats need a domain")
async def GetUserNameExW(thread: UserThread, NameFormat: DWORD, lpNameBuffer: Ptr[WCHAR], nSize: Ptr[ULONG]) -> BOOLEAN:
    r"""The user's name as `DOMAIN\name`; the count given back includes the NUL only where there is no room."""
    if NameFormat != NAME_SAM_COMPATIBLE:
        raise WinError(NONE_MAPPED)
    token = await effective_token(thread, TOKEN_QUERY)
    try:
        ((sid, _),) = await token_sids(thread, token, TOKEN_INFORMATION_CLASS.TokenUser)
    finally:
        await nt.NtClose(thread, token)
    account = await account_of(thread, sid)
    if account is None:
        raise WinError(NONE_MAPPED)
    name, room = f"{account.domain}\\{account.name}", int(nSize.read())
    length = len(encoded(lpNameBuffer, name)) // (1 if is_narrow(lpNameBuffer) else 2)
    nSize.write(length if length < room else length + 1)
    if length >= room:
        raise WinError(ERROR.MORE_DATA)
    put_text(lpNameBuffer, room, name)
    return BOOLEAN(1)

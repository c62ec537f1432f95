r"""lsass.exe: the local security authority. It answers `\LsaAuthenticationPort`: who may log on gets a token."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ntos.abi import alpc as lpc
from ntos.abi.access import TOKEN_QUERY
from ntos.abi.lsa import LSA_FIELDS, LSA_PORT
from ntos.abi.se import SE_PRIVILEGE, TOKEN_INFORMATION_CLASS
from ntos.abi.status import STATUS, Denied, NtError
from ntos.abi.types import NTSTATUS, PVOID, ULONG
from ntos.dll.kernelbase.token import effective_token, token_information, token_sids
from ntos.exe import launch
from ntos.exe.logon import LogonRefused, Wish, log_on, new_credentials
from ntos.rtl import marshal
from ntos.rtl import sid as sids
from ntos.rtl.logon import ALLOW, LogonType
from ntos.um import alpc, nt
from ntos.um.export import export
from ntos.um.handles import give_handle, open_process
from ntos.um.ntdll import rtl_status
from ntos.um.thread import UserThread

if TYPE_CHECKING:
    from ntos.um.alpc import Received

BASE_PRIORITY = 9
PROCESS_DUP_HANDLE = 0x40
ENABLED = 2


@export
async def wWinMainCRTStartup(thread: UserThread, Peb: PVOID) -> NTSTATUS:
    """Serve logons."""
    await launch.settle(thread, BASE_PRIORITY)
    with thread.frame() as frame:
        place = frame.new(ULONG)
        await rtl_status(thread, "RtlAdjustPrivilege", SE_PRIVILEGE.CREATE_TOKEN, 1, 0, place.address)
        port = await alpc.create_port(thread, LSA_PORT)
        talk, ports = alpc.Server(thread, port, frame), dict[int, int]()
        request, answer = None, b""
        while True:
            arrived = await talk.receive(request, answer)
            request, answer = None, b""
            if arrived.kind == lpc.LPC_CONNECTION_REQUEST:
                number = len(ports) + 1
                ports[number] = talk.accept(arrived, number)
            elif arrived.kind == lpc.LPC_PORT_CLOSED:
                nt.NtClose(thread, ports[arrived.context])
                ports[arrived.context] = 0
            elif arrived.kind == lpc.LPC_REQUEST:
                request, answer = arrived, await _serve(thread, talk, ports[arrived.context], arrived)


async def _serve(thread: UserThread, talk: alpc.Server, port: int, request: Received) -> bytes:
    """LsaLogonUser: the token's handle in the client, or why not."""
    why, detail, handle = Denied(""), int(STATUS.SUCCESS), 0
    try:
        process = open_process(thread, request.client[0], PROCESS_DUP_HANDLE)
        try:
            handle = give_handle(thread, process, await _log_on(thread, talk, port, request))
        finally:
            launch.close(thread, process)
        status = int(STATUS.SUCCESS)
    except NtError as error:
        status, why = int(error.status), error.because or why
        if isinstance(error, LogonRefused):
            detail = int(error.detail)
    return marshal.pack(status, detail, handle, why.rule, json.dumps(dict(why.inputs)), why.flip)


async def _log_on(thread: UserThread, talk: alpc.Server, port: int, request: Received) -> int:
    fields = marshal.unpack(request.data, LSA_FIELDS)
    number = marshal.number(fields[0])
    if number != LogonType.NEW_CREDENTIALS and number not in ALLOW:
        raise NtError(STATUS.INVALID_LOGON_TYPE, Denied("no logon of that type", {"logon type": number}, "2, 3, 4, 5"))
    name, domain, password, source = (marshal.text(fields[index]) for index in (1, 2, 3, 5))
    extra = _sids(fields[4])
    with talk.acting_as_client(port, request):
        system, trusted, session = await _client(thread)
        if extra and not trusted:
            rule = "only who acts as part of the system adds groups"
            because = Denied(rule, {"groups": len(extra)}, "SeTcbPrivilege")
            raise NtError(STATUS.PRIVILEGE_NOT_HELD, because)
        console = system and session != 0
        wish = Wish(LogonType(number), name, domain, password, extra, source or "Advapi", console)
        if wish.kind == LogonType.NEW_CREDENTIALS:
            return await new_credentials(thread, wish)
    return await log_on(thread, wish)


def _sids(data: bytes) -> tuple[bytes, ...]:
    found = []
    while data:
        found.append(sids.take(data))
        data = data[len(found[-1]) :]
    return tuple(found)


async def _client(thread: UserThread) -> tuple[bool, bool, int]:
    """Of whoever the thread acts as: is it the system, has it SeTcb, its session."""
    token = await effective_token(thread, TOKEN_QUERY)
    try:
        ((user, _),) = await token_sids(thread, token, TOKEN_INFORMATION_CLASS.TokenUser)
        rows = (await token_information(thread, token, TOKEN_INFORMATION_CLASS.TokenPrivileges))[4:]
        session = await token_information(thread, token, TOKEN_INFORMATION_CLASS.TokenSessionId)
    finally:
        nt.NtClose(thread, token)
    held = {int.from_bytes(rows[at : at + 8], "little"): rows[at + 8] for at in range(0, len(rows), 12)}
    trusted = bool(held.get(SE_PRIVILEGE.TCB, 0) & ENABLED)
    return user == sids.LOCAL_SYSTEM, trusted, int.from_bytes(session, "little")

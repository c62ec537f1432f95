"""SlrCreateProcessWithLogon: one call, from the client's words to its handles."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ntos.abi.access import (
    TOKEN_ADJUST_DEFAULT,
    TOKEN_ADJUST_SESSIONID,
    TOKEN_ASSIGN_PRIMARY,
    TOKEN_DUPLICATE,
    TOKEN_QUERY,
)
from ntos.abi.layout.win32 import PROCESS_INFORMATION, STARTUPINFOEXW, STARTUPINFOW
from ntos.abi.lsa import LOGON_NETCREDENTIALS_ONLY, SECLOGON_FIELDS
from ntos.abi.pointer import Ptr
from ntos.abi.se import SE_PRIVILEGE
from ntos.abi.se import TOKEN_INFORMATION_CLASS as INFORMATION
from ntos.abi.status import STATUS, Denied, NtError
from ntos.abi.win32 import (
    CREATE_DEFAULT_ERROR_MODE,
    CREATE_NEW_CONSOLE,
    CREATE_NEW_PROCESS_GROUP,
    CREATE_UNICODE_ENVIRONMENT,
    EXTENDED_STARTUPINFO_PRESENT,
)
from ntos.dll.kernelbase.creation import privileges
from ntos.dll.kernelbase.creation.request import Request
from ntos.dll.kernelbase.creation.stages import create_process
from ntos.dll.kernelbase.services import allocate_bytes, free
from ntos.dll.kernelbase.token import effective_token, token_information, token_sids
from ntos.dll.seclogon.profile import environment_of
from ntos.rtl import marshal
from ntos.rtl import sid as sids
from ntos.rtl.logon import LogonType
from ntos.um import nt
from ntos.um.handles import give_handle, open_process, take_handle
from ntos.um.lsa import log_on
from ntos.um.win32 import win32

if TYPE_CHECKING:
    from ntos.um.alpc import Received, Server
    from ntos.um.thread import Frame, UserThread

CALLER_ACCESS = 0x4C0
"""PROCESS_QUERY_INFORMATION, DUP_HANDLE and CREATE_PROCESS: what the child's parent must grant."""
TOKEN_NEEDED = (
    TOKEN_QUERY | TOKEN_DUPLICATE | TOKEN_ASSIGN_PRIMARY | TOKEN_ADJUST_DEFAULT | TOKEN_ADJUST_SESSIONID
)
DEFAULT_FLAGS = CREATE_DEFAULT_ERROR_MODE | CREATE_NEW_CONSOLE | CREATE_NEW_PROCESS_GROUP
PARENT_PROCESS, LIST_SIZE = 0x2_0000, 0x30
"""PROC_THREAD_ATTRIBUTE_PARENT_PROCESS, and the room of a list with one attribute."""
LOGON_ID = 0xC000_0000
ENABLED = 2
GRANTED_ACCESS, BASIC_INFORMATION_SIZE = 4, 0x38


@dataclass(slots=True)
class Client:
    """One client's connection."""

    talk: Server
    port: int
    said: bytes = b""
    """What has come of a call so far."""
    request: Received | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, by its token."""

    user: bytes
    logon_sid: bytes
    session: bytes
    may_impersonate: bool


class Call:
    """A call, its fields read."""

    def __init__(self, data: bytes) -> None:
        fields = marshal.unpack(data, SECLOGON_FIELDS)
        self.name, self.domain, self.password = map(marshal.text, fields[:3])
        self.token, self.logon_flags = map(marshal.number, fields[3:5])
        self.application, self.line = _optional(fields[5]), _optional(fields[6])
        self.flags = marshal.number(fields[7])
        self.environment = fields[8]
        self.directory, self.desktop, self.title = map(_optional, fields[9:12])
        self.startup = fields[12]
        if len(self.startup) != STARTUPINFOW.size:
            raise NtError(STATUS.INVALID_PARAMETER)


def _optional(data: bytes) -> str | None:
    return marshal.text(data)[:-1] if data else None


async def create(thread: UserThread, client: Client, data: bytes) -> tuple[int, int, int, int]:
    """Process and thread handle in the client, and their ids."""
    call, request = Call(data), client.request
    assert request is not None
    with client.talk.acting_as_client(client.port, request):
        caller = await _caller(thread)
        process = open_process(thread, request.client[0], CALLER_ACCESS)
        token = 0
        if not call.token and call.logon_flags & LOGON_NETCREDENTIALS_ONLY:
            _check_logon(caller)
            kind = LogonType.NEW_CREDENTIALS
            token = await log_on(thread, kind, call.name, call.domain, call.password, source="seclogo")
    try:
        token = token or await _token(thread, call, caller, process)
        try:
            await _into_session(thread, token, caller.session)
            return await _start(thread, call, token, process)
        finally:
            nt.NtClose(thread, token)
    finally:
        nt.NtClose(thread, process)


async def _caller(thread: UserThread) -> Caller:
    token = await effective_token(thread, TOKEN_QUERY)
    try:
        ((user, _),) = await token_sids(thread, token, INFORMATION.TokenUser)
        groups = await token_sids(thread, token, INFORMATION.TokenGroups)
        rows = (await token_information(thread, token, INFORMATION.TokenPrivileges))[4:]
        session = await token_information(thread, token, INFORMATION.TokenSessionId)
    finally:
        nt.NtClose(thread, token)
    logon_sid = next((sid for sid, flags in groups if flags & LOGON_ID == LOGON_ID), b"")
    held = dict(struct.iter_unpack("<QI", rows))
    return Caller(user, logon_sid, session, bool(held.get(SE_PRIVILEGE.IMPERSONATE, 0) & ENABLED))


def _check_logon(caller: Caller) -> None:
    if caller.user == sids.LOCAL_SYSTEM or not caller.logon_sid:
        inputs = {"caller": sids.to_text(caller.user), "logon SID": sids.to_text(caller.logon_sid or sids.NULL)}
        because = Denied("the caller must have logged on: the child gets its logon SID", inputs, "CreateProcessAsUser")
        raise NtError(STATUS.ACCESS_DENIED, because)


async def _token(thread: UserThread, call: Call, caller: Caller, process: int) -> int:
    """The child's primary token: the client's, or a new logon's with the caller's logon SID in it.

    By that SID the child may use the caller's window station and desktop.
    """
    if call.token:
        return await _clients(thread, call, caller, process)
    _check_logon(caller)
    return await log_on(
        thread, LogonType.INTERACTIVE, call.name, call.domain, call.password, extra=caller.logon_sid, source="seclogo"
    )


async def _clients(thread: UserThread, call: Call, caller: Caller, process: int) -> int:
    if not caller.may_impersonate:
        inputs = {"caller": sids.to_text(caller.user), "SeImpersonatePrivilege": "not enabled"}
        because = Denied("another's token is for those who may impersonate", inputs, "CreateProcessWithLogonW")
        raise NtError(STATUS.PRIVILEGE_NOT_HELD, because)
    token = take_handle(thread, process, call.token)
    granted = _granted(thread, token)
    if granted & TOKEN_NEEDED != TOKEN_NEEDED:
        nt.NtClose(thread, token)
        inputs = {"granted": hex(granted), "needed": hex(TOKEN_NEEDED)}
        because = Denied("the token's handle must let it be given away", inputs, "a handle with these rights")
        raise NtError(STATUS.ACCESS_DENIED, because)
    return token


def _granted(thread: UserThread, handle: int) -> int:
    with thread.frame() as frame:
        place = frame.allocate(BASIC_INFORMATION_SIZE)
        nt.NtQueryObject(thread, handle, 0, place, BASIC_INFORMATION_SIZE, 0)
        return int.from_bytes(thread.memory.read(place + GRANTED_ACCESS, 4), "little")


async def _into_session(thread: UserThread, token: int, session: bytes) -> None:
    """The child runs where the caller runs; a token that is in use stays in its session."""
    if await token_information(thread, token, INFORMATION.TokenSessionId) == session:
        return
    with thread.frame() as frame:
        nt.NtSetInformationToken(thread, token, INFORMATION.TokenSessionId, frame.bytes(session), 4)


async def _start(thread: UserThread, call: Call, token: int, parent: int) -> tuple[int, int, int, int]:
    """CreateProcessAsUser with the client for a parent."""
    block = call.environment or await environment_of(thread, token)
    environment = await allocate_bytes(thread, block)
    with thread.frame() as frame:
        extended, made = frame.new(STARTUPINFOEXW), frame.new(PROCESS_INFORMATION)
        startup = extended.StartupInfo
        thread.memory.write(startup.address, call.startup)
        startup.cb = STARTUPINFOEXW.size
        startup.lpReserved = startup.lpReserved2 = startup.cbReserved2 = 0
        startup.lpDesktop = frame.wide(call.desktop if call.desktop is not None else "WinSta0\\Default")
        startup.lpTitle = frame.wide(call.title) if call.title is not None else 0
        extended.lpAttributeList = await _parent_attribute(thread, frame, parent)
        request = Request(
            call.application, call.line, None, None, inherit=False,
            flags=call.flags | DEFAULT_FLAGS | CREATE_UNICODE_ENVIRONMENT | EXTENDED_STARTUPINFO_PRESENT,
            environment=environment, directory=call.directory,
            startup=Ptr[STARTUPINFOW](thread.memory, startup.address).read(), narrow=False, token=token,
        )  # fmt: skip
        try:
            async with privileges.enabled(thread):
                await create_process(thread, request, made)
        finally:
            await free(thread, environment)
        process, first = (give_handle(thread, parent, int(handle)) for handle in (made.hProcess, made.hThread))
        return (process, first, int(made.dwProcessId), int(made.dwThreadId))


async def _parent_attribute(thread: UserThread, frame: Frame, parent: int) -> int:
    """A list that says who the parent is; the kernel then takes console, standard handles and jobs from there."""
    listing = frame.allocate(LIST_SIZE)
    size, value = frame.bytes(LIST_SIZE.to_bytes(8, "little")), frame.bytes(parent.to_bytes(8, "little"))
    await win32(thread, "InitializeProcThreadAttributeList", listing, 1, 0, size)
    await win32(thread, "UpdateProcThreadAttribute", listing, 0, PARENT_PROCESS, value, 8, 0, 0)
    return listing

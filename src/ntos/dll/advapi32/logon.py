"""Logging on as somebody else, and starting programs so (winbase.h).

LogonUser asks lsass.exe for a token. CreateProcessWithLogon and CreateProcessWithToken ask the Secondary Logon service,
which makes the process in the caller's name.
"""

from __future__ import annotations

from ntos.abi.access import TOKEN_ALL_ACCESS
from ntos.abi.errors import ERROR
from ntos.abi.layout.win32 import PROCESS_INFORMATION, STARTUPINFOW
from ntos.abi.lsa import (
    FRAGMENT,
    LOGON_NETCREDENTIALS_ONLY,
    LOGON_WITH_PROFILE,
    LOGON_ZERO_PASSWORD_BUFFER,
    SECLOGON_ANSWER_FIELDS,
    SECLOGON_PORT,
)
from ntos.abi.pointer import Out, Ptr
from ntos.abi.registry import HKEY_LOCAL_MACHINE
from ntos.abi.status import STATUS, Denied, NtError
from ntos.abi.types import BOOL, DWORD, HANDLE, PVOID, WCHAR
from ntos.abi.win32 import CREATE_UNICODE_ENVIRONMENT, EXTENDED_STARTUPINFO_PRESENT
from ntos.dll.kernelbase.objects import current_directory, read_block
from ntos.dll.kernelbase.registry import key_handle, open_path, query_value
from ntos.dll.kernelbase.services import nt
from ntos.dll.kernelbase.text import export_both, optional_text, text_of
from ntos.dll.kernelbase.token import TOKEN_IMPERSONATION, duplicate
from ntos.rtl import marshal
from ntos.rtl.logon import LogonType
from ntos.rtl.nls.codepage import ansi
from ntos.rtl.text import to_utf16
from ntos.um import alpc
from ntos.um.export import WinError, export
from ntos.um.lsa import log_on, reason
from ntos.um.thread import UserThread

LONGEST_LINE = 1024
SECURITY_IMPERSONATION = 2
SERVICE = r"SYSTEM\CurrentControlSet\Services\seclogon"
KEY_READ, DISABLED = 0x20019, 4
LOGON_FLAGS = LOGON_WITH_PROFILE | LOGON_NETCREDENTIALS_ONLY | LOGON_ZERO_PASSWORD_BUFFER
LONGEST_ANSI_BLOCK = 0x8000


@export_both(partial="the default provider, and local accounts only")
async def LogonUserW(
    thread: UserThread,
    lpszUsername: Ptr[WCHAR],
    lpszDomain: Ptr[WCHAR] | None,
    lpszPassword: Ptr[WCHAR] | None,
    dwLogonType: DWORD,
    dwLogonProvider: DWORD,
    phToken: Out[HANDLE],
) -> BOOL:
    """Log a user on; the token of a network logon is for impersonation."""
    token = await log_on(thread, dwLogonType, text_of(lpszUsername), text_of(lpszDomain), text_of(lpszPassword))
    if int(dwLogonType) == LogonType.NETWORK:
        copy = await duplicate(thread, token, TOKEN_ALL_ACCESS, SECURITY_IMPERSONATION, TOKEN_IMPERSONATION)
        await nt.NtClose(thread, token)
        token = copy
    phToken.write(token)
    return BOOL(1)


@export
async def CreateProcessWithLogonW(
    thread: UserThread,
    lpUsername: Ptr[WCHAR],
    lpDomain: Ptr[WCHAR] | None,
    lpPassword: Ptr[WCHAR] | None,
    dwLogonFlags: DWORD,
    lpApplicationName: Ptr[WCHAR] | None,
    lpCommandLine: Ptr[WCHAR] | None,
    dwCreationFlags: DWORD,
    lpEnvironment: PVOID,
    lpCurrentDirectory: Ptr[WCHAR] | None,
    lpStartupInfo: Ptr[STARTUPINFOW],
    lpProcessInformation: Ptr[PROCESS_INFORMATION],
) -> BOOL:
    """Start a program as the user whose name and password these are."""
    if not text_of(lpUsername):
        raise WinError(ERROR.INVALID_PARAMETER, Denied("a name must be given", {"lpUsername": ""}, "an account's"))
    who = marshal.pack(text_of(lpUsername), text_of(lpDomain), text_of(lpPassword), 0, dwLogonFlags)
    return await _start(
        thread, who, dwLogonFlags, lpApplicationName, lpCommandLine, dwCreationFlags, lpEnvironment,
        lpCurrentDirectory, lpStartupInfo, lpProcessInformation,
    )  # fmt: skip


@export
async def CreateProcessWithTokenW(
    thread: UserThread,
    hToken: HANDLE,
    dwLogonFlags: DWORD,
    lpApplicationName: Ptr[WCHAR] | None,
    lpCommandLine: Ptr[WCHAR] | None,
    dwCreationFlags: DWORD,
    lpEnvironment: PVOID,
    lpCurrentDirectory: Ptr[WCHAR] | None,
    lpStartupInfo: Ptr[STARTUPINFOW],
    lpProcessInformation: Ptr[PROCESS_INFORMATION],
) -> BOOL:
    """Start a program as the bearer of a token."""
    if not hToken:
        raise WinError(ERROR.INVALID_PARAMETER, Denied("a token must be given", {"hToken": 0}, "a primary token"))
    return await _start(
        thread, marshal.pack("", "", "", hToken, dwLogonFlags), dwLogonFlags, lpApplicationName, lpCommandLine,
        dwCreationFlags, lpEnvironment, lpCurrentDirectory, lpStartupInfo, lpProcessInformation,
    )  # fmt: skip


async def _start(
    thread: UserThread, who: bytes, logon_flags: int, application: Ptr[WCHAR] | None, line: Ptr[WCHAR] | None,
    flags: int, environment: int, directory: Ptr[WCHAR] | None, startup: Ptr[STARTUPINFOW],
    result: Ptr[PROCESS_INFORMATION],
) -> BOOL:  # fmt: skip
    """CreateProcessWithLogonCommonW: check, ask the service, hand its handles out."""
    command = optional_text(line)
    _check(logon_flags, flags, command, startup.address, result.address)
    info = startup.read()
    desktop, title = (Ptr[WCHAR](thread.memory, int(place)) for place in (info.lpDesktop, info.lpTitle))
    said = who + marshal.pack(
        _given(optional_text(application)), _given(command), flags, _block(thread, environment, flags),
        _given(optional_text(directory) or current_directory(thread)), _given(optional_text(desktop)),
        _given(optional_text(title)), thread.memory.read(startup.address, STARTUPINFOW.size),
    )  # fmt: skip
    error, process, first, process_id, thread_id, *why = marshal.unpack(
        await _ask(thread, said), SECLOGON_ANSWER_FIELDS
    )
    if marshal.number(error):
        raise WinError(marshal.number(error), reason(why))
    made = result.read()
    made.hProcess, made.hThread = marshal.number(process), marshal.number(first)
    made.dwProcessId, made.dwThreadId = marshal.number(process_id), marshal.number(thread_id)
    return BOOL(1)


def _check(logon_flags: int, flags: int, line: str | None, startup: int, result: int) -> None:
    rules = (
        (bool(startup and result), "both structures must be given", {"lpStartupInfo": startup}),
        (not logon_flags & ~LOGON_FLAGS, "logon flags are 1, 2 and 0x80000000", {"dwLogonFlags": hex(logon_flags)}),
        (not flags & EXTENDED_STARTUPINFO_PRESENT, "no attribute list", {"dwCreationFlags": hex(flags)}),
        (len(line or "") < LONGEST_LINE, "a command line of at most 1024 characters", {"length": len(line or "")}),
    )
    for fits, rule, inputs in rules:
        if not fits:
            raise WinError(ERROR.INVALID_PARAMETER, Denied(rule, inputs))


def _given(text: str | None) -> str:
    """NULL is the empty field, the empty string is not."""
    return "" if text is None else text + "\0"


def _block(thread: UserThread, address: int, flags: int) -> bytes:
    if not address:
        return b""
    if flags & CREATE_UNICODE_ENVIRONMENT:
        return read_block(thread, address)
    strings: list[str] = []
    while not strings or strings[-1]:
        strings.append(ansi(Ptr[DWORD](thread.memory, address).string(LONGEST_ANSI_BLOCK)))
        address += len(strings[-1]) + 1
    return to_utf16("\0".join(strings) + "\0")


async def _ask(thread: UserThread, said: bytes) -> bytes:
    """Send the call in as many pieces as it takes; the last one's answer."""
    try:
        port, _ = await alpc.connect(thread, SECLOGON_PORT)
    except NtError as error:
        if error.status == STATUS.OBJECT_NAME_NOT_FOUND:
            raise await _not_running(thread) from error
        raise
    try:
        pieces = [said[at : at + FRAGMENT] for at in range(0, len(said), FRAGMENT)]
        for piece in pieces[:-1]:
            await alpc.call(thread, port, b"\1" + piece)
        return await alpc.call(thread, port, b"\0" + pieces[-1])
    finally:
        await nt.NtClose(thread, port)


async def _not_running(thread: UserThread) -> WinError:
    """Why nobody answers: the service is disabled, or has not been started."""
    key = await open_path(thread, SERVICE, KEY_READ, await key_handle(thread, HKEY_LOCAL_MACHINE))
    _, data = await query_value(thread, key, "Start")
    await nt.NtClose(thread, key)
    start = int.from_bytes(data[:4], "little")
    because = Denied("the Secondary Logon service must run", {"seclogon": "stopped", "Start": start}, "Start = 3")
    return WinError(ERROR.SERVICE_DISABLED if start == DISABLED else ERROR.SERVICE_NOT_ACTIVE, because)

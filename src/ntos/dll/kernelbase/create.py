"""CreateProcess and its kin: the exports (`creation` has the stages)."""

from __future__ import annotations

from ntos.abi.errors import ERROR
from ntos.abi.layout.win32 import PROCESS_INFORMATION, SECURITY_ATTRIBUTES, STARTUPINFOW
from ntos.abi.pointer import Ptr
from ntos.abi.types import BOOL, DWORD, HANDLE, PVOID, WCHAR
from ntos.dll.kernelbase.creation import privileges
from ntos.dll.kernelbase.creation.refusal import refusal
from ntos.dll.kernelbase.creation.request import Request
from ntos.dll.kernelbase.creation.stages import create_process
from ntos.dll.kernelbase.text import export_both, optional_text
from ntos.um.export import export
from ntos.um.thread import UserThread


def _request(
    thread: UserThread,
    application: Ptr[WCHAR],
    line: Ptr[WCHAR],
    process: Ptr[SECURITY_ATTRIBUTES] | None,
    first: Ptr[SECURITY_ATTRIBUTES] | None,
    inherit: int,
    flags: int,
    environment: int,
    directory: Ptr[WCHAR],
    startup: Ptr[STARTUPINFOW],
    result: Ptr[PROCESS_INFORMATION],
    *,
    narrow: bool,
) -> Request:
    if not startup or not result:
        missing = "lpProcessInformation" if startup else "lpStartupInfo"
        raise refusal(ERROR.INVALID_PARAMETER, "both structures must be given", {missing: 0}, f"a {missing[2:]}")
    return Request(
        optional_text(application),
        optional_text(line),
        process,
        first,
        bool(inherit),
        flags,
        environment,
        optional_text(directory),
        startup.read(),
        narrow,
    )


@export_both()
async def CreateProcessW(
    thread: UserThread,
    lpApplicationName: Ptr[WCHAR],
    lpCommandLine: Ptr[WCHAR],
    lpProcessAttributes: Ptr[SECURITY_ATTRIBUTES] | None,
    lpThreadAttributes: Ptr[SECURITY_ATTRIBUTES] | None,
    bInheritHandles: BOOL,
    dwCreationFlags: DWORD,
    lpEnvironment: PVOID,
    lpCurrentDirectory: Ptr[WCHAR],
    lpStartupInfo: Ptr[STARTUPINFOW],
    lpProcessInformation: Ptr[PROCESS_INFORMATION],
) -> BOOL:
    """Start a program."""
    request = _request(
        thread, lpApplicationName, lpCommandLine, lpProcessAttributes, lpThreadAttributes, bInheritHandles,
        dwCreationFlags, lpEnvironment, lpCurrentDirectory, lpStartupInfo,
        lpProcessInformation, narrow=lpStartupInfo.target is not STARTUPINFOW,
    )  # fmt: skip
    await create_process(thread, request, lpProcessInformation.read())
    return BOOL(1)


@export_both()
async def CreateProcessAsUserW(
    thread: UserThread,
    hToken: HANDLE,
    lpApplicationName: Ptr[WCHAR],
    lpCommandLine: Ptr[WCHAR],
    lpProcessAttributes: Ptr[SECURITY_ATTRIBUTES] | None,
    lpThreadAttributes: Ptr[SECURITY_ATTRIBUTES] | None,
    bInheritHandles: BOOL,
    dwCreationFlags: DWORD,
    lpEnvironment: PVOID,
    lpCurrentDirectory: Ptr[WCHAR],
    lpStartupInfo: Ptr[STARTUPINFOW],
    lpProcessInformation: Ptr[PROCESS_INFORMATION],
) -> BOOL:
    """Start a program under a token."""
    request = _request(
        thread, lpApplicationName, lpCommandLine, lpProcessAttributes, lpThreadAttributes, bInheritHandles,
        dwCreationFlags, lpEnvironment, lpCurrentDirectory, lpStartupInfo,
        lpProcessInformation, narrow=lpStartupInfo.target is not STARTUPINFOW,
    )  # fmt: skip
    request.token = hToken
    async with privileges.enabled(thread):
        await create_process(thread, request, lpProcessInformation.read())
    return BOOL(1)


@export
async def CreateProcessInternalW(
    thread: UserThread,
    hUserToken: HANDLE,
    lpApplicationName: Ptr[WCHAR],
    lpCommandLine: Ptr[WCHAR],
    lpProcessAttributes: Ptr[SECURITY_ATTRIBUTES] | None,
    lpThreadAttributes: Ptr[SECURITY_ATTRIBUTES] | None,
    bInheritHandles: BOOL,
    dwCreationFlags: DWORD,
    lpEnvironment: PVOID,
    lpCurrentDirectory: Ptr[WCHAR],
    lpStartupInfo: Ptr[STARTUPINFOW],
    lpProcessInformation: Ptr[PROCESS_INFORMATION],
    hRestrictedUserToken: Ptr[HANDLE] | None,
) -> BOOL:
    """What the others call on Windows, and some programs too."""
    request = _request(
        thread, lpApplicationName, lpCommandLine, lpProcessAttributes, lpThreadAttributes, bInheritHandles,
        dwCreationFlags, lpEnvironment, lpCurrentDirectory, lpStartupInfo,
        lpProcessInformation, narrow=False,
    )  # fmt: skip
    request.token = hUserToken
    if hRestrictedUserToken is not None:
        hRestrictedUserToken.write(0)
    await create_process(thread, request, lpProcessInformation.read())
    return BOOL(1)

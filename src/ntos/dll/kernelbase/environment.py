"""Environment variables, command line, start-up information (processenv.h)."""

from __future__ import annotations

from dataclasses import dataclass

from ntos.abi.errors import ERROR
from ntos.abi.layout.win32 import STARTUPINFOW
from ntos.abi.pointer import Out, Ptr
from ntos.abi.types import BOOL, DWORD, HANDLE, PVOID, WCHAR
from ntos.abi.win32 import INVALID_HANDLE_VALUE
from ntos.dll.kernelbase.objects import environment, environment_block, parameters, read_block
from ntos.dll.kernelbase.services import allocate_bytes, free, rtl_status
from ntos.dll.kernelbase.text import export_both, optional_text, put_text, text_of
from ntos.rtl.environment import expand, is_valid_name, parse_block
from ntos.rtl.nls.codepage import to_ansi
from ntos.rtl.text import from_utf16
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread

MAXIMUM_LENGTH = 0x7FFF
_STANDARD = {0xFFFFFFF6: "StandardInput", 0xFFFFFFF5: "StandardOutput", 0xFFFFFFF4: "StandardError"}


@dataclass
class Kept:
    """ANSI copies made on first use, and the place of the command line when the process began."""

    wide_command_line: int = 0
    command_line: int = 0
    title: int = 0
    desktop: int = 0
    reserved: int = 0


@export(fails=INVALID_HANDLE_VALUE)
def GetStdHandle(thread: UserThread, nStdHandle: DWORD) -> HANDLE:
    """The process's standard handle of that number."""
    field = _STANDARD.get(nStdHandle)
    if field is None:
        raise WinError(ERROR.INVALID_HANDLE)
    return HANDLE(getattr(parameters(thread), field))


@export
def SetStdHandle(thread: UserThread, nStdHandle: DWORD, hHandle: HANDLE) -> BOOL:
    """Put another handle in place of a standard one."""
    field = _STANDARD.get(nStdHandle)
    if field is None:
        raise WinError(ERROR.INVALID_HANDLE)
    setattr(parameters(thread), field, hHandle)
    return BOOL(1)


@export
def SetStdHandleEx(thread: UserThread, nStdHandle: DWORD, hHandle: HANDLE, phPrevValue: Out[HANDLE] | None) -> BOOL:
    """SetStdHandle that also tells the handle replaced."""
    if phPrevValue is not None and nStdHandle in _STANDARD:
        phPrevValue.write(getattr(parameters(thread), _STANDARD[nStdHandle]))
    return SetStdHandle(thread, nStdHandle, hHandle)


@export
def GetCommandLineW(thread: UserThread) -> PVOID:
    """The address the command line had when this DLL was initialized, whatever the PEB says by now."""
    return PVOID(thread.state(Kept).wide_command_line)


@export
async def GetCommandLineA(thread: UserThread) -> PVOID:
    """The address of the command line in the ANSI code page; one copy for the process's life."""
    narrow = thread.state(Kept)
    if not narrow.command_line:
        narrow.command_line = await allocate_bytes(thread, to_ansi(parameters(thread).CommandLine.text) + b"\0")
    return PVOID(narrow.command_line)


def _fill_startup(thread: UserThread, info: STARTUPINFOW) -> None:
    view = parameters(thread)
    info.clear()
    info.cb = STARTUPINFOW.size
    info.dwX, info.dwY = view.StartingX, view.StartingY
    info.dwXSize, info.dwYSize = view.CountX, view.CountY
    info.dwXCountChars, info.dwYCountChars = view.CountCharsX, view.CountCharsY
    info.dwFillAttribute, info.dwFlags = view.FillAttribute, view.WindowFlags
    info.wShowWindow = int(view.ShowWindowFlags) & 0xFFFF
    info.cbReserved2 = view.RuntimeData.Length
    info.lpReserved2 = view.RuntimeData.Buffer
    if int(view.WindowFlags) & 0x700:
        info.hStdInput, info.hStdOutput = view.StandardInput, view.StandardOutput
        info.hStdError = view.StandardError
    else:
        info.hStdInput = info.hStdOutput = info.hStdError = HANDLE(INVALID_HANDLE_VALUE)


@export
def GetStartupInfoW(thread: UserThread, lpStartupInfo: Ptr[STARTUPINFOW]) -> None:
    """What the process's creator said about its window, handles and start."""
    info, view = lpStartupInfo.read(), parameters(thread)
    _fill_startup(thread, info)
    info.lpDesktop, info.lpTitle = view.DesktopInfo.Buffer, view.WindowTitle.Buffer
    info.lpReserved = view.ShellInfo.Buffer


@export
async def GetStartupInfoA(thread: UserThread, lpStartupInfo: Ptr[STARTUPINFOW]) -> None:
    """The same with 8-bit strings."""
    info, view, narrow = lpStartupInfo.read(), parameters(thread), thread.state(Kept)
    if not narrow.title:
        narrow.title = await allocate_bytes(thread, to_ansi(view.WindowTitle.text) + b"\0")
        narrow.desktop = await allocate_bytes(thread, to_ansi(view.DesktopInfo.text) + b"\0")
        narrow.reserved = await allocate_bytes(thread, to_ansi(view.ShellInfo.text) + b"\0")
    _fill_startup(thread, info)
    info.lpDesktop, info.lpTitle = PVOID(narrow.desktop), PVOID(narrow.title)
    info.lpReserved = PVOID(narrow.reserved)


@export
async def GetEnvironmentStringsW(thread: UserThread) -> PVOID:
    """A copy of the environment block, to be freed with FreeEnvironmentStrings."""
    return PVOID(await allocate_bytes(thread, environment_block(thread)))


@export(aliases=("GetEnvironmentStrings",))
async def GetEnvironmentStringsA(thread: UserThread) -> PVOID:
    """A copy of the environment block in the ANSI code page."""
    return PVOID(await allocate_bytes(thread, to_ansi(from_utf16(environment_block(thread)))))


@export(aliases=("FreeEnvironmentStringsA",))
async def FreeEnvironmentStringsW(thread: UserThread, penv: PVOID) -> BOOL:
    """Free a copy of the environment."""
    return BOOL(await free(thread, penv))


@export
async def SetEnvironmentStringsW(thread: UserThread, NewEnvironment: Ptr[WCHAR]) -> BOOL:
    """Replace all variables."""
    block = read_block(thread, NewEnvironment.address)
    if any(entry.find("=", 1) < 0 for entry in from_utf16(block).split("\0") if entry):
        raise WinError(ERROR.INVALID_PARAMETER)
    wanted = parse_block(block)
    for name in list(environment(thread)):
        if name not in wanted:
            await _set(thread, name, None)
    for name, value in wanted.items():
        await _set(thread, name, value)
    return BOOL(1)


@export_both()
def GetEnvironmentVariableW(thread: UserThread, lpName: Ptr[WCHAR], lpBuffer: Ptr[WCHAR], nSize: DWORD) -> DWORD:
    """A variable's value: its length, or the room it needs."""
    value = environment(thread).get(text_of(lpName))
    if value is None:
        raise WinError(ERROR.ENVVAR_NOT_FOUND)
    return DWORD(put_text(lpBuffer, nSize, value))


async def _set(thread: UserThread, name: str, value: str | None) -> None:
    with thread.frame() as frame:
        variable = frame.unicode_string(name)
        content = frame.unicode_string(value) if value is not None else 0
        await rtl_status(thread, "RtlSetEnvironmentVariable", 0, variable, content)


@export_both()
async def SetEnvironmentVariableW(thread: UserThread, lpName: Ptr[WCHAR], lpValue: Ptr[WCHAR]) -> BOOL:
    """Set a variable, or delete it with NULL."""
    name, value = text_of(lpName), optional_text(lpValue)
    if not is_valid_name(name):
        raise WinError(ERROR.INVALID_PARAMETER)
    if value is None and name not in environment(thread):
        raise WinError(ERROR.ENVVAR_NOT_FOUND)
    await _set(thread, name, value)
    return BOOL(1)


@export_both()
def ExpandEnvironmentStringsW(thread: UserThread, lpSrc: Ptr[WCHAR], lpDst: Ptr[WCHAR], nSize: DWORD) -> DWORD:
    """The text with each `%NAME%` replaced; always the size with its NUL."""
    text = expand(text_of(lpSrc), environment(thread).get)
    put_text(lpDst, nSize, text)
    return DWORD(put_text(lpDst, 0, text))

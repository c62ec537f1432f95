"""Symbol sessions (dbghelp.h): options, search paths, modules; every symbol is one that was not loaded."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from ntos.abi.errors import ERROR
from ntos.abi.ob import CURRENT_PROCESS
from ntos.abi.pointer import Ptr
from ntos.abi.types import BOOL, CHAR, DWORD, HANDLE, PVOID, ULONGLONG, WCHAR
from ntos.dll.kernelbase.services import allocate_bytes
from ntos.rtl.nls.codepage import ansi, to_ansi
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread

API_VERSION = (4, 0, 12, 0)
"""MajorVersion, MinorVersion, Revision, Reserved (dbghelp.h: API_VERSION_NUMBER is 12)."""
SYMOPT_UNDNAME = 2
UNLOADED = ERROR.MOD_NOT_FOUND
"""What Windows gives for an address in a module without symbols."""


@dataclass
class Sessions:
    """The options, and the search path of every session by its process handle."""

    options: int = SYMOPT_UNDNAME
    paths: dict[int, str] = field(default_factory=dict)


@dataclass
class Version:
    """Where API_VERSION is in guest memory; 0 until somebody asks."""

    address: int = 0


def _session(thread: UserThread, process: int) -> Sessions:
    sessions = thread.state(Sessions)
    if int(process) not in sessions.paths:
        raise WinError(ERROR.INVALID_HANDLE)
    return sessions


@export
def SymSetOptions(thread: UserThread, SymOptions: DWORD) -> DWORD:
    """Choose how symbols would be loaded and named; the choice."""
    thread.state(Sessions).options = int(SymOptions)
    return SymOptions


@export
def SymGetOptions(thread: UserThread) -> DWORD:
    """What SymSetOptions chose."""
    return DWORD(thread.state(Sessions).options)


def _open(thread: UserThread, process: int, path: str | None) -> BOOL:
    paths = thread.state(Sessions).paths
    if int(process) in paths:
        raise WinError(ERROR.INVALID_PARAMETER)
    paths[int(process)] = path or "."
    return BOOL(1)


@export(partial="no symbols are loaded for any module")
def SymInitialize(thread: UserThread, hProcess: HANDLE, UserSearchPath: Ptr[CHAR] | None, fInvadeProcess: BOOL) -> BOOL:
    """Open a session for a process; once only."""
    return _open(thread, hProcess, ansi(UserSearchPath.string()) if UserSearchPath else None)


@export(partial="no symbols are loaded for any module")
def SymInitializeW(
    thread: UserThread, hProcess: HANDLE, UserSearchPath: Ptr[WCHAR] | None, fInvadeProcess: BOOL
) -> BOOL:
    """Open a session for a process with a wide search path."""
    return _open(thread, hProcess, UserSearchPath.text() if UserSearchPath else None)


@export
def SymCleanup(thread: UserThread, hProcess: HANDLE) -> BOOL:
    """Close a process's session."""
    del _session(thread, hProcess).paths[int(hProcess)]
    return BOOL(1)


@export
def SymGetSearchPath(thread: UserThread, hProcess: HANDLE, SearchPath: Ptr[CHAR], SearchPathLength: DWORD) -> BOOL:
    """Where a session looks for symbol files."""
    data = to_ansi(_session(thread, hProcess).paths[int(hProcess)])[: max(SearchPathLength - 1, 0)]
    if SearchPathLength:
        SearchPath.write_bytes(data + bytes(1))
    return BOOL(1)


@export
def SymSetSearchPath(thread: UserThread, hProcess: HANDLE, SearchPath: Ptr[CHAR] | None) -> BOOL:
    """Have a session look elsewhere for symbol files."""
    _session(thread, hProcess).paths[int(hProcess)] = (ansi(SearchPath.string()) if SearchPath else "") or "."
    return BOOL(1)


@export(partial="there is no list: modules are asked of the loader")
def SymRefreshModuleList(thread: UserThread, hProcess: HANDLE) -> BOOL:
    """Bring a session's list of modules up to date."""
    _session(thread, hProcess)
    return BOOL(1)


@export
async def SymGetModuleBase64(thread: UserThread, hProcess: HANDLE, qwAddr: ULONGLONG) -> ULONGLONG:
    """The base of the module an address lies in; 0 for none."""
    return ULONGLONG((await _lookup(thread, hProcess, qwAddr))[0])


@export
async def SymFunctionTableAccess64(thread: UserThread, hProcess: HANDLE, AddrBase: ULONGLONG) -> PVOID:
    """The unwind entry of the function an address lies in; NULL for none."""
    return PVOID((await _lookup(thread, hProcess, AddrBase))[1])


async def _lookup(thread: UserThread, process: int, address: int) -> tuple[int, int]:
    """A module's base and an unwind entry, of the calling process only."""
    _session(thread, process)
    if int(process) & CURRENT_PROCESS != CURRENT_PROCESS:
        raise WinError(ERROR.NOT_SUPPORTED)
    with thread.frame() as frame:
        base = frame.bytes(bytes(8))
        entry = await thread.call(thread.entry("ntdll", "RtlLookupFunctionEntry"), int(address), base, 0)
        await thread.call(thread.entry("ntdll", "RtlPcToFileHeader"), int(address), base)
        return int.from_bytes(thread.memory.read(base, 8), "little"), entry


@export(aliases=("SymFromAddrW",), partial="no symbol is ever found")
def SymFromAddr(thread: UserThread, hProcess: HANDLE, Address: ULONGLONG, Displacement: PVOID, Symbol: PVOID) -> BOOL:
    """The symbol at or before an address: none is loaded."""
    _session(thread, hProcess)
    raise WinError(UNLOADED)


@export(partial="no symbol is ever found")
def SymGetSymFromAddr64(
    thread: UserThread, hProcess: HANDLE, qwAddr: ULONGLONG, pdwDisplacement: PVOID, Symbol: PVOID
) -> BOOL:
    """The symbol at or before an address in the older structure: none is loaded."""
    _session(thread, hProcess)
    raise WinError(UNLOADED)


@export(aliases=("SymGetLineFromAddrW64",), partial="no line is ever found")
def SymGetLineFromAddr64(
    thread: UserThread, hProcess: HANDLE, qwAddr: ULONGLONG, pdwDisplacement: PVOID, Line: PVOID
) -> BOOL:
    """The source line of an address: none is loaded."""
    _session(thread, hProcess)
    raise WinError(UNLOADED)


@export(partial="the version is that of the header; no real DLL's was at hand")
async def ImagehlpApiVersion(thread: UserThread) -> PVOID:
    """Where the version of this interface is written."""
    version = thread.state(Version)
    if not version.address:
        version.address = await allocate_bytes(thread, struct.pack("<4H", *API_VERSION))
    return PVOID(version.address)

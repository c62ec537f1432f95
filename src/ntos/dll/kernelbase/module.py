"""Modules: load, find, free, and what is known of them (libloaderapi.h)."""

from __future__ import annotations

from collections.abc import Iterator

from ntos.abi.errors import ERROR
from ntos.abi.layout.string import ANSI_STRING
from ntos.abi.layout.user import LDR_DATA_TABLE_ENTRY
from ntos.abi.pointer import Ptr
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import BOOL, CHAR, DWORD, HANDLE, PVOID, ULONG, WCHAR
from ntos.abi.win32 import (
    DONT_RESOLVE_DLL_REFERENCES,
    GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS,
    GET_MODULE_HANDLE_EX_FLAG_PIN,
    GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
    LOAD_LIBRARY_AS_DATAFILE,
    LOAD_LIBRARY_AS_DATAFILE_EXCLUSIVE,
    LOAD_LIBRARY_AS_IMAGE_RESOURCE,
    LOAD_LIBRARY_REQUIRE_SIGNED_TARGET,
    LOAD_WITH_ALTERED_SEARCH_PATH,
)
from ntos.dll.kernelbase import datafile
from ntos.dll.kernelbase.objects import new_handle
from ntos.dll.kernelbase.services import rtl, rtl_status
from ntos.dll.kernelbase.text import export_both, put_cut, put_text, text_of
from ntos.um.export import WinError, export, set_last_error
from ntos.um.thread import UserThread

SEARCH_FLAGS = 0x7F00
KNOWN_FLAGS = 0x7FFB
DATA_FLAGS = LOAD_LIBRARY_AS_DATAFILE | LOAD_LIBRARY_AS_DATAFILE_EXCLUSIVE | LOAD_LIBRARY_AS_IMAGE_RESOURCE
SEARCH_FLAGS_TAG = 1
"""LdrLoadDll takes LOAD_LIBRARY_SEARCH_… flags in place of a path when the lowest bit is set (observed
since 8)."""
IN_LOAD_ORDER = 0x10
"""PEB_LDR_DATA.InLoadOrderModuleList."""


def modules(thread: UserThread) -> Iterator[LDR_DATA_TABLE_ENTRY]:
    """The loaded modules, in the order of their loading."""
    head = int(thread.peb.Ldr) + IN_LOAD_ORDER
    entry = int.from_bytes(thread.memory.read(head, 8), "little")
    while entry != head:
        view = LDR_DATA_TABLE_ENTRY(thread.memory, entry)
        yield view
        entry = int(view.InLoadOrderLinks.Flink)


def find_module(thread: UserThread, base: int) -> LDR_DATA_TABLE_ENTRY:
    """The loader's entry of a module; NULL means the program."""
    wanted = base or int(thread.peb.ImageBaseAddress)
    for entry in modules(thread):
        if int(entry.DllBase) == wanted:
            return entry
    raise NtError(STATUS.DLL_NOT_FOUND)


async def _handle_of(thread: UserThread, name: str) -> int:
    with thread.frame() as frame:
        handle = new_handle(frame)
        await rtl_status(thread, "LdrGetDllHandle", 0, 0, frame.unicode_string(name), handle.address)
        return int(handle.read())


@export_both()
async def GetModuleHandleW(thread: UserThread, lpModuleName: Ptr[WCHAR]) -> HANDLE:
    """The base of a loaded module; NULL asks for the program."""
    if not lpModuleName:
        return HANDLE(thread.peb.ImageBaseAddress)
    return HANDLE(await _handle_of(thread, text_of(lpModuleName)))


@export_both()
async def GetModuleHandleExW(
    thread: UserThread, dwFlags: DWORD, lpModuleName: Ptr[WCHAR], phModule: Ptr[HANDLE]
) -> BOOL:
    """The base of a loaded module, found by name or by an address in it, and referenced as the flags say."""
    if not phModule:
        raise WinError(ERROR.INVALID_PARAMETER)
    phModule.write(0)
    pin, unchanged = GET_MODULE_HANDLE_EX_FLAG_PIN, GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT
    by_address = dwFlags & GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS
    if dwFlags & ~7 or dwFlags & 3 == 3 or (by_address and not lpModuleName):
        raise WinError(ERROR.INVALID_PARAMETER)
    if by_address:
        with thread.frame() as frame:
            base = await rtl(thread, "RtlPcToFileHeader", lpModuleName.address, new_handle(frame).address)
        if not base:
            raise NtError(STATUS.DLL_NOT_FOUND)
    elif lpModuleName:
        base = await _handle_of(thread, text_of(lpModuleName))
    else:
        base = int(thread.peb.ImageBaseAddress)
    if not dwFlags & unchanged:
        await rtl_status(thread, "LdrAddRefDll", 1 if dwFlags & pin else 0, base)
    phModule.write(base)
    return BOOL(1)


@export
async def GetProcAddress(thread: UserThread, hModule: HANDLE, lpProcName: Ptr[CHAR]) -> PVOID:
    """The address of an export by name, or by ordinal when the name's high words are zero."""
    base = hModule & ~3 or int(thread.peb.ImageBaseAddress)
    with thread.frame() as frame:
        place = new_handle(frame)
        ordinal, name = lpProcName.address, 0
        if ordinal >> 16:
            ordinal = 0
            text = lpProcName.string()
            view: ANSI_STRING = frame.new(ANSI_STRING)
            view.Length, view.MaximumLength, view.Buffer = len(text), len(text) + 1, lpProcName.address
            name = view.address
        await rtl_status(thread, "LdrGetProcedureAddress", base, name, ordinal, place.address)
        return PVOID(place.read())


@export_both()
async def LoadLibraryExW(thread: UserThread, lpLibFileName: Ptr[WCHAR], hFile: HANDLE, dwFlags: DWORD) -> HANDLE:
    """Load a module, or map its file as data."""
    name = text_of(lpLibFileName).rstrip(" ")
    search = dwFlags & SEARCH_FLAGS
    altered = dwFlags & LOAD_WITH_ALTERED_SEARCH_PATH
    if not name or hFile or dwFlags & ~KNOWN_FLAGS or (search and altered):
        raise WinError(ERROR.INVALID_PARAMETER)
    if dwFlags & DATA_FLAGS:
        return HANDLE(await datafile.load(thread, name, dwFlags))
    return HANDLE(await load(thread, name, dwFlags))


async def load(thread: UserThread, name: str, flags: int = 0) -> int:
    """The base of a module, loaded if need be."""
    characteristics = 2 if flags & DONT_RESOLVE_DLL_REFERENCES else 0
    characteristics |= 0x800000 if flags & LOAD_LIBRARY_REQUIRE_SIGNED_TARGET else 0
    path = flags & (SEARCH_FLAGS | LOAD_WITH_ALTERED_SEARCH_PATH) | SEARCH_FLAGS_TAG
    with thread.frame() as frame:
        handle = new_handle(frame)
        wanted: Ptr[ULONG] = frame.new(ULONG)
        wanted.write(characteristics)
        text = frame.unicode_string(name)
        await rtl_status(thread, "LdrLoadDll", path, wanted.address, text, handle.address)
        return int(handle.read())


@export_both()
async def LoadLibraryW(thread: UserThread, lpLibFileName: Ptr[WCHAR]) -> HANDLE:
    """Load a module by the usual search order."""
    name = text_of(lpLibFileName).rstrip(" ")
    if not name:
        raise WinError(ERROR.INVALID_PARAMETER)
    return HANDLE(await load(thread, name))


@export
async def FreeLibrary(thread: UserThread, hLibModule: HANDLE) -> BOOL:
    """Give one reference to a module back; unmap a data file."""
    if hLibModule & 3:
        await datafile.unload(thread, hLibModule)
    else:
        await rtl_status(thread, "LdrUnloadDll", hLibModule)
    return BOOL(1)


@export
async def FreeLibraryAndExitThread(thread: UserThread, hLibModule: HANDLE, dwExitCode: DWORD) -> None:
    """Free a module and end the thread; never returns to code that may be gone."""
    if hLibModule & 3:
        await datafile.unload(thread, hLibModule)
    else:
        await rtl(thread, "LdrUnloadDll", hLibModule)
    await rtl(thread, "RtlExitUserThread", dwExitCode)


@export
async def DisableThreadLibraryCalls(thread: UserThread, hLibModule: HANDLE) -> BOOL:
    """No more DLL_THREAD_ATTACH and DETACH for this module."""
    await rtl_status(thread, "LdrDisableThreadCalloutsForDll", hLibModule)
    return BOOL(1)


def put_module_text(thread: UserThread, place: Ptr[WCHAR], count: int, text: str) -> DWORD:
    """Store a module's name; a short buffer takes what fits, and the error says so."""
    needed = put_text(place, 0, text)
    if needed <= count:
        set_last_error(thread, ERROR.SUCCESS)
        return DWORD(put_cut(place, count, text))
    put_cut(place, count, text)
    set_last_error(thread, ERROR.INSUFFICIENT_BUFFER)
    return DWORD(count)


@export_both()
def GetModuleFileNameW(thread: UserThread, hModule: HANDLE, lpFilename: Ptr[WCHAR], nSize: DWORD) -> DWORD:
    """The path a module was loaded from; cut (and ERROR_INSUFFICIENT_BUFFER) where the buffer is short."""
    if hModule & 3:
        return put_module_text(thread, lpFilename, nSize, datafile.path_of(thread, hModule))
    return put_module_text(thread, lpFilename, nSize, find_module(thread, hModule).FullDllName.text)


@export
async def AddDllDirectory(thread: UserThread, NewDirectory: Ptr[WCHAR]) -> PVOID:
    """Add a directory to those LOAD_LIBRARY_SEARCH_USER_DIRS searches."""
    with thread.frame() as frame:
        cookie = new_handle(frame)
        name = frame.unicode_string(text_of(NewDirectory))
        await rtl_status(thread, "LdrAddDllDirectory", name, cookie.address)
        return PVOID(cookie.read())


@export
async def RemoveDllDirectory(thread: UserThread, Cookie: PVOID) -> BOOL:
    """Take a directory away again."""
    await rtl_status(thread, "LdrRemoveDllDirectory", Cookie)
    return BOOL(1)


@export
async def SetDefaultDllDirectories(thread: UserThread, DirectoryFlags: DWORD) -> BOOL:
    """The search flags of a LoadLibrary that gives none."""
    await rtl_status(thread, "LdrSetDefaultDllDirectories", DirectoryFlags)
    return BOOL(1)


@export_both()
async def SetDllDirectoryW(thread: UserThread, lpPathName: Ptr[WCHAR]) -> BOOL:
    """Put a directory in the current directory's place in the DLL search; NULL restores it."""
    with thread.frame() as frame:
        name = frame.unicode_string(text_of(lpPathName)) if lpPathName else 0
        await rtl_status(thread, "LdrSetDllDirectory", name)
    return BOOL(1)

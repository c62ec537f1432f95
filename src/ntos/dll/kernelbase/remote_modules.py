"""The modules of any process, read from its loader's list, and what psapi says of them (psapi.h)."""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass

from ntos.abi.errors import ERROR
from ntos.abi.layout.peb import PEB
from ntos.abi.layout.user import LDR_DATA_TABLE_ENTRY, PEB_LDR_DATA
from ntos.abi.layout.win32 import MODULEINFO
from ntos.abi.pointer import Out, Ptr
from ntos.abi.ps import PROCESSINFOCLASS
from ntos.abi.types import BOOL, DWORD, HANDLE, PVOID, WCHAR
from ntos.dll.kernelbase.process import basic_information, image_name
from ntos.dll.kernelbase.services import allocate, free, nt
from ntos.dll.kernelbase.system_query import processes
from ntos.dll.kernelbase.text import export_both, put_cut, put_text
from ntos.rtl.text import from_utf16
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread

PARTIAL_COPY = 299
LIMIT = 4096
MEMORY_MAPPED_FILENAME = 2


@dataclass(frozen=True, slots=True)
class RemoteModule:
    """One module of a process."""

    base: int
    size: int
    entry_point: int
    path: str
    name: str


async def read_memory(thread: UserThread, process: int, address: int, size: int) -> bytes:
    """Bytes of another process."""
    with thread.frame() as frame:
        length = frame.allocate(8)
        place = frame.allocate(size) if size <= 0x1000 else await allocate(thread, size)
        try:
            await nt.NtReadVirtualMemory(thread, process, address, place, size, length)
            return thread.memory.read(place, size)
        finally:
            if size > 0x1000:
                await free(thread, place)


async def modules_of(thread: UserThread, process: int) -> AsyncIterator[RemoteModule]:
    """The modules of a process in the order of their loading; ERROR_PARTIAL_COPY before its loader has run."""
    peb = int((await basic_information(thread, process)).PebBaseAddress)
    (loader,) = struct.unpack("<Q", await read_memory(thread, process, peb + PEB.offset("Ldr"), 8))
    if not loader:
        raise WinError(PARTIAL_COPY)
    head = loader + PEB_LDR_DATA.offset("InLoadOrderModuleList")
    (link,) = struct.unpack("<Q", await read_memory(thread, process, head, 8))
    for _ in range(LIMIT):
        if link == head:
            return
        entry = LDR_DATA_TABLE_ENTRY.parse(await read_memory(thread, process, link, LDR_DATA_TABLE_ENTRY.size))
        texts = []
        for text in (entry.FullDllName, entry.BaseDllName):
            data = await read_memory(thread, process, int(text.Buffer), int(text.Length)) if text.Length else b""
            texts.append(from_utf16(data))
        yield RemoteModule(int(entry.DllBase), int(entry.SizeOfImage), int(entry.EntryPoint), *texts)
        link = int(entry.InLoadOrderLinks.Flink)


async def find(thread: UserThread, process: int, base: int) -> RemoteModule:
    """One module by its base; 0 means the program."""
    async for module in modules_of(thread, process):
        if base in (0, module.base):
            return module
    raise WinError(ERROR.INVALID_HANDLE)


@export(aliases=("K32EnumProcessModulesEx",))
async def K32EnumProcessModules(
    thread: UserThread, hProcess: HANDLE, lphModule: Ptr[HANDLE], cb: DWORD, lpcbNeeded: Out[DWORD]
) -> BOOL:
    """The bases of a process's modules, as many as fit, and the room all need."""
    bases = [module.base async for module in modules_of(thread, hProcess)]
    kept = bases[: cb // 8]
    lphModule.write_bytes(struct.pack(f"<{len(kept)}Q", *kept))
    lpcbNeeded.write(8 * len(bases))
    return BOOL(1)


@export
async def K32GetModuleInformation(
    thread: UserThread, hProcess: HANDLE, hModule: HANDLE, lpmodinfo: Ptr[MODULEINFO], cb: DWORD
) -> BOOL:
    """A module's base, size and entry point."""
    if cb < MODULEINFO.size:
        raise WinError(ERROR.INSUFFICIENT_BUFFER)
    module, view = await find(thread, hProcess, hModule), lpmodinfo.read()
    view.lpBaseOfDll, view.SizeOfImage = PVOID(module.base), DWORD(module.size)
    view.EntryPoint = PVOID(module.entry_point)
    return BOOL(1)


@export_both()
async def K32GetModuleFileNameExW(
    thread: UserThread, hProcess: HANDLE, hModule: HANDLE, lpFilename: Ptr[WCHAR], nSize: DWORD
) -> DWORD:
    """The path of a process's module, cut where the buffer is short."""
    return DWORD(put_cut(lpFilename, nSize, (await find(thread, hProcess, hModule)).path))


@export_both()
async def K32GetModuleBaseNameW(
    thread: UserThread, hProcess: HANDLE, hModule: HANDLE, lpBaseName: Ptr[WCHAR], nSize: DWORD
) -> DWORD:
    """The file name of a process's module, cut where the buffer is short."""
    return DWORD(put_cut(lpBaseName, nSize, (await find(thread, hProcess, hModule)).name))


@export
async def K32EnumProcesses(thread: UserThread, lpidProcess: Ptr[DWORD], cb: DWORD, lpcbNeeded: Out[DWORD]) -> BOOL:
    """The ids of all processes, as many as fit, and the room they took."""
    ids = [entry.id for entry in await processes(thread)][: cb // 4]
    lpidProcess.write_bytes(struct.pack(f"<{len(ids)}I", *ids))
    lpcbNeeded.write(4 * len(ids))
    return BOOL(1)


@export_both()
async def K32GetProcessImageFileNameW(
    thread: UserThread, hProcess: HANDLE, lpImageFileName: Ptr[WCHAR], nSize: DWORD
) -> DWORD:
    """The native path of a process's program."""
    text = await image_name(thread, hProcess, PROCESSINFOCLASS.ProcessImageFileName)
    length = put_text(lpImageFileName, nSize, text)
    if length >= nSize:
        raise WinError(ERROR.INSUFFICIENT_BUFFER)
    return DWORD(length)


@export_both()
async def K32GetMappedFileNameW(
    thread: UserThread, hProcess: HANDLE, lpv: PVOID, lpFilename: Ptr[WCHAR], nSize: DWORD
) -> DWORD:
    """The native path of the file mapped at an address, cut where the buffer is short."""
    with thread.frame() as frame:
        place, length = frame.allocate(0x800), frame.allocate(8)
        await nt.NtQueryVirtualMemory(thread, hProcess, lpv, MEMORY_MAPPED_FILENAME, place, 0x800, length)
        size, _, address = struct.unpack("<HH4xQ", thread.memory.read(place, 16))
        text = from_utf16(thread.memory.read(address, size))
    return DWORD(put_cut(lpFilename, nSize, text))


@export
async def K32EmptyWorkingSet(thread: UserThread, hProcess: HANDLE) -> BOOL:
    """Let a process's pages go: there is no paging here, so asking is all there is to it."""
    await basic_information(thread, hProcess)
    return BOOL(1)

"""Snapshots of processes, threads and modules (tlhelp32.h).

As on Windows a snapshot is a section: a header with a cursor for each list, then the lists' structures as they are
given out. CloseHandle is all it takes to free it.
"""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ntos.abi.access import PROCESS_QUERY_INFORMATION, PROCESS_VM_READ
from ntos.abi.errors import ERROR
from ntos.abi.layout.toolhelp import HEAPLIST32, MODULEENTRY32W, PROCESSENTRY32, PROCESSENTRY32W, THREADENTRY32
from ntos.abi.mm import PAGE_READWRITE, SEC_COMMIT
from ntos.abi.ob import CURRENT_PROCESS
from ntos.abi.pointer import Out, Ptr
from ntos.abi.struct import Struct
from ntos.abi.types import BOOL, CHAR, DWORD, HANDLE, LONG, PVOID, SIZE_T
from ntos.dll.kernelbase.objects import attributes, new_handle, new_size
from ntos.dll.kernelbase.process import OpenProcess, basic_information
from ntos.dll.kernelbase.remote_modules import modules_of, read_memory
from ntos.dll.kernelbase.services import nt
from ntos.dll.kernelbase.system_query import ProcessEntry, processes
from ntos.dll.kernelbase.text import set_text
from ntos.rtl.nls.codepage import to_ansi
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread

TH32CS_SNAPHEAPLIST, TH32CS_SNAPPROCESS, TH32CS_SNAPTHREAD, TH32CS_SNAPMODULE, TH32CS_SNAPMODULE32 = 1, 2, 4, 8, 0x10
TH32CS_INHERIT = 0x8000_0000
BAD_LENGTH = 24
SECTION_ALL_ACCESS, OBJ_INHERIT, VIEW_UNMAP = 0xF001F, 2, 2
PROCESSES, THREADS, MODULES, HEAPS = range(4)
KINDS: tuple[type[Struct], ...] = (PROCESSENTRY32W, THREADENTRY32, MODULEENTRY32W, HEAPLIST32)
ROW = struct.Struct("<III4x")
"""The header has a row for each list: where it begins, how many entries it has, which comes next."""
HEADER_SIZE = ROW.size * len(KINDS)
PEB_NUMBER_OF_HEAPS = 0xE8
"""PEB.NumberOfHeaps; ProcessHeaps follows 8 bytes on."""
HF32_DEFAULT = 1
MODULE_FIELDS_A = struct.Struct("<5I4xQI4xQ256s260s")


def pack(lists: tuple[list[bytes], ...]) -> bytes:
    """A snapshot's bytes: the header, then the lists."""
    header, body = b"", b""
    for entries in lists:
        header += ROW.pack(HEADER_SIZE + len(body), len(entries), 0)
        body += b"".join(entries)
    return header + body


def process_entry(entry: ProcessEntry) -> bytes:
    """PROCESSENTRY32W."""
    view, information = PROCESSENTRY32W.new(), entry.information
    view.dwSize, view.th32ProcessID = DWORD(PROCESSENTRY32W.size), DWORD(entry.id)
    view.cntThreads = DWORD(int(information.NumberOfThreads))
    view.th32ParentProcessID = DWORD(int(information.InheritedFromUniqueProcessId))
    view.pcPriClassBase = LONG(int(information.BasePriority))
    view.szExeFile = (entry.name or "[System Process]")[:259]
    return bytes(view)


def thread_entries(entry: ProcessEntry) -> list[bytes]:
    """THREADENTRY32 of each of a process's threads."""
    found = []
    for information in entry.threads:
        view = THREADENTRY32.new()
        view.dwSize = DWORD(THREADENTRY32.size)
        view.th32ThreadID = DWORD(int(information.ClientId.UniqueThread))
        view.th32OwnerProcessID = DWORD(entry.id)
        view.tpBasePri = LONG(int(information.BasePriority))
        found.append(bytes(view))
    return found


async def _module_entries(thread: UserThread, process: int, owner: int) -> list[bytes]:
    found = []
    async for module in modules_of(thread, process):
        view = MODULEENTRY32W.new()
        view.dwSize, view.th32ModuleID, view.th32ProcessID = DWORD(MODULEENTRY32W.size), DWORD(1), DWORD(owner)
        view.GlblcntUsage = view.ProccntUsage = DWORD(0xFFFF)
        view.modBaseAddr, view.modBaseSize = PVOID(module.base), DWORD(module.size)
        view.hModule = HANDLE(module.base)
        view.szModule, view.szExePath = module.name[:255], module.path[:259]
        found.append(bytes(view))
    return found


async def _heap_entries(thread: UserThread, process: int, owner: int) -> list[bytes]:
    peb = int((await basic_information(thread, process)).PebBaseAddress)
    count, table = struct.unpack("<I4xQ", await read_memory(thread, process, peb + PEB_NUMBER_OF_HEAPS, 16))
    if not table:
        return []
    heaps = struct.unpack(f"<{count}Q", await read_memory(thread, process, table, 8 * count)) if count else ()
    found = []
    for index, heap in enumerate(heaps):
        view = HEAPLIST32.new()
        view.dwSize, view.th32ProcessID = SIZE_T(HEAPLIST32.size), DWORD(owner)
        view.th32HeapID, view.dwFlags = SIZE_T(heap), DWORD(0 if index else HF32_DEFAULT)
        found.append(bytes(view))
    return found


async def _gather(thread: UserThread, flags: int, owner: int) -> bytes:
    lists: tuple[list[bytes], ...] = ([], [], [], [])
    if flags & (TH32CS_SNAPPROCESS | TH32CS_SNAPTHREAD):
        for entry in await processes(thread):
            if flags & TH32CS_SNAPPROCESS:
                lists[PROCESSES].append(process_entry(entry))
            if flags & TH32CS_SNAPTHREAD and entry.id:
                lists[THREADS].extend(thread_entries(entry))
    if flags & (TH32CS_SNAPMODULE | TH32CS_SNAPMODULE32 | TH32CS_SNAPHEAPLIST):
        owner = owner or int(thread.teb.ClientId.UniqueProcess)
        process = await OpenProcess(thread, DWORD(PROCESS_QUERY_INFORMATION | PROCESS_VM_READ), BOOL(0), DWORD(owner))
        try:
            if flags & (TH32CS_SNAPMODULE | TH32CS_SNAPMODULE32):
                lists[MODULES].extend(await _module_entries(thread, process, owner))
            if flags & TH32CS_SNAPHEAPLIST:
                lists[HEAPS].extend(await _heap_entries(thread, process, owner))
        finally:
            await nt.NtClose(thread, process)
    return pack(lists)


@asynccontextmanager
async def _mapped(thread: UserThread, section: int) -> AsyncIterator[int]:
    with thread.frame() as frame:
        base, size = new_handle(frame), new_size(frame, 0)
        await nt.NtMapViewOfSection(
            thread, section, CURRENT_PROCESS, base.address, 0, 0, 0, size.address, VIEW_UNMAP, 0, PAGE_READWRITE
        )
        address = int(base.read())
        try:
            yield address
        finally:
            await nt.NtUnmapViewOfSection(thread, CURRENT_PROCESS, address)


@export(fails=0xFFFF_FFFF_FFFF_FFFF)
async def CreateToolhelp32Snapshot(thread: UserThread, dwFlags: DWORD, th32ProcessID: DWORD) -> HANDLE:
    """A snapshot of what the flags name, to be walked and then closed."""
    data = await _gather(thread, dwFlags, th32ProcessID)
    with thread.frame() as frame:
        place, size = new_handle(frame), new_size(frame, len(data))
        where = attributes(frame, flags=OBJ_INHERIT if dwFlags & TH32CS_INHERIT else 0)
        await nt.NtCreateSection(
            thread, place.address, SECTION_ALL_ACCESS, where, size.address, PAGE_READWRITE, SEC_COMMIT, 0
        )
        section = int(place.read())
    async with _mapped(thread, section) as view:
        thread.memory.write(view, data)
    return HANDLE(section)


async def _take(thread: UserThread, section: int, kind: int, first: bool) -> bytes:
    """The next entry of a list; ERROR_NO_MORE_FILES behind the last."""
    async with _mapped(thread, section) as view:
        row = view + ROW.size * kind
        start, count, cursor = ROW.unpack(thread.memory.read(row, ROW.size))
        cursor = 0 if first else cursor
        if cursor >= count:
            raise WinError(ERROR.NO_MORE_FILES)
        thread.memory.write(row, ROW.pack(start, count, cursor + 1))
        size = KINDS[kind].size
        return thread.memory.read(view + start + size * cursor, size)


async def _give_process(
    thread: UserThread, section: int, place: PROCESSENTRY32W | PROCESSENTRY32, *, first: bool
) -> BOOL:
    if int(place.dwSize) < type(place).size:
        raise WinError(BAD_LENGTH)
    found = PROCESSENTRY32W.parse(await _take(thread, section, PROCESSES, first))
    for name in (
        "cntUsage", "th32ProcessID", "th32DefaultHeapID", "th32ModuleID", "cntThreads", "th32ParentProcessID",
        "pcPriClassBase", "dwFlags",
    ):  # fmt: skip
        setattr(place, name, getattr(found, name))
    set_text(place, "szExeFile", str(found.szExeFile))
    return BOOL(1)


@export
async def Process32FirstW(thread: UserThread, hSnapshot: HANDLE, lppe: Ptr[PROCESSENTRY32W]) -> BOOL:
    """The first process of a snapshot."""
    return await _give_process(thread, hSnapshot, lppe.read(), first=True)


@export
async def Process32NextW(thread: UserThread, hSnapshot: HANDLE, lppe: Ptr[PROCESSENTRY32W]) -> BOOL:
    """The next process of a snapshot."""
    return await _give_process(thread, hSnapshot, lppe.read(), first=False)


@export
async def Process32First(thread: UserThread, hSnapshot: HANDLE, lppe: Ptr[PROCESSENTRY32]) -> BOOL:
    """The first process of a snapshot, in 8-bit characters."""
    return await _give_process(thread, hSnapshot, lppe.read(), first=True)


@export
async def Process32Next(thread: UserThread, hSnapshot: HANDLE, lppe: Ptr[PROCESSENTRY32]) -> BOOL:
    """The next process of a snapshot, in 8-bit characters."""
    return await _give_process(thread, hSnapshot, lppe.read(), first=False)


async def _give_plain(
    thread: UserThread, section: int, place: int, kind: int, *, first: bool, size_bytes: int = 4
) -> BOOL:
    room = int.from_bytes(thread.memory.read(place, size_bytes), "little")
    if room < KINDS[kind].size:
        raise WinError(BAD_LENGTH)
    thread.memory.write(place, await _take(thread, section, kind, first))
    return BOOL(1)


@export
async def Thread32First(thread: UserThread, hSnapshot: HANDLE, lpte: Ptr[THREADENTRY32]) -> BOOL:
    """The first thread of a snapshot."""
    return await _give_plain(thread, hSnapshot, lpte.address, THREADS, first=True)


@export
async def Thread32Next(thread: UserThread, hSnapshot: HANDLE, lpte: Ptr[THREADENTRY32]) -> BOOL:
    """The next thread of a snapshot."""
    return await _give_plain(thread, hSnapshot, lpte.address, THREADS, first=False)


@export
async def Module32FirstW(thread: UserThread, hSnapshot: HANDLE, lpme: Ptr[MODULEENTRY32W]) -> BOOL:
    """The first module of a snapshot."""
    return await _give_plain(thread, hSnapshot, lpme.address, MODULES, first=True)


@export
async def Module32NextW(thread: UserThread, hSnapshot: HANDLE, lpme: Ptr[MODULEENTRY32W]) -> BOOL:
    """The next module of a snapshot."""
    return await _give_plain(thread, hSnapshot, lpme.address, MODULES, first=False)


async def _give_module_a(thread: UserThread, section: int, place: int, *, first: bool) -> BOOL:
    if int.from_bytes(thread.memory.read(place, 4), "little") < MODULE_FIELDS_A.size:
        raise WinError(BAD_LENGTH)
    found = MODULEENTRY32W.parse(await _take(thread, section, MODULES, first))
    data = MODULE_FIELDS_A.pack(
        MODULE_FIELDS_A.size, int(found.th32ModuleID), int(found.th32ProcessID), int(found.GlblcntUsage),
        int(found.ProccntUsage), int(found.modBaseAddr), int(found.modBaseSize), int(found.hModule),
        to_ansi(str(found.szModule))[:255], to_ansi(str(found.szExePath))[:259],
    )  # fmt: skip
    thread.memory.write(place, data)
    return BOOL(1)


@export
async def Module32First(thread: UserThread, hSnapshot: HANDLE, lpme: Ptr[CHAR]) -> BOOL:
    """The first module of a snapshot, in 8-bit characters."""
    return await _give_module_a(thread, hSnapshot, lpme.address, first=True)


@export
async def Module32Next(thread: UserThread, hSnapshot: HANDLE, lpme: Ptr[CHAR]) -> BOOL:
    """The next module of a snapshot, in 8-bit characters."""
    return await _give_module_a(thread, hSnapshot, lpme.address, first=False)


@export
async def Heap32ListFirst(thread: UserThread, hSnapshot: HANDLE, lphl: Ptr[HEAPLIST32]) -> BOOL:
    """The first heap of a snapshot."""
    return await _give_plain(thread, hSnapshot, lphl.address, HEAPS, first=True, size_bytes=8)


@export
async def Heap32ListNext(thread: UserThread, hSnapshot: HANDLE, lphl: Ptr[HEAPLIST32]) -> BOOL:
    """The next heap of a snapshot."""
    return await _give_plain(thread, hSnapshot, lphl.address, HEAPS, first=False, size_bytes=8)


@export
async def Toolhelp32ReadProcessMemory(
    thread: UserThread,
    th32ProcessID: DWORD,
    lpBaseAddress: PVOID,
    lpBuffer: PVOID,
    cbRead: SIZE_T,
    lpNumberOfBytesRead: Out[SIZE_T] | None,
) -> BOOL:
    """Bytes of a process by its id; 0 is the caller's own."""
    owner = th32ProcessID or int(thread.teb.ClientId.UniqueProcess)
    process = await OpenProcess(thread, DWORD(PROCESS_VM_READ), BOOL(0), DWORD(owner))
    try:
        thread.memory.write(lpBuffer, await read_memory(thread, process, lpBaseAddress, cbRead))
    finally:
        await nt.NtClose(thread, process)
    if lpNumberOfBytesRead is not None:
        lpNumberOfBytesRead.write(cbRead)
    return BOOL(1)

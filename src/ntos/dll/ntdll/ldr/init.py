"""How a process starts: what LdrInitializeThunk does on the first thread, and on each later one."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ntos.abi.layout.context import CONTEXT
from ntos.abi.layout.list import LIST_ENTRY
from ntos.abi.layout.peb import PEB
from ntos.abi.layout.user import PEB_LDR_DATA
from ntos.abi.pe import directories
from ntos.abi.pe.headers import Subsystem
from ntos.abi.pointer import Ptr
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import HANDLE, PVOID, SIZE_T
from ntos.dll.ntdll import fls, guest
from ntos.dll.ntdll.guest import settle
from ntos.dll.ntdll.ldr import attach, failure, graph, load, options, search, snap, tls
from ntos.dll.ntdll.ldr import module as modules
from ntos.dll.ntdll.ldr.image import headers_of, reader
from ntos.dll.ntdll.ldr.lock import locked
from ntos.dll.ntdll.ldr.module import PROCESS_STATIC_IMPORT, Origin
from ntos.dll.ntdll.ldr.state import PINNED, Loader, Module
from ntos.dll.ntdll.raising import break_in
from ntos.dll.ntdll.rtl_environment import own_block
from ntos.dll.ntdll.rtl_path import set_current_directory
from ntos.etw import account
from ntos.um import nt
from ntos.um.export import export

if TYPE_CHECKING:
    from ntos.um.thread import UserThread

FAST_PEB_LOCK, LOADER_LOCK = 0x280, 0x2B0
TLS_BITMAP, TLS_EXPANSION_BITMAP = 0x300, 0x310
DATA_SIZE = 0x1000
MEM_COMMIT_RESERVE = 0x3000
PAGE_READWRITE = 4
HEAP_GROWABLE = 2
DIRECTORY_ACCESS = 3
SYMBOLIC_LINK_QUERY = 1
PARAMS_NORMALIZED = 1
UNLOCKED = struct.pack("<QiiQQQ", 0xFFFF_FFFF_FFFF_FFFF, -1, 0, 0, 0, 0)
"""An RTL_CRITICAL_SECTION nobody owns, without debug information."""
WINDOWS_SUBSYSTEMS = (Subsystem.WINDOWS_GUI, Subsystem.WINDOWS_CUI)
HEAP_ROOM_COUNT = 16


@export
async def LdrInitializeThunk(
    thread: UserThread, NormalContext: PVOID, NtdllBase: PVOID, SystemArgument2: PVOID, Context: Ptr[CONTEXT]
) -> None:
    """The first user-mode code of every thread: the process's initialisation, or the thread's own.

    It is a user APC: KiUserApcDispatcher gives the interrupted context as the fourth argument.
    """
    teb = thread.teb
    if teb.SkipLoaderInit:
        return
    loader = thread.state(Loader)
    if loader.phase == 0:
        loader.phase = 1
        loader.initial_context = Context.address
        account.step(thread.log, 7, "LdrInitializeThunk", context=Context.address, ntdll=NtdllBase)
        teb.RanProcessInit = 1
        try:
            await initialize_process(thread, loader, NtdllBase)
        except NtError as error:
            loader.phase = 3
            await failure.initialization_failed(thread, loader, error)
        loader.phase, loader.state = 2, 3
        await settle(nt.NtSetEvent(thread, loader.complete_event, 0))
    else:
        while loader.phase == 1:
            await settle(nt.NtWaitForSingleObject(thread, loader.complete_event, 0, 0))
        await initialize_thread(thread, loader)
    await settle(nt.NtTestAlert(thread))


async def initialize_process(thread: UserThread, loader: Loader, ntdll_base: int) -> None:
    """LdrpInitializeProcess: PEB, heap, ntdll and the program as modules, kernel32, imports, TLS, init
    routines.
    """
    log = thread.log
    account.step(log, 7, "LdrpInitializeProcess")
    thread.state(guest.Routines).place(thread.memory, ntdll_base)
    await _create_complete_event(thread, loader)
    await _prepare_data(thread, loader)
    peb = thread.peb
    exe_base = int(peb.ImageBaseAddress)
    account.step(log, 7, "RtlCreateHeap")
    await options.set_debug_flags(thread)
    await _create_heap(thread, peb, exe_base)
    await own_block(thread)
    account.step(log, 7, "LdrpInitializeProcess: KnownDlls")
    await open_known_dlls(thread, loader)
    account.step(log, 7, "LdrpInsertDataTableEntry")
    await _insert_first_modules(thread, loader, ntdll_base, exe_base)
    assert loader.exe is not None
    await _open_current_directory(thread)
    static = [loader.exe]
    if loader.exe.headers.subsystem in WINDOWS_SUBSYSTEMS:
        account.step(log, 7, "LdrLoadDll: kernel32.dll")
        static.insert(0, await _load_kernel32(thread, loader))
    loader.state = 1
    account.step(log, 7, "LdrpMapAndSnapDependency")
    new = await snap.map_dependencies(thread, loader, loader.exe, static=True)
    account.step(log, 7, "LdrpSnapModule", modules=len(new))
    for module in new:
        await snap.snap(thread, loader, module)
    loader.state = 2
    for root in static:
        graph.number(loader, thread.memory, root)
    account.step(log, 7, "LdrpInitializeTls")
    for module in loader:
        tls.assign(thread, loader, module)
        module.node.LoadCount = PINNED
    await tls.initialize_thread(thread, loader)
    await attach.notify_loaded(thread, loader, list(loader))
    if peb.BeingDebugged:
        await break_in(thread, "LdrpDoDebuggerBreak")
    if loader.base_thread_init_thunk:
        await thread.call(loader.base_thread_init_thunk, 1, 0, 0)
    account.step(log, 7, "LdrpInitializeGraphRecurse")
    async with locked(thread):
        for root in static:
            await attach.initialize_graph(thread, loader, root)
        account.step(log, 7, "LdrpInitializeProcess: end")
        await tls.call_callbacks(thread, loader.exe, attach.PROCESS_ATTACH, loader.initial_context)
        loader.exe.node.State = modules.READY_TO_RUN
    if peb.PostProcessInitRoutine:
        await thread.call(int(peb.PostProcessInitRoutine))


async def _open_current_directory(thread: UserThread) -> None:
    """Hold a handle on the current directory, or on the Windows directory where it cannot be opened."""
    current = search.current_directory(thread)
    try:
        await set_current_directory(thread, current)
    except NtError as error:
        if error.status == STATUS.NO_MEMORY:
            raise
        await set_current_directory(thread, search.system_root(thread))


async def _create_complete_event(thread: UserThread, loader: Loader) -> None:
    with thread.frame() as frame:
        handle = frame.new(HANDLE)
        await settle(nt.NtCreateEvent(thread, handle.address, 0x1F0003, 0, 0, 0))
        loader.complete_event = int(handle.read())


async def _prepare_data(thread: UserThread, loader: Loader) -> None:
    """Ntdll's own data: PEB_LDR_DATA, the hash table, the two locks, the TLS bitmaps."""
    memory, peb = thread.memory, thread.peb
    with thread.frame() as frame:
        base, size = frame.new(PVOID), frame.new(SIZE_T)
        size.write(DATA_SIZE)
        await settle(
            nt.NtAllocateVirtualMemory(
                thread,
                guest.CURRENT_PROCESS,
                base.address,
                0,
                size.address,
                MEM_COMMIT_RESERVE,
                PAGE_READWRITE,
            )
        )
        loader.data = data = int(base.read())
    ldr = PEB_LDR_DATA(memory, data)
    account.made(thread.log, "structure", "the loader's lists", data, None, structure="PEB_LDR_DATA")
    ldr.Length, ldr.Initialized = PEB_LDR_DATA.size, 1
    for head in (
        ldr.InLoadOrderModuleList,
        ldr.InMemoryOrderModuleList,
        ldr.InInitializationOrderModuleList,
        *(LIST_ENTRY(memory, data + modules.HASH_TABLE + 16 * index) for index in range(modules.HASH_BUCKETS)),
    ):
        head.initialize()
    memory.write(data + FAST_PEB_LOCK, UNLOCKED)
    memory.write(data + LOADER_LOCK, UNLOCKED)
    memory.write(data + TLS_BITMAP, struct.pack("<I4xQ", 64, peb.address + PEB.offset("TlsBitmapBits")))
    memory.write(
        data + TLS_EXPANSION_BITMAP,
        struct.pack("<I4xQ", 1024, peb.address + PEB.offset("TlsExpansionBitmapBits")),
    )
    peb.Ldr = data
    peb.FastPebLock = data + FAST_PEB_LOCK
    peb.LoaderLock = data + LOADER_LOCK
    peb.TlsBitmap = data + TLS_BITMAP
    peb.TlsExpansionBitmap = data + TLS_EXPANSION_BITMAP
    peb.TlsBitmapBits[0] = 1
    peb.TlsExpansionBitmapBits[0] = 1


async def _create_heap(thread: UserThread, peb: PEB, exe_base: int) -> None:
    """The process heap, sized as the program's headers ask."""
    if not peb.ProcessHeaps:
        peb.ProcessHeaps = peb.address + PEB.size
        peb.MaximumNumberOfHeaps = HEAP_ROOM_COUNT
    headers = headers_of(thread.memory, exe_base)
    config = directories.load_config(reader(thread.memory, exe_base), headers)
    flags = HEAP_GROWABLE
    if config is not None:
        flags |= config.process_heap_flags
        peb.NtGlobalFlag = int(peb.NtGlobalFlag) & ~config.global_flags_clear | config.global_flags_set
        if config.critical_section_default_timeout:
            peb.CriticalSectionTimeout = -10_000 * config.critical_section_default_timeout
    heap = await thread.call(
        guest.routine(thread, "RtlCreateHeap"), flags, 0, headers.heap_reserve, headers.heap_commit, 0, 0
    )
    if not heap:
        raise NtError(STATUS.NO_MEMORY)
    peb.ProcessHeap = heap


async def open_known_dlls(thread: UserThread, loader: Loader) -> None:
    r"""Open `\KnownDlls` and read where its files lie; without the directory there are no known DLLs."""
    with thread.frame() as frame:
        handle = frame.new(HANDLE)
        try:
            attributes = guest.object_attributes(frame, "\\KnownDlls")
            await settle(nt.NtOpenDirectoryObject(thread, handle.address, DIRECTORY_ACCESS, attributes))
            directory = int(handle.read())
            attributes = guest.object_attributes(frame, "KnownDllPath", directory)
            await settle(nt.NtOpenSymbolicLinkObject(thread, handle.address, SYMBOLIC_LINK_QUERY, attributes))
        except NtError as error:
            if error.status not in load.NOT_THERE:
                raise
            return
        link = int(handle.read())
        room = frame.allocate(520)
        target = frame.bytes(struct.pack("<HH4xQ", 0, 520, room))
        await settle(nt.NtQuerySymbolicLinkObject(thread, link, target, 0))
        await settle(nt.NtClose(thread, link))
        size = int.from_bytes(thread.memory.read(target, 2), "little")
        loader.known_path = thread.memory.read(room, size).decode("utf-16-le")
        loader.known_dlls = directory


async def _insert_first_modules(thread: UserThread, loader: Loader, ntdll_base: int, exe_base: int) -> None:
    """The entries of the program and of ntdll, in that load order; ntdll first in initialisation order."""
    path = search.image_path(thread)
    origin = Origin("program", 0, 0, 0, static=True)
    loader.exe = exe = await modules.insert(thread, loader, exe_base, path, origin)
    path = search.system_root(thread) + "\\System32\\ntdll.dll"
    origin = Origin("mapped by the kernel", 0, 0, modules.ENTRY_PROCESSED, static=True)
    loader.ntdll = ntdll = await modules.insert(thread, loader, ntdll_base, path, origin)
    for module in (exe, ntdll):
        module.node.LoadCount = PINNED
        module.entry.LoadConfigProcessed = 1
    ntdll.node.State = modules.READY_TO_RUN
    modules.append_to_initialization_order(loader, ntdll)


async def _load_kernel32(thread: UserThread, loader: Loader) -> Module:
    """Load kernel32 before anything the program asks for, and find what starts threads in it."""
    request = search.Request("kernel32.dll", "ntdll.dll", search.SYSTEM32, static=True)
    origin = Origin("", 4, 0, PROCESS_STATIC_IMPORT, static=True)
    kernel32, _ = await load.find_or_map(thread, loader, request, origin)
    loader.kernel32 = kernel32
    for module in await snap.map_dependencies(thread, loader, kernel32, static=True):
        await snap.snap(thread, loader, module)
    loader.base_thread_init_thunk = await snap.procedure(thread, loader, kernel32, "BaseThreadInitThunk", None, [])
    return kernel32


async def initialize_thread(thread: UserThread, loader: Loader) -> None:
    """LdrpInitializeThread: TLS and FLS, then DLL_THREAD_ATTACH in load order."""
    await tls.initialize_thread(thread, loader)
    await fls.prepare_thread(thread, thread.context.gs_base)
    if thread.teb.SkipThreadAttach:
        return
    async with locked(thread):
        if loader.peb_ldr(thread.memory).ShutdownInProgress:
            return
        for module in modules.load_order(loader, thread):
            if attach.takes_thread_calls(loader, module):
                await tls.call_callbacks(thread, module, attach.THREAD_ATTACH, 0)
                if module.entry_point:
                    await attach.call_thread_routine(thread, module, attach.THREAD_ATTACH)
        if loader.exe is not None:
            await tls.call_callbacks(thread, loader.exe, attach.THREAD_ATTACH, 0)

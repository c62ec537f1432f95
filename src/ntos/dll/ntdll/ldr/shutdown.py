"""The way out: DLL_THREAD_DETACH and DLL_PROCESS_DETACH, in reverse order of initialisation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.dll.ntdll import fls, guest
from ntos.dll.ntdll.guest import settle
from ntos.dll.ntdll.ldr import attach, tls
from ntos.dll.ntdll.ldr import module as modules
from ntos.dll.ntdll.ldr.lock import acquire, locked, release
from ntos.dll.ntdll.ldr.state import Loader
from ntos.um import nt
from ntos.um.export import export

if TYPE_CHECKING:
    from ntos.um.thread import UserThread

MEM_RELEASE = 0x8000
EXPANSION_SLOTS = 0x1780


@export
async def LdrShutdownThread(thread: UserThread) -> None:
    """Tell modules that this thread ends, and free what the loader gave it."""
    await shutdown_thread(thread)


@export
async def LdrShutdownProcess(thread: UserThread) -> None:
    """Tell modules that the process ends."""
    await shutdown_process(thread)


async def shutdown_thread(thread: UserThread) -> None:
    """LdrShutdownThread."""
    loader = thread.state(Loader)
    await fls.run_callbacks_of_thread(thread)
    async with locked(thread):
        for module in reversed(modules.initialization_order(loader, thread)):
            if attach.takes_thread_calls(loader, module):
                await tls.call_callbacks(thread, module, attach.THREAD_DETACH, 0)
                if module.entry_point:
                    await attach.call_thread_routine(thread, module, attach.THREAD_DETACH)
        if loader.exe is not None:
            await tls.call_callbacks(thread, loader.exe, attach.THREAD_DETACH, 0)
    await tls.release_thread(thread, loader)
    await fls.release_thread(thread)
    slots = thread.context.gs_base + EXPANSION_SLOTS
    if expansion := guest.u64(thread.memory, slots):
        guest.put64(thread.memory, slots, 0)
        await _free_region(thread, expansion)


async def _free_region(thread: UserThread, address: int) -> None:
    """TLS expansion slots are a region of their own (the leaf's TlsSetValue makes them so)."""
    with thread.frame() as frame:
        base, size = frame.bytes(address.to_bytes(8, "little")), frame.allocate(8)
        await settle(nt.NtFreeVirtualMemory(thread, guest.CURRENT_PROCESS, base, size, MEM_RELEASE))


async def end_other_threads(thread: UserThread, status: int) -> None:
    """Take the locks that a dying thread must not hold for ever, then end every other thread."""
    await acquire(thread)
    peb = thread.peb
    await thread.call(guest.routine(thread, "RtlEnterCriticalSection"), int(peb.FastPebLock))
    await thread.call(guest.routine(thread, "RtlLockHeap"), int(peb.ProcessHeap))
    ldr = thread.state(Loader).peb_ldr(thread.memory)
    ldr.ShutdownThreadId = thread.id
    ldr.ShutdownInProgress = 1
    await settle(nt.NtTerminateProcess(thread, 0, status))
    await thread.call(guest.routine(thread, "RtlUnlockHeap"), int(peb.ProcessHeap))
    await thread.call(guest.routine(thread, "RtlLeaveCriticalSection"), int(peb.FastPebLock))
    await release(thread)


async def shutdown_process(thread: UserThread) -> None:
    """LdrShutdownProcess: FLS callbacks, then every module that was attached, in exact reverse order."""
    loader = thread.state(Loader)
    ldr = loader.peb_ldr(thread.memory)
    ldr.ShutdownThreadId = thread.id
    ldr.ShutdownInProgress = 1
    await fls.run_callbacks_of_thread(thread)
    for module in reversed(modules.initialization_order(loader, thread)):
        if module.entry.ProcessAttachCalled and module is not loader.exe:
            await tls.call_callbacks(thread, module, attach.PROCESS_DETACH, 1)
            if module.entry_point:
                await attach.call_thread_routine(thread, module, attach.PROCESS_DETACH, reserved=1)
    if loader.exe is not None:
        await tls.call_callbacks(thread, loader.exe, attach.PROCESS_DETACH, 1)

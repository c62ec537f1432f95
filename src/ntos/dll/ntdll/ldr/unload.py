"""Taking modules away: counts, DLL_PROCESS_DETACH, and everything that pointed at them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.layout.user import LDR_DDAG_NODE
from ntos.dll.ntdll import guest
from ntos.dll.ntdll.ldr import attach, graph, load, notify, tls
from ntos.dll.ntdll.ldr import module as modules
from ntos.dll.ntdll.ldr.state import PINNED, Loader, Module
from ntos.etw.event import ImageUnloaded

if TYPE_CHECKING:
    from ntos.um.thread import UserThread

UNLOADING, UNLOADED = -1 & 0xFFFF_FFFF, -2 & 0xFFFF_FFFF
TRACE_LENGTH = 64


async def release(thread: UserThread, loader: Loader, module: Module) -> None:
    """Drop one reference to a module; without references it goes, and drops those to what it needs.

    LdrpDecrementModuleLoadCountEx, LdrpUnloadNode.
    """
    leaving = [module.node.address]
    gone: list[Module] = []
    while leaving:
        node = LDR_DDAG_NODE(thread.memory, leaving.pop(0))
        count = int(node.LoadCount)
        if count == PINNED:
            continue
        node.LoadCount = count = max(count - 1, 0)
        other = loader.by_node.get(node.address)
        if count == 0 and other is not None and other not in gone and int(node.State) != UNLOADING:
            await _detach(thread, loader, other)
            gone.append(other)
            leaving += graph.drop_edges(thread.memory, node.address)
    await _take_away(thread, loader, gone)


async def _detach(thread: UserThread, loader: Loader, module: Module) -> None:
    """DllMain(PROCESS_DETACH, dynamic) for a module that was attached, and the unload notification."""
    module.node.State = UNLOADING
    if module.entry.ProcessAttachCalled:
        await tls.call_callbacks(thread, module, attach.PROCESS_DETACH, 0)
        if module.entry_point:
            await attach.call_thread_routine(thread, module, attach.PROCESS_DETACH)
    await notify.send(thread, loader, notify.UNLOADED, module)


async def _take_away(thread: UserThread, loader: Loader, gone: list[Module]) -> None:
    for module in gone:
        module.node.State = UNLOADED
        tls.release(loader, module)
        modules.remove(thread, loader, module)
    for module in gone:
        loader.unload_sequence += 1
        headers = module.headers
        loader.unloaded.append((module.base, module.size, module.name, headers.time_date_stamp, headers.checksum))
        del loader.unloaded[:-TRACE_LENGTH]
        if thread.log.wants(ImageUnloaded):
            thread.log.emit(ImageUnloaded(path=module.path, base=module.base))
        await load.unmap(thread, module.base)
        for block in module.blocks:
            await guest.free(thread, block)


async def discard(thread: UserThread, loader: Loader, mapped: list[Module]) -> None:
    """Take away what a failed load had mapped; none of its code has run."""
    for module in mapped:
        for child in graph.drop_edges(thread.memory, module.node.address):
            node = LDR_DDAG_NODE(thread.memory, child)
            if int(node.LoadCount) not in (PINNED, 0):
                node.LoadCount = int(node.LoadCount) - 1
    await _take_away(thread, loader, mapped)


async def unmap_data_file(thread: UserThread, handle: int) -> None:
    """Unmap what LoadLibraryEx mapped as a data file; its handle has bit 0 or 1 set."""
    await load.unmap(thread, handle & ~3)

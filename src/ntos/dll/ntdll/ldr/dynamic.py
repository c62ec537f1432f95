"""Loading while the program runs: everything between LdrLoadDll's door and the mapped, initialised module."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.status import STATUS, NtError
from ntos.dll.ntdll.ldr import attach, failure, graph, load, search, snap, tls, unload
from ntos.dll.ntdll.ldr.lock import locked
from ntos.dll.ntdll.ldr.module import Origin
from ntos.dll.ntdll.ldr.state import READY_TO_RUN

if TYPE_CHECKING:
    from ntos.dll.ntdll.ldr.search import Request
    from ntos.dll.ntdll.ldr.state import Loader, Module
    from ntos.um.thread import UserThread

DYNAMIC_LOAD = 4
SNAPPED = 5
MAXIMUM_NAME = 0x7FFF


async def load_dll(thread: UserThread, loader: Loader, request: Request, *, resolve: bool = True) -> Module:
    """Load a DLL for the program (LdrpLoadDll); one more reference when it is there already."""
    if not request.name or len(request.name) > MAXIMUM_NAME:
        raise NtError(STATUS.INVALID_PARAMETER)
    search.preprocess(request)
    present = load.find_loaded(loader, request)
    if present is not None and int(present.node.State) == READY_TO_RUN:
        graph.count_up(present.node)
        return present
    async with locked(thread):
        return await _load_locked(thread, loader, request, resolve=resolve)


async def _load_locked(thread: UserThread, loader: Loader, request: Request, *, resolve: bool) -> Module:
    new: list[Module] = []
    try:
        module, fresh = await load.find_or_map(thread, loader, request, Origin("", DYNAMIC_LOAD))
        if fresh and resolve:
            new = [module]
            new = await snap.map_dependencies(thread, loader, module, static=False)
            await finish(thread, loader, new)
        graph.count_up(module.node)
    except NtError as error:
        failure.refused(thread, "LdrLoadDll", error)
        await unload.discard(thread, loader, error.mapped if isinstance(error, snap.FailedLoad) else new)
        raise
    if not resolve:
        return module
    try:
        await attach.initialize_graph(thread, loader, module)
    except NtError as error:
        failure.refused(thread, "LdrLoadDll", error)
        await unload.release(thread, loader, module)
        raise
    return module


async def finish(thread: UserThread, loader: Loader, new: list[Module]) -> None:
    """Snap new modules, give them TLS, tell those who listen: all but init routines."""
    for module in list(new):
        if int(module.node.State) < SNAPPED:
            new += await snap.snap(thread, loader, module)
    graph.number(loader, thread.memory, new[0])
    late = [module for module in new if tls.assign(thread, loader, module)]
    if late:
        await tls.extend_threads(thread, loader, late)
    await attach.notify_loaded(thread, loader, new)


def direct(module: Module, wanted: str | int) -> int:
    """The address of an export that is not a forwarder; 0 for one that is, or that is absent."""
    table = module.exports
    if table is None:
        return 0
    slot = table.find(wanted) if isinstance(wanted, str) else table.by_ordinal(wanted)
    if slot is None:
        return 0
    rva = table.functions[slot]
    return 0 if table.rva <= rva < table.rva + table.size else module.base + rva


async def forwarded(thread: UserThread, loader: Loader, module: Module, wanted: str | int) -> int:
    """The address of an export that may lie behind forwarders, loading what they name."""
    table = module.exports
    slot = None
    if table is not None:
        slot = table.find(wanted) if isinstance(wanted, str) else table.by_ordinal(wanted)
    if slot is None:
        raise missing(wanted)
    async with locked(thread):
        fresh: list[Module] = []
        address = await snap.procedure(thread, loader, module, wanted, None, fresh)
        if fresh:
            await finish(thread, loader, fresh)
            for each in fresh:
                graph.count_up(each.node)
                if loader.state == 3:
                    await attach.initialize_graph(thread, loader, each)
    return address


def missing(wanted: str | int) -> NtError:
    """The status for an export that is not there."""
    return NtError(STATUS.ENTRYPOINT_NOT_FOUND if isinstance(wanted, str) else STATUS.ORDINAL_NOT_FOUND)

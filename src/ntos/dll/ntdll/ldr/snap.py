"""Import tables: every thunk becomes the address of the function it names (LdrpSnapModule).

A resolved table holds for every process, because DLLs stand at the same bases: it is kept with the bases it
was resolved against and written again as one block.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ntos.abi.pe.exports import split_forwarder
from ntos.abi.pe.headers import Directory
from ntos.abi.status import STATUS, Denied, NtError
from ntos.dll.ntdll.ldr import graph, load, relocate
from ntos.dll.ntdll.ldr.image import imports_of
from ntos.dll.ntdll.ldr.module import PROCESS_STATIC_IMPORT, Origin
from ntos.dll.ntdll.ldr.search import SEARCH_FLAGS, Request, preprocess
from ntos.etw.event import ImportsSnapped, Missing

if TYPE_CHECKING:
    from ntos.abi.pe.directories import ImportedFunction, ImportedModule
    from ntos.dll.ntdll.ldr.state import Loader, Module
    from ntos.um.thread import UserThread

STATIC_DEPENDENCY = 0
STATIC_FORWARDER = 1
DYNAMIC_FORWARDER = 2
CHAIN_LIMIT = 32
PAGE_READWRITE = 4


@dataclass(slots=True)
class Snapped:
    """A resolved import table: what to write where, and which forwarders led to which bases."""

    writes: list[tuple[int, bytes]] = field(default_factory=list)
    forwards: list[tuple[int, str, int]] = field(default_factory=list)
    """(base of the forwarding module, module named by the forwarder, base it led to)."""


_snapped: dict[tuple[int, tuple[int, ...]], tuple[tuple[ImportedModule, ...], Snapped]] = {}


async def map_dependencies(thread: UserThread, loader: Loader, root: Module, *, static: bool) -> list[Module]:
    """Map everything the module needs, breadth first; gives the new modules, `root` first.

    LdrpMapAndSnapDependency. What was mapped before a failure stays for the caller to take away.
    """
    new = [root]
    for module in new:  # grows while it is walked
        module.imports = imports_of(thread.memory, module.base, module.path)
        try:
            for descriptor in module.imports:
                request = Request(
                    descriptor.name,
                    module.name,
                    flags=module.dependent_load_flags & SEARCH_FLAGS,
                    static=static,
                )
                flags = PROCESS_STATIC_IMPORT if static else 0
                origin = Origin("", STATIC_DEPENDENCY, module.base, flags, static)
                target, fresh = await load.find_or_map(thread, loader, request, origin)
                module.providers.append(target)
                if fresh:
                    new.append(target)
        except NtError as error:
            raise FailedLoad(error, new) from error
        await graph.add_edges(thread, module, module.providers)
    return new


class FailedLoad(NtError):
    """A load that went wrong after modules had been mapped for it."""

    def __init__(self, error: NtError, mapped: list[Module]) -> None:
        super().__init__(error.status, error.because)
        self.mapped = mapped


async def snap(thread: UserThread, loader: Loader, module: Module) -> list[Module]:
    """Fill the module's import address table; gives modules that forwarders made necessary."""
    imports = module.imports or ()
    fresh: list[Module] = []
    if imports:
        key = (id(imports), tuple(provider.base for provider in module.providers))
        kept = _snapped.get(key)
        if kept is None or not await _same_forwards(thread, loader, module, kept[1], fresh):
            snapped = await _resolve_all(thread, loader, module, fresh)
            _snapped[key] = (imports, snapped)  # holding `imports` keeps its id from being used again
        else:
            snapped = kept[1]
        await _write(thread, module, snapped)
        if thread.log.wants(ImportsSnapped):
            thread.log.emit(ImportsSnapped(path=module.path, base=module.base))
    module.providers = []
    module.node.State = 5
    return fresh


async def _same_forwards(
    thread: UserThread, loader: Loader, module: Module, snapped: Snapped, fresh: list[Module]
) -> bool:
    """Whether each forwarder leads here where it led when the table was resolved."""
    for base, name, target in snapped.forwards:
        via = loader.modules.get(base)
        if via is None or (await forward_target(thread, loader, via, name, module, fresh)).base != target:
            return False
    return True


async def _resolve_all(thread: UserThread, loader: Loader, module: Module, fresh: list[Module]) -> Snapped:
    snapped = Snapped()
    for descriptor, provider in zip(module.imports or (), module.providers, strict=True):
        addresses = [
            await _resolve(thread, loader, module, provider, descriptor, function, snapped, fresh)
            for function in descriptor.functions
        ]
        snapped.writes.append((descriptor.address_table, struct.pack(f"<{len(addresses)}Q", *addresses)))
    return snapped


async def _resolve(
    thread: UserThread,
    loader: Loader,
    module: Module,
    provider: Module,
    descriptor: ImportedModule,
    function: ImportedFunction,
    snapped: Snapped,
    fresh: list[Module],
) -> int:
    wanted: str | int = function.name if function.name is not None else int(function.ordinal or 0)
    table = provider.exports
    if table is not None:
        slot = table.find(wanted) if isinstance(wanted, str) else table.by_ordinal(wanted)
        if slot is not None:
            rva = table.functions[slot]
            if not table.rva <= rva < table.rva + table.size:
                return provider.base + rva
    trail: list[tuple[int, str, int]] = []
    try:
        address = await procedure(thread, loader, provider, wanted, module, fresh, trail)
    except NtError as error:
        raise _missing(thread, module, descriptor, provider, wanted, error) from error
    snapped.forwards += trail
    return address


def _missing(
    thread: UserThread,
    module: Module,
    descriptor: ImportedModule,
    provider: Module,
    wanted: str | int,
    error: NtError,
) -> NtError:
    """The refusal with its whole story: which function of which DLL, who needed it."""
    if error.status == STATUS.PROCEDURE_NOT_FOUND:
        status = STATUS.ENTRYPOINT_NOT_FOUND if isinstance(wanted, str) else STATUS.ORDINAL_NOT_FOUND
    else:
        status = error.status
    inputs = {
        "function": wanted,
        "dll": provider.path,
        "imported_as": descriptor.name,
        "importer": module.path,
        **(error.because.inputs if error.because else {}),
    }
    thread.log.emit(Missing(module=provider.name, name=str(wanted), caller=module.name, detail="static import"))
    return NtError(status, Denied("import resolution", inputs, f"export {wanted} from {provider.name}"))


async def procedure(
    thread: UserThread,
    loader: Loader,
    module: Module,
    wanted: str | int,
    importer: Module | None,
    fresh: list[Module],
    trail: list[tuple[int, str, int]] | None = None,
) -> int:
    """The address of an export, forwarders followed (LdrpResolveProcedureAddress).

    `fresh` receives modules mapped on the way; `trail` each forwarder step. PROCEDURE_NOT_FOUND when it is
    absent.
    """
    for _ in range(CHAIN_LIMIT):
        table = module.exports
        slot = None
        if table is not None:
            slot = table.find(wanted) if isinstance(wanted, str) else table.by_ordinal(wanted)
        if table is None or slot is None:
            raise NtError(STATUS.PROCEDURE_NOT_FOUND)
        forwarder = table.forwarder(slot)
        if forwarder is None:
            return module.base + table.functions[slot]
        name, wanted = split_forwarder(forwarder)
        target = await forward_target(thread, loader, module, name, importer, fresh)
        if trail is not None:
            trail.append((module.base, name, target.base))
        module = target
    raise NtError(STATUS.INVALID_IMAGE_FORMAT)


async def forward_target(
    thread: UserThread,
    loader: Loader,
    module: Module,
    name: str,
    importer: Module | None,
    fresh: list[Module],
) -> Module:
    """The module a forwarder of `module` names; mapped, with what it needs, if it is not there yet."""
    known = module.forwards.get(name)
    if known is None:
        static = loader.state < 2
        # A forwarder names its module without extension, and dots in the name are part of it.
        request = Request(name + ".dll", module.name, module.dependent_load_flags & SEARCH_FLAGS, static)
        preprocess(request)
        reason = STATIC_FORWARDER if static else DYNAMIC_FORWARDER
        known, is_new = await load.find_or_map(thread, loader, request, Origin("", reason, module.base, 0, static))
        if is_new:
            mapped = await map_dependencies(thread, loader, known, static=static)
            fresh += mapped
            for each in mapped:
                fresh += await snap(thread, loader, each)
        module.forwards[name] = known
    if importer is not None and importer is not known:
        await graph.add_edges(thread, importer, [known], forwarder=True)
    return known


async def _write(thread: UserThread, module: Module, snapped: Snapped) -> None:
    writes = [(rva, data) for rva, data in snapped.writes if data]
    if not writes:
        return
    start, size = module.headers.directory(Directory.IAT)
    low = min(rva for rva, _ in writes)
    high = max(rva + len(data) for rva, data in writes)
    if not (start and start <= low and high <= start + size):
        start, size = low, high - low
    address = module.base + start
    old = await relocate.protect(thread, address, size, PAGE_READWRITE)
    for rva, data in writes:
        thread.memory.write(module.base + rva, data)
    if old != PAGE_READWRITE:
        await relocate.protect(thread, address, size, old)

"""Init routines: DllMain and TLS callbacks in dependency order, and load notifications before them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.status import STATUS, Denied, NtError
from ntos.dll.ntdll.ldr import graph, notify, tls
from ntos.dll.ntdll.ldr import module as modules
from ntos.dll.ntdll.ldr.calls import call_routine
from ntos.dll.ntdll.ldr.snaps import tell
from ntos.etw import account

if TYPE_CHECKING:
    from ntos.dll.ntdll.ldr.state import Loader, Module
    from ntos.um.thread import UserThread

PROCESS_DETACH, PROCESS_ATTACH, THREAD_ATTACH, THREAD_DETACH = 0, 1, 2, 3
READY = 3
"""LdrInitState of a process whose start is over."""
READY_TO_INIT, INITIALIZING, READY_TO_RUN, INIT_ERROR = 7, 8, 9, -4 & 0xFFFF_FFFF
IMAGE_DLL_AND_ATTACHED = modules.IMAGE_DLL | modules.PROCESS_ATTACH_CALLED


async def notify_loaded(thread: UserThread, loader: Loader, new: list[Module]) -> None:
    """Tell registered callbacks of new modules, before any of their code runs (LdrpNotifyLoadOfGraph)."""
    for module in new:
        flags = int(module.entry.Flags)
        if not flags & modules.LOAD_NOTIFICATIONS_SENT:
            module.entry.Flags = (
                flags | modules.LOAD_NOTIFICATIONS_SENT | modules.LOAD_CONFIG_PROCESSED | modules.ENTRY_PROCESSED
            )
            if int(module.node.State) < READY_TO_INIT:
                module.node.State = READY_TO_INIT
            await notify.send(thread, loader, notify.LOADED, module)


async def initialize_graph(thread: UserThread, loader: Loader, root: Module) -> None:
    """Run the init routines a module needs, what it depends on first (LdrpInitializeGraphRecurse)."""
    for module in graph.reachable(loader, thread.memory, root):
        if module is not loader.exe:
            await initialize_module(thread, loader, module)


async def initialize_module(thread: UserThread, loader: Loader, module: Module) -> None:
    """Run one module's TLS callbacks and DllMain(PROCESS_ATTACH), once (LdrpInitializeNode)."""
    node = module.node
    if READY_TO_RUN >= int(node.State) >= INITIALIZING or int(node.State) == INIT_ERROR:
        return
    node.State = INITIALIZING
    modules.append_to_initialization_order(loader, module)
    static = bool(module.entry.ProcessStaticImport)
    reserved = loader.initial_context if static else 0
    tell(
        thread,
        loader,
        "LdrpInitializeNode",
        f'Calling init routine {module.entry_point:016X} for DLL "{module.path}"',
    )
    if loader.state < READY:
        account.step(thread.log, 7, "LdrpCallInitRoutine", module=module.path, address=module.entry_point)
    try:
        await tls.call_callbacks(thread, module, PROCESS_ATTACH, reserved)
        succeeded = True
        if module.entry_point:
            answer = await call_routine(thread, module.entry_point, module.base, PROCESS_ATTACH, reserved)
            succeeded = bool(answer & 0xFF)  # BOOLEAN: only AL is looked at
        module.entry.ProcessAttachCalled = 1
    except NtError:
        node.State = INIT_ERROR
        module.entry.ProcessAttachFailed = 1
        raise
    if not succeeded:
        node.State = INIT_ERROR
        module.entry.ProcessAttachFailed = 1
        inputs = {"dll": module.path, "routine": f"0x{module.entry_point:X}"}
        raise NtError(STATUS.DLL_INIT_FAILED, Denied("DllMain returned FALSE", inputs))
    node.State = READY_TO_RUN


def takes_thread_calls(loader: Loader, module: Module) -> bool:
    """Whether DLL_THREAD_ATTACH and …_DETACH go to the module."""
    flags = int(module.entry.Flags)
    return (
        module is not loader.exe
        and int(module.node.State) == READY_TO_RUN
        and not flags & modules.DONT_CALL_FOR_THREADS
        and flags & IMAGE_DLL_AND_ATTACHED == IMAGE_DLL_AND_ATTACHED
    )


async def call_thread_routine(thread: UserThread, module: Module, reason: int, reserved: int = 0) -> None:
    """DllMain where its result means nothing: threads, and the way out."""
    await thread.call(module.entry_point, module.base, reason, reserved)

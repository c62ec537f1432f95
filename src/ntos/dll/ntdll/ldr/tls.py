"""Static TLS: an index a module, a vector a thread, callbacks at every start and end.

`gs:[58h]` points at a thread's vector; element *AddressOfIndex of it is the module's block, a copy of the
template.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ntos.abi.status import GuestFault
from ntos.dll.ntdll import guest
from ntos.dll.ntdll.ldr.calls import call_routine

if TYPE_CHECKING:
    from ntos.dll.ntdll.ldr.state import Loader, Module
    from ntos.um.thread import UserThread

TLS_POINTER = 0x58
TEB_SELF = 0x30
TEB_THREAD = 0x48
HAS_TLS = 0xFFFF
SPARE = 8
HEADER = 0x10
ALIGNMENT_SHIFT = 20
MINIMUM_ALIGNMENT = 16


def assign(thread: UserThread, loader: Loader, module: Module) -> bool:
    """Give the module a TLS index, if it has TLS (LdrpAllocateTlsEntry); True if it got one just now."""
    directory = module.tls
    if directory is None or module.tls_index >= 0:
        return False
    taken = loader.tls.modules
    index = next(index for index in range(len(taken) + 1) if index not in taken)
    taken[index] = module
    module.tls_index = index
    module.entry.TlsIndex = HAS_TLS
    if directory.address_of_index:
        guest.put32(thread.memory, directory.address_of_index, index)
    return True


def release(loader: Loader, module: Module) -> None:
    """The module's index may be used again (LdrpReleaseTlsEntry)."""
    if module.tls_index >= 0:
        loader.tls.modules.pop(module.tls_index, None)
        module.tls_index = -1


async def make_block(thread: UserThread, module: Module) -> int:
    """A thread's block for a module: the template, then zeroes."""
    directory = module.tls
    assert directory is not None
    size = max(directory.raw_data_end - directory.raw_data_start, 0)
    alignment_code = directory.characteristics >> ALIGNMENT_SHIFT & 0xF
    alignment = max(1 << max(alignment_code - 1, 0), MINIMUM_ALIGNMENT)
    room = size + directory.size_of_zero_fill
    raw = await guest.allocate(thread, max(room, 1) + (alignment if alignment > MINIMUM_ALIGNMENT else 0))
    block = (raw + alignment - 1) & -alignment
    if size:
        thread.memory.write(block, thread.memory.read(directory.raw_data_start, size))
    return block


async def make_vector(thread: UserThread, loader: Loader, capacity: int) -> int:
    """An empty vector; its length stands in the header before it."""
    raw = await guest.allocate(thread, HEADER + 8 * capacity)
    guest.put64(thread.memory, raw, capacity)
    return raw + HEADER


async def initialize_thread(thread: UserThread, loader: Loader) -> None:
    """The current thread's vector (LdrpAllocateTls)."""
    state = loader.tls
    teb = thread.context.gs_base
    state.threads[teb] = thread.id
    if not state.modules:
        guest.put64(thread.memory, teb + TLS_POINTER, teb + TLS_POINTER)
        return
    state.capacity = max(state.capacity, max(state.modules) + 1 + SPARE)
    vector = await make_vector(thread, loader, state.capacity)
    for index, module in list(state.modules.items()):
        guest.put64(thread.memory, vector + 8 * index, await make_block(thread, module))
    guest.put64(thread.memory, teb + TLS_POINTER, vector)


async def extend_threads(thread: UserThread, loader: Loader, modules: list[Module]) -> None:
    """Give every living thread blocks for modules that came late (LdrpHandleTlsData).

    NT asks the kernel to swap vectors (ProcessTlsInformation) because threads run meanwhile; here none does.
    """
    state = loader.tls
    needed = max(state.modules) + 1
    grow = needed > state.capacity
    if grow:
        state.capacity = needed + SPARE
    for teb, thread_id in list(state.threads.items()):
        if not _is_teb(thread, teb, thread_id):
            del state.threads[teb]
            continue
        vector = guest.u64(thread.memory, teb + TLS_POINTER)
        has_vector = vector != teb + TLS_POINTER
        if grow or not has_vector:
            larger = await make_vector(thread, loader, state.capacity)
            if has_vector:
                length = guest.u64(thread.memory, vector - HEADER)
                thread.memory.write(larger, thread.memory.read(vector, 8 * length))
                # The old vector stays: code may have loaded it already. It is reachable for freeing.
                guest.put64(thread.memory, larger - 8, vector)
            vector = larger
        for module in modules:
            guest.put64(thread.memory, vector + 8 * module.tls_index, await make_block(thread, module))
        guest.put64(thread.memory, teb + TLS_POINTER, vector)


def _is_teb(thread: UserThread, teb: int, thread_id: int) -> bool:
    """Whether a thread environment still stands there: a thread that was killed told nobody."""
    try:
        own, owner = guest.u64(thread.memory, teb + TEB_SELF), guest.u64(thread.memory, teb + TEB_THREAD)
    except GuestFault:
        return False
    return (own, owner) == (teb, thread_id)


async def release_thread(thread: UserThread, loader: Loader) -> None:
    """Free the current thread's blocks and vectors (LdrpFreeTls)."""
    teb = thread.context.gs_base
    loader.tls.threads.pop(teb, None)
    vector = guest.u64(thread.memory, teb + TLS_POINTER)
    if vector in (0, teb + TLS_POINTER):
        return
    guest.put64(thread.memory, teb + TLS_POINTER, 0)
    length = guest.u64(thread.memory, vector - HEADER)
    blocks = struct.unpack(f"<{length}Q", thread.memory.read(vector, 8 * length))
    for index, block in enumerate(blocks):
        module = loader.tls.modules.get(index)
        if block and module is not None and _is_plain(module):
            await guest.free(thread, block)
    while vector:
        previous = guest.u64(thread.memory, vector - 8)
        await guest.free(thread, vector - HEADER)
        vector = previous


def _is_plain(module: Module) -> bool:
    """Whether blocks of the module are heap blocks as they are, not aligned ones inside a larger block."""
    assert module.tls is not None
    return (module.tls.characteristics >> ALIGNMENT_SHIFT & 0xF) <= 5


async def call_callbacks(thread: UserThread, module: Module, reason: int, reserved: int) -> None:
    """Call the module's TLS callbacks in array order (LdrpCallTlsInitializers).

    The array is read anew each time: callbacks may be added while the program runs.
    """
    if module.tls is None or not module.tls.address_of_callbacks:
        return
    place = module.tls.address_of_callbacks
    while callback := guest.u64(thread.memory, place):
        await call_routine(thread, callback, module.base, reason, reserved)
        place += 8

"""An address space from its first range to its last: what `ps` calls when a process begins and ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.status import GuestFault
from ntos.mm import fault
from ntos.mm.space import AddressSpace, map_shared_data, space_of
from ntos.mm.view import remove_view

if TYPE_CHECKING:
    from ntos.ke.process import Process


def attach(process: Process, shared_data: int | None = None) -> AddressSpace:
    """Make the process's user half usable: ranges, faults, KUSER_SHARED_DATA
    (MmInitializeProcessAddressSpace).
    """
    space = AddressSpace(process)
    process.install(space)
    process.memory.fault = fault.handler(space)
    frame = space.manager.shared_data if shared_data is None else shared_data
    if frame:
        map_shared_data(space, frame)
    return space


def delete_address_space(process: Process) -> None:
    """Empty the user half: views, private pages, ranges, page tables (MmCleanProcessAddressSpace).

    The top-level table stays, for the thread that is still ending in it; `release_tables` gives it back.
    """
    space = space_of(process)
    if space.deleted:
        return
    space.deleted = True
    for vad in reversed(space.vads.vads.copy()):
        if vad.area is not None:
            remove_view(space, vad)
        else:
            space.release(vad, vad.start, vad.end)
            space.uncharge(vad, vad.charge)
            space.remove(vad)
    process.memory.fault = _refuse
    process.tables.free_user_half()
    space.forget_translations()


def release_tables(process: Process) -> None:
    """Give the top-level page table back; the process can never run again (MmDeleteProcessAddressSpace)."""
    if process.has(AddressSpace):
        delete_address_space(process)
        process.remove(AddressSpace)
    process.tables.physical.release(process.tables.root)


def _refuse(address: int, access: int) -> None:
    raise GuestFault(address, access)

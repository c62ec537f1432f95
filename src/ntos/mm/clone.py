"""A copy of an address space: what fork is (MiCloneProcessAddressSpace).

Private pages keep their frame, which both processes then see copy-on-write; NT leads both entries to a prototype of
their own for it, here the frame's reference count says whether anybody else still has it. Views come along if they
were mapped with ViewShare.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.memory import PAGE_SIZE
from ntos.abi.status import NtError
from ntos.hal.paging import COPY_ON_WRITE, FRAME_MASK, PRESENT, WRITABLE
from ntos.mm.pages import walk
from ntos.mm.protect import LOOKUP, PROTOTYPE, TRANSITION, WRITE, of_valid, software
from ntos.mm.space import AddressSpace, space_of
from ntos.mm.vad import Vad

if TYPE_CHECKING:
    from ntos.ke.process import Process


def clone_address_space(parent: Process, child: Process) -> None:
    """Give a process whose user half is still empty what its parent's holds.

    COMMITMENT_LIMIT or NO_MEMORY part of the way leaves ranges behind that `delete_address_space` gives back.
    """
    source, target = space_of(parent), space_of(child)
    target.layout = source.layout
    target.teb_regions, target.free_tebs = source.teb_regions.copy(), source.free_tebs.copy()
    try:
        for vad in source.vads.vads:
            if (vad.private or vad.inherit) and not target.vads.overlaps(vad.start, vad.end):
                _clone(source, target, vad)
    finally:
        source.forget_translations()  # what the parent could write it can no longer


def _clone(source: AddressSpace, target: AddressSpace, vad: Vad) -> None:
    twin = Vad(
        target.kernel, vad.start, vad.end, vad.protection, committed=vad.committed, kind=vad.kind, area=vad.area,
        first_page=vad.first_page,
    )  # fmt: skip
    twin.no_change, twin.no_execute = vad.no_change, vad.no_execute
    twin.write_watch, twin.inherit = vad.write_watch, vad.inherit
    if vad.charge:
        try:
            target.charge(twin, vad.charge)
        except NtError:
            target.kernel.pool.free(twin.address)
            raise
    target.insert(twin)
    if vad.area is not None:
        vad.area.enter(target, twin)
    words = target.words
    for page, index, count in walk(source.tables, vad.start, vad.end):
        entries = words[index : index + count].tolist() if index >= 0 else ()
        if not any(entries):
            continue
        place = target.tables.make_entry(page << 12)
        for offset, entry in enumerate(entries):
            if entry:
                words[index + offset], words[place + offset] = _both(target, vad, entry)


def _both(target: AddressSpace, vad: Vad, entry: int) -> tuple[int, int]:
    """The parent's entry from now on, and the child's."""
    if not entry & PRESENT:
        if entry & TRANSITION and not entry & PROTOTYPE:
            return entry, _duplicate(target, entry, valid=False)
        return entry, entry
    if entry & PROTOTYPE:
        return entry, LOOKUP | software(of_valid(entry))
    if vad.write_watch:
        return entry, _duplicate(target, entry, valid=True)  # a shared frame could not say which pages were written
    if entry & WRITE:
        entry = entry & ~(WRITE | WRITABLE) | COPY_ON_WRITE
    target.physical.share(entry & FRAME_MASK)
    _count(target, valid=True)
    return entry, entry


def _duplicate(target: AddressSpace, entry: int, *, valid: bool) -> int:
    frame = target.physical.allocate()
    original = entry & FRAME_MASK
    target.buffer[frame : frame + PAGE_SIZE] = target.buffer[original : original + PAGE_SIZE]
    target.manager.resident += 1
    _count(target, valid=valid)
    return entry & ~FRAME_MASK | frame


def _count(target: AddressSpace, *, valid: bool) -> None:
    """One private page more; in the working set, too, if it is valid."""
    words = target.words
    words[target.private_pages] += 1
    if valid:
        words[target.working_set] += 1
        words[target.working_set_private] += 1
        words[target.working_set_peak] = max(words[target.working_set_peak], words[target.working_set])

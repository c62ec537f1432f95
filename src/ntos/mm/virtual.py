"""Private memory: reserve, commit, protect, decommit, release.

Reserving makes a VAD and nothing else. Committing in a reserved range writes a software entry (the
protection in bits 5-9) into each page's page-table entry; a range committed as it is made needs none, its
VAD says so (MemCommit), and pages taken out of it again bear MM_DECOMMIT. Frames come with the first touch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.memory import PAGE_SIZE
from ntos.abi.status import STATUS, Denied, NtError
from ntos.hal.paging import DIRTY, FRAME_MASK, PRESENT, WRITABLE
from ntos.mm.control import SharedMemory
from ntos.mm.pages import repeated, walk, walk_making
from ntos.mm.protect import (
    ALLOWED,
    CLEAN_BITS,
    COPIES,
    DIRTY_BITS,
    LOOKUP,
    MM_DECOMMIT,
    MM_NOACCESS,
    PROTECT_TO_VALUE,
    PROTOTYPE,
    TRANSITION,
    WRITES,
    is_compatible,
    of_entry,
    software,
)
from ntos.mm.space import AddressSpace
from ntos.mm.vad import VAD_WRITE_WATCH, Vad

if TYPE_CHECKING:
    from ntos.mm.control import ControlArea

_DECOMMITTED = software(MM_DECOMMIT)


def pages_of(address: int, size: int) -> tuple[int, int]:
    """The first page of [address, address + size) and the one past its last."""
    return address >> 12, (address + size + PAGE_SIZE - 1) >> 12


def reserve_pages(
    space: AddressSpace, start: int, pages: int, protection: int, *, commit: bool = False, watch: bool = False
) -> Vad:
    """A new private range at a place that is free."""
    vad = Vad(space.kernel, start, start + pages, protection, committed=commit)
    if watch:
        vad.write_watch, vad.kind = True, VAD_WRITE_WATCH
    if commit:
        try:
            space.charge(vad, pages)
        except NtError:
            space.kernel.pool.free(vad.address)
            raise
    return space.insert(vad)


def commit_pages(space: AddressSpace, vad: Vad, first: int, end: int, protection: int) -> None:
    """Commit [first, end) of a range; pages committed already get the protection."""
    if not vad.private:
        _commit_view(space, vad, first, end, protection)
        return
    entry = software(protection)
    fresh = count_uncommitted(space, vad, first, end)
    if fresh:
        space.charge(vad, fresh)
        vad.store()
    if fresh < end - first:
        protect_pages(space, vad, first, end, protection, uncommitted=entry)
        return
    words = space.words
    for _, index, count in walk_making(space.tables, first, end):
        words[index : index + count] = repeated(entry, count)


def _commit_view(space: AddressSpace, vad: Vad, first: int, end: int, protection: int) -> None:
    """Commit pages of a SEC_RESERVE section through a view of it."""
    area = vad.area
    if not isinstance(area, SharedMemory):
        raise NtError(STATUS.ALREADY_COMMITTED)
    shift = vad.first_page - vad.start
    area.commit(first + shift, end + shift)
    if protection != vad.protection:
        protect_pages(space, vad, first, end, protection)


def count_uncommitted(space: AddressSpace, vad: Vad, first: int, end: int) -> int:
    """How many pages of [first, end) of a private range are only reserved."""
    empty = 0 if vad.committed else 1
    total = 0
    for _, index, count in walk(space.tables, first, end):
        if index < 0:
            total += count * empty
            continue
        entries = space.words[index : index + count].tolist()
        total += entries.count(0) * empty + entries.count(_DECOMMITTED)
    return total


def protect_pages(
    space: AddressSpace, vad: Vad, first: int, end: int, protection: int, *, uncommitted: int = 0
) -> None:
    """Give the committed pages of [first, end) a protection.

    `uncommitted`, where given, is the entry that pages not committed get.
    """
    words = space.words
    empty = software(protection) if vad.private else LOOKUP | software(protection)
    if uncommitted and not vad.committed:
        empty = uncommitted
    changed = False
    for page, index, count in walk_making(space.tables, first, end):
        entries = words[index : index + count].tolist()
        if not any(entries):
            words[index : index + count] = repeated(empty, count)
            continue
        for offset, entry in enumerate(entries):
            if entry == 0:
                words[index + offset] = empty
            elif entry & PRESENT:
                words[index + offset] = _protected(space, vad, page + offset, entry, protection)
                changed = True
            elif entry & PROTOTYPE:
                words[index + offset] = LOOKUP | software(protection)
            elif entry & TRANSITION:
                words[index + offset] = entry & (FRAME_MASK | TRANSITION) | software(protection)
            else:
                words[index + offset] = software(protection)
    if changed:
        space.forget_translations()


def _protected(space: AddressSpace, vad: Vad, page: int, entry: int, protection: int) -> int:
    """A valid entry with another protection; one that no longer allows anything is made invalid."""
    shared = entry & PROTOTYPE
    if not shared:
        entry = entry & ~FRAME_MASK | space.unshare(entry)
    if not ALLOWED[protection]:
        words = space.words
        if shared:
            space.drop(vad, page, entry)
            return LOOKUP | software(protection)
        words[space.working_set] -= 1
        words[space.working_set_private] -= 1
        return entry & FRAME_MASK | TRANSITION | software(protection)
    if not shared:
        if vad.write_watch and not entry & DIRTY:
            return entry & FRAME_MASK | CLEAN_BITS[protection]
        return entry & FRAME_MASK | DIRTY_BITS[_private(protection)] | entry & DIRTY
    return entry & (FRAME_MASK | DIRTY) | CLEAN_BITS[protection] | PROTOTYPE


def _private(protection: int) -> int:
    """What copy-on-write means for a page that has been copied already."""
    return protection - 1 if protection & 7 in COPIES else protection


def protection_at(space: AddressSpace, address: int) -> int:
    """The five bits of a page's protection as it is now; no access where nothing is."""
    page = address >> 12
    vad = space.vads.find(page)
    if vad is None:
        return MM_NOACCESS
    default = vad.protection
    if vad.area is not None and vad.area.is_image:
        default = vad.area.protection_of(vad.first_page + page - vad.start)
    return of_entry(space.tables.entry(page << 12), default)


def protect(space: AddressSpace, address: int, size: int, protection: int) -> int:
    """Change the protection of a range of pages; gives the first page's old PAGE_* value."""
    first, end = pages_of(address, size)
    vad = space.vads.find(first)
    if vad is None or end > vad.end:
        raise NtError(STATUS.CONFLICTING_ADDRESSES)
    if vad.no_change:
        inputs = {"address": address}
        raise NtError(
            STATUS.INVALID_PAGE_PROTECTION, because=Denied("the range is secured against change", inputs)
        )
    if vad.private:
        if protection & 7 in COPIES:
            raise NtError(STATUS.INVALID_PAGE_PROTECTION)
        if count_uncommitted(space, vad, first, end):
            raise NtError(STATUS.NOT_COMMITTED)
        old = of_entry(space.tables.entry(first << 12), vad.protection)
        protect_pages(space, vad, first, end, protection)
    else:
        old = _protect_view(space, vad, first, end, protection)
    return PROTECT_TO_VALUE[old]


def _protect_view(space: AddressSpace, vad: Vad, first: int, end: int, protection: int) -> int:
    area = vad.area
    assert area is not None
    shift = vad.first_page - vad.start
    if isinstance(area, SharedMemory) and area.has_uncommitted(first + shift, end + shift):
        raise NtError(STATUS.NOT_COMMITTED)
    if not area.is_image:
        if vad.protection & 7 in COPIES and protection & 7 in WRITES:
            protection += 1
        if not is_compatible(vad.protection, protection):
            inputs = {"view": PROTECT_TO_VALUE[vad.protection], "wanted": PROTECT_TO_VALUE[protection]}
            raise NtError(
                STATUS.SECTION_PROTECTION,
                because=Denied(
                    "a view allows no more than it was mapped for", inputs, "map it with that access"
                ),
            )
    default = area.protection_of(first + shift) if area.is_image else vad.protection
    old = of_entry(space.tables.entry(first << 12), default)
    if not area.is_image:
        protect_pages(space, vad, first, end, protection)
        return old
    for run_first, run_end, shared in _image_runs(area, first + shift, end + shift):
        # Writing to an image page copies it, unless its section is marked shared.
        copying = protection + 1 if protection & 7 in WRITES and not shared else protection
        protect_pages(space, vad, run_first - shift, run_end - shift, copying)
    return old


def _image_runs(area: ControlArea, first: int, end: int) -> list[tuple[int, int, bool]]:
    runs = []
    while first < end:
        part = area.part_of(first)
        stop = min(end, part.first + part.count)
        runs.append((first, stop, part.shared))
        first = stop
    return runs


def decommit(space: AddressSpace, address: int, size: int) -> tuple[int, int]:
    """Take the content of pages away but keep the range reserved; size 0 means the whole range from its
    base.
    """
    vad, first, end = _private_range(space, address, size)
    if first == vad.start and end == vad.end:
        committed = space.release(vad, first, end)
        vad.committed = False
    else:
        committed = space.release(vad, first, end)
        if vad.committed:
            for _, index, count in walk_making(space.tables, first, end):
                space.words[index : index + count] = repeated(_DECOMMITTED, count)
    space.uncharge(vad, committed)
    vad.store()
    return first << 12, (end - first) << 12


def release(space: AddressSpace, address: int, size: int) -> tuple[int, int]:
    """Give a range back, whole (size 0) or in part; gives the base and size that were freed."""
    vad, first, end = _private_range(space, address, size)
    committed = space.release(vad, first, end)
    space.uncharge(vad, committed)
    if first == vad.start and end == vad.end:
        space.remove(vad)
    elif first == vad.start:
        space.shrink(vad, end, vad.end)
    elif end == vad.end:
        space.shrink(vad, vad.start, first)
    else:
        _split(space, vad, first, end)
    return first << 12, (end - first) << 12


def _private_range(space: AddressSpace, address: int, size: int) -> tuple[Vad, int, int]:
    first, end = pages_of(address, size)
    vad = space.vads.find(first)
    if vad is None:
        raise NtError(STATUS.MEMORY_NOT_ALLOCATED)
    if not vad.private:
        raise NtError(STATUS.UNABLE_TO_DELETE_SECTION)
    if vad.no_change:
        raise NtError(STATUS.INVALID_PAGE_PROTECTION)
    if size == 0:
        if first != vad.start:
            raise NtError(STATUS.FREE_VM_NOT_AT_BASE)
        end = vad.end
    if end > vad.end:
        raise NtError(STATUS.UNABLE_TO_FREE_VM)
    return vad, first, end


def _split(space: AddressSpace, vad: Vad, first: int, end: int) -> None:
    """Cut a hole: what lies above it becomes a range of its own."""
    upper = Vad(space.kernel, end, vad.end, vad.protection, committed=vad.committed, kind=vad.kind)
    upper.write_watch = vad.write_watch
    upper.charge = upper.pages - count_uncommitted(space, vad, end, vad.end)
    vad.charge -= upper.charge
    space.shrink(vad, vad.start, first)
    space.insert(upper)


def watched(space: AddressSpace, vad: Vad, first: int, end: int, *, reset: bool) -> list[int]:
    """Pages of a write-watch range written since the last reset; with `reset`, begin anew."""
    words, found = space.words, []
    for page, index, count in walk(space.tables, first, end):
        if index < 0:
            continue
        for offset, entry in enumerate(words[index : index + count].tolist()):
            if entry & (PRESENT | DIRTY) == PRESENT | DIRTY:
                found.append(page + offset)
                if reset:
                    words[index + offset] = entry & ~(DIRTY | WRITABLE)
    if reset and found:
        space.forget_translations()
    return found

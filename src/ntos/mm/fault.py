"""The page-fault path: what an address that the processor could not use turns out to be (MmAccessFault).

Every turn here works on page-table words; only a refusal is an exception. Demand-zero pages, pages of
sections, first writes to clean pages, copies on write, guard pages and the growth of a thread's stack all
end with a usable entry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.memory import PAGE_SIZE
from ntos.abi.status import STATUS, GuestFault, NtError
from ntos.hal.paging import COPY_ON_WRITE, DIRTY, FRAME_MASK, NO_EXECUTE, PRESENT, WRITABLE
from ntos.mm import stack
from ntos.mm.protect import (
    AFTER_COPY,
    ALLOWED,
    CLEAN_BITS,
    DIRTY_BITS,
    LOOKUP,
    MM_DECOMMIT,
    MM_GUARD_PAGE,
    NEED,
    PROTECTION_SHIFT,
    PROTOTYPE,
    TRANSITION,
    WITHOUT_EXECUTE,
    WRITE,
    is_guard,
    of_valid,
    software,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from ntos.mm.space import AddressSpace
    from ntos.mm.vad import Vad


def handler(space: AddressSpace) -> Callable[[int, int], None]:
    """The function (address, access) that `UserMemory.fault` calls."""
    words, tables, physical = space.words, space.tables, space.physical
    find = space.vads.find

    def fault(address: int, access: int) -> None:
        index = tables.entry_index(address)
        entry = words[index] if index >= 0 else 0
        if entry & PRESENT:
            _valid(space, address, access, index, entry)
            return
        vad = find(address >> 12)
        if vad is None:
            raise GuestFault(address, access)
        if not vad.private and (entry == 0 or entry & PROTOTYPE):
            _view(space, vad, address, access, entry)
            return
        if entry == 0:
            if not vad.committed:
                raise GuestFault(address, access)
            protection = vad.protection
        else:
            protection = entry >> PROTECTION_SHIFT & 0x1F
        if not ALLOWED[protection] & NEED[access]:
            _refused(space, vad, address, access, protection, entry)
            return
        if index < 0:
            index = _frame(lambda: tables.make_entry(address), address, access)
        if entry & TRANSITION:
            words[index] = entry & FRAME_MASK | DIRTY_BITS[protection]
            space.count_in(private=False)
            words[space.working_set_private] += 1
            return
        bits = CLEAN_BITS if vad.write_watch and access != 1 else DIRTY_BITS
        words[index] = _frame(physical.allocate, address, access) | bits[protection]
        space.count_in(private=True)

    return fault


def _frame(allocate: Callable[[], int], address: int, access: int) -> int:
    """A frame, or an entry whose tables may need some; without any left it is an in-page error to user code."""
    try:
        return allocate()
    except NtError as error:
        raise GuestFault(address, access, error.status) from error


def _valid(space: AddressSpace, address: int, access: int, index: int, entry: int) -> None:
    """The page is there, but not for this access."""
    words = space.words
    if access == 1 and not entry & WRITABLE:
        if entry & WRITE:
            words[index] = entry | WRITABLE | DIRTY
        elif entry & COPY_ON_WRITE and not entry & PROTOTYPE:
            words[index] = _frame(lambda: space.unshare(entry), address, access) | DIRTY_BITS[of_valid(entry)]
        elif entry & COPY_ON_WRITE:
            vad = space.find(address)
            assert vad is not None
            frame = _copy(space, vad, address, entry & FRAME_MASK)
            protection = of_valid(entry)
            space.drop(vad, address >> 12, entry)
            words[index] = frame | DIRTY_BITS[protection & 0x18 | AFTER_COPY[protection & 7]]
            space.count_in(private=True)
        else:
            raise GuestFault(address, access)
    elif access == 8 and entry & NO_EXECUTE:
        raise GuestFault(address, access)
    # Otherwise the processor held an older entry: forgetting it is all there is to do.
    space.forget_translations()


def _copy(space: AddressSpace, vad: Vad, address: int, original: int) -> int:
    """A private copy of a frame, charged to the process."""
    try:
        space.charge(vad, 1)
    except NtError as error:
        raise GuestFault(address, 1, error.status) from error
    vad.store()
    frame = _frame(space.physical.allocate, address, 1)
    space.buffer[frame : frame + PAGE_SIZE] = space.buffer[original : original + PAGE_SIZE]
    return frame


def _view(space: AddressSpace, vad: Vad, address: int, access: int, entry: int) -> None:
    """A page of a section: share its frame, or copy it at once when it is written."""
    area = vad.area
    assert area is not None
    page = vad.first_page + (address >> 12) - vad.start
    position = area.position(page)
    if entry:
        protection = entry >> PROTECTION_SHIFT & 0x1F
    else:
        protection = area.protection_of(page) if area.is_image else vad.protection
        if vad.no_execute:
            protection = protection & 0x18 | WITHOUT_EXECUTE[protection & 7]
    if space.words[position] == 0:
        raise GuestFault(address, access)
    if not ALLOWED[protection] & NEED[access]:
        _refused(space, vad, address, access, protection, entry)
        return
    try:
        frame = area.frame_of(page, position)
    except NtError as error:
        raise GuestFault(address, access, error.status) from error
    index = _frame(lambda: space.tables.make_entry(address), address, access)
    if access == 1 and protection & 7 in AFTER_COPY:
        frame = _copy(space, vad, address, frame)
        space.words[index] = frame | DIRTY_BITS[protection & 0x18 | AFTER_COPY[protection & 7]]
        space.count_in(private=True)
        return
    space.physical.references[frame >> 12] += 1
    # A file's page stays clean until it is written; memory without a file has no clean copy anyway.
    bits = DIRTY_BITS if access == 1 else CLEAN_BITS
    space.words[index] = frame | bits[protection] | PROTOTYPE
    space.count_in(private=False)


def _refused(space: AddressSpace, vad: Vad, address: int, access: int, protection: int, entry: int) -> None:
    """The protection forbids this access; a guard page gives its alarm, once, and may grow a stack."""
    if protection == MM_DECOMMIT or not is_guard(protection):
        raise GuestFault(address, access)
    index = space.tables.make_entry(address)
    old = entry or software(protection) | (0 if vad.private else LOOKUP)
    space.words[index] = old & ~software(MM_GUARD_PAGE)
    if stack.grow(space, vad, address, access):
        raise_again = space.process.memory.fault
        raise_again(address, access)
        return
    raise GuestFault(address, access, STATUS.GUARD_PAGE_VIOLATION)

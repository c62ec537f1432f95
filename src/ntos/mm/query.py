"""What an address space holds: runs of pages that are alike, as VirtualQuery tells them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from ntos.abi.memory import PAGE_SIZE
from ntos.abi.mm import (
    HIGHEST_USER_ADDRESS,
    MEM_COMMIT,
    MEM_FREE,
    MEM_IMAGE,
    MEM_MAPPED,
    MEM_PRIVATE,
    MEM_RESERVE,
    PAGE_NOACCESS,
)
from ntos.abi.status import STATUS, NtError
from ntos.hal.paging import PRESENT
from ntos.mm.control import SharedMemory
from ntos.mm.layout import USER_END
from ntos.mm.pages import walk
from ntos.mm.protect import (
    MM_DECOMMIT,
    MM_NOACCESS,
    PROTECT_TO_VALUE,
    PROTECTION_SHIFT,
    WITHOUT_EXECUTE,
    of_valid,
    software,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ntos.mm.space import AddressSpace
    from ntos.mm.vad import Vad

RESERVED = -1
"""Stands for the five protection bits of a page that is not committed."""
_DECOMMITTED = software(MM_DECOMMIT)


@dataclass(frozen=True, slots=True)
class Region:
    """MEMORY_BASIC_INFORMATION."""

    base: int
    allocation_base: int
    allocation_protect: int
    size: int
    state: int
    protect: int
    type: int


def query(space: AddressSpace, address: int) -> Region:
    """The pages from `address` on that are alike (MemoryBasicInformation)."""
    if not 0 <= address <= HIGHEST_USER_ADDRESS:
        raise NtError(STATUS.INVALID_PARAMETER)
    page = address >> 12
    base = page << 12
    vad = space.vads.find(page)
    if vad is None:
        following = space.vads.following(page)
        end = following.base if following is not None else USER_END
        return Region(base, 0, 0, end - base, MEM_FREE, PAGE_NOACCESS, 0)
    protection, size = RESERVED, 0
    for count, kind in runs(space, vad, page, vad.end):
        if size == 0:
            protection = kind
        elif kind != protection:
            break
        size += count * PAGE_SIZE
    committed = protection != RESERVED
    return Region(
        base,
        vad.base,
        PROTECT_TO_VALUE[vad.protection],
        size,
        MEM_COMMIT if committed else MEM_RESERVE,
        PROTECT_TO_VALUE[protection] if committed else 0,
        memory_type(vad),
    )


def memory_type(vad: Vad) -> int:
    """MEM_PRIVATE, MEM_MAPPED or MEM_IMAGE."""
    if vad.area is None:
        return MEM_PRIVATE
    return MEM_IMAGE if vad.area.is_image else MEM_MAPPED


def runs(space: AddressSpace, vad: Vad, first: int, end: int) -> Iterator[tuple[int, int]]:
    """(pages, protection or RESERVED) of pieces of a range in order; neighbours may be alike."""
    for piece_first, piece_end, default in _defaults(vad, first, end):
        for _, index, count in walk(space.tables, piece_first, piece_end):
            if index < 0:
                yield count, default
                continue
            entries = space.words[index : index + count].tolist()
            if not any(entries):
                yield count, default
                continue
            for kind, group in groupby([_kind(entry, default) for entry in entries]):
                yield sum(1 for _ in group), kind


def _kind(entry: int, default: int) -> int:
    if entry == 0:
        return default
    if entry & PRESENT:
        return of_valid(entry)
    return RESERVED if entry == _DECOMMITTED else entry >> PROTECTION_SHIFT & 0x1F


def _defaults(vad: Vad, first: int, end: int) -> Iterator[tuple[int, int, int]]:
    """(first, end, protection) of the pieces of a range: what an empty page-table entry means there."""
    area = vad.area
    if area is None:
        yield first, end, vad.protection if vad.committed else RESERVED
    elif area.is_image:
        shift = vad.first_page - vad.start
        while first < end:
            part = area.part_of(first + shift)
            used, stop = part.first + part.used - shift, part.first + part.count - shift
            protection = WITHOUT_EXECUTE[part.protection & 7] if vad.no_execute else part.protection
            if first < used:
                yield first, min(end, used), protection
            if used < min(end, stop):
                yield max(first, used), min(end, stop), MM_NOACCESS
            first = stop
    elif isinstance(area, SharedMemory) and area.charged < area.pages:
        shift = vad.first_page - vad.start
        for page in range(first, end):
            yield page, page + 1, vad.protection if area.words[area.position(page + shift)] else RESERVED
    else:
        yield first, end, vad.protection


def committed_size(space: AddressSpace, vad: Vad) -> int:
    """Bytes of a range that are committed (MemoryRegionInformation)."""
    return sum(count for count, kind in runs(space, vad, vad.start, vad.end) if kind != RESERVED) * PAGE_SIZE

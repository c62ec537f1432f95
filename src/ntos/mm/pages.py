"""Walking page-table entries in bulk: the runs of entries that exist, whatever the range."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from ntos.hal.paging import FRAME_MASK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ntos.hal.paging import PageTables


def walk(tables: PageTables, first: int, end: int) -> Iterator[tuple[int, int, int]]:
    """(page, index, count): runs of pages in one page table; `index` in `tables.words`, -1 where no table
    is.
    """
    words, root = tables.words, tables.root >> 3
    while first < end:
        shift = 27
        table = words[root + (first >> 27 & 0x1FF)]
        if table & 1:
            shift = 18
            table = words[((table & FRAME_MASK) >> 3) + (first >> 18 & 0x1FF)]
            if table & 1:
                shift = 9
                table = words[((table & FRAME_MASK) >> 3) + (first >> 9 & 0x1FF)]
        stop = min(end, ((first >> shift) + 1) << shift)
        if shift == 9 and table & 1:
            yield first, ((table & FRAME_MASK) >> 3) + (first & 0x1FF), stop - first
        else:
            yield first, -1, stop - first
        first = stop


def walk_making(tables: PageTables, first: int, end: int) -> Iterator[tuple[int, int, int]]:
    """As `walk`, building the tables that are missing."""
    while first < end:
        stop = min(end, ((first >> 9) + 1) << 9)
        yield first, tables.make_entry(first << 12), stop - first
        first = stop


def repeated(entry: int, count: int) -> array[int]:
    """`count` equal entries, to be assigned to a slice of `words`."""
    return array("Q", (entry,)) * count

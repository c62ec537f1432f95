"""VADs: the ranges of an address space, as true MMVADs in an AVL tree that begins at EPROCESS.VadRoot.

A page fault asks for the VAD of an address far too often to walk a tree of bytes, and a VAD's fields too
often to decode them; so a sorted list of the same nodes stands beside the tree, and each `Vad` knows its
fields. Only this module changes either, always both (`Vad.store`), and the bytes are never read back but by
others.
"""

from __future__ import annotations

import struct
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from ntos.abi.layout.list import LIST_ENTRY
from ntos.abi.layout.memory import MMVAD, MMVAD_SHORT
from ntos.abi.memory import PAGE_SIZE
from ntos.mm.tree import AvlTree

if TYPE_CHECKING:
    from ntos.ke.kernel import Kernel
    from ntos.mm.control import ControlArea

TAG_SHORT = b"VadS"
TAG_LONG = b"Vad "
"""Readers take the node's type from the pool tag, twelve bytes below the node."""

VAD_NONE = 0
VAD_IMAGE_MAP = 2
VAD_WRITE_WATCH = 4

GRANULARITY = 16
"""Pages in 64 KB: ranges begin at multiples of this."""

_CORE = struct.Struct("<IIBBBBi8xII8x")
_LONG = struct.Struct("<I4xQQQ")
_VIEW_LINKS = MMVAD.offset("ViewLinks")


class Vad:
    """One range: pages `start` up to (not including) `end`."""

    __slots__ = (
        "address",
        "area",
        "charge",
        "committed",
        "end",
        "first_page",
        "inherit",
        "kernel",
        "kind",
        "no_change",
        "no_execute",
        "private",
        "process",
        "protection",
        "start",
        "write_watch",
    )

    def __init__(
        self,
        kernel: Kernel,
        start: int,
        end: int,
        protection: int,
        *,
        committed: bool = False,
        kind: int = VAD_NONE,
        area: ControlArea | None = None,
        first_page: int = 0,
    ) -> None:
        self.kernel = kernel
        self.start = start
        self.end = end
        self.protection = protection
        """The five bits given when the range was made; pages may have others in their page-table entries."""
        self.committed = committed
        """MemCommit: an empty page-table entry means a committed page of zeroes, not a reserved one."""
        self.kind = kind
        self.area = area
        self.first_page = first_page
        """Page of the section that the view begins with."""
        self.private = area is None
        self.charge = 0
        """Pages counted against commit on behalf of this range."""
        self.process = 0
        self.no_change = False
        self.no_execute = False
        self.write_watch = False
        self.inherit = False
        if area is None:
            self.address = kernel.pool.allocate(MMVAD_SHORT.size, TAG_SHORT)
        else:
            self.address = kernel.pool.allocate(MMVAD.size, TAG_LONG)

    @property
    def base(self) -> int:
        """The first address."""
        return self.start * PAGE_SIZE

    @property
    def size(self) -> int:
        """Bytes."""
        return (self.end - self.start) * PAGE_SIZE

    @property
    def pages(self) -> int:
        """Pages."""
        return self.end - self.start

    def store(self) -> None:
        """Write the node's bytes behind the tree links."""
        last = self.end - 1
        flags = self.no_change << 3 | self.kind << 4 | self.protection << 7 | self.private << 20
        if self.private:
            flags |= self.write_watch << 21
        charge = self.charge
        core = _CORE.pack(
            self.start & 0xFFFF_FFFF,
            last & 0xFFFF_FFFF,
            self.start >> 32,
            last >> 32,
            charge >> 31 & 0xFF,
            0,
            1,
            flags,
            charge & 0x7FFF_FFFF | self.committed << 31,
        )
        memory = self.kernel.memory
        memory.write(self.address + 0x18, core)
        if self.area is not None:
            memory.write(self.address + MMVAD_SHORT.size, self._extension(self.area))

    def _extension(self, area: ControlArea) -> bytes:
        part = area.part_of(self.first_page)
        last_page = self.first_page + self.pages - 1
        first = area.prototype_address(self.first_page)
        flags = (self.first_page >> 4 & 0xFF_FFFF) | self.inherit << 26
        return _LONG.pack(flags, part.address, first, area.prototype_address(last_page))

    def link(self, head: int, process: int) -> None:
        """Enter the view into its control area's list; `process` is the EPROCESS it belongs to."""
        memory = self.kernel.memory
        view = MMVAD(memory, self.address)
        view.VadsProcess = process
        LIST_ENTRY(memory, head).insert_tail(LIST_ENTRY(memory, self.address + _VIEW_LINKS))

    def unlink(self) -> None:
        """Take the view out of its control area's list."""
        LIST_ENTRY(self.kernel.memory, self.address + _VIEW_LINKS).remove()

    def __repr__(self) -> str:
        return f"<Vad 0x{self.base:X}-0x{self.base + self.size - 1:X}>"


class VadTree:
    """All VADs of one process, by address."""

    __slots__ = ("_hints", "_starts", "tree", "vads")

    def __init__(self, kernel: Kernel, root: int) -> None:
        self.tree = AvlTree(kernel.memory, root)
        self._starts: list[int] = []
        self._hints: dict[int, int] = {}
        """Where searches from a page upward may begin: nothing is free between the two (EPROCESS.VadHint)."""
        self.vads: list[Vad] = []
        """The nodes of the tree in order."""

    def find(self, page: int) -> Vad | None:
        """The VAD that covers a page (MiLocateAddress)."""
        index = bisect_right(self._starts, page) - 1
        if index >= 0:
            vad = self.vads[index]
            if page < vad.end:
                return vad
        return None

    def following(self, page: int) -> Vad | None:
        """The first VAD that begins at or after a page."""
        index = bisect_left(self._starts, page)
        return self.vads[index] if index < len(self.vads) else None

    def overlaps(self, start: int, end: int) -> bool:
        """Whether any VAD covers a page of [start, end) (MiCheckForConflictingVad)."""
        index = bisect_left(self._starts, end) - 1
        return index >= 0 and self.vads[index].end > start

    def insert(self, vad: Vad) -> None:
        """Enter a VAD (MiInsertVad)."""
        index = bisect_left(self._starts, vad.start)
        before = self.vads[index - 1].address if index else 0
        after = self.vads[index].address if index < len(self.vads) else 0
        vad.store()
        self.tree.insert(vad.address, before, after)
        self._starts.insert(index, vad.start)
        self.vads.insert(index, vad)

    def remove(self, vad: Vad) -> None:
        """Take a VAD out of the tree and free its node (MiRemoveVad)."""
        index = bisect_left(self._starts, vad.start)
        self.tree.remove(vad.address)
        del self._starts[index], self.vads[index]
        self._freed(vad.start)
        vad.kernel.pool.free(vad.address)

    def resize(self, vad: Vad, start: int, end: int) -> None:
        """Let a VAD cover less: its place among the others does not change."""
        index = bisect_left(self._starts, vad.start)
        self._freed(vad.start if start > vad.start else end)
        vad.start, vad.end = start, end
        self._starts[index] = start
        vad.store()

    def find_bottom_up(self, pages: int, lowest: int, limit: int, alignment: int = GRANULARITY) -> int:
        """The lowest free place for `pages` in [lowest, limit); 0 where there is none
        (MiFindEmptyAddressRange).
        """
        place = -(-max(lowest, self._hints.get(lowest, 0)) // alignment) * alignment
        free = 0
        for index in range(max(bisect_right(self._starts, place) - 1, 0), len(self.vads)):
            vad = self.vads[index]
            if vad.end <= place:
                continue
            if place < vad.start:
                free = free or place
                if place + pages <= vad.start:
                    break
            place = -(-vad.end // alignment) * alignment
        if alignment == GRANULARITY:
            self._hints[lowest] = free or place
        return place if place + pages <= limit else 0

    def _freed(self, page: int) -> None:
        """Pages from `page` on have become free: no search may begin above them."""
        for lowest, hint in self._hints.items():
            if page < hint:
                self._hints[lowest] = max(lowest, page)

    def find_top_down(self, pages: int, lowest: int, limit: int, alignment: int = GRANULARITY) -> int:
        """The highest free place for `pages` in [lowest, limit); 0 where there is none."""
        place = (limit - pages) // alignment * alignment
        for vad in reversed(self.vads[: bisect_left(self._starts, limit)]):
            if vad.end <= place or place < lowest:
                break
            if vad.start < place + pages:
                place = (vad.start - pages) // alignment * alignment
        return place if place >= lowest and place > 0 else 0

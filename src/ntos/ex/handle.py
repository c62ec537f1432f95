"""Handle tables: a tree of pages whose sixteen-byte entries lead from a handle's value to an object header.

A handle is an index times four. Entry 0 of every page is not used; free entries form a list, taken from its
head; a strict FIFO table (client ids) puts freed ones at its tail, any other at its head. What an entry's
bits mean is written at `encode`. The same structure serves process ids and thread ids (`CidTable`), whose
entries hold the objects themselves (PspCidTable).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from ntos.abi.layout.handle import HANDLE_TABLE, HANDLE_TABLE_ENTRY
from ntos.abi.layout.list import LIST_ENTRY
from ntos.abi.memory import PAGE_SIZE
from ntos.abi.ob import OBJ_INHERIT, OBJ_PROTECT_CLOSE
from ntos.abi.status import STATUS, NtError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ntos.ke.kernel import Kernel
    from ntos.ke.process import Process

TAG = b"Obtb"
ENTRY_SIZE = HANDLE_TABLE_ENTRY.size
LEAF_ENTRIES = PAGE_SIZE // ENTRY_SIZE
POINTERS = PAGE_SIZE // 8
MAXIMUM_LEAVES = 1 << 16
"""Sixteen million handles (structures.md section 13)."""
UNLOCKED = 1
ATTRIBUTE_BITS = 7
ATTRIBUTE_SHIFT = 17
POINTER_SHIFT = 20
ACCESS_MASK_BITS = 0x1FF_FFFF
KERNEL_POINTER = 0xFFFF_0000_0000_0000
KEPT_ATTRIBUTES = OBJ_INHERIT | OBJ_PROTECT_CLOSE
FIRST_FREE = HANDLE_TABLE.offset("FreeLists") + 8
LAST_FREE = FIRST_FREE + 8

_entry = struct.Struct("<QQ")
_word = struct.Struct("<Q")


class HandleEntry(NamedTuple):
    """What a handle stands for."""

    header: int
    """Address of the OBJECT_HEADER (in a CidTable: of the object itself)."""
    access: int
    attributes: int
    """OBJ_PROTECT_CLOSE 1, OBJ_INHERIT 2, OBJ_AUDIT_OBJECT_CLOSE 4."""


def encode(header: int, attributes: int) -> int:
    """The low word of an entry: bit 0 unlocked, 17-19 attributes, 20-63 the pointer's bits 4-47."""
    pointer = header >> 4 & 0xFFF_FFFF_FFFF
    return pointer << POINTER_SHIFT | (attributes & ATTRIBUTE_BITS) << ATTRIBUTE_SHIFT | UNLOCKED


class HandleTable:
    """HANDLE_TABLE of a process. `process[HandleTable]`."""

    def __init__(self, kernel: Kernel, process: Process | None = None, *, strict_fifo: bool = False) -> None:
        self.kernel = kernel
        self.memory = kernel.memory
        self.process = process
        self.address = kernel.pool.allocate(HANDLE_TABLE.size, TAG, paged=True)
        self.view = HANDLE_TABLE(kernel.memory, self.address)
        self.strict_fifo = strict_fifo
        self.view.StrictFIFO = int(strict_fifo)
        self.leaves: list[int] = []
        """Pages of entries, in the order of their handles."""
        self._inner: list[int] = []
        """Pages of pointers, for giving them back."""
        self.view.HandleTableList.initialize()
        if process is not None:
            self.view.QuotaProcess = process.address
            self.view.UniqueProcessId = process.id
            process.eprocess.ObjectTable = self.address
            kernel[HandleTableList].add(self)
        self.add_leaf()

    # ------------------------------------------------------------ one handle

    @property
    def count(self) -> int:
        """How many handles are open."""
        return int(self.view.FreeLists[0].HandleCount)

    def insert(self, header: int, access: int, attributes: int = 0) -> int:
        """A new handle (ExCreateHandle). INSUFFICIENT_RESOURCES when the table cannot grow."""
        free = self.view.FreeLists[0]
        address = int(free.FirstFreeHandleEntry)
        if not address:
            self.add_leaf()
            address = int(free.FirstFreeHandleEntry)
        following = HANDLE_TABLE_ENTRY(self.memory, address).NextFreeHandleEntry
        free.FirstFreeHandleEntry = following
        if not following:
            free.LastFreeHandleEntry = 0
        self._store(address, encode(header, attributes), access & ACCESS_MASK_BITS)
        count = int(free.HandleCount) + 1
        free.HandleCount = count
        if count > int(free.HighWaterMark):
            free.HighWaterMark = count
        return self._value_of(address)

    def lookup(self, handle: int) -> HandleEntry | None:
        """What `handle` stands for; None where it stands for nothing. The low two bits are ignored."""
        leaf = handle >> 10
        if leaf < len(self.leaves):
            at = self.memory.locate(self.leaves[leaf] + (handle >> 2 & 0xFF) * ENTRY_SIZE)
            low, high = _entry.unpack_from(self.memory.buffer, at)
            if low:
                return HandleEntry(
                    low >> POINTER_SHIFT << 4 | KERNEL_POINTER,
                    high & ACCESS_MASK_BITS,
                    low >> ATTRIBUTE_SHIFT & ATTRIBUTE_BITS,
                )
        return None

    def entry_address(self, handle: int) -> int:
        """Where the entry of an open handle stands (`!handle` prints it). INVALID_HANDLE for others."""
        if self.lookup(handle) is None:
            raise NtError(STATUS.INVALID_HANDLE)
        return self.leaves[handle >> 10] + (handle >> 2 & 0xFF) * ENTRY_SIZE

    def set_attributes(self, handle: int, attributes: int) -> None:
        """Change the inherit and protect-from-close bits."""
        address = self.entry_address(handle)
        entry = HANDLE_TABLE_ENTRY(self.memory, address)
        entry.Attributes = attributes & ATTRIBUTE_BITS

    def remove(self, handle: int) -> HandleEntry:
        """Close one (ExDestroyHandle). INVALID_HANDLE when it is not open."""
        found = self.lookup(handle)
        if found is None:
            raise NtError(STATUS.INVALID_HANDLE)
        address = self.leaves[handle >> 10] + (handle >> 2 & 0xFF) * ENTRY_SIZE
        free = self.view.FreeLists[0]
        free.HandleCount = int(free.HandleCount) - 1
        if self.strict_fifo:
            self._append_free(address)
        else:
            self._store(address, 0, int(free.FirstFreeHandleEntry))
            free.FirstFreeHandleEntry = address
            if not free.LastFreeHandleEntry:
                free.LastFreeHandleEntry = address
        return found

    # ------------------------------------------------------------ all of them

    def items(self) -> Iterator[tuple[int, HandleEntry]]:
        """(handle, entry) of each open handle, ascending; the one just given may be removed."""
        for number in range(len(self.leaves)):
            page = self.memory.read(self.leaves[number], PAGE_SIZE)
            for index, (low, high) in enumerate(_entry.iter_unpack(page)):
                if low:
                    yield (
                        number * LEAF_ENTRIES + index << 2,
                        HandleEntry(
                            low >> POINTER_SHIFT << 4 | KERNEL_POINTER,
                            high & ACCESS_MASK_BITS,
                            low >> ATTRIBUTE_SHIFT & ATTRIBUTE_BITS,
                        ),
                    )

    def inherit_into(self, child: HandleTable, only: set[int] | None = None) -> list[HandleEntry]:
        """Copy inheritable handles (of these values) to the same values of an empty table; gives what was
        copied.

        The caller counts the references (ExDupHandleTable; `ob.inherit_handles` does both).
        """
        copied: dict[int, HandleEntry] = {
            handle: entry
            for handle, entry in self.items()
            if entry.attributes & OBJ_INHERIT and (only is None or handle in only)
        }
        while len(child.leaves) < len(self.leaves):
            child.add_leaf()
        child.fill(copied)
        return list(copied.values())

    def fill(self, entries: dict[int, HandleEntry]) -> None:
        """Take these handles into a table that is empty and large enough."""
        for handle, entry in entries.items():
            address = self.leaves[handle >> 10] + (handle >> 2 & 0xFF) * ENTRY_SIZE
            self._store(address, encode(entry.header, entry.attributes), entry.access)
        self._rebuild_free_list()
        free = self.view.FreeLists[0]
        free.HandleCount = free.HighWaterMark = len(entries)
        self.view.Duplicated = 1

    def sweep(self, close: Callable[[int, HandleEntry], None]) -> None:
        """Remove every handle, telling of each (ExSweepHandleTable)."""
        for handle, entry in self.items():
            self.remove(handle)
            close(handle, entry)

    def delete(self) -> None:
        """Give the table's memory back; it must be empty."""
        self.view.HandleTableList.remove()
        for page in (*self.leaves, *self._inner, self.address):
            self.kernel.pool.free(page)
        self.leaves.clear()
        self._inner.clear()

    # ------------------------------------------------------------ the tree

    def _store(self, address: int, low: int, high: int) -> None:
        _entry.pack_into(self.memory.buffer, self.memory.locate(address), low, high)

    def _value_of(self, address: int) -> int:
        page = address & ~(PAGE_SIZE - 1)
        leaves = self.leaves
        leaf = len(leaves) - 1 if leaves[-1] == page else leaves.index(page)
        return leaf << 10 | (address & PAGE_SIZE - 1) >> 2

    def _append_free(self, address: int) -> None:
        free = self.view.FreeLists[0]
        self._store(address, 0, 0)
        last = int(free.LastFreeHandleEntry)
        if last:
            HANDLE_TABLE_ENTRY(self.memory, last).NextFreeHandleEntry = address
        else:
            free.FirstFreeHandleEntry = address
        free.LastFreeHandleEntry = address

    def add_leaf(self) -> None:
        """One page of entries more; the tree grows a level where it must."""
        number = len(self.leaves)
        if number >= MAXIMUM_LEAVES:
            raise NtError(STATUS.INSUFFICIENT_RESOURCES)
        leaf = self._page()
        self.leaves.append(leaf)
        view = self.view
        if number == 0:
            view.TableCode = leaf
        elif number == 1:
            root = self._inner_page()
            self._point(root, 0, self.leaves[0])
            self._point(root, 1, leaf)
            view.TableCode = root | 1
        else:
            self._hang(number, leaf)
        view.NextHandleNeedingPool = (number + 1) * LEAF_ENTRIES * 4
        self._add_free_page(leaf)

    def _add_free_page(self, leaf: int) -> None:
        """Chain all entries of a new page (but the first) and put them at the tail of the free list."""
        first, last = leaf + ENTRY_SIZE, leaf + (LEAF_ENTRIES - 1) * ENTRY_SIZE
        chain = [_entry.pack(0, address + ENTRY_SIZE) for address in range(first, last, ENTRY_SIZE)]
        self.memory.write(first, b"".join(chain))
        free = self.view.FreeLists[0]
        if free.LastFreeHandleEntry:
            HANDLE_TABLE_ENTRY(self.memory, int(free.LastFreeHandleEntry)).NextFreeHandleEntry = first
        else:
            free.FirstFreeHandleEntry = first
        free.LastFreeHandleEntry = last

    def _hang(self, number: int, leaf: int) -> None:
        view = self.view
        root = int(view.TableCode)
        if number == POINTERS:
            top = self._inner_page()
            self._point(top, 0, root & ~7)
            root = top | 2
            view.TableCode = root
        if root & 7 == 1:
            self._point(root & ~7, number, leaf)
            return
        top, slot = root & ~7, number % POINTERS
        if slot == 0:
            self._point(top, number // POINTERS, self._inner_page())
        middle = _word.unpack(self.memory.read(top + number // POINTERS * 8, 8))[0]
        self._point(middle, slot, leaf)

    def _page(self) -> int:
        return self.kernel.pool.allocate(PAGE_SIZE, TAG, paged=True)

    def _inner_page(self) -> int:
        page = self._page()
        self._inner.append(page)
        return page

    def _point(self, page: int, index: int, target: int) -> None:
        self.memory.write(page + index * 8, _word.pack(target))

    def _rebuild_free_list(self) -> None:
        free = self.view.FreeLists[0]
        free.FirstFreeHandleEntry = free.LastFreeHandleEntry = 0
        for leaf in self.leaves:
            page = self.memory.read(leaf, PAGE_SIZE)
            for index, (low, _) in enumerate(_entry.iter_unpack(page)):
                if index and not low:
                    self._append_free(leaf + index * ENTRY_SIZE)


class HandleTableList:
    """HandleTableListHead: the tables of all processes. `kernel[HandleTableList]`."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.head = LIST_ENTRY(kernel.memory, kernel.pool.allocate(LIST_ENTRY.size, b"Obhd"))
        self.head.initialize()

    def add(self, table: HandleTable) -> None:
        """Link a process's table."""
        self.head.insert_tail(table.view.HandleTableList)

    def move_to(self, address: int) -> None:
        """Let the head stand at the global variable of the kernel image."""
        former, head = self.head, LIST_ENTRY(self.kernel.memory, address)
        head.initialize()
        former.insert_head(head)
        former.remove()
        self.kernel.pool.free(former.address)
        self.head = head


class CidTable(HandleTable):
    """PspCidTable: process and thread ids, from one table, reused as late as possible. `kernel[CidTable]`."""

    def __init__(self, kernel: Kernel) -> None:
        super().__init__(kernel, strict_fifo=True)

    def assign(self, address: int) -> int:
        """A new id for the EPROCESS or ETHREAD at `address`."""
        return self.insert(address, 0)

    def find(self, identifier: int) -> int:
        """The address of the process or thread with this id; 0 where there is none."""
        entry = self.lookup(identifier)
        return entry.header if entry is not None else 0

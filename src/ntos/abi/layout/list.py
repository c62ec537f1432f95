"""Lists and trees: the links that thread kernel objects together.

Offsets are those of the reference build's public symbols (ntoskrnl 10.0.19041); a comment `*X` says what a
pointer points to, a bare `X` which enumeration or structure a word holds.
"""

from __future__ import annotations

from collections.abc import Iterator

from ntos.abi.struct import Struct, array, at, bits
from ntos.abi.types import PVOID, UCHAR, ULONG, ULONGLONG


class LIST_ENTRY(Struct, size=0x10):
    """Doubly linked list: a head, or the link inside an element."""

    Flink = at(0x00, PVOID)  # *LIST_ENTRY
    Blink = at(0x08, PVOID)  # *LIST_ENTRY

    def initialize(self) -> None:
        """Make this entry a head with nothing in it (InitializeListHead)."""
        self.Flink = self.address
        self.Blink = self.address

    def is_empty(self) -> bool:
        """Whether the head has no element (IsListEmpty)."""
        return int(self.Flink) == self.address

    def insert_head(self, entry: LIST_ENTRY) -> None:
        """Put ``entry`` first (InsertHeadList)."""
        self._insert(entry, self.address, self.Flink)

    def insert_tail(self, entry: LIST_ENTRY) -> None:
        """Put ``entry`` last (InsertTailList)."""
        self._insert(entry, self.Blink, self.address)

    def remove(self) -> None:
        """Take this entry out of its list and leave it linked to itself (RemoveEntryList)."""
        before, after = int(self.Blink), int(self.Flink)
        LIST_ENTRY(self.memory, before).Flink = after
        LIST_ENTRY(self.memory, after).Blink = before
        self.initialize()

    def iterate(self) -> Iterator[int]:
        """Addresses of the entries after this head; the one just given may be removed."""
        entry = int(self.Flink)
        while entry != self.address:
            following = int(LIST_ENTRY(self.memory, entry).Flink)
            yield entry
            entry = following

    def _insert(self, entry: LIST_ENTRY, before: int, after: int) -> None:
        """Link ``entry`` between two neighbours."""
        entry.Flink = after
        entry.Blink = before
        LIST_ENTRY(self.memory, before).Flink = entry.address
        LIST_ENTRY(self.memory, after).Blink = entry.address


class SINGLE_LIST_ENTRY(Struct, size=0x08):
    """Singly linked list: a head, or the link inside an element."""

    Next = at(0x00, PVOID)  # *SINGLE_LIST_ENTRY


class LIST_ENTRY32(Struct, size=0x08):
    """A list entry of a 32-bit process."""

    Flink = at(0x00, ULONG)
    Blink = at(0x04, ULONG)


class LIST_ENTRY64(Struct, size=0x10):
    """A list entry of a 64-bit process, whatever the reader's width."""

    Flink = at(0x00, ULONGLONG)
    Blink = at(0x08, ULONGLONG)


class SLIST_HEADER_HeaderX64(Struct, size=0x10):
    """The 128-bit form of an interlocked list head."""

    Depth     = bits(0x00, ULONGLONG, 0, 16)
    Sequence  = bits(0x00, ULONGLONG, 16, 48)
    Reserved  = bits(0x08, ULONGLONG, 0, 4)
    NextEntry = bits(0x08, ULONGLONG, 4, 60)


class SLIST_HEADER(Struct, size=0x10):
    """Head of an interlocked singly linked list."""

    Alignment = at(0x00, ULONGLONG)
    HeaderX64 = at(0x00, SLIST_HEADER_HeaderX64)
    Region    = at(0x08, ULONGLONG)


class RTL_BALANCED_NODE(Struct, size=0x18):
    """Node of a balanced tree; the parent pointer's low bits hold the balance."""

    Children    = at(0x00, array(PVOID, 2))  # *RTL_BALANCED_NODE
    Left        = at(0x00, PVOID)  # *RTL_BALANCED_NODE
    Right       = at(0x08, PVOID)  # *RTL_BALANCED_NODE
    ParentValue = at(0x10, ULONGLONG)
    Balance     = bits(0x10, UCHAR, 0, 2)
    Red         = bits(0x10, UCHAR, 0, 1)


class RTL_AVL_TREE(Struct, size=0x08):
    """Root of an AVL tree (the VAD tree is one)."""

    Root = at(0x00, PVOID)  # *RTL_BALANCED_NODE


class RTL_RB_TREE(Struct, size=0x10):
    """Root of a red-black tree."""

    Root    = at(0x00, PVOID)  # *RTL_BALANCED_NODE
    Min     = at(0x08, PVOID)  # *RTL_BALANCED_NODE
    Encoded = bits(0x08, UCHAR, 0, 1)


class RTL_DYNAMIC_HASH_TABLE_ENTRY(Struct, size=0x18):
    """Link and signature of an element in a dynamic hash table."""

    Linkage   = at(0x00, LIST_ENTRY)
    Signature = at(0x10, ULONGLONG)

"""USER handles: entries in the shared heap, each leading to an object's head."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ntos.abi.errors import ERROR
from ntos.abi.layout.win32k import HANDLEENTRY, HEAD, SERVERINFO
from ntos.abi.winuser import HANDLE_TABLE_OFFSET
from ntos.ke.win32_service import UserError
from ntos.win32k.memory import MAXIMUM_HANDLES

if TYPE_CHECKING:
    from ntos.win32k.memory import SharedHeap

INDEX, UNIQUE_SHIFT = 0xFFFF, 16
ANY_UNIQUE = (0, 0xFFFF)
"""High words with which a handle means whatever is at its index (16-bit handles)."""


class UserObjects:
    """A session's USER objects by handle; the identity map from address to the one Python object."""

    def __init__(self, heap: SharedHeap) -> None:
        self.heap = heap
        self.memory = heap.kernel.memory
        self.information = SERVERINFO(self.memory, heap.touch(0, SERVERINFO.size))
        self.information.cHandleEntries = 1  # 0 is no handle
        self.by_address: dict[int, Any] = {}
        self._free: list[int] = []

    def entry(self, index: int) -> HANDLEENTRY:
        """The entry at an index."""
        offset = HANDLE_TABLE_OFFSET + index * HANDLEENTRY.size
        return HANDLEENTRY(self.memory, self.heap.touch(offset, HANDLEENTRY.size))

    def add(self, obj: Any, address: int, kind: int, owner: int) -> int:
        """Give an object whose HEAD is at `address` a handle (HMAllocObject)."""
        if self._free:
            index = self._free.pop()
        else:
            index = int(self.information.cHandleEntries)
            if index >= MAXIMUM_HANDLES:
                raise UserError(ERROR.NO_MORE_USER_HANDLES)
            self.information.cHandleEntries = index + 1
        entry = self.entry(index)
        # A handle of an object that is gone must not become one of its successor.
        entry.wUniq = int(entry.wUniq) % 0xFFFE + 1
        entry.phead, entry.pOwner, entry.bType = address, owner, kind
        handle = int(entry.wUniq) << UNIQUE_SHIFT | index
        head = HEAD(self.memory, address)
        head.h, head.pSelf = handle, address
        self.by_address[address] = obj
        return handle

    def find(self, handle: int, kind: int) -> Any:
        """The object of that kind a handle means, or None (HMValidateHandle)."""
        low = handle & 0xFFFF_FFFF
        index, unique = low & INDEX, low >> UNIQUE_SHIFT
        if not 0 < index < int(self.information.cHandleEntries) or handle >> 32 not in (0, 0xFFFF_FFFF):
            return None
        entry = self.entry(index)
        if int(entry.bType) != kind or (unique not in ANY_UNIQUE and unique != int(entry.wUniq)):
            return None
        return self.by_address[int(entry.phead)]

    def owner_of(self, address: int) -> int:
        """The PROCESSINFO or THREADINFO an object belongs to."""
        return int(self.entry(int(HEAD(self.memory, address).h) & INDEX).pOwner)

    def remove(self, address: int) -> None:
        """The object is gone, and its handle means nothing any more (HMFreeObject)."""
        index = int(HEAD(self.memory, address).h) & INDEX
        entry = self.entry(index)
        entry.phead = entry.pOwner = entry.bType = 0
        self._free.append(index)
        del self.by_address[address]

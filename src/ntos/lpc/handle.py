"""Handles of a connection: small numbers for its sections, security contexts and reserves.

They mean nothing to the object manager: each connection has a table of its own (ALPC_HANDLE_TABLE), an array of
pointers in pool that doubles when it is full.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from ntos.abi.layout.alpc import ALPC_HANDLE_TABLE
from ntos.abi.layout.alpc_parts import ALPC_HANDLE_ENTRY
from ntos.abi.status import STATUS, NtError

if TYPE_CHECKING:
    from ntos.ke.kernel import Kernel

TAG = b"AlHa"
FIRST_COUNT = 16


class Resource(Protocol):
    """What such a handle can stand for."""

    @property
    def address(self) -> int: ...


R = TypeVar("R", bound=Resource)


class HandleTable:
    """One connection's table."""

    def __init__(self, kernel: Kernel, view: ALPC_HANDLE_TABLE) -> None:
        self.kernel = kernel
        self.view = view
        self.resources: dict[int, Resource] = {}

    def insert(self, resource: Resource) -> int:
        """A new handle."""
        index = next(index for index in range(len(self.resources) + 1) if index + 1 not in self.resources)
        self._reach(index + 1)
        self._entry(index).Object = resource.address
        self.resources[index + 1] = resource
        return index + 1

    def find(self, handle: int, kind: type[R]) -> R:
        """What a handle stands for. INVALID_HANDLE where it is no such thing."""
        resource = self.resources.get(handle)
        if not isinstance(resource, kind):
            raise NtError(STATUS.INVALID_HANDLE)
        return resource

    def remove(self, handle: int) -> None:
        """The handle is free again."""
        del self.resources[handle]
        self._entry(handle - 1).Object = 0

    def delete(self) -> None:
        """Give the array back."""
        if self.view.Handles:
            self.kernel.pool.free(int(self.view.Handles))
            self.view.Handles = 0

    def _entry(self, index: int) -> ALPC_HANDLE_ENTRY:
        return ALPC_HANDLE_ENTRY(self.kernel.memory, int(self.view.Handles) + index * ALPC_HANDLE_ENTRY.size)

    def _reach(self, count: int) -> None:
        present = int(self.view.TotalHandles)
        if count <= present:
            return
        grown = max(FIRST_COUNT, present * 2)
        old = int(self.view.Handles)
        address = self.kernel.pool.allocate(grown * ALPC_HANDLE_ENTRY.size, TAG, paged=True)
        if old:
            self.kernel.memory.write(address, self.kernel.memory.read(old, present * ALPC_HANDLE_ENTRY.size))
            self.kernel.pool.free(old)
        self.view.Handles = address
        self.view.TotalHandles = grown

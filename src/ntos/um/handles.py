"""Handles that go from one process to another: what servers do for their clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.layout.string import CLIENT_ID
from ntos.abi.ob import CURRENT_PROCESS
from ntos.abi.types import HANDLE
from ntos.um import alpc, nt

if TYPE_CHECKING:
    from ntos.um.thread import UserThread

SAME_ACCESS = 2


def open_process(thread: UserThread, identifier: int, access: int) -> int:
    """A handle to the process with this id."""
    with thread.frame() as frame:
        place, client = frame.new(HANDLE), frame.new(CLIENT_ID)
        client.UniqueProcess = identifier
        nt.NtOpenProcess(thread, place.address, access, alpc.object_attributes(frame), client.address)
        return int(place.read())


def give_handle(thread: UserThread, process: int, handle: int) -> int:
    """The value in `process` of what `handle` is here; the handle here is closed."""
    with thread.frame() as frame:
        place = frame.new(HANDLE)
        close_source = 1
        nt.NtDuplicateObject(
            thread, CURRENT_PROCESS, handle, process, place.address, 0, 0, SAME_ACCESS | close_source
        )
        return int(place.read())


def take_handle(thread: UserThread, process: int, handle: int) -> int:
    """A handle here for what `handle` is in `process`."""
    with thread.frame() as frame:
        place = frame.new(HANDLE)
        nt.NtDuplicateObject(thread, process, handle, CURRENT_PROCESS, place.address, 0, 0, SAME_ACCESS)
        return int(place.read())

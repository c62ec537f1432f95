"""The heap win32k shares with every GUI process: windows and classes as user32 reads them, without a call.

A WND leads to others by kernel addresses; `ulSharedDelta` says how far they are from where this process sees them.
"""

from __future__ import annotations

from ntos.abi.errors import ERROR
from ntos.abi.layout.win32k import CLS, HANDLEENTRY, USERCONNECT, WND
from ntos.abi.types import ULONGLONG
from ntos.abi.winuser import TYPE_WINDOW
from ntos.um import nt
from ntos.um.export import WinError
from ntos.um.thread import UserThread

SELF = 0xFFFF_FFFF_FFFF_FFFF
MASK = 0xFFFF_FFFF_FFFF_FFFF


class Shared:
    """user32!gSharedInfo."""

    def __init__(self) -> None:
        self.handles = 0
        self.delta = 0
        self.information = 0


def connect(thread: UserThread) -> int:
    """Learn where the heap is (NtUserProcessConnect); the status."""
    shared = thread.state(Shared)
    with thread.frame() as frame:
        place = frame.allocate(USERCONNECT.size)
        status = nt.NtUserProcessConnect(thread, SELF, USERCONNECT.size, place)
        told = USERCONNECT(thread.memory, place).siClient
        shared.handles, shared.delta, shared.information = int(told.aheList), int(told.ulSharedDelta), int(told.psi)
    return int(status)


def window_of(thread: UserThread, handle: int) -> WND | None:
    """The window a handle means, or None."""
    shared = thread.state(Shared)
    low = handle & 0xFFFF_FFFF
    index, unique = low & 0xFFFF, low >> 16
    count = ULONGLONG.load(thread.memory, shared.information + 8) if shared.information else 0
    if not 0 < index < count or handle >> 32 not in (0, 0xFFFF_FFFF):
        return None
    entry = HANDLEENTRY(thread.memory, shared.handles + index * HANDLEENTRY.size)
    if int(entry.bType) != TYPE_WINDOW or (unique not in (0, 0xFFFF) and unique != int(entry.wUniq)):
        return None
    return at(thread, int(entry.phead))


def window(thread: UserThread, handle: int) -> WND:
    """The same; ERROR_INVALID_WINDOW_HANDLE where there is none (ValidateHwnd)."""
    found = window_of(thread, handle)
    if found is None:
        raise WinError(ERROR.INVALID_WINDOW_HANDLE)
    return found


def at(thread: UserThread, address: int) -> WND | None:
    """The window whose WND win32k sees at an address."""
    return WND(thread.memory, address - thread.state(Shared).delta & MASK) if address else None


def class_of(thread: UserThread, view: WND) -> CLS:
    """A window's class."""
    return CLS(thread.memory, int(view.pcls) - thread.state(Shared).delta & MASK)


def handle_of(thread: UserThread, address: int) -> int:
    """The handle of the window whose WND win32k sees at an address; 0 for none."""
    found = at(thread, address)
    return int(found.head.h) if found is not None else 0


def process_of(thread: UserThread, handle: int) -> int:
    """The id of the process whose window it is."""
    return int(nt.NtUserQueryWindow(thread, handle, 0))


def is_own(thread: UserThread, handle: int) -> bool:
    """Whether this process's procedure answers for the window."""
    return process_of(thread, handle) == int(thread.teb.ClientId.UniqueProcess)

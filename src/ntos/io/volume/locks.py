"""Byte-range locks: mandatory, per file object, process and key ([MS-FSA] 2.1.4.10; FsRtlFastLock)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ntos.abi.status import STATUS, NtError

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Owner:
    """Who locks or accesses: the file object, the process, and a key the caller chose."""

    file: int
    process: int
    key: int = 0


@dataclass(slots=True)
class Lock:
    """One locked range."""

    start: int
    length: int
    exclusive: bool
    owner: Owner

    def overlaps(self, start: int, length: int) -> bool:
        """Whether the ranges have a byte in common; a zero-length lock lies between bytes and conflicts
        inside.
        """
        if not self.length or not length:
            return self.start < start < self.start + self.length or start < self.start < start + length
        return self.start < start + length and start < self.start + self.length


@dataclass(slots=True)
class Waiting:
    """A lock that waits until it can be granted; `granted` completes the request."""

    lock: Lock
    granted: Callable[[], None]


class ByteRangeLocks:
    """The locks of one node."""

    __slots__ = ("held", "waiting")

    def __init__(self) -> None:
        self.held: list[Lock] = []
        self.waiting: list[Waiting] = []

    def check(self, start: int, length: int, owner: Owner, *, write: bool) -> None:
        """FILE_LOCK_CONFLICT if a lock forbids the access; a shared lock forbids writing even to its
        owner.
        """
        if not length:
            return
        for lock in self.held:
            forbids = (lock.owner != owner) if lock.exclusive else write
            if forbids and lock.overlaps(start, length):
                raise NtError(STATUS.FILE_LOCK_CONFLICT)

    def try_lock(self, lock: Lock) -> bool:
        """Grant the lock if no other overlaps it exclusively."""
        for other in self.held:
            if (lock.exclusive or other.exclusive) and other.overlaps(lock.start, lock.length):
                return False
        self.held.append(lock)
        return True

    def wait(self, lock: Lock, granted: Callable[[], None]) -> Waiting:
        """Queue for a lock that could not be granted."""
        waiting = Waiting(lock, granted)
        self.waiting.append(waiting)
        return waiting

    def unlock(self, start: int, length: int, owner: Owner) -> None:
        """Release exactly that range. RANGE_NOT_LOCKED if the owner has no such lock."""
        for lock in self.held:
            if (lock.start, lock.length, lock.owner) == (start, length, owner):
                self.held.remove(lock)
                self.grant_waiting()
                return
        raise NtError(STATUS.RANGE_NOT_LOCKED)

    def unlock_all(self, file: int, process: int | None = None) -> None:
        """Release what a file object (in one process, or in all) holds."""
        self.held = [
            lock
            for lock in self.held
            if lock.owner.file != file or (process is not None and lock.owner.process != process)
        ]
        self.grant_waiting()

    def grant_waiting(self) -> None:
        """Give waiting requests what has become free, in the order they came."""
        for waiting in list(self.waiting):
            if self.try_lock(waiting.lock):
                self.waiting.remove(waiting)
                waiting.granted()

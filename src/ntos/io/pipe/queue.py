"""One direction of a pipe: data waiting for readers, or readers waiting for data ([MS-FSA] has none;
npfs.sys).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ntos.abi.status import STATUS

if TYPE_CHECKING:
    from collections.abc import Callable

    from ntos.abi.types import NTSTATUS
    from ntos.io.request import Request


@dataclass(slots=True)
class Entry:
    """What one write put in: a message, or bytes. `request` is the write while it still waits."""

    data: bytes
    length: int
    request: Request | None = None


@dataclass(slots=True)
class Reader:
    """A read that waits."""

    request: Request
    message_mode: bool


class Queue:
    """Data from one end to the other. There are never both data and readers in it."""

    def __init__(self, quota: int, *, message_type: bool) -> None:
        self.quota = quota
        self.message_type = message_type
        self.entries: deque[Entry] = deque()
        self.readers: deque[Reader] = deque()
        self.flushers: list[Request] = []

    @property
    def available(self) -> int:
        """Bytes that could be read now."""
        return sum(len(entry.data) for entry in self.entries)

    @property
    def room(self) -> int:
        """How much quota is left."""
        return max(self.quota - self.available, 0)

    # ------------------------------------------------------------ writing

    def write(self, request: Request, *, non_blocking: bool) -> None:
        """Give to readers that wait; keep the rest, within the quota at once, beyond it when it has been
        read.
        """
        data, length = request.data, len(request.data)
        while self.readers and (data or (self.message_type and not length)):
            reader = self.readers.popleft()
            size = min(reader.request.length, len(data))
            part, data = data[:size], data[size:]
            overflow = bool(data) and reader.message_mode
            if overflow:
                self.entries.append(Entry(data, length))
            reader.request.complete(STATUS.BUFFER_OVERFLOW if overflow else STATUS.SUCCESS, size, part)
            if overflow:
                request.complete(STATUS.SUCCESS, length)
                return
            if not data:
                request.complete(STATUS.SUCCESS, length)
                return
        if not data and not self.message_type:
            request.complete(STATUS.SUCCESS, length)
        elif len(data) <= self.room:
            self.entries.append(Entry(data, length))
            request.complete(STATUS.SUCCESS, length)
        elif non_blocking:
            self._write_what_fits(request, data, length)
        else:
            entry = Entry(data, length, request)
            self.entries.append(entry)
            request.pend(lambda: self._forget_write(entry))

    def _write_what_fits(self, request: Request, data: bytes, length: int) -> None:
        fits = b"" if self.message_type else data[: self.room]
        if fits:
            self.entries.append(Entry(fits, len(fits)))
        request.complete(STATUS.SUCCESS, length - len(data) + len(fits))

    def _forget_write(self, entry: Entry) -> None:
        if entry in self.entries:
            self.entries.remove(entry)

    # ------------------------------------------------------------ reading

    def read(self, request: Request, *, message_mode: bool, non_blocking: bool) -> bool:
        """Answer from what is there, or wait; False where there is nothing and waiting is not wanted."""
        if self.entries:
            status, data, done = self.take(request.length, message_mode=message_mode)
            request.complete(status, len(data), data)
            for action in done:
                action()
            return True
        if non_blocking:
            return False
        reader = Reader(request, message_mode)
        self.readers.append(reader)
        request.pend(lambda: self.readers.remove(reader) if reader in self.readers else None)
        return True

    def take(self, room: int, *, message_mode: bool) -> tuple[NTSTATUS, bytes, list[Callable[[], None]]]:
        """Take at most `room` bytes (in message mode of one message); also what is to be done afterwards."""
        pieces: list[bytes] = []
        done: list[Callable[[], None]] = []
        status: NTSTATUS = STATUS.SUCCESS
        while self.entries:
            entry = self.entries[0]
            piece = entry.data[:room]
            pieces.append(piece)
            room -= len(piece)
            entry.data = entry.data[len(piece) :]
            if entry.data:
                status = STATUS.BUFFER_OVERFLOW if message_mode else STATUS.SUCCESS
                break
            self.entries.popleft()
            if entry.request is not None:
                done.append(_completion(entry.request, entry.length))
            if message_mode or not room:
                break
        done.append(self._after_take)
        return status, b"".join(pieces), done

    def _after_take(self) -> None:
        """Room was made: writes whose rest fits are over; an empty queue lets flushes go."""
        used = 0
        for entry in self.entries:
            used += len(entry.data)
            if entry.request is not None and used <= self.quota:
                request, entry.request = entry.request, None
                request.complete(STATUS.SUCCESS, entry.length)
        if not self.entries:
            flushers, self.flushers = self.flushers, []
            for request in flushers:
                request.complete()

    def flush(self, request: Request) -> None:
        """Complete when everything written has been read."""
        if not self.entries:
            request.complete()
            return
        self.flushers.append(request)
        request.pend(lambda: self.flushers.remove(request) if request in self.flushers else None)

    # ------------------------------------------------------------ the end of a conversation

    def adopt_writes(self) -> None:
        """The writer is closing: what it wrote stays to be read, its waiting writes are over."""
        for entry in self.entries:
            if entry.request is not None:
                request, entry.request = entry.request, None
                request.complete(STATUS.SUCCESS, entry.length)

    def end_readers(self, status: NTSTATUS) -> None:
        """No data will ever come."""
        readers, self.readers = self.readers, deque()
        for reader in readers:
            reader.request.complete(status)

    def discard(self, status: NTSTATUS) -> None:
        """Nobody will read any more: forget the data, end waiting writes, flushes and reads."""
        entries, self.entries = self.entries, deque()
        for entry in entries:
            if entry.request is not None:
                entry.request.complete(status)
        flushers, self.flushers = self.flushers, []
        for request in flushers:
            request.complete(status)
        self.end_readers(status)


def _completion(request: Request, length: int) -> Callable[[], None]:
    return lambda: request.complete(STATUS.SUCCESS, length)

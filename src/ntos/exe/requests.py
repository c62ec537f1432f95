"""What the user does, as far as the machine's owner does it for him: log on, start a program.

On Windows such wishes come from keyboard and mouse. Here the machine puts them into the process that would hear of
them and sets the event it waits for.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from ntos.abi.types import HANDLE
from ntos.um import nt

if TYPE_CHECKING:
    from collections.abc import Callable

    from ntos.um.thread import UserThread

T = TypeVar("T")
EVENT_ALL_ACCESS = 0x1F0003
SYNCHRONIZATION_EVENT = 1


@dataclass(slots=True)
class Run:
    """A program to be started."""

    path: str
    command_line: str
    directory: str
    environment: bytes
    """The whole block, UTF-16."""
    started: Callable[[int, int], None]
    """Called with the process's and first thread's id while it is still suspended."""
    finished: Callable[[], None]
    """Called when `done` or `failure` say how it went."""
    done: bool = False
    failure: BaseException | None = None


@dataclass(slots=True)
class Requests:
    """The wishes one process has to fulfil: `thread.state(Requests)`."""

    event: int = 0
    """Handle of the event that says that there is one; 0 until the process waits for the first."""
    waiting: deque[object] = field(default_factory=deque)

    async def next(self, thread: UserThread, kind: type[T]) -> T:
        """The next wish."""
        if not self.event:
            with thread.frame() as frame:
                handle = frame.new(HANDLE)
                nt.NtCreateEvent(thread, handle.address, EVENT_ALL_ACCESS, 0, SYNCHRONIZATION_EVENT, 0)
                self.event = int(handle.read())
        while not self.waiting:
            await nt.NtWaitForSingleObject(thread, self.event, 0, 0)
        wish = self.waiting.popleft()
        assert isinstance(wish, kind)
        return wish

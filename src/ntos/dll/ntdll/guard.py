"""Frames of Python code on the guest's stack, as exception dispatch and unwinding have to know them.

Each call from Python into the guest leaves a KiUserCallbackReturn frame. Some of these stand for more:
`Guard` is a Python `__try`/`__except` round the call, `HandlerFrame` a language handler being run
(RtlpExecuteHandlerForException and …ForUnwind), `ConsolidatedFrame` a C++ catch block running above frames
that are gone.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from ntos.um.thread import UserThread

EXECUTE_HANDLER = 1
CONTINUE_SEARCH = 0
CONTINUE_EXECUTION = -1

Filter: TypeAlias = Callable[[int, int], Awaitable[int]]
"""(EXCEPTION_RECORD address, CONTEXT address) -> one of the three above."""


@dataclass(slots=True, eq=False)
class PythonFrame:
    """A call into the guest; `stack` is RSP as KiUserCallbackReturn finds it."""

    stack: int


@dataclass(slots=True, eq=False)
class Guard(PythonFrame):
    """The call is guarded: its filter is asked, and it can be unwound to."""

    filter: Filter
    caught: tuple[int, bytes] | None = None
    """Code and EXCEPTION_RECORD of what was caught."""


@dataclass(slots=True, eq=False)
class HandlerFrame(PythonFrame):
    """A language handler runs for the frame `establisher`; its dispatcher context stands at `dispatcher`."""

    establisher: int
    dispatcher: int
    unwinding: bool


@dataclass(slots=True, eq=False)
class ConsolidatedFrame(PythonFrame):
    """A consolidation callback runs as if called by the frame with these registers."""

    context: bytes


@dataclass(slots=True)
class PythonFrames:
    """One thread's special calls into the guest, outermost first."""

    frames: list[PythonFrame] = field(default_factory=list)

    def at(self, stack: int) -> PythonFrame | None:
        """The call whose KiUserCallbackReturn frame stands there."""
        for frame in reversed(self.frames):
            if frame.stack == stack:
                return frame
        return None


class Caught(Exception):
    """A guarded call ended with an exception its filter took."""

    def __init__(self, code: int, record: bytes) -> None:
        super().__init__(code)
        self.code = code
        self.record = record


def callback_stack(thread: UserThread) -> int:
    """Where a call made now puts its KiUserCallbackReturn frame: the layout of `thread.call`."""
    return ((thread.context.rsp - 0x28) & ~0xF) - 0x80


async def call_in(thread: UserThread, frame: PythonFrame, code: int, *arguments: int) -> int:
    """Call the guest with the call's frame known to unwinders."""
    known = thread.own(PythonFrames).frames
    known.append(frame)
    try:
        return await thread.call(code, *arguments)
    finally:
        known.remove(frame)


async def guarded_call(thread: UserThread, filtered: Filter, code: int, *arguments: int) -> int:
    """Call the guest in a `__try`; raises `Caught` when the filter takes an exception."""
    guard = Guard(callback_stack(thread), filtered)
    result = await call_in(thread, guard, code, *arguments)
    if guard.caught is not None:
        raise Caught(*guard.caught)
    return result


async def take_all(_record: int, _context: int) -> int:
    """The filter `EXCEPTION_EXECUTE_HANDLER`."""
    return EXECUTE_HANDLER

"""__C_specific_handler: `__try`/`__except`/`__finally` of C, from scope tables (Microsoft, "x64 exception
handling").
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ntos.abi.layout.context import CONTEXT, EXCEPTION_RECORD
from ntos.abi.pointer import Ptr
from ntos.abi.types import INT, PVOID
from ntos.dll.ntdll import guest
from ntos.dll.ntdll.dispatch import unwind_or_raise
from ntos.dll.ntdll.exception import TARGET_UNWIND, UNWINDING
from ntos.dll.ntdll.unwinding import Target
from ntos.um.export import export

if TYPE_CHECKING:
    from ntos.um.thread import UserThread

CONTINUE_EXECUTION, CONTINUE_SEARCH = INT(0), INT(1)
SCOPE_INDEX = 0x48
TAKE_ALL = 1
ABNORMAL = 1


class Dispatcher:
    """The DISPATCHER_CONTEXT that a language handler is given."""

    def __init__(self, thread: UserThread, address: int) -> None:
        self.address = address
        self.pc, self.image, _, _, self.target, self.context, _, self.data, self.history, self.scope = struct.unpack(
            "<9QI", thread.memory.read(address, 0x4C)
        )

    def scopes(self, thread: UserThread) -> list[tuple[int, int, int, int]]:
        """(begin, end, handler, jump target) of each `__try`, innermost first, as RVAs."""
        count = guest.u32(thread.memory, self.data)
        return list(struct.iter_unpack("<IIII", thread.memory.read(self.data + 4, 16 * count)))


@export
async def __C_specific_handler(
    thread: UserThread,
    ExceptionRecord: Ptr[EXCEPTION_RECORD],
    EstablisherFrame: PVOID,
    ContextRecord: Ptr[CONTEXT],
    DispatcherContext: PVOID,
) -> INT:
    """Ask the filters of the frame's `__except` blocks, or, while unwinding, run its `__finally` blocks."""
    dispatcher = Dispatcher(thread, DispatcherContext)
    flags = guest.u32(thread.memory, ExceptionRecord.address + 4)
    if flags & UNWINDING:
        await _terminate(thread, dispatcher, flags, EstablisherFrame)
        return CONTINUE_SEARCH
    return await _search(thread, dispatcher, ExceptionRecord.address, EstablisherFrame, ContextRecord.address)


async def _search(thread: UserThread, dispatcher: Dispatcher, record: int, frame: int, context: int) -> INT:
    rva = dispatcher.pc - dispatcher.image
    for begin, end, handler, target in dispatcher.scopes(thread)[dispatcher.scope :]:
        if not begin <= rva < end or not target:
            continue
        verdict = 1
        if handler != TAKE_ALL:
            with thread.frame() as room:
                pointers = room.bytes(struct.pack("<QQ", record, context))
                answer = await thread.call(dispatcher.image + handler, pointers, frame)
            verdict = INT.wrap(answer)
        if verdict < 0:
            return CONTINUE_EXECUTION
        if verdict > 0:
            code = guest.u32(thread.memory, record)
            goal = Target(frame, dispatcher.image + target, code)
            await unwind_or_raise(thread, goal, record, dispatcher.history, dispatcher.context)
            return INT(code)  # RAX already holds it at the target; the door writes the same again
    return CONTINUE_SEARCH


async def _terminate(thread: UserThread, dispatcher: Dispatcher, flags: int, frame: int) -> None:
    rva, goal = dispatcher.pc - dispatcher.image, dispatcher.target - dispatcher.image
    scopes = dispatcher.scopes(thread)
    for index in range(dispatcher.scope, len(scopes)):
        begin, end, handler, target = scopes[index]
        if not begin <= rva < end:
            continue
        if flags & TARGET_UNWIND and _holds_target(scopes, goal, handler, target):
            break
        if target:
            if flags & TARGET_UNWIND and target == goal:
                break
        else:
            guest.put32(thread.memory, dispatcher.address + SCOPE_INDEX, index + 1)
            await thread.call(dispatcher.image + handler, ABNORMAL, frame)


def _holds_target(scopes: list[tuple[int, int, int, int]], goal: int, handler: int, target: int) -> bool:
    """Whether the unwind's target lies in the same `__try`: then it is not being left."""
    return any(
        begin <= goal < end and other_handler == handler and other_target == target
        for begin, end, other_handler, other_target in scopes
    )

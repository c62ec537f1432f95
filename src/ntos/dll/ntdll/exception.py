"""Finding who handles an exception: vectored handlers, then frame by frame (RtlDispatchException)."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ntos.abi.status import STATUS, NtError, status_name
from ntos.dll.ntdll import guest
from ntos.dll.ntdll.functions import Walk, lookup
from ntos.dll.ntdll.guard import (
    CONTINUE_EXECUTION,
    EXECUTE_HANDLER,
    ConsolidatedFrame,
    Guard,
    HandlerFrame,
    PythonFrames,
    call_in,
    callback_stack,
)
from ntos.dll.ntdll.registers import CONTEXT_SIZE, Registers
from ntos.dll.ntdll.unwind import UNW_FLAG_EHANDLER, virtual_unwind
from ntos.etw.event import ExceptionRaised
from ntos.um import nt

if TYPE_CHECKING:
    from ntos.um.thread import UserThread

NONCONTINUABLE, UNWINDING, EXIT_UNWIND, STACK_INVALID, NESTED_CALL, TARGET_UNWIND, COLLIDED_UNWIND = (
    1, 2, 4, 8, 0x10, 0x20, 0x40,
)  # fmt: skip
CONTINUE_EXECUTION_DISPOSITION, CONTINUE_SEARCH_DISPOSITION, NESTED_EXCEPTION, COLLIDED = range(4)
RECORD_SIZE = 0x98
DISPATCHER_SIZE = 0x50
STACK_BASE, STACK_LIMIT = 8, 0x10
BOOLEAN_SIGN = 0x8000_0000


@dataclass(slots=True)
class Vectored:
    """The process's vectored handlers, in call order, as (cookie, address)."""

    exception: list[tuple[int, int]] = field(default_factory=list)
    continuation: list[tuple[int, int]] = field(default_factory=list)


@dataclass(slots=True)
class UnhandledFilter:
    """What RtlSetUnhandledExceptionFilter set: kernelbase's UnhandledExceptionFilter."""

    routine: int = 0


@dataclass(slots=True)
class Frame:
    """One frame of a search: what DISPATCHER_CONTEXT says of it."""

    pc: int
    image: int
    function: int
    establisher: int
    handler: int
    data: int
    scope: int = 0

    def pack(self, context: int, target: int = 0, history: int = 0) -> bytes:
        """DISPATCHER_CONTEXT."""
        return struct.pack(
            "<9QI4x",
            self.pc,
            self.image,
            self.function,
            self.establisher,
            target,
            context,
            self.handler,
            self.data,
            history,
            self.scope,
        )


def stored_frame(thread: UserThread, dispatcher: int) -> tuple[Frame, Registers]:
    """The frame and registers of a DISPATCHER_CONTEXT that an interrupted search left."""
    pc, image, function, establisher, _, context, handler, data, _, scope = struct.unpack(
        "<9QI", thread.memory.read(dispatcher, 0x4C)
    )
    frame = Frame(pc, image, function, establisher, handler, data, scope)
    return frame, Registers.at(thread.memory, context)


class StackLimits:
    """Between which addresses frames can lie."""

    def __init__(self, thread: UserThread) -> None:
        teb = thread.context.gs_base
        self.base = guest.u64(thread.memory, teb + STACK_BASE)
        self.limit = guest.u64(thread.memory, teb + STACK_LIMIT)

    def hold(self, frame: int) -> bool:
        """Whether an establisher frame is one: on the stack and aligned."""
        return self.limit <= frame < self.base and not frame & 7


class Search:
    """One exception looking for its handler."""

    def __init__(self, thread: UserThread, record: int, context: int) -> None:
        self.thread = thread
        self.record = record
        self.context = context
        self.flags = guest.u32(thread.memory, record + 4)
        self.limits = StackLimits(thread)
        self.registers = Registers.at(thread.memory, context)
        self.walk = Walk(thread)
        self.nested = 0
        self.caught: Guard | None = None
        """The Python frame whose filter took the exception."""

    async def run(self) -> bool:
        """Whether execution may continue where the context says."""
        callback_return = guest.routine(self.thread, "KiUserCallbackReturn")
        frames = self.thread.own(PythonFrames)
        registers = self.registers
        limits = self.limits
        while limits.limit <= registers.rsp < limits.base:
            self.walk.over(registers, limits.limit, limits.base, self.nested or limits.base)
            pc = registers.rip
            if pc == callback_return:
                answer = await self._python_frame(frames)
                if answer is not None:
                    return answer
                if registers.rip != callback_return:
                    continue
            image, function, step = await self.walk.at(pc)
            if function is None:
                before = registers.rsp
                registers.leave_leaf(self.thread.memory)
                if registers.rip == 0 or registers.rsp <= before:
                    break
                continue
            handler = virtual_unwind(self.thread.memory, registers, UNW_FLAG_EHANDLER, image, pc, function, None, step)
            if not self.limits.hold(handler.establisher):
                self._set_flags(self.flags | STACK_INVALID)
                break
            if handler.routine:
                frame = Frame(pc, image, function.address, handler.establisher, handler.routine, handler.data)
                answer = await self._ask(frame)
                if answer is not None:
                    return answer
            if self.nested == handler.establisher:
                self._set_flags(self.flags & ~NESTED_CALL)
                self.nested = 0
            if registers.rip == 0:
                break
        return False

    async def _python_frame(self, frames: PythonFrames) -> bool | None:
        """A call from Python into the guest: what it stands for decides."""
        found = frames.at(self.registers.rsp)
        match found:
            case Guard():
                verdict = await found.filter(self.record, self.context)
                if verdict == EXECUTE_HANDLER:
                    self.caught = found
                    return False
                if verdict == CONTINUE_EXECUTION:
                    return self._continued()
            case HandlerFrame(unwinding=False):
                self._set_flags(self.flags | NESTED_CALL)
                self.nested = max(self.nested, found.establisher)
            case HandlerFrame(unwinding=True):
                return await self._collided(found.dispatcher)
            case ConsolidatedFrame():
                self.registers.data[:] = found.context
        return None

    async def _collided(self, dispatcher: int) -> bool | None:
        """The exception came out of a termination handler: the search goes on where that unwind was."""
        frame, registers = stored_frame(self.thread, dispatcher)
        self.registers.data[:] = registers.data
        _, function = await lookup(self.thread, frame.pc)
        if function is not None:
            virtual_unwind(self.thread.memory, self.registers, UNW_FLAG_EHANDLER, frame.image, frame.pc, function)
        return await self._ask(frame) if frame.handler else None

    async def _ask(self, frame: Frame) -> bool | None:
        """Run the frame's language handler (RtlpExecuteHandlerForException)."""
        thread = self.thread
        with thread.frame() as room:
            context = room.allocate(CONTEXT_SIZE)
            self.registers.write(thread.memory, context)
            dispatcher = room.bytes(frame.pack(context))
            place = HandlerFrame(callback_stack(thread), frame.establisher, dispatcher, unwinding=False)
            disposition = await call_in(
                thread, place, frame.handler, self.record, frame.establisher, self.context, dispatcher
            )
        self.walk.forget()
        self.flags |= guest.u32(thread.memory, self.record + 4) & NONCONTINUABLE
        match disposition & 0xFFFF_FFFF:
            case 0:
                return self._continued()
            case 1:
                return None
            case _:
                raise NtError(STATUS.INVALID_DISPOSITION)

    def _continued(self) -> bool:
        if self.flags & NONCONTINUABLE:
            raise NtError(STATUS.NONCONTINUABLE_EXCEPTION)
        return True

    def _set_flags(self, flags: int) -> None:
        self.flags = flags
        guest.put32(self.thread.memory, self.record + 4, flags)


async def call_vectored(thread: UserThread, handlers: list[tuple[int, int]], record: int, context: int) -> bool:
    """Call vectored handlers until one continues execution (RtlpCallVectoredHandlers)."""
    for handler in list(handlers):
        if handler not in handlers:
            continue  # removed by one that ran before
        with thread.frame() as room:
            pointers = room.bytes(struct.pack("<QQ", record, context))
            answer = await thread.call(handler[1], pointers)
        if answer & 0xFFFF_FFFF == CONTINUE_EXECUTION & 0xFFFF_FFFF:
            return True
    return False


async def dispatch(thread: UserThread, record: int, context: int) -> tuple[bool, Guard | None]:
    """(continue execution, Python frame that took it) (RtlDispatchException)."""
    vectored = thread.state(Vectored)
    if await call_vectored(thread, vectored.exception, record, context):
        await call_vectored(thread, vectored.continuation, record, context)
        return True, None
    search = Search(thread, record, context)
    handled = await search.run()
    if handled:
        await call_vectored(thread, vectored.continuation, record, context)
    return handled, search.caught


async def second_chance(thread: UserThread, record: int, context: int) -> None:
    """Nobody took it: the kernel's turn, which ends the process (NtRaiseException with FirstChance FALSE)."""
    await guest.settle(nt.NtRaiseException(thread, record, context, 0))


def tell_raised(thread: UserThread, record: int) -> None:
    """The event for an exception that user mode raised without the kernel."""
    if not thread.log.wants(ExceptionRaised):
        return
    code, _, _, address, count = struct.unpack("<IIQQI", thread.memory.read(record, 0x1C))
    information = struct.unpack(f"<{min(count, 15)}Q", thread.memory.read(record + 0x20, 8 * min(count, 15)))
    thread.log.emit(
        ExceptionRaised(
            code=code,
            code_name=status_name(code),
            address=address,
            location=thread.module_at(address),
            information=list(information),
            first_chance=True,
        )
    )

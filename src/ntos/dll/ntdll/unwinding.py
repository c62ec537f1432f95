"""Going back to a frame: termination handlers on the way, then its registers (RtlUnwindEx,
RtlRestoreContext).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ntos.abi.status import STATUS, NtError
from ntos.dll.ntdll import guest
from ntos.dll.ntdll.exception import (
    COLLIDED_UNWIND,
    CONTINUE_SEARCH_DISPOSITION,
    EXIT_UNWIND,
    RECORD_SIZE,
    TARGET_UNWIND,
    UNWINDING,
    Frame,
    StackLimits,
    stored_frame,
)
from ntos.dll.ntdll.functions import Walk, lookup
from ntos.dll.ntdll.guard import ConsolidatedFrame, Guard, HandlerFrame, PythonFrames, call_in, callback_stack
from ntos.dll.ntdll.registers import CONTEXT_SIZE, RAX, Registers
from ntos.dll.ntdll.unwind import UNW_FLAG_UHANDLER, virtual_unwind
from ntos.um import nt

if TYPE_CHECKING:
    from ntos.um.thread import UserThread

EXCEPTION_INFORMATION = 0x20
PARAMETER_COUNT = 0x18
JUMP_BUFFER = struct.Struct("<11QIHH")
"""Frame Rbx Rsp Rbp Rsi Rdi R12-R15 Rip MxCsr FpCsr; XMM6-15 follow at 0x60."""
RBX, RSP, RBP, RSI, RDI = 3, 4, 5, 6, 7


@dataclass(frozen=True, slots=True)
class Target:
    """Where an unwind goes: a frame (0: none), an address in it, RAX there; or a guarded Python call."""

    frame: int
    ip: int = 0
    value: int = 0
    guard: Guard | None = None


async def unwind(
    thread: UserThread, target: Target, record: int, start: Registers, history: int = 0, room: int = 0
) -> None:
    """Run termination handlers from `start` to the target and load its registers into the thread.

    RtlUnwindEx. When it returns, the thread's registers are the target's; the caller must return to the door
    at once.
    """
    with thread.frame() as frame:
        if not record:
            head = struct.pack("<IIQQI", int(STATUS.UNWIND), 0, 0, start.rip, 0)
            record = frame.bytes(head.ljust(RECORD_SIZE, b"\0"))
        context = room or frame.allocate(CONTEXT_SIZE)
        walk = _Walk(thread, target, record, context, start, history)
        registers = await walk.run()
    if target.guard is not None:
        target.guard.caught = (guest.u32(thread.memory, record), thread.memory.read(record, RECORD_SIZE))
        registers.load_into(thread)
        return
    if target.frame:
        registers[RAX] = target.value
        if guest.u32(thread.memory, record) != STATUS.UNWIND_CONSOLIDATE:
            registers.rip = target.ip
        await restore(thread, registers, record)
        return
    # An exit unwind has gone past the last frame: what is left is the end of the thread's stack.
    await guest.settle(nt.NtRaiseException(thread, record, context, 0))


class _Walk:
    """One unwind on its way."""

    def __init__(
        self, thread: UserThread, target: Target, record: int, context: int, start: Registers, history: int
    ) -> None:
        self.thread = thread
        self.target = target
        self.record = record
        self.context = context
        self.registers = start
        self.history = history
        self.limits = StackLimits(thread)
        self.walk = Walk(thread)
        self.flags = guest.u32(thread.memory, record + 4) | UNWINDING | (0 if target.frame else EXIT_UNWIND)
        if target.guard is not None:
            self.flags &= ~EXIT_UNWIND

    async def run(self) -> Registers:
        """The registers of the target frame, handlers before it run."""
        memory = self.thread.memory
        callback_return = guest.routine(self.thread, "KiUserCallbackReturn")
        frames = self.thread.own(PythonFrames)
        limits = self.limits
        walked = False
        while limits.limit <= self.registers.rsp < limits.base:
            registers = self.registers
            self.walk.over(registers, limits.limit, limits.base, self.target.frame or limits.base)
            pc = registers.rip
            if pc == callback_return:
                found = frames.at(registers.rsp)
                if found is not None and found is self.target.guard:
                    return registers
                if isinstance(found, ConsolidatedFrame):
                    registers.data[:] = found.context
                    continue
                if isinstance(found, HandlerFrame) and found.unwinding:
                    frame, stored = stored_frame(self.thread, found.dispatcher)
                    if await self._collided(frame, stored):
                        return self.registers
                    continue
            image, function, step = await self.walk.at(pc)
            if function is None:
                if pc == 0 and walked:
                    break  # past the last frame; as the first one it is the call of a null pointer
                registers.leave_leaf(memory)
                walked = True
                continue
            after = registers.copy()
            handler = virtual_unwind(memory, after, UNW_FLAG_UHANDLER, image, pc, function, None, step)
            frame = Frame(pc, image, function.address, handler.establisher, handler.routine, handler.data)
            if await self._frame(frame):
                return self.registers
            self.registers = after
            walked = True
        if self.target.frame or self.target.guard:
            raise NtError(STATUS.INVALID_UNWIND_TARGET)
        return self.registers

    async def _frame(self, frame: Frame) -> bool:
        """Run a frame's termination handler; True at the target."""
        if not self.limits.hold(frame.establisher):
            if frame.establisher != self.target.frame:
                raise NtError(STATUS.BAD_STACK)
        elif 0 < self.target.frame < frame.establisher:
            raise NtError(STATUS.INVALID_UNWIND_TARGET)
        if frame.handler:
            await self._handler(frame)
        return frame.establisher == self.target.frame and self.target.frame != 0

    async def _handler(self, frame: Frame) -> None:
        """RtlpExecuteHandlerForUnwind."""
        thread = self.thread
        if frame.establisher == self.target.frame:
            self.flags |= TARGET_UNWIND
        guest.put32(thread.memory, self.record + 4, self.flags)
        self.registers[RAX] = self.target.value
        self.registers.write(thread.memory, self.context)
        with thread.frame() as room:
            dispatcher = room.bytes(frame.pack(self.context, self.target.ip, self.history))
            place = HandlerFrame(callback_stack(thread), frame.establisher, dispatcher, unwinding=True)
            disposition = await call_in(
                thread, place, frame.handler, self.record, frame.establisher, self.context, dispatcher
            )
        self.walk.forget()
        if disposition & 0xFFFF_FFFF != CONTINUE_SEARCH_DISPOSITION:
            raise NtError(STATUS.INVALID_DISPOSITION)
        self.flags &= ~(TARGET_UNWIND | COLLIDED_UNWIND)

    async def _collided(self, frame: Frame, stored: Registers) -> bool:
        """A termination handler started this unwind: go on from the frame it ran for, behind that handler."""
        self.registers = stored
        self.flags |= COLLIDED_UNWIND
        if await self._frame(frame):
            return True
        _, function = await lookup(self.thread, frame.pc)
        if function is not None:
            after = stored.copy()
            virtual_unwind(self.thread.memory, after, UNW_FLAG_UHANDLER, frame.image, frame.pc, function)
            self.registers = after
        return False


async def restore(thread: UserThread, registers: Registers, record: int) -> None:
    """Load registers, with what a `longjmp` or a C++ catch record asks for besides (RtlRestoreContext)."""
    if record:
        code = guest.u32(thread.memory, record)
        count = guest.u32(thread.memory, record + PARAMETER_COUNT)
        if code == STATUS.LONGJUMP and count >= 1:
            _load_jump_buffer(thread, registers, guest.u64(thread.memory, record + EXCEPTION_INFORMATION))
        elif code == STATUS.UNWIND_CONSOLIDATE and count >= 1:
            callback = guest.u64(thread.memory, record + EXCEPTION_INFORMATION)
            place = ConsolidatedFrame(callback_stack(thread), bytes(registers.data))
            registers.rip = await call_in(thread, place, callback, record)
    registers.load_into(thread)


def _load_jump_buffer(thread: UserThread, registers: Registers, address: int) -> None:
    buffer = thread.memory.read(address, 0x100)
    _, rbx, rsp, rbp, rsi, rdi, r12, r13, r14, r15, rip, mxcsr, _, _ = JUMP_BUFFER.unpack_from(buffer)
    for register, value in (
        (RBX, rbx),
        (RBP, rbp),
        (RSI, rsi),
        (RDI, rdi),
        (12, r12),
        (13, r13),
        (14, r14),
        (15, r15),
    ):
        registers[register] = value
    registers.rsp, registers.rip = rsp, rip
    struct.pack_into("<I", registers.data, 0x34, mxcsr)
    for index in range(10):
        registers.set_xmm(6 + index, buffer[0x60 + 16 * index : 0x70 + 16 * index])

"""From a fault to user mode's handlers: KiDispatchException and NtRaiseException.

The exception record and the context go on the user stack, and the thread continues at
ntdll!KiUserExceptionDispatcher. If that is impossible, or user mode gave it back unhandled, the process ends with
the exception's code.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ntos.abi.status import STATUS, GuestFault, status_name
from ntos.abi.types import NTSTATUS
from ntos.etw.event import DebugPrint, ExceptionRaised
from ntos.hal.cpu import Vector
from ntos.hal.decode import divisor
from ntos.ke import context as context_record

if TYPE_CHECKING:
    from collections.abc import Callable

    from ntos.ke.kernel import Kernel
    from ntos.ke.thread import Thread

EXCEPTION_RECORD_SIZE = 0x98
EXCEPTION_NONCONTINUABLE = 1
MAXIMUM_PARAMETERS = 15
ALIGNMENT = 16
RECORD_OFFSET = 0x4F0
"""KiUserExceptionDispatcher finds the CONTEXT at RSP and the record behind it, 0x20 bytes apart for CONTEXT_EX."""
MACHINE_FRAME_OFFSET = 0x590
TRAP_FLAG = 0x100
BREAKPOINT_PRINT = 1
SILENT_SERVICES = (BREAKPOINT_PRINT, 3, 4, 5)
"""Print, load symbols, unload symbols, command string (KdpStub takes them)."""


@dataclass(slots=True)
class ExceptionRecord:
    """EXCEPTION_RECORD."""

    code: int
    address: int
    information: tuple[int, ...] = ()
    flags: int = 0
    chained: int = 0
    step_back: int = 0
    """How far before the thread's RIP user mode's handlers find it: 1 for breakpoints that went through the kernel."""

    def __bytes__(self) -> bytes:
        count = len(self.information)
        head = struct.pack("<IIQQI4x", self.code, self.flags, self.chained, self.address, count)
        return (head + struct.pack(f"<{count}Q", *self.information)).ljust(EXCEPTION_RECORD_SIZE, b"\0")

    @classmethod
    def parse(cls, data: bytes) -> ExceptionRecord:
        """From the 0x98 bytes in guest memory."""
        code, flags, chained, address, count = struct.unpack_from("<IIQQI", data)
        count = min(count, MAXIMUM_PARAMETERS)
        return cls(code, address, struct.unpack_from(f"<{count}Q", data, 0x20), flags, chained)


@dataclass(slots=True)
class Dispatcher:
    """Hooks other components set: who is asked before user mode, and what ends a process."""

    debugger: Callable[[Thread, ExceptionRecord, bool], bool] = field(default=lambda _t, _r, _first: False)
    """(thread, record, first chance) -> whether a debugger is asked; it calls `deliver` if it does not handle it.
    `dbgk` sets it."""
    terminate: Callable[[Thread, int], None] = field(default=lambda _t, _s: None)
    """End the thread's process with a status. `ps` sets it."""
    locate: Callable[[Thread, int], str] = field(default=lambda _t, address: f"0x{address:X}")
    """`module+offset` for an address, for events."""


HARDWARE = {
    Vector.DIVIDE: STATUS.INTEGER_DIVIDE_BY_ZERO,
    Vector.DEBUG: STATUS.SINGLE_STEP,
    Vector.BREAKPOINT: STATUS.BREAKPOINT,
    Vector.OVERFLOW: STATUS.INTEGER_OVERFLOW,
    Vector.BOUND: STATUS.ARRAY_BOUNDS_EXCEEDED,
    Vector.INVALID_OPCODE: STATUS.ILLEGAL_INSTRUCTION,
    Vector.X87: STATUS.FLOAT_INVALID_OPERATION,
    Vector.ALIGNMENT: STATUS.DATATYPE_MISALIGNMENT,
    Vector.SIMD: STATUS.FLOAT_MULTIPLE_TRAPS,
    Vector.ASSERTION: STATUS.ASSERTION_FAILURE,
}
PRIVILEGED = frozenset((0xF4, 0xFA, 0xFB, 0xEC, 0xED, 0xEE, 0xEF, 0xE4, 0xE5, 0xE6, 0xE7, 0x6C, 0x6D, 0x6E, 0x6F))
PRIVILEGED_TWO_BYTE = frozenset((0x00, 0x01, 0x06, 0x08, 0x09, 0x20, 0x21, 0x22, 0x23, 0x30, 0x32, 0x33, 0x35))


def hardware(thread: Thread, vector: int) -> None:
    """A processor exception becomes an NT exception at the right address."""
    context = thread.context
    if vector == Vector.FAST_FAIL:
        fast_fail(thread)
        return
    if vector == Vector.GENERAL_PROTECTION:
        general_protection(thread)
        return
    information: tuple[int, ...] = ()
    if vector == Vector.DIVIDE and divisor(context, thread.process.tables):
        # The processor has one #DE; Windows looks at the divisor (KiDivideErrorFault).
        dispatch(thread, ExceptionRecord(int(STATUS.INTEGER_OVERFLOW), context.rip))
        return
    if vector == Vector.BREAKPOINT:
        # RIP is past the int3: there a debugger lets the thread go on; handlers of its own find it at the int3.
        dispatch(thread, ExceptionRecord(int(STATUS.BREAKPOINT), context.rip - 1, (0,), step_back=1))
        return
    if vector == Vector.DEBUG:
        context.rflags &= ~TRAP_FLAG
    if vector == Vector.DEBUG_SERVICE:
        debug_service(thread)
        return
    if vector == Vector.INVALID_OPCODE and _first_bytes(thread, 2) == b"\x0f\x0b":
        information = ()
    status = HARDWARE.get(Vector(vector)) if vector in Vector._value2member_map_ else None
    if status is None:
        # `int n` for a vector user mode has no gate for is a #GP on a real processor.
        status, information = STATUS.ACCESS_VIOLATION, (0, 0xFFFF_FFFF_FFFF_FFFF)
        context.rip -= 2
    dispatch(thread, ExceptionRecord(int(status), context.rip, information))


def debug_service(thread: Thread) -> None:
    """`int 2Dh`, what DbgPrint and its kin say to a kernel debugger: RAX says what; most of it is nobody's concern.

    Without a kernel debugger a prompt, and what is not known, is a breakpoint past the instruction (KdpStub).
    """
    context = thread.context
    if context.rax in SILENT_SERVICES:
        context.rip += 1
        if context.rax == BREAKPOINT_PRINT:
            _print(thread)
        return
    record = ExceptionRecord(int(STATUS.BREAKPOINT), context.rip - 1, (context.rax,), step_back=1)
    # RIP is past the two bytes; Windows skips one byte more, the int3 that compilers put there.
    context.rip += 1
    dispatch(thread, record)


def _print(thread: Thread) -> None:
    """BREAKPOINT_PRINT: RCX leads to the text, DX is its length."""
    try:
        text = thread.memory.read(thread.context.rcx, thread.context.rdx & 0xFFFF)
    except GuestFault:
        return  # nobody would have seen it
    thread.kernel.log.emit(DebugPrint(text=text.decode("cp1252", "replace")))


def general_protection(thread: Thread) -> None:
    """#GP: a privileged instruction, or an access violation with an unknown address (a non-canonical one)."""
    code = _first_bytes(thread, 3)
    if code[:1] and code[0] & 0xF0 == 0x40:
        code = code[1:]
    first, second = (*code[:2], 0, 0)[:2]
    privileged = first in PRIVILEGED or (first == 0x0F and second in PRIVILEGED_TWO_BYTE and len(code) > 1)
    if privileged:
        dispatch(thread, ExceptionRecord(int(STATUS.PRIVILEGED_INSTRUCTION), thread.context.rip))
        return
    information = (0, 0xFFFF_FFFF_FFFF_FFFF)
    dispatch(thread, ExceptionRecord(int(STATUS.ACCESS_VIOLATION), thread.context.rip, information))


def fast_fail(thread: Thread) -> None:
    """`int 29h` (__fastfail): no handler runs, the process ends with STACK_BUFFER_OVERRUN, the code in RCX."""
    code = thread.context.rcx & 0xFFFF_FFFF
    record = ExceptionRecord(
        int(STATUS.STACK_BUFFER_OVERRUN), thread.context.rip - 2, (code,), EXCEPTION_NONCONTINUABLE
    )
    dispatch(thread, record, first_chance=False)


def access_violation(thread: Thread, fault: GuestFault) -> None:
    """A page fault nobody could mend, at its exact address."""
    information: tuple[int, ...] = (fault.access, fault.address)
    if fault.status not in (STATUS.ACCESS_VIOLATION, STATUS.GUARD_PAGE_VIOLATION, STATUS.STACK_OVERFLOW):
        information = (*information, int(fault.status))
        dispatch(thread, ExceptionRecord(int(STATUS.IN_PAGE_ERROR), thread.context.rip, information))
        return
    dispatch(thread, ExceptionRecord(int(fault.status), thread.context.rip, information))


def dispatch(thread: Thread, record: ExceptionRecord, *, first_chance: bool = True) -> None:
    """Give the exception to the debugger, then to user mode; end the process if nobody can take it."""
    kernel = thread.kernel
    hooks = kernel.part(Dispatcher)
    _tell(kernel, hooks, thread, record, first_chance=first_chance)
    if not hooks.debugger(thread, record, first_chance):
        deliver(thread, record, first_chance=first_chance)


def deliver(thread: Thread, record: ExceptionRecord, *, first_chance: bool) -> None:
    """What comes where no debugger took the exception: user mode's handlers, or the end of the process."""
    if not first_chance:
        thread.kernel.part(Dispatcher).terminate(thread, record.code)
        return
    try:
        _enter_user_dispatcher(thread, record)
    except GuestFault:
        dispatch(thread, record, first_chance=False)


def raise_in_user(thread: Thread, status: int) -> None:
    """Raise a status where user mode stands, once the running service has answered (KeRaiseUserException)."""
    thread.teb.ExceptionCode = NTSTATUS(status)

    async def raise_it() -> None:
        dispatch(thread, ExceptionRecord(status, thread.context.rip))

    thread.before_user_mode(raise_it)


def _enter_user_dispatcher(thread: Thread, record: ExceptionRecord) -> None:
    context = thread.context
    context.rip -= record.step_back
    saved = context_record.capture(context)
    stack = (context.rsp - 0x80 - MACHINE_FRAME_OFFSET - 0x28) & ~(ALIGNMENT - 1)
    machine_frame = struct.pack("<5Q", context.rip, 0x33, context.rflags, context.rsp, 0x2B)
    block = bytearray(MACHINE_FRAME_OFFSET + len(machine_frame))
    block[: len(saved)] = saved
    block[RECORD_OFFSET : RECORD_OFFSET + EXCEPTION_RECORD_SIZE] = bytes(record)
    block[MACHINE_FRAME_OFFSET:] = machine_frame
    thread.memory.write(stack, block)
    context.rsp = stack
    context.rip = thread.kernel.entry_points["KiUserExceptionDispatcher"]
    context.rflags = context.rflags & ~0x500 | 0x202


def _tell(
    kernel: Kernel, hooks: Dispatcher, thread: Thread, record: ExceptionRecord, *, first_chance: bool
) -> None:
    if kernel.log.wants(ExceptionRaised):
        kernel.log.emit(
            ExceptionRaised(
                code=record.code,
                code_name=status_name(record.code),
                address=record.address,
                location=hooks.locate(thread, record.address),
                information=list(record.information),
                first_chance=first_chance,
            )
        )


def _first_bytes(thread: Thread, size: int) -> bytes:
    try:
        return thread.memory.read(thread.context.rip, size)
    except GuestFault:
        return b""

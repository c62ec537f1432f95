"""Running guest code, serving each trap on the way, and calling guest code from the kernel's side.

`run_user` is the heart: run until a trap, serve it, run on. A nested run (a callback into the guest made by a Python
export) ends when the guest comes to NtCallbackReturn; if the guest has unwound past it instead (an exception caught
further out), the next trap finds the stack pointer above the frame, `Unwound` is raised through the Python frames,
and the outer run serves the trap.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from ntos.abi.status import STATUS, GuestFault, NtError
from ntos.hal.cpu import PREEMPTED, SYSCALL, Access, Fault, HardwareException, Trap, Vector
from ntos.ke import apc, exception
from ntos.ke import context as context_record
from ntos.ke import service as services
from ntos.ke.thread import HOME_SPACE, CallGate, ThreadTerminated, Unwound
from ntos.ke.wait import wait, yield_processor

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from ntos.ke.thread import Thread

CALLBACK_RETURN = 5
"""NtCallbackReturn's number in the reference build."""
ARGUMENT_AREA = 0x80
"""Between the return address and the machine frame: home space and stack arguments. The unwind data of ntdll's
callback-return stub says the same number."""
MAXIMUM_ARGUMENTS = ARGUMENT_AREA // 8
MAXIMUM_DEPTH = 250
"""Nested calls into the guest; beyond, the thread's stack is considered overflown."""
REPLACES_CONTEXT = frozenset(("NtContinue", "NtContinueEx", "NtRaiseException"))
SUSPENDED = 5


async def run_user(thread: Thread, floor: int = 0, limit: int = 0) -> None:
    """Run guest code. With a `floor`, until NtCallbackReturn; without, until the thread is terminated.

    `floor` is the stack pointer of the Python frame that called; `limit` the top of that stack.
    """
    kernel = thread.kernel
    backend, scheduler, doors = kernel.platform.backend, kernel.scheduler, kernel.doors
    context = thread.context
    trap: Trap | None = None
    if thread.attention:
        await attend(thread)
    while True:
        if trap is None:
            trap = backend.run(context, thread.process.tables)
            scheduler.entered()
            thread.traps_left -= 1
        if floor and floor < context.rsp <= limit:
            thread.install(PendingTrap(trap))
            raise Unwound
        now, trap = trap, None
        try:
            if now is SYSCALL:
                number = context.rax & 0xFFFF_FFFF
                door = doors.get(number)
                if door is not None:
                    thread.door_stack = context.rsp
                    pending = door.enter(thread)
                    if pending is not None:
                        await pending
                elif number == CALLBACK_RETURN and (floor or thread.cloned):
                    return
                else:
                    context.rax = kernel.unknown_door(thread, number) & 0xFFFF_FFFF
            elif now is PREEMPTED:
                await yield_processor(thread)
            else:
                pending = _serve_exception(thread, now)
                if pending is not None:
                    await pending
        except Unwound:
            if floor and floor < context.rsp <= limit:
                raise
            trap = thread[PendingTrap].trap
        if thread.traps_left <= 0:
            await yield_processor(thread)
        if thread.attention:
            await attend(thread)


class PendingTrap:
    """The trap that showed an unwind, kept until the run it belongs to takes it up; None where there was no trap."""

    __slots__ = ("trap",)

    def __init__(self, trap: Trap | None) -> None:
        self.trap = trap


def _serve_exception(thread: Thread, trap: Trap) -> Coroutine[None, None, None] | None:
    if isinstance(trap, Fault):
        page_fault(thread, trap)
    elif isinstance(trap, HardwareException):
        planted = thread.kernel.planted
        if planted and trap.vector == Vector.BREAKPOINT:
            door = planted.get((thread.process.address, thread.context.rip - 1))
            if door is not None:
                return door.enter(thread)
        exception.hardware(thread, trap.vector)
    return None


def page_fault(thread: Thread, fault: Fault) -> None:
    """Bring the page in, or raise the exception where the instruction stands (KiPageFault)."""
    access = Access(fault.access).information
    try:
        if not 0 <= fault.address < 0x7FFF_FFFF_0000:
            raise GuestFault(fault.address, access)
        thread.memory.fault(fault.address, access)
    except GuestFault as refused:
        exact = thread.kernel.platform.backend.exact_fault(thread.context, thread.process.tables, fault)
        refused.address = exact.address
        if not -1 < exact.address < 0x8000_0000_0000 and refused.status == STATUS.ACCESS_VIOLATION:
            refused.address, refused.access = _kernel_or_non_canonical(exact.address, refused.access)
        exception.access_violation(thread, refused)


def _kernel_or_non_canonical(address: int, access: int) -> tuple[int, int]:
    # A non-canonical address is a #GP on the processor: Windows reports a read of address -1.
    return (address, access) if address >= 0xFFFF_8000_0000_0000 else (0xFFFF_FFFF_FFFF_FFFF, 0)


async def attend(thread: Thread) -> None:
    """Do what was asked of the thread since it was last in user mode: end, finish, be suspended, take APCs."""
    while thread.attention:
        thread.attention = False
        if thread.terminating is not None and not thread.ending:
            thread.ending = True
            raise ThreadTerminated(thread.terminating)
        if thread.pending_work:
            await thread.pending_work.popleft()()
            thread.attention = True
        elif thread.suspend_count or thread.frozen:
            await wait(thread, (thread.kernel[Suspension].gate(thread),), user=False, reason=SUSPENDED)
            thread.attention = True
        elif thread.new_context is not None:
            context_record.apply(thread.context, thread.new_context)
            thread.new_context = None
            thread.attention = True
        elif thread.apc_pending:
            try:
                apc.deliver(thread)
            except GuestFault:
                thread.kernel.part(exception.Dispatcher).terminate(thread, int(STATUS.STACK_OVERFLOW))
            thread.attention = thread.apc_pending


class Suspension:
    """How a suspended thread is held; `ps` installs the real one (KTHREAD.SuspendEvent)."""

    def gate(self, thread: Thread) -> Any:
        """The dispatcher object a suspended thread waits for."""
        raise NotImplementedError


class Gate(CallGate):
    """Calls from Python into the guest, and from user-mode Python into the kernel."""

    async def call(self, thread: Thread, code: int, arguments: tuple[int, ...]) -> int:
        """Run `code(arguments…)` on the thread's user stack; gives RAX."""
        context = thread.context
        if thread.call_depth >= MAXIMUM_DEPTH:
            raise GuestFault(context.rsp, 1, STATUS.STACK_OVERFLOW)
        rip, rsp, door_stack = context.rip, context.rsp, thread.door_stack
        stack = ((rsp - 0x28) & ~0xF) - ARGUMENT_AREA
        extra = arguments[4:MAXIMUM_ARGUMENTS]
        block = bytearray(8 + ARGUMENT_AREA + 0x28)
        struct.pack_into("<Q", block, 0, thread.kernel.entry_points["KiUserCallbackReturn"])
        struct.pack_into(f"<{len(extra)}Q", block, 8 + HOME_SPACE, *(value & 0xFFFF_FFFF_FFFF_FFFF for value in extra))
        # A machine frame: an unwinder crossing this call finds the caller of the Python export behind it.
        struct.pack_into("<5Q", block, 8 + ARGUMENT_AREA, rip, 0x33, 0x202, door_stack or rsp, 0x2B)
        thread.memory.write(stack - 8, block)
        context.rcx, context.rdx, context.r8, context.r9 = (*arguments[:4], 0, 0, 0, 0)[:4]
        context.rsp = stack - 8
        context.rip = code
        thread.call_depth += 1
        try:
            await run_user(thread, rsp, int(thread.teb.NtTib.StackBase))
        finally:
            thread.call_depth -= 1
        result = context.r10
        context.rip, context.rsp, thread.door_stack = rip, rsp, door_stack
        return result

    def system_call(self, thread: Thread, name: str, arguments: tuple[int, ...]) -> Any:
        """`nt.<name>`."""
        door = services.registry.get(name)
        if door is None and name.startswith(("NtUser", "NtGdi")):
            thread.kernel.load_driver()
            door = services.registry.get(name)
        if door is None:
            services.missing(thread, name, "", list(arguments))
            raise NtError(STATUS.NOT_IMPLEMENTED)
        if name in REPLACES_CONTEXT:
            # What Python frames stand between here and the run loop belong to a past the thread has left.
            door.invoke(thread, arguments)
            thread.install(PendingTrap(None))
            raise Unwound
        if not door.is_async:
            return door.invoke(thread, arguments)
        return self._blocking_call(thread, door, arguments)

    async def _blocking_call(self, thread: Thread, door: services.ServiceDoor, arguments: tuple[int, ...]) -> Any:
        status = await door.invoke(thread, arguments)
        while thread.pending_work:
            await thread.pending_work.popleft()()
        # On the way back to user mode pending APCs run before the caller sees the status.
        while thread.apc_pending and thread.user_apcs:
            queued = thread.user_apcs.popleft()
            thread.apc_pending = bool(thread.user_apcs)
            if queued.kapc:
                thread.kernel.pool.free(queued.kapc)
            await self.call(thread, queued.routine, queued.arguments)
        return status

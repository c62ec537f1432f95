"""The exception exports: where the kernel delivers, where programs raise, unwind and register handlers."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Never

from ntos.abi.layout.context import CONTEXT, EXCEPTION_RECORD
from ntos.abi.pointer import Code, Ptr
from ntos.abi.status import NtError
from ntos.abi.types import NTSTATUS, PVOID, ULONG
from ntos.dll.ntdll import guest
from ntos.dll.ntdll.exception import (
    NONCONTINUABLE,
    RECORD_SIZE,
    UnhandledFilter,
    Vectored,
    dispatch,
    second_chance,
    tell_raised,
)
from ntos.dll.ntdll.ldr.state import Loader
from ntos.dll.ntdll.registers import CONTEXT_SIZE, Registers
from ntos.dll.ntdll.unwinding import Target, restore, unwind
from ntos.um import nt
from ntos.um.export import export

if TYPE_CHECKING:
    from ntos.um.thread import UserThread

RECORD_OFFSET = 0x4F0
EXCEPTION_ADDRESS = 0x10


@export
async def KiUserExceptionDispatcher(thread: UserThread) -> Never:  # type: ignore[misc]
    """Where the kernel puts an exception: the CONTEXT at RSP, the EXCEPTION_RECORD at RSP + 0x4F0."""
    context = thread.context.rsp
    await _dispatch_and_go(thread, context + RECORD_OFFSET, context, context)


async def _dispatch_and_go(thread: UserThread, record: int, context: int, stack: int) -> None:
    """Dispatch, then continue where the context says, at the handler, or not at all.

    `stack` is RSP of the stub being served: what goes wrong is an exception there.
    """
    try:
        handled, guard = await dispatch(thread, record, context)
        if guard is not None:
            start = Registers.at(thread.memory, context)
            await unwind(thread, Target(0, guard=guard), record, start)
        elif handled:
            Registers.at(thread.memory, context).load_into(thread)
        else:
            await second_chance(thread, record, context)
    except NtError as error:
        thread.context.rsp = stack
        thread.raise_exception(int(error.status), noncontinuable=True)


@export
async def RtlRaiseException(  # type: ignore[misc]
    thread: UserThread, ExceptionRecord: Ptr[EXCEPTION_RECORD]
) -> Never:
    """Raise a software exception where the caller stands."""
    await raise_record(thread, ExceptionRecord.address, Registers.of_caller(thread))


async def raise_record(thread: UserThread, record: int, registers: Registers) -> None:
    """Dispatch a record as if raised by code with these registers."""
    guest.put64(thread.memory, record + EXCEPTION_ADDRESS, registers.rip)
    # Room that is given up only with everything below the frame that takes the exception: no `frame()`.
    thread.context.rsp = context = (thread.context.rsp - CONTEXT_SIZE) & ~0xF
    registers.write(thread.memory, context)
    if thread.peb.BeingDebugged:
        await guest.settle(nt.NtRaiseException(thread, record, context, 1))
        return
    tell_raised(thread, record)
    await _dispatch_and_go(thread, record, context, registers.rsp - 8)


@export
async def RtlRaiseStatus(thread: UserThread, Status: NTSTATUS) -> Never:  # type: ignore[misc]
    """Raise a status as a noncontinuable exception."""
    registers = Registers.of_caller(thread)
    thread.context.rsp = record = (thread.context.rsp - RECORD_SIZE) & ~0xF
    head = struct.pack("<IIQQI", Status, NONCONTINUABLE, 0, registers.rip, 0)
    thread.memory.write(record, head.ljust(RECORD_SIZE, b"\0"))
    await raise_record(thread, record, registers)


@export
async def RtlUnwindEx(  # type: ignore[misc]
    thread: UserThread,
    TargetFrame: PVOID,
    TargetIp: PVOID,
    ExceptionRecord: Ptr[EXCEPTION_RECORD] | None,
    ReturnValue: PVOID,
    ContextRecord: Ptr[CONTEXT],
    HistoryTable: PVOID,
) -> Never:
    """Unwind to a frame, running termination handlers, and continue at an address in it."""
    target = Target(TargetFrame, TargetIp, ReturnValue)
    await unwind_or_raise(thread, target, int(ExceptionRecord or 0), HistoryTable, int(ContextRecord))


@export
async def RtlUnwind(  # type: ignore[misc]
    thread: UserThread,
    TargetFrame: PVOID,
    TargetIp: PVOID,
    ExceptionRecord: Ptr[EXCEPTION_RECORD] | None,
    ReturnValue: PVOID,
) -> Never:
    """RtlUnwindEx with a context of its own."""
    await unwind_or_raise(thread, Target(TargetFrame, TargetIp, ReturnValue), int(ExceptionRecord or 0))


async def unwind_or_raise(thread: UserThread, target: Target, record: int, history: int = 0, room: int = 0) -> None:
    """Unwind from the caller of the running export; what goes wrong on the way is an exception there."""
    try:
        await unwind(thread, target, record, Registers.of_caller(thread), history, room)
    except NtError as error:
        thread.raise_exception(int(error.status), noncontinuable=True)


@export
async def RtlRestoreContext(  # type: ignore[misc]
    thread: UserThread, ContextRecord: Ptr[CONTEXT], ExceptionRecord: Ptr[EXCEPTION_RECORD] | None
) -> Never:
    """Continue with the registers of a context."""
    registers = Registers.at(thread.memory, ContextRecord.address)
    await restore(thread, registers, int(ExceptionRecord or 0))


@export
def RtlAddVectoredExceptionHandler(thread: UserThread, FirstHandler: ULONG, VectoredHandler: Code) -> PVOID:
    """Register a handler that sees exceptions before frames do."""
    thread.peb.ProcessUsingVEH = 1
    return _add(thread, thread.state(Vectored).exception, FirstHandler, VectoredHandler)


@export
def RtlAddVectoredContinueHandler(thread: UserThread, FirstHandler: ULONG, VectoredHandler: Code) -> PVOID:
    """Register a handler that sees exceptions that were handled."""
    thread.peb.ProcessUsingVCH = 1
    return _add(thread, thread.state(Vectored).continuation, FirstHandler, VectoredHandler)


def _add(thread: UserThread, handlers: list[tuple[int, int]], first: int, routine: int) -> PVOID:
    loader = thread.state(Loader)
    # On Windows the handle is the address of a list entry; ours is unique, but lies in no memory.
    cookie = loader.data + 0x10 * loader.next_cookie()
    if first:
        handlers.insert(0, (cookie, routine))
    else:
        handlers.append((cookie, routine))
    return PVOID(cookie)


@export
def RtlRemoveVectoredExceptionHandler(thread: UserThread, Handle: PVOID) -> ULONG:
    """Take a vectored handler away; 0 when the handle is not one."""
    return _remove(thread.state(Vectored).exception, Handle)


@export
def RtlRemoveVectoredContinueHandler(thread: UserThread, Handle: PVOID) -> ULONG:
    """Take a continue handler away."""
    return _remove(thread.state(Vectored).continuation, Handle)


def _remove(handlers: list[tuple[int, int]], cookie: int) -> ULONG:
    for entry in handlers:
        if entry[0] == cookie:
            handlers.remove(entry)
            return ULONG(1)
    return ULONG(0)


@export
def RtlSetUnhandledExceptionFilter(thread: UserThread, UnhandledExceptionFilter: Code) -> None:
    """Say who is asked when no frame takes an exception (kernelbase sets its UnhandledExceptionFilter)."""
    thread.state(UnhandledFilter).routine = int(UnhandledExceptionFilter)

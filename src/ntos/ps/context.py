"""Registers of threads, read and replaced: contexts, continuation, raised exceptions, queued calls."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ntos import ob
from ntos.abi.access import THREAD_GET_CONTEXT, THREAD_SET_CONTEXT
from ntos.abi.status import STATUS, Denied, NtError
from ntos.abi.types import BOOLEAN, HANDLE, NTSTATUS, PVOID
from ntos.etw.event import ApcQueued, ContextSet
from ntos.ke import apc, exception
from ntos.ke import context as context_record
from ntos.ke.apc import UserApc
from ntos.ke.exception import EXCEPTION_RECORD_SIZE, MAXIMUM_PARAMETERS, ExceptionRecord
from ntos.ke.service import service
from ntos.ps.manager import THREAD

if TYPE_CHECKING:
    from ntos.ke.thread import Thread

CONTEXT_FLAGS = 0x30
CONTEXT_RCX, CONTEXT_RSP, CONTEXT_RIP = 0x80, 0x98, 0xF8
ALIGNMENT = 16
PARTS = (
    (1, ((0x38, 0x3A), (0x42, 0x48), (0x98, 0xA0), (0xF8, 0x100))),
    (2, ((0x78, 0x98), (0xA0, 0xF8))),
    (4, ((0x3A, 0x42),)),
    (8, ((0x34, 0x38), (0x100, 0x300))),
    (0x10, ((0x48, 0x78),)),
)
"""ContextFlags bit to the bytes of a CONTEXT it stands for (winnt.h)."""
EXCEPTION_ACTIVE, SERVICE_ACTIVE = 0x0800_0000, 0x1000_0000
EXCEPTION_REQUEST, EXCEPTION_REPORTING = 0x4000_0000, 0x8000_0000
KI_EXCEPTION_INTERNAL = 0x1000_0000
"""NtRaiseException takes this bit away: the kernel's own exception codes cannot be forged."""
SPECIAL_USER_APC = 1
CONTINUE_TEST_ALERT = 1
CONTINUE_TYPES = 4
SMALLEST_POINTER = 0x100


def _record(thread: Thread, address: int) -> bytearray:
    if address & ALIGNMENT - 1:
        raise NtError(
            STATUS.DATATYPE_MISALIGNMENT, Denied("a CONTEXT is aligned", {"address": hex(address)}, "16")
        )
    return bytearray(thread.memory.read(address, context_record.CONTEXT_SIZE))


def _flags(record: bytes | bytearray) -> int:
    flags: int = struct.unpack_from("<I", record, CONTEXT_FLAGS)[0]
    return flags


def overlay(target: bytearray, source: bytes | bytearray, flags: int) -> None:
    """Copy the parts of a CONTEXT that `flags` name."""
    for bit, ranges in PARTS:
        if flags & bit:
            for start, end in ranges:
                target[start:end] = source[start:end]


def user_context(target: Thread) -> bytearray:
    """The registers a thread will have when it is next in user mode, whole."""
    record = context_record.capture(target.context)
    if target.waiting is not None and target.waiting.user and target.door_stack:
        # A Python export that waits may have put things on the stack; user code will find it as the call left it.
        struct.pack_into("<Q", record, CONTEXT_RSP, target.door_stack)
    if target.new_context is not None:
        overlay(record, target.new_context, _flags(target.new_context))
    return record


def replace_context(target: Thread, record: bytes | bytearray) -> None:
    """Let a thread go on with the parts a CONTEXT names, from where it next enters user mode (PspSetContext).

    Python frames of a system call that stand between now and then still need the registers as they are.
    """
    merged = user_context(target)
    flags = _flags(record)
    if target.new_context is not None:
        flags |= _flags(target.new_context)
    overlay(merged, record, _flags(record))
    struct.pack_into("<I", merged, CONTEXT_FLAGS, flags)
    target.new_context = merged
    target.attention = True


@service
def NtGetContextThread(thread: Thread, ThreadHandle: HANDLE, ThreadContext: PVOID) -> NTSTATUS:
    """The parts of a thread's user registers that ContextFlags name."""
    target = ob.by_handle(thread, ThreadHandle, THREAD_GET_CONTEXT, THREAD)
    _refuse_ended(target)
    record = _record(thread, ThreadContext)
    flags = _flags(record)
    overlay(record, user_context(target), flags)
    if flags & EXCEPTION_REQUEST:
        flags = flags & ~(EXCEPTION_ACTIVE | SERVICE_ACTIVE) | EXCEPTION_REPORTING
        if target.waiting is not None and target.waiting.user:
            flags |= SERVICE_ACTIVE
        struct.pack_into("<I", record, CONTEXT_FLAGS, flags)
    thread.memory.write(ThreadContext, record)
    return STATUS.SUCCESS


@service
def NtSetContextThread(thread: Thread, ThreadHandle: HANDLE, ThreadContext: PVOID) -> NTSTATUS:
    """Give a thread the parts of a CONTEXT that its ContextFlags name, from its next user instruction on."""
    target = ob.by_handle(thread, ThreadHandle, THREAD_SET_CONTEXT, THREAD)
    _refuse_ended(target)
    replace_context(target, _record(thread, ThreadContext))
    log = thread.kernel.log
    if target.process is not thread.process and log.wants(ContextSet):
        record = user_context(target)
        address, start = (struct.unpack_from("<Q", record, offset)[0] for offset in (CONTEXT_RIP, CONTEXT_RCX))
        log.emit(ContextSet(id=target.id, target=target.process.id, address=address, start=start))
    return STATUS.SUCCESS


def _refuse_ended(target: Thread) -> None:
    if target.coroutine is None or target.tcb.SystemThread:
        raise NtError(STATUS.UNSUCCESSFUL, Denied("the thread has no user registers", {"thread": target.id}))


@service
def NtContinue(thread: Thread, ContextRecord: PVOID, TestAlert: BOOLEAN) -> NTSTATUS | None:
    """Go on with these registers; with TestAlert take queued user APCs first. It does not come back."""
    _continue(thread, ContextRecord, test_alert=bool(TestAlert))
    return None


@service
def NtContinueEx(thread: Thread, ContextRecord: PVOID, ContinueArgument: PVOID) -> NTSTATUS | None:
    """As NtContinue; the argument is TestAlert itself or points to a KCONTINUE_ARGUMENT."""
    flags = ContinueArgument
    if ContinueArgument >= SMALLEST_POINTER:
        kind, flags = struct.unpack("<II", thread.memory.read(ContinueArgument, 8))
        if kind >= CONTINUE_TYPES:
            raise NtError(
                STATUS.INVALID_PARAMETER, Denied("KCONTINUE_TYPE", {"ContinueType": kind}, "0 to 3")
            )
    _continue(thread, ContextRecord, test_alert=bool(flags & CONTINUE_TEST_ALERT))
    return None


def _continue(thread: Thread, address: int, *, test_alert: bool) -> None:
    context_record.apply(thread.context, _record(thread, address))
    if test_alert:
        test_for_alert(thread)


def test_for_alert(thread: Thread) -> bool:
    """Whether the thread was alerted; if not, let its queued user APCs run (KeTestAlertThread)."""
    alerted = thread.tcb.Alerted
    if alerted[1]:
        alerted[1] = 0
        return True
    if thread.user_apcs:
        thread.apc_pending = True
        thread.attention = True
    return False


@service
def NtRaiseException(
    thread: Thread, ExceptionRecordAddress: PVOID, ContextRecord: PVOID, FirstChance: BOOLEAN
) -> NTSTATUS | None:
    """Dispatch an exception as if it had happened with these registers. It does not come back."""
    data = thread.memory.read(ExceptionRecordAddress, EXCEPTION_RECORD_SIZE)
    if struct.unpack_from("<I", data, 0x18)[0] > MAXIMUM_PARAMETERS:
        raise NtError(
            STATUS.INVALID_PARAMETER, Denied("NumberParameters", {}, f"at most {MAXIMUM_PARAMETERS}")
        )
    record = ExceptionRecord.parse(data)
    record.code &= ~KI_EXCEPTION_INTERNAL
    record.step_back = int(record.code == STATUS.BREAKPOINT)
    context_record.apply(thread.context, _record(thread, ContextRecord))
    exception.dispatch(thread, record, first_chance=bool(FirstChance))
    return None


@service
def NtQueueApcThread(
    thread: Thread,
    ThreadHandle: HANDLE,
    ApcRoutine: PVOID,
    ApcArgument1: PVOID,
    ApcArgument2: PVOID,
    ApcArgument3: PVOID,
) -> NTSTATUS:
    """Queue a call that a thread makes when it next waits alertably."""
    return _queue(thread, ThreadHandle, UserApc(ApcRoutine, (ApcArgument1, ApcArgument2, ApcArgument3)))


@service(partial="no reserve objects")
def NtQueueApcThreadEx(
    thread: Thread,
    ThreadHandle: HANDLE,
    ReserveHandle: HANDLE,
    ApcRoutine: PVOID,
    ApcArgument1: PVOID,
    ApcArgument2: PVOID,
    ApcArgument3: PVOID,
) -> NTSTATUS:
    """As NtQueueApcThread; 1 in place of the reserve object asks for a special user APC, run at once."""
    if ReserveHandle not in {0, SPECIAL_USER_APC}:
        raise NtError(
            STATUS.NOT_SUPPORTED, Denied("reserve objects", {"handle": hex(ReserveHandle)}, "0 or 1")
        )
    call = UserApc(
        ApcRoutine, (ApcArgument1, ApcArgument2, ApcArgument3), special=ReserveHandle == SPECIAL_USER_APC
    )
    return _queue(thread, ThreadHandle, call)


def _queue(thread: Thread, handle: int, call: UserApc) -> NTSTATUS:
    target = ob.by_handle(thread, handle, THREAD_SET_CONTEXT, THREAD)
    if target.tcb.SystemThread:
        raise NtError(STATUS.INVALID_HANDLE)
    if not apc.queue_user(target, call):
        raise NtError(STATUS.UNSUCCESSFUL, Denied("the thread takes no more APCs", {"thread": target.id}))
    log = thread.kernel.log
    if target.process is not thread.process and log.wants(ApcQueued):
        owner, argument = target.process.id, call.arguments[0]
        log.emit(ApcQueued(id=target.id, target=owner, routine=call.routine, argument=argument))
    return STATUS.SUCCESS

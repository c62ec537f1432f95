"""NtReadVirtualMemory and NtWriteVirtualMemory: copies between address spaces, as far as they go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi import access as rights
from ntos.abi.memory import PAGE_SIZE
from ntos.abi.pointer import Out
from ntos.abi.status import STATUS, GuestFault, NtError
from ntos.abi.types import HANDLE, NTSTATUS, PVOID, SIZE_T
from ntos.etw.event import MemoryWritten
from ntos.hal.paging import is_user_range
from ntos.ke.service import service
from ntos.mm.target import process_by_handle

if TYPE_CHECKING:
    from ntos.hal.paging import UserMemory
    from ntos.ke.thread import Thread


@service
def NtReadVirtualMemory(
    thread: Thread,
    ProcessHandle: HANDLE,
    BaseAddress: PVOID,
    Buffer: PVOID,
    NumberOfBytesToRead: SIZE_T,
    NumberOfBytesRead: Out[SIZE_T] | None,
) -> NTSTATUS:
    """Copy from a process; PARTIAL_COPY with the bytes that were there when a page is not."""
    _check(BaseAddress, Buffer, NumberOfBytesToRead)
    if NumberOfBytesRead is not None:
        NumberOfBytesRead.write(0)
    process = process_by_handle(thread, ProcessHandle, rights.PROCESS_VM_READ)
    done, status = _copy(process.memory, BaseAddress, thread.memory, Buffer, NumberOfBytesToRead)
    if NumberOfBytesRead is not None:
        NumberOfBytesRead.write(done)
    return status


@service
def NtWriteVirtualMemory(
    thread: Thread,
    ProcessHandle: HANDLE,
    BaseAddress: PVOID,
    Buffer: PVOID,
    NumberOfBytesToWrite: SIZE_T,
    NumberOfBytesWritten: Out[SIZE_T] | None,
) -> NTSTATUS:
    """Copy into a process; PARTIAL_COPY with the bytes written when a page cannot be."""
    _check(BaseAddress, Buffer, NumberOfBytesToWrite)
    if NumberOfBytesWritten is not None:
        NumberOfBytesWritten.write(0)
    process = process_by_handle(thread, ProcessHandle, rights.PROCESS_VM_WRITE)
    done, status = _copy(thread.memory, Buffer, process.memory, BaseAddress, NumberOfBytesToWrite)
    if NumberOfBytesWritten is not None:
        NumberOfBytesWritten.write(done)
    if done and process is not thread.process and thread.kernel.log.wants(MemoryWritten):
        thread.kernel.log.emit(MemoryWritten(target=process.id, address=BaseAddress, size=done))
    return status


def _check(base: int, buffer: int, size: int) -> None:
    if not is_user_range(base, size) or not is_user_range(buffer, size):
        raise NtError(STATUS.ACCESS_VIOLATION)


def _copy(source: UserMemory, start: int, target: UserMemory, place: int, size: int) -> tuple[int, NTSTATUS]:
    """Page by page; (bytes done, status)."""
    done = 0
    while done < size:
        piece = min(
            size - done, PAGE_SIZE - (start + done) % PAGE_SIZE, PAGE_SIZE - (place + done) % PAGE_SIZE
        )
        try:
            target.write(place + done, source.read(start + done, piece))
        except GuestFault as fault:
            return done, STATUS.PARTIAL_COPY if fault.status == STATUS.ACCESS_VIOLATION else fault.status
        done += piece
    return done, STATUS.SUCCESS

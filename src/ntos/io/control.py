"""Control codes, and cancelling what is under way."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ntos import ob
from ntos.abi.access import FILE_READ_DATA, FILE_WRITE_DATA, THREAD_TERMINATE
from ntos.abi.layout.io import IO_STATUS_BLOCK
from ntos.abi.pointer import Out
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import HANDLE, NTSTATUS, PVOID, ULONG
from ntos.io.perform import file_of, make_request, perform, probe
from ntos.io.request import Pending, Request
from ntos.ke.service import service
from ntos.ke.thread import Thread
from ntos.ob.manager import ObjectManager

if TYPE_CHECKING:
    from collections.abc import Callable

_ACCESS_OF_CODE = {0: 0, 1: FILE_READ_DATA, 2: FILE_WRITE_DATA, 3: FILE_READ_DATA | FILE_WRITE_DATA}


@service
async def NtFsControlFile(
    thread: Thread,
    FileHandle: HANDLE,
    Event: HANDLE,
    ApcRoutine: PVOID,
    ApcContext: PVOID,
    IoStatusBlock: Out[IO_STATUS_BLOCK],
    FsControlCode: ULONG,
    InputBuffer: PVOID,
    InputBufferLength: ULONG,
    OutputBuffer: PVOID,
    OutputBufferLength: ULONG,
) -> NTSTATUS:
    """Ask a file system for something of its own: pipes listen, wait, peek and transceive this way."""
    notice = (Event, ApcRoutine, ApcContext, IoStatusBlock.address)
    buffers = (InputBuffer, InputBufferLength, OutputBuffer, OutputBufferLength)
    request = _control(thread, FileHandle, notice, FsControlCode, buffers)
    return await perform(request, request.file.device.driver.file_system_control)


@service
async def NtDeviceIoControlFile(
    thread: Thread,
    FileHandle: HANDLE,
    Event: HANDLE,
    ApcRoutine: PVOID,
    ApcContext: PVOID,
    IoStatusBlock: Out[IO_STATUS_BLOCK],
    IoControlCode: ULONG,
    InputBuffer: PVOID,
    InputBufferLength: ULONG,
    OutputBuffer: PVOID,
    OutputBufferLength: ULONG,
) -> NTSTATUS:
    """Ask a device for something of its own."""
    notice = (Event, ApcRoutine, ApcContext, IoStatusBlock.address)
    buffers = (InputBuffer, InputBufferLength, OutputBuffer, OutputBufferLength)
    request = _control(thread, FileHandle, notice, IoControlCode, buffers)
    return await perform(request, request.file.device.driver.device_control)


def _control(
    thread: Thread,
    handle: int,
    notice: tuple[int, int, int, int],
    code: int,
    buffers: tuple[int, int, int, int],
) -> Request:
    file = file_of(thread, handle, _ACCESS_OF_CODE[code >> 14 & 3])
    request = make_request(thread, file, *notice)
    source, size, request.buffer, request.length = buffers
    request.data = thread.memory.read(source, size)
    probe(thread.memory, request.buffer, request.length)
    request.code = code
    return request


@service
def NtCancelIoFile(thread: Thread, FileHandle: HANDLE, IoStatusBlock: Out[IO_STATUS_BLOCK]) -> NTSTATUS:
    """Cancel what this thread has under way on a file."""
    file = file_of(thread, FileHandle)
    _cancel_where(list(file.pending), lambda request: request.thread is thread)
    IoStatusBlock.memory.write(IoStatusBlock.address, bytes(16))
    return STATUS.SUCCESS


@service
def NtCancelIoFileEx(
    thread: Thread, FileHandle: HANDLE, IoRequestToCancel: PVOID, IoStatusBlock: Out[IO_STATUS_BLOCK]
) -> NTSTATUS:
    """Cancel what this process has under way on a file: all, or the request with that status block."""
    file = file_of(thread, FileHandle)

    def chosen(request: Request) -> bool:
        own = request.process is thread.process
        return own and (not IoRequestToCancel or request.status_block == IoRequestToCancel)

    if not _cancel_where(list(file.pending), chosen):
        raise NtError(STATUS.NOT_FOUND)
    IoStatusBlock.memory.write(IoStatusBlock.address, bytes(16))
    return STATUS.SUCCESS


@service
def NtCancelSynchronousIoFile(
    thread: Thread, ThreadHandle: HANDLE, IoRequestToCancel: PVOID, IoStatusBlock: Out[IO_STATUS_BLOCK]
) -> NTSTATUS:
    """Cancel the call another thread is blocked in."""
    kind = thread.kernel[ObjectManager].find_type("Thread")
    target: Thread = ob.by_handle(thread, ThreadHandle, THREAD_TERMINATE, kind)
    request = target.part(Pending).synchronous
    if request is None or (IoRequestToCancel and request.status_block != IoRequestToCancel):
        raise NtError(STATUS.NOT_FOUND)
    request.cancel()
    IoStatusBlock.memory.write(IoStatusBlock.address, struct.pack("<QQ", 0, 0))
    return STATUS.SUCCESS


def _cancel_where(requests: list[Request], chosen: Callable[[Request], bool]) -> int:
    found = [request for request in requests if chosen(request)]
    for request in found:
        request.cancel()
    return len(found)

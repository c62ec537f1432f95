"""Completion ports and device control (ioapiset.h)."""

from __future__ import annotations

from ntos.abi.access import IO_COMPLETION_ALL_ACCESS
from ntos.abi.errors import ERROR
from ntos.abi.io import FILE_INFORMATION_CLASS
from ntos.abi.layout.api import FILE_IO_COMPLETION_INFORMATION
from ntos.abi.layout.file_info import FILE_COMPLETION_INFORMATION
from ntos.abi.layout.win32 import OVERLAPPED, OVERLAPPED_ENTRY
from ntos.abi.pointer import Out, Ptr
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import BOOL, DWORD, HANDLE, NTSTATUS, PVOID, ULONG, ULONG_PTR
from ntos.abi.win32 import INVALID_HANDLE_VALUE
from ntos.dll.kernelbase.file_info import set_information
from ntos.dll.kernelbase.file_io import begin, wait_for
from ntos.dll.kernelbase.objects import new_handle, new_size, new_status, real_handle, timeout
from ntos.dll.kernelbase.services import nt
from ntos.um.export import WinError, export, set_last_error
from ntos.um.thread import UserThread

FILE_SYSTEM_DEVICE = 9


@export
async def CreateIoCompletionPort(
    thread: UserThread,
    FileHandle: HANDLE,
    ExistingCompletionPort: HANDLE,
    CompletionKey: ULONG_PTR,
    NumberOfConcurrentThreads: DWORD,
) -> HANDLE:
    """Make a completion port, bind a file to one, or both."""
    port = int(ExistingCompletionPort)
    if FileHandle == INVALID_HANDLE_VALUE and port:
        raise WinError(ERROR.INVALID_PARAMETER)
    with thread.frame() as frame:
        if not port:
            place = new_handle(frame)
            threads = NumberOfConcurrentThreads
            await nt.NtCreateIoCompletion(thread, place.address, IO_COMPLETION_ALL_ACCESS, 0, threads)
            port = int(place.read())
    if FileHandle != INVALID_HANDLE_VALUE:
        view = FILE_COMPLETION_INFORMATION.new()
        view.Port, view.Key = HANDLE(port), PVOID(CompletionKey)
        try:
            await set_information(thread, FileHandle, view, FILE_INFORMATION_CLASS.FileCompletionInformation)
        except NtError:
            if not ExistingCompletionPort:
                await nt.NtClose(thread, port)
            raise
    return HANDLE(port)


@export
async def PostQueuedCompletionStatus(
    thread: UserThread,
    CompletionPort: HANDLE,
    dwNumberOfBytesTransferred: DWORD,
    dwCompletionKey: ULONG_PTR,
    lpOverlapped: PVOID,
) -> BOOL:
    """Put a packet of one's own into a port."""
    await nt.NtSetIoCompletion(thread, CompletionPort, dwCompletionKey, lpOverlapped, 0, dwNumberOfBytesTransferred)
    return BOOL(1)


@export
async def GetQueuedCompletionStatus(
    thread: UserThread,
    CompletionPort: HANDLE,
    lpNumberOfBytesTransferred: Ptr[DWORD],
    lpCompletionKey: Ptr[ULONG_PTR],
    lpOverlapped: Ptr[PVOID],
    dwMilliseconds: DWORD,
) -> BOOL:
    """Take a packet; a failed request's packet is taken too, and its error told."""
    lpOverlapped.write(0)
    with thread.frame() as frame:
        key, context, block = new_size(frame, 0), new_size(frame, 0), new_status(frame)
        until = timeout(frame, dwMilliseconds)
        status = await nt.NtRemoveIoCompletion(
            thread, CompletionPort, key.address, context.address, block.address, until
        )
        if status == STATUS.TIMEOUT:
            set_last_error(thread, 258)
            return BOOL(0)
        lpCompletionKey.write(int(key.read()))
        lpOverlapped.write(int(context.read()))
        lpNumberOfBytesTransferred.write(int(block.Information) & 0xFFFF_FFFF)
        outcome = int(block.Status)
    if outcome >> 31:
        raise NtError(NTSTATUS(outcome))
    return BOOL(1)


@export
async def GetQueuedCompletionStatusEx(
    thread: UserThread,
    CompletionPort: HANDLE,
    lpCompletionPortEntries: Ptr[OVERLAPPED_ENTRY],
    ulCount: ULONG,
    ulNumEntriesRemoved: Ptr[ULONG],
    dwMilliseconds: DWORD,
    fAlertable: BOOL,
) -> BOOL:
    """Take several packets (FILE_IO_COMPLETION_INFORMATION and OVERLAPPED_ENTRY are laid out alike)."""
    assert FILE_IO_COMPLETION_INFORMATION.size == OVERLAPPED_ENTRY.size
    with thread.frame() as frame:
        until = timeout(frame, dwMilliseconds)
        status = await nt.NtRemoveIoCompletionEx(
            thread,
            CompletionPort,
            lpCompletionPortEntries.address,
            ulCount,
            ulNumEntriesRemoved.address,
            until,
            int(bool(fAlertable)),
        )
    if status in (STATUS.TIMEOUT, STATUS.USER_APC):
        set_last_error(thread, 258 if status == STATUS.TIMEOUT else int(status))
        ulNumEntriesRemoved.write(0)
        return BOOL(0)
    return BOOL(1)


@export
async def DeviceIoControl(
    thread: UserThread,
    hDevice: HANDLE,
    dwIoControlCode: DWORD,
    lpInBuffer: PVOID,
    nInBufferSize: DWORD,
    lpOutBuffer: PVOID,
    nOutBufferSize: DWORD,
    lpBytesReturned: Out[DWORD] | None,
    lpOverlapped: Ptr[OVERLAPPED] | None,
) -> BOOL:
    """Ask a device or a file system by control code."""
    to_file_system = dwIoControlCode >> 16 == FILE_SYSTEM_DEVICE
    service = nt.NtFsControlFile if to_file_system else nt.NtDeviceIoControlFile
    handle = real_handle(thread, hDevice)
    buffers = (lpInBuffer, nInBufferSize, lpOutBuffer, nOutBufferSize)
    if lpOverlapped is not None:
        event, context = begin(lpOverlapped)
        place = lpOverlapped.address
        status = await service(thread, handle, event, 0, context, place, dwIoControlCode, *buffers)
        if lpBytesReturned is not None and status >> 30 != 3 and status != STATUS.PENDING:
            lpBytesReturned.write(int(lpOverlapped.read().InternalHigh))
        if status == STATUS.PENDING or status >> 31:
            raise NtError(NTSTATUS(status))
        return BOOL(1)
    with thread.frame() as frame:
        block = new_status(frame)
        status = await service(thread, handle, 0, 0, 0, block.address, dwIoControlCode, *buffers)
        if status == STATUS.PENDING:
            status = await wait_for(thread, handle, block)
        if lpBytesReturned is not None and status >> 30 != 3:
            lpBytesReturned.write(int(block.Information))
    if status >> 31:
        raise NtError(NTSTATUS(status))
    return BOOL(1)

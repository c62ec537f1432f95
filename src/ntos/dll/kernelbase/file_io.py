"""Reading and writing, positions, overlapped requests, completion (fileapi.h, ioapiset.h)."""

from __future__ import annotations

from ntos.abi.errors import ERROR
from ntos.abi.io import FILE_INFORMATION_CLASS
from ntos.abi.layout.file_info import (
    FILE_END_OF_FILE_INFORMATION,
    FILE_FS_DEVICE_INFORMATION,
    FILE_POSITION_INFORMATION,
    FILE_STANDARD_INFORMATION,
)
from ntos.abi.layout.io import IO_STATUS_BLOCK
from ntos.abi.layout.win32 import OVERLAPPED
from ntos.abi.pointer import Code, Out, Ptr
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import BOOL, DWORD, HANDLE, LARGE_INTEGER, LONG, LONGLONG, NTSTATUS, PVOID, ULONG_PTR
from ntos.abi.win32 import (
    FILE_BEGIN,
    FILE_CURRENT,
    FILE_END,
    FILE_TYPE_CHAR,
    FILE_TYPE_DISK,
    FILE_TYPE_PIPE,
    FILE_TYPE_REMOTE,
    INFINITE,
    INVALID_FILE_SIZE,
    INVALID_SET_FILE_POINTER,
    LOCKFILE_EXCLUSIVE_LOCK,
    LOCKFILE_FAIL_IMMEDIATELY,
)
from ntos.dll.kernelbase.file_info import query, set_information
from ntos.dll.kernelbase.objects import new_status, real_handle, timeout
from ntos.dll.kernelbase.own import own_entry
from ntos.dll.kernelbase.services import nt
from ntos.rtl.error import nt_status_to_dos_error
from ntos.um.export import WinError, export, set_last_error
from ntos.um.thread import UserThread

OVERLAPPED_OFFSET = 0x10
FS_DEVICE_INFORMATION = 4
_PIPES = (0x11, 0xC)
_DISKS = (2, 7, 8, 9, 0x14, 0x23)
_CHARACTERS = (0xB, 0x1B, 0x15, 0x50, 0x16, 0x0A, 0x27, 0x18, 0x10)


async def wait_for(thread: UserThread, handle: int, status: IO_STATUS_BLOCK) -> int:
    """Wait for a request a synchronous caller sees pending."""
    await nt.NtWaitForSingleObject(thread, handle, 0, 0)
    return int(status.Status)


def checked(status: int) -> int:
    """The status, or NtError where NT_SUCCESS is false."""
    if status >> 31:
        raise NtError(NTSTATUS(status))
    return status


def begin(overlapped: Ptr[OVERLAPPED]) -> tuple[int, int]:
    """Mark a request as under way: its event, and its APC context (none if the event's low bit forbids
    a packet).
    """
    view = overlapped.read()
    view.Internal = ULONG_PTR(STATUS.PENDING)
    event = int(view.hEvent)
    return event & ~1, 0 if event & 1 else overlapped.address


async def _transfer(
    thread: UserThread, service: str, handle: int, buffer: int, size: int, count: Ptr[DWORD] | None,
    overlapped: Ptr[OVERLAPPED] | None,
) -> BOOL:  # fmt: skip
    handle = real_handle(thread, handle)
    if count is not None:
        count.write(0)
    call = getattr(nt, service)
    if overlapped is not None:
        event, context = begin(overlapped)
        offset = overlapped.address + OVERLAPPED_OFFSET
        status = await call(thread, handle, event, 0, context, overlapped.address, buffer, size, offset, 0)
        if status == STATUS.PENDING or status >> 31:
            raise NtError(NTSTATUS(status))
        if count is not None:
            count.write(int(overlapped.read().InternalHigh))
        return BOOL(1)
    with thread.frame() as frame:
        block = new_status(frame)
        try:
            status = await call(thread, handle, 0, 0, 0, block.address, buffer, size, 0, 0)
            if status == STATUS.PENDING:
                status = await wait_for(thread, handle, block)
            if status >> 30 == 3:
                raise NtError(NTSTATUS(status))
        except NtError as error:
            if error.status == STATUS.END_OF_FILE and service == "NtReadFile":
                return BOOL(1)
            raise
        if count is not None:
            count.write(int(block.Information) & 0xFFFF_FFFF)
        checked(status)
    return BOOL(1)


@export
async def ReadFile(
    thread: UserThread,
    hFile: HANDLE,
    lpBuffer: PVOID,
    nNumberOfBytesToRead: DWORD,
    lpNumberOfBytesRead: Ptr[DWORD] | None,
    lpOverlapped: Ptr[OVERLAPPED] | None,
) -> BOOL:
    """Read from a file, pipe or device; at the end of a file nothing, without an error."""
    return await _transfer(
        thread, "NtReadFile", hFile, lpBuffer, nNumberOfBytesToRead, lpNumberOfBytesRead, lpOverlapped
    )


@export
async def WriteFile(
    thread: UserThread,
    hFile: HANDLE,
    lpBuffer: PVOID,
    nNumberOfBytesToWrite: DWORD,
    lpNumberOfBytesWritten: Ptr[DWORD] | None,
    lpOverlapped: Ptr[OVERLAPPED] | None,
) -> BOOL:
    """Write to a file, pipe or device."""
    return await _transfer(
        thread, "NtWriteFile", hFile, lpBuffer, nNumberOfBytesToWrite, lpNumberOfBytesWritten, lpOverlapped
    )


async def _transfer_ex(
    thread: UserThread,
    service: str,
    handle: int,
    buffer: int,
    size: int,
    overlapped: Ptr[OVERLAPPED],
    routine: int,
) -> BOOL:
    begin(overlapped)
    apc = own_entry(thread, "ntos_io_completion") if routine else 0
    call = getattr(nt, service)
    block, offset = overlapped.address, overlapped.address + OVERLAPPED_OFFSET
    status = await call(thread, real_handle(thread, handle), 0, apc, routine, block, buffer, size, offset, 0)
    if status >> 31:
        raise NtError(NTSTATUS(status))
    set_last_error(thread, ERROR.SUCCESS)
    return BOOL(1)


@export
async def ReadFileEx(
    thread: UserThread,
    hFile: HANDLE,
    lpBuffer: PVOID,
    nNumberOfBytesToRead: DWORD,
    lpOverlapped: Ptr[OVERLAPPED],
    lpCompletionRoutine: Code,
) -> BOOL:
    """Read, and be told by a call during an alertable wait."""
    return await _transfer_ex(
        thread, "NtReadFile", hFile, lpBuffer, nNumberOfBytesToRead, lpOverlapped, lpCompletionRoutine
    )


@export
async def WriteFileEx(
    thread: UserThread,
    hFile: HANDLE,
    lpBuffer: PVOID,
    nNumberOfBytesToWrite: DWORD,
    lpOverlapped: Ptr[OVERLAPPED],
    lpCompletionRoutine: Code,
) -> BOOL:
    """Write, and be told by a call during an alertable wait."""
    return await _transfer_ex(
        thread, "NtWriteFile", hFile, lpBuffer, nNumberOfBytesToWrite, lpOverlapped, lpCompletionRoutine
    )


@export
async def ntos_io_completion(
    thread: UserThread, ApcContext: Code, IoStatusBlock: Ptr[IO_STATUS_BLOCK], Reserved: PVOID
) -> None:
    """The APC of ReadFileEx: the program's routine gets an error code, a count and its OVERLAPPED."""
    view = IoStatusBlock.read()
    status = int(view.Status)
    error = nt_status_to_dos_error(status) if status >> 31 else 0
    count = 0 if status >> 30 == 3 else int(view.Information)
    await thread.call(ApcContext, error, count & 0xFFFF_FFFF, IoStatusBlock.address)


@export
async def GetOverlappedResult(
    thread: UserThread,
    hFile: HANDLE,
    lpOverlapped: Ptr[OVERLAPPED],
    lpNumberOfBytesTransferred: Ptr[DWORD],
    bWait: BOOL,
) -> BOOL:
    """What became of an overlapped request."""
    return await _overlapped_result(
        thread, hFile, lpOverlapped, lpNumberOfBytesTransferred, INFINITE if bWait else 0, alertable=False
    )


@export
async def GetOverlappedResultEx(
    thread: UserThread,
    hFile: HANDLE,
    lpOverlapped: Ptr[OVERLAPPED],
    lpNumberOfBytesTransferred: Ptr[DWORD],
    dwMilliseconds: DWORD,
    bAlertable: BOOL,
) -> BOOL:
    """The same, waiting so long at most."""
    return await _overlapped_result(
        thread, hFile, lpOverlapped, lpNumberOfBytesTransferred, dwMilliseconds, alertable=bool(bAlertable)
    )


async def _overlapped_result(
    thread: UserThread,
    file: int,
    overlapped: Ptr[OVERLAPPED],
    count: Ptr[DWORD],
    milliseconds: int,
    *,
    alertable: bool,
) -> BOOL:
    view = overlapped.read()
    if int(view.Internal) == STATUS.PENDING:
        if milliseconds == 0:
            raise WinError(ERROR.IO_INCOMPLETE)
        with thread.frame() as frame:
            until = timeout(frame, milliseconds)
            handle = int(view.hEvent) & ~1 or file
            status = await nt.NtWaitForSingleObject(thread, handle, int(alertable), until)
        if status in (STATUS.TIMEOUT, STATUS.USER_APC):
            set_last_error(thread, int(status) if status == STATUS.USER_APC else 258)
            return BOOL(0)
    count.write(int(view.InternalHigh) & 0xFFFF_FFFF)
    checked(int(view.Internal) & 0xFFFF_FFFF)
    return BOOL(1)


@export
async def CancelIo(thread: UserThread, hFile: HANDLE) -> BOOL:
    """Cancel what this thread has under way on a file."""
    with thread.frame() as frame:
        await nt.NtCancelIoFile(thread, hFile, new_status(frame).address)
    return BOOL(1)


@export
async def CancelIoEx(thread: UserThread, hFile: HANDLE, lpOverlapped: Ptr[OVERLAPPED] | None) -> BOOL:
    """Cancel one request, or all, of a file."""
    which = lpOverlapped.address if lpOverlapped else 0
    with thread.frame() as frame:
        await nt.NtCancelIoFileEx(thread, hFile, which, new_status(frame).address)
    return BOOL(1)


@export
async def CancelSynchronousIo(thread: UserThread, hThread: HANDLE) -> BOOL:
    """Cancel what a thread is waiting for."""
    with thread.frame() as frame:
        await nt.NtCancelSynchronousIoFile(thread, hThread, 0, new_status(frame).address)
    return BOOL(1)


@export
async def FlushFileBuffers(thread: UserThread, hFile: HANDLE) -> BOOL:
    """Write what is buffered."""
    with thread.frame() as frame:
        await nt.NtFlushBuffersFile(thread, real_handle(thread, hFile), new_status(frame).address)
    return BOOL(1)


async def _seek(thread: UserThread, handle: int, distance: int, method: int) -> int:
    if method == FILE_CURRENT:
        distance += LONGLONG.wrap((await query(thread, handle, FILE_POSITION_INFORMATION)).CurrentByteOffset)
    elif method == FILE_END:
        distance += int((await query(thread, handle, FILE_STANDARD_INFORMATION)).EndOfFile)
    elif method != FILE_BEGIN:
        raise WinError(ERROR.INVALID_PARAMETER)
    if distance < 0:
        raise WinError(ERROR.NEGATIVE_SEEK)
    view = FILE_POSITION_INFORMATION.new()
    view.CurrentByteOffset = LARGE_INTEGER(distance)
    await set_information(thread, handle, view, FILE_INFORMATION_CLASS.FilePositionInformation)
    return distance


@export
async def SetFilePointerEx(
    thread: UserThread,
    hFile: HANDLE,
    liDistanceToMove: LARGE_INTEGER,
    lpNewFilePointer: Out[LARGE_INTEGER] | None,
    dwMoveMethod: DWORD,
) -> BOOL:
    """Move a file's position."""
    position = await _seek(thread, real_handle(thread, hFile), liDistanceToMove, dwMoveMethod)
    if lpNewFilePointer is not None:
        lpNewFilePointer.write(position)
    return BOOL(1)


@export(fails=INVALID_SET_FILE_POINTER)
async def SetFilePointer(
    thread: UserThread,
    hFile: HANDLE,
    lDistanceToMove: LONG,
    lpDistanceToMoveHigh: Ptr[LONG] | None,
    dwMoveMethod: DWORD,
) -> DWORD:
    """Move a file's position, 32 bits at a time."""
    distance = int(lDistanceToMove)
    if lpDistanceToMoveHigh is not None:
        distance = int(lpDistanceToMoveHigh.read()) << 32 | distance & 0xFFFF_FFFF
    position = await _seek(thread, real_handle(thread, hFile), distance, dwMoveMethod)
    if lpDistanceToMoveHigh is not None:
        lpDistanceToMoveHigh.write(position >> 32)
    elif position >> 32:
        raise WinError(ERROR.INVALID_PARAMETER)
    if position & 0xFFFF_FFFF == INVALID_SET_FILE_POINTER:
        set_last_error(thread, ERROR.SUCCESS)
    return DWORD(position & 0xFFFF_FFFF)


@export
async def SetEndOfFile(thread: UserThread, hFile: HANDLE) -> BOOL:
    """Cut or grow the file to its position."""
    position = (await query(thread, hFile, FILE_POSITION_INFORMATION)).CurrentByteOffset
    view = FILE_END_OF_FILE_INFORMATION.new()
    view.EndOfFile = position
    await set_information(thread, hFile, view, FILE_INFORMATION_CLASS.FileEndOfFileInformation)
    return BOOL(1)


@export
async def GetFileSizeEx(thread: UserThread, hFile: HANDLE, lpFileSize: Ptr[LARGE_INTEGER]) -> BOOL:
    """A file's size."""
    lpFileSize.write((await query(thread, hFile, FILE_STANDARD_INFORMATION)).EndOfFile)
    return BOOL(1)


@export(fails=INVALID_FILE_SIZE)
async def GetFileSize(thread: UserThread, hFile: HANDLE, lpFileSizeHigh: Out[DWORD] | None) -> DWORD:
    """A file's size, 32 bits at a time."""
    size = int((await query(thread, hFile, FILE_STANDARD_INFORMATION)).EndOfFile)
    if lpFileSizeHigh is not None:
        lpFileSizeHigh.write(size >> 32)
    if size & 0xFFFF_FFFF == INVALID_FILE_SIZE:
        set_last_error(thread, ERROR.SUCCESS)
    return DWORD(size & 0xFFFF_FFFF)


@export
async def GetFileType(thread: UserThread, hFile: HANDLE) -> DWORD:
    """Disk, character device or pipe, by the device behind the handle."""
    handle = real_handle(thread, hFile)
    with thread.frame() as frame:
        view: FILE_FS_DEVICE_INFORMATION = frame.new(FILE_FS_DEVICE_INFORMATION)
        await nt.NtQueryVolumeInformationFile(
            thread, handle, new_status(frame).address, view.address, view.size, FS_DEVICE_INFORMATION
        )
        device, remote = int(view.DeviceType), int(view.Characteristics) & 0x10
    set_last_error(thread, ERROR.SUCCESS)
    kind = (
        FILE_TYPE_DISK if device in _DISKS
        else FILE_TYPE_PIPE if device in _PIPES
        else FILE_TYPE_CHAR if device in _CHARACTERS
        else 0
    )  # fmt: skip
    return DWORD(kind | (FILE_TYPE_REMOTE if remote and kind else 0))


async def _lock(
    thread: UserThread,
    file: int,
    offset: int,
    length: int,
    overlapped: Ptr[OVERLAPPED] | None,
    *,
    fail: bool,
    exclusive: bool,
) -> BOOL:
    with thread.frame() as frame:
        place = frame.bytes(offset.to_bytes(8, "little") + length.to_bytes(8, "little"))
        event, context = begin(overlapped) if overlapped else (0, 0)
        block = overlapped.address if overlapped else new_status(frame).address
        status = await nt.NtLockFile(
            thread, file, event, 0, context, block, place, place + 8, 0, int(fail), int(exclusive)
        )
        if status == STATUS.PENDING and overlapped is None:
            status = await wait_for(thread, file, IO_STATUS_BLOCK(thread.memory, block))
        if status == STATUS.PENDING or status >> 31:
            raise NtError(NTSTATUS(status))
    return BOOL(1)


async def _unlock(thread: UserThread, file: int, offset: int, length: int) -> BOOL:
    with thread.frame() as frame:
        place = frame.bytes(offset.to_bytes(8, "little") + length.to_bytes(8, "little"))
        await nt.NtUnlockFile(thread, file, new_status(frame).address, place, place + 8, 0)
    return BOOL(1)


@export
async def LockFile(
    thread: UserThread,
    hFile: HANDLE,
    dwFileOffsetLow: DWORD,
    dwFileOffsetHigh: DWORD,
    nNumberOfBytesToLockLow: DWORD,
    nNumberOfBytesToLockHigh: DWORD,
) -> BOOL:
    """Lock a range for oneself, at once or not at all."""
    offset = dwFileOffsetHigh << 32 | dwFileOffsetLow
    length = nNumberOfBytesToLockHigh << 32 | nNumberOfBytesToLockLow
    return await _lock(thread, hFile, offset, length, None, fail=True, exclusive=True)


@export
async def LockFileEx(
    thread: UserThread,
    hFile: HANDLE,
    dwFlags: DWORD,
    dwReserved: DWORD,
    nNumberOfBytesToLockLow: DWORD,
    nNumberOfBytesToLockHigh: DWORD,
    lpOverlapped: Ptr[OVERLAPPED],
) -> BOOL:
    """Lock a range, shared or not, waiting or not."""
    if dwReserved:
        raise WinError(ERROR.INVALID_PARAMETER)
    view = lpOverlapped.read()
    length = nNumberOfBytesToLockHigh << 32 | nNumberOfBytesToLockLow
    return await _lock(
        thread, hFile, int(view.OffsetHigh) << 32 | int(view.Offset), length, lpOverlapped,
        fail=dwFlags & LOCKFILE_FAIL_IMMEDIATELY != 0, exclusive=dwFlags & LOCKFILE_EXCLUSIVE_LOCK != 0,
    )  # fmt: skip


@export
async def UnlockFile(
    thread: UserThread,
    hFile: HANDLE,
    dwFileOffsetLow: DWORD,
    dwFileOffsetHigh: DWORD,
    nNumberOfBytesToUnlockLow: DWORD,
    nNumberOfBytesToUnlockHigh: DWORD,
) -> BOOL:
    """Give a locked range back."""
    offset = dwFileOffsetHigh << 32 | dwFileOffsetLow
    return await _unlock(thread, hFile, offset, nNumberOfBytesToUnlockHigh << 32 | nNumberOfBytesToUnlockLow)


@export
async def UnlockFileEx(
    thread: UserThread,
    hFile: HANDLE,
    dwReserved: DWORD,
    nNumberOfBytesToUnlockLow: DWORD,
    nNumberOfBytesToUnlockHigh: DWORD,
    lpOverlapped: Ptr[OVERLAPPED],
) -> BOOL:
    """Give a locked range back."""
    view = lpOverlapped.read()
    offset = int(view.OffsetHigh) << 32 | int(view.Offset)
    return await _unlock(thread, hFile, offset, nNumberOfBytesToUnlockHigh << 32 | nNumberOfBytesToUnlockLow)

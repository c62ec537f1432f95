"""Reading and writing: NtReadFile, NtWriteFile, their scattered forms, flushing, byte-range locks."""

from __future__ import annotations

from ntos.abi.access import FILE_APPEND_DATA, FILE_READ_DATA, FILE_WRITE_DATA
from ntos.abi.io import FO_NAMED_PIPE
from ntos.abi.layout.io import IO_STATUS_BLOCK
from ntos.abi.pointer import In, Out
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import BOOLEAN, HANDLE, LARGE_INTEGER, NTSTATUS, PVOID, ULONG
from ntos.io.file import FileObject
from ntos.io.perform import file_of, file_with_any, granted, make_request, perform, perform_waiting, probe
from ntos.io.request import READ, WRITE, Request
from ntos.ke.service import service
from ntos.ke.thread import Thread

WRITE_ACCESS = FILE_WRITE_DATA | FILE_APPEND_DATA
END_OF_FILE = -1
"""FILE_WRITE_TO_END_OF_FILE with a high part of -1."""
FILE_POINTER = -2
"""FILE_USE_FILE_POINTER_POSITION with a high part of -1."""
PAGE = 0x1000
UNSIGNED = 0xFFFF_FFFF_FFFF_FFFF


@service
async def NtReadFile(
    thread: Thread,
    FileHandle: HANDLE,
    Event: HANDLE,
    ApcRoutine: PVOID,
    ApcContext: PVOID,
    IoStatusBlock: Out[IO_STATUS_BLOCK],
    Buffer: PVOID,
    Length: ULONG,
    ByteOffset: In[LARGE_INTEGER] | None,
    Key: In[ULONG] | None,
) -> NTSTATUS:
    """Read bytes from a file, pipe or device."""
    file = file_of(thread, FileHandle, FILE_READ_DATA)
    probe(thread.memory, Buffer, Length)
    request = make_request(thread, file, Event, ApcRoutine, ApcContext, IoStatusBlock.address)
    request.buffer, request.length, request.key, request.account = Buffer, Length, int(Key or 0), READ
    chosen = _offset(file, ByteOffset, write=False)

    def dispatch(request: Request) -> None:
        request.offset = file.position if chosen is None else chosen
        file.device.driver.read(request)

    return await perform(request, dispatch)


@service
async def NtWriteFile(
    thread: Thread,
    FileHandle: HANDLE,
    Event: HANDLE,
    ApcRoutine: PVOID,
    ApcContext: PVOID,
    IoStatusBlock: Out[IO_STATUS_BLOCK],
    Buffer: PVOID,
    Length: ULONG,
    ByteOffset: In[LARGE_INTEGER] | None,
    Key: In[ULONG] | None,
) -> NTSTATUS:
    """Write bytes to a file, pipe or device."""
    file = file_with_any(thread, FileHandle, WRITE_ACCESS)
    data = thread.memory.read(Buffer, Length)
    request = make_request(thread, file, Event, ApcRoutine, ApcContext, IoStatusBlock.address)
    return await _write(request, data, _offset(file, ByteOffset, write=True), int(Key or 0))


async def _write(request: Request, data: bytes, chosen: int | None, key: int) -> NTSTATUS:
    file = request.file
    request.data, request.length, request.key, request.account = data, len(data), key, WRITE

    def dispatch(request: Request) -> None:
        request.offset = file.position if chosen is None else chosen
        file.device.driver.write(request)

    return await perform(request, dispatch)


def _offset(file: FileObject, offset: int | None, *, write: bool) -> int | None:
    """Where to begin; None for the file's own position, taken once the file is ours."""
    if offset is None or offset == FILE_POINTER:
        if file.is_synchronous:
            return None
        if int(file.view.Flags) & FO_NAMED_PIPE:
            return 0
        raise NtError(STATUS.INVALID_PARAMETER)
    if offset < 0 and not (write and offset == END_OF_FILE):
        raise NtError(STATUS.INVALID_PARAMETER)
    return int(offset)


@service
async def NtReadFileScatter(
    thread: Thread,
    FileHandle: HANDLE,
    Event: HANDLE,
    ApcRoutine: PVOID,
    ApcContext: PVOID,
    IoStatusBlock: Out[IO_STATUS_BLOCK],
    SegmentArray: PVOID,
    Length: ULONG,
    ByteOffset: In[LARGE_INTEGER] | None,
    Key: In[ULONG] | None,
) -> NTSTATUS:
    """Read into pages that lie apart."""
    file = file_of(thread, FileHandle, FILE_READ_DATA)
    pages = _segments(thread, SegmentArray, Length)
    for page in pages:
        probe(thread.memory, page, PAGE)
    scattered = _Scattered(thread, file, pages)
    request = make_request(thread, file, Event, ApcRoutine, ApcContext, IoStatusBlock.address, scattered)
    request.length, request.key, request.account = Length, int(Key or 0), READ
    chosen = _offset(file, ByteOffset, write=False)

    def dispatch(request: Request) -> None:
        request.offset = file.position if chosen is None else chosen
        file.device.driver.read(request)

    return await perform(request, dispatch)


class _Scattered(Request):
    """A read whose output goes to several pages."""

    def __init__(self, thread: Thread, file: FileObject, pages: list[int]) -> None:
        super().__init__(thread, file)
        self._pages = pages

    def put(self, output: bytes) -> None:
        for index, page in enumerate(self._pages):
            self.process.memory.write(page, output[index * PAGE : (index + 1) * PAGE])


@service
async def NtWriteFileGather(
    thread: Thread,
    FileHandle: HANDLE,
    Event: HANDLE,
    ApcRoutine: PVOID,
    ApcContext: PVOID,
    IoStatusBlock: Out[IO_STATUS_BLOCK],
    SegmentArray: PVOID,
    Length: ULONG,
    ByteOffset: In[LARGE_INTEGER] | None,
    Key: In[ULONG] | None,
) -> NTSTATUS:
    """Write from pages that lie apart."""
    file = file_with_any(thread, FileHandle, WRITE_ACCESS)
    pages = _segments(thread, SegmentArray, Length)
    data = b"".join(thread.memory.read(page, PAGE) for page in pages)[:Length]
    request = make_request(thread, file, Event, ApcRoutine, ApcContext, IoStatusBlock.address)
    return await _write(request, data, _offset(file, ByteOffset, write=True), int(Key or 0))


def _segments(thread: Thread, array: int, length: int) -> list[int]:
    count = -(-length // PAGE)
    data = thread.memory.read(array, 8 * count)
    return [int.from_bytes(data[index * 8 : index * 8 + 8], "little") for index in range(count)]


@service
async def NtFlushBuffersFile(
    thread: Thread, FileHandle: HANDLE, IoStatusBlock: Out[IO_STATUS_BLOCK]
) -> NTSTATUS:
    """Wait until what was written has reached the disk (or the other end of the pipe)."""
    file = file_with_any(thread, FileHandle, WRITE_ACCESS)
    request = make_request(thread, file, 0, 0, 0, IoStatusBlock.address)
    return await perform_waiting(request, file.device.driver.flush)


@service
async def NtFlushBuffersFileEx(
    thread: Thread,
    FileHandle: HANDLE,
    Flags: ULONG,
    Parameters: PVOID,
    ParametersSize: ULONG,
    IoStatusBlock: Out[IO_STATUS_BLOCK],
) -> NTSTATUS:
    """The same with flags; those that ask for less than a whole flush get the whole."""
    if Flags & ~0xF:
        raise NtError(STATUS.INVALID_PARAMETER)
    file = file_with_any(thread, FileHandle, WRITE_ACCESS)
    request = make_request(thread, file, 0, 0, 0, IoStatusBlock.address)
    return await perform_waiting(request, file.device.driver.flush)


def _range(offset: int, length: int) -> tuple[int, int]:
    """A byte range as file systems see it: unsigned (2**64 - 1 bytes from 0 are a whole file)."""
    return int(offset) & UNSIGNED, int(length) & UNSIGNED


@service
async def NtLockFile(
    thread: Thread,
    FileHandle: HANDLE,
    Event: HANDLE,
    ApcRoutine: PVOID,
    ApcContext: PVOID,
    IoStatusBlock: Out[IO_STATUS_BLOCK],
    ByteOffset: In[LARGE_INTEGER],
    Length: In[LARGE_INTEGER],
    Key: ULONG,
    FailImmediately: BOOLEAN,
    ExclusiveLock: BOOLEAN,
) -> NTSTATUS:
    """Lock a range of bytes against others."""
    file = file_of(thread, FileHandle)
    if not granted(thread, FileHandle) & (FILE_READ_DATA | FILE_WRITE_DATA):
        raise NtError(STATUS.ACCESS_DENIED)
    request = make_request(thread, file, Event, ApcRoutine, ApcContext, IoStatusBlock.address)
    request.offset, request.length, request.key = *_range(ByteOffset, Length), Key
    exclusive, at_once = bool(ExclusiveLock), bool(FailImmediately)
    driver = file.device.driver
    return await perform(request, lambda it: driver.lock(it, exclusive=exclusive, fail_immediately=at_once))


@service
async def NtUnlockFile(
    thread: Thread,
    FileHandle: HANDLE,
    IoStatusBlock: Out[IO_STATUS_BLOCK],
    ByteOffset: In[LARGE_INTEGER],
    Length: In[LARGE_INTEGER],
    Key: ULONG,
) -> NTSTATUS:
    """Unlock exactly a range that was locked."""
    file = file_of(thread, FileHandle)
    request = make_request(thread, file, 0, 0, 0, IoStatusBlock.address)
    request.offset, request.length, request.key = *_range(ByteOffset, Length), Key
    return await perform_waiting(request, file.device.driver.unlock)

"""Listing directories and hearing of changes in them."""

from __future__ import annotations

from ntos import ob
from ntos.abi.access import FILE_LIST_DIRECTORY
from ntos.abi.io import SL_RESTART_SCAN, SL_RETURN_SINGLE_ENTRY
from ntos.abi.layout.io import IO_STATUS_BLOCK
from ntos.abi.pointer import Out
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import BOOLEAN, HANDLE, NTSTATUS, PVOID, ULONG
from ntos.io.perform import file_of, make_request, perform, probe
from ntos.ke.service import service
from ntos.ke.thread import Thread

NOTIFY_FILTERS = 0xFFF


@service
async def NtQueryDirectoryFile(
    thread: Thread,
    FileHandle: HANDLE,
    Event: HANDLE,
    ApcRoutine: PVOID,
    ApcContext: PVOID,
    IoStatusBlock: Out[IO_STATUS_BLOCK],
    FileInformation: PVOID,
    Length: ULONG,
    FileInformationClass: ULONG,
    ReturnSingleEntry: BOOLEAN,
    FileName: PVOID,
    RestartScan: BOOLEAN,
) -> NTSTATUS:
    """The next entries of a directory. The first call's FileName is the pattern of the whole scan."""
    flags = (SL_RETURN_SINGLE_ENTRY if ReturnSingleEntry else 0) | (SL_RESTART_SCAN if RestartScan else 0)
    return await _query(
        thread, FileHandle, (Event, ApcRoutine, ApcContext, IoStatusBlock.address), (FileInformation, Length),
        FileInformationClass, FileName, flags,
    )  # fmt: skip


@service(partial="resuming at a file index (SL_INDEX_SPECIFIED)")
async def NtQueryDirectoryFileEx(
    thread: Thread,
    FileHandle: HANDLE,
    Event: HANDLE,
    ApcRoutine: PVOID,
    ApcContext: PVOID,
    IoStatusBlock: Out[IO_STATUS_BLOCK],
    FileInformation: PVOID,
    Length: ULONG,
    FileInformationClass: ULONG,
    QueryFlags: ULONG,
    FileName: PVOID,
) -> NTSTATUS:
    """The next entries of a directory, with flags instead of Booleans."""
    return await _query(
        thread, FileHandle, (Event, ApcRoutine, ApcContext, IoStatusBlock.address), (FileInformation, Length),
        FileInformationClass, FileName, QueryFlags,
    )  # fmt: skip


async def _query(
    thread: Thread,
    handle: int,
    notice: tuple[int, int, int, int],
    buffer: tuple[int, int],
    kind: int,
    name: int,
    flags: int,
) -> NTSTATUS:
    file = file_of(thread, handle, FILE_LIST_DIRECTORY)
    pattern = ob.read_unicode_string(thread.memory, name) if name else None
    probe(thread.memory, *buffer)
    request = make_request(thread, file, *notice)
    request.buffer, request.length = buffer
    driver = file.device.driver
    return await perform(request, lambda it: driver.query_directory(it, kind, pattern, flags))


@service
async def NtNotifyChangeDirectoryFile(
    thread: Thread,
    FileHandle: HANDLE,
    Event: HANDLE,
    ApcRoutine: PVOID,
    ApcContext: PVOID,
    IoStatusBlock: Out[IO_STATUS_BLOCK],
    Buffer: PVOID,
    Length: ULONG,
    CompletionFilter: ULONG,
    WatchTree: BOOLEAN,
) -> NTSTATUS:
    """Wait until something in a directory changes, through this machine."""
    if not CompletionFilter or CompletionFilter & ~NOTIFY_FILTERS:
        raise NtError(STATUS.INVALID_PARAMETER)
    file = file_of(thread, FileHandle, FILE_LIST_DIRECTORY)
    probe(thread.memory, Buffer, Length)
    request = make_request(thread, file, Event, ApcRoutine, ApcContext, IoStatusBlock.address)
    request.buffer, request.length = Buffer, Length
    driver, tree = file.device.driver, bool(WatchTree)
    return await perform(request, lambda it: driver.notify_change(it, CompletionFilter, tree=tree))


@service
def NtQueryEaFile(
    thread: Thread,
    FileHandle: HANDLE,
    IoStatusBlock: Out[IO_STATUS_BLOCK],
    Buffer: PVOID,
    Length: ULONG,
    ReturnSingleEntry: BOOLEAN,
    EaList: PVOID,
    EaListLength: ULONG,
    EaIndex: PVOID,
    RestartScan: BOOLEAN,
) -> NTSTATUS:
    """Extended attributes: no file of ours has any."""
    file_of(thread, FileHandle)
    raise NtError(STATUS.NO_EAS_ON_FILE)

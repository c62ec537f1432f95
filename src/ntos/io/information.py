"""NtQueryInformationFile and NtSetInformationFile, for files and for volumes."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ntos import ob
from ntos.abi import access as rights
from ntos.abi.io import (
    FILE_DIRECTORY_FILE,
    FILE_INFORMATION_CLASS,
    FILE_NO_INTERMEDIATE_BUFFERING,
    FILE_NON_DIRECTORY_FILE,
    FILE_OPEN,
    FILE_REMOTE_DEVICE,
    FILE_SEQUENTIAL_ONLY,
    FILE_SYNCHRONOUS_IO_ALERT,
    FILE_SYNCHRONOUS_IO_NONALERT,
    FILE_WRITE_THROUGH,
    FO_ALERTABLE_IO,
    FO_SEQUENTIAL_ONLY,
    FO_WRITE_THROUGH,
    FS_INFORMATION_CLASS,
)
from ntos.abi.layout.io import IO_STATUS_BLOCK
from ntos.abi.pointer import Out
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import HANDLE, NTSTATUS, PVOID, ULONG
from ntos.io.driver import Opening
from ntos.io.file import FILE, FileObject
from ntos.io.perform import file_of, granted, probe
from ntos.io.request import CompletionPort
from ntos.io.volume.filesystem import FileSystem
from ntos.ke.service import service
from ntos.ke.thread import Thread
from ntos.ob.manager import ObjectManager
from ntos.rtl.text import from_utf16

if TYPE_CHECKING:
    from collections.abc import Callable

_C = FILE_INFORMATION_CLASS
_V = FS_INFORMATION_CLASS

QUERY_SIZES: dict[int, int] = {
    _C.FileBasicInformation: 0x28, _C.FileStandardInformation: 0x18, _C.FileInternalInformation: 8,
    _C.FileEaInformation: 4, _C.FileAccessInformation: 4, _C.FileNameInformation: 8,
    _C.FilePositionInformation: 8, _C.FileModeInformation: 4, _C.FileAlignmentInformation: 4,
    _C.FileAllInformation: 0x68, _C.FileAlternateNameInformation: 8, _C.FileStreamInformation: 0x20,
    _C.FilePipeInformation: 8, _C.FilePipeLocalInformation: 0x28, _C.FilePipeRemoteInformation: 0x10,
    _C.FileMailslotQueryInformation: 0x18,
    _C.FileCompressionInformation: 0x10, _C.FileNetworkOpenInformation: 0x38,
    _C.FileAttributeTagInformation: 8, _C.FileIoCompletionNotificationInformation: 4,
    _C.FileIoPriorityHintInformation: 4, _C.FileNormalizedNameInformation: 8,
    _C.FileIsRemoteDeviceInformation: 1, _C.FileStandardLinkInformation: 0xC, _C.FileVolumeNameInformation: 8,
    _C.FileIdInformation: 0x18, _C.FileStatInformation: 0x48, _C.FileCaseSensitiveInformation: 4,
}  # fmt: skip
"""The least room each class asks for (IopQueryOperationLength)."""
ATTRIBUTE_CLASSES: frozenset[int] = frozenset((
    _C.FileBasicInformation, _C.FileAllInformation, _C.FileNetworkOpenInformation,
    _C.FileAttributeTagInformation, _C.FilePipeInformation, _C.FilePipeLocalInformation,
    _C.FileStatInformation,
))  # fmt: skip
"""These need FILE_READ_ATTRIBUTES (IopQueryOperationAccess)."""
SET_SIZES: dict[int, int] = {
    _C.FileBasicInformation: 0x28, _C.FileRenameInformation: 0x18, _C.FileLinkInformation: 0x18,
    _C.FileDispositionInformation: 1, _C.FilePositionInformation: 8, _C.FileModeInformation: 4,
    _C.FileAllocationInformation: 8, _C.FileEndOfFileInformation: 8, _C.FilePipeInformation: 8,
    _C.FileCompletionInformation: 0x10, _C.FileValidDataLengthInformation: 8,
    _C.FileIoCompletionNotificationInformation: 4, _C.FileIoPriorityHintInformation: 4,
    _C.FileReplaceCompletionInformation: 0x10, _C.FileDispositionInformationEx: 4,
    _C.FileRenameInformationEx: 0x18, _C.FileLinkInformationEx: 0x18, _C.FileMailslotSetInformation: 8,
}  # fmt: skip
SET_ACCESS: dict[int, int] = {
    _C.FileBasicInformation: rights.FILE_WRITE_ATTRIBUTES, _C.FileRenameInformation: rights.DELETE,
    _C.FileRenameInformationEx: rights.DELETE, _C.FileDispositionInformation: rights.DELETE,
    _C.FileDispositionInformationEx: rights.DELETE, _C.FileAllocationInformation: rights.FILE_WRITE_DATA,
    _C.FileEndOfFileInformation: rights.FILE_WRITE_DATA, _C.FilePipeInformation: rights.FILE_WRITE_ATTRIBUTES,
    _C.FileValidDataLengthInformation: rights.FILE_WRITE_DATA,
}  # fmt: skip
RENAMING: frozenset[int] = frozenset((_C.FileRenameInformation, _C.FileRenameInformationEx))
LINKING: frozenset[int] = frozenset((_C.FileLinkInformation, _C.FileLinkInformationEx))
NAME_OFFSET = 0x14
MODE_BITS = (
    FILE_WRITE_THROUGH | FILE_SEQUENTIAL_ONLY | FILE_NO_INTERMEDIATE_BUFFERING | FILE_SYNCHRONOUS_IO_ALERT
    | FILE_SYNCHRONOUS_IO_NONALERT | 0x1000
)  # fmt: skip
IO_COMPLETION_MODIFY_STATE = 2
NORMAL_PRIORITY = 2


@service
def NtQueryInformationFile(
    thread: Thread,
    FileHandle: HANDLE,
    IoStatusBlock: Out[IO_STATUS_BLOCK],
    FileInformation: PVOID,
    Length: ULONG,
    FileInformationClass: ULONG,
) -> NTSTATUS:
    """What there is to know about an open file; a name that does not fit is cut (BUFFER_OVERFLOW)."""
    kind = int(FileInformationClass)
    if kind not in QUERY_SIZES:
        raise NtError(STATUS.INVALID_INFO_CLASS)
    if Length < QUERY_SIZES[kind]:
        raise NtError(STATUS.INFO_LENGTH_MISMATCH)
    access = rights.FILE_READ_ATTRIBUTES if kind in ATTRIBUTE_CLASSES else 0
    file = file_of(thread, FileHandle, access)
    probe(thread.memory, FileInformation, Length)
    answer = _query(thread, file, FileHandle, kind)
    return _answer(thread, IoStatusBlock, FileInformation, Length, answer)


def _answer(thread: Thread, block: Out[IO_STATUS_BLOCK], buffer: int, length: int, answer: bytes) -> NTSTATUS:
    status = STATUS.BUFFER_OVERFLOW if len(answer) > length else STATUS.SUCCESS
    part = answer[:length]
    thread.memory.write(buffer, part)
    block.memory.write(block.address, struct.pack("<QQ", int(status), len(part)))
    return status


def _query(thread: Thread, file: FileObject, handle: int, kind: int) -> bytes:
    match kind:
        case _C.FileAccessInformation:
            return struct.pack("<I", granted(thread, handle))
        case _C.FilePositionInformation:
            return struct.pack("<q", file.position)
        case _C.FileModeInformation:
            return struct.pack("<I", _mode(file))
        case _C.FileAlignmentInformation:
            return struct.pack("<I", int(file.device.view.AlignmentRequirement))
        case _C.FileIoCompletionNotificationInformation:
            return struct.pack("<I", file.completion_modes)
        case _C.FileIoPriorityHintInformation:
            return struct.pack("<I", NORMAL_PRIORITY)
        case _C.FileIsRemoteDeviceInformation:
            return bytes([bool(file.device.characteristics & FILE_REMOTE_DEVICE)])
        case _C.FileVolumeNameInformation:
            name = file.device.path.encode("utf-16-le")
            return struct.pack("<I", len(name)) + name
        case _C.FileAllInformation:
            return _all(thread, file, handle)
        case _:
            return file.device.driver.query_information(file, kind)


def _all(thread: Thread, file: FileObject, handle: int) -> bytes:
    query = file.device.driver.query_information
    return b"".join((
        query(file, _C.FileBasicInformation), query(file, _C.FileStandardInformation),
        query(file, _C.FileInternalInformation), query(file, _C.FileEaInformation),
        struct.pack("<IqII", granted(thread, handle), file.position, _mode(file), 0),
        query(file, _C.FileNameInformation),
    ))  # fmt: skip


def _mode(file: FileObject) -> int:
    flags, mode = int(file.view.Flags), file.options & MODE_BITS
    for option, flag in ((FILE_WRITE_THROUGH, FO_WRITE_THROUGH), (FILE_SEQUENTIAL_ONLY, FO_SEQUENTIAL_ONLY)):
        mode = mode | option if flags & flag else mode & ~option
    return mode


@service
def NtSetInformationFile(
    thread: Thread,
    FileHandle: HANDLE,
    IoStatusBlock: Out[IO_STATUS_BLOCK],
    FileInformation: PVOID,
    Length: ULONG,
    FileInformationClass: ULONG,
) -> NTSTATUS:
    """Change something about an open file: times, name, size, deletion, position, mode, completion port."""
    kind = int(FileInformationClass)
    if kind not in SET_SIZES:
        raise NtError(STATUS.INVALID_INFO_CLASS)
    if Length < SET_SIZES[kind]:
        raise NtError(STATUS.INFO_LENGTH_MISMATCH)
    file = file_of(thread, FileHandle, SET_ACCESS.get(kind, 0))
    data = thread.memory.read(FileInformation, Length)
    if kind in RENAMING or kind in LINKING:
        _rename(thread, file, data, kind)
    else:
        _set(thread, file, kind, data)
    IoStatusBlock.memory.write(IoStatusBlock.address, bytes(16))
    return STATUS.SUCCESS


def _set(thread: Thread, file: FileObject, kind: int, data: bytes) -> None:
    match kind:
        case _C.FilePositionInformation:
            position = int.from_bytes(data[:8], "little", signed=True)
            if position < 0:
                raise NtError(STATUS.INVALID_PARAMETER)
            file.view.CurrentByteOffset = position
        case _C.FileModeInformation:
            _set_mode(file, int.from_bytes(data[:4], "little"))
        case _C.FileCompletionInformation | _C.FileReplaceCompletionInformation:
            _set_completion(thread, file, data, replace=kind == _C.FileReplaceCompletionInformation)
        case _C.FileIoCompletionNotificationInformation:
            flags = int.from_bytes(data[:4], "little")
            if flags & ~7:
                raise NtError(STATUS.INVALID_PARAMETER)
            file.completion_modes |= flags
        case _C.FileIoPriorityHintInformation:
            if int.from_bytes(data[:4], "little") > 4:
                raise NtError(STATUS.INVALID_PARAMETER)
        case _:
            file.device.driver.set_information(file, kind, data, thread)


def _set_mode(file: FileObject, mode: int) -> None:
    synchronous = mode & (FILE_SYNCHRONOUS_IO_ALERT | FILE_SYNCHRONOUS_IO_NONALERT)
    changeable = FILE_WRITE_THROUGH | FILE_SEQUENTIAL_ONLY
    if mode & ~(MODE_BITS & ~0x1000) or bool(synchronous) != file.is_synchronous:
        raise NtError(STATUS.INVALID_PARAMETER)
    if synchronous == FILE_SYNCHRONOUS_IO_ALERT | FILE_SYNCHRONOUS_IO_NONALERT:
        raise NtError(STATUS.INVALID_PARAMETER)
    flags = int(file.view.Flags) & ~(FO_WRITE_THROUGH | FO_SEQUENTIAL_ONLY | FO_ALERTABLE_IO)
    for option, flag in (
        (FILE_WRITE_THROUGH, FO_WRITE_THROUGH), (FILE_SEQUENTIAL_ONLY, FO_SEQUENTIAL_ONLY),
        (FILE_SYNCHRONOUS_IO_ALERT, FO_ALERTABLE_IO),
    ):  # fmt: skip
        flags |= flag if mode & option else 0
    file.view.Flags = flags
    file.options = file.options & ~(changeable | synchronous) | mode


def _set_completion(thread: Thread, file: FileObject, data: bytes, *, replace: bool) -> None:
    handle, key = struct.unpack("<QQ", data[:16])
    if replace:
        file.dissociate()
        if not handle:
            return
    kind = thread.kernel[ObjectManager].find_type("IoCompletion")
    found = ob.by_handle(thread, handle, IO_COMPLETION_MODIFY_STATE, kind)
    port: CompletionPort = found
    file.associate(port, found, key)


# ---------------------------------------------------------------- names


def _rename(thread: Thread, file: FileObject, data: bytes, kind: int) -> None:
    flags, root, size = struct.unpack_from("<I4xQI", data)
    if kind in {_C.FileRenameInformation, _C.FileLinkInformation}:
        flags = data[0] != 0
    if not size or size & 1 or NAME_OFFSET + size > len(data):
        raise NtError(STATUS.INVALID_PARAMETER)
    driver = file.device.driver
    if not isinstance(driver, FileSystem):
        raise NtError(STATUS.INVALID_PARAMETER)
    name = from_utf16(data[NAME_OFFSET : NAME_OFFSET + size])
    with_directory(
        thread, file, name, root,
        lambda directory, last: driver.rename(file, directory, last, flags, link=kind in LINKING),
    )  # fmt: skip


def with_directory(
    thread: Thread, file: FileObject, name: str, root: int, act: Callable[[FileObject, str], None]
) -> None:
    """Open the directory a new name is to stand in (IopOpenLinkOrRenameTarget) while `act` uses it."""
    opening = Opening(
        thread.kernel, thread, rights.FILE_ADD_FILE | rights.SYNCHRONIZE, FILE_OPEN,
        FILE_DIRECTORY_FILE & ~FILE_NON_DIRECTORY_FILE, 7, query=True, target_directory=True,
    )  # fmt: skip
    if not root and not name.startswith("\\"):
        # A bare name stays in the file's own directory.
        if ":" in name:
            raise NtError(STATUS.NOT_SUPPORTED)
        name = file.path.rpartition("\\")[0] + "\\" + name
    directory = ob.lookup(thread, name, root_handle=root, kind=FILE, access=opening.access, context=opening)
    try:
        if directory.device is not file.device:
            raise NtError(STATUS.NOT_SAME_DEVICE)
        act(directory, opening.name)
    finally:
        ob.dereference(directory)


# ---------------------------------------------------------------- volumes

VOLUME_SIZES: dict[int, int] = {
    _V.FileFsVolumeInformation: 0x18, _V.FileFsSizeInformation: 0x18, _V.FileFsDeviceInformation: 8,
    _V.FileFsAttributeInformation: 0x10, _V.FileFsFullSizeInformation: 0x20,
    _V.FileFsObjectIdInformation: 0x40, _V.FileFsSectorSizeInformation: 0x1C,
}  # fmt: skip


@service
def NtQueryVolumeInformationFile(
    thread: Thread,
    FileHandle: HANDLE,
    IoStatusBlock: Out[IO_STATUS_BLOCK],
    FsInformation: PVOID,
    Length: ULONG,
    FsInformationClass: ULONG,
) -> NTSTATUS:
    """What there is to know about the volume or device a file is open on."""
    kind = int(FsInformationClass)
    if kind not in VOLUME_SIZES:
        raise NtError(STATUS.INVALID_INFO_CLASS)
    if Length < VOLUME_SIZES[kind]:
        raise NtError(STATUS.INFO_LENGTH_MISMATCH)
    file = file_of(thread, FileHandle)
    if kind == _V.FileFsDeviceInformation:
        # The I/O manager answers itself, from the device object.
        answer = struct.pack("<II", file.device.type, file.device.characteristics)
    else:
        answer = file.device.driver.query_volume(file, kind)
    return _answer(thread, IoStatusBlock, FsInformation, Length, answer)


@service
def NtSetVolumeInformationFile(
    thread: Thread,
    FileHandle: HANDLE,
    IoStatusBlock: Out[IO_STATUS_BLOCK],
    FsInformation: PVOID,
    Length: ULONG,
    FsInformationClass: ULONG,
) -> NTSTATUS:
    """Change the volume's label."""
    file = file_of(thread, FileHandle, rights.FILE_WRITE_DATA)
    kind = int(FsInformationClass)
    if kind != _V.FileFsLabelInformation:
        raise NtError(STATUS.INVALID_INFO_CLASS)
    if Length < 8:
        raise NtError(STATUS.INFO_LENGTH_MISMATCH)
    file.device.driver.set_volume(file, kind, thread.memory.read(FsInformation, Length))
    IoStatusBlock.memory.write(IoStatusBlock.address, bytes(16))
    return STATUS.SUCCESS

"""Opening and creating by name: NtCreateFile and its relatives (IopCreateFile)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ntos import ob
from ntos.abi import access as rights
from ntos.abi.io import (
    FILE_CREATE,
    FILE_CREATE_TREE_CONNECTION,
    FILE_DELETE_ON_CLOSE,
    FILE_DIRECTORY_FILE,
    FILE_MAXIMUM_DISPOSITION,
    FILE_NO_INTERMEDIATE_BUFFERING,
    FILE_NON_DIRECTORY_FILE,
    FILE_OPEN,
    FILE_OPEN_REPARSE_POINT,
    FILE_OVERWRITE,
    FILE_OVERWRITE_IF,
    FILE_SHARE_DELETE,
    FILE_SHARE_READ,
    FILE_SHARE_VALID_FLAGS,
    FILE_SHARE_WRITE,
    FILE_SUPERSEDE,
    FILE_SYNCHRONOUS_IO_ALERT,
    FILE_SYNCHRONOUS_IO_NONALERT,
    FILE_VALID_OPTION_FLAGS,
)
from ntos.abi.layout.file_info import FILE_BASIC_INFORMATION, FILE_NETWORK_OPEN_INFORMATION
from ntos.abi.layout.io import IO_STATUS_BLOCK
from ntos.abi.layout.object import OBJECT_ATTRIBUTES
from ntos.abi.pointer import In, Out
from ntos.abi.status import STATUS, Denied, NtError
from ntos.abi.types import ACCESS_MASK, HANDLE, LARGE_INTEGER, NTSTATUS, PVOID, ULONG
from ntos.etw.event import FileOpened
from ntos.io.driver import MailslotParameters, Opening, PipeParameters
from ntos.io.file import FILE, FileObject
from ntos.io.volume.information import basic, network_open
from ntos.io.volume.open import VolumeOpen
from ntos.ke.kernel import Kernel
from ntos.ke.service import service
from ntos.ke.thread import Thread
from ntos.ob.attributes import Attributes

if TYPE_CHECKING:
    from ntos.io.volume.node import Facts

SYNCHRONOUS = FILE_SYNCHRONOUS_IO_ALERT | FILE_SYNCHRONOUS_IO_NONALERT
DIRECTORY_DISPOSITIONS_REFUSED = frozenset((FILE_SUPERSEDE, FILE_OVERWRITE, FILE_OVERWRITE_IF))
SHARE_ALL = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE
QUERY_OPTIONS = FILE_OPEN_REPARSE_POINT
_PIPE_MODES = 1


def open_file(
    who: Thread | Kernel,
    path: str,
    access: int = rights.FILE_READ_DATA,
    share: int = SHARE_ALL,
    disposition: int = FILE_OPEN,
    options: int = FILE_SYNCHRONOUS_IO_NONALERT,
) -> FileObject:
    """The kernel's own open of an NT path: a file object with one reference and no handle (IoCreateFile)."""
    thread = who if isinstance(who, Thread) else None
    kernel = who.kernel if isinstance(who, Thread) else who
    opening = Opening(kernel, thread, access, disposition, options, share)
    found = ob.lookup(who, path, kind=FILE, access=access, context=opening)
    assert isinstance(found, FileObject)
    _tell(kernel, found.path, opening, STATUS.SUCCESS)
    return found


def object_name(file: FileObject) -> str:
    r"""The NT name: `\Device\HarddiskVolume2\Windows\notepad.exe`."""
    return file.path


@service
def NtCreateFile(
    thread: Thread,
    FileHandle: Out[HANDLE],
    DesiredAccess: ACCESS_MASK,
    ObjectAttributes: In[OBJECT_ATTRIBUTES],
    IoStatusBlock: Out[IO_STATUS_BLOCK],
    AllocationSize: In[LARGE_INTEGER] | None,
    FileAttributes: ULONG,
    ShareAccess: ULONG,
    CreateDisposition: ULONG,
    CreateOptions: ULONG,
    EaBuffer: PVOID,
    EaLength: ULONG,
) -> NTSTATUS:
    """Open or create a file, directory, pipe or device; the block's Information says which of it happened."""
    if EaBuffer and EaLength:
        raise NtError(STATUS.EAS_NOT_SUPPORTED)
    opening = Opening(
        thread.kernel, thread, DesiredAccess, CreateDisposition, CreateOptions, ShareAccess, FileAttributes,
        int(AllocationSize or 0),
    )  # fmt: skip
    return _create(thread, FileHandle, ObjectAttributes, IoStatusBlock, opening)


@service
def NtOpenFile(
    thread: Thread,
    FileHandle: Out[HANDLE],
    DesiredAccess: ACCESS_MASK,
    ObjectAttributes: In[OBJECT_ATTRIBUTES],
    IoStatusBlock: Out[IO_STATUS_BLOCK],
    ShareAccess: ULONG,
    OpenOptions: ULONG,
) -> NTSTATUS:
    """Open what exists."""
    opening = Opening(thread.kernel, thread, DesiredAccess, FILE_OPEN, OpenOptions, ShareAccess)
    return _create(thread, FileHandle, ObjectAttributes, IoStatusBlock, opening)


@service
def NtCreateNamedPipeFile(
    thread: Thread,
    FileHandle: Out[HANDLE],
    DesiredAccess: ACCESS_MASK,
    ObjectAttributes: In[OBJECT_ATTRIBUTES] | None,
    IoStatusBlock: Out[IO_STATUS_BLOCK],
    ShareAccess: ULONG,
    CreateDisposition: ULONG,
    CreateOptions: ULONG,
    NamedPipeType: ULONG,
    ReadMode: ULONG,
    CompletionMode: ULONG,
    MaximumInstances: ULONG,
    InboundQuota: ULONG,
    OutboundQuota: ULONG,
    DefaultTimeout: In[LARGE_INTEGER] | None,
) -> NTSTATUS:
    """Make an instance of a named pipe and open its server end."""
    if ObjectAttributes is None or not MaximumInstances:
        raise NtError(STATUS.INVALID_PARAMETER)
    if NamedPipeType > 3 or ReadMode > _PIPE_MODES or CompletionMode > _PIPE_MODES:
        raise NtError(STATUS.INVALID_PARAMETER)
    if ReadMode and not NamedPipeType & 1:
        raise NtError(STATUS.INVALID_PARAMETER)
    if DefaultTimeout is not None and int(DefaultTimeout) >= 0:
        raise NtError(STATUS.INVALID_PARAMETER)
    opening = Opening(thread.kernel, thread, DesiredAccess, CreateDisposition, CreateOptions, ShareAccess)
    opening.pipe = PipeParameters(
        message_type=bool(NamedPipeType & 1),
        message_mode=bool(ReadMode),
        non_blocking=bool(CompletionMode),
        reject_remote=bool(NamedPipeType & 2),
        maximum_instances=MaximumInstances,
        inbound_quota=InboundQuota,
        outbound_quota=OutboundQuota,
        timeout=0 if DefaultTimeout is None else int(DefaultTimeout),
    )
    return _create(thread, FileHandle, ObjectAttributes, IoStatusBlock, opening)


@service
def NtCreateMailslotFile(
    thread: Thread,
    FileHandle: Out[HANDLE],
    DesiredAccess: ACCESS_MASK,
    ObjectAttributes: In[OBJECT_ATTRIBUTES] | None,
    IoStatusBlock: Out[IO_STATUS_BLOCK],
    CreateOptions: ULONG,
    MailslotQuota: ULONG,
    MaximumMessageSize: ULONG,
    ReadTimeout: In[LARGE_INTEGER] | None,
) -> NTSTATUS:
    """Make a mailslot and open its reader's end."""
    if ObjectAttributes is None:
        raise NtError(STATUS.INVALID_PARAMETER)
    share = FILE_SHARE_READ | FILE_SHARE_WRITE
    opening = Opening(thread.kernel, thread, DesiredAccess, FILE_CREATE, CreateOptions, share)
    timeout = -1 if ReadTimeout is None else int(ReadTimeout)
    opening.mailslot = MailslotParameters(MailslotQuota, MaximumMessageSize, timeout)
    return _create(thread, FileHandle, ObjectAttributes, IoStatusBlock, opening)


def _create(
    thread: Thread,
    handle: Out[HANDLE],
    attributes: OBJECT_ATTRIBUTES,
    block: Out[IO_STATUS_BLOCK],
    opening: Opening,
) -> NTSTATUS:
    _check(opening)
    said = ob.capture(attributes, FILE)
    if said.name == "" and said.root:
        said = Attributes("", said.root, said.flags, said.security_descriptor, said.quality_of_service)
    try:
        made = ob.open_by_name(thread, FILE, said, opening.access, opening)
    except NtError as error:
        _tell(thread.kernel, said.name or "", opening, error.status)
        raise
    block.memory.write(block.address, struct.pack("<QQ", 0, opening.information))
    handle.write(made)
    if thread.kernel.log.wants(FileOpened):
        _tell(thread.kernel, ob.by_handle(thread, made, 0, FILE).path, opening, STATUS.SUCCESS)
    return STATUS.SUCCESS


def _tell(kernel: Kernel, path: str, opening: Opening, status: NTSTATUS) -> None:
    if kernel.log.wants(FileOpened) and not opening.query:
        disposition = opening.disposition
        kernel.log.emit(
            FileOpened(path=path, access=opening.access, disposition=disposition, status=int(status))
        )


def _check(opening: Opening) -> None:
    """Combinations that the I/O manager itself refuses (IopCreateFile)."""
    options, access = opening.options, opening.access
    bad = (
        options & ~FILE_VALID_OPTION_FLAGS
        or opening.disposition > FILE_MAXIMUM_DISPOSITION
        or opening.share & ~FILE_SHARE_VALID_FLAGS
        or (options & FILE_DIRECTORY_FILE and options & FILE_NON_DIRECTORY_FILE)
        or (options & FILE_DIRECTORY_FILE and opening.disposition in DIRECTORY_DISPOSITIONS_REFUSED)
        or options & SYNCHRONOUS == SYNCHRONOUS
        or (options & SYNCHRONOUS and not access & rights.SYNCHRONIZE and not access & _GENERIC_SYNCHRONIZE)
        or (options & FILE_DELETE_ON_CLOSE and not access & _GENERIC_DELETE)
        or (options & FILE_NO_INTERMEDIATE_BUFFERING and access & rights.FILE_APPEND_DATA
        and not access & rights.FILE_WRITE_DATA)
        or (options & FILE_CREATE_TREE_CONNECTION and options & FILE_DIRECTORY_FILE)
    )  # fmt: skip
    if bad:
        because = Denied(
            "options that exclude one another",
            {"options": f"0x{options:X}", "access": f"0x{access:X}", "disposition": opening.disposition},
            "synchronous I/O needs SYNCHRONIZE, delete-on-close needs DELETE",
        )
        raise NtError(STATUS.INVALID_PARAMETER, because=because)


_GENERIC_DELETE = rights.DELETE | rights.GENERIC_ALL | rights.MAXIMUM_ALLOWED
_GENERIC_SYNCHRONIZE = (
    rights.GENERIC_READ
    | rights.GENERIC_WRITE
    | rights.GENERIC_EXECUTE
    | rights.GENERIC_ALL
    | rights.MAXIMUM_ALLOWED
)


# ---------------------------------------------------------------- asking by name


@service
def NtQueryAttributesFile(
    thread: Thread, ObjectAttributes: In[OBJECT_ATTRIBUTES], FileInformation: Out[FILE_BASIC_INFORMATION]
) -> NTSTATUS:
    """Times and attributes of a file by name."""
    FileInformation.memory.write(FileInformation.address, basic(_facts(thread, ObjectAttributes)))
    return STATUS.SUCCESS


@service
def NtQueryFullAttributesFile(
    thread: Thread,
    ObjectAttributes: In[OBJECT_ATTRIBUTES],
    FileInformation: Out[FILE_NETWORK_OPEN_INFORMATION],
) -> NTSTATUS:
    """Times, attributes and size of a file by name."""
    FileInformation.memory.write(FileInformation.address, network_open(_facts(thread, ObjectAttributes)))
    return STATUS.SUCCESS


def _facts(thread: Thread, attributes: OBJECT_ATTRIBUTES) -> Facts:
    opening = Opening(
        thread.kernel, thread, rights.FILE_READ_ATTRIBUTES, FILE_OPEN, QUERY_OPTIONS, SHARE_ALL, query=True
    )
    file = _open_for_a_moment(thread, attributes, opening)
    try:
        if not isinstance(file.context, VolumeOpen):
            raise NtError(STATUS.INVALID_DEVICE_REQUEST)
        return file.context.node.facts()
    finally:
        ob.dereference(file)


@service
def NtDeleteFile(thread: Thread, ObjectAttributes: In[OBJECT_ATTRIBUTES]) -> NTSTATUS:
    """Delete a file by name."""
    options = FILE_DELETE_ON_CLOSE
    opening = Opening(thread.kernel, thread, rights.DELETE, FILE_OPEN, options, SHARE_ALL)
    ob.dereference(_open_for_a_moment(thread, ObjectAttributes, opening))
    return STATUS.SUCCESS


def _open_for_a_moment(thread: Thread, attributes: OBJECT_ATTRIBUTES, opening: Opening) -> FileObject:
    said = ob.capture(attributes, FILE)
    if said.name is None:
        raise NtError(STATUS.OBJECT_PATH_SYNTAX_BAD)
    found = ob.lookup(
        thread, said.name, root_handle=said.root, case_insensitive=bool(said.flags & 0x40), kind=FILE,
        access=opening.access, context=opening,
    )  # fmt: skip
    assert isinstance(found, FileObject)
    return found

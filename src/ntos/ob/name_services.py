"""System services on directories and symbolic links."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ntos.abi import access as rights
from ntos.abi.layout.api import OBJECT_DIRECTORY_INFORMATION
from ntos.abi.layout.object import OBJECT_ATTRIBUTES
from ntos.abi.layout.string import UNICODE_STRING
from ntos.abi.pointer import In, Out, Ptr
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import ACCESS_MASK, BOOLEAN, HANDLE, NTSTATUS, PVOID, ULONG
from ntos.ke.service import service
from ntos.ob.directory import DIRECTORY, Directory, name_of
from ntos.ob.handle import by_handle
from ntos.ob.insert import create_or_open, open_by_name
from ntos.ob.manager import ObjectManager
from ntos.ob.object import create
from ntos.ob.symlink import SYMBOLIC_LINK, create_link
from ntos.rtl.text import to_utf16

if TYPE_CHECKING:
    from ntos.ke.thread import Thread

ENTRY = OBJECT_DIRECTORY_INFORMATION.size


@service
def NtCreateDirectoryObject(
    thread: Thread,
    DirectoryHandle: Out[HANDLE],
    DesiredAccess: ACCESS_MASK,
    ObjectAttributes: In[OBJECT_ATTRIBUTES] | None,
) -> NTSTATUS:
    """Create an object directory."""
    handle, status = create_or_open(
        thread, DIRECTORY, ObjectAttributes, DesiredAccess, lambda: create(thread.kernel, DIRECTORY)
    )
    DirectoryHandle.write(handle)
    return status


@service(partial="Flags must be 0")
def NtCreateDirectoryObjectEx(
    thread: Thread,
    DirectoryHandle: Out[HANDLE],
    DesiredAccess: ACCESS_MASK,
    ObjectAttributes: In[OBJECT_ATTRIBUTES] | None,
    ShadowDirectoryHandle: HANDLE,
    Flags: ULONG,
) -> NTSTATUS:
    """Create a directory in which names that are missing are looked for in another."""
    if Flags:
        raise NtError(STATUS.INVALID_PARAMETER)
    shadow = (
        by_handle(thread, ShadowDirectoryHandle, rights.DIRECTORY_QUERY, DIRECTORY)
        if ShadowDirectoryHandle
        else None
    )

    def make() -> Directory:
        made = create(thread.kernel, DIRECTORY)
        if shadow is not None:
            made.set_shadow(shadow)
        return made

    handle, status = create_or_open(thread, DIRECTORY, ObjectAttributes, DesiredAccess, make)
    DirectoryHandle.write(handle)
    return status


@service
def NtOpenDirectoryObject(
    thread: Thread,
    DirectoryHandle: Out[HANDLE],
    DesiredAccess: ACCESS_MASK,
    ObjectAttributes: In[OBJECT_ATTRIBUTES] | None,
) -> NTSTATUS:
    """Open an object directory."""
    DirectoryHandle.write(0)
    DirectoryHandle.write(open_by_name(thread, DIRECTORY, ObjectAttributes, DesiredAccess))
    return STATUS.SUCCESS


@service
def NtQueryDirectoryObject(
    thread: Thread,
    DirectoryHandle: HANDLE,
    Buffer: PVOID,
    Length: ULONG,
    ReturnSingleEntry: BOOLEAN,
    RestartScan: BOOLEAN,
    Context: Ptr[ULONG],
    ReturnLength: Out[ULONG] | None,
) -> NTSTATUS:
    """The next names in a directory and their types: an array ended by a zero entry, then the texts."""
    directory = by_handle(thread, DirectoryHandle, rights.DIRECTORY_QUERY, DIRECTORY)
    manager = thread.kernel[ObjectManager]
    start = 0 if RestartScan else Context.read()
    waiting = [(name_of(obj), manager.kind_of_name(obj)) for obj in directory.entries()][start:]
    if not waiting:
        if ReturnLength is not None:
            ReturnLength.write(0)
        return STATUS.NO_MORE_ENTRIES
    chosen: list[tuple[bytes, bytes]] = []
    size = ENTRY
    for name, kind in waiting[:1] if ReturnSingleEntry else waiting:
        texts = to_utf16(name) + b"\0\0", to_utf16(kind) + b"\0\0"
        more = ENTRY + len(texts[0]) + len(texts[1])
        if size + more > Length:
            break
        size += more
        chosen.append(texts)
    if not chosen:
        name, kind = waiting[0]
        if ReturnLength is not None:
            ReturnLength.write(2 * ENTRY + len(to_utf16(name)) + len(to_utf16(kind)) + 4)
        return STATUS.BUFFER_TOO_SMALL
    thread.memory.write(Buffer, _directory_information(chosen, Buffer))
    Context.write(start + len(chosen))
    if ReturnLength is not None:
        ReturnLength.write(size)
    return STATUS.SUCCESS if ReturnSingleEntry or len(chosen) == len(waiting) else STATUS.MORE_ENTRIES


def _directory_information(chosen: list[tuple[bytes, bytes]], address: int) -> bytes:
    head, tail = bytearray(), bytearray()
    text = address + (len(chosen) + 1) * ENTRY
    for pair in chosen:
        for data in pair:
            head += struct.pack("<HHIQ", len(data) - 2, len(data), 0, text + len(tail))
            tail += data
    return bytes(head) + bytes(ENTRY) + bytes(tail)


@service
def NtCreateSymbolicLinkObject(
    thread: Thread,
    LinkHandle: Out[HANDLE],
    DesiredAccess: ACCESS_MASK,
    ObjectAttributes: In[OBJECT_ATTRIBUTES],
    LinkTarget: In[UNICODE_STRING],
) -> NTSTATUS:
    """Create a symbolic link in the object namespace."""
    if not LinkTarget.MaximumLength or LinkTarget.Length & 1:
        raise NtError(STATUS.INVALID_PARAMETER)
    target = LinkTarget.text
    handle, status = create_or_open(
        thread, SYMBOLIC_LINK, ObjectAttributes, DesiredAccess, lambda: create_link(thread.kernel, target)
    )
    LinkHandle.write(handle)
    return status


@service
def NtOpenSymbolicLinkObject(
    thread: Thread,
    LinkHandle: Out[HANDLE],
    DesiredAccess: ACCESS_MASK,
    ObjectAttributes: In[OBJECT_ATTRIBUTES] | None,
) -> NTSTATUS:
    """Open a symbolic link itself, not what it leads to."""
    LinkHandle.write(0)
    LinkHandle.write(open_by_name(thread, SYMBOLIC_LINK, ObjectAttributes, DesiredAccess))
    return STATUS.SUCCESS


@service
def NtQuerySymbolicLinkObject(
    thread: Thread, LinkHandle: HANDLE, LinkTarget: Ptr[UNICODE_STRING], ReturnedLength: Out[ULONG] | None
) -> NTSTATUS:
    """Where a symbolic link leads: fills the caller's buffer."""
    link = by_handle(thread, LinkHandle, rights.SYMBOLIC_LINK_QUERY, SYMBOLIC_LINK)
    data = to_utf16(link.target)
    text = LinkTarget.read()
    room = int(text.MaximumLength)
    with_nul = len(data) + 2
    if ReturnedLength is not None:
        ReturnedLength.write(with_nul)
    # Callers that ask for the length get the terminating NUL too.
    if room < (with_nul if ReturnedLength is not None else len(data)):
        return STATUS.BUFFER_TOO_SMALL
    thread.memory.write(int(text.Buffer), (data + b"\0\0")[:room])
    text.Length = len(data)
    return STATUS.SUCCESS

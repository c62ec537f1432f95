"""System services on handles: closing, duplicating, comparing, their flags."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi import access as rights
from ntos.abi.layout.api import OBJECT_HANDLE_FLAG_INFORMATION
from ntos.abi.ob import (
    CURRENT_PROCESS,
    CURRENT_THREAD,
    DUPLICATE_CLOSE_SOURCE,
    DUPLICATE_SAME_ACCESS,
    DUPLICATE_SAME_ATTRIBUTES,
    OBJ_INHERIT,
    OBJ_PROTECT_CLOSE,
    OBJ_VALID_ATTRIBUTES,
)
from ntos.abi.pointer import Out
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import ACCESS_MASK, HANDLE, NTSTATUS, PVOID, ULONG
from ntos.ex.handle import HandleEntry
from ntos.ke.exception import raise_in_user
from ntos.ke.process import Process
from ntos.ke.service import service
from ntos.ob.handle import by_handle, close, close_in, insert_handle, table_of
from ntos.ob.insert import make_permanent, make_temporary
from ntos.ob.manager import BODY, ObjectManager
from ntos.ob.object import dereference, reference

if TYPE_CHECKING:
    from ntos.ke.thread import Thread
    from ntos.ob.types import KernelObject

DUPLICATE_OPTIONS = DUPLICATE_CLOSE_SOURCE | DUPLICATE_SAME_ACCESS | DUPLICATE_SAME_ATTRIBUTES
HANDLE_FLAGS_CLASS = 4
CLOSE_EXCEPTIONS = (STATUS.INVALID_HANDLE, STATUS.HANDLE_NOT_CLOSABLE)


@service
def NtClose(thread: Thread, Handle: HANDLE) -> NTSTATUS:
    """Close a handle of the calling process; a debugged one gets an exception for a handle it cannot close."""
    try:
        close(thread, Handle)
    except NtError as error:
        if Handle and error.status in CLOSE_EXCEPTIONS and _raises_at_close(thread.process):
            raise_in_user(thread, int(error.status))
        raise
    return STATUS.SUCCESS


def _raises_at_close(process: Process) -> bool:
    return int(process.eprocess.DebugPort) != 0


@service
def NtDuplicateObject(
    thread: Thread,
    SourceProcessHandle: HANDLE,
    SourceHandle: HANDLE,
    TargetProcessHandle: HANDLE,
    TargetHandle: Out[HANDLE] | None,
    DesiredAccess: ACCESS_MASK,
    HandleAttributes: ULONG,
    Options: ULONG,
) -> NTSTATUS:
    """Make a handle in one process to what a handle in another stands for; close the first on request."""
    manager = thread.kernel[ObjectManager]
    processes = manager.find_type("Process")
    if TargetHandle is not None:
        TargetHandle.write(0)
    source = by_handle(thread, SourceProcessHandle, rights.PROCESS_DUP_HANDLE, processes)
    if HandleAttributes & ~(OBJ_VALID_ATTRIBUTES | OBJ_PROTECT_CLOSE):
        raise NtError(STATUS.INVALID_PARAMETER)
    if not TargetProcessHandle:
        if not Options & DUPLICATE_CLOSE_SOURCE:
            raise NtError(STATUS.INVALID_PARAMETER)
        close_in(source, SourceHandle)
        return STATUS.SUCCESS
    obj, entry = _source(thread, source, SourceHandle)
    reference(obj)
    closing = bool(Options & DUPLICATE_CLOSE_SOURCE)
    try:
        target = by_handle(thread, TargetProcessHandle, rights.PROCESS_DUP_HANDLE, processes)
        access = _duplicate_access(thread, obj, entry, DesiredAccess, Options)
        attributes = (
            entry.attributes if Options & DUPLICATE_SAME_ATTRIBUTES else HandleAttributes & OBJ_INHERIT
        )
        if Options & DUPLICATE_CLOSE_SOURCE:
            closing = False  # the source goes first: in one process the new handle can be the old number
            _close_source(source, SourceHandle, entry)
        handle = insert_handle(target, obj, access, attributes)
        if TargetHandle is not None:
            TargetHandle.write(handle)
    finally:
        if closing:
            _close_source(source, SourceHandle, entry)
        dereference(obj)
    return STATUS.SUCCESS


def _source(thread: Thread, source: Process, handle: int) -> tuple[KernelObject, HandleEntry]:
    # The kernel attaches to the source process: its pseudo handle means that process, not the caller's.
    manager = thread.kernel[ObjectManager]
    if handle in {CURRENT_PROCESS, CURRENT_THREAD}:
        obj: KernelObject = source if handle == CURRENT_PROCESS else thread
        return obj, HandleEntry(obj.address - BODY, manager.kind_of(obj).valid_access, 0)
    entry = table_of(source).lookup(handle)
    if entry is None:
        raise NtError(STATUS.INVALID_HANDLE)
    return manager.objects[entry.header + BODY], entry


def _duplicate_access(
    thread: Thread, obj: KernelObject, entry: HandleEntry, desired: int, options: int
) -> int:
    if options & DUPLICATE_SAME_ACCESS:
        return entry.access
    manager = thread.kernel[ObjectManager]
    kind = manager.kind_of(obj)
    mapped = kind.mapping.apply(desired) & (kind.valid_access | rights.ACCESS_SYSTEM_SECURITY)
    if not desired & rights.MAXIMUM_ALLOWED and not mapped & ~entry.access:
        return mapped
    granted = manager.check_access(thread, obj, desired)
    return granted if kind.withheld is None else kind.withheld(thread, obj, desired, granted)


def _close_source(source: Process, handle: int, entry: HandleEntry) -> None:
    if handle not in {CURRENT_PROCESS, CURRENT_THREAD} and not entry.attributes & OBJ_PROTECT_CLOSE:
        close_in(source, handle)


@service
def NtSetInformationObject(
    thread: Thread,
    Handle: HANDLE,
    ObjectInformationClass: ULONG,
    ObjectInformation: PVOID,
    ObjectInformationLength: ULONG,
) -> NTSTATUS:
    """Set a handle's inherit and protect-from-close flags (ObjectHandleFlagInformation, 4)."""
    if ObjectInformationClass != HANDLE_FLAGS_CLASS:
        raise NtError(STATUS.INVALID_INFO_CLASS)
    size = OBJECT_HANDLE_FLAG_INFORMATION.size
    if ObjectInformationLength != size:
        raise NtError(STATUS.INFO_LENGTH_MISMATCH)
    inherit, protect = thread.memory.read(ObjectInformation, size)
    table = table_of(thread.process)
    entry = table.lookup(Handle)
    if entry is None:
        raise NtError(STATUS.INVALID_HANDLE)
    attributes = entry.attributes & ~(OBJ_INHERIT | OBJ_PROTECT_CLOSE)
    attributes |= OBJ_INHERIT if inherit else 0
    table.set_attributes(Handle, attributes | (OBJ_PROTECT_CLOSE if protect else 0))
    return STATUS.SUCCESS


@service
def NtCompareObjects(thread: Thread, FirstObjectHandle: HANDLE, SecondObjectHandle: HANDLE) -> NTSTATUS:
    """SUCCESS where both handles stand for one object, else NOT_SAME_OBJECT."""
    same = by_handle(thread, FirstObjectHandle, 0) is by_handle(thread, SecondObjectHandle, 0)
    return STATUS.SUCCESS if same else STATUS.NOT_SAME_OBJECT


@service
def NtMakeTemporaryObject(thread: Thread, Handle: HANDLE) -> NTSTATUS:
    """Let a permanent object's name go with its last handle."""
    make_temporary(by_handle(thread, Handle, rights.DELETE))
    return STATUS.SUCCESS


@service(partial="SeCreatePermanentPrivilege is not asked for")
def NtMakePermanentObject(thread: Thread, Handle: HANDLE) -> NTSTATUS:
    """Keep a named object without any handle."""
    make_permanent(by_handle(thread, Handle, 0))
    return STATUS.SUCCESS

"""Handles to objects: making them, using them, copying them, closing them."""

from __future__ import annotations

from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, TypeVar, overload

from ntos.abi.layout.object import OBJECT_HANDLE_COUNT_ENTRY, OBJECT_HEADER_PROCESS_INFO
from ntos.abi.ob import (
    CURRENT_EFFECTIVE_TOKEN,
    CURRENT_PROCESS,
    CURRENT_THREAD,
    OB_FLAG_SINGLE_HANDLE_ENTRY,
    OB_INFOMASK_HANDLE,
    OB_INFOMASK_PROCESS_INFO,
    OBJ_PROTECT_CLOSE,
)
from ntos.abi.status import STATUS, Denied, NtError
from ntos.ex.handle import HandleEntry, HandleTable
from ntos.ke.dispatcher import DispatcherObject
from ntos.ke.event import event_at
from ntos.ob.directory import delete_name_if_unused
from ntos.ob.manager import BODY, ObjectManager
from ntos.ob.object import dereference, header_of, optional_header, reference
from ntos.ob.types import KernelObject, ObjectType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ntos.ke.process import Process
    from ntos.ke.thread import Thread

T = TypeVar("T", bound=KernelObject)

KERNEL_HANDLE = 0xFFFF_FFFF_8000_0000
"""Handles of the kernel's own table have these bits set; user mode cannot use them."""


def table_of(process: Process) -> HandleTable:
    """The process's handle table. PROCESS_IS_TERMINATING once it is gone."""
    if not process.has(HandleTable):
        raise NtError(STATUS.PROCESS_IS_TERMINATING)
    return process[HandleTable]


# ---------------------------------------------------------------- from a handle to the object


@overload
def by_handle(thread: Thread, handle: int, access: int, kind: ObjectType[T]) -> T: ...
@overload
def by_handle(thread: Thread, handle: int, access: int, kind: None = None) -> Any: ...
def by_handle(thread: Thread, handle: int, access: int, kind: ObjectType[Any] | None = None) -> Any:
    """The object, for use before the next await (ObReferenceObjectByHandle without keeping the reference).

    INVALID_HANDLE, OBJECT_TYPE_MISMATCH, or ACCESS_DENIED when the handle was not granted all of `access`.
    """
    entry = table_of(thread.process).lookup(handle)
    manager = thread.kernel[ObjectManager]
    if entry is None:
        return _pseudo(manager, thread, handle, kind)
    obj = manager.objects[entry.header + BODY]
    if kind is not None and manager.kind_of(obj) is not kind:
        raise NtError(STATUS.OBJECT_TYPE_MISMATCH)
    if access & ~entry.access:
        _refuse(manager, obj, handle, access, entry.access)
    return obj


def granted(thread: Thread, handle: int) -> HandleEntry | None:
    """What the handle was given; None for pseudo handles and those that are not open."""
    return table_of(thread.process).lookup(handle)


def _pseudo(
    manager: ObjectManager, thread: Thread, handle: int, kind: ObjectType[Any] | None
) -> KernelObject:
    if handle == CURRENT_PROCESS:
        obj: KernelObject = thread.process
    elif handle == CURRENT_THREAD:
        obj = thread
    else:
        return _kernel_handle(manager, thread, handle, kind)
    if kind is not None and manager.kind_of(obj) is not kind:
        raise NtError(STATUS.OBJECT_TYPE_MISMATCH)
    return obj


def _kernel_handle(
    manager: ObjectManager, thread: Thread, handle: int, kind: ObjectType[Any] | None
) -> KernelObject:
    table = manager.kernel_table
    if handle < KERNEL_HANDLE or table is None or thread.process is not table.process:
        raise NtError(STATUS.INVALID_HANDLE)
    entry = table.lookup(handle & 0x7FFF_FFFF)
    if entry is None:
        raise NtError(STATUS.INVALID_HANDLE)
    obj = manager.objects[entry.header + BODY]
    if kind is not None and manager.kind_of(obj) is not kind:
        raise NtError(STATUS.OBJECT_TYPE_MISMATCH)
    return obj


def _refuse(manager: ObjectManager, obj: KernelObject, handle: int, access: int, given: int) -> None:
    raise NtError(
        STATUS.ACCESS_DENIED,
        because=Denied(
            "the handle was not granted the access the call needs",
            {
                "handle": f"0x{handle:X}",
                "type": manager.kind_of(obj).name,
                "needed": f"0x{access:X}",
                "granted": f"0x{given:X}",
                "missing": f"0x{access & ~given:X}",
            },
            f"open the object with access 0x{access | given:X}",
        ),
    )


@overload
def referenced(
    thread: Thread, handle: int, access: int, kind: ObjectType[T]
) -> AbstractContextManager[T]: ...
@overload
def referenced(
    thread: Thread, handle: int, access: int, kind: None = None
) -> AbstractContextManager[Any]: ...
@contextmanager
def referenced(
    thread: Thread, handle: int, access: int, kind: ObjectType[Any] | None = None
) -> Iterator[Any]:
    """The object, kept alive for as long as the block lasts (ObReferenceObjectByHandle)."""
    obj = by_handle(thread, handle, access, kind)
    reference(obj)
    try:
        yield obj
    finally:
        dereference(obj)


def waitable(obj: KernelObject) -> DispatcherObject:
    """What a wait for `obj` really waits for. OBJECT_TYPE_MISMATCH where nothing can."""
    kind = obj.kernel[ObjectManager].kind_of(obj)
    if kind.default_dispatcher is None:
        raise NtError(STATUS.OBJECT_TYPE_MISMATCH)
    if kind.waits_on is not None:
        return kind.waits_on(obj)
    if isinstance(obj, DispatcherObject) and kind.default_dispatcher == 0:
        return obj
    return event_at(obj.kernel, obj.address + kind.default_dispatcher)


# ---------------------------------------------------------------- making handles


def insert_handle(process: Process, obj: KernelObject, access: int, attributes: int = 0) -> int:
    """A new handle in `process`, without any check (ObpCreateHandle for the kernel's own purposes)."""
    handle = table_of(process).insert(obj.address - BODY, access, attributes)
    count_handle(process, obj, access)
    return handle


def count_handle(process: Process, obj: KernelObject, access: int) -> None:
    """One handle and one reference more; the type's owner is told."""
    manager = obj.kernel[ObjectManager]
    kind = manager.kind_of(obj)
    header = header_of(obj)
    header.HandleCount = int(header.HandleCount) + 1
    header.NewObject = 0
    reference(obj)
    manager.type_object(kind).count_handle(1)
    if kind.maintain_handle_count:
        _count_in_process(process, obj, 1)
    if kind.open is not None:
        kind.open(process, obj, access)


def inherit_handles(parent: Process, child: Process, only: set[int] | None = None) -> None:
    """Copy the parent's inheritable handles into the child's empty table (ObInitProcess)."""
    objects = parent.kernel[ObjectManager].objects
    for entry in table_of(parent).inherit_into(table_of(child), only):
        count_handle(child, objects[entry.header + BODY], entry.access)


def duplicate_into(source: Process, handle: int, target: Process) -> int:
    """A copy of a handle with the same access and attributes, in another process (ObDuplicateObject)."""
    entry = table_of(source).lookup(handle)
    if entry is None:
        raise NtError(STATUS.INVALID_HANDLE)
    obj = source.kernel[ObjectManager].objects[entry.header + BODY]
    return insert_handle(target, obj, entry.access, entry.attributes)


def _count_in_process(process: Process, obj: KernelObject, change: int) -> int:
    """Keep the handle header's count while a single process has handles; gives what that process has now.

    A second process turns NT's header into a database; the header then stays empty here.
    """
    address = optional_header(obj.kernel, obj.address, OB_INFOMASK_HANDLE)
    entry = OBJECT_HANDLE_COUNT_ENTRY(obj.kernel.memory, address)
    header = header_of(obj)
    flags = int(header.Flags)
    owner = int(entry.Process)
    if owner in {0, process.address}:
        count = entry.HandleCount + change
        entry.HandleCount = count
        entry.Process = process.address if count else 0
        header.Flags = flags | OB_FLAG_SINGLE_HANDLE_ENTRY
        return count
    return 0


# ---------------------------------------------------------------- closing


def close(thread: Thread, handle: int) -> None:
    """Close a handle of the thread's process (NtClose). Pseudo handles need no closing."""
    if CURRENT_EFFECTIVE_TOKEN <= handle <= CURRENT_PROCESS:
        return
    close_in(thread.process, handle)


def close_in(process: Process, handle: int, *, force: bool = False) -> None:
    """Close a handle of `process`. INVALID_HANDLE; HANDLE_NOT_CLOSABLE for a protected one unless `force`."""
    table = table_of(process)
    entry = table.lookup(handle)
    if entry is None:
        raise NtError(STATUS.INVALID_HANDLE)
    manager = process.kernel[ObjectManager]
    obj = manager.objects[entry.header + BODY]
    kind = manager.kind_of(obj)
    if not force:
        if entry.attributes & OBJ_PROTECT_CLOSE:
            raise NtError(
                STATUS.HANDLE_NOT_CLOSABLE,
                because=Denied(
                    "the handle is protected from close",
                    {"handle": f"0x{handle:X}"},
                    "NtSetInformationObject with ProtectFromClose 0",
                ),
            )
        if kind.okay_to_close is not None and not kind.okay_to_close(process, obj, handle):
            raise NtError(STATUS.HANDLE_NOT_CLOSABLE)
    table.remove(handle)
    _closed(manager, process, obj, kind)


def close_all(process: Process) -> None:
    """Close every handle of an exiting process and let its table go (ObKillProcess)."""
    manager = process.kernel[ObjectManager]
    table = table_of(process)
    table.view.Rundown = 1

    def closed(_handle: int, entry: HandleEntry) -> None:
        obj = manager.objects[entry.header + BODY]
        _closed(manager, process, obj, manager.kind_of(obj))

    table.sweep(closed)
    process.eprocess.ObjectTable = 0
    process.remove(HandleTable)
    table.delete()


def _closed(manager: ObjectManager, process: Process, obj: KernelObject, kind: ObjectType[Any]) -> None:
    header = header_of(obj)
    count = int(header.HandleCount)
    if kind.maintain_handle_count:
        _count_in_process(process, obj, -1)
    if kind.close is not None:
        kind.close(process, obj, count)
    header.HandleCount = count - 1
    manager.type_object(kind).count_handle(-1)
    if count == 1:
        _release_exclusive(obj)
        delete_name_if_unused(obj)
    dereference(obj)


def _release_exclusive(obj: KernelObject) -> None:
    address = optional_header(obj.kernel, obj.address, OB_INFOMASK_PROCESS_INFO)
    if address:
        OBJECT_HEADER_PROCESS_INFO(obj.kernel.memory, address).ExclusiveProcess = 0

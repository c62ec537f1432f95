"""Giving a new object its name and its first handle, and opening objects that are there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from ntos.abi.layout.object import OBJECT_ATTRIBUTES, OBJECT_HEADER_PROCESS_INFO
from ntos.abi.ob import (
    OB_FLAG_EXCLUSIVE_OBJECT,
    OB_FLAG_PERMANENT_OBJECT,
    OB_INFOMASK_PROCESS_INFO,
    OBJ_EXCLUSIVE,
    OBJ_INHERIT,
    OBJ_OPENIF,
    OBJ_PERMANENT,
)
from ntos.abi.status import STATUS, Denied, NtError
from ntos.ob import attributes as captured
from ntos.ob.attributes import Attributes
from ntos.ob.directory import Directory, delete_name_if_unused, directory_of
from ntos.ob.handle import insert_handle
from ntos.ob.manager import BODY, ObjectManager, grant_all
from ntos.ob.namespace import find, place_for, root_object
from ntos.ob.object import INFO_MASK_TO_OFFSET, dereference, header_of, optional_header
from ntos.ob.types import KernelObject, ObjectType, ParseRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from ntos.abi.types import NTSTATUS
    from ntos.ke.thread import Thread

T = TypeVar("T", bound=KernelObject)


def insert(
    thread: Thread, obj: KernelObject, attributes: OBJECT_ATTRIBUTES | Attributes | None, access: int
) -> tuple[int, NTSTATUS]:
    """Name the object and make a handle to it (ObInsertObject).

    The caller's reference is used up, also on failure.
    With OBJ_OPENIF and a name that is taken, the handle is to the object that has it: OBJECT_NAME_EXISTS.
    """
    manager = thread.kernel[ObjectManager]
    kind = manager.kind_of(obj)
    try:
        said = attributes if isinstance(attributes, Attributes) else captured.capture(attributes, kind)
        existing, parent = _give_name(thread, obj, kind, said, access)
        if existing is not None:
            return _open_existing(thread, existing, said, access), STATUS.OBJECT_NAME_EXISTS
        manager.assign_security(thread, obj, parent, said.security_descriptor)
        if said.flags & OBJ_PERMANENT and parent is not None:
            header_of(obj).Flags = int(header_of(obj).Flags) | OB_FLAG_PERMANENT_OBJECT
        if said.flags & OBJ_EXCLUSIVE:
            _make_exclusive(thread, obj)
        # The creator gets what it asks for: the descriptor it has just given does not stand against it.
        granted = grant_all(thread, obj, access)
        return insert_handle(thread.process, obj, granted, said.flags & OBJ_INHERIT), STATUS.SUCCESS
    except NtError:
        delete_name_if_unused(obj)
        raise
    finally:
        dereference(obj)


def create_or_open(
    thread: Thread,
    kind: ObjectType[T],
    attributes: OBJECT_ATTRIBUTES | None,
    access: int,
    make: Callable[[], T],
) -> tuple[int, NTSTATUS]:
    """What an NtCreateX does: check the attributes, make the object, name it, give a handle to it."""
    said = captured.capture(attributes, kind)
    return insert(thread, make(), said, access)


def open_by_name(
    thread: Thread,
    kind: ObjectType[Any] | None,
    attributes: OBJECT_ATTRIBUTES | Attributes | None,
    access: int,
    context: object = None,
) -> int:
    """A handle to the object that has this name (ObOpenObjectByName)."""
    if attributes is None:
        raise NtError(STATUS.INVALID_PARAMETER)
    said = attributes if isinstance(attributes, Attributes) else captured.capture(attributes, kind)
    if said.name is None:
        raise NtError(STATUS.OBJECT_PATH_SYNTAX_BAD)
    request = ParseRequest(kind, access, said.flags, said.name, context)
    obj = find(thread, request, root_object(thread, said.root))
    try:
        return open_by_pointer(thread, obj, access, said.flags, request.granted)
    finally:
        dereference(obj)


def open_by_pointer(
    thread: Thread, obj: KernelObject, access: int, flags: int = 0, granted: int | None = None
) -> int:
    """A handle to an object in hand, with the access check (ObOpenObjectByPointer)."""
    manager = thread.kernel[ObjectManager]
    if granted is None:
        granted = manager.check_access(thread, obj, access)
    kind = manager.kind_of(obj)
    if kind.withheld is not None:
        granted = kind.withheld(thread, obj, access, granted)
    _check_exclusive(thread, obj, flags)
    return insert_handle(thread.process, obj, granted, flags & OBJ_INHERIT)


def _give_name(
    thread: Thread, obj: KernelObject, kind: ObjectType[Any], said: Attributes, access: int
) -> tuple[KernelObject | None, Directory | None]:
    """(the object that has the name already, the directory the new one was put in)."""
    if not said.name:
        return None, None
    request = ParseRequest(kind, access, said.flags, said.name)
    existing, directory, name = place_for(thread, request, root_object(thread, said.root))
    if existing is None:
        assert directory is not None
        directory.insert(name, obj)
        return None, directory
    if not said.flags & OBJ_OPENIF:
        dereference(existing)
        raise NtError(STATUS.OBJECT_NAME_COLLISION)
    if thread.kernel[ObjectManager].kind_of(existing) is not kind:
        dereference(existing)
        raise NtError(STATUS.OBJECT_TYPE_MISMATCH)
    return existing, None


def _open_existing(thread: Thread, existing: KernelObject, said: Attributes, access: int) -> int:
    try:
        return open_by_pointer(thread, existing, access, said.flags)
    finally:
        dereference(existing)


def _make_exclusive(thread: Thread, obj: KernelObject) -> None:
    """Only this process may have handles (OBJ_EXCLUSIVE)."""
    header = header_of(obj)
    header.InfoMask = int(header.InfoMask) | OB_INFOMASK_PROCESS_INFO
    header.Flags = int(header.Flags) | OB_FLAG_EXCLUSIVE_OBJECT
    address = obj.address - BODY - INFO_MASK_TO_OFFSET[int(header.InfoMask) & 0x1F]
    view = OBJECT_HEADER_PROCESS_INFO(thread.kernel.memory, address)
    view.clear()
    view.ExclusiveProcess = thread.process.address


def _check_exclusive(thread: Thread, obj: KernelObject, flags: int) -> None:
    address = optional_header(obj.kernel, obj.address, OB_INFOMASK_PROCESS_INFO)
    owner = int(OBJECT_HEADER_PROCESS_INFO(obj.kernel.memory, address).ExclusiveProcess) if address else 0
    refused = owner not in {0, thread.process.address} or (flags & OBJ_EXCLUSIVE and not owner)
    if refused:
        raise NtError(
            STATUS.ACCESS_DENIED,
            because=Denied(
                "the object is exclusive to one process",
                {"owner": f"0x{owner:X}", "object": f"0x{obj.address:X}"},
                "open it from the process that made it with OBJ_EXCLUSIVE",
            ),
        )


def make_temporary(obj: KernelObject) -> None:
    """Let the name go with the last handle (ObMakeTemporaryObject)."""
    header = header_of(obj)
    header.PermanentObject = 0
    delete_name_if_unused(obj)


def make_permanent(obj: KernelObject) -> None:
    """Let a named object live without handles."""
    if directory_of(obj) is not None:
        header_of(obj).PermanentObject = 1

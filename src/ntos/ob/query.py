"""NtQueryObject: what an object is called, of which type it is, how it is counted."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ntos.abi.layout.api import (
    OBJECT_BASIC_INFORMATION,
    OBJECT_HANDLE_FLAG_INFORMATION,
    OBJECT_TYPE_INFORMATION,
)
from ntos.abi.layout.object import OBJECT_HEADER_QUOTA_INFO
from ntos.abi.ob import OB_INFOMASK_QUOTA, OBJ_EXCLUSIVE, OBJ_INHERIT, OBJ_PERMANENT, OBJ_PROTECT_CLOSE
from ntos.abi.pointer import Out
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import HANDLE, NTSTATUS, PVOID, ULONG
from ntos.ex.handle import HandleEntry
from ntos.ke.service import service
from ntos.ob import answer
from ntos.ob.directory import full_name
from ntos.ob.handle import by_handle, granted
from ntos.ob.manager import ObjectManager, TypeObject
from ntos.ob.object import header_of, optional_header, pointer_count
from ntos.ob.symlink import SymbolicLink
from ntos.rtl.text import to_utf16

if TYPE_CHECKING:
    from ntos.ke.thread import Thread
    from ntos.ob.types import KernelObject

NAME_HEADER = 0x10
BASIC, NAME, TYPE, TYPES, FLAGS = range(5)


@service(partial="classes 0 to 4: session information is not answered")
def NtQueryObject(
    thread: Thread,
    Handle: HANDLE,
    ObjectInformationClass: ULONG,
    ObjectInformation: PVOID,
    ObjectInformationLength: ULONG,
    ReturnLength: Out[ULONG] | None,
) -> NTSTATUS:
    """Facts about an object (basic 0, name 1, type 2), about all types (3), about a handle (4)."""
    buffer, length = ObjectInformation, ObjectInformationLength
    manager = thread.kernel[ObjectManager]
    if ObjectInformationClass == TYPES:
        return answer.variable(thread, buffer, length, _all_types(manager, buffer), ReturnLength)
    if ObjectInformationClass > FLAGS:
        raise NtError(STATUS.INVALID_INFO_CLASS)
    obj = by_handle(thread, Handle, 0)
    entry = granted(thread, Handle) or HandleEntry(0, manager.kind_of(obj).valid_access, 0)
    if ObjectInformationClass == BASIC:
        return answer.exact(thread, buffer, length, _basic(obj, entry), ReturnLength)
    if ObjectInformationClass == NAME:
        # Who names its objects itself, as files do, fills a header and says that the text did not fit.
        own = manager.kind_of(obj).query_name is not None and length >= NAME_HEADER
        short = STATUS.BUFFER_OVERFLOW if own else STATUS.INFO_LENGTH_MISMATCH
        name = name_information(full_name(obj), buffer)
        return answer.variable(thread, buffer, length, name, ReturnLength, short)
    if ObjectInformationClass == TYPE:
        made = manager.type_object(manager.kind_of(obj))
        return answer.variable(thread, buffer, length, _type(made, buffer), ReturnLength)
    flags = OBJECT_HANDLE_FLAG_INFORMATION.new()
    flags.Inherit = int(entry.attributes & OBJ_INHERIT != 0)
    flags.ProtectFromClose = int(entry.attributes & OBJ_PROTECT_CLOSE != 0)
    return answer.exact(thread, buffer, length, flags, ReturnLength)


def _basic(obj: KernelObject, entry: HandleEntry) -> OBJECT_BASIC_INFORMATION:
    information = OBJECT_BASIC_INFORMATION.new()
    header = header_of(obj)
    attributes = entry.attributes & (OBJ_INHERIT | OBJ_PROTECT_CLOSE)
    attributes |= OBJ_PERMANENT if header.PermanentObject else 0
    attributes |= OBJ_EXCLUSIVE if header.ExclusiveObject else 0
    information.Attributes = attributes
    information.GrantedAccess = entry.access
    information.HandleCount = int(header.HandleCount)
    information.PointerCount = pointer_count(obj) + 1  # the query itself holds one
    quota = optional_header(obj.kernel, obj.address, OB_INFOMASK_QUOTA)
    if quota:
        charges = OBJECT_HEADER_QUOTA_INFO(obj.kernel.memory, quota)
        information.PagedPoolCharge = charges.PagedPoolCharge
        information.NonPagedPoolCharge = charges.NonPagedPoolCharge
    name = full_name(obj)
    information.NameInfoSize = NAME_HEADER + len(to_utf16(name)) + 2 if name else 0
    kind = obj.kernel[ObjectManager].kind_of(obj)
    information.TypeInfoSize = OBJECT_TYPE_INFORMATION.size + len(to_utf16(kind.name)) + 2
    if isinstance(obj, SymbolicLink):
        information.CreationTime = obj.view.CreationTime
    return information


def name_information(name: str, buffer: int) -> bytes:
    """OBJECT_NAME_INFORMATION and the text behind it, for a buffer at this address."""
    if not name:
        return bytes(NAME_HEADER)
    data = to_utf16(name)
    return struct.pack("<HHIQ", len(data), len(data) + 2, 0, buffer + NAME_HEADER) + data + b"\0\0"


def _type(made: TypeObject, address: int) -> bytes:
    view, information = made.view, OBJECT_TYPE_INFORMATION.new()
    data = to_utf16(made.name) + b"\0\0"
    information.TypeName.Length = len(data) - 2
    information.TypeName.MaximumLength = len(data)
    information.TypeName.Buffer = address + OBJECT_TYPE_INFORMATION.size
    information.TotalNumberOfObjects = view.TotalNumberOfObjects
    information.TotalNumberOfHandles = view.TotalNumberOfHandles
    information.HighWaterNumberOfObjects = view.HighWaterNumberOfObjects
    information.HighWaterNumberOfHandles = view.HighWaterNumberOfHandles
    initializer = view.TypeInfo
    information.InvalidAttributes = initializer.InvalidAttributes
    information.GenericMapping = initializer.GenericMapping
    information.ValidAccessMask = initializer.ValidAccessMask
    information.SecurityRequired = initializer.SecurityRequired
    information.MaintainHandleCount = initializer.MaintainHandleCount
    information.TypeIndex = view.Index
    information.PoolType = initializer.PoolType
    information.DefaultPagedPoolCharge = initializer.DefaultPagedPoolCharge
    information.DefaultNonPagedPoolCharge = initializer.DefaultNonPagedPoolCharge
    return bytes(information) + data


def _all_types(manager: ObjectManager, buffer: int) -> bytes:
    """OBJECT_TYPES_INFORMATION: the number, then one eight-aligned entry a type."""
    made = [each for each in manager.type_objects if each is not None]
    data = bytearray(len(made).to_bytes(8, "little"))
    for each in made:
        data += _type(each, buffer + len(data))
        data += bytes(-len(data) & 7)
    return bytes(data)

"""Making objects, counting references to them, and letting them go.

Before the body stands the OBJECT_HEADER, and before that optional headers that InfoMask names, the lowest bit
nearest. Room for a name is always left, so that an object can get one after it was made.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, TypeVar

from ntos.abi.layout.list import LIST_ENTRY
from ntos.abi.layout.object import OBJECT_HEADER, OBJECT_HEADER_CREATOR_INFO, OBJECT_HEADER_QUOTA_INFO
from ntos.abi.ob import (
    OB_FLAG_NEW_OBJECT,
    OB_INFOMASK_CREATOR_INFO,
    OB_INFOMASK_HANDLE,
    OB_INFOMASK_NAME,
    OB_INFOMASK_PROCESS_INFO,
    OB_INFOMASK_QUOTA,
)
from ntos.ob.manager import BODY, ObjectManager
from ntos.ob.types import KernelObject, ObjectType

if TYPE_CHECKING:
    from collections.abc import Callable

    from ntos.ke.kernel import Kernel

T = TypeVar("T", bound=KernelObject)

OPTIONAL_SIZES = {
    0x01: 0x20,
    0x02: 0x20,
    0x04: 0x10,
    0x08: 0x20,
    0x10: 0x10,
    0x20: 0x00,
    0x40: 0x10,
    0x80: 0x10,
}
"""InfoMask bit to size of the optional header; bit 0x20 (padding) has none of its own here."""
INFO_MASK_TO_OFFSET = bytes(
    sum(size for bit, size in OPTIONAL_SIZES.items() if mask & bit) & 0xFF for mask in range(256)
)
"""ObpInfoMaskToOffset: how far before the header the optional headers of a mask reach."""
NAME_ROOM = OPTIONAL_SIZES[OB_INFOMASK_NAME]
SLACK = NAME_ROOM + OPTIONAL_SIZES[OB_INFOMASK_PROCESS_INFO]
"""Left free below the optional headers for a name and an exclusive owner."""
INFO_MASK = OBJECT_HEADER.offset("InfoMask")

_header = struct.Struct("<qqQ4BIQQ")
_count = struct.Struct("<q")


def header_of(obj: KernelObject) -> OBJECT_HEADER:
    """The object's header (OBJECT_TO_OBJECT_HEADER)."""
    return OBJECT_HEADER(obj.kernel.memory, obj.address - BODY)


def optional_header(kernel: Kernel, address: int, bit: int) -> int:
    """The address of the optional header `bit` of the object at `address`; 0 where it has none."""
    header = address - BODY
    memory = kernel.memory
    mask = memory.buffer[memory.locate(header + INFO_MASK)]
    return header - INFO_MASK_TO_OFFSET[mask & (bit * 2 - 1)] if mask & bit else 0


def create(
    kernel: Kernel,
    kind: ObjectType[T],
    *,
    size: int | None = None,
    wrap: Callable[[Kernel, int], T] | None = None,
) -> T:
    """A new object with one reference, no name and no handle (ObCreateObject).

    `size` where the body is larger than the type says, `wrap` where the Python object needs more than an
    address.
    """
    manager = kernel[ObjectManager]
    index = manager.index(kind)
    body_size = kind.body_size if size is None else size
    mask = OB_INFOMASK_QUOTA
    if kind.maintain_handle_count:
        mask |= OB_INFOMASK_HANDLE
    if kind.maintain_type_list:
        mask |= OB_INFOMASK_CREATOR_INFO
    before = INFO_MASK_TO_OFFSET[mask] + SLACK
    block = kernel.pool.allocate(before + BODY + body_size, kind.tag, paged=kind.paged)
    header = block + before
    address = header + BODY
    kernel.memory.write(
        header,
        _header.pack(1, 0, 0, manager.code_index(header, index), 0, mask, OB_FLAG_NEW_OBJECT, 0, 0, 0),
    )
    charge = before + BODY + body_size
    quota = OBJECT_HEADER_QUOTA_INFO(kernel.memory, header - INFO_MASK_TO_OFFSET[mask & 0xF])
    if kind.paged:
        quota.PagedPoolCharge = charge
    else:
        quota.NonPagedPoolCharge = charge
    type_object = manager.type_objects[index]
    if type_object is not None:
        type_object.count_object(1)
        if kind.maintain_type_list:
            _join_type_list(kernel, address, type_object.view.TypeList)
    obj = (wrap or kind.wrap)(kernel, address)
    manager.objects[address] = obj
    return obj


def _join_type_list(kernel: Kernel, address: int, head: LIST_ENTRY) -> None:
    creator = OBJECT_HEADER_CREATOR_INFO(
        kernel.memory, optional_header(kernel, address, OB_INFOMASK_CREATOR_INFO)
    )
    head.insert_tail(creator.TypeList)
    thread = kernel.scheduler.current
    creator.CreatorUniqueProcess = thread.process.id if thread is not None else 0


def reference(obj: KernelObject, count: int = 1) -> None:
    """One reference more (ObReferenceObject)."""
    memory = obj.kernel.memory
    at = memory.locate(obj.address - BODY)
    _count.pack_into(memory.buffer, at, _count.unpack_from(memory.buffer, at)[0] + count)


def dereference(obj: KernelObject, count: int = 1) -> None:
    """One reference less; the last one lets the object go (ObDereferenceObject)."""
    memory = obj.kernel.memory
    at = memory.locate(obj.address - BODY)
    left = _count.unpack_from(memory.buffer, at)[0] - count
    _count.pack_into(memory.buffer, at, left)
    if left <= 0:
        _delete(obj)


def pointer_count(obj: KernelObject) -> int:
    """How many references there are."""
    return int(header_of(obj).PointerCount)


def handle_count(obj: KernelObject) -> int:
    """How many of them are handles."""
    return int(header_of(obj).HandleCount)


def at_address(kernel: Kernel, address: int) -> Any:
    """The one Python object for the kernel object at `address`. KeyError where there is none."""
    return kernel[ObjectManager].objects[address]


def _delete(obj: KernelObject) -> None:
    kernel, address = obj.kernel, obj.address
    manager = kernel[ObjectManager]
    kind = manager.kind_of(obj)
    if kind.delete is not None:
        kind.delete(obj)
    header = header_of(obj)
    if header.SecurityDescriptor:
        manager.free_security(obj)
    type_object = manager.type_object(kind)
    type_object.count_object(-1)
    creator = optional_header(kernel, address, OB_INFOMASK_CREATOR_INFO)
    if creator:
        OBJECT_HEADER_CREATOR_INFO(kernel.memory, creator).TypeList.remove()
    del manager.objects[address]
    kernel.pool.free(block_of(kernel, address))


def block_of(kernel: Kernel, address: int) -> int:
    """Where the pool block of the object at `address` begins."""
    memory = kernel.memory
    mask = memory.buffer[memory.locate(address - BODY + INFO_MASK)]
    before = INFO_MASK_TO_OFFSET[mask] + SLACK
    if mask & OB_INFOMASK_NAME:
        before -= NAME_ROOM
    if mask & OB_INFOMASK_PROCESS_INFO:
        before -= OPTIONAL_SIZES[OB_INFOMASK_PROCESS_INFO]
    return address - BODY - before


def add_name_header(obj: KernelObject) -> int:
    """Make the object's name header, moving those beyond it outward; gives its address."""
    kernel, header = obj.kernel, obj.address - BODY
    view = header_of(obj)
    mask = int(view.InfoMask)
    if not mask & OB_INFOMASK_NAME:
        near = INFO_MASK_TO_OFFSET[mask & OB_INFOMASK_CREATOR_INFO]
        far = INFO_MASK_TO_OFFSET[mask]
        moved = kernel.memory.read(header - far, far - near)
        kernel.memory.write(header - far - NAME_ROOM, moved + bytes(NAME_ROOM))
        view.InfoMask = mask | OB_INFOMASK_NAME
    return header - INFO_MASK_TO_OFFSET[int(view.InfoMask) & 3]

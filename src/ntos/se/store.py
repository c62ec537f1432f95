"""Where objects keep their descriptors: self-relative bytes in pool that OBJECT_HEADER.SecurityDescriptor
points to.

The field is an EX_FAST_REF: the low four bits are cached references, not part of the address.
"""

from __future__ import annotations

from ntos.ke.kernel import Kernel
from ntos.ob.manager import ObjectManager
from ntos.ob.object import header_of
from ntos.ob.types import KernelObject
from ntos.rtl import security

TAG = b"SeSd"
CACHED_REFERENCES = 0xF


def descriptor_of(obj: KernelObject) -> bytes | None:
    """The object's descriptor, self-relative; None where it has none.

    A type's security procedure, where it has one, is `(object, None) -> bytes | None` to ask and
    `(object, bytes) -> None` to set.
    """
    procedure = obj.kernel[ObjectManager].kind_of(obj).security
    if procedure is not None:
        data: bytes | None = procedure(obj, None)
        return data
    address = int(header_of(obj).SecurityDescriptor) & ~0xF
    return read(obj.kernel, address) if address else None


def read(kernel: Kernel, address: int) -> bytes:
    """The self-relative descriptor in kernel memory at `address`."""
    return kernel.memory.read(address, length(kernel, address))


def length(kernel: Kernel, address: int) -> int:
    """How many bytes a self-relative descriptor takes (RtlLengthSecurityDescriptor)."""
    memory = kernel.memory
    head = memory.read(address, security.RELATIVE_HEADER_SIZE)
    end = len(head)
    for at, acl in ((4, False), (8, False), (12, True), (16, True)):
        offset = int.from_bytes(head[at : at + 4], "little")
        if offset:
            part = memory.read(address + offset, 4)
            size = int.from_bytes(part[2:4], "little") if acl else 8 + 4 * part[1]
            end = max(end, offset + (size + 3 & ~3))
    return end


def set_descriptor(obj: KernelObject, data: bytes) -> None:
    """Give the object this descriptor instead of the one it has."""
    kernel = obj.kernel
    procedure = kernel[ObjectManager].kind_of(obj).security
    if procedure is not None:
        procedure(obj, data)
        return
    free(obj)
    address = kernel.pool.allocate(len(data), TAG, paged=True)
    kernel.memory.write(address, data)
    header_of(obj).SecurityDescriptor = address | CACHED_REFERENCES


def free(obj: KernelObject) -> None:
    """Give the descriptor's memory back."""
    header = header_of(obj)
    address = int(header.SecurityDescriptor) & ~0xF
    if address:
        header.SecurityDescriptor = 0
        obj.kernel.pool.free(address)

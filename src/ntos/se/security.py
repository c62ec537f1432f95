"""Security descriptors of objects: kept as true self-relative bytes in pool, checked at every open.

OBJECT_HEADER.SecurityDescriptor is an EX_FAST_REF to them. `install` puts the check into the object manager.
"""

from __future__ import annotations

from ntos.abi import access as rights
from ntos.ke.kernel import Kernel
from ntos.ke.thread import Thread
from ntos.ob.directory import DIRECTORY, name_of
from ntos.ob.manager import ObjectManager
from ntos.ob.object import header_of
from ntos.ob.types import KernelObject
from ntos.rtl import sddl, security
from ntos.rtl.security import Descriptor
from ntos.se import descriptor as descriptors
from ntos.se.access import parse
from ntos.se.subject import access_check, subject

TAG = b"SeSd"
CACHED_REFERENCES = 0xF
KERNEL_DEFAULT = "O:BAG:SYD:(A;;GRGX;;;WD)(A;;GA;;;SY)(A;;GA;;;BA)"
"""What the kernel's own objects get where nothing more exact is said."""
KERNEL_DEFAULTS = {
    "Device": "O:BAG:SYD:(A;;GRGWGX;;;WD)(A;;GA;;;SY)(A;;GA;;;BA)",
    "Process": "O:BAG:SYD:(A;;GA;;;SY)(A;;0x1000;;;BA)S:(ML;;NWNR;;;SI)",
    "Thread": "O:BAG:SYD:(A;;GA;;;SY)(A;;0x800;;;BA)S:(ML;;NWNR;;;SI)",
}
"""By type."""
SHARED_NAMES = "O:BAG:SYD:(A;;0x2000f;;;WD)(A;;0x2000f;;;RC)(A;;GA;;;SY)(A;;GA;;;BA)S:(ML;;NW;;;LW)"
"""Directories in which everybody may create."""
SHARED_DIRECTORIES = frozenset({"BaseNamedObjects", "RPC Control", "WindowStations"})
CONTAINERS = frozenset({"Directory", "Key"})
"""Types whose objects hand entries down as containers."""


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


def set_sddl(obj: KernelObject, text: str) -> None:
    """Give the object the descriptor this SDDL text describes; generic rights become the type's own."""
    kind = obj.kernel[ObjectManager].kind_of(obj)
    set_descriptor(obj, descriptors.mapped(sddl.parse(text), kind.mapping).to_bytes())


def free(obj: KernelObject) -> None:
    """Give the descriptor's memory back."""
    header = header_of(obj)
    address = int(header.SecurityDescriptor) & ~0xF
    if address:
        header.SecurityDescriptor = 0
        obj.kernel.pool.free(address)


# ---------------------------------------------------------------- what the object manager calls


def check_access(thread: Thread, obj: KernelObject, desired: int) -> int:
    """The rights a handle gets, or NtError(ACCESS_DENIED) with the rule (ObCheckObjectAccess)."""
    kind = obj.kernel[ObjectManager].kind_of(obj)
    if kind.security_required and kind.security is None and not header_of(obj).SecurityDescriptor:
        _assign_kernel_default(obj)
    granted = access_check(subject(thread), descriptor_of(obj), desired, kind.mapping)
    return granted & (kind.valid_access | rights.ACCESS_SYSTEM_SECURITY)


def assign(thread: Thread | None, obj: KernelObject, parent: KernelObject | None, explicit: int) -> None:
    """Give a new object its descriptor: from what the creator said, the parent, the token (ObAssignSecurity).

    An object without a name gets one only where its type wants it or the creator gave it.
    """
    kind = obj.kernel[ObjectManager].kind_of(obj)
    if thread is None:
        _assign_kernel_default(obj)
        return
    if parent is None and not explicit and not kind.security_required:
        return
    above = descriptor_of(parent) if parent is not None else None
    data = descriptors.assign(
        subject(thread),
        kind.mapping,
        parent=parse(above) if above is not None else None,
        explicit=descriptors.capture(thread.memory, explicit) if explicit else None,
        container=kind.name in CONTAINERS,
        type_name=kind.name,
    )
    set_descriptor(obj, data)


def _assign_kernel_default(obj: KernelObject) -> None:
    kind = obj.kernel[ObjectManager].kind_of(obj)
    if kind.security is not None:
        return
    text = KERNEL_DEFAULTS.get(kind.name, KERNEL_DEFAULT)
    if kind is DIRECTORY and name_of(obj) in SHARED_DIRECTORIES:
        text = SHARED_NAMES
    set_sddl(obj, text)


def describe(obj: KernelObject) -> Descriptor | None:
    """The object's descriptor as a value."""
    data = descriptor_of(obj)
    return parse(data) if data is not None else None


def install(kernel: Kernel) -> None:
    """From now on every open is checked and new objects get descriptors; those that are there get theirs
    now.
    """
    manager = kernel[ObjectManager]
    manager.check_access = check_access
    manager.assign_security = assign
    manager.free_security = free
    for obj in list(manager.objects.values()):
        if not header_of(obj).SecurityDescriptor:
            _assign_kernel_default(obj)

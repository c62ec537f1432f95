"""What the object manager asks of security: the check at every open, and a descriptor for every new object.

`install` puts both into the object manager. Where descriptors are kept is `store`.
"""

from __future__ import annotations

from ntos.abi import access as rights
from ntos.ke.kernel import Kernel
from ntos.ke.process import Process
from ntos.ke.thread import Thread
from ntos.ob.directory import DIRECTORY, name_of
from ntos.ob.manager import ObjectManager
from ntos.ob.object import header_of
from ntos.ob.types import KernelObject
from ntos.rtl import sddl
from ntos.rtl.security import Descriptor
from ntos.se import descriptor as descriptors
from ntos.se.access import parse
from ntos.se.store import descriptor_of, free, set_descriptor
from ntos.se.subject import Subject, access_check, subject
from ntos.se.token import primary_token

KERNEL_DEFAULT = "O:BAG:SYD:(A;;GRGX;;;WD)(A;;GRGX;;;AC)(A;;GA;;;SY)(A;;GA;;;BA)"
"""What the kernel's own objects get where nothing more exact is said."""
KERNEL_DEFAULTS = {
    "Device": "O:BAG:SYD:(A;;GRGWGX;;;WD)(A;;GRGWGX;;;AC)(A;;GA;;;SY)(A;;GA;;;BA)",
}
"""By type."""
SHARED_NAMES = "O:BAG:SYD:(A;;0x2000f;;;WD)(A;;0x3;;;AC)(A;;0x2000f;;;RC)(A;;GA;;;SY)(A;;GA;;;BA)S:(ML;;NW;;;LW)"
"""Directories in which everybody may create."""
SHARED_DIRECTORIES = frozenset({"AppContainerNamedObjects", "BaseNamedObjects", "RPC Control", "WindowStations"})
CONTAINERS = frozenset({"Directory", "Key"})
"""Types whose objects hand entries down as containers."""


def set_sddl(obj: KernelObject, text: str) -> None:
    """Give the object the descriptor this SDDL text describes; generic rights become the type's own."""
    kind = obj.kernel[ObjectManager].kind_of(obj)
    set_descriptor(obj, descriptors.mapped(sddl.parse(text), kind.mapping).to_bytes())


# ---------------------------------------------------------------- what the object manager calls


def check_access(thread: Thread, obj: KernelObject, desired: int) -> int:
    """The rights a handle gets, or NtError(ACCESS_DENIED) with the rule (ObCheckObjectAccess)."""
    kind = obj.kernel[ObjectManager].kind_of(obj)
    if kind.security is None and not header_of(obj).SecurityDescriptor:
        assign_own(obj)
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


def assign_own(obj: KernelObject) -> None:
    """A process's or thread's default descriptor: that of its own user, whoever makes it."""
    process = obj.process if isinstance(obj, Thread) else obj
    kind = obj.kernel[ObjectManager].kind_of(obj)
    if isinstance(process, Process):
        own = Subject(primary_token(process))
        set_descriptor(obj, descriptors.assign(own, kind.mapping, type_name=kind.name))
    elif kind.security_required:
        _assign_kernel_default(obj)


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

"""Object directories: thirty-seven chains of names; which one a name is in its letters say, case aside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi import access as rights
from ntos.abi.layout.object import OBJECT_DIRECTORY, OBJECT_DIRECTORY_ENTRY, OBJECT_HEADER_NAME_INFO
from ntos.abi.ob import OB_INFOMASK_NAME
from ntos.ob.manager import ObjectManager
from ntos.ob.object import add_name_header, dereference, header_of, optional_header, reference
from ntos.ob.types import Body, KernelObject, ObjectType
from ntos.rtl.text import equal_insensitive, hash_unicode_string, to_utf16

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ntos.ke.kernel import Kernel

BUCKETS = 37
NAME_TAG = b"ObNm"
ENTRY_TAG = b"ObDi"


class Directory(Body):
    """OBJECT_DIRECTORY."""

    def __init__(self, kernel: Kernel, address: int) -> None:
        super().__init__(kernel, address)
        self.view = OBJECT_DIRECTORY(kernel.memory, address)

    def find(self, name: str, *, ignore_case: bool = True) -> KernelObject | None:
        """The object of this name, here or in the shadow directory (ObpLookupDirectoryEntry)."""
        memory = self.kernel.memory
        objects = self.kernel[ObjectManager].objects
        value = hash_unicode_string(name, ignore_case=True)
        entry = self.view.HashBuckets[value % BUCKETS]
        while entry:
            view = OBJECT_DIRECTORY_ENTRY(memory, entry)
            if view.HashValue == value:
                found = objects[int(view.Object)]
                own = name_of(found)
                if own == name or (ignore_case and equal_insensitive(own, name)):
                    return found
            entry = view.ChainLink
        shadow = int(self.view.ShadowDirectory)
        if shadow:
            directory = objects[shadow]
            assert isinstance(directory, Directory)
            return directory.find(name, ignore_case=ignore_case)
        return None

    def set_shadow(self, other: Directory) -> None:
        """Look for what is missing here in `other`, which stays alive for it."""
        self.view.ShadowDirectory = other.address
        reference(other)

    def insert(self, name: str, obj: KernelObject) -> None:
        """Give `obj` a name here that nobody has: a reference from the directory to it, and one back."""
        kernel = self.kernel
        value = hash_unicode_string(name, ignore_case=True)
        buckets = self.view.HashBuckets
        entry = OBJECT_DIRECTORY_ENTRY(
            kernel.memory, kernel.pool.allocate(OBJECT_DIRECTORY_ENTRY.size, ENTRY_TAG, paged=True)
        )
        entry.Object = obj.address
        entry.HashValue = value
        entry.ChainLink = buckets[value % BUCKETS]
        buckets[value % BUCKETS] = entry.address
        _write_name(obj, name, self.address)
        reference(self)
        reference(obj)

    def remove(self, obj: KernelObject) -> None:
        """Take `obj` out; it keeps neither name nor directory."""
        memory = self.kernel.memory
        value = hash_unicode_string(name_of(obj), ignore_case=True)
        buckets = self.view.HashBuckets
        before = buckets.address + value % BUCKETS * 8
        entry = int(buckets[value % BUCKETS])
        while entry:
            view = OBJECT_DIRECTORY_ENTRY(memory, entry)
            if view.Object == obj.address:
                memory.write(before, int(view.ChainLink).to_bytes(8, "little"))
                self.kernel.pool.free(entry)
                _erase_name(obj)
                dereference(obj)
                dereference(self)
                return
            before = entry
            entry = int(view.ChainLink)

    def entries(self) -> Iterator[KernelObject]:
        """The objects, chain by chain, the last inserted of each first."""
        objects = self.kernel[ObjectManager].objects
        for bucket in range(BUCKETS):
            entry = int(self.view.HashBuckets[bucket])
            while entry:
                view = OBJECT_DIRECTORY_ENTRY(self.kernel.memory, entry)
                yield objects[int(view.Object)]
                entry = int(view.ChainLink)


def _delete(directory: Directory) -> None:
    shadow = int(directory.view.ShadowDirectory)
    if shadow:
        dereference(directory.kernel[ObjectManager].objects[shadow])


DIRECTORY = ObjectType(
    "Directory",
    OBJECT_DIRECTORY.size,
    Directory,
    valid_access=rights.DIRECTORY_ALL_ACCESS,
    generic_mapping=(0x20003, 0x2000C, 0x20003, rights.DIRECTORY_ALL_ACCESS),
    paged=True,
    tag=b"Dire",
    invalid_attributes=0x100,
)
DIRECTORY.delete = _delete


def name_of(obj: KernelObject) -> str:
    """The object's own name; empty when it has none."""
    address = optional_header(obj.kernel, obj.address, OB_INFOMASK_NAME)
    return OBJECT_HEADER_NAME_INFO(obj.kernel.memory, address).Name.text if address else ""


def directory_of(obj: KernelObject) -> Directory | None:
    """The directory the object is named in."""
    address = optional_header(obj.kernel, obj.address, OB_INFOMASK_NAME)
    if not address:
        return None
    directory = int(OBJECT_HEADER_NAME_INFO(obj.kernel.memory, address).Directory)
    found = obj.kernel[ObjectManager].objects.get(directory)
    return found if isinstance(found, Directory) else None


def full_name(obj: KernelObject) -> str:
    """The path from the root; empty for an object without a name (ObQueryNameString)."""
    manager = obj.kernel[ObjectManager]
    kind = manager.kind_of(obj)
    if kind.query_name is not None:
        return kind.query_name(obj)
    if obj.address == manager.root:
        return "\\"
    name = name_of(obj)
    if not name:
        return ""
    parts = [name]
    directory = directory_of(obj)
    while directory is not None and directory.address != manager.root:
        parts.append(name_of(directory))
        directory = directory_of(directory)
    return "\\" + "\\".join(reversed(parts)) if directory is not None else "...\\" + name


def delete_name_if_unused(obj: KernelObject) -> None:
    """A temporary object without handles loses its name (ObpDeleteNameCheck)."""
    header = header_of(obj)
    if not header.PermanentObject and int(header.HandleCount) == 0:
        directory = directory_of(obj)
        if directory is not None:
            directory.remove(obj)


def set_name_text(kernel: Kernel, view: OBJECT_HEADER_NAME_INFO, name: str) -> None:
    """Write a name into a name header."""
    data = to_utf16(name)
    buffer = kernel.pool.allocate(max(len(data), 2), NAME_TAG, paged=True)
    kernel.memory.write(buffer, data)
    view.Name.Length = view.Name.MaximumLength = len(data)
    view.Name.Buffer = buffer


def _write_name(obj: KernelObject, name: str, directory: int) -> None:
    kernel = obj.kernel
    view = OBJECT_HEADER_NAME_INFO(kernel.memory, add_name_header(obj))
    view.Directory = directory
    view.ReferenceCount = 1
    set_name_text(kernel, view, name)


def _erase_name(obj: KernelObject) -> None:
    view = OBJECT_HEADER_NAME_INFO(
        obj.kernel.memory, optional_header(obj.kernel, obj.address, OB_INFOMASK_NAME)
    )
    obj.kernel.pool.free(int(view.Name.Buffer))
    view.clear()

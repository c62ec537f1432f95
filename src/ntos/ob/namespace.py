"""Finding objects by name: the walk from the root, and the parse procedures that take it further.

A directory is searched for the next component; an object whose type has a parse procedure gets the rest of
the name (a symbolic link, a device, a registry key). Any other object with something left of the name is an
error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from ntos.abi import access as rights
from ntos.abi.layout.object import DEVICE_MAP
from ntos.abi.ob import OBJ_CASE_INSENSITIVE, OBJ_DONT_REPARSE, OBJ_OPENLINK
from ntos.abi.status import STATUS, Denied, NtError
from ntos.ke.kernel import Kernel
from ntos.ob.directory import DIRECTORY, Directory
from ntos.ob.handle import by_handle
from ntos.ob.manager import ObjectManager
from ntos.ob.object import dereference, reference
from ntos.ob.symlink import SYMBOLIC_LINK
from ntos.ob.types import KernelObject, ObjectType, ParseRequest, Reparse

if TYPE_CHECKING:
    from ntos.ke.thread import Thread

T = TypeVar("T", bound=KernelObject)

MAXIMUM_REPARSES = 32
DOS_DEVICES = "??"
r"""`\??` is not in the root directory: it is the directory of the process's device map."""


class Walk:
    """One search. `place` is filled when the name led to a directory that lacks its last component."""

    def __init__(self, who: Thread | Kernel, request: ParseRequest, *, inserting: bool) -> None:
        self.who = who
        self.kernel = who if isinstance(who, Kernel) else who.kernel
        self.manager = self.kernel[ObjectManager]
        self.request = request
        self.inserting = inserting
        self.place: tuple[Directory, str] | None = None
        self.reparses = 0

    def run(self, path: str, root: KernelObject | None) -> KernelObject | None:
        """The object with a reference for the caller; None when `place` says where it could be inserted."""
        obj: KernelObject
        rest: str
        if root is None:
            obj, rest = self._from_root(path)
        else:
            if path.startswith("\\"):
                raise NtError(STATUS.OBJECT_PATH_SYNTAX_BAD)
            if not isinstance(root, Directory) and self.manager.kind_of(root).parse is None:
                raise NtError(STATUS.OBJECT_TYPE_MISMATCH)
            obj, rest = root, path
        found_in: Directory | None = None
        while True:
            kind = self.manager.kind_of(obj)
            if isinstance(obj, Directory):
                if not rest:
                    break
                following, rest, name = self._component(obj, rest)
                if following is None:
                    self.place = (obj, name)
                    return None
                found_in, obj = obj, following
                continue
            if kind.parse is None:
                if rest:
                    raise NtError(STATUS.OBJECT_TYPE_MISMATCH)
                break
            if self.inserting and kind is not SYMBOLIC_LINK:
                if rest:
                    raise NtError(STATUS.OBJECT_PATH_NOT_FOUND)
                break
            if kind is SYMBOLIC_LINK and not rest and self._wants_link():
                break
            self.request.directory = found_in
            answer = kind.parse(self.who, obj, rest, self.request)
            if not isinstance(answer, Reparse):
                return answer
            obj, rest = self._reparse(answer.name)
        reference(obj)
        return obj

    def _from_root(self, path: str) -> tuple[KernelObject, str]:
        if not path.startswith("\\"):
            raise NtError(STATUS.OBJECT_PATH_SYNTAX_BAD)
        root = self.manager.objects[self.manager.root]
        head, _, _ = path[1:].partition("\\")
        if head == DOS_DEVICES:
            return dos_devices(self.who), path[1 + len(head) :]
        return root, path if len(path) > 1 else ""

    def _component(self, directory: Directory, rest: str) -> tuple[KernelObject | None, str, str]:
        name, separator, rest = rest.removeprefix("\\").partition("\\")
        rest = separator + rest
        if not name:
            raise NtError(STATUS.OBJECT_NAME_INVALID)
        found = directory.find(name, ignore_case=self.request.case_insensitive)
        if found is None:
            if rest:
                raise NtError(STATUS.OBJECT_PATH_NOT_FOUND)
            if not self.inserting:
                raise NtError(STATUS.OBJECT_NAME_NOT_FOUND)
        return found, rest, name

    def _wants_link(self) -> bool:
        return self.request.kind is SYMBOLIC_LINK or self.request.attributes & OBJ_OPENLINK != 0

    def _reparse(self, path: str) -> tuple[KernelObject, str]:
        if self.request.attributes & OBJ_DONT_REPARSE:
            raise NtError(
                STATUS.REPARSE_POINT_ENCOUNTERED,
                because=Denied("no reparse", {"leads to": path}, "leave out OBJ_DONT_REPARSE"),
            )
        self.reparses += 1
        if self.reparses > MAXIMUM_REPARSES:
            raise NtError(STATUS.OBJECT_NAME_NOT_FOUND)
        return self._from_root(path or "\\")


def dos_devices(who: Thread | Kernel) -> Directory:
    r"""The directory `\??` means to this thread: its process's device map, else the machine's."""
    kernel = who if isinstance(who, Kernel) else who.kernel
    manager = kernel[ObjectManager]
    device_map = 0 if isinstance(who, Kernel) else int(who.process.eprocess.DeviceMap)
    view = DEVICE_MAP(kernel.memory, device_map or manager.device_map)
    directory = manager.objects[int(view.DosDevicesDirectory)]
    assert isinstance(directory, Directory)
    return directory


def root_object(who: Thread | Kernel, root_handle: int) -> KernelObject | None:
    """What RootDirectory stands for."""
    if not root_handle:
        return None
    assert not isinstance(who, Kernel), "a handle needs a process"
    root: KernelObject = by_handle(who, root_handle, 0)
    return root


def lookup(
    who: Thread | Kernel,
    path: str,
    *,
    root_handle: int = 0,
    case_insensitive: bool = True,
    kind: ObjectType[Any] | None = None,
    access: int = 0,
    context: object = None,
    attributes: int = 0,
) -> Any:
    """The object of this name, with a reference for the caller (ObReferenceObjectByName)."""
    if case_insensitive:
        attributes |= OBJ_CASE_INSENSITIVE
    request = ParseRequest(kind, access, attributes, path, context)
    return find(who, request, root_object(who, root_handle))


def find(who: Thread | Kernel, request: ParseRequest, root: KernelObject | None) -> KernelObject:
    """`lookup` with the request in hand: what the parse procedures said in it can be read afterwards."""
    walk = Walk(who, request, inserting=False)
    obj = walk.run(request.name, root)
    assert obj is not None
    if request.kind is not None and walk.manager.kind_of(obj) is not request.kind:
        dereference(obj)
        raise NtError(STATUS.OBJECT_TYPE_MISMATCH)
    return obj


def place_for(
    who: Thread | Kernel, request: ParseRequest, root: KernelObject | None
) -> tuple[KernelObject | None, Directory | None, str]:
    """For a creation: (the object that has the name already, referenced), or (None, directory, free name)."""
    walk = Walk(who, request, inserting=True)
    found = walk.run(request.name, root)
    if found is not None:
        if found.address == walk.manager.root and request.kind is not DIRECTORY:
            dereference(found)  # the name "\\" is compared with the type before anything is
            raise NtError(STATUS.OBJECT_TYPE_MISMATCH)
        return found, None, ""
    assert walk.place is not None
    directory, name = walk.place
    if not isinstance(who, Kernel):
        wanted = (
            rights.DIRECTORY_CREATE_SUBDIRECTORY
            if request.kind is DIRECTORY
            else rights.DIRECTORY_CREATE_OBJECT
        )
        walk.manager.check_access(who, directory, wanted)
    return None, directory, name

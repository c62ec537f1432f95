"""What one kernel's object manager knows: the types, the objects by address, the root of all names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ntos.abi import access as rights
from ntos.abi.layout.object import OBJECT_HEADER, OBJECT_TYPE, OBJECT_TYPE_INITIALIZER
from ntos.abi.status import STATUS, NtError
from ntos.ob.types import FIRST_INDEX, TYPE_NAMES, Body, KernelObject, ObjectType

if TYPE_CHECKING:
    from collections.abc import Callable

    from ntos.ex.handle import HandleTable
    from ntos.ke.kernel import Kernel
    from ntos.ke.thread import Thread

BODY = OBJECT_HEADER.offset("Body")
"""From an object's header to its body."""
TYPE_INDEX = OBJECT_HEADER.offset("TypeIndex")
MAXIMUM_TYPES = 256


class TypeObject(Body):
    """The OBJECT_TYPE of one type in one kernel."""

    def __init__(self, kernel: Kernel, address: int) -> None:
        super().__init__(kernel, address)
        self.view = OBJECT_TYPE(kernel.memory, address)

    @property
    def name(self) -> str:
        r"""As in `\ObjectTypes`."""
        return self.view.Name.text

    def count_object(self, change: int) -> None:
        """An object more or less."""
        view = self.view
        total = int(view.TotalNumberOfObjects) + change
        view.TotalNumberOfObjects = total
        if total > int(view.HighWaterNumberOfObjects):
            view.HighWaterNumberOfObjects = total

    def count_handle(self, change: int) -> None:
        """A handle more or less."""
        view = self.view
        total = int(view.TotalNumberOfHandles) + change
        view.TotalNumberOfHandles = total
        if total > int(view.HighWaterNumberOfHandles):
            view.HighWaterNumberOfHandles = total


TYPE = ObjectType(
    "Type", OBJECT_TYPE.size, TypeObject, tag=b"ObjT",
    valid_access=rights.OBJECT_TYPE_ALL_ACCESS | rights.SYNCHRONIZE,
    generic_mapping=(0x20000, 0x20000, 0x20000, rights.OBJECT_TYPE_ALL_ACCESS),
)


def grant_all(thread: Thread, obj: KernelObject, desired: int) -> int:
    """The rights asked for, generic ones mapped: how access is checked until `se` takes it over."""
    kind = obj.kernel[ObjectManager].kind_of(obj)
    granted = kind.mapping.apply(desired)
    if desired & rights.MAXIMUM_ALLOWED:
        granted |= kind.valid_access
    return granted & (kind.valid_access | rights.ACCESS_SYSTEM_SECURITY)


def assign_nothing(
    thread: Thread | None, obj: KernelObject, parent: KernelObject | None, descriptor: int
) -> None:
    """New objects have no security descriptor until `se` gives them one."""


class ObjectManager:
    """State of one kernel's object manager. `kernel[ObjectManager]`."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.cookie = kernel.random.randrange(1, 256)
        """ObHeaderCookie: mixed into every header's type index."""
        self.kinds: list[ObjectType[Any] | None] = [None] * MAXIMUM_TYPES
        """By index: what has been declared."""
        self.type_objects: list[TypeObject | None] = [None] * MAXIMUM_TYPES
        self.indices: dict[ObjectType[Any], int] = {}
        self.names = {name: index for index, name in enumerate(TYPE_NAMES, FIRST_INDEX)}
        self.objects: dict[int, KernelObject] = {}
        """Identity map: body address to the one Python object for it."""
        self.root = 0
        """Address of the root directory (ObpRootDirectoryObject)."""
        self.device_map = 0
        """Address of the DEVICE_MAP of processes that have none of their own."""
        self.kernel_table: HandleTable | None = None
        """ObpKernelHandleTable: the System process's; `ps` sets it."""
        self.make_type: Callable[[int, str], None] = lambda _index, _name: None
        """Make the OBJECT_TYPE of a type the build does not have; `bootstrap` sets it."""
        self.check_access: Callable[[Thread, KernelObject, int], int] = grant_all
        """(thread, object, desired) -> granted rights, or NtError(ACCESS_DENIED). `se` sets it."""
        self.assign_security: Callable[[Thread | None, KernelObject, KernelObject | None, int], None] = (
            assign_nothing
        )
        """(creator, object, parent directory, address of an explicit descriptor or 0). `se` sets it."""
        self.free_security: Callable[[KernelObject], None] = lambda _obj: None
        """An object with a security descriptor is going away. `se` sets it."""

    # ------------------------------------------------------------ types

    def index(self, kind: ObjectType[Any]) -> int:
        """The type's index, registering it if need be."""
        found = self.indices.get(kind)
        return found if found is not None else self.register(kind)

    def register(self, kind: ObjectType[Any]) -> int:
        """Take a declaration into this kernel (ObCreateObjectType); gives its index."""
        index = self.names.get(kind.name)
        if index is None:
            index = self.names[kind.name] = max(self.names.values()) + 1
        if self.kinds[index] is not None and self.kinds[index] is not kind:
            raise NtError(STATUS.OBJECT_NAME_COLLISION)
        self.kinds[index] = kind
        self.indices[kind] = index
        made = self.type_objects[index]
        if made is not None:
            describe(made.view, kind)
        elif self.root:
            self.make_type(index, kind.name)
        return index

    def find_type(self, name: str) -> ObjectType[Any] | None:
        """The declared type of this name."""
        index = self.names.get(name)
        return self.kinds[index] if index is not None else None

    def kind_of(self, obj: KernelObject) -> ObjectType[Any]:
        """An object's type, from its header (ObGetObjectType)."""
        kind = self.kinds[self.index_of(obj.address)]
        assert kind is not None, f"object 0x{obj.address:X} has an undeclared type"
        return kind

    def kind_of_name(self, obj: KernelObject) -> str:
        """The name of an object's type, also of one nobody has declared yet."""
        made = self.type_objects[self.index_of(obj.address)]
        return made.name if made is not None else ""

    def index_of(self, address: int) -> int:
        """The type index in the header of the object at `address`, decoded."""
        header = address - BODY
        memory = self.kernel.memory
        coded = memory.buffer[memory.locate(header + TYPE_INDEX)]
        return (coded ^ self.cookie ^ header >> 8) & 0xFF

    def code_index(self, header: int, index: int) -> int:
        """`index` as the header at `header` holds it."""
        return (index ^ self.cookie ^ header >> 8) & 0xFF

    def type_object(self, kind: ObjectType[Any]) -> TypeObject:
        """This kernel's OBJECT_TYPE for a declaration."""
        made = self.type_objects[self.index(kind)]
        assert made is not None
        return made


def describe(view: OBJECT_TYPE, kind: ObjectType[Any]) -> None:
    """Write what a declaration says into the OBJECT_TYPE."""
    information = view.TypeInfo
    information.Length = OBJECT_TYPE_INITIALIZER.size
    information.CaseInsensitive = 1
    information.SecurityRequired = int(kind.security_required)
    information.MaintainHandleCount = int(kind.maintain_handle_count)
    information.MaintainTypeList = int(kind.maintain_type_list)
    information.InvalidAttributes = kind.invalid_attributes
    mapping = information.GenericMapping
    mapping.GenericRead = kind.mapping.read
    mapping.GenericWrite = kind.mapping.write
    mapping.GenericExecute = kind.mapping.execute
    mapping.GenericAll = kind.mapping.all
    information.ValidAccessMask = kind.valid_access
    information.PoolType = 1 if kind.paged else 0x200
    if kind.paged:
        information.DefaultPagedPoolCharge = kind.body_size
    else:
        information.DefaultNonPagedPoolCharge = kind.body_size
    view.Key = int.from_bytes(kind.tag, "little")

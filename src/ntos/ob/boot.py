"""How the object manager comes up: the type of types first, then all types, then the directories."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.layout.object import DEVICE_MAP
from ntos.ex.handle import HandleTable, HandleTableList
from ntos.ob.directory import DIRECTORY, Directory
from ntos.ob.globals import publish_type
from ntos.ob.manager import TYPE, ObjectManager, TypeObject, describe
from ntos.ob.object import create, dereference, header_of, reference
from ntos.ob.symlink import SYMBOLIC_LINK, SymbolicLink, create_link
from ntos.ob.types import FIRST_INDEX, TYPE_NAMES, KernelObject
from ntos.rtl.text import to_utf16

if TYPE_CHECKING:
    from ntos.ke.kernel import Kernel
    from ntos.ke.process import Process

DIRECTORIES = (
    "ObjectTypes", "KernelObjects", "GLOBAL??", "Device", "Driver", "FileSystem", "Callback", "Security",
    "BaseNamedObjects", "Sessions", "KnownDlls", "KnownDlls32", "RPC Control", "Windows", "NLS",
    "UMDFCommunicationPorts", "ArcName", "Windows\\WindowStations", "Sessions\\BNOLINKS",
)  # fmt: skip
LINKS = (
    ("DosDevices", "\\??"),
    ("GLOBAL??\\GLOBALROOT", ""),
    ("GLOBAL??\\Global", "\\GLOBAL??"),
    ("BaseNamedObjects\\Global", "\\BaseNamedObjects"),
    ("BaseNamedObjects\\Local", "\\BaseNamedObjects"),
    ("BaseNamedObjects\\Session", "\\Sessions\\BNOLINKS"),
    ("Sessions\\BNOLINKS\\0", "\\BaseNamedObjects"),
)


def bootstrap(kernel: Kernel) -> ObjectManager:
    """Bring the object manager up (ObInitSystem). The pool must be there."""
    manager = ObjectManager(kernel)
    kernel.install(manager)
    kernel.install(HandleTableList(kernel))
    for kind in (TYPE, DIRECTORY, SYMBOLIC_LINK):
        manager.register(kind)
    for index, name in enumerate(TYPE_NAMES, FIRST_INDEX):
        _make_type(manager, index, name)
    type_view = manager.type_object(TYPE).view
    type_view.TotalNumberOfObjects = type_view.HighWaterNumberOfObjects = len(TYPE_NAMES)
    root = create(kernel, DIRECTORY)
    header_of(root).PermanentObject = 1
    manager.root = root.address
    for path in DIRECTORIES:
        add_directory(kernel, path)
    for path, target in LINKS:
        add_link(kernel, path, target)
    for made in manager.type_objects:
        if made is not None:
            _name_type(made)
    manager.make_type = lambda index, name: _add_type(manager, index, name)
    manager.device_map = _make_device_map(kernel, directory(kernel, "GLOBAL??"))
    return manager


def _make_type(manager: ObjectManager, index: int, name: str) -> None:
    kernel = manager.kernel
    made = create(kernel, TYPE)
    view = made.view
    view.TypeList.initialize()
    view.CallbackList.initialize()
    view.Index = index
    data = to_utf16(name)
    buffer = kernel.pool.allocate(len(data) + 2, b"ObNm")
    kernel.memory.write(buffer, data)
    view.Name.Length = len(data)
    view.Name.MaximumLength = len(data) + 2
    view.Name.Buffer = buffer
    manager.type_objects[index] = made
    kind = manager.kinds[index]
    if kind is not None:
        describe(view, kind)


def _name_type(made: TypeObject) -> None:
    directory(made.kernel, "ObjectTypes").insert(made.name, made)
    header_of(made).PermanentObject = 1


def _add_type(manager: ObjectManager, index: int, name: str) -> None:
    """A driver's type, after those of the build."""
    _make_type(manager, index, name)
    made = manager.type_objects[index]
    assert made is not None
    _name_type(made)
    if manager.kernel.image_base:
        publish_type(manager.kernel, index, made)


def _make_device_map(kernel: Kernel, devices: Directory) -> int:
    view = DEVICE_MAP(kernel.memory, kernel.pool.allocate(DEVICE_MAP.size, b"ObDm", paged=True))
    view.DosDevicesDirectory = devices.address
    view.GlobalDosDevicesDirectory = devices.address
    view.ReferenceCount = 1
    devices.view.DeviceMap = view.address
    reference(devices, 2)
    return view.address


def directory(kernel: Kernel, path: str) -> Directory:
    """The directory at a path below the root (no leading backslash); KeyError where there is none."""
    manager = kernel[ObjectManager]
    found: KernelObject | None = manager.objects[manager.root]
    for name in path.split("\\") if path else ():
        assert isinstance(found, Directory)
        found = found.find(name)
        if found is None:
            raise KeyError(path)
    assert isinstance(found, Directory)
    return found


def add_permanent(kernel: Kernel, path: str, obj: KernelObject) -> None:
    """Name an object of the kernel's own at a path below the root; its reference goes to the directory."""
    parent, _, name = path.removeprefix("\\").rpartition("\\")
    place = directory(kernel, parent)
    place.insert(name, obj)
    kernel[ObjectManager].assign_security(None, obj, place, 0)
    header = header_of(obj)
    header.PermanentObject = 1
    header.NewObject = 0
    dereference(obj)


def add_directory(kernel: Kernel, path: str) -> Directory:
    """A permanent directory at a path below the root."""
    made = create(kernel, DIRECTORY)
    add_permanent(kernel, path, made)
    return made


def add_link(kernel: Kernel, path: str, target: str) -> SymbolicLink:
    """A permanent symbolic link at a path below the root."""
    link = create_link(kernel, target)
    add_permanent(kernel, path, link)
    return link


def has_session(kernel: Kernel, session: int) -> bool:
    """Whether the session has its directories: session 0's are the global ones."""
    return not session or directory(kernel, "Sessions").find(str(session)) is not None


def create_session(kernel: Kernel, session: int) -> Directory:
    r"""`\Sessions\N` with its BaseNamedObjects and the links in it; gives the BaseNamedObjects."""
    base = f"Sessions\\{session}"
    names = f"{base}\\BaseNamedObjects"
    containers = f"{base}\\AppContainerNamedObjects"
    for path in (base, containers, f"{base}\\DosDevices", f"{base}\\Windows", f"{base}\\Windows\\WindowStations"):
        add_directory(kernel, path)
    made = add_directory(kernel, names)
    add_link(kernel, f"{names}\\Global", "\\BaseNamedObjects")
    add_link(kernel, f"{names}\\Local", "\\" + names)
    add_link(kernel, f"{names}\\Session", "\\Sessions\\BNOLINKS")
    add_link(kernel, f"Sessions\\BNOLINKS\\{session}", "\\" + names)
    made.view.SessionId = session
    return made


def create_handle_table(process: Process) -> HandleTable:
    """Give a process its handle table (ObInitProcess without a parent)."""
    table = HandleTable(process.kernel, process)
    process.install(table)
    return table

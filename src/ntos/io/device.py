"""Devices and drivers: true DEVICE_OBJECTs and DRIVER_OBJECTs with names, and the way from a name into a
driver.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos import ob
from ntos.abi import access as rights
from ntos.abi.layout.io import DEVICE_OBJECT, DRIVER_OBJECT, VPB
from ntos.abi.status import STATUS, NtError
from ntos.io.driver import Driver, Opening
from ntos.io.file import FILE, FileObject
from ntos.ob.types import Body, KernelObject, ObjectType, ParseRequest, Reparse
from ntos.rtl.text import to_utf16

if TYPE_CHECKING:
    from ntos.ke.kernel import Kernel
    from ntos.ke.thread import Thread

IO_TYPE_DEVICE = 3
IO_TYPE_DRIVER = 4
IO_TYPE_VPB = 10
DO_DEVICE_HAS_NAME = 0x40
FILE_DEVICE_GENERIC = (0x120089, 0x120116, 0x1200A0, 0x1F01FF)


class DriverObject(Body):
    """DRIVER_OBJECT, and the Python driver that serves it."""

    def __init__(self, kernel: Kernel, address: int) -> None:
        super().__init__(kernel, address)
        self.view = DRIVER_OBJECT(kernel.memory, address)
        self.driver: Driver = Driver()


class Device(Body):
    """DEVICE_OBJECT: what file objects are opened on."""

    def __init__(self, kernel: Kernel, address: int) -> None:
        super().__init__(kernel, address)
        self.view = DEVICE_OBJECT(kernel.memory, address)
        self.driver: Driver = Driver()

    @property
    def path(self) -> str:
        r"""The name in the namespace: `\Device\HarddiskVolume2`."""
        return ob.full_name(self)

    @property
    def type(self) -> int:
        """FILE_DEVICE_…."""
        return int(self.view.DeviceType)

    @property
    def characteristics(self) -> int:
        """FILE_…_MEDIA and the like."""
        return int(self.view.Characteristics)


DRIVER: ObjectType[DriverObject] = ObjectType(
    "Driver", DRIVER_OBJECT.size, DriverObject, valid_access=0x1F01FF, tag=b"Driv",
    generic_mapping=FILE_DEVICE_GENERIC, invalid_attributes=0x100,
)  # fmt: skip
DEVICE: ObjectType[Device] = ObjectType(
    "Device", DEVICE_OBJECT.size, Device, valid_access=0x1F01FF, tag=b"Devi",
    generic_mapping=FILE_DEVICE_GENERIC, invalid_attributes=0x100,
)  # fmt: skip


def create_driver(kernel: Kernel, driver: Driver) -> DriverObject:
    r"""A DRIVER_OBJECT named below \Driver or \FileSystem (IoCreateDriver); the same one for the same
    name.
    """
    place = "FileSystem" if driver.file_system else "Driver"
    known = ob.directory(kernel, place).find(driver.name)
    if isinstance(known, DriverObject):
        return known
    made = ob.create(kernel, DRIVER)
    made.driver = driver
    view = made.view
    view.Type, view.Size = IO_TYPE_DRIVER, DRIVER_OBJECT.size
    view.Flags = 0x12  # DRVO_INITIALIZED | DRVO_BUILTIN_DRIVER
    _name(kernel, view, f"{place}\\{driver.name}")
    ob.add_permanent(kernel, f"{place}\\{driver.name}", made)
    return made


def _name(kernel: Kernel, view: DRIVER_OBJECT, name: str) -> None:
    data = to_utf16("\\" + name)
    view.DriverName.Buffer = kernel.pool.allocate(len(data), b"IoNm", paged=True)
    kernel.memory.write(int(view.DriverName.Buffer), data)
    view.DriverName.Length = view.DriverName.MaximumLength = len(data)


def create_device(
    kernel: Kernel, driver: Driver, name: str, device_type: int, characteristics: int = 0
) -> Device:
    r"""A device of that name below \Device (IoCreateDevice)."""
    owner = create_driver(kernel, driver)
    made = ob.create(kernel, DEVICE)
    made.driver = driver
    view = made.view
    view.Type, view.Size = IO_TYPE_DEVICE, DEVICE_OBJECT.size
    view.ReferenceCount = 0
    view.DriverObject = owner.address
    view.NextDevice = owner.view.DeviceObject
    owner.view.DeviceObject = made.address
    view.DeviceType = device_type
    view.Characteristics = characteristics
    view.Flags = DO_DEVICE_HAS_NAME
    view.StackSize = 1
    view.SectorSize = 512
    ob.add_permanent(kernel, f"Device\\{name}", made)
    return made


def mount_parameters(device: Device, label: str, serial: int) -> None:
    """Give a device its VPB: what says that a volume is mounted on it."""
    kernel = device.kernel
    view = VPB(kernel.memory, kernel.pool.allocate(VPB.size, b"Vpb "))
    view.Type, view.Size, view.Flags = IO_TYPE_VPB, VPB.size, 1
    view.DeviceObject = view.RealDevice = device.address
    view.SerialNumber = serial
    view.VolumeLabel = label
    view.VolumeLabelLength = len(to_utf16(label[:32]))
    device.view.Vpb = view.address


def _parse(who: Thread | Kernel, device: Device, rest: str, request: ParseRequest) -> KernelObject | Reparse:
    """IopParseDevice: a create request goes to the driver."""
    opening = request.context
    if not isinstance(opening, Opening):
        if not rest and request.kind is DEVICE:
            ob.reference(device)
            return device
        raise NtError(STATUS.OBJECT_TYPE_MISMATCH)
    opening.name = rest
    opening.case_insensitive = request.case_insensitive
    return open_on(device, opening, request)


def _parse_file(
    who: Thread | Kernel, file: FileObject, rest: str, request: ParseRequest
) -> KernelObject | Reparse:
    """IopParseFile: a name relative to an open directory (or device)."""
    opening = request.context
    if not isinstance(opening, Opening):
        raise NtError(STATUS.OBJECT_TYPE_MISMATCH)
    opening.name = rest
    opening.related = file
    return open_on(file.device, opening, request)


def open_on(device: Device, opening: Opening, request: ParseRequest | None = None) -> FileObject:
    """Make a file object and let the driver accept it; the caller gets the reference."""
    if opening.access & ~rights.MAXIMUM_ALLOWED:
        opening.access = FILE.mapping.apply(opening.access) | opening.access & rights.MAXIMUM_ALLOWED
    file = ob.create(device.kernel, FILE)
    file.prepare(device, opening)
    try:
        device.driver.create(device, file, opening)
    except NtError:
        ob.dereference(file)
        raise
    file.admit(opening)
    if request is not None:
        request.granted = opening.access & FILE.valid_access
    return file


DEVICE.parse = _parse
FILE.parse = _parse_file

"""File objects: one open of a file, directory, pipe or device, in true FILE_OBJECT bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos import ob
from ntos.abi import access as rights
from ntos.abi.io import (
    FILE_DELETE_ON_CLOSE,
    FILE_NO_INTERMEDIATE_BUFFERING,
    FILE_RANDOM_ACCESS,
    FILE_SEQUENTIAL_ONLY,
    FILE_SYNCHRONOUS_IO_ALERT,
    FILE_SYNCHRONOUS_IO_NONALERT,
    FILE_WRITE_THROUGH,
    FO_ALERTABLE_IO,
    FO_CLEANUP_COMPLETE,
    FO_DELETE_ON_CLOSE,
    FO_FILE_OPEN,
    FO_HANDLE_CREATED,
    FO_NO_INTERMEDIATE_BUFFERING,
    FO_RANDOM_ACCESS,
    FO_SEQUENTIAL_ONLY,
    FO_SYNCHRONOUS_IO,
    FO_WRITE_THROUGH,
)
from ntos.abi.layout.io import FILE_OBJECT, IO_COMPLETION_CONTEXT
from ntos.abi.layout.section import SECTION_OBJECT_POINTERS
from ntos.abi.status import STATUS, NtError
from ntos.io.driver import FILE_MAPPING
from ntos.io.volume import acl
from ntos.io.volume.open import VolumeOpen
from ntos.ke.event import NOTIFICATION_EVENT, SYNCHRONIZATION_EVENT, event_at
from ntos.ob.types import Body, ObjectType
from ntos.rtl.text import to_utf16

if TYPE_CHECKING:
    from collections.abc import Hashable

    from ntos.io.device import Device
    from ntos.io.driver import Opening
    from ntos.io.request import CompletionPort, Request
    from ntos.io.volume.node import MappedFile, Node
    from ntos.ke.kernel import Kernel
    from ntos.ke.process import Process
    from ntos.ob import KernelObject

IO_TYPE_FILE = 5
EVENT = FILE_OBJECT.offset("Event")
LOCK = FILE_OBJECT.offset("Lock")
NAME_TAG = b"IoNm"
SIGNED_BY_WINDOWS = 12
"""SE_SIGNING_LEVEL_WINDOWS."""
SYNCHRONOUS = FILE_SYNCHRONOUS_IO_ALERT | FILE_SYNCHRONOUS_IO_NONALERT
_OPTION_FLAGS = (
    (FILE_WRITE_THROUGH, FO_WRITE_THROUGH),
    (FILE_SEQUENTIAL_ONLY, FO_SEQUENTIAL_ONLY),
    (FILE_NO_INTERMEDIATE_BUFFERING, FO_NO_INTERMEDIATE_BUFFERING),
    (FILE_RANDOM_ACCESS, FO_RANDOM_ACCESS),
    (FILE_DELETE_ON_CLOSE, FO_DELETE_ON_CLOSE),
    (SYNCHRONOUS, FO_SYNCHRONOUS_IO),
    (FILE_SYNCHRONOUS_IO_ALERT, FO_ALERTABLE_IO),
)


class FileObject(Body):
    """FILE_OBJECT at `address`; what its driver keeps with the open is `context`."""

    def __init__(self, kernel: Kernel, address: int) -> None:
        super().__init__(kernel, address)
        self.view = FILE_OBJECT(kernel.memory, address)
        self.event = event_at(kernel, address + EVENT)
        self.lock = event_at(kernel, address + LOCK)
        self.device: Device
        self.context: object = None
        self.pending: list[Request] = []
        self.completion: tuple[CompletionPort, int] | None = None
        """The port that hears of completed requests, and its key."""
        self._port_object: KernelObject | None = None
        self.completion_modes = 0
        """FILE_SKIP_COMPLETION_PORT_ON_SUCCESS 1, FILE_SKIP_SET_EVENT_ON_HANDLE 2."""
        self.options = 0
        self.admitted = False

    # ------------------------------------------------------------ its life

    def prepare(self, device: Device, opening: Opening) -> None:
        """Before the driver is asked."""
        view = self.view
        self.device = device
        self.options = opening.options
        view.Type, view.Size = IO_TYPE_FILE, FILE_OBJECT.size
        view.DeviceObject = device.address
        view.Vpb = device.view.Vpb
        view.Flags = sum(flag for option, flag in _OPTION_FLAGS if opening.options & option)
        if opening.related is not None:
            view.RelatedFileObject = opening.related.address
        view.IrpList.initialize()
        self.event.initialize(NOTIFICATION_EVENT, signalled=False)
        self.lock.initialize(SYNCHRONIZATION_EVENT, signalled=False)
        self.name = opening.name

    def admit(self, opening: Opening) -> None:
        """The driver accepted the open."""
        view = self.view
        self.options = opening.options
        view.RelatedFileObject = 0
        access, share = opening.access, opening.share
        view.ReadAccess = int(access & (rights.FILE_READ_DATA | rights.FILE_EXECUTE) != 0)
        view.WriteAccess = int(access & (rights.FILE_WRITE_DATA | rights.FILE_APPEND_DATA) != 0)
        view.DeleteAccess = int(access & rights.DELETE != 0)
        view.SharedRead, view.SharedWrite, view.SharedDelete = share & 1, share >> 1 & 1, share >> 2 & 1
        view.Flags = int(view.Flags) | FO_FILE_OPEN | FO_HANDLE_CREATED
        self.event.header.SignalState = 1
        device = self.device.view
        device.ReferenceCount = int(device.ReferenceCount) + 1
        self.admitted = True

    def cleanup(self) -> None:
        """The last handle is closed (IopCloseFile): requests under way are cancelled, the driver is told."""
        if not self.admitted or int(self.view.Flags) & FO_CLEANUP_COMPLETE:
            return
        self.view.Flags = int(self.view.Flags) | FO_CLEANUP_COMPLETE
        self.device.driver.cleanup(self)
        for request in list(self.pending):
            request.cancel()

    def deleted(self) -> None:
        """Nobody refers to it any more (IopDeleteFile)."""
        if self.admitted:
            self.cleanup()
            self.device.driver.close(self)
            device = self.device.view
            device.ReferenceCount = int(device.ReferenceCount) - 1
        self.dissociate()
        if self.view.FileName.Buffer:
            self.kernel.pool.free(int(self.view.FileName.Buffer))

    # ------------------------------------------------------------ what it says of itself

    @property
    def name(self) -> str:
        r"""The name below the device: `\Windows\notepad.exe`."""
        return self.view.FileName.text

    @name.setter
    def name(self, value: str) -> None:
        data = to_utf16(value)
        field, pool = self.view.FileName, self.kernel.pool
        if field.Buffer:
            pool.free(int(field.Buffer))
        field.Buffer = pool.allocate(len(data), NAME_TAG, paged=True) if data else 0
        if data:
            self.kernel.memory.write(int(field.Buffer), data)
        field.Length = field.MaximumLength = len(data)

    @property
    def path(self) -> str:
        r"""The full NT name: `\Device\HarddiskVolume2\Windows\notepad.exe`."""
        name = self.name
        return self.device.path + ("" if not name or name.startswith("\\") else "\\") + name

    @property
    def is_synchronous(self) -> bool:
        """Opened with FILE_SYNCHRONOUS_IO_…: one request at a time, and the position is kept."""
        return bool(int(self.view.Flags) & FO_SYNCHRONOUS_IO)

    @property
    def is_alertable(self) -> bool:
        """Its synchronous waits end with an alert or APC."""
        return bool(int(self.view.Flags) & FO_ALERTABLE_IO)

    @property
    def position(self) -> int:
        """CurrentByteOffset."""
        return int(self.view.CurrentByteOffset)

    def moved(self, position: int) -> None:
        """A synchronous request went that far."""
        if self.is_synchronous:
            self.view.CurrentByteOffset = position

    # ------------------------------------------------------------ completion ports and sections

    def associate(self, port: CompletionPort, obj: KernelObject, key: int) -> None:
        """Send completions of this open to `port`. INVALID_PARAMETER if one is set, or the open is
        synchronous.
        """
        if self.completion is not None or self.is_synchronous:
            raise NtError(STATUS.INVALID_PARAMETER)
        kernel = self.kernel
        record = IO_COMPLETION_CONTEXT(
            kernel.memory, kernel.pool.allocate(IO_COMPLETION_CONTEXT.size, b"IoCc")
        )
        record.Port, record.Key, record.UsageCount = obj.address, key, 0
        self.view.CompletionContext = record.address
        self.completion = port, key
        self._port_object = obj
        ob.reference(obj)

    def dissociate(self) -> None:
        """Send completions nowhere any more (FileReplaceCompletionInformation)."""
        if self._port_object is not None:
            ob.dereference(self._port_object)
            self.kernel.pool.free(int(self.view.CompletionContext))
            self.view.CompletionContext = 0
        self.completion = self._port_object = None

    def use_sections(self, node: Node) -> None:
        """Point at the node's SECTION_OBJECT_POINTERS, shared by all opens of the file."""
        if node.is_directory:
            return
        if not node.section_pointers:
            node.section_pointers = self.kernel.pool.allocate(SECTION_OBJECT_POINTERS.size, b"MmSm")
            SECTION_OBJECT_POINTERS(self.kernel.memory, node.section_pointers).clear()
        self.view.SectionObjectPointer = node.section_pointers

    def release_sections(self, node: Node) -> None:
        """The last file object of the node goes."""
        if node.section_pointers:
            self.kernel.pool.free(node.section_pointers)
            node.section_pointers = 0

    @property
    def backing(self) -> NodeBacking:
        """The file's bytes for sections (mm.Backing). INVALID_FILE_FOR_SECTION for what is no file on a
        volume.
        """
        if not isinstance(self.context, VolumeOpen) or self.context.node.is_directory:
            raise NtError(STATUS.INVALID_FILE_FOR_SECTION)
        return NodeBacking(self, self.context.node)

    def read_through(self, node: Node, offset: int, size: int) -> bytes:
        """Read what the file holds, mapped pages not yet written included."""
        if node.mapped is not None:
            node.mapped.collect(offset, size)
        return node.read(offset, size)

    def write_through(self, node: Node, offset: int, data: bytes) -> None:
        """Write, and let mapped pages show it."""
        node.write(offset, data)
        if node.mapped is not None:
            node.mapped.changed(offset, data)


class NodeBacking:
    """A file on a volume as sections see it."""

    def __init__(self, file: FileObject, node: Node) -> None:
        self._file = file
        self.node = node

    @property
    def file(self) -> FileObject:
        """The file object that the control area keeps alive and leads to."""
        return self._file

    @property
    def version(self) -> Hashable:
        """Differs once the file was written: an image kept from an earlier use is then read again."""
        facts = self.node.facts()
        return facts.size, facts.write, facts.change

    def show_mapped(self, pages: MappedFile | None) -> None:
        """From now on these pages and the file must agree; None: no longer."""
        self.node.mapped = pages

    @property
    def size(self) -> int:
        """End of file."""
        return self.node.size

    @property
    def identity(self) -> Hashable:
        """The node: the same for all opens and all names of the file."""
        return self.node

    @property
    def path(self) -> str:
        """The full NT name."""
        return self._file.path

    @property
    def signing_level(self) -> int:
        """What the machine itself made counts as signed by Windows; no signature of any other file is verified."""
        return SIGNED_BY_WINDOWS if self.node.protected else 0

    @property
    def unmade(self) -> bool:
        """Whether the machine has yet to make the file, an image."""
        return self.node.unmade

    def read(self, offset: int, size: int) -> bytes:
        """Bytes as stored."""
        return self.node.read(offset, size)

    def write(self, offset: int, data: bytes | memoryview) -> None:
        """Put bytes where a section was written."""
        self.node.write(offset, bytes(data))


def _close(process: Process, file: FileObject, handles: int) -> None:
    if handles <= 1:
        file.cleanup()


FILE: ObjectType[FileObject] = ObjectType(
    "File",
    FILE_OBJECT.size,
    FileObject,
    valid_access=rights.FILE_ALL_ACCESS,
    generic_mapping=FILE_MAPPING,
    default_dispatcher=EVENT,
    tag=b"File",
    maintain_handle_count=True,
    invalid_attributes=0x130,
)
FILE.close = _close
FILE.delete = FileObject.deleted
FILE.query_name = lambda file: file.path


def _security(file: FileObject, new: bytes | None) -> bytes | None:
    """Give a file's descriptor, or keep a new one (IRP_MJ_QUERY_SECURITY, IRP_MJ_SET_SECURITY)."""
    opened = file.context
    if not isinstance(opened, VolumeOpen):
        return None
    if new is not None:
        opened.node.descriptor = new
    return acl.descriptor_of(opened.node)


FILE.security = _security

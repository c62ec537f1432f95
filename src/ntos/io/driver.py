"""What a device driver can be asked; a driver overrides what its devices can do, the rest is refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ntos.abi.status import STATUS, NtError
from ntos.ob.types import GenericMapping

if TYPE_CHECKING:
    from ntos.io.device import Device
    from ntos.io.file import FileObject
    from ntos.io.request import Request
    from ntos.ke.kernel import Kernel
    from ntos.ke.thread import Thread


FILE_MAPPING = GenericMapping(0x120089, 0x120116, 0x1200A0, 0x1F01FF)
"""FILE_GENERIC_READ, _WRITE, _EXECUTE, FILE_ALL_ACCESS."""


@dataclass(slots=True)
class PipeParameters:
    """NtCreateNamedPipeFile's own arguments."""

    message_type: bool
    message_mode: bool
    non_blocking: bool
    reject_remote: bool
    maximum_instances: int
    inbound_quota: int
    outbound_quota: int
    timeout: int


@dataclass(slots=True)
class MailslotParameters:
    """NtCreateMailslotFile's own arguments."""

    quota: int
    maximum_message: int
    """0 where any length will do."""
    read_timeout: int
    """In 100 ns, negative; -1 for ever, 0 not at all."""


@dataclass(slots=True)
class Opening:
    """A create request (OPEN_PACKET): what NtCreateFile was asked, and the file object being made."""

    kernel: Kernel
    thread: Thread | None
    """None when the kernel itself opens."""
    access: int
    """Generic rights already mapped."""
    disposition: int
    options: int
    share: int
    attributes: int = 0
    allocation: int = 0
    pipe: PipeParameters | None = None
    mailslot: MailslotParameters | None = None
    query: bool = False
    """Opened only to be asked about and closed again: no sharing is checked (NtQueryAttributesFile)."""
    target_directory: bool = False
    related: FileObject | None = None
    name: str = ""
    """What is left of the path below the device (below `related`, where given)."""
    case_insensitive: bool = True
    information: int = 0
    """Answer: FILE_OPENED, FILE_CREATED and so on."""


class Driver:
    """A DRIVER_OBJECT's dispatch table. Requests are completed at once, or made pending; NtError refuses."""

    name = ""
    """Below \\Driver (or \\FileSystem) in the namespace."""
    file_system = False

    def create(self, device: Device, file: FileObject, opening: Opening) -> None:
        """IRP_MJ_CREATE: accept the open, keep what belongs to it in `file.context`."""

    def read(self, request: Request) -> None:
        """IRP_MJ_READ."""
        raise NtError(STATUS.INVALID_DEVICE_REQUEST)

    def write(self, request: Request) -> None:
        """IRP_MJ_WRITE."""
        raise NtError(STATUS.INVALID_DEVICE_REQUEST)

    def flush(self, request: Request) -> None:
        """IRP_MJ_FLUSH_BUFFERS."""
        request.complete()

    def query_information(self, file: FileObject, kind: int) -> bytes:
        """IRP_MJ_QUERY_INFORMATION: the whole answer; the manager cuts it to the caller's room."""
        raise NtError(STATUS.INVALID_PARAMETER)

    def set_information(self, file: FileObject, kind: int, data: bytes, thread: Thread) -> None:
        """IRP_MJ_SET_INFORMATION."""
        raise NtError(STATUS.INVALID_PARAMETER)

    def query_volume(self, file: FileObject, kind: int) -> bytes:
        """IRP_MJ_QUERY_VOLUME_INFORMATION: the whole answer."""
        raise NtError(STATUS.INVALID_DEVICE_REQUEST)

    def set_volume(self, file: FileObject, kind: int, data: bytes) -> None:
        """IRP_MJ_SET_VOLUME_INFORMATION."""
        raise NtError(STATUS.INVALID_DEVICE_REQUEST)

    def query_directory(self, request: Request, kind: int, pattern: str | None, flags: int) -> None:
        """IRP_MJ_DIRECTORY_CONTROL, IRP_MN_QUERY_DIRECTORY."""
        raise NtError(STATUS.INVALID_PARAMETER)

    def notify_change(self, request: Request, completion_filter: int, *, tree: bool) -> None:
        """IRP_MJ_DIRECTORY_CONTROL, IRP_MN_NOTIFY_CHANGE_DIRECTORY."""
        raise NtError(STATUS.INVALID_PARAMETER)

    def lock(self, request: Request, *, exclusive: bool, fail_immediately: bool) -> None:
        """IRP_MJ_LOCK_CONTROL: `request.offset`, `request.length`, `request.key`."""
        raise NtError(STATUS.INVALID_DEVICE_REQUEST)

    def unlock(self, request: Request) -> None:
        """IRP_MJ_LOCK_CONTROL, IRP_MN_UNLOCK_SINGLE."""
        raise NtError(STATUS.INVALID_DEVICE_REQUEST)

    def file_system_control(self, request: Request) -> None:
        """IRP_MJ_FILE_SYSTEM_CONTROL: `request.code`, `request.data`."""
        raise NtError(STATUS.INVALID_DEVICE_REQUEST)

    def device_control(self, request: Request) -> None:
        """IRP_MJ_DEVICE_CONTROL: `request.code`, `request.data`."""
        raise NtError(STATUS.INVALID_DEVICE_REQUEST)

    def cleanup(self, file: FileObject) -> None:
        """IRP_MJ_CLEANUP: the last handle was closed."""

    def close(self, file: FileObject) -> None:
        """IRP_MJ_CLOSE: nobody refers to the file object any more."""

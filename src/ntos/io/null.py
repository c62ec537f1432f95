r"""\Device\Null: takes everything, has nothing."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ntos.abi.io import FILE_DEVICE_NULL, FILE_DEVICE_SECURE_OPEN, FILE_INFORMATION_CLASS
from ntos.abi.status import STATUS, NtError
from ntos.io.device import create_device
from ntos.io.driver import Driver

if TYPE_CHECKING:
    from ntos.io.device import Device
    from ntos.io.file import FileObject
    from ntos.io.request import Request
    from ntos.ke.kernel import Kernel


class Null(Driver):
    """The null device."""

    name = "Null"

    def read(self, request: Request) -> None:
        raise NtError(STATUS.END_OF_FILE)

    def write(self, request: Request) -> None:
        request.complete(STATUS.SUCCESS, len(request.data))

    def query_information(self, file: FileObject, kind: int) -> bytes:
        if kind == FILE_INFORMATION_CLASS.FileStandardInformation:
            return struct.pack("<qqIBB2x", 0, 0, 1, 0, 0)
        raise NtError(STATUS.INVALID_DEVICE_REQUEST)


@dataclass(frozen=True)
class NullDevice:
    """The machine's null device."""

    device: Device


def install(kernel: Kernel) -> None:
    """Make the device."""
    kernel.install(NullDevice(create_device(kernel, Null(), "Null", FILE_DEVICE_NULL, FILE_DEVICE_SECURE_OPEN)))

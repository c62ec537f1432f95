"""Files and devices: everything that is opened by name and then read, written, asked and told.

In Windows an open makes a file object, a request goes as an IRP to the driver of the file's device, and the
driver completes it at once or later; the caller hears of the end through the handle, an event, an APC or a
completion port. File systems, pipes, the console and the null device differ only in their drivers.

Here a driver is a Python class (`driver.Driver`), an IRP a `request.Request`, and FILE_OBJECT, DEVICE_OBJECT
and DRIVER_OBJECT are true bytes, so that a dump shows which files a process has open. A driver never blocks:
it completes, or makes the request pending. The host is reached in two places only: `volume.host` (a mapped
folder) and `host_stream`/`console` (standard streams), where reads wait in a host thread while the machine
runs on.

Begin with `file` and `device`, then `create` (how a name becomes a file object), `perform` and `request` (how
a call becomes a request and ends), then a driver: `null` is the smallest, `volume.filesystem` the largest,
`pipe` the one where requests wait for each other.
"""

from ntos.io import console
from ntos.io.create import object_name, open_file
from ntos.io.device import DEVICE, DRIVER, Device
from ntos.io.file import FILE, FileObject
from ntos.io.install import install
from ntos.io.request import CompletionPort, cancel_thread
from ntos.io.volume import HostVolume, MemoryVolume, OverlayVolume, SystemTree, Volume
from ntos.io.volume.mount import Mounts, mount

__all__ = [
    "DEVICE", "DRIVER", "FILE", "CompletionPort", "Device", "FileObject", "HostVolume", "MemoryVolume",
    "Mounts",
    "OverlayVolume", "SystemTree", "Volume", "cancel_thread", "console", "install", "mount", "object_name",
    "open_file",
]  # fmt: skip

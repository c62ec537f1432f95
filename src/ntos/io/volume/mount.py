r"""Putting volumes into the namespace: `\Device\HarddiskVolumeN`, drive letters, and links that name the
system's.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from ntos import ob
from ntos.abi.io import FILE_DEVICE_DISK, FILE_DEVICE_IS_MOUNTED, FILE_DEVICE_SECURE_OPEN
from ntos.io.device import Device, create_device, mount_parameters
from ntos.io.volume.filesystem import FileSystem

if TYPE_CHECKING:
    from ntos.io.volume.node import Volume
    from ntos.ke.kernel import Kernel

FIRST_NUMBER = 2
"""HarddiskVolume1 is the system partition on real machines; C: is the second."""
SYSTEM_DRIVE = "C"


class Mounts:
    """The volumes of one kernel. `kernel[Mounts]`."""

    def __init__(self) -> None:
        self.devices: dict[str, Device] = {}
        """By drive letter."""
        self.volumes: dict[str, Volume] = {}


def mount(kernel: Kernel, letter: str, volume: Volume) -> Device:
    r"""Make the volume `\Device\HarddiskVolumeN` and `\??\X:`; the first C: is also `\SystemRoot`'s drive."""
    mounts = kernel.part(Mounts)
    letter = letter.rstrip(":").upper()
    number = len(mounts.devices) + FIRST_NUMBER
    if letter in mounts.devices or len(letter) != 1 or not "A" <= letter <= "Z":
        raise ValueError(f"drive {letter}: cannot be mounted (again)")
    volume.now = lambda: kernel.clock.system_time
    volume.created = kernel.clock.system_time
    name = f"HarddiskVolume{number}"
    device = create_device(
        kernel, FileSystem(volume), name, FILE_DEVICE_DISK, FILE_DEVICE_IS_MOUNTED | FILE_DEVICE_SECURE_OPEN
    )
    mount_parameters(device, volume.label, volume.serial)
    target = f"\\Device\\{name}"
    ob.add_link(kernel, f"GLOBAL??\\{letter}:", target)
    identity = uuid.uuid5(uuid.NAMESPACE_OID, f"ntos volume {number} {volume.serial}")
    ob.add_link(kernel, f"GLOBAL??\\Volume{{{identity}}}", target)
    if letter == SYSTEM_DRIVE:
        ob.add_link(kernel, "SystemRoot", f"{target}\\Windows")
    mounts.devices[letter] = device
    mounts.volumes[letter] = volume
    return device

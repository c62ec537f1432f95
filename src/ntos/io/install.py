"""Bringing the I/O system up: object types, devices, DOS names. Volumes are mounted by the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos import ob
from ntos.io import cng, condrv, host_stream, ksecdd, mailslot, null
from ntos.io.device import DEVICE, DRIVER
from ntos.io.file import FILE
from ntos.io.pipe import driver as pipe
from ntos.ob.manager import ObjectManager

if TYPE_CHECKING:
    from ntos.ke.kernel import Kernel

LINKS = (("NUL", "\\Device\\Null"), ("PIPE", "\\Device\\NamedPipe"), ("MAILSLOT", "\\Device\\Mailslot"))


def install(kernel: Kernel) -> None:
    """IoInitSystem. The object manager must be up."""
    for kind in (DEVICE, DRIVER, FILE):
        kernel[ObjectManager].register(kind)
    null.install(kernel)
    cng.install(kernel)
    ksecdd.install(kernel)
    host_stream.install(kernel)
    condrv.install(kernel)
    pipe.install(kernel)
    mailslot.install(kernel)
    for name, target in LINKS:
        ob.add_link(kernel, f"GLOBAL??\\{name}", target)

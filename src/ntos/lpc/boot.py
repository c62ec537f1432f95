"""ALPC's part in the kernel's coming up (AlpcpInitSystem, phase 0)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.lpc.port import ALPC_PORT_TYPE
from ntos.ob.manager import ObjectManager

if TYPE_CHECKING:
    from ntos.ke.kernel import Kernel


def install(kernel: Kernel) -> None:
    """The type of ports. The object manager must be there."""
    kernel[ObjectManager].register(ALPC_PORT_TYPE)

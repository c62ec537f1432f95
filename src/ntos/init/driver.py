"""Service table 1 before its driver is there: the first call brings win32k in, as smss loads win32k.sys."""

from __future__ import annotations

import importlib
from functools import partial
from typing import TYPE_CHECKING

from ntos.abi.services import WIN32K_BASE, number_of, win32k_names
from ntos.init.services import DRIVER, load_service_modules
from ntos.ke import service as services

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from ntos.ke.kernel import Kernel
    from ntos.ke.thread import Thread

LAST_NUMBER = 0x1FFF


class LateDoor:
    """Stands at every number of table 1 until the driver is loaded."""

    name = DRIVER

    def enter(self, thread: Thread) -> Coroutine[None, None, None] | None:
        """Load the driver, then serve the call."""
        kernel, number = thread.kernel, thread.context.rax & 0xFFFF_FFFF
        kernel.load_driver()
        door = kernel.doors.get(number)
        if door is not None:
            return door.enter(thread)
        thread.context.rax = kernel.unknown_door(thread, number) & 0xFFFF_FFFF
        return None


def prepare(kernel: Kernel) -> None:
    """Put the late door everywhere in table 1."""
    kernel.doors.update(dict.fromkeys(range(WIN32K_BASE, LAST_NUMBER + 1), LateDoor()))
    kernel.load_driver = partial(load, kernel)


def load(kernel: Kernel) -> None:
    """Bring the driver in."""
    kernel.load_driver = _loaded
    load_service_modules((DRIVER,))
    for number in range(WIN32K_BASE, LAST_NUMBER + 1):
        del kernel.doors[number]
    for name in win32k_names():
        door = services.registry.get(name)
        if door is not None:
            kernel.doors[number_of(name) or 0] = door
    importlib.import_module(f"ntos.{DRIVER}.driver").driver_entry(kernel)


def _loaded() -> None:
    """It is there already."""

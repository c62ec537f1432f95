"""What user-mode debugging plugs into the floors below (DbgkInitialize)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.dbgk import report
from ntos.dbgk.object import DEBUG_OBJECT_TYPE
from ntos.ke.exception import Dispatcher
from ntos.mm.manager import MemoryManager
from ntos.ob.manager import ObjectManager
from ntos.ps.manager import ProcessManager

if TYPE_CHECKING:
    from ntos.ke.kernel import Kernel


def install(kernel: Kernel) -> None:
    """The object type, and the hooks for exceptions, images and threads."""
    kernel[ObjectManager].register(DEBUG_OBJECT_TYPE)
    kernel.part(Dispatcher).debugger = report.take_exception
    memory = kernel[MemoryManager]
    memory.image_mapped.append(report.image_mapped)
    memory.image_unmapped.append(report.image_unmapped)
    manager = kernel[ProcessManager]
    manager.thread_begins = report.thread_begins
    manager.thread_ends = report.thread_ends

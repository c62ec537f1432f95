"""Who comes up when: phase 0 (what everything stands on), then phase 1 (devices, registry, ntdll)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ntos import cm, io, lpc, mm, ob
from ntos.abi.services import number_of
from ntos.abi.status import STATUS
from ntos.dbgk import install as dbgk_install
from ntos.ex.pool import PagedAndNonpagedPool
from ntos.init import driver, system_process
from ntos.init.kernel_image import map_kernel_image, symbol
from ntos.init.processor import make_processor
from ntos.init.services import load_service_modules
from ntos.init.shared_data import SharedData
from ntos.ke import exception
from ntos.ke import service as services
from ntos.ke.scheduler import Scheduler
from ntos.mm.protect import PROTECT_TO_VALUE
from ntos.ps import install as ps_install
from ntos.ps import protection
from ntos.ps.manager import ProcessManager
from ntos.ps.minimal import create_minimal_process
from ntos.se import boot as security
from ntos.win32k.install import install as install_win32k

if TYPE_CHECKING:
    from ntos.ke.kernel import Kernel
    from ntos.ke.thread import Thread

INTERACTIVE_SESSION = 1
"""Where programs run; session 0 is the system's. smss makes it on Windows."""
REGISTRY = "Registry"
"""The configuration manager's process. On Windows it maps hive files; here hives are the kernel's, so it is empty."""
NTDLL = "\\SystemRoot\\System32\\ntdll.dll"
ENTRY_POINTS = (
    "LdrInitializeThunk", "KiUserApcDispatcher", "KiUserExceptionDispatcher", "KiUserCallbackReturn",
    "RtlUserThreadStart",
)  # fmt: skip


def phase0(
    kernel: Kernel, *, aslr: bool, user: str = "user", password: str = "", administrator: bool = False
) -> None:
    """Pool, scheduler, kernel image, object manager, security with its first account, memory and process manager."""
    kernel.pool = PagedAndNonpagedPool(kernel.platform)
    kernel.scheduler = Scheduler(kernel)
    map_kernel_image(kernel)
    shared = SharedData(kernel)
    kernel.install(shared)
    kernel.install(make_processor(kernel))
    ob.bootstrap(kernel)
    mm.initialize(kernel, aslr=aslr, shared_data=shared.frame)
    kernel.memory.write(symbol(kernel, "MmProtectToValue"), struct.pack("<32I", *PROTECT_TO_VALUE))
    lpc.install(kernel)
    ps_install.install(kernel)
    dbgk_install.install(kernel)
    token = security.initialize(
        kernel, seed=kernel.random.getrandbits(32), user=user, password=password, administrator=administrator
    )
    ob.publish(kernel)
    _doors(kernel)
    system_process.create_system_process(kernel, token)


def phase1(kernel: Kernel) -> None:
    """Devices, registry, the first user session. Volumes are mounted by the machine, which knows them."""
    io.install(kernel)
    ob.create_session(kernel, INTERACTIVE_SESSION)
    install_win32k(kernel, (0, INTERACTIVE_SESSION))
    cm.install(kernel)
    create_minimal_process(kernel, REGISTRY, level=protection.SYSTEM_LEVEL)


def map_ntdll(kernel: Kernel, rvas: dict[str, int]) -> None:
    """Make ntdll's section and learn where the kernel enters user mode; the base is the same in all processes."""
    manager = kernel[ProcessManager]
    file = io.open_file(kernel, NTDLL, access=0x20)
    manager.ntdll = mm.create_image_section(kernel, file.backing)
    manager.ntdll_base = manager.ntdll.base
    kernel.entry_points.update({name: manager.ntdll_base + rva for name, rva in rvas.items()})
    missing = [name for name in ENTRY_POINTS if name not in kernel.entry_points]
    if missing:
        raise RuntimeError(f"ntdll's image lacks {', '.join(missing)}")


def _doors(kernel: Kernel) -> None:
    """Give every declared service its number, and the rest an answer."""
    load_service_modules()
    for name, door in services.registry.items():
        number = number_of(name)
        if number is not None:
            kernel.doors[number] = door
    driver.prepare(kernel)
    kernel.unknown_door = _unknown


def _unknown(thread: Thread, number: int) -> int:
    """A number no table has: a service NT has and we do not, or nonsense."""
    from ntos.abi.services import name_of  # noqa: PLC0415 - rare

    name = name_of(number)
    context = thread.context
    if name is None:
        return int(STATUS.INVALID_SYSTEM_SERVICE)
    caller = int.from_bytes(thread.memory.read(context.rsp, 8), "little")
    location = thread.kernel.part(exception.Dispatcher).locate(thread, caller)
    return int(services.missing(thread, name, location, [context.r10, context.rdx, context.r8, context.r9]))

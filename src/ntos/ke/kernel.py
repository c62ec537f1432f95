"""One running kernel: its memory, its clock, its scheduler, and the parts that upper components install."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ntos.etw.log import Log
from ntos.ke.parts import Parts

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from ntos.hal.platform import Platform
    from ntos.ke.process import Process
    from ntos.ke.scheduler import Scheduler
    from ntos.ke.thread import Thread


class Pool(Protocol):
    """Kernel memory for structures; `ex.pool` provides it."""

    def allocate(self, size: int, tag: bytes, *, paged: bool = False) -> int: ...
    def free(self, address: int) -> None: ...
    def pages(self, *, paged: bool) -> int: ...


class Door(Protocol):
    """What a `syscall` number leads to: a kernel service, or an export written in Python."""

    name: str

    def enter(self, thread: Thread) -> Coroutine[None, None, None] | None:
        """Serve the call standing in the thread's registers; what is given back must be awaited."""


class Kernel(Parts):
    """A machine's kernel. Components find one another's state through it."""

    pool: Pool
    scheduler: Scheduler

    def __init__(self, platform: Platform) -> None:
        super().__init__()
        self.platform = platform
        self.memory = platform.kernel_memory
        self.clock = platform.clock
        self.random = platform.random
        self.log = Log()
        self.doors: dict[int, Door] = {}
        """By the value of EAX at `syscall`. Bits 12-13 select the table as in NT: 0 kernel, 1 win32k, 2 exports."""
        self.planted: dict[tuple[int, int], Door] = {}
        """By process object and address: breakpoints that are the kernel's own, not the program's."""
        self.threads: dict[int, Thread] = {}
        """Identity map: ETHREAD address to the thread."""
        self.processes: dict[int, Process] = {}
        """Identity map: EPROCESS address to the process."""
        self.entry_points: dict[str, int] = {}
        """Where the kernel enters user mode in ntdll: KiUserApcDispatcher, KiUserExceptionDispatcher, …"""
        self.image_base = 0
        """Where ntoskrnl's image stands; global variables are at fixed distances from it."""
        self.unknown_door: Callable[[Thread, int], int] = lambda _thread, _number: 0xC000001C
        """Answers a number no table has (STATUS_INVALID_SYSTEM_SERVICE) and tells about it."""
        self.load_driver: Callable[[], None] = lambda: None
        """Brings win32k's services in, when the first of them is asked for."""

"""What memory management keeps for the whole machine: commit, randomised bases, known control areas,
notifications.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.status import STATUS, Denied, NtError
from ntos.hal.physical import FIRST_FRAME
from ntos.mm.layout import ImagePlacement

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from ntos.ke.kernel import Kernel
    from ntos.ke.process import Process
    from ntos.mm.control import ControlArea
    from ntos.mm.vad import Vad

PAGES_PER_TABLE = 512
KERNEL_RESERVE = 256
"""Frames kept for what the kernel itself will need: 1 MB."""


class MemoryManager:
    """One per kernel; `manager(kernel)` gives it."""

    def __init__(
        self, kernel: Kernel, *, aslr: bool = True, commit_limit: int | None = None, shared_data: int = 0
    ) -> None:
        self.kernel = kernel
        self.physical = kernel.platform.physical
        self.aslr = aslr
        self.shared_data = shared_data
        """Physical address of KUSER_SHARED_DATA's frame; 0 while there is none, and processes get none."""
        self.commit_limit = self.physical.frames - FIRST_FRAME if commit_limit is None else commit_limit
        """In pages: nothing is paged out, so what is committed must fit into memory."""
        self.committed = 0
        self.resident = 0
        """Of the committed pages, how many have their frame."""
        self.commit_peak = 0
        self.placement = ImagePlacement(kernel.random if aslr else None)
        self.image_bases: dict[Hashable, int] = {}
        """One base per image per boot, also when the image was forgotten in between."""
        self.images: dict[Hashable, ControlArea] = {}
        self.files: dict[Hashable, ControlArea] = {}
        self.image_mapped: list[Callable[[Process, Vad, ControlArea], None]] = []
        """Called when a process maps an image (PsSetLoadImageNotifyRoutine, the debugger)."""
        self.image_unmapped: list[Callable[[Process, int, ControlArea], None]] = []
        """Called with the base when an image view goes away."""

    def charge(self, pages: int) -> None:
        """Count `pages` against the commit limit; COMMITMENT_LIMIT when they would exceed it
        (MiChargeCommit).
        """
        total = self.committed + pages
        # Frames also hold what nobody is charged for (images, pool, page tables): what is promised must still fit.
        wanting = total - self.resident
        wanting += wanting // PAGES_PER_TABLE + min(KERNEL_RESERVE, self.commit_limit // 8)
        if total > self.commit_limit or (pages and wanting > self.physical.available):
            inputs = {"asked": pages, "committed": self.committed, "limit": self.commit_limit}
            raise NtError(
                STATUS.COMMITMENT_LIMIT,
                because=Denied(
                    "memory is committed up to the limit", inputs, "give the machine more --memory"
                ),
            )
        self.committed = total
        self.commit_peak = max(self.commit_peak, total)

    def uncharge(self, pages: int) -> None:
        """Give `pages` back."""
        self.committed -= pages


def initialize(
    kernel: Kernel, *, aslr: bool = True, commit_limit: int | None = None, shared_data: int = 0
) -> MemoryManager:
    """Install the memory manager (MmInitSystem); `shared_data` is the frame of KUSER_SHARED_DATA."""
    made = MemoryManager(kernel, aslr=aslr, commit_limit=commit_limit, shared_data=shared_data)
    kernel.install(made)
    return made


def manager(kernel: Kernel) -> MemoryManager:
    """The kernel's memory manager, with default settings if nobody has chosen any."""
    return kernel[MemoryManager] if kernel.has(MemoryManager) else initialize(kernel)

"""What lies at an address of a process, for those who know processes by their ids alone (`report.injection`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.layout.peb import PEB
from ntos.abi.status import GuestFault, NtError
from ntos.hook.target import image_of
from ntos.mm.space import AddressSpace
from ntos.ps.manager import ProcessManager

if TYPE_CHECKING:
    from ntos.ke.kernel import Kernel
    from ntos.ke.process import Process
    from ntos.mm.vad import Vad


class KernelLook:
    """A kernel's processes, looked at from outside."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def _process(self, process: int) -> Process | None:
        found = self._kernel[ProcessManager].process_by_id(process)
        if found is None or not found.has(AddressSpace) or found[AddressSpace].deleted:
            return None
        return found

    def _range(self, process: int, address: int) -> Vad | None:
        found = self._process(process)
        return found[AddressSpace].find(address) if found is not None else None

    def kind(self, process: int, address: int) -> str:
        """`private`, `mapped`, `image`, or nothing where nothing is."""
        vad = self._range(process, address)
        if vad is None:
            return ""
        return "private" if vad.area is None else "image" if vad.area.is_image else "mapped"

    def function(self, process: int, address: int) -> str:
        """The name of the export that begins at an address; empty where none does."""
        found, vad = self._process(process), self._range(process, address)
        image = image_of(found, vad) if found is not None and vad is not None else None
        try:
            exports = image.exports() if image is not None else None
        except (GuestFault, NtError):
            return ""
        if image is None or exports is None:
            return ""
        return next((each.name for each in exports if each.rva == address - image.base and each.name), "")

    def read(self, process: int, address: int, size: int) -> bytes:
        """Bytes of a process; none where they cannot be read."""
        found = self._process(process)
        try:
            return found.memory.read(address, size) if found is not None else b""
        except GuestFault:
            return b""

    def begun(self, process: int) -> bool:
        """Whether the loader has been at work in it."""
        found = self._process(process)
        return found is not None and int(PEB(found.memory, int(found.eprocess.Peb)).Ldr) != 0

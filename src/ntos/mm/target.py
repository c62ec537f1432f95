"""Whose memory a service is about: the process behind a handle, and what watchers are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos import ob
from ntos.abi.memory import PAGE_SIZE
from ntos.abi.mm import HIGHEST_USER_ADDRESS
from ntos.abi.status import STATUS, NtError
from ntos.etw.event import MemoryProtected
from ntos.mm.protect import EXECUTABLE, from_page
from ntos.mm.space import AddressSpace
from ntos.ob.manager import ObjectManager

if TYPE_CHECKING:
    from ntos.ke.process import Process
    from ntos.ke.thread import Thread

CURRENT_PROCESS = 0xFFFF_FFFF_FFFF_FFFF


def process_by_handle(thread: Thread, handle: int, access: int) -> Process:
    """The process; PROCESS_IS_TERMINATING when its address space is gone."""
    if handle == CURRENT_PROCESS:
        return thread.process
    found: Process = ob.by_handle(thread, handle, access, thread.kernel[ObjectManager].find_type("Process"))
    if not found.has(AddressSpace) or found[AddressSpace].deleted:
        raise NtError(STATUS.PROCESS_IS_TERMINATING)
    return found


def check_range(address: int, size: int, *, base_status: int = 2, size_status: int = 3) -> None:
    """INVALID_PARAMETER_n where [address, address + size) is not user memory."""
    if address > HIGHEST_USER_ADDRESS:
        raise NtError(_INVALID[base_status])
    if size > HIGHEST_USER_ADDRESS + 1 - address:
        raise NtError(_INVALID[size_status])


_INVALID = {
    2: STATUS.INVALID_PARAMETER_2,
    3: STATUS.INVALID_PARAMETER_3,
    4: STATUS.INVALID_PARAMETER_4,
    5: STATUS.INVALID_PARAMETER_5,
}


def tell(thread: Thread, process: Process, address: int, size: int, protection: int, kind: str) -> None:
    """Memory became executable, or another process's memory was changed: say so."""
    if process is thread.process and from_page(protection) & 7 not in EXECUTABLE:
        return
    log = thread.kernel.log
    if log.wants(MemoryProtected):
        log.emit(
            MemoryProtected(target=process.id, address=address, size=size, protection=protection, kind=kind)
        )


def forget_code(process: Process, address: int, size: int) -> None:
    """What was translated from this memory is out of date."""
    tables = process.tables
    backend = tables.backend
    if backend is not None:
        for _, entry in tables.present(address & ~(PAGE_SIZE - 1), address + size):
            backend.forget_code(entry & 0xF_FFFF_FFFF_F000, PAGE_SIZE)

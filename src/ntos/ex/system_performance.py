"""Counters of the whole machine: processor time, memory, interrupts, and the image of a process by its id."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ntos.abi.layout.processor import KPRCB
from ntos.abi.layout.system_info import (
    SYSTEM_FILECACHE_INFORMATION,
    SYSTEM_PROCESS_ID_INFORMATION,
    SYSTEM_PROCESSOR_PERFORMANCE_INFORMATION,
)
from ntos.abi.layout.thread import KTHREAD
from ntos.abi.status import STATUS, Denied, NtError
from ntos.hal.clock import CLOCK_INCREMENT
from ntos.mm.manager import manager as memory_manager
from ntos.ps.manager import ProcessManager
from ntos.ps.process_names import image_name

if TYPE_CHECKING:
    from ntos.abi.types import NTSTATUS
    from ntos.ke.kernel import Kernel
    from ntos.ke.thread import Thread

PERFORMANCE_SIZE = 0x158
AVAILABLE_PAGES, POOL_PAGES, SWITCHES, RESIDENT_AVAILABLE = 0x2C, 0x70, 0x128, 0x148
"""Places in SYSTEM_PERFORMANCE_INFORMATION (phnt, ntexapi.h)."""


def _idle_thread(kernel: Kernel) -> KTHREAD:
    return KTHREAD(kernel.memory, int(kernel[KPRCB].IdleThread))


def idle_time(kernel: Kernel) -> int:
    """How long (100 ns) the processor had nothing to do."""
    return int(_idle_thread(kernel).KernelTime) * CLOCK_INCREMENT


def performance(kernel: Kernel, _buffer: int) -> bytes:
    """Idle time, memory, commit, pool and context switches; what is not counted here is zero."""
    data = bytearray(PERFORMANCE_SIZE)
    physical, manager, pool = kernel.platform.physical, memory_manager(kernel), kernel.pool
    struct.pack_into("<Q", data, 0, idle_time(kernel))
    struct.pack_into("<4I", data, AVAILABLE_PAGES, physical.available, manager.committed, manager.commit_limit,
                     manager.commit_peak)  # fmt: skip
    struct.pack_into("<2I", data, POOL_PAGES, pool.pages(paged=True), pool.pages(paged=False))
    struct.pack_into("<I", data, SWITCHES, kernel.scheduler.switches)
    struct.pack_into("<Q", data, RESIDENT_AVAILABLE, physical.available)
    return bytes(data)


def processors(kernel: Kernel, _buffer: int) -> bytes:
    """SystemProcessorPerformanceInformation: kernel time has idle time in it."""
    processor, told = kernel[KPRCB], SYSTEM_PROCESSOR_PERFORMANCE_INFORMATION.new()
    told.IdleTime = idle_time(kernel)
    told.KernelTime = int(processor.KernelTime) * CLOCK_INCREMENT
    told.UserTime = int(processor.UserTime) * CLOCK_INCREMENT
    told.InterruptCount = kernel.clock.tick_count & 0xFFFF_FFFF
    return bytes(told)


def interrupts(kernel: Kernel, _buffer: int) -> bytes:
    """SYSTEM_INTERRUPT_INFORMATION of one processor: context switches, and the clock's increment."""
    return struct.pack("<6I", kernel.scheduler.switches & 0xFFFF_FFFF, 0, 0, CLOCK_INCREMENT, 0, 0)


def idle_cycles(kernel: Kernel, _buffer: int) -> bytes:
    """SystemProcessorIdleCycleTimeInformation."""
    return int(_idle_thread(kernel).CycleTime).to_bytes(8, "little")


def page_files(_kernel: Kernel, _buffer: int) -> bytes:
    """There is no paging file."""
    return b""


def file_cache(_kernel: Kernel, _buffer: int) -> bytes:
    """Files are cached in their sections only: the cache's own working set is empty."""
    return bytes(SYSTEM_FILECACHE_INFORMATION.new())


def process_image(thread: Thread, buffer: int, length: int) -> NTSTATUS:
    """SystemProcessIdInformation: the caller names a process and brings room; no handle is needed.

    Where the room is too small, MaximumLength says what would do.
    """
    if length != SYSTEM_PROCESS_ID_INFORMATION.size:
        raise NtError(STATUS.INFO_LENGTH_MISMATCH)
    asked = SYSTEM_PROCESS_ID_INFORMATION(thread.memory, buffer)
    identifier = int(asked.ProcessId)
    if int(asked.ImageName.Length):
        raise NtError(STATUS.INVALID_PARAMETER, Denied("ImageName is for the answer", {"Length": "not 0"}, "0"))
    process = thread.kernel[ProcessManager].process_by_id(identifier)
    if process is None or not identifier:
        raise NtError(STATUS.INVALID_CID, Denied("no process has this id", {"process": identifier}))
    name = image_name(process)
    if not name:
        raise NtError(STATUS.UNSUCCESSFUL, Denied("the process has no image", {"process": identifier}))
    target, room = asked.ImageName, int(asked.ImageName.MaximumLength)
    if room < len(name) + 2:
        target.MaximumLength = len(name) + 2
        raise NtError(STATUS.INFO_LENGTH_MISMATCH, Denied("room for the name", {"room": room}, f"{len(name) + 2}"))
    thread.memory.write(int(target.Buffer), name + b"\0\0")
    target.Length, target.MaximumLength = len(name), len(name) + 2
    return STATUS.SUCCESS

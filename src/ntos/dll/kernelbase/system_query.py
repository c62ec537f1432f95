"""What NtQuerySystemInformation tells, however long: the tables of processes and handles among it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ntos.abi.layout.system_info import (
    SYSTEM_BASIC_INFORMATION,
    SYSTEM_PROCESS_INFORMATION,
    SYSTEM_PROCESSOR_INFORMATION,
    SYSTEM_THREAD_INFORMATION,
)
from ntos.abi.status import STATUS, NtError
from ntos.abi.sysinfo import SYSTEM_INFORMATION_CLASS as CLASS
from ntos.dll.kernelbase.services import allocate, free, nt
from ntos.rtl.text import from_utf16
from ntos.um.thread import UserThread

FIRST_SIZE, LIMIT = 0x4000, 0x400_0000


@dataclass(frozen=True, slots=True)
class ProcessEntry:
    """One process of the listing, with its threads."""

    information: SYSTEM_PROCESS_INFORMATION
    name: str
    threads: tuple[SYSTEM_THREAD_INFORMATION, ...]

    @property
    def id(self) -> int:
        """The process's id."""
        return int(self.information.UniqueProcessId)


async def query_fixed(thread: UserThread, kind: int, size: int) -> bytes:
    """The answer of a class whose size is known."""
    with thread.frame() as frame:
        place = frame.allocate(size)
        await nt.NtQuerySystemInformation(thread, kind, place, size, 0)
        return thread.memory.read(place, size)


async def query_table(thread: UserThread, kind: int) -> tuple[bytes, int]:
    """The answer of a class of any size, and the address its pointers are relative to."""
    size = FIRST_SIZE
    while size <= LIMIT:
        place = await allocate(thread, size)
        try:
            with thread.frame() as frame:
                length = frame.allocate(8)
                await nt.NtQuerySystemInformation(thread, kind, place, size, length)
                used = int.from_bytes(thread.memory.read(length, 4), "little")
            return thread.memory.read(place, used or size), place
        except NtError as error:
            if error.status != STATUS.INFO_LENGTH_MISMATCH:
                raise
        finally:
            await free(thread, place)
        size *= 2
    raise NtError(STATUS.INSUFFICIENT_RESOURCES)


async def basic(thread: UserThread) -> SYSTEM_BASIC_INFORMATION:
    """Page size, granularity, address range, processors."""
    data = await query_fixed(thread, CLASS.SystemBasicInformation, SYSTEM_BASIC_INFORMATION.size)
    return SYSTEM_BASIC_INFORMATION.parse(data)


async def processor(thread: UserThread) -> SYSTEM_PROCESSOR_INFORMATION:
    """Architecture, level and revision of the processors."""
    data = await query_fixed(thread, CLASS.SystemProcessorInformation, SYSTEM_PROCESSOR_INFORMATION.size)
    return SYSTEM_PROCESSOR_INFORMATION.parse(data)


async def processes(thread: UserThread) -> list[ProcessEntry]:
    """Every process, the idle process first."""
    data, base = await query_table(thread, CLASS.SystemProcessInformation)
    return list(parse_processes(data, base))


def parse_processes(data: bytes, base: int) -> Iterator[ProcessEntry]:
    """The entries of a listing that stood at `base`."""
    position = 0
    while True:
        view = SYSTEM_PROCESS_INFORMATION.parse(data[position : position + SYSTEM_PROCESS_INFORMATION.size])
        first = position + SYSTEM_PROCESS_INFORMATION.size
        size = SYSTEM_THREAD_INFORMATION.size
        threads = tuple(
            SYSTEM_THREAD_INFORMATION.parse(data[first + size * index : first + size * (index + 1)])
            for index in range(int(view.NumberOfThreads))
        )
        start = int(view.ImageName.Buffer) - base if view.ImageName.Buffer else 0
        yield ProcessEntry(view, from_utf16(data[start : start + int(view.ImageName.Length)]), threads)
        if not view.NextEntryOffset:
            return
        position += int(view.NextEntryOffset)

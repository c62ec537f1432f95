"""NtQueryVirtualMemory: one address, seven questions."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ntos.abi import access as rights
from ntos.abi.layout.api import (
    MEMORY_BASIC_INFORMATION,
    MEMORY_IMAGE_INFORMATION,
    MEMORY_REGION_INFORMATION,
    MEMORY_WORKING_SET_EX_INFORMATION,
)
from ntos.abi.mm import HIGHEST_USER_ADDRESS, MEMORY_INFORMATION_CLASS
from ntos.abi.pointer import Out
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import HANDLE, NTSTATUS, PVOID, SIZE_T, ULONG
from ntos.hal.paging import FRAME_MASK, PRESENT
from ntos.ke.service import service
from ntos.mm.pages import walk
from ntos.mm.protect import PROTECT_TO_VALUE, PROTOTYPE, of_valid
from ntos.mm.query import committed_size, query
from ntos.mm.space import AddressSpace, space_of
from ntos.mm.target import process_by_handle

if TYPE_CHECKING:
    from collections.abc import Callable

    from ntos.ke.thread import Thread
    from ntos.mm.vad import Vad

_CLASS = MEMORY_INFORMATION_CLASS
_OLD_REGION_SIZE = 0x20
_UNICODE_STRING = 16


@service(partial="shared commit, enclaves and privileged basic information are refused")
def NtQueryVirtualMemory(
    thread: Thread,
    ProcessHandle: HANDLE,
    BaseAddress: PVOID,
    MemoryInformationClass: ULONG,
    MemoryInformation: PVOID,
    MemoryInformationLength: SIZE_T,
    ReturnLength: Out[SIZE_T] | None,
) -> NTSTATUS:
    """What is at an address: state and protection, the whole range, the file, the pages in memory."""
    process = process_by_handle(thread, ProcessHandle, rights.PROCESS_QUERY_INFORMATION)
    space = space_of(process)
    length = MemoryInformationLength
    if int(MemoryInformationClass) == _CLASS.MemoryWorkingSetExInformation:
        size = _working_set_ex(thread, space, MemoryInformation, length)
    elif int(MemoryInformationClass) == _CLASS.MemoryMappedFilenameInformation:
        status, size = _mapped_filename(thread, space, BaseAddress, MemoryInformation, length)
        if ReturnLength is not None:
            ReturnLength.write(size)
        return status
    elif int(MemoryInformationClass) == _CLASS.MemoryWorkingSetInformation:
        size = _working_set(thread, space, MemoryInformation, length)
    else:
        answer = _ANSWERS.get(MemoryInformationClass)
        if answer is None:
            raise NtError(STATUS.INVALID_INFO_CLASS)
        if BaseAddress > HIGHEST_USER_ADDRESS:
            raise NtError(STATUS.INVALID_PARAMETER)
        needed, make = answer
        if length < needed:
            raise NtError(STATUS.INFO_LENGTH_MISMATCH)
        data = make(space, BaseAddress)[:length]
        thread.memory.write(MemoryInformation, data)
        size = len(data)
    if ReturnLength is not None:
        ReturnLength.write(size)
    return STATUS.SUCCESS


def _range(space: AddressSpace, address: int) -> Vad:
    vad = space.find(address)
    if vad is None:
        raise NtError(STATUS.INVALID_ADDRESS)
    return vad


def _basic(space: AddressSpace, address: int) -> bytes:
    region = query(space, address)
    told = MEMORY_BASIC_INFORMATION.new()
    told.BaseAddress, told.AllocationBase = region.base, region.allocation_base
    told.AllocationProtect, told.RegionSize = region.allocation_protect, region.size
    told.State, told.Protect, told.Type = region.state, region.protect, region.type
    return bytes(told)


def _region(space: AddressSpace, address: int) -> bytes:
    vad = _range(space, address)
    told = MEMORY_REGION_INFORMATION.new()
    told.AllocationBase, told.RegionSize = vad.base, vad.size
    told.AllocationProtect = PROTECT_TO_VALUE[vad.protection]
    if vad.area is None:
        told.RegionType = 1
    elif vad.area.is_image:
        told.RegionType = 4
    else:
        told.RegionType = 2 if vad.area.is_file else 8
    told.CommitSize = committed_size(space, vad)
    return bytes(told)


def _image(space: AddressSpace, address: int) -> bytes:
    vad = _range(space, address)
    if vad.area is None or not vad.area.is_image:
        raise NtError(STATUS.INVALID_ADDRESS)
    told = MEMORY_IMAGE_INFORMATION.new()
    told.ImageBase, told.SizeOfImage, told.ImageFlags = vad.base, vad.size, vad.no_execute << 1
    return bytes(told)


_ANSWERS: dict[int, tuple[int, Callable[[AddressSpace, int], bytes]]] = {
    _CLASS.MemoryBasicInformation: (MEMORY_BASIC_INFORMATION.size, _basic),
    _CLASS.MemoryRegionInformation: (_OLD_REGION_SIZE, _region),
    _CLASS.MemoryRegionInformationEx: (_OLD_REGION_SIZE, _region),
    _CLASS.MemoryImageInformation: (MEMORY_IMAGE_INFORMATION.size, _image),
}


def _mapped_filename(
    thread: Thread, space: AddressSpace, address: int, place: int, length: int
) -> tuple[NTSTATUS, int]:
    """A UNICODE_STRING and its text behind it: the NT name of the file mapped at an address."""
    vad = _range(space, address)
    if vad.area is None:
        raise NtError(STATUS.INVALID_ADDRESS)
    if vad.area.backing is None:
        raise NtError(STATUS.FILE_INVALID)
    if length < _UNICODE_STRING:
        raise NtError(STATUS.INFO_LENGTH_MISMATCH)
    text = vad.area.backing.path.encode("utf-16-le", "surrogatepass")
    size = _UNICODE_STRING + len(text) + 2
    fits = size <= length
    # A name that does not fit leaves the string empty and says how much it would have taken.
    head = struct.pack("<HH4xQ", len(text), len(text) + 2, place + _UNICODE_STRING) if fits else bytes(16)
    thread.memory.write(place, head + (text + b"\0\0" if fits else b""))
    return (STATUS.SUCCESS if fits else STATUS.BUFFER_OVERFLOW), size


def _working_set_ex(thread: Thread, space: AddressSpace, place: int, length: int) -> int:
    """Each entry names an address and gets the attributes of its page."""
    size = MEMORY_WORKING_SET_EX_INFORMATION.size
    if length < size:
        raise NtError(STATUS.INFO_LENGTH_MISMATCH)
    count = length // size
    for index in range(count):
        entry = MEMORY_WORKING_SET_EX_INFORMATION(thread.memory, place + index * size)
        address = int(entry.VirtualAddress)
        page = space.tables.entry(address) if address <= HIGHEST_USER_ADDRESS else 0
        vad = space.find(address)
        shared = bool(page & PROTOTYPE) if page & PRESENT else vad is not None and vad.area is not None
        value = shared << 15
        if page & PRESENT:
            shares = min(space.physical.references[(page & FRAME_MASK) >> 12] - shared, 7)
            locked = address >> 12 in space.locked
            value |= 1 | shares << 1 | PROTECT_TO_VALUE[of_valid(page)] << 4 | locked << 22
        entry.VirtualAttributes = value
    return count * size


def _working_set(thread: Thread, space: AddressSpace, place: int, length: int) -> int:
    """A count and one word for each valid page: protection, sharing, page number."""
    words = []
    for vad in space.vads.vads:
        for page, index, count in walk(space.tables, vad.start, vad.end):
            if index < 0:
                continue
            for offset, entry in enumerate(space.words[index : index + count].tolist()):
                if entry & PRESENT:
                    shared = bool(entry & PROTOTYPE)
                    shares = min(space.physical.references[(entry & FRAME_MASK) >> 12] - shared, 7)
                    words.append(of_valid(entry) | shares << 5 | shared << 8 | (page + offset) << 12)
    if length < 8:
        raise NtError(STATUS.INFO_LENGTH_MISMATCH)
    thread.memory.write(place, struct.pack("<Q", len(words)))
    if length < 8 + 8 * len(words):
        raise NtError(STATUS.INFO_LENGTH_MISMATCH)
    thread.memory.write(place + 8, struct.pack(f"<{len(words)}Q", *words))
    return 8 + 8 * len(words)

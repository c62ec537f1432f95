"""System services for private memory: allocate, free, protect, lock, flush, write watch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi import access as rights
from ntos.abi.layout.api import MEMORY_RANGE_ENTRY
from ntos.abi.layout.io import IO_STATUS_BLOCK
from ntos.abi.memory import PAGE_SIZE
from ntos.abi.mm import (
    HIGHEST_USER_ADDRESS,
    LOWEST_USER_ADDRESS,
    MEM_COMMIT,
    MEM_DECOMMIT,
    MEM_LARGE_PAGES,
    MEM_PHYSICAL,
    MEM_RELEASE,
    MEM_RESERVE,
    MEM_RESET,
    MEM_RESET_UNDO,
    MEM_TOP_DOWN,
    MEM_WRITE_WATCH,
    VIRTUAL_MEMORY_INFORMATION_CLASS,
)
from ntos.abi.pointer import Out, Ptr
from ntos.abi.status import STATUS, GuestFault, NtError
from ntos.abi.types import HANDLE, NTSTATUS, PVOID, SIZE_T, ULONG, ULONG_PTR
from ntos.ke.service import service
from ntos.mm import dynamic_code, virtual
from ntos.mm.extended import parameters_of
from ntos.mm.layout import GRANULARITY, USER_END, is_user_span, zero_bits_limit
from ntos.mm.protect import COPIES, from_page, is_guard
from ntos.mm.space import AddressSpace, space_of
from ntos.mm.target import check_range, forget_code, process_by_handle, tell
from ntos.mm.vad import Vad

if TYPE_CHECKING:
    from ntos.ke.thread import Thread

_KNOWN_TYPES = (
    MEM_COMMIT
    | MEM_RESERVE
    | MEM_RESET
    | MEM_RESET_UNDO
    | MEM_TOP_DOWN
    | MEM_WRITE_WATCH
    | MEM_PHYSICAL
    | MEM_LARGE_PAGES
)
_MAP_PROCESS, _MAP_SYSTEM = 1, 2
_RESET_WATCH = 1


@service(partial="large pages and physical (AWE) memory are refused")
def NtAllocateVirtualMemory(
    thread: Thread,
    ProcessHandle: HANDLE,
    BaseAddress: Ptr[PVOID],
    ZeroBits: ULONG_PTR,
    RegionSize: Ptr[SIZE_T],
    AllocationType: ULONG,
    Protect: ULONG,
) -> NTSTATUS:
    """Reserve a range of pages, commit pages of one, or both."""
    limit = zero_bits_limit(ZeroBits)
    if not limit:
        raise NtError(STATUS.INVALID_PARAMETER_3)
    bounds = (0, 0 if limit == USER_END else limit, 0)
    return _allocate(thread, ProcessHandle, BaseAddress, RegionSize, AllocationType, Protect, bounds)


@service(partial="large pages, physical memory, placeholders and NUMA nodes are refused")
def NtAllocateVirtualMemoryEx(
    thread: Thread,
    ProcessHandle: HANDLE,
    BaseAddress: Ptr[PVOID],
    RegionSize: Ptr[SIZE_T],
    AllocationType: ULONG,
    PageProtection: ULONG,
    ExtendedParameters: PVOID,
    ExtendedParameterCount: ULONG,
) -> NTSTATUS:
    """As NtAllocateVirtualMemory, with bounds and alignment for the address."""
    bounds = parameters_of(thread, ExtendedParameters, ExtendedParameterCount)
    return _allocate(thread, ProcessHandle, BaseAddress, RegionSize, AllocationType, PageProtection, bounds)


def _allocate(
    thread: Thread,
    handle: int,
    base: Ptr[PVOID],
    region: Ptr[SIZE_T],
    kind: int,
    protect: int,
    bounds: tuple[int, int, int],
) -> NTSTATUS:
    address, size = int(base.read()), int(region.read())
    _check_allocation(address, size, kind)
    protection = from_page(protect)
    if protection & 7 in COPIES:
        raise NtError(STATUS.INVALID_PAGE_PROTECTION)
    process = process_by_handle(thread, handle, rights.PROCESS_VM_OPERATION)
    dynamic_code.check(thread, process, protection)
    space = space_of(process)
    if kind & (MEM_RESET | MEM_RESET_UNDO):
        first, end = virtual.pages_of(address, size)
        _covering(space, first, end)
    elif kind & MEM_RESERVE or not address:
        vad = _reserve(space, address, size, kind, protection, bounds)
        first, end = vad.start, vad.end
    else:
        first, end = virtual.pages_of(address, size)
        virtual.commit_pages(space, _covering(space, first, end), first, end, protection)
    base.write(first << 12)
    region.write((end - first) << 12)
    tell(thread, process, first << 12, (end - first) << 12, protect, "allocate")
    return STATUS.SUCCESS


def _check_allocation(address: int, size: int, kind: int) -> None:
    """The argument checks of NtAllocateVirtualMemory, each with the status of its parameter."""
    reset = kind & (MEM_RESET | MEM_RESET_UNDO)
    if kind & ~_KNOWN_TYPES or not kind & (MEM_COMMIT | MEM_RESERVE | MEM_RESET | MEM_RESET_UNDO):
        raise NtError(STATUS.INVALID_PARAMETER_5)
    if (reset and kind != reset) or (kind & MEM_WRITE_WATCH and not kind & MEM_RESERVE):
        raise NtError(STATUS.INVALID_PARAMETER_5)
    if kind & (MEM_PHYSICAL | MEM_LARGE_PAGES):
        raise NtError(STATUS.NOT_SUPPORTED)
    if address > HIGHEST_USER_ADDRESS or 0 < address < LOWEST_USER_ADDRESS:
        raise NtError(STATUS.INVALID_PARAMETER_2)
    if size == 0 or size > HIGHEST_USER_ADDRESS + 1 - address:
        raise NtError(STATUS.INVALID_PARAMETER_4)


def _covering(space: AddressSpace, first: int, end: int) -> Vad:
    vad = space.vads.find(first)
    if vad is None or end > vad.end:
        raise NtError(STATUS.CONFLICTING_ADDRESSES)
    return vad


def _reserve(
    space: AddressSpace, address: int, size: int, kind: int, protection: int, bounds: tuple[int, int, int]
) -> Vad:
    lowest, limit, alignment = bounds
    if address:
        start = (address & ~(GRANULARITY - 1)) >> 12
        pages = virtual.pages_of(address, size)[1] - start
        if not is_user_span(start << 12, pages << 12) or space.vads.overlaps(start, start + pages):
            raise NtError(STATUS.CONFLICTING_ADDRESSES)
    else:
        pages = -(-size // PAGE_SIZE)
        start = space.place(
            pages, top_down=bool(kind & MEM_TOP_DOWN), limit=limit, lowest=lowest, alignment=alignment
        )
    return virtual.reserve_pages(
        space, start, pages, protection, commit=bool(kind & MEM_COMMIT), watch=bool(kind & MEM_WRITE_WATCH)
    )


@service(partial="placeholders are refused")
def NtFreeVirtualMemory(
    thread: Thread, ProcessHandle: HANDLE, BaseAddress: Ptr[PVOID], RegionSize: Ptr[SIZE_T], FreeType: ULONG
) -> NTSTATUS:
    """Decommit pages, or release a range or part of one."""
    if FreeType not in {MEM_DECOMMIT, MEM_RELEASE}:
        raise NtError(STATUS.INVALID_PARAMETER_4)
    address, size = int(BaseAddress.read()), int(RegionSize.read())
    check_range(address, size)
    process = process_by_handle(thread, ProcessHandle, rights.PROCESS_VM_OPERATION)
    space = space_of(process)
    if FreeType == MEM_RELEASE:
        base, freed = virtual.release(space, address, size)
    else:
        base, freed = virtual.decommit(space, address, size)
    BaseAddress.write(base)
    RegionSize.write(freed)
    return STATUS.SUCCESS


@service
def NtProtectVirtualMemory(
    thread: Thread,
    ProcessHandle: HANDLE,
    BaseAddress: Ptr[PVOID],
    RegionSize: Ptr[SIZE_T],
    NewProtect: ULONG,
    OldProtect: Out[ULONG],
) -> NTSTATUS:
    """Change the protection of committed pages; tells the old one of the first page."""
    protection = from_page(NewProtect)
    address, size = int(BaseAddress.read()), int(RegionSize.read())
    check_range(address, size)
    if not size:
        raise NtError(STATUS.INVALID_PARAMETER_3)
    process = process_by_handle(thread, ProcessHandle, rights.PROCESS_VM_OPERATION)
    space = space_of(process)
    dynamic_code.check(thread, process, protection, virtual.protection_at(space, address))
    old = virtual.protect(space, address, size, protection)
    first, end = virtual.pages_of(address, size)
    BaseAddress.write(first << 12)
    RegionSize.write((end - first) << 12)
    OldProtect.write(old)
    tell(thread, process, first << 12, (end - first) << 12, NewProtect, "protect")
    return STATUS.SUCCESS


@service
def NtFlushVirtualMemory(
    thread: Thread,
    ProcessHandle: HANDLE,
    BaseAddress: Ptr[PVOID],
    RegionSize: Ptr[SIZE_T],
    IoStatus: Out[IO_STATUS_BLOCK],
) -> NTSTATUS:
    """Write the modified pages of a mapped file to the file; size 0 means to the end of the view."""
    address, size = int(BaseAddress.read()), int(RegionSize.read())
    check_range(address, size)
    process = process_by_handle(thread, ProcessHandle, rights.PROCESS_VM_OPERATION)
    space = space_of(process)
    first, end = virtual.pages_of(address, size)
    vad = space.vads.find(first)
    if vad is None or vad.area is None:
        raise NtError(STATUS.NOT_MAPPED_VIEW)
    if vad.area.is_image:
        raise NtError(STATUS.NOT_MAPPED_DATA)
    if size == 0:
        end = vad.end
    if end > vad.end:
        raise NtError(STATUS.INVALID_PARAMETER_3)
    shift = vad.first_page - vad.start
    status = vad.area.flush(first + shift, end + shift)
    BaseAddress.write(first << 12)
    RegionSize.write((end - first) << 12)
    block = IO_STATUS_BLOCK.new()
    block.Status = status
    IoStatus.write(block)
    return status


@service(partial="working set limits and the privilege for MAP_SYSTEM are not looked at")
def NtLockVirtualMemory(
    thread: Thread, ProcessHandle: HANDLE, BaseAddress: Ptr[PVOID], RegionSize: Ptr[SIZE_T], MapType: ULONG
) -> NTSTATUS:
    """Bring pages in and keep them (nothing is paged out here); WAS_LOCKED if they were."""
    space, first, end = _lock_range(thread, ProcessHandle, BaseAddress, RegionSize, MapType)
    for page in range(first, end):
        space.process.memory.read(page << 12, 1)
    pages = set(range(first, end))
    status = STATUS.WAS_LOCKED if pages & space.locked else STATUS.SUCCESS
    space.locked |= pages
    return status


@service
def NtUnlockVirtualMemory(
    thread: Thread, ProcessHandle: HANDLE, BaseAddress: Ptr[PVOID], RegionSize: Ptr[SIZE_T], MapType: ULONG
) -> NTSTATUS:
    """Undo NtLockVirtualMemory; NOT_LOCKED when a page was not."""
    space, first, end = _lock_range(thread, ProcessHandle, BaseAddress, RegionSize, MapType)
    pages = set(range(first, end))
    if not pages <= space.locked:
        raise NtError(STATUS.NOT_LOCKED)
    space.locked -= pages
    return STATUS.SUCCESS


def _lock_range(
    thread: Thread, handle: int, base: Ptr[PVOID], region: Ptr[SIZE_T], kind: int
) -> tuple[AddressSpace, int, int]:
    if kind & ~(_MAP_PROCESS | _MAP_SYSTEM) or not kind:
        raise NtError(STATUS.INVALID_PARAMETER)
    address, size = int(base.read()), int(region.read())
    check_range(address, size)
    if not size:
        raise NtError(STATUS.INVALID_PARAMETER_3)
    space = space_of(process_by_handle(thread, handle, rights.PROCESS_VM_OPERATION))
    first, end = virtual.pages_of(address, size)
    base.write(first << 12)
    region.write((end - first) << 12)
    return space, first, end


@service
def NtFlushInstructionCache(
    thread: Thread, ProcessHandle: HANDLE, BaseAddress: PVOID, Length: SIZE_T
) -> NTSTATUS:
    """Let changed code be seen; without an address, all of the process's."""
    process = process_by_handle(thread, ProcessHandle, rights.PROCESS_VM_WRITE)
    if BaseAddress:
        check_range(BaseAddress, Length)
        forget_code(process, BaseAddress, Length)
    else:
        forget_code(process, 0, USER_END)
    return STATUS.SUCCESS


@service
def NtGetWriteWatch(
    thread: Thread,
    ProcessHandle: HANDLE,
    Flags: ULONG,
    BaseAddress: PVOID,
    RegionSize: SIZE_T,
    UserAddressArray: Ptr[PVOID],
    EntriesInUserAddressArray: Ptr[ULONG_PTR],
    Granularity: Out[ULONG],
) -> NTSTATUS:
    """The pages of a MEM_WRITE_WATCH range written since the last reset, and with flag 1 a reset of those."""
    if Flags & ~_RESET_WATCH:
        raise NtError(STATUS.INVALID_PARAMETER_2)
    room = int(EntriesInUserAddressArray.read())
    space, vad, first, end = _watched_range(thread, ProcessHandle, BaseAddress, RegionSize)
    pages = virtual.watched(space, vad, first, end, reset=False)[:room]
    for index, page in enumerate(pages):
        UserAddressArray[index] = page << 12
    EntriesInUserAddressArray.write(len(pages))
    Granularity.write(PAGE_SIZE)
    if Flags & _RESET_WATCH:
        for page in pages:
            virtual.watched(space, vad, page, page + 1, reset=True)
    return STATUS.SUCCESS


@service
def NtResetWriteWatch(
    thread: Thread, ProcessHandle: HANDLE, BaseAddress: PVOID, RegionSize: SIZE_T
) -> NTSTATUS:
    """Begin watching a MEM_WRITE_WATCH range anew."""
    space, vad, first, end = _watched_range(thread, ProcessHandle, BaseAddress, RegionSize)
    virtual.watched(space, vad, first, end, reset=True)
    return STATUS.SUCCESS


def _watched_range(
    thread: Thread, handle: int, address: int, size: int
) -> tuple[AddressSpace, Vad, int, int]:
    check_range(address, size)
    space = space_of(process_by_handle(thread, handle, rights.PROCESS_VM_OPERATION))
    first, end = virtual.pages_of(address, size)
    vad = space.vads.find(first)
    if vad is None or end > vad.end or not vad.write_watch:
        raise NtError(STATUS.INVALID_PARAMETER_1)
    return space, vad, first, end


@service(
    partial="only prefetching; page priorities, CFG call targets, dirty state and hot patches are refused"
)
def NtSetInformationVirtualMemory(
    thread: Thread,
    ProcessHandle: HANDLE,
    VmInformationClass: ULONG,
    NumberOfEntries: ULONG_PTR,
    VirtualAddresses: Ptr[MEMORY_RANGE_ENTRY],
    VmInformation: PVOID,
    VmInformationLength: ULONG,
) -> NTSTATUS:
    """Bring ranges into memory before they are used (PrefetchVirtualMemory)."""
    if VmInformationClass not in VIRTUAL_MEMORY_INFORMATION_CLASS._value2member_map_:
        raise NtError(STATUS.INVALID_PARAMETER_2)
    if int(VmInformationClass) != VIRTUAL_MEMORY_INFORMATION_CLASS.VmPrefetchInformation:
        raise NtError(STATUS.NOT_SUPPORTED)
    if not 0 < NumberOfEntries < 0x10000:
        raise NtError(STATUS.INVALID_PARAMETER_3)
    process = process_by_handle(thread, ProcessHandle, rights.PROCESS_QUERY_LIMITED_INFORMATION)
    for index in range(NumberOfEntries):
        entry = VirtualAddresses[index]
        address, size = int(entry.VirtualAddress), int(entry.NumberOfBytes)
        check_range(address, size, base_status=4, size_status=4)
        _prefetch(space_of(process), address, size)
    return STATUS.SUCCESS


def _prefetch(space: AddressSpace, address: int, size: int) -> None:
    """Fault in the section pages of a range; what cannot be read is left for whoever uses it."""
    first, end = virtual.pages_of(address, size)
    vad = space.vads.find(first)
    if vad is None or vad.area is None or is_guard(vad.protection):
        return
    for page in range(first, min(end, vad.end)):
        try:
            if not space.tables.entry(page << 12):
                space.process.memory.fault(page << 12, 0)
        except GuestFault:
            return

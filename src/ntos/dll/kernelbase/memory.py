"""Virtual memory and file mappings (memoryapi.h)."""

from __future__ import annotations

from ntos.abi.access import (
    SECTION_ALL_ACCESS,
    SECTION_MAP_EXECUTE,
    SECTION_MAP_EXECUTE_EXPLICIT,
    SECTION_MAP_READ,
    SECTION_QUERY,
)
from ntos.abi.errors import ERROR
from ntos.abi.layout.api import MEMORY_BASIC_INFORMATION
from ntos.abi.layout.win32 import SECURITY_ATTRIBUTES
from ntos.abi.mm import (
    FILE_MAP_COPY,
    FILE_MAP_EXECUTE,
    FILE_MAP_READ,
    FILE_MAP_WRITE,
    MEM_DECOMMIT,
    MEM_RELEASE,
    MEM_RESERVE,
    PAGE_EXECUTE_READ,
    PAGE_EXECUTE_READWRITE,
    PAGE_EXECUTE_WRITECOPY,
    PAGE_NOACCESS,
    PAGE_READONLY,
    PAGE_READWRITE,
    PAGE_WRITECOPY,
    SEC_COMMIT,
)
from ntos.abi.ob import CURRENT_PROCESS
from ntos.abi.pointer import Ptr
from ntos.abi.types import BOOL, DWORD, HANDLE, LARGE_INTEGER, PVOID, SIZE_T, ULONG, ULONG_PTR, ULONGLONG, WCHAR
from ntos.abi.win32 import INVALID_HANDLE_VALUE
from ntos.dll.kernelbase.objects import named, new_handle, new_size, note_existing
from ntos.dll.kernelbase.services import nt
from ntos.dll.kernelbase.text import export_both, optional_text
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread

VIEW_SHARE, VIEW_UNMAP = 1, 2
PROTECTIONS = 0xFF
MEMORY_BASIC = 0


@export
async def VirtualAlloc(
    thread: UserThread, lpAddress: PVOID, dwSize: SIZE_T, flAllocationType: DWORD, flProtect: DWORD
) -> PVOID:
    """Reserve or commit pages of the own process."""
    return PVOID(await _allocate(thread, CURRENT_PROCESS, lpAddress, dwSize, flAllocationType, flProtect))


@export
async def VirtualAllocEx(
    thread: UserThread,
    hProcess: HANDLE,
    lpAddress: PVOID,
    dwSize: SIZE_T,
    flAllocationType: DWORD,
    flProtect: DWORD,
) -> PVOID:
    """Reserve or commit pages of a process."""
    return PVOID(await _allocate(thread, hProcess, lpAddress, dwSize, flAllocationType, flProtect))


@export
async def VirtualAllocExNuma(
    thread: UserThread,
    hProcess: HANDLE,
    lpAddress: PVOID,
    dwSize: SIZE_T,
    flAllocationType: DWORD,
    flProtect: DWORD,
    nndPreferred: DWORD,
) -> PVOID:
    """VirtualAllocEx with a preferred node; there is one node."""
    if nndPreferred not in (0, 0xFFFF_FFFF):
        raise WinError(ERROR.INVALID_PARAMETER)
    return PVOID(await _allocate(thread, hProcess, lpAddress, dwSize, flAllocationType, flProtect))


async def _allocate(thread: UserThread, process: int, address: int, size: int, kind: int, protection: int) -> int:
    if address and address < 0x10000 and kind & MEM_RESERVE:
        raise WinError(ERROR.INVALID_PARAMETER)
    with thread.frame() as frame:
        base, room = new_size(frame, address), new_size(frame, size)
        await nt.NtAllocateVirtualMemory(thread, process, base.address, 0, room.address, kind & ~0xF, protection)
        return int(base.read())


@export(partial="MEM_EXTENDED_PARAMETER is left to the kernel service")
async def VirtualAlloc2(
    thread: UserThread,
    Process: HANDLE,
    BaseAddress: PVOID,
    Size: SIZE_T,
    AllocationType: ULONG,
    PageProtection: ULONG,
    ExtendedParameters: PVOID,
    ParameterCount: ULONG,
) -> PVOID:
    """VirtualAllocEx with alignment and address requirements."""
    with thread.frame() as frame:
        base, room = new_size(frame, BaseAddress), new_size(frame, Size)
        await nt.NtAllocateVirtualMemoryEx(
            thread, Process or CURRENT_PROCESS, base.address, room.address, AllocationType, PageProtection,
            ExtendedParameters, ParameterCount,
        )  # fmt: skip
        return PVOID(base.read())


@export
async def VirtualFree(thread: UserThread, lpAddress: PVOID, dwSize: SIZE_T, dwFreeType: DWORD) -> BOOL:
    """Decommit or release pages of the own process."""
    return await _free(thread, CURRENT_PROCESS, lpAddress, dwSize, dwFreeType)


@export
async def VirtualFreeEx(
    thread: UserThread, hProcess: HANDLE, lpAddress: PVOID, dwSize: SIZE_T, dwFreeType: DWORD
) -> BOOL:
    """Decommit or release pages of a process."""
    return await _free(thread, hProcess, lpAddress, dwSize, dwFreeType)


async def _free(thread: UserThread, process: int, address: int, size: int, kind: int) -> BOOL:
    if kind & (MEM_DECOMMIT | MEM_RELEASE) == MEM_RELEASE and size and not kind & 3:
        raise WinError(ERROR.INVALID_PARAMETER)
    with thread.frame() as frame:
        base, room = new_size(frame, address), new_size(frame, size)
        await nt.NtFreeVirtualMemory(thread, process, base.address, room.address, kind)
    return BOOL(1)


@export
async def VirtualProtect(
    thread: UserThread, lpAddress: PVOID, dwSize: SIZE_T, flNewProtect: DWORD, lpflOldProtect: Ptr[DWORD]
) -> BOOL:
    """Change the protection of pages of the own process."""
    return await _protect(thread, CURRENT_PROCESS, lpAddress, dwSize, flNewProtect, lpflOldProtect)


@export
async def VirtualProtectEx(
    thread: UserThread,
    hProcess: HANDLE,
    lpAddress: PVOID,
    dwSize: SIZE_T,
    flNewProtect: DWORD,
    lpflOldProtect: Ptr[DWORD],
) -> BOOL:
    """Change the protection of pages of a process."""
    return await _protect(thread, hProcess, lpAddress, dwSize, flNewProtect, lpflOldProtect)


async def _protect(thread: UserThread, process: int, address: int, size: int, protection: int, old: Ptr[DWORD]) -> BOOL:
    with thread.frame() as frame:
        base, room = new_size(frame, address), new_size(frame, size)
        await nt.NtProtectVirtualMemory(thread, process, base.address, room.address, protection, old.address)
    return BOOL(1)


@export
async def VirtualQuery(thread: UserThread, lpAddress: PVOID, lpBuffer: PVOID, dwLength: SIZE_T) -> SIZE_T:
    """What the range of like pages around an address is."""
    return await _query(thread, CURRENT_PROCESS, lpAddress, lpBuffer, dwLength)


@export
async def VirtualQueryEx(
    thread: UserThread, hProcess: HANDLE, lpAddress: PVOID, lpBuffer: PVOID, dwLength: SIZE_T
) -> SIZE_T:
    """The same in another process."""
    return await _query(thread, hProcess, lpAddress, lpBuffer, dwLength)


async def _query(thread: UserThread, process: int, address: int, buffer: int, length: int) -> SIZE_T:
    with thread.frame() as frame:
        returned = new_size(frame, 0)
        if length < MEMORY_BASIC_INFORMATION.size:
            raise WinError(ERROR.BAD_LENGTH)
        await nt.NtQueryVirtualMemory(thread, process, address, MEMORY_BASIC, buffer, length, returned.address)
        return SIZE_T(returned.read())


@export
async def VirtualLock(thread: UserThread, lpAddress: PVOID, dwSize: SIZE_T) -> BOOL:
    """Keep pages in memory."""
    with thread.frame() as frame:
        base, room = new_size(frame, lpAddress), new_size(frame, dwSize)
        await nt.NtLockVirtualMemory(thread, CURRENT_PROCESS, base.address, room.address, 1)
    return BOOL(1)


@export
async def VirtualUnlock(thread: UserThread, lpAddress: PVOID, dwSize: SIZE_T) -> BOOL:
    """Let pages go again."""
    with thread.frame() as frame:
        base, room = new_size(frame, lpAddress), new_size(frame, dwSize)
        await nt.NtUnlockVirtualMemory(thread, CURRENT_PROCESS, base.address, room.address, 1)
    return BOOL(1)


@export
async def FlushInstructionCache(thread: UserThread, hProcess: HANDLE, lpBaseAddress: PVOID, dwSize: SIZE_T) -> BOOL:
    """Make newly written code take effect."""
    await nt.NtFlushInstructionCache(thread, hProcess, lpBaseAddress, dwSize)
    return BOOL(1)


@export
async def ReadProcessMemory(
    thread: UserThread,
    hProcess: HANDLE,
    lpBaseAddress: PVOID,
    lpBuffer: PVOID,
    nSize: SIZE_T,
    lpNumberOfBytesRead: Ptr[SIZE_T] | None,
) -> BOOL:
    """Copy bytes out of a process; all of them, or ERROR_PARTIAL_COPY."""
    count = lpNumberOfBytesRead.address if lpNumberOfBytesRead else 0
    await nt.NtReadVirtualMemory(thread, hProcess, lpBaseAddress, lpBuffer, nSize, count)
    return BOOL(1)


@export
async def WriteProcessMemory(
    thread: UserThread,
    hProcess: HANDLE,
    lpBaseAddress: PVOID,
    lpBuffer: PVOID,
    nSize: SIZE_T,
    lpNumberOfBytesWritten: Ptr[SIZE_T] | None,
) -> BOOL:
    """Copy bytes into a process, through read-only protection if need be, as debuggers expect."""
    count = lpNumberOfBytesWritten.address if lpNumberOfBytesWritten else 0
    with thread.frame() as frame:
        information: MEMORY_BASIC_INFORMATION = frame.new(MEMORY_BASIC_INFORMATION)
        await nt.NtQueryVirtualMemory(
            thread, hProcess, lpBaseAddress, MEMORY_BASIC, information.address, information.size, 0
        )
        protection = int(information.Protect) & PROTECTIONS
        writable = {PAGE_READONLY: PAGE_READWRITE, PAGE_EXECUTE_READ: PAGE_EXECUTE_READWRITE}.get(protection)
        if writable is None:
            await nt.NtWriteVirtualMemory(thread, hProcess, lpBaseAddress, lpBuffer, nSize, count)
            return BOOL(1)
        old: Ptr[DWORD] = frame.new(DWORD)
        await _protect(thread, hProcess, lpBaseAddress, nSize, writable, old)
        try:
            await nt.NtWriteVirtualMemory(thread, hProcess, lpBaseAddress, lpBuffer, nSize, count)
        finally:
            await _protect(thread, hProcess, lpBaseAddress, nSize, int(old.read()), old)
    await nt.NtFlushInstructionCache(thread, hProcess, lpBaseAddress, nSize)
    return BOOL(1)


@export_both()
async def CreateFileMappingW(
    thread: UserThread,
    hFile: HANDLE,
    lpFileMappingAttributes: Ptr[SECURITY_ATTRIBUTES] | None,
    flProtect: DWORD,
    dwMaximumSizeHigh: DWORD,
    dwMaximumSizeLow: DWORD,
    lpName: Ptr[WCHAR],
) -> HANDLE:
    """A section over a file, or over the paging file; existing names are opened."""
    protection = flProtect & PROTECTIONS
    attributes = flProtect & ~PROTECTIONS or SEC_COMMIT
    known = (PAGE_READONLY, PAGE_READWRITE, PAGE_WRITECOPY, PAGE_EXECUTE_READ, PAGE_EXECUTE_READWRITE,
             PAGE_EXECUTE_WRITECOPY)  # fmt: skip
    if protection not in known:
        raise WinError(ERROR.INVALID_PARAMETER)
    access = SECTION_ALL_ACCESS if protection < 0x10 else SECTION_ALL_ACCESS | SECTION_MAP_EXECUTE_EXPLICIT
    maximum = dwMaximumSizeHigh << 32 | dwMaximumSizeLow
    file = 0 if hFile == INVALID_HANDLE_VALUE else hFile
    if not file and not maximum:
        raise WinError(ERROR.INVALID_PARAMETER)
    with thread.frame() as frame:
        section = new_handle(frame)
        size: Ptr[LARGE_INTEGER] = frame.new(LARGE_INTEGER)
        size.write(maximum)
        where = named(thread, frame, optional_text(lpName), lpFileMappingAttributes, create=True)
        status = await nt.NtCreateSection(
            thread,
            section.address,
            access,
            where,
            size.address if maximum else 0,
            protection,
            attributes,
            file,
        )
        note_existing(thread, status)
        return HANDLE(section.read())


@export_both()
async def OpenFileMappingW(
    thread: UserThread, dwDesiredAccess: DWORD, bInheritHandle: BOOL, lpName: Ptr[WCHAR]
) -> HANDLE:
    """A handle to a section by name."""
    if not lpName:
        raise WinError(ERROR.INVALID_PARAMETER)
    access = SECTION_MAP_READ if dwDesiredAccess == FILE_MAP_COPY else dwDesiredAccess
    with thread.frame() as frame:
        section = new_handle(frame)
        where = named(thread, frame, optional_text(lpName), inherit=bool(bInheritHandle))
        if access & FILE_MAP_EXECUTE:
            access = access & ~FILE_MAP_EXECUTE | SECTION_MAP_EXECUTE
        await nt.NtOpenSection(thread, section.address, access or SECTION_QUERY, where)
        return HANDLE(section.read())


@export
async def MapViewOfFile(
    thread: UserThread,
    hFileMappingObject: HANDLE,
    dwDesiredAccess: DWORD,
    dwFileOffsetHigh: DWORD,
    dwFileOffsetLow: DWORD,
    dwNumberOfBytesToMap: SIZE_T,
) -> PVOID:
    """Map a view of a section."""
    offset = dwFileOffsetHigh << 32 | dwFileOffsetLow
    return await _map(thread, hFileMappingObject, dwDesiredAccess, offset, dwNumberOfBytesToMap, 0)


@export
async def MapViewOfFileEx(
    thread: UserThread,
    hFileMappingObject: HANDLE,
    dwDesiredAccess: DWORD,
    dwFileOffsetHigh: DWORD,
    dwFileOffsetLow: DWORD,
    dwNumberOfBytesToMap: SIZE_T,
    lpBaseAddress: PVOID,
) -> PVOID:
    """Map a view of a section at an address."""
    offset = dwFileOffsetHigh << 32 | dwFileOffsetLow
    return await _map(thread, hFileMappingObject, dwDesiredAccess, offset, dwNumberOfBytesToMap, lpBaseAddress)


@export
async def MapViewOfFile3(
    thread: UserThread,
    FileMapping: HANDLE,
    Process: HANDLE,
    BaseAddress: PVOID,
    Offset: ULONGLONG,
    ViewSize: SIZE_T,
    AllocationType: ULONG,
    PageProtection: ULONG,
    ExtendedParameters: PVOID,
    ParameterCount: ULONG,
) -> PVOID:
    """Map a view into a process, with address requirements."""
    with thread.frame() as frame:
        base, room, place = new_size(frame, BaseAddress), new_size(frame, ViewSize), new_size(frame, Offset)
        await nt.NtMapViewOfSectionEx(
            thread, FileMapping, Process or CURRENT_PROCESS, base.address, place.address, room.address,
            AllocationType, PageProtection, ExtendedParameters, ParameterCount,
        )  # fmt: skip
        return PVOID(base.read())


def view_protection(access: int) -> int:
    """The page protection a FILE_MAP_… access asks for."""
    executable = access & FILE_MAP_EXECUTE
    if access & ~FILE_MAP_EXECUTE & 0xFF == FILE_MAP_COPY:
        return PAGE_EXECUTE_WRITECOPY if executable else PAGE_WRITECOPY
    if access & FILE_MAP_WRITE:
        return PAGE_EXECUTE_READWRITE if executable else PAGE_READWRITE
    if access & FILE_MAP_READ:
        return PAGE_EXECUTE_READ if executable else PAGE_READONLY
    return PAGE_NOACCESS


async def _map(thread: UserThread, section: int, access: int, offset: int, size: int, address: int) -> PVOID:
    with thread.frame() as frame:
        base, room, place = new_size(frame, address), new_size(frame, size), new_size(frame, offset)
        await nt.NtMapViewOfSection(
            thread, section, CURRENT_PROCESS, base.address, 0, 0, place.address, room.address, VIEW_SHARE, 0,
            view_protection(access),
        )  # fmt: skip
        return PVOID(base.read())


@export
async def UnmapViewOfFile(thread: UserThread, lpBaseAddress: PVOID) -> BOOL:
    """Take a view away."""
    await nt.NtUnmapViewOfSection(thread, CURRENT_PROCESS, lpBaseAddress)
    return BOOL(1)


@export
async def UnmapViewOfFileEx(thread: UserThread, BaseAddress: PVOID, UnmapFlags: ULONG) -> BOOL:
    """Take a view away, with flags."""
    await nt.NtUnmapViewOfSectionEx(thread, CURRENT_PROCESS, BaseAddress, UnmapFlags)
    return BOOL(1)


@export
async def FlushViewOfFile(thread: UserThread, lpBaseAddress: PVOID, dwNumberOfBytesToFlush: SIZE_T) -> BOOL:
    """Write a view's changed pages to the file."""
    with thread.frame() as frame:
        base, room = new_size(frame, lpBaseAddress), new_size(frame, dwNumberOfBytesToFlush)
        status = frame.allocate(16)
        await nt.NtFlushVirtualMemory(thread, CURRENT_PROCESS, base.address, room.address, status)
    return BOOL(1)


@export
def GetLargePageMinimum(thread: UserThread) -> SIZE_T:
    """The size of a large page."""
    return SIZE_T(0x200000)


@export
async def IsBadReadPtr(thread: UserThread, lp: PVOID, ucb: ULONG_PTR) -> BOOL:
    """Whether some byte of the range cannot be read."""
    return BOOL(await _is_bad(thread, lp, ucb, write=False))


@export
async def IsBadWritePtr(thread: UserThread, lp: PVOID, ucb: ULONG_PTR) -> BOOL:
    """Whether some byte of the range cannot be written."""
    return BOOL(await _is_bad(thread, lp, ucb, write=True))


@export
async def IsBadCodePtr(thread: UserThread, lpfn: PVOID) -> BOOL:
    """Whether the byte at the address cannot be read."""
    return BOOL(await _is_bad(thread, lpfn, 1, write=False))


@export
async def IsBadStringPtrW(thread: UserThread, lpsz: PVOID, ucchMax: ULONG_PTR) -> BOOL:
    """Whether a text cannot be read up to its NUL or so many characters."""
    return BOOL(await _is_bad_text(thread, lpsz, ucchMax, 2))


@export
async def IsBadStringPtrA(thread: UserThread, lpsz: PVOID, ucchMax: ULONG_PTR) -> BOOL:
    """Whether a narrow text cannot be read up to its NUL or so many characters."""
    return BOOL(await _is_bad_text(thread, lpsz, ucchMax, 1))


async def _is_bad_text(thread: UserThread, address: int, count: int, unit: int) -> bool:
    """Looks a page at a time: nothing behind the NUL is touched."""
    address, left = int(address), int(count) * unit
    while left:
        size = min(0x1000 - address % 0x1000, left)
        if await _is_bad(thread, address, size, write=False):
            return True
        data = thread.memory.read(address, size)
        if any(data[at : at + unit] == bytes(unit) for at in range(0, size, unit)):
            return False
        address, left = address + size, left - size
    return False


async def _is_bad(thread: UserThread, address: int, size: int, *, write: bool) -> bool:
    end = address + size
    while address < end:
        with thread.frame() as frame:
            information: MEMORY_BASIC_INFORMATION = frame.new(MEMORY_BASIC_INFORMATION)
            await nt.NtQueryVirtualMemory(
                thread, CURRENT_PROCESS, address, MEMORY_BASIC, information.address, information.size, 0
            )
            protection = int(information.Protect)
            readable = protection & 0xEE and not protection & 0x100
            if not readable or (write and not protection & 0xCC):
                return True
            address = int(information.BaseAddress) + int(information.RegionSize)
    return False

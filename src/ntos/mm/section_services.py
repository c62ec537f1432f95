"""System services for sections: create, open, map, unmap, query, extend, compare.

Mapping and unmapping can block: a debugger that is told of an image holds the thread until it has seen it.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ntos import ob
from ntos.abi import access as rights
from ntos.abi.layout.api import SECTION_BASIC_INFORMATION
from ntos.abi.layout.object import OBJECT_ATTRIBUTES
from ntos.abi.mm import (
    HIGHEST_USER_ADDRESS,
    MEM_DIFFERENT_IMAGE_BASE_OK,
    MEM_RESERVE,
    MEM_TOP_DOWN,
    PAGE_GUARD,
    PAGE_NOACCESS,
    SEC_BASED,
    SEC_COMMIT,
    SEC_FILE,
    SEC_IMAGE,
    SEC_IMAGE_NO_EXECUTE,
    SEC_LARGE_PAGES,
    SEC_NO_CHANGE,
    SEC_NOCACHE,
    SEC_RESERVE,
    SEC_WRITECOMBINE,
    SECTION_INFORMATION_CLASS,
)
from ntos.abi.pointer import In, Out, Ptr
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import ACCESS_MASK, HANDLE, LARGE_INTEGER, NTSTATUS, PVOID, SIZE_T, ULONG, ULONG_PTR
from ntos.etw.event import MemoryUnmapped
from ntos.ke.service import service
from ntos.mm import dynamic_code
from ntos.mm.backing import Backing, Mappable
from ntos.mm.datafile import FileArea
from ntos.mm.extended import parameters_of
from ntos.mm.image import ImageArea
from ntos.mm.layout import USER_END, zero_bits_limit
from ntos.mm.protect import (
    MM_EXECUTE,
    MM_EXECUTE_READ,
    MM_EXECUTE_READWRITE,
    MM_EXECUTE_WRITECOPY,
    MM_READWRITE,
    MM_WRITECOPY,
    WRITES,
    from_page,
)
from ntos.mm.section import SECTION_TYPE, Section, create_section
from ntos.mm.space import space_of
from ntos.mm.target import process_by_handle, tell
from ntos.mm.view import map_view, unmap_view
from ntos.ob.manager import ObjectManager

if TYPE_CHECKING:
    from ntos.ke.process import Process
    from ntos.ke.thread import Thread

_KINDS = SEC_COMMIT | SEC_RESERVE | SEC_IMAGE
_KNOWN = _KINDS | SEC_IMAGE_NO_EXECUTE | SEC_BASED | SEC_NO_CHANGE | SEC_NOCACHE | SEC_WRITECOMBINE | SEC_FILE
_MAP_TYPES = MEM_TOP_DOWN | MEM_RESERVE | MEM_DIFFERENT_IMAGE_BASE_OK | 0x4000_0000 | 0x2000_0000
_VIEW_SHARE, _VIEW_UNMAP = 1, 2
# MmMakeSectionAccess: FILE_MAP_WRITE alone opens a mapping for views that are read and written (Microsoft Learn,
# OpenFileMapping).
_MAP_ACCESS = {
    MM_EXECUTE: rights.SECTION_MAP_EXECUTE,
    MM_EXECUTE_READ: rights.SECTION_MAP_EXECUTE | rights.SECTION_MAP_READ,
    MM_READWRITE: rights.SECTION_MAP_WRITE,
    MM_WRITECOPY: rights.SECTION_MAP_READ,
    MM_EXECUTE_READWRITE: rights.SECTION_MAP_EXECUTE | rights.SECTION_MAP_WRITE,
    MM_EXECUTE_WRITECOPY: rights.SECTION_MAP_EXECUTE | rights.SECTION_MAP_READ,
}


@service(partial="based and large-page sections are refused; NOCACHE and WRITECOMBINE have no effect")
def NtCreateSection(
    thread: Thread,
    SectionHandle: Out[HANDLE],
    DesiredAccess: ACCESS_MASK,
    ObjectAttributes: In[OBJECT_ATTRIBUTES] | None,
    MaximumSize: In[LARGE_INTEGER] | None,
    SectionPageProtection: ULONG,
    AllocationAttributes: ULONG,
    FileHandle: HANDLE,
) -> NTSTATUS:
    """Create a section: of a file, of an image, or of nothing but zeroes."""
    size = 0 if MaximumSize is None else int(MaximumSize)
    _check_creation(size, SectionPageProtection, AllocationAttributes)

    def make() -> Section:
        backing = None
        if FileHandle:
            access = _file_access(SectionPageProtection)
            backing = backing_by_handle(thread, FileHandle, access)
        return create_section(thread.kernel, backing, size, SectionPageProtection, AllocationAttributes)

    handle, status = ob.create_or_open(thread, SECTION_TYPE, ObjectAttributes, DesiredAccess, make)
    SectionHandle.write(handle)
    return status


@service(partial="extended parameters are refused; else as NtCreateSection")
def NtCreateSectionEx(
    thread: Thread,
    SectionHandle: Out[HANDLE],
    DesiredAccess: ACCESS_MASK,
    ObjectAttributes: In[OBJECT_ATTRIBUTES] | None,
    MaximumSize: In[LARGE_INTEGER] | None,
    SectionPageProtection: ULONG,
    AllocationAttributes: ULONG,
    FileHandle: HANDLE,
    ExtendedParameters: PVOID,
    ExtendedParameterCount: ULONG,
) -> NTSTATUS:
    """As NtCreateSection; no extended parameter is known."""
    if ExtendedParameterCount:
        raise NtError(STATUS.NOT_SUPPORTED)
    return NtCreateSection(
        thread, SectionHandle, DesiredAccess, ObjectAttributes, MaximumSize, SectionPageProtection,
        AllocationAttributes, FileHandle,
    )  # fmt: skip


def _check_creation(size: int, protection: int, attributes: int) -> None:
    kind = attributes & _KINDS
    if attributes & ~_KNOWN & ~SEC_LARGE_PAGES or kind not in {SEC_COMMIT, SEC_RESERVE, SEC_IMAGE}:
        raise NtError(STATUS.INVALID_PARAMETER_6)
    if attributes & (SEC_BASED | SEC_LARGE_PAGES):
        raise NtError(STATUS.NOT_SUPPORTED)
    from_page(protection)
    if protection & (PAGE_NOACCESS | PAGE_GUARD):
        raise NtError(STATUS.INVALID_PAGE_PROTECTION)
    if size < 0:
        raise NtError(STATUS.SECTION_TOO_BIG)


def _file_access(protection: int) -> int:
    """What the file handle must allow (MmMakeFileAccess): the page protection says so for images, too."""
    base = from_page(protection) & 7
    access = rights.FILE_READ_DATA if base != MM_EXECUTE else rights.FILE_EXECUTE
    if base in WRITES:
        access |= rights.FILE_WRITE_DATA
    if base in {MM_EXECUTE_READ, MM_EXECUTE_READWRITE, MM_EXECUTE_WRITECOPY}:
        access |= rights.FILE_EXECUTE
    return access


def backing_by_handle(thread: Thread, handle: int, access: int) -> Backing:
    """The bytes of an open file."""
    file = ob.by_handle(thread, handle, access, thread.kernel[ObjectManager].find_type("File"))
    if not isinstance(file, Mappable):
        raise NtError(STATUS.INVALID_FILE_FOR_SECTION)
    return file.backing


@service
def NtOpenSection(
    thread: Thread,
    SectionHandle: Out[HANDLE],
    DesiredAccess: ACCESS_MASK,
    ObjectAttributes: In[OBJECT_ATTRIBUTES] | None,
) -> NTSTATUS:
    """Open a section by name."""
    SectionHandle.write(0)
    SectionHandle.write(ob.open_by_name(thread, SECTION_TYPE, ObjectAttributes, DesiredAccess))
    return STATUS.SUCCESS


@service
async def NtMapViewOfSection(
    thread: Thread,
    SectionHandle: HANDLE,
    ProcessHandle: HANDLE,
    BaseAddress: Ptr[PVOID],
    ZeroBits: ULONG_PTR,
    CommitSize: SIZE_T,
    SectionOffset: Ptr[LARGE_INTEGER] | None,
    ViewSize: Ptr[SIZE_T],
    InheritDisposition: ULONG,
    AllocationType: ULONG,
    Win32Protect: ULONG,
) -> NTSTATUS:
    """Show a section in a process; IMAGE_NOT_AT_BASE when an image must be relocated by the caller."""
    if InheritDisposition not in {_VIEW_SHARE, _VIEW_UNMAP}:
        raise NtError(STATUS.INVALID_PARAMETER_8)
    limit = zero_bits_limit(ZeroBits)
    if not limit:
        raise NtError(STATUS.INVALID_PARAMETER_4)
    section = _section_to_map(thread, SectionHandle, AllocationType, Win32Protect)
    process = process_by_handle(thread, ProcessHandle, rights.PROCESS_VM_OPERATION)
    address, size = int(BaseAddress.read()), int(ViewSize.read())
    offset = 0 if SectionOffset is None else int(SectionOffset.read())
    if address > HIGHEST_USER_ADDRESS:
        raise NtError(STATUS.INVALID_PARAMETER_3)
    if size > USER_END - address:
        raise NtError(STATUS.INVALID_PARAMETER_7 if size <= USER_END else STATUS.INVALID_VIEW_SIZE)
    _check_code(thread, process, section, Win32Protect)
    base, mapped, status = map_view(
        process,
        section,
        address=address,
        offset=offset,
        size=size,
        protection=Win32Protect,
        top_down=bool(AllocationType & MEM_TOP_DOWN),
        limit=0 if limit == USER_END else limit,
        inherit=InheritDisposition == _VIEW_SHARE,
        commit=CommitSize,
    )
    BaseAddress.write(base)
    ViewSize.write(mapped)
    tell(thread, process, base, mapped, Win32Protect, "map")
    return status


@service(partial="placeholders are refused")
async def NtMapViewOfSectionEx(
    thread: Thread,
    SectionHandle: HANDLE,
    ProcessHandle: HANDLE,
    BaseAddress: Ptr[PVOID],
    SectionOffset: Ptr[LARGE_INTEGER] | None,
    ViewSize: Ptr[SIZE_T],
    AllocationType: ULONG,
    PageProtection: ULONG,
    ExtendedParameters: PVOID,
    ExtendedParameterCount: ULONG,
) -> NTSTATUS:
    """As NtMapViewOfSection, with bounds for the address."""
    _, limit, _ = parameters_of(thread, ExtendedParameters, ExtendedParameterCount)
    section = _section_to_map(thread, SectionHandle, AllocationType, PageProtection)
    process = process_by_handle(thread, ProcessHandle, rights.PROCESS_VM_OPERATION)
    address, size = int(BaseAddress.read()), int(ViewSize.read())
    offset = 0 if SectionOffset is None else int(SectionOffset.read())
    if address > HIGHEST_USER_ADDRESS:
        raise NtError(STATUS.INVALID_PARAMETER_3)
    top_down = bool(AllocationType & MEM_TOP_DOWN)
    _check_code(thread, process, section, PageProtection)
    base, mapped, status = map_view(
        process, section, address=address, offset=offset, size=size, protection=PageProtection,
        top_down=top_down, limit=limit,
    )  # fmt: skip
    BaseAddress.write(base)
    ViewSize.write(mapped)
    tell(thread, process, base, mapped, PageProtection, "map")
    return status


def _check_code(thread: Thread, process: Process, section: Section, protection: int) -> None:
    if not section.is_image:
        dynamic_code.check(thread, process, from_page(protection))


def _section_to_map(thread: Thread, handle: int, kind: int, protection: int) -> Section:
    if kind & ~_MAP_TYPES:
        raise NtError(STATUS.INVALID_PARAMETER_9)
    base = from_page(protection) & 7
    return ob.by_handle(thread, handle, _MAP_ACCESS.get(base, rights.SECTION_MAP_READ), SECTION_TYPE)


@service
async def NtUnmapViewOfSection(thread: Thread, ProcessHandle: HANDLE, BaseAddress: PVOID) -> NTSTATUS:
    """Take the view that covers an address out of a process."""
    process = process_by_handle(thread, ProcessHandle, rights.PROCESS_VM_OPERATION)
    unmap_view(process, BaseAddress)
    log = thread.kernel.log
    if process is not thread.process and log.wants(MemoryUnmapped):
        program = BaseAddress == int(process.eprocess.SectionBaseAddress)
        log.emit(MemoryUnmapped(target=process.id, address=BaseAddress, program=program))
    return STATUS.SUCCESS


@service(partial="placeholders are refused")
async def NtUnmapViewOfSectionEx(
    thread: Thread, ProcessHandle: HANDLE, BaseAddress: PVOID, Flags: ULONG
) -> NTSTATUS:
    """As NtUnmapViewOfSection."""
    if Flags & ~1:
        raise NtError(STATUS.INVALID_PARAMETER_3)
    return await NtUnmapViewOfSection(thread, ProcessHandle, BaseAddress)


@service
def NtQuerySection(
    thread: Thread,
    SectionHandle: HANDLE,
    SectionInformationClass: ULONG,
    SectionInformation: PVOID,
    SectionInformationLength: SIZE_T,
    ReturnLength: Out[SIZE_T] | None,
) -> NTSTATUS:
    """Size and kind of a section, or what its image's headers say."""
    section = ob.by_handle(thread, SectionHandle, rights.SECTION_QUERY, SECTION_TYPE)
    data = _describe(section, SectionInformationClass)
    if SectionInformationLength < len(data):
        raise NtError(STATUS.INFO_LENGTH_MISMATCH)
    thread.memory.write(SectionInformation, data)
    if ReturnLength is not None:
        ReturnLength.write(len(data))
    return STATUS.SUCCESS


def _describe(section: Section, question: int) -> bytes:
    kind = SECTION_INFORMATION_CLASS
    if question == kind.SectionBasicInformation:
        told = SECTION_BASIC_INFORMATION.new()
        told.AllocationAttributes = section.attributes & ~SEC_NOCACHE
        if section.area.backing is not None:
            told.AllocationAttributes = SEC_FILE | (section.attributes & SEC_IMAGE_NO_EXECUTE)
        told.MaximumSize = section.size
        return bytes(told)
    if question not in kind._value2member_map_:
        raise NtError(STATUS.INVALID_INFO_CLASS)
    information = section.image_information()
    area = section.area
    assert isinstance(area, ImageArea)
    if question == kind.SectionImageInformation:
        return bytes(information)
    if question == kind.SectionInternalImageInformation:
        # SECTION_INTERNAL_IMAGE_INFORMATION: the same, and flags none of our images has.
        return bytes(information) + bytes(8)
    value = area.original_base
    if question == kind.SectionRelocationInformation:
        value = area.base - area.original_base & 0xFFFF_FFFF_FFFF_FFFF
    return struct.pack("<Q", value)


@service
def NtExtendSection(thread: Thread, SectionHandle: HANDLE, NewSectionSize: Ptr[LARGE_INTEGER]) -> NTSTATUS:
    """Make a section of a data file, and the file, longer."""
    section = ob.by_handle(thread, SectionHandle, rights.SECTION_EXTEND_SIZE, SECTION_TYPE)
    area = section.area
    if not isinstance(area, FileArea):
        raise NtError(STATUS.SECTION_NOT_EXTENDED)
    size = int(NewSectionSize.read())
    if size > section.size:
        if size > area.backing.size:
            area.backing.write(size - 1, b"\0")
        area.extend(size)
        section.size = size
        section.view.SizeOfSection = size
    NewSectionSize.write(section.size)
    return STATUS.SUCCESS


@service
def NtAreMappedFilesTheSame(
    thread: Thread, File1MappedAsAnImage: PVOID, File2MappedAsFile: PVOID
) -> NTSTATUS:
    """SUCCESS when two views of this process show the same file, else NOT_SAME_DEVICE."""
    space = space_of(thread.process)
    found = []
    for address in (File1MappedAsAnImage, File2MappedAsFile):
        vad = space.find(address)
        if vad is None:
            raise NtError(STATUS.INVALID_ADDRESS)
        if vad.area is None:
            raise NtError(STATUS.CONFLICTING_ADDRESSES)
        found.append(vad.area)
    first, second = found
    if first is second:
        return STATUS.SUCCESS
    if first.backing is None or second.backing is None or first.backing.identity != second.backing.identity:
        return STATUS.NOT_SAME_DEVICE
    return STATUS.SUCCESS

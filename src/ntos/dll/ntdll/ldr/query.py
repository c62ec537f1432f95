"""Questions about modules and images: who holds an address, what is loaded, where a directory lies."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ntos.abi.layout.string import UNICODE_STRING
from ntos.abi.pe.headers import ImageHeaders
from ntos.abi.pointer import Code, Out, Ptr
from ntos.abi.status import STATUS, GuestFault, NtError
from ntos.abi.types import BOOLEAN, NTSTATUS, PVOID, ULONG, ULONGLONG, USHORT
from ntos.dll.ntdll.ldr import module as modules
from ntos.dll.ntdll.ldr.api import module_of
from ntos.dll.ntdll.ldr.image import headers_of
from ntos.dll.ntdll.ldr.lock import locked
from ntos.dll.ntdll.ldr.state import Loader
from ntos.rtl.text import to_utf16
from ntos.um.export import export

if TYPE_CHECKING:
    from ntos.um.thread import UserThread

NO_RANGE_CHECK = 1
DATA_FILE_BITS = 3
MODULE_INFORMATION_SIZE = 0x128
PATH_ROOM = 256


@export
def RtlPcToFileHeader(thread: UserThread, PcValue: PVOID, BaseOfImage: Out[PVOID]) -> PVOID:
    """The base of the image that holds an address, 0 if none does."""
    module = thread.state(Loader).containing(PcValue)
    base = module.base if module is not None else 0
    BaseOfImage.write(base)
    return PVOID(base)


@export
def LdrFindEntryForAddress(thread: UserThread, Address: PVOID, Entry: Out[PVOID]) -> NTSTATUS:
    """The LDR_DATA_TABLE_ENTRY of the module that holds an address."""
    module = thread.state(Loader).containing(Address)
    if module is None:
        return STATUS.NO_MORE_ENTRIES
    Entry.write(module.entry.address)
    return STATUS.SUCCESS


@export
async def LdrEnumerateLoadedModules(
    thread: UserThread, ReservedFlag: BOOLEAN, EnumProc: Code, Context: PVOID
) -> NTSTATUS:
    """Call a function with each module's entry, in load order, until it says stop."""
    if ReservedFlag or not EnumProc:
        raise NtError(STATUS.INVALID_PARAMETER)
    async with locked(thread):
        for module in modules.load_order(thread.state(Loader), thread):
            with thread.frame() as frame:
                stop = frame.allocate(1)
                await thread.call(int(EnumProc), module.entry.address, Context, stop)
                if thread.memory.read(stop, 1) != b"\0":
                    break
    return STATUS.SUCCESS


@export
def LdrGetDllFullName(thread: UserThread, DllHandle: PVOID, FullDllName: Ptr[UNICODE_STRING]) -> NTSTATUS:
    """The full path of a module (0: the program)."""
    loader = thread.state(Loader)
    module = module_of(loader, DllHandle) if DllHandle else loader.exe
    assert module is not None
    data = to_utf16(module.path)
    view = FullDllName.read()
    room = int(view.MaximumLength)
    thread.memory.write(int(view.Buffer), data[:room])
    view.Length = min(len(data), room)
    return STATUS.SUCCESS if room >= len(data) else STATUS.BUFFER_TOO_SMALL


@export
def LdrGetDllHandleByMapping(thread: UserThread, Base: PVOID, DllHandle: Out[PVOID]) -> NTSTATUS:
    """The module whose image is mapped there."""
    DllHandle.write(module_of(thread.state(Loader), Base).base)
    return STATUS.SUCCESS


@export
def LdrGetDllHandleByName(
    thread: UserThread,
    BaseDllName: Ptr[UNICODE_STRING] | None,
    FullDllName: Ptr[UNICODE_STRING] | None,
    DllHandle: Out[PVOID],
) -> NTSTATUS:
    """The module with that base name, or that full path."""
    loader = thread.state(Loader)
    module = None
    if FullDllName is not None:
        module = loader.at_path(FullDllName.read().text)
    if module is None and BaseDllName is not None:
        module = loader.named(BaseDllName.read().text)
    if module is None:
        raise NtError(STATUS.DLL_NOT_FOUND)
    DllHandle.write(module.base)
    return STATUS.SUCCESS


@export
def LdrQueryProcessModuleInformation(
    thread: UserThread, ModuleInformation: PVOID, Size: ULONG, ReturnedSize: Out[ULONG] | None
) -> NTSTATUS:
    """RTL_PROCESS_MODULES of this process, in load order."""
    loader = thread.state(Loader)
    rows = modules.load_order(loader, thread)
    needed = 8 + MODULE_INFORMATION_SIZE * len(rows)
    if ReturnedSize is not None:
        ReturnedSize.write(needed)
    if needed > Size:
        return STATUS.INFO_LENGTH_MISMATCH
    block = struct.pack("<I4x", len(rows))
    for index, module in enumerate(rows):
        name = module.path.encode("cp1252", "replace")[: PATH_ROOM - 1]
        position = name.rfind(b"\\") + 1
        flags, count = int(module.entry.Flags), int(module.node.LoadCount) & 0xFFFF
        block += struct.pack("<QQQIIHHHH", 0, 0, module.base, module.size, flags, index, 0, count, position)
        block += name.ljust(PATH_ROOM, b"\0")
    thread.memory.write(ModuleInformation, block)
    return STATUS.SUCCESS


# ---------------------------------------------------------------- images


def _headers(thread: UserThread, base: int) -> ImageHeaders | None:
    """The headers of a mapped image; None where there is none."""
    try:
        return headers_of(thread.memory, base & ~DATA_FILE_BITS)
    except (NtError, GuestFault):
        return None


@export
def RtlImageNtHeader(thread: UserThread, BaseAddress: PVOID) -> PVOID:
    """The address of an image's IMAGE_NT_HEADERS; 0 if it is none."""
    if not BaseAddress or BaseAddress == 0xFFFF_FFFF_FFFF_FFFF:
        return PVOID(0)
    headers = _headers(thread, BaseAddress)
    return PVOID((BaseAddress & ~DATA_FILE_BITS) + headers.nt_offset if headers is not None else 0)


@export
def RtlImageNtHeaderEx(
    thread: UserThread, Flags: ULONG, BaseAddress: PVOID, Size: ULONGLONG, OutHeaders: Out[PVOID]
) -> NTSTATUS:
    """IMAGE_NT_HEADERS of an image of which `Size` bytes may be looked at (1: any)."""
    OutHeaders.write(0)
    if Flags & ~1 or not BaseAddress:
        raise NtError(STATUS.INVALID_PARAMETER)
    headers = _headers(thread, BaseAddress)
    if headers is None or (not Flags & NO_RANGE_CHECK and headers.nt_offset + 0x108 > Size):
        raise NtError(STATUS.INVALID_IMAGE_FORMAT)
    OutHeaders.write(BaseAddress + headers.nt_offset)
    return STATUS.SUCCESS


def address_of_rva(headers: ImageHeaders, base: int, rva: int, *, mapped: bool) -> int:
    """Where an RVA lies: behind the base of a mapped image, at its section's data in a flat file."""
    if mapped or rva < headers.size_of_headers:
        return base + rva
    for section in headers.sections:
        if section.virtual_address <= rva < section.virtual_address + max(section.raw_size, 1):
            return base + rva - section.virtual_address + section.raw_offset
    return 0


@export
def RtlImageDirectoryEntryToData(
    thread: UserThread, BaseOfImage: PVOID, MappedAsImage: BOOLEAN, DirectoryEntry: USHORT, Size: Out[ULONG]
) -> PVOID:
    """The address and size of a data directory; 0 when the image has none."""
    base, mapped = BaseOfImage & ~DATA_FILE_BITS, bool(MappedAsImage)
    if BaseOfImage & DATA_FILE_BITS:
        mapped = False
    headers = _headers(thread, base)
    if headers is None or DirectoryEntry >= len(headers.directories):
        return PVOID(0)
    rva, size = headers.directories[DirectoryEntry]
    if not rva:
        return PVOID(0)
    Size.write(size)
    return PVOID(address_of_rva(headers, base, rva, mapped=mapped))


@export
def RtlImageRvaToVa(
    thread: UserThread, NtHeaders: PVOID, BaseOfImage: PVOID, Rva: ULONG, LastRvaSection: Ptr[PVOID] | None
) -> PVOID:
    """Where an RVA lies in an image file mapped flat."""
    headers = _headers(thread, BaseOfImage)
    return PVOID(address_of_rva(headers, BaseOfImage, Rva, mapped=False) if headers is not None else 0)


@export
def RtlImageRvaToSection(thread: UserThread, NtHeaders: PVOID, BaseOfImage: PVOID, Rva: ULONG) -> PVOID:
    """The address of the section header that covers an RVA."""
    headers = _headers(thread, BaseOfImage)
    if headers is None:
        return PVOID(0)
    optional_size = USHORT.load(thread.memory, NtHeaders + 0x14)
    for index, section in enumerate(headers.sections):
        if section.virtual_address <= Rva < section.virtual_address + section.raw_size:
            return PVOID(NtHeaders + 0x18 + optional_size + 40 * index)
    return PVOID(0)

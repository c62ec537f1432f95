"""Resources: the tree of type, name and language in a mapped image or data file."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ntos.abi.memory import read_wide
from ntos.abi.pe.headers import Directory, ImageHeaders
from ntos.abi.pointer import Out, Ptr
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import NTSTATUS, PVOID, ULONG, ULONGLONG
from ntos.dll.ntdll import guest
from ntos.dll.ntdll.ldr.image import headers_of
from ntos.dll.ntdll.ldr.query import DATA_FILE_BITS, address_of_rva
from ntos.rtl.text import from_utf16, upcase
from ntos.um.export import export

if TYPE_CHECKING:
    from ntos.abi.memory import Memory
    from ntos.um.thread import UserThread

DIRECTORY_BIT = 0x8000_0000
DIRECTORY_HEADER = 16
ENTRY_SIZE = 8
DATA_FILE = 1
MISSING = (STATUS.RESOURCE_TYPE_NOT_FOUND, STATUS.RESOURCE_NAME_NOT_FOUND, STATUS.RESOURCE_LANG_NOT_FOUND)
NEUTRAL, US_ENGLISH = 0, 0x409
LANGUAGE_LEVEL = 2


class ResourceTree:
    """The resource directory of one image."""

    def __init__(self, memory: Memory, handle: int) -> None:
        self.memory = memory
        self.base = handle & ~DATA_FILE_BITS
        self.mapped = not handle & DATA_FILE
        self.headers: ImageHeaders = headers_of(memory, self.base)
        rva, size = self.headers.directory(Directory.RESOURCE)
        if not rva or not size:
            raise NtError(STATUS.RESOURCE_DATA_NOT_FOUND)
        self.root = address_of_rva(self.headers, self.base, rva, mapped=self.mapped)

    def entries(self, directory: int) -> list[tuple[int | str, int]]:
        """(identifier, offset with directory bit) of each entry of the directory at an address."""
        named, numbered = struct.unpack("<HH", self.memory.read(directory + 12, 4))
        data = self.memory.read(directory + DIRECTORY_HEADER, ENTRY_SIZE * (named + numbered))
        return [(self._identifier(first), offset) for first, offset in struct.iter_unpack("<II", data)]

    def _identifier(self, value: int) -> int | str:
        if not value & DIRECTORY_BIT:
            return value & 0xFFFF
        place = self.root + (value & ~DIRECTORY_BIT)
        length = int.from_bytes(self.memory.read(place, 2), "little")
        return from_utf16(self.memory.read(place + 2, 2 * length))

    def find(self, path: list[int | str], *, directory: bool = False) -> int:
        """The address of the data entry (or directory) that a path leads to."""
        place, is_directory = self.root, True
        for level, wanted in enumerate(path):
            offset = self._choose(place, wanted, level)
            if offset is None:
                raise NtError(MISSING[min(level, LANGUAGE_LEVEL)])
            place, is_directory = self.root + (offset & ~DIRECTORY_BIT), bool(offset & DIRECTORY_BIT)
            if not is_directory and level + 1 < len(path):
                raise NtError(MISSING[min(level + 1, LANGUAGE_LEVEL)])
        if is_directory != directory:
            raise NtError(STATUS.RESOURCE_DATA_NOT_FOUND)
        return place

    def _choose(self, directory: int, wanted: int | str, level: int) -> int | None:
        rows = self.entries(directory)
        exact = upcase(wanted) if isinstance(wanted, str) else wanted
        for identifier, offset in rows:
            if (upcase(identifier) if isinstance(identifier, str) else identifier) == exact:
                return offset
        if level < LANGUAGE_LEVEL or not isinstance(wanted, int):
            return None
        # A language falls back to its primary one, to neutral, to English, and to whatever there is.
        for choice in (wanted & 0x3FF, NEUTRAL, US_ENGLISH):
            for identifier, offset in rows:
                if identifier == choice:
                    return offset
        return rows[0][1] if rows and wanted == NEUTRAL else None

    def data_address(self, entry: int) -> tuple[int, int]:
        """Address and size of the bytes of a data entry."""
        rva, size = struct.unpack("<II", self.memory.read(entry, 8))
        return address_of_rva(self.headers, self.base, rva, mapped=self.mapped), size


def _path(thread: UserThread, info: Ptr[ULONGLONG], count: int) -> list[int | str]:
    path: list[int | str] = []
    for index in range(min(count, 3)):
        value = int(info[index])
        path.append(value & 0xFFFF if not value >> 16 else read_wide(thread.memory, value))
    return path


@export(partial="MUI satellite files")
def LdrFindResource_U(
    thread: UserThread, DllHandle: PVOID, ResourceInfo: Ptr[ULONGLONG], Level: ULONG, ResourceDataEntry: Out[PVOID]
) -> NTSTATUS:
    """The data entry of a resource by type, name and language."""
    tree = ResourceTree(thread.memory, DllHandle)
    path = _path(thread, ResourceInfo, Level)
    while len(path) <= LANGUAGE_LEVEL:
        path.append(NEUTRAL)
    ResourceDataEntry.write(tree.find(path))
    return STATUS.SUCCESS


@export
def LdrFindResourceDirectory_U(
    thread: UserThread, DllHandle: PVOID, ResourceInfo: Ptr[ULONGLONG], Level: ULONG, ResourceDirectory: Out[PVOID]
) -> NTSTATUS:
    """The directory at a level of the tree."""
    tree = ResourceTree(thread.memory, DllHandle)
    ResourceDirectory.write(tree.find(_path(thread, ResourceInfo, Level), directory=True))
    return STATUS.SUCCESS


@export
def LdrAccessResource(
    thread: UserThread,
    DllHandle: PVOID,
    ResourceDataEntry: PVOID,
    ResourceBuffer: Out[PVOID] | None,
    ResourceLength: Out[ULONG] | None,
) -> NTSTATUS:
    """Where the bytes of a data entry lie, and how many there are."""
    address, size = ResourceTree(thread.memory, DllHandle).data_address(ResourceDataEntry)
    if ResourceBuffer is not None:
        ResourceBuffer.write(address)
    if ResourceLength is not None:
        ResourceLength.write(size)
    return STATUS.SUCCESS


@export
def RtlFindMessage(
    thread: UserThread,
    DllHandle: PVOID,
    MessageTableId: ULONG,
    MessageLanguageId: ULONG,
    MessageId: ULONG,
    MessageEntry: Out[PVOID],
) -> NTSTATUS:
    """The MESSAGE_RESOURCE_ENTRY of a message in an image's message table."""
    tree = ResourceTree(thread.memory, DllHandle)
    entry = tree.find([MessageTableId, 1, MessageLanguageId])
    table, _ = tree.data_address(entry)
    for index in range(guest.u32(thread.memory, table)):
        low, high, offset = struct.unpack("<III", thread.memory.read(table + 4 + 12 * index, 12))
        if low <= MessageId <= high:
            place = table + offset
            for _ in range(MessageId - low):
                place += int.from_bytes(thread.memory.read(place, 2), "little")
            MessageEntry.write(place)
            return STATUS.SUCCESS
    return STATUS.MESSAGE_NOT_FOUND

"""PROC_THREAD_ATTRIBUTE_LIST: what a caller asks of a process to be created.

Layout (Geoff Chappell, "PROC_THREAD_ATTRIBUTE_LIST"): flags of what is present, capacity, count, a
spare word, the extended flags' entry, then {attribute, size, pointer} each 0x18 bytes.
"""

from __future__ import annotations

from ntos.abi.errors import ERROR
from ntos.abi.memory import Memory
from ntos.abi.pointer import Ptr
from ntos.abi.struct import Struct, at
from ntos.abi.types import BOOL, DWORD, PVOID, SIZE_T, ULONG, ULONG_PTR
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread

HEADER = 0x18
ENTRY = 0x18
NUMBER_MASK = 0xFFFF
MAXIMUM_ATTRIBUTES = 29
EXTENDED_FLAGS = 0x60001
HANDLE_LIST = 0x20002
SIZES: dict[int, tuple[int, ...]] = {
    0x20000: (8,),
    EXTENDED_FLAGS: (4,),
    0x30003: (16,),
    0x20004: (2,),
    0x30005: (4,),
    0x30006: (24,),
    0x20007: (4, 8, 16),
    0x20009: (24,),
    0x2000B: (4,),
    0x2000E: (4,),
    0x2000F: (4,),
    0x20010: (8,),
    0x20012: (4,),
    0x20016: (8,),
    0x20018: (8, 16),
}
"""The sizes an attribute may have (reference: process-creation.md 4.1); lists have a multiple of eight."""
LISTS = (HANDLE_LIST, 0x2000D)
ELEVATION_HANDLED, FORCE_BREAKAWAY = 1, 4


class ATTRIBUTE_LIST(Struct, size=0x18):
    """The head of the list."""

    PresentFlags = at(0x00, ULONG)
    AttributeCount = at(0x04, ULONG)
    LastAttribute = at(0x08, ULONG)
    ExtendedFlagsAttribute = at(0x10, PVOID)


class ATTRIBUTE_ENTRY(Struct, size=0x18):
    """One attribute."""

    Attribute = at(0x00, ULONG_PTR)
    Size = at(0x08, SIZE_T)
    Value = at(0x10, PVOID)


@export
def InitializeProcThreadAttributeList(
    thread: UserThread,
    lpAttributeList: Ptr[ATTRIBUTE_LIST],
    dwAttributeCount: DWORD,
    dwFlags: DWORD,
    lpSize: Ptr[SIZE_T],
) -> BOOL:
    """Make room for so many attributes ready; without room, say how much is needed."""
    if dwFlags or dwAttributeCount > MAXIMUM_ATTRIBUTES:
        raise WinError(ERROR.INVALID_PARAMETER)
    needed = HEADER + ENTRY * dwAttributeCount
    given = int(lpSize.read())
    lpSize.write(needed)
    if not lpAttributeList or given < needed:
        raise WinError(ERROR.INSUFFICIENT_BUFFER)
    view = lpAttributeList.read()
    view.clear()
    view.AttributeCount = dwAttributeCount
    return BOOL(1)


def _is_size_right(attribute: int, size: int) -> bool:
    if attribute in LISTS:
        return size > 0 and size % 8 == 0
    return size in SIZES[attribute]


@export
def UpdateProcThreadAttribute(
    thread: UserThread,
    lpAttributeList: Ptr[ATTRIBUTE_LIST],
    dwFlags: DWORD,
    Attribute: ULONG_PTR,
    lpValue: PVOID,
    cbSize: SIZE_T,
    lpPreviousValue: PVOID,
    lpReturnSize: PVOID,
) -> BOOL:
    """Add an attribute; its value must stay where it is."""
    if dwFlags & ~1 or lpPreviousValue or lpReturnSize:
        raise WinError(ERROR.INVALID_PARAMETER)
    if Attribute not in SIZES and Attribute not in LISTS:
        raise WinError(ERROR.NOT_SUPPORTED)
    if not _is_size_right(Attribute, cbSize):
        raise WinError(ERROR.BAD_LENGTH)
    view = lpAttributeList.read()
    bit = 1 << (Attribute & NUMBER_MASK)
    if int(view.PresentFlags) & bit:
        raise WinError(ERROR.OBJECT_NAME_EXISTS)
    index = int(view.LastAttribute)
    if index >= int(view.AttributeCount):
        raise WinError(ERROR.GEN_FAILURE)
    entry = ATTRIBUTE_ENTRY(thread.memory, view.address + HEADER + ENTRY * index)
    entry.Attribute, entry.Size, entry.Value = Attribute, cbSize, lpValue
    view.LastAttribute = index + 1
    view.PresentFlags = int(view.PresentFlags) | bit
    if Attribute == EXTENDED_FLAGS:
        view.ExtendedFlagsAttribute = entry.address
    return BOOL(1)


@export
def DeleteProcThreadAttributeList(thread: UserThread, lpAttributeList: PVOID) -> None:
    """Done with a list: nothing was allocated for it."""


def entries(thread: UserThread, listing: int) -> list[ATTRIBUTE_ENTRY]:
    """The attributes of a caller's list."""
    head = ATTRIBUTE_LIST(thread.memory, listing)
    return [
        ATTRIBUTE_ENTRY(thread.memory, listing + HEADER + ENTRY * index)
        for index in range(min(int(head.LastAttribute), MAXIMUM_ATTRIBUTES))
    ]


def extended_flags(memory: Memory, listing: int) -> int:
    """PROC_THREAD_ATTRIBUTE_EXTENDED_FLAGS; ERROR_NOT_SUPPORTED for those without an effect here."""
    if not listing:
        return 0
    entry = int(ATTRIBUTE_LIST(memory, listing).ExtendedFlagsAttribute)
    if not entry:
        return 0
    place = int(ATTRIBUTE_ENTRY(memory, entry).Value)
    flags = int.from_bytes(memory.read(place, 4), "little")
    if flags & ~(ELEVATION_HANDLED | FORCE_BREAKAWAY):
        raise WinError(ERROR.NOT_SUPPORTED)
    return flags

"""PROC_THREAD_ATTRIBUTE_LIST: what a caller asks of a process to be created.

Layout (Geoff Chappell, "PROC_THREAD_ATTRIBUTE_LIST"): flags of what is present, capacity, count, a
spare word, the extended flags' entry, then {attribute, size, pointer} each 0x18 bytes.
"""

from __future__ import annotations

from enum import IntEnum

from ntos.abi.errors import ERROR
from ntos.abi.pointer import Ptr
from ntos.abi.struct import Struct, at
from ntos.abi.types import BOOL, DWORD, PVOID, SIZE_T, ULONG, ULONG_PTR
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread

HEADER = 0x18
ENTRY = 0x18
NUMBER_MASK = 0xFFFF
MAXIMUM_ATTRIBUTES = 29


class ATTRIBUTE(IntEnum):
    """PROC_THREAD_ATTRIBUTE_… of this build: number, 0x10000 for threads, 0x20000 input, 0x40000 additive."""

    PARENT_PROCESS = 0x20000
    EXTENDED_FLAGS = 0x60001
    HANDLE_LIST = 0x20002
    GROUP_AFFINITY = 0x30003
    PREFERRED_NODE = 0x20004
    IDEAL_PROCESSOR = 0x30005
    UMS_THREAD = 0x30006
    MITIGATION_POLICY = 0x20007
    PACKAGE_FULL_NAME = 0x20008
    SECURITY_CAPABILITIES = 0x20009
    CONSOLE_REFERENCE = 0x2000A
    PROTECTION_LEVEL = 0x2000B
    OS_MAXVERSIONTESTED = 0x2000C
    JOB_LIST = 0x2000D
    CHILD_PROCESS_POLICY = 0x2000E
    ALL_APPLICATION_PACKAGES_POLICY = 0x2000F
    WIN32K_FILTER = 0x20010
    SAFE_OPEN_PROMPT_ORIGIN_CLAIM = 0x20011
    DESKTOP_APP_POLICY = 0x20012
    BNO_ISOLATION = 0x20013
    PSEUDOCONSOLE = 0x20016
    ISOLATION_MANIFEST = 0x20017
    MITIGATION_AUDIT_POLICY = 0x20018
    COMPONENT_FILTER = 0x2001A


A = ATTRIBUTE
SIZES: dict[int, tuple[int, ...]] = {
    A.PARENT_PROCESS: (8,),
    A.EXTENDED_FLAGS: (4,),
    A.GROUP_AFFINITY: (16,),
    A.PREFERRED_NODE: (2,),
    A.IDEAL_PROCESSOR: (4,),
    A.UMS_THREAD: (24,),
    A.MITIGATION_POLICY: (4, 8, 16),
    A.SECURITY_CAPABILITIES: (24,),
    A.CONSOLE_REFERENCE: (8,),
    A.PROTECTION_LEVEL: (4,),
    A.OS_MAXVERSIONTESTED: (8,),
    A.CHILD_PROCESS_POLICY: (4,),
    A.ALL_APPLICATION_PACKAGES_POLICY: (4,),
    A.WIN32K_FILTER: (8,),
    A.DESKTOP_APP_POLICY: (4,),
    A.BNO_ISOLATION: (0x114,),
    A.PSEUDOCONSOLE: (8,),
    A.ISOLATION_MANIFEST: (16,),
    A.MITIGATION_AUDIT_POLICY: (8, 16),
    A.COMPONENT_FILTER: (4,),
}
"""The sizes an attribute may have (reference: process-creation.md 4.1); the others have any that is theirs."""
LISTS: tuple[int, ...] = (A.HANDLE_LIST, A.JOB_LIST)
TEXTS: tuple[int, ...] = (A.PACKAGE_FULL_NAME, A.SAFE_OPEN_PROMPT_ORIGIN_CLAIM)


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
    view.PresentFlags = view.LastAttribute = view.ExtendedFlagsAttribute = 0
    view.AttributeCount = dwAttributeCount
    return BOOL(1)


def _is_size_right(attribute: int, size: int) -> bool:
    if attribute in LISTS:
        return size > 0 and size % 8 == 0
    return size > 0 if attribute in TEXTS else size in SIZES[attribute]


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
    if Attribute not in SIZES and Attribute not in LISTS + TEXTS:
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
    if int(Attribute) == A.EXTENDED_FLAGS:
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

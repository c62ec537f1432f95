"""PROC_THREAD_ATTRIBUTE_LIST, attribute by attribute, into the kernel's words (BasepConvertWin32AttributeList).

Each attribute is one of three things here: words for the kernel (`native`), something kernelbase itself does with it
(a `Wishes` field), or refused: ERROR_NOT_SUPPORTED for what nothing here would honour.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ntos.abi.errors import ERROR
from ntos.abi.ob import CURRENT_PROCESS
from ntos.abi.pointer import Ptr
from ntos.abi.ps import PROCESSINFOCLASS
from ntos.abi.types import WCHAR
from ntos.dll.kernelbase import attribute_list
from ntos.dll.kernelbase.attribute_list import ATTRIBUTE
from ntos.dll.kernelbase.creation.refusal import refusal
from ntos.dll.kernelbase.process import query_process
from ntos.um.thread import UserThread

NATIVE: dict[int, int] = {
    ATTRIBUTE.PARENT_PROCESS: 0x60000,
    ATTRIBUTE.HANDLE_LIST: 0x2000B,
    ATTRIBUTE.GROUP_AFFINITY: 0x3000C,
    ATTRIBUTE.PREFERRED_NODE: 0x2000D,
    ATTRIBUTE.IDEAL_PROCESSOR: 0x3000E,
    ATTRIBUTE.MITIGATION_POLICY: 0x20010,
    ATTRIBUTE.PROTECTION_LEVEL: 0x60011,
    ATTRIBUTE.JOB_LIST: 0x20013,
    ATTRIBUTE.CHILD_PROCESS_POLICY: 0x20014,
    ATTRIBUTE.ALL_APPLICATION_PACKAGES_POLICY: 0x20015,
    ATTRIBUTE.WIN32K_FILTER: 0x20016,
    ATTRIBUTE.DESKTOP_APP_POLICY: 0x20019,
    ATTRIBUTE.MITIGATION_AUDIT_POLICY: 0x2001B,
    ATTRIBUTE.COMPONENT_FILTER: 0x2001D,
}
"""PROC_THREAD_ATTRIBUTE_… to PS_ATTRIBUTE_…: what the kernel has a word for."""
BY_HANDLE: tuple[int, ...] = (ATTRIBUTE.PARENT_PROCESS,)
"""The kernel takes the handle itself, not a pointer to it."""
FIRST_WORD_FLAGS = 7
"""DEP, ATL thunks and SEHOP share the first byte of the first policy word, a bit each."""
SECOND_WORD = {4: 17, 8: 18, 12: 27, 16: 28, 20: 30, 24: 29, 28: 31}
"""Bit of POLICY2 to number in the kernel's map (protected-processes.md 11)."""
ELEVATION_HANDLED, FORCE_LUA, FORCE_BREAKAWAY = 1, 2, 4
"""EXTENDED_PROCESS_CREATION_FLAG_…."""
PROTECTION_LEVEL_NONE, PROTECTION_LEVEL_SAME = 0xFFFF_FFFE, 0xFFFF_FFFF
PROTECTIONS = {0: 0x61, 1: 0x52, 2: 0x51, 3: 0x31, 4: 0x41, 5: 0x62, 6: 0x21, 7: 0x12, 8: 0x81}
"""PROTECTION_LEVEL_WINTCB_LIGHT and so on to PS_PROTECTION (type, then signer)."""
BREAKAWAY_ENABLE, BREAKAWAY_DISABLE = 1, 2
LONGEST_PACKAGE_NAME = 127


@dataclass
class Wishes:
    """What an attribute list asks for."""

    native: list[tuple[int, int | bytes, int]] = field(default_factory=list)
    """(PS_ATTRIBUTE_…, value or the bytes it is to point at, size)."""
    present: set[int] = field(default_factory=set)
    extended: int = 0
    """EXTENDED_PROCESS_CREATION_FLAG_…."""
    parent: int = 0
    console: int = 0
    """A handle to the console the child is to have."""
    pseudo: bool = False
    """That console is a pseudo console's."""
    capabilities: int = 0
    """The address of SECURITY_CAPABILITIES."""
    package: str = ""


async def wishes_of(thread: UserThread, listing: int) -> Wishes:
    """The attributes of a caller's list, checked and converted."""
    wishes = Wishes()
    for entry in attribute_list.entries(thread, listing):
        attribute, size, value = int(entry.Attribute), int(entry.Size), int(entry.Value)
        wishes.present.add(attribute)
        if not _ours(thread, wishes, attribute, value):
            wishes.native.append(await _native(thread, attribute, size, value))
    return wishes


def _ours(thread: UserThread, wishes: Wishes, attribute: int, value: int) -> bool:
    """Note what kernelbase itself sees to; False for what the kernel is asked."""
    if attribute == ATTRIBUTE.EXTENDED_FLAGS:
        wishes.extended = _word(thread, value, 4)
        if wishes.extended & ~(ELEVATION_HANDLED | FORCE_LUA | FORCE_BREAKAWAY):
            raise refusal(ERROR.INVALID_PARAMETER, "extended creation flags", {"flags": hex(wishes.extended)}, "0 to 7")
    elif attribute == ATTRIBUTE.PACKAGE_FULL_NAME:
        wishes.package = Ptr[WCHAR](thread.memory, value).text()[: LONGEST_PACKAGE_NAME + 1]
    elif attribute == ATTRIBUTE.SECURITY_CAPABILITIES:
        wishes.capabilities = value
    elif attribute == ATTRIBUTE.CONSOLE_REFERENCE:
        wishes.console = _word(thread, value, 8)
    elif attribute == ATTRIBUTE.PSEUDOCONSOLE:
        wishes.console, wishes.pseudo = _word(thread, value + 8, 8), True
    else:
        if attribute == ATTRIBUTE.PARENT_PROCESS:
            wishes.parent = _word(thread, value, 8)
        return False
    return True


async def _native(thread: UserThread, attribute: int, size: int, value: int) -> tuple[int, int | bytes, int]:
    native = NATIVE.get(attribute)
    if native is None:
        raise refusal(ERROR.NOT_SUPPORTED, "attribute that nothing here would honour", {"attribute": hex(attribute)})
    if attribute in BY_HANDLE:
        return native, _word(thread, value, 8), size
    if attribute == ATTRIBUTE.PROTECTION_LEVEL:
        return native, await _protection(thread, _word(thread, value, 4)), 1
    if attribute == ATTRIBUTE.MITIGATION_POLICY:
        data = mitigation_map(thread.memory.read(value, size))
        return native, data, len(data)
    if attribute == ATTRIBUTE.DESKTOP_APP_POLICY:
        policy = _word(thread, value, 4)
        if policy & (BREAKAWAY_ENABLE | BREAKAWAY_DISABLE) == BREAKAWAY_ENABLE | BREAKAWAY_DISABLE:
            rule = "breakaway of desktop apps cannot be enabled and disabled at once"
            raise refusal(ERROR.INVALID_PARAMETER, rule, {"policy": policy}, "one of 1 and 2")
    return native, value, size


def _word(thread: UserThread, address: int, size: int) -> int:
    return int.from_bytes(thread.memory.read(address, size), "little")


async def _protection(thread: UserThread, level: int) -> int:
    """PS_PROTECTION for a PROTECTION_LEVEL_…."""
    if level == PROTECTION_LEVEL_NONE:
        return 0
    if level == PROTECTION_LEVEL_SAME:
        return (await query_process(thread, CURRENT_PROCESS, PROCESSINFOCLASS.ProcessProtectionInformation, 1))[0]
    if level not in PROTECTIONS:
        raise refusal(ERROR.INVALID_PARAMETER, "no such protection level", {"level": level}, "0 to 8, or SAME")
    return PROTECTIONS[level]


def mitigation_map(policy: bytes) -> bytes:
    """The kernel's map of nibbles for PROCESS_CREATION_MITIGATION_POLICY_… (one or two words)."""
    first = int.from_bytes(policy[:8], "little")
    nibbles = [0] * 48
    nibbles[0], nibbles[1] = first & 1, first >> 2 & 1
    for index in range(2, 16):
        nibbles[index] = first >> 4 * index & 15
    second = int.from_bytes(policy[8:16], "little")
    for shift, index in SECOND_WORD.items():
        nibbles[index] = second >> shift & 15
        second &= ~(15 << shift)
    if second or first & 0xF8:
        inputs = {"first word": hex(first), "left of the second": hex(second)}
        raise refusal(ERROR.NOT_SUPPORTED, "mitigation bits that the kernel's map has no place for", inputs)
    return bytes(low | high << 4 for low, high in zip(nibbles[::2], nibbles[1::2], strict=True))

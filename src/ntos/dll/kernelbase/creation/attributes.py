"""What a call asks for, in the kernel's words: PROC_THREAD_ATTRIBUTE_… and flags to PS_ATTRIBUTE_LIST."""

from __future__ import annotations

from dataclasses import dataclass

from ntos.abi.errors import ERROR
from ntos.abi.layout.api import PS_CREATE_INFO
from ntos.abi.layout.section import SECTION_IMAGE_INFORMATION
from ntos.abi.layout.string import CLIENT_ID
from ntos.abi.ob import CURRENT_PROCESS
from ntos.abi.pointer import Ptr
from ntos.abi.ps import PROCESSINFOCLASS
from ntos.abi.types import HANDLE
from ntos.abi.win32 import CREATE_DEFAULT_ERROR_MODE, REALTIME_PRIORITY_CLASS
from ntos.dll.kernelbase import attribute_list
from ntos.dll.kernelbase.creation.name import Program
from ntos.dll.kernelbase.creation.outcome import SUBSYSTEM_CUI
from ntos.dll.kernelbase.creation.request import Request
from ntos.dll.kernelbase.objects import new_handle
from ntos.dll.kernelbase.process import PRIORITY_CLASSES, query_process
from ntos.dll.kernelbase.services import rtl, rtl_status
from ntos.rtl.text import to_utf16
from ntos.um.export import WinError
from ntos.um.thread import Frame, UserThread

PS_CLIENT_ID, PS_IMAGE_NAME, PS_IMAGE_INFO = 0x10003, 0x20005, 6
PS_PRIORITY_CLASS, PS_ERROR_MODE, PS_STD_HANDLES = 0x20008, 0x20009, 0x2000A
PS_TOKEN, PS_DEBUG_OBJECT, PS_PARENT = 0x60002, 0x60001, 0x60000
PS_HANDLE_LIST = 0x2000B
STD_HANDLES_REQUEST, STD_HANDLES_ALWAYS = 1, 2
NATIVE = {
    0x20000: 0x60000,
    attribute_list.HANDLE_LIST: 0x2000B,
    0x30003: 0x3000C,
    0x20004: 0x2000D,
    0x30005: 0x3000E,
    0x20007: 0x20010,
    0x2000B: 0x60011,
    0x2000D: 0x20013,
    0x2000E: 0x20014,
    0x2000F: 0x20015,
    0x20010: 0x20016,
    0x20012: 0x20019,
    0x20018: 0x2001B,
}
"""PROC_THREAD_ATTRIBUTE_… to PS_ATTRIBUTE_…: what goes to the kernel as it is."""
BY_VALUE = (0x20000,)
"""The kernel takes a parent's handle itself, not a pointer to it."""


MITIGATION_POLICY, PROTECTION_LEVEL = 0x20007, 0x2000B
SECOND_WORD = {4: 17, 8: 18, 12: 27, 16: 28, 20: 30, 24: 29, 28: 31}
"""Bit of POLICY2 to number in the kernel's map (protected-processes.md 11)."""
PROTECTION_LEVEL_NONE, PROTECTION_LEVEL_SAME = 0xFFFF_FFFE, 0xFFFF_FFFF
PROTECTIONS = {0: 0x61, 1: 0x52, 2: 0x51, 3: 0x31, 4: 0x41, 5: 0x62, 6: 0x21, 7: 0x12, 8: 0x81}
"""PROTECTION_LEVEL_WINTCB_LIGHT and so on to PS_PROTECTION (type, then signer)."""


@dataclass
class Answer:
    """Where the kernel puts what it made."""

    process: Ptr[HANDLE]
    thread: Ptr[HANDLE]
    client: CLIENT_ID
    image: SECTION_IMAGE_INFORMATION
    info: PS_CREATE_INFO


def room(frame: Frame) -> Answer:
    """Empty places for the kernel's answers."""
    return Answer(
        new_handle(frame),
        new_handle(frame),
        frame.new(CLIENT_ID),
        frame.new(SECTION_IMAGE_INFORMATION),
        frame.new(PS_CREATE_INFO),
    )


async def native_list(thread: UserThread, frame: Frame, request: Request, image: Program, answer: Answer) -> int:
    """The address of the PS_ATTRIBUTE_LIST for a call."""
    name = to_utf16(image.nt_path)
    entries = [
        (PS_IMAGE_NAME, len(name), frame.bytes(name)),
        (PS_CLIENT_ID, CLIENT_ID.size, answer.client.address),
        (PS_IMAGE_INFO, SECTION_IMAGE_INFORMATION.size, answer.image.address),
    ]
    own = await native_entries(thread, frame, request.attributes) if request.attributes else []
    if any(kind == PS_HANDLE_LIST for kind, _, _ in own) and not request.inherit:
        raise WinError(ERROR.INVALID_PARAMETER)
    parent = any(kind == PS_PARENT for kind, _, _ in own)
    priority = await _priority(thread, request.flags)
    if priority:
        entries.append((PS_PRIORITY_CLASS, 1, frame.bytes(bytes([priority]))))
    if request.flags & CREATE_DEFAULT_ERROR_MODE:
        entries.append((PS_ERROR_MODE, 4, frame.bytes((1).to_bytes(4, "little"))))
    if request.token:
        entries.append((PS_TOKEN, 8, request.token))
    if request.is_debugged:
        await rtl_status(thread, "DbgUiConnectToDbg")
        entries.append((PS_DEBUG_OBJECT, 8, await rtl(thread, "DbgUiGetThreadDebugObject")))
    handles = _std_handle_info(request, parent=parent)
    if handles:
        entries.append((PS_STD_HANDLES, 8, frame.bytes(handles)))
    words = [word for entry in entries + own for word in (*entry, 0)]
    body = b"".join(word.to_bytes(8, "little") for word in words)
    return frame.bytes((len(body) + 8).to_bytes(8, "little") + body)


def _std_handle_info(request: Request, *, parent: bool) -> bytes:
    """PS_STD_HANDLE_INFO: when the kernel is to hand standard handles on by itself."""
    if request.uses_handles:
        return (STD_HANDLES_ALWAYS | 7 << 2).to_bytes(4, "little") + bytes(4) if parent else b""
    listed = request.attributes != 0 and request.inherit
    if parent or request.console_flags or (request.inherit and not listed):
        return b""
    return STD_HANDLES_REQUEST.to_bytes(4, "little") + SUBSYSTEM_CUI.to_bytes(4, "little")


async def _priority(thread: UserThread, flags: int) -> int:
    """The class of the lowest priority bit; REALTIME without the privilege is HIGH."""
    for flag, number in PRIORITY_CLASSES.items():
        if flags & flag:
            if flag == REALTIME_PRIORITY_CLASS:
                with thread.frame() as frame:
                    status = await rtl(thread, "RtlAdjustPrivilege", 14, 1, 0, frame.allocate(8))
                return 3 if status & 0xFFFF_FFFF else number
            return number
    return 0


async def native_entries(thread: UserThread, frame: Frame, listing: int) -> list[tuple[int, int, int]]:
    """PS_ATTRIBUTEs (attribute, size, value) for the list; ERROR_NOT_SUPPORTED for what the kernel has
    no word for.
    """
    found = []
    for entry in attribute_list.entries(thread, listing):
        attribute, size, value = int(entry.Attribute), int(entry.Size), int(entry.Value)
        if attribute == attribute_list.EXTENDED_FLAGS:
            continue
        native = NATIVE.get(attribute)
        if native is None:
            raise WinError(ERROR.NOT_SUPPORTED)
        if attribute in BY_VALUE:
            value = int.from_bytes(thread.memory.read(value, 8), "little")
        elif attribute == MITIGATION_POLICY:
            data = mitigation_map(thread.memory.read(value, size))
            size, value = len(data), frame.bytes(data)
        elif attribute == PROTECTION_LEVEL:
            level = int.from_bytes(thread.memory.read(value, 4), "little")
            size, value = 1, await _protection(thread, level)
        found.append((native, size, value))
    return found


async def _protection(thread: UserThread, level: int) -> int:
    """PS_PROTECTION for a PROTECTION_LEVEL_…."""
    if level == PROTECTION_LEVEL_NONE:
        return 0
    if level == PROTECTION_LEVEL_SAME:
        return (await query_process(thread, CURRENT_PROCESS, PROCESSINFOCLASS.ProcessProtectionInformation, 1))[0]
    if level not in PROTECTIONS:
        raise WinError(ERROR.INVALID_PARAMETER)
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
    if second or first & 0xFA:
        raise WinError(ERROR.NOT_SUPPORTED)
    return bytes(low | high << 4 for low, high in zip(nibbles[::2], nibbles[1::2], strict=True))

"""The PS_ATTRIBUTE_LIST of a call, and room for what the kernel answers."""

from __future__ import annotations

from dataclasses import dataclass

from ntos.abi.layout.api import PS_CREATE_INFO
from ntos.abi.layout.section import SECTION_IMAGE_INFORMATION
from ntos.abi.layout.string import CLIENT_ID
from ntos.abi.pointer import Ptr
from ntos.abi.types import HANDLE
from ntos.abi.win32 import CREATE_DEFAULT_ERROR_MODE, CREATE_SECURE_PROCESS
from ntos.dll.kernelbase.creation.name import Program
from ntos.dll.kernelbase.creation.outcome import SUBSYSTEM_CUI
from ntos.dll.kernelbase.creation.request import Request
from ntos.dll.kernelbase.objects import new_handle
from ntos.dll.kernelbase.services import rtl, rtl_status
from ntos.rtl.text import to_utf16
from ntos.um.thread import Frame, UserThread

PS_CLIENT_ID, PS_IMAGE_NAME, PS_IMAGE_INFO = 0x10003, 0x20005, 6
PS_PRIORITY_CLASS, PS_ERROR_MODE, PS_STD_HANDLES = 0x20008, 0x20009, 0x2000A
PS_TOKEN, PS_DEBUG_OBJECT, PS_SECURE_PROCESS = 0x60002, 0x60001, 0x20012
STD_HANDLES_REQUEST, STD_HANDLES_ALWAYS = 1, 2


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
    for kind, value, size in request.wishes.native:
        entries.append((kind, size, value if isinstance(value, int) else frame.bytes(value)))
    if request.priority:
        entries.append((PS_PRIORITY_CLASS, 1, frame.bytes(bytes([request.priority]))))
    if request.flags & CREATE_DEFAULT_ERROR_MODE:
        entries.append((PS_ERROR_MODE, 4, frame.bytes((1).to_bytes(4, "little"))))
    if request.flags & CREATE_SECURE_PROCESS:
        entries.append((PS_SECURE_PROCESS, 8, frame.allocate(8)))
    token = request.lowbox or request.token
    if token:
        entries.append((PS_TOKEN, 8, token))
    if request.is_debugged:
        await rtl_status(thread, "DbgUiConnectToDbg")
        entries.append((PS_DEBUG_OBJECT, 8, await rtl(thread, "DbgUiGetThreadDebugObject")))
    handles = _std_handle_info(request)
    if handles:
        entries.append((PS_STD_HANDLES, 8, frame.bytes(handles)))
    words = [word for entry in entries for word in (*entry, 0)]
    body = b"".join(word.to_bytes(8, "little") for word in words)
    return frame.bytes((len(body) + 8).to_bytes(8, "little") + body)


def _std_handle_info(request: Request) -> bytes:
    """PS_STD_HANDLE_INFO: when the kernel is to hand standard handles on by itself; nothing where it is not."""
    if request.inherits_all:
        return b""
    state = 0
    if request.uses_handles:
        state = STD_HANDLES_ALWAYS if request.wishes.parent else 0
    elif not request.wishes.parent and not request.console_flags:
        state = STD_HANDLES_REQUEST
    return state.to_bytes(4, "little") + SUBSYSTEM_CUI.to_bytes(4, "little") if state else b""

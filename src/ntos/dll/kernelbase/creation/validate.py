"""Stage 1: what CreateProcess refuses before it looks at any file (process-creation.md 2)."""

from __future__ import annotations

from ntos.abi.errors import ERROR
from ntos.abi.layout.win32 import STARTUPINFOEXW
from ntos.abi.status import STATUS
from ntos.abi.win32 import (
    CREATE_NEW_CONSOLE,
    CREATE_SEPARATE_WOW_VDM,
    CREATE_SHARED_WOW_VDM,
    DETACHED_PROCESS,
    EXTENDED_STARTUPINFO_PRESENT,
    REALTIME_PRIORITY_CLASS,
)
from ntos.dll.kernelbase.attribute_list import ATTRIBUTE
from ntos.dll.kernelbase.creation.convert import Wishes, wishes_of
from ntos.dll.kernelbase.creation.refusal import refusal
from ntos.dll.kernelbase.creation.request import Request
from ntos.dll.kernelbase.process import PRIORITY_CLASSES
from ntos.dll.kernelbase.services import rtl
from ntos.rtl.text import unit_count
from ntos.um.thread import UserThread

MAXIMUM_COMMAND_LINE = 32767
HIGH_CLASS = 3
SE_INCREASE_BASE_PRIORITY = 14
EXCLUSIVE = (
    ("a detached process has no console, new or old", DETACHED_PROCESS, CREATE_NEW_CONSOLE),
    ("a 16-bit program runs in its own or in the shared virtual machine",
     CREATE_SEPARATE_WOW_VDM, CREATE_SHARED_WOW_VDM),
)  # fmt: skip
"""Flags that exclude each other."""


def check(request: Request) -> None:
    """Refuse arguments that make no sense together."""
    if request.application is None and request.command_line is None:
        raise refusal(ERROR.INVALID_PARAMETER, "neither application name nor command line", flip="one of them")
    for rule, one, other in EXCLUSIVE:
        if request.flags & one and request.flags & other:
            raise refusal(ERROR.INVALID_PARAMETER, rule, {"flags": hex(request.flags)}, f"without 0x{one:X}")
    length = unit_count(request.command_line or "")
    if length >= MAXIMUM_COMMAND_LINE:
        raise refusal(ERROR.FILENAME_EXCED_RANGE, "length of the command line", {"length": length}, "32,766 characters")
    if request.flags & EXTENDED_STARTUPINFO_PRESENT and int(request.startup.cb) != STARTUPINFOEXW.size:
        inputs = {"cb": int(request.startup.cb)}
        raise refusal(ERROR.INVALID_PARAMETER, "size of an extended start-up structure", inputs, "0x70")


async def convert(thread: UserThread, request: Request) -> None:
    """Read and check the attribute list, and choose the priority class."""
    listing = 0
    if request.flags & EXTENDED_STARTUPINFO_PRESENT:
        listing = int(STARTUPINFOEXW(request.startup.memory, request.startup.address).lpAttributeList)
    request.wishes = wishes = await wishes_of(thread, listing) if listing else Wishes()
    if ATTRIBUTE.PACKAGE_FULL_NAME in wishes.present:
        if wishes.capabilities:
            rule = "a package brings its own security capabilities"
            raise refusal(ERROR.INVALID_PARAMETER, rule, {"package": wishes.package}, "one of the two attributes")
        rule, inputs = "no package of this name is installed", {"package": wishes.package}
        raise refusal(ERROR.GEN_FAILURE, rule, inputs, "no PROC_THREAD_ATTRIBUTE_PACKAGE_FULL_NAME")
    if request.handles_listed and not request.inherit:
        rule = "a list of handles to inherit, and no inheritance"
        raise refusal(ERROR.INVALID_PARAMETER, rule, {"bInheritHandles": 0}, "TRUE")
    request.priority = await _priority(thread, request)


async def _priority(thread: UserThread, request: Request) -> int:
    """The class of the first priority flag there is; REALTIME without the privilege is HIGH.

    The privilege is switched on for the kernel to see, and off again once it has seen it.
    """
    for flag, number in PRIORITY_CLASSES.items():
        if request.flags & flag:
            if flag == REALTIME_PRIORITY_CLASS and not await _borrow_privilege(thread, request):
                return HIGH_CLASS
            return number
    return 0


async def _borrow_privilege(thread: UserThread, request: Request) -> bool:
    with thread.frame() as frame:
        was = frame.allocate(8)
        status = await rtl(thread, "RtlAdjustPrivilege", SE_INCREASE_BASE_PRIORITY, 1, 0, was) & 0xFFFF_FFFF
        request.privilege_borrowed = status == STATUS.SUCCESS and not thread.memory.read(was, 1)[0]
        return status == STATUS.SUCCESS


async def give_back(thread: UserThread, request: Request) -> None:
    """Switch off what `convert` has switched on."""
    if request.privilege_borrowed:
        request.privilege_borrowed = False
        with thread.frame() as frame:
            await rtl(thread, "RtlAdjustPrivilege", SE_INCREASE_BASE_PRIORITY, 0, 0, frame.allocate(8))

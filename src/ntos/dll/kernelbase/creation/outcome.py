"""What becomes of a creation: how a failure reads in Win32, another program in its place, checks after success.

A batch file makes its detour through cmd.exe, a program with a `Debugger` option one through that; either way
CreateProcess begins again with another command line (process-creation.md 8).
"""

from __future__ import annotations

import re
import struct

from ntos.abi.access import TOKEN_QUERY
from ntos.abi.errors import ERROR
from ntos.abi.layout.api import PS_CREATE_INFO
from ntos.abi.layout.section import SECTION_IMAGE_INFORMATION
from ntos.abi.se import TOKEN_INFORMATION_CLASS
from ntos.abi.status import STATUS, Denied, NtError
from ntos.dll.kernelbase.creation import name
from ntos.dll.kernelbase.creation.refusal import refusal
from ntos.dll.kernelbase.objects import new_handle
from ntos.dll.kernelbase.services import allocate, free, nt
from ntos.dll.kernelbase.token import token_information
from ntos.etw import account
from ntos.rtl import path as dos_path
from ntos.rtl.text import from_utf16
from ntos.um.export import WinError
from ntos.um.thread import UserThread

FAIL_MACHINE, FAIL_EXE_NAME = 4, 5
MANIFEST_DETECTED = 8
LARGEST_MANIFEST = 0x10000
SUBSYSTEM_GUI, SUBSYSTEM_CUI = 2, 3
VALUE_PARTIAL, VALUE_ROOM, VALUE_HEAD = 2, 0x1000, 12
ELEVATION_LIMITED = 3
"""TokenElevationTypeLimited: the weaker half of a split token."""
BATCH_EXTENSIONS = (".bat", ".cmd")
DOS_EXTENSIONS = (".exe", ".com", ".pif")
OLDEST, PRESENT = (3, 10), (10, 0)
"""Versions of the Windows subsystem a program may ask for."""
LEVEL = re.compile(r"<[\w:]*requestedExecutionLevel\b[^>]*?\blevel\s*=\s*[\"'](\w+)[\"']", re.IGNORECASE)
BAD_FORMATS = {
    STATUS.INVALID_IMAGE_PROTECT: ERROR.EXE_MACHINE_TYPE_MISMATCH,
    STATUS.INVALID_IMAGE_WIN_16: ERROR.EXE_MACHINE_TYPE_MISMATCH,
    STATUS.INVALID_IMAGE_WIN_64: ERROR.EXE_MACHINE_TYPE_MISMATCH,
    STATUS.IMAGE_MACHINE_TYPE_MISMATCH: ERROR.EXE_MACHINE_TYPE_MISMATCH,
    STATUS.INVALID_FILE_FOR_SECTION: ERROR.BAD_EXE_FORMAT,
    STATUS.INVALID_IMAGE_NOT_MZ: ERROR.BAD_EXE_FORMAT,
    STATUS.INVALID_IMAGE_NE_FORMAT: ERROR.BAD_EXE_FORMAT,
    STATUS.INVALID_IMAGE_LE_FORMAT: ERROR.BAD_EXE_FORMAT,
    STATUS.INVALID_IMAGE_WIN_32: ERROR.BAD_EXE_FORMAT,
    STATUS.INVALID_IMAGE_FORMAT: ERROR.BAD_EXE_FORMAT,
    STATUS.FILE_IS_A_DIRECTORY: ERROR.ACCESS_DENIED,
}
"""What an image section that cannot be made means to CreateProcess (process-creation.md 8)."""


def mapped(error: NtError, image: name.Program, info: PS_CREATE_INFO) -> NtError:
    """The failure as CreateProcess reports it, with the kernel's reason."""
    state, code = int(info.State), BAD_FORMATS.get(error.status)
    if dos_path.is_dos_device_name(image.given):
        code = ERROR.BAD_DEVICE
    elif state == FAIL_MACHINE:
        code = ERROR.EXE_MACHINE_TYPE_MISMATCH
    elif error.status == STATUS.INVALID_IMAGE_NOT_MZ and image.path.lower().endswith(DOS_EXTENSIONS):
        code = ERROR.EXE_MACHINE_TYPE_MISMATCH  # taken for a DOS program, which a 64-bit Windows does not run
    return error if code is None else WinError(code, error.because)


def batch_line(thread: UserThread, image: name.Program, error: NtError) -> str | None:
    """The command line that runs a batch file; None where the file is none."""
    if error.status != STATUS.INVALID_IMAGE_NOT_MZ or not image.path.lower().endswith(BATCH_EXTENSIONS):
        return None
    return f'{name.command_shell(thread)} /c "{image.command_line}"'


async def debugger_of(thread: UserThread, info: PS_CREATE_INFO) -> str | None:
    """The `Debugger` of the program's options, where that is why creation stopped; the key is closed."""
    if int(info.State) != FAIL_EXE_NAME:
        return None
    key = int(info.IFEOKey)
    try:
        with thread.frame() as frame:
            place, size = frame.allocate(VALUE_ROOM), frame.allocate(8)
            name = frame.unicode_string("Debugger")
            await nt.NtQueryValueKey(thread, key, name, VALUE_PARTIAL, place, VALUE_ROOM, size)
            length = struct.unpack("<I", thread.memory.read(place + 8, 4))[0]
            return from_utf16(thread.memory.read(place + VALUE_HEAD, length)).split("\0", 1)[0]
    finally:
        await nt.NtClose(thread, key)


def image_error(thread: UserThread, image: SECTION_IMAGE_INFORMATION) -> NtError | None:
    """Subsystems CreateProcess does not start, and versions of Windows before NT 3.10 or yet to come."""
    subsystem = int(image.SubSystemType)
    version = (int(image.SubSystemMajorVersion), int(image.SubSystemMinorVersion))
    inputs = {"Subsystem": subsystem, "version": "{}.{}".format(*version)}
    if subsystem not in (SUBSYSTEM_GUI, SUBSYSTEM_CUI):
        rule = "CreateProcess starts programs of the Windows subsystem only"
        return refusal(ERROR.CHILD_NOT_COMPLETE, rule, inputs, "subsystem 2 or 3")
    if not OLDEST <= version <= PRESENT:
        rule = "the image asks for another version of Windows"
        return refusal(ERROR.BAD_EXE_FORMAT, rule, inputs, "a subsystem version 3.10 to 10.0")
    account.decided(thread.log, "subsystem and its version", "a Windows program of this or an older version", inputs)
    return None


async def elevation_error(thread: UserThread, process: int, info: PS_CREATE_INFO) -> NtError | None:
    """ELEVATION_REQUIRED where the program's manifest asks for more than the child's token gives."""
    success = info.SuccessState
    if not int(success.OutputFlags) & MANIFEST_DETECTED:
        account.decided(thread.log, "elevation", "not asked for", {"manifest": False})
        return None
    size = min(int(success.ManifestSize), LARGEST_MANIFEST)
    found = LEVEL.search(await _read(thread, process, int(success.ManifestAddress), size))
    level = found.group(1).lower() if found else ""
    if level not in ("requireadministrator", "highestavailable"):
        account.decided(thread.log, "elevation", "not asked for", {"requestedExecutionLevel": level})
        return None
    elevated, limited = await _elevation(thread, process)
    inputs = {"requestedExecutionLevel": level, "TokenElevation": elevated, "limited": limited}
    if elevated if level == "requireadministrator" else not limited:
        account.decided(thread.log, "elevation", "the token has what the manifest asks for", inputs)
        return None
    flip = "an elevated creator, ShellExecute, or requestedExecutionLevel asInvoker"
    because = Denied("the manifest asks for more rights than the token has", inputs, flip)
    return NtError(STATUS.ELEVATION_REQUIRED, because)


async def _elevation(thread: UserThread, process: int) -> tuple[bool, bool]:
    """Whether a process's token is elevated, and whether it is the weaker half of a split one."""
    with thread.frame() as frame:
        place = new_handle(frame)
        await nt.NtOpenProcessToken(thread, process, TOKEN_QUERY, place.address)
        token = int(place.read())
    try:
        elevated = any(await token_information(thread, token, TOKEN_INFORMATION_CLASS.TokenElevation))
        half = await token_information(thread, token, TOKEN_INFORMATION_CLASS.TokenElevationType)
    finally:
        await nt.NtClose(thread, token)
    return elevated, int.from_bytes(half[:4], "little") == ELEVATION_LIMITED


async def _read(thread: UserThread, process: int, address: int, size: int) -> str:
    """Text in the child, in UTF-8 or UTF-16."""
    if not size:
        return ""
    block = await allocate(thread, size)
    try:
        await nt.NtReadVirtualMemory(thread, process, address, block, size, 0)
        data = thread.memory.read(block, size)
    finally:
        await free(thread, block)
    return from_utf16(data[2 : size & ~1]) if data.startswith(b"\xff\xfe") else data.decode("utf-8", "replace")


async def discard(thread: UserThread, process: int, first: int, error: NtError) -> None:
    """End a child that may not run, wait for its end, and forget it."""
    await nt.NtTerminateProcess(thread, process, int(error.status))
    await nt.NtClose(thread, first)
    await nt.NtWaitForSingleObject(thread, process, 0, 0)
    await nt.NtClose(thread, process)

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
from ntos.dll.kernelbase.objects import new_handle
from ntos.dll.kernelbase.services import allocate, free, nt
from ntos.dll.kernelbase.token import token_information
from ntos.etw import account
from ntos.rtl.text import from_utf16
from ntos.um.export import WinError
from ntos.um.thread import UserThread

FAIL_ON_SECTION, FAIL_EXE_FORMAT, FAIL_MACHINE, FAIL_EXE_NAME = 2, 3, 4, 5
MANIFEST_DETECTED = 8
LARGEST_MANIFEST = 0x10000
SUBSYSTEM_GUI, SUBSYSTEM_CUI = 2, 3
VALUE_PARTIAL, VALUE_ROOM, VALUE_HEAD = 2, 0x1000, 12
ELEVATION_LIMITED = 3
"""TokenElevationTypeLimited: the weaker half of a split token."""
BATCH_EXTENSIONS = (".bat", ".cmd")
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


def mapped(error: NtError, info: PS_CREATE_INFO) -> NtError:
    """The failure as CreateProcess reports it."""
    if error.status == STATUS.INVALID_IMAGE_FORMAT and int(info.State) == FAIL_MACHINE:
        return WinError(ERROR.EXE_MACHINE_TYPE_MISMATCH, error.because)
    code = BAD_FORMATS.get(error.status)
    return error if code is None else WinError(code, error.because)


def batch_line(thread: UserThread, image: name.Program, error: NtError) -> tuple[str, str] | None:
    """(application, command line) that run a batch file; None where the file is none."""
    if error.status not in (STATUS.INVALID_IMAGE_NOT_MZ, STATUS.INVALID_FILE_FOR_SECTION):
        return None
    if not image.path.lower().endswith(BATCH_EXTENSIONS):
        return None
    shell = name.command_shell(thread)
    return shell, f'"{shell}" /c "{image.command_line}"'


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


def image_error(thread: UserThread, image: SECTION_IMAGE_INFORMATION) -> WinError | None:
    """Subsystems CreateProcess does not start, and versions of Windows yet to come."""
    subsystem = int(image.SubSystemType)
    version = (int(image.SubSystemMajorVersion), int(image.SubSystemMinorVersion))
    inputs = {"Subsystem": subsystem, "version": "{}.{}".format(*version)}
    if subsystem not in (SUBSYSTEM_GUI, SUBSYSTEM_CUI):
        because = Denied("CreateProcess starts programs of the Windows subsystem only", inputs, "subsystem 2 or 3")
        return WinError(ERROR.CHILD_NOT_COMPLETE, because)
    if not (3, 10) <= version <= (10, 0):
        because = Denied("the image asks for another version of Windows", inputs, "a subsystem version 3.10 to 10.0")
        return WinError(ERROR.BAD_EXE_FORMAT, because)
    account.decided(thread.log, "subsystem and its version", "a Windows program of this or an older version", inputs)
    return None


async def elevation_error(thread: UserThread, process: int, info: PS_CREATE_INFO) -> WinError | None:
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
    with thread.frame() as frame:
        place = new_handle(frame)
        await nt.NtOpenProcessToken(thread, process, TOKEN_QUERY, place.address)
        token = int(place.read())
    try:
        kind = TOKEN_INFORMATION_CLASS.TokenElevation
        elevated = any(await token_information(thread, token, kind))
        half = await token_information(thread, token, TOKEN_INFORMATION_CLASS.TokenElevationType)
    finally:
        await nt.NtClose(thread, token)
    limited = int.from_bytes(half[:4], "little") == ELEVATION_LIMITED
    inputs = {"requestedExecutionLevel": level, "TokenElevation": elevated, "limited": limited}
    if not elevated if level == "requireadministrator" else limited:
        because = Denied("the manifest asks for more rights than the token has", inputs,
                         "an elevated creator, or requestedExecutionLevel asInvoker")  # fmt: skip
        return WinError(ERROR.ELEVATION_REQUIRED, because)
    account.decided(thread.log, "elevation", "the token has what the manifest asks for", inputs)
    return None


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


async def discard(thread: UserThread, process: int, first: int, status: int) -> None:
    """End a child that may not run, wait for its end, and forget it."""
    await nt.NtTerminateProcess(thread, process, status)
    await nt.NtClose(thread, first)
    await nt.NtWaitForSingleObject(thread, process, 0, 0)
    await nt.NtClose(thread, process)

"""WinExec: the oldest way to start a program; an answer above 31 is success (winbase.h)."""

from __future__ import annotations

from ntos.abi.errors import ERROR
from ntos.abi.layout.win32 import PROCESS_INFORMATION, STARTUPINFOA
from ntos.abi.pointer import Ptr
from ntos.abi.types import CHAR, UINT
from ntos.dll.kernelbase.services import nt
from ntos.um.export import export, last_error
from ntos.um.thread import UserThread
from ntos.um.win32 import win32

STARTED = 33
BAD_FORMAT = 11
STARTF_USESHOWWINDOW = 1
SAME = (ERROR.FILE_NOT_FOUND, ERROR.PATH_NOT_FOUND)


@export
async def WinExec(thread: UserThread, lpCmdLine: Ptr[CHAR], uCmdShow: UINT) -> UINT:
    """Start a program: 33, or 2, 3 (not found), 11 (no program), 0 for all other failures."""
    with thread.frame() as frame:
        startup: STARTUPINFOA = frame.new(STARTUPINFOA)
        startup.cb, startup.dwFlags, startup.wShowWindow = STARTUPINFOA.size, STARTF_USESHOWWINDOW, uCmdShow & 0xFFFF
        result: PROCESS_INFORMATION = frame.new(PROCESS_INFORMATION)
        made = await win32(
            thread, "CreateProcessA", 0, lpCmdLine.address, 0, 0, 0, 0, 0, 0, startup.address, result.address
        )
        if made & 0xFFFF_FFFF:
            await nt.NtClose(thread, int(result.hThread))
            await nt.NtClose(thread, int(result.hProcess))
            return UINT(STARTED)
    code = last_error(thread)
    if code in SAME:
        return UINT(code)
    return UINT(BAD_FORMAT if code == ERROR.BAD_EXE_FORMAT else 0)

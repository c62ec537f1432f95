"""Stage 1: what CreateProcess refuses before it looks at any file (process-creation.md 2)."""

from __future__ import annotations

from ntos.abi.errors import ERROR
from ntos.abi.layout.win32 import STARTUPINFOEXW
from ntos.abi.status import Denied
from ntos.abi.win32 import (
    CREATE_NEW_CONSOLE,
    CREATE_SEPARATE_WOW_VDM,
    CREATE_SHARED_WOW_VDM,
    DETACHED_PROCESS,
    EXTENDED_STARTUPINFO_PRESENT,
)
from ntos.dll.kernelbase.attribute_list import extended_flags
from ntos.dll.kernelbase.creation.request import Request
from ntos.rtl.text import unit_count
from ntos.um.export import WinError

MAXIMUM_COMMAND_LINE = 32767


def check(request: Request) -> None:
    """Refuse what Windows refuses before it looks at any file."""
    flags = request.flags
    if request.application is None and request.command_line is None:
        because = Denied("a program must be named", {}, "lpApplicationName or lpCommandLine")
        raise WinError(ERROR.INVALID_PARAMETER, because)
    both_consoles = flags & DETACHED_PROCESS and flags & CREATE_NEW_CONSOLE
    both_machines = flags & CREATE_SEPARATE_WOW_VDM and flags & CREATE_SHARED_WOW_VDM
    if both_consoles or both_machines:
        pair = "DETACHED_PROCESS, CREATE_NEW_CONSOLE" if both_consoles else "CREATE_SEPARATE_/CREATE_SHARED_WOW_VDM"
        because = Denied("flags that exclude each other", {"dwCreationFlags": hex(flags), "flags": pair}, "only one")
        raise WinError(ERROR.INVALID_PARAMETER, because)
    length = unit_count(request.command_line or "")
    if length >= MAXIMUM_COMMAND_LINE:
        because = Denied("length of a command line", {"length": length}, f"less than {MAXIMUM_COMMAND_LINE}")
        raise WinError(ERROR.FILENAME_EXCED_RANGE, because)
    if flags & EXTENDED_STARTUPINFO_PRESENT:
        size = int(request.startup.cb)
        if size != STARTUPINFOEXW.size:
            because = Denied("EXTENDED_STARTUPINFO_PRESENT wants a STARTUPINFOEX", {"cb": hex(size)}, "cb 0x70")
            raise WinError(ERROR.INVALID_PARAMETER, because)
        view = STARTUPINFOEXW(request.startup.memory, request.startup.address)
        request.attributes = int(view.lpAttributeList)
        request.extended = extended_flags(request.startup.memory.origin, request.attributes)

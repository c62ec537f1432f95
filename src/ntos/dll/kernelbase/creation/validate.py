"""Stage 1: what CreateProcess refuses before it looks at any file (process-creation.md 2)."""

from __future__ import annotations

from ntos.abi.errors import ERROR
from ntos.abi.layout.win32 import STARTUPINFOEXW
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
        raise WinError(ERROR.INVALID_PARAMETER)
    both_consoles = flags & DETACHED_PROCESS and flags & CREATE_NEW_CONSOLE
    both_machines = flags & CREATE_SEPARATE_WOW_VDM and flags & CREATE_SHARED_WOW_VDM
    if both_consoles or both_machines:
        raise WinError(ERROR.INVALID_PARAMETER)
    if request.command_line is not None and unit_count(request.command_line) >= MAXIMUM_COMMAND_LINE:
        raise WinError(ERROR.FILENAME_EXCED_RANGE)
    if flags & EXTENDED_STARTUPINFO_PRESENT:
        if int(request.startup.cb) != STARTUPINFOEXW.size:
            raise WinError(ERROR.INVALID_PARAMETER)
        view = STARTUPINFOEXW(request.startup.memory, request.startup.address)
        request.attributes = int(view.lpAttributeList)
        request.extended = extended_flags(request.startup.memory.origin, request.attributes)

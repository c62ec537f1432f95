"""Which console a process belongs to from its birth on, and how it comes to another (ConsoleInitialize).

Windows' kernelbase connects from inside the new process; here the driver does it before the process runs, from the same
words: RTL_USER_PROCESS_PARAMETERS.ConsoleHandle and ConsoleFlags.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos import ob
from ntos.abi.access import FILE_ALL_ACCESS
from ntos.abi.io import FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT
from ntos.abi.layout.peb import PEB
from ntos.abi.layout.user import RTL_USER_PROCESS_PARAMETERS
from ntos.abi.ob import OBJ_INHERIT
from ntos.abi.status import STATUS, Denied, NtError
from ntos.ex.handle import HandleTable
from ntos.io.console import Console, Opened, attach, connection, console_of, handle_to
from ntos.io.driver import Opening
from ntos.io.file import FileObject

if TYPE_CHECKING:
    from ntos.io.request import Request
    from ntos.ke.process import Process

WORD = 0xFFFF_FFFF_FFFF_FFFF
DETACHED, NEW, NO_WINDOW = WORD, WORD - 1, WORD - 2
HANDLE_REFERENCE = 2
CONSOLE_SUBSYSTEM = 3
HANDLES = (("StandardInput", "\\input"), ("StandardOutput", "\\output"), ("StandardError", "\\output"))
NEW_CONSOLE, OF_PARENT = 0, 0xFFFF_FFFF
"""What ATTACH names besides process ids."""


def join(process: Process, parent: Process | None) -> None:
    """Give a new process its console, and standard handles where it has none that lead elsewhere."""
    address = int(process.eprocess.Peb)
    if not address or int(PEB(process.memory, address).ImageSubsystem) != CONSOLE_SUBSYSTEM:
        return
    view = RTL_USER_PROCESS_PARAMETERS(process.memory, int(PEB(process.memory, address).ProcessParameters))
    chosen = int(view.ConsoleHandle) & WORD
    fresh = chosen in (NEW, NO_WINDOW) or bool(int(view.ConsoleFlags) & HANDLE_REFERENCE)
    console = _chosen(process, parent, view, chosen)
    view.ConsoleHandle = 0
    if console is None:
        return
    attach(console, process)
    view.ConsoleHandle = connection(process)
    if fresh:
        _fill_handles(process, view, console)


def _chosen(
    process: Process, parent: Process | None, view: RTL_USER_PROCESS_PARAMETERS, chosen: int
) -> Console | None:
    if chosen == DETACHED:
        return None
    if chosen in (NEW, NO_WINDOW):
        return Console(process.kernel, process.kernel[Console].device)
    if int(view.ConsoleFlags) & HANDLE_REFERENCE:
        return _console_behind(process, chosen)
    return console_of(parent) if parent is not None else None


def _console_behind(process: Process, handle: int) -> Console | None:
    """The console a handle of the process leads to; the handle has done its work."""
    file = _file(process, handle)
    ob.close_in(process, handle)
    return file.context.console if file is not None and isinstance(file.context, Opened) else None


def _file(process: Process, handle: int) -> FileObject | None:
    entry = process[HandleTable].lookup(handle) if handle else None
    obj = process.kernel[ob.ObjectManager].objects.get(entry.header + 0x30) if entry is not None else None
    return obj if isinstance(obj, FileObject) else None


def _fill_handles(process: Process, view: RTL_USER_PROCESS_PARAMETERS, console: Console) -> None:
    """Standard handles that are missing, or lead to another console, now lead to this one."""
    for field, name in HANDLES:
        handle = int(getattr(view, field))
        file = _file(process, handle)
        if file is not None and not isinstance(file.context, Opened):
            continue
        if file is not None:
            ob.close_in(process, handle)
        opening = Opening(process.kernel, None, FILE_ALL_ACCESS, FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT, 7)
        setattr(view, field, handle_to(process, console, name, opening, OBJ_INHERIT))


def attach_caller(request: Request) -> None:
    """IOCTL_CONSOLE_ATTACH: a new console, the parent's, or another process's."""
    process, kernel = request.process, request.process.kernel
    wanted = int.from_bytes(request.data[:4], "little")
    if console_of(process) is not None:
        because = Denied("a process has one console", {"process": process.id}, "FreeConsole first")
        raise NtError(STATUS.ACCESS_DENIED, because)
    if wanted == NEW_CONSOLE:
        console: Console | None = Console(kernel, kernel[Console].device)
    else:
        number = int(process.eprocess.InheritedFromUniqueProcessId) if wanted == OF_PARENT else wanted
        other = next((each for each in kernel.processes.values() if each.id == number and each.threads), None)
        if other is None:
            raise NtError(STATUS.INVALID_PARAMETER, Denied("no such process", {"id": number}))
        console = console_of(other)
    if console is None:
        raise NtError(STATUS.INVALID_HANDLE, Denied("that process has no console", {"process": wanted}))
    attach(console, process)
    request.complete()

"""RTL_USER_PROCESS_PARAMETERS of a child (BasepCreateProcessParameters): window, console, standard handles."""

from __future__ import annotations

from ntos.abi.layout.user import RTL_USER_PROCESS_PARAMETERS
from ntos.abi.win32 import CREATE_NEW_CONSOLE, CREATE_NO_WINDOW, DETACHED_PROCESS, STARTF_USEHOTKEY
from ntos.dll.kernelbase.creation.name import Program
from ntos.dll.kernelbase.creation.request import HANDLE_FIELDS_TAKEN, STARTF_HASSHELLDATA, Request
from ntos.dll.kernelbase.objects import new_handle
from ntos.dll.kernelbase.objects import parameters as own_parameters
from ntos.dll.kernelbase.services import rtl_status
from ntos.um.thread import Frame, UserThread

CONSOLES = {DETACHED_PROCESS: -1, CREATE_NEW_CONSOLE: -2, CREATE_NO_WINDOW: -3}
"""ConsoleHandle where it is no handle."""
IGNORE_CTRL_C, HANDLE_REFERENCE, PSEUDO_CONSOLE = 1, 2, 4
"""ConsoleFlags."""
NORMALIZED = 1
PROFILE_SHIFT, PROFILE_FLAGS = 27, 0xE
"""PROFILE_USER, _KERNEL and _SERVER to RTL_USER_PROC_PROFILE_…."""


async def build_parameters(
    thread: UserThread,
    frame: Frame,
    request: Request,
    image: Program,
    directory: str | None,
    block: int,
) -> int:
    """RTL_USER_PROCESS_PARAMETERS in the heap, normalised (RtlCreateProcessParametersEx)."""
    startup, own = request.startup, own_parameters(thread)
    place = new_handle(frame)

    def text(value: str | None) -> int:
        return frame.unicode_string(value) if value is not None else 0

    title = request.text(int(startup.lpTitle))
    desktop = request.text(int(startup.lpDesktop))
    data = b""
    if int(startup.cbReserved2) and int(startup.lpReserved2):
        data = thread.memory.read(int(startup.lpReserved2), int(startup.cbReserved2))
    shell = request.text(int(startup.lpReserved))
    await rtl_status(
        thread,
        "RtlCreateProcessParametersEx",
        place.address,
        text(image.path),
        0,
        text(directory),
        text(image.command_line),
        block,
        text((request.application or image.path) if title is None else title),
        text(own.DesktopInfo.text if desktop is None else desktop),
        text(shell or ""),
        _counted(frame, data),
        NORMALIZED,
    )
    view = RTL_USER_PROCESS_PARAMETERS(thread.memory, int(place.read()))
    view.StartingX, view.StartingY = startup.dwX, startup.dwY
    view.CountX, view.CountY = startup.dwXSize, startup.dwYSize
    view.CountCharsX, view.CountCharsY = startup.dwXCountChars, startup.dwYCountChars
    view.FillAttribute, view.WindowFlags = startup.dwFillAttribute, startup.dwFlags
    view.ShowWindowFlags = startup.wShowWindow
    view.Flags = int(view.Flags) | request.flags >> PROFILE_SHIFT & PROFILE_FLAGS
    view.ProcessGroupId = 0 if request.starts_group else own.ProcessGroupId
    _choose_console(request, view, own)
    _choose_handles(request, view, own)
    return view.address


def _counted(frame: Frame, data: bytes) -> int:
    """A UNICODE_STRING that holds any bytes."""
    if not data:
        return 0
    buffer = frame.bytes(data)
    size = len(data).to_bytes(2, "little")
    return frame.bytes(size + size + bytes(4) + buffer.to_bytes(8, "little"))


def _choose_console(request: Request, view: RTL_USER_PROCESS_PARAMETERS, own: RTL_USER_PROCESS_PARAMETERS) -> None:
    wishes, flags = request.wishes, int(own.ConsoleFlags) & IGNORE_CTRL_C
    chosen = CONSOLES.get(request.console_flags)
    if chosen is not None:
        flags = 0
    elif wishes.console:
        chosen, flags = wishes.console, HANDLE_REFERENCE | (PSEUDO_CONSOLE if wishes.pseudo else 0)
    view.ConsoleHandle = own.ConsoleHandle if chosen is None else chosen
    view.ConsoleFlags = flags | (IGNORE_CTRL_C if request.starts_group else 0)


def _choose_handles(request: Request, view: RTL_USER_PROCESS_PARAMETERS, own: RTL_USER_PROCESS_PARAMETERS) -> None:
    """The caller's words, or with every handle the caller's own; else none: the kernel hands on what it is told to.

    Words that name handles are void where nothing is inherited, unless they are another parent's.
    """
    startup = request.startup
    flags = int(startup.dwFlags)
    fields = ("StandardInput", "StandardOutput", "StandardError")
    values = [0, 0, 0]
    if request.uses_handles or flags & HANDLE_FIELDS_TAKEN:
        if request.wishes.parent or not request.uses_handles or request.inherit:
            values = [int(startup.hStdInput), int(startup.hStdOutput), int(startup.hStdError)]
    elif request.inherits_all and not request.console_flags:
        values = [int(getattr(own, field)) for field in fields]
        taken = int(own.WindowFlags)
        values[0] = 0 if taken & STARTF_USEHOTKEY else values[0]
        values[1] = 0 if taken & STARTF_HASSHELLDATA else values[1]
    for field, value in zip(fields, values, strict=True):
        setattr(view, field, value)

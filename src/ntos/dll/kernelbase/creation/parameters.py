"""RTL_USER_PROCESS_PARAMETERS of a child (BasepCreateProcessParameters): window, console, standard handles."""

from __future__ import annotations

from ntos.abi.layout.user import RTL_USER_PROCESS_PARAMETERS
from ntos.abi.types import PVOID
from ntos.abi.win32 import CREATE_NEW_CONSOLE, CREATE_NO_WINDOW, DETACHED_PROCESS
from ntos.dll.kernelbase.creation.name import Program
from ntos.dll.kernelbase.creation.request import HANDLE_FIELDS_TAKEN, Request
from ntos.dll.kernelbase.objects import new_handle
from ntos.dll.kernelbase.objects import parameters as own_parameters
from ntos.dll.kernelbase.services import rtl_status
from ntos.um.thread import Frame, UserThread

CONSOLE_DETACHED, CONSOLE_NEW, CONSOLE_NO_WINDOW = -1, -2, -3
NORMALIZED = 1


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
        text(image.path if title is None else title),
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
    chosen = {
        DETACHED_PROCESS: CONSOLE_DETACHED,
        CREATE_NEW_CONSOLE: CONSOLE_NEW,
        CREATE_NO_WINDOW: CONSOLE_NO_WINDOW,
    }.get(request.console_flags)
    view.ConsoleHandle = own.ConsoleHandle if chosen is None else chosen
    view.ConsoleFlags = int(own.ConsoleFlags) & 1 if chosen is None else 0
    if request.starts_group:
        view.ConsoleFlags = int(view.ConsoleFlags) | 1


def _choose_handles(request: Request, view: RTL_USER_PROCESS_PARAMETERS, own: RTL_USER_PROCESS_PARAMETERS) -> None:
    """Standard handles: the caller's words, the caller's own, or none that could be valid."""
    startup = request.startup
    if request.uses_handles:
        view.StandardInput, view.StandardOutput = startup.hStdInput, startup.hStdOutput
        view.StandardError = startup.hStdError
    elif request.console_flags & (DETACHED_PROCESS | CREATE_NEW_CONSOLE):
        view.StandardInput = view.StandardOutput = view.StandardError = PVOID(0)
        if int(startup.dwFlags) & HANDLE_FIELDS_TAKEN:
            view.StandardInput, view.StandardOutput = startup.hStdInput, startup.hStdOutput
    else:
        view.StandardInput, view.StandardOutput = own.StandardInput, own.StandardOutput
        view.StandardError = own.StandardError

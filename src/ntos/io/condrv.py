r"""\Device\ConDrv: the driver that hands requests on input, output and connections of consoles to the consoles.

Names below the device, as in Windows: `Input`, `Output`, `CurrentIn`, `CurrentOut`, `Console`, `Connect`, `Reference`
are of the opener's console, or of the one that a handle they are relative to belongs to; `Server` is a new one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos import ob
from ntos.abi.access import FILE_ALL_ACCESS
from ntos.abi.console import IOCTL_CONSOLE_ATTACH
from ntos.abi.io import FILE_DEVICE_CONSOLE
from ntos.abi.status import STATUS, Denied, NtError
from ntos.io.console import CONNECT, INPUT, KINDS, LINKS, OTHER, OUTPUT, SERVER, Console, Opened, codec, console_of
from ntos.io.console_codes import SERVICES, console_behind, opened
from ntos.io.console_membership import attach_caller
from ntos.io.device import Device, create_device
from ntos.io.driver import Driver, Opening

if TYPE_CHECKING:
    from ntos.io.file import FileObject
    from ntos.io.request import Request
    from ntos.ke.kernel import Kernel


class ConDrv(Driver):
    """The console driver. A file object's context says whether it is input or output."""

    name = "condrv"

    def create(self, device: Device, file: FileObject, opening: Opening) -> None:
        name = opening.name.lower()
        if opening.related is not None and not name.startswith("\\"):
            name = "\\" + name
        kind = KINDS.get(name, None if opening.name else OTHER)
        if kind is None:
            raise NtError(STATUS.OBJECT_NAME_NOT_FOUND)
        if name == "\\console":
            kind = OUTPUT if opening.access & 2 else INPUT
        console = Console(device.kernel, device) if name == SERVER else _console_for(device.kernel, opening)
        if console is None and name != CONNECT:
            because = Denied("the process has no console", {"name": opening.name}, "AllocConsole or AttachConsole")
            raise NtError(STATUS.INVALID_HANDLE, because=because)
        file.context = Opened(kind, console)
        opening.information = 1
        if opening.access & 0x0200_0000:
            opening.access = FILE_ALL_ACCESS

    def cleanup(self, file: FileObject) -> None:
        known = file.context
        if isinstance(known, Opened) and file.name.lower().endswith(SERVER) and known.console is not None:
            known.console.server_gone()

    def read(self, request: Request) -> None:
        console = console_behind(request)
        if opened(request).kind != INPUT:
            raise NtError(STATUS.INVALID_HANDLE)

        def answer(request: Request) -> bool:
            data = console.take(request.length).encode(codec(console.input_code_page), "replace")
            request.complete(STATUS.SUCCESS, len(data[: request.length]), data[: request.length])
            return True

        console.wait(request, answer)

    def write(self, request: Request) -> None:
        console = console_behind(request)
        if opened(request).kind != OUTPUT:
            raise NtError(STATUS.INVALID_HANDLE)
        console.write(console.decode(request.data))
        request.complete(STATUS.SUCCESS, len(request.data))

    def device_control(self, request: Request) -> None:
        if request.code == IOCTL_CONSOLE_ATTACH:
            attach_caller(request)
            return
        service = SERVICES.get(request.code)
        if service is None:
            raise NtError(STATUS.INVALID_DEVICE_REQUEST)
        needed, kind, act = service
        if len(request.data) < needed:
            raise NtError(STATUS.INVALID_PARAMETER)
        if kind is not None and opened(request).kind != kind:
            raise NtError(STATUS.INVALID_HANDLE)
        output = act(console_behind(request), request)
        if output is not None:
            if len(output) > request.length:
                raise NtError(STATUS.BUFFER_TOO_SMALL)
            request.complete(STATUS.SUCCESS, len(output), output)


def _console_for(kernel: Kernel, opening: Opening) -> Console | None:
    """The console a name is about: that of the handle it is relative to, or the opener's own."""
    if opening.related is not None and isinstance(opening.related.context, Opened):
        return opening.related.context.console
    return kernel[Console] if opening.thread is None else console_of(opening.thread.process)


def install(kernel: Kernel) -> None:
    """Make the device and the DOS names that lead to it."""
    device = create_device(kernel, ConDrv(), "ConDrv", FILE_DEVICE_CONSOLE)
    kernel.install(Console(kernel, device))
    for name, target in LINKS:
        ob.add_link(kernel, f"GLOBAL??\\{name}", f"\\Device\\ConDrv{target}")

"""Names of a process: its image as NT and as Win32 spell it, and its command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos import ob
from ntos.abi.layout.object import DEVICE_MAP
from ntos.abi.layout.peb import PEB
from ntos.abi.layout.user import RTL_USER_PROCESS_PARAMETERS
from ntos.abi.status import STATUS, Denied, NtError
from ntos.ps.allocate import audit_name
from ntos.rtl.text import to_utf16

if TYPE_CHECKING:
    from ntos.ke.kernel import Kernel
    from ntos.ke.process import Process

NORMALIZED = 1


def image_name(process: Process) -> bytes:
    """The NT path of the image, device first, in UTF-16."""
    return to_utf16(audit_name(process))


def image_name_win32(process: Process) -> bytes:
    """Its path from a drive letter on, in UTF-16; OBJECT_PATH_NOT_FOUND where none leads to its device."""
    name = audit_name(process)
    if not name:
        return b""
    for letter, target in _drives(process.kernel):
        if name.lower().startswith(target.lower() + "\\"):
            return to_utf16(letter + name[len(target) :])
    raise NtError(STATUS.OBJECT_PATH_NOT_FOUND, Denied("no drive letter leads to the image", {"image": name}))


def _drives(kernel: Kernel) -> list[tuple[str, str]]:
    """(letter and colon, device) of each drive of the machine."""
    manager = kernel[ob.ObjectManager]
    directory = manager.objects[int(DEVICE_MAP(kernel.memory, manager.device_map).DosDevicesDirectory)]
    assert isinstance(directory, ob.Directory)
    found = [
        (ob.name_of(link), link.target) for link in directory.entries() if isinstance(link, ob.SymbolicLink)
    ]
    return sorted((name, target) for name, target in found if len(name) == 2 and name[1] == ":")


def command_line(process: Process) -> bytes:
    """What the process parameters say now, in UTF-16; GuestFault where they are not readable."""
    peb = int(process.eprocess.Peb)
    if not peb:
        return b""
    parameters = int(PEB(process.memory, peb).ProcessParameters)
    if not parameters:
        return b""
    view = RTL_USER_PROCESS_PARAMETERS(process.memory, parameters)
    base = 0 if int(view.Flags) & NORMALIZED else parameters
    length = int(view.CommandLine.Length)
    return process.memory.read(base + int(view.CommandLine.Buffer), length) if length else b""

"""What calls on objects share: attributes, names below BaseNamedObjects, timeouts, handles that are
not handles.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ntos.abi.errors import ERROR
from ntos.abi.layout.io import IO_STATUS_BLOCK
from ntos.abi.layout.object import OBJECT_ATTRIBUTES
from ntos.abi.layout.user import RTL_USER_PROCESS_PARAMETERS
from ntos.abi.layout.win32 import SECURITY_ATTRIBUTES
from ntos.abi.ob import CURRENT_PROCESS_TOKEN, OBJ_CASE_INSENSITIVE, OBJ_INHERIT, OBJ_OPENIF
from ntos.abi.pointer import Ptr
from ntos.abi.se import TOKEN_INFORMATION_CLASS
from ntos.abi.status import STATUS
from ntos.abi.types import HANDLE, LARGE_INTEGER, SIZE_T
from ntos.abi.win32 import INFINITE
from ntos.rtl import path as dos_path
from ntos.rtl.environment import Environment, parse_block
from ntos.rtl.sid import take, to_text
from ntos.um import nt as service_stubs
from ntos.um.export import WinError, set_last_error
from ntos.um.thread import Frame, UserThread

if TYPE_CHECKING:
    from collections.abc import Callable

TICKS_PER_MILLISECOND = 10_000
ENVIRONMENT_LIMIT = 0x100000
PACKAGE_ROOM = 0x100


def parameters(thread: UserThread) -> RTL_USER_PROCESS_PARAMETERS:
    """The process's parameters."""
    return RTL_USER_PROCESS_PARAMETERS(thread.memory, int(thread.peb.ProcessParameters))


def environment_block(thread: UserThread) -> bytes:
    """The bytes of the environment, with both NULs at the end."""
    view = parameters(thread)
    size = int(view.EnvironmentSize)
    start = int(view.Environment)
    return _cut_block(thread.memory.read(start, size)) if size else read_block(thread, start)


def read_block(thread: UserThread, address: int) -> bytes:
    """The bytes of a UTF-16 block up to its empty string."""
    data = b""
    while len(data) < ENVIRONMENT_LIMIT:
        step = 0x1000 - (address + len(data) & 0xFFF)
        data += thread.memory.read(address + len(data), step)
        cut = _cut_block(data)
        if len(cut) < len(data) or data.endswith(bytes(4)):
            return cut
    return data


def _cut_block(data: bytes) -> bytes:
    text = data.decode("utf-16-le", "surrogatepass")
    end = 0 if text.startswith("\0") else text.find("\0\0")
    return data if end < 0 else (text[:end] + "\0\0").encode("utf-16-le", "surrogatepass")


def environment(thread: UserThread) -> Environment:
    """The process's variables."""
    return parse_block(environment_block(thread))


def current_directory(thread: UserThread) -> str:
    """The current directory, with its backslash at the end."""
    return parameters(thread).CurrentDirectory.DosPath.text


def drive_directories(thread: UserThread) -> Callable[[str], str | None]:
    """What remembers the current directory of each drive: the variables `=C:`."""
    return lambda drive: environment(thread).drive_directory(drive)


def full_path(thread: UserThread, path: str) -> dos_path.FullPath:
    """A path made absolute against the current directory."""
    return dos_path.full_path(path, current_directory(thread), drive_directories(thread))


def nt_path(thread: UserThread, path: str) -> str:
    """The NT name of a DOS path; ERROR_PATH_NOT_FOUND where it can have none."""
    if not path.strip(" "):
        raise WinError(ERROR.PATH_NOT_FOUND)
    return dos_path.dos_to_nt(path, current_directory(thread), drive_directories(thread))


def attributes(
    frame: Frame,
    name: str | None = None,
    *,
    root: int = 0,
    flags: int = OBJ_CASE_INSENSITIVE,
    security: Ptr[SECURITY_ATTRIBUTES] | None = None,
    descriptor: int = 0,
) -> int:
    """The address of OBJECT_ATTRIBUTES for a name and a caller's SECURITY_ATTRIBUTES."""
    view: OBJECT_ATTRIBUTES = frame.new(OBJECT_ATTRIBUTES)
    view.Length = OBJECT_ATTRIBUTES.size
    view.RootDirectory = root
    view.ObjectName = frame.unicode_string(name) if name is not None else 0
    view.SecurityDescriptor = descriptor
    if security:
        given = security.read()
        view.SecurityDescriptor = int(given.lpSecurityDescriptor)
        flags |= OBJ_INHERIT if given.bInheritHandle else 0
    view.Attributes = flags
    return view.address


def object_name(thread: UserThread, name: str) -> str:
    r"""The full name of a named object: below the session's BaseNamedObjects, or where `Global\` says."""
    own = _own_directory(thread)
    prefix, cut, rest = name.partition("\\")
    if not cut:
        return f"{own}\\{name}"
    if prefix == "Global":
        return f"\\BaseNamedObjects\\{rest}"
    if prefix == "Local":
        return f"{own}\\{rest}"
    if prefix == "Session":
        number, _, rest = rest.partition("\\")
        return f"{base_directory(int(number) if number.isdigit() else 0)}\\{rest}"
    return f"{own}\\{name}"


@dataclass
class Container:
    """The AppContainer the process is in: its directory of names; empty where nobody has asked yet."""

    directory: str = ""


def _own_directory(thread: UserThread) -> str:
    """Where this process's named objects stand."""
    session = int(thread.peb.SessionId)
    if not thread.peb.IsAppContainer:
        return base_directory(session)
    known = thread.state(Container)
    if not known.directory:
        with thread.frame() as frame:
            room, length = frame.allocate(PACKAGE_ROOM), frame.allocate(8)
            kind = TOKEN_INFORMATION_CLASS.TokenAppContainerSid
            service_stubs.NtQueryInformationToken(thread, CURRENT_PROCESS_TOKEN, kind, room, PACKAGE_ROOM, length)
            address = int.from_bytes(thread.memory.read(room, 8), "little")
            known.directory = container_directory(session, to_text(take(thread.memory.read(address, 68), 0)))
    return known.directory


def container_directory(session: int, package: str) -> str:
    """Where the named objects of a package's AppContainer stand."""
    root = f"\\Sessions\\{session}" if session else ""
    return f"{root}\\AppContainerNamedObjects\\{package}"


def base_directory(session: int) -> str:
    """Where the named objects of a session stand."""
    return f"\\Sessions\\{session}\\BaseNamedObjects" if session else "\\BaseNamedObjects"


def named(
    thread: UserThread,
    frame: Frame,
    name: str | None,
    security: Ptr[SECURITY_ATTRIBUTES] | None = None,
    *,
    inherit: bool = False,
    create: bool = False,
) -> int:
    """OBJECT_ATTRIBUTES of a named object, or 0 for a nameless one without attributes."""
    if not name and not security and not inherit:
        return 0
    flags = (OBJ_INHERIT if inherit else 0) | (OBJ_OPENIF if create else 0)
    full = object_name(thread, name) if name else None
    return attributes(frame, full, flags=flags, security=security)


def note_existing(thread: UserThread, status: int) -> None:
    """Set the last error as Create… functions do that may open: ERROR_ALREADY_EXISTS or none."""
    set_last_error(thread, ERROR.ALREADY_EXISTS if status == STATUS.OBJECT_NAME_EXISTS else ERROR.SUCCESS)


def timeout(frame: Frame, milliseconds: int) -> int:
    """The address of a relative time, or 0 for INFINITE."""
    if milliseconds == INFINITE:
        return 0
    place: Ptr[LARGE_INTEGER] = frame.new(LARGE_INTEGER)
    place.write(-milliseconds * TICKS_PER_MILLISECOND)
    return place.address


def new_handle(frame: Frame) -> Ptr[HANDLE]:
    """Room for a handle."""
    place: Ptr[HANDLE] = frame.new(HANDLE)
    return place


def new_size(frame: Frame, value: int) -> Ptr[SIZE_T]:
    """Room for a pointer-sized number, holding `value`."""
    place: Ptr[SIZE_T] = frame.new(SIZE_T)
    place.write(value)
    return place


def new_status(frame: Frame) -> IO_STATUS_BLOCK:
    """Room for an IO_STATUS_BLOCK."""
    view: IO_STATUS_BLOCK = frame.new(IO_STATUS_BLOCK)
    return view


def real_handle(thread: UserThread, handle: int) -> int:
    """The handle meant: STD_INPUT_HANDLE and its like stand for the process's standard handles."""
    low = handle & 0xFFFF_FFFF
    if low < 0xFFFF_FFF4 or low > 0xFFFF_FFF6 or handle >> 32 not in (0, 0xFFFF_FFFF):
        return handle
    view = parameters(thread)
    return int((view.StandardError, view.StandardOutput, view.StandardInput)[low - 0xFFFF_FFF4])

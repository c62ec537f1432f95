r"""Where a DLL is looked for, and a record of every place that was tried.

The order is Microsoft's ("Dynamic-link library search order"): API sets, loaded modules, KnownDLLs, then
directories: those of the standard or altered search, or the LOAD_LIBRARY_SEARCH_* ones.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ntos.abi import apiset
from ntos.abi.layout.user import RTL_USER_PROCESS_PARAMETERS
from ntos.abi.memory import read_wide
from ntos.abi.status import STATUS, Denied, NtError, status_name
from ntos.abi.types import NTSTATUS
from ntos.dll.ntdll.guest import NT_SYSTEM_ROOT
from ntos.rtl import environment
from ntos.rtl import path as paths
from ntos.rtl.path import PathType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ntos.dll.ntdll.ldr.state import Loader, SearchSettings
    from ntos.um.thread import UserThread

DLL_LOAD_DIR = 0x100
APPLICATION_DIR = 0x200
USER_DIRS = 0x400
SYSTEM32 = 0x800
DEFAULT_DIRS = 0x1000
SEARCH_FLAGS = 0x1F00
ALTERED_PATH = 8
SYSTEM32_NO_FORWARDER = 0x4000
REMOTE_CURRENT_ILLEGAL, ANY_CURRENT_ILLEGAL = 2, 0xFFFF_FFFF
MAXIMUM_ENVIRONMENT = 0x10000
APISET_NOT_HOSTED = NTSTATUS(0xC000_0481)


@dataclass(frozen=True, slots=True)
class Place:
    """A directory of the search and the rule that puts it there."""

    rule: str
    directory: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """One place that was tried, and what became of it."""

    rule: str
    path: str
    status: int

    def __str__(self) -> str:
        return f"{self.rule}: {self.path}: {status_name(self.status)}"


@dataclass(slots=True)
class Request:
    """A DLL that somebody needs: the name as given, who needs it, how to search."""

    name: str
    importer: str = ""
    flags: int = 0
    static: bool = False
    resolved: str = ""
    """The name after API sets and extension."""
    rule: str = ""
    """`API set` where the name was a contract's."""
    attempts: list[Attempt] = field(default_factory=list)

    def tried(self, rule: str, path: str, status: int) -> None:
        """Remember a place that did not have it."""
        self.attempts.append(Attempt(rule, path, status))

    def not_found(self, status: NTSTATUS = STATUS.DLL_NOT_FOUND) -> NtError:
        """The refusal, with everything that was tried."""
        directory = next((a.path.rpartition("\\")[0] + "\\" for a in self.attempts if "directory" in a.rule), "")
        inputs = {
            "dll": self.name,
            "resolved": self.resolved,
            "importer": self.importer,
            "tried": [str(attempt) for attempt in self.attempts],
        }
        flip = f"put {self.resolved.rpartition(chr(92))[2]} into {directory}" if directory else ""
        return NtError(status, Denied("DLL search order", inputs, flip))


def preprocess(request: Request) -> None:
    """Apply API sets and the extension rule (LdrpPreprocessDllName)."""
    name = request.name.replace("/", "\\").rstrip(" ")
    if "\\" not in name:
        host = apiset.resolve(name, request.importer or None)
        if host == "":
            request.resolved = name
            request.tried("API set", name, int(APISET_NOT_HOSTED))
            raise request.not_found(APISET_NOT_HOSTED)
        if host is not None:
            request.resolved, request.rule = host, f"API set {name}"
            return
    last = name.rpartition("\\")[2]
    request.resolved = name + ".DLL" if "." not in last else name.rstrip(".")


def is_bare(name: str) -> bool:
    """Whether the name has no path at all."""
    return "\\" not in name and ":" not in name


def directories(thread: UserThread, loader: Loader, request: Request) -> Iterator[Place]:
    """The directories to search, in order, each with its rule; computed as far as they are asked for."""
    flags = request.flags & SEARCH_FLAGS or loader.settings.default_flags
    if flags:
        yield from _flagged(thread, loader, request, flags)
        return
    settings = loader.settings
    yield _first_directory(thread, loader, request)
    current = current_directory(thread) if may_search_current(thread, settings) else ""
    if not settings.safe_mode:
        yield Place("current directory (SafeDllSearchMode off)", current)
    if settings.dll_directory:
        yield Place("SetDllDirectory directory", settings.dll_directory)
    root = system_root(thread)
    yield Place("System32 directory", root + "\\System32")
    yield Place("16-bit system directory", root + "\\System")
    yield Place("Windows directory", root)
    if settings.safe_mode:
        yield Place("current directory", current)
    yield from (Place("PATH directory", directory) for directory in path_variable(thread))


def may_search_current(thread: UserThread, settings: SearchSettings) -> bool:
    """Neither SetDllDirectory nor CWDIllegalInDLLSearch forbids the current directory."""
    if settings.dll_directory is not None or settings.cwd_illegal == ANY_CURRENT_ILLEGAL:
        return False
    remote = paths.path_type(current_directory(thread)) is PathType.UNC_ABSOLUTE
    return not (remote and settings.cwd_illegal == REMOTE_CURRENT_ILLEGAL)


def _first_directory(thread: UserThread, loader: Loader, request: Request) -> Place:
    if request.flags & ALTERED_PATH and "\\" in request.resolved:
        return Place("directory of the DLL (altered search path)", request.resolved.rpartition("\\")[0])
    return Place("application directory", application_directory(thread))


def _flagged(thread: UserThread, loader: Loader, request: Request, flags: int) -> Iterator[Place]:
    if flags & DEFAULT_DIRS:
        flags |= APPLICATION_DIR | USER_DIRS | SYSTEM32
    if flags & DLL_LOAD_DIR:
        yield Place("directory of the DLL", request.resolved.rpartition("\\")[0])
    if flags & APPLICATION_DIR:
        yield Place("application directory", application_directory(thread))
    if flags & USER_DIRS:
        yield from user_directories(loader.settings)
    if flags & SYSTEM32:
        yield Place("System32 directory", system_root(thread) + "\\System32")


def user_directories(settings: SearchSettings) -> Iterator[Place]:
    """What AddDllDirectory and SetDllDirectory added."""
    for directory in settings.user_directories.values():
        yield Place("AddDllDirectory directory", directory)
    if settings.dll_directory:
        yield Place("SetDllDirectory directory", settings.dll_directory)


def candidates(thread: UserThread, loader: Loader, request: Request) -> Iterator[tuple[str, str]]:
    """(rule, full path) of every file that would satisfy the request, in order."""
    name = request.resolved
    kind = paths.path_type(name)
    if kind is PathType.RELATIVE:
        for place in directories(thread, loader, request):
            if place.directory:
                yield place.rule, paths.full_path(f"{place.directory}\\{name}", "C:\\").full
        return
    yield "full path", paths.full_path(name, current_directory(thread), drive_directory(thread)).full


def parameters(thread: UserThread) -> RTL_USER_PROCESS_PARAMETERS:
    """PEB.ProcessParameters."""
    return RTL_USER_PROCESS_PARAMETERS(thread.memory, int(thread.peb.ProcessParameters))


def system_root(thread: UserThread) -> str:
    r"""`C:\Windows`."""
    return read_wide(thread.memory, NT_SYSTEM_ROOT, 260)


def image_path(thread: UserThread) -> str:
    """The program's full path."""
    text = parameters(thread).ImagePathName.text
    return text.removeprefix("\\??\\")


def application_directory(thread: UserThread) -> str:
    """The directory the program lies in."""
    return image_path(thread).rpartition("\\")[0]


def current_directory(thread: UserThread) -> str:
    """The current directory, without a closing separator unless it is a root."""
    text = parameters(thread).CurrentDirectory.DosPath.text
    return text if len(text) <= 3 else text.rstrip("\\")


def variable(thread: UserThread, name: str) -> str | None:
    """The value of an environment variable."""
    block = parameters(thread)
    size = min(int(block.EnvironmentSize) or 0, MAXIMUM_ENVIRONMENT)
    address = int(block.Environment)
    if not address or not size:
        return None
    return environment.parse_block(thread.memory.read(address, size)).get(name)


def drive_directory(thread: UserThread) -> _DriveDirectory:
    """How full paths ask for a drive's own current directory."""
    return _DriveDirectory(thread)


class _DriveDirectory:
    def __init__(self, thread: UserThread) -> None:
        self._thread = thread

    def __call__(self, drive: str) -> str | None:
        return variable(self._thread, f"={drive}:")


def path_variable(thread: UserThread) -> list[str]:
    """The directories of PATH."""
    value = variable(thread, "PATH") or ""
    return [part.strip().strip('"') for part in value.split(";") if part.strip()]

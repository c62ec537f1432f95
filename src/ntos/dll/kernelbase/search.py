"""Search paths: where programs and DLLs are looked for, SearchPath, and its rules."""

from __future__ import annotations

from dataclasses import dataclass

from ntos.abi.errors import ERROR
from ntos.abi.io import FILE_ATTRIBUTE_DIRECTORY
from ntos.abi.layout.file_info import FILE_BASIC_INFORMATION
from ntos.abi.layout.shared_data import KUSER_SHARED_DATA
from ntos.abi.mm import USER_SHARED_DATA
from ntos.abi.pointer import Ptr
from ntos.abi.status import NtError
from ntos.abi.types import BOOL, DWORD, PVOID, WCHAR
from ntos.dll.kernelbase.objects import attributes, environment, full_path, nt_path, parameters
from ntos.dll.kernelbase.services import nt
from ntos.dll.kernelbase.text import export_both, is_narrow, put_text, text_of
from ntos.rtl.nls.codepage import to_ansi
from ntos.rtl.path import is_absolute
from ntos.rtl.text import unit_count
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread

NO_CURRENT_DIRECTORY = "NoDefaultCurrentDirectoryInExePath"
BASE_SEARCH_PATH_ENABLE_SAFE_SEARCHMODE = 1
BASE_SEARCH_PATH_DISABLE_SAFE_SEARCHMODE = 0x10000
BASE_SEARCH_PATH_PERMANENT = 0x8000


@dataclass
class SearchMode:
    """What SetSearchPathMode chose: whether the current directory comes late."""

    safe: bool = False
    permanent: bool = False


def image_directory(thread: UserThread) -> str:
    """The directory of the program's own file."""
    return parameters(thread).ImagePathName.text.rpartition("\\")[0]


def windows_directory(thread: UserThread) -> str:
    """The directory Windows is in (KUSER_SHARED_DATA.NtSystemRoot)."""
    return KUSER_SHARED_DATA(thread.memory, USER_SHARED_DATA).NtSystemRoot


def system_directory(thread: UserThread) -> str:
    """The directory of the system's DLLs."""
    return windows_directory(thread) + "\\System32"


def _system_directories(thread: UserThread) -> list[str]:
    windows = windows_directory(thread)
    return [system_directory(thread), windows + "\\System", windows]


def _path_directories(thread: UserThread) -> list[str]:
    return [entry.strip('"') for entry in environment(thread).get("PATH", "").split(";") if entry]


def executable_search_path(thread: UserThread, name: str) -> list[str]:
    """Where CreateProcess looks for a program of this name."""
    here = ["."] if needs_current_directory(thread, name) else []
    return [image_directory(thread), *here, *_system_directories(thread), *_path_directories(thread)]


def needs_current_directory(thread: UserThread, name: str) -> bool:
    """Whether the current directory belongs to a program's search path."""
    return "\\" in name or environment(thread).get(NO_CURRENT_DIRECTORY) is None


def module_search_path(thread: UserThread) -> list[str]:
    """Where DLLs are looked for, the safe order."""
    return [image_directory(thread), *_system_directories(thread), ".", *_path_directories(thread)]


async def file_attributes(thread: UserThread, path: str) -> int | None:
    """A file's attributes, or None where it cannot be found."""
    with thread.frame() as frame:
        information: FILE_BASIC_INFORMATION = frame.new(FILE_BASIC_INFORMATION)
        try:
            where = attributes(frame, nt_path(thread, path))
            await nt.NtQueryAttributesFile(thread, where, information.address)
        except NtError:
            return None
        return int(information.FileAttributes)


async def find_file(
    thread: UserThread, name: str, directories: list[str], extension: str = "", tried: list[str] | None = None
) -> str | None:
    """The full path of the first hit, directories included; None when nothing is found.

    `tried` takes every path looked at.
    """
    last = name[max(name.rfind("\\"), name.rfind("/")) + 1 :]
    candidates = [name] if "." in last or not extension else [name + extension]
    if is_absolute(name) or name.startswith((".\\", "..\\", "./", "../", "\\", "/")) or name[1:2] == ":":
        places = [""]
    else:
        places = [directory.rstrip("\\") + "\\" for directory in directories]
    for place in places:
        for candidate in candidates:
            if tried is not None:
                tried.append(place + candidate)
            if await file_attributes(thread, place + candidate) is not None:
                return full_path(thread, place + candidate).full
    return None


@export_both()
async def SearchPathW(
    thread: UserThread,
    lpPath: Ptr[WCHAR],
    lpFileName: Ptr[WCHAR],
    lpExtension: Ptr[WCHAR],
    nBufferLength: DWORD,
    lpBuffer: Ptr[WCHAR],
    lpFilePart: Ptr[PVOID] | None,
) -> DWORD:
    """Look for a file along a path, and say where it is."""
    name = text_of(lpFileName)
    if not name:
        raise WinError(ERROR.INVALID_PARAMETER)
    directories = [entry for entry in text_of(lpPath).split(";") if entry] if lpPath else _default_path(thread)
    found = await find_file(thread, name, directories, text_of(lpExtension))
    if found is None:
        raise WinError(ERROR.FILE_NOT_FOUND)
    length = put_text(lpBuffer, nBufferLength, found)
    if lpFilePart is not None and length < nBufferLength:
        head = found[: found.rfind("\\") + 1]
        offset = len(to_ansi(head)) if is_narrow(lpBuffer) else 2 * unit_count(head)
        lpFilePart.write(lpBuffer.address + offset)
    return DWORD(length)


def _default_path(thread: UserThread) -> list[str]:
    if thread.state(SearchMode).safe:
        return module_search_path(thread)
    return [image_directory(thread), ".", *_system_directories(thread), *_path_directories(thread)]


@export
def SetSearchPathMode(thread: UserThread, Flags: DWORD) -> BOOL:
    """Whether SearchPath looks into the current directory early or late."""
    mode = thread.state(SearchMode)
    wanted = Flags & (BASE_SEARCH_PATH_ENABLE_SAFE_SEARCHMODE | BASE_SEARCH_PATH_DISABLE_SAFE_SEARCHMODE)
    if wanted not in (1, 0x10000) or (Flags & BASE_SEARCH_PATH_PERMANENT and wanted != 1):
        raise WinError(ERROR.INVALID_PARAMETER)
    if mode.permanent:
        raise WinError(ERROR.ACCESS_DENIED)
    mode.safe = wanted == BASE_SEARCH_PATH_ENABLE_SAFE_SEARCHMODE
    mode.permanent = Flags & BASE_SEARCH_PATH_PERMANENT != 0
    return BOOL(1)


@export_both()
def NeedCurrentDirectoryForExePathW(thread: UserThread, ExeName: Ptr[WCHAR]) -> BOOL:
    """Whether the current directory is searched for a program of this name."""
    return BOOL(needs_current_directory(thread, text_of(ExeName)))


def is_directory(found: int | None) -> bool:
    """Whether attributes are those of a directory."""
    return found is not None and found & FILE_ATTRIBUTE_DIRECTORY != 0

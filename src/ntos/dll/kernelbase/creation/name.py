"""Which file CreateProcess starts: its rules for names, unquoted blanks and the search path.

Rules: Microsoft Learn, CreateProcessW, lpApplicationName and lpCommandLine; process-creation.md 3.
"""

from __future__ import annotations

from dataclasses import dataclass

from ntos.abi.errors import ERROR
from ntos.abi.win32 import MAX_PATH
from ntos.dll.kernelbase.creation.refusal import refusal
from ntos.dll.kernelbase.objects import environment, full_path
from ntos.dll.kernelbase.search import (
    executable_search_path,
    file_attributes,
    find_file,
    is_directory,
    system_directory,
)
from ntos.etw import account
from ntos.um.export import WinError
from ntos.um.thread import UserThread

BLANKS = " \t"


@dataclass
class Program:
    """The file, and the command line the child sees."""

    path: str
    command_line: str
    nt_path: str = ""
    given: str = ""
    """The name as the caller wrote it."""


def candidates(line: str) -> tuple[list[str], bool]:
    """The names a command line may begin with, shortest first, and whether the name stood in quotes."""
    if line.startswith('"'):
        end = line.find('"', 1)
        return [line[1:] if end < 0 else line[1:end]], True
    cuts = [index for index, letter in enumerate(line) if letter in BLANKS and index]
    names = [line[:cut] for cut in cuts if line[cut - 1] not in BLANKS]
    whole = line.rstrip(BLANKS)
    return names if names and names[-1] == whole else [*names, whole], False


async def resolve(thread: UserThread, application: str | None, line: str | None) -> Program:
    """The program of a call; ERROR_FILE_NOT_FOUND where a command line names none.

    An application name is taken as it is, and whether such a file exists the kernel will see.
    """
    if application is not None:
        path = full_path(thread, application).full if application else ""
        rule = "lpApplicationName is taken as it is: no search, no extension"
        account.decided(thread.log, rule, path, {"lpApplicationName": application})
        return Program(path, line or f'"{application}"', given=application)
    assert line is not None
    rest = line.lstrip(BLANKS)
    names, quoted = candidates(rest)
    first_error: WinError | None = None
    for index, name in enumerate(names):
        tried: list[str] = []
        hit = await _search(thread, name, tried)
        if isinstance(hit, str):
            _tell_found(thread, hit, names[: index + 1], tried)
            return Program(hit, f'"{name}"{rest[len(name) :]}' if index and not quoted else rest)
        first_error = first_error or hit
    raise first_error or refusal(ERROR.FILE_NOT_FOUND, "the command line names no program")


def _tell_found(thread: UserThread, hit: str, names: list[str], tried: list[str]) -> None:
    rule = "the first part of the command line that names a file is the program"
    flip = f"a file {tried[0]}" if len(tried) > 1 else ""
    account.decided(thread.log, rule, hit, {"names": names, "tried": tried}, flip)


async def _search(thread: UserThread, name: str, tried: list[str]) -> str | WinError:
    """The file's path, or the error that this name has earned."""
    hit = await find_file(thread, name, executable_search_path(thread, name), ".exe", tried) if name else None
    if hit is None:
        return _missing(name, tried)
    if len(hit) >= MAX_PATH:
        return refusal(ERROR.FILENAME_EXCED_RANGE, "length of a program's path", {"path": hit}, "less than 260")
    if is_directory(await file_attributes(thread, hit)):
        return refusal(ERROR.ACCESS_DENIED, "a directory is not a program", {"path": hit}, "the path of a file in it")
    return hit


def _missing(name: str, tried: list[str]) -> WinError:
    """File not found, as SearchPath says it whether or not the directory is there."""
    flip = f"a file {tried[0]}" if tried else ""
    rule = "no file of that name where CreateProcess looks"
    return refusal(ERROR.FILE_NOT_FOUND, rule, {"name": name, "tried": tried}, flip)


def command_shell(thread: UserThread) -> str:
    """What runs batch files: %ComSpec%, else cmd.exe of the system directory."""
    return environment(thread).get("ComSpec") or system_directory(thread) + "\\cmd.exe"

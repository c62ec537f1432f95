"""ShellExecute: open whatever it is with whatever opens it (shellapi.h)."""

from __future__ import annotations

from dataclasses import dataclass

from ntos.abi.errors import ERROR
from ntos.abi.layout.win32 import PROCESS_INFORMATION, STARTUPINFOW
from ntos.abi.pointer import Ptr
from ntos.abi.struct import Struct, at
from ntos.abi.types import BOOL, CHAR, DWORD, HANDLE, INT, PVOID, ULONG, WCHAR
from ntos.dll.kernelbase.objects import current_directory, environment, full_path
from ntos.dll.kernelbase.search import executable_search_path, file_attributes, find_file, is_directory
from ntos.dll.kernelbase.services import allocate_bytes, free, nt
from ntos.dll.kernelbase.text import export_both, optional_text, put_text, text_of
from ntos.dll.shell32.association import Target, app_path, classes_of, command_of, fill
from ntos.rtl.environment import format_block
from ntos.rtl.nls.codepage import ansi
from ntos.um.export import WinError, export, last_error, set_last_error
from ntos.um.thread import UserThread
from ntos.um.win32 import win32

CLASS_NAME, CLASS_KEY, ID_LIST = 0x1, 0x2, 0x4
NO_CLOSE_PROCESS, EXPAND, NO_CONSOLE = 0x40, 0x200, 0x8000
CREATE_NEW_CONSOLE, CREATE_UNICODE_ENVIRONMENT, CREATE_DEFAULT_ERROR_MODE = 0x10, 0x400, 0x400_0000
STARTF_USESHOWWINDOW = 1
MAX_PATH = 260
OPENED = 42
"""What ShellExecute gives for success: any number above 32."""
ACCESS_DENIED = 5
ANSWERS = {
    ERROR.FILE_NOT_FOUND: 2, ERROR.PATH_NOT_FOUND: 3, ERROR.ACCESS_DENIED: 5, ERROR.NOT_ENOUGH_MEMORY: 8,
    ERROR.BAD_EXE_FORMAT: 11, ERROR.SHARING_VIOLATION: 26, ERROR.NO_ASSOCIATION: 31, ERROR.DLL_NOT_FOUND: 32,
}  # fmt: skip
"""Last error to SE_ERR_…; what has no number of its own is denied access."""
PARTIAL = "no elevation (runas), no DDE, no COM handlers, no folders or links; item lists and class keys are refused"


class SHELLEXECUTEINFOW(Struct, size=0x70):
    """SHELLEXECUTEINFO; the 8-bit one has the same layout."""

    cbSize       = at(0x00, DWORD)
    fMask        = at(0x04, ULONG)
    hwnd         = at(0x08, HANDLE)
    lpVerb       = at(0x10, PVOID)
    lpFile       = at(0x18, PVOID)
    lpParameters = at(0x20, PVOID)
    lpDirectory  = at(0x28, PVOID)
    nShow        = at(0x30, INT)
    hInstApp     = at(0x38, HANDLE)
    lpIDList     = at(0x40, PVOID)
    lpClass      = at(0x48, PVOID)
    hkeyClass    = at(0x50, HANDLE)
    dwHotKey     = at(0x58, DWORD)
    hIcon        = at(0x60, HANDLE)
    hProcess     = at(0x68, HANDLE)


@dataclass
class Request:
    """One call, its strings read."""

    file: str
    verb: str | None
    parameters: str
    directory: str | None
    show: int
    flags: int = 0
    class_name: str | None = None


async def execute(thread: UserThread, request: Request) -> int:
    """Start what opens the file; gives a handle to the process, which the caller closes."""
    if request.flags & (CLASS_KEY | ID_LIST) or (request.verb or "").lower() in {"runas", "runasuser"}:
        raise WinError(ERROR.NOT_SUPPORTED)
    if request.flags & EXPAND:
        request.file = environment(thread).expand(request.file)
    file, extra_path = await _locate(thread, request)
    if is_directory(await file_attributes(thread, file)):
        raise WinError(ERROR.NOT_SUPPORTED)
    keys = [request.class_name] if request.class_name else await classes_of(thread, file)
    command = await command_of(thread, keys, request.verb)
    if command is None:
        raise WinError(ERROR.NO_ASSOCIATION)
    directory = request.directory or current_directory(thread)
    line = fill(command, Target(file, request.parameters, directory, request.show))
    return await _start(thread, line, request, extra_path)


async def _locate(thread: UserThread, request: Request) -> tuple[str, str]:
    """(the file's full path, directories to put before PATH): as it stands, then the search path, then App Paths."""
    name = request.file.strip().strip('"')
    if not name:
        raise WinError(ERROR.FILE_NOT_FOUND)
    places = [request.directory or current_directory(thread), *executable_search_path(thread, name)]
    for extension in ("", ".exe", ".com", ".bat", ".cmd"):
        hit = await find_file(thread, name + extension, places)
        if hit is not None:
            return hit, ""
    if "\\" not in name and "/" not in name:
        known = await app_path(thread, name)
        if known is not None:
            return known
        raise WinError(ERROR.FILE_NOT_FOUND)
    folder = full_path(thread, name).full.rpartition("\\")[0]
    there = is_directory(await file_attributes(thread, folder + "\\"))
    raise WinError(ERROR.FILE_NOT_FOUND if there else ERROR.PATH_NOT_FOUND)


async def _start(thread: UserThread, line: str, request: Request, extra_path: str) -> int:
    flags = CREATE_UNICODE_ENVIRONMENT | CREATE_DEFAULT_ERROR_MODE
    flags |= 0 if request.flags & NO_CONSOLE else CREATE_NEW_CONSOLE
    block = 0
    if extra_path:
        variables = environment(thread)
        variables["PATH"] = f"{extra_path};{variables.get('PATH', '')}"
        block = await allocate_bytes(thread, format_block(variables))
    try:
        with thread.frame() as frame:
            startup: STARTUPINFOW = frame.new(STARTUPINFOW)
            startup.cb, startup.dwFlags = STARTUPINFOW.size, STARTF_USESHOWWINDOW
            startup.wShowWindow = request.show & 0xFFFF
            result: PROCESS_INFORMATION = frame.new(PROCESS_INFORMATION)
            where = frame.wide(request.directory) if request.directory else 0
            made = await win32(thread, "CreateProcessW", 0, frame.wide(line), 0, 0, 0, flags, block, where,
                               startup.address, result.address)  # fmt: skip
            if not made & 0xFFFF_FFFF:
                raise WinError(last_error(thread))
            await nt.NtClose(thread, int(result.hThread))
            return int(result.hProcess)
    finally:
        if block:
            await free(thread, block)


@export_both(fails=ACCESS_DENIED, partial=PARTIAL)
async def ShellExecuteW(
    thread: UserThread,
    hwnd: HANDLE,
    lpOperation: Ptr[WCHAR],
    lpFile: Ptr[WCHAR],
    lpParameters: Ptr[WCHAR],
    lpDirectory: Ptr[WCHAR],
    nShowCmd: INT,
) -> HANDLE:
    """Open a file; above 32 for success, else an SE_ERR_… number."""
    request = Request(
        optional_text(lpFile) or "", optional_text(lpOperation) or None, optional_text(lpParameters) or "",
        optional_text(lpDirectory) or None, int(nShowCmd),
    )  # fmt: skip
    try:
        await nt.NtClose(thread, await execute(thread, request))
    except WinError as error:
        set_last_error(thread, error.code)
        return HANDLE(ANSWERS.get(error.code, ACCESS_DENIED))
    return HANDLE(OPENED)


async def _execute_info(thread: UserThread, info: SHELLEXECUTEINFOW, *, narrow: bool) -> BOOL:
    if int(info.cbSize) != SHELLEXECUTEINFOW.size:
        raise WinError(ERROR.ACCESS_DENIED)

    def text(address: int) -> str | None:
        if not address:
            return None
        if narrow:
            return ansi(Ptr[CHAR](thread.memory, address).string())
        return Ptr[WCHAR](thread.memory, address).text()

    flags = int(info.fMask)
    request = Request(
        text(int(info.lpFile)) or "", text(int(info.lpVerb)) or None, text(int(info.lpParameters)) or "",
        text(int(info.lpDirectory)) or None, int(info.nShow), flags,
        text(int(info.lpClass)) if flags & CLASS_NAME else None,
    )  # fmt: skip
    info.hProcess = 0
    try:
        process = await execute(thread, request)
    except WinError as error:
        info.hInstApp = ANSWERS.get(error.code, ACCESS_DENIED)
        raise
    info.hInstApp = OPENED
    if flags & NO_CLOSE_PROCESS:
        info.hProcess = process
    else:
        await nt.NtClose(thread, process)
    return BOOL(1)


@export(partial=PARTIAL)
async def ShellExecuteExW(thread: UserThread, pExecInfo: Ptr[SHELLEXECUTEINFOW]) -> BOOL:
    """Open a file, told by a structure."""
    return await _execute_info(thread, pExecInfo.read(), narrow=False)


@export(partial=PARTIAL)
async def ShellExecuteExA(thread: UserThread, pExecInfo: Ptr[SHELLEXECUTEINFOW]) -> BOOL:
    """The same with 8-bit strings."""
    return await _execute_info(thread, pExecInfo.read(), narrow=True)


@export_both(partial="only programs started by a command: no DDE, no COM handlers")
async def FindExecutableW(
    thread: UserThread, lpFile: Ptr[WCHAR], lpDirectory: Ptr[WCHAR] | None, lpResult: Ptr[WCHAR]
) -> HANDLE:
    """The program that opens a file, the file itself where it is one; a number above 32, or what went wrong."""
    request = Request(text_of(lpFile), None, "", optional_text(lpDirectory), 1)
    put_text(lpResult, MAX_PATH, "")
    try:
        file, _ = await _locate(thread, request)
        command = await command_of(thread, await classes_of(thread, file), None)
        if command is None:
            raise WinError(ERROR.NO_ASSOCIATION)
    except WinError as error:
        set_last_error(thread, error.code)
        return HANDLE(ANSWERS.get(error.code, ACCESS_DENIED))
    line = fill(command, Target(file)).lstrip()
    program = line[1:].partition('"')[0] if line.startswith('"') else line.partition(" ")[0]
    put_text(lpResult, MAX_PATH, program)
    return HANDLE(OPENED)

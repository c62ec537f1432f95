"""CreateProcess: from a command line to NtCreateUserProcess.

Validation in the order of Windows 10 (process-creation.md 2), the program's name (`program`),
parameters, the call,
and what becomes of it: the answer, a batch file's detour through cmd.exe, or the error Win32 has for it.
"""

from __future__ import annotations

from dataclasses import dataclass

from ntos.abi.access import FILE_READ_ATTRIBUTES, FILE_READ_DATA, MAXIMUM_ALLOWED
from ntos.abi.errors import ERROR
from ntos.abi.layout.api import PS_CREATE_INFO
from ntos.abi.layout.section import SECTION_IMAGE_INFORMATION
from ntos.abi.layout.string import CLIENT_ID
from ntos.abi.layout.user import RTL_USER_PROCESS_PARAMETERS
from ntos.abi.layout.win32 import (
    PROCESS_INFORMATION,
    SECURITY_ATTRIBUTES,
    STARTUPINFOEXW,
    STARTUPINFOW,
)
from ntos.abi.pointer import Ptr
from ntos.abi.ps import (
    PROCESS_CREATE_FLAGS_BREAKAWAY,
    PROCESS_CREATE_FLAGS_INHERIT_FROM_PARENT,
    PROCESS_CREATE_FLAGS_INHERIT_HANDLES,
    PROCESS_CREATE_FLAGS_NO_DEBUG_INHERIT,
    PROCESS_CREATE_FLAGS_PROTECTED_PROCESS,
    THREAD_CREATE_FLAGS_CREATE_SUSPENDED,
)
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import BOOL, DWORD, HANDLE, PVOID, WCHAR
from ntos.abi.win32 import (
    CREATE_BREAKAWAY_FROM_JOB,
    CREATE_DEFAULT_ERROR_MODE,
    CREATE_NEW_CONSOLE,
    CREATE_NEW_PROCESS_GROUP,
    CREATE_NO_WINDOW,
    CREATE_PROTECTED_PROCESS,
    CREATE_SEPARATE_WOW_VDM,
    CREATE_SHARED_WOW_VDM,
    CREATE_SUSPENDED,
    CREATE_UNICODE_ENVIRONMENT,
    DEBUG_ONLY_THIS_PROCESS,
    DEBUG_PROCESS,
    DETACHED_PROCESS,
    EXTENDED_STARTUPINFO_PRESENT,
    INHERIT_PARENT_AFFINITY,
    MAX_PATH,
    REALTIME_PRIORITY_CLASS,
    STARTF_USEHOTKEY,
    STARTF_USESTDHANDLES,
)
from ntos.dll.kernelbase import outcome, program
from ntos.dll.kernelbase.attribute_list import ELEVATION_HANDLED, FORCE_BREAKAWAY, extended_flags, native_entries
from ntos.dll.kernelbase.objects import attributes, full_path, new_handle, nt_path, parameters, read_block
from ntos.dll.kernelbase.process import PRIORITY_CLASSES
from ntos.dll.kernelbase.search import file_attributes, is_directory
from ntos.dll.kernelbase.services import allocate_bytes, free, nt, rtl, rtl_status
from ntos.dll.kernelbase.text import export_both, optional_text
from ntos.rtl.nls.codepage import ansi
from ntos.rtl.text import to_utf16, unit_count
from ntos.um.export import WinError, export
from ntos.um.thread import Frame, UserThread

STARTF_HASSHELLDATA = 0x400
MAXIMUM_COMMAND_LINE = 32767
PS_CLIENT_ID, PS_IMAGE_NAME, PS_IMAGE_INFO = 0x10003, 0x20005, 6
PS_PRIORITY_CLASS, PS_ERROR_MODE, PS_STD_HANDLES = 0x20008, 0x20009, 0x2000A
PS_TOKEN, PS_DEBUG_OBJECT, PS_PARENT = 0x60002, 0x60001, 0x60000
CONSOLE_DETACHED, CONSOLE_NEW, CONSOLE_NO_WINDOW = -1, -2, -3
STD_HANDLES_REQUEST, STD_HANDLES_ALWAYS = 1, 2
INIT_FLAGS, SKIP_DEBUGGER = 0x2000_0003, 4
"""PS_CREATE_INFO: write the outcome, detect a manifest, refuse files with the characteristic DLL (0x2000)."""
NORMALIZED = 1
PROCESS_FORCE_BREAKAWAY = 0x400

@dataclass
class Request:
    """One CreateProcess call, its strings read."""

    application: str | None
    command_line: str | None
    process_security: Ptr[SECURITY_ATTRIBUTES] | None
    thread_security: Ptr[SECURITY_ATTRIBUTES] | None
    inherit: bool
    flags: int
    environment: int
    directory: str | None
    startup: STARTUPINFOW
    narrow: bool
    token: int = 0
    attributes: int = 0
    extended: int = 0
    """PROC_EXTENDED_FLAG_…"""
    skip_debugger: bool = False
    """The program is to be started itself, whatever its options say."""

    @property
    def console_flags(self) -> int:
        """Which console the child gets; CREATE_NO_WINDOW counts only alone."""
        return self.flags & (DETACHED_PROCESS | CREATE_NEW_CONSOLE) or self.flags & CREATE_NO_WINDOW

    @property
    def uses_handles(self) -> bool:
        """Whether STARTUPINFO names the standard handles."""
        flags = int(self.startup.dwFlags)
        return flags & STARTF_USESTDHANDLES != 0 and not flags & (STARTF_USEHOTKEY | STARTF_HASSHELLDATA)

    def text(self, address: int) -> str | None:
        """A string of the STARTUPINFO."""
        if not address:
            return None
        memory = self.startup.memory.origin
        if self.narrow:
            return ansi(Ptr[DWORD](memory, address).string())
        return Ptr[WCHAR](memory, address).text()


def check(request: Request) -> None:
    """Refuse what Windows refuses before it looks at any file."""
    flags = request.flags
    if request.application is None and request.command_line is None:
        raise WinError(ERROR.INVALID_PARAMETER)
    both_consoles = flags & DETACHED_PROCESS and flags & CREATE_NEW_CONSOLE
    both_machines = flags & CREATE_SEPARATE_WOW_VDM and flags & CREATE_SHARED_WOW_VDM
    if both_consoles or both_machines:
        raise WinError(ERROR.INVALID_PARAMETER)
    if request.command_line is not None and unit_count(request.command_line) >= MAXIMUM_COMMAND_LINE:
        raise WinError(ERROR.FILENAME_EXCED_RANGE)
    if flags & EXTENDED_STARTUPINFO_PRESENT:
        if int(request.startup.cb) != STARTUPINFOEXW.size:
            raise WinError(ERROR.INVALID_PARAMETER)
        view = STARTUPINFOEXW(request.startup.memory, request.startup.address)
        request.attributes = int(view.lpAttributeList)
        request.extended = extended_flags(request.startup.memory.origin, request.attributes)


async def directory_of(thread: UserThread, request: Request) -> str | None:
    """The child's current directory: full, short enough, and there."""
    if request.directory is None:
        return None
    full = full_path(thread, request.directory).full if request.directory else ""
    if not full or len(full) >= MAX_PATH or not is_directory(await file_attributes(thread, full)):
        raise WinError(ERROR.DIRECTORY)
    return full if full.endswith("\\") else full + "\\"


async def environment_of(thread: UserThread, request: Request) -> int:
    """The address of a UTF-16 block for the child in the heap, or 0 to inherit."""
    if not request.environment:
        return 0
    if request.flags & CREATE_UNICODE_ENVIRONMENT:
        return await allocate_bytes(thread, read_block(thread, request.environment))
    data = _ansi_block(thread, request.environment)
    return await allocate_bytes(thread, to_utf16(ansi(data)))


def _ansi_block(thread: UserThread, address: int) -> bytes:
    data = b""
    while not data.endswith(b"\0\0") and len(data) <= MAXIMUM_COMMAND_LINE:
        piece = Ptr[DWORD](thread.memory, address + len(data)).string() + b"\0"
        data += piece
        if piece == b"\0":
            break
    if len(data) > MAXIMUM_COMMAND_LINE:
        raise WinError(ERROR.INVALID_PARAMETER)
    return data if data.endswith(b"\0\0") else data + b"\0"


async def build_parameters(
    thread: UserThread,
    frame: Frame,
    request: Request,
    image: program.Program,
    directory: str | None,
    block: int,
) -> int:
    """RTL_USER_PROCESS_PARAMETERS in the heap, normalised (RtlCreateProcessParametersEx)."""
    startup, own = request.startup, parameters(thread)
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
    view.ProcessGroupId = 0 if _starts_group(request) else own.ProcessGroupId
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


def _starts_group(request: Request) -> bool:
    return request.flags & (CREATE_NEW_PROCESS_GROUP | CREATE_NEW_CONSOLE) == CREATE_NEW_PROCESS_GROUP


def _choose_console(request: Request, view: RTL_USER_PROCESS_PARAMETERS, own: RTL_USER_PROCESS_PARAMETERS) -> None:
    chosen = {
        DETACHED_PROCESS: CONSOLE_DETACHED,
        CREATE_NEW_CONSOLE: CONSOLE_NEW,
        CREATE_NO_WINDOW: CONSOLE_NO_WINDOW,
    }.get(request.console_flags)
    view.ConsoleHandle = own.ConsoleHandle if chosen is None else chosen
    view.ConsoleFlags = int(own.ConsoleFlags) & 1 if chosen is None else 0
    if _starts_group(request):
        view.ConsoleFlags = int(view.ConsoleFlags) | 1


def _choose_handles(request: Request, view: RTL_USER_PROCESS_PARAMETERS, own: RTL_USER_PROCESS_PARAMETERS) -> None:
    """Standard handles: the caller's words, the caller's own, or none that could be valid."""
    startup = request.startup
    if request.uses_handles:
        view.StandardInput, view.StandardOutput = startup.hStdInput, startup.hStdOutput
        view.StandardError = startup.hStdError
    elif request.console_flags & (DETACHED_PROCESS | CREATE_NEW_CONSOLE):
        view.StandardInput = view.StandardOutput = view.StandardError = PVOID(0)
        if int(startup.dwFlags) & (STARTF_USEHOTKEY | STARTF_HASSHELLDATA):
            view.StandardInput, view.StandardOutput = startup.hStdInput, startup.hStdOutput
    else:
        view.StandardInput, view.StandardOutput = own.StandardInput, own.StandardOutput
        view.StandardError = own.StandardError


@dataclass
class Answer:
    """Where the kernel puts what it made."""

    process: Ptr[HANDLE]
    thread: Ptr[HANDLE]
    client: CLIENT_ID
    image: SECTION_IMAGE_INFORMATION
    info: PS_CREATE_INFO


async def _attribute_list(
    thread: UserThread, frame: Frame, request: Request, image: program.Program, answer: Answer
) -> int:
    name = to_utf16(image.nt_path)
    entries = [
        (PS_IMAGE_NAME, len(name), frame.bytes(name)),
        (PS_CLIENT_ID, CLIENT_ID.size, answer.client.address),
        (PS_IMAGE_INFO, SECTION_IMAGE_INFORMATION.size, answer.image.address),
    ]
    own = native_entries(thread, frame, request.attributes) if request.attributes else []
    if any(kind == 0x2000B for kind, _, _ in own) and not request.inherit:
        raise WinError(ERROR.INVALID_PARAMETER)
    parent = any(kind == PS_PARENT for kind, _, _ in own)
    priority = await _priority(thread, request.flags)
    if priority:
        entries.append((PS_PRIORITY_CLASS, 1, frame.bytes(bytes([priority]))))
    if request.flags & CREATE_DEFAULT_ERROR_MODE:
        entries.append((PS_ERROR_MODE, 4, frame.bytes((1).to_bytes(4, "little"))))
    if request.token:
        entries.append((PS_TOKEN, 8, request.token))
    if request.flags & (DEBUG_PROCESS | DEBUG_ONLY_THIS_PROCESS):
        await rtl_status(thread, "DbgUiConnectToDbg")
        entries.append((PS_DEBUG_OBJECT, 8, await rtl(thread, "DbgUiGetThreadDebugObject")))
    handles = _std_handle_info(request, parent=parent)
    if handles:
        entries.append((PS_STD_HANDLES, 8, frame.bytes(handles)))
    words = [word for entry in entries + own for word in (*entry, 0)]
    body = b"".join(word.to_bytes(8, "little") for word in words)
    return frame.bytes((len(body) + 8).to_bytes(8, "little") + body)


def _std_handle_info(request: Request, *, parent: bool) -> bytes:
    """PS_STD_HANDLE_INFO: when the kernel is to hand standard handles on by itself."""
    if request.uses_handles:
        return (STD_HANDLES_ALWAYS | 7 << 2).to_bytes(4, "little") + bytes(4) if parent else b""
    listed = request.attributes != 0 and request.inherit
    if parent or request.console_flags or (request.inherit and not listed):
        return b""
    return STD_HANDLES_REQUEST.to_bytes(4, "little") + outcome.SUBSYSTEM_CUI.to_bytes(4, "little")


async def _priority(thread: UserThread, flags: int) -> int:
    """The class of the lowest priority bit; REALTIME without the privilege is HIGH."""
    for flag, number in PRIORITY_CLASSES.items():
        if flags & flag:
            if flag == REALTIME_PRIORITY_CLASS:
                with thread.frame() as frame:
                    status = await rtl(thread, "RtlAdjustPrivilege", 14, 1, 0, frame.allocate(8))
                return 3 if status & 0xFFFF_FFFF else number
            return number
    return 0


def _process_flags(request: Request) -> int:
    flags = request.flags
    return (
        (PROCESS_CREATE_FLAGS_INHERIT_HANDLES if request.inherit else 0)
        | (PROCESS_CREATE_FLAGS_BREAKAWAY if flags & CREATE_BREAKAWAY_FROM_JOB else 0)
        | (PROCESS_CREATE_FLAGS_NO_DEBUG_INHERIT if flags & DEBUG_ONLY_THIS_PROCESS else 0)
        | (PROCESS_CREATE_FLAGS_PROTECTED_PROCESS if flags & CREATE_PROTECTED_PROCESS else 0)
        | (PROCESS_CREATE_FLAGS_INHERIT_FROM_PARENT if flags & INHERIT_PARENT_AFFINITY else 0)
        | (PROCESS_FORCE_BREAKAWAY if request.extended & FORCE_BREAKAWAY else 0)
    )


def _room(frame: Frame) -> Answer:
    return Answer(
        new_handle(frame),
        new_handle(frame),
        frame.new(CLIENT_ID),
        frame.new(SECTION_IMAGE_INFORMATION),
        frame.new(PS_CREATE_INFO),
    )


async def _ask_kernel(
    thread: UserThread, frame: Frame, request: Request, image: program.Program, block: int, answer: Answer
) -> None:
    answer.info.Size = PS_CREATE_INFO.size
    skip = request.skip_debugger or request.flags & (DEBUG_PROCESS | DEBUG_ONLY_THIS_PROCESS)
    answer.info.InitState.InitFlags = INIT_FLAGS | (SKIP_DEBUGGER if skip else 0)
    answer.info.InitState.AdditionalFileAccess = FILE_READ_ATTRIBUTES | FILE_READ_DATA
    listing = await _attribute_list(thread, frame, request, image, answer)
    await nt.NtCreateUserProcess(
        thread,
        answer.process.address,
        answer.thread.address,
        MAXIMUM_ALLOWED,
        MAXIMUM_ALLOWED,
        attributes(frame, flags=0, security=request.process_security),
        attributes(frame, flags=0, security=request.thread_security),
        _process_flags(request),
        THREAD_CREATE_FLAGS_CREATE_SUSPENDED,
        block,
        answer.info.address,
        listing,
    )


async def _finish(thread: UserThread, request: Request, answer: Answer, result: PROCESS_INFORMATION) -> None:
    """Checks after success, the answer, and the start of the first thread."""
    process, first = int(answer.process.read()), int(answer.thread.read())
    for handle in (int(answer.info.SuccessState.FileHandle), int(answer.info.SuccessState.SectionHandle)):
        if handle:
            await nt.NtClose(thread, handle)
    error = outcome.image_error(answer.image)
    status = STATUS.INVALID_IMAGE_FORMAT
    if not error and not request.extended & ELEVATION_HANDLED:
        error, status = await outcome.elevation_error(thread, process, answer.info), STATUS.ELEVATION_REQUIRED
    if error:
        await outcome.discard(thread, process, first, status)
        raise WinError(error)
    result.hProcess, result.hThread = process, first
    result.dwProcessId, result.dwThreadId = answer.client.UniqueProcess, answer.client.UniqueThread
    if not request.flags & CREATE_SUSPENDED:
        await nt.NtResumeThread(thread, first, 0)


async def create_process(thread: UserThread, request: Request, result: PROCESS_INFORMATION) -> None:
    """CreateProcessInternalW."""
    result.clear()
    check(request)
    while not await _attempt(thread, request, result):
        check(request)


async def _attempt(thread: UserThread, request: Request, result: PROCESS_INFORMATION) -> bool:
    """One way through all stages; False where the request now names another program to begin again with."""
    directory = await directory_of(thread, request)
    image = await program.resolve(thread, request.application, request.command_line)
    image.nt_path = nt_path(thread, image.path)
    environment = await environment_of(thread, request)
    block = 0
    try:
        with thread.frame() as frame:
            block = await build_parameters(thread, frame, request, image, directory, environment)
            answer = _room(frame)
            try:
                await _ask_kernel(thread, frame, request, image, block, answer)
            except NtError as error:
                if not await _another(thread, request, image, answer, error):
                    raise outcome.mapped(error, answer.info) from error
                return False
            await _finish(thread, request, answer, result)
            return True
    finally:
        if block:
            await rtl(thread, "RtlDestroyProcessParameters", block)
        if environment:
            await free(thread, environment)


async def _another(
    thread: UserThread, request: Request, image: program.Program, answer: Answer, error: NtError
) -> bool:
    """Whether another program is to run in place of the one that could not."""
    batch = outcome.batch_line(thread, image, error)
    if batch is not None:
        request.application, request.command_line = batch
        return True
    debugger = await outcome.debugger_of(thread, answer.info)
    if debugger is None:
        return False
    if debugger:
        request.application, request.command_line = None, f"{debugger} {image.command_line}"
    request.skip_debugger = not debugger
    return True


def _request(
    thread: UserThread,
    application: Ptr[WCHAR],
    line: Ptr[WCHAR],
    process: Ptr[SECURITY_ATTRIBUTES] | None,
    first: Ptr[SECURITY_ATTRIBUTES] | None,
    inherit: int,
    flags: int,
    environment: int,
    directory: Ptr[WCHAR],
    startup: Ptr[STARTUPINFOW],
    result: Ptr[PROCESS_INFORMATION],
    *,
    narrow: bool,
) -> Request:
    if not startup or not result:
        raise WinError(ERROR.INVALID_PARAMETER)
    return Request(
        optional_text(application),
        optional_text(line),
        process,
        first,
        bool(inherit),
        flags,
        environment,
        optional_text(directory),
        startup.read(),
        narrow,
    )


@export_both()
async def CreateProcessW(
    thread: UserThread,
    lpApplicationName: Ptr[WCHAR],
    lpCommandLine: Ptr[WCHAR],
    lpProcessAttributes: Ptr[SECURITY_ATTRIBUTES] | None,
    lpThreadAttributes: Ptr[SECURITY_ATTRIBUTES] | None,
    bInheritHandles: BOOL,
    dwCreationFlags: DWORD,
    lpEnvironment: PVOID,
    lpCurrentDirectory: Ptr[WCHAR],
    lpStartupInfo: Ptr[STARTUPINFOW],
    lpProcessInformation: Ptr[PROCESS_INFORMATION],
) -> BOOL:
    """Start a program."""
    request = _request(
        thread, lpApplicationName, lpCommandLine, lpProcessAttributes, lpThreadAttributes, bInheritHandles,
        dwCreationFlags, lpEnvironment, lpCurrentDirectory, lpStartupInfo,
        lpProcessInformation, narrow=lpStartupInfo.target is not STARTUPINFOW,
    )  # fmt: skip
    await create_process(thread, request, lpProcessInformation.read())
    return BOOL(1)


@export_both()
async def CreateProcessAsUserW(
    thread: UserThread,
    hToken: HANDLE,
    lpApplicationName: Ptr[WCHAR],
    lpCommandLine: Ptr[WCHAR],
    lpProcessAttributes: Ptr[SECURITY_ATTRIBUTES] | None,
    lpThreadAttributes: Ptr[SECURITY_ATTRIBUTES] | None,
    bInheritHandles: BOOL,
    dwCreationFlags: DWORD,
    lpEnvironment: PVOID,
    lpCurrentDirectory: Ptr[WCHAR],
    lpStartupInfo: Ptr[STARTUPINFOW],
    lpProcessInformation: Ptr[PROCESS_INFORMATION],
) -> BOOL:
    """Start a program under a token."""
    request = _request(
        thread, lpApplicationName, lpCommandLine, lpProcessAttributes, lpThreadAttributes, bInheritHandles,
        dwCreationFlags, lpEnvironment, lpCurrentDirectory, lpStartupInfo,
        lpProcessInformation, narrow=lpStartupInfo.target is not STARTUPINFOW,
    )  # fmt: skip
    request.token = hToken
    await create_process(thread, request, lpProcessInformation.read())
    return BOOL(1)


@export
async def CreateProcessInternalW(
    thread: UserThread,
    hUserToken: HANDLE,
    lpApplicationName: Ptr[WCHAR],
    lpCommandLine: Ptr[WCHAR],
    lpProcessAttributes: Ptr[SECURITY_ATTRIBUTES] | None,
    lpThreadAttributes: Ptr[SECURITY_ATTRIBUTES] | None,
    bInheritHandles: BOOL,
    dwCreationFlags: DWORD,
    lpEnvironment: PVOID,
    lpCurrentDirectory: Ptr[WCHAR],
    lpStartupInfo: Ptr[STARTUPINFOW],
    lpProcessInformation: Ptr[PROCESS_INFORMATION],
    hRestrictedUserToken: Ptr[HANDLE] | None,
) -> BOOL:
    """What the others call on Windows, and some programs too."""
    request = _request(
        thread, lpApplicationName, lpCommandLine, lpProcessAttributes, lpThreadAttributes, bInheritHandles,
        dwCreationFlags, lpEnvironment, lpCurrentDirectory, lpStartupInfo,
        lpProcessInformation, narrow=False,
    )  # fmt: skip
    request.token = hUserToken
    if hRestrictedUserToken is not None:
        hRestrictedUserToken.write(0)
    await create_process(thread, request, lpProcessInformation.read())
    return BOOL(1)

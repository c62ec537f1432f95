"""Starting programs: spawn, exec, system, popen, cwait (process.h, stdio.h).

A child gets this process's inheritable descriptors through STARTUPINFO.lpReserved2, as every Visual C++ runtime
hands them on.
"""

from __future__ import annotations

import struct

from ntos.abi.layout.win32 import PROCESS_INFORMATION, STARTUPINFOW
from ntos.abi.pointer import Ptr
from ntos.abi.types import INT, PVOID, ULONG
from ntos.dll.ucrtbase import files, lowio
from ntos.dll.ucrtbase.crt import CrtError, crt, process_data, succeed, va_start, win32
from ntos.dll.ucrtbase.environment import lookup_wide, table_addresses
from ntos.dll.ucrtbase.errno import ERRNO
from ntos.dll.ucrtbase.paths import path_text
from ntos.dll.ucrtbase.stdio import close_stream, parse_mode
from ntos.dll.ucrtbase.stream import flush_all, new_stream
from ntos.dll.ucrtbase.strings import load
from ntos.dll.ucrtbase.termination import end_process
from ntos.um.thread import UserThread

P_WAIT, P_NOWAIT, P_OVERLAY, P_NOWAITO, P_DETACH = range(5)
CREATE_UNICODE_ENVIRONMENT, DETACHED_PROCESS = 0x400, 8
USE_STANDARD_HANDLES = 0x100
INFINITE = 0xFFFF_FFFF
MISSING = 0xFFFF_FFFF
EXTENSIONS = (".com", ".exe", ".bat", ".cmd")


def descriptor_block(thread: UserThread, *, only: dict[int, int] | None = None) -> bytes:
    """What lpReserved2 leads to: a count, a flag byte each, a handle each."""
    flags, handles = bytearray(), []
    data = process_data(thread)
    last = max((index for index in range(lowio.BLOCKS) if data.files[index]), default=-1)
    for descriptor in range((last + 1) * lowio.BLOCK):
        info = lowio.slot(thread, descriptor)
        kept = info.osfile & lowio.FOPEN and not info.osfile & lowio.FNOINHERIT
        flags.append(int(info.osfile) if kept else 0)
        handles.append(int(info.osfhnd) if kept else lowio.NO_HANDLE)
    for descriptor, handle in (only or {}).items():
        flags[descriptor], handles[descriptor] = lowio.FOPEN | lowio.FPIPE | lowio.FTEXT, handle
    while flags and not flags[-1]:
        flags.pop()
        handles.pop()
    return struct.pack("<I", len(flags)) + bytes(flags) + b"".join(handle.to_bytes(8, "little") for handle in handles)


async def create_process(
    thread: UserThread, program: str, command_line: str, environment: bytes | None, flags: int = 0,
    standard: dict[int, int] | None = None,
) -> int:  # fmt: skip
    """CreateProcess; the new process's handle."""
    await flush_all(thread)
    with thread.frame() as frame:
        start, made = frame.new(STARTUPINFOW), frame.new(PROCESS_INFORMATION)
        start.cb = STARTUPINFOW.size
        block = descriptor_block(thread, only=standard)
        start.cbReserved2, start.lpReserved2 = len(block), frame.bytes(block)
        if standard is not None:
            start.dwFlags = USE_STANDARD_HANDLES
            for descriptor, field in enumerate(("hStdInput", "hStdOutput", "hStdError")):
                setattr(start, field, standard.get(descriptor, int(lowio.slot(thread, descriptor).osfhnd)))
        variables = frame.bytes(environment) if environment is not None else 0
        await succeed(
            thread, "CreateProcessW", frame.wide(program) if program else 0, frame.wide(command_line), 0, 0, 1,
            flags | CREATE_UNICODE_ENVIRONMENT, variables, 0, start.address, made.address,
        )  # fmt: skip
        await win32(thread, "CloseHandle", int(made.hThread))
        return int(made.hProcess)


async def wait_for(thread: UserThread, handle: int) -> int:
    """Wait for a process; its exit code. The handle is closed."""
    with thread.frame() as frame:
        code = frame.new(ULONG)
        await win32(thread, "WaitForSingleObject", handle, INFINITE)
        await win32(thread, "GetExitCodeProcess", handle, code.address)
        result = int(code.read())
    await win32(thread, "CloseHandle", handle)
    return result


async def _exists(thread: UserThread, path: str) -> bool:
    with thread.frame() as frame:
        return await win32(thread, "GetFileAttributesW", frame.wide(path)) & 0xFFFF_FFFF != MISSING


async def find_program(thread: UserThread, name: str, *, search: bool) -> str:
    """The file to start: the name, or with .com, .exe, .bat or .cmd; along PATH if asked and it has no folder."""
    folders = [""]
    if search and not set(name) & set("\\/:"):
        place = await lookup_wide(thread, "PATH")
        path = load(thread, place, 2).decode("utf-16-le", "surrogatepass") if place else ""
        folders += [folder.strip('"').rstrip("\\/") + "\\" for folder in path.split(";") if folder]
    tail = name.replace("/", "\\").rsplit("\\", 1)[-1]
    endings = ("",) if "." in tail else EXTENSIONS
    for folder in folders:
        for ending in endings:
            if await _exists(thread, folder + name + ending):
                return folder + name + ending
    raise CrtError(ERRNO.ENOENT)


def environment_block(thread: UserThread, table: int, unit: int) -> bytes | None:
    """A caller's environment array as a block; None for NULL."""
    if not table:
        return None
    strings = [path_text(thread, place, unit) for place in table_addresses(thread, table)]
    return "".join(text + "\0" for text in strings).encode("utf-16-le", "surrogatepass") + b"\0\0\0\0"


async def spawn(
    thread: UserThread, mode: int, name: str, arguments: list[str], environment: bytes | None, *, search: bool
) -> int:
    """spawn: an exit code, or a process handle, or (overlay) no return."""
    if not P_WAIT <= mode <= P_DETACH or not arguments or not arguments[0]:
        raise CrtError(ERRNO.EINVAL)
    program = await find_program(thread, name, search=search)
    flags = DETACHED_PROCESS if mode == P_DETACH else 0
    line = " ".join(arguments)
    target = program
    if program.lower().endswith((".bat", ".cmd")):
        target, line = "", f'cmd.exe /c "{program}" ' + " ".join(arguments[1:])
    handle = await create_process(thread, target, line, environment, flags)
    if mode == P_OVERLAY:
        await end_process(thread, 0)
    if mode == P_WAIT:
        return await wait_for(thread, handle)
    if mode == P_DETACH:
        await win32(thread, "CloseHandle", handle)
        return 0
    return handle


def _strings(thread: UserThread, table: int, unit: int) -> list[str]:
    return [path_text(thread, place, unit) for place in table_addresses(thread, table)]


def _declare_vectors(unit: int, mark: str, suffix: str) -> None:
    """spawnv, spawnve, spawnvp, spawnvpe and the exec forms."""
    search, variables = "p" in suffix, "e" in suffix

    async def spawnv(thread: UserThread, mode: INT, name: PVOID, argv: PVOID, envp: PVOID) -> PVOID:
        """Start a program; arguments in an array."""
        block = environment_block(thread, envp if variables else 0, unit)
        arguments = _strings(thread, argv, unit)
        return PVOID(await spawn(thread, mode, path_text(thread, name, unit), arguments, block, search=search))

    async def execv(thread: UserThread, name: PVOID, argv: PVOID, envp: PVOID) -> PVOID:
        """Become another program; arguments in an array."""
        block = environment_block(thread, envp if variables else 0, unit)
        arguments = _strings(thread, argv, unit)
        return PVOID(await spawn(thread, P_OVERLAY, path_text(thread, name, unit), arguments, block, search=search))

    async def listed(thread: UserThread, mode: int, name: int, start: int) -> int:
        items = table_addresses(thread, start)
        block = None
        if variables:
            block = environment_block(thread, PVOID.load(thread.memory, start + 8 * (len(items) + 1)), unit)
        arguments = [path_text(thread, place, unit) for place in items]
        return await spawn(thread, mode, path_text(thread, name, unit), arguments, block, search=search)

    async def spawnl(thread: UserThread, mode: INT, name: PVOID) -> PVOID:
        """Start a program; arguments one by one."""
        return PVOID(await listed(thread, mode, name, va_start(thread, 2)))

    async def execl(thread: UserThread, name: PVOID) -> PVOID:
        """Become another program; arguments one by one."""
        return PVOID(await listed(thread, P_OVERLAY, name, va_start(thread, 1)))

    failed = 0xFFFF_FFFF_FFFF_FFFF
    crt(name=f"_{mark}spawnv{suffix}", fails=failed)(spawnv)
    crt(name=f"_{mark}execv{suffix}", fails=failed)(execv)
    crt(name=f"_{mark}spawnl{suffix}", fails=failed)(spawnl)
    crt(name=f"_{mark}execl{suffix}", fails=failed)(execl)


for _suffix in ("", "e", "p", "pe"):
    _declare_vectors(1, "", _suffix)
    _declare_vectors(2, "w", _suffix)


@crt(fails=-1)
async def _cwait(thread: UserThread, status: Ptr[INT] | None, handle: PVOID, action: INT) -> PVOID:
    """Wait for a child of spawn."""
    if handle in {0, lowio.NO_HANDLE, 0xFFFF_FFFF_FFFF_FFFE}:
        raise CrtError(ERRNO.ECHILD)
    code = await wait_for(thread, handle)
    if status is not None:
        status.write(code)
    return PVOID(handle)


# ------------------------------------------------------------------------------ the command interpreter


async def _interpreter(thread: UserThread) -> str:
    place = await lookup_wide(thread, "COMSPEC")
    return load(thread, place, 2).decode("utf-16-le", "surrogatepass") if place else "cmd.exe"


async def run_command(thread: UserThread, command: str | None) -> int:
    """system: the command's exit code; for NULL, whether there is an interpreter."""
    comspec = await _interpreter(thread)
    if command is None:
        return int(await _exists(thread, comspec))
    program = comspec if await _exists(thread, comspec) else await find_program(thread, "cmd.exe", search=True)
    return await wait_for(thread, await create_process(thread, program, f"{program} /c {command}", None))


@crt(fails=-1)
async def system(thread: UserThread, command: PVOID) -> INT:
    """Have the command interpreter run a command."""
    return INT(await run_command(thread, path_text(thread, command, 1) if command else None))


@crt(fails=-1)
async def _wsystem(thread: UserThread, command: PVOID) -> INT:
    """Have the command interpreter run a command."""
    return INT(await run_command(thread, path_text(thread, command, 2) if command else None))


async def open_pipe(thread: UserThread, command: str, mode: str) -> int:
    """popen: a stream to or from a command."""
    flags, stream_flags = parse_mode(thread, mode)
    reading = mode.lstrip()[:1] == "r"
    with thread.frame() as frame:
        ends = frame.allocate(16)
        security = frame.bytes(struct.pack("<QQQ", 24, 0, 1))
        await succeed(thread, "CreatePipe", ends, ends + 8, security, 1024)
        read_end, write_end = PVOID.load(thread.memory, ends), PVOID.load(thread.memory, ends + 8)
    ours, theirs = (read_end, write_end) if reading else (write_end, read_end)
    own = await files.duplicate_handle(thread, ours, inherit=False)
    await win32(thread, "CloseHandle", ours)
    program = await _interpreter(thread)
    try:
        child = await create_process(
            thread, program, f"{program} /c {command}", None, standard={1 if reading else 0: theirs}
        )
    except CrtError:
        await win32(thread, "CloseHandle", own)
        raise
    finally:
        await win32(thread, "CloseHandle", theirs)
    text = 0 if flags & files.O_BINARY else lowio.FTEXT
    descriptor = await lowio.attach(thread, own, lowio.FPIPE | lowio.FNOINHERIT | text)
    stream = await new_stream(thread, descriptor, stream_flags)
    thread.state(files.Pipes).processes[stream.address] = child
    return stream.address


@crt
async def _popen(thread: UserThread, command: PVOID, mode: PVOID) -> PVOID:
    """A stream to or from a command."""
    return PVOID(await open_pipe(thread, path_text(thread, command, 1), path_text(thread, mode, 1)))


@crt
async def _wpopen(thread: UserThread, command: PVOID, mode: PVOID) -> PVOID:
    """A stream to or from a command."""
    return PVOID(await open_pipe(thread, path_text(thread, command, 2), path_text(thread, mode, 2)))


@crt(fails=-1)
async def _pclose(thread: UserThread, stream: PVOID) -> INT:
    """Close the stream and wait for the command; its exit code."""
    child = thread.state(files.Pipes).processes.get(stream)
    if child is None:
        raise CrtError(ERRNO.EBADF)
    await close_stream(thread, stream)
    return INT(await wait_for(thread, child))


@crt
def _getpid(thread: UserThread) -> INT:
    """GetCurrentProcessId."""
    return INT(int.from_bytes(thread.memory.read(thread.context.gs_base + 0x40, 4), "little"))

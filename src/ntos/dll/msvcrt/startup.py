"""msvcrt's own start-up and end: __getmainargs, _onexit, its locks, the fill and flush behind getc and putc."""

from __future__ import annotations

from ntos.abi.layout.win32 import CRITICAL_SECTION
from ntos.abi.pointer import Ptr
from ntos.abi.types import BOOL, DWORD, INT, PVOID, UINT
from ntos.dll.msvcrt.entry import DATA, LOCK_COUNT, LOCK_SIZE, LOCKS, STATE
from ntos.dll.ucrtbase.clock import zone_of
from ntos.dll.ucrtbase.crt import (
    Crt,
    ProcessData,
    allocate,
    process_data,
    release,
    release_thread_data,
    set_errno,
)
from ntos.dll.ucrtbase.ctype import class_table
from ntos.dll.ucrtbase.environment import narrow_environment, wide_environment
from ntos.dll.ucrtbase.errno import ERRNO
from ntos.dll.ucrtbase.startup import attach, narrow_arguments, wide_arguments
from ntos.dll.ucrtbase.stream import Stream, enter_section, leave_section, locked, standard
from ntos.dll.ucrtbase.termination import register, table_of
from ntos.dll.ucrtbase.utility import error_list
from ntos.um import images
from ntos.um.export import export
from ntos.um.thread import UserThread

PROCESS_ATTACH, THREAD_DETACH = 1, 3
TABLE_ROOM = 32


@export
async def DllMain(thread: UserThread, hinstDLL: PVOID, fdwReason: DWORD, lpvReserved: PVOID) -> BOOL:
    """The loader's calls: variables and descriptors at attach, a leaving thread's memory."""
    if fdwReason == PROCESS_ATTACH:
        state = thread.state(Crt)
        rvas = images.build("msvcrt").rvas
        state.msvcrt_base = hinstDLL
        state.variables = {name: hinstDLL + rvas[name] for name in DATA}
        if not state.address:
            state.address = state.variables[STATE]
            process_data(thread).initialize()
        await attach(thread, "msvcrt", hinstDLL)
        await narrow_arguments(thread, 0)
        await wide_arguments(thread, 0)
        await zone_of(thread)
        await error_list(thread)
        table = class_table(thread)
        PVOID.store(thread.memory, state.variables["_pctype"], table)
        PVOID.store(thread.memory, state.variables["_pwctype"], table)
        standard(thread)
        _mirror(thread)
    elif fdwReason == THREAD_DETACH:
        release_thread_data(thread)
    return BOOL(1)


def _mirror(thread: UserThread) -> None:
    """Where ucrtbase came first, its variables are the process's: msvcrt's exports start as copies."""
    state = thread.state(Crt)
    if state.address != state.variables[STATE]:
        thread.memory.write(state.variables[STATE], thread.memory.read(state.address, ProcessData.offset("exit_table")))


@export
async def __getmainargs(
    thread: UserThread, argc: Ptr[INT], argv: Ptr[PVOID], envp: Ptr[PVOID], expand: INT, start_info: Ptr[INT] | None
) -> INT:
    """Arguments and environment of main; wildcards expanded if asked for."""
    await narrow_arguments(thread, 2 if expand else 1)
    await narrow_environment(thread)
    data = process_data(thread)
    _mirror(thread)
    argc.write(int(data.argc))
    argv.write(int(data.argv))
    envp.write(int(data.environ))
    PVOID.store(thread.memory, thread.state(Crt).variables["__initenv"], int(data.environ))
    if start_info is not None:
        data.new_mode = start_info.read()
    return INT(0)


@export
async def __wgetmainargs(
    thread: UserThread, argc: Ptr[INT], argv: Ptr[PVOID], envp: Ptr[PVOID], expand: INT, start_info: Ptr[INT] | None
) -> INT:
    """Arguments and environment of wmain; wildcards expanded if asked for."""
    await wide_arguments(thread, 2 if expand else 1)
    await wide_environment(thread)
    data = process_data(thread)
    _mirror(thread)
    argc.write(int(data.argc))
    argv.write(int(data.wargv))
    envp.write(int(data.wenviron))
    PVOID.store(thread.memory, thread.state(Crt).variables["__winitenv"], int(data.wenviron))
    if start_info is not None:
        data.new_mode = start_info.read()
    return INT(0)


@export(partial="the members of lconv that are CHAR_MAX stay 127")
def __lconv_init(thread: UserThread) -> INT:
    """Let CHAR_MAX of lconv be that of unsigned characters."""
    return INT(0)


@export
def __iob_func(thread: UserThread) -> PVOID:
    """The table of streams."""
    return PVOID(thread.state(Crt).variables["_iob"])


# ------------------------------------------------------------------------------ onexit


@export
async def _onexit(thread: UserThread, function: PVOID) -> PVOID:
    """A function for exit to call; NULL where there is no room."""
    return PVOID(function if await register(thread, table_of(thread, "exit_table"), function) == 0 else 0)


@export
async def __dllonexit(thread: UserThread, function: PVOID, begin: Ptr[PVOID], end: Ptr[PVOID]) -> PVOID:
    """Append to a module's own table, which grows by moving."""
    first, last = begin.read(), end.read()
    block = await allocate(thread, last - first + 8)
    if not block:
        return PVOID(0)
    thread.memory.write(block, thread.memory.read(first, last - first) + function.to_bytes(8, "little"))
    await release(thread, first)
    begin.write(block)
    end.write(block + last - first + 8)
    return PVOID(function)


# ------------------------------------------------------------------------------ locks


def _section(thread: UserThread, number: int) -> CRITICAL_SECTION:
    return CRITICAL_SECTION(thread.memory, thread.state(Crt).variables[LOCKS] + number % LOCK_COUNT * LOCK_SIZE)


@export
async def _lock(thread: UserThread, locknum: INT) -> None:
    """Take one of the runtime's locks."""
    await enter_section(thread, _section(thread, locknum))


@export
async def _unlock(thread: UserThread, locknum: INT) -> None:
    """Give it back."""
    await leave_section(thread, _section(thread, locknum))


# ------------------------------------------------------------------------------ behind the macros


@export
async def _filbuf(thread: UserThread, stream: PVOID) -> INT:
    """What getc calls when the buffer is empty."""
    file = Stream(thread, stream)
    if int(file.view.cnt) < 0:
        file.view.cnt = 0
    async with locked(thread, stream) as opened:
        return INT(await opened.get())


@export
async def _flsbuf(thread: UserThread, character: INT, stream: PVOID) -> INT:
    """What putc calls when the buffer is full."""
    file = Stream(thread, stream)
    if int(file.view.cnt) < 0:
        file.view.cnt = 0
    async with locked(thread, stream) as opened:
        await opened.write(bytes([character & 0xFF]))
    return INT(character & 0xFF)


# ------------------------------------------------------------------------------ versions


def _version_variable(thread: UserThread, name: str, value: Ptr[UINT] | None) -> INT:
    if value is None:
        set_errno(thread, ERRNO.EINVAL)
        return INT(ERRNO.EINVAL)
    value.write(UINT.load(thread.memory, thread.state(Crt).variables[name]))
    return INT(0)


@export
def _get_osver(thread: UserThread, value: Ptr[UINT] | None) -> INT:
    """The build number."""
    return _version_variable(thread, "_osver", value)


@export
def _get_winver(thread: UserThread, value: Ptr[UINT] | None) -> INT:
    """Major and minor version."""
    return _version_variable(thread, "_winver", value)


@export
def _get_winmajor(thread: UserThread, value: Ptr[UINT] | None) -> INT:
    """The major version."""
    return _version_variable(thread, "_winmajor", value)


@export
def _get_winminor(thread: UserThread, value: Ptr[UINT] | None) -> INT:
    """The minor version."""
    return _version_variable(thread, "_winminor", value)


@export
def _get_osplatform(thread: UserThread, value: Ptr[UINT] | None) -> INT:
    """VER_PLATFORM_WIN32_NT."""
    return _version_variable(thread, "_osplatform", value)


@export
def _get_environ(thread: UserThread, value: Ptr[PVOID]) -> INT:
    """_environ."""
    value.write(int(process_data(thread).environ))
    return INT(0)


@export
def _get_wenviron(thread: UserThread, value: Ptr[PVOID]) -> INT:
    """_wenviron."""
    value.write(int(process_data(thread).wenviron))
    return INT(0)

"""What every part of the C runtime stands on: its registration, errno, its memory, the way to the Win32 API.

One body serves `ucrtbase` and `msvcrt`: `@crt` registers a function under each of its names in each runtime
that exports that name. The runtime asks Windows as its PE original does: through the exports of kernelbase,
found
in the process and called as guest code, so that a hooked or replaced kernelbase sees every call.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, cast, overload

from ntos.abi.exports import export_names
from ntos.abi.layout.user import RTL_USER_PROCESS_PARAMETERS
from ntos.abi.pointer import Ptr
from ntos.abi.status import STATUS, NtError
from ntos.abi.struct import Struct, array, at
from ntos.abi.types import CHAR, INT, PVOID, UCHAR, ULONG, WCHAR
from ntos.dll.ucrtbase.errno import ERRNO, from_win32
from ntos.um import nt
from ntos.um.export import dos_error, export, last_error
from ntos.um.modules import find_export, find_module
from ntos.um.thread import UserThread

F = TypeVar("F", bound=Callable[..., Any])
MSVCRT_MORE = frozenset(
    [
        "isprint",
        "vsprintf_s",
        "_vscprintf",
        "swprintf",
        "vswprintf",
        "tmpfile",
        "_snprintf",
        "memmove_s",
        "memcpy_s",
        "_wcsnset_s",
        "strerror_s",
        "_putenv_s",
        "_get_errno",
        "_set_errno",
        "_get_doserrno",
        "_set_doserrno",
        "_get_fmode",
        "_set_fmode",
        "_initterm_e",
        "_dupenv_s",
        "rand_s",
        "_access_s",
        "_chsize_s",
        "_fread_nolock",
        "_fwrite_nolock",
        "_fstat64i32",
        "_stat64i32",
        "_wstat64i32",
        "_findfirst64i32",
        "_findnext64i32",
        "_wfindfirst64i32",
        "_wfindnext64i32",
        "_fseeki64",
        "_ftelli64",
        "_fputc_nolock",
        "_fgetc_nolock",
        "_lock_file",
        "_unlock_file",
        "_localtime64_s",
        "_gmtime64_s",
        "_localtime32_s",
        "_gmtime32_s",
        "_msize",
        "_recalloc",
        "_aligned_msize",
        "_mkgmtime32",
        "_mktime64",
        "_difftime64",
        "_time64",
        "asctime_s",
        "_ctime64_s",
        "strnlen",
        "wcsnlen",
        "wcstok",
        "wcstok_s",
        "_get_timezone",
        "_get_daylight",
        "_set_invalid_parameter_handler",
        "_get_invalid_parameter_handler",
        "_invalid_parameter_noinfo",
        "_set_abort_behavior",
        "_sopen_s",
        "_umask_s",
        "vsnprintf_s",
        "_abs64",
        "llabs",
        "getenv_s",
        "_ultoa",
        "_getcwd",
        "wcsrtombs",
        "mbsrtowcs",
        "wcrtomb",
        "mbrtowc",
        "mbrlen",
        "btowc",
        "wctob",
        "_set_printf_count_output",
        "_get_printf_count_output",
        "_ctime32_s",
        "_wcsdup",
        "_strdup",
        "fmodf",
        "expf",
    ]
)
"""Names msvcrt.dll exports that the list of its exports lacks (seen in import tables and in Wine's
msvcrt.spec)."""

EINVAL_STATUS = STATUS.INVALID_CRUNTIME_PARAMETER
MEM_COMMIT_RESERVE, PAGE_READWRITE = 0x3000, 4
CURRENT_PROCESS = 0xFFFF_FFFF_FFFF_FFFF


class CrtError(Exception):
    """A failure the runtime reports through errno; the door of `@crt(fails=…)` sets it."""

    def __init__(self, errno: int) -> None:
        super().__init__(errno)
        self.errno = errno


@functools.cache
def _names(dll: str) -> frozenset[str]:
    listed = frozenset(entry.name for entry in export_names(dll))
    return listed | MSVCRT_MORE if dll == "msvcrt" else listed


@overload
def crt(function: F) -> F: ...
@overload
def crt(
    *, fails: float = 0, name: str = "", aliases: tuple[str, ...] = (), partial: str = "",
    dlls: tuple[str, ...] = ("ucrtbase", "msvcrt"),
) -> Callable[[F], F]: ...  # fmt: skip
def crt(
    function: F | None = None,
    *,
    fails: float = 0,
    name: str = "",
    aliases: tuple[str, ...] = (),
    partial: str = "",
    dlls: tuple[str, ...] = ("ucrtbase", "msvcrt"),
) -> F | Callable[[F], F]:
    """Declare a function of the C runtime, for each runtime that exports one of its names.

    `fails` is what it returns when it raises `CrtError` (or `NtError`); errno is set then. Every function is
    guarded so, because a CrtError means nothing outside the runtime.
    """

    def register(handler: F) -> F:
        served = guarded(handler, fails)
        spellings = (name or handler.__name__, *aliases)
        found = False
        for dll in dlls:
            here = [spelling for spelling in spellings if spelling in _names(dll)]
            if dll == "ucrtbase":
                here += [f"_o_{spelling}" for spelling in spellings if f"_o_{spelling}" in _names(dll)]
            if here:
                export(name=here[0], aliases=tuple(here[1:]), module=dll, partial=partial)(served)
                found = True
        if not found:
            raise TypeError(f"no C runtime exports {' or '.join(spellings)}")
        return handler

    return register(function) if function is not None else register


def guarded(handler: F, fails: float) -> F:
    """The handler with errors turned into errno and `fails`."""
    if inspect.iscoroutinefunction(handler):

        @functools.wraps(handler)
        async def blocking(thread: UserThread, *arguments: object) -> object:
            try:
                return await handler(thread, *arguments)
            except (CrtError, NtError) as error:
                report(thread, error)
                return fails

        return cast("F", blocking)

    @functools.wraps(handler)
    def direct(thread: UserThread, *arguments: object) -> object:
        try:
            return handler(thread, *arguments)
        except (CrtError, NtError) as error:
            report(thread, error)
            return fails

    return cast("F", direct)


def report(thread: UserThread, error: CrtError | NtError) -> None:
    """Errno (and _doserrno) from a failure."""
    if isinstance(error, CrtError):
        set_errno(thread, error.errno)
    else:
        map_win32(thread, dos_error(error))


# ------------------------------------------------------------------------------ memory


class ThreadData(Struct, size=0x1000):
    """What the runtime keeps for a thread; `_errno()` and its like give addresses in here."""

    errno = at(0x000, INT)
    doserrno = at(0x004, ULONG)
    rand_state = at(0x008, ULONG)
    invalid_parameter_handler = at(0x010, PVOID)
    strtok_next = at(0x018, PVOID)
    wcstok_next = at(0x020, PVOID)
    mbstok_next = at(0x028, PVOID)
    current_exception = at(0x030, PVOID)
    current_context = at(0x038, PVOID)
    processing_throw = at(0x040, INT)
    per_thread_locale = at(0x044, INT)
    start_address = at(0x048, PVOID)
    start_argument = at(0x050, PVOID)
    terminate_handler = at(0x058, PVOID)
    se_translator = at(0x060, PVOID)
    foreign_exception = at(0x068, PVOID)
    broken_time = at(0x080, array(INT, 9))
    asctime_text = at(0x0C0, array(CHAR, 32))
    wasctime_text = at(0x0E0, array(WCHAR, 32))
    error_text = at(0x120, array(CHAR, 256))
    wide_error_text = at(0x220, array(WCHAR, 256))
    digits_text = at(0x420, array(CHAR, 0x160))
    temporary_name = at(0x600, array(CHAR, 0x110))
    wide_temporary_name = at(0x720, array(WCHAR, 0x110))
    signal_actions = at(0x980, array(PVOID, 32))
    signal_code = at(0xA80, INT)
    fpe_code = at(0xA84, INT)
    exception_pointers = at(0xA88, PVOID)


class ProcessData(Struct, size=0x4000):
    """What the runtime keeps for a process: the variables behind `__p_…`, the stream table, signal
    actions.
    """

    argc = at(0x000, INT)
    argv = at(0x008, PVOID)
    wargv = at(0x010, PVOID)
    environ = at(0x018, PVOID)
    wenviron = at(0x020, PVOID)
    initial_environ = at(0x028, PVOID)
    initial_wenviron = at(0x030, PVOID)
    acmdln = at(0x038, PVOID)
    wcmdln = at(0x040, PVOID)
    pgmptr = at(0x048, PVOID)
    wpgmptr = at(0x050, PVOID)
    fmode = at(0x058, INT)
    commode = at(0x05C, INT)
    app_type = at(0x060, INT)
    new_mode = at(0x064, INT)
    new_handler = at(0x068, PVOID)
    invalid_parameter_handler = at(0x070, PVOID)
    user_matherr = at(0x078, PVOID)
    purecall_handler = at(0x080, PVOID)
    terminate_handler = at(0x088, PVOID)
    unexpected_handler = at(0x090, PVOID)
    thread_exit_callback = at(0x098, PVOID)
    abort_behavior = at(0x0A0, ULONG)
    error_mode = at(0x0A4, INT)
    umask = at(0x0A8, INT)
    printf_count_output = at(0x0AC, INT)
    timezone = at(0x0B0, INT)
    daylight = at(0x0B4, INT)
    dstbias = at(0x0B8, INT)
    max_stdio = at(0x0BC, INT)
    tzname = at(0x0C0, array(PVOID, 2))
    tz_standard = at(0x0D0, array(CHAR, 64))
    tz_daylight = at(0x110, array(CHAR, 64))
    exit_table = at(0x150, array(PVOID, 3))
    quick_exit_table = at(0x168, array(PVOID, 3))
    signal_actions = at(0x180, array(PVOID, 32))
    lconv = at(0x280, array(UCHAR, 0x98))
    lconv_text = at(0x320, array(UCHAR, 0x100))
    locale_name = at(0x420, array(CHAR, 0x100))
    wide_locale_name = at(0x520, array(WCHAR, 0x100))
    mbctype = at(0x720, array(UCHAR, 0x104))
    sys_nerr = at(0x830, INT)
    console_pushback = at(0x834, INT)
    temporary_count = at(0x838, INT)
    getch_pushback = at(0x83C, INT)
    exiting = at(0x840, INT)
    ucrt_streams = at(0x900, array(UCHAR, 3 * 0x58))
    sys_errlist = at(0xA80, array(PVOID, 44))
    pctype = at(0xC00, array(WCHAR, 0x204))
    files = at(0x1100, array(PVOID, 128))

    def initialize(self) -> None:
        """What is not zero at first."""
        self.abort_behavior = 3
        self.max_stdio = 512


class ThreadSlot:
    """Where a thread's `ThreadData` is."""

    def __init__(self) -> None:
        self.address = 0


class Crt:
    """The runtime of one process, as far as bytes cannot hold it."""

    def __init__(self) -> None:
        self.address = 0
        self.entries: dict[str, int] = {}
        self.arena: list[int] = []
        """Free blocks for thread data."""
        self.msvcrt_base = 0
        self.ucrt_attached = False
        self.variables: dict[str, int] = {}
        """msvcrt's data exports by name, once it is attached."""
        self.streams: list[int] = []
        """Addresses of all streams: the standard ones first."""
        self.finds: dict[int, object] = {}


def pages(thread: UserThread, size: int) -> int:
    """Fresh zeroed pages of the process."""
    with thread.frame() as frame:
        base, room = frame.new(PVOID), frame.new(PVOID)
        room.write(size)
        nt.NtAllocateVirtualMemory(
            thread, CURRENT_PROCESS, base.address, 0, room.address, MEM_COMMIT_RESERVE, PAGE_READWRITE
        )
        return int(base.read())


def process_data(thread: UserThread) -> ProcessData:
    """This process's runtime variables."""
    state = thread.state(Crt)
    if not state.address:
        state.address = pages(thread, ProcessData.size)
        ProcessData(thread.memory, state.address).initialize()
    return ProcessData(thread.memory, state.address)


def thread_data(thread: UserThread) -> ThreadData:
    """This thread's runtime variables."""
    slot = thread.own(ThreadSlot)
    if not slot.address:
        arena = thread.state(Crt).arena
        if not arena:
            base = pages(thread, 0x10000)
            arena += range(base + 0xF000, base - 1, -ThreadData.size)
        slot.address = arena.pop()
        data = ThreadData(thread.memory, slot.address)
        data.clear()
        data.rand_state = 1
    return ThreadData(thread.memory, slot.address)


def release_thread_data(thread: UserThread) -> None:
    """Give a leaving thread's block to the next one."""
    slot = thread.own(ThreadSlot)
    if slot.address:
        thread.state(Crt).arena.append(slot.address)
        slot.address = 0


def runtime_base(thread: UserThread) -> tuple[str, int]:
    """The runtime this process has, by name and base."""
    for module in ("ucrtbase", "msvcrt"):
        base = find_module(thread, module + ".dll")
        if base:
            return module, base
    raise NtError(STATUS.DLL_NOT_FOUND)


def parameters(thread: UserThread) -> RTL_USER_PROCESS_PARAMETERS:
    """The process parameters."""
    return RTL_USER_PROCESS_PARAMETERS(thread.memory, int(thread.peb.ProcessParameters))


def set_errno(thread: UserThread, value: int) -> None:
    """Errno = value."""
    thread_data(thread).errno = value


def map_win32(thread: UserThread, code: int) -> None:
    """_doserrno and errno from a Win32 error (`__acrt_errno_map_os_error`)."""
    data = thread_data(thread)
    data.doserrno = code
    data.errno = from_win32(code)


def va_start(thread: UserThread, named: int) -> int:
    """The va_list behind `named` arguments of the call being served: its register arguments are stored beside the
    others, as a compiled variadic function does. To be asked before the first await.
    """
    context = thread.context
    for position, value in enumerate((context.rdx, context.r8, context.r9), 1):
        if position >= named:
            PVOID.store(thread.memory, context.rsp + 8 + 8 * position, value)
    return int(context.rsp + 8 + 8 * named)


# ------------------------------------------------------------------------------ the way to Windows


def entry(thread: UserThread, name: str, module: str = "kernelbase.dll") -> int:
    """The address of an export, looked up once per process."""
    entries = thread.state(Crt).entries
    address = entries.get(name)
    if address is None:
        address = find_export(thread, module, name)
        entries[name] = address
    return address


def win32(thread: UserThread, name: str, *arguments: int) -> Coroutine[None, None, int]:
    """Call a Win32 function of kernelbase; gives RAX."""
    return thread.call(entry(thread, name), *arguments)


async def succeed(thread: UserThread, name: str, *arguments: int) -> int:
    """Call a Win32 function that returns FALSE on failure; CrtError from its last error then."""
    result = await win32(thread, name, *arguments)
    if not result & 0xFFFF_FFFF:
        raise failure(thread)
    return result


def failure(thread: UserThread) -> CrtError:
    """The error that the last Win32 error stands for (also sets _doserrno)."""
    code = last_error(thread)
    thread_data(thread).doserrno = code
    return CrtError(from_win32(code))


def ntdll(thread: UserThread, name: str, *arguments: int) -> Coroutine[None, None, int]:
    """Call a routine of ntdll; gives RAX."""
    return thread.call(entry(thread, name, "ntdll.dll"), *arguments)


async def allocate(thread: UserThread, size: int) -> int:
    """A block of the process heap, zeroed; 0 and ENOMEM when there is none."""
    block = await ntdll(thread, "RtlAllocateHeap", int(thread.peb.ProcessHeap), 8, max(size, 1))
    if not block:
        set_errno(thread, ERRNO.ENOMEM)
    return block


async def release(thread: UserThread, block: int) -> None:
    """Free a block of the process heap; NULL is fine."""
    if block:
        await ntdll(thread, "RtlFreeHeap", int(thread.peb.ProcessHeap), 0, block)


async def invalid_parameter(thread: UserThread) -> int:
    """EINVAL, through the invalid parameter handler; without one the process fails fast, as in Windows."""
    set_errno(thread, ERRNO.EINVAL)
    handler = int(thread_data(thread).invalid_parameter_handler) or int(process_data(thread).invalid_parameter_handler)
    if handler:
        await thread.call(handler, 0, 0, 0, 0, 0)
    else:
        nt.NtTerminateProcess(thread, CURRENT_PROCESS, int(EINVAL_STATUS))
    return ERRNO.EINVAL


def narrow(pointer: Ptr[CHAR]) -> bytes:
    """The bytes of a C string."""
    return pointer.string(0x1000_0000)


def wide(pointer: Ptr[WCHAR]) -> str:
    """The text of a wide C string."""
    return pointer.text(0x800_0000)

"""The end: onexit tables, exit in its shades, abort, terminate, assertion and invalid-parameter failures."""

from __future__ import annotations

from ntos.abi.memory import read_string, read_wide
from ntos.abi.pointer import Ptr
from ntos.abi.status import STATUS
from ntos.abi.types import CHAR, INT, PVOID, UINT, WCHAR
from ntos.dll.ucrtbase import signals
from ntos.dll.ucrtbase.crt import (
    CURRENT_PROCESS,
    allocate,
    crt,
    entry,
    invalid_parameter,
    process_data,
    release,
    thread_data,
    win32,
)
from ntos.dll.ucrtbase.stream import flush_all
from ntos.rtl.nls.codepage import to_ansi
from ntos.um import nt
from ntos.um.service import settle
from ntos.um.thread import UserThread

WRITE_ABORT_MESSAGE, CALL_REPORT_FAULT = 1, 2
FAST_FAIL = 0xC000_0409
GROWTH = 32
STDERR = -12
THREAD_EXIT, PROCESS_EXIT = 3, 0


# ------------------------------------------------------------------------------ onexit tables


@crt
def _initialize_onexit_table(thread: UserThread, table: Ptr[PVOID] | None) -> INT:
    """Make a table empty, unless it has been used."""
    if table is None:
        return INT(-1)
    if table[0] == table[2]:
        table[0] = table[1] = table[2] = 0
    return INT(0)


async def register(thread: UserThread, table: Ptr[PVOID], function: int) -> int:
    """Append to a table `{first, last, end}` on the heap."""
    first, last, end = table[0], table[1], table[2]
    if last == end:
        count = (last - first) // 8
        block = await allocate(thread, 8 * (count + GROWTH))
        if not block:
            return -1
        thread.memory.write(block, thread.memory.read(first, 8 * count) if count else b"")
        await release(thread, first)
        first, last = PVOID(block), PVOID(block + 8 * count)
        table[0], table[2] = PVOID(first), PVOID(first + 8 * (count + GROWTH))
    PVOID.store(thread.memory, last, function)
    table[1] = last + 8
    return 0


async def run(thread: UserThread, table: Ptr[PVOID]) -> None:
    """Call a table's functions, the last registered first; those registered meanwhile too."""
    while table[1] > table[0]:
        table[1] = table[1] - 8
        function = PVOID.load(thread.memory, table[1])
        if function:
            await thread.call(function)
    first = table[0]
    table[0] = table[1] = table[2] = 0
    await release(thread, first)


@crt
async def _register_onexit_function(thread: UserThread, table: Ptr[PVOID] | None, function: PVOID) -> INT:
    """Append a function to a module's table."""
    return INT(-1 if table is None else await register(thread, table, function))


@crt
async def _execute_onexit_table(thread: UserThread, table: Ptr[PVOID] | None) -> INT:
    """Call a module's functions."""
    if table is None:
        return INT(-1)
    await run(thread, table)
    return INT(0)


def table_of(thread: UserThread, field: str) -> Ptr[PVOID]:
    """One of the process's own tables."""
    data = process_data(thread)
    return Ptr[PVOID](thread.memory, data.address + data.offset(field))


@crt(aliases=("atexit",))
async def _crt_atexit(thread: UserThread, function: PVOID) -> INT:
    """A function for exit to call."""
    return INT(await register(thread, table_of(thread, "exit_table"), function))


@crt
async def _crt_at_quick_exit(thread: UserThread, function: PVOID) -> INT:
    """A function for quick_exit to call."""
    return INT(await register(thread, table_of(thread, "quick_exit_table"), function))


@crt
def _register_thread_local_exe_atexit_callback(thread: UserThread, callback: PVOID) -> None:
    """Destructors of the main thread's `thread_local` objects."""
    process_data(thread).thread_exit_callback = callback


# ------------------------------------------------------------------------------ exit


async def clean_up(thread: UserThread, *, quick: bool = False) -> None:
    """What exit does before the process ends."""
    data = process_data(thread)
    if data.exiting:
        return
    if not quick:
        callback = int(data.thread_exit_callback)
        data.thread_exit_callback = 0
        if callback:
            await thread.call(callback, 0, PROCESS_EXIT, 0)
        await run(thread, table_of(thread, "exit_table"))
        await flush_all(thread)
    else:
        await run(thread, table_of(thread, "quick_exit_table"))


async def end_process(thread: UserThread, code: int) -> None:
    """ExitProcess: DLLs hear of it, the process ends."""
    await thread.call(entry(thread, "RtlExitUserProcess", "ntdll.dll"), code & 0xFFFF_FFFF)


@crt
async def exit(thread: UserThread, status: INT) -> None:  # noqa: A001 - Windows' name
    """Call what atexit registered, write out all streams, end the process."""
    await clean_up(thread)
    process_data(thread).exiting = 1
    await end_process(thread, status)


@crt(aliases=("_Exit",))
async def _exit(thread: UserThread, status: INT) -> None:
    """End the process; streams are not written out."""
    await end_process(thread, status)


@crt
async def quick_exit(thread: UserThread, status: INT) -> None:
    """Call what at_quick_exit registered and end the process."""
    await clean_up(thread, quick=True)
    await end_process(thread, status)


@crt
async def _cexit(thread: UserThread) -> None:
    """What exit does, and come back."""
    await clean_up(thread)


@crt
async def _c_exit(thread: UserThread) -> None:
    """What _exit does, and come back: nothing is left to do."""


@crt
def _set_abort_behavior(thread: UserThread, flags: UINT, mask: UINT) -> UINT:
    """Whether abort shows a message (1) and reports a fault (2); gives the former flags."""
    data = process_data(thread)
    former = int(data.abort_behavior)
    data.abort_behavior = former & ~mask | flags & mask
    return UINT(former)


async def fail_fast(thread: UserThread, status: int = FAST_FAIL) -> None:
    """`__fastfail`: end the process past every handler."""
    await settle(nt.NtTerminateProcess(thread, CURRENT_PROCESS, status))


@crt(dlls=("ucrtbase",))
async def abort(thread: UserThread) -> None:
    """The SIGABRT handler, then fail fast (0xC0000409), or exit code 3 where fault reports are switched
    off.
    """
    if signals.action(thread, signals.SIGABRT) != signals.SIG_DFL:
        await signals.deliver(thread, signals.SIGABRT)
    if process_data(thread).abort_behavior & CALL_REPORT_FAULT:
        await fail_fast(thread)
    await end_process(thread, 3)


@crt(name="abort", dlls=("msvcrt",))
async def old_abort(thread: UserThread) -> None:
    """Msvcrt's abort: a message on a console, the SIGABRT handler, exit code 3."""
    await say(
        thread,
        "\r\nThis application has requested the Runtime to terminate it in an unusual way.\n"
        "Please contact the application's support team for more information.\r\n",
    )
    if signals.action(thread, signals.SIGABRT) != signals.SIG_DFL:
        await signals.deliver(thread, signals.SIGABRT)
    await end_process(thread, 3)


async def say(thread: UserThread, text: str) -> None:
    """A message of the runtime on standard error."""
    data = to_ansi(text)
    with thread.frame() as frame:
        handle = await win32(thread, "GetStdHandle", STDERR & 0xFFFF_FFFF)
        if handle not in {0, 0xFFFF_FFFF_FFFF_FFFF}:
            count = frame.allocate(8)
            await win32(thread, "WriteFile", handle, frame.bytes(data), len(data), count, 0)


@crt(aliases=("?terminate@@YAXXZ",))
async def terminate(thread: UserThread) -> None:
    """The terminate handler, else abort."""
    handler = int(thread_data(thread).terminate_handler)
    if handler:
        await thread.call(handler)
    await abort(thread)


@crt(aliases=("?set_terminate@@YAP6AXXZP6AXXZ@Z",))
def set_terminate(thread: UserThread, handler: PVOID) -> PVOID:
    """The thread's terminate handler; gives the former one."""
    data = thread_data(thread)
    former = int(data.terminate_handler)
    data.terminate_handler = handler
    return PVOID(former)


@crt
def _get_terminate(thread: UserThread) -> PVOID:
    """What set_terminate said."""
    return PVOID(thread_data(thread).terminate_handler)


# ----------------------------------------------------------------------------- invalid parameters, assertions


@crt
def _set_invalid_parameter_handler(thread: UserThread, handler: PVOID) -> PVOID:
    """The routine called for bad arguments; gives the former one."""
    data = process_data(thread)
    former = int(data.invalid_parameter_handler)
    data.invalid_parameter_handler = handler
    return PVOID(former)


@crt
def _get_invalid_parameter_handler(thread: UserThread) -> PVOID:
    """What _set_invalid_parameter_handler said."""
    return PVOID(process_data(thread).invalid_parameter_handler)


@crt
def _set_thread_local_invalid_parameter_handler(thread: UserThread, handler: PVOID) -> PVOID:
    """The same for this thread alone."""
    data = thread_data(thread)
    former = int(data.invalid_parameter_handler)
    data.invalid_parameter_handler = handler
    return PVOID(former)


@crt
def _get_thread_local_invalid_parameter_handler(thread: UserThread) -> PVOID:
    """What was set for this thread."""
    return PVOID(thread_data(thread).invalid_parameter_handler)


@crt
async def _invalid_parameter_noinfo(thread: UserThread) -> None:
    """A bad argument was found: EINVAL, the handler, or the end."""
    await invalid_parameter(thread)


@crt
async def _invalid_parameter_noinfo_noreturn(thread: UserThread) -> None:
    """A bad argument from which there is no way on."""
    await invalid_parameter(thread)
    await fail_fast(thread, int(STATUS.INVALID_CRUNTIME_PARAMETER))


@crt
async def _invoke_watson(
    thread: UserThread, expression: PVOID, function: PVOID, file: PVOID, line: UINT, reserved: PVOID
) -> None:
    """The end of a process whose runtime found a bad argument."""
    await fail_fast(thread, int(STATUS.INVALID_CRUNTIME_PARAMETER))


@crt
async def _wassert(thread: UserThread, message: Ptr[WCHAR], file: Ptr[WCHAR], line: UINT) -> None:
    """A failed assertion: the message on standard error, then abort."""
    texts = read_wide(thread.memory, message.address), read_wide(thread.memory, file.address)
    await say(thread, f"Assertion failed: {texts[0]}, file {texts[1]}, line {line}\r\n")
    await abort(thread)


@crt
async def _assert(thread: UserThread, message: Ptr[CHAR], file: Ptr[CHAR], line: UINT) -> None:
    """A failed assertion: the message on standard error, then abort."""
    texts = [read_string(thread.memory, pointer.address).decode("latin-1") for pointer in (message, file)]
    await say(thread, f"Assertion failed: {texts[0]}, file {texts[1]}, line {line}\r\n")
    await abort(thread)


@crt(name="_amsg_exit")
async def _amsg_exit(thread: UserThread, number: INT) -> None:
    """A fatal start-up error (`R6xxx`): its number on standard error, exit code 255."""
    await say(thread, f"\r\nruntime error R6{number:03d}\r\n")
    await end_process(thread, 255)


@crt
async def _purecall(thread: UserThread) -> None:
    """A pure virtual function was called: the handler, else abort."""
    handler = int(process_data(thread).purecall_handler)
    if handler:
        await thread.call(handler)
    await abort(thread)


@crt
def _set_purecall_handler(thread: UserThread, handler: PVOID) -> PVOID:
    """The routine for pure virtual calls; gives the former one."""
    data = process_data(thread)
    former = int(data.purecall_handler)
    data.purecall_handler = handler
    return PVOID(former)


@crt
def _get_purecall_handler(thread: UserThread) -> PVOID:
    """What _set_purecall_handler said."""
    return PVOID(process_data(thread).purecall_handler)


@crt
async def _seterrormode(thread: UserThread, mode: INT) -> None:
    """SetErrorMode."""
    await win32(thread, "SetErrorMode", mode & 0xFFFF_FFFF)

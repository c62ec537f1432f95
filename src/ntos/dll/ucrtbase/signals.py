"""signal.h: actions, raise, and the filter that makes signals of exceptions (`_seh_filter_exe`)."""

from __future__ import annotations

from ntos.abi.types import BOOL, DWORD, INT, PVOID, ULONG
from ntos.dll.ucrtbase.crt import CrtError, crt, entry, process_data, runtime_base, thread_data
from ntos.dll.ucrtbase.errno import ERRNO
from ntos.um import images
from ntos.um.export import export
from ntos.um.thread import UserThread

SIGINT, SIGILL, SIGFPE, SIGSEGV, SIGTERM, SIGBREAK, SIGABRT_COMPAT, SIGABRT = 2, 4, 8, 11, 15, 21, 6, 22
SIG_DFL, SIG_IGN, SIG_GET, SIG_SGE, SIG_ACK = 0, 1, 2, 3, 4
SIG_ERROR = 0xFFFF_FFFF_FFFF_FFFF
PER_THREAD = frozenset({SIGILL, SIGFPE, SIGSEGV})
KNOWN = frozenset({SIGINT, SIGILL, SIGFPE, SIGSEGV, SIGTERM, SIGBREAK, SIGABRT_COMPAT, SIGABRT})
SIGNAL_OF = {
    0xC000_0005: (SIGSEGV, 0),
    0xC000_001D: (SIGILL, 0),
    0xC000_0096: (SIGILL, 0),
    0xC000_008D: (SIGFPE, 0x82),
    0xC000_008E: (SIGFPE, 0x83),
    0xC000_008F: (SIGFPE, 0x86),
    0xC000_0090: (SIGFPE, 0x81),
    0xC000_0091: (SIGFPE, 0x84),
    0xC000_0092: (SIGFPE, 0x8A),
    0xC000_0093: (SIGFPE, 0x85),
}
"""Exception code → signal, and the second argument of a SIGFPE handler (float.h, _FPE_…)."""
CONTINUE_SEARCH, CONTINUE_EXECUTION, EXECUTE_HANDLER = 0, -1, 1
CPP_EXCEPTION = 0xE06D_7363


def _slot(thread: UserThread, number: int) -> int:
    if number == SIGABRT_COMPAT:
        number = SIGABRT
    if number in PER_THREAD:
        data = thread_data(thread)
        return data.address + data.offset("signal_actions") + 8 * number
    shared = process_data(thread)
    return shared.address + shared.offset("signal_actions") + 8 * number


def action(thread: UserThread, number: int) -> int:
    """What happens on a signal: SIG_DFL, SIG_IGN or a handler."""
    return PVOID.load(thread.memory, _slot(thread, number))


def _set_action(thread: UserThread, number: int, handler: int) -> None:
    PVOID.store(thread.memory, _slot(thread, number), handler)


class ControlHandler:
    """Whether this process's console handler for Ctrl+C is installed."""

    def __init__(self) -> None:
        self.installed = False


@crt(fails=SIG_ERROR)
async def signal(thread: UserThread, sig: INT, func: PVOID) -> PVOID:
    """Set a signal's action; gives the former one."""
    if sig not in KNOWN or func in {SIG_ACK, SIG_SGE}:
        raise CrtError(ERRNO.EINVAL)
    former = action(thread, sig)
    if func == SIG_GET:
        return PVOID(former)
    if sig in {SIGINT, SIGBREAK} and not thread.state(ControlHandler).installed:
        thread.state(ControlHandler).installed = True
        await thread.call(entry(thread, "SetConsoleCtrlHandler"), control_handler(thread), 1)
    _set_action(thread, sig, func)
    return PVOID(former)


def control_handler(thread: UserThread) -> int:
    """The address of the console handler that makes SIGINT and SIGBREAK of control events."""
    module, base = runtime_base(thread)
    return base + images.build(module).rvas["ntos_control_handler"]


async def _control_handler(thread: UserThread, dwCtrlType: DWORD) -> BOOL:
    """CTRL_C_EVENT is SIGINT, everything else SIGBREAK; an action of the program's own says TRUE."""
    number = SIGBREAK if dwCtrlType else SIGINT
    handler = action(thread, number)
    if handler == SIG_DFL:
        return BOOL(0)
    if handler != SIG_IGN:
        _set_action(thread, number, SIG_DFL)
        await thread.call(handler, number)
    return BOOL(1)


for _module in ("ucrtbase", "msvcrt"):
    export(name="ntos_control_handler", module=_module)(_control_handler)


async def deliver(thread: UserThread, number: int) -> None:
    """Call a signal's handler as raise does: the action is default again while it runs."""
    handler = action(thread, number)
    if handler == SIG_IGN:
        return
    if handler == SIG_DFL:
        await thread.call(entry(thread, "RtlExitUserProcess", "ntdll.dll"), 3)
        return
    _set_action(thread, number, SIG_DFL)
    if number == SIGFPE:
        await thread.call(handler, number, 0x8C)
    else:
        await thread.call(handler, number)


@crt(name="raise", fails=-1)
async def raise_(thread: UserThread, sig: INT) -> INT:
    """Send a signal to oneself; by default the process ends with exit code 3."""
    if sig not in KNOWN:
        raise CrtError(ERRNO.EINVAL)
    await deliver(thread, sig)
    return INT(0)


async def filter_exception(thread: UserThread, code: int, pointers: int) -> int:
    """What the exception means to the runtime: search on, or a signal that was handled."""
    known = SIGNAL_OF.get(code)
    if known is None:
        return CONTINUE_SEARCH
    number, floating = known
    handler = action(thread, number)
    if handler == SIG_DFL:
        return CONTINUE_SEARCH
    if handler == SIG_IGN:
        return CONTINUE_EXECUTION
    data = thread_data(thread)
    former, data.exception_pointers = int(data.exception_pointers), pointers
    _set_action(thread, number, SIG_DFL)
    try:
        if number == SIGFPE:
            data.fpe_code = floating
            await thread.call(handler, number, floating)
        else:
            await thread.call(handler, number)
    finally:
        data.exception_pointers = former
    return CONTINUE_EXECUTION


@crt(aliases=("_XcptFilter",))
async def _seh_filter_exe(thread: UserThread, xcptnum: ULONG, pxcptinfoptrs: PVOID) -> INT:
    """The filter around main: exceptions that are signals go to their handlers, others on."""
    return INT(await filter_exception(thread, xcptnum, pxcptinfoptrs))


@crt(aliases=("__CppXcptFilter",))
async def _seh_filter_dll(thread: UserThread, xcptnum: ULONG, pxcptinfoptrs: PVOID) -> INT:
    """The filter around DllMain: only C++ exceptions are looked at."""
    if xcptnum != CPP_EXCEPTION:
        return INT(CONTINUE_SEARCH)
    return INT(await filter_exception(thread, xcptnum, pxcptinfoptrs))


@crt
def __pxcptinfoptrs(thread: UserThread) -> PVOID:
    """&_pxcptinfoptrs: the exception a signal handler was called for."""
    data = thread_data(thread)
    return PVOID(data.address + data.offset("exception_pointers"))


@crt
def __fpecode(thread: UserThread) -> PVOID:
    """&_fpecode: which floating-point error."""
    data = thread_data(thread)
    return PVOID(data.address + data.offset("fpe_code"))

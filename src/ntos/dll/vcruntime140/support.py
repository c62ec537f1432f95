"""What programs and the UCRT ask of vcruntime140 besides exceptions: start, terminate, module and lock helpers."""

from __future__ import annotations

from ntos.abi.status import STATUS
from ntos.abi.types import BOOL, DWORD, INT, PVOID
from ntos.dll.ucrtbase.crt import process_data, thread_data, win32
from ntos.dll.ucrtbase.startup import fill_slots
from ntos.dll.ucrtbase.termination import abort, fail_fast, terminate
from ntos.um.export import export
from ntos.um.thread import UserThread

PROCESS_ATTACH = 1


@export
def DllMain(thread: UserThread, hinstDLL: PVOID, fdwReason: DWORD, lpvReserved: PVOID) -> BOOL:
    """The loader's calls."""
    if fdwReason == PROCESS_ATTACH:
        fill_slots(thread, "vcruntime140", hinstDLL)
    return BOOL(1)


@export
async def __std_terminate(thread: UserThread) -> None:
    """std::terminate."""
    await terminate(thread)


@export
async def _purecall(thread: UserThread) -> INT:
    """A pure virtual function was called: the handler, else abort."""
    handler = int(process_data(thread).purecall_handler)
    if handler:
        await thread.call(handler)
    await abort(thread)
    return INT(0)


@export
def _set_purecall_handler(thread: UserThread, handler: PVOID) -> PVOID:
    """The routine for pure virtual calls; gives the former one."""
    data = process_data(thread)
    former = int(data.purecall_handler)
    data.purecall_handler = handler
    return PVOID(former)


@export
def _get_purecall_handler(thread: UserThread) -> PVOID:
    """What _set_purecall_handler said."""
    return PVOID(process_data(thread).purecall_handler)


@export(partial="the translator is kept, but exceptions of the machine are not translated")
def _set_se_translator(thread: UserThread, translator: PVOID) -> PVOID:
    """The routine that makes C++ exceptions of others; gives the former one."""
    data = thread_data(thread)
    former = int(data.se_translator)
    data.se_translator = translator
    return PVOID(former)


@export
def set_unexpected(thread: UserThread, handler: PVOID) -> PVOID:
    """The unexpected handler (never called since C++17); gives the former one."""
    data = process_data(thread)
    former = int(data.unexpected_handler)
    data.unexpected_handler = handler
    return PVOID(former)


@export
def _get_unexpected(thread: UserThread) -> PVOID:
    """What set_unexpected said."""
    return PVOID(process_data(thread).unexpected_handler)


@export
async def unexpected(thread: UserThread) -> None:
    """std::unexpected."""
    handler = int(process_data(thread).unexpected_handler)
    if handler:
        await thread.call(handler)
    await terminate(thread)


@export
async def __vcrt_InitializeCriticalSectionEx(
    thread: UserThread, section: PVOID, spin_count: DWORD, flags: DWORD
) -> BOOL:
    """InitializeCriticalSectionEx."""
    return BOOL(await win32(thread, "InitializeCriticalSectionEx", section, spin_count, flags) & 0xFFFF_FFFF)


@export
async def __vcrt_GetModuleFileNameW(thread: UserThread, module: PVOID, name: PVOID, size: DWORD) -> DWORD:
    """GetModuleFileNameW."""
    return DWORD(await win32(thread, "GetModuleFileNameW", module, name, size) & 0xFFFF_FFFF)


@export
async def __vcrt_GetModuleHandleW(thread: UserThread, name: PVOID) -> PVOID:
    """GetModuleHandleW."""
    return PVOID(await win32(thread, "GetModuleHandleW", name))


@export
async def __vcrt_LoadLibraryExW(thread: UserThread, name: PVOID, file: PVOID, flags: DWORD) -> PVOID:
    """LoadLibraryExW."""
    return PVOID(await win32(thread, "LoadLibraryExW", name, file, flags))


@export
def __telemetry_main_invoke_trigger(thread: UserThread, module: PVOID) -> None:
    """A trace provider's mark before main: nobody listens."""


@export
def __telemetry_main_return_trigger(thread: UserThread, module: PVOID) -> None:
    """A trace provider's mark behind main: nobody listens."""


@export
async def __report_gsfailure(thread: UserThread, cookie: PVOID) -> None:
    """A stack cookie was overwritten: fail fast (FAST_FAIL_STACK_COOKIE_CHECK_FAILURE)."""
    await fail_fast(thread, int(STATUS.STACK_BUFFER_OVERRUN))

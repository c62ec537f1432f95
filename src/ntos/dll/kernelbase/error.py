"""Error modes, and exceptions that reach the top (errhandlingapi.h)."""

from __future__ import annotations

from dataclasses import dataclass

from ntos.abi.layout.context import EXCEPTION_POINTERS, EXCEPTION_RECORD
from ntos.abi.ob import CURRENT_PROCESS
from ntos.abi.pointer import Code, Out, Ptr
from ntos.abi.types import BOOL, DWORD, LONG, PVOID, UINT, ULONG, ULONG_PTR, WCHAR
from ntos.abi.win32 import (
    EXCEPTION_CONTINUE_SEARCH,
    EXCEPTION_EXECUTE_HANDLER,
    EXCEPTION_MAXIMUM_PARAMETERS,
    EXCEPTION_NONCONTINUABLE,
    SEM_NOALIGNMENTFAULTEXCEPT,
)
from ntos.dll.kernelbase.debug import debug_port
from ntos.dll.kernelbase.services import nt, rtl
from ntos.dll.kernelbase.text import export_both, text_of
from ntos.etw.event import DebugPrint
from ntos.um.export import export
from ntos.um.thread import UserThread

PROCESS_DEFAULT_HARD_ERROR_MODE = 12
STATUS_FAIL_FAST_EXCEPTION = 0xC000_0602


@dataclass
class ErrorState:
    """The top-level filter, and what WerSetFlags said."""

    filter: int = 0
    wer_flags: int = 0


@export
def SetUnhandledExceptionFilter(thread: UserThread, lpTopLevelExceptionFilter: Code) -> PVOID:
    """Put a filter above all others; the one it replaces."""
    state = thread.state(ErrorState)
    previous, state.filter = state.filter, int(lpTopLevelExceptionFilter)
    return PVOID(previous)


@export
async def UnhandledExceptionFilter(thread: UserThread, ExceptionInfo: Ptr[EXCEPTION_POINTERS]) -> LONG:
    """What becomes of an exception nobody handled: a debugger's, the program's filter's, or the end."""
    if await debug_port(thread, CURRENT_PROCESS):
        return LONG(EXCEPTION_CONTINUE_SEARCH)
    chosen = thread.state(ErrorState).filter
    if chosen:
        verdict = LONG.wrap(await thread.call(chosen, ExceptionInfo.address))
        if verdict != EXCEPTION_CONTINUE_SEARCH:
            return LONG(verdict)
    return LONG(EXCEPTION_EXECUTE_HANDLER)


@export
def RaiseException(
    thread: UserThread,
    dwExceptionCode: DWORD,
    dwExceptionFlags: DWORD,
    nNumberOfArguments: DWORD,
    lpArguments: Ptr[ULONG_PTR] | None,
) -> None:
    """Raise an exception with parameters."""
    information: tuple[int, ...] = ()
    if lpArguments is not None:
        count = min(nNumberOfArguments, EXCEPTION_MAXIMUM_PARAMETERS)
        information = tuple(int(lpArguments[index]) for index in range(count))
    final = dwExceptionFlags & EXCEPTION_NONCONTINUABLE != 0
    # Bit 28 is reserved; NT clears it so that a status cannot be told apart by it (Microsoft Learn,
    # RaiseException).
    thread.raise_exception(dwExceptionCode & ~0x1000_0000, information, noncontinuable=final)


@export
async def RaiseFailFastException(
    thread: UserThread, pExceptionRecord: Ptr[EXCEPTION_RECORD] | None, pContextRecord: PVOID, dwFlags: DWORD
) -> None:
    """End the process without asking any handler."""
    code = int(pExceptionRecord.read().ExceptionCode) if pExceptionRecord else STATUS_FAIL_FAST_EXCEPTION
    await nt.NtTerminateProcess(thread, CURRENT_PROCESS, code)


@export
async def GetErrorMode(thread: UserThread) -> UINT:
    """The process's error mode."""
    with thread.frame() as frame:
        place: Ptr[ULONG] = frame.new(ULONG)
        await nt.NtQueryInformationProcess(
            thread, CURRENT_PROCESS, PROCESS_DEFAULT_HARD_ERROR_MODE, place.address, 4, 0
        )
        # The kernel keeps bit 0 the other way round: set means that errors are shown.
        return UINT(int(place.read()) ^ 1)


@export
async def SetErrorMode(thread: UserThread, uMode: UINT) -> UINT:
    """Choose which errors end silently; the mode before. The alignment bit, once set, stays."""
    previous = int(await GetErrorMode(thread))
    mode = uMode | previous & SEM_NOALIGNMENTFAULTEXCEPT
    with thread.frame() as frame:
        place: Ptr[ULONG] = frame.new(ULONG)
        place.write(mode ^ 1)
        await nt.NtSetInformationProcess(thread, CURRENT_PROCESS, PROCESS_DEFAULT_HARD_ERROR_MODE, place.address, 4)
    return UINT(previous)


@export
def SetThreadErrorMode(thread: UserThread, dwNewMode: DWORD, lpOldMode: Out[DWORD] | None) -> BOOL:
    """The thread's own error mode (TEB.HardErrorMode)."""
    if lpOldMode is not None:
        lpOldMode.write(_from_rtl(int(thread.teb.HardErrorMode)))
    thread.teb.HardErrorMode = ULONG((dwNewMode & 3) << 4 | (dwNewMode & 0x8000) >> 9)
    return BOOL(1)


@export
def GetThreadErrorMode(thread: UserThread) -> DWORD:
    """The thread's own error mode."""
    return DWORD(_from_rtl(int(thread.teb.HardErrorMode)))


def _from_rtl(mode: int) -> int:
    """TEB.HardErrorMode keeps the three bits at 4, 5 and 6 (RtlSetThreadErrorMode, phnt)."""
    return mode >> 4 & 3 | (mode & 0x40) << 9


@export_both(partial="prints the text and ends the process; no message box")
async def FatalAppExitW(thread: UserThread, uAction: UINT, lpMessageText: Ptr[WCHAR]) -> None:
    """Say why, and end the process."""
    thread.log.emit(DebugPrint(text=text_of(lpMessageText)))
    await rtl(thread, "RtlExitUserProcess", 3)


@export
async def FatalExit(thread: UserThread, ExitCode: DWORD) -> None:
    """End the process."""
    await rtl(thread, "RtlExitUserProcess", ExitCode)

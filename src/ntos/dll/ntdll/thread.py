"""How threads begin and end: RtlUserThreadStart, RtlExitUserThread, RtlExitUserProcess."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Never

from ntos.abi.pointer import Code
from ntos.abi.types import INT, NTSTATUS, PVOID, ULONG
from ntos.dll.ntdll import guest
from ntos.dll.ntdll.exception import UnhandledFilter
from ntos.dll.ntdll.guard import CONTINUE_SEARCH, Caught, Filter, guarded_call
from ntos.dll.ntdll.ldr import shutdown
from ntos.dll.ntdll.ldr.state import Loader
from ntos.etw import account
from ntos.etw.event import CreationStep
from ntos.um import nt
from ntos.um.export import export

if TYPE_CHECKING:
    from ntos.um.thread import UserThread

AM_I_LAST_THREAD = 12


def unhandled(thread: UserThread) -> Filter:
    """The filter round every thread: the process's unhandled-exception filter (RtlpThreadExceptionFilter)."""

    async def ask(record: int, context: int) -> int:
        routine = thread.state(UnhandledFilter).routine
        if not routine:
            return CONTINUE_SEARCH
        with thread.frame() as frame:
            pointers = frame.bytes(struct.pack("<QQ", record, context))
            return INT.wrap(await thread.call(routine, pointers))

    return ask


@export
async def RtlUserThreadStart(  # type: ignore[misc]
    thread: UserThread, StartAddress: Code, Parameter: PVOID
) -> Never:
    """Where every thread begins: the start routine by way of kernel32!BaseThreadInitThunk, then the exit."""
    if thread.log.wants(CreationStep) and thread.teb.InitialThread:
        account.step(thread.log, 7, "RtlUserThreadStart", start=int(StartAddress), argument=Parameter)
    thunk = thread.state(Loader).base_thread_init_thunk
    arguments = (thunk, 0, int(StartAddress), Parameter) if thunk else (int(StartAddress), Parameter)
    try:
        status = await guarded_call(thread, unhandled(thread), *arguments)
    except Caught as caught:
        await guest.settle(nt.NtTerminateProcess(thread, guest.CURRENT_PROCESS, caught.code))
    else:
        await exit_thread(thread, status)


@export
async def RtlExitUserThread(thread: UserThread, ExitStatus: NTSTATUS) -> Never:  # type: ignore[misc]
    """End the thread; with the last thread, the process."""
    await exit_thread(thread, ExitStatus)


@export
async def RtlExitUserProcess(thread: UserThread, ExitStatus: NTSTATUS) -> Never:  # type: ignore[misc]
    """End the process: other threads first, then DLL_PROCESS_DETACH, then itself."""
    await exit_process(thread, ExitStatus)


async def exit_thread(thread: UserThread, status: int) -> None:
    """RtlExitUserThread."""
    with thread.frame() as frame:
        last = frame.new(ULONG)
        await guest.settle(
            nt.NtQueryInformationThread(thread, guest.CURRENT_THREAD, AM_I_LAST_THREAD, last.address, 4, 0)
        )
        is_last = bool(last.read())
    if is_last:
        await exit_process(thread, status)
        return
    await shutdown.shutdown_thread(thread)
    await guest.settle(nt.NtTerminateThread(thread, guest.CURRENT_THREAD, status & 0xFFFF_FFFF))


async def exit_process(thread: UserThread, status: int) -> None:
    """RtlExitUserProcess."""
    await shutdown.end_other_threads(thread, status & 0xFFFF_FFFF)
    await shutdown.shutdown_process(thread)
    await guest.settle(nt.NtTerminateProcess(thread, guest.CURRENT_PROCESS, status & 0xFFFF_FFFF))

"""Services that wait for messages and objects together, and for another process to be ready."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from ntos.abi import access as rights
from ntos.abi.pointer import Ptr
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import BOOL, DWORD, HANDLE, UINT
from ntos.abi.winuser import MWMO_ALERTABLE, MWMO_INPUTAVAILABLE, MWMO_WAITALL
from ntos.ke.wait import MAXIMUM_WAIT_OBJECTS, wait
from ntos.ke.win32_service import user_service
from ntos.ob import referenced, waitable
from ntos.ps.manager import PROCESS
from ntos.win32k.clock import UNITS
from ntos.win32k.message import USER_REQUEST
from ntos.win32k.process import GUI_SUBSYSTEM, ProcessInfo, current, process_info, subsystem_of
from ntos.win32k.queue import seen

if TYPE_CHECKING:
    from ntos.ke.dispatcher import DispatcherObject
    from ntos.ke.thread import Thread
    from ntos.win32k.process import ThreadInfo

INFINITE = 0xFFFF_FFFF
WAIT_FAILED = 0xFFFF_FFFF


def _timeout(milliseconds: int) -> int | None:
    return None if milliseconds == INFINITE else -milliseconds * UNITS


@user_service(fails=WAIT_FAILED)
async def NtUserMsgWaitForMultipleObjectsEx(
    thread: Thread,
    nCount: DWORD,
    pHandles: Ptr[HANDLE] | None,
    dwMilliseconds: DWORD,
    dwWakeMask: DWORD,
    dwFlags: DWORD,
) -> DWORD:
    """Wait for objects or for messages of a kind; the number of objects says it was a message."""
    info = current(thread)
    if nCount >= MAXIMUM_WAIT_OBJECTS or dwFlags & ~(MWMO_WAITALL | MWMO_ALERTABLE | MWMO_INPUTAVAILABLE):
        raise NtError(STATUS.INVALID_PARAMETER)
    with ExitStack() as held:
        handles = [pHandles[index] for index in range(nCount)] if pHandles is not None else []
        objects = [
            waitable(held.enter_context(referenced(thread, handle, rights.SYNCHRONIZE))) for handle in handles
        ]
        return DWORD(await _wait(info, objects, _timeout(dwMilliseconds), dwWakeMask, dwFlags))


def _has_come(info: ThreadInfo, mask: int, flags: int) -> bool:
    bits = info.client.fsWakeBits if flags & MWMO_INPUTAVAILABLE else info.client.fsChangeBits
    return bool(int(bits) & mask)


async def _wait(
    info: ThreadInfo, objects: list[DispatcherObject], timeout: int | None, mask: int, flags: int
) -> int:
    """Objects count before messages, as in their order."""
    clock = info.thread.kernel.clock
    deadline = None if timeout is None else clock.now - timeout
    everything = bool(flags & MWMO_WAITALL)
    info.owner.is_idle()
    while True:
        if _has_come(info, mask, flags):
            info.event.set()
        else:
            info.event.reset()
        info.client.fsWakeMask = mask
        info.reading = True
        left = None if deadline is None else -max(deadline - clock.now, 0)
        try:
            status = await wait(
                info.thread, [*objects, info.event], timeout=left, alertable=bool(flags & MWMO_ALERTABLE),
                wait_any=not everything, reason=USER_REQUEST,
            )  # fmt: skip
        finally:
            info.reading = False
            info.last_read = clock.now
            info.client.fsWakeMask = 0
        if status != (0 if everything else len(objects)):
            return int(status)
        if _has_come(info, mask, flags):
            seen(info, mask)
            return len(objects)


@user_service(fails=WAIT_FAILED)
async def NtUserWaitForInputIdle(thread: Thread, hProcess: HANDLE, dwMilliseconds: DWORD, fSharedWow: BOOL) -> DWORD:
    """Wait until a GUI program has nothing to do but to wait for input; WAIT_FAILED for one without windows."""
    with referenced(thread, hProcess, rights.PROCESS_QUERY_INFORMATION, PROCESS) as process:
        if subsystem_of(process) != GUI_SUBSYSTEM or not (process.threads or process.has(ProcessInfo)):
            return DWORD(WAIT_FAILED)
        told = process_info(process)  # on Windows csrss tells win32k of a GUI program when it is created
        if int(told.idle.header.SignalState):
            return DWORD(0)
        status = await wait(thread, (process, told.idle), timeout=_timeout(dwMilliseconds), reason=USER_REQUEST)
        if status == STATUS.TIMEOUT:
            return DWORD(int(STATUS.TIMEOUT))
        return DWORD(0 if int(status) else WAIT_FAILED)


@user_service()
def NtUserGetQueueStatus(thread: Thread, flags: UINT) -> DWORD:
    """Which messages are there (high word), and which have come since the last look (low word)."""
    info = current(thread)
    answer = (int(info.client.fsWakeBits) & flags) << 16 | int(info.client.fsChangeBits) & flags
    seen(info, flags)
    return DWORD(answer)

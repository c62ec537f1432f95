"""Critical processes and threads, whose end stops the machine: RtlSetProcessIsCritical, RtlSetThreadIsCritical."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.ob import CURRENT_PROCESS, CURRENT_THREAD
from ntos.abi.pointer import Out
from ntos.abi.ps import PROCESSINFOCLASS, THREADINFOCLASS
from ntos.abi.status import STATUS
from ntos.abi.types import BOOLEAN, NTSTATUS, ULONG
from ntos.um import nt
from ntos.um.export import export

if TYPE_CHECKING:
    from collections.abc import Callable

    from ntos.um.thread import UserThread

ENABLE_SYSTEM_CRIT_BREAKS = 0x10_0000
"""FLG_ENABLE_SYSTEM_CRIT_BREAKS of NtGlobalFlag."""


@export
def RtlSetProcessIsCritical(
    thread: UserThread, NewValue: BOOLEAN, OldValue: Out[BOOLEAN] | None, CheckFlag: BOOLEAN
) -> NTSTATUS:
    """Make this process critical, or no longer; SeDebugPrivilege must be enabled."""

    def get(place: int) -> object:
        kind = PROCESSINFOCLASS.ProcessBreakOnTermination
        return nt.NtQueryInformationProcess(thread, CURRENT_PROCESS, kind, place, ULONG.size, 0)

    def put(place: int) -> object:
        kind = PROCESSINFOCLASS.ProcessBreakOnTermination
        return nt.NtSetInformationProcess(thread, CURRENT_PROCESS, kind, place, ULONG.size)

    return _exchange(thread, NewValue, OldValue, CheckFlag, get, put)


@export
def RtlSetThreadIsCritical(
    thread: UserThread, NewValue: BOOLEAN, OldValue: Out[BOOLEAN] | None, CheckFlag: BOOLEAN
) -> NTSTATUS:
    """The same for the calling thread."""

    def get(place: int) -> object:
        kind = THREADINFOCLASS.ThreadBreakOnTermination
        return nt.NtQueryInformationThread(thread, CURRENT_THREAD, kind, place, ULONG.size, 0)

    def put(place: int) -> object:
        kind = THREADINFOCLASS.ThreadBreakOnTermination
        return nt.NtSetInformationThread(thread, CURRENT_THREAD, kind, place, ULONG.size)

    return _exchange(thread, NewValue, OldValue, CheckFlag, get, put)


def _exchange(
    thread: UserThread, new: int, old: Out[BOOLEAN] | None, check: int, get: Callable[[int], object],
    put: Callable[[int], object],
) -> NTSTATUS:  # fmt: skip
    if check and not int(thread.peb.NtGlobalFlag) & ENABLE_SYSTEM_CRIT_BREAKS:
        return STATUS.UNSUCCESSFUL
    with thread.frame() as frame:
        value = frame.new(ULONG)
        if old is not None:
            get(value.address)
            old.write(BOOLEAN(int(value.read()) != 0))
        value.write(ULONG(int(new) != 0))
        put(value.address)
    return STATUS.SUCCESS

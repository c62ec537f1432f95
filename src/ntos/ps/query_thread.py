"""NtQueryInformationThread: one row a class, one small function an answer."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ntos.abi import ps as constants
from ntos.abi.access import THREAD_QUERY_INFORMATION as FULL
from ntos.abi.access import THREAD_QUERY_LIMITED_INFORMATION as LIMITED
from ntos.abi.layout.system_info import SYSTEM_THREAD_INFORMATION
from ntos.abi.layout.teb import TEB
from ntos.abi.pointer import Out
from ntos.abi.status import STATUS, Denied, NtError
from ntos.abi.types import HANDLE, NTSTATUS, PVOID, ULONG
from ntos.ke import runtime
from ntos.ke.service import service
from ntos.ps import power_throttling, thread_name
from ntos.ps.information import Asked, Rule, Table, query, string, ulong, word
from ntos.ps.manager import THREAD
from ntos.ps.priority import increment_of

if TYPE_CHECKING:
    from ntos.ke.thread import Thread

    Request = Asked[Thread]

CLASS = constants.THREADINFOCLASS
ONE_PROCESSOR = struct.pack("<QH6x", 1, 0)
"""GROUP_AFFINITY of processor 0."""


@service(
    partial="not DescriptorTableEntry, Wow64Context, UmsInformation, CounterProfiling, CpuAccounting, ContainerId, "
    "SelectedCpuSets, HeterogeneousCpuPolicy, WorkOnBehalf"
)
def NtQueryInformationThread(
    thread: Thread,
    ThreadHandle: HANDLE,
    ThreadInformationClass: ULONG,
    ThreadInformation: PVOID,
    ThreadInformationLength: ULONG,
    ReturnLength: Out[ULONG] | None,
) -> NTSTATUS:
    """What an information class says about a thread."""
    return query(
        thread, TABLE, THREAD, ThreadHandle, ThreadInformationClass, ThreadInformation, ThreadInformationLength,
        ReturnLength,
    )  # fmt: skip


def _basic(asked: Request) -> bytes:
    target = asked.target
    tcb, ethread = target.tcb, target.ethread
    return struct.pack(
        "<IxxxxQQQQii", int(ethread.ExitStatus), int(tcb.Teb), int(ethread.Cid.UniqueProcess), target.id,
        int(tcb.UserAffinity.Mask), int(tcb.Priority), increment_of(target),
    )  # fmt: skip


def _times(asked: Request) -> bytes:
    target = asked.target
    # ExitTime shares its place with a list that a living thread needs.
    ended = int(target.ethread.ExitTime) if target.ethread.Terminated else 0
    used = runtime.of_thread(target)
    return struct.pack("<4q", int(target.ethread.CreateTime), ended, used.kernel, used.user)


def _cycles(asked: Request) -> bytes:
    return word(runtime.of_thread(asked.target).cycles) + bytes(8)


def system_thread(thread: Thread) -> bytes:
    """SYSTEM_THREAD_INFORMATION: the row a thread has in the list of all processes, too."""
    information, tcb, ethread = SYSTEM_THREAD_INFORMATION.new(), thread.tcb, thread.ethread
    used = runtime.of_thread(thread)
    information.KernelTime, information.UserTime = used.kernel, used.user
    information.CreateTime = ethread.CreateTime
    information.WaitTime = tcb.WaitTime
    information.StartAddress = ethread.StartAddress
    information.ClientId = ethread.Cid
    information.Priority = int(tcb.Priority)
    information.BasePriority = int(tcb.BasePriority)
    information.ContextSwitches = used.switches
    information.ThreadState = int(tcb.State)
    information.WaitReason = int(tcb.WaitReason)
    return bytes(information)


def _last_system_call(asked: Request) -> bytes:
    """THREAD_LAST_SYSCALL_INFORMATION of a thread that waits in one: first argument, number, how long (ticks)."""
    target = asked.target
    number = target.context.rax & 0xFFFF_FFFF
    if target.waiting is None or number & runtime.PYTHON_EXPORT:
        raise NtError(STATUS.UNSUCCESSFUL, Denied("the thread does not wait in a system call", {"thread": target.id}))
    waited = asked.thread.kernel.clock.tick_count - int(target.tcb.WaitTime)
    return struct.pack("<QH6xQ", target.context.r10, number, waited)[: asked.length]


def _am_last(asked: Request) -> bytes:
    if asked.target is not asked.thread:
        raise NtError(
            STATUS.INVALID_PARAMETER, Denied("only a thread itself can be asked whether it is the last", {})
        )
    return ulong(len(asked.target.process.threads) == 1)


def _teb_part(asked: Request) -> bytes:
    """THREAD_TEB_INFORMATION: copies a part of the thread's TEB to where the structure says."""
    place, offset, size = struct.unpack("<QII", asked.read())
    teb = int(asked.target.tcb.Teb)
    if offset + size > TEB.size or not teb:
        raise NtError(STATUS.INVALID_PARAMETER, Denied("part of a TEB", {"offset": offset, "size": size}))
    asked.memory.write(place, asked.target.memory.read(teb + offset, size))
    return asked.read()


def _ideal_processor(asked: Request) -> bytes:
    return struct.pack("<HBB", 0, int(asked.target.tcb.UserIdealProcessor), 0)


def _is_io_pending(asked: Request) -> bytes:
    return ulong(not asked.target.ethread.IrpList.is_empty())


TABLE: Table[Thread] = {
    CLASS.ThreadBasicInformation: Rule((0x30,), LIMITED, _basic),
    CLASS.ThreadTimes: Rule((0x20,), LIMITED, _times),
    CLASS.ThreadQuerySetWin32StartAddress: Rule(
        (8,), FULL, lambda a: word(int(a.target.ethread.Win32StartAddress))
    ),
    CLASS.ThreadPerformanceCount: Rule((8,), FULL, lambda _: bytes(8)),
    CLASS.ThreadAmILastThread: Rule((4,), FULL, _am_last),
    CLASS.ThreadPriorityBoost: Rule((4,), LIMITED, lambda a: ulong(a.target.tcb.DisableBoost)),
    CLASS.ThreadIsIoPending: Rule((4,), FULL, _is_io_pending),
    CLASS.ThreadHideFromDebugger: Rule(
        (1,), FULL, lambda a: bytes((a.target.ethread.HideFromDebugger,)), alignment=1
    ),
    CLASS.ThreadBreakOnTermination: Rule((4,), FULL, lambda a: ulong(a.target.ethread.BreakOnTermination)),
    CLASS.ThreadIsTerminated: Rule((4,), LIMITED, lambda a: ulong(a.target.ethread.Terminated)),
    CLASS.ThreadIoPriority: Rule((4,), LIMITED, lambda a: ulong(a.target.ethread.ThreadIoPriority)),
    CLASS.ThreadLastSystemCall: Rule((0x10, 0x18), FULL, _last_system_call),
    CLASS.ThreadCycleTime: Rule((0x10,), LIMITED, _cycles),
    CLASS.ThreadPagePriority: Rule((4,), LIMITED, lambda a: ulong(a.target.ethread.ThreadPagePriority)),
    CLASS.ThreadActualBasePriority: Rule((4,), LIMITED, lambda a: ulong(int(a.target.tcb.BasePriority))),
    CLASS.ThreadTebInformation: Rule((0x10,), FULL, _teb_part, alignment=8),
    CLASS.ThreadGroupInformation: Rule((0x10,), LIMITED, lambda _: ONE_PROCESSOR),
    CLASS.ThreadIdealProcessorEx: Rule((4,), LIMITED, _ideal_processor),
    CLASS.ThreadSuspendCount: Rule((4,), LIMITED, lambda a: ulong(a.target.suspend_count)),
    CLASS.ThreadNameInformation: Rule(
        (), LIMITED, lambda a: string(thread_name.get(a.target), a.buffer), STATUS.BUFFER_TOO_SMALL
    ),
    CLASS.ThreadSystemThreadInformation: Rule((0x50,), LIMITED, lambda a: system_thread(a.target)),
    CLASS.ThreadPowerThrottlingState: Rule((12,), LIMITED, power_throttling.query),
    CLASS.ThreadActualGroupAffinity: Rule((0x10,), LIMITED, lambda _: ONE_PROCESSOR),
    CLASS.ThreadDynamicCodePolicyInfo: Rule(
        (4,), FULL, lambda a: ulong(a.target.ethread.DisableDynamicCodeOptOut)
    ),
    CLASS.ThreadExplicitCaseSensitivity: Rule(
        (4,), LIMITED, lambda a: ulong(a.target.ethread.ExplicitCaseSensitivity)
    ),
}

"""NtSetInformationProcess: one row a class, one small function a change."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ntos import lpc, ob
from ntos.abi import ps as constants
from ntos.abi.access import PORT_CONNECT, PROCESS_SET_PORT, PROCESS_SET_QUOTA
from ntos.abi.access import PROCESS_SET_INFORMATION as FULL
from ntos.abi.se import SE_PRIVILEGE
from ntos.abi.status import STATUS, Denied, NtError
from ntos.abi.types import HANDLE, NTSTATUS, PVOID, ULONG
from ntos.ke.service import service
from ntos.ps import job_object, mitigation, power_throttling, priority, tls
from ntos.ps.allocate import QUANTUM
from ntos.ps.information import Asked, Rule, Table, change
from ntos.ps.manager import PROCESS
from ntos.se import privileges
from ntos.se import token as tokens

if TYPE_CHECKING:
    from ntos.ke.process import Process
    from ntos.ke.thread import Thread

    Request = Asked[Process]

CLASS = constants.PROCESSINFOCLASS
KEEP = 0xFFFF_FFFF_FFFF_FFFF
PAGE = 0x1000
FOREGROUND_STRETCH = 3


@service(
    partial="not LdtInformation, SessionInformation, WorkingSetWatch, AlignmentFaultFixup, "
    "HandleTracing, ConsoleHostProcess, MemoryAllocationMode, WorkingSetControl, HandleCheckingMode, CpuSets, "
    "ThreadStackAllocation and what came after PowerThrottling; mitigation policies that nothing enforces and "
    "instrumentation callbacks are refused; working sets are never trimmed"
)
def NtSetInformationProcess(
    thread: Thread,
    ProcessHandle: HANDLE,
    ProcessInformationClass: ULONG,
    ProcessInformation: PVOID,
    ProcessInformationLength: ULONG,
) -> NTSTATUS:
    """Change what an information class says about a process."""
    return change(
        thread, TABLE, PROCESS, ProcessHandle, ProcessInformationClass, ProcessInformation,
        ProcessInformationLength,
    )  # fmt: skip


def _refuse(asked: Request, name: str, valid: str = "") -> NtError:
    inputs = {"process": asked.target.id, "value": asked.read().hex()}
    return NtError(STATUS.INVALID_PARAMETER, Denied(f"value of Process{name}", inputs, valid))


def _hard_error_mode(asked: Request) -> None:
    asked.target.eprocess.DefaultHardErrorProcessing = asked.number()


def _priority_class(asked: Request) -> None:
    wanted = asked.read()[1]
    if wanted not in range(
        constants.PROCESS_PRIORITY_CLASS_IDLE, constants.PROCESS_PRIORITY_CLASS_ABOVE_NORMAL + 1
    ):
        raise _refuse(asked, "PriorityClass", "1 to 6")
    current = int(asked.target.eprocess.PriorityClass)
    if wanted == constants.PROCESS_PRIORITY_CLASS_REALTIME and wanted != current:
        privileges.require(asked.thread, SE_PRIVILEGE.INCREASE_BASE_PRIORITY)
    if job_object.limit_of(asked.target, constants.JOB_OBJECT_LIMIT_PRIORITY_CLASS) is None:
        priority.set_class(asked.target, wanted)


def _base_priority(asked: Request) -> None:
    base = asked.number(signed=True)
    if not 1 <= base <= 31:
        raise _refuse(asked, "BasePriority", "1 to 31")
    if base > int(asked.target.pcb.BasePriority):
        privileges.require(asked.thread, SE_PRIVILEGE.INCREASE_BASE_PRIORITY)
    priority.set_process_base(asked.target, base)


def _priority_boost(asked: Request) -> None:
    disable = int(asked.number() != 0)
    asked.target.pcb.DisableBoost = disable
    for member in asked.target.threads:
        member.tcb.DisableBoost = disable


def _affinity(asked: Request) -> None:
    mask, group = struct.unpack("<QH", asked.read(asked.length)[:10].ljust(10, b"\0"))
    if mask != 1 or group:
        raise _refuse(asked, "AffinityMask", "1: there is one processor")
    asked.target.eprocess.ExplicitAffinity = 1


def _io_priority(asked: Request) -> None:
    asked.target.eprocess.DefaultIoPriority = priority.io_priority(asked, _refuse)


def _page_priority(asked: Request) -> None:
    asked.target.eprocess.DefaultPagePriority = priority.page_priority(asked, _refuse)


def _break_on_termination(asked: Request) -> None:
    privileges.require(asked.thread, SE_PRIVILEGE.DEBUG)
    asked.target.eprocess.BreakOnTermination = int(asked.number() != 0)


def _debug_flags(asked: Request) -> None:
    wanted = asked.number()
    if wanted > 1:
        raise _refuse(asked, "DebugFlags", "0 or 1")
    asked.target.eprocess.NoDebugInherit = 1 - wanted


def _foreground(asked: Request) -> None:
    """PROCESS_FOREGROUND_BACKGROUND: programs in front have quanta three times as long."""
    quantum = QUANTUM * FOREGROUND_STRETCH if asked.number() else QUANTUM
    asked.target.pcb.QuantumReset = quantum
    for member in asked.target.threads:
        member.tcb.QuantumReset = quantum


def _access_token(asked: Request) -> None:
    """PROCESS_ACCESS_TOKEN: another primary token, while nothing of the process has run yet."""
    token, eprocess = tokens.assignable(asked.thread, int.from_bytes(asked.read(8), "little")), asked.target.eprocess
    if eprocess.PrimaryTokenFrozen:
        ob.dereference(token)
        because = Denied("the process has begun to run with its token", {"process": asked.target.id}, "do it before")
        raise NtError(STATUS.NOT_SUPPORTED, because)
    tokens.set_primary_token(asked.target, token)


def _exception_port(asked: Request) -> None:
    privileges.require(asked.thread, SE_PRIVILEGE.TCB)
    port = ob.by_handle(asked.thread, struct.unpack_from("<Q", asked.read())[0], PORT_CONNECT, lpc.ALPC_PORT_TYPE)
    lpc.set_exception_port(asked.target, port)


def _quota(asked: Request) -> None:
    """Working set limits; -1 for both asks to empty the working set, which here has nowhere to go."""
    least, most = struct.unpack_from("<QQ", asked.read(), 0x10)
    limits = asked.target.eprocess.Vm.Instance
    if least == most == KEEP or (not least and not most):
        return
    if least > most or not least:
        raise _refuse(asked, "QuotaLimits", "minimum at most maximum")
    if least // PAGE > int(limits.MinimumWorkingSetSize):
        privileges.require(asked.thread, SE_PRIVILEGE.INCREASE_WORKING_SET)
    limits.MinimumWorkingSetSize, limits.MaximumWorkingSetSize = least // PAGE, most // PAGE


def _mitigation(asked: Request) -> None:
    """Only a process itself puts policies on itself."""
    policy, flags = struct.unpack("<II", asked.read())
    if asked.target is not asked.thread.process:
        because = Denied("another process's mitigation policy", {"process": asked.target.id}, "the own process")
        raise NtError(STATUS.ACCESS_DENIED, because)
    mitigation.set_policy(asked.target.eprocess, tokens.primary_token(asked.target), policy, flags)


def _unsupported(name: str, why: str) -> Rule[Process]:
    def refuse(asked: Request) -> None:
        raise NtError(STATUS.NOT_SUPPORTED, Denied(f"Process{name}: {why}", {"process": asked.target.id}))

    return Rule((), FULL, refuse)


TABLE: Table[Process] = {
    CLASS.ProcessQuotaLimits: Rule((0x30, 0x58), PROCESS_SET_QUOTA, _quota),
    CLASS.ProcessExceptionPort: Rule((8, 0x10), PROCESS_SET_PORT, _exception_port),
    CLASS.ProcessBasePriority: Rule((4,), FULL, _base_priority),
    CLASS.ProcessAccessToken: Rule((0x10,), FULL, _access_token, alignment=8),
    CLASS.ProcessForegroundInformation: Rule((1,), FULL, _foreground, alignment=1),
    CLASS.ProcessPowerThrottlingState: Rule((12,), FULL, power_throttling.change),
    CLASS.ProcessDefaultHardErrorMode: Rule((4,), FULL, _hard_error_mode),
    CLASS.ProcessPriorityClass: Rule((2,), FULL, _priority_class, alignment=1),
    CLASS.ProcessAffinityMask: Rule((8, 0x10), FULL, _affinity),
    CLASS.ProcessPriorityBoost: Rule((4,), FULL, _priority_boost),
    CLASS.ProcessBreakOnTermination: Rule((4,), FULL, _break_on_termination),
    CLASS.ProcessDebugFlags: Rule((4,), FULL, _debug_flags),
    CLASS.ProcessIoPriority: Rule((4,), FULL, _io_priority),
    CLASS.ProcessTlsInformation: Rule((), FULL, tls.replace, alignment=8),
    CLASS.ProcessPagePriority: Rule((4,), FULL, _page_priority),
    CLASS.ProcessInstrumentationCallback: _unsupported(
        "InstrumentationCallback", "no callback on kernel returns"
    ),
    CLASS.ProcessMitigationPolicy: Rule((8,), FULL, _mitigation),
}

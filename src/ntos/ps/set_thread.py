"""NtSetInformationThread: one row a class, one small function a change."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ntos import ob
from ntos.abi import ps as constants
from ntos.abi.access import THREAD_SET_INFORMATION as FULL
from ntos.abi.access import THREAD_SET_LIMITED_INFORMATION as LIMITED
from ntos.abi.access import THREAD_SET_THREAD_TOKEN, TOKEN_IMPERSONATE
from ntos.abi.se import SE_PRIVILEGE
from ntos.abi.status import STATUS, Denied, NtError
from ntos.abi.types import HANDLE, NTSTATUS, PVOID, ULONG
from ntos.ke.service import service
from ntos.ps import power_throttling, priority, thread_name, tls
from ntos.ps.information import Asked, Rule, Table, change
from ntos.ps.manager import THREAD
from ntos.se import privileges
from ntos.se import token as tokens

if TYPE_CHECKING:
    from ntos.ke.thread import Thread

    Request = Asked[Thread]

CLASS = constants.THREADINFOCLASS
LARGEST_INCREMENT = 2
NO_IDEAL_PROCESSOR = 64
"""MAXIMUM_PROCESSORS: asks only what the ideal processor is."""
LONGEST_NAME = 0xFFFE


@service(
    partial="not EnableAlignmentFaultFixup, SetTlsArrayAddress, Wow64Context, UmsInformation, SelectedCpuSets, "
    "CounterProfiling, HeterogeneousCpuPolicy, WorkOnBehalf"
)
def NtSetInformationThread(
    thread: Thread,
    ThreadHandle: HANDLE,
    ThreadInformationClass: ULONG,
    ThreadInformation: PVOID,
    ThreadInformationLength: ULONG,
) -> NTSTATUS:
    """Change what an information class says about a thread."""
    return change(
        thread,
        TABLE,
        THREAD,
        ThreadHandle,
        ThreadInformationClass,
        ThreadInformation,
        ThreadInformationLength,
    )


def _refuse(asked: Request, name: str, valid: str = "") -> NtError:
    inputs = {"thread": asked.target.id, "value": asked.read().hex()}
    return NtError(STATUS.INVALID_PARAMETER, Denied(f"value of Thread{name}", inputs, valid))


def _priority(asked: Request) -> None:
    wanted = asked.number(signed=True)
    if not 1 <= wanted <= 31:
        raise _refuse(asked, "Priority", "1 to 31")
    if wanted >= priority.LOWEST_REALTIME:
        privileges.require(asked.thread, SE_PRIVILEGE.INCREASE_BASE_PRIORITY)
    priority.set_priority(asked.target, wanted)


def _base_priority(asked: Request) -> None:
    """-2 to 2, or plus and minus 16 for the ends of the range; a realtime process may ask for more."""
    wanted = asked.number(signed=True)
    realtime = int(asked.target.process.pcb.BasePriority) >= priority.LOWEST_REALTIME
    if not realtime and abs(wanted) > LARGEST_INCREMENT and abs(wanted) != priority.SATURATED:
        raise _refuse(asked, "BasePriority", "-2 to 2, -16, 16")
    priority.set_increment(asked.target, wanted)


def _affinity(asked: Request) -> None:
    mask, group = struct.unpack("<QH", asked.read()[:10].ljust(10, b"\0"))
    if mask != 1 or group:
        raise _refuse(asked, "AffinityMask", "1: there is one processor")


def _impersonation_token(asked: Request) -> None:
    handle = asked.number()
    if not handle:
        tokens.impersonate(asked.target, None)
        return
    token = ob.by_handle(asked.thread, handle, TOKEN_IMPERSONATE, tokens.TYPE)
    if token.is_primary:
        raise NtError(
            STATUS.BAD_TOKEN_TYPE, Denied("a primary token", {"handle": hex(handle)}, "DuplicateToken")
        )
    tokens.impersonate(asked.target, token)


def _start_address(asked: Request) -> None:
    asked.target.ethread.Win32StartAddress = asked.number()


def _zero_tls_cell(asked: Request) -> None:
    if asked.target is not asked.thread:
        raise _refuse(asked, "ZeroTlsCell", "NtCurrentThread()")
    tls.zero_cell(asked.thread.process, asked.number())


def _ideal_processor(asked: Request) -> int:
    """The answer is the former ideal processor, in place of a status."""
    former = int(asked.target.tcb.UserIdealProcessor)
    wanted = asked.number()
    if wanted not in {0, NO_IDEAL_PROCESSOR}:
        raise _refuse(asked, "IdealProcessor", "0, or 64 to ask")
    return former


def _ideal_processor_ex(asked: Request) -> None:
    group, number, reserved = struct.unpack("<HBB", asked.read())
    if group or number or reserved:
        raise _refuse(asked, "IdealProcessorEx", "group 0, processor 0")
    asked.memory.write(asked.buffer, struct.pack("<HBB", 0, int(asked.target.tcb.UserIdealProcessor), 0))


def _priority_boost(asked: Request) -> None:
    asked.target.tcb.DisableBoost = int(asked.number() != 0)


def _hide(asked: Request) -> None:
    asked.target.ethread.HideFromDebugger = 1


def _break_on_termination(asked: Request) -> None:
    privileges.require(asked.thread, SE_PRIVILEGE.DEBUG)
    asked.target.ethread.BreakOnTermination = int(asked.number() != 0)


def _io_priority(asked: Request) -> None:
    asked.target.ethread.ThreadIoPriority = priority.io_priority(asked, _refuse)


def _page_priority(asked: Request) -> None:
    asked.target.ethread.ThreadPagePriority = priority.page_priority(asked, _refuse)


def _name(asked: Request) -> None:
    length, buffer = struct.unpack("<H6xQ", asked.read())
    if length & 1 or length > LONGEST_NAME:
        raise _refuse(asked, "NameInformation", "an even length")
    thread_name.put(asked.target, asked.memory.read(buffer, length))


def _case_sensitivity(asked: Request) -> None:
    privileges.require(asked.thread, SE_PRIVILEGE.DEBUG)
    asked.target.ethread.ExplicitCaseSensitivity = int(asked.number() != 0)


def _dynamic_code(asked: Request) -> None:
    """Opt out of the process's prohibition, where that lets threads do so; and back in."""
    if asked.number() and not asked.target.process.eprocess.MitigationFlagsValues.DisableDynamicCodeAllowOptOut:
        because = Denied("the dynamic code policy lets no thread opt out", {"thread": asked.target.id},
                         "AllowThreadOptOut")  # fmt: skip
        raise NtError(STATUS.ACCESS_DENIED, because)
    asked.target.ethread.DisableDynamicCodeOptOut = int(asked.number() != 0)


TABLE: Table[Thread] = {
    CLASS.ThreadPriority: Rule((4,), FULL, _priority),
    CLASS.ThreadBasePriority: Rule((4,), LIMITED, _base_priority),
    CLASS.ThreadAffinityMask: Rule((8,), FULL, _affinity, alignment=8),
    CLASS.ThreadImpersonationToken: Rule((8,), THREAD_SET_THREAD_TOKEN, _impersonation_token),
    CLASS.ThreadQuerySetWin32StartAddress: Rule((8,), FULL, _start_address),
    CLASS.ThreadZeroTlsCell: Rule((4,), FULL, _zero_tls_cell),
    CLASS.ThreadIdealProcessor: Rule((4,), FULL, _ideal_processor),
    CLASS.ThreadPriorityBoost: Rule((4,), FULL, _priority_boost),
    CLASS.ThreadHideFromDebugger: Rule((0,), FULL, _hide),
    CLASS.ThreadBreakOnTermination: Rule((4,), FULL, _break_on_termination),
    CLASS.ThreadIoPriority: Rule((4,), FULL, _io_priority),
    CLASS.ThreadPagePriority: Rule((4,), FULL, _page_priority),
    CLASS.ThreadGroupInformation: Rule((0x10,), FULL, _affinity, alignment=8),
    CLASS.ThreadIdealProcessorEx: Rule((4,), FULL, _ideal_processor_ex),
    CLASS.ThreadPowerThrottlingState: Rule((12,), LIMITED, power_throttling.change),
    CLASS.ThreadNameInformation: Rule((0x10,), LIMITED, _name, alignment=8),
    CLASS.ThreadDynamicCodePolicyInfo: Rule((4,), FULL, _dynamic_code),
    CLASS.ThreadExplicitCaseSensitivity: Rule((4,), FULL, _case_sensitivity),
}

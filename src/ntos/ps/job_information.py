"""NtQueryInformationJobObject and NtSetInformationJobObject.

Limits are stored where they hold or have nothing to act on; those nobody would enforce are refused.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ntos import ob
from ntos.abi import ps as constants
from ntos.abi.access import IO_COMPLETION_MODIFY_STATE
from ntos.abi.access import JOB_OBJECT_QUERY as QUERY
from ntos.abi.access import JOB_OBJECT_SET_ATTRIBUTES as SET
from ntos.abi.layout.job_info import JOBOBJECT_BASIC_LIMIT_INFORMATION, JOBOBJECT_EXTENDED_LIMIT_INFORMATION
from ntos.abi.pointer import Out
from ntos.abi.se import SE_PRIVILEGE
from ntos.abi.status import STATUS, Denied, NtError
from ntos.abi.types import HANDLE, NTSTATUS, PVOID, ULONG
from ntos.ke.service import service
from ntos.ps import job_object, job_time, job_usage
from ntos.ps.information import Asked, Rule, Table, change, query, ulong, word
from ntos.ps.job_object import JOB, Job
from ntos.se import privileges

if TYPE_CHECKING:
    from ntos.ke.thread import Thread

    Request = Asked[Job]

CLASS = constants.JOBOBJECTINFOCLASS
BASIC_FLAGS, EXTENDED_FLAGS = 0xFF, 0x7FFF
JOB_TIME, PRESERVE = constants.JOB_OBJECT_LIMIT_JOB_TIME, constants.JOB_OBJECT_LIMIT_PRESERVE_JOB_TIME
UI_RESTRICTIONS = 0x1FF
MESSAGES = 0x1FFE
"""Bits of the numbers of messages there are."""
PAGE = 0x1000
ONE_PROCESSOR = 1
ONE_GROUP = struct.pack("<QH6x", ONE_PROCESSOR, 0)
"""GROUP_AFFINITY of group 0."""
HIGHEST_SCHEDULING_CLASS, NORMAL_SCHEDULING_CLASS = 9, 5
PRIORITY_CLASSES = range(constants.PROCESS_PRIORITY_CLASS_IDLE, constants.PROCESS_PRIORITY_CLASS_ABOVE_NORMAL + 1)
POST_AT_END_OF_JOB = 1
CPU_RATE_ENABLE = 1


@service(
    partial="not SecurityLimit, JobSet, NotificationLimit, LimitViolation, Freeze, ExtendedAccounting, rate control "
    "and the silo classes"
)
def NtQueryInformationJobObject(
    thread: Thread,
    JobHandle: HANDLE,
    JobObjectInformationClass: ULONG,
    JobObjectInformation: PVOID,
    JobObjectInformationLength: ULONG,
    ReturnLength: Out[ULONG] | None,
) -> NTSTATUS:
    """What an information class says about a job; handle 0 is the caller's innermost one."""
    own = None
    if not JobHandle:
        own = job_object.job_of(thread.process)
        if own is None:
            raise NtError(STATUS.ACCESS_DENIED, Denied("the caller is in no job", {"process": thread.process.id}))
    return query(
        thread, QUERY_TABLE, JOB, JobHandle, JobObjectInformationClass, JobObjectInformation,
        JobObjectInformationLength, ReturnLength, own,
    )  # fmt: skip


@service(
    partial="limits on processor rate are refused; those on user interface are kept for who enforces them; classes as "
    "in NtQueryInformationJobObject"
)
def NtSetInformationJobObject(
    thread: Thread,
    JobHandle: HANDLE,
    JobObjectInformationClass: ULONG,
    JobObjectInformation: PVOID,
    JobObjectInformationLength: ULONG,
) -> NTSTATUS:
    """Change what an information class says about a job."""
    return change(
        thread, SET_TABLE, JOB, JobHandle, JobObjectInformationClass, JobObjectInformation,
        JobObjectInformationLength,
    )  # fmt: skip


# ---------------------------------------------------------------- query


def _accounting(asked: Request) -> bytes:
    view, used = asked.target.view, job_usage.of_job(asked.target)
    answer = struct.pack(
        "<4q4I", used.user, used.kernel, *job_usage.of_period(asked.target), used.faults & 0xFFFF_FFFF,
        int(view.TotalProcesses), int(view.ActiveProcesses), int(view.TotalTerminatedProcesses),
    )  # fmt: skip
    return (answer + struct.pack("<6Q", *used.transfers))[: asked.length]


def _memory_usage(asked: Request) -> bytes:
    """JOBOBJECT_MEMORY_USAGE_INFORMATION."""
    view = asked.target.view
    return struct.pack("<QQ", int(view.CurrentJobMemoryUsed) * PAGE, int(view.PeakJobMemoryUsed) * PAGE)


def _container(asked: Request) -> bytes:
    """JOBOBJECT_CONTAINER_IDENTIFIER_V2: two GUIDs, nothing but zeroes outside containers, and the job's number."""
    view = asked.target.view
    return bytes(view.ContainerId) + bytes(view.ContainerTelemetryId) + ulong(int(view.JobId))


def _limits(asked: Request) -> bytes:
    view = asked.target.view
    answer = JOBOBJECT_EXTENDED_LIMIT_INFORMATION.new()
    basic = answer.BasicLimitInformation
    extended = asked.length == JOBOBJECT_EXTENDED_LIMIT_INFORMATION.size
    flags = int(view.LimitFlags)
    basic.LimitFlags = flags & (EXTENDED_FLAGS if extended else BASIC_FLAGS)
    basic.MinimumWorkingSetSize = int(view.MinimumWorkingSetSize) * PAGE
    basic.MaximumWorkingSetSize = int(view.MaximumWorkingSetSize) * PAGE
    basic.ActiveProcessLimit = int(view.ActiveProcessLimit)
    basic.Affinity = int(view.Affinity.Bitmap[0])
    basic.PriorityClass = int(view.PriorityClass)
    basic.SchedulingClass = int(view.SchedulingClass)
    basic.PerProcessUserTimeLimit = int(view.PerProcessUserTimeLimit)
    basic.PerJobUserTimeLimit = int(view.PerJobUserTimeLimit)
    answer.ProcessMemoryLimit = int(view.ProcessMemoryLimit) * PAGE
    answer.JobMemoryLimit = int(view.JobMemoryLimit) * PAGE
    answer.PeakProcessMemoryUsed = int(view.PeakProcessMemoryUsed) * PAGE
    answer.PeakJobMemoryUsed = int(view.PeakJobMemoryUsed) * PAGE
    return bytes(answer)[: asked.length]


def _process_ids(asked: Request) -> tuple[bytes, NTSTATUS]:
    """As many ids as there is room for; BUFFER_OVERFLOW where that is not all."""
    if asked.length < 16:
        raise NtError(STATUS.INFO_LENGTH_MISMATCH, Denied("length of the id list", {"length": asked.length}, "16"))
    ids = [process.id for process in asked.target.processes()]
    room = (asked.length - 8) // 8
    shown = ids[:room]
    data = struct.pack(f"<II{len(shown)}Q", len(ids), len(shown), *shown)
    return data, STATUS.SUCCESS if len(shown) == len(ids) else STATUS.BUFFER_OVERFLOW


QUERY_TABLE: Table[Job] = {
    CLASS.JobObjectBasicAccountingInformation: Rule((0x30,), QUERY, _accounting, alignment=8),
    CLASS.JobObjectBasicLimitInformation: Rule((0x40,), QUERY, _limits, alignment=8),
    CLASS.JobObjectBasicProcessIdList: Rule((), QUERY, _process_ids, alignment=8),
    CLASS.JobObjectBasicUIRestrictions: Rule((4,), QUERY, lambda a: ulong(int(a.target.view.UIRestrictionsClass))),
    CLASS.JobObjectEndOfJobTimeInformation: Rule((4,), QUERY, lambda a: ulong(int(a.target.view.EndOfJobTimeAction))),
    CLASS.JobObjectBasicAndIoAccountingInformation: Rule((0x60,), QUERY, _accounting, alignment=8),
    CLASS.JobObjectExtendedLimitInformation: Rule((0x90,), QUERY, _limits, alignment=8),
    CLASS.JobObjectGroupInformation: Rule((), QUERY, lambda _: bytes(2), STATUS.BUFFER_TOO_SMALL, alignment=2),
    CLASS.JobObjectCpuRateControlInformation: Rule((8,), QUERY, lambda _: bytes(8)),
    CLASS.JobObjectGroupInformationEx: Rule((), QUERY, lambda _: ONE_GROUP, STATUS.BUFFER_TOO_SMALL, alignment=8),
    CLASS.JobObjectCompletionFilter: Rule((4,), QUERY, lambda a: ulong(int(a.target.view.CompletionFilter))),
    CLASS.JobObjectCompletionCounter: Rule((8,), QUERY, lambda a: word(int(a.target.view.CompletionCount))),
    CLASS.JobObjectMemoryUsageInformation: Rule((0x10,), QUERY, _memory_usage, alignment=8),
    CLASS.JobObjectContainerId: Rule((0x24,), QUERY, _container),
}


# ---------------------------------------------------------------- set


def _invalid(rule: str, inputs: dict[str, object], valid: str = "") -> NtError:
    return NtError(STATUS.INVALID_PARAMETER, Denied(rule, inputs, valid))


def _set_limits(asked: Request) -> None:
    extended = asked.length == JOBOBJECT_EXTENDED_LIMIT_INFORMATION.size
    whole = JOBOBJECT_EXTENDED_LIMIT_INFORMATION.parse(asked.read())
    wanted = whole.BasicLimitInformation
    flags = int(wanted.LimitFlags)
    valid = EXTENDED_FLAGS if extended else BASIC_FLAGS
    if flags & ~valid:
        raise _invalid("job limit flags", {"LimitFlags": hex(flags)}, f"within {valid:#x}")
    if flags & JOB_TIME and flags & PRESERVE:
        raise _invalid("a limit on the job's time is set or preserved", {"LimitFlags": hex(flags)}, "one of the two")
    _check(asked.thread, asked.target, wanted, flags)
    view = asked.target.view
    if not extended:
        flags |= int(view.LimitFlags) & ~BASIC_FLAGS
    if flags & PRESERVE:
        flags = flags & ~PRESERVE | int(view.LimitFlags) & JOB_TIME
    _store(asked.target, wanted, flags, new_period=not int(wanted.LimitFlags) & PRESERVE)
    if flags & constants.JOB_OBJECT_LIMIT_PROCESS_MEMORY and extended:
        view.ProcessMemoryLimit = int(whole.ProcessMemoryLimit) // PAGE
    if flags & constants.JOB_OBJECT_LIMIT_JOB_MEMORY and extended:
        view.JobMemoryLimit = int(whole.JobMemoryLimit) // PAGE
    for process in asked.target.processes():
        job_object.apply_limits(process)
    job_time.watch(asked.target)


def _check(thread: Thread, job: Job, wanted: JOBOBJECT_BASIC_LIMIT_INFORMATION, flags: int) -> None:
    if flags & constants.JOB_OBJECT_LIMIT_WORKINGSET:
        least, most = int(wanted.MinimumWorkingSetSize), int(wanted.MaximumWorkingSetSize)
        if not least or least > most:
            raise _invalid("working set limits", {"minimum": least, "maximum": most}, "0 < minimum <= maximum")
    if flags & constants.JOB_OBJECT_LIMIT_AFFINITY and int(wanted.Affinity) != ONE_PROCESSOR:
        raise _invalid("job affinity", {"Affinity": hex(int(wanted.Affinity))}, "1: there is one processor")
    if flags & constants.JOB_OBJECT_LIMIT_PRIORITY_CLASS:
        number = int(wanted.PriorityClass)
        if number not in PRIORITY_CLASSES:
            raise _invalid("job priority class", {"PriorityClass": number}, "1 to 6")
        if number in {constants.PROCESS_PRIORITY_CLASS_HIGH, constants.PROCESS_PRIORITY_CLASS_REALTIME}:
            privileges.require(thread, SE_PRIVILEGE.INCREASE_BASE_PRIORITY)
    if flags & constants.JOB_OBJECT_LIMIT_SCHEDULING_CLASS:
        number = int(wanted.SchedulingClass)
        if number > HIGHEST_SCHEDULING_CLASS:
            raise _invalid("job scheduling class", {"SchedulingClass": number}, "0 to 9")
        if number > NORMAL_SCHEDULING_CLASS:
            privileges.require(thread, SE_PRIVILEGE.INCREASE_BASE_PRIORITY)


def _store(job: Job, wanted: JOBOBJECT_BASIC_LIMIT_INFORMATION, flags: int, *, new_period: bool) -> None:
    view = job.view
    view.LimitFlags = view.EffectiveLimitFlags = flags
    if flags & constants.JOB_OBJECT_LIMIT_PROCESS_TIME:
        view.PerProcessUserTimeLimit = int(wanted.PerProcessUserTimeLimit)
    if flags & JOB_TIME and new_period:
        view.PerJobUserTimeLimit = int(wanted.PerJobUserTimeLimit)
        job_usage.begin_period(job)
        job.reset()
    if flags & constants.JOB_OBJECT_LIMIT_WORKINGSET:
        view.MinimumWorkingSetSize = int(wanted.MinimumWorkingSetSize) // PAGE
        view.MaximumWorkingSetSize = int(wanted.MaximumWorkingSetSize) // PAGE
    if flags & constants.JOB_OBJECT_LIMIT_ACTIVE_PROCESS:
        view.ActiveProcessLimit = int(wanted.ActiveProcessLimit)
    if flags & constants.JOB_OBJECT_LIMIT_AFFINITY:
        view.Affinity.Bitmap[0] = int(wanted.Affinity)
    if flags & constants.JOB_OBJECT_LIMIT_PRIORITY_CLASS:
        view.PriorityClass = view.EffectivePriorityClass = int(wanted.PriorityClass)
    if flags & constants.JOB_OBJECT_LIMIT_SCHEDULING_CLASS:
        view.SchedulingClass = view.EffectiveSchedulingClass = int(wanted.SchedulingClass)


def _ui_restrictions(asked: Request) -> None:
    """A job with limits on the user interface stands alone: it is in no other, and no other in it."""
    wanted, view = asked.number(), asked.target.view
    if wanted & ~UI_RESTRICTIONS:
        raise _invalid("user interface limits", {"UIRestrictionsClass": hex(wanted)}, f"within {UI_RESTRICTIONS:#x}")
    if wanted and (view.ParentJob or not view.ChildJobListHead.is_empty()):
        because = Denied("user interface limits of a nested job", {"job": int(view.JobId)}, "a job that stands alone")
        raise NtError(STATUS.ACCESS_DENIED, because)
    view.UIRestrictionsClass, view.UILimits = wanted, int(wanted != 0)


def _completion_filter(asked: Request) -> None:
    """Messages, a bit each, that are not to be posted."""
    wanted = asked.number()
    if wanted & ~MESSAGES:
        raise _invalid("completion filter", {"mask": hex(wanted)}, f"within {MESSAGES:#x}")
    asked.target.view.CompletionFilter = wanted


def _clear_peak(asked: Request) -> None:
    asked.target.view.PeakJobMemoryUsed = int(asked.target.view.CurrentJobMemoryUsed)


def _end_of_job(asked: Request) -> None:
    action = asked.number()
    if action > POST_AT_END_OF_JOB:
        raise _invalid("end of job action", {"EndOfJobTimeAction": action}, "0 or 1")
    asked.target.view.EndOfJobTimeAction = action


def _completion_port(asked: Request) -> None:
    """A port for messages, once; processes that are in the job already are told of at once."""
    key, handle = struct.unpack("<QQ", asked.read())
    view = asked.target.view
    if view.CompletionPort or not handle:
        raise _invalid("a job has one completion port", {"port": hex(handle)}, "a job without one")
    kind = asked.thread.kernel[ob.ObjectManager].find_type("IoCompletion")
    port = ob.by_handle(asked.thread, handle, IO_COMPLETION_MODIFY_STATE, kind)
    ob.reference(port)
    view.CompletionPort, view.CompletionKey = port.address, key
    for process in asked.target.processes():
        port.post(key, process.id, int(STATUS.SUCCESS), constants.JOB_OBJECT_MSG_NEW_PROCESS)


def _cpu_rate(asked: Request) -> None:
    if asked.number() & CPU_RATE_ENABLE:
        raise NtError(STATUS.NOT_SUPPORTED, Denied("processor rate of a job", {"value": asked.read().hex()}))


SET_TABLE: Table[Job] = {
    CLASS.JobObjectBasicLimitInformation: Rule((0x40,), SET, _set_limits, alignment=8),
    CLASS.JobObjectBasicUIRestrictions: Rule((4,), SET, _ui_restrictions),
    CLASS.JobObjectEndOfJobTimeInformation: Rule((4,), SET, _end_of_job),
    CLASS.JobObjectAssociateCompletionPortInformation: Rule((0x10,), SET, _completion_port, alignment=8),
    CLASS.JobObjectExtendedLimitInformation: Rule((0x90,), SET, _set_limits, alignment=8),
    CLASS.JobObjectCpuRateControlInformation: Rule((8,), SET, _cpu_rate),
    CLASS.JobObjectCompletionFilter: Rule((4,), SET, _completion_filter),
    CLASS.JobObjectClearPeakJobMemoryUsed: Rule((0,), SET, _clear_peak),
}

"""NtQueryInformationProcess: what a process has used, and what it may use: time, memory, transfers."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ntos import ob
from ntos.abi import ps as constants
from ntos.abi.access import PROCESS_QUERY_LIMITED_INFORMATION as LIMITED
from ntos.abi.layout.process import EPROCESS
from ntos.abi.status import STATUS, Denied, NtError
from ntos.hal.clock import CYCLES_PER_UNIT
from ntos.ke import runtime
from ntos.ps import job_object
from ntos.ps.allocate import audit_name
from ntos.ps.information import Asked, Rule, Table
from ntos.ps.process_names import command_line
from ntos.rtl.text import to_utf16
from ntos.se.token import primary_token

if TYPE_CHECKING:
    from ntos.ke.process import Process

    Request = Asked[Process]

CLASS = constants.PROCESSINFOCLASS
NO_LIMIT = 0xFFFF_FFFF_FFFF_FFFF
PAGE = 0x1000
IO_COUNTERS = EPROCESS.offset("ReadOperationCount")
TELEMETRY_HEAD = 0x60
CRASHED, TERMINATED = 1 << 8, 1 << 9
"""Flags of PROCESS_UPTIME_INFORMATION above two counts of four bits (phnt)."""


# ---------------------------------------------------------------- time


def _times(asked: Request) -> bytes:
    eprocess, used = asked.target.eprocess, runtime.of_process(asked.target)
    return struct.pack("<4q", int(eprocess.CreateTime), int(eprocess.ExitTime), used.kernel, used.user)


def _cycles(asked: Request) -> bytes:
    used = runtime.of_process(asked.target)
    running = asked.thread.kernel.scheduler.running_for(asked.thread)
    current = running * CYCLES_PER_UNIT if asked.target is asked.thread.process else 0
    return struct.pack("<QQ", used.cycles, current)


def _uptime(asked: Request) -> bytes:
    """PROCESS_UPTIME_INFORMATION, all in interrupt time."""
    eprocess, clock = asked.target.eprocess, asked.thread.kernel.clock
    created = int(eprocess.CreateInterruptTime)
    ended = int(eprocess.ExitTime) - clock.boot_time if eprocess.ProcessDelete else 0
    lasted = (ended or clock.now) - created
    flags = int(eprocess.Crashed) * CRASHED | int(eprocess.ProcessDelete) * TERMINATED
    return struct.pack("<6QI4x", clock.now, clock.now, ended, clock.now - created, lasted, 0, flags)


# ---------------------------------------------------------------- memory, quota, I/O


def _quota(asked: Request) -> bytes:
    limits = asked.target.eprocess.Vm.Instance
    least, most = int(limits.MinimumWorkingSetSize), int(limits.MaximumWorkingSetSize)
    answer = struct.pack("<6Q", NO_LIMIT, NO_LIMIT, least * PAGE, most * PAGE, NO_LIMIT, NO_LIMIT)
    return answer.ljust(asked.length, b"\0")


def _io_counters(asked: Request) -> bytes:
    return asked.thread.kernel.memory.read(asked.target.address + IO_COUNTERS, 0x30)


def _vm_counters(asked: Request) -> bytes:
    eprocess = asked.target.eprocess
    working_set = eprocess.Vm.Instance
    peak, usage = eprocess.ProcessQuotaPeak, eprocess.ProcessQuotaUsage
    answer = struct.pack(
        "<QQIxxxx11Q", int(eprocess.PeakVirtualSize), int(eprocess.VirtualSize), int(working_set.PageFaultCount),
        int(working_set.PeakWorkingSetSize) * PAGE, int(working_set.WorkingSetSize) * PAGE,
        peak[1], usage[1], peak[0], usage[0], int(eprocess.CommitCharge) * PAGE,
        int(eprocess.CommitChargePeak) * PAGE, int(eprocess.CommitCharge) * PAGE,
        int(working_set.WorkingSetPrivateSize) * PAGE, int(eprocess.SharedCommitCharge) * PAGE,
    )  # fmt: skip
    return answer[: asked.length]


def _job_memory(asked: Request) -> bytes:
    """PROCESS_JOB_MEMORY_INFO: what the process uses and the least that one of its jobs lets it use."""
    eprocess = asked.target.eprocess
    job = job_object.job_of(asked.target)
    if job is None:
        raise NtError(STATUS.NOT_SUPPORTED, Denied("the process is in no job", {"process": asked.target.id}))
    total = job_object.least_memory_limit(job)
    limit = int(eprocess.CommitChargeLimit)
    return struct.pack(
        "<5Q", int(eprocess.SharedCommitCharge) * PAGE, int(eprocess.CommitCharge) * PAGE,
        int(eprocess.CommitChargePeak) * PAGE, limit * PAGE or total * PAGE, total * PAGE,
    )  # fmt: skip


def _commit_release(_asked: Request) -> bytes:
    """PROCESS_COMMIT_RELEASE_INFORMATION, version 1: nothing is ever kept back to be given back."""
    return struct.pack("<II3Q", 1, 0, 0, 0, 0)


# ---------------------------------------------------------------- telemetry


def _telemetry(asked: Request) -> bytes:
    """PROCESS_TELEMETRY_ID_INFORMATION: a head of numbers, then what its last five fields lead to (phnt)."""
    process, eprocess = asked.target, asked.target.eprocess
    section = int(eprocess.SectionObject)
    headers = ob.at_address(asked.thread.kernel, section).area.headers if section else None
    checksum, stamp = (0, 0) if headers is None else (headers.checksum, headers.time_date_stamp)
    parts = [
        primary_token(process).claims.user, to_utf16(audit_name(process)) + bytes(2), bytes(2), bytes(2),
        command_line(process) + bytes(2),
    ]  # fmt: skip
    offsets, place = [], TELEMETRY_HEAD
    for index, part in enumerate(parts):
        parts[index] = part + bytes(-len(part) & 3)
        offsets.append(place)
        place += len(parts[index])
    sequence = int(eprocess.SequenceNumber)
    head = struct.pack(
        "<II6Q4I5I4x", TELEMETRY_HEAD, process.id, sequence | 1 << 48, int(eprocess.CreateTime),
        int(eprocess.CreateInterruptTime), int(eprocess.CreateUnbiasedInterruptTime), sequence, 0,
        primary_token(process).session, 1, checksum, stamp, *offsets,
    )  # fmt: skip
    return head + b"".join(parts)


TABLE: Table[Process] = {
    CLASS.ProcessQuotaLimits: Rule((0x30, 0x58), LIMITED, _quota),
    CLASS.ProcessIoCounters: Rule((0x30,), LIMITED, _io_counters),
    CLASS.ProcessVmCounters: Rule((0x58, 0x60, 0x70), LIMITED, _vm_counters),
    CLASS.ProcessTimes: Rule((0x20,), LIMITED, _times),
    CLASS.ProcessCycleTime: Rule((0x10,), LIMITED, _cycles),
    CLASS.ProcessCommitReleaseInformation: Rule((0x20,), LIMITED, _commit_release),
    CLASS.ProcessJobMemoryInformation: Rule((0x28,), LIMITED, _job_memory),
    CLASS.ProcessUptimeInformation: Rule((0x38,), LIMITED, _uptime),
    CLASS.ProcessTelemetryIdInformation: Rule((), LIMITED, _telemetry),
}

"""NtQueryInformationProcess: one row a class, one small function an answer."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ntos import ob
from ntos.abi import ps as constants
from ntos.abi.access import PROCESS_QUERY_INFORMATION as FULL
from ntos.abi.access import PROCESS_QUERY_LIMITED_INFORMATION as LIMITED
from ntos.abi.layout.object import DEVICE_MAP
from ntos.abi.layout.process import EPROCESS
from ntos.abi.pointer import Out
from ntos.abi.se import TOKEN_NO_CHILD_PROCESS
from ntos.abi.status import STATUS, Denied, NtError
from ntos.abi.types import HANDLE, NTSTATUS, PVOID, ULONG
from ntos.ex.handle import HandleTable
from ntos.hal.clock import CLOCK_INCREMENT
from ntos.ke.service import service
from ntos.ps import process_names
from ntos.ps.information import Asked, Rule, Table, query, string, ulong, word
from ntos.ps.manager import PROCESS
from ntos.ps.mitigation import policy_flags
from ntos.se.token import primary_token

if TYPE_CHECKING:
    from ntos.ke.process import Process
    from ntos.ke.thread import Thread

    Request = Asked[Process]

CLASS = constants.PROCESSINFOCLASS
NO_LIMIT = 0xFFFF_FFFF_FFFF_FFFF
PAGE = 0x1000
EXTENDED_SIZE = 0x40
IO_COUNTERS = EPROCESS.offset("ReadOperationCount")
HEADER_TO_BODY = 0x30
DEFAULT_WORKING_SET = (50, 345)


@service(
    partial="not IoPortHandlers, WorkingSetWatch(Ex), HandleTracing, Foreground, HandleTable, JobMemory, "
    "FaultInformation, CommitRelease, CpuSets, ChildProcess, EnergyValues, Uptime, ImageSection, "
    "LoaderDetour, TelemetryId, DynamicFunctionTable, WindowInformation and what came after them; "
    "times and cycles stay zero"
)
def NtQueryInformationProcess(
    thread: Thread,
    ProcessHandle: HANDLE,
    ProcessInformationClass: ULONG,
    ProcessInformation: PVOID,
    ProcessInformationLength: ULONG,
    ReturnLength: Out[ULONG] | None,
) -> NTSTATUS:
    """What an information class says about a process."""
    return query(
        thread, TABLE, PROCESS, ProcessHandle, ProcessInformationClass, ProcessInformation,
        ProcessInformationLength, ReturnLength,
    )  # fmt: skip


# ---------------------------------------------------------------- identity and state


def _basic(asked: Request) -> bytes:
    process = asked.target
    eprocess = process.eprocess
    answer = struct.pack(
        "<IxxxxQQixxxxQQ", int(eprocess.ExitStatus), int(eprocess.Peb), 1, int(process.pcb.BasePriority),
        process.id, int(eprocess.InheritedFromUniqueProcessId),
    )  # fmt: skip
    if asked.length != EXTENDED_SIZE:
        return answer
    if int.from_bytes(asked.read(8), "little") != EXTENDED_SIZE:
        raise NtError(STATUS.INVALID_PARAMETER, Denied("Size of the extended form", {}, hex(EXTENDED_SIZE)))
    frozen = bool(process.threads) and all(member.suspend_count for member in process.threads)
    flags = (
        int(int(eprocess.Protection.Level) & 7 != 0) | int(eprocess.WoW64Process != 0) << 1
        | eprocess.ProcessDelete << 2 | eprocess.CrossSessionCreate << 3 | int(frozen) << 4
        | eprocess.Background << 5 | eprocess.SubsystemProcess << 8
    )  # fmt: skip
    return word(EXTENDED_SIZE) + answer + struct.pack("<Ixxxx", flags)


def _times(asked: Request) -> bytes:
    process = asked.target
    eprocess, pcb = process.eprocess, process.pcb
    kernel, user = int(pcb.KernelTime), int(pcb.UserTime)
    for member in process.threads:
        kernel += int(member.tcb.KernelTime)
        user += int(member.tcb.UserTime)
    return struct.pack(
        "<4q",
        int(eprocess.CreateTime),
        int(eprocess.ExitTime),
        kernel * CLOCK_INCREMENT,
        user * CLOCK_INCREMENT,
    )


def _cycles(asked: Request) -> bytes:
    total = int(asked.target.pcb.CycleTime) + sum(
        int(member.tcb.CycleTime) for member in asked.target.threads
    )
    return struct.pack("<QQ", total, 0)


def _priority_class(asked: Request) -> bytes:
    return bytes((0, int(asked.target.eprocess.PriorityClass)))


def session_of(process: Process) -> int:
    """The session a process belongs to: its token's."""
    return primary_token(process).session if process.eprocess.Token.pointer else 0


def _image_information(asked: Request) -> bytes:
    section = int(asked.target.eprocess.SectionObject)
    if not section:
        raise NtError(STATUS.INVALID_PARAMETER, Denied("the process has no image section", {}))
    return bytes(ob.at_address(asked.thread.kernel, section).image_information())


def _cookie(asked: Request) -> bytes:
    _only_self(asked, "Cookie")
    eprocess = asked.target.eprocess
    if not eprocess.Cookie:
        eprocess.Cookie = asked.thread.kernel.random.getrandbits(32) or 1
    return ulong(int(eprocess.Cookie))


def _execute_flags(asked: Request) -> bytes:
    _only_self(asked, "ExecuteFlags")
    return asked.thread.kernel.memory.read(asked.target.pcb.Flags.address, 1) + bytes(3)


def _only_self(asked: Request, name: str) -> None:
    if asked.target is not asked.thread.process:
        because = Denied(
            f"Process{name} of another process", {"process": asked.target.id}, "NtCurrentProcess()"
        )
        raise NtError(STATUS.INVALID_PARAMETER, because)


# ---------------------------------------------------------------- memory, quota, I/O


def _quota(asked: Request) -> bytes:
    limits = asked.target.eprocess.Vm.Instance
    least, most = (
        int(limits.MinimumWorkingSetSize) or DEFAULT_WORKING_SET[0],
        int(limits.MaximumWorkingSetSize) or DEFAULT_WORKING_SET[1],
    )
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


# ---------------------------------------------------------------- handles


def _handle_count(asked: Request) -> bytes:
    if not asked.target.has(HandleTable):
        return bytes(asked.length)
    free = asked.target[HandleTable].view.FreeLists[0]
    return struct.pack("<II", int(free.HandleCount), int(free.HighWaterMark))[: asked.length]


def _handle_snapshot(asked: Request) -> bytes:
    manager = asked.thread.kernel[ob.ObjectManager]
    rows = []
    if asked.target.has(HandleTable):
        for handle, entry in asked.target[HandleTable].items():
            obj = manager.objects[entry.header + HEADER_TO_BODY]
            rows.append(struct.pack(
                "<3Q4I", handle, ob.handle_count(obj), ob.pointer_count(obj), entry.access,
                manager.index_of(obj.address), entry.attributes, 0,
            ))  # fmt: skip
    return struct.pack("<QQ", len(rows), 0) + b"".join(rows)


def _debug_handle(asked: Request) -> bytes:
    port = int(asked.target.eprocess.DebugPort)
    if not port:
        asked.memory.write(asked.buffer, bytes(8))
        raise NtError(STATUS.PORT_NOT_SET, Denied("nobody debugs the process", {"process": asked.target.id}))
    debug = ob.at_address(asked.thread.kernel, port)
    everything = asked.thread.kernel[ob.ObjectManager].kind_of(debug).valid_access
    return word(ob.insert_handle(asked.thread.process, debug, everything))


def _device_map(asked: Request) -> bytes:
    kernel = asked.thread.kernel
    address = int(asked.target.eprocess.DeviceMap) or kernel[ob.ObjectManager].device_map
    return kernel.memory.read(address + DEVICE_MAP.offset("DriveMap"), 0x24)


def _mitigation(asked: Request) -> bytes:
    policy = int.from_bytes(asked.read(4), "little")
    no_children = bool(int(primary_token(asked.target).body.TokenFlags) & TOKEN_NO_CHILD_PROCESS)
    return struct.pack("<II", policy, policy_flags(asked.target.eprocess, policy, no_children=no_children))


def _group(asked: Request) -> bytes:
    return bytes(2)  # one group, number 0


def _wow64(asked: Request) -> bytes:
    block = int(asked.target.eprocess.WoW64Process)
    return asked.thread.kernel.memory.read(block, 8) if block else bytes(8)


TABLE: Table[Process] = {
    CLASS.ProcessBasicInformation: Rule((0x30, EXTENDED_SIZE), LIMITED, _basic),
    CLASS.ProcessQuotaLimits: Rule((0x30, 0x58), LIMITED, _quota),
    CLASS.ProcessIoCounters: Rule((0x30,), LIMITED, _io_counters),
    CLASS.ProcessVmCounters: Rule((0x58, 0x60, 0x70), LIMITED, _vm_counters),
    CLASS.ProcessTimes: Rule((0x20,), LIMITED, _times),
    CLASS.ProcessDebugPort: Rule((8,), FULL, lambda a: word(-1 if a.target.eprocess.DebugPort else 0)),
    CLASS.ProcessDefaultHardErrorMode: Rule(
        (4,), FULL, lambda a: ulong(int(a.target.eprocess.DefaultHardErrorProcessing))
    ),
    CLASS.ProcessPriorityClass: Rule((2,), LIMITED, _priority_class, alignment=1),
    CLASS.ProcessHandleCount: Rule((4, 8), LIMITED, _handle_count),
    CLASS.ProcessAffinityMask: Rule((8, 0x10), LIMITED, lambda a: word(1).ljust(a.length, b"\0")),
    CLASS.ProcessPriorityBoost: Rule((4,), LIMITED, lambda a: ulong(a.target.pcb.DisableBoost)),
    CLASS.ProcessDeviceMap: Rule((0x24,), FULL, _device_map),
    CLASS.ProcessSessionInformation: Rule((4,), LIMITED, lambda a: ulong(session_of(a.target))),
    CLASS.ProcessWow64Information: Rule((8,), LIMITED, _wow64),
    CLASS.ProcessImageFileName: Rule(
        (), LIMITED, lambda a: string(process_names.image_name(a.target), a.buffer)
    ),
    CLASS.ProcessLUIDDeviceMapsEnabled: Rule((4,), FULL, lambda _: ulong(1)),
    CLASS.ProcessBreakOnTermination: Rule((4,), FULL, lambda a: ulong(a.target.eprocess.BreakOnTermination)),
    CLASS.ProcessDebugObjectHandle: Rule((8,), FULL, _debug_handle),
    CLASS.ProcessDebugFlags: Rule((4,), FULL, lambda a: ulong(1 - a.target.eprocess.NoDebugInherit)),
    CLASS.ProcessIoPriority: Rule((4,), FULL, lambda a: ulong(a.target.eprocess.DefaultIoPriority)),
    CLASS.ProcessExecuteFlags: Rule((4,), FULL, _execute_flags),
    CLASS.ProcessCookie: Rule((4,), FULL, _cookie),
    CLASS.ProcessImageInformation: Rule((0x40,), LIMITED, _image_information),
    CLASS.ProcessCycleTime: Rule((0x10,), LIMITED, _cycles),
    CLASS.ProcessPagePriority: Rule((4,), LIMITED, lambda a: ulong(a.target.eprocess.DefaultPagePriority)),
    CLASS.ProcessImageFileNameWin32: Rule(
        (), LIMITED, lambda a: string(process_names.image_name_win32(a.target), a.buffer)
    ),
    CLASS.ProcessGroupInformation: Rule((), LIMITED, _group, STATUS.BUFFER_TOO_SMALL, alignment=2),
    CLASS.ProcessHandleInformation: Rule((), FULL, _handle_snapshot),
    CLASS.ProcessMitigationPolicy: Rule((8,), FULL, _mitigation),
    CLASS.ProcessCommandLineInformation: Rule(
        (), LIMITED, lambda a: string(process_names.command_line(a.target), a.buffer)
    ),
    CLASS.ProcessProtectionInformation: Rule(
        (1,), LIMITED, lambda a: bytes((int(a.target.eprocess.Protection.Level),)), alignment=1
    ),
    CLASS.ProcessSubsystemInformation: Rule((4,), LIMITED, lambda _: ulong(0)),
    CLASS.ProcessSequenceNumber: Rule((8,), LIMITED, lambda a: word(int(a.target.eprocess.SequenceNumber))),
}

"""NtQueryInformationProcess: one row a class, one small function an answer."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ntos import ob
from ntos.abi import ps as constants
from ntos.abi.access import PROCESS_QUERY_INFORMATION as FULL
from ntos.abi.access import PROCESS_QUERY_LIMITED_INFORMATION as LIMITED
from ntos.abi.access import SECTION_ALL_ACCESS
from ntos.abi.layout.object import DEVICE_MAP
from ntos.abi.pointer import Out
from ntos.abi.se import TOKEN_NO_CHILD_PROCESS, TOKEN_NO_CHILD_PROCESS_UNLESS_SECURE
from ntos.abi.signature import probe_for_write
from ntos.abi.status import STATUS, Denied, NtError
from ntos.abi.types import HANDLE, NTSTATUS, PVOID, ULONG
from ntos.ex.handle import HandleTable
from ntos.ke.service import service
from ntos.ps import power_throttling, process_names, query_usage
from ntos.ps.information import Asked, Rule, Table, query, string, ulong, word
from ntos.ps.manager import PROCESS
from ntos.ps.mitigation import policy_flags
from ntos.se.token import primary_token

if TYPE_CHECKING:
    from ntos.ke.process import Process
    from ntos.ke.thread import Thread

    Request = Asked[Process]

CLASS = constants.PROCESSINFOCLASS
EXTENDED_SIZE = 0x40
HEADER_TO_BODY = 0x30


@service(
    partial="not IoPortHandlers, WorkingSetWatch(Ex), HandleTracing, CpuSets, InPrivate, EnergyValues, "
    "Win32kSyscallFilter, WakeInformation, LoaderDetour, SecurityDomain and what came after them; pool quota is not "
    "counted"
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


def _priority_class(asked: Request) -> bytes:
    return bytes((0, int(asked.target.eprocess.PriorityClass)))


def session_of(process: Process) -> int:
    """The session a process belongs to: its token's."""
    return primary_token(process).session if process.eprocess.Token.pointer else 0


def _image_information(asked: Request) -> bytes:
    section = int(asked.target.eprocess.SectionObject)
    if asked.target.eprocess.ProcessExiting:
        raise NtError(STATUS.PROCESS_IS_TERMINATING, Denied("the process has ended", {"process": asked.target.id}))
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


def _handle_table(asked: Request) -> bytes:
    """Every handle, four bytes each."""
    table = asked.target[HandleTable].items() if asked.target.has(HandleTable) else ()
    return b"".join(ulong(handle) for handle, _ in table)


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


def _child_policy(asked: Request) -> bytes:
    """PROCESS_CHILD_PROCESS_INFORMATION: may it have children, secure ones in any case, is trying recorded."""
    flags = int(primary_token(asked.target).body.TokenFlags)
    unless_secure = bool(flags & TOKEN_NO_CHILD_PROCESS_UNLESS_SECURE)
    return bytes((bool(flags & TOKEN_NO_CHILD_PROCESS) or unless_secure, unless_secure, 0))


def _image_section_handle(asked: Request) -> bytes:
    section = int(asked.target.eprocess.SectionObject)
    if not section:
        raise NtError(STATUS.INVALID_PARAMETER, Denied("the process has no image section", {}))
    probe_for_write(asked.memory, asked.buffer, 8)
    obj = ob.at_address(asked.thread.kernel, section)
    return word(ob.insert_handle(asked.thread.process, obj, SECTION_ALL_ACCESS))


def _group(asked: Request) -> bytes:
    return bytes(2)  # one group, number 0


def _wow64(asked: Request) -> bytes:
    block = int(asked.target.eprocess.WoW64Process)
    return asked.thread.kernel.memory.read(block, 8) if block else bytes(8)


TABLE: Table[Process] = {
    **query_usage.TABLE,
    CLASS.ProcessBasicInformation: Rule((0x30, EXTENDED_SIZE), LIMITED, _basic),
    CLASS.ProcessDebugPort: Rule((8,), FULL, lambda a: word(-1 if a.target.eprocess.DebugPort else 0)),
    CLASS.ProcessDefaultHardErrorMode: Rule(
        (4,), LIMITED, lambda a: ulong(int(a.target.eprocess.DefaultHardErrorProcessing))
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
    CLASS.ProcessLUIDDeviceMapsEnabled: Rule((4,), LIMITED, lambda _: ulong(1)),
    CLASS.ProcessBreakOnTermination: Rule((4,), FULL, lambda a: ulong(a.target.eprocess.BreakOnTermination)),
    CLASS.ProcessDebugObjectHandle: Rule((8,), FULL, _debug_handle),
    CLASS.ProcessDebugFlags: Rule((4,), FULL, lambda a: ulong(1 - a.target.eprocess.NoDebugInherit)),
    CLASS.ProcessIoPriority: Rule((4,), LIMITED, lambda a: ulong(a.target.eprocess.DefaultIoPriority)),
    CLASS.ProcessExecuteFlags: Rule((4,), FULL, _execute_flags),
    CLASS.ProcessCookie: Rule((4,), FULL, _cookie),
    CLASS.ProcessImageInformation: Rule((0x40,), LIMITED, _image_information),
    CLASS.ProcessPagePriority: Rule((4,), LIMITED, lambda a: ulong(a.target.eprocess.DefaultPagePriority)),
    CLASS.ProcessImageFileNameWin32: Rule(
        (), LIMITED, lambda a: string(process_names.image_name_win32(a.target), a.buffer)
    ),
    CLASS.ProcessGroupInformation: Rule((), LIMITED, _group, STATUS.BUFFER_TOO_SMALL, alignment=2),
    CLASS.ProcessHandleInformation: Rule((), FULL, _handle_snapshot),
    CLASS.ProcessHandleTable: Rule((), FULL, _handle_table),
    CLASS.ProcessCheckStackExtentsMode: Rule((4,), LIMITED, lambda a: ulong(a.target.pcb.CheckStackExtents)),
    CLASS.ProcessChildProcessInformation: Rule((3,), LIMITED, _child_policy, alignment=1),
    CLASS.ProcessImageSection: Rule((8,), FULL, _image_section_handle),
    CLASS.ProcessPowerThrottlingState: Rule((12,), LIMITED, power_throttling.query),
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

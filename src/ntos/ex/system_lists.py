"""The long answers about the system: its processes and threads, its handles, the modules of the kernel."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ntos.abi.layout.processor import KPRCB
from ntos.abi.layout.string import UNICODE_STRING
from ntos.abi.layout.system_info import (
    RTL_PROCESS_MODULE_INFORMATION,
    SYSTEM_EXTENDED_THREAD_INFORMATION,
    SYSTEM_HANDLE_TABLE_ENTRY_INFO,
    SYSTEM_HANDLE_TABLE_ENTRY_INFO_EX,
    SYSTEM_PROCESS_INFORMATION,
)
from ntos.ex import system_performance
from ntos.ex.handle import HandleEntry, HandleTable
from ntos.ke import runtime
from ntos.ob.manager import BODY, ObjectManager
from ntos.ps.query_process import session_of
from ntos.ps.query_thread import system_thread
from ntos.rtl.text import to_utf16

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ntos.ke.kernel import Kernel
    from ntos.ke.process import Process
    from ntos.ke.thread import Thread

EXTENDED_THREAD = SYSTEM_EXTENDED_THREAD_INFORMATION.size
KERNEL_FILE = b"\\SystemRoot\\system32\\ntoskrnl.exe"


def processes(kernel: Kernel, buffer: int, *, extended: bool = False) -> bytes:
    """SystemProcessInformation: the idle process and every one that has not ended, each with its threads."""
    idle = SYSTEM_PROCESS_INFORMATION.new()
    if kernel.has(KPRCB):
        idle.KernelTime = system_performance.idle_time(kernel)
    data = bytearray(bytes(idle))
    last = 0
    for process in kernel.processes.values():
        if int(process.header.SignalState) > 0:
            continue
        struct.pack_into("<I", data, last, len(data) - last)
        last = len(data)
        data += _process(process, buffer + last, extended=extended)
    return bytes(data)


def processes_extended(kernel: Kernel, buffer: int) -> bytes:
    """SystemExtendedProcessInformation: the same with more about each thread."""
    return processes(kernel, buffer, extended=True)


def _file_name(process: Process) -> str:
    """The image's file name, whole: EPROCESS.ImageFileName keeps fourteen characters of it."""
    path = int(process.eprocess.SeAuditProcessCreationInfo.ImageFileName)
    name = UNICODE_STRING(process.kernel.memory, path).text.rpartition("\\")[2] if path else ""
    return name or process.name


def _process(process: Process, address: int, *, extended: bool) -> bytes:
    eprocess, information = process.eprocess, SYSTEM_PROCESS_INFORMATION.new()
    threads = [thread for thread in process.threads if thread.coroutine is not None]
    text = to_utf16(_file_name(process))
    used, working_set = runtime.of_process(process), eprocess.Vm.Instance
    information.NumberOfThreads = len(threads)
    information.NumberOfThreadsHighWatermark = eprocess.ActiveThreadsHighWatermark
    information.CycleTime = used.cycles
    information.CreateTime = eprocess.CreateTime
    information.UserTime, information.KernelTime = used.user, used.kernel
    information.ImageName.Length = len(text)
    information.ImageName.MaximumLength = len(text) + 2
    rows = b"".join(_thread(thread, extended=extended) for thread in threads)
    information.ImageName.Buffer = address + SYSTEM_PROCESS_INFORMATION.size + len(rows)
    information.BasePriority = int(process.pcb.BasePriority)
    information.UniqueProcessId = process.id
    information.InheritedFromUniqueProcessId = eprocess.InheritedFromUniqueProcessId
    information.HandleCount = process[HandleTable].count if process.has(HandleTable) else 0
    information.UniqueProcessKey = process.address
    information.PeakVirtualSize = eprocess.PeakVirtualSize
    information.VirtualSize = eprocess.VirtualSize
    information.PrivatePageCount = int(eprocess.CommitCharge) << 12
    information.PagefileUsage = int(eprocess.CommitCharge) << 12
    information.PeakPagefileUsage = int(eprocess.CommitChargePeak) << 12
    information.SessionId = session_of(process)
    information.PageFaultCount = working_set.PageFaultCount
    information.WorkingSetSize = int(working_set.WorkingSetSize) << 12
    information.PeakWorkingSetSize = int(working_set.PeakWorkingSetSize) << 12
    information.WorkingSetPrivateSize = int(working_set.WorkingSetPrivateSize) << 12
    information.ReadOperationCount = eprocess.ReadOperationCount
    information.WriteOperationCount = eprocess.WriteOperationCount
    information.OtherOperationCount = eprocess.OtherOperationCount
    information.ReadTransferCount = eprocess.ReadTransferCount
    information.WriteTransferCount = eprocess.WriteTransferCount
    information.OtherTransferCount = eprocess.OtherTransferCount
    data = bytes(information) + rows + text + b"\0\0"
    return data + bytes(-len(data) & 7)


def _thread(thread: Thread, *, extended: bool) -> bytes:
    plain = system_thread(thread)
    if not extended:
        return plain
    information, tcb = SYSTEM_EXTENDED_THREAD_INFORMATION.parse(plain.ljust(EXTENDED_THREAD, b"\0")), thread.tcb
    information.StackBase, information.StackLimit = tcb.StackBase, tcb.StackLimit
    information.Win32StartAddress = thread.ethread.Win32StartAddress
    information.TebBase = tcb.Teb
    return bytes(information)


# ---------------------------------------------------------------- handles


def _handles(kernel: Kernel) -> Iterator[tuple[Process, int, HandleEntry, int]]:
    manager = kernel[ObjectManager]
    for process in kernel.processes.values():
        if process.has(HandleTable):
            for handle, entry in process[HandleTable].items():
                yield process, handle, entry, manager.index_of(entry.header + BODY)


def handles(kernel: Kernel, _buffer: int) -> bytes:
    """SystemHandleInformation: ids and handles cut to sixteen bits, as Windows cuts them."""
    found: list[bytes] = []
    for process, handle, entry, index in _handles(kernel):
        information = SYSTEM_HANDLE_TABLE_ENTRY_INFO.new()
        information.UniqueProcessId = process.id
        information.ObjectTypeIndex = index
        information.HandleAttributes = entry.attributes
        information.HandleValue = handle
        information.Object = entry.header + BODY
        information.GrantedAccess = entry.access
        found.append(bytes(information))
    return len(found).to_bytes(8, "little") + b"".join(found)


def handles_extended(kernel: Kernel, _buffer: int) -> bytes:
    """SystemExtendedHandleInformation."""
    found: list[bytes] = []
    for process, handle, entry, index in _handles(kernel):
        information = SYSTEM_HANDLE_TABLE_ENTRY_INFO_EX.new()
        information.Object = entry.header + BODY
        information.UniqueProcessId = process.id
        information.HandleValue = handle
        information.GrantedAccess = entry.access
        information.ObjectTypeIndex = index
        information.HandleAttributes = entry.attributes
        found.append(bytes(information))
    return len(found).to_bytes(8, "little") + bytes(8) + b"".join(found)


# ---------------------------------------------------------------- modules


def modules(kernel: Kernel, _buffer: int) -> bytes:
    """SystemModuleInformation: the kernel's own image, the only one there is."""
    if not kernel.image_base:
        return bytes(8)
    memory, base = kernel.memory, kernel.image_base
    headers = int.from_bytes(memory.read(base + 0x3C, 4), "little")
    information = RTL_PROCESS_MODULE_INFORMATION.new()
    information.ImageBase = base
    information.ImageSize = int.from_bytes(memory.read(base + headers + 0x50, 4), "little")
    information.LoadCount = 1
    information.OffsetToFileName = KERNEL_FILE.rfind(b"\\") + 1
    information.FullPathName = KERNEL_FILE
    return (1).to_bytes(8, "little") + bytes(information)

"""The machine: processors, memory, computer names (sysinfoapi.h)."""

from __future__ import annotations

import struct

from ntos.abi.errors import ERROR
from ntos.abi.layout.win32 import FILETIME, MEMORYSTATUSEX, SYSTEM_INFO
from ntos.abi.pointer import Out, Ptr
from ntos.abi.sysinfo import SYSTEM_INFORMATION_CLASS as CLASS
from ntos.abi.types import BOOL, DWORD, HANDLE, PVOID, UINT, ULONG, ULONGLONG, USHORT, WCHAR
from ntos.dll.kernelbase.registry_read import machine_value
from ntos.dll.kernelbase.services import nt
from ntos.dll.kernelbase.system_query import basic, processes, processor, query_fixed, query_table
from ntos.dll.kernelbase.text import encoded, export_both, is_narrow, put_text
from ntos.dll.kernelbase.time import put_file_time
from ntos.rtl.text import from_utf16
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread

PROCESSOR_AMD_X8664 = 8664
PAGE = 0x1000
PERFORMANCE_SIZE = 0x158
AVAILABLE_PAGES, COMMITTED_PAGES, COMMIT_LIMIT = 0x2C, 0x30, 0x34
ALL_GROUPS = 0xFFFF
LOGICAL_PROCESSOR_SIZE = 32
RELATION_ALL = 0xFFFF
COMPUTER_NAMES = r"SYSTEM\CurrentControlSet\Control\ComputerName\ActiveComputerName"
TCPIP = r"SYSTEM\CurrentControlSet\Services\Tcpip\Parameters"
NETBIOS, DNS_HOST, DNS_DOMAIN, DNS_FULL = 0, 1, 2, 3


@export(aliases=("GetNativeSystemInfo",))
async def GetSystemInfo(thread: UserThread, lpSystemInfo: Ptr[SYSTEM_INFO]) -> None:
    """Processors, page size and address range."""
    memory, model = await basic(thread), await processor(thread)
    view = lpSystemInfo.read()
    view.clear()
    view.wProcessorArchitecture = model.ProcessorArchitecture
    view.dwPageSize = memory.PageSize
    view.lpMinimumApplicationAddress = memory.MinimumUserModeAddress
    view.lpMaximumApplicationAddress = memory.MaximumUserModeAddress
    view.dwActiveProcessorMask = memory.ActiveProcessorsAffinityMask
    view.dwNumberOfProcessors = memory.NumberOfProcessors
    view.dwProcessorType = PROCESSOR_AMD_X8664
    view.dwAllocationGranularity = memory.AllocationGranularity
    view.wProcessorLevel, view.wProcessorRevision = model.ProcessorLevel, model.ProcessorRevision


@export
async def GlobalMemoryStatusEx(thread: UserThread, lpBuffer: Ptr[MEMORYSTATUSEX]) -> BOOL:
    """How much memory there is and how much is free."""
    view = lpBuffer.read()
    if view.dwLength != MEMORYSTATUSEX.size:
        raise WinError(ERROR.INVALID_PARAMETER)
    memory = await basic(thread)
    data = await query_fixed(thread, CLASS.SystemPerformanceInformation, PERFORMANCE_SIZE)
    available, committed, limit = struct.unpack_from("<3I", data, AVAILABLE_PAGES)
    total = int(memory.NumberOfPhysicalPages)
    own = next(entry for entry in await processes(thread) if entry.id == int(thread.teb.ClientId.UniqueProcess))
    space = int(memory.MaximumUserModeAddress) + 1 - int(memory.MinimumUserModeAddress)
    view.dwMemoryLoad = DWORD(100 * (total - available) // total)
    view.ullTotalPhys, view.ullAvailPhys = ULONGLONG(total * PAGE), ULONGLONG(available * PAGE)
    view.ullTotalPageFile = ULONGLONG(limit * PAGE)
    view.ullAvailPageFile = ULONGLONG((limit - committed) * PAGE)
    view.ullTotalVirtual = ULONGLONG(space)
    view.ullAvailVirtual = ULONGLONG(space - int(own.information.VirtualSize))
    view.ullAvailExtendedVirtual = ULONGLONG(0)
    return BOOL(1)


@export
async def GetPhysicallyInstalledSystemMemory(thread: UserThread, TotalMemoryInKilobytes: Out[ULONGLONG]) -> BOOL:
    """The memory there is, in kilobytes."""
    TotalMemoryInKilobytes.write(int((await basic(thread)).NumberOfPhysicalPages) * 4)
    return BOOL(1)


async def processor_count(thread: UserThread, group: int) -> int:
    """How many processors a group (or all) has; there is one group."""
    if group not in (0, ALL_GROUPS):
        raise WinError(ERROR.INVALID_PARAMETER)
    return int((await basic(thread)).NumberOfProcessors)


@export
async def GetLogicalProcessorInformation(
    thread: UserThread, Buffer: Ptr[ULONGLONG] | None, ReturnedLength: Ptr[DWORD]
) -> BOOL:
    """Cores, nodes and packages."""
    data, _ = await query_table(thread, CLASS.SystemLogicalProcessorInformation)
    return _deliver(data, Buffer, ReturnedLength)


def _deliver(data: bytes, buffer: Ptr[ULONGLONG] | None, length: Ptr[DWORD]) -> BOOL:
    room = int(length.read())
    length.write(len(data))
    if room < len(data) or buffer is None:
        raise WinError(ERROR.INSUFFICIENT_BUFFER)
    buffer.write_bytes(data)
    return BOOL(1)


@export
async def GetLogicalProcessorInformationEx(
    thread: UserThread, RelationshipType: DWORD, Buffer: Ptr[ULONGLONG] | None, ReturnedLength: Ptr[DWORD] | None
) -> BOOL:
    """The same for machines with processor groups, of one relation or all."""
    if ReturnedLength is None:
        raise WinError(ERROR.INVALID_PARAMETER)
    data, _ = await query_table(thread, CLASS.SystemLogicalProcessorInformation)
    answer = extended_relations(data, RelationshipType, await processor_count(thread, ALL_GROUPS))
    if not answer:
        raise WinError(ERROR.INVALID_PARAMETER)
    return _deliver(answer, Buffer, ReturnedLength)


def extended_relations(data: bytes, wanted: int, processors: int) -> bytes:
    """SYSTEM_LOGICAL_PROCESSOR_INFORMATION_EX made from the older rows: cores 0, nodes 1, packages 3, groups 4."""
    records: list[bytes] = []
    for position in range(0, len(data), LOGICAL_PROCESSOR_SIZE):
        mask, relation, first = struct.unpack_from("<QIxxxxI", data, position)
        if wanted not in (relation, RELATION_ALL):
            continue
        affinity = struct.pack("<QH6x", mask, 0)
        if relation == 1:
            body = struct.pack("<I18xH", first, 1) + affinity
        else:
            body = struct.pack("<BB20xH", first & 0xFF, 0, 1) + affinity
        records.append(struct.pack("<II", relation, 8 + len(body)) + body)
    if wanted in (4, RELATION_ALL):
        group = struct.pack("<BB38xQ", processors, processors, (1 << processors) - 1)
        body = struct.pack("<HH20x", 1, 1) + group
        records.append(struct.pack("<II", 4, 8 + len(body)) + body)
    return b"".join(records)


@export
def GetNumaHighestNodeNumber(thread: UserThread, HighestNodeNumber: Out[ULONG]) -> BOOL:
    """Node 0 is the only one."""
    HighestNodeNumber.write(0)
    return BOOL(1)


@export
async def GetNumaNodeProcessorMaskEx(thread: UserThread, Node: USHORT, ProcessorMask: PVOID) -> BOOL:
    """The processors of a node as GROUP_AFFINITY."""
    if Node:
        raise WinError(ERROR.INVALID_PARAMETER)
    mask = int((await basic(thread)).ActiveProcessorsAffinityMask)
    thread.memory.write(ProcessorMask, struct.pack("<QH6x", mask, 0))
    return BOOL(1)


@export
async def GetSystemTimes(
    thread: UserThread,
    lpIdleTime: Ptr[FILETIME] | None,
    lpKernelTime: Ptr[FILETIME] | None,
    lpUserTime: Ptr[FILETIME] | None,
) -> BOOL:
    """How long the processors idled, ran the kernel (idling included) and ran programs."""
    data = await query_fixed(thread, CLASS.SystemProcessorPerformanceInformation, 0x30)
    for place, value in zip((lpIdleTime, lpKernelTime, lpUserTime), struct.unpack_from("<3q", data), strict=True):
        if place is not None:
            put_file_time(place.read(), value)
    return BOOL(1)


async def computer_name(thread: UserThread, kind: int) -> str:
    """The computer's name in one of its forms (COMPUTER_NAME_FORMAT); physical names are the same."""
    if kind > 7:
        raise WinError(ERROR.INVALID_PARAMETER)
    netbios = from_utf16(await machine_value(thread, COMPUTER_NAMES, "ComputerName")).rstrip("\0")
    if kind & 3 == NETBIOS:
        return netbios.upper()[:15]
    host = from_utf16(await machine_value(thread, TCPIP, "Hostname")).rstrip("\0") or netbios
    domain = from_utf16(await machine_value(thread, TCPIP, "Domain")).rstrip("\0")
    if kind & 3 == DNS_HOST:
        return host
    return domain if kind & 3 == DNS_DOMAIN else f"{host}.{domain}" if domain else host


@export_both()
async def GetComputerNameExW(thread: UserThread, NameType: DWORD, lpBuffer: Ptr[WCHAR], nSize: Ptr[DWORD]) -> BOOL:
    """The computer's name; the count becomes its length, or what is needed."""
    return put_counted(await computer_name(thread, NameType), lpBuffer, nSize, ERROR.MORE_DATA)


def put_counted(text: str, buffer: Ptr[WCHAR], size: Ptr[DWORD], error: int) -> BOOL:
    """Store a text and its length; the error, and what is needed, where it does not fit."""
    length = len(encoded(buffer, text)) // (1 if is_narrow(buffer) else 2)
    room = int(size.read())
    if not buffer.address or length + 1 > room:
        size.write(length + 1)
        raise WinError(error)
    put_text(buffer, room, text)
    size.write(length)
    return BOOL(1)


@export
async def SetThreadExecutionState(thread: UserThread, esFlags: DWORD) -> DWORD:
    """Say what keeps the machine awake; what was said before."""
    with thread.frame() as frame:
        place = frame.allocate(8)
        await nt.NtSetThreadExecutionState(thread, esFlags, place)
        return DWORD(int.from_bytes(thread.memory.read(place, 4), "little"))


@export
def GetSystemFirmwareTable(
    thread: UserThread,
    FirmwareTableProviderSignature: DWORD,
    FirmwareTableID: DWORD,
    pFirmwareTableBuffer: PVOID,
    BufferSize: DWORD,
) -> UINT:
    """No firmware is emulated: any table is ERROR_INVALID_FUNCTION, as on a machine without that provider."""
    raise WinError(ERROR.INVALID_FUNCTION)


@export
async def GetSystemCpuSetInformation(
    thread: UserThread,
    Information: PVOID,
    BufferLength: ULONG,
    ReturnedLength: Ptr[ULONG],
    Process: HANDLE,
    Flags: ULONG,
) -> BOOL:
    """The CPU sets of the machine, as a process sees them."""
    ReturnedLength.write(0)
    if Flags:
        raise WinError(ERROR.INVALID_PARAMETER)
    with thread.frame() as frame:
        handle: Ptr[HANDLE] = frame.new(HANDLE)
        handle.write(Process)
        await nt.NtQuerySystemInformationEx(
            thread, CLASS.SystemCpuSetInformation, handle.address, HANDLE.size, Information, BufferLength,
            ReturnedLength.address,
        )  # fmt: skip
    return BOOL(1)

"""Process parameters, and processes and threads made from ntdll."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ntos.abi.layout.string import CLIENT_ID, UNICODE_STRING
from ntos.abi.layout.user import RTL_USER_PROCESS_PARAMETERS
from ntos.abi.pointer import Code, In, Out, Ptr
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import BOOLEAN, HANDLE, NTSTATUS, PVOID, SIZE_T, ULONG
from ntos.dll.ntdll import guest
from ntos.dll.ntdll.guest import settle
from ntos.dll.ntdll.ldr import search
from ntos.dll.ntdll.rtl_environment import read_block
from ntos.um import nt
from ntos.um.export import export

if TYPE_CHECKING:
    from ntos.um.thread import UserThread

NORMALIZED = 1
STRING_FIELDS = (
    "DllPath", "ImagePathName", "CommandLine", "WindowTitle", "DesktopInfo", "ShellInfo", "RuntimeData",
    "RedirectionDllName", "HeapPartitionName",
)  # fmt: skip
CURRENT_DIRECTORY_ROOM = 520
CREATE_SUSPENDED = 1
THREAD_ALL_ACCESS = 0x1F_FFFF
HEADER = RTL_USER_PROCESS_PARAMETERS.size


def _texts(block: RTL_USER_PROCESS_PARAMETERS) -> list[UNICODE_STRING]:
    return [block.CurrentDirectory.DosPath, *(getattr(block, name) for name in STRING_FIELDS)]


@export
async def RtlCreateProcessParametersEx(
    thread: UserThread,
    ProcessParameters: Out[PVOID],
    ImagePathName: In[UNICODE_STRING],
    DllPath: In[UNICODE_STRING] | None,
    CurrentDirectory: In[UNICODE_STRING] | None,
    CommandLine: In[UNICODE_STRING] | None,
    Environment: PVOID,
    WindowTitle: In[UNICODE_STRING] | None,
    DesktopInfo: In[UNICODE_STRING] | None,
    ShellInfo: In[UNICODE_STRING] | None,
    RuntimeData: In[UNICODE_STRING] | None,
    Flags: ULONG,
) -> NTSTATUS:
    """Process parameters in one block: strings given, or this process's own; denormalized unless flag 1 is set."""
    own = search.parameters(thread)
    image = _bytes(ImagePathName)
    values = {
        "CurrentDirectory": _bytes(CurrentDirectory or own.CurrentDirectory.DosPath),
        "DllPath": _bytes(DllPath) if DllPath is not None else b"",
        "ImagePathName": image,
        "CommandLine": _bytes(CommandLine) if CommandLine is not None else image,
        "WindowTitle": _bytes(WindowTitle) if WindowTitle is not None else b"",
        "DesktopInfo": _bytes(DesktopInfo) if DesktopInfo is not None else b"",
        "ShellInfo": _bytes(ShellInfo) if ShellInfo is not None else b"",
        "RuntimeData": _bytes(RuntimeData) if RuntimeData is not None else b"",
    }
    variables = read_block(thread, Environment or int(own.Environment))
    data = _build(values, variables, int(own.ConsoleFlags), int(own.ProcessGroupId))
    address = await guest.allocate_bytes(thread, data)
    block = RTL_USER_PROCESS_PARAMETERS(thread.memory, address)
    block.Environment = address + int(block.Length)
    block.ConsoleHandle = own.ConsoleHandle
    if Flags & NORMALIZED:
        normalize(block)
    ProcessParameters.write(address)
    return STATUS.SUCCESS


def _bytes(text: UNICODE_STRING) -> bytes:
    return text.memory.origin.read(int(text.Buffer), int(text.Length)) if text.Length else b""


def _build(values: dict[str, bytes], variables: bytes, console_flags: int, group: int) -> bytes:
    block = RTL_USER_PROCESS_PARAMETERS.new()
    content = bytearray()
    for name, data in values.items():
        view = block.CurrentDirectory.DosPath if name == "CurrentDirectory" else getattr(block, name)
        if name == "CurrentDirectory" and not data.endswith(b"\\\0"):
            data += b"\\\0"  # noqa: PLW2901 - the current directory always ends in a separator
        room = CURRENT_DIRECTORY_ROOM if name == "CurrentDirectory" else len(data) + 2
        view.Length, view.MaximumLength, view.Buffer = len(data), room, HEADER + len(content)
        content += data.ljust(room, b"\0") + bytes(-room % 8)
    block.MaximumLength = block.Length = HEADER + len(content)
    block.ConsoleFlags, block.ProcessGroupId = console_flags, group
    block.EnvironmentSize = len(variables)
    return bytes(block) + bytes(content) + variables


def normalize(block: RTL_USER_PROCESS_PARAMETERS) -> None:
    """Offsets become addresses."""
    if not int(block.Flags) & NORMALIZED:
        for view in _texts(block):
            if view.Buffer:
                view.Buffer = int(view.Buffer) + block.address
        block.Flags = int(block.Flags) | NORMALIZED


@export
def RtlNormalizeProcessParams(thread: UserThread, ProcessParameters: Ptr[RTL_USER_PROCESS_PARAMETERS]) -> PVOID:
    """Turn the offsets of a parameter block into addresses."""
    normalize(ProcessParameters.read())
    return PVOID(ProcessParameters.address)


@export
def RtlDeNormalizeProcessParams(thread: UserThread, ProcessParameters: Ptr[RTL_USER_PROCESS_PARAMETERS]) -> PVOID:
    """Turn the addresses of a parameter block into offsets."""
    block = ProcessParameters.read()
    if int(block.Flags) & NORMALIZED:
        for view in _texts(block):
            if view.Buffer:
                view.Buffer = int(view.Buffer) - block.address
        block.Flags = int(block.Flags) & ~NORMALIZED
    return PVOID(block.address)


@export
async def RtlDestroyProcessParameters(thread: UserThread, ProcessParameters: PVOID) -> NTSTATUS:
    """Free a parameter block."""
    await guest.free(thread, ProcessParameters)
    return STATUS.SUCCESS


@export
async def RtlCreateUserThread(
    thread: UserThread,
    ProcessHandle: HANDLE,
    ThreadSecurityDescriptor: PVOID,
    CreateSuspended: BOOLEAN,
    ZeroBits: ULONG,
    MaximumStackSize: SIZE_T,
    CommittedStackSize: SIZE_T,
    StartAddress: Code,
    Parameter: PVOID,
    ThreadHandle: Out[HANDLE] | None,
    ClientId: Ptr[CLIENT_ID] | None,
) -> NTSTATUS:
    """A thread in any process, begun at an address without the Win32 wrapping."""
    with thread.frame() as frame:
        handle = frame.new(HANDLE)
        security = frame.bytes(struct.pack("<I4xQQI4xQQ", 0x30, 0, 0, 0, ThreadSecurityDescriptor, 0))
        client = frame.allocate(CLIENT_ID.size)
        # PS_ATTRIBUTE_LIST with one PS_ATTRIBUTE_CLIENT_ID
        attributes = frame.bytes(struct.pack("<QQQQQ", 0x28, 0x10003, CLIENT_ID.size, client, 0))
        await settle(
            nt.NtCreateThreadEx(
                thread,
                handle.address,
                THREAD_ALL_ACCESS,
                security,
                ProcessHandle,
                int(StartAddress),
                Parameter,
                CREATE_SUSPENDED if CreateSuspended else 0,
                ZeroBits,
                CommittedStackSize,
                MaximumStackSize,
                attributes,
            )
        )
        if ClientId is not None:
            ClientId.write_bytes(thread.memory.read(client, CLIENT_ID.size))
        if ThreadHandle is not None:
            ThreadHandle.write(handle.read())
        else:
            await settle(nt.NtClose(thread, int(handle.read())))
    return STATUS.SUCCESS


MEM_RESERVE, MEM_COMMIT, MEM_RELEASE = 0x2000, 0x1000, 0x8000
PAGE_READWRITE, PAGE_GUARDED = 4, 0x104
GUARD_SIZE = 0x3000
DEFAULT_RESERVE, DEFAULT_COMMIT = 0x100000, 0x4000
GRANULARITY = 0x10000


@export
async def RtlCreateUserStack(
    thread: UserThread,
    CommittedStackSize: SIZE_T,
    MaximumStackSize: SIZE_T,
    ZeroBits: PVOID,
    PageSize: SIZE_T,
    ReserveAlignment: PVOID,
    InitialTeb: PVOID,
) -> NTSTATUS:
    """Reserve a stack, commit its top and a guard below; INITIAL_TEB says where it is."""
    if not InitialTeb or not PageSize or not ReserveAlignment:
        raise NtError(STATUS.INVALID_PARAMETER)
    commit = int(CommittedStackSize or DEFAULT_COMMIT) + 0xFFF & ~0xFFF
    reserve = max(int(MaximumStackSize or DEFAULT_RESERVE), commit + GUARD_SIZE)
    reserve = reserve + GRANULARITY - 1 & -GRANULARITY
    base = await _allocate(thread, 0, reserve, MEM_RESERVE, PAGE_READWRITE)
    top = base + reserve
    await _allocate(thread, top - commit, commit, MEM_COMMIT, PAGE_READWRITE)
    await _allocate(thread, top - commit - GUARD_SIZE, GUARD_SIZE, MEM_COMMIT, PAGE_GUARDED)
    thread.memory.write(InitialTeb, struct.pack("<QQQQQ", 0, 0, top, top - commit, base))
    return STATUS.SUCCESS


@export
async def RtlFreeUserStack(thread: UserThread, AllocationBase: PVOID) -> None:
    """Release a stack."""
    with thread.frame() as frame:
        base, size = frame.bytes(AllocationBase.to_bytes(8, "little")), frame.allocate(8)
        await settle(nt.NtFreeVirtualMemory(thread, guest.CURRENT_PROCESS, base, size, MEM_RELEASE))


async def _allocate(thread: UserThread, address: int, size: int, kind: int, protection: int) -> int:
    with thread.frame() as frame:
        base = frame.bytes(address.to_bytes(8, "little"))
        length = frame.bytes(size.to_bytes(8, "little"))
        await settle(nt.NtAllocateVirtualMemory(thread, guest.CURRENT_PROCESS, base, 0, length, kind, protection))
        return guest.u64(thread.memory, base)

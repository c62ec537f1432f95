"""The environment block of the process: read, changed, copied, expanded."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from ntos.abi.layout.string import UNICODE_STRING
from ntos.abi.memory import PAGE_SIZE
from ntos.abi.pointer import In, Out, Ptr
from ntos.abi.status import STATUS, GuestFault, NtError
from ntos.abi.types import BOOLEAN, NTSTATUS, PVOID, SIZE_T, ULONG, WCHAR
from ntos.dll.ntdll import guest
from ntos.dll.ntdll.ldr.search import parameters
from ntos.dll.ntdll.rtl_string import put
from ntos.rtl import environment
from ntos.rtl.environment import Environment
from ntos.rtl.text import from_utf16, to_utf16
from ntos.um.export import export

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ntos.um.thread import UserThread

MAXIMUM_BLOCK = 0x20_0000


@asynccontextmanager
async def peb_lock(thread: UserThread) -> AsyncIterator[None]:
    """Hold PEB.FastPebLock for the block."""
    lock = int(thread.peb.FastPebLock)
    await thread.call(guest.routine(thread, "RtlEnterCriticalSection"), lock)
    try:
        yield
    except (NtError, GuestFault):
        await thread.call(guest.routine(thread, "RtlLeaveCriticalSection"), lock)
        raise
    await thread.call(guest.routine(thread, "RtlLeaveCriticalSection"), lock)


@export
async def RtlAcquirePebLock(thread: UserThread) -> None:
    """Enter PEB.FastPebLock."""
    await thread.call(guest.routine(thread, "RtlEnterCriticalSection"), int(thread.peb.FastPebLock))


@export
async def RtlReleasePebLock(thread: UserThread) -> None:
    """Leave PEB.FastPebLock."""
    await thread.call(guest.routine(thread, "RtlLeaveCriticalSection"), int(thread.peb.FastPebLock))


def read_block(thread: UserThread, address: int) -> bytes:
    """The bytes of an environment block, its closing NULs included."""
    data = b""
    while len(data) < MAXIMUM_BLOCK:
        data += thread.memory.read(address + len(data), PAGE_SIZE - (address + len(data)) % PAGE_SIZE)
        position = data.find(b"\0\0\0\0")
        while position >= 0 and position % 2:
            position = data.find(b"\0\0\0\0", position + 1)
        if position >= 0:
            return data[: position + 4]
    return data


def variables(thread: UserThread, address: int = 0) -> Environment:
    """The variables of a block, of the process's own by default."""
    address = address or int(parameters(thread).Environment)
    return environment.parse_block(read_block(thread, address)) if address else Environment()


async def own_block(thread: UserThread) -> None:
    """Move the block that the process was made with into the heap, where it can grow."""
    block = parameters(thread)
    if block.Environment:
        data = read_block(thread, int(block.Environment))
        block.Environment = await guest.allocate_bytes(thread, data)
        block.EnvironmentSize = len(data)


async def _replace(thread: UserThread, changed: Environment, place: Ptr[PVOID] | None) -> None:
    data = environment.format_block(changed)
    address = await guest.allocate_bytes(thread, data)
    if place is not None:
        old = int(place.read())
        place.write(address)
    else:
        block = parameters(thread)
        old = int(block.Environment)
        block.Environment, block.EnvironmentSize = address, len(data)
        block.EnvironmentVersion = int(block.EnvironmentVersion) + 1
    await guest.free(thread, old)


async def _set(thread: UserThread, place: Ptr[PVOID] | None, name: str, value: str | None) -> NTSTATUS:
    if not environment.is_valid_name(name):
        raise NtError(STATUS.INVALID_PARAMETER)
    async with peb_lock(thread):
        known = variables(thread, int(place.read()) if place is not None else 0)
        if value is None and name not in known:
            return STATUS.SUCCESS if place is None else STATUS.VARIABLE_NOT_FOUND
        known.set(name, value)
        await _replace(thread, known, place)
    return STATUS.SUCCESS


@export
async def RtlSetEnvironmentVariable(
    thread: UserThread,
    Environment_: Ptr[PVOID] | None,
    Name: In[UNICODE_STRING],
    Value: In[UNICODE_STRING] | None,
) -> NTSTATUS:
    """Set a variable of a block (NULL: the process's), or delete it."""
    text = Value.text if Value is not None and Value.Buffer else None
    return await _set(thread, Environment_, Name.text, text)


@export
async def RtlSetEnvironmentVar(
    thread: UserThread,
    Environment_: Ptr[PVOID] | None,
    Name: Ptr[WCHAR],
    NameLength: SIZE_T,
    Value: Ptr[WCHAR] | None,
    ValueLength: SIZE_T,
) -> NTSTATUS:
    """RtlSetEnvironmentVariable over pointers and lengths in characters."""
    name = from_utf16(Name.read_bytes(2 * NameLength))
    value = from_utf16(Value.read_bytes(2 * ValueLength)) if Value is not None else None
    return await _set(thread, Environment_, name, value)


@export
def RtlQueryEnvironmentVariable_U(
    thread: UserThread, Environment_: PVOID, Name: In[UNICODE_STRING], Value: Ptr[UNICODE_STRING]
) -> NTSTATUS:
    """A variable's value; VARIABLE_NOT_FOUND, or BUFFER_TOO_SMALL with the length it has."""
    value = variables(thread, Environment_).get(Name.text)
    if value is None:
        return STATUS.VARIABLE_NOT_FOUND
    view, data = Value.read(), to_utf16(value)
    if len(data) > int(view.MaximumLength):
        view.Length = len(data)
        return STATUS.BUFFER_TOO_SMALL
    put(view, data, b"\0\0")
    return STATUS.SUCCESS


@export
def RtlQueryEnvironmentVariable(
    thread: UserThread,
    Environment_: PVOID,
    Name: Ptr[WCHAR],
    NameLength: SIZE_T,
    Value: Ptr[WCHAR] | None,
    ValueLength: SIZE_T,
    ReturnLength: Out[SIZE_T],
) -> NTSTATUS:
    """A variable's value over pointers; lengths in characters, that needed with its NUL."""
    value = variables(thread, Environment_).get(from_utf16(Name.read_bytes(2 * NameLength)))
    if value is None:
        return STATUS.VARIABLE_NOT_FOUND
    data = to_utf16(value)
    if Value is None or len(data) // 2 >= ValueLength:
        ReturnLength.write(len(data) // 2 + 1)
        return STATUS.BUFFER_TOO_SMALL
    Value.write_bytes(data + b"\0\0")
    ReturnLength.write(len(data) // 2)
    return STATUS.SUCCESS


@export
def RtlExpandEnvironmentStrings_U(
    thread: UserThread,
    Environment_: PVOID,
    Source: In[UNICODE_STRING],
    Destination: Ptr[UNICODE_STRING],
    ReturnedLength: Out[ULONG] | None,
) -> NTSTATUS:
    """A string with each `%NAME%` replaced."""
    data = to_utf16(variables(thread, Environment_).expand(Source.text))
    if ReturnedLength is not None:
        ReturnedLength.write(len(data) + 2)
    view = Destination.read()
    if len(data) + 2 > int(view.MaximumLength):
        return STATUS.BUFFER_TOO_SMALL
    put(view, data, b"\0\0")
    return STATUS.SUCCESS


@export
def RtlExpandEnvironmentStrings(
    thread: UserThread,
    Environment_: PVOID,
    Source: Ptr[WCHAR],
    SourceLength: SIZE_T,
    Destination: Ptr[WCHAR] | None,
    DestinationLength: SIZE_T,
    ReturnLength: Out[SIZE_T] | None,
) -> NTSTATUS:
    """RtlExpandEnvironmentStrings_U over pointers; lengths in characters."""
    source = from_utf16(Source.read_bytes(2 * SourceLength))
    data = to_utf16(variables(thread, Environment_).expand(source))
    if ReturnLength is not None:
        ReturnLength.write(len(data) // 2 + 1)
    if Destination is None or len(data) // 2 >= DestinationLength:
        return STATUS.BUFFER_TOO_SMALL
    Destination.write_bytes(data + b"\0\0")
    return STATUS.SUCCESS


@export
async def RtlCreateEnvironment(
    thread: UserThread, CloneCurrentEnvironment: BOOLEAN, Environment_: Out[PVOID]
) -> NTSTATUS:
    """A new block: empty, or a copy of the process's."""
    known = variables(thread) if CloneCurrentEnvironment else Environment()
    Environment_.write(await guest.allocate_bytes(thread, environment.format_block(known)))
    return STATUS.SUCCESS


@export
async def RtlCreateEnvironmentEx(
    thread: UserThread, SourceEnvironment: PVOID, Environment_: Out[PVOID], Flags: ULONG
) -> NTSTATUS:
    """A copy of a block (NULL: of the process's), 1: without the process's drive directories; 2: empty."""
    if Flags & ~3:
        raise NtError(STATUS.INVALID_PARAMETER)
    known = Environment() if Flags & 2 and not SourceEnvironment else variables(thread, SourceEnvironment)
    Environment_.write(await guest.allocate_bytes(thread, environment.format_block(known)))
    return STATUS.SUCCESS


@export
async def RtlDestroyEnvironment(thread: UserThread, Environment_: PVOID) -> NTSTATUS:
    """Free a block."""
    await guest.free(thread, Environment_)
    return STATUS.SUCCESS


@export
async def RtlSetCurrentEnvironment(
    thread: UserThread, Environment_: PVOID, PreviousEnvironment: Out[PVOID] | None
) -> None:
    """Make a block the process's; the old one is given back, or freed."""
    block = parameters(thread)
    old = int(block.Environment)
    block.Environment = Environment_
    block.EnvironmentSize = len(read_block(thread, Environment_)) if Environment_ else 0
    block.EnvironmentVersion = int(block.EnvironmentVersion) + 1
    if PreviousEnvironment is not None:
        PreviousEnvironment.write(old)
    else:
        await guest.free(thread, old)

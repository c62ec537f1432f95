"""The unwinder's exports: function tables, virtual unwinding, stack traces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntos.abi.layout.context import CONTEXT
from ntos.abi.pointer import Code, Out, Ptr
from ntos.abi.status import STATUS, GuestFault, NtError
from ntos.abi.types import BOOLEAN, NTSTATUS, PVOID, ULONG, ULONGLONG, USHORT
from ntos.dll.ntdll import guest
from ntos.dll.ntdll.exception import StackLimits
from ntos.dll.ntdll.functions import DynamicTable, DynamicTables, lookup
from ntos.dll.ntdll.guard import ConsolidatedFrame, PythonFrames
from ntos.dll.ntdll.registers import Registers
from ntos.dll.ntdll.unwind import read_function, virtual_unwind
from ntos.um.export import export

if TYPE_CHECKING:
    from ntos.um.thread import UserThread

CALLBACK_MARK = 3
MAXIMUM_FRAMES = 0xFFFF
HASH_MASK = 0xFFFF_FFFF


@export
async def RtlLookupFunctionEntry(
    thread: UserThread, ControlPc: ULONGLONG, ImageBase: Out[ULONGLONG], HistoryTable: PVOID
) -> PVOID:
    """The RUNTIME_FUNCTION for an address and the base it counts from; 0 for leaf functions."""
    image, function = await lookup(thread, ControlPc)
    if image:
        ImageBase.write(image)
    return PVOID(function.address if function is not None else 0)


@export
async def RtlVirtualUnwind(
    thread: UserThread,
    HandlerType: ULONG,
    ImageBase: ULONGLONG,
    ControlPc: ULONGLONG,
    FunctionEntry: PVOID,
    ContextRecord: Ptr[CONTEXT],
    HandlerData: Out[PVOID],
    EstablisherFrame: Out[ULONGLONG],
    ContextPointers: PVOID,
) -> PVOID:
    """Make a context that of its caller; gives the language handler of the frame left, if it has one."""
    memory = thread.memory
    registers = Registers.at(memory, ContextRecord.address)
    if not FunctionEntry:
        EstablisherFrame.write(registers.rsp)
        registers.leave_leaf(memory)
        registers.write(memory, ContextRecord.address)
        return PVOID(0)
    saved_at: dict[int, int] = {}
    function = read_function(memory, FunctionEntry)
    handler = virtual_unwind(memory, registers, HandlerType, ImageBase, ControlPc, function, saved_at)
    registers.write(memory, ContextRecord.address)
    EstablisherFrame.write(handler.establisher)
    if handler.routine:
        HandlerData.write(handler.data)
    if ContextPointers:
        for register, place in saved_at.items():
            # KNONVOLATILE_CONTEXT_POINTERS: sixteen XMM pointers, then sixteen integer ones
            guest.put64(memory, ContextPointers + 8 * (register + 16 if register < 16 else register - 16), place)
    return PVOID(handler.routine)


@export
def RtlAddFunctionTable(thread: UserThread, FunctionTable: PVOID, EntryCount: ULONG, BaseAddress: ULONGLONG) -> BOOLEAN:
    """Declare unwind data for code made at run time."""
    functions = [read_function(thread.memory, FunctionTable + 12 * index) for index in range(EntryCount)]
    if not functions:
        return BOOLEAN(1)
    start = BaseAddress + min(function.begin for function in functions)
    end = BaseAddress + max(function.end for function in functions)
    table = DynamicTable(FunctionTable, BaseAddress, start, end, FunctionTable, EntryCount)
    thread.state(DynamicTables).tables.append(table)
    return BOOLEAN(1)


@export
def RtlInstallFunctionTableCallback(
    thread: UserThread,
    TableIdentifier: ULONGLONG,
    BaseAddress: ULONGLONG,
    Length: ULONG,
    Callback: Code,
    Context: PVOID,
    OutOfProcessCallbackDll: PVOID,
) -> BOOLEAN:
    """Have a function give unwind data for addresses of a region."""
    if TableIdentifier & 3 != CALLBACK_MARK:
        return BOOLEAN(0)
    table = DynamicTable(TableIdentifier, BaseAddress, BaseAddress, BaseAddress + Length)
    table.callback, table.context = int(Callback), Context
    thread.state(DynamicTables).tables.append(table)
    return BOOLEAN(1)


@export
def RtlDeleteFunctionTable(thread: UserThread, FunctionTable: PVOID) -> BOOLEAN:
    """Take back what RtlAddFunctionTable or RtlInstallFunctionTableCallback declared."""
    return BOOLEAN(_delete(thread, FunctionTable))


def _delete(thread: UserThread, identifier: int) -> bool:
    tables = thread.state(DynamicTables).tables
    for table in tables:
        if table.identifier == identifier:
            tables.remove(table)
            return True
    return False


@export
def RtlAddGrowableFunctionTable(
    thread: UserThread,
    DynamicTable_: Out[PVOID],
    FunctionTable: PVOID,
    EntryCount: ULONG,
    MaximumEntryCount: ULONG,
    RangeBase: ULONGLONG,
    RangeEnd: ULONGLONG,
) -> NTSTATUS:
    """Declare unwind data for a region whose table will grow."""
    if EntryCount > MaximumEntryCount or RangeBase >= RangeEnd:
        raise NtError(STATUS.INVALID_PARAMETER)
    state = thread.state(DynamicTables)
    state.next_identifier += 0x10
    table = DynamicTable(state.next_identifier, RangeBase, RangeBase, RangeEnd, FunctionTable, EntryCount)
    state.tables.append(table)
    DynamicTable_.write(table.identifier)
    return STATUS.SUCCESS


@export
def RtlGrowFunctionTable(thread: UserThread, DynamicTable_: PVOID, NewEntryCount: ULONG) -> None:
    """More entries of a growable table count from now on."""
    for table in thread.state(DynamicTables).tables:
        if table.identifier == DynamicTable_:
            table.count = NewEntryCount


@export
def RtlDeleteGrowableFunctionTable(thread: UserThread, DynamicTable_: PVOID) -> None:
    """Take a growable table back."""
    _delete(thread, DynamicTable_)


async def frames(thread: UserThread, registers: Registers, count: int) -> list[int]:
    """Return addresses from these registers outward, the first one their own RIP."""
    limits, found = StackLimits(thread), list[int]()
    callback_return = guest.routine(thread, "KiUserCallbackReturn")
    python = thread.own(PythonFrames)
    try:
        while len(found) < count and registers.rip and limits.limit <= registers.rsp <= limits.base:
            pc, before = registers.rip, registers.rsp
            special = python.at(before) if pc == callback_return else None
            if isinstance(special, ConsolidatedFrame):
                registers.data[:] = special.context
                continue
            found.append(pc)
            image, function = await lookup(thread, pc)
            if function is None:
                registers.leave_leaf(thread.memory)
            else:
                virtual_unwind(thread.memory, registers, 0, image, pc, function)
            if registers.rsp <= before:
                break
    except (GuestFault, NtError):
        return found  # a walk over a stack that makes no sense ends where the sense does
    return found


@export
async def RtlCaptureStackBackTrace(
    thread: UserThread,
    FramesToSkip: ULONG,
    FramesToCapture: ULONG,
    BackTrace: PVOID,
    BackTraceHash: Out[ULONG] | None,
) -> USHORT:
    """Return addresses from the caller outward."""
    wanted = min(FramesToSkip + FramesToCapture, MAXIMUM_FRAMES)
    found = (await frames(thread, Registers.of_caller(thread), wanted))[FramesToSkip:]
    thread.memory.write(BackTrace, b"".join(address.to_bytes(8, "little") for address in found))
    if BackTraceHash is not None:
        BackTraceHash.write(sum(found) & HASH_MASK)
    return USHORT(len(found))


@export
async def RtlWalkFrameChain(thread: UserThread, Callers: PVOID, Count: ULONG, Flags: ULONG) -> ULONG:
    """Return addresses from the caller outward; bits 8 and up of the flags say how many to skip."""
    skip = Flags >> 8
    found = (await frames(thread, Registers.of_caller(thread), min(Count + skip, MAXIMUM_FRAMES)))[skip:]
    thread.memory.write(Callers, b"".join(address.to_bytes(8, "little") for address in found))
    return ULONG(len(found))

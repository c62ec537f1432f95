"""Fibers: stacks a thread changes between by itself (winbase.h).

The fiber object is Windows' own in its public part: the parameter first (GetFiberData reads it there), stack bounds,
a CONTEXT at 0x30 (Geoff Chappell, "FIBER"). What a switch keeps is the non-volatile state of the x64 convention.
"""

from __future__ import annotations

from ntos.abi.errors import ERROR
from ntos.abi.layout.api import INITIAL_TEB
from ntos.abi.layout.context import CONTEXT
from ntos.abi.ob import CURRENT_PROCESS
from ntos.abi.pointer import Code
from ntos.abi.struct import Struct, at
from ntos.abi.types import BOOL, DWORD, PVOID, SIZE_T, ULONG
from ntos.dll.kernelbase.services import allocate, free, nt, rtl, rtl_status
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread

HEAP_ZERO_MEMORY = 8
ALREADY_FIBER, ALREADY_THREAD = 1280, 1281
FLS_CALLBACKS_AND_BLOCK = 3
SAVED = ("rbx", "rbp", "rsi", "rdi", "r12", "r13", "r14", "r15", "rsp", "rip")
SAVED_VECTORS = range(6, 16)
VECTORS = 0x1A0
"""CONTEXT.Xmm0."""


class FIBER(Struct, size=0x520):
    """A fiber."""

    FiberData = at(0x00, PVOID)
    ExceptionList = at(0x08, PVOID)
    StackBase = at(0x10, PVOID)
    StackLimit = at(0x18, PVOID)
    DeallocationStack = at(0x20, PVOID)
    FiberContext = at(0x30, CONTEXT)
    GuaranteedStackBytes = at(0x508, ULONG)
    FlsData = at(0x510, PVOID)
    ActivationContextStackPointer = at(0x518, PVOID)


def _field(register: str) -> str:
    return register.capitalize()


def _save(thread: UserThread, fiber: FIBER) -> None:
    """Registers and the TEB's stack words into the fiber that is left."""
    context, teb, room = thread.context, thread.teb, fiber.FiberContext
    for register in SAVED:
        setattr(room, _field(register), getattr(context, register))
    for index in SAVED_VECTORS:
        room.memory.write(room.address + VECTORS + 16 * index, context.xmm(index))
    room.MxCsr = context.mxcsr
    fiber.StackLimit, fiber.GuaranteedStackBytes = teb.NtTib.StackLimit, teb.GuaranteedStackBytes
    fiber.FlsData, fiber.ActivationContextStackPointer = teb.FlsData, teb.ActivationContextStackPointer


def _load(thread: UserThread, fiber: FIBER) -> None:
    """The same the other way: the thread goes on as that fiber."""
    context, teb, room = thread.context, thread.teb, fiber.FiberContext
    for register in SAVED:
        setattr(context, register, int(getattr(room, _field(register))))
    context.rcx = int(room.Rcx)
    for index in SAVED_VECTORS:
        context.set_xmm(index, room.memory.read(room.address + VECTORS + 16 * index, 16))
    context.mxcsr = int(room.MxCsr)
    tib = teb.NtTib
    tib.StackBase, tib.StackLimit, tib.FiberData = fiber.StackBase, fiber.StackLimit, fiber.address
    teb.DeallocationStack, teb.GuaranteedStackBytes = fiber.DeallocationStack, fiber.GuaranteedStackBytes
    teb.FlsData, teb.ActivationContextStackPointer = fiber.FlsData, fiber.ActivationContextStackPointer


async def _new_fiber(thread: UserThread, parameter: int) -> FIBER:
    fiber = FIBER(thread.memory, await allocate(thread, FIBER.size, HEAP_ZERO_MEMORY))
    fiber.FiberData = parameter
    fiber.FiberContext.MxCsr = thread.context.mxcsr
    return fiber


@export
async def ConvertThreadToFiberEx(thread: UserThread, lpParameter: PVOID, dwFlags: DWORD) -> PVOID:
    """Make the thread its own first fiber."""
    teb = thread.teb
    if dwFlags & ~1:
        raise WinError(ERROR.INVALID_PARAMETER)
    if teb.HasFiberData:
        raise WinError(ALREADY_FIBER)
    fiber = await _new_fiber(thread, lpParameter)
    fiber.StackBase, fiber.StackLimit = teb.NtTib.StackBase, teb.NtTib.StackLimit
    fiber.DeallocationStack, fiber.FlsData = teb.DeallocationStack, teb.FlsData
    teb.NtTib.FiberData = fiber.address
    teb.HasFiberData = 1
    return PVOID(fiber.address)


@export
async def ConvertThreadToFiber(thread: UserThread, lpParameter: PVOID) -> PVOID:
    """The same without flags."""
    return await ConvertThreadToFiberEx(thread, lpParameter, DWORD(0))


@export
async def ConvertFiberToThread(thread: UserThread) -> BOOL:
    """The fiber that runs now becomes the thread again."""
    teb = thread.teb
    if not teb.HasFiberData:
        raise WinError(ALREADY_THREAD)
    fiber = int(teb.NtTib.FiberData)
    teb.HasFiberData = 0
    teb.NtTib.FiberData = 0
    await free(thread, fiber)
    return BOOL(1)


@export
def IsThreadAFiber(thread: UserThread) -> BOOL:
    """Whether the thread runs as a fiber."""
    return BOOL(thread.teb.HasFiberData)


@export
async def CreateFiberEx(
    thread: UserThread,
    dwStackCommitSize: SIZE_T,
    dwStackReserveSize: SIZE_T,
    dwFlags: DWORD,
    lpStartAddress: Code,
    lpParameter: PVOID,
) -> PVOID:
    """A fiber with a stack of its own, that begins at a routine when it is first switched to."""
    if dwFlags & ~1:
        raise WinError(ERROR.INVALID_PARAMETER)
    fiber = await _new_fiber(thread, lpParameter)
    with thread.frame() as frame:
        stack: INITIAL_TEB = frame.new(INITIAL_TEB)
        await rtl_status(
            thread, "RtlCreateUserStack", dwStackCommitSize, dwStackReserveSize, 0, 0x1000, 0x10000, stack.address
        )
        fiber.StackBase, fiber.StackLimit = stack.StackBase, stack.StackLimit
        fiber.DeallocationStack = stack.StackAllocationBase
    room = fiber.FiberContext
    top = (int(fiber.StackBase) & ~0xF) - 0x28
    thread.memory.write(top, thread.entry("ntdll", "RtlExitUserThread").to_bytes(8, "little"))
    room.Rsp, room.Rip, room.Rcx = top, int(lpStartAddress), lpParameter
    return PVOID(fiber.address)


@export
async def CreateFiber(thread: UserThread, dwStackSize: SIZE_T, lpStartAddress: Code, lpParameter: PVOID) -> PVOID:
    """The same with the program's own stack reserve."""
    return await CreateFiberEx(thread, dwStackSize, SIZE_T(0), DWORD(0), lpStartAddress, lpParameter)


@export(partial="a switch out of a callback that a system DLL made mixes up who returns to whom")
def SwitchToFiber(thread: UserThread, lpFiber: PVOID) -> None:
    """Leave this fiber where it stands and go on as another."""
    _save(thread, FIBER(thread.memory, int(thread.teb.NtTib.FiberData)))
    _load(thread, FIBER(thread.memory, lpFiber))


@export
async def DeleteFiber(thread: UserThread, lpFiber: PVOID) -> None:
    """Free a fiber and its stack; the running one takes the thread along."""
    if lpFiber == int(thread.teb.NtTib.FiberData):
        await rtl(thread, "RtlExitUserThread", 1)
    fiber = FIBER(thread.memory, lpFiber)
    if fiber.FlsData:
        await rtl(thread, "RtlProcessFlsData", int(fiber.FlsData), FLS_CALLBACKS_AND_BLOCK)
    with thread.frame() as frame:
        base = frame.bytes(int(fiber.DeallocationStack).to_bytes(8, "little") + bytes(8))
        await nt.NtFreeVirtualMemory(thread, CURRENT_PROCESS, base, base + 8, 0x8000)
    await free(thread, lpFiber)

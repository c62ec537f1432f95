"""Fibers: threads that a program switches by itself (winbase.h).

The switch is machine code (`fiber_switch`); a new fiber begins at ntdll!RtlUserFiberStart. Each fiber has its own
stack and its own block of fiber-local storage.
"""

from __future__ import annotations

from ntos.abi.errors import ERROR
from ntos.abi.layout.api import INITIAL_TEB
from ntos.abi.pointer import Code
from ntos.abi.types import BOOL, DWORD, PVOID, SIZE_T, ULONG, USHORT
from ntos.abi.win32 import FLS_MAXIMUM_AVAILABLE
from ntos.dll.kernelbase.fiber_switch import FIBER
from ntos.dll.kernelbase.services import allocate, free, rtl, rtl_status
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread

ALREADY_FIBER, ALREADY_THREAD = 1280, 1281
FIBER_FLAG_FLOAT_SWITCH = 1
HAS_FIBER_DATA = 4
HEAP_ZERO_MEMORY = 8
PAGE, GRANULARITY = 0x1000, 0x10000
CONTEXT_FULL, DEFAULT_MXCSR, DEFAULT_X87 = 0x10000B, 0x1F80, 0x27F
START_ROOM = 0x28
"""Above a fiber's first stack pointer: home space, and a return address of 0 that ends every stack walk."""
PROCESS_FLS_ALL = 3


async def _new_fiber(thread: UserThread, parameter: int) -> FIBER:
    fiber = FIBER(thread.memory, await allocate(thread, FIBER.size, HEAP_ZERO_MEMORY))
    fiber.FiberData = PVOID(parameter)
    fiber.FiberContext.ContextFlags = ULONG(CONTEXT_FULL)
    fiber.FiberContext.MxCsr = ULONG(DEFAULT_MXCSR)
    fiber.memory.write(fiber.FiberContext.address + 0x100, DEFAULT_X87.to_bytes(2, "little"))
    return fiber


@export
async def ConvertThreadToFiberEx(thread: UserThread, lpParameter: PVOID, dwFlags: DWORD) -> PVOID:
    """Make the running thread a fiber, so that it can switch to others; the fiber's address."""
    return PVOID(await _convert(thread, lpParameter, dwFlags))


@export
async def ConvertThreadToFiber(thread: UserThread, lpParameter: PVOID) -> PVOID:
    """The same without flags."""
    return PVOID(await _convert(thread, lpParameter, 0))


async def _convert(thread: UserThread, parameter: int, flags: int) -> int:
    if flags & ~FIBER_FLAG_FLOAT_SWITCH:
        raise WinError(ERROR.INVALID_PARAMETER)
    if int(thread.teb.SameTebFlags) & HAS_FIBER_DATA:
        raise WinError(ALREADY_FIBER)
    fiber = await _new_fiber(thread, parameter)
    thread.teb.SameTebFlags = USHORT(int(thread.teb.SameTebFlags) | HAS_FIBER_DATA)
    thread.teb.NtTib.FiberData = PVOID(fiber.address)
    return fiber.address


@export
async def ConvertFiberToThread(thread: UserThread) -> BOOL:
    """Make the running fiber a plain thread again; what FiberData it had is gone."""
    if not int(thread.teb.SameTebFlags) & HAS_FIBER_DATA:
        raise WinError(ALREADY_THREAD)
    fiber = int(thread.teb.NtTib.FiberData)
    thread.teb.SameTebFlags = USHORT(int(thread.teb.SameTebFlags) & ~HAS_FIBER_DATA)
    thread.teb.NtTib.FiberData = PVOID(0)
    await free(thread, fiber)
    return BOOL(1)


@export
async def CreateFiber(thread: UserThread, dwStackSize: SIZE_T, lpStartAddress: Code, lpParameter: PVOID) -> PVOID:
    """A fiber with a stack of its own, ready to be switched to."""
    return PVOID(await _create(thread, dwStackSize, 0, lpStartAddress, lpParameter))


@export
async def CreateFiberEx(
    thread: UserThread,
    dwStackCommitSize: SIZE_T,
    dwStackReserveSize: SIZE_T,
    dwFlags: DWORD,
    lpStartAddress: Code,
    lpParameter: PVOID,
) -> PVOID:
    """The same with both sizes of the stack."""
    if dwFlags & ~FIBER_FLAG_FLOAT_SWITCH:
        raise WinError(ERROR.INVALID_PARAMETER)
    return PVOID(await _create(thread, dwStackCommitSize, dwStackReserveSize, lpStartAddress, lpParameter))


async def _create(thread: UserThread, commit: int, reserve: int, start: int, parameter: int) -> int:
    with thread.frame() as frame:
        stack: INITIAL_TEB = frame.new(INITIAL_TEB)
        await rtl_status(thread, "RtlCreateUserStack", commit, reserve, 0, PAGE, GRANULARITY, stack.address)
        base, limit, allocation = int(stack.StackBase), int(stack.StackLimit), int(stack.StackAllocationBase)
    fiber = await _new_fiber(thread, parameter)
    fiber.StackBase, fiber.StackLimit = PVOID(base), PVOID(limit)
    fiber.DeallocationStack = PVOID(allocation)
    fiber.GuaranteedStackBytes = ULONG(int(thread.teb.GuaranteedStackBytes))
    fiber.ActivationContextStackPointer = PVOID(fiber.address + FIBER.offset("ActivationStack"))
    frames = fiber.ActivationFrames
    frames.Flink = frames.Blink = PVOID(frames.address)
    block = await allocate(thread, 8 + 8 * FLS_MAXIMUM_AVAILABLE, HEAP_ZERO_MEMORY)
    # Indices given out later must be good in this fiber too, so its block counts all there can be.
    thread.memory.write(block, FLS_MAXIMUM_AVAILABLE.to_bytes(8, "little"))
    fiber.FlsData = PVOID(block)
    context = fiber.FiberContext
    context.Rip = thread.entry("ntdll", "RtlUserFiberStart")
    context.Rsp = base - START_ROOM
    context.Rcx, context.R8 = start, thread.entry("ntdll", "RtlExitUserThread")
    return fiber.address


@export
async def DeleteFiber(thread: UserThread, lpFiber: PVOID) -> None:
    """Free a fiber, its stack and its local storage; the running one ends the thread."""
    if int(thread.teb.NtTib.FiberData) == lpFiber and int(thread.teb.SameTebFlags) & HAS_FIBER_DATA:
        await rtl(thread, "RtlExitUserThread", 1)
    fiber = FIBER(thread.memory, lpFiber)
    if fiber.FlsData:
        await rtl(thread, "RtlProcessFlsData", int(fiber.FlsData), PROCESS_FLS_ALL)
    if fiber.DeallocationStack:
        await rtl(thread, "RtlFreeUserStack", int(fiber.DeallocationStack))
    await free(thread, lpFiber)


@export
def IsThreadAFiber(thread: UserThread) -> BOOL:
    """Whether the running thread is a fiber."""
    return BOOL(int(thread.teb.SameTebFlags) & HAS_FIBER_DATA != 0)

"""A catch block runs: the callback of the consolidated unwind (__CxxCallCatchBlock), and what lives until its end."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from ntos.abi.types import PVOID
from ntos.dll.ucrtbase.crt import thread_data
from ntos.dll.vcruntime140 import tables
from ntos.um import images
from ntos.um.export import export
from ntos.um.modules import find_module
from ntos.um.thread import UserThread

RUNTIMES = ("vcruntime140", "msvcrt", "ucrtbase")
CALLBACK = "ntos_call_catch_block"
ASK_ADDRESS = -2


@dataclass(slots=True, eq=False)
class Running:
    """A catch block that runs: its exception, and where on the stack it was called."""

    record: int
    context: int
    stack: int


class Catching:
    """The exceptions a thread is dealing with."""

    def __init__(self) -> None:
        self.running: list[Running] = []
        """Catch blocks, the innermost last."""


def catch_callback(thread: UserThread) -> int:
    """The address the unwinder calls when it has come to the catching frame."""
    for module in RUNTIMES:
        base = find_module(thread, module + ".dll")
        rva = images.build(module).rvas.get(CALLBACK) if base else None
        if rva is not None:
            return base + rva
    raise AssertionError("a frame handler runs, so its runtime is loaded")


async def destroy(thread: UserThread, record: int) -> None:
    """Run the destructor of a caught object (__DestructExceptionObject)."""
    thrown = tables.read_thrown(thread.memory, record)
    if thrown is None or not thrown.info or not thrown.object:
        return
    destructor = tables.destructor_of(thread.memory, thrown)
    if destructor:
        await thread.call(destructor, thrown.object)


async def _leave_others(thread: UserThread, catching: Catching, target: int, kept: int) -> None:
    """Destroy the objects of catch blocks that this exception has left: their stack lies below the target frame."""
    left = [block for block in catching.running if block.stack < target]
    catching.running = [block for block in catching.running if block.stack >= target]
    alive = {kept, *(block.record for block in catching.running)}
    for block in reversed(left):
        if block.record not in alive:
            alive.add(block.record)
            await destroy(thread, block.record)


async def call_catch_block(thread: UserThread, ExceptionRecord: PVOID) -> PVOID:
    """Run the funclet, destroy the object, and give the address to go on at."""
    memory, catching, data = thread.memory, thread.own(Catching), thread_data(thread)
    _, frame, handler, _, context, _, record, unwind_help, target = struct.unpack(
        "<9Q", memory.read(ExceptionRecord + 0x20, 72)
    )
    if unwind_help:
        # The funclet's own states are by address; which catch block hides its try blocks stays known.
        memory.write(frame + unwind_help, struct.pack("<i", ASK_ADDRESS))
    await _leave_others(thread, catching, target, record)
    data.current_exception, data.current_context = record, context
    block = Running(record, context, thread.context.rsp)
    catching.running.append(block)
    resume = await thread.call(handler, frame, frame)
    catching.running.remove(block)
    outer = catching.running[-1] if catching.running else Running(0, 0, 0)
    data.current_exception, data.current_context = outer.record, outer.context
    if all(other.record != record for other in catching.running):
        await destroy(thread, record)
    if unwind_help:
        memory.write(frame + unwind_help, struct.pack("<q", ASK_ADDRESS))
    return PVOID(resume)


for _module in RUNTIMES:
    export(name=CALLBACK, module=_module)(call_catch_block)

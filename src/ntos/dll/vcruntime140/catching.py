"""A catch block runs: the callback of the consolidated unwind (__CxxCallCatchBlock), and what lives until its end."""

from __future__ import annotations

import struct

from ntos.abi.types import PVOID
from ntos.dll.ucrtbase.crt import thread_data
from ntos.dll.vcruntime140 import tables
from ntos.um import images
from ntos.um.export import export
from ntos.um.modules import find_module
from ntos.um.thread import UserThread

RUNTIMES = ("vcruntime140", "msvcrt", "ucrtbase")
CALLBACK = "ntos_call_catch_block"
FREE = -2


class Catching:
    """The exceptions a thread is dealing with."""

    def __init__(self) -> None:
        self.active: list[int] = []
        """Records whose catch blocks run, the innermost last."""
        self.pending: list[int] = []
        """Records on their way to a catch block."""
        self.orphans: list[int] = []
        """Records whose catch blocks were left by another exception: their objects are still to be destroyed."""


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


async def _sweep(thread: UserThread, catching: Catching, kept: int) -> None:
    orphans, catching.orphans = catching.orphans, []
    for record in orphans:
        if record != kept and record not in catching.active:
            await destroy(thread, record)


async def call_catch_block(thread: UserThread, ExceptionRecord: PVOID) -> PVOID:
    """Run the funclet, destroy the object, and give the address to go on at."""
    memory, catching, data = thread.memory, thread.own(Catching), thread_data(thread)
    _, frame, handler, _, context, _, record, unwind_help = struct.unpack(
        "<8Q", memory.read(ExceptionRecord + 0x20, 64)
    )
    if record in catching.pending:
        catching.pending.remove(record)
    await _sweep(thread, catching, record)
    former = int(data.current_exception), int(data.current_context)
    data.current_exception, data.current_context = record, context
    catching.active.append(record)
    finished = False
    try:
        resume = await thread.call(handler, frame, frame)
        finished = True
    finally:
        catching.active.remove(record)
        data.current_exception, data.current_context = former
        if not finished and record not in catching.active:
            catching.orphans.append(record)
    if record not in catching.active and record not in catching.pending:
        await destroy(thread, record)
    if unwind_help:
        memory.write(frame + unwind_help, struct.pack("<q", FREE))
    return PVOID(resume)


for _module in RUNTIMES:
    export(name=CALLBACK, module=_module)(call_catch_block)

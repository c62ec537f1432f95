"""Throwing: _CxxThrowException, and what programs ask about exceptions in flight."""

from __future__ import annotations

import struct

from ntos.abi.types import BOOL, INT, PVOID
from ntos.dll.ucrtbase.crt import entry, thread_data, win32
from ntos.dll.vcruntime140 import tables
from ntos.dll.vcruntime140.catching import destroy
from ntos.dll.vcruntime140.matching import adjusted
from ntos.um.export import export
from ntos.um.thread import UserThread

NONCONTINUABLE = 1


async def throw(thread: UserThread, pExceptionObject: PVOID, pThrowInfo: PVOID) -> None:
    """Raise 0xE06D7363 with the object, its description, and the image that the description's RVAs mean."""
    image, magic = 0, tables.MAGIC_1
    with thread.frame() as frame:
        if pThrowInfo:
            place = frame.allocate(8)
            image = await thread.call(entry(thread, "RtlPcToFileHeader", "ntdll.dll"), pThrowInfo, place)
            if thread.memory.read(pThrowInfo, 1)[0] & tables.TI_PURE or not image:
                magic = tables.MAGIC_PURE
        arguments = frame.bytes(struct.pack("<4Q", magic, pExceptionObject, pThrowInfo, image))
        await win32(thread, "RaiseException", tables.CPP_EXCEPTION, NONCONTINUABLE, 4, arguments)


for _module in ("vcruntime140", "msvcrt", "ucrtbase"):
    export(name="_CxxThrowException", module=_module)(throw)


@export
def __current_exception(thread: UserThread) -> PVOID:
    """Where the thread keeps the exception whose catch block runs."""
    data = thread_data(thread)
    return PVOID(data.address + data.offset("current_exception"))


@export
def __current_exception_context(thread: UserThread) -> PVOID:
    """Where the thread keeps that exception's CONTEXT."""
    data = thread_data(thread)
    return PVOID(data.address + data.offset("current_context"))


@export
def __processing_throw(thread: UserThread) -> PVOID:
    """Where the thread counts unwinds in progress."""
    data = thread_data(thread)
    return PVOID(data.address + data.offset("processing_throw"))


def uncaught_exceptions(thread: UserThread) -> INT:
    """How many exceptions are being unwound."""
    return INT(thread_data(thread).processing_throw)


def uncaught_exception(thread: UserThread) -> BOOL:
    """Whether an exception is being unwound."""
    return BOOL(int(thread_data(thread).processing_throw) != 0)


export(name="__uncaught_exceptions", module="vcruntime140")(uncaught_exceptions)
for _module in ("vcruntime140", "msvcrt"):
    export(name="__uncaught_exception", module=_module)(uncaught_exception)


@export
def __CxxDetectRethrow(thread: UserThread, pointers: PVOID) -> INT:
    """Whether an exception is `throw;`."""
    record = PVOID.load(thread.memory, pointers)
    thrown = tables.read_thrown(thread.memory, record)
    return INT(thrown is not None and not thrown.info)


@export
def __CxxQueryExceptionSize(thread: UserThread) -> INT:
    """How many bytes __CxxExceptionFilter's callers set aside for it."""
    return INT(32)


@export
async def __DestructExceptionObject(thread: UserThread, record: PVOID, throwing: BOOL) -> None:
    """Destroy the object of an exception."""
    await destroy(thread, record)


@export
def __AdjustPointer(thread: UserThread, pointer: PVOID, member: PVOID) -> PVOID:
    """A pointer to a member or base by its description."""
    offsets = struct.unpack("<3i", thread.memory.read(member, 12))
    return PVOID(adjusted(thread.memory, pointer, offsets))

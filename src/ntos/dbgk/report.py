"""What a debugged process's threads tell, and how they wait for the answer (DbgkpSendApiMessage)."""

from __future__ import annotations

import struct
from functools import partial
from typing import TYPE_CHECKING

from ntos import io, ob
from ntos.abi.dbgk import DBGKM_APINUMBER
from ntos.abi.layout.dbgk import DBGKM_APIMSG, DBGKM_CREATE_PROCESS, DBGKM_LOAD_DLL
from ntos.abi.layout.teb import TEB
from ntos.abi.status import STATUS, GuestFault, NtError
from ntos.dbgk.object import DebugEvent, port_of
from ntos.etw.event import DebugEventAnswered
from ntos.io.file import FileObject
from ntos.ke import context as context_record
from ntos.ke.exception import ExceptionRecord, deliver
from ntos.ke.trap import SUSPENDED, Suspension
from ntos.ke.wait import hold, wait, yield_processor
from ntos.mm.image import ImageArea
from ntos.ps.freeze import freeze, thaw
from ntos.ps.manager import ProcessManager

if TYPE_CHECKING:
    from ntos.ke.process import Process
    from ntos.ke.thread import Thread
    from ntos.mm.control import ControlArea
    from ntos.mm.vad import Vad

FILE_ACCESS = 0x12_0089
"""GENERIC_READ and SYNCHRONIZE of a file: what the debugger's handle allows."""
SHARE_ALL, SYNCHRONOUS = 7, 0x20
ARBITRARY_USER_POINTER = 0x28
DEBUG_REGISTERS = 0x10
SYMBOL_TABLE = 12
"""IMAGE_NT_HEADERS.FileHeader.PointerToSymbolTable; the number of symbols follows."""
NTDLL = "ntdll.dll"


def listens(thread: Thread) -> bool:
    """Whether there is a debugger that hears of this thread."""
    return int(thread.process.eprocess.DebugPort) != 0 and not thread.ethread.HideFromDebugger


async def send(thread: Thread, message: DBGKM_APIMSG, file: FileObject | None = None) -> int:
    """Queue a message and wait for the answer, the rest of the process frozen; DEBUGGER_INACTIVE where nobody is."""
    process = thread.process
    while True:
        debug = port_of(process)
        if debug is None:
            return int(STATUS.DEBUGGER_INACTIVE)
        if file is not None:
            ob.reference(file)
        event = DebugEvent(thread, message, no_wait=False, file=file)
        freeze(process, thread)
        debug.queue(event)
        try:
            await hold(thread, event.answered)
            status = int(event.view.Status)
        finally:
            if debug.holds(event):
                debug.take(event)
            thaw(process, thread)
            event.free()
        _tell(thread, message, status)
        if thread.kernel.scheduler.others_ready(thread):
            # Those it held have waited longer: a thread that tells without end must not keep them from telling.
            await yield_processor(thread)
        if status != STATUS.DBG_REPLY_LATER:
            return status
        while thread.suspend_count or thread.frozen:
            await wait(thread, (thread.kernel[Suspension].gate(thread),), user=False, reason=SUSPENDED)


def _tell(thread: Thread, message: DBGKM_APIMSG, status: int) -> None:
    log = thread.kernel.log
    if not log.wants(DebugEventAnswered):
        return
    number = DBGKM_APINUMBER(int(message.ApiNumber))
    kind = number.name.removeprefix("DbgKm").removesuffix("Api")
    told = DebugEventAnswered(kind=kind, id=thread.process.id, about=thread.id, answer=status)
    if number is DBGKM_APINUMBER.DbgKmExceptionApi:
        told.code = int(message.u.Exception.ExceptionRecord.ExceptionCode) & 0xFFFF_FFFF
        told.first_chance = bool(message.u.Exception.FirstChance)
    log.emit(told)


def new_message(number: DBGKM_APINUMBER) -> DBGKM_APIMSG:
    """An empty message of a kind."""
    message = DBGKM_APIMSG.new()
    message.ApiNumber = int(number)
    message.ReturnedStatus = STATUS.PENDING
    return message


# ---------------------------------------------------------------- exceptions


def take_exception(thread: Thread, record: ExceptionRecord, first_chance: bool) -> bool:
    """The exception dispatcher asks: whether a debugger takes care of this one."""
    if not listens(thread):
        return False
    thread.before_user_mode(partial(_exception, thread, record, first_chance=first_chance))
    return True


async def _exception(thread: Thread, record: ExceptionRecord, *, first_chance: bool) -> None:
    """DbgkForwardException."""
    message = new_message(DBGKM_APINUMBER.DbgKmExceptionApi)
    body = DBGKM_APIMSG.offset("u")
    data = bytearray(bytes(message))
    data[body : body + 0x98] = bytes(record)
    message = DBGKM_APIMSG.parse(bytes(data))
    message.u.Exception.FirstChance = int(first_chance)
    status = await send(thread, message)
    if status not in (STATUS.DBG_EXCEPTION_NOT_HANDLED, STATUS.DEBUGGER_INACTIVE):
        return
    if thread.new_context is not None:
        # What handlers see was captured before the debugger was asked; only the debug registers are the thread's own.
        context_record.apply(thread.context, thread.new_context, DEBUG_REGISTERS)
        thread.new_context = None
    deliver(thread, record, first_chance=first_chance)


# ---------------------------------------------------------------- threads


async def thread_begins(thread: Thread) -> None:
    """The first thread announces its process and ntdll, each later one itself (DbgkCreateThread)."""
    if thread.ethread.SkipCreationMsg or not listens(thread):
        return
    process = thread.process
    if process.eprocess.CreateReported:
        await send(thread, thread_message(thread))
        return
    process.eprocess.CreateReported = 1
    message, file = process_message(process)
    await _send_image(thread, message, file)
    manager = thread.kernel[ProcessManager]
    area = manager.ntdll.area
    if isinstance(area, ImageArea) and listens(thread):
        _name_ntdll(thread)
        await _send_image(thread, *load_message(manager.ntdll_base, area, _name_pointer(thread)))


def thread_message(thread: Thread) -> DBGKM_APIMSG:
    """A thread began."""
    message = new_message(DBGKM_APINUMBER.DbgKmCreateThreadApi)
    message.u.CreateThread.StartAddress = int(thread.ethread.Win32StartAddress)
    return message


def process_message(process: Process) -> tuple[DBGKM_APIMSG, FileObject | None]:
    """A process began, and its program's file."""
    message = new_message(DBGKM_APINUMBER.DbgKmCreateProcessApi)
    body = message.u.CreateProcessInfo
    section = int(process.eprocess.SectionObject)
    if not section:
        return message, None
    area = ob.at_address(process.kernel, section).area
    body.BaseOfImage = base = int(process.eprocess.SectionBaseAddress)
    body.InitialThread.StartAddress = base + area.headers.entry_point
    _symbols(body, area)
    return message, open_image(area)


async def thread_ends(thread: Thread, status: int) -> None:
    """The last thread announces the end of its process, the others their own (DbgkExitThread, DbgkExitProcess)."""
    if thread.ethread.SkipTerminationMsg or not listens(thread):
        return
    process = thread.process
    last = all(other.ending for other in process.threads)
    number = DBGKM_APINUMBER.DbgKmExitProcessApi if last else DBGKM_APINUMBER.DbgKmExitThreadApi
    message = new_message(number)
    settled = int(process.eprocess.ExitStatus)
    message.u.ExitStatus = settled if last and settled != STATUS.PENDING else status
    await send(thread, message)


# ---------------------------------------------------------------- images


def image_mapped(process: Process, vad: Vad, area: ControlArea) -> None:
    """A thread has mapped an image into its own process (DbgkMapViewOfSection)."""
    thread = process.kernel.scheduler.current
    if thread is None or thread.process is not process or thread.ending or not listens(thread):
        return
    if isinstance(area, ImageArea):
        thread.before_user_mode(partial(_image_loaded, thread, vad.base, area))


async def _image_loaded(thread: Thread, base: int, area: ImageArea) -> None:
    await _send_image(thread, *load_message(base, area, _name_pointer(thread)))


def image_unmapped(process: Process, base: int, _area: ControlArea) -> None:
    """A thread has unmapped an image of its own process (DbgkUnMapViewOfSection)."""
    thread = process.kernel.scheduler.current
    if thread is None or thread.process is not process or thread.ending or not listens(thread):
        return
    message = new_message(DBGKM_APINUMBER.DbgKmUnloadDllApi)
    message.u.BaseAddress = base

    async def tell() -> None:
        await send(thread, message)

    thread.before_user_mode(tell)


def load_message(base: int, area: ImageArea, name: int) -> tuple[DBGKM_APIMSG, FileObject | None]:
    """An image is at `base`; `name` is where, in the process, a pointer to its name stands."""
    message = new_message(DBGKM_APINUMBER.DbgKmLoadDllApi)
    body = message.u.LoadDll
    body.BaseOfDll, body.NamePointer = base, name
    _symbols(body, area)
    return message, open_image(area)


async def _send_image(thread: Thread, message: DBGKM_APIMSG, file: FileObject | None) -> None:
    try:
        await send(thread, message, file)
    finally:
        if file is not None:
            ob.dereference(file)


def _symbols(body: DBGKM_CREATE_PROCESS | DBGKM_LOAD_DLL, area: ImageArea) -> None:
    """COFF symbols in the file, which MinGW still writes."""
    place = area.headers.nt_offset + SYMBOL_TABLE
    body.DebugInfoFileOffset, body.DebugInfoSize = struct.unpack_from("<II", area.bytes, place)


def open_image(area: ControlArea) -> FileObject | None:
    """The file of an image, opened anew for the debugger; None where it cannot be."""
    if not isinstance(area.file, FileObject):
        return None
    kernel = area.file.kernel
    try:
        return io.open_file(kernel, io.object_name(area.file), FILE_ACCESS, SHARE_ALL, options=SYNCHRONOUS)
    except NtError:
        return None  # the debugger then has no handle, as Microsoft's documentation allows


def _name_pointer(thread: Thread) -> int:
    return int(thread.tcb.Teb) + ARBITRARY_USER_POINTER


def _name_ntdll(thread: Thread) -> None:
    """The loader names what it maps; ntdll, which the kernel maps, is named in the TEB's own buffer."""
    buffer = int(thread.tcb.Teb) + TEB.offset("StaticUnicodeBuffer")
    try:
        thread.memory.write(buffer, NTDLL.encode("utf-16-le") + b"\0\0")
        thread.memory.write(_name_pointer(thread), buffer.to_bytes(8, "little"))
    except GuestFault:
        return  # no TEB to write to: the debugger then finds no name

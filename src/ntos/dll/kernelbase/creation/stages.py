"""The way through CreateProcess: validation, name, parameters, the kernel call, and what becomes of it.

A batch file or a debugger stands in for the program by beginning again with another command line.
"""

from __future__ import annotations

from ntos.abi.access import FILE_READ_ATTRIBUTES, FILE_READ_DATA, MAXIMUM_ALLOWED
from ntos.abi.layout.api import PS_CREATE_INFO
from ntos.abi.layout.win32 import PROCESS_INFORMATION
from ntos.abi.ps import (
    PROCESS_CREATE_FLAGS_BREAKAWAY,
    PROCESS_CREATE_FLAGS_INHERIT_FROM_PARENT,
    PROCESS_CREATE_FLAGS_INHERIT_HANDLES,
    PROCESS_CREATE_FLAGS_NO_DEBUG_INHERIT,
    PROCESS_CREATE_FLAGS_PROTECTED_PROCESS,
    THREAD_CREATE_FLAGS_CREATE_SUSPENDED,
)
from ntos.abi.status import NtError
from ntos.abi.win32 import (
    CREATE_BREAKAWAY_FROM_JOB,
    CREATE_PROTECTED_PROCESS,
    CREATE_SUSPENDED,
    DEBUG_ONLY_THIS_PROCESS,
    INHERIT_PARENT_AFFINITY,
)
from ntos.dll.kernelbase import subsystem
from ntos.dll.kernelbase.creation import block, lowbox, name, outcome, parameters, validate
from ntos.dll.kernelbase.creation.convert import FORCE_BREAKAWAY, FORCE_LUA
from ntos.dll.kernelbase.creation.name import Program
from ntos.dll.kernelbase.creation.native import Answer, native_list, room
from ntos.dll.kernelbase.creation.request import Request
from ntos.dll.kernelbase.objects import attributes, nt_path
from ntos.dll.kernelbase.services import free, nt, rtl
from ntos.etw import account
from ntos.um.export import dos_error
from ntos.um.thread import Frame, UserThread

BEGIN = "CreateProcessInternalW"
INIT_FLAGS, SKIP_DEBUGGER = 0x2000_0003, 4
"""PS_CREATE_INFO: write the outcome, detect a manifest, refuse files with the characteristic DLL (0x2000)."""
PROCESS_FORCE_BREAKAWAY = 0x400


def _process_flags(request: Request) -> int:
    flags = request.flags
    return (
        (PROCESS_CREATE_FLAGS_INHERIT_HANDLES if request.inherit else 0)
        | (PROCESS_CREATE_FLAGS_BREAKAWAY if flags & CREATE_BREAKAWAY_FROM_JOB else 0)
        | (PROCESS_CREATE_FLAGS_NO_DEBUG_INHERIT if flags & DEBUG_ONLY_THIS_PROCESS else 0)
        | (PROCESS_CREATE_FLAGS_PROTECTED_PROCESS if flags & CREATE_PROTECTED_PROCESS else 0)
        | (PROCESS_CREATE_FLAGS_INHERIT_FROM_PARENT if flags & INHERIT_PARENT_AFFINITY else 0)
        | (PROCESS_FORCE_BREAKAWAY if request.wishes.extended & FORCE_BREAKAWAY else 0)
    )


async def _ask_kernel(
    thread: UserThread, frame: Frame, request: Request, image: Program, child_parameters: int, answer: Answer
) -> None:
    answer.info.Size = PS_CREATE_INFO.size
    skip = request.skip_debugger or request.is_debugged
    answer.info.InitState.InitFlags = INIT_FLAGS | (SKIP_DEBUGGER if skip else 0)
    answer.info.InitState.AdditionalFileAccess = FILE_READ_ATTRIBUTES | FILE_READ_DATA
    listing = await native_list(thread, frame, request, image, answer)
    await nt.NtCreateUserProcess(
        thread,
        answer.process.address,
        answer.thread.address,
        MAXIMUM_ALLOWED,
        MAXIMUM_ALLOWED,
        attributes(frame, flags=0, security=request.process_security),
        attributes(frame, flags=0, security=request.thread_security),
        _process_flags(request),
        THREAD_CREATE_FLAGS_CREATE_SUSPENDED,
        child_parameters,
        answer.info.address,
        listing,
    )


async def _finish(thread: UserThread, request: Request, answer: Answer, result: PROCESS_INFORMATION) -> None:
    """Checks after success, the answer, and the start of the first thread."""
    process, first = int(answer.process.read()), int(answer.thread.read())
    for handle in (int(answer.info.SuccessState.FileHandle), int(answer.info.SuccessState.SectionHandle)):
        if handle:
            await nt.NtClose(thread, handle)
    account.step(thread.log, 5, "CreateProcessInternalW: checks", int(answer.client.UniqueProcess))
    error = outcome.image_error(thread, answer.image)
    settled = request.elevation_settled or request.wishes.extended & FORCE_LUA
    unchecked = settled or request.is_batch or request.wishes.capabilities
    if error is None and not unchecked:
        error = await outcome.elevation_error(thread, process, answer.info)
    if error is not None:
        await outcome.discard(thread, process, first, error)
        raise error
    client = int(answer.client.UniqueProcess), int(answer.client.UniqueThread)
    try:
        account.step(thread.log, 5, "CreateProcessInternalW: CsrClientCallServer", client[0])
        peb = int(answer.info.SuccessState.PebAddressNative)
        await subsystem.announce_process(thread, (process, first), client, request.flags, peb)
    except NtError as refusal:
        await outcome.discard(thread, process, first, refusal)
        raise
    result.hProcess, result.hThread = process, first
    result.dwProcessId, result.dwThreadId = client
    if not request.flags & CREATE_SUSPENDED:
        account.step(thread.log, 6, "NtResumeThread", int(answer.client.UniqueProcess))
        await nt.NtResumeThread(thread, first, 0)


async def create_process(thread: UserThread, request: Request, result: PROCESS_INFORMATION) -> None:
    """CreateProcessInternalW."""
    account.step(
        thread.log, 1, BEGIN, lpApplicationName=request.application, lpCommandLine=request.command_line,
        bInheritHandles=request.inherit, dwCreationFlags=request.flags, lpCurrentDirectory=request.directory,
    )  # fmt: skip
    with account.ending(thread.log, BEGIN, dos_error) as told:
        result.clear()
        validate.check(request)
        try:
            await validate.convert(thread, request)
            await lowbox.enter(thread, request)
            while not await _attempt(thread, request, result):
                validate.check(request)
        finally:
            await validate.give_back(thread, request)
            await lowbox.leave(thread, request)
        told.subject = int(result.dwProcessId)


async def _attempt(thread: UserThread, request: Request, result: PROCESS_INFORMATION) -> bool:
    """One way through all stages; False where the request now names another program to begin again with."""
    account.step(thread.log, 1, "BasepGetExeName", directory=request.directory)
    directory = await block.directory_of(thread, request)
    image = await name.resolve(thread, request.application, request.command_line)
    image.nt_path = nt_path(thread, image.path)
    account.step(thread.log, 1, "BasepCreateProcessParameters", path=image.path, nt_path=image.nt_path)
    environment = await block.environment_of(thread, request)
    child_parameters = 0
    try:
        with thread.frame() as frame:
            child_parameters = await parameters.build_parameters(thread, frame, request, image, directory, environment)
            account.made(
                thread.log, "structure", "the child's parameters, in the creator's heap", child_parameters,
                None, structure="RTL_USER_PROCESS_PARAMETERS",
            )  # fmt: skip
            answer = room(frame)
            try:
                await _ask_kernel(thread, frame, request, image, child_parameters, answer)
            except NtError as error:
                if not await _another(thread, request, image, answer, error):
                    raise outcome.mapped(error, image, answer.info) from error
                return False
            await _finish(thread, request, answer, result)
            return True
    finally:
        if child_parameters:
            await rtl(thread, "RtlDestroyProcessParameters", child_parameters)
        if environment:
            await free(thread, environment)


async def _another(
    thread: UserThread, request: Request, image: Program, answer: Answer, error: NtError
) -> bool:
    """Whether another program is to run in place of the one that could not."""
    batch = outcome.batch_line(thread, image, error)
    if batch is not None:
        account.decided(thread.log, "a batch file runs in the command processor", batch, {"path": image.path})
        request.application, request.command_line, request.is_batch = None, batch, True
        return True
    debugger = await outcome.debugger_of(thread, answer.info)
    if debugger is None:
        return False
    rule = "Image File Execution Options name a debugger: it runs in the program's place"
    account.decided(thread.log, rule, debugger or "its value is empty: begin again without", {"path": image.path})
    if debugger:
        request.application, request.command_line = None, f"{debugger} {image.command_line}"
    request.skip_debugger = not debugger
    return True

"""Processes made from ntdll: RtlCreateUserProcess starts any image, native ones too, without Win32's part in it."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ntos.abi.layout.api import PS_CREATE_INFO, RTL_USER_PROCESS_INFORMATION
from ntos.abi.layout.section import SECTION_IMAGE_INFORMATION
from ntos.abi.layout.string import CLIENT_ID, UNICODE_STRING
from ntos.abi.pointer import In, Ptr
from ntos.abi.status import STATUS, NtError
from ntos.abi.struct import Struct, at
from ntos.abi.types import BOOLEAN, HANDLE, NTSTATUS, PVOID, ULONG, USHORT
from ntos.dll.ntdll.guest import settle
from ntos.um import nt
from ntos.um.export import export

if TYPE_CHECKING:
    from ntos.um.thread import Frame, UserThread

VERSION = 1
MAXIMUM_ALLOWED = 0x0200_0000
CREATE_SUSPENDED = 1
INHERIT_HANDLES = 4
CLONE_SUSPENDED, CLONE_INHERIT_HANDLES, CLONE_NO_SYNCHRONIZE = 1, 2, 4
CLONE_FLAGS = CLONE_SUSPENDED | CLONE_INHERIT_HANDLES | CLONE_NO_SYNCHRONIZE
WRITE_OUTPUT_SKIP_DEBUGGER = 5

PS_CLIENT_ID, PS_IMAGE_NAME, PS_IMAGE_INFO = 0x10003, 0x20005, 6
PS_PARENT, PS_DEBUG_OBJECT, PS_TOKEN, PS_JOB_LIST = 0x60000, 0x60001, 0x60002, 0x20013


class RTL_USER_PROCESS_EXTENDED_PARAMETERS(Struct, size=0x38):
    """What RtlCreateUserProcessEx takes besides the program (phnt, ntrtl.h)."""

    Version                   = at(0x00, USHORT)
    NodeNumber                = at(0x02, USHORT)
    ProcessSecurityDescriptor = at(0x08, PVOID)
    ThreadSecurityDescriptor  = at(0x10, PVOID)
    ParentProcess             = at(0x18, HANDLE)
    DebugPort                 = at(0x20, HANDLE)
    TokenHandle               = at(0x28, HANDLE)
    JobHandle                 = at(0x30, HANDLE)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Who and what the new process is to have."""

    process_security: int = 0
    thread_security: int = 0
    parent: int = 0
    debug_port: int = 0
    token: int = 0
    job: int = 0


@export
async def RtlCreateUserProcess(
    thread: UserThread,
    NtImagePathName: In[UNICODE_STRING],
    ExtendedParameters: ULONG,
    ProcessParameters: PVOID,
    ProcessSecurityDescriptor: PVOID,
    ThreadSecurityDescriptor: PVOID,
    ParentProcess: HANDLE,
    InheritHandles: BOOLEAN,
    DebugPort: HANDLE,
    TokenHandle: HANDLE,
    ProcessInformation: Ptr[RTL_USER_PROCESS_INFORMATION],
) -> NTSTATUS:
    """A process of an image by its native path, its first thread suspended."""
    wanted = Wanted(
        ProcessSecurityDescriptor, ThreadSecurityDescriptor, ParentProcess, DebugPort, TokenHandle
    )
    return await _create(thread, NtImagePathName, ProcessParameters, bool(InheritHandles), wanted, ProcessInformation)


@export
async def RtlCreateUserProcessEx(
    thread: UserThread,
    NtImagePathName: In[UNICODE_STRING],
    ProcessParameters: PVOID,
    InheritHandles: BOOLEAN,
    ProcessExtendedParameters: In[RTL_USER_PROCESS_EXTENDED_PARAMETERS] | None,
    ProcessInformation: Ptr[RTL_USER_PROCESS_INFORMATION],
) -> NTSTATUS:
    """The same, with what is rarely given in a structure."""
    wanted, given = Wanted(), ProcessExtendedParameters
    if given is not None:
        if int(given.Version) != VERSION:
            raise NtError(STATUS.INVALID_PARAMETER)
        wanted = Wanted(
            int(given.ProcessSecurityDescriptor), int(given.ThreadSecurityDescriptor), int(given.ParentProcess),
            int(given.DebugPort), int(given.TokenHandle), int(given.JobHandle),
        )  # fmt: skip
    return await _create(thread, NtImagePathName, ProcessParameters, bool(InheritHandles), wanted, ProcessInformation)


@export(partial="locks that other threads hold stay held in the child; thread-local state of Python DLLs stays behind")
async def RtlCloneUserProcess(
    thread: UserThread,
    ProcessFlags: ULONG,
    ProcessSecurityDescriptor: PVOID,
    ThreadSecurityDescriptor: PVOID,
    DebugPort: HANDLE,
    ProcessInformation: Ptr[RTL_USER_PROCESS_INFORMATION],
) -> NTSTATUS:
    """Fork: the caller gets SUCCESS, and a copy of it, which begins by returning from here, PROCESS_CLONED."""
    if ProcessFlags & ~CLONE_FLAGS:
        raise NtError(STATUS.INVALID_PARAMETER)
    view = ProcessInformation.read()
    view.clear()
    view.Length = RTL_USER_PROCESS_INFORMATION.size
    wanted = Wanted(ProcessSecurityDescriptor, ThreadSecurityDescriptor, debug_port=DebugPort)
    inherit = bool(ProcessFlags & CLONE_INHERIT_HANDLES)
    await _call(thread, view, inherit, ProcessFlags & CLONE_SUSPENDED, 0, wanted, None)
    return STATUS.SUCCESS


async def _create(
    thread: UserThread,
    image: UNICODE_STRING,
    parameters: int,
    inherit: bool,
    wanted: Wanted,
    answer: Ptr[RTL_USER_PROCESS_INFORMATION],
) -> NTSTATUS:
    view = answer.read()
    view.clear()
    view.Length = RTL_USER_PROCESS_INFORMATION.size
    await _call(thread, view, inherit, CREATE_SUSPENDED, parameters, wanted, image)
    return STATUS.SUCCESS


async def _call(
    thread: UserThread,
    view: RTL_USER_PROCESS_INFORMATION,
    inherit: bool,
    thread_flags: int,
    parameters: int,
    wanted: Wanted,
    image: UNICODE_STRING | None,
) -> None:
    with thread.frame() as frame:
        info: PS_CREATE_INFO = frame.new(PS_CREATE_INFO)
        info.Size = PS_CREATE_INFO.size
        info.InitState.InitFlags = WRITE_OUTPUT_SKIP_DEBUGGER
        process, first = frame.new(HANDLE), frame.new(HANDLE)
        call = nt.NtCreateUserProcess(
            thread, process.address, first.address, MAXIMUM_ALLOWED, MAXIMUM_ALLOWED,
            _attributes(frame, wanted.process_security), _attributes(frame, wanted.thread_security),
            INHERIT_HANDLES if inherit else 0, thread_flags, parameters, info.address,
            _list(frame, image, view, wanted),
        )  # fmt: skip
        await settle(call)
        view.ProcessHandle, view.ThreadHandle = process.read(), first.read()
        for handle in (int(info.SuccessState.FileHandle), int(info.SuccessState.SectionHandle)):
            if handle:
                await settle(nt.NtClose(thread, handle))


def _attributes(frame: Frame, descriptor: int) -> int:
    return frame.bytes(struct.pack("<I4xQQI4xQQ", 0x30, 0, 0, 0, descriptor, 0))


def _list(frame: Frame, image: UNICODE_STRING | None, view: RTL_USER_PROCESS_INFORMATION, wanted: Wanted) -> int:
    """PS_ATTRIBUTE_LIST: the image, the answers, and what of `wanted` is given."""
    entries = [] if image is None else [(PS_IMAGE_NAME, int(image.Length), int(image.Buffer))]
    entries += [
        (PS_CLIENT_ID, CLIENT_ID.size, view.ClientId.address),
        (PS_IMAGE_INFO, SECTION_IMAGE_INFORMATION.size, view.ImageInformation.address),
    ]
    for number, handle in ((PS_PARENT, wanted.parent), (PS_DEBUG_OBJECT, wanted.debug_port), (PS_TOKEN, wanted.token)):
        if handle:
            entries.append((number, 8, handle))
    if wanted.job:
        entries.append((PS_JOB_LIST, 8, frame.bytes(struct.pack("<Q", wanted.job))))
    body = b"".join(struct.pack("<4Q", *entry, 0) for entry in entries)
    return frame.bytes(struct.pack("<Q", len(body) + 8) + body)

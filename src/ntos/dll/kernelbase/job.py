"""Job objects (jobapi.h, jobapi2.h)."""

from __future__ import annotations

from ntos.abi.access import JOB_OBJECT_ALL_ACCESS
from ntos.abi.errors import ERROR
from ntos.abi.layout.win32 import SECURITY_ATTRIBUTES
from ntos.abi.ob import CURRENT_PROCESS
from ntos.abi.pointer import Out, Ptr
from ntos.abi.status import STATUS
from ntos.abi.types import BOOL, DWORD, HANDLE, PVOID, UINT, WCHAR
from ntos.dll.kernelbase.objects import named, new_handle, note_existing
from ntos.dll.kernelbase.services import nt
from ntos.dll.kernelbase.text import export_both, optional_text
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread


@export_both()
async def CreateJobObjectW(
    thread: UserThread, lpJobAttributes: Ptr[SECURITY_ATTRIBUTES] | None, lpName: Ptr[WCHAR]
) -> HANDLE:
    """Create a job, or open the one of that name."""
    with thread.frame() as frame:
        handle = new_handle(frame)
        where = named(thread, frame, optional_text(lpName), lpJobAttributes, create=True)
        note_existing(thread, await nt.NtCreateJobObject(thread, handle.address, JOB_OBJECT_ALL_ACCESS, where))
        return HANDLE(handle.read())


@export_both()
async def OpenJobObjectW(
    thread: UserThread, dwDesiredAccess: DWORD, bInheritHandle: BOOL, lpName: Ptr[WCHAR]
) -> HANDLE:
    """A handle to a job by name."""
    if not lpName:
        raise WinError(ERROR.INVALID_PARAMETER)
    with thread.frame() as frame:
        handle = new_handle(frame)
        where = named(thread, frame, optional_text(lpName), inherit=bool(bInheritHandle))
        await nt.NtOpenJobObject(thread, handle.address, dwDesiredAccess, where)
        return HANDLE(handle.read())


@export
async def AssignProcessToJobObject(thread: UserThread, hJob: HANDLE, hProcess: HANDLE) -> BOOL:
    """Put a process into a job."""
    await nt.NtAssignProcessToJobObject(thread, hJob, hProcess)
    return BOOL(1)


@export
async def TerminateJobObject(thread: UserThread, hJob: HANDLE, uExitCode: UINT) -> BOOL:
    """End all processes of a job."""
    await nt.NtTerminateJobObject(thread, hJob, uExitCode)
    return BOOL(1)


@export
async def SetInformationJobObject(
    thread: UserThread, hJob: HANDLE, JobObjectInformationClass: DWORD, lpJobObjectInformation: PVOID, cbLength: DWORD
) -> BOOL:
    """Limits of a job, and where its messages go."""
    await nt.NtSetInformationJobObject(thread, hJob, JobObjectInformationClass, lpJobObjectInformation, cbLength)
    return BOOL(1)


@export
async def QueryInformationJobObject(
    thread: UserThread,
    hJob: HANDLE,
    JobObjectInformationClass: DWORD,
    lpJobObjectInformation: PVOID,
    cbLength: DWORD,
    lpReturnLength: Ptr[DWORD] | None,
) -> BOOL:
    """What a job is limited to and has used; NULL asks for the caller's own."""
    place = lpReturnLength.address if lpReturnLength else 0
    status = await nt.NtQueryInformationJobObject(
        thread, hJob, JobObjectInformationClass, lpJobObjectInformation, cbLength, place
    )
    if status == STATUS.BUFFER_OVERFLOW:  # a warning, but not all there is
        raise WinError(ERROR.MORE_DATA)
    return BOOL(1)


@export
async def IsProcessInJob(thread: UserThread, ProcessHandle: HANDLE, JobHandle: HANDLE, Result: Out[BOOL]) -> BOOL:
    """Whether a process is in a job, or in any."""
    status = await nt.NtIsProcessInJob(thread, ProcessHandle or CURRENT_PROCESS, JobHandle)
    Result.write(int(status == STATUS.PROCESS_IN_JOB))
    return BOOL(1)

"""Handles of any kind (handleapi.h)."""

from __future__ import annotations

from ntos.abi.errors import ERROR
from ntos.abi.layout.api import OBJECT_HANDLE_FLAG_INFORMATION
from ntos.abi.layout.enums import OBJECT_INFORMATION_CLASS
from ntos.abi.ob import (
    DUPLICATE_SAME_ACCESS,
    HANDLE_FLAG_INHERIT,
    HANDLE_FLAG_PROTECT_FROM_CLOSE,
    OBJ_INHERIT,
)
from ntos.abi.pointer import Ptr
from ntos.abi.types import BOOL, BOOLEAN, DWORD, HANDLE
from ntos.dll.kernelbase.objects import real_handle
from ntos.dll.kernelbase.services import nt
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread

HANDLE_FLAGS = OBJECT_INFORMATION_CLASS.ObjectHandleFlagInformation


@export
async def CloseHandle(thread: UserThread, hObject: HANDLE) -> BOOL:
    """Give a handle back."""
    await nt.NtClose(thread, real_handle(thread, hObject))
    return BOOL(1)


@export
async def DuplicateHandle(
    thread: UserThread,
    hSourceProcessHandle: HANDLE,
    hSourceHandle: HANDLE,
    hTargetProcessHandle: HANDLE,
    lpTargetHandle: Ptr[HANDLE] | None,
    dwDesiredAccess: DWORD,
    bInheritHandle: BOOL,
    dwOptions: DWORD,
) -> BOOL:
    """Another handle to the same object, in the same or another process."""
    source = real_handle(thread, hSourceHandle)
    target = lpTargetHandle.address if lpTargetHandle else 0
    await nt.NtDuplicateObject(
        thread,
        hSourceProcessHandle,
        source,
        hTargetProcessHandle,
        target,
        0 if dwOptions & DUPLICATE_SAME_ACCESS else dwDesiredAccess,
        OBJ_INHERIT if bInheritHandle else 0,
        dwOptions,
    )
    return BOOL(1)


@export
async def GetHandleInformation(thread: UserThread, hObject: HANDLE, lpdwFlags: Ptr[DWORD]) -> BOOL:
    """Whether a handle is inherited, and protected from closing."""
    with thread.frame() as frame:
        view: OBJECT_HANDLE_FLAG_INFORMATION = frame.new(OBJECT_HANDLE_FLAG_INFORMATION)
        handle = real_handle(thread, hObject)
        await nt.NtQueryObject(thread, handle, HANDLE_FLAGS, view.address, view.size, 0)
        inherit = HANDLE_FLAG_INHERIT if view.Inherit else 0
        lpdwFlags.write(inherit | (HANDLE_FLAG_PROTECT_FROM_CLOSE if view.ProtectFromClose else 0))
    return BOOL(1)


@export
async def SetHandleInformation(thread: UserThread, hObject: HANDLE, dwMask: DWORD, dwFlags: DWORD) -> BOOL:
    """Change a handle's inheritance or protection."""
    if dwMask & ~3:
        raise WinError(ERROR.INVALID_PARAMETER)
    handle = real_handle(thread, hObject)
    with thread.frame() as frame:
        view: OBJECT_HANDLE_FLAG_INFORMATION = frame.new(OBJECT_HANDLE_FLAG_INFORMATION)
        await nt.NtQueryObject(thread, handle, HANDLE_FLAGS, view.address, view.size, 0)
        if dwMask & HANDLE_FLAG_INHERIT:
            view.Inherit = BOOLEAN(dwFlags & HANDLE_FLAG_INHERIT != 0)
        if dwMask & HANDLE_FLAG_PROTECT_FROM_CLOSE:
            view.ProtectFromClose = BOOLEAN(dwFlags & HANDLE_FLAG_PROTECT_FROM_CLOSE != 0)
        await nt.NtSetInformationObject(thread, handle, HANDLE_FLAGS, view.address, view.size)
    return BOOL(1)


@export
async def CompareObjectHandles(thread: UserThread, hFirstObjectHandle: HANDLE, hSecondObjectHandle: HANDLE) -> BOOL:
    """Whether two handles lead to one object."""
    await nt.NtCompareObjects(thread, hFirstObjectHandle, hSecondObjectHandle)
    return BOOL(1)

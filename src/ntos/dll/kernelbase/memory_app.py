"""The `…FromApp` forms of the memory functions: those a store app may use, which give no executable memory."""

from __future__ import annotations

from ntos.abi.errors import ERROR
from ntos.abi.layout.win32 import SECURITY_ATTRIBUTES
from ntos.abi.pointer import Ptr
from ntos.abi.types import BOOL, DWORD, HANDLE, PVOID, SIZE_T, ULONG, ULONGLONG, WCHAR
from ntos.dll.kernelbase import memory
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread

EXECUTABLE = 0xF0
"""The PAGE_EXECUTE… protections."""


def _refuse_executable(protection: int) -> None:
    if protection & EXECUTABLE:
        raise WinError(ERROR.INVALID_PARAMETER)


@export
async def VirtualAllocFromApp(
    thread: UserThread, BaseAddress: PVOID, Size: SIZE_T, AllocationType: ULONG, Protection: ULONG
) -> PVOID:
    """VirtualAlloc without executable pages."""
    _refuse_executable(Protection)
    return await memory.VirtualAlloc(thread, BaseAddress, Size, DWORD(AllocationType), DWORD(Protection))


@export(partial="MEM_EXTENDED_PARAMETER is left to the kernel service")
async def VirtualAlloc2FromApp(
    thread: UserThread,
    Process: HANDLE,
    BaseAddress: PVOID,
    Size: SIZE_T,
    AllocationType: ULONG,
    PageProtection: ULONG,
    ExtendedParameters: PVOID,
    ParameterCount: ULONG,
) -> PVOID:
    """VirtualAlloc2 without executable pages."""
    _refuse_executable(PageProtection)
    return await memory.VirtualAlloc2(
        thread, Process, BaseAddress, Size, AllocationType, PageProtection, ExtendedParameters, ParameterCount
    )


@export
async def VirtualProtectFromApp(
    thread: UserThread, Address: PVOID, Size: SIZE_T, NewProtection: ULONG, OldProtection: Ptr[DWORD]
) -> BOOL:
    """VirtualProtect without executable pages."""
    _refuse_executable(NewProtection)
    return await memory.VirtualProtect(thread, Address, Size, DWORD(NewProtection), OldProtection)


@export
async def CreateFileMappingFromApp(
    thread: UserThread,
    hFile: HANDLE,
    SecurityAttributes: Ptr[SECURITY_ATTRIBUTES] | None,
    PageProtection: ULONG,
    MaximumSize: ULONGLONG,
    Name: Ptr[WCHAR],
) -> HANDLE:
    """CreateFileMapping with the size in one piece."""
    high, low = DWORD(MaximumSize >> 32), DWORD(MaximumSize & 0xFFFF_FFFF)
    return await memory.CreateFileMappingW(thread, hFile, SecurityAttributes, DWORD(PageProtection), high, low, Name)


@export
async def OpenFileMappingFromApp(
    thread: UserThread, DesiredAccess: ULONG, InheritHandle: BOOL, Name: Ptr[WCHAR]
) -> HANDLE:
    """OpenFileMapping."""
    return await memory.OpenFileMappingW(thread, DWORD(DesiredAccess), InheritHandle, Name)


@export
async def MapViewOfFileFromApp(
    thread: UserThread,
    hFileMappingObject: HANDLE,
    DesiredAccess: ULONG,
    FileOffset: ULONGLONG,
    NumberOfBytesToMap: SIZE_T,
) -> PVOID:
    """MapViewOfFile with the offset in one piece."""
    high, low = DWORD(FileOffset >> 32), DWORD(FileOffset & 0xFFFF_FFFF)
    return await memory.MapViewOfFile(thread, hFileMappingObject, DWORD(DesiredAccess), high, low, NumberOfBytesToMap)


@export
async def MapViewOfFile3FromApp(
    thread: UserThread,
    FileMapping: HANDLE,
    Process: HANDLE,
    BaseAddress: PVOID,
    Offset: ULONGLONG,
    ViewSize: SIZE_T,
    AllocationType: ULONG,
    PageProtection: ULONG,
    ExtendedParameters: PVOID,
    ParameterCount: ULONG,
) -> PVOID:
    """MapViewOfFile3 without executable pages."""
    _refuse_executable(PageProtection)
    return await memory.MapViewOfFile3(
        thread, FileMapping, Process, BaseAddress, Offset, ViewSize, AllocationType, PageProtection,
        ExtendedParameters, ParameterCount,
    )  # fmt: skip

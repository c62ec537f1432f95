"""The security of objects, files and registry keys (securitybaseapi.h)."""

from __future__ import annotations

from ntos.abi.access import ACCESS_SYSTEM_SECURITY, READ_CONTROL, WRITE_DAC, WRITE_OWNER
from ntos.abi.errors import ERROR
from ntos.abi.io import FILE_SHARE_DELETE, FILE_SHARE_READ, FILE_SHARE_WRITE
from ntos.abi.pointer import Ptr
from ntos.abi.se import (
    DACL_SECURITY_INFORMATION,
    GROUP_SECURITY_INFORMATION,
    LABEL_SECURITY_INFORMATION,
    OWNER_SECURITY_INFORMATION,
    SACL_SECURITY_INFORMATION,
)
from ntos.abi.types import BOOL, DWORD, HANDLE, LSTATUS, PVOID, WCHAR
from ntos.dll.kernelbase.objects import attributes, new_handle, new_status, nt_path
from ntos.dll.kernelbase.registry import key_handle
from ntos.dll.kernelbase.services import nt
from ntos.dll.kernelbase.text import text_of
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread

SHARE_ALL = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE
FILE_OPEN_FOR_BACKUP_INTENT = 0x4000


def query_rights(information: int) -> int:
    """The access that reading these parts takes."""
    read = OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION
    read |= LABEL_SECURITY_INFORMATION
    rights = READ_CONTROL if information & read else 0
    return rights | (ACCESS_SYSTEM_SECURITY if information & SACL_SECURITY_INFORMATION else 0)


def set_rights(information: int) -> int:
    """The access that changing these parts takes."""
    owner = OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION | LABEL_SECURITY_INFORMATION
    rights = WRITE_OWNER if information & owner else 0
    rights |= WRITE_DAC if information & (DACL_SECURITY_INFORMATION | 0xA000_0000) else 0
    return rights | (ACCESS_SYSTEM_SECURITY if information & (SACL_SECURITY_INFORMATION | 0x5000_0000) else 0)


@export
async def GetKernelObjectSecurity(
    thread: UserThread,
    Handle: HANDLE,
    RequestedInformation: DWORD,
    pSecurityDescriptor: PVOID,
    nLength: DWORD,
    lpnLengthNeeded: Ptr[DWORD],
) -> BOOL:
    """Parts of an object's descriptor, in one piece."""
    await nt.NtQuerySecurityObject(
        thread, Handle, RequestedInformation, pSecurityDescriptor, nLength, lpnLengthNeeded.address
    )
    return BOOL(1)


@export
async def SetKernelObjectSecurity(
    thread: UserThread, Handle: HANDLE, SecurityInformation: DWORD, SecurityDescriptor: PVOID
) -> BOOL:
    """Change parts of an object's descriptor."""
    await nt.NtSetSecurityObject(thread, Handle, SecurityInformation, SecurityDescriptor)
    return BOOL(1)


async def open_file(thread: UserThread, path: str, access: int) -> int:
    """A handle to a file or directory, for its security alone."""
    with thread.frame() as frame:
        place = new_handle(frame)
        where = attributes(frame, nt_path(thread, path))
        status = new_status(frame).address
        await nt.NtOpenFile(thread, place.address, access, where, status, SHARE_ALL, FILE_OPEN_FOR_BACKUP_INTENT)
        return int(place.read())


@export
async def GetFileSecurityW(
    thread: UserThread,
    lpFileName: Ptr[WCHAR],
    RequestedInformation: DWORD,
    pSecurityDescriptor: PVOID,
    nLength: DWORD,
    lpnLengthNeeded: Ptr[DWORD],
) -> BOOL:
    """Parts of a file's descriptor, in one piece."""
    handle = await open_file(thread, text_of(lpFileName), query_rights(RequestedInformation))
    try:
        await nt.NtQuerySecurityObject(
            thread, handle, RequestedInformation, pSecurityDescriptor, nLength, lpnLengthNeeded.address
        )
    finally:
        await nt.NtClose(thread, handle)
    return BOOL(1)


@export
async def SetFileSecurityW(
    thread: UserThread, lpFileName: Ptr[WCHAR], SecurityInformation: DWORD, pSecurityDescriptor: PVOID
) -> BOOL:
    """Change parts of a file's descriptor."""
    if not pSecurityDescriptor:
        raise WinError(ERROR.INVALID_PARAMETER)
    handle = await open_file(thread, text_of(lpFileName), set_rights(SecurityInformation))
    try:
        await nt.NtSetSecurityObject(thread, handle, SecurityInformation, pSecurityDescriptor)
    finally:
        await nt.NtClose(thread, handle)
    return BOOL(1)


@export
async def RegGetKeySecurity(
    thread: UserThread,
    hKey: HANDLE,
    SecurityInformation: DWORD,
    pSecurityDescriptor: PVOID,
    lpcbSecurityDescriptor: Ptr[DWORD],
) -> LSTATUS:
    """Parts of a key's descriptor."""
    key = await key_handle(thread, hKey)
    room = int(lpcbSecurityDescriptor.read())
    await nt.NtQuerySecurityObject(
        thread, key, SecurityInformation, pSecurityDescriptor, room, lpcbSecurityDescriptor.address
    )
    return LSTATUS(ERROR.SUCCESS)


@export
async def RegSetKeySecurity(
    thread: UserThread, hKey: HANDLE, SecurityInformation: DWORD, pSecurityDescriptor: PVOID
) -> LSTATUS:
    """Change parts of a key's descriptor."""
    await nt.NtSetSecurityObject(thread, await key_handle(thread, hKey), SecurityInformation, pSecurityDescriptor)
    return LSTATUS(ERROR.SUCCESS)

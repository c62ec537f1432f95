"""Drives and volumes (fileapi.h)."""

from __future__ import annotations

from ntos.abi.access import FILE_READ_ATTRIBUTES
from ntos.abi.errors import ERROR
from ntos.abi.io import FILE_REMOTE_DEVICE, FILE_REMOVABLE_MEDIA, FS_INFORMATION_CLASS
from ntos.abi.layout.file_info import (
    FILE_FS_ATTRIBUTE_INFORMATION,
    FILE_FS_DEVICE_INFORMATION,
    FILE_FS_FULL_SIZE_INFORMATION,
    FILE_FS_SIZE_INFORMATION,
    FILE_FS_VOLUME_INFORMATION,
)
from ntos.abi.pointer import Out, Ptr
from ntos.abi.status import NtError
from ntos.abi.types import BOOL, DWORD, HANDLE, UINT, ULARGE_INTEGER, WCHAR
from ntos.abi.win32 import (
    DRIVE_CDROM,
    DRIVE_FIXED,
    DRIVE_NO_ROOT_DIR,
    DRIVE_REMOTE,
    DRIVE_REMOVABLE,
    DRIVE_UNKNOWN,
)
from ntos.dll.kernelbase.file import open_path
from ntos.dll.kernelbase.file_handle import query_volume
from ntos.dll.kernelbase.objects import current_directory, full_path
from ntos.dll.kernelbase.services import nt
from ntos.dll.kernelbase.text import export_both, put_text, text_of
from ntos.dll.kernelbase.volume_names import LETTERS, drive_target, drives, link_target
from ntos.rtl.text import from_utf16
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread

ROOM = 0x200
DEVICE_CD_ROM, DEVICE_CD_ROM_FILE_SYSTEM, DEVICE_DISK, DEVICE_DISK_FILE_SYSTEM = 2, 3, 7, 8
DEVICE_NETWORK = 0x14


def root_of(thread: UserThread, path: str) -> str:
    """The root a caller's path names; the current directory's for none."""
    if not path:
        return current_directory(thread)[:3]
    return path if path.endswith("\\") else path + "\\"


async def _query(thread: UserThread, root: str, kind: int) -> bytes:
    handle = await open_path(thread, root, FILE_READ_ATTRIBUTES, 0)
    try:
        return await query_volume(thread, handle, kind, ROOM)
    finally:
        await nt.NtClose(thread, handle)


@export_both()
async def GetDriveTypeW(thread: UserThread, lpRootPathName: Ptr[WCHAR]) -> UINT:
    """Fixed, removable, remote… by the device behind a root."""
    root = root_of(thread, text_of(lpRootPathName))
    try:
        data = await _query(thread, root, FS_INFORMATION_CLASS.FileFsDeviceInformation)
    except NtError:
        return UINT(DRIVE_NO_ROOT_DIR)
    view = FILE_FS_DEVICE_INFORMATION.parse(data)
    device, traits = int(view.DeviceType), int(view.Characteristics)
    if traits & FILE_REMOTE_DEVICE or device == DEVICE_NETWORK:
        return UINT(DRIVE_REMOTE)
    if device in (DEVICE_CD_ROM, DEVICE_CD_ROM_FILE_SYSTEM):
        return UINT(DRIVE_CDROM)
    if device not in (DEVICE_DISK, DEVICE_DISK_FILE_SYSTEM):
        return UINT(DRIVE_UNKNOWN)
    return UINT(DRIVE_REMOVABLE if traits & FILE_REMOVABLE_MEDIA else DRIVE_FIXED)


@export
async def GetLogicalDrives(thread: UserThread) -> DWORD:
    """One bit for each drive letter there is."""
    return DWORD(sum(1 << LETTERS.index(letter) for letter in await drives(thread)))


@export_both()
async def GetLogicalDriveStringsW(thread: UserThread, nBufferLength: DWORD, lpBuffer: Ptr[WCHAR]) -> DWORD:
    """The roots of all drives, each with a NUL behind it."""
    return DWORD(put_text(lpBuffer, nBufferLength, "".join(f"{letter}:\\\0" for letter in await drives(thread))))


async def _volume_information(
    thread: UserThread,
    handle: int,
    name: tuple[Ptr[WCHAR], int],
    numbers: tuple[Out[DWORD] | None, Out[DWORD] | None, Out[DWORD] | None],
    system: tuple[Ptr[WCHAR], int],
) -> BOOL:
    label, label_room = name
    serial, longest, flags = numbers
    data = await query_volume(thread, handle, FS_INFORMATION_CLASS.FileFsVolumeInformation, ROOM)
    volume = FILE_FS_VOLUME_INFORMATION.parse(data)
    text = from_utf16(data[0x12 : 0x12 + int(volume.VolumeLabelLength)])
    more = await query_volume(thread, handle, FS_INFORMATION_CLASS.FileFsAttributeInformation, ROOM)
    about = FILE_FS_ATTRIBUTE_INFORMATION.parse(more)
    kind = from_utf16(more[0xC : 0xC + int(about.FileSystemNameLength)])
    for place, room, value in ((label, label_room, text), (*system, kind)):
        if place and put_text(place, room, value) >= room:
            raise WinError(ERROR.MORE_DATA)
    for out, number in (
        (serial, volume.VolumeSerialNumber),
        (longest, about.MaximumComponentNameLength),
        (flags, about.FileSystemAttributes),
    ):
        if out is not None:
            out.write(number)
    return BOOL(1)


@export_both()
async def GetVolumeInformationW(
    thread: UserThread,
    lpRootPathName: Ptr[WCHAR],
    lpVolumeNameBuffer: Ptr[WCHAR],
    nVolumeNameSize: DWORD,
    lpVolumeSerialNumber: Out[DWORD] | None,
    lpMaximumComponentLength: Out[DWORD] | None,
    lpFileSystemFlags: Out[DWORD] | None,
    lpFileSystemNameBuffer: Ptr[WCHAR],
    nFileSystemNameSize: DWORD,
) -> BOOL:
    """Label, serial number and file system of a volume."""
    handle = await open_path(thread, root_of(thread, text_of(lpRootPathName)), FILE_READ_ATTRIBUTES, 0)
    try:
        return await _volume_information(
            thread,
            handle,
            (lpVolumeNameBuffer, nVolumeNameSize),
            (lpVolumeSerialNumber, lpMaximumComponentLength, lpFileSystemFlags),
            (lpFileSystemNameBuffer, nFileSystemNameSize),
        )
    finally:
        await nt.NtClose(thread, handle)


@export
async def GetVolumeInformationByHandleW(
    thread: UserThread,
    hFile: HANDLE,
    lpVolumeNameBuffer: Ptr[WCHAR],
    nVolumeNameSize: DWORD,
    lpVolumeSerialNumber: Out[DWORD] | None,
    lpMaximumComponentLength: Out[DWORD] | None,
    lpFileSystemFlags: Out[DWORD] | None,
    lpFileSystemNameBuffer: Ptr[WCHAR],
    nFileSystemNameSize: DWORD,
) -> BOOL:
    """The same for the volume an open file is on."""
    return await _volume_information(
        thread,
        hFile,
        (lpVolumeNameBuffer, nVolumeNameSize),
        (lpVolumeSerialNumber, lpMaximumComponentLength, lpFileSystemFlags),
        (lpFileSystemNameBuffer, nFileSystemNameSize),
    )


@export_both()
async def GetDiskFreeSpaceW(
    thread: UserThread,
    lpRootPathName: Ptr[WCHAR],
    lpSectorsPerCluster: Out[DWORD] | None,
    lpBytesPerSector: Out[DWORD] | None,
    lpNumberOfFreeClusters: Out[DWORD] | None,
    lpTotalNumberOfClusters: Out[DWORD] | None,
) -> BOOL:
    """The size of a volume in clusters."""
    root = root_of(thread, text_of(lpRootPathName))
    view = FILE_FS_SIZE_INFORMATION.parse(await _query(thread, root, FS_INFORMATION_CLASS.FileFsSizeInformation))
    for out, value in (
        (lpSectorsPerCluster, view.SectorsPerAllocationUnit),
        (lpBytesPerSector, view.BytesPerSector),
        (lpNumberOfFreeClusters, view.AvailableAllocationUnits),
        (lpTotalNumberOfClusters, view.TotalAllocationUnits),
    ):
        if out is not None:
            out.write(min(int(value), 0xFFFF_FFFF))
    return BOOL(1)


@export_both()
async def GetDiskFreeSpaceExW(
    thread: UserThread,
    lpDirectoryName: Ptr[WCHAR],
    lpFreeBytesAvailableToCaller: Out[ULARGE_INTEGER] | None,
    lpTotalNumberOfBytes: Out[ULARGE_INTEGER] | None,
    lpTotalNumberOfFreeBytes: Out[ULARGE_INTEGER] | None,
) -> BOOL:
    """The size of a volume in bytes."""
    root = root_of(thread, text_of(lpDirectoryName))
    data = await _query(thread, root, FS_INFORMATION_CLASS.FileFsFullSizeInformation)
    view = FILE_FS_FULL_SIZE_INFORMATION.parse(data)
    unit = int(view.SectorsPerAllocationUnit) * int(view.BytesPerSector)
    for out, value in (
        (lpFreeBytesAvailableToCaller, view.CallerAvailableAllocationUnits),
        (lpTotalNumberOfBytes, view.TotalAllocationUnits),
        (lpTotalNumberOfFreeBytes, view.ActualAvailableAllocationUnits),
    ):
        if out is not None:
            out.write(int(value) * unit)
    return BOOL(1)


@export_both()
def GetVolumePathNameW(
    thread: UserThread, lpszFileName: Ptr[WCHAR], lpszVolumePathName: Ptr[WCHAR], cchBufferLength: DWORD
) -> BOOL:
    """The root of the volume a path lies on."""
    full = full_path(thread, text_of(lpszFileName)).full
    root = full[:3] if full[1:2] == ":" else "\\".join(full.split("\\")[:4]) + "\\"
    if put_text(lpszVolumePathName, cchBufferLength, root) >= cchBufferLength:
        raise WinError(ERROR.FILENAME_EXCED_RANGE)
    return BOOL(1)


@export_both()
async def QueryDosDeviceW(
    thread: UserThread, lpDeviceName: Ptr[WCHAR], lpTargetPath: Ptr[WCHAR], ucchMax: DWORD
) -> DWORD:
    """Where a DOS device name leads; for NULL, the drive letters."""
    if not lpDeviceName:
        text = "".join(f"{letter}:\0" for letter in await drives(thread))
    else:
        name = text_of(lpDeviceName)
        target = await drive_target(thread, name[0]) if name[1:] == ":" else await link_target(thread, f"\\??\\{name}")
        if target is None:
            raise WinError(ERROR.FILE_NOT_FOUND)
        text = target + "\0"
    length = put_text(lpTargetPath, ucchMax, text)
    if length >= ucchMax:
        raise WinError(ERROR.INSUFFICIENT_BUFFER)
    return DWORD(length + 1)

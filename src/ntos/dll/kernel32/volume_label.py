"""The label of a volume (winbase.h)."""

from __future__ import annotations

from ntos.abi.access import FILE_WRITE_DATA
from ntos.abi.errors import ERROR
from ntos.abi.io import FS_INFORMATION_CLASS
from ntos.abi.pointer import Ptr
from ntos.abi.types import BOOL, WCHAR
from ntos.dll.kernelbase.file import open_path
from ntos.dll.kernelbase.objects import new_status
from ntos.dll.kernelbase.services import nt
from ntos.dll.kernelbase.text import export_both, text_of
from ntos.dll.kernelbase.volume import root_of
from ntos.rtl.text import to_utf16
from ntos.um.export import WinError
from ntos.um.thread import UserThread

LONGEST_LABEL = 32


@export_both()
async def SetVolumeLabelW(
    thread: UserThread, lpRootPathName: Ptr[WCHAR] | None, lpVolumeName: Ptr[WCHAR] | None
) -> BOOL:
    """Give a volume a label, or take it away."""
    label = to_utf16(text_of(lpVolumeName))
    if len(label) > 2 * LONGEST_LABEL:
        raise WinError(ERROR.LABEL_TOO_LONG)
    volume = "\\\\.\\" + root_of(thread, text_of(lpRootPathName)).rstrip("\\")
    handle = await open_path(thread, volume, FILE_WRITE_DATA, 0)
    try:
        with thread.frame() as frame:
            data = len(label).to_bytes(4, "little") + label
            place, size = frame.bytes(data.ljust(8, b"\0")), max(len(data), 8)
            kind = FS_INFORMATION_CLASS.FileFsLabelInformation
            await nt.NtSetVolumeInformationFile(thread, handle, new_status(frame).address, place, size, kind)
    finally:
        await nt.NtClose(thread, handle)
    return BOOL(1)

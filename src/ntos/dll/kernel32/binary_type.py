"""GetBinaryType: which kind of program a file is (winbase.h)."""

from __future__ import annotations

from ntos.abi.access import FILE_EXECUTE, FILE_READ_DATA, SECTION_MAP_EXECUTE, SECTION_QUERY
from ntos.abi.errors import ERROR
from ntos.abi.io import FILE_NON_DIRECTORY_FILE
from ntos.abi.layout.section import SECTION_IMAGE_INFORMATION
from ntos.abi.mm import PAGE_EXECUTE, SEC_IMAGE
from ntos.abi.pointer import Out, Ptr
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import BOOL, DWORD, WCHAR
from ntos.dll.kernelbase.file import open_path
from ntos.dll.kernelbase.objects import new_handle
from ntos.dll.kernelbase.services import nt
from ntos.dll.kernelbase.text import export_both, text_of
from ntos.um.export import WinError
from ntos.um.thread import UserThread

SCS_32BIT_BINARY, SCS_DOS_BINARY, SCS_WOW_BINARY, SCS_PIF_BINARY, SCS_64BIT_BINARY = 0, 1, 2, 3, 6
MACHINES = {0x014C: SCS_32BIT_BINARY, 0x8664: SCS_64BIT_BINARY}
OLD_FORMATS = {
    STATUS.INVALID_IMAGE_PROTECT: SCS_DOS_BINARY,
    STATUS.INVALID_IMAGE_NE_FORMAT: SCS_WOW_BINARY,
    STATUS.INVALID_IMAGE_WIN_16: SCS_WOW_BINARY,
}
"""What the memory manager says of MZ files that are not PE."""
EXTENSIONS = {".com": SCS_DOS_BINARY, ".pif": SCS_PIF_BINARY}
"""Files without a header are known by their names."""
IMAGE_FILE_DLL = 0x2000
SECTION_IMAGE_CLASS = 1


async def _image(thread: UserThread, path: str) -> SECTION_IMAGE_INFORMATION:
    file = await open_path(thread, path, FILE_READ_DATA | FILE_EXECUTE, FILE_NON_DIRECTORY_FILE)
    try:
        with thread.frame() as frame:
            section = new_handle(frame)
            access = SECTION_MAP_EXECUTE | SECTION_QUERY
            await nt.NtCreateSection(thread, section.address, access, 0, 0, PAGE_EXECUTE, SEC_IMAGE, file)
            try:
                view: SECTION_IMAGE_INFORMATION = frame.new(SECTION_IMAGE_INFORMATION)
                await nt.NtQuerySection(
                    thread, section.read(), SECTION_IMAGE_CLASS, view.address, SECTION_IMAGE_INFORMATION.size, 0
                )
                return SECTION_IMAGE_INFORMATION.parse(bytes(view))
            finally:
                await nt.NtClose(thread, section.read())
    finally:
        await nt.NtClose(thread, file)


@export_both()
async def GetBinaryTypeW(thread: UserThread, lpApplicationName: Ptr[WCHAR], lpBinaryType: Out[DWORD]) -> BOOL:
    """The kind of a program; ERROR_BAD_EXE_FORMAT for what is none, DLLs included."""
    path = text_of(lpApplicationName)
    try:
        image = await _image(thread, path)
        kind = None if image.ImageCharacteristics & IMAGE_FILE_DLL else MACHINES.get(int(image.Machine))
    except NtError as error:
        kind = OLD_FORMATS.get(error.status)
        if kind is None and error.status == STATUS.INVALID_IMAGE_NOT_MZ:
            kind = EXTENSIONS.get(path[-4:].lower())
        if kind is None and error.status not in (STATUS.INVALID_IMAGE_NOT_MZ, STATUS.INVALID_IMAGE_FORMAT):
            raise
    if kind is None:
        raise WinError(ERROR.BAD_EXE_FORMAT)
    lpBinaryType.write(kind)
    return BOOL(1)

"""Modules mapped as data: LoadLibraryEx with LOAD_LIBRARY_AS_DATAFILE or AS_IMAGE_RESOURCE.

Such a handle is the view's address with its lowest bit (data file) or the next one (image resource) set.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ntos.abi.access import FILE_EXECUTE, FILE_READ_DATA, SECTION_MAP_READ, SYNCHRONIZE
from ntos.abi.errors import ERROR
from ntos.abi.io import (
    FILE_NON_DIRECTORY_FILE,
    FILE_SHARE_DELETE,
    FILE_SHARE_READ,
    FILE_SYNCHRONOUS_IO_NONALERT,
)
from ntos.abi.mm import PAGE_READONLY, SEC_COMMIT, SEC_IMAGE_NO_EXECUTE
from ntos.abi.ob import CURRENT_PROCESS
from ntos.abi.status import STATUS, NtError
from ntos.abi.win32 import LOAD_LIBRARY_AS_DATAFILE_EXCLUSIVE, LOAD_LIBRARY_AS_IMAGE_RESOURCE
from ntos.dll.kernelbase.objects import attributes, new_handle, new_size, new_status, nt_path
from ntos.dll.kernelbase.search import find_file, module_search_path
from ntos.dll.kernelbase.services import nt
from ntos.um.export import WinError
from ntos.um.thread import UserThread

VIEW_UNMAP = 2
DATAFILE, IMAGE_RESOURCE = 1, 2


@dataclass
class DataFiles:
    """What is mapped as data, and from where."""

    paths: dict[int, str] = field(default_factory=dict)


async def load(thread: UserThread, name: str, flags: int) -> int:
    """Map a file as data and give the tagged handle."""
    path = await find_file(thread, name, module_search_path(thread), ".dll")
    if path is None:
        raise NtError(STATUS.DLL_NOT_FOUND)
    as_image = flags & LOAD_LIBRARY_AS_IMAGE_RESOURCE != 0
    share = FILE_SHARE_READ | (0 if flags & LOAD_LIBRARY_AS_DATAFILE_EXCLUSIVE else FILE_SHARE_DELETE)
    with thread.frame() as frame:
        file, section, base, size = (
            new_handle(frame),
            new_handle(frame),
            new_handle(frame),
            new_size(frame, 0),
        )
        access = FILE_READ_DATA | SYNCHRONIZE | (FILE_EXECUTE if as_image else 0)
        options = FILE_NON_DIRECTORY_FILE | FILE_SYNCHRONOUS_IO_NONALERT
        where = attributes(frame, nt_path(thread, path))
        await nt.NtOpenFile(thread, file.address, access, where, new_status(frame).address, share, options)
        try:
            kind = SEC_IMAGE_NO_EXECUTE if as_image else SEC_COMMIT
            await nt.NtCreateSection(
                thread, section.address, SECTION_MAP_READ | 1, 0, 0, PAGE_READONLY, kind, int(file.read())
            )
        finally:
            await nt.NtClose(thread, int(file.read()))
        try:
            await nt.NtMapViewOfSection(
                thread,
                int(section.read()),
                CURRENT_PROCESS,
                base.address,
                0,
                0,
                0,
                size.address,
                VIEW_UNMAP,
                0,
                PAGE_READONLY,
            )
        finally:
            await nt.NtClose(thread, int(section.read()))
        address = int(base.read())
    if not as_image and thread.memory.read(address, 2) != b"MZ":
        await nt.NtUnmapViewOfSection(thread, CURRENT_PROCESS, address)
        raise WinError(ERROR.BAD_EXE_FORMAT)
    handle = address | (IMAGE_RESOURCE if as_image else DATAFILE)
    thread.state(DataFiles).paths[handle] = path
    return handle


async def unload(thread: UserThread, handle: int) -> None:
    """Unmap what `load` mapped."""
    await nt.NtUnmapViewOfSection(thread, CURRENT_PROCESS, handle & ~3)
    thread.state(DataFiles).paths.pop(handle, None)


def path_of(thread: UserThread, handle: int) -> str:
    """The file a data handle maps."""
    path = thread.state(DataFiles).paths.get(handle)
    if path is None:
        raise NtError(STATUS.DLL_NOT_FOUND)
    return path

"""GetFileVersionInfo and VerQueryValue (winver.h)."""

from __future__ import annotations

from ntos.abi.errors import ERROR
from ntos.abi.pointer import Ptr
from ntos.abi.types import BOOL, DWORD, PVOID, UINT, WCHAR
from ntos.dll.kernelbase.text import export_both, is_narrow, text_of
from ntos.dll.version.block import HEADER, Block
from ntos.rtl.nls.codepage import to_ansi
from ntos.um.export import WinError, export, last_error
from ntos.um.thread import UserThread
from ntos.um.win32 import win32

AS_DATA = 0x22
"""LOAD_LIBRARY_AS_DATAFILE | LOAD_LIBRARY_AS_IMAGE_RESOURCE."""
RT_VERSION, VERSION_ID = 16, 1
MARK = b"FE2X"
"""Behind the resource: what follows is room for converted strings."""


async def resource(thread: UserThread, name: str) -> bytes:
    """The version resource of a file."""
    with thread.frame() as frame:
        module = await win32(thread, "LoadLibraryExW", frame.wide(name), 0, AS_DATA)
    if not module:
        raise WinError(last_error(thread))
    try:
        found = await win32(thread, "FindResourceExW", module, RT_VERSION, VERSION_ID, 0)
        if not found:
            raise WinError(ERROR.RESOURCE_TYPE_NOT_FOUND)
        size = await win32(thread, "SizeofResource", module, found) & 0xFFFF_FFFF
        data = thread.memory.read(await win32(thread, "LoadResource", module, found), size)
        return data[: min(int.from_bytes(data[:2], "little"), size)]
    finally:
        await win32(thread, "FreeLibrary", module)


@export_both()
async def GetFileVersionInfoSizeW(
    thread: UserThread, lptstrFilename: Ptr[WCHAR], lpdwHandle: Ptr[DWORD] | None
) -> DWORD:
    """How much room the version information of a file takes."""
    if lpdwHandle is not None:
        lpdwHandle.write(0)
    data = await resource(thread, text_of(lptstrFilename))
    return DWORD(2 * len(data) + len(MARK))


@export
async def GetFileVersionInfoSizeExW(
    thread: UserThread, dwFlags: DWORD, lpwstrFilename: Ptr[WCHAR], lpdwHandle: Ptr[DWORD] | None
) -> DWORD:
    """How much room the version information of a file takes."""
    return await GetFileVersionInfoSizeW(thread, lpwstrFilename, lpdwHandle)


async def _copy(thread: UserThread, name: str, room: int, target: int) -> BOOL:
    data = await resource(thread, name)
    if room < len(data):
        raise WinError(ERROR.INSUFFICIENT_BUFFER)
    thread.memory.write(target, data)
    if room >= len(data) + len(MARK):
        thread.memory.write(target + len(data), MARK)
    return BOOL(1)


@export_both()
async def GetFileVersionInfoW(
    thread: UserThread, lptstrFilename: Ptr[WCHAR], dwHandle: DWORD, dwLen: DWORD, lpData: PVOID
) -> BOOL:
    """The version information of a file."""
    return await _copy(thread, text_of(lptstrFilename), dwLen, lpData)


@export
async def GetFileVersionInfoExW(
    thread: UserThread, dwFlags: DWORD, lpwstrFilename: Ptr[WCHAR], dwHandle: DWORD, dwLen: DWORD, lpData: PVOID
) -> BOOL:
    """The version information of a file."""
    return await _copy(thread, text_of(lpwstrFilename), dwLen, lpData)


@export_both()
def VerQueryValueW(
    thread: UserThread, pBlock: PVOID, lpSubBlock: Ptr[WCHAR], lplpBuffer: Ptr[PVOID], puLen: Ptr[UINT]
) -> BOOL:
    r"""A value of version information by path: `\`, `\VarFileInfo\Translation`, `\StringFileInfo\040904B0\…`."""
    size = int.from_bytes(thread.memory.read(pBlock, 2), "little")
    if size < HEADER.size:
        raise WinError(ERROR.INVALID_DATA)
    root = Block(thread.memory.read(pBlock, size), 0)
    found = root.find([part for part in text_of(lpSubBlock).split("\\") if part])
    if found is None:
        puLen.write(0)
        raise WinError(ERROR.RESOURCE_TYPE_NOT_FOUND)
    place, length = found.value
    lplpBuffer.write(pBlock + place)
    puLen.write(length)
    if found.is_text and is_narrow(lpSubBlock):
        data = root.data[place : place + 2 * length].decode("utf-16-le", "replace").split("\0")[0]
        text = to_ansi(data) + b"\0"
        converted = pBlock + size + len(MARK) + place // 2
        thread.memory.write(converted, text)
        lplpBuffer.write(converted)
        puLen.write(len(text))
    return BOOL(1)

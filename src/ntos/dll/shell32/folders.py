"""Where the user's and the system's folders are (shlobj_core.h: SHGetKnownFolderPath, SHGetFolderPath).

The answers come from the process's environment, where the profile and the system folders are named.
"""

from __future__ import annotations

import uuid

from ntos.abi.pointer import Ptr
from ntos.abi.types import DWORD, HANDLE, HRESULT, INT, PVOID, WCHAR
from ntos.dll.kernelbase.objects import environment
from ntos.dll.kernelbase.services import rtl
from ntos.dll.kernelbase.text import encoded, export_both, is_narrow
from ntos.rtl.text import to_utf16
from ntos.um.export import export
from ntos.um.thread import UserThread
from ntos.um.win32 import win32

E_INVALIDARG, E_FAIL, FILE_NOT_FOUND, OUT_OF_MEMORY = 0x8007_0057, 0x8000_4005, 0x8007_0002, 0x8007_000E
FOLDERS: dict[str, tuple[str, str, tuple[int, ...]]] = {
    "5e6c858f-0e22-4760-9afe-ea3317b67173": ("USERPROFILE", "", (0x28,)),
    "3eb685db-65f9-4cf6-a03a-e3ef65729f3d": ("APPDATA", "", (0x1A,)),
    "f1b32785-6fba-4fcf-9d55-7b8e7f157091": ("LOCALAPPDATA", "", (0x1C,)),
    "a520a1a4-1780-4ff6-bd18-167343c5af16": ("USERPROFILE", "\\AppData\\LocalLow", ()),
    "62ab5d82-fdc1-4dc3-a9dd-070d1d495d97": ("ProgramData", "", (0x23,)),
    "b4bfcc3a-db2c-424c-b029-7fe99a87c641": ("USERPROFILE", "\\Desktop", (0x00, 0x10)),
    "fdd39ad0-238f-46af-adb4-6c85480369c7": ("USERPROFILE", "\\Documents", (0x05,)),
    "374de290-123f-4565-9164-39c4925e467b": ("USERPROFILE", "\\Downloads", ()),
    "33e28130-4e1e-4676-835a-98395c3bc3bb": ("USERPROFILE", "\\Pictures", (0x27,)),
    "4bd8d571-6d19-48d3-be97-422220080e43": ("USERPROFILE", "\\Music", (0x0D,)),
    "18989b1d-99b5-455b-841c-ab7c74e4ddfc": ("USERPROFILE", "\\Videos", (0x0E,)),
    "905e63b6-c1bf-494e-b29c-65b732d3d21a": ("ProgramFiles", "", (0x26,)),
    "6d809377-6af0-444b-8957-a3773f02200e": ("ProgramFiles", "", ()),
    "7c5a40ef-a0fb-4bfc-874a-c0f2e0b9fa8e": ("ProgramFiles(x86)", "", (0x2A,)),
    "f7f1ed05-9f6d-47a2-aaae-29d317c6f066": ("CommonProgramFiles", "", (0x2B,)),
    "f38bf404-1d43-42f2-9305-67de0b28fc23": ("SystemRoot", "", (0x24,)),
    "1ac14e77-02e7-4e5d-b744-2eb1ae5198b7": ("SystemRoot", "\\System32", (0x25,)),
    "fd228cb7-ae11-4ae3-864c-16f3910ab8fe": ("SystemRoot", "\\Fonts", (0x14,)),
    "dfdf76a2-c82a-4d63-906a-5644ac457385": ("PUBLIC", "", ()),
}
"""KNOWNFOLDERID → a variable, what follows it, and the old CSIDL numbers (knownfolders.h)."""
_BY_NUMBER = {number: (variable, tail) for variable, tail, numbers in FOLDERS.values() for number in numbers}
CREATE_NEW, CREATE_OLD = 0x8000, 0x8000
DONT_VERIFY_NEW, DONT_VERIFY_OLD = 0x4000, 0x4000
MISSING = 0xFFFF_FFFF


def _path(thread: UserThread, place: tuple[str, str]) -> str:
    value = environment(thread).get(place[0])
    return value + place[1] if value else ""


async def _exists(thread: UserThread, path: str, *, create: bool, verify: bool) -> bool:
    """Whether the folder is there; made if asked for, not looked at if that is asked for."""
    with thread.frame() as frame:
        name = frame.wide(path)
        if await win32(thread, "GetFileAttributesW", name) & 0xFFFF_FFFF != MISSING:
            return True
        if create and await win32(thread, "CreateDirectoryW", name, 0) & 0xFFFF_FFFF:
            return True
    return not verify


@export(partial="the folders of the process's own user, by its environment")
async def SHGetKnownFolderPath(
    thread: UserThread, rfid: PVOID, dwFlags: DWORD, hToken: HANDLE, ppszPath: Ptr[PVOID]
) -> HRESULT:
    """A known folder's path in a block of task memory."""
    ppszPath.write(0)
    folder = FOLDERS.get(str(uuid.UUID(bytes_le=thread.memory.read(rfid, 16))))
    if folder is None:
        return HRESULT(FILE_NOT_FOUND)
    path = _path(thread, folder[:2])
    create, verify = bool(dwFlags & CREATE_NEW), not dwFlags & DONT_VERIFY_NEW
    if not path or not await _exists(thread, path, create=create, verify=verify):
        return HRESULT(FILE_NOT_FOUND)
    data = to_utf16(path) + b"\0\0"
    block = await rtl(thread, "RtlAllocateHeap", int(thread.peb.ProcessHeap), 0, len(data))
    if not block:
        return HRESULT(OUT_OF_MEMORY)
    thread.memory.write(block, data)
    ppszPath.write(block)
    return HRESULT(0)


@export_both(partial="the folders of the process's own user, by its environment")
async def SHGetFolderPathW(
    thread: UserThread, hwnd: HANDLE, csidl: INT, hToken: HANDLE, dwFlags: DWORD, pszPath: Ptr[WCHAR]
) -> HRESULT:
    """A folder's path by its old number, into MAX_PATH characters."""
    place = _BY_NUMBER.get(csidl & 0xFF)
    if place is None:
        return HRESULT(E_INVALIDARG)
    path = _path(thread, place)
    create, verify = bool(csidl & CREATE_OLD), not csidl & DONT_VERIFY_OLD
    if not path:
        return HRESULT(E_FAIL)
    if not await _exists(thread, path, create=create, verify=verify):
        return HRESULT(FILE_NOT_FOUND)
    pszPath.write_bytes(encoded(pszPath, path) + bytes(1 if is_narrow(pszPath) else 2))
    return HRESULT(0)

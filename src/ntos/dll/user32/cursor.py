"""Cursors and icons: handles a program gives to its classes. There is no display to see them on."""

from __future__ import annotations

from ntos.abi.errors import ERROR
from ntos.abi.pointer import Ptr
from ntos.abi.types import BOOL, DWORD, HANDLE, WCHAR
from ntos.dll.kernelbase.text import export_both, is_narrow
from ntos.dll.user32.string import name_string
from ntos.um import nt
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread
from ntos.um.win32 import win32

SYSTEM_MODULE = "USER32"
RT_GROUP_CURSOR, RT_GROUP_ICON = 12, 14


async def load_shared(thread: UserThread, module: int, name: Ptr[WCHAR], kind: int) -> int:
    """The one cursor or icon of a resource, made when it is first asked for."""
    with thread.frame() as frame:
        text, number = frame.unicode_string(f"{module:X}" if module else SYSTEM_MODULE), name_string(frame, name)
        found = int(nt.NtUserFindExistingCursorIcon(thread, text, number, 0))
        if found or not module:
            return found
        find = "FindResourceA" if is_narrow(name) else "FindResourceW"
        if not await win32(thread, find, module, name.address, kind):
            return 0
        made = int(nt.NtUserCreateEmptyCursorObject(thread, 0))
        nt.NtUserSetCursorIconData(thread, made, text, number, 0)
        return made


@export_both(partial="which cursor it is, not its image")
async def LoadCursorW(thread: UserThread, hInstance: HANDLE, lpCursorName: Ptr[WCHAR]) -> HANDLE:
    """A cursor of a module's resources, or one of the system's."""
    return HANDLE(_found(await load_shared(thread, hInstance, lpCursorName, RT_GROUP_CURSOR)))


@export_both(partial="which icon it is, not its image")
async def LoadIconW(thread: UserThread, hInstance: HANDLE, lpIconName: Ptr[WCHAR]) -> HANDLE:
    """An icon of a module's resources, or one of the system's."""
    return HANDLE(_found(await load_shared(thread, hInstance, lpIconName, RT_GROUP_ICON)))


def _found(handle: int) -> int:
    if not handle:
        raise WinError(ERROR.RESOURCE_NAME_NOT_FOUND)
    return handle


@export(aliases=("DestroyIcon",))
def DestroyCursor(thread: UserThread, hCursor: HANDLE) -> BOOL:
    """Destroy a cursor; shared ones stay."""
    return BOOL(int(nt.NtUserDestroyCursor(thread, hCursor, DWORD(0))))

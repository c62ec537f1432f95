"""Where a user's profile is."""

from __future__ import annotations

from ntos.abi.errors import ERROR
from ntos.abi.pointer import Ptr
from ntos.abi.types import BOOL, DWORD, HANDLE, WCHAR
from ntos.dll.kernelbase.objects import environment
from ntos.rtl.text import to_utf16
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread


@export(partial="the profile of the process's own user, as its environment names it, whatever the token")
def GetUserProfileDirectoryW(
    thread: UserThread, hToken: HANDLE, lpProfileDir: Ptr[WCHAR] | None, lpcchSize: Ptr[DWORD]
) -> BOOL:
    """The folder of a user's profile."""
    if not hToken:
        raise WinError(ERROR.INVALID_HANDLE)
    folder = environment(thread).get("USERPROFILE")
    if not folder:
        raise WinError(ERROR.ENVVAR_NOT_FOUND)
    room, needed = int(lpcchSize.read()), len(to_utf16(folder)) // 2 + 1
    lpcchSize.write(needed)
    if lpProfileDir is None or not lpProfileDir or room < needed:
        raise WinError(ERROR.INSUFFICIENT_BUFFER)
    lpProfileDir.write_bytes(to_utf16(folder) + b"\0\0")
    return BOOL(1)

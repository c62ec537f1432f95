"""Where a user's profile is, and what SID an AppContainer has."""

from __future__ import annotations

import hashlib
import struct

from ntos.abi.errors import ERROR
from ntos.abi.pointer import Out, Ptr
from ntos.abi.types import BOOL, DWORD, HANDLE, HRESULT, PVOID, WCHAR
from ntos.dll.kernelbase.objects import environment
from ntos.dll.kernelbase.services import allocate_bytes
from ntos.dll.kernelbase.text import export_both, put_text, text_of
from ntos.rtl import sid
from ntos.rtl.text import to_utf16
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread


@export_both(partial="the profile of the process's own user, as its environment names it, whatever the token")
def GetUserProfileDirectoryW(
    thread: UserThread, hToken: HANDLE, lpProfileDir: Ptr[WCHAR] | None, lpcchSize: Ptr[DWORD]
) -> BOOL:
    """The folder of a user's profile."""
    if not hToken:
        raise WinError(ERROR.INVALID_HANDLE)
    folder = environment(thread).get("USERPROFILE")
    if not folder:
        raise WinError(ERROR.ENVVAR_NOT_FOUND)
    needed = put_text(lpProfileDir, 0, folder)
    fits = bool(lpProfileDir) and put_text(lpProfileDir, lpcchSize.read(), folder) < needed
    lpcchSize.write(needed)
    if not fits:
        raise WinError(ERROR.INSUFFICIENT_BUFFER)
    return BOOL(1)


LONGEST_CONTAINER_NAME = 64
APP_PACKAGE_AUTHORITY, PACKAGE_BASE, PACKAGE_NUMBERS = 15, 2, 7


@export
async def DeriveAppContainerSidFromAppContainerName(
    thread: UserThread, pszAppContainerName: Ptr[WCHAR], ppsidAppContainerSid: Out[PVOID]
) -> HRESULT:
    """The SID a container of this name has: its lower-case name hashed (SHA-256), the first seven numbers of it."""
    name = text_of(pszAppContainerName).lower()
    if not name or len(name) > LONGEST_CONTAINER_NAME:
        raise WinError(ERROR.INVALID_PARAMETER)
    digest = hashlib.sha256(to_utf16(name)).digest()
    numbers = struct.unpack(f"<{PACKAGE_NUMBERS}I", digest[: 4 * PACKAGE_NUMBERS])
    made = sid.make(APP_PACKAGE_AUTHORITY, PACKAGE_BASE, *numbers)
    ppsidAppContainerSid.write(PVOID(await allocate_bytes(thread, made)))
    return HRESULT(0)

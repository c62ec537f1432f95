"""The registry's 16-bit names, which never moved to kernelbase (winreg.h)."""

from __future__ import annotations

from ntos.abi.access import MAXIMUM_ALLOWED
from ntos.abi.pointer import Ptr
from ntos.abi.types import HANDLE, LSTATUS, WCHAR
from ntos.dll.kernelbase.registry import create_key, delete_key, key_handle, open_path
from ntos.dll.kernelbase.text import export_both, text_of
from ntos.um.thread import UserThread


@export_both()
async def RegOpenKeyW(thread: UserThread, hKey: HANDLE, lpSubKey: Ptr[WCHAR], phkResult: Ptr[HANDLE]) -> LSTATUS:
    """Open a key with all one may."""
    root = await key_handle(thread, hKey)
    phkResult.write(await open_path(thread, text_of(lpSubKey).strip("\\"), MAXIMUM_ALLOWED, root))
    return LSTATUS(0)


@export_both()
async def RegCreateKeyW(thread: UserThread, hKey: HANDLE, lpSubKey: Ptr[WCHAR], phkResult: Ptr[HANDLE]) -> LSTATUS:
    """Open a key with all one may, or create it."""
    root = await key_handle(thread, hKey)
    handle, _ = await create_key(thread, root, text_of(lpSubKey), 0, MAXIMUM_ALLOWED, "", None)
    phkResult.write(handle)
    return LSTATUS(0)


@export_both()
async def RegDeleteKeyW(thread: UserThread, hKey: HANDLE, lpSubKey: Ptr[WCHAR]) -> LSTATUS:
    """Delete a key that has no keys below it."""
    await delete_key(thread, await key_handle(thread, hKey), text_of(lpSubKey))
    return LSTATUS(0)

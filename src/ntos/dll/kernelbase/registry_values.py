"""Values of registry keys (winreg.h)."""

from __future__ import annotations

from ntos.abi.access import KEY_QUERY_VALUE, MAXIMUM_ALLOWED
from ntos.abi.errors import ERROR
from ntos.abi.pointer import Out, Ptr
from ntos.abi.registry import (
    REG_DWORD,
    REG_EXPAND_SZ,
    REG_MULTI_SZ,
    REG_QWORD,
    REG_SZ,
    RRF_NOEXPAND,
    RRF_ZEROONFAILURE,
)
from ntos.abi.status import NtError
from ntos.abi.types import DWORD, HANDLE, LSTATUS, PVOID, UCHAR, WCHAR
from ntos.dll.kernelbase.objects import environment
from ntos.dll.kernelbase.registry import create_key, enumerate_value, give_name, key_handle, open_path, query_value
from ntos.dll.kernelbase.services import nt
from ntos.dll.kernelbase.text import export_both, is_narrow, optional_text, text_of
from ntos.rtl.environment import expand
from ntos.rtl.nls.codepage import ansi, to_ansi
from ntos.rtl.text import from_utf16, to_utf16
from ntos.um.export import WinError
from ntos.um.thread import UserThread

TEXTS = (REG_SZ, REG_EXPAND_SZ, REG_MULTI_SZ)
UNSUPPORTED_TYPE = 1630


def _outward(narrow: bool, kind: int, data: bytes) -> bytes:
    return to_ansi(from_utf16(data)) if narrow and kind in TEXTS else data


def _give(kind: int, data: bytes, type_place: Out[DWORD] | None, place: Ptr[UCHAR], size: Ptr[DWORD] | None) -> LSTATUS:
    """Hand a value's type, size and data out; ERROR_MORE_DATA where they do not fit."""
    if type_place is not None:
        type_place.write(kind)
    if size is None:
        return LSTATUS(ERROR.INVALID_PARAMETER if place else 0)
    room = int(size.read())
    size.write(len(data))
    if place:
        if len(data) > room:
            return LSTATUS(ERROR.MORE_DATA)
        place.write_bytes(data)
    return LSTATUS(0)


@export_both()
async def RegQueryValueExW(
    thread: UserThread,
    hKey: HANDLE,
    lpValueName: Ptr[WCHAR],
    lpReserved: PVOID,
    lpType: Out[DWORD] | None,
    lpData: Ptr[UCHAR],
    lpcbData: Ptr[DWORD] | None,
) -> LSTATUS:
    """A value's type and data."""
    kind, data = await query_value(thread, await key_handle(thread, hKey), text_of(lpValueName))
    return _give(kind, _outward(is_narrow(lpValueName), kind, data), lpType, lpData, lpcbData)


_RRF = {0: 1, REG_SZ: 2, REG_EXPAND_SZ: 4, 3: 8, REG_DWORD: 0x10, REG_MULTI_SZ: 0x20, REG_QWORD: 0x40}


@export_both()
async def RegGetValueW(
    thread: UserThread,
    hkey: HANDLE,
    lpSubKey: Ptr[WCHAR],
    lpValue: Ptr[WCHAR],
    dwFlags: DWORD,
    pdwType: Out[DWORD] | None,
    pvData: Ptr[UCHAR],
    pcbData: Ptr[DWORD] | None,
) -> LSTATUS:
    """A value of a wanted type, text always terminated, `%NAMES%` in it expanded."""
    room = int(pcbData.read()) if pcbData else 0
    try:
        kind, data = await _checked_value(thread, hkey, lpSubKey, lpValue, dwFlags)
    except NtError:
        if dwFlags & RRF_ZEROONFAILURE and pvData:
            pvData.write_bytes(bytes(room))
        raise
    return _give(kind, _outward(is_narrow(lpValue), kind, data), pdwType, pvData, pcbData)


async def _checked_value(
    thread: UserThread, key: int, sub_key: Ptr[WCHAR], name: Ptr[WCHAR], flags: int
) -> tuple[int, bytes]:
    root, path = await key_handle(thread, key), optional_text(sub_key)
    handle = await open_path(thread, path, KEY_QUERY_VALUE, root) if path else root
    try:
        kind, data = await query_value(thread, handle, text_of(name))
    finally:
        if path:
            await nt.NtClose(thread, handle)
    if kind in TEXTS and not data.endswith(b"\0\0"):
        data += b"\0\0"
    if kind == REG_EXPAND_SZ and not flags & RRF_NOEXPAND:
        data = to_utf16(expand(from_utf16(data), environment(thread).get))
        kind = REG_SZ
    wanted = _RRF.get(kind, 0)
    width = {REG_DWORD: 4, REG_QWORD: 8}.get(kind)
    if flags & 0xFFFF != 0xFFFF and (not flags & wanted or (width is not None and len(data) != width)):
        raise WinError(UNSUPPORTED_TYPE)
    return kind, data


@export_both()
async def RegSetValueExW(
    thread: UserThread,
    hKey: HANDLE,
    lpValueName: Ptr[WCHAR],
    Reserved: DWORD,
    dwType: DWORD,
    lpData: Ptr[UCHAR],
    cbData: DWORD,
) -> LSTATUS:
    """Set a value."""
    data = lpData.read_bytes(cbData) if lpData and cbData else b""
    if is_narrow(lpValueName) and dwType in TEXTS:
        data = to_utf16(ansi(data))
    await set_value(thread, await key_handle(thread, hKey), text_of(lpValueName), dwType, data)
    return LSTATUS(0)


async def set_value(thread: UserThread, key: int, name: str, kind: int, data: bytes) -> None:
    """Set a value of an open key."""
    with thread.frame() as frame:
        text, place = frame.unicode_string(name), frame.bytes(data)
        await nt.NtSetValueKey(thread, key, text, 0, kind, place, len(data))


@export_both()
async def RegSetKeyValueW(
    thread: UserThread,
    hKey: HANDLE,
    lpSubKey: Ptr[WCHAR],
    lpValueName: Ptr[WCHAR],
    dwType: DWORD,
    lpData: Ptr[UCHAR],
    cbData: DWORD,
) -> LSTATUS:
    """Set a value of a key by name, made if need be."""
    root = await key_handle(thread, hKey)
    key, _ = await create_key(thread, root, text_of(lpSubKey), 0, MAXIMUM_ALLOWED, "", None)
    data = lpData.read_bytes(cbData) if lpData and cbData else b""
    if is_narrow(lpValueName) and dwType in TEXTS:
        data = to_utf16(ansi(data))
    try:
        await set_value(thread, key, text_of(lpValueName), dwType, data)
    finally:
        await nt.NtClose(thread, key)
    return LSTATUS(0)


@export_both()
async def RegDeleteValueW(thread: UserThread, hKey: HANDLE, lpValueName: Ptr[WCHAR]) -> LSTATUS:
    """Delete a value."""
    with thread.frame() as frame:
        name = frame.unicode_string(text_of(lpValueName))
        await nt.NtDeleteValueKey(thread, await key_handle(thread, hKey), name)
    return LSTATUS(0)


@export_both()
async def RegEnumValueW(
    thread: UserThread,
    hKey: HANDLE,
    dwIndex: DWORD,
    lpValueName: Ptr[WCHAR],
    lpcchValueName: Ptr[DWORD],
    lpReserved: PVOID,
    lpType: Out[DWORD] | None,
    lpData: Ptr[UCHAR],
    lpcbData: Ptr[DWORD] | None,
) -> LSTATUS:
    """One of a key's values by number."""
    name, kind, data = await enumerate_value(thread, await key_handle(thread, hKey), dwIndex)
    give_name(lpValueName, lpcchValueName, name)
    return _give(kind, _outward(is_narrow(lpValueName), kind, data), lpType, lpData, lpcbData)

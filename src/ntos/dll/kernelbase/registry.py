"""The registry: keys and values (winreg.h). advapi32 forwards its Reg… functions here."""

from __future__ import annotations

from dataclasses import dataclass, field

from ntos.abi.access import KEY_READ, KEY_WOW64_RES, MAXIMUM_ALLOWED
from ntos.abi.errors import ERROR
from ntos.abi.layout.win32 import FILETIME, SECURITY_ATTRIBUTES
from ntos.abi.ob import CURRENT_EFFECTIVE_TOKEN, OBJ_CASE_INSENSITIVE
from ntos.abi.pointer import Out, Ptr
from ntos.abi.registry import (
    HKEY_CLASSES_ROOT,
    HKEY_CURRENT_CONFIG,
    HKEY_CURRENT_USER,
    HKEY_LOCAL_MACHINE,
    HKEY_USERS,
    KEY_INFORMATION_CLASS,
    KEY_VALUE_INFORMATION_CLASS,
    REG_EXPAND_SZ,
    REG_MULTI_SZ,
    REG_OPTION_OPEN_LINK,
    REG_SZ,
)
from ntos.abi.status import STATUS, NtError
from ntos.abi.types import BOOL, DWORD, HANDLE, LSTATUS, PVOID, WCHAR
from ntos.dll.kernelbase.objects import attributes, new_handle
from ntos.dll.kernelbase.services import nt
from ntos.dll.kernelbase.text import encoded, export_both, is_narrow, text_of
from ntos.dll.kernelbase.time import put_file_time
from ntos.rtl import sid
from ntos.rtl.text import from_utf16
from ntos.um.export import WinError, export
from ntos.um.thread import UserThread

TEXTS = (REG_SZ, REG_EXPAND_SZ, REG_MULTI_SZ)
OBJ_OPENLINK = 0x100
ROOM = 0x1000
TOKEN_USER = 1
ROOTS = {
    HKEY_LOCAL_MACHINE: "\\REGISTRY\\MACHINE",
    HKEY_USERS: "\\REGISTRY\\USER",
    HKEY_CLASSES_ROOT: "\\REGISTRY\\MACHINE\\SOFTWARE\\Classes",
    HKEY_CURRENT_CONFIG: "\\REGISTRY\\MACHINE\\SYSTEM\\CurrentControlSet\\Hardware Profiles\\Current",
}


@dataclass
class Predefined:
    """Handles opened for predefined keys, and keys that override them."""

    handles: dict[int, int] = field(default_factory=dict)


def _sign_extended(key: int) -> int:
    return key | 0xFFFF_FFFF_0000_0000 if key >> 31 == 1 else key


async def key_handle(thread: UserThread, key: int) -> int:
    """The kernel's handle for an HKEY: predefined ones are opened on first use."""
    wanted = _sign_extended(key)
    if wanted not in ROOTS and wanted != HKEY_CURRENT_USER:
        return key
    handles = thread.state(Predefined).handles
    if wanted not in handles:
        path = ROOTS.get(wanted) or await user_root(thread)
        handles[wanted] = await open_path(thread, path, MAXIMUM_ALLOWED)
    return handles[wanted]


async def user_root(thread: UserThread) -> str:
    r"""The user's own key, by the SID of the token in effect (RtlFormatCurrentUserKeyPath)."""
    with thread.frame() as frame:
        place, size = frame.allocate(0x80), frame.allocate(8)
        await nt.NtQueryInformationToken(thread, CURRENT_EFFECTIVE_TOKEN, TOKEN_USER, place, 0x80, size)
        address = int.from_bytes(thread.memory.read(place, 8), "little")
        text = sid.to_text(sid.take(thread.memory.read(address, place + 0x80 - address)))
    return f"{ROOTS[HKEY_USERS]}\\{text}"


async def open_path(thread: UserThread, path: str, access: int, root: int = 0, flags: int = 0) -> int:
    """A handle to a key by name."""
    with thread.frame() as frame:
        handle = new_handle(frame)
        where = attributes(frame, path, root=root, flags=OBJ_CASE_INSENSITIVE | flags)
        await nt.NtOpenKeyEx(thread, handle.address, access & ~KEY_WOW64_RES, where, 0)
        return int(handle.read())


async def query_value(thread: UserThread, key: int, name: str) -> tuple[int, bytes]:
    """The type and data of a value."""
    room = ROOM
    while True:
        with thread.frame() as frame:
            place, size = frame.allocate(room), frame.allocate(8)
            kind = KEY_VALUE_INFORMATION_CLASS.KeyValuePartialInformation
            text = frame.unicode_string(name)
            try:
                status = await nt.NtQueryValueKey(thread, key, text, kind, place, room, size)
            except NtError as error:
                if error.status != STATUS.BUFFER_TOO_SMALL:
                    raise
                status = STATUS.BUFFER_OVERFLOW
            needed = int.from_bytes(thread.memory.read(size, 4), "little")
            if status != STATUS.BUFFER_OVERFLOW:
                data = thread.memory.read(place, needed)
                length = int.from_bytes(data[8:12], "little")
                return int.from_bytes(data[4:8], "little"), data[12 : 12 + length]
        room = needed + 16


@export_both()
async def RegOpenKeyExW(
    thread: UserThread,
    hKey: HANDLE,
    lpSubKey: Ptr[WCHAR],
    ulOptions: DWORD,
    samDesired: DWORD,
    phkResult: Ptr[HANDLE],
) -> LSTATUS:
    """Open a key."""
    root = await key_handle(thread, hKey)
    name = text_of(lpSubKey).strip("\\")
    flags = OBJ_OPENLINK if ulOptions & REG_OPTION_OPEN_LINK else 0
    if name.startswith("\\"):
        raise NtError(STATUS.OBJECT_PATH_INVALID)
    phkResult.write(await open_path(thread, name, samDesired, root, flags))
    return LSTATUS(0)


@export
async def RegOpenCurrentUser(thread: UserThread, samDesired: DWORD, phkResult: Ptr[HANDLE]) -> LSTATUS:
    """Open the user's own key."""
    phkResult.write(await open_path(thread, await user_root(thread), samDesired))
    return LSTATUS(0)


async def create_key(
    thread: UserThread,
    root: int,
    path: str,
    options: int,
    access: int,
    kind: str,
    security: Ptr[SECURITY_ATTRIBUTES] | None,
) -> tuple[int, int]:
    """Open or create a key with all on the way to it: (handle, disposition)."""
    parts = [part for part in path.split("\\") if part]
    parent = root
    for depth in range(max(len(parts), 1)):
        last = depth >= len(parts) - 1
        with thread.frame() as frame:
            handle, disposition = new_handle(frame), frame.allocate(8)
            where = attributes(frame, parts[depth] if parts else "", root=parent, security=security if last else None)
            group = frame.unicode_string(kind) if last and kind else 0
            wanted = access & ~KEY_WOW64_RES if last else MAXIMUM_ALLOWED
            try:
                await nt.NtCreateKey(thread, handle.address, wanted, where, 0, group, options, disposition)
            finally:
                if parent != root:
                    await nt.NtClose(thread, parent)
            parent = int(handle.read())
            found = int.from_bytes(thread.memory.read(disposition, 4), "little")
    return parent, found


@export_both()
async def RegCreateKeyExW(
    thread: UserThread,
    hKey: HANDLE,
    lpSubKey: Ptr[WCHAR],
    Reserved: DWORD,
    lpClass: Ptr[WCHAR],
    dwOptions: DWORD,
    samDesired: DWORD,
    lpSecurityAttributes: Ptr[SECURITY_ATTRIBUTES] | None,
    phkResult: Ptr[HANDLE],
    lpdwDisposition: Out[DWORD] | None,
) -> LSTATUS:
    """Open a key, or create it with all on the way to it."""
    if Reserved:
        raise WinError(ERROR.INVALID_PARAMETER)
    root = await key_handle(thread, hKey)
    handle, disposition = await create_key(
        thread, root, text_of(lpSubKey), dwOptions, samDesired, text_of(lpClass), lpSecurityAttributes
    )
    phkResult.write(handle)
    if lpdwDisposition is not None:
        lpdwDisposition.write(disposition)
    return LSTATUS(0)


@export
async def RegCloseKey(thread: UserThread, hKey: HANDLE) -> LSTATUS:
    """Give a key's handle back; predefined keys stay."""
    wanted = _sign_extended(hKey)
    if wanted in ROOTS or wanted == HKEY_CURRENT_USER:
        handle = thread.state(Predefined).handles.pop(wanted, 0)
        if handle:
            await nt.NtClose(thread, handle)
        return LSTATUS(0)
    await nt.NtClose(thread, hKey)
    return LSTATUS(0)


@export
async def RegFlushKey(thread: UserThread, hKey: HANDLE) -> LSTATUS:
    """Write a key's changes out."""
    await nt.NtFlushKey(thread, await key_handle(thread, hKey))
    return LSTATUS(0)


async def delete_key(thread: UserThread, root: int, path: str) -> None:
    """Delete a key that has no keys below it."""
    key = await open_path(thread, path, 0x10000, root)
    try:
        await nt.NtDeleteKey(thread, key)
    except NtError as error:
        raise WinError(ERROR.ACCESS_DENIED) if error.status == STATUS.CANNOT_DELETE else error from error
    finally:
        await nt.NtClose(thread, key)


@export_both()
async def RegDeleteKeyExW(
    thread: UserThread, hKey: HANDLE, lpSubKey: Ptr[WCHAR], samDesired: DWORD, Reserved: DWORD
) -> LSTATUS:
    """Delete a key that has no keys below it."""
    await delete_key(thread, await key_handle(thread, hKey), text_of(lpSubKey))
    return LSTATUS(0)


@export_both()
async def RegDeleteTreeW(thread: UserThread, hKey: HANDLE, lpSubKey: Ptr[WCHAR]) -> LSTATUS:
    """Delete a key with all below it; without a name, what is in the key."""
    root, path = await key_handle(thread, hKey), text_of(lpSubKey)
    if path:
        key = await open_path(thread, path, KEY_READ | 0x10000 | 2, root)
        try:
            await _empty(thread, key)
        finally:
            await nt.NtClose(thread, key)
        await delete_key(thread, root, path)
        return LSTATUS(0)
    await _empty(thread, root)
    return LSTATUS(0)


async def _empty(thread: UserThread, key: int) -> None:
    while True:
        try:
            name, _, _ = await enumerate_key(thread, key, 0)
        except NtError as error:
            if error.status == STATUS.NO_MORE_ENTRIES:
                break
            raise
        child = await open_path(thread, name, KEY_READ | 0x10000 | 2, key)
        try:
            await _empty(thread, child)
            await nt.NtDeleteKey(thread, child)
        finally:
            await nt.NtClose(thread, child)
    while True:
        try:
            name, _, _ = await enumerate_value(thread, key, 0)
        except NtError as error:
            if error.status == STATUS.NO_MORE_ENTRIES:
                return
            raise
        with thread.frame() as frame:
            await nt.NtDeleteValueKey(thread, key, frame.unicode_string(name))


async def enumerate_key(thread: UserThread, key: int, index: int) -> tuple[str, str, int]:
    """Name, class and write time of the key's child number `index`."""
    with thread.frame() as frame:
        place, size = frame.allocate(ROOM), frame.allocate(8)
        kind = KEY_INFORMATION_CLASS.KeyNodeInformation
        await nt.NtEnumerateKey(thread, key, index, kind, place, ROOM, size)
        data = thread.memory.read(place, ROOM)
    offset, length, name = (int.from_bytes(data[at : at + 4], "little") for at in (12, 16, 20))
    group = from_utf16(data[offset : offset + length]) if length else ""
    return from_utf16(data[24 : 24 + name]), group, int.from_bytes(data[:8], "little")


async def enumerate_value(thread: UserThread, key: int, index: int) -> tuple[str, int, bytes]:
    """Name, type and data of the key's value number `index`."""
    room = ROOM
    while True:
        with thread.frame() as frame:
            place, size = frame.allocate(room), frame.allocate(8)
            kind = KEY_VALUE_INFORMATION_CLASS.KeyValueFullInformation
            try:
                status = await nt.NtEnumerateValueKey(thread, key, index, kind, place, room, size)
            except NtError as error:
                if error.status != STATUS.BUFFER_TOO_SMALL:
                    raise
                status = STATUS.BUFFER_OVERFLOW
            needed = int.from_bytes(thread.memory.read(size, 4), "little")
            if status != STATUS.BUFFER_OVERFLOW:
                data = thread.memory.read(place, room)
                break
        room = needed + 16
    kind_of, offset, length, name = (int.from_bytes(data[at : at + 4], "little") for at in (4, 8, 12, 16))
    return from_utf16(data[20 : 20 + name]), kind_of, data[offset : offset + length]


def give_name(place: Ptr[WCHAR], size: Ptr[DWORD] | None, text: str) -> None:
    """Store a name whose room is told in characters; ERROR_MORE_DATA where it does not fit."""
    if size is None:
        return
    unit = 1 if is_narrow(place) else 2
    data = encoded(place, text)
    count = len(data) // unit
    if place:
        if count + 1 > int(size.read()):
            raise WinError(ERROR.MORE_DATA)
        place.write_bytes(data + bytes(unit))
    size.write(count)


@export_both()
async def RegEnumKeyExW(
    thread: UserThread,
    hKey: HANDLE,
    dwIndex: DWORD,
    lpName: Ptr[WCHAR],
    lpcchName: Ptr[DWORD],
    lpReserved: PVOID,
    lpClass: Ptr[WCHAR],
    lpcchClass: Ptr[DWORD] | None,
    lpftLastWriteTime: Ptr[FILETIME],
) -> LSTATUS:
    """One of a key's children by number."""
    name, group, time = await enumerate_key(thread, await key_handle(thread, hKey), dwIndex)
    give_name(lpName, lpcchName, name)
    give_name(lpClass, lpcchClass, group)
    if lpftLastWriteTime:
        put_file_time(lpftLastWriteTime.read(), time)
    return LSTATUS(0)


@export_both()
async def RegQueryInfoKeyW(
    thread: UserThread,
    hKey: HANDLE,
    lpClass: Ptr[WCHAR],
    lpcchClass: Ptr[DWORD] | None,
    lpReserved: PVOID,
    lpcSubKeys: Out[DWORD] | None,
    lpcbMaxSubKeyLen: Out[DWORD] | None,
    lpcbMaxClassLen: Out[DWORD] | None,
    lpcValues: Out[DWORD] | None,
    lpcbMaxValueNameLen: Out[DWORD] | None,
    lpcbMaxValueLen: Out[DWORD] | None,
    lpcbSecurityDescriptor: Out[DWORD] | None,
    lpftLastWriteTime: Ptr[FILETIME],
) -> LSTATUS:
    """Counts and largest lengths of a key; lengths of names in characters."""
    key = await key_handle(thread, hKey)
    with thread.frame() as frame:
        place, size = frame.allocate(ROOM), frame.allocate(8)
        kind = KEY_INFORMATION_CLASS.KeyFullInformation
        await nt.NtQueryKey(thread, key, kind, place, ROOM, size)
        data = thread.memory.read(place, ROOM)
        if lpcbSecurityDescriptor is not None:
            await _security_size(thread, key, lpcbSecurityDescriptor)
    words = [int.from_bytes(data[at : at + 4], "little") for at in range(12, 44, 4)]
    offset, length, keys, longest, longest_class, values, longest_value, largest = words
    give_name(lpClass, lpcchClass, from_utf16(data[offset : offset + length]) if length else "")
    for out, value in (
        (lpcSubKeys, keys),
        (lpcbMaxSubKeyLen, longest // 2),
        (lpcbMaxClassLen, longest_class // 2),
        (lpcValues, values),
        (lpcbMaxValueNameLen, longest_value // 2),
        (lpcbMaxValueLen, largest),
    ):
        if out is not None:
            out.write(value)
    if lpftLastWriteTime:
        put_file_time(lpftLastWriteTime.read(), int.from_bytes(data[:8], "little"))
    return LSTATUS(0)


async def _security_size(thread: UserThread, key: int, out: Out[DWORD]) -> None:
    with thread.frame() as frame:
        size = frame.allocate(8)
        try:
            await nt.NtQuerySecurityObject(thread, key, 7, 0, 0, size)
        except NtError as error:
            if error.status != STATUS.BUFFER_TOO_SMALL:
                raise
        out.write(int.from_bytes(thread.memory.read(size, 4), "little"))


@export
async def RegNotifyChangeKeyValue(
    thread: UserThread,
    hKey: HANDLE,
    bWatchSubtree: BOOL,
    dwNotifyFilter: DWORD,
    hEvent: HANDLE,
    fAsynchronous: BOOL,
) -> LSTATUS:
    """Wait for a change, or be told by an event."""
    key = await key_handle(thread, hKey)
    with thread.frame() as frame:
        status = frame.allocate(16)
        await nt.NtNotifyChangeKey(
            thread,
            key,
            hEvent if fAsynchronous else 0,
            0,
            0,
            status,
            dwNotifyFilter,
            int(bool(bWatchSubtree)),
            0,
            0,
            int(bool(fAsynchronous)),
        )
    return LSTATUS(0)

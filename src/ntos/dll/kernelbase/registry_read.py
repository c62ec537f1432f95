"""What kernelbase itself reads of the registry: one value of a machine key."""

from __future__ import annotations

import struct

from ntos.abi.access import KEY_QUERY_VALUE
from ntos.abi.ob import OBJ_CASE_INSENSITIVE
from ntos.abi.registry import KEY_VALUE_INFORMATION_CLASS
from ntos.abi.status import STATUS, NtError
from ntos.dll.kernelbase.objects import attributes, new_handle
from ntos.dll.kernelbase.services import nt
from ntos.um.thread import UserThread

ROOM = 0x800
ABSENT = (STATUS.OBJECT_NAME_NOT_FOUND, STATUS.OBJECT_PATH_NOT_FOUND)


async def machine_value(thread: UserThread, path: str, name: str) -> bytes:
    """The data of a value below HKEY_LOCAL_MACHINE; nothing where it is not there."""
    return await key_value(thread, rf"\REGISTRY\MACHINE\{path}", name)


async def key_value(thread: UserThread, path: str, name: str) -> bytes:
    """The data of a value by its key's native path; nothing where it is not there."""
    with thread.frame() as frame:
        handle, room, length = new_handle(frame), frame.allocate(ROOM), frame.allocate(8)
        where = attributes(frame, path, flags=OBJ_CASE_INSENSITIVE)
        try:
            await nt.NtOpenKey(thread, handle.address, KEY_QUERY_VALUE, where)
        except NtError as error:
            if error.status in ABSENT:
                return b""
            raise
        kind = KEY_VALUE_INFORMATION_CLASS.KeyValuePartialInformation
        try:
            await nt.NtQueryValueKey(thread, int(handle.read()), frame.unicode_string(name), kind, room, ROOM, length)
        except NtError as error:
            if error.status in ABSENT:
                return b""
            raise
        finally:
            await nt.NtClose(thread, int(handle.read()))
        (size,) = struct.unpack("<8xI", thread.memory.read(room, 12))
        return thread.memory.read(room + 12, size)
